/* What outlives a run holds its roots on: no later run lifts their protection while such a process lives. */
#include "fixture.h"

#include <stdlib.h>

#include "common/host.h"

#define WAIT_MS 60000u
#define NO_CONTROL 1000u /* exit code of a child that cannot even write where it may */

static sbx_child items[2];
static sbx_ext_children children;

static const void *SBX_CALL extension(const char *id)
{
    return strcmp(id, SBX_EXT_CHILDREN) ? NULL : &children;
}

static int setup_kept(void **context)
{
    setup(context);
    ((sbx_host *)(uintptr_t)sbx_host_table)->extension = extension;
    memset(items, 0, sizeof(items));
    children = (sbx_ext_children){.size = sizeof(children), .known = 1, .items = items};
    policy.flags |= SBX_POLICY_KEEP_CHILDREN;
    return 0;
}

static int teardown_kept(void **context)
{
    ((sbx_host *)(uintptr_t)sbx_host_table)->extension = NULL;
    return teardown(context);
}

typedef struct child {
    HANDLE process, go;
    DWORD id;
} child;

/* With the token of a command of these grants.  It is one of those that the host tells of. */
static child start(const sbx_grants *grants)
{
    STARTUPINFOA info = {.cb = sizeof(info)};
    SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};
    PROCESS_INFORMATION process;
    FILETIME times[4];
    HANDLE entered = NULL, token = NULL;
    child one = {.go = CreateEventA(&inherited, TRUE, FALSE, NULL)};
    char self[600], line[700];

    tree_enter(grants);
    OpenThreadToken(GetCurrentThread(), TOKEN_DUPLICATE | TOKEN_QUERY, TRUE, &entered);
    tree_leave();
    assert_true(DuplicateTokenEx(entered, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, TokenPrimary, &token));
    GetModuleFileNameA(NULL, self, sizeof(self));
    snprintf(line, sizeof(line), "\"%s\" %llu", self, (unsigned long long)(uintptr_t)one.go);
    assert_true(CreateProcessAsUserA(token, self, line, NULL, NULL, TRUE, 0, NULL, NULL, &info, &process));
    CloseHandle(entered);
    CloseHandle(token);
    CloseHandle(process.hThread);
    assert_true(GetProcessTimes(process.hProcess, &times[0], &times[1], &times[2], &times[3]));
    one.process = process.hProcess;
    one.id = process.dwProcessId;
    items[children.count].created = (uint64_t)times[0].dwHighDateTime << 32 | times[0].dwLowDateTime;
    items[children.count++].process_id = one.id;
    return one;
}

/* Let it try to write in .git; how that went. */
static DWORD end(child *one)
{
    DWORD code = NO_CONTROL;

    SetEvent(one->go);
    assert_int_equal(WaitForSingleObject(one->process, WAIT_MS), WAIT_OBJECT_0);
    GetExitCodeProcess(one->process, &code);
    CloseHandle(one->process);
    CloseHandle(one->go);
    return code;
}

static int victim(const char *go)
{
    tree_begin();
    WaitForSingleObject((HANDLE)(uintptr_t)strtoull(go, NULL, 10), WAIT_MS);
    return act_write("ws\\a.txt") ? (int)NO_CONTROL : (int)act_write("ws\\.git\\config");
}

static void loosen(void)
{
    policy.git = SBX_GIT_WRITE;
    policy.protected_count = 0;
    policy.flags &= ~SBX_POLICY_KEEP_CHILDREN;
}

static uint32_t count_records(void)
{
    WIN32_FIND_DATAA data;
    HANDLE search = FindFirstFileA(tree_path("state\\runs\\*.kept"), &data);
    uint32_t count = 0;

    if (search == INVALID_HANDLE_VALUE)
        return 0;
    do
        count++;
    while (FindNextFileA(search, &data));
    FindClose(search);
    return count;
}

static void expect_held_by(DWORD process)
{
    sbx_error err;
    char words[32];

    snprintf(words, sizeof(words), "process %lu ", process);
    assert_int_equal(open_error(&err), SBX_E_REFUSED);
    assert_string_equal(err.op, "another run protects it");
    assert_non_null(strstr(err.hint, words));
}

static void expect_open(void)
{
    sbx_grants *grants = open_grants();

    tree_enter(grants);
    assert_int_equal(act_write("ws\\.git\\config"), 0);
    tree_leave();
    sbx_grants_close(grants);
    assert_int_equal(count_records(), 0);
    clean_all();
}

typedef struct told {
    uint32_t active, others;
    DWORD process;
} told;

static int32_t SBX_CALL see(void *context, const sbx_state_item *item, const sbx_error *error)
{
    told *all = context;

    (void)error;
    if (item->state == SBX_STATE_ACTIVE)
        all->active++;
    else
        all->others++;
    if (!strcmp(item->kind, "grant"))
        all->process = item->process_id;
    return 0;
}

