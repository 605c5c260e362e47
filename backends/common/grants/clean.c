#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/grants/ancestors.h"
#include "common/grants/grant.h"
#include "common/grants/guard.h"
#include "common/grants/hidden.h"
#include "common/grants/left.h"
#include "common/grants/located.h"
#include "common/grants/outside.h"
#include "common/grants/stamp.h"
#include "common/grants/undo.h"
#include "win/error.h"

#define WAIT_MS 10000u

/* ---- What there is ------------------------------------------------------------------- */

static sbx_state_item item_in(const sbx_located *known, const char *kind, const char *object, const char *text)
{
    sbx_state_item item = {.size = sizeof(item), .process_id = known->process, .kind = kind, .object = object};

    item.root = sbx_located_path(known);
    item.text = text;
    return item;
}

static int has_path(const sbx_ledger_root *entry, const char *path, int is_guard)
{
    const sbx_ledger_path *at;

    for (at = entry->paths; at; at = at->next)
        if ((is_guard ? at->kind == SBX_RECORD_GUARD : at->kind == SBX_RECORD_DENY || at->kind == SBX_RECORD_HOLD) &&
            !strcmp(at->path, path))
            return 1;
    return 0;
}

/* What is in the root of this item.  1: the visitor wants no more. */
static int visit_paths(const sbx_located *known, uint32_t state, sbx_state_visitor visit, void *context)
{
    const int is_kept = state == SBX_STATE_KEPT;
    const sbx_ledger_path *path;
    char full[2048];

    for (path = known->entry->paths; path; path = path->next) {
        sbx_state_item item;

        snprintf(full, sizeof(full), "%s\\%s", sbx_located_path(known), path->path);
        if (path->kind == SBX_RECORD_KEPT || path->kind >= SBX_RECORD_SHARED)
            continue; /* the user's own, and what was only counted */
        if (path->kind == SBX_RECORD_GUARD)
            item = item_in(known, "guard", full,
                           known->process ? "placeholder that keeps a missing name from the command"
                                          : "placeholder that a run left behind");
        else if (path->kind == SBX_RECORD_REPOSITORY)
            continue; /* what of it is protected has records of its own */
        else if (has_path(known->entry, path->path, 1))
            continue; /* protected as well: one line an object */
        else if (path->kind == SBX_RECORD_DENY)
            item = item_in(known, "protected", full,
                           is_kept ? "commands cannot change it; kept with its root" : "commands cannot change it");
        else
            item = item_in(known, "pinned", full,
                           is_kept ? "commands cannot move it, as it holds what is protected; kept with its root"
                                   : "commands cannot move it, as it holds what is protected");
        item.state = path->kind == SBX_RECORD_GUARD && !known->process ? SBX_STATE_STALE : state;
        if (visit && visit(context, &item, NULL))
            return 1;
    }
    return 0;
}

/* What stays closed to commands in the root of this item.  1: the visitor wants no more. */
static int visit_left(const sbx_located *known, sbx_state_visitor visit, void *context)
{
    char text[512], full[2048];
    const char *first;
    sbx_state_item item = item_in(known, "closed", full, text);

    item.count = sbx_left_words(known->entry, text, sizeof(text), &first);
    item.state = known->process ? SBX_STATE_ACTIVE : SBX_STATE_KEPT;
    snprintf(full, sizeof(full), "%s%s%s", sbx_located_path(known), *first ? "\\" : "", first);
    return item.count && visit && visit(context, &item, NULL);
}

sbx_status sbx_grants_list(sbx_state_visitor visit, void *context, sbx_error *err)
{
    sbx_ledger ledger = {0};
    const sbx_ledger_root *entry;
    int enough = 0;
    sbx_status st = sbx_ledger_load(&ledger, err);

    for (entry = ledger.roots; entry && st == SBX_OK && !enough; entry = entry->next) {
        sbx_located known = {0};
        sbx_state_item item;

        st = sbx_ancestors_hold(&ledger, &entry->sid, entry->path, &known.process, err);
        if (st != SBX_OK)
            break;
        sbx_located_find(entry, &known, NULL); /* where it cannot be found is told, too */
        item = sbx_located_item(&known, 0);
        enough = visit && visit(context, &item, NULL);
        /* what is not there, or cannot be asked, has nothing in it that could be told of */
        if (!enough && known.where != SBX_LOCATED_GONE && known.where != SBX_LOCATED_AWAY)
            enough = visit_paths(&known, item.state, visit, context) || visit_left(&known, visit, context);
        sbx_located_close(&known);
    }
    sbx_ledger_fini(&ledger);
    return st;
}

