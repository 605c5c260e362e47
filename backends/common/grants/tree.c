#include "common/grants/tree.h"

#include <string.h>

#include "base/path.h"
#include "common/grants/kind.h"
#include "common/grants/left.h"
#include "common/grants/nested.h"
#include "common/grants/protect.h"
#include "common/grants/stamp.h"
#include "common/host.h"

static sbx_rule *add_rule(sbx_tree *t, sbx_rule ***last, const char *path, size_t length, uint32_t kind)
{
    sbx_rule *rule = sbx_arena_alloc(t->arena, sizeof(*rule));

    if (!rule)
        return NULL;
    memset(rule, 0, sizeof(*rule));
    rule->path = sbx_arena_strndup(t->arena, path, length);
    rule->kind = kind;
    rule->guard = SBX_GUARD_DIRECTORY; /* it is not known to be missing; none is made */
    **last = rule;
    *last = &rule->next;
    return rule->path ? rule : NULL;
}

/* A repository, and the directories on the way to it. */
static int add_repository(sbx_tree *t, sbx_rule ***last, const char *path)
{
    const char *at;

    for (at = strchr(path, '\\'); at; at = strchr(at + 1, '\\'))
        if (!add_rule(t, last, path, (size_t)(at - path), SBX_RECORD_HOLD))
            return 0;
    return add_rule(t, last, path, strlen(path), SBX_RECORD_DENY) != NULL;
}

static uint32_t meet(void *context, const sbx_walk_item *item)
{
    if (!item->is_link)
        sbx_nested_meet(context, item);
    return SBX_WALK_ON;
}

/* What of git lies deeper in the tree is known from here on. */
static sbx_status record_nested(sbx_tree *t, const sbx_nested *nested, uint32_t *added, sbx_error *err)
{
    sbx_status st = sbx_nested_record(nested, t->ledger, added, err);

    t->nested += *added;
    sbx_protect_note_count(t->root->path, nested->more, "repositories in it are more than sbx protects");
    return st;
}

/* A command works in the root while it is opened: all that is protected in it has its denies first, repositories that came
 * since the whole of theirs.  The next run with other rules takes back what it does not want. */
static sbx_status protect_first(sbx_tree *t, const sbx_nested *nested, sbx_error *err)
{
    const sbx_ledger_root *known = sbx_ledger_find(t->ledger, &t->root->sid);
    sbx_protection p = {.root = t->root, .ledger = t->ledger, .arena = t->arena, .no_guards = 1};
    sbx_rule **last = &p.rules;
    const sbx_ledger_path *path;
    uint32_t added, i;
    sbx_status st = SBX_OK;

    for (path = known->paths; path && st == SBX_OK; path = path->next)
        if ((path->kind == SBX_RECORD_DENY || path->kind == SBX_RECORD_HOLD || path->kind == SBX_RECORD_SHUT) &&
            !add_rule(t, &last, path->path, strlen(path->path), path->kind))
            st = sbx_fail_memory(err);
    for (i = 0; i < nested->count && st == SBX_OK; i++) {
        for (path = known->paths; path; path = path->next)
            if (path->kind == SBX_RECORD_REPOSITORY && sbx_path_equal(path->path, nested->paths[i]))
                break;
        if (!path && !add_repository(t, &last, nested->paths[i]))
            st = sbx_fail_memory(err);
    }
    if (st == SBX_OK)
        st = record_nested(t, nested, &added, err);
    return st == SBX_OK ? sbx_protect(&p, err) : st;
}

/* The repositories in the tree, before anything is opened. */
static sbx_status look_first(sbx_tree *t, sbx_error *err)
{
    sbx_nested nested;
    sbx_status st;

    sbx_nested_init(&nested, t->root);
    st = sbx_walk_below(t->root->handle, t->root->path, "looking at", 0, SBX_WALK_LINKS, meet, &nested, NULL, err);
    if (st == SBX_OK)
        st = protect_first(t, &nested, err);
    sbx_nested_fini(&nested);
    return st;
}

