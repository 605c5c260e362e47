/* Printing a plan. */
#include <stdio.h>
#include <string.h>

#include "base/area.h"
#include "base/path.h"
#include "base/utf.h"
#include "config/json.h"
#include "config/policy.h"
#include "config/value.h"

static const char *key_origin(const sbx_plan *plan, const char *name)
{
    uint32_t count;

    return plan->key_origins[sbx_schema_find(name) - sbx_schema_keys(&count)];
}

static const char *word(const char *key, uint32_t value)
{
    return sbx_schema_find(key)->words[value];
}

/* A plan is pasted into reports: the value of what looks like a secret is not shown. */
static const char *shown_value(const sbx_env_edit *edit)
{
    return sbx_secret_name(edit->name, strlen(edit->name)) ? "(not shown)" : edit->value;
}

static int is_in(const char *name, const char *const *names, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count && strcmp(names[i], name) != 0; i++)
        ;
    return i < count;
}

static int is_area(const char *name)
{
    uint32_t i;

    for (i = 0; i < SBX_AREA_COUNT && strcmp(sbx_areas[i].name, name) != 0; i++)
        ;
    return i < SBX_AREA_COUNT;
}

/* Asked for all of them, nobody misses that ports are told apart. */
static int opens_all(const sbx_policy *policy)
{
    uint32_t i;

    for (i = 0; i < policy->loopback_count; i++)
        if (policy->loopback[i].first <= 1 && policy->loopback[i].last == UINT16_MAX)
            return 1;
    return 0;
}

/* The lines that ask the backend for something: those that it does not do, or those that it only discourages. */
static uint32_t lines_that(int advisory, const sbx_plan *plan, const sbx_plan_backing *backing,
                           const char *names[SBX_PLAN_LINES])
{
    const sbx_policy *policy = &plan->policy;
    const int off = policy->network == SBX_NETWORK_OFF, some = policy->writable_count != 0;
    /* a TEMP of the run's own and the settings of tools go with the confinement of writes that makes them necessary */
    const struct {
        const char *name;
        uint32_t area;
        int asked;
    } rows[SBX_PLAN_LINES] = {
        {"writable", SBX_AREA_FILE_WRITE, 1},
        {"protected", SBX_AREA_FILE_WRITE, some && policy->protected_count},
        {"git", SBX_AREA_FILE_WRITE, some && policy->git != SBX_GIT_WRITE},
        {"unreadable", SBX_AREA_FILE_READ, policy->deny_read_count != 0},
        {"reads", SBX_AREA_FILE_READ, policy->read != SBX_READ_TOOLS},
        {"temp", SBX_AREA_FILE_WRITE, policy->temp == SBX_TEMP_PRIVATE},
        {"network", SBX_AREA_NETWORK, off},
        {"loopback", SBX_AREA_NETWORK, off && policy->loopback_count && !opens_all(policy)},
        {"tools", SBX_AREA_FILE_WRITE, policy->tool_count != 0},
        {"desktop", SBX_AREA_UI, (policy->flags & SBX_POLICY_DESKTOP_PRIVATE) != 0},
        {"clipboard", SBX_AREA_UI, (policy->flags & SBX_POLICY_UI_LIMITS) != 0},
    };
    uint32_t i, count = 0;
    int gap;

    for (i = 0; backing && i < SBX_PLAN_LINES; i++) {
        gap = !((backing->guarantees.enforced | backing->guarantees.advisory) & rows[i].area) ||
              (is_in(rows[i].name, backing->gaps, backing->gap_count) && !is_area(rows[i].name));
        if (rows[i].asked && (advisory ? !gap && (backing->guarantees.advisory & rows[i].area) : gap))
            names[count++] = rows[i].name;
    }
    return count;
}

uint32_t sbx_plan_not_done(const sbx_plan *plan, const sbx_plan_backing *backing, const char *names[SBX_PLAN_LINES])
{
    return lines_that(0, plan, backing, names);
}