/* ---- Undoing it ---------------------------------------------------------------------- */

typedef struct cleaner {
    uint32_t what; /* SBX_CLEAN_* */
    sbx_ledger *ledger;
    sbx_state_visitor visit;
    void *context;
    int enough; /* the visitor wants no more */
} cleaner;

static void tell(cleaner *c, const sbx_state_item *item, const sbx_error *error)
{
    if (c->visit && !c->enough && c->visit(c->context, item, error))
        c->enough = 1;
}

static sbx_status undo(sbx_root *root, sbx_ledger *ledger, sbx_error *err)
{
    sbx_ledger_entry gone = {SBX_RECORD_GONE, 0, root->path};
    sbx_spread_count count = {0};
    char *first = NULL;
    sbx_status st;

    root->may_mend = 1;
    if (sbx_sid_is_hidden(&root->sid)) {
        st = sbx_hidden_undo(root, ledger, &count.failed, &first, err);
    } else {
        st = sbx_guard_remove(root, ledger, NULL, NULL, NULL, err);
        if (st == SBX_OK)
            st = sbx_undo_root(root, ledger, &count, &first, err);
    }
    if (st == SBX_OK && count.failed) {
        st = sbx_fail(err, SBX_E_SYSTEM, "its access rights may not be changed by this user",
                      first ? first : root->path);
        sbx_hint(err,
                 "%lu object%s still closed or carr%s access rights of sbx; delete what it is, or let its owner or an "
                 "administrator change it (takeown, icacls), and repeat this",
                 (unsigned long)count.failed, count.failed == 1 ? " is" : "s are", count.failed == 1 ? "ies" : "y");
    }
    if (st == SBX_OK)
        st = sbx_ledger_add(ledger, &root->sid, &gone, 1, 0, err);
    sbx_free(first);
    return st;
}

static uint32_t count_guards(const sbx_ledger_root *entry)
{
    const sbx_ledger_path *path;
    uint32_t count = 0;

    for (path = entry->paths; path; path = path->next)
        count += path->kind == SBX_RECORD_GUARD;
    return count;
}

/* The root is kept, but not what a dead run left in it. */
static sbx_status clean_guards(cleaner *c, sbx_located *known, sbx_error *err)
{
    const sbx_ledger_root *entry = known->entry;
    const sbx_ledger_path *path;
    const char **guards;
    char full[2048];
    uint32_t all = count_guards(entry), count = 0, i, failed = 0;
    sbx_error other = {.size = sizeof(other)};
    sbx_status st;

    if (!all)
        return SBX_OK;
    guards = sbx_arena_alloc(&c->ledger->arena, all * sizeof(*guards));
    if (!guards)
        return sbx_fail_memory(err);
    for (path = entry->paths; path; path = path->next)
        if (path->kind == SBX_RECORD_GUARD)
            guards[count++] = path->path;
    known->root.may_mend = 1;
    st = sbx_guard_remove(&known->root, c->ledger, NULL, NULL, NULL, err);
    for (i = 0; i < count; i++) {
        sbx_state_item item = item_in(known, "guard", full, "placeholder that a run left behind");

        snprintf(full, sizeof(full), "%s\\%s", item.root, guards[i]);
        item.state = SBX_STATE_STALE;
        if (has_path(entry, guards[i], 1)) { /* the error is that of the first */
            sbx_fail(&other, SBX_E_SYSTEM, "it could not be removed now", full);
            tell(c, &item, failed++ ? &other : err);
            continue;
        }
        if (has_path(entry, guards[i], 0))
            item.text = "no placeholder any more: somebody has put something there, which stays";
        tell(c, &item, NULL);
    }
    return st;
}

