/*
 * Commands of another account, through sbx-runner.exe and through runners that lie.
 *
 * Makes a local account, so it takes an administrator, and a system that has accounts: elsewhere all is skipped.  This program is
 * also each of the runners (liar.h), and what spies on them.
 */
#include <windows.h>
#include <tlhelp32.h>
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
#include "base/talk.h"
#include "base/utf.h"
#include "child.h"
#include "fixture.h"
#include "liar.h"
#include "other.h"
#include "launch/account.h"
#include "launch/supervise.h"
#include "win/channel.h"
#include "win/clock.h"
#include "win/handle.h"
#include "win/logon.h"

#define LATE_MS 1500u

/* "launcher SID MODE": a process that launches through the runner that lies so, or the real one, to be ended. */
static int launcher(const wchar_t *sid, const wchar_t *mode)
{
    sbx_launch_result result;
    char mode_utf8[32];
    sbx_error err;

    WideCharToMultiByte(CP_UTF8, 0, sid, -1, account_sid, sizeof(account_sid), NULL, NULL);
    WideCharToMultiByte(CP_UTF8, 0, mode, -1, mode_utf8, sizeof(mode_utf8), NULL, NULL);
    runner = real_runner;
    named_sid = account_sid;
    if (strcmp(mode_utf8, "real"))
        lie(mode_utf8);
    return launch_there(L"hold " HELD, &result, &err) != SBX_OK;
}

/* ---- tests ---- */

static void test_runs(void **state)
{
    sbx_launch_result result;
    sbx_error err;

    (void)state;
    begin_other();
    check(launch_there(L"user " ACCOUNT, &result, &err), &err);
    assert_int_equal(result.end, SBX_END_EXITED);
    assert_int_equal(result.exit_code, 0);
    check(launch_there(L"user someone-else", &result, &err), &err);
    assert_int_equal(result.exit_code, 1); /* the verb tells */
    check(launch_there(L"exit 3221225477", &result, &err), &err);
    assert_int_equal(result.exit_code, 0xC0000005u);
    assert_int_equal(result.processes, 1);
    assert_string_equal(result.runner_version, SBX_VERSION);
}

static void test_failures(void **state)
{
    sbx_launch_result result;
    sbx_error err;

    (void)state;
    begin_other();
    wcscpy(password, L"wrong");
    assert_int_equal(launch_there(L"exit 0", &result, &err), SBX_E_UNAVAILABLE);
    assert_int_equal(err.code, ERROR_LOGON_FAILURE);
    begin_other();
    named_sid = "S-1-5-21-1-2-3-1001";
    assert_int_equal(launch_there(L"exit 0", &result, &err), SBX_E_UNENFORCED);
    assert_string_equal(err.object, "it runs as another account");
    assert_int_equal(result.process_id, 0);
}

static void test_liars(void **state)
{
    static const struct {
        const char *mode;
        sbx_status status;
        const char *op, *object; /* object: what it was at; NULL: not that of a stage */
    } modes[] = {
        {"gone", SBX_E_UNAVAILABLE, "it ended", "sbx-runner, asked who it is"},
        {"silent", SBX_E_UNAVAILABLE, "it did not answer in time", "sbx-runner, asked who it is"},
        {"noise", SBX_E_REFUSED, "what it says is no message of sbx", "sbx-runner, asked who it is"},
        {"field", SBX_E_REFUSED, "a field is malformed", "sbx-runner, asked who it is: version"},
        {"old", SBX_E_REFUSED, "it is of a version that this one cannot talk to", "sbx-runner, asked who it is"},
        {"other", SBX_E_UNENFORCED, "it is not the one that was started", "sbx-runner, asked who it is"},
        {"stranger", SBX_E_UNENFORCED, "it is not the one that was started", "sbx-runner, asked who it is"},
        {"huge", SBX_E_REFUSED, "its message is too long", "sbx-runner, asked to start the command"},
        {"quits", SBX_E_UNAVAILABLE, "it ended", "sbx-runner, asked to start the command"},
        {"mute", SBX_E_UNAVAILABLE, "it did not answer in time", "sbx-runner, asked to start the command"},
        {"twice", SBX_E_REFUSED, "it said what it was not asked for", "sbx-runner, asked to start the command"},
        {"nothing", SBX_E_SYSTEM, "DuplicateHandle", NULL},
        {"itself", SBX_E_UNENFORCED, "OpenProcessToken", NULL}, /* its own is closed to the user */
        {"deaf", SBX_E_UNAVAILABLE, "it did not answer in time", "sbx-runner, asked to start the command"},
    };
    static WCHAR much[30000];
    const WCHAR *copy_w;
    sbx_launch_result result;
    sbx_error err;
    sbx_status st;
    size_t i;

    (void)state;
    begin_other();
    wait_ms = LATE_MS;
    wmemset(much, L'x', 29999);
    for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        copy_w = lie(modes[i].mode);
        if (!strcmp(modes[i].mode, "deaf")) { /* two of them do not go into the pipe of one that does not read */
            SetEnvironmentVariableW(L"SBX_TEST_MUCH", much);
            SetEnvironmentVariableW(L"SBX_TEST_MORE", much);
        }
        st = launch_there(L"exit 0", &result, &err);
        if (st != modes[i].status || strcmp(err.op, modes[i].op) ||
            (modes[i].object && strcmp(err.object, modes[i].object)))
            fail_msg("%s: %d %s %s", modes[i].mode, (int)st, err.object, err.op);
        assert_int_equal(result.process_id, 0);
        if (!strcmp(modes[i].mode, "quits")) /* another version that speaks the same */
            assert_string_equal(result.runner_version, "0");
        remove_lie(copy_w);
    }
    SetEnvironmentVariableW(L"SBX_TEST_MUCH", NULL);
    SetEnvironmentVariableW(L"SBX_TEST_MORE", NULL);
}

