/*
 * The user of a process, and SIDs as a person reads them.
 *
 * `sid` is a valid PSID.  Any thread.
 * Source: MSDN "GetCurrentProcessToken" (for asking, from Windows 8 on), "GetTokenInformation", "LookupAccountSidW", "SID Components".
 */
#ifndef SBX_WIN_USER_H
#define SBX_WIN_USER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct sbx_user_sid {
    union {
        uint64_t align;
        uint8_t bytes[68]; /* SECURITY_MAX_SID_SIZE */
    } u;
} sbx_user_sid;

/* From the process's token; a thread's token does not count. */
sbx_status sbx_user_get(sbx_user_sid *user, sbx_error *err);

/* From the token of another process, a HANDLE that may be asked; object: what it is, for the error.  SBX_E_SYSTEM. */
sbx_status sbx_user_of(void *process, const char *object, sbx_user_sid *user, sbx_error *err);

/* The SID of its logon; *has 0: network logons may have none. */
sbx_status sbx_user_logon(sbx_user_sid *logon, int *has, sbx_error *err);

/* "S-1-5-..."; cut where text ends.  187 bytes hold the longest. */
void sbx_user_sid_text(const void *sid, char *text, size_t size);

/* The other way, of `length` characters: 0 where sbx_user_sid_text would not write just that. */
int sbx_user_sid_read(const char *text, size_t length, sbx_user_sid *sid);

/* "DOMAIN\name", or the SID where it has no name.  May ask the network: for messages only. */
void sbx_user_name(const void *sid, char *text, size_t size);

#endif
