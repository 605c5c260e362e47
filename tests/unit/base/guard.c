/* The stack protector, in processes of this same program. */
#include <windows.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

extern uintptr_t __stack_chk_guard;

int wmain(int argc, wchar_t **argv);

static DWORD run(const wchar_t *argument)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    STARTUPINFOW startup = {0};
    PROCESS_INFORMATION info = {0};
    WCHAR program_w[MAX_PATH], line_w[MAX_PATH + 32];
    DWORD code = 0;

    startup.cb = sizeof(startup);
    startup.dwFlags = STARTF_USESTDHANDLES; /* its message is not ours */
    startup.hStdError = CreateFileW(L"\\\\.\\NUL", GENERIC_WRITE, FILE_SHARE_WRITE, &inherit, OPEN_EXISTING, 0, NULL);
    assert_true(GetModuleFileNameW(NULL, program_w, MAX_PATH));
    _snwprintf(line_w, MAX_PATH + 32, L"\"%ls\" %ls", program_w, argument);
    assert_true(CreateProcessW(program_w, line_w, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info));
    assert_int_equal(WaitForSingleObject(info.hProcess, 60000), WAIT_OBJECT_0);
    GetExitCodeProcess(info.hProcess, &code);
    CloseHandle(info.hProcess);
    CloseHandle(info.hThread);
    CloseHandle(startup.hStdError);
    return code;
}

/* More than fits, through a pointer that the compiler does not see through. */
static int overrun(size_t length)
{
    char small[16];
    char *volatile to = small;
    size_t i;

    for (i = 0; i < length; i++)
        to[i] = 'A';
    return to[0];
}

static void an_overrun_ends_the_process(void **state)
{
    (void)state;
    assert_int_equal(run(L"fits"), 'A');
    assert_int_equal(run(L"overrun"), 0xC0000409u);
}

static void the_guard_is_another_each_time(void **state)
{
    DWORD first = run(L"guard");

    (void)state;
    assert_int_not_equal(first, run(L"guard"));
    assert_int_not_equal(first, run(L"guard"));
    assert_int_equal(__stack_chk_guard & 0xFF, 0);
}

int wmain(int argc, wchar_t **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overrun_ends_the_process),
        cmocka_unit_test(the_guard_is_another_each_time),
    };

    if (argc > 1 && !wcscmp(argv[1], L"guard"))
        return (int)(__stack_chk_guard >> 16);
    if (argc > 1)
        return overrun(wcscmp(argv[1], L"overrun") ? 16 : 48);
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
