/*
 * For whom the filters of the network are, as SDDL.
 *
 * A filter's condition on the user is an access check for FWP_ACTRL_MATCH_FILTER.  A program can give its own SID up, so one
 * filter that admits the account's SID is none: in its place stands a pair.  The PERMIT above denies the accounts, which
 * holds for deny-only SIDs and before any restricting one is asked, and admits everybody else; the BLOCK below admits
 * the same and the accounts.  Whoever matches the BLOCK and is no account has matched the PERMIT.
 *
 * Should the PERMIT ever be lost, the BLOCK alone must cut off as few as possible: it denies whom no command can be.
 * Anonymous threads are not in the PERMIT, and so have no network: a thread that connects while it is one is refused, whosesoever
 * it is.
 *
 * Source: MSDN "FWPM_CONDITION_ALE_USER_ID", "Permitting and Blocking Applications and Users", "How DACLs Control Access to
 * an Object", "CreateRestrictedToken".  Portable.
 */
#ifndef SBX_ELEVATED_FILTER_USERS_H
#define SBX_ELEVATED_FILTER_USERS_H

#include "elevated/machine.h"

/* Those of every user in the record. */
void sbx_filter_users_permit(const sbx_machine *machine, sbx_text *out);
/* others: SIDs of users of this machine that are no accounts of ours; those who are enrolled are named anyway. */
void sbx_filter_users_block(const sbx_machine *machine, const char *const *others, uint32_t count, sbx_text *out);
/* The accounts of one user that have no network.  0: there are none. */
int sbx_filter_users_offline(const sbx_machine_user *user, sbx_text *out);
/* The same and their group, as a rule of the firewall names them. */
void sbx_filter_users_rule(const sbx_machine_user *user, sbx_text *out);

#endif
