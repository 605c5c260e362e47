/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ShellExecuteEx with the verb "runas", and programs that ask for an administrator.  Run as an administrator who is not
 * elevated, or as somebody who is none, under each LAB_STATE=uac=... */

#include "lab_user.h"
#include <shellapi.h>
#include <shlobj.h>

#define PROOF L"C:\\Windows\\lab-runas"
#define ADMINISTRATOR L"S-1-5-21-0-0-0-500"
#define NEEDS_ELEVATION 740     /* ERROR_ELEVATION_REQUIRED */

static BOOL is_elevated(void)
{
    TOKEN_ELEVATION *elevation = token_info( own_token(), TokenElevation );

    return elevation && elevation->TokenIsElevated;
}

/* is the group there, deny-only or not? */
static BOOL has_administrators(void)
{
    TOKEN_GROUPS *groups = token_info( own_token(), TokenGroups );
    PSID sid = sid_from_string( L"S-1-5-32-544" );
    DWORD i;

    for (i = 0; groups && i < groups->GroupCount; i++) if (EqualSid( groups->Groups[i].Sid, sid )) return TRUE;
    return FALSE;
}

static int run_subcommand( char **argv )
{
    WCHAR path[MAX_PATH], system[MAX_PATH], *string;
    DWORD value = 1;
    HKEY key;

    if (!strcmp( argv[1], "prove" )) return is_elevated() && has_administrators() ? (int)make_file( PROOF, "x" ) : 97;
    if (!strcmp( argv[1], "exit" )) return 0x1234567;
    if (!strcmp( argv[1], "user" ))
    {
        ConvertSidToStringSidW( user_sid( own_token() ), &string );
        swprintf( path, MAX_PATH, L"%hs", argv[2] );
        return wcscmp( string, path ) != 0;
    }
    if (!strcmp( argv[1], "directory" ))
    {
        GetCurrentDirectoryW( MAX_PATH, path );
        GetSystemDirectoryW( system, MAX_PATH );
        return !wcsicmp( path, system ) ? 1 : !wcsicmp( path, L"C:\\users\\Public" ) ? 2 : 3;
    }
    if (!strcmp( argv[1], "variable" )) return GetEnvironmentVariableW( L"LAB_SECRET", path, MAX_PATH ) != 0;
    if (!strcmp( argv[1], "profile" ))
    {
        ExpandEnvironmentStringsW( L"%USERPROFILE%", path, MAX_PATH );
        if (wcsicmp( path, L"C:\\users\\Administrator" )) return 1;
        if (RegCreateKeyExW( HKEY_CURRENT_USER, L"Software\\lab-runas", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL )) return 2;
        RegSetValueExW( key, L"value", 0, REG_DWORD, (BYTE *)&value, sizeof(value) );
        RegCloseKey( key );
        return RegOpenKeyExW( HKEY_USERS, ADMINISTRATOR L"\\Software\\lab-runas", 0, KEY_READ, &key ) ? 3 : 0;
    }
    if (!strcmp( argv[1], "clean" )) return !DeleteFileW( PROOF );
    return 99;
}

static DWORD run_elevated( const WCHAR *file, const WCHAR *arguments, ULONG mask, SHELLEXECUTEINFOW *info )
{
    memset( info, 0, sizeof(*info) );
    info->cbSize       = sizeof(*info);
    info->fMask        = mask | SEE_MASK_FLAG_NO_UI | SEE_MASK_NOASYNC;
    info->lpVerb       = L"runas";
    info->lpFile       = file;
    info->lpParameters = arguments;
    info->lpDirectory  = L"C:\\users\\Public";
    info->nShow        = SW_HIDE;
    info->hProcess     = (HANDLE)1;
    return last_error_of( ShellExecuteExW( info ));
}

/* the exit code, or ~error */
static DWORD code_of( const WCHAR *arguments )
{
    WCHAR path[MAX_PATH];
    SHELLEXECUTEINFOW info;
    DWORD error, code = ~0u;

    GetModuleFileNameW( NULL, path, MAX_PATH );
    if ((error = run_elevated( path, arguments, SEE_MASK_NOCLOSEPROCESS, &info ))) return ~error;
    if (!info.hProcess) return 0x80000000;
    if (WaitForSingleObject( info.hProcess, 30000 )) return 0x80000001;
    GetExitCodeProcess( info.hProcess, &code );
    CloseHandle( info.hProcess );
    return code;
}

