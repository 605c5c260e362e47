/*
 * A desktop of its own for a run, so that its windows, messages and hooks are not among the user's.
 *
 * It is on the window station of this process and lives until it is closed and its last process is gone; it takes
 * desktop heap, of which a session has little.  Its DACL admits the user and the run's SID, so that processes of the run open it
 * and other sandboxes do not.  user32 is loaded by the first open, from System32.
 *
 * It does not shut the command in: the user's default desktop admits the logon session, so a program that looks for
 * it can open it, and AttachConsole reaches the user's terminal whatever the desktop is.
 *
 * Source: MSDN "CreateDesktopW", "Desktop Security and Access Rights", "Process Connection to a Window Station".
 */
#ifndef SBX_TOKEN_DESKTOP_H
#define SBX_TOKEN_DESKTOP_H

#include "base/error.h"

typedef struct sbx_desktop {
    void *handle; /* HDESK */
    char *name;   /* "WinSta0\sbx-..." for STARTUPINFO */
} sbx_desktop;

/* `desktop` begins as { 0 }.  run_sid: PSID; run_id: for the name.  account_sid: PSID of the account that the command runs as,
 * NULL: the user. */
sbx_status sbx_desktop_open(sbx_desktop *desktop, const char *run_id, const void *run_sid, const void *account_sid,
                            sbx_error *err);
void sbx_desktop_close(sbx_desktop *desktop);

/* Does the suspended process start on that desktop?  Reads what it was given as STARTUPINFO, before it can
 * change it.  SBX_E_UNENFORCED: on another.  Where that cannot be read: SBX_OK, *known = 0.  process:
 * PROCESS_QUERY_INFORMATION | PROCESS_VM_READ. */
sbx_status sbx_desktop_verify(const sbx_desktop *desktop, void *process, int *known, sbx_error *err);

#endif
