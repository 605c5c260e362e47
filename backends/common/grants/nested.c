#include "common/grants/nested.h"

#include <string.h>

#include "base/memory.h"
#include "base/path.h"

void sbx_nested_init(sbx_nested *nested, const sbx_root *root)
{
    memset(nested, 0, sizeof(*nested));
    nested->root = root;
    InitializeCriticalSection(&nested->lock);
}

void sbx_nested_fini(sbx_nested *nested)
{
    uint32_t i;

    for (i = 0; i < nested->count; i++)
        sbx_free(nested->paths[i]);
    DeleteCriticalSection(&nested->lock);
}

/* "a\.git" of "C:\root\a\.git"; NULL of the root's own. */
static const char *below(const sbx_nested *nested, const char *path)
{
    const char *rest = path ? sbx_path_below(path, nested->root->path) : NULL;

    if (path && !rest && !strncmp(path, "\\\\?\\", 4))
        rest = sbx_path_below(path + 4, nested->root->path);
    return rest && strchr(rest, '\\') ? rest : NULL;
}

void sbx_nested_meet(sbx_nested *nested, const sbx_walk_item *item)
{
    char *path, *copy;
    const char *rest;

    if (item->name_length != 4 || _wcsnicmp(item->name, L".git", 4) != 0)
        return;
    path = sbx_walk_path(item);
    rest = below(nested, path);
    copy = rest ? sbx_strdup(rest) : NULL;
    if (copy || !path) {
        EnterCriticalSection(&nested->lock);
        if (!copy || nested->count == SBX_NESTED_MAX) {
            nested->more++;
            sbx_free(copy);
        } else {
            nested->paths[nested->count++] = copy;
        }
        LeaveCriticalSection(&nested->lock);
    }
    sbx_free(path);
}

sbx_status sbx_nested_record(const sbx_nested *nested, sbx_ledger *ledger, uint32_t *added, sbx_error *err)
{
    sbx_ledger_entry entries[SBX_NESTED_MAX];
    const sbx_ledger_root *known = sbx_ledger_find(ledger, &nested->root->sid);
    const sbx_ledger_path *path;
    uint32_t i, all = 0;

    *added = 0;
    for (path = known ? known->paths : NULL; path; path = path->next)
        all += path->kind == SBX_RECORD_REPOSITORY;
    for (i = 0; i < nested->count && all + *added < SBX_NESTED_MAX; i++) {
        for (path = known ? known->paths : NULL; path; path = path->next)
            if (path->kind == SBX_RECORD_REPOSITORY && sbx_path_equal(path->path, nested->paths[i]))
                break;
        if (!path)
            entries[(*added)++] = (sbx_ledger_entry){SBX_RECORD_REPOSITORY, 0, nested->paths[i]};
    }
    return *added ? sbx_ledger_add(ledger, &nested->root->sid, entries, *added, 0, err) : SBX_OK;
}