static void test_consent( const WCHAR *user )
{
    WCHAR path[MAX_PATH], arguments[128];
    SHELLEXECUTEINFOW info;
    HANDLE other;

    expect( make_file( PROOF, "x" ), ERROR_ACCESS_DENIED, "the caller is not elevated" );
    expect( code_of( L"prove" ), 0, "what it runs as administrator is" );
    ok( GetFileAttributesW( PROOF ) != INVALID_FILE_ATTRIBUTES, "and wrote in Windows" );
    expect( code_of( L"exit" ), 0x1234567, "the exit code comes back" );
    swprintf( arguments, 128, L"user %ls", user );
    expect( code_of( arguments ), 0, "it runs as the user it should" );
    expect( code_of( L"directory" ), lab_has( "runas-directory=system32" ) ? 1 : 2, "and starts where the reading says" );
    SetEnvironmentVariableW( L"LAB_SECRET", L"x" );
    expect( code_of( L"variable" ), 0, "without the caller's variables" );

    GetModuleFileNameW( NULL, path, MAX_PATH );
    expect( run_elevated( path, L"exit", 0, &info ), 0, "without SEE_MASK_NOCLOSEPROCESS" );
    ok( !info.hProcess && (INT_PTR)info.hInstApp > 32, "there is no handle" );
    expect( run_elevated( path, L"exit", SEE_MASK_NOCLOSEPROCESS, &info ), 0, "with it" );
    expect( last_error_of( TerminateProcess( info.hProcess, 1 )), ERROR_ACCESS_DENIED, "the handle does not end the process" );
    expect( last_error_of( DuplicateHandle( GetCurrentProcess(), info.hProcess, GetCurrentProcess(), &other, PROCESS_VM_WRITE, FALSE, 0 )),
            ERROR_ACCESS_DENIED, "nor become one that writes into it" );
    WaitForSingleObject( info.hProcess, 30000 );
    CloseHandle( info.hProcess );
    expect( run_elevated( L"C:\\no\\such.exe", NULL, 0, &info ), ERROR_FILE_NOT_FOUND, "what does not exist" );
    ok( (INT_PTR)info.hInstApp == SE_ERR_FNF, "is told in hInstApp too" );
    if (!wcscmp( user, ADMINISTRATOR )) expect( code_of( L"profile" ), 0, "the other administrator's profile is loaded" );
    expect( code_of( L"clean" ), 0, "cleaned up" );
}

static void test_refusal(void)
{
    WCHAR path[MAX_PATH];
    SHELLEXECUTEINFOW info;

    GetModuleFileNameW( NULL, path, MAX_PATH );
    expect( run_elevated( path, L"prove", SEE_MASK_NOCLOSEPROCESS, &info ), ERROR_CANCELLED, "a refusal" );
    ok( !info.hProcess && (INT_PTR)info.hInstApp == SE_ERR_ACCESSDENIED, "gives no process" );
    ok( GetFileAttributesW( PROOF ) == INVALID_FILE_ATTRIBUTES, "nothing ran" );
}

/* a copy of this program that asks for a level; returns the error of starting it */
static DWORD start_with_level( const char *level )
{
    static const char manifest[] =
        "<assembly xmlns=\"urn:schemas-microsoft-com:asm.v1\" manifestVersion=\"1.0\">"
        "<trustInfo xmlns=\"urn:schemas-microsoft-com:asm.v3\"><security><requestedPrivileges>"
        "<requestedExecutionLevel level=\"%s\" uiAccess=\"false\"/>"
        "</requestedPrivileges></security></trustInfo></assembly>";
    STARTUPINFOW si = { sizeof(si) };
    PROCESS_INFORMATION pi;
    WCHAR own[MAX_PATH], path[MAX_PATH], command[] = L"x exit";
    char text[1024];
    HANDLE update;

    ExpandEnvironmentStringsW( L"%USERPROFILE%\\lab-level.exe", path, MAX_PATH );
    GetModuleFileNameW( NULL, own, MAX_PATH );
    if (!CopyFileW( own, path, FALSE )) return GetLastError();
    if (level)
    {
        sprintf( text, manifest, level );
        if (!(update = BeginUpdateResourceW( path, FALSE ))) return GetLastError();
        UpdateResourceW( update, (const WCHAR *)RT_MANIFEST, MAKEINTRESOURCEW( 1 ), 0, text, strlen( text ) );
        if (!EndUpdateResourceW( update, FALSE )) return GetLastError();
    }
    if (!CreateProcessW( path, command, NULL, NULL, FALSE, 0, NULL, NULL, &si, &pi )) return GetLastError();
    if (end_of( &pi ) != 0x1234567) return ~1u;
    DeleteFileW( path );
    return 0;
}

static void test_manifest(void)
{
    expect( start_with_level( NULL ), 0, "a program without a manifest runs" );
    expect( start_with_level( "asInvoker" ), 0, "asInvoker runs" );
    expect( start_with_level( "requireAdministrator" ), NEEDS_ELEVATION, "requireAdministrator does not" );
    expect( start_with_level( "highestAvailable" ), has_administrators() ? NEEDS_ELEVATION : 0,
            "highestAvailable does for who is no administrator" );
}

int main( int argc, char **argv )
{
    WCHAR *own;

    if (argc > 1) return run_subcommand( argv );
    ok( !is_elevated(), "not elevated" );
    ConvertSidToStringSidW( user_sid( own_token() ), &own );
    if (lab_has( "uac=other" )) test_consent( ADMINISTRATOR );
    else if (lab_has( "uac=yes" ) && has_administrators()) test_consent( own );
    else test_refusal();
    test_manifest();
    return finish();
}
