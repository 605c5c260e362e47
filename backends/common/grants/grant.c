#include "common/grants/grant.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"
#include "common/grants/guard.h"
#include "common/host.h"
#include "common/grants/later.h"
#include "common/grants/ledger.h"
#include "common/grants/nested.h"
#include "common/grants/recheck.h"
#include "common/grants/open_places.h"
#include "common/grants/rules.h"
#include "common/grants/stamp.h"
#include "common/grants/undo.h"
#include "win/error.h"
#include "win/handle.h"

#define ROOTS_MAX 64u   /* far below what a token takes */
#define WAIT_MS 120000u /* for another launch that makes its first grant on the same root */
#define WAIT_AT_END_MS 2000u
#define OTHERS "objects whose other access rights the file system keeps in another form than they had"

struct sbx_grants {
    uint32_t count;
    int dry, opened; /* opened: a command has run, or could have */
    sbx_root roots[ROOTS_MAX];
    const void *sids[ROOTS_MAX];
    sbx_arena arena;
    sbx_ledger ledger;
    sbx_hold *hold;
    sbx_rule *rules[ROOTS_MAX];
    const sbx_rule **absent[ROOTS_MAX]; /* those whose object was not there, */
    uint32_t absent_count[ROOTS_MAX];
    sbx_text later[ROOTS_MAX]; /* what there was of it, see later.h */
    int with_git, keep_children;
    uint32_t nested; /* repositories that were found in this launch */
};

static void note(uint32_t kind, const char *object, const char *text)
{
    if (sbx_host_table && sbx_host_table->note)
        sbx_host_table->note(kind, object, text);
}

static void note_count(const char *root, uint64_t count, const char *text)
{
    char line[256];

    if (!count)
        return;
    snprintf(line, sizeof(line), "%lu %s", (unsigned long)count, text);
    note(SBX_NOTE_GAP, root, line);
}

static char *full_path(sbx_grants *g, const sbx_root *root, const char *relative)
{
    return sbx_arena_printf(&g->arena, "%s\\%s", root->path, relative);
}

/* ---- One rule --------------------------------------------------------------------- */

static int is_directory_of(const sbx_nt_info *info)
{
    return (info->attributes & FILE_ATTRIBUTE_DIRECTORY) && !(info->attributes & FILE_ATTRIBUTE_REPARSE_POINT);
}

static sbx_status open_rule(const sbx_root *root, const char *path, int dry, void **handle, int *is_directory,
                            sbx_error *err)
{
    const ACCESS_MASK without = dry ? WRITE_DAC : 0;
    void *listed = NULL;
    sbx_nt_info info = {0};
    sbx_status st = sbx_root_below(root, path, (READ_CONTROL | WRITE_DAC) & ~without, handle, &info, err);

    if (st != SBX_OK || !*handle)
        return st;
    *is_directory = is_directory_of(&info);
    if (*is_directory) {
        st = sbx_root_below(root, path, SBX_ROOT_ACCESS & ~without, &listed, &info, err);
        if (dry && st == SBX_E_SYSTEM)
            return SBX_OK; /* one that sbx left closed to everybody, which a run mends */
        sbx_handle_close(handle);
        *handle = listed;
        /* another object now, or the rights to list it are missing */
        if (st == SBX_OK && *handle && (info.attributes & FILE_ATTRIBUTE_REPARSE_POINT))
            st = sbx_fail(err, SBX_E_REFUSED, "it changed while it was opened", path);
    }
    if (st == SBX_OK && *handle && (info.attributes & FILE_ATTRIBUTE_REPARSE_POINT))
        note(SBX_NOTE_GAP, path, "is a link: what it points to is protected only where that is in a writable root");
    return st;
}