/* When the runner is there: Ctrl-C. */
static DWORD WINAPI press(void *context)
{
    (void)context;
    while (!exists(HELD))
        SwitchToThread();
    sbx_console_signal(CTRL_C_EVENT);
    return 0;
}

static void test_interrupted(void **state)
{
    static const char *const modes[] = {"silent", "mute"};
    const WCHAR *copy_w;
    sbx_launch_result result;
    sbx_error err;
    HANDLE thread;
    uint64_t begin_us;
    size_t i;

    (void)state;
    begin_other();
    for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        copy_w = lie(modes[i]);
        thread = CreateThread(NULL, 0, press, NULL, 0, NULL);
        begin_us = sbx_clock_us();
        check(launch_there(L"exit 0", &result, &err), &err);
        assert_true(sbx_clock_us() - begin_us < SBX_ACCOUNT_WAIT_MS * 1000u / 2);
        assert_int_equal(result.end, SBX_END_INTERRUPTED);
        assert_int_equal(result.exit_code, SBX_INTERRUPTED_CODE);
        assert_int_equal(result.process_id, 0);
        assert_int_equal(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
        CloseHandle(thread);
        remove_lie(copy_w);
    }
}

/* Whatever is said to the runner of a command but what is due then ends both.  Ctrl-C is the command's then, and no end of its runner. */
static void test_late(void **state)
{
    sbx_console console = {0};
    sbx_account account = {.console = &console};
    sbx_identity identity = {.size = sizeof(identity)};
    const sbx_ticket ticket = {sizeof(ticket), sizeof(TICKET) - 1, TICKET};
    static const uint16_t environment_w[] = {0, 0};
    sbx_process_start start = {.program_w = self_w, .environment_w = environment_w, .cwd_w = L"C:\\windows"};
    sbx_process process = {0};
    sbx_job job = {0};
    sbx_stdio stdio = {0};
    sbx_frame_body body;
    sbx_text frame = {0};
    sbx_error err = {0}, said;
    uint32_t type;

    (void)state;
    begin_other();
    other_identity(&identity);
    check(sbx_console_begin(&console, &err), &err);
    check(sbx_account_open(&account, &identity, &err), &err);
    check(sbx_job_open(&job, NULL, 0, &err), &err);
    check(sbx_stdio_open(&stdio, &err), &err);
    start.command_w = self_w;
    start.job = job.handle;
    start.stdio = &stdio;
    check(sbx_account_spawn(&account, "template", &ticket, &start, &process, &err), &err);
    sbx_console_signal(CTRL_C_EVENT);
    sbx_talk_started_put(&frame, &(sbx_talk_started){4, 8, 12});
    check(sbx_channel_ask(&account.channel, &frame, sbx_talk_most, 30000, &type, &body, &err), &err);
    assert_int_equal(type, SBX_TALK_FAILED);
    check(sbx_talk_failed_get(&body, &said, &err), &err);
    assert_string_equal(said.op, "it said what it was not asked for");
    assert_int_equal(WaitForSingleObject(account.process.handle, 10000), WAIT_OBJECT_0);
    sbx_stdio_close(&stdio);
    sbx_process_discard(&process);
    sbx_account_close(&account);
    sbx_job_close(&job);
    sbx_console_end(&console);
}

