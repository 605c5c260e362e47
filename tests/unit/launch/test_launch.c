/* Whole launches with a backend that adds nothing; the test program is its own child. */
#include <windows.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/mimalloc.h"
#include "child.h"
#include "fixture.h"
#include "win/job.h"
#include "win/console.h"

static const char *other_account;

static sbx_status SBX_CALL other_identity(sbx_session *session, sbx_identity *identity, sbx_error *err)
{
    (void)session, (void)err;
    static uint16_t secret_w[] = {'x', 0};

    identity->kind = SBX_IDENTITY_LOGON;
    identity->account = other_account;
    identity->domain = ".";
    identity->secret = secret_w;
    identity->account_sid = "S-1-5-21-1-2-3-1001";
    identity->runner = "C:\\windows\\system32\\cmd.exe";
    return SBX_OK;
}

static void exit_codes_are_exact(void **state)
{
    static const uint32_t codes[] = {0, 1, 37, 255, 256, 259, 0xC0000005u, 0xFFFFFFFFu};
    WCHAR tail[32];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        sbx_launch_result result;

        swprintf(tail, 32, L"exit %lu", (unsigned long)codes[i]);
        result = run(NULL, tail);
        assert_int_equal(result.end, SBX_END_EXITED);
        assert_int_equal(result.exit_code, codes[i]);
        assert_int_equal(result.child_exit, codes[i]);
        assert_int_not_equal(result.process_id, 0);
    }
}

static void arguments_arrive(void **state)
{
    (void)state;
    assert_int_equal(run(NULL, L"args \"a b\" c\\\"d e\\ \"\" %PATH% ^&|! \xfc\x4e2d").exit_code, 0);
}

static void environment_arrives(void **state)
{
    static const sbx_env_edit edits[] = {{SBX_ENV_SET, "SBX_TEST_A", "\xc3\xbc x"},
                                         {SBX_ENV_UNSET, "SBX_TEST_B", NULL}};
    sbx_policy policy = {0};

    (void)state;
    SetEnvironmentVariableW(L"SBX_TEST_B", L"here");
    policy.env = edits;
    policy.env_count = 2;
    assert_int_equal(run(&policy, L"env SBX_TEST_A \"\xfc x\"").exit_code, 0);
    assert_int_equal(run(&policy, L"env SBX_TEST_B").exit_code, 0);
    assert_int_equal(run(NULL, L"env SBX_TEST_B here").exit_code, 0); /* the control */
    assert_int_equal(run(NULL, L"env SBX_TEST_EXTRA backend").exit_code, 0);
    SetEnvironmentVariableW(L"SBX_TEST_B", NULL);
}

static void foreign_handles_stay_behind(void **state)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    HANDLE event = CreateEventW(&inherit, TRUE, FALSE, L"sbx-test-inherit");
    WCHAR tail[64], line[MAX_PATH + 80];
    STARTUPINFOW si = {0};
    PROCESS_INFORMATION pi = {0};
    DWORD code = 0;

    (void)state;
    si.cb = sizeof(si);
    swprintf(tail, 64, L"has %llu sbx-test-inherit", (unsigned long long)(uintptr_t)event);
    assert_int_equal(run(NULL, tail).exit_code, 0);
    /* the control: an ordinary child gets it */
    swprintf(line, MAX_PATH + 80, L"\"%ls\" child %ls", self_w, tail);
    assert_true(CreateProcessW(self_w, line, NULL, NULL, TRUE, 0, NULL, NULL, &si, &pi));
    WaitForSingleObject(pi.hProcess, INFINITE);
    GetExitCodeProcess(pi.hProcess, &code);
    assert_int_equal(code, 1);
    CloseHandle(pi.hThread);
    CloseHandle(pi.hProcess);
    CloseHandle(event);
}

