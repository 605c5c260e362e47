/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lab_user.h"
#include <lm.h>
#include <userenv.h>

void expect( DWORD error, DWORD expected, const char *name )
{
    if (!ok( error == expected, "%s", name )) printf( "# error %lu, expected %lu\n", error, expected );
}

DWORD add_user( const WCHAR *name )
{
    USER_INFO_1 info = { (WCHAR *)name, (WCHAR *)LAB_PASSWORD, 0, USER_PRIV_USER, NULL, NULL,
                         UF_SCRIPT | UF_DONT_EXPIRE_PASSWD, NULL };

    return NetUserAdd( NULL, 1, (BYTE *)&info, NULL );
}

DWORD log_on( const WCHAR *name, DWORD type, HANDLE *token )
{
    *token = NULL;
    return last_error_of( LogonUserW( name, L".", LAB_PASSWORD, type, LOGON32_PROVIDER_DEFAULT, token ));
}

PSID account_sid( const WCHAR *name )
{
    DWORD size = SECURITY_MAX_SID_SIZE, domain_size = MAX_PATH;
    PSID sid = malloc( SECURITY_MAX_SID_SIZE );
    WCHAR domain[MAX_PATH];
    SID_NAME_USE use;

    return LookupAccountNameW( NULL, name, sid, &size, domain, &domain_size, &use ) ? sid : NULL;
}

WCHAR *account_sid_string( const WCHAR *name )
{
    PSID sid = account_sid( name );
    WCHAR *string = NULL;

    return sid && ConvertSidToStringSidW( sid, &string ) ? string : (WCHAR *)L"S-1-0-0";
}

DWORD start_as( const WCHAR *name, DWORD logon_flags, const WCHAR *arguments, PROCESS_INFORMATION *info )
{
    STARTUPINFOW si = { sizeof(si) };
    WCHAR path[MAX_PATH], command[1024];

    GetModuleFileNameW( NULL, path, MAX_PATH );
    swprintf( command, 1024, L"\"%ls\" %ls", path, arguments );
    return last_error_of( CreateProcessWithLogonW( name, L".", LAB_PASSWORD, logon_flags, path, command, 0, NULL, L"C:\\",
                                                   &si, info ));
}

DWORD end_of( PROCESS_INFORMATION *info )
{
    DWORD code = ~0u;

    if (WaitForSingleObject( info->hProcess, 30000 )) TerminateProcess( info->hProcess, 258 );
    GetExitCodeProcess( info->hProcess, &code );
    CloseHandle( info->hProcess );
    CloseHandle( info->hThread );
    return code;
}

DWORD run_as( const WCHAR *name, DWORD logon_flags, const WCHAR *arguments )
{
    PROCESS_INFORMATION info;
    DWORD error = start_as( name, logon_flags, arguments, &info );

    return error ? ~error : end_of( &info );
}

void remove_user( const WCHAR *name )
{
    WCHAR *sid = account_sid_string( name );

    if (wcscmp( sid, L"S-1-0-0" )) DeleteProfileW( sid, NULL, NULL );
    NetUserDel( NULL, name );
}

HANDLE shared_event( const WCHAR *name )
{
    SECURITY_ATTRIBUTES sa = { sizeof(sa) };

    ConvertStringSecurityDescriptorToSecurityDescriptorW( L"D:(A;;GA;;;WD)", SDDL_REVISION_1, &sa.lpSecurityDescriptor, NULL );
    return CreateEventW( &sa, TRUE, FALSE, name );
}
