/*
 * Whole files by UTF-8 path: configuration in, reports out.  Any thread.
 *
 * Source: MSDN "CreateFileW", "MoveFileExW", "FlushFileBuffers", "GetFinalPathNameByHandleW".
 */
#ifndef SBX_WIN_FILE_H
#define SBX_WIN_FILE_H

#include "base/error.h"

/* Read a file of at most `limit` bytes.  *data gets a NUL behind it and is freed with sbx_free.
 * SBX_E_SYSTEM with the code of Windows (2 and 3: not there, see sbx_file_is_missing); SBX_E_REFUSED for a directory, a
 * device or pipe, and a file that is too large. */
sbx_status sbx_file_read(const char *path, size_t limit, char **data, size_t *length, sbx_error *err);

/* Whether an error of sbx_file_read says that the file does not exist. */
int sbx_file_is_missing(const sbx_error *err);

/* Write beside the target and move over it: a reader sees the old file or the new one, whole.  On failure
 * nothing is left. */
sbx_status sbx_file_write(const char *path, const void *data, size_t length, sbx_error *err);

/* It is gone, or was not there. */
sbx_status sbx_file_delete(const char *path, sbx_error *err);

/* Where an open file or folder is: links followed, long names, normalised; freed with sbx_free.  kind: VOLUME_NAME_DOS, or
 * VOLUME_NAME_GUID.  NULL: GetLastError, or out of memory. */
char *sbx_file_final_path(void *handle, uint32_t kind);

#endif
