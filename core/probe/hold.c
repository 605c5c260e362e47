/* The process whose objects are tried, and which sees from outside what was reached. */
#include "probe/probe.h"

#include <sddl.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define LINE 32767u /* the longest command line */

/* Ctrl-C is the command's affair: this process has to see it end. */
static BOOL WINAPI heed(DWORD control)
{
    return control == CTRL_C_EVENT || control == CTRL_BREAK_EVENT;
}

static BOOL make(HANDLE *event, HANDLE *section, HANDLE *pipe)
{
    wchar_t name_w[64];

    swprintf(name_w, 64, SBX_PROBE_EVENT, GetCurrentProcessId());
    *event = CreateEventW(NULL, TRUE, FALSE, name_w);
    swprintf(name_w, 64, SBX_PROBE_SECTION, GetCurrentProcessId());
    *section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, name_w);
    swprintf(name_w, 64, SBX_PROBE_PIPE, GetCurrentProcessId());
    *pipe = CreateNamedPipeW(name_w, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE, 1, 512, 512, 0, NULL);
    return *event != NULL && *section != NULL && *pipe != INVALID_HANDLE_VALUE;
}

static const wchar_t *const files_w[] = {L"keep", L"linked", L"a long name.text", L"secret", L"delete", L"rename",
                                         L"move", L"over"};
#define KEPT 4u /* of these, whose contents stay; the others are deleted, moved or replaced */

static BOOL make_file(const wchar_t *path_w)
{
    HANDLE file = CreateFileW(path_w, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    DWORD done;
    BOOL ok = file != INVALID_HANDLE_VALUE && WriteFile(file, "mine", 4, &done, NULL);

    if (file != INVALID_HANDLE_VALUE)
        CloseHandle(file);
    return ok;
}

/* "out" and "ws" below the current directory; every file holds "mine". */
static DWORD make_files(void)
{
    SECURITY_ATTRIBUTES open = {sizeof(open), NULL, FALSE};
    wchar_t path_w[64];
    DWORD code;
    size_t i;
    BOOL ok = CreateDirectoryW(L"ws", NULL) && CreateDirectoryW(L"ws\\.git", NULL) && make_file(L"ws\\.git\\config") &&
              CreateDirectoryW(L"out", NULL) && CreateDirectoryW(L"out\\folder", NULL) &&
              ConvertStringSecurityDescriptorToSecurityDescriptorW(L"D:P(A;OICI;FA;;;WD)", SDDL_REVISION_1,
                                                                   &open.lpSecurityDescriptor, NULL) &&
              CreateDirectoryW(L"out\\everyone", &open);

    for (i = 0; ok && i < sizeof(files_w) / sizeof(files_w[0]); i++) {
        swprintf(path_w, 64, L"out\\%ls", files_w[i]);
        ok = make_file(path_w);
    }
    code = ok ? 0 : GetLastError();
    LocalFree(open.lpSecurityDescriptor);
    return code;
}

static BOOL is_mine(const wchar_t *name_w)
{
    wchar_t path_w[64];
    char bytes[8] = {0};
    DWORD got = 0;
    HANDLE file;

    swprintf(path_w, 64, L"out\\%ls", name_w);
    file = CreateFileW(path_w, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                       OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return FALSE;
    if (!ReadFile(file, bytes, sizeof(bytes), &got, NULL))
        got = 0;
    CloseHandle(file);
    return got == 4 && !memcmp(bytes, "mine", 4);
}

/* changed: contents, or something new; missing: deleted, moved, replaced. */
static void look(const char **changed, const char **missing)
{
    size_t i;

    *changed = GetFileAttributesW(L"out\\made") != INVALID_FILE_ATTRIBUTES ? "true" : "false";
    *missing = GetFileAttributesW(L"out\\folder") == INVALID_FILE_ATTRIBUTES ? "true" : "false";
    for (i = 0; i < sizeof(files_w) / sizeof(files_w[0]); i++)
        if (!is_mine(files_w[i]))
            *(i < KEPT ? changed : missing) = "true";
}

static int failed(const char *what, DWORD code)
{
    sbx_probe_print("{\"failed\": \"%s\", \"code\": %lu}\n", what, code);
    return 125;
}

int sbx_probe_hold(const wchar_t *command_w)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION made;
    HANDLE event, section, pipe;
    static wchar_t line_w[LINE];
    const char *changed, *missing;
    DWORD code = 0, connections, datagrams;
    WORD port;

    if (wcslen(command_w) > LINE - 48)
        return failed("command line", ERROR_INVALID_PARAMETER);
    if (!make(&event, &section, &pipe))
        return failed("objects", GetLastError());
    if ((code = make_files()) != 0)
        return failed("files", code);
    port = sbx_probe_hear();
    sbx_probe_print("{\"port\": %u}\n", port);
    swprintf(line_w, LINE, L"%ls %lu %lu %u", command_w, GetCurrentProcessId(), GetCurrentThreadId(), port);
    SetConsoleCtrlHandler(heed, TRUE);
    if (!CreateProcessW(NULL, line_w, NULL, NULL, TRUE, 0, NULL, L"ws", &startup, &made))
        return failed("program", GetLastError());
    WaitForSingleObject(made.hProcess, INFINITE);
    GetExitCodeProcess(made.hProcess, &code);
    sbx_probe_heard(&connections, &datagrams);
    look(&changed, &missing);
    sbx_probe_print("{\"ended\": %lu, \"connections\": %lu, \"datagrams\": %lu, \"changed\": %s, \"missing\": %s}\n",
                    code, connections, datagrams, changed, missing);
    return 0;
}

/* Links are not followed. */
static void remove_tree(const wchar_t *path_w, DWORD attributes)
{
    WIN32_FIND_DATAW entry;
    wchar_t below_w[SBX_PROBE_PATH];
    HANDLE find;

    SetFileAttributesW(path_w, FILE_ATTRIBUTE_NORMAL);
    if (!(attributes & FILE_ATTRIBUTE_DIRECTORY)) {
        DeleteFileW(path_w);
        return;
    }
    swprintf(below_w, SBX_PROBE_PATH, L"%ls\\*", path_w);
    find = attributes & FILE_ATTRIBUTE_REPARSE_POINT ? INVALID_HANDLE_VALUE : FindFirstFileW(below_w, &entry);
    if (find != INVALID_HANDLE_VALUE) {
        do {
            swprintf(below_w, SBX_PROBE_PATH, L"%ls\\%ls", path_w, entry.cFileName);
            if (wcscmp(entry.cFileName, L".") != 0 && wcscmp(entry.cFileName, L"..") != 0)
                remove_tree(below_w, entry.dwFileAttributes);
        } while (FindNextFileW(find, &entry));
        FindClose(find);
    }
    RemoveDirectoryW(path_w);
}

int sbx_probe_clear(const wchar_t *name_w)
{
    const DWORD attributes = GetFileAttributesW(name_w);

    if (attributes != INVALID_FILE_ATTRIBUTES)
        remove_tree(name_w, attributes);
    return GetFileAttributesW(name_w) != INVALID_FILE_ATTRIBUTES;
}
