/* What was in a folder, and what became of it.  Any thread; a tree on one at a time. */
#ifndef SBX_COMPARE_TREE_H
#define SBX_COMPARE_TREE_H

#include "base/memory.h"

#define SBX_TREE_FILE 1u
#define SBX_TREE_FOLDER 2u
#define SBX_TREE_LINK 3u /* a reparse point: what it leads to does not count */

typedef struct sbx_tree_entry {
    const char *path; /* below the folder */
    uint32_t kind;    /* SBX_TREE_* */
    uint64_t bytes;
    uint64_t content; /* equal for equal files: a hash, or the time of the last change; 0 for folders */
} sbx_tree_entry;

/* A tree begins as { 0 }. */
typedef struct sbx_tree {
    sbx_arena arena;
    sbx_tree_entry *entries;
    uint32_t count, size;
} sbx_tree;

/* 0: out of memory. */
int sbx_tree_add(sbx_tree *tree, const char *path, uint32_t kind, uint64_t bytes, uint64_t content);

/* By path, as sbx_tree_compare wants both. */
void sbx_tree_sort(sbx_tree *tree);

#define SBX_TREE_CREATED 1u
#define SBX_TREE_CHANGED 2u /* contents, or another kind */
#define SBX_TREE_DELETED 3u

/* Tells what is not the same in both, by path. */
void sbx_tree_compare(const sbx_tree *before, const sbx_tree *after,
                      void (*tell)(void *context, uint32_t what, const char *path), void *context);

/* FNV-1a of 64 bits, piece by piece: no proof against a forger, who has no reason to make files look unchanged here. */
#define SBX_TREE_HASH 0xCBF29CE484222325u /* of nothing */
uint64_t sbx_tree_hash(uint64_t hash, const void *data, size_t length);

void sbx_tree_fini(sbx_tree *tree);

#endif
