#include "launch/supervise.h"

#include <windows.h>

#include "win/clock.h"
#include "win/error.h"

/* How long the system may take to end a tree before sbx says that it did not. */
#define END_MS 10000u
/* A job with limits queues a message for each process: they are taken at least this often. */
#define DRAIN_MS 1000u

/* After a closed console the system ends this process in about five seconds. */
#define CLOSE_MS 3000u

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return !a || (b && b < a) ? b : a;
}

static uint32_t wait_ms(const sbx_watch *watch, uint64_t now_us, uint64_t deadline_us)
{
    uint64_t ms = INFINITE;

    if (watch->job->port)
        ms = DRAIN_MS;
    if (deadline_us) {
        uint64_t left = now_us < deadline_us ? (deadline_us - now_us + 999) / 1000 : 0;

        if (left < ms)
            ms = left < INFINITE ? left : INFINITE - 1;
    }
    return (uint32_t)ms;
}

/* When an end that was asked for is due; 0: not asked for. */
static uint64_t asked_deadline(const sbx_watch *watch, uint64_t now_us)
{
    const uint64_t grace_us = (uint64_t)watch->grace_ms * 1000;

    switch (sbx_console_asked()) {
    case SBX_CONSOLE_END:
        return now_us;
    case SBX_CONSOLE_CLOSE:
        return now_us + earlier(CLOSE_MS * 1000u, grace_us);
    case SBX_CONSOLE_ONCE: /* nobody there to ask a second time */
        return grace_us && !sbx_console_is(0) ? now_us + grace_us : 0;
    default:
        return 0;
    }
}

/* Until the process ends by itself or must end: SBX_END_EXITED, _TIME or _INTERRUPTED; 0: the wait failed. */
static uint32_t watch_it(const sbx_watch *watch, uint64_t begin_us)
{
    HANDLE handles[3];
    const DWORD count = watch->account ? 3 : 2;
    const uint64_t limit_us = watch->time_ms ? begin_us + watch->time_ms * 1000 : 0;
    uint64_t asked_us = 0, now_us = begin_us;
    uint32_t end;

    handles[0] = watch->process->handle; /* first: an end by itself counts before a signal */
    handles[1] = watch->console->event;
    handles[2] = watch->account ? watch->account->process.handle : NULL;
    for (;;) {
        switch (WaitForMultipleObjects(count, handles, FALSE, wait_ms(watch, now_us, earlier(limit_us, asked_us)))) {
        case WAIT_OBJECT_0:
            return SBX_END_EXITED;
        case WAIT_OBJECT_0 + 1:
            asked_us = earlier(asked_us, asked_deadline(watch, sbx_clock_us()));
            if (watch->account)
                sbx_account_pass_on(watch->account);
            break;
        case WAIT_OBJECT_0 + 2:
            return WaitForSingleObject(watch->process->handle, 0) == WAIT_OBJECT_0 ? SBX_END_EXITED : 0;
        case WAIT_TIMEOUT:
            break;
        default:
            return 0;
        }
        sbx_job_drain(watch->job);
        now_us = sbx_clock_us();
        end = asked_us && now_us >= asked_us ? SBX_END_INTERRUPTED : limit_us && now_us >= limit_us ? SBX_END_TIME : 0;
        if (end)
            return WaitForSingleObject(watch->process->handle, 0) == WAIT_OBJECT_0 ? SBX_END_EXITED : end;
    }
}

/* What is left of the tree ends, or is let go.  *usage: as it was before. */
static sbx_status finish(const sbx_watch *watch, uint32_t end, sbx_job_usage *usage, sbx_error *err)
{
    sbx_status st = sbx_job_usage_get(watch->job, usage, err);

    if (st == SBX_OK && !usage->active)
        return SBX_OK;
    if (st == SBX_OK && watch->keep_children && end == SBX_END_EXITED)
        return sbx_job_release(watch->job, err);
    return sbx_job_end(watch->job, end == SBX_END_INTERRUPTED ? SBX_INTERRUPTED_CODE : 1, END_MS, err);
}

sbx_status sbx_supervise(const sbx_watch *watch, sbx_launch_result *result, sbx_error *err)
{
    const uint64_t begin_us = sbx_clock_us();
    uint32_t end = watch_it(watch, begin_us);
    sbx_job_usage usage = {.active = 1};
    DWORD code = 0;
    sbx_status st = SBX_OK;

    if (!end && watch->account && WaitForSingleObject(watch->account->process.handle, 0) == WAIT_OBJECT_0)
        st = sbx_fail(err, SBX_E_SYSTEM, "it ended before the command, which was ended, too", "sbx-runner");
    else if (!end)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "WaitForMultipleObjects", "the command");
    if (st != SBX_OK)
        finish(watch, SBX_END_FAILED, &usage, NULL);
    else
        st = finish(watch, end, &usage, err);
    result->run_us = sbx_clock_us() - begin_us;
    sbx_job_drain(watch->job);
    if (!usage.active || sbx_job_usage_get(watch->job, &usage, NULL) == SBX_OK) {
        result->processes = usage.processes;
        result->peak_memory = usage.peak_memory;
        result->cpu_us = usage.cpu_us;
    }
    if (!GetExitCodeProcess(watch->process->handle, &code) && st == SBX_OK)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetExitCodeProcess", "the command");
    result->child_exit = code;
    if (st != SBX_OK) {
        result->end = SBX_END_FAILED;
        result->exit_code = (uint32_t)sbx_exit_code(st);
        return st;
    }
    result->end = end;
    result->exit_code = code;
    if (end == SBX_END_TIME)
        result->exit_code = (uint32_t)sbx_exit_code(SBX_E_TIMEOUT);
    else if (end == SBX_END_EXITED && (watch->job->hit & SBX_JOB_HIT_MEMORY))
        result->end = SBX_END_MEMORY;
    else if (end == SBX_END_EXITED && (watch->job->hit & SBX_JOB_HIT_PROCESSES))
        result->end = SBX_END_PROCESSES;
    return SBX_OK;
}
