#include "common/token/desktop.h"

#include <string.h>
#include <windows.h>
#include <winternl.h>

#include "base/memory.h"
#include "base/text.h"
#include "common/token/user32.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/user.h"
#include "win/wide.h"

#define DESKTOP_ALL                                                                                                    \
    (DESKTOP_READOBJECTS | DESKTOP_CREATEWINDOW | DESKTOP_CREATEMENU | DESKTOP_HOOKCONTROL | DESKTOP_JOURNALRECORD |   \
     DESKTOP_JOURNALPLAYBACK | DESKTOP_ENUMERATE | DESKTOP_WRITEOBJECTS | DESKTOP_SWITCHDESKTOP | READ_CONTROL)

/* Not the logon SID, which other sandboxes of the session have as well. */
static sbx_status make_dacl(const void *run_sid, const void *account_sid, void **acl, sbx_error *err)
{
    static const uint8_t local_system[12] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
    const DWORD size = sizeof(ACL) + 4 * (sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE);
    sbx_user_sid user;
    ACL *list = NULL;
    sbx_status st = sbx_user_get(&user, err);

    if (st != SBX_OK)
        return st;
    list = sbx_alloc_zero(1, size);
    if (!list)
        return sbx_fail_memory(err);
    if (!InitializeAcl(list, size, ACL_REVISION) ||
        !AddAccessAllowedAce(list, ACL_REVISION, DESKTOP_ALL | STANDARD_RIGHTS_REQUIRED, user.u.bytes) ||
        !AddAccessAllowedAce(list, ACL_REVISION, DESKTOP_ALL | STANDARD_RIGHTS_REQUIRED,
                             (PSID)(uintptr_t)local_system) ||
        !AddAccessAllowedAce(list, ACL_REVISION, DESKTOP_ALL, (PSID)(uintptr_t)run_sid) ||
        (account_sid && !AddAccessAllowedAce(list, ACL_REVISION, DESKTOP_ALL, (PSID)(uintptr_t)account_sid))) {
        sbx_fail_last(err, SBX_E_SYSTEM, "AddAccessAllowedAce", "desktop");
        sbx_free(list);
        return SBX_E_SYSTEM;
    }
    *acl = list;
    return SBX_OK;
}

sbx_status sbx_desktop_open(sbx_desktop *desktop, const char *run_id, const void *run_sid, const void *account_sid,
                            sbx_error *err)
{
    sbx_user32 calls;
    SECURITY_DESCRIPTOR descriptor;
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), &descriptor, FALSE};
    WCHAR station_w[128] = L"", *name_w = NULL;
    sbx_text text = {0};
    char *station = NULL, *full = NULL;
    void *acl = NULL;
    HDESK handle = NULL;
    DWORD size = 0;
    sbx_status st;

    if ((st = sbx_user32_load(&calls, err)) != SBX_OK || (st = make_dacl(run_sid, account_sid, &acl, err)) != SBX_OK)
        goto out;
    if (!calls.information(calls.process_station(), UOI_NAME, station_w, sizeof(station_w), &size)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetUserObjectInformationW", "window station");
        goto out;
    }
    if ((st = sbx_narrow(station_w, &station, err)) != SBX_OK)
        goto out;
    sbx_text_printf(&text, "%s\\sbx-%s", station, run_id);
    full = sbx_text_take(&text);
    if (!full) {
        st = sbx_fail_memory(err);
        goto out;
    }
    if ((st = sbx_wide(full + strlen(station) + 1, "desktop", &name_w, err)) != SBX_OK)
        goto out;
    if (!InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&descriptor, TRUE, acl, FALSE)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "SetSecurityDescriptorDacl", full);
        goto out;
    }
    handle = calls.create_desktop(name_w, NULL, NULL, 0, DESKTOP_CREATEWINDOW | READ_CONTROL, &attributes);
    if (!handle) {
        DWORD code = GetLastError();

        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateDesktopW", full);
        if (code == ERROR_NOT_ENOUGH_MEMORY || code == ERROR_NO_SYSTEM_RESOURCES)
            sbx_hint(err, "the desktop heap of this session is used up; end other sandboxes, or use --desktop user");
        goto out;
    }
    desktop->handle = handle;
    desktop->name = full;
    full = NULL;
out:
    sbx_free(name_w);
    sbx_free(full);
    sbx_free(station);
    sbx_free(acl);
    return st;
}

void sbx_desktop_close(sbx_desktop *desktop)
{
    sbx_user32 calls;

    if (desktop->handle && sbx_user32_load(&calls, NULL) == SBX_OK)
        calls.close_desktop(desktop->handle);
    sbx_free(desktop->name);
    memset(desktop, 0, sizeof(*desktop));
}

#if defined(_WIN64)
/* RTL_USER_PROCESS_PARAMETERS.DesktopInfo and PEB.ProcessParameters of 64-bit Windows, as in the public symbols. */
#define PEB_PARAMETERS 0x20u
#define PARAMETERS_DESKTOP 0xC0u

static int read_at(HANDLE process, const char *at, void *data, SIZE_T size)
{
    SIZE_T got = 0;

    return ReadProcessMemory(process, at, data, size, &got) && got == size;
}

static int read_name(HANDLE process, WCHAR *name, size_t room)
{
    PROCESS_BASIC_INFORMATION basic;
    UNICODE_STRING text;
    char *parameters = NULL;

    memset(&basic, 0, sizeof(basic));
    memset(name, 0, room * sizeof(*name));
    return NtQueryInformationProcess(process, ProcessBasicInformation, &basic, sizeof(basic), NULL) >= 0 &&
           basic.PebBaseAddress &&
           read_at(process, (const char *)basic.PebBaseAddress + PEB_PARAMETERS, &parameters, sizeof(parameters)) &&
           parameters && read_at(process, parameters + PARAMETERS_DESKTOP, &text, sizeof(text)) && text.Length &&
           text.Length / sizeof(WCHAR) < room && read_at(process, (const char *)text.Buffer, name, text.Length);
}
#endif

sbx_status sbx_desktop_verify(const sbx_desktop *desktop, void *process, int *known, sbx_error *err)
{
    *known = 0;
#if defined(_WIN64)
    {
        WCHAR found_w[256];
        char *found = NULL;
        sbx_status st;

        if (!read_name(process, found_w, ARRAYSIZE(found_w)))
            return SBX_OK;
        if ((st = sbx_narrow(found_w, &found, err)) != SBX_OK)
            return st;
        *known = 1;
        if (strcmp(found, desktop->name))
            st = sbx_fail(err, SBX_E_UNENFORCED, "start on the private desktop", found);
        sbx_free(found);
        return st;
    }
#else
    (void)desktop;
    (void)process;
    (void)err;
    return SBX_OK;
#endif
}
