#include "common/grants/rules.h"

#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "common/grants/link_target.h"
#include "win/handle.h"
#include "win/wide.h"

#define GITFILE_MAX 4096u
#define LINKS_MAX 63u /* that Windows follows in one path */

typedef struct maker {
    const sbx_policy *policy;
    const sbx_root *root;
    sbx_arena *arena;
    sbx_rule *first;
    uint32_t git; /* of the rules that are added now */
    int missing;
    sbx_error *err;
} maker;

const sbx_rule *sbx_rules_find(const sbx_rule *rules, uint32_t kind, const char *path)
{
    for (; rules; rules = rules->next)
        if (rules->kind == kind && sbx_path_equal(rules->path, path))
            return rules;
    return NULL;
}

static uint32_t guard_of(const char *path)
{
    static const char *const files[] = {"config", "config.worktree", "attributes", "gitdir"};
    const char *name = sbx_path_name(path), *dot = strrchr(name, '.');
    size_t i;

    if (sbx_path_equal(name, "commondir"))
        return SBX_GUARD_HERE;
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (sbx_path_equal(name, files[i]))
            return SBX_GUARD_FILE;
    return dot && dot != name ? SBX_GUARD_FILE : SBX_GUARD_DIRECTORY;
}

/* Behind the last; a HOLD becomes a DENY where both are wanted. */
static sbx_status add(maker *m, const char *path, size_t length, uint32_t kind)
{
    sbx_rule **link = &m->first, *rule;
    char *copy = sbx_arena_strndup(m->arena, path, length);

    if (!copy)
        return sbx_fail_memory(m->err);
    for (; *link; link = &(*link)->next)
        if (sbx_path_equal((*link)->path, copy)) {
            if (kind == SBX_RECORD_DENY) {
                (*link)->kind = kind;
                (*link)->git = m->git;
                (*link)->missing = m->missing;
            }
            return SBX_OK;
        }
    rule = sbx_arena_alloc(m->arena, sizeof(*rule));
    if (!rule)
        return sbx_fail_memory(m->err);
    rule->path = copy;
    rule->kind = kind;
    rule->guard = kind == SBX_RECORD_DENY ? guard_of(copy) : SBX_GUARD_DIRECTORY;
    rule->git = m->git;
    rule->missing = kind == SBX_RECORD_DENY && m->missing;
    *link = rule;
    return SBX_OK;
}

static sbx_status add_with_way(maker *m, const char *path, uint32_t kind)
{
    const char *at;
    sbx_status st = SBX_OK;

    for (at = strchr(path, '\\'); at && st == SBX_OK; at = strchr(at + 1, '\\'))
        st = add(m, path, (size_t)(at - path), SBX_RECORD_HOLD);
    return st == SBX_OK ? add(m, path, strlen(path), kind) : st;
}

typedef struct object {
    int found, is_directory, is_link; /* a link is no directory */
    const char *leads;                /* of a link: what it names, absolute; NULL: not known */
} object;

static sbx_status look_at(maker *m, const char *path, object *what)
{
    void *handle = NULL;
    sbx_nt_info info = {0};
    const char *in;
    sbx_status st = sbx_root_below(m->root, path, 0, &handle, &info, m->err);

    memset(what, 0, sizeof(*what));
    what->found = handle != NULL;
    what->is_link = what->found && (info.attributes & FILE_ATTRIBUTE_REPARSE_POINT);
    what->is_directory = what->found && !what->is_link && (info.attributes & FILE_ATTRIBUTE_DIRECTORY);
    if (what->is_link) {
        in = sbx_arena_printf(m->arena, "%s\\%.*s", m->root->path, (int)sbx_path_parent_length(path), path);
        what->leads = in ? sbx_link_target(m->arena, handle, in) : NULL;
    }
    sbx_handle_close(&handle);
    return st;
}

/* What a path leads to, relative to the root, links followed; NULL where that is elsewhere or nothing. */
static char *behind(maker *m, const char *path)
{
    uint16_t *path_w = NULL;
    char *found = NULL, *relative = NULL;
    const char *rest;
    HANDLE handle = NULL;

    if (sbx_path_kind(path) != SBX_PATH_DRIVE || sbx_wide_path(path, &path_w, NULL) != SBX_OK)
        return NULL; /* another machine must not be asked because a file says so */
    handle = sbx_handle_from(CreateFileW((const WCHAR *)path_w, FILE_READ_ATTRIBUTES,
                                         FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                         FILE_FLAG_BACKUP_SEMANTICS, NULL));
    found = handle ? sbx_root_final_path(handle) : NULL;
    rest = found ? sbx_path_below(found, m->root->path) : NULL;
    if (rest && *rest)
        relative = sbx_arena_strdup(m->arena, rest);
    sbx_handle_close(&handle);
    sbx_free(found);
    sbx_free(path_w);
    return relative;
}