static void closed_input_is_its_end(void **state)
{
    HANDLE own = GetStdHandle(STD_INPUT_HANDLE);
    HANDLE reader = NULL, writer = NULL;

    (void)state;
    SetStdHandle(STD_INPUT_HANDLE, NULL);
    assert_int_equal(run(NULL, L"eof").exit_code, 9);
    SetStdHandle(STD_INPUT_HANDLE, INVALID_HANDLE_VALUE);
    assert_int_equal(run(NULL, L"eof").exit_code, 9);
    SetStdHandle(STD_INPUT_HANDLE, (HANDLE)(uintptr_t)0xABCC); /* closed by somebody else */
    assert_int_equal(run(NULL, L"eof").exit_code, 9);
    assert_true(CreatePipe(&reader, &writer, NULL, 0));
    assert_true(WriteFile(writer, "x", 1, &(DWORD){0}, NULL));
    SetStdHandle(STD_INPUT_HANDLE, reader); /* the control: there is something to read */
    assert_int_equal(run(NULL, L"eof").exit_code, 10);
    SetStdHandle(STD_INPUT_HANDLE, own);
    CloseHandle(reader);
    CloseHandle(writer);
}

#define STREAM_BYTES (100u << 20)

typedef struct stream {
    HANDLE handle;
    uint64_t bytes, wrong;
} stream;

static uint8_t byte_at(uint64_t i)
{
    return (uint8_t)((i * 2654435761u) >> 7); /* all 256 values */
}

static DWORD WINAPI feed(void *context)
{
    static uint8_t buffer[1 << 16];
    stream *s = context;
    DWORD put, k;

    while (s->bytes < STREAM_BYTES) {
        for (k = 0; k < sizeof(buffer); k++)
            buffer[k] = byte_at(s->bytes + k);
        if (!WriteFile(s->handle, buffer, sizeof(buffer), &put, NULL))
            break;
        s->bytes += put;
        s->wrong += put != sizeof(buffer);
    }
    CloseHandle(s->handle);
    return 0;
}

static DWORD WINAPI drain(void *context)
{
    static uint8_t buffer[1 << 16];
    stream *s = context;
    DWORD got, k;

    while (ReadFile(s->handle, buffer, sizeof(buffer), &got, NULL) && got)
        for (k = 0; k < got; k++)
            s->wrong += buffer[k] != byte_at(s->bytes++);
    CloseHandle(s->handle);
    return 0;
}

static void streams_are_exact(void **state)
{
    HANDLE own_in = GetStdHandle(STD_INPUT_HANDLE), own_out = GetStdHandle(STD_OUTPUT_HANDLE), threads[2];
    HANDLE in_read = NULL, in_write = NULL, out_read = NULL, out_write = NULL;
    stream in = {0}, out = {0};
    uint32_t code;

    (void)state;
    assert_true(CreatePipe(&in_read, &in_write, NULL, 1 << 16) && CreatePipe(&out_read, &out_write, NULL, 1 << 16));
    in.handle = in_write;
    out.handle = out_read;
    SetStdHandle(STD_INPUT_HANDLE, in_read);
    SetStdHandle(STD_OUTPUT_HANDLE, out_write);
    threads[0] = CreateThread(NULL, 0, feed, &in, 0, NULL);
    threads[1] = CreateThread(NULL, 0, drain, &out, 0, NULL);
    code = run(NULL, L"copy").exit_code;
    SetStdHandle(STD_INPUT_HANDLE, own_in);
    SetStdHandle(STD_OUTPUT_HANDLE, own_out);
    CloseHandle(in_read);
    CloseHandle(out_write); /* the last one: no copy of the launch is left */
    assert_int_equal(WaitForMultipleObjects(2, threads, TRUE, 60000), WAIT_OBJECT_0);
    CloseHandle(threads[0]);
    CloseHandle(threads[1]);
    assert_int_equal(code, 0);
    assert_int_equal(out.wrong, 0);
    assert_int_equal(out.bytes, STREAM_BYTES);
}