/* Another object may have got the name while this one was opened and stamped.  From here on no command can do that. */
static sbx_status look_again(const sbx_root *root, const sbx_rule *rule, const char *full, sbx_error *err)
{
    void *handle = NULL;
    sbx_nt_info info = {0};
    uint32_t found = SBX_STAMP_BARE;
    sbx_status st = sbx_root_below(root, rule->path, READ_CONTROL, &handle, &info, err);

    if (st == SBX_OK && handle)
        st = sbx_stamp_check(root, handle, full, rule->kind, is_directory_of(&info), &found, err);
    sbx_handle_close(&handle);
    if (st == SBX_OK && found != SBX_STAMP_COMPLETE)
        st = sbx_fail(err, SBX_E_REFUSED, "it changed while it was protected", full);
    return st;
}

/* Whether the ledger says that sbx itself protected the tree: the ACEs alone could come from a command. */
static int is_recorded(const sbx_grants *g, const sbx_root *root, const sbx_rule *rule)
{
    const sbx_ledger_root *known = sbx_ledger_find(&g->ledger, &root->sid);
    const sbx_ledger_path *path;

    for (path = known ? known->paths : NULL; path; path = path->next)
        if (path->kind == rule->kind && sbx_path_equal(path->path, rule->path))
            return 1;
    return 0;
}

/* What was moved into a protected directory since brought the rights of its old place along. */
static sbx_status look_inside(sbx_grants *g, const sbx_root *root, const sbx_rule *rule, void *handle, const char *full,
                              sbx_error *err)
{
    uint32_t found = SBX_RECHECK_CLOSED;
    sbx_spread_count count = {0};
    sbx_status st = sbx_recheck_inside(root, handle, rule->git, &found, err);

    if (st == SBX_OK && found == SBX_RECHECK_OPEN) {
        note(SBX_NOTE_GRANT, full, "protected again: something in it was open to the command");
        if (!g->dry)
            st = sbx_spread(root, &g->ledger, handle, full, rule->path, SBX_RECORD_DENY, &count, err);
    }
    if (found == SBX_RECHECK_MUCH)
        note(SBX_NOTE_WARN, full,
             "is too large to look at all of it: what was moved into it may be open to the command");
    return st;
}

/* *absent: it is not there, and wants a guard. */
static sbx_status apply_rule(sbx_grants *g, sbx_root *root, const sbx_rule *rule, int *absent, sbx_error *err)
{
    sbx_spread_count count = {0};
    void *handle = NULL;
    uint32_t found = SBX_STAMP_BARE;
    int is_directory = 0;
    const char *full = full_path(g, root, rule->path);
    sbx_status st = full ? SBX_OK : sbx_fail_memory(err);

    if (st == SBX_OK && !rule->missing)
        st = open_rule(root, rule->path, g->dry, &handle, &is_directory, err);
    if (st != SBX_OK)
        goto out;
    if (!handle) {
        if (rule->kind == SBX_RECORD_DENY)
            note(SBX_NOTE_GRANT, full,
                 "protected: does not exist; an empty placeholder has the name while the command runs");
        *absent = 1;
        goto out;
    }
    st = sbx_stamp_check(root, handle, full, rule->kind, is_directory, &found, err);
    if (st == SBX_OK && found == SBX_STAMP_COMPLETE && is_recorded(g, root, rule)) {
        if (is_directory && rule->kind == SBX_RECORD_DENY)
            st = look_inside(g, root, rule, handle, full, err);
        goto out;
    }
    if (st != SBX_OK)
        goto out;
    note(SBX_NOTE_GRANT, full, rule->kind == SBX_RECORD_DENY ? "protected" : "kept in place");
    if (g->dry)
        goto out;
    st = sbx_stamp_set(root, &g->ledger, handle, full, rule->path, rule->kind, is_directory, &count, err);
    note_count(full, count.others, OTHERS);
    if (st == SBX_OK)
        st = look_again(root, rule, full, err);
out:
    sbx_handle_close(&handle);
    return st;
}

