/* What of this machine matters to a sandbox: services, policy, volumes.  Looked at, not changed. */
#include "probe/probe.h"

#include <wchar.h>

#define SYSTEM_W L"Software\\Microsoft\\Windows\\CurrentVersion\\Policies\\System"
#define POLICIES_W L"Software\\Policies\\Microsoft\\"

static void tell_service(SC_HANDLE manager, const wchar_t *name_w)
{
    static const char *const starts[] = {"boot", "system", "automatic", "manual", "disabled"};
    static const char *const states[] = {"unknown", "stopped",    "starting", "stopping",
                                         "running", "continuing", "pausing",  "paused"};
    union {
        QUERY_SERVICE_CONFIGW config;
        unsigned char bytes[8192];
    } info;
    SERVICE_STATUS status = {0};
    SC_HANDLE service = OpenServiceW(manager, name_w, SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG);
    DWORD needed = 0;

    if (!service || !QueryServiceStatus(service, &status) ||
        !QueryServiceConfigW(service, &info.config, sizeof(info), &needed))
        sbx_probe_print("{\"service\": \"%ls\", \"state\": \"unknown\", \"start\": \"unknown\", \"code\": %lu}\n",
                        name_w, GetLastError());
    else
        sbx_probe_print("{\"service\": \"%ls\", \"state\": \"%s\", \"start\": \"%s\", \"code\": 0}\n", name_w,
                        states[status.dwCurrentState < 8 ? status.dwCurrentState : 0],
                        info.config.dwStartType < 5 ? starts[info.config.dwStartType] : "unknown");
    if (service)
        CloseServiceHandle(service);
}

/* Source: MSDN "User Account Control Group Policy and registry key settings", "Policy CSP: firewall" (AllowLocalPolicyMerge),
 * "AppLocker policy use scenarios", "Software Restriction Policies". */
static void tell_policy(const wchar_t *key_w, const wchar_t *name_w, const char *shown)
{
    DWORD value = 0, size = sizeof(value);

    if (RegGetValueW(HKEY_LOCAL_MACHINE, key_w, name_w, RRF_RT_REG_DWORD, NULL, &value, &size) == ERROR_SUCCESS)
        sbx_probe_print("{\"policy\": \"%s\", \"value\": %lu}\n", shown, value);
}

static void tell_volumes(void)
{
    static const char *const kinds[] = {"unknown", "no root", "removable", "fixed", "remote", "cdrom", "ramdisk"};
    wchar_t root_w[] = L"A:\\";
    const DWORD drives = GetLogicalDrives();
    DWORD flags, i;
    UINT kind;

    for (i = 0; i < 26; i++) {
        root_w[0] = (wchar_t)(L'A' + i);
        if (!(drives >> i & 1u))
            continue;
        kind = GetDriveTypeW(root_w);
        flags = 0; /* a remote or removable one is not touched: it may have to be waited for */
        if (kind == DRIVE_FIXED || kind == DRIVE_RAMDISK)
            GetVolumeInformationW(root_w, NULL, 0, NULL, NULL, &flags, NULL, 0);
        sbx_probe_print("{\"volume\": \"%lc:\", \"kind\": \"%s\", \"keeps_rights\": %s}\n", root_w[0],
                        kinds[kind < 7 ? kind : 0], flags & FILE_PERSISTENT_ACLS ? "true" : "false");
    }
}

int sbx_probe_facts(void)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);

    if (manager) {
        tell_service(manager, L"BFE");
        tell_service(manager, L"seclogon");
        CloseServiceHandle(manager);
    }
    tell_policy(SYSTEM_W, L"EnableLUA", "EnableLUA");
    tell_policy(SYSTEM_W, L"ConsentPromptBehaviorAdmin", "ConsentPromptBehaviorAdmin");
    tell_policy(POLICIES_W L"WindowsFirewall\\StandardProfile", L"AllowLocalPolicyMerge", "AllowLocalPolicyMerge");
    tell_policy(POLICIES_W L"Windows\\SrpV2\\Exe", L"EnforcementMode", "AppLocker");
    tell_policy(POLICIES_W L"Windows\\Safer\\CodeIdentifiers", L"DefaultLevel", "Safer");
    tell_volumes();
    return 0;
}
