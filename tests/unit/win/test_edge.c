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
#include "base/utf.h"
#include "win/clock.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/job.h"
#include "win/process.h"
#include "win/user.h"
#include "win/wide.h"

static void handles_close_once(void **state)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    (void)state;
    SetLastError(1234);
    sbx_handle_close(&event);
    assert_null(event);
    sbx_handle_close(&event);
    assert_int_equal(GetLastError(), 1234);
    assert_null(sbx_handle_from(INVALID_HANDLE_VALUE));
}

static void errors_speak(void **state)
{
    char text[1024];
    sbx_error err = {0};
    size_t size;

    (void)state;
    SetLastError(ERROR_ACCESS_DENIED);
    assert_int_equal(sbx_fail_last_w(&err, SBX_E_SYSTEM, "CreateFileW", L"C:\\\xfc"), SBX_E_SYSTEM);
    assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED);
    assert_int_equal(err.code, 5);
    assert_string_equal(err.object, "C:\\\xc3\xbc");
    sbx_error_describe(&err, text, sizeof(text));
    assert_null(strpbrk(text, "\r\n"));
    assert_non_null(strstr(text, "(win32 5)"));
    sbx_system_message(SBX_CODE_WIN32, 5, NULL, text, sizeof(text));
    assert_true(text[0] != 0);
    sbx_system_message(SBX_CODE_WIN32, ERROR_BAD_EXE_FORMAT, NULL, text, sizeof(text)); /* has a place for a name */
    assert_null(strchr(text, '%'));
    assert_true(strlen(text) > 8);
    sbx_fail_code(&err, SBX_E_SYSTEM, SBX_CODE_WIN32, ERROR_BAD_EXE_FORMAT, "start", "C:\\dir\\a%1b.exe");
    sbx_error_describe(&err, text, sizeof(text));
    assert_non_null(strstr(strstr(text, "start"), "a%1b.exe"));
    assert_null(strstr(strstr(text, "start"), "dir"));
    for (size = 1; size < 40; size++) { /* cut at a character wherever it ends */
        sbx_system_message(SBX_CODE_WIN32, ERROR_BAD_EXE_FORMAT, "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", text,
                           size);
        assert_true(strlen(text) < size);
        assert_int_equal(sbx_utf8_cut(text, strlen(text)), strlen(text));
    }
    sbx_system_message(SBX_CODE_WIN32, 0x2FFFFFFF, "x", text, sizeof(text));
    assert_string_equal(text, "");
}

static void files_are_whole(void **state)
{
    WCHAR temp_w[MAX_PATH];
    char *temp = NULL, path[MAX_PATH * 3 + 300], *data = NULL;
    size_t length = 0, i;
    uint16_t *path_w = NULL;
    sbx_error err = {0};

    (void)state;
    GetTempPathW(MAX_PATH, temp_w);
    assert_int_equal(sbx_narrow(temp_w, &temp, &err), SBX_OK);
    snprintf(path, sizeof(path), "%ssbx-\xc3\xbc-%lu.txt", temp, GetCurrentProcessId());
    assert_int_equal(sbx_file_read(path, 10, &data, &length, &err), SBX_E_SYSTEM);
    assert_true(sbx_file_is_missing(&err));
    for (i = 0; i < 2; i++) { /* new, then over the old one */
        assert_int_equal(sbx_file_write(path, "a\0b!", 4 - i, &err), SBX_OK);
        assert_int_equal(sbx_file_read(path, 4, &data, &length, &err), SBX_OK);
        assert_int_equal(length, 4 - i);
        assert_memory_equal(data, "a\0b!", length);
        assert_int_equal(data[length], 0);
        sbx_free(data);
    }
    assert_int_equal(sbx_file_read(path, 2, &data, &length, &err), SBX_E_REFUSED);
    assert_int_equal(sbx_file_read(temp, 2, &data, &length, &err), SBX_E_REFUSED);
    assert_false(sbx_file_is_missing(&err));
    assert_int_equal(sbx_wide_path(path, &path_w, &err), SBX_OK);
    assert_true(DeleteFileW(path_w));
    sbx_free(path_w);
    snprintf(path, sizeof(path), "%ssbx-no-such-folder\\x", temp);
    assert_int_equal(sbx_file_write(path, "x", 1, &err), SBX_E_SYSTEM);
    sbx_free(temp);
}