/* ---- for people ---- */

#define NAME_WIDTH 14
#define VALUE_WIDTH 48

/* The origins stand in a column of their own, as far as there is room for it. */
static void line(sbx_text *out, const char *name, const char *value, const char *origin)
{
    size_t width = sbx_utf8_columns(value, strlen(value)), pad = width < VALUE_WIDTH ? VALUE_WIDTH - width : 0, taken;

    sbx_text_printf(out, "%-*s%s", NAME_WIDTH, name, value);
    if (origin && strcmp(origin, "built-in") != 0) {
        taken = NAME_WIDTH + width + sizeof(" ()") - 1 + sbx_utf8_columns(origin, strlen(origin));
        if (taken + pad > SBX_TEXT_COLUMNS && taken <= SBX_TEXT_COLUMNS)
            pad = SBX_TEXT_COLUMNS - taken;
        if (taken > SBX_TEXT_COLUMNS)
            sbx_text_printf(out, "\n%*s(%s)", NAME_WIDTH, "", origin);
        else
            sbx_text_printf(out, "%*s (%s)", (int)pad, "", origin);
    }
    sbx_text_add_char(out, '\n');
}

static void lines(sbx_text *out, const char *name, const char *const *values, const char *const *origins,
                  uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++)
        line(out, i ? "" : name, values[i], origins ? origins[i] : NULL);
    if (!count)
        line(out, name, "nothing", NULL);
}

static void limit(sbx_text *out, const char *name, const char *key, uint32_t type, uint64_t value, const sbx_plan *plan)
{
    char number[SBX_VALUE_TEXT];

    sbx_value_text(type, (int64_t)value, number);
    if (value)
        line(out, name, number, key_origin(plan, key));
}

static void joined(sbx_text *out, const char *name, const char *const *values, uint32_t count, const char *origin)
{
    sbx_text text = {0};
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (text.length && text.length + strlen(values[i]) > SBX_TEXT_COLUMNS - NAME_WIDTH - 2) {
            sbx_text_add_char(&text, ',');
            if (text.failed)
                break;
            line(out, name, text.data, NULL);
            sbx_text_fini(&text);
            name = "";
        }
        sbx_text_printf(&text, "%s%s", text.length ? ", " : "", values[i]);
    }
    if (text.failed)
        out->failed = 1;
    else if (text.length)
        line(out, name, text.data, origin);
    sbx_text_fini(&text);
}

static const char git_words[][64] = {"read-only", "objects, refs and index open; hooks and config read-only",
                                     "writable: a hook that is planted runs later without a sandbox"};

static void print_environment(const sbx_plan *plan, sbx_text *out)
{
    const sbx_policy *policy = &plan->policy;
    const char *removed[64];
    uint32_t i, count = 0, more = 0;
    sbx_text text = {0};

    for (i = 0; i < policy->env_count; i++) {
        const sbx_env_edit *edit = &policy->env[i];
        uint32_t j;

        if (edit->op == SBX_ENV_SET) {
            sbx_text_printf(&text, "set %s=%s", edit->name, shown_value(edit));
            if (text.failed)
                out->failed = 1;
            else
                line(out, "environment", text.data, NULL);
            sbx_text_fini(&text);
            continue;
        }
        for (j = 0; j < plan->withheld_count && plan->withheld[j] != edit->name; j++)
            ;
        if (j == plan->withheld_count && count < sizeof(removed) / sizeof(removed[0]))
            removed[count++] = edit->name;
        else if (j == plan->withheld_count)
            more++;
    }
    joined(out, "removed", removed, count, NULL);
    if (more)
        sbx_text_printf(out, "%-*sand %u more\n", NAME_WIDTH, "", (unsigned)more);
    joined(out, "withheld", plan->withheld, plan->withheld_count, NULL);
}

typedef struct printed {
    const sbx_plan *plan;
    sbx_text *out;
    const char *not_done[SBX_PLAN_LINES], *advisory[SBX_PLAN_LINES];
    uint32_t not_done_count, advisory_count;
} printed;

