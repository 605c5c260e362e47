/*
 * The pseudo console of a command: its host is a second process that runs here with the whole token of the account.
 *
 * It is made by this process after sbx_harden, and is closed to the command as all that this process makes: what could open the
 * host could do what the account can.  sbx shows what comes out and sends what is typed (win/terminal.h).
 *
 * Source: learn.microsoft.com "CreatePseudoConsole", "ClosePseudoConsole" (before Windows 11 24H2 it waits for its host, and that for
 * somebody to take all that is to be shown; later it returns at once, and the end of the pipe is the end), "ResizePseudoConsole".
 */
#ifndef SBX_RUNNER_PTY_H
#define SBX_RUNNER_PTY_H

#include "base/talk.h"

typedef struct sbx_pty {
    void *console; /* HPCON, NULL: none */
} sbx_pty;

/* With a terminal in the request, else nothing.  Takes its two handles, on failure, too.  SBX_E_UNSUPPORTED before Windows 10
 * 1809, SBX_E_SYSTEM. */
sbx_status sbx_pty_open(sbx_pty *pty, const sbx_talk_request *request, sbx_error *err);

/* One that cannot be had is nothing that the command would end for. */
void sbx_pty_resize(const sbx_pty *pty, const sbx_talk_size *size);

void sbx_pty_close(sbx_pty *pty);

#endif
