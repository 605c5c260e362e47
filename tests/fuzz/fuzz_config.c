/* Any text as a configuration is refused with a position or becomes a plan that can be printed
 * and that keeps its promises: absolute roots, none of them reserved, protection below a root; and one key of it can be
 * set. */
#include <string.h>

#include "base/path.h"
#include "config/change.h"
#include "config/policy.h"
#include "fuzz/fuzz.h"

static const char *const environment[] = {"HOME=C:\\Users\\u", "A=${CWD}", "GITHUB_TOKEN=x", "Path=C:\\bin", "E="};

static const sbx_facts facts = {
    .cwd = "C:\\Users\\u\\project",
    .user_profile = "C:\\Users\\u",
    .local_app_data = "C:\\Users\\u\\AppData\\Local",
    .roaming_app_data = "C:\\Users\\u\\AppData\\Roaming",
    .program_data = "C:\\ProgramData",
    .windows_dir = "C:\\Windows",
    .program_dir = "C:\\Users\\u\\project\\bin",
    .state_dir = "C:\\Users\\u\\AppData\\Local\\sbx",
    .run_id = "0123456789abcdef0123456789abcdef",
    .environment = environment,
    .environment_count = sizeof(environment) / sizeof(environment[0]),
};

static void check_plan(const sbx_plan *plan)
{
    const sbx_policy *policy = &plan->policy;
    uint32_t i, j;

    for (i = 0; i < policy->writable_count; i++) {
        const char *root = policy->writable[i];

        SBX_HOLDS(sbx_path_kind(root) == SBX_PATH_DRIVE && strlen(root) > sbx_path_root_length(root));
        SBX_HOLDS(!sbx_path_is_below(facts.user_profile, root) && !sbx_path_is_below(root, facts.windows_dir));
        SBX_HOLDS(!sbx_path_is_below(facts.state_dir, root) && !sbx_path_is_below(root, facts.program_dir));
    }
    for (i = 0; i < policy->protected_count; i++) {
        for (j = 0; j < policy->writable_count; j++)
            if (sbx_path_is_below(policy->protected_paths[i], policy->writable[j]))
                break;
        SBX_HOLDS(j < policy->writable_count);
    }
    SBX_HOLDS(plan->fallback == NULL || strcmp(plan->fallback, "none") != 0);
    SBX_HOLDS(policy->limits.cpu_percent <= 100);
    for (i = 0; i < policy->loopback_count; i++)
        SBX_HOLDS(policy->loopback[i].first && policy->loopback[i].first <= policy->loopback[i].last);
}

/* Lines "-KEY VALUE" before the file are flags.  Gives what is left of the text. */
static sbx_status set_flags(sbx_config *config, const char **text, size_t *size, sbx_diag *diag)
{
    char line[1024], *value;
    const char *end;
    size_t length;
    sbx_status st = SBX_OK;

    while (st == SBX_OK && *size && **text == '-' && (end = memchr(*text, '\n', *size))) {
        length = (size_t)(end - *text);
        if (length < sizeof(line)) {
            memcpy(line, *text, length);
            line[length] = 0;
            value = strchr(line, ' ');
            if (value) {
                *value++ = 0;
                st = sbx_config_set(config, "--flag", line + 1, value, diag);
            }
        }
        *text = end + 1;
        *size -= length + 1;
    }
    return st;
}

/* A file that is right can be changed, but for a table of several lines; the rest of it is looked at there. */
static sbx_status change(const char *text, size_t size, sbx_diag *diag)
{
    static const char *const keys[][2] = {
        {"backend", "x"}, {"limits.time", "1m"}, {"environment.set", "A=b"}, {"filesystem.writable", "C:\\a"}};
    const char *const *key = keys[size & 3], *const value = key[1];
    sbx_text out = {0};
    sbx_status st = sbx_config_change("f", text, size, key[0], &value, 1, &out, diag);

    sbx_text_fini(&out);
    if (st != SBX_E_CONFIG)
        return st;
    SBX_HOLDS(strstr(diag->message, "over several lines"));
    return SBX_OK;
}

static sbx_status run(const char *text, size_t size, sbx_diag *diag)
{
    static const char *const profiles[] = {NULL, "a"};
    sbx_config *config = sbx_config_new();
    sbx_status st = SBX_E_MEMORY;
    sbx_plan plan = {0};
    sbx_text out = {0};

    if (config && (st = set_flags(config, &text, &size, diag)) == SBX_OK &&
        (st = sbx_config_add(config, "f", text, size, diag)) == SBX_OK && (st = change(text, size, diag)) == SBX_OK &&
        (st = sbx_config_set(config, "-w", "filesystem.writable", "out", diag)) == SBX_OK &&
        (st = sbx_config_finish(config, profiles[size & 1], diag)) == SBX_OK &&
        (st = sbx_config_show(config, (int)(size >> 1 & 1), &out)) == SBX_OK)
        st = sbx_plan_make(config, &facts, &plan, diag);
    if (st == SBX_OK) {
        check_plan(&plan);
        st = sbx_plan_print(&plan, NULL, (int)(size >> 1 & 1), &out);
    }
    sbx_plan_fini(&plan);
    sbx_text_fini(&out);
    sbx_config_free(config);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sbx_diag diag = {0};
    uint64_t allocations;
    sbx_status st, again;

    sbx_fault_use(0);
    st = run((const char *)data, size, &diag);
    allocations = sbx_fault_count();
    SBX_HOLDS(st == SBX_OK || st == SBX_E_CONFIG || st == SBX_E_USAGE);
    if (st)
        SBX_HOLDS(diag.message[0] && diag.file[0]);
    sbx_fault_use(1 + (size * 31 + (size ? data[size / 2] : 0)) % allocations);
    again = run((const char *)data, size, &diag);
    SBX_HOLDS(sbx_fault_hit() ? again == SBX_E_MEMORY : again == st);
    SBX_HOLDS(sbx_fault_live() == 0);
    return 0;
}
