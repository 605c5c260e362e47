/*
 * Text to stdout and stderr: UTF-16 to a console, UTF-8 bytes to everything else.  Failures of writing
 * are not reported: there is no place to.  Any thread; one call is one write.
 *
 * Source: MSDN "WriteConsoleW", "Console Virtual Terminal Sequences"; no-color.org.
 */
#ifndef SBX_WIN_OUT_H
#define SBX_WIN_OUT_H

#include <stddef.h>

#include "base/text.h"

#define SBX_OUT_STDOUT 1u
#define SBX_OUT_STDERR 2u

void sbx_out_write(unsigned where, const char *text, size_t length);

/* Lines for people, see sbx_text_add_shown: names of files may stand in them. */
void sbx_out_text(unsigned where, const char *text);

/* From now on both go to the handle of stderr, a pipe of messages: each begins with a byte that says which one it is. */
void sbx_out_frames(void);

/* One such message, where it belongs; without that byte, from whoever knows no messages, it is for stderr.  text[length] is a NUL. */
void sbx_out_frame(const char *text, size_t length);

/* Whether it is a console. */
int sbx_out_is_console(unsigned where);

/* How wide the console is; 0: it is none. */
unsigned sbx_out_columns(unsigned where);

/* Whether colours are wanted: a console that knows the sequences, and NO_COLOR is not set. */
int sbx_out_has_colour(unsigned where);

/* sbx_text_wrap without a mark. */
void sbx_out_wrap(sbx_text *to, unsigned indent, const char *text);

/* Of the program, for the lines: "sbx" unless it says otherwise. */
void sbx_out_program(const char *name);

/* "sbx: TEXT\n" on stderr, TEXT as sbx_text_add_shown does it: it may come from a backend. */
void sbx_out_line(const char *text);

/* "sbx: object: op: message (win32 5)", and the hint on a line of its own; `message` is the whole text of
 * sbx_error_describe. */
void sbx_out_error(const char *message, const char *hint);

#endif
