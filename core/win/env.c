#include "win/env.h"

#include <windows.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "win/error.h"
#include "win/wide.h"

typedef struct entry {
    const uint16_t *text_w;
    uint32_t length, name_length;
    uint32_t order; /* equal names stay in their order: qsort is not stable */
} entry;

typedef struct table {
    sbx_arena arena;
    entry *entries;
    uint32_t count, size, next;
} table;

static int compare_names(const uint16_t *a, uint32_t a_length, const uint16_t *b, uint32_t b_length)
{
    return CompareStringOrdinal(a, (int)a_length, b, (int)b_length, TRUE) - CSTR_EQUAL;
}

static int by_name(const void *left, const void *right)
{
    const entry *a = left, *b = right;
    int order = compare_names(a->text_w, a->name_length, b->text_w, b->name_length);

    return order ? order : (a->order > b->order) - (a->order < b->order);
}

/* A '=' at the start belongs to the name. */
static uint32_t name_length(const uint16_t *text_w)
{
    const uint16_t *end_w = *text_w ? wcschr(text_w + 1, L'=') : NULL;

    return (uint32_t)(end_w ? (size_t)(end_w - text_w) : wcslen(text_w));
}

static int add(table *t, const uint16_t *text_w)
{
    entry *e;

    if (t->count == t->size) {
        uint32_t size = t->size ? t->size * 2 : 128;
        entry *more = sbx_realloc(t->entries, size * sizeof(*more));

        if (!more)
            return 0;
        t->entries = more;
        t->size = size;
    }
    e = &t->entries[t->count++];
    e->text_w = text_w;
    e->length = (uint32_t)wcslen(text_w);
    e->name_length = name_length(text_w);
    e->order = t->next++;
    return 1;
}

static entry *find(const table *t, const uint16_t *name_w, uint32_t length)
{
    uint32_t i;

    for (i = 0; i < t->count; i++)
        if (compare_names(t->entries[i].text_w, t->entries[i].name_length, name_w, length) == 0)
            return &t->entries[i];
    return NULL;
}

static void unset(table *t, const uint16_t *name_w, uint32_t length)
{
    uint32_t i, kept = 0;

    for (i = 0; i < t->count; i++)
        if (compare_names(t->entries[i].text_w, t->entries[i].name_length, name_w, length) != 0)
            t->entries[kept++] = t->entries[i];
    t->count = kept;
}

static sbx_status refuse(sbx_error *err, const char *name, const char *why)
{
    sbx_fail(err, SBX_E_REFUSED, "set environment variable", name);
    sbx_hint(err, "%s", why);
    return SBX_E_REFUSED;
}

/* "NAME=value" or "NAME=value;old" in the arena. */
static sbx_status compose(table *t, const entry *old, const uint16_t *name_w, const uint16_t *value_w, int prepend,
                          const char *name, uint16_t **out_w, sbx_error *err)
{
    const uint16_t *spelling_w = old ? old->text_w : name_w;
    const uint16_t *tail_w = NULL;
    size_t name_units = wcslen(name_w), value_units = wcslen(value_w), tail_units = 0;
    uint16_t *at_w;

    if (prepend && old && old->name_length + 1 < old->length) {
        tail_w = old->text_w + old->name_length + 1;
        tail_units = wcslen(tail_w);
    }
    if (value_units + tail_units + 1 > SBX_ENV_MAX_UNITS)
        return refuse(err, name, "a value holds at most 32766 characters");
    at_w = sbx_arena_alloc(&t->arena, (name_units + value_units + tail_units + 3) * sizeof(*at_w));
    if (!at_w)
        return sbx_fail_memory(err);
    *out_w = at_w;
    memcpy(at_w, spelling_w, name_units * sizeof(*at_w));
    at_w += name_units;
    *at_w++ = L'=';
    memcpy(at_w, value_w, value_units * sizeof(*at_w));
    at_w += value_units;
    if (tail_w) {
        *at_w++ = L';';
        memcpy(at_w, tail_w, tail_units * sizeof(*at_w));
    }
    return SBX_OK;
}

static sbx_status apply(table *t, const sbx_env_edit *edit, sbx_error *err)
{
    uint16_t *name_w = NULL, *value_w = NULL, *text_w = NULL;
    sbx_status st = SBX_OK;
    uint32_t length;
    entry *old;

    if (!edit->name || !edit->name[0] || strchr(edit->name, '='))
        return refuse(err, edit->name, "a name is not empty and has no '='");
    st = sbx_wide(edit->name, "environment variable name", &name_w, err);
    if (st != SBX_OK)
        return st;
    length = (uint32_t)wcslen(name_w);
    old = find(t, name_w, length);
    if (edit->op == SBX_ENV_UNSET || (edit->op == SBX_ENV_DEFAULT && old)) {
        if (edit->op == SBX_ENV_UNSET)
            unset(t, name_w, length);
        goto out;
    }
    st = sbx_wide(edit->value ? edit->value : "", edit->name, &value_w, err);
    if (st == SBX_OK)
        st = compose(t, old, name_w, value_w, edit->op == SBX_ENV_PREPEND, edit->name, &text_w, err);
    if (st != SBX_OK)
        goto out;
    unset(t, name_w, length);
    if (!add(t, text_w))
        st = sbx_fail_memory(err);
out:
    sbx_free(value_w);
    sbx_free(name_w);
    return st;
}

static sbx_status join(const table *t, uint16_t **block_w, sbx_error *err)
{
    size_t units = 2;
    uint16_t *at_w;
    uint32_t i;

    for (i = 0; i < t->count; i++)
        units += t->entries[i].length + 1;
    at_w = sbx_alloc(units * sizeof(*at_w));
    if (!at_w)
        return sbx_fail_memory(err);
    *block_w = at_w;
    for (i = 0; i < t->count; i++) {
        memcpy(at_w, t->entries[i].text_w, (t->entries[i].length + 1) * sizeof(*at_w));
        at_w += t->entries[i].length + 1;
    }
    at_w[0] = 0;
    at_w[1] = 0; /* an empty block has two as well */
    return SBX_OK;
}

sbx_status sbx_env_build(const uint16_t *source_w, const sbx_env_list *lists, uint32_t list_count, uint16_t **block_w,
                         sbx_error *err)
{
    uint16_t *own_w = source_w ? NULL : GetEnvironmentStringsW();
    const uint16_t *at_w = source_w ? source_w : own_w;
    table t = {0};
    sbx_status st = SBX_OK;
    uint32_t i, k;

    if (!at_w)
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetEnvironmentStringsW", NULL);
    for (; *at_w; at_w += wcslen(at_w) + 1)
        if (!add(&t, at_w)) {
            st = sbx_fail_memory(err);
            goto out;
        }
    for (i = 0; i < list_count; i++)
        for (k = 0; k < lists[i].count; k++)
            if ((st = apply(&t, &lists[i].edits[k], err)) != SBX_OK)
                goto out;
    if (t.count)
        qsort(t.entries, t.count, sizeof(*t.entries), by_name);
    st = join(&t, block_w, err);
out:
    sbx_free(t.entries);
    sbx_arena_fini(&t.arena);
    if (own_w)
        FreeEnvironmentStringsW(own_w);
    return st;
}

const uint16_t *sbx_env_find(const uint16_t *block_w, const uint16_t *name_w)
{
    uint32_t length = (uint32_t)wcslen(name_w), name;

    for (; *block_w; block_w += wcslen(block_w) + 1) {
        name = name_length(block_w);
        if (block_w[name] == L'=' && compare_names(block_w, name, name_w, length) == 0)
            return block_w + name + 1;
    }
    return NULL;
}
