/*
 * Errors: operation, object, code, hint.
 *
 * Captured on the line that failed, printed only by main().  The structure is part of
 * the backend interface (sbx/backend.h).  Functions return their status so that a failure
 * is one statement:  return sbx_fail(err, SBX_E_CONFIG, "open", path);
 *
 * `err` may be NULL everywhere: the caller does not want to know.
 */
#ifndef SBX_BASE_ERROR_H
#define SBX_BASE_ERROR_H

#include <stddef.h>

#include "sbx/backend.h"

#if defined(__GNUC__)
#define SBX_PRINTF(string, first) __attribute__((format(printf, string, first)))
#else
#define SBX_PRINTF(string, first)
#endif

/* Without a system code.  `op` and `object` may be NULL. Returns `status`. */
sbx_status sbx_fail(sbx_error *err, sbx_status status, const char *op, const char *object);

/* With the number of a system call that failed; code_kind is SBX_CODE_*.  Looks the hint
 * up in the table of hints.c by (op, kind, code). */
sbx_status sbx_fail_code(sbx_error *err, sbx_status status, uint32_t code_kind, uint32_t code, const char *op,
                         const char *object);

sbx_status sbx_fail_memory(sbx_error *err);

/* Replace the hint of an error; cut at a character where it is too long.  Returns err->status. */
sbx_status sbx_hint(sbx_error *err, const char *format, ...) SBX_PRINTF(2, 3);

/* The hint that the table has for a failure, or NULL. */
const char *sbx_hint_for(const char *op, uint32_t code_kind, uint32_t code);

/* How many rows the table has: a test holds each. */
size_t sbx_hint_count(void);

/* 124..127 for a status that is not SBX_OK, 0 for SBX_OK. */
int sbx_exit_code(sbx_status status);

/* "object: op: message (win32 5)"; the message of the system comes from the caller (NULL: a
 * sentence for the status).  Returns the length that the whole text has, as snprintf does. */
size_t sbx_error_text(const sbx_error *err, const char *system_message, char *buffer, size_t size);

#endif
