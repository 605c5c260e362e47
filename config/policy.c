#include "config/policy.h"

#include <string.h>

#include "base/path.h"
#include "config/edits.h"
#include "config/setting.h"

/* Paths that grow, each with its origin. */
struct paths {
    const char **paths, **origins;
    uint32_t count, size;
};

struct maker {
    const sbx_config *config;
    const sbx_facts *facts;
    sbx_plan *plan;
    sbx_diag *diag;
    sbx_scope scope;
    const char *workspace;
    struct paths roots, all_roots, guarded, hidden, warnings;
};

static sbx_status refuse(const struct maker *maker, const sbx_item *item, const char *path, const char *why,
                         const char *hint)
{
    sbx_problem problem;

    sbx_problem_set(&problem, 0, 0, "%.200s %s", path, why);
    if (hint)
        sbx_problem_hint(&problem, "%s", hint);
    return sbx_item_fail(item, &problem, maker->diag);
}

static sbx_status add_path(struct maker *maker, struct paths *to, const char *path, const char *origin)
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

static const char *origin_of(struct maker *maker, const sbx_item *item)
{
    sbx_text text = {0};
    const char *origin;

    sbx_source_origin(item->source, &item->span, &text);
    origin = text.failed ? NULL : sbx_arena_strdup(&maker->plan->arena, text.data);
    sbx_text_fini(&text);
    return origin;
}

static sbx_status expand(struct maker *maker, const sbx_item *item, const char **text)
{
    sbx_problem problem;
    sbx_status st = sbx_variables_expand(&maker->plan->arena, &maker->scope, item->text, text, &problem);

    if (st == SBX_E_CONFIG)
        return sbx_item_fail(item, &problem, maker->diag);
    return st == SBX_OK ? st : sbx_diag_memory(maker->diag);
}

/* One spelling of a path that a person gave; only folders and files of local drives. */
static sbx_status resolve(struct maker *maker, const sbx_item *item, const char *text, const char *base,
                          const char **path)
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

static sbx_status resolve_key(struct maker *maker, const char *key, const char *base, const char **path)
{
    const sbx_item *item = &sbx_config_setting(maker->config, key)->items[0];
    const char *text;
    sbx_status st = expand(maker, item, &text);

    return st == SBX_OK ? resolve(maker, item, text, base, path) : st;
}

/* ---- writable roots ---- */

static char *below(struct maker *maker, const char *folder, const char *name)
{
    return folder ? sbx_path_join(&maker->plan->arena, folder, name) : NULL;
}

static sbx_status check_root(struct maker *maker, const sbx_item *item, const char *root)
{
    const sbx_facts *facts = maker->facts;
    const char *own[5], *folder;
    size_t i;

    if (strlen(root) <= sbx_path_root_length(root))
        return refuse(maker, item, root, "is the root of a volume and cannot be writable", "name a folder in it");
    if (facts->user_profile) {
        folder = sbx_path_normalise(&maker->plan->arena, facts->user_profile);
        if (!folder)
            return sbx_diag_memory(maker->diag);
        if (sbx_path_is_below(folder, root))
            return refuse(maker, item, root, "holds the whole user profile and cannot be writable",
                          "start sbx in the folder of your project, or name it with --workspace");
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

static sbx_status make_roots(struct maker *maker)
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
        if (j == maker->all_roots.count &&
            (st = add_path(maker, &maker->roots, maker->all_roots.paths[i], maker->all_roots.origins[i])) != SBX_OK)
            return st;
    }
    return SBX_OK;
}

/* ---- protected paths ---- */

static int in_roots(const struct maker *maker, const char *path)
{
    uint32_t i;

    for (i = 0; i < maker->roots.count; i++)
        if (sbx_path_is_below(path, maker->roots.paths[i]))
            return 1;
    return 0;
}

static sbx_status protect(struct maker *maker, const sbx_item *item, const char *path, const char *origin)
{
    uint32_t i;

    for (i = 0; i < maker->all_roots.count; i++)
        if (sbx_path_is_below(maker->all_roots.paths[i], path))
            return refuse(maker, item, path, "is to be protected, but a writable folder is the same or lies in it",
                          "take one of the two out of the configuration");
    return add_path(maker, &maker->guarded, path, origin);
}

static sbx_status warn(struct maker *maker, const char *sentence)
{
    return sentence ? add_path(maker, &maker->warnings, sentence, "") : sbx_diag_memory(maker->diag);
}

static sbx_status protect_item(struct maker *maker, const sbx_item *item)
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
    for (i = 0; i < maker->all_roots.count && st == SBX_OK; i++) {
        st = resolve(maker, item, text, maker->all_roots.paths[i], &path);
        if (st == SBX_OK && !sbx_path_is_below(path, maker->all_roots.paths[i]))
            st = refuse(maker, item, text, "leads out of the writable folder", NULL);
        if (st == SBX_OK)
            st = protect(maker, item, path, origin);
    }
    return st;
}

