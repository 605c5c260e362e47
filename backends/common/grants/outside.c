#include "common/grants/outside.h"

#include "base/path.h"
#include "base/text.h"
#include "common/grants/way.h"
#include "common/host.h"
#include "win/error.h"
#include "win/handle.h"

typedef struct finder {
    sbx_places places; /* the user's roots, and after them the one that is looked at */
    sbx_root *roots;
    uint32_t users, room, *count;
    int dry, is_loaded;
    sbx_ledger ledger;
} finder;

static const char *parent_of(const sbx_places *p, const char *place)
{
    return sbx_arena_strndup(p->arena, place, sbx_path_parent_length(place));
}

/* The repository of a linked worktree, if a directory is at the place of one. */
static const char *common_of(const sbx_places *p, const char *git)
{
    const char *up = parent_of(p, git);

    return up && sbx_path_equal(sbx_path_name(up), "worktrees") ? parent_of(p, up) : NULL;
}

const char *sbx_outside_common(const sbx_places *places, const char *git)
{
    const char *common = common_of(places, git);

    return common ? common : git;
}

sbx_status sbx_outside_refuse(const sbx_places *places, const char *file, const char *target, const char *why)
{
    sbx_fail(places->err, SBX_E_REFUSED, "git = \"commit\": the repository is in no writable folder", file);
    sbx_hint(places->err, "add `--writable \"%s\"`, or use `--git protect`%s%s", sbx_outside_common(places, target),
             why ? ": " : "", why ? why : "");
    return SBX_E_REFUSED;
}

/* ---- What may be followed --------------------------------------------------------- */

static int is_followed(const sbx_places *p, const char *folder, const char *says, const char **target)
{
    const uint32_t where = sbx_place_find(p, folder, says, target);

    return where == SBX_PLACE_OUT || where == SBX_PLACE_IN;
}

static int is_written_by_user(const sbx_root *root, const char *file)
{
    return !sbx_way_is_open(root->path) && !sbx_way_is_open(file);
}

static sbx_status load_once(finder *f)
{
    const sbx_status st = f->is_loaded ? SBX_OK : sbx_ledger_load(&f->ledger, f->places.err);

    f->is_loaded = st == SBX_OK;
    return st;
}

/* Whether the file of a root says what no command can have written. */
static int is_trusted(const finder *f, const sbx_root *root, const char *file, const char *target)
{
    const sbx_ledger_root *known = sbx_ledger_find(&f->ledger, &root->sid);
    const sbx_ledger_path *path;

    if (!known)
        return is_written_by_user(root, file);
    for (path = known->paths; path; path = path->next)
        if (path->kind == SBX_RECORD_POINTER && sbx_path_equal(path->path, target))
            return 1;
    return 0;
}

sbx_status sbx_outside_record(const sbx_places *places, const sbx_root *root, sbx_ledger *ledger)
{
    const char *file = sbx_arena_printf(places->arena, "%s\\.git", root->path), *target;
    sbx_ledger_entry entries[SBX_GITFILE_READINGS];
    uint32_t i, count = 0;
    sbx_gitfile says;
    sbx_status st;

    if (sbx_sid_is_git(&root->sid) || sbx_ledger_find(ledger, &root->sid))
        return SBX_OK;
    st = file ? sbx_gitfile_read(places, file, "gitdir:", &says) : sbx_fail_memory(places->err);
    for (i = 0; st == SBX_OK && i < says.count; i++)
        if (is_followed(places, root->path, says.says[i], &target))
            entries[count++] = (sbx_ledger_entry){SBX_RECORD_POINTER, 0, target};
    if (st != SBX_OK || !count || !is_written_by_user(root, file))
        return st;
    return sbx_ledger_add(ledger, &root->sid, entries, count, 0, places->err);
}

/* ---- What was opened -------------------------------------------------------------- */

static const char *above(sbx_arena *arena, const char *path)
{
    const char *up = sbx_arena_strndup(arena, path, sbx_path_parent_length(path));

    return up ? up : "";
}

/* Whether a root at `path` is what open_linked or, of a submodule, follow makes for a pointer to `target`. */
static int is_part(sbx_arena *arena, const char *target, const char *path)
{
    static const char *const in_common[] = {"logs", "refs", "objects"};
    const char *up = above(arena, target);
    const int is_linked = sbx_path_equal(sbx_path_name(up), "worktrees");
    const char *common = is_linked ? above(arena, up) : target;
    size_t i;

    if (sbx_path_equal(path, target) || sbx_path_equal(path, common))
        return 1;
    for (i = is_linked ? 0 : 2; i < ARRAYSIZE(in_common); i++)
        if (sbx_path_equal(sbx_path_name(path), in_common[i]) && sbx_path_equal(above(arena, path), common))
            return 1;
    return 0;
}

