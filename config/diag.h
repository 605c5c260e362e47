/*
 * A diagnostic: what is wrong in a configuration text, and where.
 *
 *   C:\ProgramData\sbx\sbx.toml:12:1: unknown key "filesystem.writeable"
 *      12 | writeable = ["src"]
 *         | ^~~~~~~~~
 *     hint: did you mean "writable"?
 */
#ifndef SBX_CONFIG_DIAG_H
#define SBX_CONFIG_DIAG_H

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"

/* A part of a text.  Lines and columns count from 1; columns count characters. */
typedef struct sbx_span {
    uint32_t line, column;
    uint32_t offset, length; /* in bytes */
} sbx_span;

/* Owned by the caller, fixed size.  Filled only on failure. */
typedef struct sbx_diag {
    sbx_status status; /* SBX_E_CONFIG, SBX_E_USAGE (from a flag), SBX_E_MEMORY */
    char file[512];    /* name of the source, or the flag, "--limit-time" */
    sbx_span span;     /* line 0: no position */
    char message[512];
    char hint[256];               /* a suggestion, or empty */
    char line[256];               /* the source line (cut around the position when long), or empty */
    uint32_t caret, caret_length; /* columns within `line`, from 0 */
} sbx_diag;

/* Fill a diagnostic.  text may be NULL: no line is shown.  Returns `status`. */
sbx_status sbx_diag_set(sbx_diag *diag, sbx_status status, const char *file, const char *text, size_t length,
                        const sbx_span *span, const char *format, ...) SBX_PRINTF(7, 8);

/* Set the hint of a diagnostic, NULL is fine.  Returns SBX_E_CONFIG without one, else its status. */
sbx_status sbx_diag_hint(sbx_diag *diag, const char *format, ...) SBX_PRINTF(2, 3);

/* Append the lines shown above, each ended by a newline. */
void sbx_diag_print(const sbx_diag *diag, sbx_text *out);

#endif