/* A line about something that only a backend does, unless it does not. */
static void done(const printed *page, const char *name, const char *value, const char *key)
{
    char told[80];

    snprintf(told, sizeof(told), "%s%s", value, is_in(name, page->advisory, page->advisory_count) ? ", advisory" : "");
    if (!is_in(name, page->not_done, page->not_done_count))
        line(page->out, name, told, key_origin(page->plan, key));
}

static void done_lines(const printed *page, const char *name, const char *const *values, const char *const *origins,
                       uint32_t count)
{
    if (!is_in(name, page->not_done, page->not_done_count))
        lines(page->out, name, values, origins, count);
}

/* For a commit the backend tells, repository by repository, what is closed: `.git` may be a file, and lead elsewhere. */
static int is_part_of_git(const sbx_policy *policy, const char *path)
{
    const char *name = sbx_path_name(path), *git = strstr(path, "\\.git\\");

    return policy->git == SBX_GIT_COMMIT && git && git + 6 == name &&
           (sbx_path_equal(name, "hooks") || sbx_path_equal(name, "config"));
}

static void print_protected(const printed *page)
{
    const sbx_policy *policy = &page->plan->policy;
    const char *name = "protected";
    uint32_t i;

    if (is_in(name, page->not_done, page->not_done_count))
        return;
    for (i = 0; i < policy->protected_count; i++)
        if (!is_part_of_git(policy, policy->protected_paths[i])) {
            line(page->out, name, policy->protected_paths[i], page->plan->protected_origins[i]);
            name = "";
        }
    if (*name)
        line(page->out, name, "nothing", NULL);
}

static void print_done(const printed *page)
{
    const sbx_plan *plan = page->plan;
    const sbx_policy *policy = &plan->policy;
    char number[SBX_VALUE_TEXT];
    uint32_t i;

    done_lines(page, "writable", policy->writable, plan->writable_origins, policy->writable_count);
    if (plan->inner_count && !is_in("writable", page->not_done, page->not_done_count))
        lines(page->out, "parts of it", plan->inner, plan->inner_origins, plan->inner_count);
    if (policy->writable_count) {
        print_protected(page);
        done(page, "git", git_words[policy->git], "filesystem.git");
    }
    if (policy->deny_read_count)
        done_lines(page, "unreadable", policy->deny_read, plan->deny_read_origins, policy->deny_read_count);
    if (policy->read != SBX_READ_TOOLS)
        done(page, "reads", word("filesystem.read", policy->read), "filesystem.read");
    if (policy->readable_count)
        lines(page->out, "readable", policy->readable, plan->readable_origins, policy->readable_count);
    done(page, "temp", policy->temp == SBX_TEMP_PRIVATE ? "private, removed afterwards" : "the user's",
         "filesystem.temp");
    done(page, "network", word("network", policy->network), "network");
    for (i = 0; i < policy->loopback_count && !is_in("loopback", page->not_done, page->not_done_count); i++) {
        sbx_value_text(SBX_KEY_PORTS, SBX_PORTS(policy->loopback[i].first, policy->loopback[i].last), number);
        line(page->out, i ? "" : "loopback", number, i ? NULL : key_origin(plan, "loopback"));
    }
}

