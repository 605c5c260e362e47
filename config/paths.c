#include "config/paths.h"

#include <string.h>

#include "base/path.h"

static sbx_status refuse(const sbx_maker *maker, const sbx_item *item, const char *path, const char *why,
                         const char *hint)
{
    sbx_problem problem;

    sbx_problem_set(&problem, 0, 0, "%.200s %s", path, why);
    if (hint)
        sbx_problem_hint(&problem, "%s", hint);
    return sbx_item_fail(item, &problem, maker->diag);
}

static sbx_status add_path(sbx_maker *maker, sbx_paths *to, const char *path, const char *origin)
{
    uint32_t i;

    if (!path || !origin)
        return sbx_diag_memory(maker->diag);
    for (i = 0; i < to->count; i++)
        if (sbx_path_equal(to->paths[i], path))
            return SBX_OK;
    if (to->count == to->size) {
        uint32_t size = to->size ? to->size * 2 : 16;
        const char **paths = sbx_arena_alloc(&maker->plan->arena, size * sizeof(*paths));
        const char **origins = sbx_arena_alloc(&maker->plan->arena, size * sizeof(*origins));

        if (!paths || !origins)
            return sbx_diag_memory(maker->diag);
        for (i = 0; i < to->count; i++) {
            paths[i] = to->paths[i];
            origins[i] = to->origins[i];
        }
        to->paths = paths;
        to->origins = origins;
        to->size = size;
    }
    to->paths[to->count] = path;
    to->origins[to->count++] = origin;
    return SBX_OK;
}

static const char *origin_of(sbx_maker *maker, const sbx_item *item)
{
    sbx_text text = {0};
    const char *origin;

    sbx_source_origin(item->source, &item->span, &text);
    origin = text.failed ? NULL : sbx_arena_strdup(&maker->plan->arena, text.data);
    sbx_text_fini(&text);
    return origin;
}

static sbx_status expand(sbx_maker *maker, const sbx_item *item, const char **text)
{
    sbx_problem problem;
    sbx_status st = sbx_variables_expand(&maker->plan->arena, &maker->scope, item->text, text, &problem);

    if (st == SBX_E_CONFIG)
        return sbx_item_fail(item, &problem, maker->diag);
    return st == SBX_OK ? st : sbx_diag_memory(maker->diag);
}

/* One spelling of a path that a person gave; only folders and files of local drives. */
static sbx_status resolve(sbx_maker *maker, const sbx_item *item, const char *text, const char *base, const char **path)
{
    char *made;
    const char *why;

    if (!text[0])
        return refuse(maker, item, "\"\"", "is empty when its variables are replaced", NULL);
    if (sbx_path_kind(text) == SBX_PATH_DRIVE_RELATIVE)
        return refuse(maker, item, text, "depends on the current directory of a drive",
                      "write a backslash behind the colon");
    made = sbx_path_join(&maker->plan->arena, base, text);
    if (!made)
        return sbx_diag_memory(maker->diag);
    switch (sbx_path_kind(made)) {
    case SBX_PATH_DRIVE:
        break;
    case SBX_PATH_UNC:
    case SBX_PATH_VERBATIM_UNC:
        return refuse(maker, item, made, "is on the network", "only paths on local drives can be used here");
    default:
        return refuse(maker, item, made, "is a device path or cannot be made plain", "write it as C:\\FOLDER");
    }
    why = sbx_path_problem(made, NULL);
    if (why)
        return refuse(maker, item, made, why, NULL);
    if (sbx_path_stream(made))
        return refuse(maker, item, made, "names a stream, not a file or folder", NULL);
    *path = made;
    return SBX_OK;
}

sbx_status sbx_paths_key(sbx_maker *maker, const char *key, const char *base, const char **path)
{
    const sbx_item *item = &sbx_config_setting(maker->config, key)->items[0];
    const char *text;
    sbx_status st = expand(maker, item, &text);

    return st == SBX_OK ? resolve(maker, item, text, base, path) : st;
}

/* ---- writable roots ---- */

static char *below(sbx_maker *maker, const char *folder, const char *name)
{
    return folder ? sbx_path_join(&maker->plan->arena, folder, name) : NULL;
}

static const char name_workspace[] = "start sbx in the folder of your project, or name it with --workspace";

