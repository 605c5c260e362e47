/*
 * Closes what the runner has to what else runs as its account, the command above all.
 *
 * A process of the secondary logon begins with a token whose default DACL admits the account: what it makes is open to
 * whatever runs as the account, and so is the host of its console, with its threads and what it makes later, which was there before
 * the first instruction and has the whole token of the account.  sbx has closed process and first thread already (win/logon.h).
 *
 * Source: MSDN "TOKEN_DEFAULT_DACL", "SetTokenInformation", "Owner Rights SID", "Process Security and Access Rights", "Thread
 * Security and Access Rights"; NtGetNextThread as phnt declares it; public reports of launchers of this kind.
 */
#ifndef SBX_RUNNER_HARDEN_H
#define SBX_RUNNER_HARDEN_H

#include "base/error.h"

/* From here on what this process makes admits SYSTEM, Administrators, and to read its descriptor the account; the console's
 * host is closed likewise.  SBX_E_UNENFORCED: something stays open. */
sbx_status sbx_harden(sbx_error *err);

/* For as long as the command is made: what this process makes has the default DACL of the command's token, with which the token
 * that the system copies for it can still be looked at here (core/win/process has more of that).  token NULL: closed again. */
sbx_status sbx_harden_as(void *token, sbx_error *err);

/* When the command exists and nothing has to be asked of the own token any more: that is closed, too.  Then all of this is tried
 * as the command would: this process, its threads and token, the console's host, and the process that launched it.
 * SBX_E_UNENFORCED names what lets the command in. */
sbx_status sbx_harden_end(void *token, uint32_t launcher_id, sbx_error *err);

#endif
