/*
 * A file that will be written when something is over, in the folder that its path meant before it began.
 *
 * Meanwhile a confined command may turn folders on the way into links to elsewhere; what is written then goes into the
 * folder that was opened, or nowhere.  Source: MSDN "NtCreateFile" (RootDirectory), "ZwSetInformationFile",
 * "FILE_RENAME_INFORMATION".
 */
#ifndef SBX_WIN_PENDING_H
#define SBX_WIN_PENDING_H

#include "base/error.h"

#define SBX_PENDING_NAME 256u

typedef struct sbx_pending {
    void *folder; /* HANDLE; NULL: not open */
    uint16_t name_w[SBX_PENDING_NAME], temp_w[SBX_PENDING_NAME];
} sbx_pending;

/* path: absolute and normalised.  `pending` begins as { 0 }.  A file beside it is made and removed again, to see that
 * one can be.  SBX_E_SYSTEM where there is no such folder or nothing can be made in it, SBX_E_REFUSED for a name that
 * cannot be a file's, or is that of a folder or a read-only file. */
sbx_status sbx_pending_open(sbx_pending *pending, const char *path, sbx_error *err);

/* Refuse a file whose path goes through the folder `root`, by whatever name, when what was opened is not the folder to which
 * it leads from there without a link: a command that lives there may exchange one for the other at any time.  It is
 * closed then, or on any failure.  path: as for open. */
sbx_status sbx_pending_check(sbx_pending *pending, const char *path, const char *root, sbx_error *err);

/* Write beside the target and put it in its place: a reader sees the old file or the new one, whole.  On failure
 * nothing is left.  Allocates no memory, so that the handler of a crash can use it. */
sbx_status sbx_pending_write(const sbx_pending *pending, const void *data, uint32_t length, sbx_error *err);

void sbx_pending_close(sbx_pending *pending);

#endif
