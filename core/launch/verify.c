#include "launch/verify.h"

#include <windows.h>
#include <winternl.h>
#include <wchar.h>

#include "base/memory.h"
#include "win/error.h"
#include "win/handle.h"

#define WHEN "verify the command before it runs"

typedef NTSTATUS(NTAPI *query_fn)(HANDLE, int, void *, ULONG, ULONG *);
typedef BOOL(WINAPI *compare_fn)(HANDLE, HANDLE);

/* The native process environment block and parameters, as far as they are the same since Windows XP x64; a
 * 32-bit child has them as well. */
typedef struct native_peb {
    void *reserved[4];
    void *parameters;
} native_peb;

typedef struct native_parameters {
    ULONG lengths[2], flags[2];
    void *console;
    void *console_flags;
    HANDLE handles[3];
} native_parameters;

sbx_status sbx_verify_canary(void **canary, sbx_error *err)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};

    *canary = CreateEventW(&inherit, TRUE, FALSE, NULL);
    return *canary ? SBX_OK : sbx_fail_last(err, SBX_E_SYSTEM, "CreateEventW", NULL);
}

static sbx_status gap(sbx_error *err, const char *what)
{
    return sbx_fail(err, SBX_E_UNENFORCED, WHEN, what);
}

static compare_fn comparer(void)
{
    HMODULE base = GetModuleHandleW(L"kernelbase.dll");

    return base ? (compare_fn)(void (*)(void))GetProcAddress(base, "CompareObjectHandles") : NULL;
}

/* Whether a handle value in the child means the same object as `own` does here. */
static int is_same(compare_fn compare, HANDLE process, HANDLE value, HANDLE own)
{
    HANDLE copy = NULL;
    int same;

    if (!DuplicateHandle(process, value, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS))
        return 0;
    same = compare(copy, own) != 0;
    sbx_handle_close(&copy);
    return same;
}

static sbx_status read_parameters(HANDLE process, native_parameters *parameters, sbx_error *err)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    query_fn query = ntdll ? (query_fn)(void (*)(void))GetProcAddress(ntdll, "NtQueryInformationProcess") : NULL;
    PROCESS_BASIC_INFORMATION basic;
    native_peb peb = {0};
    NTSTATUS status;

    if (!query)
        return gap(err, "its parameters cannot be read");
    status = query(process, ProcessBasicInformation, &basic, sizeof(basic), NULL);
    if (status < 0)
        return sbx_fail_nt(err, SBX_E_UNENFORCED, status, "NtQueryInformationProcess", "the command");
    if (!ReadProcessMemory(process, basic.PebBaseAddress, &peb, sizeof(peb), NULL) ||
        !ReadProcessMemory(process, peb.parameters, parameters, sizeof(*parameters), NULL))
        return sbx_fail_last(err, SBX_E_UNENFORCED, "ReadProcessMemory", "the command's parameters");
    return SBX_OK;
}

static sbx_status check_handles(HANDLE process, const sbx_stdio *stdio, HANDLE canary, sbx_error *err)
{
    static const char *const names[3] = {"standard input is not the caller's", "standard output is not the caller's",
                                         "standard error is not the caller's"};
    compare_fn compare = comparer();
    native_parameters parameters = {0};
    sbx_status st;
    int i;

    if (!compare)
        return gap(err, "its handles cannot be compared");
    st = read_parameters(process, &parameters, err);
    if (st != SBX_OK)
        return st;
    for (i = 0; i < 3; i++)
        if (stdio->handles[i] ? !is_same(compare, process, parameters.handles[i], stdio->handles[i])
                              : parameters.handles[i] != NULL)
            return gap(err, names[i]);
    if (is_same(compare, process, canary, canary))
        return gap(err, "it inherited a handle that is not its own");
    return SBX_OK;
}

sbx_status sbx_verify_child(const sbx_process *process, const sbx_job *job, const sbx_stdio *stdio, void *canary,
                            const uint16_t *program_w, uint32_t *unverified, sbx_error *err)
{
    BOOL inside = FALSE;
    int known = 0;
    sbx_status st;

    if (!IsProcessInJob(process->handle, job->handle, &inside))
        return sbx_fail_last(err, SBX_E_UNENFORCED, "IsProcessInJob", "the command");
    if (!inside)
        return gap(err, "it is not in its job");
    if ((st = sbx_job_verify(job, &known, err)) != SBX_OK ||
        (st = check_handles(process->handle, stdio, canary, err)) != SBX_OK)
        return st;
    *unverified = known ? 0 : SBX_AREA_PROCESS_TREE;
    return sbx_process_check_image(process, program_w, WHEN, err);
}
