#include "runner/harden.h"

#include <windows.h>
#include <winternl.h>

#include "base/memory.h"
#include "win/error.h"
#include "win/handle.h"

/* PROCESSINFOCLASS of phnt and of public analyses: the process id of the console's host, with flags in the two low bits. */
#define PROCESS_CONSOLE_HOST_PROCESS 49

#define ACES 3u

static HANDLE host; /* of the console; NULL: there is none, or the system does not tell */

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

static FARPROC ntdll(const char *name)
{
    HMODULE module = GetModuleHandleW(L"ntdll.dll");

    return module ? GetProcAddress(module, name) : NULL;
}

static DWORD console_host(void)
{
    typedef NTSTATUS(NTAPI * query_fn)(HANDLE, int, void *, ULONG, ULONG *);
    query_fn query = (query_fn)(void (*)(void))ntdll("NtQueryInformationProcess");
    ULONG_PTR id = 0;

    if (!query || query(GetCurrentProcess(), PROCESS_CONSOLE_HOST_PROCESS, &id, sizeof(id), NULL) < 0)
        return 0;
    return (DWORD)(id & ~(ULONG_PTR)3);
}

/* The next thread of a process that may be opened so, after `at`, which is closed; NULL: none. */
static HANDLE next_thread(HANDLE process, HANDLE at, ACCESS_MASK access)
{
    typedef NTSTATUS(NTAPI * next_fn)(HANDLE, HANDLE, ACCESS_MASK, ULONG, ULONG, HANDLE *);
    const next_fn next = (next_fn)(void (*)(void))ntdll("NtGetNextThread");
    HANDLE found = NULL;

    if (!next || next(process, at, access, 0, 0, &found) < 0)
        found = NULL;
    sbx_handle_close(&at);
    return found;
}

static int close_object(HANDLE object, closed *c)
{
    return SetKernelObjectSecurity(object, DACL_SECURITY_INFORMATION, &c->descriptor);
}

