/* The processes half of principal.h. */
#include "elevated/principal.h"

#include <windows.h>
#include <tlhelp32.h>

#include "win/error.h"
#include "win/handle.h"

#define END_MS 5000u

/* Who administers a machine may open what keeps everybody else out (MSDN "Privilege Constants", SeDebugPrivilege). */
static void set_debug(int on)
{
    TOKEN_PRIVILEGES privileges = {1, {{{0, 0}, on ? SE_PRIVILEGE_ENABLED : 0}}};
    HANDLE token = NULL;

    if (OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token) &&
        LookupPrivilegeValueW(NULL, SE_DEBUG_NAME, &privileges.Privileges[0].Luid))
        AdjustTokenPrivileges(token, FALSE, &privileges, 0, NULL, NULL);
    sbx_handle_close(&token);
}

static int is_of(HANDLE process, const sbx_user_sid *sids, uint32_t count)
{
    sbx_user_sid user;
    uint32_t i = count;

    if (sbx_user_of(process, NULL, &user, NULL) == SBX_OK)
        for (i = 0; i < count && !EqualSid(user.u.bytes, (PSID)(uintptr_t)sids[i].u.bytes); i++)
            ;
    return i < count;
}

sbx_status sbx_account_end_processes(const sbx_user_sid *sids, uint32_t count, sbx_error *err)
{
    HANDLE list = sbx_handle_from(CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0)), process;
    PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
    sbx_status st = SBX_OK;
    BOOL more;

    if (!list)
        return sbx_fail_last(err, SBX_E_SYSTEM, "CreateToolhelp32Snapshot", NULL);
    set_debug(1);
    for (more = Process32FirstW(list, &entry); more && st == SBX_OK; more = Process32NextW(list, &entry)) {
        process = OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_TERMINATE | SYNCHRONIZE, FALSE, entry.th32ProcessID);
        if (process && is_of(process, sids, count) &&
            (!TerminateProcess(process, 1) || WaitForSingleObject(process, END_MS) != WAIT_OBJECT_0) &&
            WaitForSingleObject(process, 0) != WAIT_OBJECT_0)
            st = sbx_fail_last(err, SBX_E_SYSTEM, "TerminateProcess", "a command that runs");
        sbx_handle_close(&process);
    }
    set_debug(0);
    CloseHandle(list);
    return st;
}
