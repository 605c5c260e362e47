#include "common/grants/grant.h"

#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"
#include "common/grants/around.h"
#include "common/grants/audience.h"
#include "common/grants/grow.h"
#include "common/grants/guard.h"
#include "common/host.h"
#include "common/grants/later.h"
#include "common/grants/ledger.h"
#include "common/grants/open_places.h"
#include "common/grants/outside.h"
#include "common/grants/protect.h"
#include "common/grants/set.h"
#include "common/grants/stamp.h"
#include "common/grants/tree.h"
#include "win/error.h"
#include "win/handle.h"

#define ROOTS_MAX 64u   /* far below what a token takes */
#define WAIT_MS 120000u /* for another launch that makes its first grant on the same root */
#define WAIT_AT_END_MS 2000u

struct sbx_grants {
    uint32_t count;
    int dry, opened; /* opened: a command has run, or could have */
    sbx_root roots[ROOTS_MAX];
    const void *sids[ROOTS_MAX];
    sbx_sid set;
    sbx_arena arena;
    sbx_ledger ledger;
    sbx_hold *hold;
    sbx_around around;
    sbx_protection protection[ROOTS_MAX];
    sbx_text later[ROOTS_MAX]; /* what there was of it, see later.h */
    sbx_audience audience,
        audiences[ROOTS_MAX]; /* of this run; that the ledger has, of roots whose commands run as the user now */
    int with_git[ROOTS_MAX];  /* the command may write to `.git`, or make it */
    int keep_children;
    uint32_t nested; /* repositories that were found in this launch */
    char *every;     /* see open_places.h */
};

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

/* ---- One root --------------------------------------------------------------------- */

/* At each launch, since nobody named it as writable. */
static void tell_of_part(const sbx_root *root)
{
    if (!sbx_sid_is_git(&root->sid))
        return;
    sbx_host_note(SBX_NOTE_GRANT, root->path,
                  root->kind == SBX_RECORD_GROW ? "open for commits, which add to it; nothing that is there is changed"
                  : root->kind == SBX_RECORD_ENCLOSE ? "closed, but for what of it is named as open"
                                                     : "open for commits, but for what of it is protected");
}

static sbx_status grant_tree(sbx_grants *g, sbx_root *root, sbx_error *err)
{
    sbx_tree tree = {.root = root, .ledger = &g->ledger, .hold = g->hold, .arena = &g->arena, .dry = g->dry};
    sbx_status st;

    tell_of_part(root);
    st = sbx_tree_grant(&tree, err);

    g->nested += tree.nested;
    return st;
}

/* What is in a root of git's stays as it is, whoever made it. */
static sbx_status close_objects(sbx_grants *g, const sbx_root *root, sbx_error *err)
{
    sbx_spread_count count = {0};
    uint32_t process = 0;
    sbx_status st = SBX_OK;

    if (root->kind != SBX_RECORD_GROW || g->dry)
        return SBX_OK;
    st = sbx_hold_find(&root->sid, g->hold, &process, err);
    if (st == SBX_OK)
        st = sbx_grow_close(root, g->roots, g->count, !process, &g->ledger, &count, err);
    sbx_protect_note_count(root->path, count.closed,
                           "directories with a protected access control list, in which commits can add nothing");
    return st;
}

static sbx_status make_rules(sbx_grants *g, const sbx_policy *policy, uint32_t which, sbx_error *err)
{
    sbx_protection *p = &g->protection[which];

    p->root = &g->roots[which];
    p->ledger = &g->ledger;
    p->arena = &g->arena;
    p->dry = g->dry;
    return sbx_rules_make(policy, g->roots, g->count, which, p->ledger, p->arena, &p->rules, err);
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
            sbx_guard_remove(root, &g->ledger, NULL, NULL, NULL, NULL);
    }
    if (st == SBX_OK)
        st = make_rules(g, policy, which, err);
    /* worktrees share a repository: what a run of one closes in it stays closed for the others */
    if (st == SBX_OK && !sbx_sid_is_git(&root->sid))
        st = sbx_protect_free(&g->protection[which], g->hold, err);
    if (st == SBX_OK && !g->dry && policy->git != SBX_GIT_WRITE)
        st = sbx_outside_record(&(sbx_places){g->roots, g->count, &g->arena, err}, root, &g->ledger);
    if (st == SBX_OK)
        st = grant_tree(g, root, err);
    return st == SBX_OK ? close_objects(g, root, err) : st;
}