/* What else runs as the account cannot have the runner; of one that is left as the service makes it, it has everything. */
static void test_closed(void **state)
{
    const uint16_t *open_w = self_w;
    sbx_logon_start plain = {.account_w = ACCOUNT, .domain_w = L".", .secret_w = PASSWORD, .program_w = open_w};
    sbx_account account = {0};
    sbx_identity identity = {.size = sizeof(identity)};
    sbx_process open = {0};
    sbx_launch_result result;
    sbx_error err = {0};
    WCHAR tail[64];

    (void)state;
    begin_other();
    other_identity(&identity);
    check(sbx_account_open(&account, &identity, &err), &err);
    swprintf(tail, 64, L"take %lu", (unsigned long)account.process.id);
    check(launch_there(tail, &result, &err), &err);
    assert_int_equal(result.exit_code, ERROR_ACCESS_DENIED);
    sbx_account_close(&account);

    check(sbx_logon_spawn(&open, &plain, &err), &err);
    check(sbx_logon_check(&open, account_sid, self_w, &err), &err);
    assert_int_equal(sbx_logon_check(&open, account_sid, L"C:\\windows\\system32\\cmd.exe", &err), SBX_E_UNENFORCED);
    assert_int_equal(sbx_logon_check(&open, "S-1-5-18", self_w, &err), SBX_E_UNENFORCED);
    swprintf(tail, 64, L"take %lu", (unsigned long)open.id);
    check(launch_there(tail, &result, &err), &err);
    sbx_process_discard(&open);
    assert_int_equal(result.exit_code, 0);
}

/* The process of a program, or 0. */
static DWORD process_of(const wchar_t *name)
{
    PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    DWORD found = 0;
    BOOL more;

    for (more = Process32FirstW(all, &entry); more && !found; more = Process32NextW(all, &entry))
        if (!_wcsicmp(entry.szExeFile, name))
            found = entry.th32ProcessID;
    CloseHandle(all);
    return found;
}

/* When the command holds its event: end the runner. */
static DWORD WINAPI end_runner(void *context)
{
    HANDLE process;

    (void)context;
    while (!exists(HELD))
        SwitchToThread();
    process = OpenProcess(PROCESS_TERMINATE, FALSE, process_of(L"sbx-runner.exe"));
    if (process)
        TerminateProcess(process, 1);
    sbx_handle_close(&process);
    return 0;
}

static void test_runner_ends(void **state)
{
    HANDLE thread;
    sbx_launch_result result;
    sbx_error err;

    (void)state;
    begin_other();
    thread = CreateThread(NULL, 0, end_runner, NULL, 0, NULL);
    assert_int_equal(launch_there(L"hold " HELD, &result, &err), SBX_E_SYSTEM);
    assert_string_equal(err.op, "it ended before the command, which was ended, too");
    assert_int_equal(result.exit_code, 125);
    assert_int_equal(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
    CloseHandle(thread);
    assert_true(goes(HELD));
}

/* sbx is ended while the runner of that kind is there: that goes, too. */
static void launcher_ends(const char *mode)
{
    STARTUPINFOW si = {.cb = sizeof(si)};
    PROCESS_INFORMATION pi = {0};
    WCHAR line[MAX_PATH + 256];

    swprintf(line, MAX_PATH + 256, L"\"%ls\" launcher %hs %hs", self_w, account_sid, mode);
    assert_true(CreateProcessW(self_w, line, NULL, NULL, FALSE, 0, NULL, NULL, &si, &pi));
    while (!exists(HELD))
        assert_int_equal(WaitForSingleObject(pi.hProcess, 10), WAIT_TIMEOUT);
    TerminateProcess(pi.hProcess, 1);
    assert_int_equal(WaitForSingleObject(pi.hProcess, 10000), WAIT_OBJECT_0);
    CloseHandle(pi.hThread);
    CloseHandle(pi.hProcess);
    assert_true(goes(HELD));
}

static void test_launcher_ends(void **state)
{
    (void)state;
    begin_other();
    launcher_ends("real");
    launcher_ends("silent"); /* asked who it is, and */
    remove_lie(lie("silent"));
    launcher_ends("mute"); /* asked to start the command */
    remove_lie(lie("mute"));
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_runs),        cmocka_unit_test(test_failures),
                                       cmocka_unit_test(test_liars),       cmocka_unit_test(test_interrupted),
                                       cmocka_unit_test(test_late),        cmocka_unit_test(test_closed),
                                       cmocka_unit_test(test_runner_ends), cmocka_unit_test(test_launcher_ends)};
    const wchar_t *name = wcsrchr(argv[0], L'\\');
    WCHAR mode[32];

    sbx_memory_use(&sbx_mimalloc);
    name = name ? name + 1 : argv[0];
    if (!wcsncmp(name, L"fake-", 5)) {
        swprintf(mode, 32, L"%ls", name + 5);
        mode[wcslen(mode) - 4] = 0;
        return liar_main(mode);
    }
    if (argc > 1 && !wcscmp(argv[1], L"child"))
        return child_main(argc - 2, argv + 2);
    begin_launches();
    find_programs();
    if (argc > 3 && !wcscmp(argv[1], L"launcher"))
        return launcher(argv[2], argv[3]);
    return cmocka_run_group_tests(tests, make_account, remove_account);
}
