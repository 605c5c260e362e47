/*
 * What a token says of itself, and the pieces that making and verifying one have in common.
 *
 * Results are freed with sbx_free.  Source: MSDN "GetTokenInformation".  Any thread.
 */
#ifndef SBX_COMMON_TOKEN_INFO_H
#define SBX_COMMON_TOKEN_INFO_H

#include "common/token.h"

#include <windows.h>

/* token: TOKEN_QUERY. */
sbx_status sbx_token_info(void *token, TOKEN_INFORMATION_CLASS what, void **info, sbx_error *err);

/* SBX_E_UNAVAILABLE when there is none. */
sbx_status sbx_token_logon_sid(void *token, void **sid, sbx_error *err);

/* *level: SECURITY_MANDATORY_*_RID. */
sbx_status sbx_token_integrity(void *token, DWORD *level, sbx_error *err);

/* The restricting SIDs for a spec; those of spec and `logon` are pointed to. */
sbx_status sbx_token_restricting(const sbx_token_spec *spec, void *logon, SID_AND_ATTRIBUTES **sids, uint32_t *count,
                                 sbx_error *err);

/* The default DACL of the new token; user: a token of the user. */
sbx_status sbx_token_default_dacl(void *user, const void *run_sid, void **acl, sbx_error *err);

#endif