/* Open and judge one.  A complete grant was judged before it was made, which saves a warm launch most of it. */
static sbx_status judge_one(const char *path, int dry, const sbx_audience *audience, sbx_root *root, sbx_error *err)
{
    uint32_t found = SBX_STAMP_BARE;
    sbx_status st = dry ? sbx_root_reopen(path, root, NULL) : sbx_root_reopen_held(path, root, NULL);

    root->audience = audience;
    if (st == SBX_OK && root->handle &&
        sbx_stamp_check(root, root->handle, root->path, SBX_RECORD_GRANT, 1, &found, NULL) == SBX_OK &&
        found != SBX_STAMP_BARE)
        return sbx_root_judge_again(root, err);
    sbx_root_close(root);
    st = sbx_root_open(path, root, err);
    root->audience = audience;
    if (st == SBX_OK) /* refuses one without a DACL */
        st = sbx_stamp_check(root, root->handle, root->path, SBX_RECORD_GRANT, 1, &found, err);
    return st;
}

/* Judge all before anything is changed; the same directory twice counts once. */
static sbx_status judge(sbx_grants *g, const sbx_policy *policy, const sbx_audience *audience, sbx_error *err)
{
    uint32_t i, k;

    if (policy->writable_count > ROOTS_MAX)
        return sbx_fail(err, SBX_E_REFUSED, "too many writable roots", policy->writable[ROOTS_MAX]);
    for (i = 0; i < policy->writable_count; i++) {
        sbx_root *root = &g->roots[g->count];
        sbx_status st = judge_one(policy->writable[i], g->dry, audience, root, err);

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

static sbx_status open_outside(sbx_grants *g, const sbx_policy *policy, const sbx_audience *audience, sbx_error *err)
{
    uint32_t i = g->count;
    sbx_status st = sbx_outside_open(policy, g->roots, &g->count, ROOTS_MAX, g->dry, err);

    for (; i < g->count; i++) {
        g->sids[i] = g->roots[i].sid.bytes;
        g->roots[i].audience = audience;
    }
    return st;
}

/* Locks in one order for all processes. */
static sbx_status lock_all(sbx_grants *g, sbx_lock **locks, uint32_t wait_ms, sbx_error *err)
{
    uint32_t order[ROOTS_MAX] = {0}, i, k;
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

static sbx_status meet_sets(sbx_grants *g, const sbx_policy *policy, sbx_error *err)
{
    const char *with_others = NULL;
    uint32_t i, others;
    sbx_status st = sbx_set_sid(policy, g->roots, g->count, &g->set, err);

    for (i = 0; i < g->count && st == SBX_OK; i++) {
        if (sbx_sid_is_git(&g->roots[i].sid))
            continue;
        st = sbx_set_meet(&g->roots[i], &g->set, &g->ledger, g->dry, &others, err);
        if (others && !with_others)
            with_others = g->roots[i].path;
    }
    if (with_others)
        sbx_host_note(
            SBX_NOTE_WARN, "other runs",
            "worked in %s with other writable folders or rules: what they moved there from their TEMP or caches "
            "this one cannot change; `sbx grant` opens it",
            with_others);
    return st;
}

/* A root keeps the audience that it once had. */
static void know_audiences(sbx_grants *g)
{
    uint32_t i;

    for (i = 0; i < g->count; i++)
        if (!g->roots[i].audience)
            g->roots[i].audience = sbx_audience_known(sbx_ledger_find(&g->ledger, &g->roots[i].sid), &g->audiences[i]);
}

sbx_status sbx_grants_open(const sbx_policy *policy, uint32_t flags, const sbx_audience *audience, sbx_grants **grants,
                           sbx_error *err)
{
    sbx_lock *locks[ROOTS_MAX] = {NULL};
    sbx_grants *g = sbx_alloc_zero(1, sizeof(*g));
    uint32_t i;
    sbx_status st;

    if (!g)
        return sbx_fail_memory(err);
    g->dry = !!(flags & SBX_OPEN_DRY_RUN);
    if (audience) {
        g->audience = *audience;
        audience = &g->audience;
    }
    st = judge(g, policy, audience, err);
    if (st == SBX_OK)
        st = all_reached(g, policy, err);
    if (st == SBX_OK)
        st = open_outside(g, policy, audience, err);
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
        g->ledger.lock = locks[0];
        if (st == SBX_OK)
            st = sbx_ledger_load(&g->ledger, err);
        know_audiences(g);
        for (i = 0; i < g->count && st == SBX_OK; i++)
            st = grant_one(g, policy, i, err);
        for (i = 0; i < g->count && st == SBX_OK && g->nested; i++)
            st = make_rules(g, policy, i, err);
        for (i = 0; i < g->count && st == SBX_OK; i++)
            st = sbx_protect(&g->protection[i], err);
        if (st == SBX_OK)
            st = meet_sets(g, policy, err);
    }
    g->ledger.lock = NULL;
    unlock_all(g, locks);
    if (st == SBX_OK && audience)
        st = sbx_around_open(&g->around, policy, g->roots, g->count, audience, g->dry, err);
    if (st == SBX_OK) {
        sbx_open_places_report(g->roots, g->count, flags, &g->every);
        g->keep_children = (policy->flags & SBX_POLICY_KEEP_CHILDREN) != 0;
        for (i = 0; i < g->count && !g->dry; i++) {
            const sbx_rule *rules = g->protection[i].rules, *git = sbx_rules_find(rules, SBX_RECORD_DENY, ".git");

            g->with_git[i] = policy->git == SBX_GIT_WRITE || (git && git->guard == SBX_GUARD_NONE);
            sbx_later_look(&g->roots[i], rules, g->with_git[i], &g->later[i]);
        }
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

const sbx_root *sbx_grants_root(const sbx_grants *grants, uint32_t index)
{
    return index < grants->count ? &grants->roots[index] : NULL;
}

const char *sbx_grants_every(const sbx_grants *grants)
{
    return grants->every;
}

const void *sbx_grants_set(const sbx_grants *grants)
{
    return grants->count ? grants->set.bytes : NULL;
}

void sbx_grants_close(sbx_grants *grants)
{
    sbx_lock *locks[ROOTS_MAX] = {NULL};
    uint32_t i;

    if (!grants)
        return;
    for (i = 0; i < grants->count && grants->hold && grants->opened; i++)
        sbx_later_tell(&grants->roots[i], grants->protection[i].rules, grants->with_git[i], &grants->later[i]);
    for (i = 0; i < grants->count && grants->hold && grants->keep_children; i++)
        if (sbx_hold_keep(grants->hold, &grants->roots[i].sid) != SBX_OK)
            sbx_host_note(
                SBX_NOTE_WARN, grants->roots[i].path,
                "which processes outlive the command is not known: a later run with less protection gives them, too, "
                "what it allows");
    if (!grants->dry && grants->hold && lock_all(grants, locks, WAIT_AT_END_MS, NULL) != SBX_OK) {
        if (grants->opened)
            sbx_host_note(
                SBX_NOTE_WARN, grants->roots[0].path,
                "another sbx changes access rights there: what was replaced while the command ran was not looked "
                "for, and placeholders stay until the next run");
    } else if (!grants->dry && grants->hold) {
        sbx_hold_give(grants->hold);
        grants->hold = NULL;
        sbx_ledger_fini(&grants->ledger);
        grants->ledger.lock = locks[0];
        if (sbx_ledger_load(&grants->ledger, NULL) == SBX_OK)
            for (i = 0; i < grants->count; i++) {
                const int is_guarded = sbx_guard_known(&grants->roots[i], &grants->ledger);
                uint32_t process = 0;

                sbx_protect_end(&grants->protection[i], grants->opened,
                                is_guarded && sbx_hold_find(&grants->roots[i].sid, NULL, &process, NULL) == SBX_OK &&
                                    !process);
            }
    }
    unlock_all(grants, locks);
    sbx_around_close(&grants->around);
    sbx_hold_give(grants->hold);
    for (i = 0; i < ROOTS_MAX; i++) {
        sbx_text_fini(&grants->later[i]);
        sbx_root_close(&grants->roots[i]);
    }
    sbx_ledger_fini(&grants->ledger);
    sbx_arena_fini(&grants->arena);
    sbx_free(grants->every);
    sbx_free(grants);
}