static void long_paths_get_their_prefix(void **state)
{
    char path[400] = "C:/", unc[400] = "\\\\server\\share\\";
    uint16_t *path_w = NULL;
    sbx_error err = {0};

    (void)state;
    memset(path + 3, 'x', 300);
    memset(unc + 15, 'x', 300);
    assert_int_equal(sbx_wide_path(path, &path_w, &err), SBX_OK);
    assert_int_equal(wcsncmp(path_w, L"\\\\?\\C:\\xx", 9), 0);
    sbx_free(path_w);
    assert_int_equal(sbx_wide_path(unc, &path_w, &err), SBX_OK);
    assert_int_equal(wcsncmp(path_w, L"\\\\?\\UNC\\server\\share\\x", 22), 0);
    sbx_free(path_w);
    assert_int_equal(sbx_wide("\xff", "thing", &path_w, &err), SBX_E_REFUSED);
    assert_string_equal(err.object, "thing");
}

static void directories_are_there(void **state)
{
    char *path = NULL;
    uint16_t *path_w = NULL;
    sbx_error err = {0};
    uint32_t which;

    (void)state;
    SetEnvironmentVariableW(L"USERPROFILE", L"C:\\bent"); /* the system is asked, not the environment */
    SetEnvironmentVariableW(L"LOCALAPPDATA", L"C:\\bent");
    SetEnvironmentVariableW(L"ProgramData", L"C:\\bent");
    for (which = SBX_DIR_CURRENT; which <= SBX_DIR_PROGRAM; which++) {
        assert_int_equal(sbx_dirs_get(which, &path, &err), SBX_OK);
        assert_null(strstr(path, "bent"));
        assert_int_equal(path[1], ':');
        assert_int_equal(sbx_wide_path(path, &path_w, &err), SBX_OK);
        assert_true(GetFileAttributesW(path_w) & FILE_ATTRIBUTE_DIRECTORY);
        sbx_free(path_w);
        sbx_free(path);
    }
    assert_int_equal(sbx_dirs_get(99, &path, &err), SBX_E_USAGE);
    /* startup stays light: neither was needed */
    assert_null(GetModuleHandleW(L"shell32.dll"));
    assert_null(GetModuleHandleW(L"userenv.dll"));
}

static void run_ids_differ(void **state)
{
    char a[33], b[33];
    sbx_error err = {0};

    (void)state;
    assert_int_equal(sbx_run_id(a, &err), SBX_OK);
    assert_int_equal(sbx_run_id(b, &err), SBX_OK);
    assert_int_equal(strspn(a, "0123456789abcdef"), 32);
    assert_string_not_equal(a, b);
}

static void environment_is_listed(void **state)
{
    const char *const *items = NULL;
    uint32_t count = 0, i, seen = 0;
    sbx_error err = {0};

    (void)state;
    SetEnvironmentVariableW(L"SBX_TEST_X", L"\xfc=1");
    SetEnvironmentVariableW(L"=Q:", L"Q:\\x");
    assert_int_equal(sbx_dirs_environment(&items, &count, &err), SBX_OK);
    for (i = 0; i < count; i++) {
        seen += strcmp(items[i], "SBX_TEST_X=\xc3\xbc=1") == 0;
        assert_true(items[i][0] != '=');
    }
    assert_int_equal(seen, 1);
    assert_null(items[count]);
    sbx_free((void *)(uintptr_t)items);
}

static void jobs_read_back(void **state)
{
    sbx_limits limits = {0};
    sbx_job job = {0};
    sbx_job_usage usage;
    sbx_error err = {0};
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION told = {0};
    int known = -1;

    (void)state;
    assert_int_equal(sbx_job_open(&job, &limits, 0, &err), SBX_OK);
    assert_null(job.port);
    assert_int_equal(sbx_job_verify(&job, &known, &err), SBX_OK);
    assert_true(QueryInformationJobObject(job.handle, JobObjectExtendedLimitInformation, &told, sizeof(told), NULL));
    assert_int_equal(known, told.BasicLimitInformation.LimitFlags != 0);
    assert_int_equal(sbx_job_usage_get(&job, &usage, &err), SBX_OK);
    assert_int_equal(usage.active, 0);
    assert_int_equal(sbx_job_end(&job, 1, 1000, &err), SBX_OK);
    /* limits that are not there are noticed */
    job.limits.processes = 3;
    assert_int_equal(sbx_job_verify(&job, &known, &err), SBX_E_UNENFORCED);
    assert_string_equal(err.object, "process limit");
    assert_string_equal(err.hint, "this system does not hold the command to it, so nothing was run");
    job.limits.processes = 0;
    if (known) {
        assert_int_equal(sbx_job_release(&job, &err), SBX_OK);
        assert_int_equal(sbx_job_verify(&job, &known, &err), SBX_E_UNENFORCED);
        assert_string_equal(err.object, "end of the tree with sbx");
        told.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_BREAKAWAY_OK;
        assert_true(SetInformationJobObject(job.handle, JobObjectExtendedLimitInformation, &told, sizeof(told)));
        assert_int_equal(sbx_job_verify(&job, &known, &err), SBX_E_UNENFORCED);
        assert_string_equal(err.object, "no breakaway");
    }
    sbx_job_close(&job);
    sbx_job_close(&job);
    memset(&job, 0, sizeof(job));
    limits.cpu_percent = 101;
    assert_int_equal(sbx_job_open(&job, &limits, 0, &err), SBX_E_REFUSED);
    assert_null(job.handle);
}

