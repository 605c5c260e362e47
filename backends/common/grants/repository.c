#include "common/grants/repository.h"

#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "common/grants/gitfile.h"
#include "common/grants/outside.h"
#include "common/host.h"
#include "win/error.h"
#include "win/handle.h"

static const char *in(const sbx_rule_maker *m, const char *directory, const char *name)
{
    return sbx_arena_printf(m->places.arena, "%s\\%s", directory, name);
}

static const char *parent_of(const sbx_rule_maker *m, const char *place)
{
    return sbx_arena_strndup(m->places.arena, place, sbx_path_parent_length(place));
}

static int is_in(const sbx_rule_place *list, const char *place)
{
    for (; list; list = list->next)
        if (sbx_path_equal(list->place, place))
            return 1;
    return 0;
}

static sbx_status put_in(sbx_rule_maker *m, sbx_rule_place **list, const char *place)
{
    sbx_rule_place *added = sbx_arena_alloc(m->places.arena, sizeof(*added));

    if (!added)
        return sbx_fail_memory(m->places.err);
    added->place = place;
    added->next = *list;
    *list = added;
    return SBX_OK;
}

static int holds_root(const sbx_rule_maker *m, const char *directory)
{
    uint32_t i;

    for (i = 0; i < m->places.count; i++)
        if (sbx_path_is_below(m->places.roots[i].path, directory))
            return 1;
    return 0;
}

sbx_status sbx_repository_is(const sbx_places *p, const char *place, int *is_one)
{
    static const char *const parts[] = {"HEAD", "objects", "refs"};
    sbx_object what = {.found = 1};
    sbx_status st = SBX_OK;
    size_t i;

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]) && st == SBX_OK && what.found; i++) {
        const char *part = sbx_arena_printf(p->arena, "%s\\%s", place, parts[i]);

        st = part ? sbx_place_look(p, part, &what) : sbx_fail_memory(p->err);
    }
    *is_one = st == SBX_OK && what.found;
    return st;
}

/* ---- What is closed ------------------------------------------------------------- */

static sbx_status protect_link(void *context, const char *place, uint32_t attributes)
{
    return attributes & FILE_ATTRIBUTE_REPARSE_POINT ? sbx_rule_protect(context, place) : SBX_OK;
}

/* What one look at a git directory tells. */
typedef struct contents {
    sbx_rule_maker *m;
    sbx_rule_place *links;
    int has_hooks, has_commondir;
} contents;

static sbx_status take_entry(void *context, const char *place, uint32_t attributes)
{
    contents *c = context;
    const char *name = sbx_path_name(place);

    c->has_hooks |= sbx_path_equal(name, "hooks");
    c->has_commondir |= sbx_path_equal(name, "commondir");
    return attributes & FILE_ATTRIBUTE_REPARSE_POINT ? put_in(c->m, &c->links, place) : SBX_OK;
}

static sbx_status look_into(sbx_rule_maker *m, const char *git, contents *c)
{
    memset(c, 0, sizeof(*c));
    c->m = m;
    return sbx_place_list(&m->places, git, take_entry, c);
}

/* With the links in it, and in its hooks. */
static sbx_status add_whole(sbx_rule_maker *m, const char *git, const contents *c)
{
    const char *hooks = in(m, git, "hooks");
    const sbx_rule_place *link;
    sbx_status st = hooks ? SBX_OK : sbx_fail_memory(m->places.err);

    m->git = SBX_RULE_REPOSITORY;
    m->is_directory = 1;
    if (st == SBX_OK)
        st = sbx_rule_add(m, git, SBX_RECORD_DENY);
    m->is_directory = 0;
    for (link = c->links; link && st == SBX_OK; link = link->next)
        st = sbx_rule_protect(m, link->place);
    if (st == SBX_OK && c->has_hooks)
        st = sbx_place_list(&m->places, hooks, protect_link, m);
    m->git = 0;
    return st;
}

/* A name that may be missing, or a file. */
static sbx_status add_name(sbx_rule_maker *m, const char *git)
{
    sbx_status st;

    m->git = SBX_RULE_REPOSITORY;
    st = sbx_rule_protect(m, git);
    m->git = 0;
    return st;
}

