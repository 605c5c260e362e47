#include "common/grants/rules.h"

#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "common/grants/maker.h"
#include "common/grants/names.h"
#include "common/grants/repository.h"
#include "common/host.h"

#define LINKS_MAX 63u /* that Windows follows in one path */

const sbx_rule *sbx_rules_find(const sbx_rule *rules, uint32_t kind, const char *path)
{
    for (; rules; rules = rules->next)
        if (rules->kind == kind && sbx_path_equal(rules->path, path))
            return rules;
    return NULL;
}

/* An empty directory, since neither git nor packers take those along; but git reads files. */
static uint32_t guard_of(const sbx_rule_maker *m, const char *path)
{
    static const char *const files[] = {"config", "config.worktree", "attributes", "gitdir", "alternates"};
    const char *name = sbx_path_name(path);
    size_t i;

    if (m->git != SBX_RULE_IN_REPOSITORY)
        return SBX_GUARD_DIRECTORY;
    if (sbx_path_equal(name, "commondir"))
        return SBX_GUARD_HERE;
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (sbx_path_equal(name, files[i]))
            return SBX_GUARD_FILE;
    return SBX_GUARD_DIRECTORY;
}

static int is_stronger(uint32_t kind, uint32_t than)
{
    return kind == SBX_RECORD_DENY ? than != SBX_RECORD_DENY : kind == SBX_RECORD_SHUT && than == SBX_RECORD_HOLD;
}

/* Behind the last; of two kinds the stronger. */
static sbx_status add(sbx_rule_maker *m, const char *path, size_t length, uint32_t kind)
{
    sbx_rule **link = &m->first, *rule;
    char *copy = sbx_arena_strndup(m->places.arena, path, length);

    if (!copy)
        return sbx_fail_memory(m->places.err);
    for (; *link; link = &(*link)->next)
        if (sbx_path_equal((*link)->path, copy)) {
            if (is_stronger(kind, (*link)->kind)) {
                (*link)->kind = kind;
                (*link)->git = m->git;
                (*link)->missing = m->missing;
            }
            return SBX_OK;
        }
    rule = sbx_arena_alloc(m->places.arena, sizeof(*rule));
    if (!rule)
        return sbx_fail_memory(m->places.err);
    rule->path = copy;
    rule->kind = kind;
    rule->guard = kind == SBX_RECORD_DENY ? guard_of(m, copy) : SBX_GUARD_DIRECTORY;
    rule->git = m->git;
    rule->missing = kind == SBX_RECORD_DENY && m->missing;
    rule->is_directory = kind != SBX_RECORD_DENY || m->is_directory;
    *link = rule;
    return SBX_OK;
}

static int is_covered(const sbx_rule_maker *m, const char *path)
{
    const sbx_rule *rule;

    for (rule = m->first; rule; rule = rule->next)
        if (rule->kind == SBX_RECORD_DENY && sbx_path_is_below(path, rule->path))
            return 1;
    return 0;
}

/* path: below the maker's root. */
static sbx_status add_with_way(sbx_rule_maker *m, const char *path, uint32_t kind)
{
    const char *at;
    sbx_status st = SBX_OK;

    if (is_covered(m, path))
        return SBX_OK;
    for (at = strchr(path, '\\'); at && st == SBX_OK; at = strchr(at + 1, '\\'))
        st = add(m, path, (size_t)(at - path), SBX_RECORD_HOLD);
    return st == SBX_OK ? add(m, path, strlen(path), kind) : st;
}

sbx_status sbx_rule_add(sbx_rule_maker *m, const char *place, uint32_t kind)
{
    const char *path;

    return !m->looking && sbx_place_root(&m->places, place, &path) == m->root && *path ? add_with_way(m, path, kind)
                                                                                       : SBX_OK;
}

sbx_status sbx_rule_follow(sbx_rule_maker *m, const char *place, sbx_object *what, const char **end)
{
    const int is_told = !m->looking && sbx_path_is_below(place, m->root->path);
    const char *link = place;
    uint32_t steps, where;
    sbx_status st = SBX_OK;

    *end = NULL;
    for (steps = 0; steps < LINKS_MAX && st == SBX_OK; steps++) {
        st = sbx_place_look(&m->places, link, what);
        if (st == SBX_OK && !what->is_link)
            *end = link;
        if (st != SBX_OK || !what->is_link)
            return st;
        st = sbx_rule_add(m, link, SBX_RECORD_DENY);
        where = what->leads ? sbx_place_find(&m->places, m->root->path, what->leads, &link) : SBX_PLACE_UNKNOWN;
        if (where == SBX_PLACE_IN)
            continue;
        if (is_told && where != SBX_PLACE_NOTHING)
            sbx_host_note(where == SBX_PLACE_OUT ? SBX_NOTE_GRANT : SBX_NOTE_GAP, place,
                          where == SBX_PLACE_OUT ? "leads out of the writable folders, where nothing is writable anyway"
                                                 : "is a link: what it leads to is not known and not protected");
        return st;
    }
    return st; /* more than the system follows */
}

sbx_status sbx_rule_protect(sbx_rule_maker *m, const char *place)
{
    const char *end;
    sbx_object what;
    sbx_status st = sbx_rule_follow(m, place, &what, &end);

    if (st != SBX_OK || !end)
        return st;
    m->missing = !what.found;
    m->is_directory = what.is_directory;
    st = sbx_rule_add(m, end, SBX_RECORD_DENY);
    m->missing = m->is_directory = 0;
    return st;
}

