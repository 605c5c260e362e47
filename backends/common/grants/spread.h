/*
 * What is below a directory of a kind gets the inherited ACEs that Windows would give to a new file there, so that files made
 * later need nothing.  A link gets them itself, for itself alone: what it leads to does not.  A file with several names gets an
 * allow only where all of them are in the root (links.h), and what is protected none more.
 */
#ifndef SBX_GRANTS_SPREAD_H
#define SBX_GRANTS_SPREAD_H

#include "common/grants/ledger.h"
#include "common/grants/root.h"

/* What a walk met, and what it made of that. */
typedef struct sbx_spread_count {
    uint64_t objects; /* seen */
    uint64_t opened;  /* got what they did not have */
    uint64_t failed;  /* could not be changed */
    uint64_t closed;  /* of grow.h: directories with a protected DACL */
    uint64_t others;  /* the file system keeps what others have there in another form */
    /* of the walk of a root, each may be NULL: */
    struct sbx_nested *nested; /* meets what that does */
    struct sbx_left *left;     /* what stays closed */
} sbx_spread_count;

/* Below a root, or (SBX_RECORD_DENY) a protected directory.  path: for messages; recorded: in the ledger, for what gets an
 * explicit ACE.  Nothing below a protected directory keeps an allow that its deny does not beat: what cannot be changed and
 * admits the command is an error. */
sbx_status sbx_spread(const sbx_root *root, sbx_ledger *ledger, void *handle, const char *path, const char *recorded,
                      uint32_t kind, sbx_spread_count *count, sbx_error *err);

struct sbx_walk_item;

/* sbx_audience_judge of a directory that a walk has read; the error is the item's. */
sbx_status sbx_spread_judge(const sbx_root *root, const struct sbx_walk_item *item);

#endif