/* Deal with one root under its lock, and tell. */
static sbx_status clean_one(cleaner *c, sbx_located *known, sbx_error *err)
{
    sbx_error why = {.size = sizeof(why)};
    sbx_ledger_entry gone = {SBX_RECORD_GONE, 0, sbx_located_path(known)};
    const sbx_sid *sid = sbx_located_sid(known);
    sbx_state_item item;
    sbx_lock *lock = NULL;
    sbx_status st = sbx_lock_take(sid, WAIT_MS, &lock, &why);

    if (st == SBX_OK)
        st = sbx_ancestors_hold(c->ledger, sid, sbx_located_path(known), &known->process, &why);
    item = sbx_located_item(known, 1);
    if (st == SBX_OK && known->process) {
        if (c->what == SBX_CLEAN_STALE)
            goto out; /* was not asked for */
        if (c->what == SBX_CLEAN_ROOT) {
            st = sbx_fail(&why, SBX_E_REFUSED, "a command that runs needs it", item.object);
            sbx_hint(&why, "wait for the end of process %lu", (unsigned long)known->process);
        }
    } else if (st == SBX_OK && c->what == SBX_CLEAN_STALE && item.state != SBX_STATE_STALE) {
        if (known->root.handle)
            st = clean_guards(c, known, &why);
        goto out;
    } else if (st == SBX_OK && known->root.handle) {
        st = undo(&known->root, c->ledger, &why);
    } else if (st == SBX_OK) {
        st = sbx_ledger_add(c->ledger, sid, &gone, 1, 0, &why);
    }
    tell(c, &item, st == SBX_OK ? NULL : &why);
out:
    sbx_lock_give(lock);
    if (st != SBX_OK && err)
        *err = why;
    return st;
}

/* A directory that the ledger does not know.  Where nothing of sbx is on it there is nothing to undo; whether this user
 * could change that does not matter then. */
static sbx_status clean_unknown(cleaner *c, const char *path, sbx_located *known, sbx_error *err)
{
    sbx_error why = {.size = sizeof(why)};
    sbx_root seen = {0};
    int is_marked = 0;
    sbx_status opened = known->root.handle ? SBX_OK : sbx_root_reopen(path, &known->root, &why), st;

    if (known->root.handle) {
        st = sbx_stamp_any(&known->root, &is_marked, err);
        return st == SBX_OK && is_marked ? clean_one(c, known, err) : st;
    }
    st = sbx_root_look(path, &seen, err);
    if (st == SBX_OK)
        st = sbx_stamp_any(&seen, &is_marked, err);
    else if (err && !err->hint[0])
        sbx_hint(err, "`sbx status` lists the folders that there is something to undo in");
    if (st == SBX_OK && is_marked && opened != SBX_OK) {
        if (err)
            *err = why;
        st = sbx_hint(err, "its owner, or somebody with full control of it, can undo this");
    }
    sbx_root_close(&seen);
    return st;
}

/* A directory that was opened as part of a repository (outside.h) or to readers, whether or not it is a root of the user as well. */
static sbx_status clean_part(cleaner *c, const char *path, uint32_t tag, sbx_error *err)
{
    sbx_located part = {0};
    int is_marked = 0;
    sbx_status st = SBX_OK;

    if ((tag == SBX_SID_TAG_HIDE ? sbx_root_reopen_any : sbx_root_reopen)(path, &part.root, NULL) == SBX_OK &&
        part.root.handle) {
        sbx_sid_set_tag(&part.root.sid, tag);
        part.entry = sbx_ledger_find(c->ledger, &part.root.sid);
        if (!part.entry)
            st = sbx_stamp_any(&part.root, &is_marked, err);
        if (st == SBX_OK && (part.entry || is_marked))
            st = clean_one(c, &part, err);
    }
    sbx_located_close(&part);
    return st;
}

/* Whether what cannot be opened is to be left as it is: a run needs it, or it is not stale and that was asked for. */
static int is_left(const cleaner *c, const sbx_located *known, const sbx_state_item *item)
{
    if (known->process)
        return 1;
    /* a volume that is away may come back with all that is on it */
    return c->what == SBX_CLEAN_STALE && item->state != SBX_STATE_STALE &&
           (known->where == SBX_LOCATED_AWAY || !count_guards(known->entry));
}

/* One that the ledger knows.  The error is told to the visitor, too. */
static sbx_status clean_known(cleaner *c, const sbx_ledger_root *entry, sbx_error *err)
{
    sbx_located known = {0};
    sbx_state_item item;
    sbx_status st = sbx_located_find(entry, &known, err);

    if (st == SBX_OK) {
        st = clean_one(c, &known, err);
    } else {
        sbx_ancestors_hold(c->ledger, &entry->sid, entry->path, &known.process, NULL);
        item = sbx_located_item(&known, 0);
        if (is_left(c, &known, &item))
            st = SBX_OK;
        if (st != SBX_OK || c->what == SBX_CLEAN_ALL)
            tell(c, &item, st == SBX_OK ? NULL : err);
    }
    sbx_located_close(&known);
    return st;
}

