#include "elevated/listeners.h"

#include <winsock2.h>
#include <windows.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <string.h>

#include "base/memory.h"
#include "win/wide.h"

#define SHOWN 16u

typedef DWORD(WINAPI *table_fn)(void *, DWORD *, BOOL, ULONG, int, ULONG);

static void add(uint16_t port, DWORD process_id, sbx_text *out)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process_id);
    WCHAR path_w[MAX_PATH];
    DWORD length = MAX_PATH;
    char *path = NULL, *name;

    sbx_text_printf(out, "%s%u", out->length ? ", " : "", (unsigned)port);
    if (process && QueryFullProcessImageNameW(process, 0, path_w, &length) &&
        sbx_narrow(path_w, &path, NULL) == SBX_OK) {
        name = strrchr(path, '\\');
        sbx_text_printf(out, " (%s)", name ? name + 1 : path);
        sbx_free(path);
    }
    if (process)
        CloseHandle(process);
}

void sbx_listeners_text(const sbx_loopback *set, sbx_text *out)
{
    HMODULE library = LoadLibraryExW(L"iphlpapi.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    union {
        FARPROC found;
        table_fn call;
    } symbol = {library ? GetProcAddress(library, "GetExtendedTcpTable") : NULL};
    MIB_TCPTABLE_OWNER_PID *table = NULL;
    sbx_loopback seen = {0};
    DWORD size = 1u << 16, i, shown = 0;
    uint16_t port;

    if (symbol.found && (table = sbx_alloc(size)) != NULL &&
        !symbol.call(table, &size, TRUE, AF_INET, TCP_TABLE_OWNER_PID_LISTENER, 0))
        for (i = 0; i < table->dwNumEntries; i++) {
            port = ntohs((u_short)table->table[i].dwLocalPort);
            if (!sbx_loopback_has(set, port, port) || sbx_loopback_has(&seen, port, port))
                continue;
            if (shown++ == SHOWN) {
                sbx_text_add(out, ", ...");
                break;
            }
            sbx_loopback_add(&seen, port, port);
            add(port, table->table[i].dwOwningPid, out);
        }
    sbx_free(table);
    if (library)
        FreeLibrary(library);
}
