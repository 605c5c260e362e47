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
#include "launch/launch.h"
#include "win/clock.h"
#include "win/console.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/wide.h"

static WCHAR self_w[MAX_PATH];
static char *cwd;
static sbx_status verify_result;
static int spawn_ends;

static sbx_status SBX_CALL self_identity(sbx_session *session, sbx_identity *identity, sbx_error *err)
{
    (void)session, (void)err;
    identity->kind = SBX_IDENTITY_SELF;
    return SBX_OK;
}

static sbx_status SBX_CALL other_identity(sbx_session *session, sbx_identity *identity, sbx_error *err)
{
    (void)session, (void)err;
    identity->kind = SBX_IDENTITY_LOGON;
    return SBX_OK;
}

static sbx_status SBX_CALL empty_ticket(sbx_session *session, sbx_ticket *ticket, sbx_error *err)
{
    (void)session, (void)ticket, (void)err;
    return SBX_OK;
}

static sbx_status SBX_CALL extra_environment(sbx_session *session, sbx_env_edits *edits, sbx_error *err)
{
    static const sbx_env_edit extra[] = {{SBX_ENV_SET, "SBX_TEST_EXTRA", "backend"}};

    (void)session, (void)err;
    edits->edits = extra;
    edits->count = 1;
    return SBX_OK;
}

static sbx_status SBX_CALL own_token(const sbx_ticket *ticket, sbx_spawn *spawn, sbx_error *err)
{
    (void)ticket, (void)spawn, (void)err;
    return SBX_OK;
}

static sbx_status SBX_CALL verify(const sbx_spawn *spawn, void *process, sbx_error *err)
{
    (void)spawn, (void)process;
    return verify_result ? sbx_fail(err, verify_result, "verify", "test") : SBX_OK;
}

static void SBX_CALL spawn_end(sbx_spawn *spawn)
{
    (void)spawn;
    spawn_ends++;
}

static sbx_backend backend(void)
{
    sbx_backend b = {0};

    b.size = sizeof(b);
    b.identity = self_identity;
    b.ticket = empty_ticket;
    b.environment = extra_environment;
    b.token = own_token;
    b.verify = verify;
    b.spawn_end = spawn_end;
    return b;
}

static sbx_status launch_with(sbx_policy *policy, const sbx_backend *b, const wchar_t *tail, sbx_launch_result *result,
                              sbx_error *err)
{
    static WCHAR line_w[40000];
    sbx_launch_request request = {0};

    swprintf(line_w, 40000, L"\"%ls\" child %ls", self_w, tail);
    policy->size = sizeof(*policy);
    if (!policy->cwd)
        policy->cwd = cwd;
    request.policy = policy;
    request.backend = b;
    request.command_w = line_w;
    return sbx_launch_run(&request, result, err);
}

static void check(sbx_status st, const sbx_error *err)
{
    char text[1024];

    if (st == SBX_OK)
        return;
    sbx_error_describe(err, text, sizeof(text));
    fail_msg("%s", text);
}

