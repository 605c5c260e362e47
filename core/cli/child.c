#include "cli/child.h"

#include <windows.h>

#include "base/memory.h"
#include "win/console.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

/* More than any of them writes, so that the pipe holds it all and reading waits for the end. */
#define PIPE_BYTES (256u * 1024)

#define STOPPED_MS 10000u /* how long one may go on that was told to stop as well, by Ctrl-C */

/* A job that ends everything in it when its last handle, ours, is closed. */
static sbx_status make_job(HANDLE *job, int breakaway, sbx_error *err)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};

    *job = CreateJobObjectW(NULL, NULL);
    if (!*job)
        return sbx_fail_last(err, SBX_E_SYSTEM, "CreateJobObjectW", NULL);
    limits.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | (breakaway ? JOB_OBJECT_LIMIT_BREAKAWAY_OK : 0);
    if (!SetInformationJobObject(*job, JobObjectExtendedLimitInformation, &limits, sizeof(limits)))
        return sbx_fail_last(err, SBX_E_SYSTEM, "SetInformationJobObject", NULL);
    return SBX_OK;
}

static void read_all(HANDLE pipe, sbx_text *output)
{
    char buffer[4096];
    DWORD done;

    while (ReadFile(pipe, buffer, sizeof(buffer), &done, NULL) && done)
        sbx_text_add_n(output, buffer, done);
}

/* SBX_CHILD_*; what is still there is ended by the caller. */
static uint32_t await(HANDLE process, const sbx_child_how *how, int is_captured)
{
    const HANDLE both[2] = {process, how->stop};
    const DWORD limit_ms = is_captured ? how->limit_ms : INFINITE;
    const DWORD waited = WaitForMultipleObjects(how->stop ? 2 : 1, both, FALSE, limit_ms);

    if (waited == WAIT_OBJECT_0 + 1) {
        WaitForSingleObject(process, how->stopped_ms ? how->stopped_ms : STOPPED_MS);
        return SBX_CHILD_STOPPED;
    }
    return waited == WAIT_TIMEOUT ? SBX_CHILD_TIME : SBX_CHILD_EXITED;
}

sbx_status sbx_child_watch(const char *program, const char *line, const sbx_child_how *how, sbx_text *output,
                           uint32_t *end, uint32_t *exit_code, sbx_error *err)
{
    STARTUPINFOEXW startup = {0};
    PROCESS_INFORMATION info = {0};
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    uint16_t *program_w = NULL, *line_w = NULL, *cwd_w = NULL;
    HANDLE from = NULL, to = NULL, job = NULL;
    SIZE_T bytes = 0;
    DWORD code = 0;
    DWORD flags = CREATE_SUSPENDED;
    sbx_status st;

    startup.StartupInfo.cb = sizeof(startup.StartupInfo);
    if ((st = sbx_wide_path(program, &program_w, err)) != SBX_OK ||
        (st = sbx_wide(line, "command line", &line_w, err)) != SBX_OK ||
        (how->cwd && (st = sbx_wide_path(how->cwd, &cwd_w, err)) != SBX_OK) ||
        (st = make_job(&job, how->breakaway, err)) != SBX_OK)
        goto out;
    if (output) {
        if (!CreatePipe(&from, &to, &inherit, PIPE_BYTES)) {
            st = sbx_fail_last(err, SBX_E_SYSTEM, "CreatePipe", NULL);
            goto out;
        }
        SetHandleInformation(from, HANDLE_FLAG_INHERIT, 0);
        InitializeProcThreadAttributeList(NULL, 1, 0, &bytes);
        startup.lpAttributeList = sbx_alloc_zero(1, bytes);
        if (!startup.lpAttributeList) {
            st = sbx_fail_memory(err);
            goto out;
        }
        if (!InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &bytes) ||
            !UpdateProcThreadAttribute(startup.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, &to, sizeof(to),
                                       NULL, NULL)) {
            st = sbx_fail_last(err, SBX_E_SYSTEM, "UpdateProcThreadAttribute", NULL);
            goto out;
        }
        startup.StartupInfo.cb = sizeof(startup);
        startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
        startup.StartupInfo.hStdOutput = to;
        startup.StartupInfo.hStdError = to;
        flags |= EXTENDED_STARTUPINFO_PRESENT;
        if (!sbx_console_exists()) /* in a sandbox, where one cannot be made, there is one to share */
            flags |= CREATE_NO_WINDOW;
    }
    if (!CreateProcessW((LPCWSTR)program_w, (LPWSTR)line_w, NULL, NULL, output != NULL, flags, NULL, (LPCWSTR)cwd_w,
                        &startup.StartupInfo, &info)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateProcessW", program);
        goto out;
    }
    if (!AssignProcessToJobObject(job, info.hProcess)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "AssignProcessToJobObject", program);
        TerminateProcess(info.hProcess, 125);
        goto out;
    }
    sbx_handle_close(&to);
    ResumeThread(info.hThread);
    *end = await(info.hProcess, how, output != NULL);
    TerminateJobObject(job, 125);
    WaitForSingleObject(info.hProcess, INFINITE);
    GetExitCodeProcess(info.hProcess, &code);
    *exit_code = code;
    if (output)
        read_all(from, output);
out:
    if (startup.lpAttributeList)
        DeleteProcThreadAttributeList(startup.lpAttributeList);
    sbx_free(startup.lpAttributeList);
    sbx_handle_close(&info.hThread);
    sbx_handle_close(&info.hProcess);
    sbx_handle_close(&from);
    sbx_handle_close(&to);
    sbx_handle_close(&job);
    sbx_free(program_w);
    sbx_free(line_w);
    sbx_free(cwd_w);
    return st;
}

sbx_status sbx_child_run(const char *program, const char *line, uint32_t limit_ms, sbx_text *output, int *timed_out,
                         uint32_t *exit_code, sbx_error *err)
{
    const sbx_child_how how = {.limit_ms = limit_ms};
    uint32_t end = SBX_CHILD_EXITED;
    const sbx_status st = sbx_child_watch(program, line, &how, output, &end, exit_code, err);

    if (timed_out)
        *timed_out = end == SBX_CHILD_TIME;
    return st;
}
