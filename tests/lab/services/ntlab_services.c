/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: services that are in the server, as the service manager shows them
 *
 * Included by Wine's programs/services/rpc.c.  Here are only the entries of the filtering platform and of secondary logon,
 * and whether they run or may be started (LAB_STATE=bfe, firewall, seclogon).  That one is started when it is needed, and stops.
 */

#include "wine/server.h"

#define SECLOGON L"seclogon"

static const struct
{
    const WCHAR *name, *display, *account, *group;
    DWORD        start;
} platform_services[] =
{
    { L"BFE",    L"Base Filtering Engine",     L"NT AUTHORITY\\LocalService", L"LocalServiceNoNetwork", SERVICE_AUTO_START },
    { L"MpsSvc", L"Windows Defender Firewall", L"NT Authority\\LocalService", L"LocalServiceNoNetwork", SERVICE_AUTO_START },
    { SECLOGON,  L"Secondary Logon",           L"LocalSystem", L"netsvcs", SERVICE_DEMAND_START },
};

BOOL ntlab_is_platform_service( const WCHAR *name )
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(platform_services); i++) if (!wcsicmp( name, platform_services[i].name )) return TRUE;
    return FALSE;
}

static BOOL state_has( const WCHAR *what )
{
    WCHAR state[256] = L"";

    GetEnvironmentVariableW( L"LAB_STATE", state, ARRAY_SIZE(state) );
    return wcsstr( state, what ) != NULL;
}

/* before the database is read; what somebody has changed stays, but for the start of secondary logon */
void ntlab_add_platform_services( HKEY root )
{
    const DWORD type = SERVICE_WIN32_SHARE_PROCESS, control = SERVICE_ERROR_NORMAL;
    WCHAR path[MAX_PATH];
    DWORD start;
    DWORD disposition;
    unsigned int i;
    HKEY key;

#define SET( name, type, data, size ) RegSetValueExW( key, name, 0, type, (const BYTE *)(data), size )
#define SET_STRING( name, type, data ) SET( name, type, data, (lstrlenW( data ) + 1) * sizeof(WCHAR) )
    for (i = 0; i < ARRAY_SIZE(platform_services); i++)
    {
        const BOOL is_seclogon = !wcscmp( platform_services[i].name, SECLOGON );

        if (RegCreateKeyExW( root, platform_services[i].name, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, &disposition )) continue;
        start = is_seclogon && state_has( SECLOGON L"=disabled" ) ? SERVICE_DISABLED : platform_services[i].start;
        if (is_seclogon || disposition == REG_CREATED_NEW_KEY) SET( L"Start", REG_DWORD, &start, sizeof(start) );
        if (disposition == REG_CREATED_NEW_KEY)
        {
            swprintf( path, MAX_PATH, L"%%SystemRoot%%\\system32\\svchost.exe -k %s -p", platform_services[i].group );
            SET( L"Type", REG_DWORD, &type, sizeof(type) );
            SET( L"ErrorControl", REG_DWORD, &control, sizeof(control) );
            SET_STRING( L"ImagePath", REG_EXPAND_SZ, path );
            SET_STRING( L"DisplayName", REG_SZ, platform_services[i].display );
            SET_STRING( L"ObjectName", REG_SZ, platform_services[i].account );
        }
        RegCloseKey( key );
    }
}

void ntlab_platform_status( const WCHAR *name, SERVICE_STATUS_PROCESS *status )
{
    BOOL runs = FALSE;

    if (!ntlab_is_platform_service( name )) return;
    if (wcsicmp( name, SECLOGON ))
    {
        SERVER_START_REQ( ntlab_wfp_open )  /* which fails where the engine does not run */
        {
            req->probe = TRUE;
            runs = !wine_server_call( req ) && !reply->error;
        }
        SERVER_END_REQ;
        if (!wcsicmp( name, L"MpsSvc" ) && state_has( L"firewall=stopped" )) runs = FALSE;
    }
    status->dwServiceType      = SERVICE_WIN32_SHARE_PROCESS;
    status->dwCurrentState     = runs ? SERVICE_RUNNING : SERVICE_STOPPED;
    status->dwControlsAccepted = 0;
    status->dwProcessId        = runs ? GetCurrentProcessId() : 0;
}
