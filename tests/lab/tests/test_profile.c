/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Profiles: CreateProfile, DeleteProfile, LoadUserProfile, environments. */

#include "lab_user.h"
#include <lm.h>
#include <userenv.h>

#define ALICE L"labprofile"
#define BOB   L"labprofile2"
#define LIST  L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\"

static BOOL listed( const WCHAR *sid, WCHAR *path )
{
    DWORD size = MAX_PATH * sizeof(WCHAR);
    WCHAR key[256], buffer[MAX_PATH];

    swprintf( key, 256, LIST L"%ls", sid );
    return !RegGetValueW( HKEY_LOCAL_MACHINE, key, L"ProfileImagePath", RRF_RT_REG_SZ, NULL, path ? path : buffer, &size );
}

static BOOL loaded( const WCHAR *sid )
{
    HKEY key;

    if (RegOpenKeyExW( HKEY_USERS, sid, 0, READ_CONTROL, &key )) return FALSE;
    RegCloseKey( key );
    return TRUE;
}

static const WCHAR *variable( const WCHAR *env, const WCHAR *name )
{
    size_t len = wcslen( name );

    for (; env && *env; env += wcslen( env ) + 1) if (!wcsnicmp( env, name, len ) && env[len] == '=') return env + len + 1;
    return L"";
}

static int run_subcommand( char **argv )
{
    WCHAR path[MAX_PATH], sid[256] = L"";

    if (argv[2]) swprintf( sid, 256, L"%hs", argv[2] );
    if (!strcmp( argv[1], "create" )) return CreateProfile( sid, BOB, path, MAX_PATH );
    if (!strcmp( argv[1], "delete" )) return last_error_of( DeleteProfileW( sid, NULL, NULL ));
    if (!strcmp( argv[1], "load" ))
    {
        PROFILEINFOW info = { sizeof(info), 0, (WCHAR *)BOB };
        HANDLE token;

        if (log_on( BOB, LOGON32_LOGON_INTERACTIVE, &token )) return 98;
        return last_error_of( LoadUserProfileW( token, &info ));
    }
    if (!strcmp( argv[1], "environment" ))
    {
        ExpandEnvironmentStringsW( L"%USERPROFILE%", path, MAX_PATH );
        return wcsicmp( path, L"C:\\users\\" ALICE );
    }
    if (!strcmp( argv[1], "temp" ))
    {
        GetTempPathW( MAX_PATH, path );
        wcscat( path, L"f" );
        return make_file( path, "x" );
    }
    if (!strcmp( argv[1], "open" ))
    {
        swprintf( path, MAX_PATH, L"%hs", argv[2] );
        return try_open( path, GENERIC_READ, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS );
    }
    if (!strcmp( argv[1], "stay" ))
    {
        SetEvent( shared_event( L"lab-profile-up" ));
        return WaitForSingleObject( shared_event( L"lab-profile-end" ), 30000 );
    }
    return 99;
}

static void test_create(void)
{
    WCHAR *alice = account_sid_string( ALICE ), path[MAX_PATH], other[MAX_PATH], arguments[300];

    swprintf( arguments, 300, L"create %ls", account_sid_string( BOB ));
    expect( run_as( ALICE, 0, arguments ), E_ACCESSDENIED, "a user does not create profiles" );
    expect( CreateProfile( alice, ALICE, path, 4 ), HRESULT_FROM_WIN32( ERROR_INSUFFICIENT_BUFFER ), "a buffer that is too small" );
    ok( !listed( alice, NULL ), "made nothing" );
    expect( CreateProfile( L"S-1-x", ALICE, path, MAX_PATH ), HRESULT_FROM_WIN32( ERROR_INVALID_SID ), "what is no SID" );
    expect( CreateProfile( alice, L"..\\windows", path, MAX_PATH ), E_INVALIDARG, "what is no name" );
    expect( CreateProfile( alice, ALICE, path, MAX_PATH ), S_OK, "CreateProfile" );
    ok( !wcsicmp( path, L"C:\\users\\" ALICE ), "returns the directory" );
    ok( listed( alice, other ) && !wcscmp( path, other ), "ProfileList has it" );
    expect( CreateProfile( alice, ALICE, other, MAX_PATH ), HRESULT_FROM_WIN32( ERROR_ALREADY_EXISTS ), "CreateProfile again" );
    ok( !loaded( alice ), "it is not loaded" );
    swprintf( arguments, 300, L"(A;OICI;FA;;;%ls)", alice );
    ok( wcsstr( get_sd( path, DACL_SECURITY_INFORMATION ), arguments ) && wcsstr( get_sd( path, DACL_SECURITY_INFORMATION ), L"(A;OICI;FA;;;BA)" ) &&
        wcsstr( get_sd( path, DACL_SECURITY_INFORMATION ), L"(A;OICI;FA;;;SY)" ) && !wcsstr( get_sd( path, DACL_SECURITY_INFORMATION ), L";BU)" ) &&
        wcsstr( get_sd( path, DACL_SECURITY_INFORMATION ), L"D:P" ), "the user, SYSTEM and Administrators have it" );
    swprintf( arguments, 300, L"open %ls", path );
    expect( run_as( BOB, 0, arguments ), ERROR_ACCESS_DENIED, "another user does not list it" );
    expect( run_as( ALICE, 0, arguments ), 0, "the user does" );

    CreateDirectoryW( L"C:\\users\\" BOB, NULL );
    expect( CreateProfile( account_sid_string( BOB ), BOB, path, MAX_PATH ), S_OK, "where a directory has the name" );
    ok( !wcsnicmp( path, L"C:\\users\\" BOB L".", wcslen( L"C:\\users\\" BOB L"." )), "the profile gets another one" );
    RemoveDirectoryW( L"C:\\users\\" BOB );
}

