#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/grant.h"
#include "common/guard.h"
#include "common/ledger.h"
#include "common/stamp.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

#define WAIT_MS 10000u

/* The root that the ledger speaks of, where it speaks of it, or none: it is gone, or another directory is there now. */
static sbx_status reopen(const sbx_ledger_root *known, sbx_root *root, sbx_error *err)
{
    sbx_status st = sbx_root_reopen(known->path, root, err);

    if (st == SBX_OK && root->handle && memcmp(&root->sid, &known->sid, sizeof(known->sid)))
        sbx_root_close(root);
    return st;
}

/* The same, also where it was moved. */
static sbx_status locate(const sbx_ledger_root *known, sbx_root *root, sbx_error *err)
{
    sbx_error why = {.size = sizeof(why)};
    sbx_status here = reopen(known, root, &why), st;

    if (here == SBX_OK && root->handle)
        return SBX_OK;
    st = sbx_root_find(&known->sid, known->path, root, err);
    if (st == SBX_OK && !root->handle && here != SBX_OK) { /* not gone: something is there that does not open */
        if (err)
            *err = why;
        st = here;
    }
    return st;
}

static uint32_t state_of(const sbx_ledger_root *known, uint32_t process)
{
    sbx_root root = {0};
    uint32_t state = SBX_STATE_STALE;

    if (process)
        return SBX_STATE_ACTIVE;
    if (known->done && (reopen(known, &root, NULL) != SBX_OK || root.handle))
        state = SBX_STATE_KEPT;
    sbx_root_close(&root);
    /* moved or gone is stale, not what is out of reach */
    if (state == SBX_STATE_STALE && sbx_root_find(&known->sid, known->path, &root, NULL) == SBX_E_UNAVAILABLE)
        state = SBX_STATE_KEPT;
    sbx_root_close(&root);
    return state;
}

static sbx_state_item item_of(const sbx_ledger_root *known, uint32_t process)
{
    sbx_state_item item = {.size = sizeof(item), .kind = "grant", .process_id = process};

    item.state = state_of(known, process);
    item.root = item.object = known->path;
    item.count = known->count;
    item.text = known->done ? "writable root" : "writable root, not finished";
    return item;
}

/* 1: the visitor wants no more. */
static int visit_paths(const sbx_ledger_root *known, uint32_t process, sbx_state_visitor visit, void *context)
{
    const sbx_ledger_path *path;
    char full[2048];

    for (path = known->paths; path; path = path->next) {
        sbx_state_item item = {.size = sizeof(item), .process_id = process, .root = known->path, .object = full};

        snprintf(full, sizeof(full), "%s\\%s", known->path, path->path);
        item.state = process ? SBX_STATE_ACTIVE : SBX_STATE_KEPT;
        if (path->kind == SBX_RECORD_GUARD) {
            item.kind = "guard";
            item.text = "keeps a protected name that does not exist from the command";
            item.state = process ? SBX_STATE_ACTIVE : SBX_STATE_STALE;
        } else {
            item.kind = path->kind == SBX_RECORD_DENY ? "protected" : "kept in place";
            item.text = path->kind == SBX_RECORD_DENY ? "the command cannot change it" : "leads to a protected path";
        }
        if (visit && visit(context, &item, NULL))
            return 1;
    }
    return 0;
}

sbx_status sbx_grants_list(sbx_state_visitor visit, void *context, sbx_error *err)
{
    sbx_ledger ledger = {{NULL}, NULL, 0, 0};
    const sbx_ledger_root *known;
    sbx_status st = sbx_ledger_load(&ledger, err);

    for (known = ledger.roots; known && st == SBX_OK; known = known->next) {
        sbx_state_item item;
        uint32_t process = 0;

        st = sbx_hold_find(&known->sid, NULL, &process, err);
        if (st != SBX_OK)
            break;
        item = item_of(known, process);
        if ((visit && visit(context, &item, NULL)) || visit_paths(known, process, visit, context))
            break;
    }
    sbx_ledger_fini(&ledger);
    return st;
}

static sbx_status undo(const sbx_root *root, sbx_ledger *ledger, sbx_error *err)
{
    sbx_ledger_entry gone = {SBX_RECORD_GONE, 0, root->path};
    sbx_stamp_count count = {0};
    char *first = NULL;
    sbx_status st = sbx_guard_remove(root, ledger, NULL, err);

    if (st == SBX_OK)
        st = sbx_stamp_clear(root, &count, &first, err);
    if (st == SBX_OK && count.failed) {
        st = sbx_fail(err, SBX_E_SYSTEM, "its access rights may not be changed by this user",
                      first ? first : root->path);
        sbx_hint(err,
                 "%lu objects still carry access rights of sbx; delete them, or let their owner or an administrator "
                 "change them (takeown, icacls), and repeat this",
                 (unsigned long)count.failed);
    }
    if (st == SBX_OK)
        st = sbx_ledger_add(ledger, &root->sid, &gone, 1, 0, err);
    sbx_free(first);
    return st;
}

