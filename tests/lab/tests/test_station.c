/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Window stations, desktops and consoles of restricted processes.  Run as the standard user, with
 * LAB_STATE=logon=interactive and logon=service.  This program loads user32.dll only where it says so. */

#include "lab_test.h"
#include <stdlib.h>

#define IMPORTS_USER32 L"C:\\windows\\system32\\attrib.exe"
#define DLL_INIT_FAILED 0xC0000142

static HWINSTA (WINAPI *get_station)(void);
static HWINSTA (WINAPI *open_station)( const WCHAR *, BOOL, ACCESS_MASK );
static HDESK (WINAPI *get_desktop)( DWORD );
static HDESK (WINAPI *open_desktop)( const WCHAR *, DWORD, BOOL, ACCESS_MASK );
static HDESK (WINAPI *create_desktop)( const WCHAR *, const WCHAR *, DEVMODEW *, DWORD, ACCESS_MASK, SECURITY_ATTRIBUTES * );
static BOOL (WINAPI *close_desktop)( HDESK );
static BOOL (WINAPI *get_information)( HANDLE, int, void *, DWORD, DWORD * );
static BOOL (WINAPI *get_security)( HANDLE, SECURITY_INFORMATION *, PSECURITY_DESCRIPTOR, DWORD, DWORD * );
static BOOL (WINAPI *set_security)( HANDLE, SECURITY_INFORMATION *, PSECURITY_DESCRIPTOR );

static DWORD load_user32(void)
{
    HMODULE module = LoadLibraryW( L"user32.dll" );

    if (!module) return GetLastError();
#define LOOK_UP( call, name ) *(FARPROC *)&(call) = GetProcAddress( module, name )
    LOOK_UP( get_station, "GetProcessWindowStation" );
    LOOK_UP( open_station, "OpenWindowStationW" );
    LOOK_UP( get_desktop, "GetThreadDesktop" );
    LOOK_UP( open_desktop, "OpenDesktopW" );
    LOOK_UP( create_desktop, "CreateDesktopW" );
    LOOK_UP( close_desktop, "CloseDesktop" );
    LOOK_UP( get_information, "GetUserObjectInformationW" );
    LOOK_UP( get_security, "GetUserObjectSecurity" );
    LOOK_UP( set_security, "SetUserObjectSecurity" );
    return 0;
}

static DWORD try_desktop( const WCHAR *name )
{
    HDESK desktop;
    DWORD err;

    if ((err = load_user32())) return err;
    if (!(desktop = open_desktop( name, 0, FALSE, DESKTOP_CREATEWINDOW ))) return GetLastError();
    close_desktop( desktop );
    return 0;
}

/* what the own handle to the station may: read the descriptor, set it as it is */
static DWORD try_descriptor(void)
{
    SECURITY_INFORMATION info = DACL_SECURITY_INFORMATION;
    char sd[1024];
    DWORD err, size;

    if ((err = load_user32())) return err;
    if (!get_security( get_station(), &info, sd, sizeof(sd), &size )) return GetLastError();
    return set_security( get_station(), &info, sd ) ? 0 : GetLastError();
}

static int run_subcommand( const char *name )
{
    if (!strcmp( name, "nothing" )) return 0;
    if (!strcmp( name, "user32" )) return load_user32();
    if (!strcmp( name, "descriptor" )) return try_descriptor();
    if (!strcmp( name, "desktop" )) return try_desktop( L"lab-desktop" );
    if (!strcmp( name, "default-desktop" )) return try_desktop( L"Default" );
    if (!strcmp( name, "make-console" )) return AllocConsole() ? 0 : GetLastError();
    return 99;
}