static sbx_status check_root(sbx_maker *maker, const sbx_item *item, const char *root)
{
    const sbx_facts *facts = maker->facts;
    const char *own[5], *folder;
    size_t i;

    if (strlen(root) <= sbx_path_root_length(root))
        return refuse(maker, item, root, "is the root of a volume and cannot be writable",
                      item->source->rank ? "name a folder in it" : name_workspace);
    if (facts->user_profile) {
        folder = sbx_path_normalise(&maker->plan->arena, facts->user_profile);
        if (!folder)
            return sbx_diag_memory(maker->diag);
        if (sbx_path_is_below(folder, root))
            return refuse(maker, item, root, "holds the whole user profile and cannot be writable", name_workspace);
    }
    own[0] = facts->windows_dir;
    own[1] = facts->state_dir;
    own[2] = below(maker, facts->program_data, "sbx");
    own[3] = below(maker, facts->roaming_app_data, "sbx");
    own[4] = facts->program_dir;
    if ((facts->program_data && !own[2]) || (facts->roaming_app_data && !own[3]))
        return sbx_diag_memory(maker->diag);
    for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (!own[i])
            continue;
        folder = sbx_path_normalise(&maker->plan->arena, own[i]);
        if (!folder)
            return sbx_diag_memory(maker->diag);
        if (sbx_path_is_below(root, folder))
            return refuse(maker, item, root,
                          i ? "lies in a folder of sbx itself and cannot be writable"
                            : "lies in the Windows folder and cannot be writable",
                          NULL);
        if (!sbx_path_is_below(folder, root))
            continue;
        if (i < 4)
            return refuse(maker, item, root,
                          i ? "holds a folder of sbx itself and cannot be writable"
                            : "holds the Windows folder and cannot be writable",
                          NULL);
        if (add_path(maker, &maker->guarded, folder, "the folder of sbx") != SBX_OK)
            return SBX_E_MEMORY;
    }
    return SBX_OK;
}

static sbx_status make_roots(sbx_maker *maker)
{
    const sbx_setting *writable = sbx_config_setting(maker->config, "filesystem.writable");
    const char *text, *path = NULL, *origin;
    uint32_t i, j;
    sbx_status st;

    for (i = 0; i < writable->count; i++) {
        const sbx_item *item = &writable->items[i];

        if ((st = expand(maker, item, &text)) != SBX_OK ||
            (st = resolve(maker, item, text, maker->workspace, &path)) != SBX_OK ||
            (st = check_root(maker, item, path)) != SBX_OK)
            return st;
        origin = origin_of(maker, item);
        /* the workspace stands first, so that it is the first root */
        if ((st = add_path(maker, &maker->all_roots, path, origin)) != SBX_OK)
            return st;
        if (sbx_path_equal(path, maker->workspace) && maker->all_roots.count > 1)
            for (j = maker->all_roots.count; j-- > 1;)
                if (sbx_path_equal(maker->all_roots.paths[j], path)) {
                    maker->all_roots.paths[j] = maker->all_roots.paths[0];
                    maker->all_roots.origins[j] = maker->all_roots.origins[0];
                    maker->all_roots.paths[0] = path;
                    maker->all_roots.origins[0] = origin;
                }
    }
    /* one inside another adds nothing */
    for (i = 0; i < maker->all_roots.count; i++) {
        for (j = 0; j < maker->all_roots.count; j++)
            if (i != j && sbx_path_is_below(maker->all_roots.paths[i], maker->all_roots.paths[j]))
                break;
        st = add_path(maker, j == maker->all_roots.count ? &maker->roots : &maker->inner, maker->all_roots.paths[i],
                      maker->all_roots.origins[i]);
        if (st != SBX_OK)
            return st;
    }
    return SBX_OK;
}

/* ---- protected paths ---- */

static int in_roots(const sbx_maker *maker, const char *path)
{
    uint32_t i;

    for (i = 0; i < maker->roots.count; i++)
        if (sbx_path_is_below(path, maker->roots.paths[i]))
            return 1;
    return 0;
}

static sbx_status protect(sbx_maker *maker, const sbx_item *item, const char *path, const char *origin)
{
    uint32_t i;

    for (i = 0; i < maker->all_roots.count; i++)
        if (sbx_path_is_below(maker->all_roots.paths[i], path))
            return refuse(maker, item, path, "is to be protected, but a writable folder is the same or lies in it",
                          "take one of the two out of the configuration");
    return add_path(maker, &maker->guarded, path, origin);
}

static sbx_status warn(sbx_maker *maker, const char *sentence)
{
    return sentence ? add_path(maker, &maker->warnings, sentence, "") : sbx_diag_memory(maker->diag);
}

/* It has none of what a folder of work has, and what decides in it lies directly in it. */
static int is_git_directory(const char *root)
{
    return sbx_path_equal(sbx_path_name(root), ".git");
}

