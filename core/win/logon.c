#include "win/logon.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "base/text.h"
#include "win/dirs.h"
#include "win/env.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/user.h"
#include "win/wide.h"

typedef BOOL(WINAPI *logon_fn)(LPCWSTR, LPCWSTR, LPCWSTR, DWORD, LPCWSTR, LPWSTR, DWORD, LPVOID, LPCWSTR,
                               LPSTARTUPINFOW, LPPROCESS_INFORMATION);

#define WHEN "verify sbx-runner before it runs"

/* The DACL: SYSTEM, Administrators, the user, OWNER RIGHTS. */
#define ACES 4u

static logon_fn logon_function(sbx_error *err)
{
    HMODULE module = LoadLibraryExW(L"advapi32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    union {
        FARPROC found;
        logon_fn logon;
    } symbol;

    symbol.found = module ? GetProcAddress(module, "CreateProcessWithLogonW") : NULL;
    if (!symbol.found)
        sbx_fail_last(err, SBX_E_SYSTEM, "GetProcAddress", "CreateProcessWithLogonW");
    return symbol.logon; /* the library stays: it is used once in a process */
}

/* A block with nothing of the user in it. */
static sbx_status environment(const char *windows, const char *system, uint16_t **block_w, sbx_error *err)
{
    static const uint16_t nothing_w[] = {0, 0};
    sbx_text cmd = {0};
    sbx_status st;

    sbx_text_printf(&cmd, "%s\\cmd.exe", system);
    if (cmd.failed) {
        st = sbx_fail_memory(err);
    } else {
        const char drive[] = {windows[0], ':', 0};
        const sbx_env_edit edits[] = {
            {SBX_ENV_SET, "ComSpec", cmd.data},   {SBX_ENV_SET, "PATH", system},    {SBX_ENV_SET, "SystemDrive", drive},
            {SBX_ENV_SET, "SystemRoot", windows}, {SBX_ENV_SET, "windir", windows},
        };
        const sbx_env_list list = {edits, sizeof(edits) / sizeof(edits[0])};

        st = sbx_env_build(nothing_w, &list, 1, block_w, err);
    }
    sbx_text_fini(&cmd);
    return st;
}

static sbx_status failed(const sbx_logon_start *start, sbx_error *err)
{
    const DWORD code = GetLastError();
    char *account = NULL;
    sbx_status st = code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND || code == ERROR_NOT_ENOUGH_MEMORY
                        ? SBX_E_SYSTEM
                        : SBX_E_UNAVAILABLE;

    sbx_narrow(start->account_w, &account, NULL);
    SetLastError(code);
    sbx_fail_last(err, st, "CreateProcessWithLogonW", account);
    sbx_free(account);
    return st;
}

sbx_status sbx_logon_spawn(sbx_process *process, const sbx_logon_start *start, sbx_error *err)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    STARTUPINFOW si;
    PROCESS_INFORMATION pi = {0};
    char *windows = NULL, *system = NULL;
    uint16_t *system_w = NULL, *block_w = NULL, *desktop_w = NULL, *command_w = NULL;
    const uint16_t *arguments_w = start->arguments_w ? start->arguments_w : L"";
    const size_t units = wcslen(start->program_w) + wcslen(arguments_w) + 4;
    HANDLE null = NULL;
    logon_fn logon;
    sbx_status st;

    memset(&si, 0, sizeof(si));
    if ((st = sbx_dirs_get(SBX_DIR_WINDOWS, &windows, err)) != SBX_OK ||
        (st = sbx_dirs_get(SBX_DIR_SYSTEM, &system, err)) != SBX_OK ||
        (st = sbx_wide(system, system, &system_w, err)) != SBX_OK)
        goto out;
    command_w = sbx_alloc(units * sizeof(*command_w)); /* written into by the call */
    if (start->desktop_w)
        desktop_w = sbx_alloc((wcslen(start->desktop_w) + 1) * sizeof(*desktop_w));
    if (!command_w || (start->desktop_w && !desktop_w)) {
        st = sbx_fail_memory(err);
        goto out;
    }
    _snwprintf(command_w, units, L"\"%ls\"%ls%ls", start->program_w, *arguments_w ? L" " : L"", arguments_w);
    if (desktop_w)
        wcscpy(desktop_w, start->desktop_w);
    if ((st = environment(windows, system, &block_w, err)) != SBX_OK)
        goto out;
    null = sbx_handle_from(CreateFileW(L"\\\\.\\NUL", GENERIC_WRITE | FILE_READ_ATTRIBUTES,
                                       FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit, OPEN_EXISTING, 0, NULL));
    if (!null) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", "NUL");
        goto out;
    }
    if (!(logon = logon_function(err))) {
        st = SBX_E_SYSTEM;
        goto out;
    }
    si.cb = sizeof(si);
    si.dwFlags = STARTF_USESTDHANDLES;
    si.hStdInput = start->input;
    si.hStdOutput = start->output;
    si.hStdError = null;
    si.lpDesktop = desktop_w;
    if (!logon(start->account_w, start->domain_w, start->secret_w, 0, start->program_w, command_w,
               CREATE_SUSPENDED | CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT, block_w, system_w, &si, &pi)) {
        st = failed(start, err);
        goto out;
    }
    process->handle = pi.hProcess;
    process->thread = pi.hThread;
    process->id = pi.dwProcessId;
