#include "win/job.h"

#include <windows.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "win/clock.h"
#include "win/error.h"
#include "win/handle.h"

/* MSDN "JOBOBJECT_ASSOCIATE_COMPLETION_PORT": that a message arrives is not guaranteed. */
#define LOOK_MS 100u

#define CPU_RATE_FLAGS (JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP)

static void limit_data(const sbx_limits *limits, DWORD extra, JOBOBJECT_EXTENDED_LIMIT_INFORMATION *info)
{
    memset(info, 0, sizeof(*info));
    info->BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION | extra;
    if (limits->processes) {
        info->BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_ACTIVE_PROCESS;
        info->BasicLimitInformation.ActiveProcessLimit = limits->processes;
    }
    if (limits->memory_bytes) {
        info->BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_JOB_MEMORY;
        info->JobMemoryLimit = (SIZE_T)limits->memory_bytes;
    }
}

static sbx_status set_limits(const sbx_job *job, DWORD extra, sbx_error *err)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION info;

    limit_data(&job->limits, extra, &info);
    if (!SetInformationJobObject(job->handle, JobObjectExtendedLimitInformation, &info, sizeof(info)))
        return sbx_fail_last(err, SBX_E_SYSTEM, "SetInformationJobObject", "limits");
    return SBX_OK;
}

static sbx_status set_port(sbx_job *job, sbx_error *err)
{
    JOBOBJECT_ASSOCIATE_COMPLETION_PORT info;

    job->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (!job->port)
        return sbx_fail_last(err, SBX_E_SYSTEM, "CreateIoCompletionPort", "job");
    info.CompletionKey = job->handle;
    info.CompletionPort = job->port;
    if (!SetInformationJobObject(job->handle, JobObjectAssociateCompletionPortInformation, &info, sizeof(info))) {
        sbx_status st = sbx_fail_last(err, SBX_E_SYSTEM, "SetInformationJobObject", "completion port");

        sbx_handle_close(&job->port);
        return st;
    }
    return SBX_OK;
}

static sbx_status set_cpu(const sbx_job *job, sbx_error *err)
{
    JOBOBJECT_CPU_RATE_CONTROL_INFORMATION info = {0};

    info.ControlFlags = CPU_RATE_FLAGS;
    info.CpuRate = job->limits.cpu_percent * 100;
    if (SetInformationJobObject(job->handle, JobObjectCpuRateControlInformation, &info, sizeof(info)))
        return SBX_OK;
    sbx_fail_last(err, SBX_E_UNENFORCED, "SetInformationJobObject", "CPU limit");
    sbx_hint(err, "this system does not limit the CPU time of a job; leave the cpu limit out");
    return SBX_E_UNENFORCED;
}

static sbx_status set_ui(const sbx_job *job, sbx_error *err)
{
    JOBOBJECT_BASIC_UI_RESTRICTIONS info;

    info.UIRestrictionsClass = job->ui_limits;
    if (SetInformationJobObject(job->handle, JobObjectBasicUIRestrictions, &info, sizeof(info)))
        return SBX_OK;
    return sbx_fail_last(err, SBX_E_UNENFORCED, "SetInformationJobObject", "UI limits");
}

sbx_status sbx_job_open(sbx_job *job, const sbx_limits *limits, uint32_t ui_limits, sbx_error *err)
{
    sbx_status st = SBX_OK;

    if (limits)
        job->limits = *limits;
    job->ui_limits = ui_limits;
    if (job->limits.memory_bytes > SIZE_MAX || job->limits.cpu_percent > 100)
        return sbx_fail(err, SBX_E_REFUSED, "job limits", "out of range");
    job->handle = CreateJobObjectW(NULL, NULL);
    if (!job->handle)
        return sbx_fail_last(err, SBX_E_SYSTEM, "CreateJobObjectW", NULL);
    st = set_limits(job, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, err);
    if (st == SBX_OK && job->limits.cpu_percent)
        st = set_cpu(job, err);
    if (st == SBX_OK && ui_limits)
        st = set_ui(job, err);
    if (st == SBX_OK && (job->limits.memory_bytes || job->limits.processes))
        st = set_port(job, err);
    if (st != SBX_OK)
        sbx_job_close(job);
    return st;
}

static sbx_status unenforced(sbx_error *err, const char *what)
{
    sbx_fail(err, SBX_E_UNENFORCED, "read the job back", what);
    return sbx_hint(err, "this system does not hold the command to it, so nothing was run");
}

