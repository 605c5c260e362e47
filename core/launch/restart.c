#include "launch/restart.h"

#include <windows.h>
#include <wchar.h>

#include "base/memory.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/process.h"

/* Tells the second process that it is one.  Whoever gives it to a first one gets an error. */
#define TITLE L"sbx with a console"
#define PATH_UNITS 32768u

static int is_second(void)
{
    STARTUPINFOW si;

    GetStartupInfoW(&si);
    return si.lpTitle && !wcscmp(si.lpTitle, TITLE);
}

/* Ends the second process with this one.  What that starts is not in it: another job inside would have to do without limits
 * of the user interface (MSDN "Nested Jobs"), and kept children would end here. */
static sbx_status make_job(HANDLE *job, sbx_error *err)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};

    *job = CreateJobObjectW(NULL, NULL);
    if (!*job)
        return sbx_fail_last(err, SBX_E_SYSTEM, "CreateJobObjectW", NULL);
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    if (!SetInformationJobObject(*job, JobObjectExtendedLimitInformation, &limits, sizeof(limits)))
        return sbx_fail_last(err, SBX_E_SYSTEM, "SetInformationJobObject", NULL);
    return SBX_OK;
}

static sbx_status wait_for(const sbx_process *process, uint32_t *exit_code, sbx_error *err)
{
    DWORD code = 0;

    if (WaitForSingleObject(process->handle, INFINITE) != WAIT_OBJECT_0)
        return sbx_fail_last(err, SBX_E_SYSTEM, "WaitForSingleObject", "sbx with a console");
    if (!GetExitCodeProcess(process->handle, &code))
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetExitCodeProcess", "sbx with a console");
    *exit_code = code;
    return SBX_OK;
}

sbx_status sbx_restart_with_console(uint32_t *exit_code, sbx_error *err)
{
    sbx_process_start start = {0};
    sbx_process process = {0};
    sbx_stdio stdio = {0};
    HANDLE job = NULL;
    WCHAR *program_w = NULL;
    DWORD units;
    sbx_status st;

    if (is_second()) {
        sbx_fail(err, SBX_E_SYSTEM, "make a console", "none came with CREATE_NO_WINDOW");
        return sbx_hint(err, "a confined command cannot make one either; start sbx from a program that has a console");
    }
    program_w = sbx_alloc(PATH_UNITS * sizeof(*program_w));
    if (!program_w)
        return sbx_fail_memory(err);
    units = GetModuleFileNameW(NULL, program_w, PATH_UNITS);
    if (!units || units == PATH_UNITS) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetModuleFileNameW", "own program");
        goto out;
    }
    if ((st = sbx_stdio_open(&stdio, err)) != SBX_OK || (st = make_job(&job, err)) != SBX_OK)
        goto out;
    start.program_w = (const uint16_t *)program_w;
    start.command_w = (const uint16_t *)GetCommandLineW();
    start.title_w = (const uint16_t *)TITLE;
    start.job = job;
    start.stdio = &stdio;
    if ((st = sbx_process_spawn(&process, &start, err)) != SBX_OK)
        goto out;
    sbx_stdio_close(&stdio); /* a reader of our output must see its end when the tree is gone */
    st = sbx_process_resume(&process, err);
    if (st == SBX_OK)
        st = wait_for(&process, exit_code, err);
out:
    sbx_process_close(&process);
    sbx_stdio_close(&stdio);
    sbx_handle_close(&job);
    sbx_free(program_w);
    return st;
}
