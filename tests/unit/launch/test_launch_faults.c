/*
 * What fails between the start of a command and its end: each time the command is gone, no handle is left, and the
 * message names the call.  The test program is its own child.
 */
#include <windows.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>
#include <cmocka.h>

#include "base/mimalloc.h"
#include "child.h"
#include "launch/supervise.h"
#include "launch/verify.h"
#include "win/handle.h"

static WCHAR self_w[MAX_PATH];

/* A command of this program, with every part that a fault can be put into. */
typedef struct scene {
    WCHAR line_w[MAX_PATH + 128];
    sbx_job job;
    sbx_stdio stdio;
    sbx_process process;
    sbx_process_start start;
    sbx_error err;
} scene;

static void begin(scene *s, const wchar_t *tail)
{
    memset(s, 0, sizeof(*s));
    swprintf(s->line_w, MAX_PATH + 128, L"\"%ls\" child %ls", self_w, tail);
    assert_int_equal(sbx_job_open(&s->job, NULL, 0, &s->err), SBX_OK);
    assert_int_equal(sbx_stdio_open(&s->stdio, &s->err), SBX_OK);
    s->start.program_w = self_w;
    s->start.command_w = s->line_w;
    s->start.job = s->job.handle;
    s->start.stdio = &s->stdio;
}

static void end(scene *s)
{
    sbx_process_close(&s->process);
    sbx_job_close(&s->job);
    sbx_stdio_close(&s->stdio);
}

/* A handle to the same object with fewer rights. */
static HANDLE weaker(HANDLE handle, DWORD access)
{
    HANDLE copy = NULL;

    assert_true(DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &copy, access, FALSE, 0));
    return copy;
}

/* A value that is no handle: the object is closed. */
static HANDLE closed_handle(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    CloseHandle(event);
    return event;
}

static uint32_t count_processes(const sbx_job *job)
{
    sbx_job_usage usage = {0};
    sbx_error err = {0};

    assert_int_equal(sbx_job_usage_get(job, &usage, &err), SBX_OK);
    return usage.active;
}

static void a_start_that_fails_leaves_nothing(void **state)
{
    scene s;
    HANDLE none;

    (void)state;
    begin(&s, L"hold sbx-test-fault");
    none = closed_handle();
    s.start.token = none;
    assert_int_equal(sbx_process_spawn(&s.process, &s.start, &s.err), SBX_E_SYSTEM);
    assert_string_equal(s.err.op, "GetTokenInformation");
    assert_int_equal(s.err.code, ERROR_INVALID_HANDLE);
    assert_null(s.process.handle);
    assert_null(s.process.thread);
    s.start.token = NULL;
    s.start.job = none;
    assert_int_not_equal(sbx_process_spawn(&s.process, &s.start, &s.err), SBX_OK);
    assert_int_equal(s.err.code, ERROR_INVALID_HANDLE);
    assert_null(s.process.handle);
    assert_null(s.process.thread);
    assert_int_equal(count_processes(&s.job), 0);
    end(&s);
}

/* A command that cannot be put into its job has been made by then: it ends. */
static void no_job_ends_the_command(void **state)
{
    scene s;
    HANDLE weak, process;
    DWORD code = 0, id;

    (void)state;
    begin(&s, L"hold sbx-test-fault");
    assert_int_equal(sbx_process_spawn(&s.process, &s.start, &s.err), SBX_OK); /* for the number that comes next */
    id = s.process.id;
    process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, id);
    assert_non_null(process);
    sbx_process_discard(&s.process);
    assert_null(s.process.handle);
    assert_int_equal(s.process.id, 0);
    assert_int_equal(WaitForSingleObject(process, 0), WAIT_OBJECT_0); /* gone when discard returns */
    assert_true(GetExitCodeProcess(process, &code));
    assert_int_equal(code, 125);
    CloseHandle(process);
    weak = weaker(s.job.handle, JOB_OBJECT_QUERY);
    s.start.job = weak;
    assert_int_equal(sbx_process_spawn(&s.process, &s.start, &s.err), SBX_E_UNENFORCED);
    assert_string_equal(s.err.op, "AssignProcessToJobObject");
    assert_null(s.process.handle);
    assert_null(s.process.thread);
    CloseHandle(weak);
    end(&s);
}