static int has_part(sbx_arena *arena, const sbx_ledger_root *root, const char *path)
{
    const sbx_ledger_path *pointer;

    for (pointer = root->paths; pointer; pointer = pointer->next)
        if (pointer->kind == SBX_RECORD_POINTER && is_part(arena, pointer->path, path))
            return 1;
    return 0;
}

uint32_t sbx_outside_parts(sbx_ledger *ledger, const sbx_ledger_root *of,
                           const sbx_ledger_root *parts[SBX_OUTSIDE_PARTS])
{
    const sbx_ledger_root *root, *other;
    uint32_t count = 0;

    for (root = ledger->roots; root && count < SBX_OUTSIDE_PARTS; root = root->next) { /* the newest first */
        if (!sbx_sid_is_git(&root->sid) || sbx_sid_is_git(&of->sid) || !has_part(&ledger->arena, of, root->path))
            continue;
        for (other = ledger->roots; other; other = other->next)
            if (other != of && !sbx_sid_is_git(&other->sid) && has_part(&ledger->arena, other, root->path))
                break;
        if (!other)
            parts[count++] = root;
    }
    return count;
}

/* ---- What is opened ----------------------------------------------------------------- */

/* path: final, so that a link which took the place of something on it is noticed. */
static sbx_status open_part(finder *f, const char *path, uint32_t kind)
{
    sbx_root *root = &f->roots[*f->count];
    uint32_t i;
    sbx_status st;

    if (*f->count == f->room)
        return sbx_fail(f->places.err, SBX_E_REFUSED, "too many writable roots", path);
    st = sbx_root_open(path, root, f->places.err);
    if (st == SBX_OK && !sbx_path_equal(root->path, path))
        st = sbx_fail(f->places.err, SBX_E_REFUSED, "it changed while it was opened", path);
    if (st != SBX_OK) {
        sbx_root_close(root);
        return st;
    }
    root->kind = kind;
    sbx_sid_set_tag(&root->sid, kind == SBX_RECORD_ENCLOSE ? SBX_SID_TAG_REPOSITORY : SBX_SID_TAG_GIT);
    for (i = f->users; i < *f->count; i++)
        if (sbx_path_equal(f->roots[i].path, path)) {
            if (f->roots[i].kind != kind)
                st = sbx_fail(f->places.err, SBX_E_REFUSED, "open it for two writable folders at once", path);
            sbx_root_close(root);
            return st;
        }
    ++*f->count;
    return SBX_OK;
}

static sbx_status open_in(finder *f, const char *git, const char *name, uint32_t kind)
{
    const char *path = sbx_arena_printf(f->places.arena, "%s\\%s", git, name);

    return path ? open_part(f, path, kind) : sbx_fail_memory(f->places.err);
}

/* git makes it with the first commit of a worktree, in a directory where a command can make nothing. */
static sbx_status open_logs(finder *f, const char *common, const sbx_root *enclosing)
{
    static const WCHAR name[] = L"logs";
    HANDLE made = NULL;
    NTSTATUS status;

    if (f->dry && SBX_NT_GONE(sbx_nt_child(enclosing->handle, name, ARRAYSIZE(name) - 1, FILE_READ_ATTRIBUTES,
                                           FILE_OPEN, 0, NULL, &made)))
        return SBX_OK;
    if (!f->dry) {
        status = sbx_nt_child(enclosing->handle, name, ARRAYSIZE(name) - 1, FILE_READ_ATTRIBUTES | SYNCHRONIZE,
                              FILE_CREATE, FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT, NULL, &made);
        if (!SBX_NT_OK(status) && status != SBX_NT_NAME_COLLISION)
            return sbx_fail_nt(f->places.err, SBX_E_SYSTEM, status, "NtCreateFile", common);
    }
    sbx_handle_close(&made);
    return open_in(f, common, "logs", SBX_RECORD_GRANT);
}

static sbx_status open_linked(finder *f, const char *common)
{
    const sbx_root *enclosing = &f->roots[*f->count];
    sbx_status st = open_part(f, common, SBX_RECORD_ENCLOSE);

    if (st == SBX_OK && enclosing->handle)
        st = open_logs(f, common, enclosing);
    if (st == SBX_OK)
        st = open_in(f, common, "refs", SBX_RECORD_GRANT);
    return st == SBX_OK ? open_in(f, common, "objects", SBX_RECORD_GROW) : st;
}

