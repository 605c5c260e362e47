/*
 * The tree of one root: opened to its SID where the root's own mark or the ledger says that something is missing, or where that
 * was asked for.
 */
#ifndef SBX_GRANTS_TREE_H
#define SBX_GRANTS_TREE_H

#include "base/memory.h"
#include "common/grants/ledger.h"
#include "common/grants/root.h"

typedef struct sbx_tree {
    sbx_root *root; /* held, its lock taken */
    sbx_ledger *ledger;
    const sbx_hold *hold; /* of this run */
    sbx_arena *arena;
    int dry;   /* touch nothing */
    int again; /* look at all of it, also where it is complete */
    /* afterwards */
    uint32_t nested;          /* repositories in it that were not known */
    uint64_t objects, opened; /* seen; that got what they did not have */
} sbx_tree;

sbx_status sbx_tree_grant(sbx_tree *tree, sbx_error *err);

#endif