/* What it makes from here on, then itself, then the threads that it has. */
static sbx_status close_console_host(closed *c, sbx_error *err)
{
    static const char *const name = "the host of the runner's console";
    TOKEN_DEFAULT_DACL dacl = {(ACL *)(void *)c->space};
    const DWORD id = console_host();
    HANDLE token = NULL, thread = NULL;
    uint32_t threads = 0;
    sbx_status st = SBX_OK;

    if (!id)
        return SBX_OK;
    host = OpenProcess(WRITE_DAC | PROCESS_QUERY_INFORMATION, FALSE, id);
    if (!host)
        return sbx_fail_last(err, SBX_E_UNENFORCED, "OpenProcess", name);
    if (!OpenProcessToken(host, TOKEN_ADJUST_DEFAULT | WRITE_DAC, &token))
        return sbx_fail_last(err, SBX_E_UNENFORCED, "OpenProcessToken", name);
    if (!SetTokenInformation(token, TokenDefaultDacl, &dacl, sizeof(dacl)))
        st = sbx_fail_last(err, SBX_E_UNENFORCED, "SetTokenInformation", name);
    else if (!close_object(token, c) || !close_object(host, c))
        st = sbx_fail_last(err, SBX_E_UNENFORCED, "SetKernelObjectSecurity", name);
    while (st == SBX_OK && (thread = next_thread(host, thread, WRITE_DAC)) != NULL) {
        threads++;
        if (!close_object(thread, c))
            st = sbx_fail_last(err, SBX_E_UNENFORCED, "SetKernelObjectSecurity", name);
    }
    if (st == SBX_OK && !threads)
        st = sbx_fail(err, SBX_E_UNENFORCED, "close its threads: the system lists none", name);
    sbx_handle_close(&thread);
    sbx_handle_close(&token);
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

/* ---- tried as the command would ---- */

/* What takes a process over, each asked for by itself: one that is granted is enough.  Create thread, VM operation, write, duplicate
 * handles, create process, set quota, set information, suspend, DELETE, WRITE_DAC, WRITE_OWNER. */
static const DWORD process_rights[] = {0x2, 0x8, 0x20, 0x40, 0x80, 0x100, 0x200, 0x800, 0x10000, 0x40000, 0x80000};
/* Suspend, set context, set information, set token, impersonate, direct impersonation, and as above. */
static const DWORD thread_rights[] = {0x2, 0x10, 0x20, 0x80, 0x100, 0x200, 0x10000, 0x40000, 0x80000};
/* Assign, duplicate, impersonate, adjust privileges, groups, default, and as above. */
static const DWORD token_rights[] = {0x1, 0x2, 0x4, 0x20, 0x40, 0x80, 0x10000, 0x40000, 0x80000};

#define COUNT(rights) (sizeof(rights) / sizeof((rights)[0]))

static int process_opens(DWORD id)
{
    HANDLE process = NULL;
    size_t i;

    for (i = 0; i < COUNT(process_rights) && !process; i++)
        process = OpenProcess(process_rights[i], FALSE, id);
    i = process != NULL;
    sbx_handle_close(&process);
    return (int)i;
}

static int token_opens(void)
{
    HANDLE token = NULL;
    size_t i;
    int is_open = 0;

    for (i = 0; i < COUNT(token_rights) && !is_open; i++)
        is_open = OpenProcessToken(GetCurrentProcess(), token_rights[i], &token);
    if (is_open)
        sbx_handle_close(&token);
    return is_open;
}

static int a_thread_opens(HANDLE process)
{
    HANDLE thread = NULL;
    size_t i;

    for (i = 0; i < COUNT(thread_rights) && !thread; i++)
        thread = next_thread(process, NULL, thread_rights[i]);
    i = thread != NULL;
    sbx_handle_close(&thread);
    return (int)i;
}

static sbx_status try_as(HANDLE copy, DWORD launcher_id, sbx_error *err)
{
    const char *open = NULL;

    if (!SetThreadToken(NULL, copy))
        return sbx_fail_last(err, SBX_E_SYSTEM, "SetThreadToken", "the command's token");
    if (process_opens(GetCurrentProcessId()))
        open = "the runner";
    else if (token_opens())
        open = "the runner's token";
    else if (a_thread_opens(GetCurrentProcess()))
        open = "a thread of the runner";
    else if (host && (process_opens(GetProcessId(host)) || a_thread_opens(host)))
        open = "the host of the runner's console";
    else if (process_opens(launcher_id))
        open = "sbx";
    if (!SetThreadToken(NULL, NULL)) /* going on with the command's would be wrong in every way */
        TerminateProcess(GetCurrentProcess(), 125);
    if (!open)
        return SBX_OK;
    sbx_fail(err, SBX_E_UNENFORCED, "it is open to the command", open);
    return sbx_hint(err, "the system does not keep the account's processes apart; the command was not started");
}

sbx_status sbx_harden_end(void *token, uint32_t launcher_id, sbx_error *err)
{
    HANDLE own = NULL, copy = NULL;
    closed c;
    sbx_status st = make(&c, err);

    if (st != SBX_OK)
        return st;
    if (!OpenProcessToken(GetCurrentProcess(), WRITE_DAC, &own))
        return sbx_fail_last(err, SBX_E_UNENFORCED, "OpenProcessToken", "sbx-runner");
    if (!close_object(own, &c))
        st = sbx_fail_last(err, SBX_E_UNENFORCED, "SetKernelObjectSecurity", "the runner's token");
    sbx_handle_close(&own);
    if (st != SBX_OK)
        return st;
    if (!DuplicateTokenEx(token, TOKEN_QUERY | TOKEN_IMPERSONATE, NULL, SecurityImpersonation, TokenImpersonation,
                          &copy))
        return sbx_fail_last(err, SBX_E_SYSTEM, "DuplicateTokenEx", "the command's token");
    st = try_as(copy, launcher_id, err);
    sbx_handle_close(&copy);
    return st;
}