static sbx_status protect_git(struct maker *maker)
{
    static const char *const protect_all[] = {".git", NULL}, *const commit[] = {".git\\hooks", ".git\\config", NULL};
    const sbx_item *item = &sbx_config_setting(maker->config, "filesystem.git")->items[0];
    const char *const *names, *origin = origin_of(maker, item), *path;
    uint32_t i;
    sbx_status st = SBX_OK;

    if (maker->plan->policy.git == SBX_GIT_WRITE)
        return SBX_OK;
    for (i = 0; i < maker->all_roots.count; i++)
        for (names = maker->plan->policy.git == SBX_GIT_COMMIT ? commit : protect_all; *names && st == SBX_OK; names++)
            if (!(path = below(maker, maker->all_roots.paths[i], *names)))
                st = sbx_diag_memory(maker->diag);
            else
                st = protect(maker, item, path, origin);
    return st;
}

static sbx_status make_protected(struct maker *maker)
{
    const sbx_setting *list = sbx_config_setting(maker->config, "filesystem.protected");
    sbx_status st = protect_git(maker);
    const char *file, *path;
    uint32_t i;

    for (i = 0; i < list->count && st == SBX_OK; i++)
        st = protect_item(maker, &list->items[i]);
    for (i = 0; st == SBX_OK && (file = sbx_config_file(maker->config, i)); i++) {
        path = sbx_path_join(&maker->plan->arena, maker->facts->cwd, file);
        if (!path)
            st = sbx_diag_memory(maker->diag);
        else if (in_roots(maker, path))
            st = add_path(maker, &maker->guarded, path, "configuration of this launch");
    }
    return st;
}

static sbx_status make_hidden(struct maker *maker)
{
    const sbx_setting *list = sbx_config_setting(maker->config, "filesystem.deny_read");
    const char *text, *path;
    sbx_status st = SBX_OK;
    uint32_t i;

    for (i = 0; i < list->count && st == SBX_OK; i++)
        if ((st = expand(maker, &list->items[i], &text)) == SBX_OK &&
            (st = resolve(maker, &list->items[i], text, maker->workspace, &path)) == SBX_OK)
            st = add_path(maker, &maker->hidden, path, origin_of(maker, &list->items[i]));
    return st;
}

/* ---- the rest ---- */

static uint32_t word(const struct maker *maker, const char *key)
{
    const char *text = sbx_config_string(maker->config, key, NULL);
    const char *const *words = sbx_schema_find(key)->words;
    uint32_t i;

    for (i = 0; words[i] && strcmp(words[i], text) != 0; i++)
        ;
    return i;
}

static const char *copy(struct maker *maker, const char *text)
{
    return text ? sbx_arena_strdup(&maker->plan->arena, text) : NULL;
}