/* exit code of a program on a desktop */
static DWORD run( HANDLE token, const WCHAR *arguments, DWORD flags, const WCHAR *desktop )
{
    STARTUPINFOW si = { sizeof(si), NULL, (WCHAR *)desktop };
    WCHAR path[MAX_PATH] = IMPORTS_USER32, command[MAX_PATH + 64];
    PROCESS_INFORMATION pi;
    DWORD code = ~0u;

    if (arguments) GetModuleFileNameW( NULL, path, MAX_PATH );
    swprintf( command, MAX_PATH + 64, L"\"%ls\" %ls", path, arguments ? arguments : L"C:\\windows\\win.ini" );
    if (!CreateProcessAsUserW( token, path, command, NULL, NULL, FALSE, flags, NULL, NULL, &si, &pi )) return GetLastError();
    if (WaitForSingleObject( pi.hProcess, 30000 )) TerminateProcess( pi.hProcess, ~0u );
    GetExitCodeProcess( pi.hProcess, &code );
    CloseHandle( pi.hProcess );
    CloseHandle( pi.hThread );
    return code;
}

static void expect( DWORD got, DWORD expected, const char *name )
{
    if (!ok( got == expected, "%s", name )) printf( "# %lx, expected %lx\n", got, expected );
}

/* a write-restricted token; with the logon SID among those that restrict it, or without */
static HANDLE restricted( BOOL with_logon_sid )
{
    SID_AND_ATTRIBUTES list[3] = { { sid_from_string( SYNTHETIC_SID ) }, { sid_from_string( L"S-1-1-0" ) },
                                   { logon_sid( own_token() ) } };
    HANDLE token = NULL;

    CreateRestrictedToken( own_token(), WRITE_RESTRICTED | LUA_TOKEN | DISABLE_MAX_PRIVILEGE, 0, NULL, 0, NULL,
                           with_logon_sid ? 3 : 2, list, &token );
    return token;
}

static HDESK make_desktop( const WCHAR *format )
{
    SECURITY_ATTRIBUTES sa = { sizeof(sa) };
    WCHAR sddl[256], *user;

    ConvertSidToStringSidW( user_sid( own_token() ), &user );
    swprintf( sddl, 256, format, user );
    ConvertStringSecurityDescriptorToSecurityDescriptorW( sddl, SDDL_REVISION_1, &sa.lpSecurityDescriptor, NULL );
    return create_desktop( L"lab-desktop", NULL, NULL, 0, GENERIC_ALL, &sa );
}

static WCHAR *name_of( HANDLE object )
{
    static WCHAR name[128];

    if (!get_information( object, UOI_NAME, name, sizeof(name), NULL )) name[0] = 0;
    return name;
}

static BOOL is_visible( HWINSTA station )
{
    USEROBJECTFLAGS flags = { 0 };

    return get_information( station, UOI_FLAGS, &flags, sizeof(flags), NULL ) && (flags.dwFlags & WSF_VISIBLE);
}

static PSECURITY_DESCRIPTOR security_of( HANDLE object )
{
    SECURITY_INFORMATION info = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    static char sd[2048];
    DWORD size;

    return get_security( object, &info, sd, sizeof(sd), &size ) ? sd : NULL;
}

/* is there an ACE for the SID? */
static BOOL admits( HANDLE object, PSID sid )
{
    PSECURITY_DESCRIPTOR sd = security_of( object );
    BOOL present, defaulted;
    ACCESS_ALLOWED_ACE *ace;
    PACL acl = NULL;
    WORD i;

    if (!sd || !GetSecurityDescriptorDacl( sd, &present, &acl, &defaulted ) || !acl) return FALSE;
    for (i = 0; i < acl->AceCount; i++)
        if (GetAce( acl, i, (void **)&ace ) && EqualSid( &ace->SidStart, sid )) return TRUE;
    return FALSE;
}