static void print_text(const sbx_plan *plan, const sbx_plan_backing *backing, sbx_text *out)
{
    const sbx_policy *policy = &plan->policy;
    printed page = {plan, out, {NULL}, {NULL}, 0, 0};
    const char *names[SBX_AREA_COUNT];
    char number[SBX_VALUE_TEXT];
    uint32_t i, count = 0;

    page.not_done_count = lines_that(0, plan, backing, page.not_done);
    page.advisory_count = lines_that(1, plan, backing, page.advisory);

    line(out, "backend", plan->backend, key_origin(plan, "backend"));
    line(out, "fallback", plan->fallback ? plan->fallback : "refuse: no other backend is tried",
         key_origin(plan, "fallback"));
    if (plan->profile)
        line(out, "profile", plan->profile, NULL);
    for (i = 0; i < SBX_AREA_COUNT; i++)
        if (policy->require & sbx_areas[i].bit)
            names[count++] = sbx_areas[i].name;
    joined(out, "required", names, count, key_origin(plan, "require"));
    line(out, "workspace", policy->workspace, key_origin(plan, "filesystem.workspace"));
    if (!strcmp(policy->cwd, policy->workspace))
        line(out, "starts in", "the workspace", NULL);
    else
        line(out, "starts in", policy->cwd, key_origin(plan, "cwd"));
    print_done(&page);
    print_environment(plan, out);
    if (!is_in("tools", page.not_done, page.not_done_count))
        joined(out, "tools", policy->tools, policy->tool_count, key_origin(plan, "tools.presets"));
    limit(out, "time", "limits.time", SBX_KEY_DURATION, policy->limits.time_ms, plan);
    limit(out, "memory", "limits.memory", SBX_KEY_SIZE, policy->limits.memory_bytes, plan);
    limit(out, "processors", "limits.cpu", SBX_KEY_PERCENT, policy->limits.cpu_percent, plan);
    limit(out, "processes", "limits.processes", SBX_KEY_COUNT, policy->limits.processes, plan);
    line(out, "children", policy->flags & SBX_POLICY_KEEP_CHILDREN ? "may outlive the command" : "end with the command",
         key_origin(plan, "keep_children"));
    sbx_value_text(SBX_KEY_DURATION, plan->console_grace_ms, number);
    line(out, "grace", number, key_origin(plan, "console.grace"));
    if (policy->token == SBX_TOKEN_ACCOUNT)
        line(out, "token", word("elevated.token", policy->token), key_origin(plan, "elevated.token"));
    done(&page, "desktop", policy->flags & SBX_POLICY_DESKTOP_PRIVATE ? "private" : "the user's", "ui.desktop");
    done(&page, "clipboard", policy->flags & SBX_POLICY_UI_LIMITS ? "closed" : "open", "ui.clipboard");
    joined(out, "not done", page.not_done, page.not_done_count, NULL);
    if (page.not_done_count)
        line(out, "", "asked for or the default; the backend that would run does none of it", NULL);
    for (i = 0; i < plan->warning_count; i++) {
        sbx_text_printf(out, "%-*s", NAME_WIDTH, "note");
        sbx_text_wrap(out, "", NAME_WIDTH, plan->warnings[i]);
    }
}

/* ---- for programs ---- */

static void json_path(sbx_json *json, const char *path, const char *origin)
{
    sbx_json_open(json, NULL, '{');
    sbx_json_string(json, "path", path);
    sbx_json_string(json, "origin", origin);
    sbx_json_close(json, '}');
}

static void json_paths(sbx_json *json, const char *name, const char *const *paths, const char *const *origins,
                       uint32_t count)
{
    uint32_t i;

    sbx_json_open(json, name, '[');
    for (i = 0; i < count; i++)
        json_path(json, paths[i], origins[i]);
    sbx_json_close(json, ']');
}

/* 0 is no limit. */
static void json_limit(sbx_json *json, const char *name, uint64_t value)
{
    if (value)
        sbx_json_number(json, name, value);
    else
        sbx_json_string(json, name, NULL);
}

static void json_environment(sbx_json *json, const sbx_policy *policy)
{
    uint32_t i;

    sbx_json_open(json, "environment", '[');
    for (i = 0; i < policy->env_count; i++) {
        sbx_json_open(json, NULL, '{');
        sbx_json_string(json, "op", policy->env[i].op == SBX_ENV_SET ? "set" : "unset");
        sbx_json_string(json, "name", policy->env[i].name);
        if (policy->env[i].value)
            sbx_json_string(json, "value", shown_value(&policy->env[i]));
        sbx_json_close(json, '}');
    }
    sbx_json_close(json, ']');
}

