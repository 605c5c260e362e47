/* A launcher as a process of its own: its console, its parent, its end. */
#include <windows.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <wchar.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/mimalloc.h"
#include "child.h"
#include "fixture.h"
#include "launch/restart.h"
#include "win/console.h"

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

/* "again VERB...": as a child, but with a console. */
static int again(int argc, wchar_t **argv)
{
    uint32_t code = 0;
    sbx_error err = {0};

    if (sbx_console_exists())
        return child_main(argc, argv);
    return sbx_restart_with_console(&code, &err) == SBX_OK ? (int)code : 98;
}

static void a_console_is_made(void **state)
{
    (void)state;
    assert_int_equal(end_of(start_mode(L"again exit 305419896", DETACHED_PROCESS)), 305419896);
}

/* Not for ever: a process that calls itself the second one does not start another. */
static void one_restart_is_enough(void **state)
{
    WCHAR line[MAX_PATH + 40], title[] = L"sbx with a console";
    STARTUPINFOW si = {.cb = sizeof(si), .lpTitle = title};
    PROCESS_INFORMATION pi = {0};

    (void)state;
    swprintf(line, MAX_PATH + 40, L"\"%ls\" again exit 1", self_w);
    assert_true(CreateProcessW(self_w, line, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL, &si, &pi));
    CloseHandle(pi.hThread);
    assert_int_equal(end_of(pi.hProcess), 98);
}

static void the_second_ends_with_the_first(void **state)
{
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"sbx-test-ready");
    HANDLE process = start_mode(L"again hold sbx-test-second sbx-test-ready", DETACHED_PROCESS);

    (void)state;
    assert_int_equal(WaitForSingleObject(ready, 20000), WAIT_OBJECT_0);
    assert_true(exists(L"sbx-test-second"));
    TerminateProcess(process, 1);
    assert_int_equal(end_of(process), 1);
    assert_true(goes(L"sbx-test-second"));
    CloseHandle(ready);
}

static void what_the_second_leaves_goes_on(void **state)
{
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"sbx-test-ready"), held;

    (void)state;
    assert_int_equal(end_of(start_mode(L"again leave sbx-test-kept sbx-test-ready", DETACHED_PROCESS)), 7);
    held = OpenEventW(EVENT_MODIFY_STATE, FALSE, L"sbx-test-kept");
    assert_non_null(held);
    SetEvent(held);
    CloseHandle(held);
    CloseHandle(ready);
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(killing_the_launcher_ends_the_tree),
        cmocka_unit_test(the_console_is_as_before),
        cmocka_unit_test(no_console_is_needed),
        cmocka_unit_test(a_killed_parent_changes_nothing),
        cmocka_unit_test(a_console_is_made),
        cmocka_unit_test(one_restart_is_enough),
        cmocka_unit_test(the_second_ends_with_the_first),
        cmocka_unit_test(what_the_second_leaves_goes_on),
    };

    sbx_memory_use(&sbx_mimalloc);
    if (argc > 1 && wcscmp(argv[1], L"child") == 0)
        return child_main(argc - 2, argv + 2);
    begin_launches();
    if (argc > 2 && wcscmp(argv[1], L"launcher") == 0)
        return launcher(argv[2], argc > 3 ? argv[3] : NULL);
    if (argc > 1 && wcscmp(argv[1], L"again") == 0)
        return again(argc - 2, argv + 2);
    if (argc > 1 && wcscmp(argv[1], L"orphan") == 0)
        return orphan();
    if (argc > 1 && wcscmp(argv[1], L"console") == 0)
        return console();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
