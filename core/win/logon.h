/*
 * A process of another account, started through the secondary logon service, before it runs.
 *
 * CreateProcessWithLogonW gives it exactly its standard handles, whatever else is inheritable, and puts it into a job of its
 * service; the caller gets handles with all access, but cannot open the token.  The service opens program and directory as
 * the account, takes a command line of 1,024 characters at most, and no STARTUPINFOEX.  advapi32 is loaded by the first
 * call, from System32.
 *
 * Source: MSDN "CreateProcessWithLogonW", "Nested Jobs", "Process Security and Access Rights", "SetKernelObjectSecurity".
 */
#ifndef SBX_WIN_LOGON_H
#define SBX_WIN_LOGON_H

#include "win/process.h"

typedef struct sbx_logon_start {
    const uint16_t *account_w, *domain_w, *secret_w; /* secret_w: the caller wipes it */
    const uint16_t *program_w;                       /* absolute */
    const uint16_t *arguments_w;                     /* as in a command line; NULL: none */
    const uint16_t *desktop_w;                       /* NULL: as this process */
    void *input, *output;                            /* HANDLE: inheritable; standard error is NUL */
} sbx_logon_start;

/* `process` begins as { 0 }.  Suspended, in the system directory, with an environment that holds nothing of the user's, and without
 * a window.  SBX_E_UNAVAILABLE with a hint where the account or the service is not fit, SBX_E_SYSTEM. */
sbx_status sbx_logon_spawn(sbx_process *process, const sbx_logon_start *start, sbx_error *err);

/* Is it what was asked for: of that user ("S-1-..."), and the program?  SBX_E_UNENFORCED. */
sbx_status sbx_logon_check(const sbx_process *process, const char *account_sid, const uint16_t *program_w,
                           sbx_error *err);

/*
 * Close process and first thread to all but SYSTEM and Administrators; the user of this process may wait, ask and end.  The
 * account itself, which owns them, may read the descriptor and nothing else, so that nothing else that runs as the account
 * can take them over.  Handles that are open stay as they are.  SBX_E_UNENFORCED: it did not take.
 */
sbx_status sbx_logon_close_to_account(const sbx_process *process, sbx_error *err);

#endif