/* As in a configuration: a number, or a string for several. */
static void json_ports(sbx_json *json, sbx_port_range ports)
{
    char text[SBX_VALUE_TEXT];

    sbx_value_text(SBX_KEY_PORTS, SBX_PORTS(ports.first, ports.last), text);
    if (ports.first == ports.last)
        sbx_json_number(json, NULL, ports.first);
    else
        sbx_json_string(json, NULL, text);
}

void sbx_plan_json(const sbx_plan *plan, sbx_json *json)
{
    const sbx_policy *policy = &plan->policy;
    uint32_t i;

    sbx_json_string(json, "backend", plan->backend);
    sbx_json_string(json, "fallback", plan->fallback);
    sbx_json_string(json, "profile", plan->profile);
    sbx_json_open(json, "require", '[');
    for (i = 0; i < SBX_AREA_COUNT; i++)
        if (policy->require & sbx_areas[i].bit)
            sbx_json_string(json, NULL, sbx_areas[i].name);
    sbx_json_close(json, ']');
    sbx_json_string(json, "workspace", policy->workspace);
    sbx_json_string(json, "cwd", policy->cwd);
    json_paths(json, "writable", policy->writable, plan->writable_origins, policy->writable_count);
    json_paths(json, "writable_parts", plan->inner, plan->inner_origins, plan->inner_count);
    sbx_json_open(json, "protected", '[');
    for (i = 0; i < policy->protected_count; i++)
        if (!is_part_of_git(policy, policy->protected_paths[i]))
            json_path(json, policy->protected_paths[i], plan->protected_origins[i]);
    sbx_json_close(json, ']');
    json_paths(json, "deny_read", policy->deny_read, plan->deny_read_origins, policy->deny_read_count);
    sbx_json_string(json, "read", word("filesystem.read", policy->read));
    json_paths(json, "readable", policy->readable, plan->readable_origins, policy->readable_count);
    sbx_json_string(json, "git", word("filesystem.git", policy->git));
    sbx_json_string(json, "temp", word("filesystem.temp", policy->temp));
    sbx_json_string(json, "token", word("elevated.token", policy->token));
    sbx_json_string(json, "network", word("network", policy->network));
    sbx_json_open(json, "loopback", '[');
    for (i = 0; i < policy->loopback_count; i++)
        json_ports(json, policy->loopback[i]);
    sbx_json_close(json, ']');
    json_environment(json, policy);
    sbx_json_strings(json, "withheld", plan->withheld, plan->withheld_count);
    sbx_json_strings(json, "tools", policy->tools, policy->tool_count);
    sbx_json_open(json, "limits", '{');
    json_limit(json, "time_ms", policy->limits.time_ms);
    json_limit(json, "memory_bytes", policy->limits.memory_bytes);
    json_limit(json, "cpu_percent", policy->limits.cpu_percent);
    json_limit(json, "processes", policy->limits.processes);
    sbx_json_close(json, '}');
    sbx_json_number(json, "console_grace_ms", plan->console_grace_ms);
    sbx_json_boolean(json, "keep_children", (policy->flags & SBX_POLICY_KEEP_CHILDREN) != 0);
    sbx_json_string(json, "desktop", policy->flags & SBX_POLICY_DESKTOP_PRIVATE ? "private" : "user");
    sbx_json_boolean(json, "clipboard", !(policy->flags & SBX_POLICY_UI_LIMITS));
    sbx_json_strings(json, "notes", plan->warnings, plan->warning_count);
}

sbx_status sbx_plan_print(const sbx_plan *plan, const sbx_plan_backing *backing, int json, sbx_text *out)
{
    sbx_json writer = {out, 0, 0};

    if (json) {
        sbx_json_open(&writer, NULL, '{');
        sbx_plan_json(plan, &writer);
        sbx_json_close(&writer, '}');
    } else {
        print_text(plan, backing, out);
    }
    return out->failed ? SBX_E_MEMORY : SBX_OK;
}