static void test_load(void)
{
    PROFILEINFOW info = { sizeof(info), 0, (WCHAR *)ALICE }, second, bad = { 4, 0, (WCHAR *)ALICE };
    WCHAR *alice = account_sid_string( ALICE ), path[MAX_PATH];
    DWORD size = MAX_PATH;
    HANDLE token;
    HKEY key;

    expect( run_as( ALICE, 0, L"load" ), ERROR_PRIVILEGE_NOT_HELD, "a user does not load profiles" );
    log_on( ALICE, LOGON32_LOGON_INTERACTIVE, &token );
    expect( last_error_of( LoadUserProfileW( token, &bad )), ERROR_INVALID_PARAMETER, "a wrong dwSize" );
    info.lpUserName = NULL;
    expect( last_error_of( LoadUserProfileW( token, &info )), ERROR_INVALID_PARAMETER, "no name" );
    info.lpUserName = (WCHAR *)ALICE;
    second = info;
    ok( LoadUserProfileW( token, &info ), "LoadUserProfile" );
    ok( loaded( alice ), "HKEY_USERS has it" );
    expect( RegOpenKeyExW( info.hProfile, L"Environment", 0, KEY_READ, &key ), 0, "hProfile is the user's key" );
    RegCloseKey( key );
    ok( LoadUserProfileW( token, &second ), "LoadUserProfile again" );
    expect( last_error_of( DeleteProfileW( alice, NULL, NULL )), ERROR_SHARING_VIOLATION, "a loaded profile is not deleted" );
    ok( listed( alice, NULL ), "and is still there" );
    ok( UnloadUserProfile( token, info.hProfile ), "UnloadUserProfile" );
    ok( loaded( alice ), "it is loaded once more" );
    ok( UnloadUserProfile( token, second.hProfile ), "UnloadUserProfile again" );
    ok( !loaded( alice ), "it is gone" );
    expect( last_error_of( UnloadUserProfile( token, second.hProfile )), ERROR_INVALID_HANDLE, "UnloadUserProfile of what is not loaded" );

    ok( GetUserProfileDirectoryW( token, path, &size ) && !wcsicmp( path, L"C:\\users\\" ALICE ) && size == wcslen( path ) + 1,
        "GetUserProfileDirectory" );
    size = 3;
    expect( last_error_of( GetUserProfileDirectoryW( token, path, &size )), ERROR_INSUFFICIENT_BUFFER, "of a buffer that is too small" );
    ok( size == wcslen( L"C:\\users\\" ALICE ) + 1, "tells the size" );
    CloseHandle( token );
    size = MAX_PATH;
    ok( GetUserProfileDirectoryW( own_token(), path, &size ) && GetFileAttributesW( path ) != INVALID_FILE_ATTRIBUTES, "the own one" );
    size = MAX_PATH;
    ok( GetProfilesDirectoryW( path, &size ) && !wcsicmp( path, L"C:\\users" ), "GetProfilesDirectory" );
    expect( last_error_of( DeleteProfileW( account_sid_string( L"Administrators" ), NULL, NULL )), ERROR_FILE_NOT_FOUND, "nobody has this profile" );
}