static sbx_status close_others(sbx_rule_maker *m, const char *directory);

static sbx_status close_one(void *context, const char *place, uint32_t attributes)
{
    sbx_rule_maker *m = context;

    (void)attributes;
    return is_in(m->own, place) ? SBX_OK : close_others(m, place);
}

/* All in a directory of repositories but those that are own.  None may be made there: git would find it. */
static sbx_status close_others(sbx_rule_maker *m, const char *directory)
{
    const sbx_rule_place *own;
    sbx_status st;

    for (own = m->own; own && !sbx_path_is_below(own->place, directory); own = own->next)
        ;
    if (!own)
        return sbx_rule_protect(m, directory);
    st = sbx_rule_add(m, directory, SBX_RECORD_SHUT);
    return st == SBX_OK ? sbx_place_list(&m->places, directory, close_one, m) : st;
}

/* The kind of the root of git's that a git directory is, where a commit found it out of the user's (outside.h), or 0. */
static uint32_t away(const sbx_rule_maker *m, const char *git)
{
    const char *rest;
    const sbx_root *root = sbx_place_root(&m->places, git, &rest);

    return root && sbx_sid_is_git(&root->sid) ? root->kind : 0;
}

/* A directory that a commit writes in stays one, whose name leads nowhere else. */
static sbx_status pin(sbx_rule_maker *m, const char *directory)
{
    const char *end, *path;
    sbx_object what;
    sbx_rule *rule;
    sbx_status st = sbx_rule_follow(m, directory, &what, &end);

    if (st != SBX_OK || !end || (what.found && !what.is_directory))
        return st;
    st = sbx_rule_add(m, end, SBX_RECORD_HOLD);
    if (sbx_place_root(&m->places, end, &path) == m->root)
        for (rule = m->first; rule; rule = rule->next)
            if (rule->kind == SBX_RECORD_HOLD && sbx_path_equal(rule->path, path))
                rule->git = SBX_RULE_OPEN;
    return st;
}

/* What decides which programs git runs and where it reads; is_whole: and what a commit changes.  is_linked: it is the part
 * of a linked worktree. */
static sbx_status add_parts(sbx_rule_maker *m, const char *git, int is_linked, int is_whole)
{
    enum { COMMON = 1, REPOSITORIES = 2, IF_THERE = 4, WHOLE = 8, PIN = 16, HERE = 32, AWAY = 64 };
    static const struct {
        const char *name;
        int kind;
    } parts[] = {{"hooks", 0},
                 {"config", 0},
                 {"config.worktree", 0},
                 {"info\\attributes", HERE},
                 {"info", AWAY},
                 {"objects\\info\\alternates", HERE | COMMON}, /* may name another machine */
                 {"objects\\info", AWAY | COMMON},
                 {"commondir", 0}, /* missing it would be the command's to make, empty an error to git */
                 {"modules", REPOSITORIES},
                 {"worktrees", REPOSITORIES | COMMON},
                 {"gitdir", IF_THERE}, /* a guard would turn a repository into a linked worktree */
                 {"objects", PIN | COMMON},
                 {"refs", PIN | COMMON},
                 {"logs", PIN},
                 {"objects", IF_THERE | WHOLE},
                 {"refs", IF_THERE | WHOLE},
                 {"logs", IF_THERE | WHOLE},
                 {"HEAD", IF_THERE | WHOLE},
                 {"packed-refs", IF_THERE | WHOLE},
                 {"index", IF_THERE | WHOLE},
                 {"shallow", IF_THERE | WHOLE}};
    const char *hooks = in(m, git, "hooks");
    const int skipped = (is_linked ? COMMON : 0) | (is_whole ? PIN : WHOLE) | (away(m, git) ? HERE : AWAY);
    size_t i;
    sbx_status st = hooks ? SBX_OK : sbx_fail_memory(m->places.err);

    m->git = SBX_RULE_IN_REPOSITORY;
    for (i = 0; i < sizeof(parts) / sizeof(parts[0]) && st == SBX_OK; i++) {
        const char *part = in(m, git, parts[i].name);
        sbx_object what = {.found = 1};

        if (parts[i].kind & skipped)
            continue;
        if (!part)
            st = sbx_fail_memory(m->places.err);
        else if (parts[i].kind & IF_THERE)
            st = sbx_place_look(&m->places, part, &what);
        if (st == SBX_OK && what.found)
            st = parts[i].kind & REPOSITORIES ? close_others(m, part)
                 : parts[i].kind & PIN        ? pin(m, part)
                                              : sbx_rule_protect(m, part);
    }
    if (st == SBX_OK)
        st = sbx_place_list(&m->places, hooks, protect_link, m);
    m->git = 0;
    return st;
}