static void background_children_end(void **state)
{
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"sbx-test-ready");
    HANDLE own_out = GetStdHandle(STD_OUTPUT_HANDLE), reader = NULL, writer = NULL;
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    static const wchar_t *const ways[] = {L"", L" 0x8" /* detached */, L" 0x200" /* new group */, L" 0x10"};
    WCHAR tail[128];
    size_t i;

    (void)state;
    assert_true(CreatePipe(&reader, &writer, &inherit, 0));
    SetStdHandle(STD_OUTPUT_HANDLE, writer); /* the grandchild holds it */
    for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        sbx_launch_result result;

        ResetEvent(ready);
        swprintf(tail, 128, L"leave sbx-test-hold sbx-test-ready%ls", ways[i]);
        result = run(NULL, tail);
        assert_int_equal(result.exit_code, 7);
        assert_int_equal(result.end, SBX_END_EXITED);
        assert_true(result.run_us < 20000000);
        assert_true(goes(L"sbx-test-hold"));
    }
    SetStdHandle(STD_OUTPUT_HANDLE, own_out);
    CloseHandle(reader);
    CloseHandle(writer);
    CloseHandle(ready);
}

static void breakaway_fails(void **state)
{
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"sbx-test-ready");
    uint32_t code = run(NULL, L"leave sbx-test-hold sbx-test-ready 0x01000000").exit_code;

    (void)state;
    if (code != 100 + ERROR_ACCESS_DENIED)
        print_message("breakaway not refused by this system (%u): judged by the end of the tree\n", code);
    assert_true(goes(L"sbx-test-hold"));
    CloseHandle(ready);
}

static void kept_children_live(void **state)
{
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"sbx-test-ready");
    sbx_policy policy = {0};
    FILETIME times[4];
    HANDLE event, children[1];
    uint32_t count, i;

    (void)state;
    policy.flags = SBX_POLICY_KEEP_CHILDREN;
    assert_int_equal(sbx_job_children()->count, 0);
    assert_int_equal(run(&policy, L"leave sbx-test-kept sbx-test-ready").exit_code, 7);
    assert_true(sbx_job_children()->known);
    count = sbx_job_children()->count; /* without the console's own host */
    assert_int_equal(count, 1);
    for (i = 0; i < count; i++) {
        children[i] =
            OpenProcess(PROCESS_QUERY_INFORMATION | SYNCHRONIZE, FALSE, sbx_job_children()->items[i].process_id);
        assert_non_null(children[i]);
        assert_true(GetProcessTimes(children[i], &times[0], &times[1], &times[2], &times[3]));
        assert_true(((uint64_t)times[0].dwHighDateTime << 32 | times[0].dwLowDateTime) ==
                    sbx_job_children()->items[i].created);
    }
    event = OpenEventW(EVENT_MODIFY_STATE, FALSE, L"sbx-test-kept");
    assert_non_null(event);
    SetEvent(event);
    CloseHandle(event);
    assert_true(goes(L"sbx-test-kept"));
    assert_int_equal(WaitForMultipleObjects(count, children, TRUE, 20000), WAIT_OBJECT_0);
    for (i = 0; i < count; i++)
        CloseHandle(children[i]);
    CloseHandle(ready);
}

static void time_limit_ends_the_tree(void **state)
{
    sbx_policy policy = {0};
    sbx_launch_result result;

    (void)state;
    policy.limits.time_ms = 300;
    result = run(&policy, L"hold sbx-test-late");
    assert_int_equal(result.end, SBX_END_TIME);
    assert_int_equal(result.exit_code, 124);
    assert_true(result.run_us >= 300000 && result.run_us < 5000000);
    assert_true(goes(L"sbx-test-late"));
}

static DWORD WINAPI press_twice(void *ready)
{
    WaitForSingleObject(ready, 20000);
    sbx_console_signal(CTRL_C_EVENT);
    sbx_console_signal(CTRL_C_EVENT);
    return 0;
}

static DWORD WINAPI press_once(void *ready)
{
    WaitForSingleObject(ready, 20000);
    sbx_console_signal(CTRL_C_EVENT);
    return 0;
}

static void second_interrupt_ends_the_tree(void **state)
{
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"sbx-test-ready");
    HANDLE thread = CreateThread(NULL, 0, press_twice, ready, 0, NULL);
    sbx_launch_result result = run(NULL, L"hold sbx-test-stop sbx-test-ready");

    (void)state;
    assert_int_equal(result.end, SBX_END_INTERRUPTED);
    assert_int_equal(result.exit_code, 0xC000013Au);
    assert_true(goes(L"sbx-test-stop"));
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    CloseHandle(ready);
}

