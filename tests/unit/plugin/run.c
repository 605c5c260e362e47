#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "run.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "win/wide.h"

static char folder[1024];

void sbx_run_folder(const char *path)
{
    snprintf(folder, sizeof(folder), "%s", path);
}

uint32_t sbx_run(const char *line, const char *input, size_t input_length, sbx_text *output)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    STARTUPINFOW startup = {0};
    PROCESS_INFORMATION info = {0};
    HANDLE from = NULL, to = NULL, in_from = NULL, in_to = NULL;
    char buffer[4096], whole[2048];
    uint16_t *line_w = NULL;
    DWORD done, code = 0;

    snprintf(whole, sizeof(whole), "\"%s\\%s", folder, line);
    assert_int_equal(sbx_wide(whole, "line", &line_w, NULL), SBX_OK);
    assert_true(CreatePipe(&from, &to, &inherit, 1 << 20) && CreatePipe(&in_from, &in_to, &inherit, 65536));
    SetHandleInformation(from, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(in_to, HANDLE_FLAG_INHERIT, 0);
    startup.cb = sizeof(startup);
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = in_from;
    startup.hStdOutput = startup.hStdError = to;
    assert_true(CreateProcessW(NULL, (LPWSTR)line_w, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &startup, &info));
    CloseHandle(to);
    CloseHandle(in_from);
    if (input_length)
        assert_true(WriteFile(in_to, input, (DWORD)input_length, &done, NULL));
    CloseHandle(in_to);
    while (ReadFile(from, buffer, sizeof(buffer), &done, NULL) && done)
        sbx_text_add_n(output, buffer, done);
    assert_int_equal(WaitForSingleObject(info.hProcess, 60000), WAIT_OBJECT_0);
    GetExitCodeProcess(info.hProcess, &code);
    CloseHandle(info.hProcess);
    CloseHandle(info.hThread);
    CloseHandle(from);
    sbx_free(line_w);
    sbx_text_add(output, "");
    return code;
}

void sbx_assert_run(const char *line, uint32_t code, const char *expected)
{
    sbx_text output = {0};
    uint32_t got = sbx_run(line, NULL, 0, &output);

    if (got != code || strcmp(output.data, expected) != 0)
        print_message("%s: %u\n%s", line, got, output.data);
    assert_int_equal(got, code);
    assert_string_equal(output.data, expected);
    sbx_text_fini(&output);
}

void sbx_assert_run_has(const char *line, uint32_t code, const char *part)
{
    sbx_text output = {0};
    uint32_t got = sbx_run(line, NULL, 0, &output);

    if (got != code || !strstr(output.data, part))
        print_message("%s: %u\n%s", line, got, output.data);
    assert_int_equal(got, code);
    assert_non_null(strstr(output.data, part));
    sbx_text_fini(&output);
}