static void what_cannot_be_read_back_is_refused(void **state)
{
    scene s;
    sbx_job broken = {0};
    sbx_stdio other = {0};
    HANDLE canary = NULL, weak;
    uint32_t unverified = 0;
    int known = 1;

    (void)state;
    begin(&s, L"hold sbx-test-fault");
    assert_int_equal(sbx_verify_canary(&canary, &s.err), SBX_OK);
    assert_int_equal(sbx_process_spawn(&s.process, &s.start, &s.err), SBX_OK);
    assert_int_equal(sbx_verify_child(&s.process, &s.job, &s.stdio, canary, self_w, &unverified, &s.err), SBX_OK);
    /* another job */
    assert_int_equal(sbx_job_open(&broken, NULL, 0, &s.err), SBX_OK);
    assert_int_equal(sbx_verify_child(&s.process, &broken, &s.stdio, canary, self_w, &unverified, &s.err),
                     SBX_E_UNENFORCED);
    assert_string_equal(s.err.object, "it is not in its job");
    sbx_job_close(&broken);
    /* no job */
    broken.handle = closed_handle();
    if (sbx_job_verify(&broken, &known, &s.err) == SBX_OK) {
        assert_int_equal(known, 0); /* this system does not even look for the job */
    } else {
        assert_int_equal(s.err.status, SBX_E_UNENFORCED);
        assert_string_equal(s.err.op, "QueryInformationJobObject");
        assert_int_equal(s.err.code, ERROR_INVALID_HANDLE);
    }
    assert_int_equal(sbx_job_end(&broken, 1, 1000, &s.err), SBX_E_SYSTEM);
    assert_int_equal(sbx_verify_child(&s.process, &broken, &s.stdio, canary, self_w, &unverified, &s.err),
                     SBX_E_UNENFORCED);
    assert_string_equal(s.err.op, "IsProcessInJob");
    broken.handle = NULL;
    /* other streams */
    assert_int_equal(sbx_stdio_open(&other, &s.err), SBX_OK);
    weak = other.handles[1];
    other.handles[1] = canary;
    assert_int_equal(sbx_verify_child(&s.process, &s.job, &other, canary, self_w, &unverified, &s.err),
                     SBX_E_UNENFORCED);
    assert_string_equal(s.err.object, "standard output is not the caller's");
    other.handles[1] = weak;
    sbx_stdio_close(&other);
    /* another program */
    assert_int_equal(
        sbx_verify_child(&s.process, &s.job, &s.stdio, canary, L"C:\\windows\\system32\\cmd.exe", &unverified, &s.err),
        SBX_E_UNENFORCED);
    assert_string_equal(s.err.object, "it is another program than the one that was found");
    /* a process that nobody may look into */
    weak = s.process.handle;
    s.process.handle = weaker(weak, PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE);
    assert_int_equal(sbx_verify_child(&s.process, &s.job, &s.stdio, canary, self_w, &unverified, &s.err),
                     SBX_E_UNENFORCED);
    sbx_handle_close(&s.process.handle);
    s.process.handle = weak;
    sbx_process_discard(&s.process);
    sbx_handle_close(&canary);
    end(&s);
}

/* sbx lost sight of the command: it ends all the same. */
static void a_failed_wait_ends_the_tree(void **state)
{
    scene s;
    sbx_console console = {0};
    sbx_watch watch = {0};
    sbx_launch_result result = {0};
    HANDLE process;

    (void)state;
    begin(&s, L"hold sbx-test-fault");
    assert_int_equal(sbx_process_spawn(&s.process, &s.start, &s.err), SBX_OK);
    assert_int_equal(sbx_process_resume(&s.process, &s.err), SBX_OK);
    assert_int_equal(sbx_process_resume(&s.process, &s.err), SBX_E_SYSTEM);
    assert_string_equal(s.err.op, "ResumeThread");
    assert_int_equal(sbx_console_begin(&console, &s.err), SBX_OK);
    process = s.process.handle;
    s.process.handle = weaker(process, PROCESS_QUERY_LIMITED_INFORMATION); /* not to be waited for */
    watch.process = &s.process;
    watch.job = &s.job;
    watch.console = &console;
    assert_int_equal(sbx_supervise(&watch, &result, &s.err), SBX_E_SYSTEM);
    assert_string_equal(s.err.op, "WaitForMultipleObjects");
    assert_int_equal(s.err.code, ERROR_ACCESS_DENIED);
    assert_int_equal(result.end, SBX_END_FAILED);
    assert_int_equal(result.exit_code, 125);
    assert_int_equal(WaitForSingleObject(process, 5000), WAIT_OBJECT_0);
    assert_int_equal(count_processes(&s.job), 0);
    CloseHandle(process);
    sbx_console_end(&console);
    end(&s);
}