static BOOL add_ace( HANDLE object, const WCHAR *sid )
{
    SECURITY_INFORMATION info = DACL_SECURITY_INFORMATION;
    EXPLICIT_ACCESSW entry = { GENERIC_ALL, GRANT_ACCESS, 0 };
    PSECURITY_DESCRIPTOR sd = security_of( object );
    SECURITY_DESCRIPTOR changed;
    BOOL present, defaulted;
    PACL old = NULL, acl = NULL;

    if (!sd || !GetSecurityDescriptorDacl( sd, &present, &old, &defaulted )) return FALSE;
    BuildTrusteeWithSidW( &entry.Trustee, sid_from_string( sid ));
    SetEntriesInAclW( 1, &entry, old, &acl );
    InitializeSecurityDescriptor( &changed, SECURITY_DESCRIPTOR_REVISION );
    SetSecurityDescriptorDacl( &changed, TRUE, acl, FALSE );
    return set_security( object, &info, &changed );
}

static BOOL has_group( const WCHAR *sid )
{
    BOOL member = FALSE;

    return CheckTokenMembership( NULL, sid_from_string( sid ), &member ) && member;
}

static void test_interactive( HANDLE plain, HANDLE sandbox, HANDLE with_logon )
{
    const DWORD closed = lab_has( "station=logon" ) ? DLL_INIT_FAILED : 0;
    HWINSTA station = open_station( L"WinSta0", FALSE, READ_CONTROL );
    HDESK desktop;

    ok( !wcscmp( name_of( get_station() ), L"WinSta0" ) && is_visible( get_station() ), "an interactive user is on WinSta0" );
    ok( has_group( L"S-1-5-4" ), "and has the group INTERACTIVE" );
    ok( admits( station, logon_sid( own_token() )) && !admits( station, sid_from_string( L"S-1-5-4" )),
        "the station admits the logon SID rather than that" );
    desktop = open_desktop( L"Default", 0, FALSE, READ_CONTROL );
    ok( admits( desktop, logon_sid( own_token() )) && !admits( desktop, sid_from_string( L"S-1-5-4" )), "and so does the desktop" );
    expect( run( plain, NULL, 0, NULL ), 0, "a program that imports user32.dll starts" );
    expect( run( plain, L"descriptor", 0, NULL ), 0, "its handle to the station reads and sets the descriptor" );
    expect( run( with_logon, NULL, 0, NULL ), 0, "and with a restricted token with the logon SID" );
    expect( run( sandbox, NULL, 0, NULL ), closed, "but with one without it only if the station admits Everyone" );
    expect( run( sandbox, L"user32", 0, NULL ), closed ? ERROR_DLL_INIT_FAILED : 0, "loading user32.dll later" );
    expect( run( sandbox, L"nothing", 0, NULL ), 0, "a program without user32.dll starts" );
    expect( run( with_logon, L"default-desktop", 0, NULL ), 0, "the default desktop admits the logon SID" );

    desktop = make_desktop( L"D:(A;;GA;;;%ls)" );
    ok( desktop != NULL, "CreateDesktop with a descriptor" );
    expect( run( plain, L"desktop", 0, NULL ), 0, "admits whom it names" );
    expect( run( with_logon, L"desktop", 0, NULL ), ERROR_ACCESS_DENIED, "and nobody else" );
    expect( run( plain, NULL, 0, L"WinSta0\\lab-desktop" ), 0, "programs start on it" );
    expect( run( with_logon, NULL, 0, L"WinSta0\\lab-desktop" ), DLL_INIT_FAILED, "but not those that may not open it" );
    expect( run( with_logon, L"nothing", 0, L"WinSta0\\lab-desktop" ), 0, "unless they do without user32.dll" );
    close_desktop( desktop );
    desktop = make_desktop( L"D:(A;;GA;;;%ls)(A;;GA;;;" SYNTHETIC_SID L")" );
    expect( run( with_logon, L"desktop", 0, NULL ), 0, "a desktop that names the synthetic SID admits the sandbox" );
    expect( run( with_logon, NULL, 0, L"WinSta0\\lab-desktop" ), 0, "and its programs start there" );
    close_desktop( desktop );
}

