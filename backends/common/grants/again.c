#include "common/grants/grant.h"

#include <string.h>

#include "base/path.h"
#include "base/utf.h"
#include "common/grants/audience.h"
#include "common/grants/left.h"
#include "common/grants/tree.h"
#include "win/error.h"

#define WAIT_MS 120000u

/* What the ledger knows at a path: the root there, or else the innermost one that this is in. */
static const sbx_ledger_root *find(const sbx_ledger *ledger, const char *path)
{
    const sbx_ledger_root *root, *best = NULL;

    for (root = ledger->roots; root; root = root->next)
        if (root->path[0] && !sbx_sid_is_git(&root->sid) && !sbx_sid_is_read(&root->sid) &&
            sbx_path_is_below(path, root->path) && (!best || sbx_path_is_below(root->path, best->path)))
            best = root;
    return best;
}

static sbx_status open_known(const char *path, sbx_root *root, sbx_error *err)
{
    sbx_ledger ledger = {0};
    sbx_root here = {0};
    const sbx_ledger_root *known = NULL;
    sbx_status st = sbx_ledger_load(&ledger, err);

    if (st != SBX_OK)
        return st;
    /* by whatever name it is called, and where it was moved to */
    st = sbx_root_look(path, &here, err);
    if (st == SBX_OK)
        known = sbx_ledger_find(&ledger, &here.sid);
    if (!known)
        known = find(&ledger, st == SBX_OK ? here.path : path);
    if (st != SBX_OK && known) { /* its volume is away, or it was moved */
        sbx_hint(err, "sbx knows a writable root there: repeat this when it is there again, or name where it is now");
        goto out;
    }
    st = SBX_OK;
    if (known && !memcmp(&known->sid, &here.sid, sizeof(here.sid)))
        st = sbx_root_open(here.path, root, err);
    else if (known)
        st = sbx_root_open(known->path, root, err);
    if (st == SBX_OK && (!known || memcmp(&known->sid, &root->sid, sizeof(root->sid)))) {
        sbx_root_close(root);
        st = sbx_fail(err, SBX_E_REFUSED, "it is in no writable root that sbx knows", path);
        sbx_hint(err, "the first run in a folder grants it; `sbx status` lists those that were");
    }
out:
    sbx_root_close(&here);
    sbx_ledger_fini(&ledger);
    return st;
}

sbx_status sbx_grants_again(const char *path, sbx_grant_count *count, sbx_error *err)
{
    sbx_root root = {0};
    sbx_arena arena = {NULL};
    sbx_audience audience;
    sbx_ledger ledger = {0};
    sbx_tree tree = {.root = &root, .ledger = &ledger, .arena = &arena, .again = 1};
    sbx_lock *lock = NULL;
    const char *first = "";
    sbx_status st = open_known(path, &root, err);

    if (st == SBX_OK) {
        root.may_mend = 1;
        sbx_utf8_copy(count->root, sizeof(count->root), root.path);
        st = sbx_root_hold(&root, err);
    }
    if (st == SBX_OK)
        st = sbx_lock_take(&root.sid, WAIT_MS, &lock, err);
    if (st == SBX_OK)
        st = sbx_ledger_load(&ledger, err);
    if (st == SBX_OK && !sbx_ledger_find(&ledger, &root.sid)) /* cleaned meanwhile */
        st = sbx_fail(err, SBX_E_REFUSED, "it is no writable root any more", root.path);
    root.audience = sbx_audience_known(sbx_ledger_find(&ledger, &root.sid), &audience);
    if (st == SBX_OK)
        st = sbx_tree_grant(&tree, err);
    count->objects = tree.objects;
    count->opened = tree.opened;
    if (st == SBX_OK) {
        count->closed = sbx_left_words(sbx_ledger_find(&ledger, &root.sid), count->why, sizeof(count->why), &first);
        sbx_utf8_copy(count->first, sizeof(count->first), first);
    }
    sbx_lock_give(lock);
    sbx_ledger_fini(&ledger);
    sbx_arena_fini(&arena);
    sbx_root_close(&root);
    return st;
}
