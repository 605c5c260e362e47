#include "plugin/plugin_watch.h"

#include <windows.h>

#include "plugin/start.h"
#include "win/error.h"
#include "win/handle.h"

#define IDLE 0
#define WATCHING 1
#define OVER 2

static HANDLE timer;
static volatile LONG state, is_set; /* is_set: the timer will go off */
static ULONGLONG begun;             /* these three are read only while it is WATCHING */
static const char *backend_name;
static const char *function_name;

static BOOL set_timer(ULONGLONG ms)
{
    LARGE_INTEGER due;

    due.QuadPart = -(LONGLONG)ms * 10000; /* from now, in units of 100 ns */
    InterlockedExchange(&is_set, 1);
    if (SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE))
        return TRUE;
    InterlockedExchange(&is_set, 0);
    return FALSE;
}

static DWORD WINAPI watch(void *ready)
{
    SetEvent(ready);
    while (WaitForSingleObject(timer, INFINITE) == WAIT_OBJECT_0) {
        ULONGLONG since, took;

        InterlockedExchange(&is_set, 0); /* a call that begins from here on sets it */
        if (state != WATCHING)
            continue;
        since = begun;
        took = GetTickCount64() - since;
        if (took < SBX_PLUGIN_WATCH_MS) /* a later call than that for which it was set */
            set_timer(SBX_PLUGIN_WATCH_MS - took);
        else if (InterlockedCompareExchange(&state, OVER, WATCHING) == WATCHING)
            sbx_start_no_answer(backend_name, function_name, SBX_PLUGIN_WATCH_MS / 1000);
    }
    return 0;
}

/* Returns when the thread runs: one that is only being started would wait for the loader's lock. */
static sbx_status start(sbx_error *err)
{
    HANDLE ready = NULL, thread = NULL, made = NULL;
    sbx_status st = SBX_OK;

    ready = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!ready) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateEventW", NULL);
        goto out;
    }
    made = CreateWaitableTimerW(NULL, FALSE, NULL);
    if (!made) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateWaitableTimerW", NULL);
        goto out;
    }
    timer = made;
    thread = CreateThread(NULL, 64 * 1024, watch, ready, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    if (!thread) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateThread", NULL);
        timer = NULL;
        goto out;
    }
    WaitForSingleObject(ready, INFINITE);
    made = NULL;
out:
    sbx_handle_close(&thread);
    sbx_handle_close(&made);
    sbx_handle_close(&ready);
    return st;
}

sbx_status sbx_plugin_watch_begin(const char *backend, const char *function, sbx_error *err)
{
    sbx_status st;

    if (!timer && (st = start(err)) != SBX_OK)
        return st;
    backend_name = backend;
    function_name = function;
    begun = GetTickCount64();
    InterlockedExchange(&state, WATCHING);
    /* set by an earlier call it goes off too early, and is set again then */
    if (!is_set && !set_timer(SBX_PLUGIN_WATCH_MS)) {
        InterlockedExchange(&state, IDLE);
        return sbx_fail_last(err, SBX_E_SYSTEM, "SetWaitableTimer", NULL);
    }
    return SBX_OK;
}

void sbx_plugin_watch_end(void)
{
    if (InterlockedCompareExchange(&state, IDLE, WATCHING) == OVER)
        Sleep(INFINITE); /* too late: the process ends, and nothing is started meanwhile */
}
