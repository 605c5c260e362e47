/*
 * Deleting a directory that a sandboxed command could write to.
 *
 * By handle, one name at a time, never through a link: a link is deleted, not what it points to.  What the command made
 * undeletable by a DACL of its own is opened up first, which the owner may.  Memory grows with the depth.
 * Source: MSDN "NtCreateFile".
 */
#ifndef SBX_ENVIRONMENT_REMOVE_H
#define SBX_ENVIRONMENT_REMOVE_H

#include "base/error.h"
#include "common/nt.h"

typedef struct sbx_remove_count {
    uint64_t removed, left;
    int32_t status; /* NTSTATUS of the first that was left */
} sbx_remove_count;

/* Delete `name` (units) in the open directory `parent` and all below it.  name: UTF-16.  Returns an NTSTATUS: that of the
 * directory itself.  STATUS_SHARING_VIOLATION on it: somebody holds it, and nothing was deleted.  dacl: that
 * opens up what is closed, or NULL.  count may not be NULL. */
int32_t sbx_remove_tree(void *parent, const WCHAR *name, size_t length, void *dacl, sbx_remove_count *count);

#endif
