/* What a program with administrator rights says through its pipe, and who else is not heard there. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <windows.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "run.h"

#include "cli/elevate.h"
#include "plugin/plugin.h"
#include "plugin/start.h"
#include "win/error.h"
#include "win/handle.h"

#define ID "0123456789abcdef0123456789abcdef"
#define PIPE                                                                                                           \
    L"\\\\.\\pipe\\sbx-setup-"                                                                                         \
    L"0123456789abcdef0123456789abcdef"
#define TAKEN L"Local\\sbx-test-pipe-taken" /* the forger has it */
#define TRIED L"Local\\sbx-test-pipe-tried" /* and the other one has tried */

static HANDLE open_pipe(DWORD rights)
{
    return sbx_handle_from(
        CreateFileW(PIPE, rights, 0, NULL, OPEN_EXISTING, SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, NULL));
}

/* The one that is started. */
static int speak(const wchar_t *what)
{
    HANDLE pipe, taken;
    DWORD done, error;

    if (!wcscmp(what, L"gone"))
        return 9;
    if (!wcscmp(what, L"late")) { /* somebody is there before it */
        taken = CreateEventW(NULL, TRUE, FALSE, TAKEN);
        if (WaitForSingleObject(taken, 30000) != WAIT_OBJECT_0)
            return 8;
        CloseHandle(taken);
    }
    pipe = open_pipe(FILE_WRITE_DATA);
    error = GetLastError();
    SetEvent(CreateEventW(NULL, TRUE, FALSE, TRIED));
    if (!pipe)
        return error == ERROR_PIPE_BUSY ? 5 : 6;
    WriteFile(pipe, "\1what it said\n", 14, &done, NULL);
    WriteFile(pipe, "\177\377\0noise", 8, &done, NULL);
    WriteFile(pipe, "", 0, &done, NULL);
    CloseHandle(pipe);
    return 7;
}

/* Administrators write, and do nothing else; who is none does nothing at all. */
static int forge(void)
{
    static const DWORD denied[] = {FILE_READ_DATA, FILE_APPEND_DATA, READ_CONTROL, WRITE_DAC, WRITE_OWNER};
    union {
        uint64_t align;
        BYTE bytes[SECURITY_MAX_SID_SIZE];
    } administrators;
    SID_AND_ATTRIBUTES disabled = {administrators.bytes, 0};
    HANDLE own = NULL, plain = NULL, pipe = NULL, taken = CreateEventW(NULL, TRUE, FALSE, TAKEN);
    HANDLE tried = CreateEventW(NULL, TRUE, FALSE, TRIED);
    DWORD size = sizeof(administrators), done, i;
    int result = 0;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own) ||
        !CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, administrators.bytes, &size) ||
        !CreateRestrictedToken(own, DISABLE_MAX_PRIVILEGE, 1, &disabled, 0, NULL, 0, NULL, &plain))
        return 20;
    for (i = 0; i < 30000 && !WaitNamedPipeW(PIPE, 1) && GetLastError() == ERROR_FILE_NOT_FOUND; i++)
        Sleep(1);
    for (i = 0; i < sizeof(denied) / sizeof(denied[0]); i++)
        if (open_pipe(denied[i]) || GetLastError() != ERROR_ACCESS_DENIED)
            result |= 1 << i;
    if (!ImpersonateLoggedOnUser(plain))
        return 21;
    if (open_pipe(FILE_WRITE_DATA) || GetLastError() != ERROR_ACCESS_DENIED)
        result |= 64;
    RevertToSelf();
    pipe = open_pipe(FILE_WRITE_DATA);
    if (!pipe || !WriteFile(pipe, "\1forged\n", 8, &done, NULL))
        result |= 128;
    SetEvent(taken);
    if (WaitForSingleObject(tried, 30000) != WAIT_OBJECT_0)
        result |= 256;
    return result;
}

/* As `sbx setup` does it; what it shows goes to the streams of this program. */
static int listen(const wchar_t *what)
{
    char program[1024], words[128], text[1024];
    uint32_t code = 1000;
    sbx_error err = {0};
    sbx_status st;

    snprintf(program, sizeof(program), "%s\\elevate.exe", sbx_plugin_program_dir());
    snprintf(words, sizeof(words), "--speak %ls", what);
    st = sbx_elevate_run(program, words, ID, &code, &err);
    if (st != SBX_OK) {
        sbx_error_describe(&err, text, sizeof(text));
        printf("%s; %s\n", text, err.hint);
    }
    return (int)code;
}

static void test_heard(void **state)
{
    (void)state;
    sbx_assert_run("elevate.exe\" --listen first", 7, "what it said\n<U+007F>?");
}

static void test_ended(void **state)
{
    (void)state;
    sbx_assert_run_has("elevate.exe\" --listen gone", 9, "elevate.exe: it ended before it said anything");
}

static void test_forged(void **state)
{
    sbx_running listening, forging;
    sbx_text heard = {0}, ignored = {0};
    uint32_t code;

    (void)state;
    sbx_run_begin("elevate.exe\" --forge", NULL, 0, &forging);
    sbx_run_begin("elevate.exe\" --listen late", NULL, 0, &listening);
    code = sbx_run_end(&listening, &heard);
    assert_int_equal(sbx_run_end(&forging, &ignored), 0);
    assert_int_equal(code, 5);
    assert_null(strstr(heard.data, "forged\n"));
    assert_non_null(strstr(heard.data, "elevate.exe: another program took the pipe that it speaks through"));
    sbx_text_fini(&heard);
    sbx_text_fini(&ignored);
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_heard), cmocka_unit_test(test_ended),
                                              cmocka_unit_test(test_forged)};
    const sbx_plugin_sink sink = {NULL, NULL, NULL, NULL};
    sbx_error err = {0};

    if (argc == 3 && !wcscmp(argv[1], L"--speak"))
        return speak(argv[2]);
    if (argc == 2 && !wcscmp(argv[1], L"--forge"))
        return forge();
    sbx_start("elevate");
    if (sbx_plugin_init(SBX_PROGRAM_SBX, "C:\\state", &sink, &err) != SBX_OK)
        return 2;
    if (argc == 3 && !wcscmp(argv[1], L"--listen"))
        return listen(argv[2]);
    sbx_run_folder(sbx_plugin_program_dir());
    return cmocka_run_group_tests_name("elevate", tests, NULL, NULL);
}