/* The exit code of a child with the given policy (may be NULL). */
static sbx_launch_result run(sbx_policy *policy, const wchar_t *tail)
{
    sbx_policy plain = {0};
    sbx_launch_result result;
    sbx_error err = {0};
    sbx_backend b = backend();

    check(launch_with(policy ? policy : &plain, &b, tail, &result, &err), &err);
    return result;
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

static int exists(const wchar_t *name)
{
    HANDLE event = OpenEventW(SYNCHRONIZE, FALSE, name);

    if (event)
        CloseHandle(event);
    return event != NULL;
}

/* Objects go shortly after the last process that holds them is reported gone. */
static int goes(const wchar_t *name)
{
    uint64_t end_us = sbx_clock_us() + 1000000;

    while (exists(name) && sbx_clock_us() < end_us)
        SwitchToThread();
    return !exists(name);
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
    HANDLE event;

    (void)state;
    policy.flags = SBX_POLICY_KEEP_CHILDREN;
    assert_int_equal(run(&policy, L"leave sbx-test-kept sbx-test-ready").exit_code, 7);
    event = OpenEventW(EVENT_MODIFY_STATE, FALSE, L"sbx-test-kept");
    assert_non_null(event);
    SetEvent(event);
    CloseHandle(event);
    assert_true(goes(L"sbx-test-kept"));
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

static void other_accounts_are_refused(void **state)
{
    sbx_policy policy = {0};
    sbx_launch_result result;
    sbx_error err = {0};
    sbx_backend b = backend();

    (void)state;
    b.identity = other_identity;
    assert_int_equal(launch_with(&policy, &b, L"exit 0", &result, &err), SBX_E_UNSUPPORTED);
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

/* This program with a mode of its own, and those flags of creation.  The caller closes the process. */
static HANDLE start_mode(const wchar_t *mode, DWORD flags)
{
    WCHAR line[MAX_PATH + 120];
    STARTUPINFOW si = {0};
    PROCESS_INFORMATION pi = {0};

    si.cb = sizeof(si);
    swprintf(line, MAX_PATH + 120, L"\"%ls\" %ls", self_w, mode);
    assert_true(CreateProcessW(self_w, line, NULL, NULL, FALSE, flags, NULL, NULL, &si, &pi));
    CloseHandle(pi.hThread);
    return pi.hProcess;
}

static DWORD end_of(HANDLE process)
{
    DWORD code = 99;

    assert_int_equal(WaitForSingleObject(process, 60000), WAIT_OBJECT_0);
    GetExitCodeProcess(process, &code);
    CloseHandle(process);
    return code;
}

/* "launcher TAIL [EVENT]": a process that launches; the event is set when the command exited with 0. */
static int launcher(const wchar_t *tail, const wchar_t *event)
{
    const uint32_t code = run(NULL, tail).exit_code;
    HANDLE done = event && !code ? OpenEventW(EVENT_MODIFY_STATE, FALSE, event) : NULL;

    if (done)
        SetEvent(done);
    return (int)code;
}

static void killing_the_launcher_ends_the_tree(void **state)
{
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"sbx-test-ready");
    HANDLE process = start_mode(L"launcher \"hold sbx-test-tree sbx-test-ready\"", 0);

    (void)state;
    assert_int_equal(WaitForSingleObject(ready, 20000), WAIT_OBJECT_0);
    assert_true(exists(L"sbx-test-tree"));
    TerminateProcess(process, 1);
    assert_int_equal(end_of(process), 1);
    assert_true(goes(L"sbx-test-tree"));
    CloseHandle(ready);
}

/* "console": launches a child that spoils the console.  0: it is as before; else what is not, as bits. */
static int console(void)
{
    HANDLE in = CreateFileW(L"CONIN$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                            OPEN_EXISTING, 0, NULL);
    DWORD before = 0, after = 0;

    if (!SetConsoleCP(437) || !SetConsoleOutputCP(437) || !GetConsoleMode(in, &before) || !before)
        return 64;
    if (run(NULL, L"spoil").exit_code != 42)
        return 32;
    if (!GetConsoleMode(in, &after))
        return 16;
    return (after != before) | (GetConsoleCP() != 437) << 1 | (GetConsoleOutputCP() != 437) << 2;
}

static void the_console_is_as_before(void **state)
{
    (void)state;
    /* a console of its own, and its handles the standard ones */
    assert_int_equal(end_of(start_mode(L"console", CREATE_NO_WINDOW)), 0);
}

static void no_console_is_needed(void **state)
{
    (void)state;
    assert_int_equal(end_of(start_mode(L"launcher \"exit 61\"", DETACHED_PROCESS)), 61);
    assert_int_equal(end_of(start_mode(L"launcher eof", DETACHED_PROCESS)), 9);
}

/* "orphan": starts a launcher in its own console, and is killed. */
static int orphan(void)
{
    CloseHandle(start_mode(L"launcher \"hold sbx-test-orphan sbx-test-ready\" sbx-test-done", 0));
    Sleep(INFINITE);
    return 0;
}

/* Who made the console is gone, and the launcher goes on: it sees the end of its command, and tells it. */
static void a_killed_parent_changes_nothing(void **state)
{
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"sbx-test-ready");
    HANDLE done = CreateEventW(NULL, TRUE, FALSE, L"sbx-test-done");
    HANDLE parent = start_mode(L"orphan", CREATE_NO_WINDOW), held;

    (void)state;
    assert_int_equal(WaitForSingleObject(ready, 20000), WAIT_OBJECT_0);
    TerminateProcess(parent, 1);
    assert_int_equal(end_of(parent), 1);
    assert_int_equal(WaitForSingleObject(done, 0), WAIT_TIMEOUT);
    held = OpenEventW(EVENT_MODIFY_STATE, FALSE, L"sbx-test-orphan");
    assert_non_null(held);
    SetEvent(held);
    CloseHandle(held);
    assert_int_equal(WaitForSingleObject(done, 20000), WAIT_OBJECT_0);
    assert_true(goes(L"sbx-test-orphan"));
    CloseHandle(done);
    CloseHandle(ready);
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
        cmocka_unit_test(first_interrupt_is_the_commands),
        cmocka_unit_test(limits_hold_or_stop),
        cmocka_unit_test(what_is_not_read_back_is_not_claimed),
        cmocka_unit_test(failed_verification_runs_nothing),
        cmocka_unit_test(other_accounts_are_refused),
        cmocka_unit_test(missing_directory_is_named),
        cmocka_unit_test(the_console_is_as_before),
        cmocka_unit_test(no_console_is_needed),
        cmocka_unit_test(a_killed_parent_changes_nothing),
        cmocka_unit_test(killing_the_launcher_ends_the_tree),
        cmocka_unit_test(launches_leak_no_handle),
    };
    sbx_error err = {0};

    sbx_memory_use(&sbx_mimalloc);
    if (argc > 1 && wcscmp(argv[1], L"child") == 0)
        return child_main(argc - 2, argv + 2);
    GetModuleFileNameW(NULL, self_w, MAX_PATH);
    check(sbx_dirs_get(SBX_DIR_CURRENT, &cwd, &err), &err);
    if (argc > 2 && wcscmp(argv[1], L"launcher") == 0)
        return launcher(argv[2], argc > 3 ? argv[3] : NULL);
    if (argc > 1 && wcscmp(argv[1], L"orphan") == 0)
        return orphan();
    if (argc > 1 && wcscmp(argv[1], L"console") == 0)
        return console();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