/* "a\.git" of "a\.git\hooks", or NULL when no component is .git. */
static const char *git_of(const sbx_rule_maker *m, const char *root, const char *path)
{
    const char *at = path;

    for (;;) {
        size_t length = strcspn(at, "\\");

        if (length == 4 && !_strnicmp(at, ".git", 4))
            return sbx_arena_printf(m->places.arena, "%s\\%.*s", root, (int)((size_t)(at - path) + length), path);
        if (!at[length])
            return NULL;
        at += length + 1;
    }
}

/* What a folder of work has and a `.git` has not.  The name says what it is: a command can make any folder look like a git
 * directory, and in a bare one git would find a `.git` first. */
static int is_in_vain(const sbx_root *root, const char *path)
{
    return sbx_path_equal(sbx_path_name(root->path), ".git") && sbx_name_is_built_in(path);
}

/* One protected path of the policy, which is below roots[which].  What a commit opens is closed where somebody named it. */
static sbx_status add_named(sbx_rule_maker *m, const sbx_root *root, const char *path, int is_asked)
{
    const char *place = sbx_arena_printf(m->places.arena, "%s\\%s", root->path, path);
    const char *git = m->policy->git != SBX_GIT_WRITE ? git_of(m, root->path, path) : NULL;
    sbx_object what;
    sbx_status st;

    if (!place)
        return sbx_fail_memory(m->places.err);
    if (is_in_vain(root, path)) {
        st = sbx_place_look(&m->places, git ? git : place, &what);
        if (st != SBX_OK || !what.found)
            return st;
    }
    st = git ? sbx_repository_add(m, git, 0) : SBX_OK;
    return st == SBX_OK && (!git || (is_asked && strcmp(git, place) != 0)) ? sbx_rule_protect(m, place) : st;
}

static sbx_status add_nested(sbx_rule_maker *m, const sbx_root *root, const sbx_ledger *ledger)
{
    const sbx_ledger_root *known = sbx_ledger_find(ledger, &root->sid);
    const sbx_ledger_path *path;
    sbx_status st = SBX_OK;

    for (path = known ? known->paths : NULL; path && st == SBX_OK; path = path->next)
        if (path->kind == SBX_RECORD_REPOSITORY) {
            const char *git = sbx_arena_printf(m->places.arena, "%s\\%s", root->path, path->path);

            st = git ? sbx_repository_add(m, git, 1) : sbx_fail_memory(m->places.err);
        }
    return st;
}

/* A file that a commit follows (outside.h) is never without its rules. */
static sbx_status add_followed(sbx_rule_maker *m, const sbx_root *root)
{
    const char *git = sbx_arena_printf(m->places.arena, "%s\\.git", root->path);
    sbx_object what = {0};
    sbx_status st = git ? sbx_place_look(&m->places, git, &what) : sbx_fail_memory(m->places.err);

    return st == SBX_OK && what.found && !what.is_directory && !what.is_link ? sbx_repository_add(m, git, 0) : st;
}

/* Of all roots, since links and pointers lead from one to the other: what lies in the maker's own becomes a rule. */
static sbx_status add_all(sbx_rule_maker *m, const sbx_ledger *ledger)
{
    const sbx_policy *policy = m->policy;
    uint32_t i, k;
    sbx_status st = SBX_OK;

    m->done = NULL;
    for (k = 0; k < m->places.count && st == SBX_OK; k++) {
        const sbx_root *root = &m->places.roots[k];
        int is_git = 0;

        if (sbx_sid_is_git(&root->sid)) /* the file that names it leads there */
            continue;
        st = sbx_repository_is(&m->places, root->path, &is_git);
        if (root == m->root)
            m->is_repository = is_git;
        if (st == SBX_OK && is_git && policy->git != SBX_GIT_WRITE)
            st = sbx_repository_add_directory(m, root->path);
        if (st == SBX_OK && policy->git == SBX_GIT_COMMIT)
            st = add_followed(m, root);
        for (i = 0; i < policy->protected_count && st == SBX_OK; i++) {
            const char *path = sbx_path_below(policy->protected_paths[i], root->spelled);

            if (!path)
                path = sbx_path_below(policy->protected_paths[i], root->path);
            if (path && *path)
                st = add_named(m, root, path, i < sbx_names_asked(policy));
        }
        if (st == SBX_OK && policy->git != SBX_GIT_WRITE)
            st = add_nested(m, root, ledger);
    }
    return st;
}

sbx_status sbx_rules_make(const sbx_policy *policy, const sbx_root *roots, uint32_t count, uint32_t which,
                          const sbx_ledger *ledger, sbx_arena *arena, sbx_rule **rules, sbx_error *err)
{
    sbx_rule_maker m = {.places = {roots, count, arena, err}, .policy = policy, .root = &roots[which]};
    sbx_rule *rule;
    uint32_t i;
    sbx_status st = SBX_OK;

    m.looking = policy->git == SBX_GIT_COMMIT;
    if (m.looking)
        st = add_all(&m, ledger);
    m.looking = 0;
    if (st == SBX_OK)
        st = add_all(&m, ledger);
    for (i = 0; i < count && st == SBX_OK; i++) {
        const char *path = sbx_path_below(roots[i].path, roots[which].path);

        if (path && *path)
            st = add_with_way(&m, path, SBX_RECORD_HOLD);
    }
    for (rule = m.first; rule; rule = rule->next)
        if (rule->missing && !sbx_name_wants_guard(policy, m.root, m.is_repository, rule->path))
            rule->guard = SBX_GUARD_NONE;
    if (st == SBX_OK)
        *rules = m.first;
    return st;
}