/* Denies of an earlier policy that this one does not want. */
static sbx_status free_unwanted(sbx_grants *g, sbx_root *root, const sbx_rule *rules, sbx_error *err)
{
    sbx_ledger_root *known = sbx_ledger_find(&g->ledger, &root->sid);
    sbx_ledger_path *path, *next;
    sbx_status st = SBX_OK;

    for (path = known ? known->paths : NULL; path && st == SBX_OK; path = next) {
        sbx_ledger_entry entry = {SBX_RECORD_FREE, 0, path->path};
        void *handle = NULL;
        int is_directory = 0;
        uint32_t process = 0;

        next = path->next;
        if ((path->kind != SBX_RECORD_DENY && path->kind != SBX_RECORD_HOLD && path->kind != SBX_RECORD_SHUT) ||
            sbx_rules_find(rules, path->kind, path->path) || sbx_rules_find(rules, SBX_RECORD_DENY, path->path))
            continue;
        st = sbx_hold_find(&root->sid, g->hold, &process, err);
        if (st == SBX_OK && process) {
            st = sbx_fail(err, SBX_E_REFUSED, "another run protects it", full_path(g, root, path->path));
            sbx_hint(err, "process %lu works in the same root with stricter protection; wait for its end",
                     (unsigned long)process);
        }
        if (st == SBX_OK)
            note(SBX_NOTE_GRANT, full_path(g, root, path->path), "no longer protected");
        if (st != SBX_OK || g->dry)
            continue;
        st = open_rule(root, path->path, 0, &handle, &is_directory, err);
        if (st == SBX_E_REFUSED) { /* a link is on the way, or in its place: what was protected is not there */
            sbx_handle_close(&handle);
            st = SBX_OK;
        }
        if (st == SBX_OK && handle)
            st = sbx_undo_protection(root, &g->ledger, handle, root->path, is_directory, err);
        sbx_handle_close(&handle);
        if (st == SBX_OK)
            st = sbx_ledger_add(&g->ledger, &root->sid, &entry, 1, 0, err);
        /* what lies deeper may have lost an inherited deny that it still wants: its rule is looked at next */
    }
    return st;
}

/* A protected path that no root's spelling reaches would be left out without a word. */
static sbx_status all_reached(sbx_grants *g, const sbx_policy *policy, sbx_error *err)
{
    uint32_t i, k;

    for (i = 0; i < policy->protected_count; i++) {
        for (k = 0; k < g->count; k++)
            if (sbx_path_is_below(policy->protected_paths[i], g->roots[k].spelled) ||
                sbx_path_is_below(policy->protected_paths[i], g->roots[k].path))
                break;
        if (k == g->count && g->count) {
            sbx_fail(err, SBX_E_REFUSED, "protect a path in no writable root", policy->protected_paths[i]);
            sbx_hint(err, "name it as it is named below its root");
            return SBX_E_REFUSED;
        }
    }
    return SBX_OK;
}

static int was_absent(const sbx_grants *g, uint32_t which, const sbx_rule *rule)
{
    uint32_t i;

    for (i = 0; i < g->absent_count[which] && g->absent[which][i] != rule; i++)
        ;
    return i < g->absent_count[which];
}

/* What a program of the user has put in the place of a protected object has the rights of where it was made: the command could
 * write to it. */
static void protect_again(sbx_grants *g, uint32_t which, const sbx_rule *rule)
{
    sbx_root *root = &g->roots[which];
    const char *full = full_path(g, root, rule->path);
    sbx_spread_count count = {0};
    uint32_t found = SBX_STAMP_BARE;
    int is_directory = 0;
    void *handle = NULL;

    if (!full || rule->kind != SBX_RECORD_DENY ||
        open_rule(root, rule->path, 0, &handle, &is_directory, NULL) != SBX_OK || !handle)
        return;
    if (sbx_stamp_check(root, handle, full, rule->kind, is_directory, &found, NULL) != SBX_OK)
        note(SBX_NOTE_WARN, full, "cannot be looked at after the run: whether it is protected is not known");
    else if (found != SBX_STAMP_COMPLETE && was_absent(g, which, rule))
        note(SBX_NOTE_WARN, full,
             "came into being while the command ran, which could write to it: look at it before you use it");
    else if (found != SBX_STAMP_COMPLETE)
        note(SBX_NOTE_WARN, full,
             sbx_stamp_set(root, &g->ledger, handle, full, rule->path, rule->kind, is_directory, &count, NULL) == SBX_OK
                 ? "was replaced while the command ran, which could write to the new one: protected again; look at it "
                   "before you use it"
                 : "was replaced while the command ran, and cannot be protected");
    sbx_handle_close(&handle);
}