sbx_status sbx_job_verify(const sbx_job *job, int *known, sbx_error *err)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION want, got = {0};
    JOBOBJECT_CPU_RATE_CONTROL_INFORMATION cpu = {0};
    JOBOBJECT_BASIC_UI_RESTRICTIONS ui = {0};
    DWORD flags;

    limit_data(&job->limits, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, &want);
    if (!QueryInformationJobObject(job->handle, JobObjectExtendedLimitInformation, &got, sizeof(got), NULL))
        return sbx_fail_last(err, SBX_E_UNENFORCED, "QueryInformationJobObject", "limits");
    flags = got.BasicLimitInformation.LimitFlags;
    if (flags && !(flags & JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE))
        return unenforced(err, "end of the tree with sbx");
    if (flags & (JOB_OBJECT_LIMIT_BREAKAWAY_OK | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK))
        return unenforced(err, "no breakaway");
    /* the kernel rounds to whole pages */
    if (job->limits.memory_bytes && (!(flags & JOB_OBJECT_LIMIT_JOB_MEMORY) || !got.JobMemoryLimit ||
                                     got.JobMemoryLimit > want.JobMemoryLimit + 0xFFFF))
        return unenforced(err, "memory limit");
    if (job->limits.processes &&
        (!(flags & JOB_OBJECT_LIMIT_ACTIVE_PROCESS) ||
         got.BasicLimitInformation.ActiveProcessLimit != want.BasicLimitInformation.ActiveProcessLimit))
        return unenforced(err, "process limit");
    if (job->limits.cpu_percent) {
        if (!QueryInformationJobObject(job->handle, JobObjectCpuRateControlInformation, &cpu, sizeof(cpu), NULL))
            return sbx_fail_last(err, SBX_E_UNENFORCED, "QueryInformationJobObject", "CPU limit");
        if ((cpu.ControlFlags & CPU_RATE_FLAGS) != CPU_RATE_FLAGS || cpu.CpuRate != job->limits.cpu_percent * 100)
            return unenforced(err, "CPU limit");
    }
    if (job->ui_limits) {
        if (!QueryInformationJobObject(job->handle, JobObjectBasicUIRestrictions, &ui, sizeof(ui), NULL))
            return sbx_fail_last(err, SBX_E_UNENFORCED, "QueryInformationJobObject", "UI limits");
        if ((ui.UIRestrictionsClass & job->ui_limits) != job->ui_limits)
            return unenforced(err, "UI limits");
    }
    *known = flags != 0;
    return SBX_OK;
}

static void take(sbx_job *job, DWORD message)
{
    if (message == JOB_OBJECT_MSG_JOB_MEMORY_LIMIT || message == JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT)
        job->hit |= SBX_JOB_HIT_MEMORY;
    else if (message == JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT)
        job->hit |= SBX_JOB_HIT_PROCESSES;
}

/* One message, or 0 after timeout_ms. */
static int next_message(sbx_job *job, DWORD timeout_ms)
{
    DWORD message = 0;
    ULONG_PTR key = 0;
    OVERLAPPED *process = NULL;

    if (!GetQueuedCompletionStatus(job->port, &message, &key, &process, timeout_ms))
        return 0;
    take(job, message);
    return 1;
}

void sbx_job_drain(sbx_job *job)
{
    while (job->port && next_message(job, 0))
        ;
}

sbx_status sbx_job_usage_get(const sbx_job *job, sbx_job_usage *usage, sbx_error *err)
{
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION basic = {0};
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION extended = {0};

    if (!QueryInformationJobObject(job->handle, JobObjectBasicAccountingInformation, &basic, sizeof(basic), NULL))
        return sbx_fail_last(err, SBX_E_SYSTEM, "QueryInformationJobObject", "accounting");
    if (!QueryInformationJobObject(job->handle, JobObjectExtendedLimitInformation, &extended, sizeof(extended), NULL))
        return sbx_fail_last(err, SBX_E_SYSTEM, "QueryInformationJobObject", "limits");
    usage->active = basic.ActiveProcesses;
    usage->processes = basic.TotalProcesses;
    usage->peak_memory = extended.PeakJobMemoryUsed;
    usage->cpu_us = (uint64_t)(basic.TotalUserTime.QuadPart + basic.TotalKernelTime.QuadPart) / 10;
    return SBX_OK;
}

