#include "win/console.h"

#include <windows.h>

#include "win/error.h"
#include "win/handle.h"

static volatile LONG strokes, closing, last, unseen;
static const sbx_console *current;
static HANDLE wake; /* made once, never closed: a handler may still run after it was removed */

void sbx_console_signal(uint32_t control)
{
    if (control == CTRL_C_EVENT || control == CTRL_BREAK_EVENT) {
        InterlockedExchange(&last, (LONG)control);
        InterlockedExchange(&unseen, 1);
        InterlockedIncrement(&strokes);
    } else {
        InterlockedExchange(&closing, 1);
    }
    sbx_console_wake();
}

void sbx_console_typed(int interrupt)
{
    if (!interrupt) {
        InterlockedCompareExchange(&strokes, 0, 1);
        return;
    }
    InterlockedIncrement(&strokes);
    sbx_console_wake();
}

void sbx_console_wake(void)
{
    if (wake)
        SetEvent(wake);
}

int sbx_console_take(void)
{
    return InterlockedExchange(&unseen, 0) != 0;
}

static BOOL WINAPI handler(DWORD control)
{
    sbx_console_signal(control);
    /* When the handler of a closed console returns, the system ends this process: leave the main thread the time
     * that the system grants to end the tree and to say so. */
    if (control != CTRL_C_EVENT && control != CTRL_BREAK_EVENT)
        Sleep(INFINITE);
    return TRUE;
}

uint32_t sbx_console_asked(void)
{
    LONG count = strokes;

    if (closing)
        return SBX_CONSOLE_CLOSE;
    if (count > 1)
        return SBX_CONSOLE_END;
    return count ? SBX_CONSOLE_ONCE : SBX_CONSOLE_QUIET;
}

uint32_t sbx_console_last(void)
{
    return (uint32_t)last;
}

static void remember(sbx_console *console)
{
    static const WCHAR *const names[2] = {L"CONIN$", L"CONOUT$"};
    DWORD mode;
    int i;

    if (!sbx_console_is(0) && !sbx_console_is(1) && !sbx_console_is(2))
        return;
    for (i = 0; i < 2; i++) {
        console->files[i] = sbx_handle_from(CreateFileW(
            names[i], GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL));
        if (console->files[i] && GetConsoleMode(console->files[i], &mode))
            console->modes[i] = mode;
        else
            sbx_handle_close(&console->files[i]);
    }
    console->input_page = GetConsoleCP();
    console->output_page = GetConsoleOutputCP();
}

sbx_status sbx_console_begin(sbx_console *console, sbx_error *err)
{
    strokes = closing = unseen = 0;
    if (!wake && !(wake = CreateEventW(NULL, FALSE, FALSE, NULL)))
        return sbx_fail_last(err, SBX_E_SYSTEM, "CreateEventW", NULL);
    ResetEvent(wake);
    if (!SetConsoleCtrlHandler(handler, TRUE))
        return sbx_fail_last(err, SBX_E_SYSTEM, "SetConsoleCtrlHandler", NULL);
    console->event = wake;
    remember(console);
    current = console;
    return SBX_OK;
}

static void restore(const sbx_console *console)
{
    DWORD mode;
    int i;

    for (i = 0; i < 2; i++)
        if (console->files[i] && GetConsoleMode(console->files[i], &mode) && mode != console->modes[i])
            SetConsoleMode(console->files[i], console->modes[i]);
}

void sbx_console_restore(void)
{
    if (current)
        restore(current);
}

void sbx_console_end(sbx_console *console)
{
    int i;

    restore(console);
    current = NULL;
    for (i = 0; i < 2; i++)
        sbx_handle_close(&console->files[i]);
    if (console->input_page && console->input_page != GetConsoleCP())
        SetConsoleCP(console->input_page);
    if (console->output_page && console->output_page != GetConsoleOutputCP())
        SetConsoleOutputCP(console->output_page);
    console->input_page = console->output_page = 0;
    if (console->event)
        SetConsoleCtrlHandler(handler, FALSE);
    console->event = NULL;
}

int sbx_console_exists(void)
{
    static volatile LONG seen; /* this process never gives its console up */

    if (!seen && GetConsoleCP())
        seen = 1;
    return seen != 0;
}

int sbx_console_is(int which)
{
    static const DWORD names[3] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    HANDLE handle = which >= 0 && which < 3 ? GetStdHandle(names[which]) : NULL;
    DWORD mode;

    return handle && handle != INVALID_HANDLE_VALUE && GetConsoleMode(handle, &mode);
}