static DWORD WINAPI close_it(void *ready)
{
    WaitForSingleObject(ready, 20000);
    sbx_console_signal(CTRL_CLOSE_EVENT);
    return 0;
}

/* The window of the console is closed: the system leaves sbx five seconds. */
static void closing_ends_the_tree(void **state)
{
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"sbx-test-ready");
    HANDLE thread = CreateThread(NULL, 0, close_it, ready, 0, NULL);
    sbx_launch_result result = run(NULL, L"hold sbx-test-stop sbx-test-ready");

    (void)state;
    assert_int_equal(result.end, SBX_END_INTERRUPTED);
    assert_int_equal(result.exit_code, 0xC000013Au);
    assert_true(result.run_us < 5000000);
    assert_true(goes(L"sbx-test-stop"));
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    CloseHandle(ready);
}

static void first_interrupt_is_the_commands(void **state)
{
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"sbx-test-ready");
    HANDLE thread = CreateThread(NULL, 0, press_once, ready, 0, NULL);
    sbx_policy policy = {0};
    sbx_launch_result result;

    (void)state;
    policy.limits.time_ms = 1000;
    result = run(&policy, L"hold sbx-test-stop sbx-test-ready");
    assert_int_equal(result.end, SBX_END_TIME); /* not interrupted */
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    CloseHandle(ready);
}

/* A limit either holds or stops the launch with its name: never silently nothing. */
static void limit_holds(sbx_policy *policy, const wchar_t *tail, uint32_t end, const char *name)
{
    sbx_launch_result result;
    sbx_error err = {0};
    sbx_backend b = backend();
    sbx_status st = launch_with(policy, &b, tail, &result, &err);

    if (st == SBX_E_UNENFORCED) {
        assert_string_equal(err.object, name);
        assert_int_equal(result.process_id, 0);
        assert_int_equal(result.exit_code, 125);
        print_message("%s not judged here: the system does not keep it, and the launch was refused\n", name);
        return;
    }
    check(st, &err);
    assert_int_equal(result.exit_code, 11);
    assert_int_equal(result.end, end);
}

static void limits_hold_or_stop(void **state)
{
    sbx_policy policy = {0};

    (void)state;
    policy.limits.processes = 1;
    limit_holds(&policy, L"processes", SBX_END_PROCESSES, "process limit");
    policy.limits.processes = 0;
    policy.limits.memory_bytes = 256u << 20;
    limit_holds(&policy, L"memory", SBX_END_MEMORY, "memory limit");
}

/* Whether this system gives back the flags of a job at all. */
static int jobs_tell(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION info = {0};
    HANDLE job = CreateJobObjectW(NULL, NULL);

    info.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    assert_true(SetInformationJobObject(job, JobObjectExtendedLimitInformation, &info, sizeof(info)));
    memset(&info, 0, sizeof(info));
    assert_true(QueryInformationJobObject(job, JobObjectExtendedLimitInformation, &info, sizeof(info), NULL));
    CloseHandle(job);
    return info.BasicLimitInformation.LimitFlags != 0;
}

/* A tree that the system does not tell about is claimed by nobody, and nothing that relies on it runs. */
static void what_is_not_read_back_is_not_claimed(void **state)
{
    const int tell = jobs_tell();
    const struct {
        uint32_t enforced, require;
        int relies;
    } cases[] = {
        {0, 0, 0},
        {SBX_AREA_PROCESS_TREE, 0, 0},
        {SBX_AREA_PROCESS_TREE, SBX_AREA_PROCESS_TREE, 1},
        {SBX_AREA_PROCESS_TREE | SBX_AREA_FILE_WRITE, 0, 1},
        {SBX_AREA_NETWORK, 0, 1},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sbx_policy policy = {0};
        sbx_launch_result result;
        sbx_error err = {0};
        sbx_backend b = backend();
        sbx_status st;

        b.claims.enforced = cases[i].enforced;
        policy.require = cases[i].require;
        st = launch_with(&policy, &b, L"exit 6", &result, &err);
        if (cases[i].relies && !tell) {
            assert_int_equal(st, SBX_E_UNENFORCED);
            assert_string_equal(err.object, "process tree");
            assert_int_equal(result.process_id, 0);
            assert_int_equal(result.exit_code, 125);
        } else {
            check(st, &err);
            assert_int_equal(result.exit_code, 6);
            assert_int_equal(result.unverified, tell ? 0 : SBX_AREA_PROCESS_TREE);
        }
    }
}

