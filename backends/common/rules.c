#include "common/rules.h"

#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "win/handle.h"

#define GITFILE_MAX 4096u

typedef struct maker {
    const sbx_policy *policy;
    const sbx_root *root;
    sbx_arena *arena;
    sbx_rule *first;
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
    static const char *const files[] = {"config", "config.worktree", "attributes", "commondir", "gitdir"};
    const char *name = sbx_path_name(path), *dot = strrchr(name, '.');
    size_t i;

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
            if (kind == SBX_RECORD_DENY)
                (*link)->kind = kind;
            return SBX_OK;
        }
    rule = sbx_arena_alloc(m->arena, sizeof(*rule));
    if (!rule)
        return sbx_fail_memory(m->err);
    rule->path = copy;
    rule->kind = kind;
    rule->guard = kind == SBX_RECORD_DENY ? guard_of(copy) : SBX_GUARD_DIRECTORY;
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

static sbx_status exists(maker *m, const char *path, int *found, int *is_directory)
{
    void *handle = NULL;
    sbx_nt_info info = {0};
    sbx_status st = sbx_root_below(m->root, path, 0, &handle, &info, m->err);

    *found = handle != NULL;
    *is_directory = *found && (info.attributes & FILE_ATTRIBUTE_DIRECTORY);
    sbx_handle_close(&handle);
    return st;
}

/* The first line of a small file behind `prefix`, as a path below the root, or NULL: not there, or elsewhere. */
static char *pointed_to(maker *m, const char *file, const char *prefix, const char *base)
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
    if (ReadFile(handle, text, GITFILE_MAX, &got, NULL) && got > length) {
        text[got] = 0;
        text[strcspn(text, "\r\n")] = 0;
        if (!strncmp(text, prefix, length)) {
            from = text + length + strspn(text + length, " \t");
            full = sbx_arena_printf(m->arena, "%s%s%s", m->root->path, *base ? "\\" : "", base);
            full = full && *from ? sbx_path_join(m->arena, full, from) : NULL;
            if (full && sbx_path_is_below(full, m->root->path) && !sbx_path_equal(full, m->root->path))
                target = sbx_arena_strdup(m->arena, full + strlen(m->root->path) + 1);
        }
    }
    sbx_handle_close(&handle);
    return target;
}

/* What in a repository decides which programs git runs and where it reads. */
static sbx_status add_repository(maker *m, const char *git)
{
    static const char *const names[] = {"hooks",     "config", "config.worktree", "info\\attributes",
                                        "commondir", "gitdir"};
    size_t i;
    sbx_status st = SBX_OK;

    for (i = 0; i < sizeof(names) / sizeof(names[0]) && st == SBX_OK; i++) {
        const char *path = sbx_arena_printf(m->arena, "%s\\%s", git, names[i]);

        /* a guard on the last two would turn a repository into a linked worktree */
        if (path && i >= 4) {
            int found = 0, directory = 0;

            st = exists(m, path, &found, &directory);
            if (st != SBX_OK || !found)
                continue;
        }
        st = path ? add_with_way(m, path, SBX_RECORD_DENY) : sbx_fail_memory(m->err);
    }
    return st;
}

static sbx_status add_git(maker *m, const char *git)
{
    int found = 0, directory = 0;
    const char *parent, *target;
    sbx_status st = exists(m, git, &found, &directory);

    if (st != SBX_OK)
        return st;
    /* without a repository there is nothing to commit to, and one made by the command would have its own hooks */
    if (m->policy->git == SBX_GIT_COMMIT && found && directory)
        return add_repository(m, git);
    st = add_with_way(m, git, SBX_RECORD_DENY);
    if (st != SBX_OK || !found || directory)
        return st;
    parent = sbx_arena_strndup(m->arena, git, sbx_path_parent_length(git));
    if (!parent)
        return sbx_fail_memory(m->err);
    target = pointed_to(m, git, "gitdir:", parent);
    while (target && st == SBX_OK) {
        const char *common = sbx_arena_printf(m->arena, "%s\\commondir", target);

        st = m->policy->git == SBX_GIT_COMMIT ? add_repository(m, target) : add_with_way(m, target, SBX_RECORD_DENY);
        common = common && st == SBX_OK ? pointed_to(m, common, "", target) : NULL;
        target = common && !sbx_path_equal(common, target) ? common : NULL;
    }
    return st;
}

/* The part of a protected path below the root, or NULL. */
static const char *below(maker *m, const char *path)
{
    const char *ways[] = {m->root->spelled, m->root->path};
    size_t i;

    for (i = 0; i < 2; i++)
        if (sbx_path_is_below(path, ways[i]) && !sbx_path_equal(path, ways[i]))
            return path + strlen(ways[i]) + 1;
    return NULL;
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
    uint32_t i;
    sbx_status st = SBX_OK;

    for (i = 0; i < policy->protected_count && st == SBX_OK; i++) {
        const char *path = below(&m, policy->protected_paths[i]), *git;

        if (!path)
            continue;
        git = policy->git != SBX_GIT_WRITE ? git_of(&m, path) : NULL;
        st = git ? add_git(&m, git) : add_with_way(&m, path, SBX_RECORD_DENY);
    }
    for (i = 0; i < count && st == SBX_OK; i++)
        if (i != which && sbx_path_is_below(roots[i].path, m.root->path) &&
            !sbx_path_equal(roots[i].path, m.root->path))
            st = add_with_way(&m, roots[i].path + strlen(m.root->path) + 1, SBX_RECORD_HOLD);
    if (st == SBX_OK)
        *rules = m.first;
    return st;
}
