/* The file of an account's lease, as lease.c and lease_state.c know it. */
#ifndef SBX_ELEVATED_LEASE_FILE_H
#define SBX_ELEVATED_LEASE_FILE_H

#include "base/error.h"

#define SBX_LEASE_FOLDER "leases"
#define SBX_LEASE_HELD_AT 0x40000000u /* the byte that is locked: what is in the file can be read meanwhile */

char *sbx_lease_file_path(const char *account); /* NULL: out of memory */
/* *workspace is freed by the caller, *left is in it: what is to be undone, or "". */
sbx_status sbx_lease_file_read(const char *path, char **workspace, char **left);

#endif
