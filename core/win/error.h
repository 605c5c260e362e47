/*
 * Errors of Windows: captured on the line that failed, put into words when they are printed.
 *
 * Source: MSDN "GetLastError", "FormatMessageW", "System Error Codes".  Any thread.
 */
#ifndef SBX_WIN_ERROR_H
#define SBX_WIN_ERROR_H

#include "base/error.h"

/* sbx_fail_code with GetLastError() of this thread, which it leaves as it was. */
sbx_status sbx_fail_last(sbx_error *err, sbx_status status, const char *op, const char *object);

/* The same for a wide object, WTF-8 in the error. */
sbx_status sbx_fail_last_w(sbx_error *err, sbx_status status, const char *op, const uint16_t *object_w);

/* With an NTSTATUS. */
sbx_status sbx_fail_nt(sbx_error *err, sbx_status status, int32_t ntstatus, const char *op, const char *object);

/* What the system says about a code, in the user's language, without the newline at its end.  Empty when it
 * says nothing.  Some have a place for a name: that is the last of object's path (NULL: it is left out).  buffer: caller's, at
 * least 1 byte; cut at a character. */
void sbx_system_message(uint32_t code_kind, uint32_t code, const char *object, char *buffer, size_t size);

/* sbx_error_text with the message of the system. */
size_t sbx_error_describe(const sbx_error *err, char *buffer, size_t size);

#endif