/* Deal with one root under its lock, and tell. */
static sbx_status clean_one(uint32_t what, sbx_ledger *ledger, sbx_ledger_root *known, sbx_root *root,
                            sbx_state_visitor visit, void *context, int *enough, sbx_error *err)
{
    sbx_error why = {.size = sizeof(why)};
    sbx_ledger_entry gone = {SBX_RECORD_GONE, 0, known ? known->path : ""};
    sbx_sid sid = known ? known->sid : root->sid;
    sbx_state_item item = {.size = sizeof(item), .kind = "grant", .state = SBX_STATE_KEPT};
    sbx_lock *lock = NULL;
    char path[1024];
    uint32_t process = 0;
    sbx_status st = sbx_lock_take(&sid, WAIT_MS, &lock, &why);

    if (st == SBX_OK)
        st = sbx_hold_find(&sid, NULL, &process, &why);
    if (known)
        item = item_of(known, process);
    else
        item.text = "writable root, not in the ledger";
    snprintf(path, sizeof(path), "%s", known ? known->path : root->path);
    item.root = item.object = path;
    if (st == SBX_OK && process) {
        if (what != SBX_CLEAN_ROOT)
            goto out; /* kept, silently: a living run needs it */
        st = sbx_fail(&why, SBX_E_REFUSED, "a run holds it", path);
        sbx_hint(&why, "wait for the end of process %lu", (unsigned long)process);
    }
    if (st == SBX_OK && what == SBX_CLEAN_STALE && item.state != SBX_STATE_STALE) {
        /* the root is kept, but not what a dead run left in it */
        st = root->handle ? sbx_guard_remove(root, ledger, NULL, &why) : SBX_OK;
        if (st == SBX_OK)
            goto out;
    } else if (st == SBX_OK && root->handle) {
        st = undo(root, ledger, &why);
    } else if (st == SBX_OK) {
        item.text = "the directory is gone, and its access rights with it";
        st = sbx_ledger_add(ledger, &sid, &gone, 1, 0, &why);
    }
    if (visit && visit(context, &item, st == SBX_OK ? NULL : &why))
        *enough = 1;
out:
    sbx_lock_give(lock);
    if (st != SBX_OK && err)
        *err = why;
    return st;
}

/* What the user calls by a path: the directory there, and the one that the ledger knows by this path. */
static sbx_status clean_named(const char *path, sbx_ledger *ledger, sbx_state_visitor visit, void *context,
                              sbx_error *err)
{
    sbx_root here = {0}, there = {0};
    sbx_ledger_root *known, *was;
    int enough = 0;
    sbx_status moved = SBX_OK, st = sbx_root_reopen(path, &here, err);

    known = here.handle ? sbx_ledger_find(ledger, &here.sid) : NULL;
    for (was = known ? NULL : ledger->roots; was && !sbx_path_equal(was->path, path); was = was->next)
        ;
    if (was) {
        moved = sbx_root_find(&was->sid, was->path, &there, err);
        if (moved == SBX_OK)
            moved = clean_one(SBX_CLEAN_ROOT, ledger, was, &there, visit, context, &enough, err);
        sbx_root_close(&there);
    }
    if (here.handle)
        st = clean_one(SBX_CLEAN_ROOT, ledger, known, &here, visit, context, &enough, err);
    else if (was)
        st = SBX_OK;
    else if (st == SBX_OK)
        st = sbx_root_open(path, &here, err); /* says why it is none */
    sbx_root_close(&here);
    return st == SBX_OK ? moved : st;
}

/* One that the ledger knows.  The error is told to the visitor, too. */
static sbx_status clean_known(uint32_t what, sbx_ledger *ledger, sbx_ledger_root *known, sbx_state_visitor visit,
                              void *context, int *enough, sbx_error *err)
{
    sbx_root root = {0};
    sbx_status st = locate(known, &root, err);

    if (st == SBX_OK) {
        st = clean_one(what, ledger, known, &root, visit, context, enough, err);
    } else if (st == SBX_E_UNAVAILABLE && what == SBX_CLEAN_STALE) {
        st = SBX_OK; /* it may come back */
    } else {
        sbx_state_item item = item_of(known, 0);

        if (visit && visit(context, &item, err))
            *enough = 1;
    }
    sbx_root_close(&root);
    return st;
}

sbx_status sbx_grants_clean(uint32_t what, const char *path, sbx_state_visitor visit, void *context, sbx_error *err)
{
    sbx_ledger ledger = {{NULL}, NULL, 0, 0};
    sbx_ledger_root *known, *next;
    sbx_status st, failed = SBX_OK;
    int enough = 0;

    st = sbx_ledger_load(&ledger, err);
    if (st == SBX_OK && what == SBX_CLEAN_ROOT) {
        st = clean_named(path, &ledger, visit, context, err);
    } else if (st == SBX_OK) {
        for (known = ledger.roots; known && !enough; known = next) {
            sbx_error why = {.size = sizeof(why)};

            next = known->next;
            if (clean_known(what, &ledger, known, visit, context, &enough, &why) != SBX_OK && failed == SBX_OK) {
                failed = SBX_E_SYSTEM;
                if (err)
                    *err = why;
            }
        }
        st = failed;
    }
    sbx_ledger_fini(&ledger);
    return st;
}
