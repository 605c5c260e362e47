/* Rows about what is no file: keys, processes, named objects, services. */
#include "probe/probe.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

DWORD sbx_probe_key(const sbx_probe_row *row)
{
    static const wchar_t machine_w[] = L"HKLM\\", user_w[] = L"USER\\";
    wchar_t path_w[SBX_PROBE_PATH];
    HKEY key = NULL;
    LSTATUS status;

    if (!wcsncmp(row->object_w, machine_w, wcslen(machine_w))) {
        status = RegOpenKeyExW(HKEY_LOCAL_MACHINE, row->object_w + wcslen(machine_w), 0, row->access, &key);
    } else {
        swprintf(path_w, SBX_PROBE_PATH, L"%ls\\%ls", sbx_probe_at.sid_w, row->object_w + wcslen(user_w));
        status = RegOpenKeyExW(HKEY_USERS, path_w, 0, row->access, &key);
    }
    if (key)
        RegCloseKey(key);
    return (DWORD)status;
}

DWORD sbx_probe_process(const sbx_probe_row *row)
{
    return sbx_probe_done(OpenProcess(row->access, FALSE, sbx_probe_at.process));
}

DWORD sbx_probe_thread(const sbx_probe_row *row)
{
    return sbx_probe_done(OpenThread(row->access, FALSE, sbx_probe_at.thread));
}

DWORD sbx_probe_token(const sbx_probe_row *row)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, sbx_probe_at.process), token = NULL;
    DWORD code;

    if (!process)
        return GetLastError();
    OpenProcessToken(process, row->access, &token);
    code = sbx_probe_done(token);
    CloseHandle(process);
    return code;
}

/* Good until the next call. */
static const wchar_t *held(const wchar_t *format_w, DWORD process)
{
    static wchar_t name_w[64];

    swprintf(name_w, 64, format_w, process);
    return name_w;
}

DWORD sbx_probe_event(const sbx_probe_row *row)
{
    return sbx_probe_done(OpenEventW(row->access, FALSE, held(SBX_PROBE_EVENT, sbx_probe_at.process)));
}

DWORD sbx_probe_section(const sbx_probe_row *row)
{
    return sbx_probe_done(OpenFileMappingW(row->access, FALSE, held(SBX_PROBE_SECTION, sbx_probe_at.process)));
}

DWORD sbx_probe_pipe(const sbx_probe_row *row)
{
    return sbx_probe_done(
        CreateFileW(held(SBX_PROBE_PIPE, sbx_probe_at.process), row->access, 0, NULL, OPEN_EXISTING, 0, NULL));
}

DWORD sbx_probe_pipe_by_name(const sbx_probe_row *row)
{
    const HANDLE pipe = CreateFileW(row->object_w, row->access, 0, NULL, OPEN_EXISTING,
                                    SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, NULL);
    const DWORD error = GetLastError();

    /* one that is busy has let it in */
    return pipe == INVALID_HANDLE_VALUE && error == ERROR_PIPE_BUSY ? 0 : sbx_probe_done(pipe);
}

DWORD sbx_probe_own_pipe(const sbx_probe_row *row)
{
    const wchar_t *name_w = held(SBX_PROBE_PIPE, GetCurrentProcessId());
    HANDLE made =
        CreateNamedPipeW(name_w, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE | WRITE_DAC,
                         PIPE_TYPE_BYTE, 1, 65536, 65536, 0, NULL);
    DWORD code;

    (void)row;
    if (made == INVALID_HANDLE_VALUE)
        return GetLastError();
    code = sbx_probe_done(CreateFileW(name_w, GENERIC_WRITE | FILE_READ_ATTRIBUTES, 0, NULL, OPEN_EXISTING, 0, NULL));
    CloseHandle(made);
    return code;
}

DWORD sbx_probe_own_anonymous_pipe(const sbx_probe_row *row)
{
    HANDLE from, to;
    char byte = 0;
    DWORD done;
    BOOL ok;

    (void)row;
    if (!CreatePipe(&from, &to, NULL, 0))
        return GetLastError();
    ok = WriteFile(to, "x", 1, &done, NULL) && ReadFile(from, &byte, 1, &done, NULL) && byte == 'x';
    CloseHandle(from);
    CloseHandle(to);
    return ok ? 0 : ERROR_GEN_FAILURE;
}

DWORD sbx_probe_own_event(const sbx_probe_row *row)
{
    const wchar_t *name_w = held(SBX_PROBE_EVENT, GetCurrentProcessId());
    HANDLE made = CreateEventW(NULL, TRUE, FALSE, name_w);
    DWORD code;

    (void)row;
    if (!made)
        return GetLastError();
    code = sbx_probe_done(OpenEventW(EVENT_MODIFY_STATE, FALSE, name_w));
    CloseHandle(made);
    return code;
}

/* This program, asked for nothing; suspended: it is ended without having run. */
static DWORD start(DWORD flags)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION made;
    wchar_t path_w[MAX_PATH], line_w[MAX_PATH + 8];
    DWORD code = 0;

    if (!GetModuleFileNameW(NULL, path_w, MAX_PATH))
        return SBX_PROBE_UNTRIED;
    swprintf(line_w, MAX_PATH + 8, L"\"%ls\" exit", path_w);
    if (!CreateProcessW(path_w, line_w, NULL, NULL, FALSE, flags, NULL, NULL, &startup, &made))
        return GetLastError();
    if (flags & CREATE_SUSPENDED)
        TerminateProcess(made.hProcess, 0);
    if (WaitForSingleObject(made.hProcess, 3000) != WAIT_OBJECT_0) {
        TerminateProcess(made.hProcess, 1);
        code = ERROR_TIMEOUT;
    } else if (!GetExitCodeProcess(made.hProcess, &code) || code) {
        code = ERROR_GEN_FAILURE;
    }
    CloseHandle(made.hThread);
    CloseHandle(made.hProcess);
    return code;
}

DWORD sbx_probe_own_program(const sbx_probe_row *row)
{
    (void)row;
    return start(0);
}

DWORD sbx_probe_breakaway(const sbx_probe_row *row)
{
    (void)row;
    return start(CREATE_SUSPENDED | CREATE_BREAKAWAY_FROM_JOB);
}

static DWORD close_service(SC_HANDLE handle)
{
    const DWORD error = GetLastError();

    if (!handle)
        return error == ERROR_SERVICE_DOES_NOT_EXIST ? SBX_PROBE_UNTRIED : error;
    CloseServiceHandle(handle);
    return 0;
}

DWORD sbx_probe_manager(const sbx_probe_row *row)
{
    return close_service(OpenSCManagerW(NULL, NULL, row->access));
}

DWORD sbx_probe_service(const sbx_probe_row *row)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    DWORD code;

    if (!manager)
        return GetLastError();
    code = close_service(OpenServiceW(manager, row->object_w, row->access));
    CloseServiceHandle(manager);
    return code;
}