sbx_status sbx_job_end(sbx_job *job, uint32_t exit_code, uint32_t timeout_ms, sbx_error *err)
{
    const uint64_t end_us = sbx_clock_us() + (uint64_t)timeout_ms * 1000;
    sbx_job_usage usage;
    uint64_t now_us, left_ms;
    sbx_status st = SBX_OK;

    /* terminating is asynchronous, and a message tells when the last is gone */
    if (!job->port)
        st = set_port(job, err);
    if (!TerminateJobObject(job->handle, exit_code))
        return sbx_fail_last(err, SBX_E_SYSTEM, "TerminateJobObject", NULL);
    if (st != SBX_OK)
        return st;
    for (;;) {
        st = sbx_job_usage_get(job, &usage, err);
        if (st != SBX_OK || !usage.active)
            return st;
        now_us = sbx_clock_us();
        if (now_us >= end_us)
            return sbx_fail_code(err, SBX_E_SYSTEM, SBX_CODE_WIN32, ERROR_TIMEOUT, "TerminateJobObject",
                                 "processes of the command");
        left_ms = (end_us - now_us) / 1000 + 1;
        next_message(job, left_ms < LOOK_MS ? (DWORD)left_ms : LOOK_MS);
    }
}

static sbx_ext_children children = {.size = sizeof(children), .known = 1};

/* A console's host goes with the last process that uses it. */
static int is_console_host(HANDLE process)
{
    WCHAR path_w[MAX_PATH], host_w[MAX_PATH + 16];
    DWORD units = MAX_PATH, length = GetSystemDirectoryW(host_w, MAX_PATH);

    if (!length || length >= MAX_PATH || !QueryFullProcessImageNameW(process, 0, path_w, &units))
        return 0;
    memcpy(host_w + length, L"\\conhost.exe", sizeof(L"\\conhost.exe"));
    return CompareStringOrdinal(path_w, -1, host_w, -1, TRUE) == CSTR_EQUAL;
}

/* The members by now.  One that ends meanwhile is left out, for its number may be another's by then; where one cannot be
 * asked, nothing is known. */
static void list_children(const sbx_job *job)
{
    JOBOBJECT_BASIC_PROCESS_ID_LIST *list = NULL, *more;
    DWORD room = 16, count = 0, size, i;
    sbx_child *items = NULL;
    FILETIME times[4];
    HANDLE process;
    BOOL inside, done;

    children.known = children.count = 0;
    do {
        room *= 2;
        size = (DWORD)(offsetof(JOBOBJECT_BASIC_PROCESS_ID_LIST, ProcessIdList) + room * sizeof(ULONG_PTR));
        more = sbx_realloc(list, size);
        if (!more)
            goto out;
        list = more;
        done = QueryInformationJobObject(job->handle, JobObjectBasicProcessIdList, list, size, NULL);
    } while ((!done && GetLastError() == ERROR_MORE_DATA) ||
             (done && list->NumberOfProcessIdsInList < list->NumberOfAssignedProcesses && room < 1u << 20));
    if (!done || !(items = sbx_alloc((list->NumberOfProcessIdsInList + 1) * sizeof(*items))))
        goto out;
    for (i = 0; i < list->NumberOfProcessIdsInList; i++) {
        process = OpenProcess(PROCESS_QUERY_INFORMATION | SYNCHRONIZE, FALSE, (DWORD)list->ProcessIdList[i]);
        if (!process && GetLastError() == ERROR_INVALID_PARAMETER)
            continue;
        done = process && IsProcessInJob(process, job->handle, &inside) &&
               GetProcessTimes(process, &times[0], &times[1], &times[2], &times[3]);
        inside = done && inside && WaitForSingleObject(process, 0) == WAIT_TIMEOUT && !is_console_host(process);
        sbx_handle_close(&process);
        if (!done)
            goto out;
        if (inside)
            items[count++] = (sbx_child){(uint64_t)times[0].dwHighDateTime << 32 | times[0].dwLowDateTime,
                                         (uint32_t)list->ProcessIdList[i], 0};
    }
    sbx_free((void *)(uintptr_t)children.items);
    children.items = items;
    children.count = count;
    children.known = 1;
    items = NULL;
out:
    sbx_free(items);
    sbx_free(list);
}

const sbx_ext_children *sbx_job_children(void)
{
    return &children;
}

sbx_status sbx_job_release(sbx_job *job, sbx_error *err)
{
    sbx_status st = set_limits(job, 0, err);

    if (st == SBX_OK)
        list_children(job);
    return st;
}

void sbx_job_close(sbx_job *job)
{
    sbx_handle_close(&job->port);
    sbx_handle_close(&job->handle);
}
