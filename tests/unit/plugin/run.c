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

void sbx_run_begin(const char *line, const char *input, size_t input_length, sbx_running *running)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    STARTUPINFOW startup = {0};
    PROCESS_INFORMATION info = {0};
    HANDLE from = NULL, to = NULL, in_from = NULL, in_to = NULL;
    char whole[2048];
    uint16_t *line_w = NULL;
    DWORD done;

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
    CloseHandle(info.hThread);
    running->process = info.hProcess;
    running->output = from;
    sbx_free(line_w);
}

uint32_t sbx_run_end(sbx_running *running, sbx_text *output)
{
    char buffer[4096];
    DWORD done, code = 0;

    while (ReadFile(running->output, buffer, sizeof(buffer), &done, NULL) && done)
        sbx_text_add_n(output, buffer, done);
    assert_int_equal(WaitForSingleObject(running->process, 60000), WAIT_OBJECT_0);
    GetExitCodeProcess(running->process, &code);
    CloseHandle(running->process);
    CloseHandle(running->output);
    sbx_text_add(output, "");
    return code;
}

uint32_t sbx_run(const char *line, const char *input, size_t input_length, sbx_text *output)
{
    sbx_running running;

    sbx_run_begin(line, input, input_length, &running);
    return sbx_run_end(&running, output);
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