/* The part of a path below the root, or NULL. */
static const char *below(const maker *m, const char *path)
{
    const char *ways[] = {m->root->spelled, m->root->path}, *rest;
    size_t i;

    for (i = 0; i < 2; i++)
        if ((rest = sbx_path_below(path, ways[i])) && *rest)
            return rest;
    return NULL;
}

/* The same, or NULL where it leads elsewhere.  Short names, links and substituted drives are other ways to call it. */
static char *in_root(maker *m, const char *path)
{
    const char *rest = below(m, path);

    return rest ? sbx_arena_strdup(m->arena, rest) : behind(m, path);
}

/* What a link in the root leads to at last, relative, and whether it is there; NULL where that is elsewhere.  The links
 * on the way are protected as it is: each of them decides. */
static sbx_status follow(maker *m, const char *link, object *what, const char **end)
{
    uint32_t steps;
    const char *full, *next;
    sbx_status st = SBX_OK;

    *end = NULL;
    for (steps = 0; steps < LINKS_MAX; steps++) {
        next = what->leads ? below(m, what->leads) : NULL;
        if (!next && what->leads && sbx_path_kind(what->leads) == SBX_PATH_UNC)
            return SBX_OK; /* no other machine is asked because a link says so */
        if (!next) {       /* out of the root, and perhaps back into it */
            full = sbx_arena_printf(m->arena, "%s\\%s", m->root->path, link);
            next = full ? behind(m, full) : NULL;
        }
        if (!next || (st = look_at(m, next, what)) != SBX_OK || !what->is_link) {
            *end = next;
            return st;
        }
        if ((st = add_with_way(m, next, SBX_RECORD_DENY)) != SBX_OK)
            return st;
        link = next;
    }
    return SBX_OK; /* more than the system follows */
}

/* The first line of a small file behind `prefix`, as a path below the root, or NULL: not there, or elsewhere.
 * *st: what git reads further than this would be another path than the one that is protected. */
static char *pointed_to(maker *m, const char *file, const char *prefix, const char *base, sbx_status *st)
{
    char text[GITFILE_MAX + 1];
    void *handle = NULL;
    sbx_nt_info info;
    DWORD got = 0;
    char *target = NULL;
    const char *full, *from;
    size_t length = strlen(prefix);

    if (sbx_root_below(m->root, file, FILE_READ_DATA, &handle, &info, NULL) != SBX_OK || !handle)
        return NULL;
    if (info.size > GITFILE_MAX)
        *st = sbx_fail(m->err, SBX_E_REFUSED, "protect what it points to: it is too long for a path", file);
    else if (ReadFile(handle, text, GITFILE_MAX, &got, NULL) && got > length) {
        text[got] = 0;
        text[strcspn(text, "\r\n")] = 0;
        if (!strncmp(text, prefix, length)) {
            from = text + length + strspn(text + length, " \t");
            full = sbx_arena_printf(m->arena, "%s%s%s", m->root->path, *base ? "\\" : "", base);
            full = full && *from ? sbx_path_join(m->arena, full, from) : NULL;
            target = full ? in_root(m, full) : NULL;
        }
    }
    sbx_handle_close(&handle);
    return target;
}

/* What in a repository decides which programs git runs and where it reads.  is_linked: it is the part of a linked
 * worktree, which has no other repositories in it. */
static sbx_status add_repository(maker *m, const char *git, int is_linked)
{
    enum { HAS_REPOSITORIES = 1, IF_THERE };
    static const struct {
        const char *name;
        int kind;
    } parts[] = {{"hooks", 0},
                 {"config", 0},
                 {"config.worktree", 0},
                 {"info\\attributes", 0},
                 {"commondir", 0}, /* missing it would be the command's to make, empty an error to git */
                 {"modules", HAS_REPOSITORIES},
                 {"worktrees", HAS_REPOSITORIES},
                 {"gitdir", IF_THERE}}; /* a guard would turn a repository into a linked worktree */
    size_t i;
    sbx_status st = SBX_OK;

    m->git = SBX_RULE_IN_REPOSITORY;
    for (i = 0; i < sizeof(parts) / sizeof(parts[0]) && st == SBX_OK; i++) {
        const char *path = sbx_arena_printf(m->arena, "%s\\%s", git, parts[i].name);
        object what = {.found = 1};

        if (is_linked && parts[i].kind == HAS_REPOSITORIES)
            continue;
        if (!path)
            st = sbx_fail_memory(m->err);
        else if (parts[i].kind == IF_THERE)
            st = look_at(m, path, &what);
        if (st == SBX_OK && what.found)
            st = add_with_way(m, path, SBX_RECORD_DENY);
    }
    m->git = 0;
    return st;
}