/* The words of an enum stand in the order of the interface's constants. */
static sbx_status make_values(struct maker *maker)
{
    static const uint32_t areas[] = {SBX_AREA_FILE_WRITE, SBX_AREA_FILE_READ, SBX_AREA_NETWORK, SBX_AREA_PROCESS_TREE,
                                     SBX_AREA_UI};
    const sbx_config *config = maker->config;
    const sbx_setting *setting = sbx_config_setting(config, "require");
    const char *const *words = sbx_schema_find("require")->words;
    sbx_plan *plan = maker->plan;
    sbx_policy *policy = &plan->policy;
    const char *fallback = sbx_config_string(config, "fallback", NULL), **tools, *origin;
    const sbx_key *keys;
    uint16_t *ports;
    uint32_t i, j, count;
    const char **origins;

    for (i = 0; i < setting->count; i++)
        for (j = 0; words[j]; j++)
            if (!strcmp(words[j], setting->items[i].text))
                policy->require |= areas[j];
    policy->network = word(maker, "network");
    policy->git = word(maker, "filesystem.git");
    policy->temp = word(maker, "filesystem.temp");
    policy->flags = (word(maker, "ui.desktop") == 0 ? SBX_POLICY_DESKTOP_PRIVATE : 0) |
                    (sbx_config_integer(config, "ui.clipboard") ? SBX_POLICY_CLIPBOARD : 0) |
                    (sbx_config_integer(config, "keep_children") ? SBX_POLICY_KEEP_CHILDREN : 0) |
                    (sbx_config_integer(config, "console.interactive") ? SBX_POLICY_INTERACTIVE : 0);
    policy->limits.size = sizeof(policy->limits);
    policy->limits.time_ms = (uint64_t)sbx_config_integer(config, "limits.time");
    policy->limits.memory_bytes = (uint64_t)sbx_config_integer(config, "limits.memory");
    policy->limits.cpu_percent = (uint32_t)sbx_config_integer(config, "limits.cpu");
    policy->limits.processes = (uint32_t)sbx_config_integer(config, "limits.processes");
    plan->console_grace_ms = (uint32_t)sbx_config_integer(config, "console.grace");

    setting = sbx_config_setting(config, "loopback");
    ports = sbx_arena_alloc(&plan->arena, (setting->count + 1) * sizeof(*ports));
    for (i = 0; ports && i < setting->count; i++)
        ports[i] = (uint16_t)setting->items[i].integer;
    policy->loopback_ports = ports;
    policy->loopback_port_count = setting->count;

    setting = sbx_config_setting(config, "tools.presets");
    tools = sbx_arena_alloc(&plan->arena, (setting->count + 1) * sizeof(*tools));
    for (i = 0; tools && i < setting->count; i++) {
        for (j = 0; j < policy->tool_count && strcmp(tools[j], setting->items[i].text) != 0; j++)
            ;
        if (j == policy->tool_count && !(tools[policy->tool_count++] = copy(maker, setting->items[i].text)))
            return sbx_diag_memory(maker->diag);
    }
    policy->tools = tools;

    plan->backend = copy(maker, sbx_config_string(config, "backend", NULL));
    if (strcmp(fallback, "refuse") != 0 && strcmp(fallback, plan->backend ? plan->backend : "") != 0)
        plan->fallback = copy(maker, fallback);
    plan->profile = copy(maker, sbx_config_profile(config));
    policy->run_id = copy(maker, maker->facts->run_id ? maker->facts->run_id : "");

    keys = sbx_schema_keys(&count);
    origins = sbx_arena_alloc(&plan->arena, count * sizeof(*origins));
    for (i = 0; origins && i < count; i++) {
        sbx_config_string(config, keys[i].name, &origin);
        if (!(origins[i] = copy(maker, origin)))
            return sbx_diag_memory(maker->diag);
    }
    plan->key_origins = origins;
    return ports && tools && plan->backend && policy->run_id && origins ? SBX_OK : sbx_diag_memory(maker->diag);
}

static void fill_scope(struct maker *maker)
{
    const sbx_facts *facts = maker->facts;
    sbx_scope *scope = &maker->scope;

    scope->values[SBX_VARIABLE_CWD] = facts->cwd;
    scope->values[SBX_VARIABLE_USERPROFILE] = facts->user_profile;
    scope->values[SBX_VARIABLE_LOCALAPPDATA] = facts->local_app_data;
    scope->values[SBX_VARIABLE_APPDATA] = facts->roaming_app_data;
    scope->values[SBX_VARIABLE_PROGRAMDATA] = facts->program_data;
    scope->values[SBX_VARIABLE_WINDIR] = scope->values[SBX_VARIABLE_SYSTEMROOT] = facts->windows_dir;
    scope->environment = facts->environment;
    scope->environment_count = facts->environment_count;
}

sbx_status sbx_plan_make(const sbx_config *config, const sbx_facts *facts, sbx_plan *plan, sbx_diag *diag)
{
    struct maker maker = {.config = config, .facts = facts, .plan = plan, .diag = diag};
    sbx_policy *policy = &plan->policy;
    sbx_status st;

    policy->size = sizeof(*policy);
    fill_scope(&maker);
    if ((st = make_values(&maker)) != SBX_OK ||
        (st = resolve_key(&maker, "filesystem.workspace", facts->cwd, &maker.workspace)) != SBX_OK)
        goto out;
    maker.scope.values[SBX_VARIABLE_WORKSPACE] = maker.workspace;
    policy->workspace = maker.workspace;
    if ((st = resolve_key(&maker, "cwd", maker.workspace, &policy->cwd)) != SBX_OK ||
        (st = make_roots(&maker)) != SBX_OK || (st = make_protected(&maker)) != SBX_OK ||
        (st = make_hidden(&maker)) != SBX_OK || (st = sbx_plan_environment(config, &maker.scope, plan, diag)) != SBX_OK)
        goto out;
    policy->writable = maker.roots.paths;
    policy->writable_count = maker.roots.count;
    plan->writable_origins = maker.roots.origins;
    policy->protected_paths = maker.guarded.paths;
    policy->protected_count = maker.guarded.count;
    plan->protected_origins = maker.guarded.origins;
    policy->deny_read = maker.hidden.paths;
    policy->deny_read_count = maker.hidden.count;
    plan->deny_read_origins = maker.hidden.origins;
    plan->warnings = maker.warnings.paths;
    plan->warning_count = maker.warnings.count;

out:
    if (st != SBX_OK)
        sbx_plan_fini(plan);
    return st;
}

void sbx_plan_fini(sbx_plan *plan)
{
    sbx_arena_fini(&plan->arena);
    memset(plan, 0, sizeof(*plan));
}
