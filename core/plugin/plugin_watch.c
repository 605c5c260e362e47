#include "plugin/plugin_watch.h"

#include <windows.h>

#include "plugin/start.h"
#include "win/error.h"
#include "win/handle.h"

#define IDLE 0
#define WATCHING 1
#define OVER 2

static HANDLE timer; /* set while a call is made */
static volatile LONG state;
static ULONGLONG begun; /* these three are read only while it is WATCHING */
static const char *backend_name;
static const char *function_name;

static DWORD WINAPI watch(void *ready)
{
    SetEvent(ready);
    while (WaitForSingleObject(timer, INFINITE) == WAIT_OBJECT_0) {
        /* it answered just now; or another call has begun since then */
        if (GetTickCount64() - begun < SBX_PLUGIN_WATCH_MS / 2 ||
            InterlockedCompareExchange(&state, OVER, WATCHING) != WATCHING)
            continue;
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
    LARGE_INTEGER due;
    sbx_status st;

    if (!timer && (st = start(err)) != SBX_OK)
        return st;
    backend_name = backend;
    function_name = function;
    begun = GetTickCount64();
    due.QuadPart = -(LONGLONG)SBX_PLUGIN_WATCH_MS * 10000; /* from now, in units of 100 ns */
    InterlockedExchange(&state, WATCHING);
    if (!SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE)) {
        InterlockedExchange(&state, IDLE);
        return sbx_fail_last(err, SBX_E_SYSTEM, "SetWaitableTimer", NULL);
    }
    return SBX_OK;
}

void sbx_plugin_watch_end(void)
{
    if (InterlockedCompareExchange(&state, IDLE, WATCHING) == OVER)
        Sleep(INFINITE); /* too late: the process ends, and nothing is started meanwhile */
    CancelWaitableTimer(timer);
}