/* *common: the directory that others have in common with this one, itself where it says nothing, NULL where that cannot be. */
static sbx_status find_common(finder *f, const char *git, const char **common)
{
    const char *pointer = sbx_arena_printf(f->places.arena, "%s\\commondir", git), *one;
    const char *expected = common_of(&f->places, git);
    sbx_gitfile says;
    uint32_t i;
    sbx_status st = pointer ? sbx_gitfile_read(&f->places, pointer, "", &says) : sbx_fail_memory(f->places.err);

    *common = git;
    for (i = 0; st == SBX_OK && i < says.count && *common; i++) {
        const int is_there = is_followed(&f->places, git, says.says[i], &one);

        if (is_there && expected && sbx_path_equal(one, expected))
            *common = expected;
        else if (!is_there || !sbx_path_equal(one, git) || i)
            *common = NULL;
    }
    return st;
}

/* *why: it may not be followed; else *common. */
static sbx_status judge(finder *f, const sbx_root *root, const char *file, const char *target, const char **common,
                        const char **why)
{
    uint32_t names = SBX_GITFILE_NAMES_NONE;
    sbx_status st = open_part(f, target, SBX_RECORD_GRANT);

    if (st != SBX_OK)
        return st;
    /* the place of the file is found among the user's roots, and what it names is looked into as the one after them */
    f->places.count = *f->count;
    st = sbx_gitfile_names_back(&f->places, target, file, &names);
    if (st == SBX_OK)
        st = find_common(f, target, common);
    f->places.count = f->users;
    if (st != SBX_OK)
        return st;
    if (names != SBX_GITFILE_NAMES_IT)
        *why = "it does not name this folder";
    else if (!*common)
        *why = "what it has in common with others is in an unusual place";
    else if ((st = load_once(f)) == SBX_OK && !is_trusted(f, root, file, target))
        *why = "a command of an earlier run may have written the .git file";
    return st;
}

static sbx_status follow(finder *f, const sbx_root *root, const char *file, const char *target)
{
    const char *common = NULL, *why = NULL;
    sbx_status st = judge(f, root, file, target, &common, &why);

    if (st != SBX_OK)
        return st;
    if (why)
        return sbx_outside_refuse(&f->places, file, target, why);
    return sbx_path_equal(common, target) ? open_in(f, target, "objects", SBX_RECORD_GROW) : open_linked(f, common);
}

static int holds_root(const finder *f, const char *directory)
{
    uint32_t i;

    for (i = 0; i < f->users; i++)
        if (sbx_path_is_below(f->roots[i].path, directory))
            return 1;
    return 0;
}

static sbx_status look_at(finder *f, const sbx_root *root)
{
    const char *file = sbx_arena_printf(f->places.arena, "%s\\.git", root->path), *target;
    sbx_gitfile says;
    uint32_t i;
    sbx_status st = file ? sbx_gitfile_read(&f->places, file, "gitdir:", &says) : sbx_fail_memory(f->places.err);

    for (i = 0; st == SBX_OK && i < says.count; i++)
        if (sbx_place_find(&f->places, root->path, says.says[i], &target) == SBX_PLACE_OUT && !holds_root(f, target))
            st = follow(f, root, file, target);
    return st;
}

const char *sbx_outside_repository(const sbx_root *root, sbx_arena *arena)
{
    const char *file = sbx_arena_printf(arena, "%s\\.git", root->path), *target, *common = NULL, *why = NULL;
    sbx_root roots[2] = {*root};
    uint32_t count = 1;
    finder f = {.places = {roots, 1, arena, NULL}, .roots = roots, .users = 1, .room = 2, .count = &count};
    sbx_gitfile says;

    if (file && sbx_gitfile_read(&f.places, file, "gitdir:", &says) == SBX_OK && says.count == 1 &&
        sbx_place_find(&f.places, root->path, says.says[0], &target) == SBX_PLACE_OUT &&
        judge(&f, root, file, target, &common, &why) == SBX_OK && why)
        common = NULL;
    sbx_root_close(&roots[1]);
    sbx_ledger_fini(&f.ledger);
    return common;
}

sbx_status sbx_outside_open(const sbx_policy *policy, sbx_root *roots, uint32_t *count, uint32_t room, int dry,
                            sbx_error *err)
{
    sbx_arena arena = {NULL};
    finder f = {.places = {roots, *count, &arena, err}, .roots = roots, .users = *count, .room = room, .count = count};
    uint32_t i;
    sbx_status st = SBX_OK;

    f.dry = dry;
    for (i = 0; i < f.users && st == SBX_OK && policy->git == SBX_GIT_COMMIT; i++)
        st = look_at(&f, &roots[i]);
    sbx_ledger_fini(&f.ledger);
    sbx_arena_fini(&arena);
    return st;
}