/* ---- One root --------------------------------------------------------------------- */

/* What of git lies deeper in the tree is known from here on. */
static sbx_status record_nested(sbx_grants *g, const sbx_root *root, const sbx_nested *nested, sbx_error *err)
{
    uint32_t added;
    sbx_status st = sbx_nested_record(nested, &g->ledger, &added, err);

    g->nested += added;
    note_count(root->path, nested->more, "repositories in it are more than sbx protects");
    return st;
}

static sbx_status grant_tree(sbx_grants *g, sbx_root *root, sbx_error *err)
{
    sbx_ledger_root *known = sbx_ledger_find(&g->ledger, &root->sid);
    sbx_ledger_entry entry = {SBX_RECORD_DONE, 0, root->path};
    sbx_spread_count count = {0};
    uint32_t found = SBX_STAMP_BARE;
    /* a command may have made the directory, the mark of a complete tree on it: only with the record it counts */
    const int is_known = known && known->done;
    sbx_status st = sbx_stamp_check(root, root->handle, root->path, SBX_RECORD_GRANT, 1, &found, err);

    if (st != SBX_OK || (found == SBX_STAMP_COMPLETE && is_known && sbx_path_equal(known->path, root->path)))
        return st;
    if (found == SBX_STAMP_BARE || !is_known)
        note(SBX_NOTE_GRANT, root->path, "writable root: the tree gets access rights for its sandbox SID");
    if (g->dry)
        return SBX_OK;
    if (found != SBX_STAMP_BARE && is_known) {
        count.objects = known->count;
        st = sbx_stamp_shut(root, &g->ledger, root->handle, root->path, SBX_RECORD_GRANT, err);
    } else {
        sbx_nested nested;

        sbx_nested_init(&nested, root);
        count.nested = &nested;
        st = sbx_stamp_set(root, &g->ledger, root->handle, root->path, root->path, SBX_RECORD_GRANT, 1, &count, err);
        if (st == SBX_OK)
            st = record_nested(g, root, &nested, err);
        sbx_nested_fini(&nested);
        note_count(root->path, count.shared, "files with several names (hard links) were left as they are");
        note_count(root->path, count.closed, "objects with a protected access control list were left as they are");
        note_count(root->path, count.failed,
                   "objects whose access rights this user may not change were left as they are");
        note_count(root->path, count.others, OTHERS);
    }
    entry.count = count.objects;
    return st == SBX_OK ? sbx_ledger_add(&g->ledger, &root->sid, &entry, 1, 0, err) : st;
}

static sbx_status make_rules(sbx_grants *g, const sbx_policy *policy, uint32_t which, sbx_error *err)
{
    return sbx_rules_make(policy, g->roots, g->count, which, &g->ledger, &g->arena, &g->rules[which], err);
}

static sbx_status grant_one(sbx_grants *g, const sbx_policy *policy, uint32_t which, sbx_error *err)
{
    sbx_root *root = &g->roots[which];
    uint32_t process = 0;
    sbx_status st = SBX_OK;

    if (!g->dry && sbx_guard_known(root, &g->ledger)) {
        /* what a run that ended badly left; what cannot be removed now goes on to protect its name */
        st = sbx_hold_find(&root->sid, g->hold, &process, err);
        if (st == SBX_OK && !process)
            sbx_guard_remove(root, &g->ledger, NULL, NULL);
    }
    if (st == SBX_OK)
        st = make_rules(g, policy, which, err);
    if (st == SBX_OK)
        st = free_unwanted(g, root, g->rules[which], err);
    return st == SBX_OK ? grant_tree(g, root, err) : st;
}

