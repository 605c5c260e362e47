#include "config/policy.h"

#include <string.h>

#include "base/area.h"
#include "config/edits.h"
#include "config/paths.h"

static uint32_t word(const sbx_maker *maker, const char *key)
{
    const char *text = sbx_config_string(maker->config, key, NULL);
    const char *const *words = sbx_schema_find(key)->words;
    uint32_t i;

    for (i = 0; words[i] && strcmp(words[i], text) != 0; i++)
        ;
    return i;
}

static const char *copy(sbx_maker *maker, const char *text)
{
    return text ? sbx_arena_strdup(&maker->plan->arena, text) : NULL;
}

/* The words of an enum stand in the order of the interface's constants. */
static sbx_status make_values(sbx_maker *maker)
{
    const sbx_config *config = maker->config;
    const sbx_setting *setting = sbx_config_setting(config, "require");
    sbx_plan *plan = maker->plan;
    sbx_policy *policy = &plan->policy;
    const char *fallback = sbx_config_string(config, "fallback", NULL), **tools, *origin;
    const sbx_key *keys;
    sbx_port_range *ports;
    uint32_t i, j, count;
    const char **origins;

    for (i = 0; i < setting->count; i++)
        for (j = 0; j < SBX_AREA_COUNT; j++)
            if (!strcmp(sbx_areas[j].name, setting->items[i].text))
                policy->require |= sbx_areas[j].bit;
    policy->network = word(maker, "network");
    policy->git = word(maker, "filesystem.git");
    policy->temp = word(maker, "filesystem.temp");
    policy->read = word(maker, "filesystem.read");
    policy->token = word(maker, "elevated.token");
    policy->flags = (word(maker, "ui.desktop") == 0 ? SBX_POLICY_DESKTOP_PRIVATE : 0) |
                    (sbx_config_integer(config, "ui.clipboard") ? 0 : SBX_POLICY_UI_LIMITS) |
                    (sbx_config_integer(config, "keep_children") ? SBX_POLICY_KEEP_CHILDREN : 0);
    policy->limits.size = sizeof(policy->limits);
    policy->limits.time_ms = (uint64_t)sbx_config_integer(config, "limits.time");
    policy->limits.memory_bytes = (uint64_t)sbx_config_integer(config, "limits.memory");
    policy->limits.cpu_percent = (uint32_t)sbx_config_integer(config, "limits.cpu");
    policy->limits.processes = (uint32_t)sbx_config_integer(config, "limits.processes");
    policy->account_wait_ms = (uint64_t)sbx_config_integer(config, "elevated.wait");
    plan->console_grace_ms = (uint32_t)sbx_config_integer(config, "console.grace");

    setting = sbx_config_setting(config, "loopback");
    ports = sbx_arena_alloc(&plan->arena, (setting->count + 1) * sizeof(*ports));
    for (i = 0; ports && i < setting->count; i++) {
        ports[i].first = SBX_PORTS_FIRST(setting->items[i].integer);
        ports[i].last = SBX_PORTS_LAST(setting->items[i].integer);
    }
    policy->loopback = ports;
    policy->loopback_count = setting->count;

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

static void fill_scope(sbx_maker *maker)
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
    sbx_maker maker = {.config = config, .facts = facts, .plan = plan, .diag = diag};
    sbx_policy *policy = &plan->policy;
    sbx_status st;

    policy->size = sizeof(*policy);
    fill_scope(&maker);
    if ((st = make_values(&maker)) != SBX_OK ||
        (st = sbx_paths_key(&maker, "filesystem.workspace", facts->cwd, &maker.workspace)) != SBX_OK)
        goto out;
    maker.scope.values[SBX_VARIABLE_WORKSPACE] = maker.workspace;
    policy->workspace = maker.workspace;
    if ((st = sbx_paths_key(&maker, "cwd", maker.workspace, &policy->cwd)) != SBX_OK ||
        (st = sbx_paths_make(&maker)) != SBX_OK ||
        (st = sbx_plan_environment(config, &maker.scope, plan, diag)) != SBX_OK)
        goto out;
    policy->writable = maker.roots.paths;
    policy->writable_count = maker.roots.count;
    plan->writable_origins = maker.roots.origins;
    plan->inner = maker.inner.paths;
    plan->inner_count = maker.inner.count;
    plan->inner_origins = maker.inner.origins;
    policy->protected_paths = maker.guarded.paths;
    policy->protected_count = maker.guarded.count;
    plan->protected_origins = maker.guarded.origins;
    policy->deny_read = maker.hidden.paths;
    policy->deny_read_count = maker.hidden.count;
    plan->deny_read_origins = maker.hidden.origins;
    policy->readable = maker.readable.paths;
    policy->readable_count = maker.readable.count;
    plan->readable_origins = maker.readable.origins;
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
