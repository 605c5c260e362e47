#include "win/walk.h"

#include <windows.h>
#include <winternl.h>

#include "win/error.h"
#include "win/handle.h"
#include "win/user.h"

#define NO_MORE_ENTRIES ((NTSTATUS)0x8000001A)
#define NT_ACCESS_DENIED ((NTSTATUS)0xC0000022) /* of the first call: there is none to begin with */

NTSTATUS NTAPI NtGetNextProcess(HANDLE, ACCESS_MASK, ULONG, ULONG, HANDLE *);

static int has_ended(HANDLE process)
{
    FILETIME made, ended, kernel, user;

    return GetProcessTimes(process, &made, &ended, &kernel, &user) && (ended.dwLowDateTime || ended.dwHighDateTime);
}

/* By its owner, which is what its token made it. */
static int is_owned_by(uint32_t process_id, PSID user)
{
    union {
        SECURITY_DESCRIPTOR descriptor;
        BYTE bytes[sizeof(SECURITY_DESCRIPTOR) + SECURITY_MAX_SID_SIZE];
    } room;
    HANDLE process = OpenProcess(READ_CONTROL, FALSE, process_id);
    DWORD size = 0;
    BOOL defaulted = FALSE;
    PSID owner = NULL;
    int is;

    if (!process)
        return 0;
    is = GetKernelObjectSecurity(process, OWNER_SECURITY_INFORMATION, &room.descriptor, sizeof(room), &size) &&
         GetSecurityDescriptorOwner(&room.descriptor, &owner, &defaulted) && owner && EqualSid(owner, user);
    sbx_handle_close(&process);
    return is;
}

static int is_of(HANDLE process, PSID user)
{
    sbx_user_sid of;

    if (sbx_user_of(process, NULL, &of, NULL) != SBX_OK)
        return is_owned_by(GetProcessId(process), user);
    return EqualSid(of.u.bytes, user);
}

sbx_status sbx_walk_processes(const void *user, sbx_walk_visitor visit, void *context, sbx_error *err)
{
    HANDLE process = NULL, next = NULL;
    NTSTATUS status = NO_MORE_ENTRIES;
    int stop = 0;

    while (!stop && (status = NtGetNextProcess(process, PROCESS_QUERY_LIMITED_INFORMATION, 0, 0, &next)) >= 0) {
        sbx_handle_close(&process);
        process = next;
        if (is_of(process, (PSID)(uintptr_t)user) && !has_ended(process))
            stop = visit(context, GetProcessId(process));
    }
    sbx_handle_close(&process);
    if (stop || status == NO_MORE_ENTRIES || status == NT_ACCESS_DENIED)
        return SBX_OK;
    return sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtGetNextProcess", NULL);
}