static sbx_status open_all(sbx_tree *t, int is_used, sbx_error *err)
{
    const int is_tree = sbx_kind_is_tree(t->root->kind); /* of others only the root gets something */
    sbx_ledger_entry entries[SBX_LEFT_REASONS + 1];
    sbx_spread_count count = {0};
    sbx_nested nested;
    sbx_left left;
    uint32_t added = 0;
    sbx_status st;

    sbx_nested_init(&nested, t->root);
    sbx_left_init(&left, t->root);
    count.nested = sbx_sid_is_git(&t->root->sid) || sbx_sid_is_read(&t->root->sid) ? NULL : &nested;
    count.left = &left;
    st =
        sbx_stamp_set(t->root, t->ledger, t->root->handle, t->root->path, t->root->path, t->root->kind, 1, &count, err);
    t->objects = count.objects;
    t->opened = count.opened;
    if (st == SBX_OK)
        st = is_used ? protect_first(t, &nested, err) : record_nested(t, &nested, &added, err);
    sbx_protect_note_count(t->root->path, count.others, SBX_PROTECT_OTHERS);
    sbx_left_entries(&left, entries);
    entries[SBX_LEFT_REASONS] = (sbx_ledger_entry){SBX_RECORD_DONE, count.objects, t->root->path};
    if (st == SBX_OK)
        st = is_tree ? sbx_ledger_add(t->ledger, &t->root->sid, entries, SBX_LEFT_REASONS + 1, 0, err)
                     : sbx_ledger_add(t->ledger, &t->root->sid, entries + SBX_LEFT_REASONS, 1, 0, err);
    sbx_left_fini(&left);
    sbx_nested_fini(&nested);
    return st;
}

sbx_status sbx_tree_grant(sbx_tree *t, sbx_error *err)
{
    const sbx_root *root = t->root;
    sbx_ledger_root *known = sbx_ledger_find(t->ledger, &root->sid);
    sbx_ledger_entry done = {SBX_RECORD_DONE, known ? known->count : 0, root->path};
    uint32_t found = SBX_STAMP_BARE, process = 0;
    /* a command may have made the directory, the mark of a complete tree on it: only with the record it counts */
    const int is_known = known && known->path[0]; /* granted, or begun */
    const int is_done =
        is_known && known->done && !t->again && (!sbx_kind_is_tree(root->kind) || sbx_left_is_known(known));
    sbx_status st = sbx_stamp_check(root, root->handle, root->path, root->kind, 1, &found, err);

    if (st != SBX_OK)
        return st;
    if (sbx_sid_is_read(&root->sid) && (found == SBX_STAMP_BARE || !is_done))
        sbx_host_note(SBX_NOTE_GRANT, root->path, "the accounts that commands run as may read it");
    else if (!sbx_sid_is_git(&root->sid) && (found == SBX_STAMP_BARE || !is_done))
        sbx_host_note(SBX_NOTE_GRANT, root->path,
                      found == SBX_STAMP_BARE || !is_known
                          ? "writable root: the tree gets access rights for its sandbox SID"
                          : "writable root: what is missing in the tree gets access rights for its sandbox SID");
    if (t->dry || (is_done && found == SBX_STAMP_COMPLETE && sbx_path_equal(known->path, root->path)))
        goto out;
    if (is_done && found != SBX_STAMP_BARE) {
        st = sbx_stamp_shut(root, t->ledger, root->handle, root->path, root->kind, err);
        if (st == SBX_OK)
            st = sbx_ledger_add(t->ledger, &root->sid, &done, 1, 0, err);
    } else {
        if (is_known && !sbx_sid_is_git(&root->sid) && !sbx_sid_is_read(&root->sid))
            st = sbx_hold_find(&root->sid, t->hold, &process, err);
        if (st == SBX_OK && process)
            st = look_first(t, err);
        if (st == SBX_OK)
            st = open_all(t, process != 0, err);
    }
out:
    if (st == SBX_OK)
        sbx_left_tell(root, sbx_ledger_find(t->ledger, &root->sid));
    return st;
}
