/*
 * Commands of another account, through sbx-runner.exe and through runners that lie.
 *
 * Makes a local account, so it takes an administrator, and a system that has accounts: elsewhere all is skipped.  This program is
 * also each of the runners, by the name of its copy, and what spies on them.
 */
#include <windows.h>
#include <lm.h>
#include <sddl.h>
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
#include "launch/account.h"
#include "win/channel.h"
#include "win/handle.h"
#include "win/logon.h"
#include "win/user.h"

#define ACCOUNT L"sbx-test-account"
#define ACCOUNT_UTF8 "sbx-test-account"
#define PASSWORD L"Vo3-ka!9qTz_71xLwM"
#define TICKET "template ticket 0123"
#define LATE_MS 1500u
#define HELD L"sbx-test-account-held"

static char account_sid[192], real_runner[MAX_PATH * 3], fake_runner[MAX_PATH * 3];
static const char *runner, *named_sid;
static uint16_t password[64];
static int have_account;
static uint32_t wait_ms;

static sbx_status SBX_CALL account_identity(sbx_session *session, sbx_identity *identity, sbx_error *err)
{
    (void)session, (void)err;
    if (!password[0])
        wcscpy(password, PASSWORD);
    identity->kind = SBX_IDENTITY_LOGON;
    identity->account = ACCOUNT_UTF8;
    identity->domain = ".";
    identity->secret = password;
    identity->account_sid = named_sid;
    identity->runner = runner;
    return SBX_OK;
}

static sbx_status SBX_CALL account_ticket(sbx_session *session, sbx_ticket *ticket, sbx_error *err)
{
    (void)session, (void)err;
    ticket->bytes = TICKET;
    ticket->length = (uint32_t)strlen(TICKET);
    return SBX_OK;
}

static sbx_backend account_backend(void)
{
    sbx_backend b = backend();

    b.name = "template";
    b.flags = SBX_BACKEND_ACCOUNT;
    b.identity = account_identity;
    b.ticket = account_ticket;
    return b;
}

static sbx_status launch_there(const wchar_t *tail, sbx_launch_result *result, sbx_error *err)
{
    sbx_backend b = account_backend();
    sbx_policy policy = {0};
    static WCHAR line_w[1024];
    sbx_launch_request request = {.policy = &policy, .backend = &b, .command_w = line_w, .account_wait_ms = wait_ms};

    memset(err, 0, sizeof(*err));
    policy.size = sizeof(policy);
    policy.cwd = "C:\\windows"; /* what the account may read */
    swprintf(line_w, 1024, L"\"%ls\" child %ls", self_w, tail);
    return sbx_launch_run(&request, result, err);
}

/* ---- runners that lie: they find what to do in their own name ---- */

static void say(sbx_channel *channel, sbx_text *frame)
{
    sbx_error err;

    sbx_channel_send(channel, frame, &err);
}

static void hello(sbx_channel *channel, const char *sid, uint32_t process_id, int protocol)
{
    sbx_talk_hello hello = {.version = "0", .account_sid = sid, .process_id = process_id};
    sbx_user_sid user;
    char own[192];
    DWORD session = 0;
    sbx_text frame = {0};

    sbx_user_get(&user, NULL);
    sbx_user_sid_text(user.u.bytes, own, sizeof(own));
    ProcessIdToSessionId(GetCurrentProcessId(), &session);
    hello.session_id = session;
    if (!sid)
        hello.account_sid = own;
    sbx_talk_hello_put(&frame, &hello);
    if (protocol)
        frame.data[4] = (char)protocol;
    say(channel, &frame);
}