out:
    sbx_handle_close(&null);
    sbx_free(block_w);
    sbx_free(desktop_w);
    sbx_free(command_w);
    sbx_free(system_w);
    sbx_free(system);
    sbx_free(windows);
    return st;
}

static sbx_status descriptor_of(HANDLE object, SECURITY_INFORMATION what, void **descriptor, sbx_error *err)
{
    DWORD size = 0;
    void *made;

    GetKernelObjectSecurity(object, what, NULL, 0, &size);
    made = sbx_alloc(size ? size : 1);
    if (!made)
        return sbx_fail_memory(err);
    if (!GetKernelObjectSecurity(object, what, made, size, &size)) {
        sbx_free(made);
        return sbx_fail_last(err, SBX_E_UNENFORCED, "GetKernelObjectSecurity", "sbx-runner");
    }
    *descriptor = made;
    return SBX_OK;
}

static sbx_status not_it(sbx_error *err, const char *what)
{
    return sbx_fail(err, SBX_E_UNENFORCED, WHEN, what);
}

sbx_status sbx_logon_check(const sbx_process *process, const char *account_sid, const uint16_t *program_w,
                           sbx_error *err)
{
    void *descriptor = NULL;
    PSID owner = NULL;
    BOOL defaulted = FALSE;
    char text[192] = "";
    sbx_status st = descriptor_of(process->handle, OWNER_SECURITY_INFORMATION, &descriptor, err);

    if (st != SBX_OK)
        return st;
    if (GetSecurityDescriptorOwner(descriptor, &owner, &defaulted) && owner)
        sbx_user_sid_text(owner, text, sizeof(text));
    sbx_free(descriptor);
    if (strcmp(text, account_sid))
        return not_it(err, "it runs as another account");
    return sbx_process_check_image(process, program_w, WHEN, err);
}

/* Effective at once on the object; compared with what is read back. */
static sbx_status set_dacl(HANDLE object, DWORD user_rights, const sbx_user_sid *user, sbx_error *err)
{
    _Alignas(4) uint8_t space[sizeof(ACL) + ACES * (sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE)];
    static const WELL_KNOWN_SID_TYPE known[ACES] = {WinLocalSystemSid, WinBuiltinAdministratorsSid, WinNullSid,
                                                    WinCreatorOwnerRightsSid};
    const DWORD rights[ACES] = {GENERIC_ALL, GENERIC_ALL, user_rights, READ_CONTROL};
    ACL *acl = (ACL *)(void *)space;
    SECURITY_DESCRIPTOR descriptor;
    void *found = NULL, *ace = NULL;
    ACL *found_acl = NULL;
    BOOL present = FALSE, defaulted = FALSE;
    sbx_user_sid sids[ACES];
    DWORD i, size;
    sbx_status st;

    InitializeAcl(acl, sizeof(space), ACL_REVISION);
    for (i = 0; i < ACES; i++) {
        size = sizeof(sids[i].u.bytes);
        if (known[i] == WinNullSid)
            sids[i] = *user;
        else if (!CreateWellKnownSid(known[i], NULL, sids[i].u.bytes, &size))
            return sbx_fail_last(err, SBX_E_SYSTEM, "CreateWellKnownSid", "sbx-runner");
        if (!AddAccessAllowedAce(acl, ACL_REVISION, rights[i], sids[i].u.bytes))
            return sbx_fail_last(err, SBX_E_SYSTEM, "AddAccessAllowedAce", "sbx-runner");
    }
    if (!InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&descriptor, TRUE, acl, FALSE) ||
        !SetKernelObjectSecurity(object, DACL_SECURITY_INFORMATION, &descriptor))
        return sbx_fail_last(err, SBX_E_UNENFORCED, "SetKernelObjectSecurity", "sbx-runner");
    if ((st = descriptor_of(object, DACL_SECURITY_INFORMATION, &found, err)) != SBX_OK)
        return st;
    if (!GetSecurityDescriptorDacl(found, &present, &found_acl, &defaulted) || !present || !found_acl ||
        found_acl->AceCount != ACES)
        st = not_it(err, "its access rights were not set");
    for (i = 0; st == SBX_OK && i < ACES; i++)
        if (!GetAce(found_acl, i, &ace) || !EqualSid(&((ACCESS_ALLOWED_ACE *)ace)->SidStart, sids[i].u.bytes))
            st = not_it(err, "its access rights were not set");
    sbx_free(found);
    return st;
}

sbx_status sbx_logon_close_to_account(const sbx_process *process, sbx_error *err)
{
    sbx_user_sid user;
    sbx_status st = sbx_user_get(&user, err);

    if (st == SBX_OK)
        st = set_dacl(process->handle, PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, &user, err);
    if (st == SBX_OK)
        st = set_dacl(process->thread, THREAD_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, &user, err);
    return st;
}
