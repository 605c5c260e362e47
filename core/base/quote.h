/*
 * Command lines: from one text to arguments and back.
 *
 * Windows passes a process one text; each program splits it for itself.  Here are the rules that
 * nearly all share.  Source: MSDN "CommandLineToArgvW", "main function and command-line arguments
 * (parsing C command-line arguments)", "cmd" (Remarks); for batch files CVE-2024-24576 and
 * CVE-2024-43402.  Any thread.
 */
#ifndef SBX_BASE_QUOTE_H
#define SBX_BASE_QUOTE_H

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

typedef struct sbx_arguments {
    uint32_t count;
    const char *const *items; /* WTF-8; a NULL behind the last */
    const uint32_t *begin;    /* the unit of the line at which each begins, its quotes included */
} sbx_arguments;

/*
 * Split a line with a NUL.  The first argument by the rule for a program's name: quotes group,
 * backslashes are plain, it ends at a space or tab, and it is empty when the line begins with
 * one.  The rest as CommandLineToArgvW does.  An empty line has no arguments.
 *
 * The untouched tail from argument i on is line_w + begin[i]; split by itself it gives the
 * same arguments, but for an escaped quote in what is now the program's name.
 *
 * Everything lives in the arena.  Errors: SBX_E_MEMORY; SBX_E_USAGE for more than 2^30 units.
 */
sbx_status sbx_quote_split(sbx_arena *arena, const uint16_t *line_w, sbx_arguments *arguments, sbx_error *err);

/* Append one argument, in quotes where it needs them, so that splitting gives it back. */
void sbx_quote_argument(sbx_text *line, const char *argument);

/* Append a program's name and its arguments, divided by spaces.  A program's name cannot hold a
 * quote: SBX_E_REFUSED.  An empty list adds nothing.  Out of memory: line->failed. */
sbx_status sbx_quote_line(sbx_text *line, const char *const *items, uint32_t count, sbx_error *err);

/* Whether CreateProcessW would give the file to cmd.exe: .bat or .cmd, also with the trailing
 * dots and spaces that Win32 drops, or as a stream. */
int sbx_quote_is_batch(const char *path);

/*
 * Append the command line with which `cmd` (full path of cmd.exe) runs a batch file and gives it
 * these arguments: CMD /d /e:on /v:off /s /c ""SCRIPT" ARGUMENT "ARGUMENT" ..."
 *
 * cmd.exe expands and splits before the script sees anything, and a script hands %* on to be read again.
 *   - What cmd.exe takes as plain text stands there bare, so that `%1` is what was typed; all else is in quotes.
 *   - Text with '%' stands there as "%SBX_ARG_1%", with a variable that has to be in the environment of cmd.exe: what a
 *     variable expands to is not expanded again.
 * A script's name needs the second, too.  A quote is refused: what keeps cmd.exe within quotes ("") is read in different
 * ways by programs.  So are control characters but a tab; both with SBX_E_REFUSED, the argument's number and the
 * character in the object; and a line longer than the 8191 characters that cmd.exe takes.
 *
 * *edits: the variables, in the arena; NULL where there are none.  Out of memory: line->failed.
 */
sbx_status sbx_quote_batch(sbx_text *line, const char *cmd, const char *script, const char *const *items,
                           uint32_t count, sbx_arena *arena, const sbx_env_edit **edits, uint32_t *edit_count,
                           sbx_error *err);

#endif
