/*
 * What a token says of itself, and the pieces that making and verifying one have in common.
 *
 * Results are freed with sbx_free.  Source: MSDN "GetTokenInformation".  Any thread.
 */
#ifndef SBX_TOKEN_TOKEN_INFO_H
#define SBX_TOKEN_TOKEN_INFO_H

#include "common/token/token.h"

#include <windows.h>

#include "win/user.h"

/* Of this process: what tokens are made from and held against. */
typedef struct sbx_token_self {
    sbx_user_sid user, logon;
    int has_logon;   /* network logons may have no logon SID */
    DWORD integrity; /* SECURITY_MANDATORY_*_RID */
} sbx_token_self;

/* Asked once.  *self: not to be freed. */
sbx_status sbx_token_ask_self(const sbx_token_self **self, sbx_error *err);

/* The same of another token: TOKEN_QUERY. */
sbx_status sbx_token_ask(void *token, sbx_token_self *self, sbx_error *err);

/* token: TOKEN_QUERY. */
sbx_status sbx_token_info(void *token, TOKEN_INFORMATION_CLASS what, void **info, sbx_error *err);

/* *level: SECURITY_MANDATORY_*_RID. */
sbx_status sbx_token_integrity(void *token, DWORD *level, sbx_error *err);

/* The SIDs that it has for deny only, but for Administrators; those of spec and `self` are pointed to.  Room for SBX_TOKEN_DENIED. */
#define SBX_TOKEN_DENIED 8u
uint32_t sbx_token_denied(const sbx_token_spec *spec, const sbx_token_self *self, SID_AND_ATTRIBUTES *sids);

/* The restricting SIDs for a spec; those of spec and `self` are pointed to. */
sbx_status sbx_token_restricting(const sbx_token_spec *spec, const sbx_token_self *self, SID_AND_ATTRIBUTES **sids,
                                 uint32_t *count, sbx_error *err);

/* The default DACL of the new token. */
sbx_status sbx_token_default_dacl(const sbx_token_self *self, const void *run_sid, const void *launcher, void **acl,
                                  sbx_error *err);

#endif