/* A job that cannot be entered is told as that, not as a program that cannot run; nothing has run. */
static void a_job_that_refuses_is_told(void **state)
{
    sbx_process_start start = {0};
    sbx_process process = {0};
    sbx_stdio stdio = {0};
    sbx_job job = {0};
    HANDLE weak = NULL;
    WCHAR program_w[MAX_PATH + 16];
    sbx_error err = {0};

    (void)state;
    assert_true(GetSystemDirectoryW(program_w, MAX_PATH));
    wcscat(program_w, L"\\cmd.exe");
    assert_int_equal(sbx_job_open(&job, NULL, 0, &err), SBX_OK);
    assert_true(
        DuplicateHandle(GetCurrentProcess(), job.handle, GetCurrentProcess(), &weak, JOB_OBJECT_QUERY, FALSE, 0));
    assert_int_equal(sbx_stdio_open(&stdio, &err), SBX_OK);
    start.program_w = program_w;
    start.command_w = L"cmd /c exit 1";
    start.stdio = &stdio;
    start.job = weak;
    assert_int_equal(sbx_process_spawn(&process, &start, &err), SBX_E_UNENFORCED);
    assert_string_equal(err.op, "AssignProcessToJobObject");
    assert_null(process.handle);
    start.job = job.handle;
    assert_int_equal(sbx_process_spawn(&process, &start, &err), SBX_OK);
    sbx_process_discard(&process);
    sbx_stdio_close(&stdio);
    sbx_handle_close(&weak);
    sbx_job_close(&job);
}

static void sids_are_read(void **state)
{
    static const char *const good[] = {"S-1-0", "S-1-1-0", "S-1-5-21-1-2-4294967295-1000", "S-1-0xFFFFFFFFFFFF-7",
                                       "S-1-9-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15"};
    static const char *const bad[] = {"",
                                      "S-1",
                                      "S-1-",
                                      "S-2-5-1",
                                      "S-1-5-",
                                      "S-1-5-x",
                                      "S-1-5-1 ",
                                      "S-1-5--1",
                                      "S-1-05-1",
                                      "s-1-5-1",
                                      "S-1-5-+1",
                                      "S-1-5-4294967296",
                                      "S-1-0x5",
                                      "S-1-0x1FFFFFFFFFFFF-1",
                                      "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
                                      "S-1-5-1\n"};
    sbx_user_sid sid;
    char text[192];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(sbx_user_sid_read(good[i], strlen(good[i]), &sid));
        assert_true(IsValidSid(sid.u.bytes));
        sbx_user_sid_text(sid.u.bytes, text, sizeof(text));
        assert_string_equal(text, good[i]);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (sbx_user_sid_read(bad[i], strlen(bad[i]), &sid))
            fail_msg("\"%s\" was read", bad[i]);
    assert_true(sbx_user_sid_read("S-1-1-0 and more", 7, &sid));
}

static void clock_goes_on(void **state)
{
    uint64_t a = sbx_clock_us(), b = sbx_clock_us();

    (void)state;
    assert_true(b >= a && b - a < 10000000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(handles_close_once),    cmocka_unit_test(errors_speak),
        cmocka_unit_test(files_are_whole),       cmocka_unit_test(long_paths_get_their_prefix),
        cmocka_unit_test(directories_are_there), cmocka_unit_test(run_ids_differ),
        cmocka_unit_test(environment_is_listed), cmocka_unit_test(jobs_read_back),
        cmocka_unit_test(clock_goes_on),         cmocka_unit_test(a_job_that_refuses_is_told),
        cmocka_unit_test(sids_are_read),
    };

    sbx_memory_use(&sbx_mimalloc);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