static void test_held_until_the_last(void **context)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_grants *grants;
    told all = {0};
    child one, two;
    char words[32];

    JUDGED
    grants = open_grants();
    one = start(grants);
    two = start(grants);
    sbx_grants_close(grants);
    assert_int_equal(count_records(), 1);
    assert_true(tree_exists("ws\\.agents"));
    loosen();
    expect_held_by(one.id);

    assert_int_equal(sbx_grants_list(see, &all, NULL), SBX_OK);
    assert_true(all.active && !all.others);
    assert_int_equal(all.process, one.id);
    assert_int_equal(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws"), NULL, NULL, &err), SBX_E_REFUSED);
    snprintf(words, sizeof(words), "process %lu", one.id);
    assert_non_null(strstr(err.hint, words));
    memset(&all, 0, sizeof(all));
    expect_ok(sbx_grants_clean(SBX_CLEAN_STALE, NULL, see, &all, &err), &err);
    assert_int_equal(all.active + all.others, 0);

    assert_int_equal(end(&one), DENIED);
    expect_held_by(two.id);
    assert_int_equal(end(&two), DENIED);
    memset(&all, 0, sizeof(all));
    assert_int_equal(sbx_grants_list(see, &all, NULL), SBX_OK);
    assert_int_equal(all.active, 0);
    assert_int_equal(count_records(), 0);
    assert_true(tree_exists("ws\\.agents"));
    expect_open();
    assert_false(tree_exists("ws\\.agents"));
}

/* A run with the same protection has nothing to lift. */
static void test_same_protection(void **context)
{
    sbx_grants *grants;
    child one;

    JUDGED
    grants = open_grants();
    one = start(grants);
    sbx_grants_close(grants);
    policy.flags &= ~SBX_POLICY_KEEP_CHILDREN;
    sbx_grants_close(open_grants());
    assert_true(tree_exists("ws\\.agents")); /* it is the other's, too */
    assert_int_equal(end(&one), DENIED);
    sbx_grants_close(open_grants());
    assert_false(tree_exists("ws\\.agents"));
    clean_all();
}

/* Only with the time of its creation is a number that of a process. */
static void test_number_used_again(void **context)
{
    sbx_grants *grants;

    JUDGED
    grants = open_grants();
    items[0] = (sbx_child){1, GetCurrentProcessId(), 0};
    children.count = 1;
    sbx_grants_close(grants);
    assert_int_equal(count_records(), 0); /* whoever asked next, it itself, has found it stale */
    loosen();
    expect_open();
}

/* One that lets nobody open it counts while it lives, and no other with its number. */
static void test_closed_process(void **context)
{
    sbx_grants *grants;
    SECURITY_DESCRIPTOR closed;
    HANDLE opened;
    ACL none;
    child one;
    int again;

    JUDGED
    InitializeAcl(&none, sizeof(none), ACL_REVISION);
    InitializeSecurityDescriptor(&closed, SECURITY_DESCRIPTOR_REVISION);
    SetSecurityDescriptorDacl(&closed, TRUE, &none, FALSE);
    for (again = 0; again < 2; again++) {
        grants = open_grants();
        one = start(grants);
        assert_true(SetKernelObjectSecurity(one.process, DACL_SECURITY_INFORMATION, &closed));
        opened = OpenProcess(SYNCHRONIZE, FALSE, one.id);
        if (opened) {
            CloseHandle(opened);
            print_message("not judged here: this user opens processes that admit nobody\n");
            children.count = 0;
            sbx_grants_close(grants);
            end(&one);
            clean_all();
            skip();
        }
        items[0].created += (uint64_t)again;
        sbx_grants_close(grants);
        if (!again) {
            loosen();
            expect_held_by(one.id);
            policy.git = SBX_GIT_PROTECT;
            policy.protected_count = 4;
            policy.flags |= SBX_POLICY_KEEP_CHILDREN;
            assert_int_equal(end(&one), DENIED);
            children.count = 0;
        }
    }
    loosen();
    expect_open();
    end(&one);
}

static void test_nothing_left(void **context)
{
    JUDGED
    tree_warnings = 0;
    sbx_grants_close(open_grants());
    assert_int_equal(count_records(), 0);
    assert_false(tree_exists("ws\\.agents"));
    assert_int_equal(tree_warnings, 0);
    loosen();
    expect_open();
}

/* Then it is said that nothing holds the root. */
static void test_not_known(void **context)
{
    JUDGED
    children.known = 0;
    tree_warnings = 0;
    sbx_grants_close(open_grants());
    assert_int_equal(tree_warnings, 1);
    assert_non_null(strstr(tree_warning, "is not known"));
    policy.flags &= ~SBX_POLICY_KEEP_CHILDREN;
    sbx_grants_close(open_grants());
    assert_int_equal(tree_warnings, 1);
    clean_all();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_held_until_the_last, setup_kept, teardown_kept),
        cmocka_unit_test_setup_teardown(test_same_protection, setup_kept, teardown_kept),
        cmocka_unit_test_setup_teardown(test_number_used_again, setup_kept, teardown_kept),
        cmocka_unit_test_setup_teardown(test_closed_process, setup_kept, teardown_kept),
        cmocka_unit_test_setup_teardown(test_nothing_left, setup_kept, teardown_kept),
        cmocka_unit_test_setup_teardown(test_not_known, setup_kept, teardown_kept),
    };

    if (argc == 2)
        return victim(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