static sbx_status protect_item(sbx_maker *maker, const sbx_item *item)
{
    const char *text, *path, *origin = origin_of(maker, item);
    uint32_t i, kind;
    sbx_status st = expand(maker, item, &text);

    if (st != SBX_OK)
        return st;
    if (!origin)
        return sbx_diag_memory(maker->diag);
    kind = sbx_path_kind(text);
    if (kind != SBX_PATH_RELATIVE) {
        st = resolve(maker, item, text, maker->workspace, &path);
        if (st != SBX_OK)
            return st;
        if (in_roots(maker, path))
            return protect(maker, item, path, origin);
        return maker->roots.count
                   ? warn(maker,
                          sbx_arena_printf(&maker->plan->arena,
                                           "%s (%s) is outside of every writable folder; it is not writable anyway",
                                           path, origin))
                   : SBX_OK;
    }
    for (i = 0; i < maker->roots.count && st == SBX_OK; i++) {
        if (is_git_directory(maker->roots.paths[i]))
            continue;
        st = resolve(maker, item, text, maker->roots.paths[i], &path);
        if (st == SBX_OK && !sbx_path_is_below(path, maker->roots.paths[i]))
            st = refuse(maker, item, text, "leads out of the writable folder", NULL);
        if (st == SBX_OK)
            st = protect(maker, item, path, origin);
    }
    return st;
}

static sbx_status protect_git(sbx_maker *maker)
{
    static const char *const all[] = {".git", NULL}, *const commit[] = {".git\\hooks", ".git\\config", NULL};
    static const char *const inside[] = {"hooks", "config", NULL};
    const sbx_item *item = &sbx_config_setting(maker->config, "filesystem.git")->items[0];
    const char *const *names, *origin = origin_of(maker, item), *path;
    uint32_t i;
    sbx_status st = SBX_OK;

    if (maker->plan->policy.git == SBX_GIT_WRITE)
        return SBX_OK;
    for (i = 0; i < maker->roots.count; i++)
        for (names = is_git_directory(maker->roots.paths[i])     ? inside
                     : maker->plan->policy.git == SBX_GIT_COMMIT ? commit
                                                                 : all;
             *names && st == SBX_OK; names++)
            if (!(path = below(maker, maker->roots.paths[i], *names)))
                st = sbx_diag_memory(maker->diag);
            else
                st = protect(maker, item, path, origin);
    return st;
}

static sbx_status make_protected(sbx_maker *maker)
{
    const sbx_setting *list = sbx_config_setting(maker->config, "filesystem.protected");
    sbx_status st = SBX_OK;
    const char *file, *path;
    uint32_t i;

    for (i = 0; i < list->count && st == SBX_OK; i++)
        if (list->items[i].source->rank)
            st = protect_item(maker, &list->items[i]);
    for (i = 0; st == SBX_OK && (file = sbx_config_file(maker->config, i)); i++) {
        path = sbx_path_join(&maker->plan->arena, maker->facts->cwd, file);
        if (!path)
            st = sbx_diag_memory(maker->diag);
        else if (in_roots(maker, path))
            st = add_path(maker, &maker->guarded, path, "configuration of this launch");
    }
    maker->plan->policy.protected_asked = maker->guarded.count;
    if (st == SBX_OK)
        st = protect_git(maker);
    for (i = 0; i < list->count && st == SBX_OK; i++)
        if (!list->items[i].source->rank)
            st = protect_item(maker, &list->items[i]);
    return st;
}

static sbx_status make_list(sbx_maker *maker, const char *key, sbx_paths *to)
{
    const sbx_setting *list = sbx_config_setting(maker->config, key);
    const char *text, *path;
    sbx_status st = SBX_OK;
    uint32_t i;

    for (i = 0; i < list->count && st == SBX_OK; i++)
        if ((st = expand(maker, &list->items[i], &text)) == SBX_OK &&
            (st = resolve(maker, &list->items[i], text, maker->workspace, &path)) == SBX_OK)
            st = add_path(maker, to, path, origin_of(maker, &list->items[i]));
    return st;
}

sbx_status sbx_paths_make(sbx_maker *maker)
{
    sbx_status st = make_roots(maker);

    if (st == SBX_OK)
        st = make_protected(maker);
    if (st == SBX_OK)
        st = make_list(maker, "filesystem.deny_read", &maker->hidden);
    return st == SBX_OK ? make_list(maker, "filesystem.readable", &maker->readable) : st;
}
