#include "common/grants/left.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/host.h"

static const struct {
    const char *one, *many;
} words[SBX_LEFT_REASONS] = {
    {"file has names (hard links) outside of it or in what is protected",
     "files have names (hard links) outside of it or in what is protected"},
    {"object has an access control list that inherits nothing",
     "objects have access control lists that inherit nothing"},
    {"object has access rights that you may not change", "objects have access rights that you may not change"},
};

void sbx_left_init(sbx_left *left, const sbx_root *root)
{
    memset(left, 0, sizeof(*left));
    left->root = root;
    InitializeCriticalSection(&left->lock);
}

void sbx_left_fini(sbx_left *left)
{
    uint32_t i;

    for (i = 0; i < SBX_LEFT_REASONS; i++)
        sbx_free(left->first[i]);
    DeleteCriticalSection(&left->lock);
}

void sbx_left_add(sbx_left *left, uint32_t why, const sbx_walk_item *item)
{
    const uint32_t at = why - SBX_RECORD_SHARED;

    EnterCriticalSection(&left->lock);
    if (!left->count[at]++) {
        char *path = sbx_walk_path(item);
        const char *rest = path ? sbx_path_below(path, left->root->path) : NULL;

        left->first[at] = rest ? sbx_strdup(rest) : NULL;
        sbx_free(path);
    }
    LeaveCriticalSection(&left->lock);
}

void sbx_left_entries(const sbx_left *left, sbx_ledger_entry entries[SBX_LEFT_REASONS])
{
    uint32_t i;

    for (i = 0; i < SBX_LEFT_REASONS; i++)
        entries[i] = (sbx_ledger_entry){SBX_RECORD_SHARED + i, left->count[i], left->first[i] ? left->first[i] : ""};
}

static const sbx_ledger_path *find(const sbx_ledger_root *known, uint32_t why)
{
    const sbx_ledger_path *path;

    for (path = known ? known->paths : NULL; path && path->kind != why; path = path->next)
        ;
    return path;
}

int sbx_left_is_known(const sbx_ledger_root *known)
{
    return find(known, SBX_RECORD_FOREIGN) != NULL;
}

uint64_t sbx_left_words(const sbx_ledger_root *known, char *text, size_t size, const char **first)
{
    uint64_t all = 0;
    uint32_t i;

    *first = "";
    text[0] = 0;
    for (i = 0; i < SBX_LEFT_REASONS; i++) {
        const sbx_ledger_path *path = find(known, SBX_RECORD_SHARED + i);
        const size_t length = strlen(text);

        if (!path || !path->id)
            continue;
        snprintf(text + length, size - length, "%s%llu %s", all ? "; " : "", (unsigned long long)path->id,
                 path->id == 1 ? words[i].one : words[i].many);
        if (!**first)
            *first = path->path;
        all += path->id;
    }
    return all;
}

void sbx_left_tell(const sbx_root *root, const sbx_ledger_root *known)
{
    char text[512];
    const char *first;
    const uint64_t count = sbx_left_words(known, text, sizeof(text), &first);

    if (count)
        sbx_host_note(SBX_NOTE_WARN, root->path, "the command cannot change %llu of the objects in it%s%s: %s",
                      (unsigned long long)count, *first ? ", as " : "", first, text);
}