static sbx_status protect_in(sbx_grants *g, uint32_t which, sbx_error *err)
{
    sbx_root *root = &g->roots[which];
    const sbx_rule *rule, **absent = NULL;
    uint32_t all = 0, count = 0;
    sbx_status st = SBX_OK;

    for (rule = g->rules[which]; rule; rule = rule->next)
        all++;
    if (all && !(absent = sbx_arena_alloc(&g->arena, all * sizeof(*absent))))
        st = sbx_fail_memory(err);
    for (rule = g->rules[which]; rule && st == SBX_OK; rule = rule->next) {
        int is_absent = 0;

        st = apply_rule(g, root, rule, &is_absent, err);
        if (is_absent)
            absent[count++] = rule;
    }
    if (st == SBX_OK && count && !g->dry)
        st = sbx_guard_make(root, absent, count, &g->ledger, err);
    g->absent[which] = absent;
    g->absent_count[which] = count;
    return st;
}

/* Open and judge one.  A complete grant was judged before it was made, which saves a warm launch most of it. */
static sbx_status judge_one(const char *path, sbx_root *root, sbx_error *err)
{
    uint32_t found = SBX_STAMP_BARE;
    sbx_status st = sbx_root_reopen(path, root, NULL);

    if (st == SBX_OK && root->handle &&
        sbx_stamp_check(root, root->handle, root->path, SBX_RECORD_GRANT, 1, &found, NULL) == SBX_OK &&
        found != SBX_STAMP_BARE)
        return sbx_root_judge_again(root, err);
    sbx_root_close(root);
    st = sbx_root_open(path, root, err);
    if (st == SBX_OK) /* refuses one without a DACL */
        st = sbx_stamp_check(root, root->handle, root->path, SBX_RECORD_GRANT, 1, &found, err);
    return st;
}

/* Judge all before anything is changed; the same directory twice counts once. */
static sbx_status judge(sbx_grants *g, const sbx_policy *policy, sbx_error *err)
{
    uint32_t i, k;

    if (policy->writable_count > ROOTS_MAX)
        return sbx_fail(err, SBX_E_REFUSED, "too many writable roots", policy->writable[ROOTS_MAX]);
    for (i = 0; i < policy->writable_count; i++) {
        sbx_root *root = &g->roots[g->count];
        sbx_status st = judge_one(policy->writable[i], root, err);

        if (st != SBX_OK)
            return st;
        for (k = 0; k < g->count && memcmp(&g->roots[k].sid, &root->sid, sizeof(root->sid)); k++)
            ;
        if (k < g->count) {
            sbx_root_close(root);
            continue;
        }
        g->sids[g->count++] = root->sid.bytes;
    }
    return SBX_OK;
}

