#include "config/toml_table.h"

#include <string.h>

static uint32_t hash_of(const sbx_toml_node *parent, const char *key, size_t length)
{
    uint64_t hash = 14695981039346656037u ^ (uintptr_t)parent; /* FNV-1a */
    size_t i;

    for (i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)key[i]) * 1099511628211u;
    hash *= 0x9E3779B97F4A7C15u;
    return (uint32_t)(hash >> 32);
}

static int grow(sbx_toml_tables *tables)
{
    size_t size = tables->size ? tables->size * 2 : 64, i;
    sbx_toml_node **slots = sbx_alloc_zero(size, sizeof(*slots)), *node, *next;

    if (!slots)
        return 0;
    for (i = 0; i < tables->size; i++)
        for (node = tables->slots[i]; node; node = next) {
            next = node->same_hash;
            node->same_hash = slots[node->hash & (size - 1)];
            slots[node->hash & (size - 1)] = node;
        }
    sbx_free(tables->slots);
    tables->slots = slots;
    tables->size = size;
    return 1;
}

sbx_toml_node *sbx_toml_tables_add(sbx_toml_tables *tables, sbx_arena *arena, sbx_toml_node *parent, const char *key,
                                   size_t key_length)
{
    sbx_toml_node *node, **slot;

    if (key && tables->used >= tables->size && !grow(tables))
        return NULL;
    node = sbx_arena_alloc(arena, sizeof(*node));
    if (!node)
        return NULL;
    node->parent = parent;
    node->depth = parent->depth + 1;
    node->value.key = key;
    node->value.key_length = key_length;
    if (key) {
        node->hash = hash_of(parent, key, key_length);
        slot = &tables->slots[node->hash & (tables->size - 1)];
        node->same_hash = *slot;
        *slot = node;
        tables->used++;
    }
    if (parent->last)
        parent->last->value.next = &node->value;
    else
        parent->value.first = &node->value;
    parent->last = node;
    parent->value.count++;
    return node;
}

sbx_toml_node *sbx_toml_tables_find(const sbx_toml_tables *tables, const sbx_toml_node *parent, const char *key,
                                    size_t key_length)
{
    uint32_t hash;
    sbx_toml_node *node;

    if (!tables->size)
        return NULL;
    hash = hash_of(parent, key, key_length);
    for (node = tables->slots[hash & (tables->size - 1)]; node; node = node->same_hash)
        if (node->hash == hash && node->parent == parent && node->value.key_length == key_length &&
            !memcmp(node->value.key, key, key_length))
            return node;
    return NULL;
}

void sbx_toml_tables_fini(sbx_toml_tables *tables)
{
    sbx_free(tables->slots);
    memset(tables, 0, sizeof(*tables));
}
