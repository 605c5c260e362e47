/*
 * What is below a directory of a kind gets the inherited ACEs that Windows would give to a new file there, so that files made
 * later need nothing.
 */
#ifndef SBX_GRANTS_SPREAD_H
#define SBX_GRANTS_SPREAD_H

#include "common/grants/ledger.h"
#include "common/grants/root.h"

/* What a walk met and left alone, or could not do. */
typedef struct sbx_spread_count {
    uint64_t objects;          /* seen */
    uint64_t links;            /* reparse points */
    uint64_t shared;           /* files with several names */
    uint64_t closed;           /* objects with a protected DACL, or none; what is in them was not looked at */
    uint64_t failed;           /* not to be opened or with a full ACL */
    uint64_t others;           /* the file system keeps what others have there in another form */
    struct sbx_nested *nested; /* meets what the walk of a root does; may be NULL */
} sbx_spread_count;

/* Below a root, or (SBX_RECORD_DENY) a protected directory.  path: for messages; recorded: in the ledger, for what gets an
 * explicit ACE.  Nothing below a protected directory keeps an allow that its deny does not beat: what cannot be changed and
 * admits the command is an error. */
sbx_status sbx_spread(const sbx_root *root, sbx_ledger *ledger, void *handle, const char *path, const char *recorded,
                      uint32_t kind, sbx_spread_count *count, sbx_error *err);

#endif