/* Locks in one order for all processes. */
static sbx_status lock_all(sbx_grants *g, sbx_lock **locks, uint32_t wait_ms, sbx_error *err)
{
    uint32_t order[ROOTS_MAX], i, k;
    sbx_status st = SBX_OK;

    for (i = 0; i < g->count; i++) {
        for (k = i; k && memcmp(&g->roots[order[k - 1]].sid, &g->roots[i].sid, sizeof(sbx_sid)) > 0; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
    for (i = 0; i < g->count && st == SBX_OK; i++)
        st = sbx_lock_take(&g->roots[order[i]].sid, wait_ms, &locks[i], err);
    return st;
}

static void unlock_all(sbx_grants *g, sbx_lock **locks)
{
    uint32_t i;

    for (i = 0; i < g->count; i++) {
        sbx_lock_give(locks[i]);
        locks[i] = NULL;
    }
}

sbx_status sbx_grants_open(const sbx_policy *policy, uint32_t flags, sbx_grants **grants, sbx_error *err)
{
    sbx_lock *locks[ROOTS_MAX] = {NULL};
    sbx_grants *g = sbx_alloc_zero(1, sizeof(*g));
    uint32_t i;
    sbx_status st;

    if (!g)
        return sbx_fail_memory(err);
    g->dry = !!(flags & SBX_OPEN_DRY_RUN);
    st = judge(g, policy, err);
    if (st == SBX_OK)
        st = all_reached(g, policy, err);
    if (st == SBX_OK && g->count) {
        sbx_sid sids[ROOTS_MAX];

        for (i = 0; i < g->count; i++)
            sids[i] = g->roots[i].sid;
        for (i = 0; i < g->count && st == SBX_OK && !g->dry; i++) {
            g->roots[i].may_mend = 1;
            st = sbx_root_hold(&g->roots[i], err);
        }
        if (st == SBX_OK && !g->dry)
            st = lock_all(g, locks, WAIT_MS, err);
        if (st == SBX_OK && !g->dry)
            st = sbx_hold_take(policy->run_id, sids, g->count, &g->hold, err);
        if (st == SBX_OK)
            st = sbx_ledger_load(&g->ledger, err);
        for (i = 0; i < g->count && st == SBX_OK; i++)
            st = grant_one(g, policy, i, err);
        for (i = 0; i < g->count && st == SBX_OK && g->nested; i++)
            st = make_rules(g, policy, i, err);
        for (i = 0; i < g->count && st == SBX_OK; i++)
            st = protect_in(g, i, err);
    }
    unlock_all(g, locks);
    if (st == SBX_OK) {
        sbx_open_places_report(g->roots, g->count, flags);
        g->with_git = policy->git == SBX_GIT_WRITE;
        g->keep_children = (policy->flags & SBX_POLICY_KEEP_CHILDREN) != 0;
        for (i = 0; i < g->count && !g->dry; i++)
            sbx_later_look(&g->roots[i], g->with_git, &g->later[i]);
        g->opened = 1;
        *grants = g;
        return SBX_OK;
    }
    sbx_grants_close(g);
    return st;
}

uint32_t sbx_grants_sids(const sbx_grants *grants, const void *const **sids)
{
    *sids = grants->sids;
    return grants->count;
}

void sbx_grants_close(sbx_grants *grants)
{
    sbx_lock *locks[ROOTS_MAX] = {NULL};
    uint32_t i;

    if (!grants)
        return;
    for (i = 0; i < grants->count && grants->hold && grants->opened; i++)
        sbx_later_tell(&grants->roots[i], grants->with_git, &grants->later[i]);
    for (i = 0; i < grants->count && grants->hold && grants->keep_children; i++)
        if (sbx_hold_keep(grants->hold, &grants->roots[i].sid) != SBX_OK)
            note(SBX_NOTE_WARN, grants->roots[i].path,
                 "which processes outlive the command is not known: a later run with less protection gives them, too, "
                 "what it allows");
    if (!grants->dry && grants->hold && lock_all(grants, locks, WAIT_AT_END_MS, NULL) == SBX_OK) {
        sbx_hold_give(grants->hold);
        grants->hold = NULL;
        sbx_ledger_fini(&grants->ledger);
        if (sbx_ledger_load(&grants->ledger, NULL) == SBX_OK)
            for (i = 0; i < grants->count; i++) {
                const sbx_rule *rule;
                uint32_t process = 0;

                for (rule = grants->opened ? grants->rules[i] : NULL; rule; rule = rule->next)
                    protect_again(grants, i, rule);
                if (sbx_guard_known(&grants->roots[i], &grants->ledger) &&
                    sbx_hold_find(&grants->roots[i].sid, NULL, &process, NULL) == SBX_OK && !process)
                    sbx_guard_remove(&grants->roots[i], &grants->ledger, NULL, NULL);
            }
    }
    unlock_all(grants, locks);
    sbx_hold_give(grants->hold);
    for (i = 0; i < ROOTS_MAX; i++) {
        sbx_text_fini(&grants->later[i]);
        sbx_root_close(&grants->roots[i]);
    }
    sbx_ledger_fini(&grants->ledger);
    sbx_arena_fini(&grants->arena);
    sbx_free(grants);
}