/* The end of a tree that cannot be waited for is told, and it comes all the same. */
static void an_end_without_messages_is_an_end(void **state)
{
    scene s;
    HANDLE job;

    (void)state;
    begin(&s, L"hold sbx-test-fault");
    assert_int_equal(sbx_process_spawn(&s.process, &s.start, &s.err), SBX_OK);
    assert_int_equal(sbx_process_resume(&s.process, &s.err), SBX_OK);
    job = s.job.handle;
    s.job.handle = weaker(job, JOB_OBJECT_QUERY | JOB_OBJECT_TERMINATE); /* no port can be set */
    assert_int_equal(sbx_job_end(&s.job, 3, 1000, &s.err), SBX_E_SYSTEM);
    assert_string_equal(s.err.object, "completion port");
    assert_null(s.job.port);
    assert_int_equal(WaitForSingleObject(s.process.handle, 5000), WAIT_OBJECT_0);
    sbx_handle_close(&s.job.handle);
    s.job.handle = job;
    end(&s);
}

/* All three, closed or no streams at all: the command reads the end of its input, and what it writes goes nowhere. */
static void lost_streams_are_replaced(void **state)
{
    static const DWORD which[3] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    HANDLE own[3], bad[4];
    DWORD code;
    size_t i, k;

    (void)state;
    bad[0] = NULL;
    bad[1] = INVALID_HANDLE_VALUE;
    bad[2] = CreateEventW(NULL, TRUE, FALSE, NULL);
    bad[3] = CreateFileW(L"C:\\windows", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                         OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    assert_true(bad[3] != INVALID_HANDLE_VALUE);
    for (i = 0; i < 3; i++)
        own[i] = GetStdHandle(which[i]);
    for (k = 0; k < 4; k++) {
        scene s;

        for (i = 0; i < 3; i++)
            SetStdHandle(which[i], bad[k]);
        begin(&s, L"streams");
        for (i = 0; i < 3; i++)
            SetStdHandle(which[i], own[i]);
        assert_int_equal(sbx_process_spawn(&s.process, &s.start, &s.err), SBX_OK);
        assert_int_equal(sbx_process_resume(&s.process, &s.err), SBX_OK);
        assert_int_equal(WaitForSingleObject(s.process.handle, 20000), WAIT_OBJECT_0);
        assert_true(GetExitCodeProcess(s.process.handle, &code));
        assert_int_equal(code, 8);
        end(&s);
    }
    CloseHandle(bad[2]);
    CloseHandle(bad[3]);
}

static void faults_leak_no_handle(void **state)
{
    uint32_t first = 0;
    int i;

    for (i = 0; i < 30; i++) {
        if (i == 2)
            first = child_handles();
        a_start_that_fails_leaves_nothing(state);
        no_job_ends_the_command(state);
        what_cannot_be_read_back_is_refused(state);
        an_end_without_messages_is_an_end(state);
    }
    assert_true(child_handles() < first + 14); /* one a round would be 28 */
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_that_fails_leaves_nothing),
        cmocka_unit_test(no_job_ends_the_command),
        cmocka_unit_test(what_cannot_be_read_back_is_refused),
        cmocka_unit_test(a_failed_wait_ends_the_tree),
        cmocka_unit_test(an_end_without_messages_is_an_end),
        cmocka_unit_test(lost_streams_are_replaced),
        cmocka_unit_test(faults_leak_no_handle),
    };

    sbx_memory_use(&sbx_mimalloc);
    if (argc > 1 && wcscmp(argv[1], L"child") == 0)
        return child_main(argc - 2, argv + 2);
    GetModuleFileNameW(NULL, self_w, MAX_PATH);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
