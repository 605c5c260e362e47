/*
 * What stamp.h sets is taken away.
 *
 * ACEs for the SID of the root wherever they are.  Of the denies for the user those that sbx set: they stand beside an explicit
 * ACE of the root's SID, and the ledger does not say that the directory had one before; and their inherited copies, on what
 * carries the root's SID and where the directory above passes none on.  Without the ledger the user's own cannot be told
 * from them.
 */
#ifndef SBX_GRANTS_UNDO_H
#define SBX_GRANTS_UNDO_H

#include "common/grants/ledger.h"
#include "common/grants/stamp.h"

/* Take the denies of a DENY or HOLD object away, below it too; the allows stay.  path: for messages. */
sbx_status sbx_undo_protection(const sbx_root *root, const sbx_ledger *ledger, void *handle, const char *path,
                               int is_directory, sbx_error *err);

/* Take everything away, from all below and from the root.  failed in `count`: objects that could not be changed, the first of
 * them in *first (sbx_free); the root keeps its denies then. */
sbx_status sbx_undo_root(const sbx_root *root, const sbx_ledger *ledger, sbx_spread_count *count, char **first,
                         sbx_error *err);

#endif