static void test_service( HANDLE plain, HANDLE sandbox, HANDLE with_logon )
{
    TOKEN_STATISTICS *stats = token_info( own_token(), TokenStatistics );
    WCHAR name[64], full[96];
    HDESK desktop;

    swprintf( name, 64, L"Service-0x%lx-%lx$", stats->AuthenticationId.HighPart, stats->AuthenticationId.LowPart );
    ok( !wcscmp( name_of( get_station() ), name ), "a service is on the station of its logon session" );
    ok( !is_visible( get_station() ), "which is not visible" );
    ok( !wcscmp( name_of( get_desktop( GetCurrentThreadId() )), L"Default" ), "on the desktop Default" );
    ok( has_group( L"S-1-5-6" ) && !has_group( L"S-1-5-4" ), "it has the group SERVICE in place of INTERACTIVE" );
    ok( admits( get_station(), user_sid( own_token() )), "the station admits the user" );
    ok( !admits( get_station(), sid_from_string( L"S-1-1-0" )) && !admits( get_station(), logon_sid( own_token() )),
        "but neither Everyone nor the logon SID" );
    ok( !open_station( L"WinSta0", FALSE, WINSTA_CREATEDESKTOP ), "WinSta0 does not open" );
    expect( run( plain, NULL, 0, NULL ), 0, "a program that imports user32.dll starts" );
    expect( run( with_logon, NULL, 0, NULL ), DLL_INIT_FAILED, "but not with a restricted token with the logon SID" );
    expect( run( sandbox, NULL, 0, NULL ), DLL_INIT_FAILED, "nor with one without it" );
    expect( run( with_logon, L"user32", 0, NULL ), ERROR_DLL_INIT_FAILED, "nor does user32.dll load later" );
    expect( run( with_logon, L"nothing", 0, NULL ), 0, "a program without user32.dll starts" );

    desktop = make_desktop( L"D:(A;;GA;;;%ls)(A;;GA;;;" SYNTHETIC_SID L")" );
    swprintf( full, 96, L"%ls\\lab-desktop", name );
    ok( desktop != NULL, "the user makes a desktop there" );
    expect( run( plain, NULL, 0, full ), 0, "programs start on it" );
    expect( run( with_logon, NULL, 0, full ), DLL_INIT_FAILED, "but a desktop that admits the sandbox is not enough" );
    ok( add_ace( get_station(), SYNTHETIC_SID ), "the user lets the sandbox into the station" );
    expect( run( with_logon, NULL, 0, full ), 0, "and its programs start on that desktop" );
    expect( run( with_logon, NULL, 0, NULL ), DLL_INIT_FAILED, "but not on the default one" );
    close_desktop( desktop );
}

static void test_consoles( HANDLE plain, HANDLE with_logon )
{
    const BOOL made = lab_has( "console=made" );

    expect( run( plain, L"nothing", CREATE_NO_WINDOW, NULL ), 0, "a program makes a console without a window" );
    expect( run( with_logon, L"nothing", 0, NULL ), 0, "a restricted one inherits a console" );
    expect( run( with_logon, L"nothing", DETACHED_PROCESS, NULL ), 0, "or does without" );
    expect( run( with_logon, L"nothing", CREATE_NO_WINDOW, NULL ), made ? 0 : DLL_INIT_FAILED, "a restricted one makes a console without a window" );
    if (made) return;  /* windows of consoles are not judged here */
    expect( run( with_logon, L"nothing", CREATE_NEW_CONSOLE, NULL ), DLL_INIT_FAILED, "or with one" );
    expect( run( with_logon, L"make-console", DETACHED_PROCESS, NULL ), ERROR_ACCESS_DENIED, "or later" );
}

int main( int argc, char **argv )
{
    HANDLE plain, sandbox, with_logon;

    if (argc > 1) return run_subcommand( argv[1] );
    plain = filter_token( 0, NULL, NULL, NULL );
    sandbox = restricted( FALSE );
    with_logon = restricted( TRUE );
    ok( plain && sandbox && with_logon && !load_user32(), "make the tokens" );
    if (lab_has( "logon=service" )) test_service( plain, sandbox, with_logon );
    else
    {
        test_interactive( plain, sandbox, with_logon );
        test_consoles( plain, with_logon );
    }
    return finish();
}
