/*
 * The smallest launcher that there can be: CreateProcess, wait, exit code.  What sbx is
 * measured against.
 *
 *   bench-minimal -- COMMAND...
 */
#include <windows.h>

#include <wchar.h>

int wmain(void);

int wmain(void)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;
    wchar_t *command = wcsstr(GetCommandLineW(), L" -- ");
    DWORD code = 125;

    if (!command || !CreateProcessW(NULL, command + 4, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        return 125;
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return (int)code;
}
