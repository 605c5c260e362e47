/*
 * sbx-probe: what the end-to-end tests run inside a sandbox, and around sbx as its parent.
 *
 *   sbx-probe VERB [ARGUMENT...]
 *
 * Output is ASCII lines on stdout; UTF-16 is shown as four hexadecimal digits a unit.  A verb
 * that tries something prints "ok" or "error N" (Win32) and exits with 0 or 1; 2 is wrong usage.
 * Nothing here uses a library of sbx: a fault there must not hide itself.
 */
#ifndef SBX_PROBE_H
#define SBX_PROBE_H

#include <windows.h>

/* One verb.  argc and argv are those behind the verb. */
typedef struct verb {
    const wchar_t *name_w;
    int (*run)(int argc, wchar_t **argv);
} verb;

extern const verb spawn_verbs[]; /* ended by a NULL name */
extern const verb system_verbs[];
extern const verb object_verbs[];
extern const verb file_verbs[];
extern const verb terminal_verbs[];
extern const verb sweep_verbs[];
extern const verb user_verbs[];

/* One write of the whole text: lines of several processes do not mix. */
void print(const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 1, 2)))
#endif
    ;
void print_hex(const wchar_t *text_w, size_t length);
int result(BOOL ok);                   /* prints ok, or the last error; returns the exit code */
int result_of(HANDLE handle, BOOL ok); /* the same, and closes what was opened; INVALID_HANDLE_VALUE is a failure */

/* The command line behind the argument `argc` that is "--", untouched; NULL when there is none. */
wchar_t *command_tail(void);

#endif
