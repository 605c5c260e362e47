/* Rows about services that ask the network for whoever asks them: this machine alone, and nothing on a wire. */
#include "probe/probe.h"

#include <stdio.h>
#include <windns.h>

#define ANSWER_MS 3000u

/* One that does not answer in time is left behind: it ends with the program. */
static DWORD bounded(DWORD(WINAPI *ask)(void *), void *with)
{
    HANDLE thread = CreateThread(NULL, 0, ask, with, 0, NULL);
    DWORD code = SBX_PROBE_UNTRIED;

    if (thread && WaitForSingleObject(thread, ANSWER_MS) == WAIT_OBJECT_0)
        GetExitCodeThread(thread, &code);
    if (thread)
        CloseHandle(thread);
    return code;
}

static DWORD WINAPI open_remote(void *access)
{
    wchar_t name_w[80];

    swprintf(name_w, 80, L"\\\\localhost\\pipe\\" SBX_PROBE_NAME L"-%lu", sbx_probe_at.process);
    return sbx_probe_done(CreateFileW(name_w, (DWORD)(UINT_PTR)access, 0, NULL, OPEN_EXISTING,
                                      SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, NULL));
}

DWORD sbx_probe_redirector(const sbx_probe_row *row)
{
    return bounded(open_remote, (void *)(UINT_PTR)row->access);
}

typedef DNS_STATUS(WINAPI *query_fn)(PCWSTR, WORD, DWORD, PVOID, PVOID *, PVOID *);

/* A name that nobody has; the service answers that it keeps none, or cannot be reached. */
static DWORD WINAPI query(void *unused)
{
    HMODULE dnsapi = LoadLibraryExW(L"dnsapi.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    const query_fn function = dnsapi ? (query_fn)(void (*)(void))GetProcAddress(dnsapi, "DnsQuery_W") : NULL;
    PVOID records = NULL;
    DNS_STATUS status;

    (void)unused;
    if (!function)
        return SBX_PROBE_UNTRIED;
    status = function(L"sbx-probe.invalid", DNS_TYPE_A, DNS_QUERY_NO_WIRE_QUERY, NULL, &records, NULL);
    return status == DNS_ERROR_RECORD_DOES_NOT_EXIST || status == DNS_ERROR_RCODE_NAME_ERROR ? 0 : (DWORD)status;
}

DWORD sbx_probe_dns(const sbx_probe_row *row)
{
    (void)row;
    return bounded(query, NULL);
}
