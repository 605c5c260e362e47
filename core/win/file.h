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

/* Whether an error of these says that another program keeps the file to itself. */
int sbx_file_is_held(const sbx_error *err);

/* Write beside the target and move over it: a reader sees the old file or the new one, whole.  On failure
 * nothing is left. */
sbx_status sbx_file_write(const char *path, const void *data, size_t length, sbx_error *err);

/* One file in place of another one of sbx's own, or of none; `path` is for errors.  That the old one is read-only, or open to somebody who
 * reads it, does not matter; who keeps it to himself does (ERROR_SHARING_VIOLATION).  MoveFileExW alone gives ERROR_ACCESS_DENIED in each of
 * these cases: MSDN "FILE_RENAME_INFORMATION" (FILE_RENAME_POSIX_SEMANTICS), rust-lang/rust#123985. */
sbx_status sbx_file_replace(const uint16_t *from_w, const uint16_t *to_w, const char *path, sbx_error *err);

/* A file of sbx's own to write to, also where somebody made it read-only.  NULL: GetLastError; as CreateFileW otherwise. */
void *sbx_file_open_own(const uint16_t *path_w, uint32_t access, uint32_t share, uint32_t how);

/* It is gone, or was not there; read-only or not. */
sbx_status sbx_file_delete(const char *path, sbx_error *err);

/* Where an open file or folder is: links followed, long names, normalised; freed with sbx_free.  kind: VOLUME_NAME_DOS, or
 * VOLUME_NAME_GUID.  NULL: GetLastError, or out of memory. */
char *sbx_file_final_path(void *handle, uint32_t kind);

#endif
