/*
 * The file of an account's lease, as lease.c and lease_state.c know it: the workspace, what is to be undone (station.h), and what is to be
 * put in order (tidy.h), a line for each folder.  What is in it is only a hint.
 */
#ifndef SBX_ELEVATED_LEASE_FILE_H
#define SBX_ELEVATED_LEASE_FILE_H

#include "base/error.h"

#define SBX_LEASE_FOLDER "leases"
#define SBX_LEASE_HELD_AT 0x40000000u /* the byte that is locked: what is in the file can be read meanwhile */

char *sbx_lease_file_path(const char *account); /* NULL: out of memory */
/* *file: HANDLE; made where there is none, with the folder. */
sbx_status sbx_lease_file_open(const char *path, void **file, sbx_error *err);
/* *workspace is freed by the caller, *left and *owed are in it: what is to be undone, what is to be put in order, or "". */
sbx_status sbx_lease_file_read(const char *path, char **workspace, char **left, char **owed, sbx_error *err);
sbx_status sbx_lease_file_write(void *file, const char *account, const char *workspace, const char *left,
                                const char *owed, sbx_error *err);

#endif
