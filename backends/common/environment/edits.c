#include "common/environment/edits.h"

#include <string.h>

/* More than anybody has; git reads that many variables at every start. */
#define GIT_COUNT_MAX 10000u

void sbx_edits_init(sbx_edits *edits, uint32_t git_count)
{
    memset(edits, 0, sizeof(*edits));
    edits->git_count = git_count;
}

void sbx_edits_add(sbx_edits *edits, uint32_t op, const char *name, const char *value)
{
    sbx_env_edit *items;
    uint32_t room;

    if (edits->failed)
        return;
    if (edits->count == edits->room) {
        room = edits->room ? edits->room * 2 : 64;
        items = sbx_realloc(edits->items, room * sizeof(*items));
        if (!items) {
            edits->failed = 1;
            return;
        }
        edits->items = items;
        edits->room = room;
    }
    items = &edits->items[edits->count];
    items->op = op;
    items->name = sbx_arena_strdup(&edits->arena, name);
    items->value = value ? sbx_arena_strdup(&edits->arena, value) : NULL;
    if (!items->name || (value && !items->value))
        edits->failed = 1;
    else
        edits->count++;
}

void sbx_edits_set(sbx_edits *edits, const char *name, const char *value)
{
    sbx_edits_add(edits, SBX_ENV_SET, name, value);
}

static void add_numbered(sbx_edits *edits, const char *format, uint32_t number, const char *value)
{
    char *name = sbx_arena_printf(&edits->arena, "%s%u", format, (unsigned)number);

    if (name)
        sbx_edits_set(edits, name, value);
    else
        edits->failed = 1;
}

void sbx_edits_git(sbx_edits *edits, const char *key, const char *value)
{
    add_numbered(edits, "GIT_CONFIG_KEY_", edits->git_count, key);
    add_numbered(edits, "GIT_CONFIG_VALUE_", edits->git_count, value);
    edits->git_count++;
    edits->git_added = 1;
}

void sbx_edits_git_end(sbx_edits *edits)
{
    char *text;

    if (!edits->git_added)
        return;
    text = sbx_arena_printf(&edits->arena, "%u", (unsigned)edits->git_count);
    if (text)
        sbx_edits_set(edits, "GIT_CONFIG_COUNT", text);
    else
        edits->failed = 1;
}

uint32_t sbx_edits_git_count(const char *value)
{
    uint32_t count = 0;

    if (!value || !*value)
        return 0;
    for (; *value; value++) {
        if (*value < '0' || *value > '9')
            return 0;
        count = count * 10 + (uint32_t)(*value - '0');
        if (count > GIT_COUNT_MAX)
            return 0;
    }
    return count;
}

/* ASCII is enough: the names asked for are. */
static int same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if ((*a >= 'a' && *a <= 'z' ? *a - 32 : *a) != (*b >= 'a' && *b <= 'z' ? *b - 32 : *b))
            return 0;
    return *a == *b;
}

const char *sbx_edits_before(const sbx_policy *policy, const char *name, const char *now)
{
    uint32_t i;

    for (i = 0; i < policy->env_count; i++) {
        const sbx_env_edit *edit = &policy->env[i];

        if (!same_name(edit->name, name))
            continue;
        if (edit->op == SBX_ENV_UNSET)
            now = NULL;
        else if (edit->op != SBX_ENV_DEFAULT || !now)
            now = edit->value;
    }
    return now;
}

sbx_status sbx_edits_status(const sbx_edits *edits, sbx_error *err)
{
    return edits->failed ? sbx_fail_memory(err) : SBX_OK;
}

void sbx_edits_fini(sbx_edits *edits)
{
    sbx_free(edits->items);
    sbx_arena_fini(&edits->arena);
    memset(edits, 0, sizeof(*edits));
}