/* Out of the user's roots nothing can be made in a repository that a linked worktree has in common with others: what is not
 * there needs no guard. */
static sbx_status add_enclosed(sbx_rule_maker *m, const char *git)
{
    static const char *const parts[] = {"hooks",     "config", "config.worktree", "info",
                                        "commondir", "HEAD",   "logs\\HEAD",      "objects\\info"};
    sbx_status st = SBX_OK;
    size_t i;

    m->git = SBX_RULE_IN_REPOSITORY;
    for (i = 0; i < sizeof(parts) / sizeof(parts[0]) && st == SBX_OK; i++) {
        const char *part = in(m, git, parts[i]), *rest;
        sbx_object what;

        st = part ? sbx_place_look(&m->places, part, &what) : sbx_fail_memory(m->places.err);
        if (st == SBX_OK && (what.found || sbx_place_root(&m->places, part, &rest)->kind == SBX_RECORD_GROW))
            st = sbx_rule_protect(m, part);
    }
    m->git = 0;
    return st;
}

static sbx_status add_directory(sbx_rule_maker *m, const char *git, int is_linked, const contents *c)
{
    if (m->looking)
        return SBX_OK;
    if (away(m, git) == SBX_RECORD_ENCLOSE)
        return add_enclosed(m, git);
    if (m->policy->git == SBX_GIT_COMMIT)
        return add_parts(m, git, is_linked, 0);
    return holds_root(m, git) ? add_parts(m, git, is_linked, 1) : add_whole(m, git, c);
}

/* ---- Pointers ------------------------------------------------------------------- */

static sbx_status refuse_unknown(sbx_rule_maker *m, const char *file, const char *says)
{
    sbx_fail(m->places.err, SBX_E_REFUSED, "protect the repository that it points to", file);
    sbx_hint(m->places.err,
             "it says \"%.200s\", which may be anywhere; write it relative to the file or as C:\\FOLDER, or use "
             "`--git write`",
             says);
    return SBX_E_REFUSED;
}

/* A commit needs what is out of the roots: only the user can say that it may be written. */
static sbx_status out_of_roots(sbx_rule_maker *m, const char *file, const char *target, int is_nested)
{
    if (m->looking || m->policy->git != SBX_GIT_COMMIT || holds_root(m, target))
        return SBX_OK;
    if (!is_nested)
        return sbx_outside_refuse(&m->places, file, target, NULL);
    if (sbx_path_is_below(file, m->root->path))
        sbx_host_note(SBX_NOTE_GAP, file, "a commit there takes `--writable \"%s\"`",
                      sbx_outside_common(&m->places, target));
    return SBX_OK;
}

/* For a commit; own ones are gathered first, and told when the rules are made. */
static sbx_status judge_own(sbx_rule_maker *m, const char *git, const char *file)
{
    const char *rest;
    uint32_t names;
    sbx_status st;

    if (!m->looking && sbx_place_root(&m->places, git, &rest) != m->root)
        return SBX_OK;
    st = sbx_gitfile_names_back(&m->places, git, file, &names);
    if (st == SBX_OK && m->looking)
        return names == SBX_GITFILE_NAMES_IT ? put_in(m, &m->own, git) : SBX_OK;
    if (st == SBX_OK && names == SBX_GITFILE_NAMES_IT && !away(m, git)) /* else told with its root */
        sbx_host_note(SBX_NOTE_GRANT, git, "open for commits, but for hooks, config and pointers");
    if (st == SBX_OK && names == SBX_GITFILE_NAMES_ANOTHER)
        sbx_host_note(SBX_NOTE_GRANT, git, "closed for commits: it does not name %s, which names it", file);
    return st;
}

