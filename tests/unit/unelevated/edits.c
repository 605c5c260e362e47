/* The edits of the environment: network, toolchains, git's numbered settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <windows.h>
#include <cmocka.h>

#include "common/environment/network.h"
#include "common/environment/tools.h"
#include "unit/support/fault.h"
#include "win/env.h"

/* The last edit of a name. */
static const sbx_env_edit *last(const sbx_edits *edits, const char *name)
{
    uint32_t i;

    for (i = edits->count; i; i--)
        if (!strcmp(edits->items[i - 1].name, name))
            return &edits->items[i - 1];
    return NULL;
}

static void has(const sbx_edits *edits, const char *name, const char *value)
{
    const sbx_env_edit *edit = last(edits, name);

    assert_non_null(edit);
    assert_int_equal(edit->op, SBX_ENV_SET);
    assert_string_equal(edit->value, value);
}

static void network_off(void **state)
{
    sbx_policy policy = {0};
    sbx_edits edits;
    const sbx_env_edit *edit;

    (void)state;
    sbx_fault_use(0);
    sbx_edits_init(&edits, 2);
    sbx_network_edits(&edits, &policy, "C:\\it's here\\stubs");
    sbx_edits_git_end(&edits);
    assert_int_equal(sbx_edits_status(&edits, NULL), SBX_OK);
    has(&edits, "http_proxy", SBX_NETWORK_DEAD);
    has(&edits, "https_proxy", SBX_NETWORK_DEAD);
    has(&edits, "all_proxy", SBX_NETWORK_DEAD);
    has(&edits, "ftp_proxy", SBX_NETWORK_DEAD);
    edit = last(&edits, "HTTP_PROXY"); /* the user's own, whatever its spelling */
    assert_non_null(edit);
    assert_int_equal(edit->op, SBX_ENV_UNSET);
    edit = last(&edits, "NO_PROXY"); /* nothing of the user's, and then the names of this machine alone */
    assert_non_null(edit);
    assert_int_equal(edit->op, SBX_ENV_UNSET);
    assert_true(edit < last(&edits, "no_proxy"));
    has(&edits, "no_proxy", "localhost,127.0.0.1,::1,[::1]");
    has(&edits, "npm_config_offline", "true");
    has(&edits, "CARGO_NET_OFFLINE", "true");
    has(&edits, "PIP_NO_INDEX", "1");
    has(&edits, "GOPROXY", "off");
    has(&edits, "GIT_ALLOW_PROTOCOL", "file");
    has(&edits, "GIT_TERMINAL_PROMPT", "0");
    has(&edits, "GIT_CONFIG_KEY_2", "http.proxy");
    has(&edits, "GIT_CONFIG_VALUE_2", SBX_NETWORK_DEAD);
    has(&edits, "GIT_CONFIG_KEY_3", "credential.helper");
    has(&edits, "GIT_CONFIG_COUNT", "4");
    has(&edits, "GIT_SSH_COMMAND", "'C:/it'\\''s here/stubs/ssh.exe'");
    edit = last(&edits, "PATH");
    assert_non_null(edit);
    assert_int_equal(edit->op, SBX_ENV_PREPEND);
    assert_string_equal(edit->value, "C:\\it's here\\stubs");
    sbx_edits_fini(&edits);
    assert_int_equal(sbx_fault_live(), 0);
}

static void network_on(void **state)
{
    sbx_policy policy = {0};
    sbx_edits edits;

    (void)state;
    sbx_fault_use(0);
    policy.network = SBX_NETWORK_ON;
    sbx_edits_init(&edits, 0);
    sbx_network_edits(&edits, &policy, "C:\\stubs");
    sbx_edits_git_end(&edits);
    assert_int_equal(edits.count, 0);
    sbx_edits_fini(&edits);
}

static void loopback(void **state)
{
    static const sbx_port_range ports[] = {{3000, 3000}};
    sbx_policy policy = {0};
    sbx_edits edits;

    (void)state;
    sbx_fault_use(0);
    policy.loopback = ports;
    policy.loopback_count = 1;
    sbx_edits_init(&edits, 0);
    sbx_network_edits(&edits, &policy, NULL);
    has(&edits, "no_proxy", "localhost,127.0.0.1,::1,[::1]");
    assert_null(last(&edits, "PATH"));
    assert_null(last(&edits, "GIT_SSH_COMMAND"));
    sbx_edits_fini(&edits);
}

/* What the stubs stand in front of: without one, or where there is no room, it stays as it is. */
static void stubs_in_path(void **state)
{
    static const sbx_env_edit unset[] = {{SBX_ENV_UNSET, "Path", NULL}};
    static const struct {
        size_t length;
        uint32_t edits;
        int stubs;
    } rows[] = {{1, 0, 1}, {SBX_ENV_MAX_UNITS - 10, 0, 1}, {SBX_ENV_MAX_UNITS - 9, 0, 0}, {100, 1, 0}, {0, 0, 0}};
    static WCHAR before[SBX_ENV_MAX_UNITS], path[SBX_ENV_MAX_UNITS];
    sbx_policy policy = {0};
    sbx_edits edits;
    size_t i, k;

    (void)state;
    sbx_fault_use(0);
    policy.env = unset;
    assert_true(GetEnvironmentVariableW(L"PATH", before, SBX_ENV_MAX_UNITS) > 0);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (k = 0; k < rows[i].length; k++)
            path[k] = L'x';
        path[k] = 0;
        assert_true(SetEnvironmentVariableW(L"PATH", rows[i].length ? path : NULL));
        policy.env_count = rows[i].edits;
        sbx_edits_init(&edits, 0);
        sbx_network_edits(&edits, &policy, "C:\\stubs");
        assert_int_equal(last(&edits, "PATH") != NULL, rows[i].stubs);
        assert_int_equal(last(&edits, "PATHEXT") != NULL, rows[i].stubs);
        has(&edits, "GIT_SSH_COMMAND", "'C:/stubs/ssh.exe'");
        sbx_edits_fini(&edits);
    }
    SetEnvironmentVariableW(L"PATH", before);
}