static void test_environment(void)
{
    PROFILEINFOW info = { sizeof(info), 0, (WCHAR *)ALICE };
    void *env = NULL;
    HANDLE token;

    log_on( ALICE, LOGON32_LOGON_INTERACTIVE, &token );
    ok( CreateEnvironmentBlock( &env, token, FALSE ), "CreateEnvironmentBlock without a loaded profile" );
    ok( !wcsicmp( variable( env, L"USERPROFILE" ), L"C:\\users\\Default" ) && !wcscmp( variable( env, L"USERNAME" ), ALICE ),
        "has the default user's directory" );
    DestroyEnvironmentBlock( env );
    LoadUserProfileW( token, &info );
    ok( CreateEnvironmentBlock( &env, token, FALSE ), "CreateEnvironmentBlock with it" );
    ok( !wcsicmp( variable( env, L"USERPROFILE" ), L"C:\\users\\" ALICE ) &&
        !wcsicmp( variable( env, L"LOCALAPPDATA" ), L"C:\\users\\" ALICE L"\\AppData\\Local" ) &&
        !wcsicmp( variable( env, L"APPDATA" ), L"C:\\users\\" ALICE L"\\AppData\\Roaming" ) &&
        !wcsicmp( variable( env, L"TEMP" ), L"C:\\users\\" ALICE L"\\AppData\\Local\\Temp" ), "has the user's" );
    DestroyEnvironmentBlock( env );
    UnloadUserProfile( token, info.hProfile );
    CloseHandle( token );
    expect( run_as( ALICE, LOGON_WITH_PROFILE, L"environment" ), 0, "a process with the profile has it" );
    expect( run_as( ALICE, LOGON_WITH_PROFILE, L"temp" ), 0, "and a place for temporary files" );
}

static void test_delete(void)
{
    WCHAR *alice = account_sid_string( ALICE ), path[MAX_PATH], arguments[300];
    PROCESS_INFORMATION info;

    swprintf( arguments, 300, L"delete %ls", alice );
    expect( run_as( BOB, 0, arguments ), ERROR_ACCESS_DENIED, "a user does not delete profiles" );
    shared_event( L"lab-profile-up" );
    expect( start_as( ALICE, LOGON_WITH_PROFILE, L"stay", &info ), 0, "a process with the profile" );
    WaitForSingleObject( shared_event( L"lab-profile-up" ), 30000 );
    expect( last_error_of( DeleteProfileW( alice, NULL, NULL )), ERROR_SHARING_VIOLATION, "keeps it from being deleted" );
    SetEvent( shared_event( L"lab-profile-end" ));
    WaitForSingleObject( info.hProcess, 30000 );
    ok( !loaded( alice ), "it is unloaded when the process has ended, handle or not" );
    end_of( &info );
    expect( last_error_of( DeleteProfileW( alice, NULL, L"elsewhere" )), ERROR_INVALID_PARAMETER, "another computer" );
    expect( last_error_of( DeleteProfileW( alice, L"C:\\windows", NULL )), ERROR_INVALID_PARAMETER, "another directory" );
    listed( alice, path );
    expect( last_error_of( DeleteProfileW( alice, NULL, NULL )), 0, "DeleteProfile" );
    ok( !listed( alice, NULL ) && GetFileAttributesW( path ) == INVALID_FILE_ATTRIBUTES, "leaves nothing" );
    expect( last_error_of( DeleteProfileW( alice, NULL, NULL )), ERROR_FILE_NOT_FOUND, "DeleteProfile again" );
}

/* files of the server, by their Unix names */
static void test_server_files(void)
{
    static const WCHAR * const names[] = { L"system.reg", L"user.reg", L"ntlab", L"ntlab\\dpapi" };
    WCHAR prefix[MAX_PATH], path[MAX_PATH];
    unsigned int i;

    if (!GetEnvironmentVariableW( L"WINECONFIGDIR", prefix, MAX_PATH )) return (void)ok( 0, "the prefix is known" );
    prefix[1] = '\\';  /* from an NT name */
    enable_privilege( own_token(), L"SeBackupPrivilege" );
    enable_privilege( own_token(), L"SeTakeOwnershipPrivilege" );
    swprintf( path, MAX_PATH, L"%ls\\drive_c", prefix );
    expect( try_open( path, GENERIC_READ, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS ), 0, "drive C by its Unix name" );
    for (i = 0; i < ARRAYSIZE(names); i++)
    {
        swprintf( path, MAX_PATH, L"%ls\\%ls", prefix, names[i] );
        expect( try_open( path, GENERIC_READ, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS ), ERROR_ACCESS_DENIED, "a file of the server is closed" );
        expect( try_open( path, WRITE_OWNER, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS ), ERROR_ACCESS_DENIED, "to privileges too" );
    }
}

int main( int argc, char **argv )
{
    DATA_BLOB in = { 1, (BYTE *)"x" }, out;

    if (argc > 1) return run_subcommand( argv );
    remove_user( ALICE );
    remove_user( BOB );
    add_user( ALICE );
    add_user( BOB );
    test_create();
    test_load();
    test_environment();
    test_delete();
    CryptProtectData( &in, NULL, NULL, NULL, NULL, CRYPTPROTECT_LOCAL_MACHINE, &out );
    test_server_files();
    remove_user( ALICE );
    remove_user( BOB );
    return finish();
}