/* A root of the user, and what was opened of its repository for it alone. */
static sbx_status clean_with_parts(cleaner *c, sbx_located *known, sbx_error *err)
{
    const sbx_ledger_root *parts[SBX_OUTSIDE_PARTS];
    uint32_t count = sbx_outside_parts(c->ledger, known->entry, parts), i, process;
    sbx_status st = clean_one(c, known, err);

    for (i = 0; i < count && st == SBX_OK; i++) {
        st = sbx_hold_find(&parts[i]->sid, NULL, &process, err);
        if (st == SBX_OK && !process)
            st = clean_known(c, parts[i], err);
    }
    return st;
}

/* A file has nothing of sbx but this. */
static int is_hidden_file(const char *path)
{
    sbx_root any = {0};
    sbx_nt_info info;
    int is_marked = 0;

    if (sbx_root_reopen_any(path, &any, NULL) == SBX_OK && any.handle && SBX_NT_OK(sbx_nt_query(any.handle, &info)) &&
        !(info.attributes & FILE_ATTRIBUTE_DIRECTORY)) {
        sbx_sid_set_tag(&any.sid, SBX_SID_TAG_HIDE);
        sbx_stamp_any(&any, &is_marked, NULL);
    }
    sbx_root_close(&any);
    return is_marked;
}

/* What the user calls by a path: the directory there, and the one that the ledger knows by this path. */
static sbx_status clean_named(cleaner *c, const char *path, sbx_error *err)
{
    sbx_located here = {0}, there = {0};
    static const uint32_t tags[] = {SBX_SID_TAG_GIT, SBX_SID_TAG_REPOSITORY, SBX_SID_TAG_READ, SBX_SID_TAG_ABOVE,
                                    SBX_SID_TAG_HIDE};
    sbx_ledger_root *was = NULL;
    size_t i;
    sbx_status moved = SBX_OK, st;

    sbx_root_reopen(path, &here.root, NULL);
    here.entry = here.root.handle ? sbx_ledger_find(c->ledger, &here.root.sid) : NULL;
    if (!here.entry)
        for (was = c->ledger->roots; was && !sbx_path_equal(was->path, path); was = was->next)
            ;
    if (was) {
        moved = sbx_located_find(was, &there, err);
        if (moved == SBX_OK)
            moved = clean_with_parts(c, &there, err);
        sbx_located_close(&there);
    }
    if (here.entry) {
        if (!sbx_path_equal(here.entry->path, here.root.path))
            here.where = SBX_LOCATED_MOVED;
        st = clean_with_parts(c, &here, err);
    } else {
        st = here.root.handle || (!was && !is_hidden_file(path)) ? clean_unknown(c, path, &here, err) : SBX_OK;
    }
    sbx_located_close(&here);
    for (i = 0; i < sizeof(tags) / sizeof(tags[0]) && st == SBX_OK; i++)
        st = clean_part(c, path, tags[i], err);
    return st == SBX_OK ? moved : st;
}

/* Each entry of the ledger, or (above) what was opened above roots that are gone.  The error is that of the first. */
static sbx_status clean_each(cleaner *c, int above, sbx_error *err)
{
    sbx_ledger_root *entry, *next;
    sbx_status failed = SBX_OK;

    for (entry = c->ledger->roots; entry && !c->enough; entry = next) {
        sbx_error why = {.size = sizeof(why)};

        next = entry->next;
        if (above ? !sbx_ancestors_are_done(c->ledger, entry) : sbx_sid_is_above(&entry->sid))
            continue;
        if (clean_known(c, entry, &why) != SBX_OK && failed == SBX_OK) {
            failed = SBX_E_SYSTEM;
            if (err)
                *err = why;
        }
    }
    return failed;
}

sbx_status sbx_grants_clean(uint32_t what, const char *path, sbx_state_visitor visit, void *context, sbx_error *err)
{
    sbx_ledger ledger = {0};
    cleaner c = {.what = what, .ledger = &ledger, .visit = visit, .context = context};
    sbx_status st = sbx_ledger_load(&ledger, err), above;

    if (st == SBX_OK) {
        if (what != SBX_CLEAN_HOMES)
            st = what == SBX_CLEAN_ROOT ? clean_named(&c, path, err) : clean_each(&c, 0, err);
        c.what = SBX_CLEAN_ALL;
        above = clean_each(&c, 1, st == SBX_OK ? err : NULL);
        st = st == SBX_OK ? above : st;
    }
    sbx_ledger_fini(&ledger);
    return st;
}
