/*
 * One launch as sbx.exe holds it: grants, TEMP, caches, the edits of the environment, the ticket.
 */
#ifndef SBX_UNELEVATED_SESSION_H
#define SBX_UNELEVATED_SESSION_H

#include "base/error.h"

/* What this backend can hold at best; see README.md for what stays open. */
#define SBX_UNELEVATED_ENFORCED (SBX_AREA_FILE_WRITE | SBX_AREA_FILE_DELETE | SBX_AREA_PROCESS_TREE)
#define SBX_UNELEVATED_ADVISORY (SBX_AREA_NETWORK | SBX_AREA_UI)

/* Measure with a token like a command's whether it can delete what lies outside; sessions claim and tell by the last answer.
 * SBX_E_UNENFORCED where it says more than one before. */
sbx_status sbx_session_measure(void *copy, sbx_error *err);

/* The functions of sbx_backend with these names. */
sbx_status sbx_session_open(const sbx_policy *policy, uint32_t flags, sbx_session **session, sbx_guarantees *guarantees,
                            sbx_error *err);
void sbx_session_close(sbx_session *session);
const sbx_ticket *sbx_session_ticket(const sbx_session *session);
const sbx_env_edits *sbx_session_environment(const sbx_session *session);

/* See sbx_token_copy. */
sbx_status sbx_session_token_like(const sbx_session *session, void **copy, sbx_error *err);

#endif
