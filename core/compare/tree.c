#include "compare/tree.h"

#include <stdlib.h>
#include <string.h>

int sbx_tree_add(sbx_tree *tree, const char *path, uint32_t kind, uint64_t bytes, uint64_t content)
{
    sbx_tree_entry *entries;
    const char *copy;
    uint32_t size;

    if (tree->count == tree->size) {
        size = tree->size ? tree->size * 2 : 64;
        entries = size > tree->size ? sbx_realloc(tree->entries, (size_t)size * sizeof(*entries)) : NULL;
        if (!entries)
            return 0;
        tree->entries = entries;
        tree->size = size;
    }
    copy = sbx_arena_strdup(&tree->arena, path);
    if (!copy)
        return 0;
    tree->entries[tree->count++] = (sbx_tree_entry){copy, kind, bytes, content};
    return 1;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const sbx_tree_entry *)a)->path, ((const sbx_tree_entry *)b)->path);
}

void sbx_tree_sort(sbx_tree *tree)
{
    if (tree->count)
        qsort(tree->entries, tree->count, sizeof(*tree->entries), by_path);
}

static int is_same(const sbx_tree_entry *a, const sbx_tree_entry *b)
{
    return a->kind == b->kind && a->bytes == b->bytes && a->content == b->content;
}

void sbx_tree_compare(const sbx_tree *before, const sbx_tree *after,
                      void (*tell)(void *context, uint32_t what, const char *path), void *context)
{
    uint32_t i = 0, j = 0;
    int order;

    while (i < before->count || j < after->count) {
        order = i == before->count  ? 1
                : j == after->count ? -1
                                    : strcmp(before->entries[i].path, after->entries[j].path);
        if (order < 0)
            tell(context, SBX_TREE_DELETED, before->entries[i].path);
        else if (order > 0)
            tell(context, SBX_TREE_CREATED, after->entries[j].path);
        else if (!is_same(&before->entries[i], &after->entries[j]))
            tell(context, SBX_TREE_CHANGED, after->entries[j].path);
        i += order <= 0;
        j += order >= 0;
    }
}

uint64_t sbx_tree_hash(uint64_t hash, const void *data, size_t length)
{
    const unsigned char *at = data, *end = at + length;

    while (at < end)
        hash = (hash ^ *at++) * 0x100000001B3u;
    return hash;
}

void sbx_tree_fini(sbx_tree *tree)
{
    sbx_free(tree->entries);
    sbx_arena_fini(&tree->arena);
    memset(tree, 0, sizeof(*tree));
}