static sbx_status add_whole(maker *m, const char *git, int is_missing)
{
    sbx_status st;

    m->git = SBX_RULE_REPOSITORY;
    m->missing = is_missing;
    st = add_with_way(m, git, SBX_RECORD_DENY);
    m->git = 0;
    m->missing = 0;
    return st;
}

static sbx_status add_git(maker *m, const char *git)
{
    const char *from, *target = NULL;
    object what;
    int is_first;
    sbx_status st = look_at(m, git, &what);

    if (st != SBX_OK)
        return st;
    /* without a repository there is nothing to commit to, and one made by the command would have its own hooks */
    if (m->policy->git == SBX_GIT_COMMIT && what.is_directory)
        return add_repository(m, git, 0);
    st = add_whole(m, git, !what.found);
    if (st != SBX_OK || !what.found || what.is_directory)
        return st;
    if (what.is_link) {
        st = follow(m, git, &what, &target);
        if (st == SBX_OK && target && !what.found)
            return add_whole(m, target, 1);
    } else {
        from = sbx_arena_strndup(m->arena, git, sbx_path_parent_length(git));
        if (!from)
            return sbx_fail_memory(m->err);
        target = pointed_to(m, git, "gitdir:", from, &st);
    }
    /* of a linked worktree its own part, then what is common to all; git goes no further */
    for (is_first = 1; target && st == SBX_OK; is_first = 0) {
        const char *file = sbx_arena_printf(m->arena, "%s\\commondir", target);
        const char *common = file && is_first ? pointed_to(m, file, "", target, &st) : NULL;

        if (common && sbx_path_equal(common, target))
            common = NULL;
        if (st == SBX_OK)
            st = !file                              ? sbx_fail_memory(m->err)
                 : m->policy->git == SBX_GIT_COMMIT ? add_repository(m, target, common != NULL)
                                                    : add_whole(m, target, 0);
        target = common;
    }
    return st;
}

static sbx_status add_named(maker *m, const char *path, const object *what)
{
    sbx_status st;

    m->missing = !what->found;
    st = add_with_way(m, path, SBX_RECORD_DENY);
    m->missing = 0;
    return st;
}

/* A link, and what it leads to, where the command could write. */
static sbx_status add_protected(maker *m, const char *path)
{
    const char *end = NULL;
    object what;
    sbx_status st = look_at(m, path, &what);

    if (st == SBX_OK)
        st = add_named(m, path, &what);
    if (st == SBX_OK && what.is_link)
        st = follow(m, path, &what, &end);
    return st == SBX_OK && end ? add_named(m, end, &what) : st;
}

/* "a\.git" of "a\.git\hooks", or NULL when no component is .git. */
static const char *git_of(maker *m, const char *path)
{
    const char *at = path;

    for (;;) {
        size_t length = strcspn(at, "\\");
        char *name = sbx_arena_strndup(m->arena, at, length);

        if (name && sbx_path_equal(name, ".git"))
            return sbx_arena_strndup(m->arena, path, (size_t)(at - path) + length);
        if (!at[length])
            return NULL;
        at += length + 1;
    }
}

sbx_status sbx_rules_make(const sbx_policy *policy, const sbx_root *roots, uint32_t count, uint32_t which,
                          sbx_arena *arena, sbx_rule **rules, sbx_error *err)
{
    maker m = {.policy = policy, .root = &roots[which], .arena = arena, .err = err};
    const char *rest;
    uint32_t i;
    sbx_status st = SBX_OK;

    for (i = 0; i < policy->protected_count && st == SBX_OK; i++) {
        const char *path = below(&m, policy->protected_paths[i]), *git;

        if (!path)
            continue;
        git = policy->git != SBX_GIT_WRITE ? git_of(&m, path) : NULL;
        st = git ? add_git(&m, git) : add_protected(&m, path);
    }
    for (i = 0; i < count && st == SBX_OK; i++)
        if (i != which && (rest = sbx_path_below(roots[i].path, m.root->path)) && *rest)
            st = add_with_way(&m, rest, SBX_RECORD_HOLD);
    if (st == SBX_OK)
        *rules = m.first;
    return st;
}