static int fake_main(const wchar_t *mode)
{
    sbx_channel channel = {
        .input = GetStdHandle(STD_INPUT_HANDLE), .output = GetStdHandle(STD_OUTPUT_HANDLE), .peer = "sbx"};
    sbx_talk_started started = {0x70000, 0x70004, GetCurrentProcessId()}; /* no handles */
    sbx_frame_body body;
    sbx_text frame = {0};
    sbx_error err;
    uint32_t type;

    if (!wcscmp(mode, L"gone"))
        return 0;
    if (!wcscmp(mode, L"silent"))
        Sleep(INFINITE);
    if (!wcscmp(mode, L"noise"))
        sbx_text_add(&frame, "these are twelve bytes and some more");
    if (!wcscmp(mode, L"huge")) {
        hello(&channel, NULL, GetCurrentProcessId(), 0);
        sbx_frame_begin(&frame, SBX_TALK_STARTED);
        sbx_frame_add_u32(&frame, 0);
        sbx_frame_end(&frame);
        memset(frame.data + 8, 0x7F, 4);
    }
    if (frame.length) {
        say(&channel, &frame);
        Sleep(INFINITE);
    }
    if (!wcscmp(mode, L"old"))
        hello(&channel, NULL, GetCurrentProcessId(), 9);
    else if (!wcscmp(mode, L"other"))
        hello(&channel, "S-1-5-18", GetCurrentProcessId(), 0);
    else if (!wcscmp(mode, L"stranger"))
        hello(&channel, NULL, 4, 0);
    else
        hello(&channel, NULL, GetCurrentProcessId(), 0);
    if (sbx_channel_ask(&channel, NULL, sbx_talk_most, 0, &type, &body, &err) != SBX_OK || !wcscmp(mode, L"quits"))
        return 0;
    if (!wcscmp(mode, L"mute"))
        Sleep(INFINITE);
    if (!wcscmp(mode, L"twice"))
        hello(&channel, NULL, GetCurrentProcessId(), 0);
    if (!wcscmp(mode, L"itself")) { /* the unrestricted runner in place of a command */
        DuplicateHandle(GetCurrentProcess(), GetCurrentProcess(), GetCurrentProcess(), (HANDLE *)&started.process, 0,
                        FALSE, DUPLICATE_SAME_ACCESS);
        DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), (HANDLE *)&started.thread, 0,
                        FALSE, DUPLICATE_SAME_ACCESS);
    }
    if (!wcscmp(mode, L"itself") || !wcscmp(mode, L"nothing")) {
        sbx_talk_started_put(&frame, &started);
        say(&channel, &frame);
    }
    Sleep(INFINITE);
    return 0;
}

/* ---- set up ---- */

static int make_account(void **state)
{
    USER_INFO_1 info = {.usri1_name = (WCHAR *)(uintptr_t)ACCOUNT,
                        .usri1_password = (WCHAR *)(uintptr_t)PASSWORD,
                        .usri1_priv = USER_PRIV_USER,
                        .usri1_flags = UF_SCRIPT | UF_DONT_EXPIRE_PASSWD};
    _Alignas(4) BYTE sid[SECURITY_MAX_SID_SIZE];
    WCHAR domain[256];
    LOCALGROUP_MEMBERS_INFO_0 member = {sid};
    DWORD sid_size = sizeof(sid), domain_size = 256;
    SID_NAME_USE use;

    (void)state;
    NetUserDel(NULL, ACCOUNT);
    if (NetUserAdd(NULL, 1, (BYTE *)&info, NULL) ||
        !LookupAccountNameW(NULL, ACCOUNT, sid, &sid_size, domain, &domain_size, &use))
        return 0; /* none here */
    NetLocalGroupAddMembers(NULL, L"Users", 0, (BYTE *)&member, 1);
    sbx_user_sid_text(sid, account_sid, sizeof(account_sid));
    have_account = 1;
    return 0;
}

static int remove_account(void **state)
{
    (void)state;
    if (have_account)
        NetUserDel(NULL, ACCOUNT);
    return 0;
}

static void begin(void)
{
    if (!have_account)
        skip();
    runner = real_runner;
    named_sid = account_sid;
    wcscpy(password, PASSWORD);
    wait_ms = 0;
}

/* The real one is beside the test backends; copies of this program lie beside itself. */
static void find_programs(void)
{
    char self[MAX_PATH * 3], *end;

    WideCharToMultiByte(CP_UTF8, 0, self_w, -1, self, sizeof(self), NULL, NULL);
    end = strrchr(self, '\\');
    *end = 0;
    snprintf(real_runner, sizeof(real_runner), "%s\\plugin\\sbx-runner.exe", self);
    snprintf(fake_runner, sizeof(fake_runner), "%s\\fake", self);
}

/* "launcher SID": a process that launches, to be ended. */
static int launcher(const wchar_t *sid)
{
    sbx_launch_result result;
    sbx_error err;

    WideCharToMultiByte(CP_UTF8, 0, sid, -1, account_sid, sizeof(account_sid), NULL, NULL);
    runner = real_runner;
    named_sid = account_sid;
    return launch_there(L"hold " HELD, &result, &err) != SBX_OK;
}

/* ---- tests ---- */

