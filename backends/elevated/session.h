/*
 * One launch in an account: the grants, which account, its secret, the run's TEMP, station and desktop, the ticket.
 */
#ifndef SBX_ELEVATED_SESSION_H
#define SBX_ELEVATED_SESSION_H

#include "common/grants/audience.h"
#include "elevated/machine.h"

/* The network where the policy has it off: proven before the command runs. */
#define SBX_ELEVATED_ENFORCED                                                                                          \
    (SBX_AREA_FILE_WRITE | SBX_AREA_FILE_DELETE | SBX_AREA_FILE_READ | SBX_AREA_PROCESS_TREE | SBX_AREA_NETWORK)
#define SBX_ELEVATED_ADVISORY 0u

/* Is it set up for this user?  SBX_E_UNAVAILABLE: no, or not to its end. */
sbx_status sbx_elevated_probe(sbx_error *err);

/* *user: this one, in *machine, which the caller ends.  SBX_E_UNAVAILABLE: nothing is set up for him.  What is half set up or damaged is
 * SBX_E_REFUSED: that must not be a way to run with less. */
sbx_status sbx_elevated_load(sbx_machine *machine, const sbx_machine_user **user, sbx_error *err);

/* The groups of his accounts. */
sbx_status sbx_elevated_audience(const sbx_machine_user *user, sbx_audience *audience, sbx_error *err);

sbx_status sbx_elevated_open(const sbx_policy *policy, uint32_t flags, sbx_session **session,
                             sbx_guarantees *guarantees, sbx_error *err);
void sbx_elevated_identity(sbx_session *session, sbx_identity *identity);
const sbx_ticket *sbx_elevated_ticket(const sbx_session *session);
void sbx_elevated_environment(const sbx_session *session, sbx_env_edits *edits);
/* A token like the command's, see sbx_token_copy: made of a logon of the account, here. */
sbx_status sbx_elevated_token_like(sbx_session *session, void **copy, sbx_error *err);
void sbx_elevated_close(sbx_session *session); /* NULL is fine */

#endif