static void failed_verification_runs_nothing(void **state)
{
    sbx_policy policy = {0};
    sbx_launch_result result;
    sbx_error err = {0};
    sbx_backend b = backend();
    int before = spawn_ends;

    (void)state;
    verify_result = SBX_E_UNENFORCED;
    assert_int_equal(launch_with(&policy, &b, L"exit 0", &result, &err), SBX_E_UNENFORCED);
    verify_result = SBX_OK;
    assert_int_equal(result.end, SBX_END_FAILED);
    assert_int_equal(result.exit_code, 125);
    assert_int_equal(spawn_ends, before + 1);
}

/* A system may take any password and start the program as the user: that is not what was asked for. */
static void an_account_that_there_is_not_is_refused(void **state)
{
    sbx_status st;
    sbx_policy policy = {0};
    sbx_launch_result result;
    sbx_error err = {0};
    sbx_backend b = backend();

    (void)state;
    b.identity = other_identity;
    other_account = NULL;
    assert_int_equal(launch_with(&policy, &b, L"exit 0", &result, &err), SBX_E_BACKEND);
    other_account = "sbx-no-such-account";
    st = launch_with(&policy, &b, L"exit 0", &result, &err);
    assert_true(st == SBX_E_UNAVAILABLE || st == SBX_E_UNENFORCED);
    assert_int_equal(result.process_id, 0);
    assert_int_equal(result.exit_code, 125);
}

static void missing_directory_is_named(void **state)
{
    sbx_policy policy = {0};
    sbx_launch_result result;
    sbx_error err = {0};
    sbx_backend b = backend();

    (void)state;
    policy.cwd = "C:\\sbx-no-such-directory";
    assert_int_equal(launch_with(&policy, &b, L"exit 0", &result, &err), SBX_E_SYSTEM);
    assert_string_equal(err.object, policy.cwd);
    assert_string_equal(err.op, "start directory");
}

static void launches_leak_no_handle(void **state)
{
    uint32_t before;
    int i;

    (void)state;
    for (i = 0; i < 5; i++)
        run(NULL, L"exit 0");
    before = child_handles();
    for (i = 0; i < 200; i++)
        assert_int_equal(run(NULL, L"exit 3").exit_code, 3);
    assert_true(child_handles() < before + 50); /* one a launch would be 200 */
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_are_exact),
        cmocka_unit_test(arguments_arrive),
        cmocka_unit_test(environment_arrives),
        cmocka_unit_test(foreign_handles_stay_behind),
        cmocka_unit_test(closed_input_is_its_end),
        cmocka_unit_test(streams_are_exact),
        cmocka_unit_test(background_children_end),
        cmocka_unit_test(breakaway_fails),
        cmocka_unit_test(kept_children_live),
        cmocka_unit_test(time_limit_ends_the_tree),
        cmocka_unit_test(second_interrupt_ends_the_tree),
        cmocka_unit_test(closing_ends_the_tree),
        cmocka_unit_test(first_interrupt_is_the_commands),
        cmocka_unit_test(limits_hold_or_stop),
        cmocka_unit_test(what_is_not_read_back_is_not_claimed),
        cmocka_unit_test(failed_verification_runs_nothing),
        cmocka_unit_test(an_account_that_there_is_not_is_refused),
        cmocka_unit_test(missing_directory_is_named),
        cmocka_unit_test(launches_leak_no_handle),
    };

    sbx_memory_use(&sbx_mimalloc);
    if (argc > 1 && wcscmp(argv[1], L"child") == 0)
        return child_main(argc - 2, argv + 2);
    begin_launches();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
