/*
 * Every object below a directory, by handle, on all cores.
 *
 * A directory is dealt with before what is in it, so that what is made meanwhile inherits from it.  Objects
 * are opened by name below the open directory, one component, never through a link.  Links are not followed, and
 * handed to `visit`, as such, only where that was asked for; what vanished meanwhile is not.  Memory and handles do
 * not grow with the tree: what does not fit the queue is walked depth first.
 * Source: MSDN "ZwQueryDirectoryFile", "FILE_OPEN_REPARSE_POINT" in "NtCreateFile".
 */
#ifndef SBX_GRANTS_WALK_H
#define SBX_GRANTS_WALK_H

#include "base/error.h"
#include "common/nt.h"
#include "common/grants/sd.h"

#define SBX_WALK_ON 0u   /* go on, into it if it is a directory */
#define SBX_WALK_PASS 1u /* not into it */
#define SBX_WALK_STOP 2u /* end the walk; `err` of the item is filled */

typedef struct sbx_walk_item {
    void *handle;   /* NULL when the access asked for could not be had; of a directory READ_CONTROL then, if possible */
    int32_t status; /* NTSTATUS of the open with the access asked for */
    void *parent;   /* the directory it is in */
    const WCHAR *name; /* in `parent`; not terminated */
    size_t name_length;
    int is_directory, is_link; /* a link is never entered */
    sbx_nt_info info;          /* empty without a handle */
    uint64_t changed;          /* FILETIME of the last change of what it is or has, as the listing tells */
    sbx_sd *sd;                /* of this thread */
    sbx_error *err;            /* of this thread, for SBX_WALK_STOP */
} sbx_walk_item;

#define SBX_WALK_LINKS 1u
#define SBX_WALK_DIRECTORIES 2u
#define SBX_WALK_LISTED 4u /* files and links are not opened: handle NULL, status 0 */

/* Called from several threads at once. */
typedef uint32_t (*sbx_walk_visit)(void *context, const sbx_walk_item *item);

typedef struct sbx_walk_count {
    uint64_t objects, links; /* seen; links: reparse points */
} sbx_walk_count;

/*
 * Walk below `root` (FILE_LIST_DIRECTORY, SYNCHRONIZE), which itself is not visited; `path` names it in errors, after
 * `doing` ("granting") in progress, which ends with done == total where it was told at all.  access: for every object, FILE_READ_ATTRIBUTES comes on top and, for directories, what listing takes.
 * flags: SBX_WALK_LINKS visits links too, SBX_WALK_DIRECTORIES no files, SBX_WALK_LISTED opens directories alone.
 */
sbx_status sbx_walk_below(void *root, const char *path, const char *doing, ACCESS_MASK access, uint32_t flags,
                          sbx_walk_visit visit, void *context, sbx_walk_count *count, sbx_error *err);

/* The end of a walk with what sbx_sd_result says of the item. */
uint32_t sbx_walk_stop(const sbx_walk_item *item, int32_t status, uint32_t result);

/* "path\name" of an item for a message, through its parent's handle; freed with sbx_free, NULL out of memory. */
char *sbx_walk_path(const sbx_walk_item *item);

#endif
