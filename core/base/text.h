/*
 * Text that grows: a buffer with a NUL behind it.
 *
 * Errors are kept, so that a caller appends many times and asks once: after a failed
 * allocation `failed` is set, appending does nothing more, and sbx_text_take gives NULL.
 */
#ifndef SBX_BASE_TEXT_H
#define SBX_BASE_TEXT_H

#include <stddef.h>

#include "base/error.h"

typedef struct sbx_text {
    char *data; /* NULL while empty */
    size_t length, size;
    int failed;
} sbx_text;

/* A text begins as { 0 }. */
void sbx_text_add(sbx_text *text, const char *string);
void sbx_text_add_n(sbx_text *text, const char *bytes, size_t length);
void sbx_text_add_char(sbx_text *text, char c);
void sbx_text_printf(sbx_text *text, const char *format, ...) SBX_PRINTF(2, 3);
/* Text that a file, a backend or a command line brought along, for a terminal: what would control one, or turn the order of
 * what follows, stands there as <U+009B>; lines: but for line breaks and tabs.  What is no UTF-8 is '?'. */
void sbx_text_add_shown(sbx_text *text, const char *string, int lines);
/* Append `string` and a newline to a line that is `indent` columns long already.  The lines that follow begin with
 * `mark`, padded to as many; none is longer than SBX_TEXT_COLUMNS as long as its words are not. */
#define SBX_TEXT_COLUMNS 100u
void sbx_text_wrap(sbx_text *text, const char *mark, unsigned indent, const char *string);
char *sbx_text_take(sbx_text *text); /* the caller frees it; NULL on failure; text is empty again */
void sbx_text_fini(sbx_text *text);

#endif
