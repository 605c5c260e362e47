#include "runner/harden.h"

#include <windows.h>
#include <winternl.h>

#include "base/memory.h"
#include "win/error.h"
#include "win/handle.h"

/* PROCESSINFOCLASS of phnt and of public analyses: the process id of the console's host, with flags in the two low bits. */
#define PROCESS_CONSOLE_HOST_PROCESS 49

#define ACES 3u

typedef struct closed {
    _Alignas(4) uint8_t space[sizeof(ACL) + ACES * (sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE)];
    SECURITY_DESCRIPTOR descriptor;
} closed;

static sbx_status make(closed *c, sbx_error *err)
{
    static const WELL_KNOWN_SID_TYPE known[ACES] = {WinLocalSystemSid, WinBuiltinAdministratorsSid,
                                                    WinCreatorOwnerRightsSid};
    static const DWORD rights[ACES] = {GENERIC_ALL, GENERIC_ALL, READ_CONTROL};
    _Alignas(4) uint8_t sid[SECURITY_MAX_SID_SIZE];
    ACL *acl = (ACL *)(void *)c->space;
    DWORD i, size;

    if (!InitializeAcl(acl, sizeof(c->space), ACL_REVISION))
        return sbx_fail_last(err, SBX_E_SYSTEM, "InitializeAcl", "sbx-runner");
    for (i = 0; i < ACES; i++) {
        size = sizeof(sid);
        if (!CreateWellKnownSid(known[i], NULL, sid, &size) || !AddAccessAllowedAce(acl, ACL_REVISION, rights[i], sid))
            return sbx_fail_last(err, SBX_E_SYSTEM, "AddAccessAllowedAce", "sbx-runner");
    }
    if (!InitializeSecurityDescriptor(&c->descriptor, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&c->descriptor, TRUE, acl, FALSE))
        return sbx_fail_last(err, SBX_E_SYSTEM, "InitializeSecurityDescriptor", "sbx-runner");
    return SBX_OK;
}

static sbx_status set_default(ACL *acl, sbx_error *err)
{
    TOKEN_DEFAULT_DACL dacl = {acl};
    HANDLE token = NULL;
    sbx_status st = SBX_OK;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_DEFAULT, &token))
        return sbx_fail_last(err, SBX_E_UNENFORCED, "OpenProcessToken", "sbx-runner");
    if (!SetTokenInformation(token, TokenDefaultDacl, &dacl, sizeof(dacl)))
        st = sbx_fail_last(err, SBX_E_UNENFORCED, "SetTokenInformation", "sbx-runner");
    sbx_handle_close(&token);
    return st;
}

sbx_status sbx_harden_as(void *token, sbx_error *err)
{
    DWORD size = 0;
    TOKEN_DEFAULT_DACL *dacl;
    closed c;
    sbx_status st;

    if (!token)
        return (st = make(&c, err)) == SBX_OK ? set_default((ACL *)(void *)c.space, err) : st;
    GetTokenInformation(token, TokenDefaultDacl, NULL, 0, &size);
    dacl = sbx_alloc(size ? size : 1);
    if (!dacl)
        return sbx_fail_memory(err);
    if (!GetTokenInformation(token, TokenDefaultDacl, dacl, size, &size))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetTokenInformation", "default DACL");
    else
        st = set_default(dacl->DefaultDacl, err);
    sbx_free(dacl);
    return st;
}

/* One that there is not, or that the system does not tell of, is none; one that stays open is an error. */
static sbx_status close_console_host(closed *c, sbx_error *err)
{
    typedef NTSTATUS(NTAPI * query_fn)(HANDLE, int, void *, ULONG, ULONG *);
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    query_fn query = ntdll ? (query_fn)(void (*)(void))GetProcAddress(ntdll, "NtQueryInformationProcess") : NULL;
    ULONG_PTR host = 0;
    HANDLE process;
    sbx_status st = SBX_OK;

    if (!query || query(GetCurrentProcess(), PROCESS_CONSOLE_HOST_PROCESS, &host, sizeof(host), NULL) < 0)
        return SBX_OK;
    host &= ~(ULONG_PTR)3;
    if (!host)
        return SBX_OK;
    process = OpenProcess(WRITE_DAC, FALSE, (DWORD)host);
    if (!process)
        return sbx_fail_last(err, SBX_E_UNENFORCED, "OpenProcess", "the host of the runner's console");
    if (!SetKernelObjectSecurity(process, DACL_SECURITY_INFORMATION, &c->descriptor))
        st = sbx_fail_last(err, SBX_E_UNENFORCED, "SetKernelObjectSecurity", "the host of the runner's console");
    sbx_handle_close(&process);
    return st;
}

sbx_status sbx_harden(sbx_error *err)
{
    closed c;
    sbx_status st = sbx_harden_as(NULL, err);

    if (st == SBX_OK)
        st = make(&c, err);
    return st == SBX_OK ? close_console_host(&c, err) : st;
}