/* The directory that others have in common with this one. */
static sbx_status add_common(sbx_rule_maker *m, const char *common)
{
    const char *end;
    sbx_object what;
    contents c;
    sbx_status st = sbx_rule_follow(m, common, &what, &end);

    if (st != SBX_OK || !end)
        return st;
    st = look_into(m, end, &c);
    return st == SBX_OK ? add_directory(m, end, 0, &c) : st;
}

/* A git directory and the one that it has in common with others.  file: the `.git` file that names it, or NULL. */
static sbx_status add_with_common(sbx_rule_maker *m, const char *git, const char *file, int is_nested)
{
    const char *pointer = in(m, git, "commondir"), *common;
    sbx_gitfile says = {.count = 0};
    contents c;
    uint32_t i;
    int is_linked = 0;
    sbx_status st = pointer ? look_into(m, git, &c) : sbx_fail_memory(m->places.err);

    if (st == SBX_OK && c.has_commondir)
        st = sbx_gitfile_read(&m->places, pointer, "", &says);
    for (i = 0; st == SBX_OK && i < says.count; i++) {
        const uint32_t where = sbx_place_find(&m->places, git, says.says[i], &common);

        if (where == SBX_PLACE_UNKNOWN)
            return refuse_unknown(m, pointer, says.says[i]);
        if (where == SBX_PLACE_NOTHING || sbx_path_equal(common, git))
            continue;
        is_linked = 1;
        if (where == SBX_PLACE_OUT)
            st = out_of_roots(m, pointer, common, is_nested);
        if (st == SBX_OK)
            st = add_common(m, common);
    }
    if (st == SBX_OK && file && m->policy->git == SBX_GIT_COMMIT)
        st = judge_own(m, git, file);
    return st == SBX_OK ? add_directory(m, git, is_linked, &c) : st;
}

static sbx_status add_pointed(sbx_rule_maker *m, const char *file, int is_nested)
{
    const char *folder = parent_of(m, file), *target, *end;
    sbx_gitfile says;
    sbx_object what;
    uint32_t i;
    sbx_status st = folder ? sbx_gitfile_read(&m->places, file, "gitdir:", &says) : sbx_fail_memory(m->places.err);

    for (i = 0; st == SBX_OK && i < says.count; i++) {
        const uint32_t where = sbx_place_find(&m->places, folder, says.says[i], &target);

        if (where == SBX_PLACE_UNKNOWN)
            return refuse_unknown(m, file, says.says[i]);
        if (where == SBX_PLACE_NOTHING)
            continue;
        if (where == SBX_PLACE_OUT) {
            st = out_of_roots(m, file, target, is_nested);
            if (st == SBX_OK && holds_root(m, target))
                st = add_common(m, target);
            continue;
        }
        st = sbx_rule_follow(m, target, &what, &end);
        if (st == SBX_OK && end)
            st = what.is_directory ? add_with_common(m, end, file, is_nested) : add_name(m, end);
    }
    return st;
}

/* ---- One repository ----------------------------------------------------------------- */

sbx_status sbx_repository_add_directory(sbx_rule_maker *m, const char *git)
{
    return add_with_common(m, git, NULL, 0);
}

sbx_status sbx_repository_add(sbx_rule_maker *m, const char *git, int is_nested)
{
    const char *head = in(m, git, "HEAD"), *end = NULL;
    sbx_object what, first = {.found = 1};
    sbx_status st;

    if (is_in(m->done, git))
        return SBX_OK;
    st = head ? put_in(m, &m->done, git) : sbx_fail_memory(m->places.err);
    if (st == SBX_OK)
        st = sbx_rule_follow(m, git, &what, &end);
    if (st == SBX_OK && is_nested && what.is_directory)
        st = sbx_place_look(&m->places, head, &first);
    if (st != SBX_OK || !end || (is_nested && (!what.found || !first.found)))
        return st;
    if (what.is_directory)
        return add_with_common(m, end, NULL, is_nested);
    /* without a repository there is nothing to commit to, and one made by the command would have its own hooks */
    st = add_name(m, end);
    return st == SBX_OK && what.found ? add_pointed(m, end, is_nested) : st;
}
