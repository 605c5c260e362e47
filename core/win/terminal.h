/*
 * The user's console, as the terminal of a command that has a console of its own.
 *
 * A console serves who is attached to it, and a command of another account is not: its handles are of no use there.  So that
 * command gets a pseudo console, and this process shows what that draws and sends it what is typed, as UTF-8 with sequences, over
 * two pipes.  For that time the user's console is raw: it reads sequences and writes them, and keys are no longer lines.
 *
 * Ctrl-C is a key of the command then, which is counted (win/console.h).  Where a standard stream is no console, others may
 * share this one, `sbx ... | less`: there it stays a signal to all of them, and the caller passes it on.
 *
 * Source: learn.microsoft.com "SetConsoleMode", "Creating a Pseudoconsole session", "CreatePseudoConsole"
 * (PSEUDOCONSOLE_INHERIT_CURSOR: it asks where the cursor is, and waits), "ClosePseudoConsole", "READ_CONSOLE_INPUT"; github.com/rprichard/win32-console-docs
 * (handles of another console).
 *
 * open, close and what the caller asks for on one thread; two threads of its own pass the bytes on.
 */
#ifndef SBX_WIN_TERMINAL_H
#define SBX_WIN_TERMINAL_H

#include "win/console.h"
#include "win/process.h"

typedef struct sbx_terminal sbx_terminal;

/* For the other side, which holds copies of its own once they were given. */
typedef struct sbx_terminal_ends {
    void *typed, *shown;    /* HANDLE of a pipe each: to read what is typed, to write what is shown */
    uint32_t width, height; /* characters */
} sbx_terminal_ends;

/* `console` has begun and lasts longer.  *terminal NULL: no standard stream is a console.  Else those of `stdio` that are consoles are
 * closed, and NULL.  SBX_E_UNAVAILABLE with a hint, SBX_E_SYSTEM. */
sbx_status sbx_terminal_open(sbx_terminal **terminal, const sbx_console *console, sbx_stdio *stdio, sbx_error *err);

const sbx_terminal_ends *sbx_terminal_ends_get(const sbx_terminal *terminal);
void sbx_terminal_given(sbx_terminal *terminal); /* closes the ends here */

/* From here on the console is raw, and bytes pass.  SBX_E_UNAVAILABLE: it cannot show sequences. */
sbx_status sbx_terminal_begin(sbx_terminal *terminal, sbx_error *err);

/* Ctrl-C for the command, which came as a signal. */
void sbx_terminal_interrupt(sbx_terminal *terminal);

/* 1: another size than was told last.  sbx_console_wake says when to ask. */
int sbx_terminal_resized(sbx_terminal *terminal, uint32_t *width, uint32_t *height);

/*
 * Shows all that is still to come and ends: the command has ended and the other side closes its pseudo console.  While nothing
 * comes for a long time and the pipe does not end either, `end` is called, which must end the other side.  The mode of the console stays for
 * sbx_console_end.  NULL is fine.
 */
void sbx_terminal_close(sbx_terminal **terminal, void (*end)(void *context), void *context);

#endif
