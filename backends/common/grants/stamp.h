/*
 * ACEs for the SID of a root, on its tree: set and taken away.
 *
 * The root: a deny of moving it and of changing its rights, an allow for itself, and an allow that only what is below
 * inherits and that has DELETE.  The allow for itself is set last: it says that the tree below is complete.
 * A DENY object: a deny for itself and one for what is below, the former last.  A HOLD directory: a deny of moving it.
 * What is below has the inherited ACEs that Windows would give to a new file there, so that files made later need
 * nothing.
 */
#ifndef SBX_GRANTS_STAMP_H
#define SBX_GRANTS_STAMP_H

#include "common/grants/root.h"
#include "common/grants/sd.h"

/* What a walk met and left alone, or could not do. */
typedef struct sbx_stamp_count {
    uint64_t objects; /* seen */
    uint64_t links;   /* reparse points */
    uint64_t shared;  /* files with several names */
    uint64_t closed;  /* objects with a protected DACL, or none; what is in them was not looked at */
    uint64_t failed;  /* not to be opened or with a full ACL */
} sbx_stamp_count;

/* Whether an open object carries exactly what its kind (SBX_RECORD_GRANT, _DENY, _HOLD) asks for. */
sbx_status sbx_stamp_check(const sbx_root *root, void *handle, const char *path, uint32_t kind, int is_directory,
                           int *complete, sbx_error *err);

/* Make it so, the tree below included. handle: SBX_ROOT_ACCESS for a directory, READ_CONTROL|WRITE_DAC for a file. */
sbx_status sbx_stamp_set(const sbx_root *root, void *handle, const char *path, uint32_t kind, int is_directory,
                         sbx_stamp_count *count, sbx_error *err);

/* What a protected object must not let the command do. */
#define SBX_STAMP_CHANGE                                                                                               \
    (DELETE | FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER | FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA |       \
     FILE_WRITE_ATTRIBUTES)

/* Below a DENY directory that has its own ACEs: only what is in it. */
sbx_status sbx_stamp_inside(const sbx_root *root, void *handle, const char *path, sbx_error *err);

/* Take the denies of a DENY or HOLD object away, below it too; the allows stay. */
sbx_status sbx_stamp_free(const sbx_root *root, void *handle, const char *path, int is_directory, sbx_error *err);

/* Whether the root itself carries an ACE of its SID, as it does from the first change of a grant to the last of a
 * clear. handle: READ_CONTROL. */
sbx_status sbx_stamp_any(const sbx_root *root, int *any, sbx_error *err);

/* Take every ACE of the root's SID away, from all below and from the root.  failed in `count`: objects that could not be
 * changed, the first of them in *first (sbx_free); the root keeps its denies then. */
sbx_status sbx_stamp_clear(const sbx_root *root, sbx_stamp_count *count, char **first, sbx_error *err);

/* The explicit ACEs of a kind, at most 3; returns their number. */
uint32_t sbx_stamp_aces(uint32_t kind, int is_directory, sbx_ace aces[3]);

#endif