static void test_runs(void **state)
{
    sbx_launch_result result;
    sbx_error err;

    (void)state;
    begin();
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
    begin();
    wcscpy(password, L"wrong");
    assert_int_equal(launch_there(L"exit 0", &result, &err), SBX_E_UNAVAILABLE);
    assert_int_equal(err.code, ERROR_LOGON_FAILURE);
    begin();
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
        {"noise", SBX_E_REFUSED, "it is none of sbx", NULL},
        {"old", SBX_E_REFUSED, "it is of a version that this one cannot talk to", "sbx-runner, asked who it is"},
        {"other", SBX_E_UNENFORCED, "it is not the one that was started", "sbx-runner, asked who it is"},
        {"stranger", SBX_E_UNENFORCED, "it is not the one that was started", "sbx-runner, asked who it is"},
        {"huge", SBX_E_REFUSED, "it is too long", NULL},
        {"quits", SBX_E_UNAVAILABLE, "it ended", "sbx-runner, asked to start the command"},
        {"mute", SBX_E_UNAVAILABLE, "it did not answer in time", "sbx-runner, asked to start the command"},
        {"twice", SBX_E_REFUSED, "it said what it was not asked for", "sbx-runner, asked to start the command"},
        {"nothing", SBX_E_SYSTEM, "DuplicateHandle", NULL},
        {"itself", SBX_E_UNENFORCED, "OpenProcessToken", NULL}, /* its own is closed to the user */
    };
    static char copy[MAX_PATH * 3];
    WCHAR copy_w[MAX_PATH * 2];
    sbx_launch_result result;
    sbx_error err;
    sbx_status st;
    size_t i;

    (void)state;
    begin();
    runner = copy;
    wait_ms = LATE_MS;
    for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        snprintf(copy, sizeof(copy), "%s-%s.exe", fake_runner, modes[i].mode);
        MultiByteToWideChar(CP_UTF8, 0, copy, -1, copy_w, MAX_PATH * 2);
        assert_true(CopyFileW(self_w, copy_w, FALSE));
        st = launch_there(L"exit 0", &result, &err);
        if (st != modes[i].status || strcmp(err.op, modes[i].op) ||
            (modes[i].object && strcmp(err.object, modes[i].object)))
            fail_msg("%s: %d %s %s", modes[i].mode, (int)st, err.object, err.op);
        assert_int_equal(result.process_id, 0);
        if (!strcmp(modes[i].mode, "quits")) /* another version that speaks the same */
            assert_string_equal(result.runner_version, "0");
        while (!DeleteFileW(copy_w) && GetLastError() != ERROR_FILE_NOT_FOUND)
            SwitchToThread(); /* ended: its program can go */
    }
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
    begin();
    account_identity(NULL, &identity, NULL);
    check(sbx_account_open(&account, &identity, &err), &err);
    swprintf(tail, 64, L"take %lu", (unsigned long)account.process.id);
    check(launch_there(tail, &result, &err), &err);
    assert_int_equal(result.exit_code, ERROR_ACCESS_DENIED);
    sbx_account_close(&account);

    check(sbx_logon_spawn(&open, &plain, &err), &err);
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
    begin();
    thread = CreateThread(NULL, 0, end_runner, NULL, 0, NULL);
    assert_int_equal(launch_there(L"hold " HELD, &result, &err), SBX_E_SYSTEM);
    assert_string_equal(err.op, "it ended before the command, which was ended, too");
    assert_int_equal(result.exit_code, 125);
    assert_int_equal(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
    CloseHandle(thread);
    assert_true(goes(HELD));
}

static void test_launcher_ends(void **state)
{
    STARTUPINFOW si = {.cb = sizeof(si)};
    PROCESS_INFORMATION pi = {0};
    WCHAR line[MAX_PATH + 40];

    (void)state;
    begin();
    swprintf(line, MAX_PATH + 40, L"\"%ls\" launcher %hs", self_w, account_sid);
    assert_true(CreateProcessW(self_w, line, NULL, NULL, FALSE, 0, NULL, NULL, &si, &pi));
    while (!exists(HELD))
        assert_int_equal(WaitForSingleObject(pi.hProcess, 10), WAIT_TIMEOUT);
    TerminateProcess(pi.hProcess, 1);
    assert_int_equal(WaitForSingleObject(pi.hProcess, 10000), WAIT_OBJECT_0);
    CloseHandle(pi.hThread);
    CloseHandle(pi.hProcess);
    assert_true(goes(HELD));
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_runs),        cmocka_unit_test(test_failures),
                                       cmocka_unit_test(test_liars),       cmocka_unit_test(test_closed),
                                       cmocka_unit_test(test_runner_ends), cmocka_unit_test(test_launcher_ends)};
    const wchar_t *name = wcsrchr(argv[0], L'\\');
    WCHAR mode[32];

    sbx_memory_use(&sbx_mimalloc);
    name = name ? name + 1 : argv[0];
    if (!wcsncmp(name, L"fake-", 5)) {
        swprintf(mode, 32, L"%ls", name + 5);
        mode[wcslen(mode) - 4] = 0;
        return fake_main(mode);
    }
    if (argc > 1 && !wcscmp(argv[1], L"child"))
        return child_main(argc - 2, argv + 2);
    begin_launches();
    find_programs();
    if (argc > 2 && !wcscmp(argv[1], L"launcher"))
        return launcher(argv[2]);
    return cmocka_run_group_tests(tests, make_account, remove_account);
}
