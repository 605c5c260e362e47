/* Rows of which the second ends the probe, as SBX_TEST_FAULT says: "hang", "crash", "end", "ctrl-c" (and goes on to hang). */
#include "probe/probe.h"

#include <wchar.h>

static DWORD sound(const sbx_probe_row *row)
{
    (void)row;
    return 0;
}

static DWORD fault(const sbx_probe_row *row)
{
    wchar_t kind_w[16] = L"";

    (void)row;
    GetEnvironmentVariableW(L"SBX_TEST_FAULT", kind_w, 16);
    if (!wcscmp(kind_w, L"ctrl-c")) /* to all on the console */
        GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0);
    if (!wcscmp(kind_w, L"hang") || !wcscmp(kind_w, L"ctrl-c"))
        Sleep(INFINITE);
    else if (!wcscmp(kind_w, L"crash"))
        *(volatile int *)NULL = 1;
    else
        TerminateProcess(GetCurrentProcess(), 9);
    return 0;
}

const sbx_probe_row sbx_probe_rows[] = {
    {"first", "write", SBX_PROBE_HELD, "nothing", sound, NULL, 0},
    {"second", "write", SBX_PROBE_HELD, "a fault", fault, NULL, 0},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0},
};