static void presets(void **state)
{
    static const char *const names[] = {"git", "node", "cargo", "python", "go", "dotnet"};
    sbx_policy policy = {0};
    sbx_edits edits;

    (void)state;
    sbx_fault_use(0);
    sbx_edits_init(&edits, 0);
    assert_false(sbx_tools_need_cache(&policy));
    sbx_tools_edits(&edits, &policy, "C:\\c");
    assert_int_equal(edits.count, 0);

    policy.tools = names;
    policy.tool_count = 1;
    assert_false(sbx_tools_need_cache(&policy));
    policy.tool_count = 6;
    assert_true(sbx_tools_need_cache(&policy));
    sbx_tools_edits(&edits, &policy, "C:\\c");
    has(&edits, "npm_config_cache", "C:\\c\\npm");
    has(&edits, "PIP_CACHE_DIR", "C:\\c\\pip");
    has(&edits, "GOCACHE", "C:\\c\\go-build");
    has(&edits, "DOTNET_CLI_HOME", "C:\\c\\dotnet");
    has(&edits, "GIT_OPTIONAL_LOCKS", "0");
    assert_null(last(&edits, "CARGO_HOME")); /* offline the user's own is of more use */
    assert_null(last(&edits, "GOMODCACHE"));
    sbx_edits_fini(&edits);

    policy.network = SBX_NETWORK_ON;
    policy.git = SBX_GIT_COMMIT;
    sbx_edits_init(&edits, 0);
    sbx_tools_edits(&edits, &policy, "C:\\c");
    has(&edits, "CARGO_HOME", "C:\\c\\cargo");
    has(&edits, "GOMODCACHE", "C:\\c\\go-mod");
    assert_null(last(&edits, "GIT_OPTIONAL_LOCKS"));
    sbx_edits_fini(&edits);

    sbx_edits_init(&edits, 0);
    sbx_tools_edits(&edits, &policy, NULL);
    assert_null(last(&edits, "npm_config_cache"));
    has(&edits, "DOTNET_NOLOGO", "1");
    sbx_edits_fini(&edits);
    assert_int_equal(sbx_fault_live(), 0);
}

static void git_counts(void **state)
{
    static const sbx_env_edit set[] = {{SBX_ENV_SET, "git_config_count", "7"}};
    static const sbx_env_edit unset[] = {{SBX_ENV_UNSET, "GIT_CONFIG_COUNT", NULL}};
    static const sbx_env_edit weak[] = {{SBX_ENV_DEFAULT, "GIT_CONFIG_COUNT", "5"}};
    sbx_policy policy = {0};

    (void)state;
    assert_int_equal(sbx_edits_git_count(NULL), 0);
    assert_int_equal(sbx_edits_git_count(""), 0);
    assert_int_equal(sbx_edits_git_count("12"), 12);
    assert_int_equal(sbx_edits_git_count("-1"), 0);
    assert_int_equal(sbx_edits_git_count("3x"), 0);
    assert_int_equal(sbx_edits_git_count("99999999999999"), 0);
    assert_string_equal(sbx_edits_before(&policy, "GIT_CONFIG_COUNT", "3"), "3");
    policy.env_count = 1;
    policy.env = set;
    assert_string_equal(sbx_edits_before(&policy, "GIT_CONFIG_COUNT", "3"), "7");
    policy.env = unset;
    assert_null(sbx_edits_before(&policy, "GIT_CONFIG_COUNT", "3"));
    policy.env = weak;
    assert_string_equal(sbx_edits_before(&policy, "GIT_CONFIG_COUNT", "3"), "3");
    assert_string_equal(sbx_edits_before(&policy, "GIT_CONFIG_COUNT", NULL), "5");
}

static void out_of_memory(void **state)
{
    static const char *const names[] = {"node", "git"};
    sbx_policy policy = {0};

    (void)state;
    policy.tools = names;
    policy.tool_count = 2;
    SBX_FAULT_EACH(n)
    {
        sbx_edits edits;

        sbx_edits_init(&edits, 0);
        sbx_tools_edits(&edits, &policy, "C:\\c");
        sbx_network_edits(&edits, &policy, "C:\\stubs");
        sbx_edits_git_end(&edits);
        assert_int_equal(sbx_edits_status(&edits, NULL), sbx_fault_hit() ? SBX_E_MEMORY : SBX_OK);
        sbx_edits_fini(&edits);
        assert_int_equal(sbx_fault_live(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_off),   cmocka_unit_test(network_on), cmocka_unit_test(loopback),
        cmocka_unit_test(stubs_in_path), cmocka_unit_test(presets),    cmocka_unit_test(git_counts),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests_name("unelevated-edits", tests, NULL, NULL);
}
