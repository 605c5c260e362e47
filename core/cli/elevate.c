#include "cli/elevate.h"

#include <windows.h>
#include <shellapi.h>
#include <stdio.h>

#include "base/memory.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/out.h"
#include "win/wide.h"

#define MESSAGE_BYTES (64u * 1024)

/* FILE_WRITE_DATA and what CreateFileW asks for besides; FILE_APPEND_DATA would be the right to make instances. */
#define CLIENT_RIGHTS (FILE_WRITE_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE)

int sbx_elevate_is(void)
{
    TOKEN_ELEVATION elevation = {0};
    HANDLE token = NULL;
    DWORD length = 0;

    if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        GetTokenInformation(token, TokenElevation, &elevation, sizeof(elevation), &length);
    sbx_handle_close(&token);
    return elevation.TokenIsElevated != 0;
}

/* ---- the pipe ---- */

static sbx_status make_pipe(const char *id, void **pipe, sbx_error *err)
{
    union {
        uint64_t align;
        BYTE bytes[SECURITY_MAX_SID_SIZE];
    } administrators, owner;
    union {
        ACL acl;
        BYTE bytes[sizeof(ACL) + 2 * (sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE)];
    } dacl;
    SECURITY_DESCRIPTOR sd;
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), &sd, FALSE};
    DWORD size = sizeof(administrators), owner_size = sizeof(owner);
    WCHAR name_w[64];

    _snwprintf(name_w, sizeof(name_w) / sizeof(name_w[0]), L"\\\\.\\pipe\\sbx-setup-%hs", id);
    if (!CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, administrators.bytes, &size) ||
        !CreateWellKnownSid(WinCreatorOwnerRightsSid, NULL, owner.bytes, &owner_size) ||
        !InitializeAcl(&dacl.acl, sizeof(dacl), ACL_REVISION) ||
        !AddAccessAllowedAce(&dacl.acl, ACL_REVISION, CLIENT_RIGHTS, administrators.bytes) ||
        !AddAccessAllowedAce(&dacl.acl, ACL_REVISION, 0, owner.bytes) ||
        !InitializeSecurityDescriptor(&sd, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&sd, TRUE, &dacl.acl, FALSE))
        return sbx_fail_last(err, SBX_E_SYSTEM, "SetSecurityDescriptorDacl", "pipe");
    *pipe = sbx_handle_from(
        CreateNamedPipeW(name_w, PIPE_ACCESS_INBOUND | FILE_FLAG_FIRST_PIPE_INSTANCE | FILE_FLAG_OVERLAPPED,
                         PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1, 0,
                         MESSAGE_BYTES, 0, &attributes));
    return *pipe ? SBX_OK : sbx_fail_last(err, SBX_E_SYSTEM, "CreateNamedPipeW", "pipe");
}

/* The end of what was begun with `io`, or of the process that it waits for.  0: there is nothing more. */
static int finish(HANDLE pipe, OVERLAPPED *io, HANDLE process, DWORD *done)
{
    HANDLE both[] = {io->hEvent, process};

    if (WaitForMultipleObjects(process ? 2 : 1, both, FALSE, INFINITE) != WAIT_OBJECT_0)
        CancelIoEx(pipe, io);
    return GetOverlappedResult(pipe, io, done, TRUE) || GetLastError() == ERROR_MORE_DATA;
}

/* The process that was started, and no other. */
static sbx_status await(HANDLE pipe, HANDLE event, HANDLE process, const char *program, sbx_error *err)
{
    OVERLAPPED io = {.hEvent = event};
    ULONG client = 0;
    DWORD done = 0;

    if (!ConnectNamedPipe(pipe, &io) && GetLastError() != ERROR_PIPE_CONNECTED &&
        (GetLastError() != ERROR_IO_PENDING || !finish(pipe, &io, process, &done)))
        return sbx_fail(err, SBX_E_SYSTEM, "it ended before it said anything", program);
    if (GetNamedPipeClientProcessId(pipe, &client) && client == GetProcessId(process))
        return SBX_OK;
    sbx_fail(err, SBX_E_REFUSED, "another program took the pipe that it speaks through", program);
    return sbx_hint(err, "process %lu, which has administrator rights; end it, and try again", client);
}

