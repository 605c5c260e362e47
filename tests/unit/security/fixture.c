#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/grants/ledger.h"
#include "win/error.h"

const char *writable[4], *protected_paths[64];
sbx_policy policy;
const sbx_audience *audience;

void expect_ok(sbx_status st, const sbx_error *err)
{
    char text[1200];

    if (st == SBX_OK)
        return;
    sbx_error_describe(err, text, sizeof(text));
    print_error("%s\n", text);
    assert_int_equal(st, SBX_OK);
}

sbx_grants *open_grants(void)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_grants *grants = NULL;

    expect_ok(sbx_grants_open(&policy, 0, audience, &grants, &err), &err);
    return grants;
}

sbx_status clean_all(void)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_status st = sbx_grants_clean(SBX_CLEAN_ALL, NULL, NULL, NULL, &err);

    expect_ok(st, &err);
    return st;
}

static void make_tree(void)
{
    tree_dir("ws");
    tree_dir("ws\\src");
    tree_dir("ws\\src\\deep");
    tree_dir("ws\\.git");
    tree_dir("ws\\.git\\hooks");
    tree_dir("ws\\.git\\objects");
    tree_dir("ws\\pkg");
    tree_dir("ws\\pkg\\inner");
    tree_dir("ws\\pkg\\inner\\.codex");
    tree_file("ws\\a.txt", "a");
    tree_file("ws\\src\\b.txt", "b");
    tree_file("ws\\src\\deep\\c.txt", "c");
    tree_file("ws\\.git\\config", "[core]");
    tree_file("ws\\.git\\hooks\\pre-commit", "#!");
    tree_file("ws\\pkg\\inner\\.codex\\rules", "r");
    tree_dir("out");
    tree_file("out\\o.txt", "o");
    tree_dir("other");
    tree_file("other\\x.txt", "x");
}

int attach(void)
{
    static char ws[600], git[600], codex[600], missing[600], toml[600];

    if (!tree_begin())
        return 0;
    snprintf(ws, sizeof(ws), "%s", tree_path("ws"));
    snprintf(git, sizeof(git), "%s", tree_path("ws\\.git"));
    snprintf(codex, sizeof(codex), "%s", tree_path("ws\\pkg\\inner\\.codex"));
    snprintf(missing, sizeof(missing), "%s", tree_path("ws\\.agents"));
    snprintf(toml, sizeof(toml), "%s", tree_path("ws\\sbx.toml"));
    writable[0] = ws;
    protected_paths[0] = git;
    protected_paths[1] = codex;
    protected_paths[2] = missing;
    protected_paths[3] = toml;
    memset(&policy, 0, sizeof(policy));
    policy.size = sizeof(policy);
    policy.writable = writable;
    policy.writable_count = 1;
    policy.protected_paths = protected_paths;
    policy.protected_count = policy.protected_asked = 4;
    policy.workspace = policy.cwd = ws;
    policy.git = SBX_GIT_PROTECT;
    policy.run_id = "0123456789abcdef0123456789abcdef";
    return 1;
}

int setup(void **context)
{
    (void)context;
    if (attach())
        make_tree();
    return 0;
}

int teardown(void **context)
{
    (void)context;
    tree_leave();
    sbx_step_hook = NULL;
    if (audience) /* an ACE above the roots outlives the folder of the test */
        sbx_grants_clean(SBX_CLEAN_ROOT, getenv("USERPROFILE"), NULL, NULL, NULL);
    audience = NULL;
    tree_end();
    SetEnvironmentVariableA("SBX_TREE", NULL);
    return 0;
}

int not_judged(void)
{
    if (tree_begin())
        return 0;
    print_message("not judged here: the system does not restrict tokens\n");
    return 1;
}

sbx_status open_error(sbx_error *err)
{
    sbx_grants *grants = NULL;
    sbx_status st;

    memset(err, 0, sizeof(*err));
    err->size = sizeof(*err);
    st = sbx_grants_open(&policy, 0, audience, &grants, err);
    assert_true(!grants == (st != SBX_OK));
    sbx_grants_close(grants);
    return st;
}

#define DYING 99
#define LONG_ENOUGH_MS 60000

static HANDLE said_to_die(DWORD process_id)
{
    char name[64];

    snprintf(name, sizeof(name), "Local\\sbx-test-dies-%lu", process_id);
    return CreateEventA(NULL, TRUE, FALSE, name);
}

void die_now(void)
{
    said_to_die(GetCurrentProcessId());
    TerminateProcess(GetCurrentProcess(), DYING);
}

DWORD end_of_victim(HANDLE process)
{
    DWORD code = 0;

    if (WaitForSingleObject(process, LONG_ENOUGH_MS) != WAIT_OBJECT_0) {
        HANDLE dies = said_to_die(GetProcessId(process));
        const int said = GetLastError() == ERROR_ALREADY_EXISTS;

        CloseHandle(dies);
        TerminateProcess(process, DYING);
        assert_int_equal(WaitForSingleObject(process, LONG_ENOUGH_MS), WAIT_OBJECT_0);
        assert_true(said);
        print_message("a process that ended itself was ended once more\n");
    }
    assert_true(GetExitCodeProcess(process, &code));
    return code;
}

void tree_same(const char *name, char *before)
{
    char *after = tree_snapshot(name), *b, *a, *b_next, *a_next;

    for (b = strtok_r(before, "\n", &b_next), a = strtok_r(after, "\n", &a_next); b && a;
         b = strtok_r(NULL, "\n", &b_next), a = strtok_r(NULL, "\n", &a_next))
        assert_string_equal(b, a);
    assert_true(!b && !a);
    sbx_free(before);
    sbx_free(after);
}

void expect_works(void)
{
    sbx_grants *grants = open_grants();

    tree_enter(grants);
    assert_int_equal(act_write("ws\\src\\deep\\c.txt"), 0);
    assert_int_equal(act_write("ws\\.git\\config"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}
