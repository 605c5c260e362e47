#include "elevated/service.h"

#include <windows.h>

int sbx_service_runs(const wchar_t *name_w, uint32_t *process)
{
    SERVICE_STATUS_PROCESS status = {0};
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT), service = NULL;
    DWORD needed;
    int runs = 0;

    if (manager && (service = OpenServiceW(manager, name_w, SERVICE_QUERY_STATUS)) != NULL)
        runs = QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status), &needed) &&
               status.dwCurrentState == SERVICE_RUNNING;
    if (service)
        CloseServiceHandle(service);
    if (manager)
        CloseServiceHandle(manager);
    if (process)
        *process = status.dwProcessId;
    return runs;
}