/* Until the last of those who have the other end is gone. */
static sbx_status relay(HANDLE pipe, HANDLE event, sbx_error *err)
{
    char *text = sbx_alloc(MESSAGE_BYTES + 1);
    DWORD done = 0;

    while (text) {
        OVERLAPPED io = {.hEvent = event};

        if (!ReadFile(pipe, text, MESSAGE_BYTES, NULL, &io) && GetLastError() != ERROR_IO_PENDING &&
            GetLastError() != ERROR_MORE_DATA)
            break;
        if (!finish(pipe, &io, NULL, &done))
            break;
        text[done] = 0;
        sbx_out_frame(text, done);
    }
    if (!text)
        return sbx_fail_memory(err);
    sbx_free(text);
    return SBX_OK;
}

/* ---- the program ---- */

static sbx_status start(const char *program, const char *arguments, void **process, sbx_error *err)
{
    typedef BOOL(WINAPI * execute_fn)(SHELLEXECUTEINFOW *);
    union {
        FARPROC found;
        execute_fn execute;
    } symbol = {NULL};
    SHELLEXECUTEINFOW info = {0};
    uint16_t *program_w = NULL, *arguments_w = NULL;
    HMODULE shell = NULL;
    sbx_status st;

    if ((st = sbx_wide(program, "program", &program_w, err)) != SBX_OK ||
        (st = sbx_wide(arguments, "command line", &arguments_w, err)) != SBX_OK)
        goto out;
    /* not linked: loading it costs a run more than the rest of its start */
    shell = LoadLibraryExW(L"shell32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (shell)
        symbol.found = GetProcAddress(shell, "ShellExecuteExW");
    if (!symbol.found) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "LoadLibraryExW", "shell32.dll");
        goto out;
    }
    info.cbSize = sizeof(info);
    info.fMask = SEE_MASK_NOCLOSEPROCESS | SEE_MASK_NOASYNC | SEE_MASK_FLAG_NO_UI;
    info.lpVerb = L"runas";
    info.lpFile = (LPCWSTR)program_w;
    info.lpParameters = (LPCWSTR)arguments_w;
    info.nShow = SW_HIDE;
    if (!symbol.execute(&info)) {
        st = sbx_fail_last(err, SBX_E_REFUSED, "ShellExecuteExW", program);
        if (GetLastError() == ERROR_CANCELLED) {
            sbx_fail(err, SBX_E_REFUSED, "administrator rights were declined", "setup");
            sbx_hint(err, "nothing was changed");
        }
        goto out;
    }
    *process = info.hProcess;
    if (!*process)
        st = sbx_fail(err, SBX_E_SYSTEM, "ShellExecuteExW gave no process", program);
out:
    if (shell)
        FreeLibrary(shell);
    sbx_free(program_w);
    sbx_free(arguments_w);
    return st;
}

sbx_status sbx_elevate_run(const char *program, const char *arguments, const char *id, uint32_t *exit_code,
                           sbx_error *err)
{
    HANDLE pipe = NULL, process = NULL, event = CreateEventW(NULL, TRUE, FALSE, NULL);
    DWORD code = 0;
    sbx_status st;

    if (!event)
        return sbx_fail_last(err, SBX_E_SYSTEM, "CreateEventW", NULL);
    if ((st = make_pipe(id, &pipe, err)) == SBX_OK && (st = start(program, arguments, &process, err)) == SBX_OK) {
        st = await(pipe, event, process, program, err);
        if (st == SBX_OK)
            st = relay(pipe, event, err);
        WaitForSingleObject(process, INFINITE);
        GetExitCodeProcess(process, &code);
        *exit_code = code;
    }
    sbx_handle_close(&process);
    sbx_handle_close(&pipe);
    sbx_handle_close(&event);
    return st;
}
