/*
 * The console while a command runs: whose Ctrl-C it is, and how it looks afterwards.
 *
 * The command shares the console and gets Ctrl-C and Ctrl-Break itself, at the same time as this process.
 * The first one is its own affair; the second asks for the end of the tree, and so does a console that is closed, a
 * logoff and a shutdown.  Source: MSDN "HandlerRoutine", "SetConsoleCtrlHandler", "SetConsoleMode".
 *
 * One at a time in a process; begin and end on the same thread.
 */
#ifndef SBX_WIN_CONSOLE_H
#define SBX_WIN_CONSOLE_H

#include "base/error.h"

typedef struct sbx_console {
    void *event;    /* HANDLE: something happened, auto reset; belongs to this module */
    void *files[2]; /* CONIN$, CONOUT$ when there is a console */
    uint32_t modes[2];
    uint32_t input_page, output_page;
} sbx_console;

/* `console` begins as { 0 }.  From here on Ctrl-C no longer ends this process. */
sbx_status sbx_console_begin(sbx_console *console, sbx_error *err);

#define SBX_CONSOLE_QUIET 0u
#define SBX_CONSOLE_ONCE 1u  /* one Ctrl-C or Ctrl-Break: the command's own */
#define SBX_CONSOLE_END 2u   /* a second: end the tree */
#define SBX_CONSOLE_CLOSE 3u /* the console goes, or the session: the system grants a few seconds */
uint32_t sbx_console_asked(void);
/* CTRL_C_EVENT or CTRL_BREAK_EVENT: which it was last. */
uint32_t sbx_console_last(void);

/* Whether there was one since the last call that the command, which has another console, has not seen. */
int sbx_console_take(void);

/* For tests and for signals that do not come from the system: CTRL_C_EVENT and its like. */
void sbx_console_signal(uint32_t control);

/* A key at a console that does not make Ctrl-C a signal (terminal.h), and that the command sees: Ctrl-C counts, and any other
 * in between says that the first one was heeded. */
void sbx_console_typed(int interrupt);

/* Sets the event: there is something else to look at. */
void sbx_console_wake(void);

/* Back to the mode and code pages of the beginning, and to the default for Ctrl-C. */
void sbx_console_end(sbx_console *console);

/* The mode of the beginning, for a process that is about to end in the middle of all. */
void sbx_console_restore(void);

/* Whether this process has a console. */
int sbx_console_exists(void);

/* Whether a standard handle (0, 1, 2) is a console. */
int sbx_console_is(int which);

#endif
