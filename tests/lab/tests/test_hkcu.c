/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registry: descriptors of keys, and whose HKEY_CURRENT_USER it is. */

#include "lab_user.h"
#include <lm.h>
#include <userenv.h>

#define ALICE L"labhkcu"
#define BOB   L"labhkcu2"
#define KEY   L"Software\\lab-test"
#define GUARD L"D:P(A;CI;KA;;;BA)(A;CI;KA;;;SY)"

static DWORD read_value( HKEY root, const WCHAR *path, DWORD *value )
{
    DWORD size = sizeof(*value);

    *value = 0;
    return RegGetValueW( root, path, L"value", RRF_RT_REG_DWORD, NULL, value, &size );
}

static DWORD write_value( HKEY root, const WCHAR *path, DWORD value )
{
    DWORD error;
    HKEY key;

    if ((error = RegCreateKeyExW( root, path, 0, NULL, 0, KEY_SET_VALUE, NULL, &key, NULL ))) return error;
    error = RegSetValueExW( key, L"value", 0, REG_DWORD, (BYTE *)&value, sizeof(value) );
    RegCloseKey( key );
    return error;
}

static DWORD make_key( const WCHAR *path, const WCHAR *sddl )
{
    SECURITY_ATTRIBUTES sa = { sizeof(sa) };
    DWORD error;
    HKEY key;

    if (sddl) ConvertStringSecurityDescriptorToSecurityDescriptorW( sddl, SDDL_REVISION_1, &sa.lpSecurityDescriptor, NULL );
    error = RegCreateKeyExW( HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_ALL_ACCESS, sddl ? &sa : NULL, &key, NULL );
    if (!error) RegCloseKey( key );
    return error;
}

static DWORD open_key( HKEY root, const WCHAR *path, DWORD access )
{
    HKEY key;
    DWORD error = RegOpenKeyExW( root, path, 0, access, &key );

    if (!error) RegCloseKey( key );
    return error;
}

static WCHAR *sd_of( HKEY root, const WCHAR *path, SECURITY_INFORMATION info )
{
    PSECURITY_DESCRIPTOR sd = malloc( 4096 );
    WCHAR *string = (WCHAR *)L"";
    DWORD size = 4096;
    HKEY key;

    if (RegOpenKeyExW( root, path, 0, READ_CONTROL, &key )) return string;
    if (!RegGetKeySecurity( key, info, sd, &size ))
        ConvertSecurityDescriptorToStringSecurityDescriptorW( sd, SDDL_REVISION_1, info, &string, NULL );
    RegCloseKey( key );
    free( sd );
    return string;
}

/* SDDL without the mark of automatic inheritance, which a reading of the DACL of new objects adds */
static const WCHAR *without_mark( WCHAR *sddl )
{
    WCHAR *mark = wcsstr( sddl, L"D:PAI(" );

    if (mark) memmove( mark + 3, mark + 5, (wcslen( mark + 5 ) + 1) * sizeof(WCHAR) );
    return sddl;
}

/* the ACE of one SID, without control bits and order */
static BOOL admits( const WCHAR *sddl, const WCHAR *rights, const WCHAR *sid )
{
    WCHAR ace[256];

    swprintf( ace, 256, L";%ls;;;%ls)", rights, sid );
    return wcsstr( sddl, ace ) != NULL;
}

static int run_subcommand( char **argv )
{
    DWORD value;

    if (!strcmp( argv[1], "read" )) return read_value( HKEY_CURRENT_USER, KEY, &value ) ? -1 : (int)value;
    if (!strcmp( argv[1], "write" )) return write_value( HKEY_CURRENT_USER, KEY, atoi( argv[2] ));
    if (!strcmp( argv[1], "machine" )) return open_key( HKEY_LOCAL_MACHINE, KEY, KEY_READ );
    if (!strcmp( argv[1], "control" )) return open_key( HKEY_LOCAL_MACHINE, L"Software\\Microsoft", KEY_READ );
    if (!strcmp( argv[1], "other" ))
    {
        WCHAR sid[256];
        swprintf( sid, 256, L"%hs", argv[2] );
        return open_key( HKEY_USERS, sid, KEY_READ );
    }
    if (!strcmp( argv[1], "stay" ))
    {
        SetEvent( shared_event( L"lab-hkcu-up" ));
        return WaitForSingleObject( shared_event( L"lab-hkcu-end" ), 30000 );
    }
    return 99;
}

static void test_descriptors(void)
{
    HKEY key;

    RegDeleteTreeW( HKEY_LOCAL_MACHINE, KEY );
    expect( make_key( KEY, GUARD ), 0, "RegCreateKeyEx with a descriptor" );
    ok( !wcscmp( without_mark( sd_of( HKEY_LOCAL_MACHINE, KEY, DACL_SECURITY_INFORMATION )), GUARD ), "keeps it" );
    ok( !wcscmp( sd_of( HKEY_LOCAL_MACHINE, KEY, OWNER_SECURITY_INFORMATION ), L"O:BA" ), "the creator's owner is added" );
    expect( run_as( ALICE, 0, L"machine" ), ERROR_ACCESS_DENIED, "a user does not read it" );
    expect( run_as( ALICE, 0, L"control" ), 0, "but another key" );
    expect( make_key( KEY L"\\child", NULL ), 0, "a key in it without a descriptor" );
    ok( wcsstr( sd_of( HKEY_LOCAL_MACHINE, KEY L"\\child", DACL_SECURITY_INFORMATION ), L";KA;;;BA)" ) &&
        !wcsstr( sd_of( HKEY_LOCAL_MACHINE, KEY L"\\child", DACL_SECURITY_INFORMATION ), L";BU)" ), "inherits" );
    expect( make_key( KEY L"\\open", L"D:(A;;KA;;;BA)(A;;GR;;;WD)" ), 0, "one with a descriptor of its own" );
    ok( admits( sd_of( HKEY_LOCAL_MACHINE, KEY L"\\open", DACL_SECURITY_INFORMATION ), L"KR", L"WD" ),
        "has that, with generic rights mapped as those of keys" );
    expect( make_key( KEY, L"D:(A;;KA;;;WD)" ), 0, "an existing key is opened" );
    ok( !wcscmp( without_mark( sd_of( HKEY_LOCAL_MACHINE, KEY, DACL_SECURITY_INFORMATION )), GUARD ), "and keeps its descriptor" );

    expect( RegCreateKeyExW( HKEY_LOCAL_MACHINE, KEY L"\\set", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL ), 0, "a key to set" );
    {
        PSECURITY_DESCRIPTOR sd;
        ConvertStringSecurityDescriptorToSecurityDescriptorW( L"D:P(A;;KA;;;BA)(A;;KR;;;AU)", SDDL_REVISION_1, &sd, NULL );
        expect( RegSetKeySecurity( key, DACL_SECURITY_INFORMATION, sd ), 0, "RegSetKeySecurity" );
    }
    RegCloseKey( key );
    ok( !wcscmp( sd_of( HKEY_LOCAL_MACHINE, KEY L"\\set", DACL_SECURITY_INFORMATION | OWNER_SECURITY_INFORMATION ),
                 L"O:BAD:P(A;;KA;;;BA)(A;;KR;;;AU)" ), "sets the DACL and leaves the owner" );
    ok( admits( sd_of( HKEY_LOCAL_MACHINE, L"Software", DACL_SECURITY_INFORMATION ), L"KR", L"BU" ),
        "what nobody set is returned as it is checked" );
    write_value( HKEY_LOCAL_MACHINE, KEY, 42 );
}

/* the server has been ended since */
static void test_descriptors_again(void)
{
    DWORD value;

    expect( read_value( HKEY_LOCAL_MACHINE, KEY, &value ), 0, "the key is still there" );
    ok( !wcscmp( without_mark( sd_of( HKEY_LOCAL_MACHINE, KEY, DACL_SECURITY_INFORMATION | OWNER_SECURITY_INFORMATION )), L"O:BA" GUARD ),
        "with the descriptor that it was created with" );
    ok( !wcscmp( sd_of( HKEY_LOCAL_MACHINE, KEY L"\\set", DACL_SECURITY_INFORMATION ), L"D:P(A;;KA;;;BA)(A;;KR;;;AU)" ),
        "an empty one with that which was set" );
    expect( run_as( ALICE, 0, L"machine" ), ERROR_ACCESS_DENIED, "and a user does not read it" );
    expect( run_as( ALICE, 0, L"control" ), 0, "but another key" );
}

static void test_current_user(void)
{
    WCHAR *alice = account_sid_string( ALICE ), path[256], *sddl;
    PROCESS_INFORMATION info;
    DWORD value;

    /* without a profile */
    expect( write_value( HKEY_USERS, L".DEFAULT\\" KEY, 17 ), 0, "an administrator writes HKEY_USERS\\.DEFAULT" );
    expect( write_value( HKEY_CURRENT_USER, KEY, 23 ), 0, "and the own HKEY_CURRENT_USER" );
    expect( run_as( ALICE, 0, L"read" ), 17, "a user without a profile reads .DEFAULT" );
    expect( run_as( ALICE, 0, L"write 5" ), ERROR_ACCESS_DENIED, "and does not write it" );
    expect( open_key( HKEY_USERS, alice, KEY_READ ), ERROR_FILE_NOT_FOUND, "there is no hive" );
    expect( write_value( HKEY_USERS, L"lab-test", 1 ), ERROR_INVALID_PARAMETER, "nor does anybody make a key that is none" );

    /* with one */
    expect( run_as( ALICE, LOGON_WITH_PROFILE, L"read" ), ~0u, "a user with a new profile has not that value" );
    expect( run_as( ALICE, LOGON_WITH_PROFILE, L"write 99" ), 0, "but writes his own" );
    expect( open_key( HKEY_USERS, alice, KEY_READ ), ERROR_FILE_NOT_FOUND, "the hive goes with the process" );
    expect( run_as( ALICE, LOGON_WITH_PROFILE, L"read" ), 99, "and comes back" );
    expect( run_as( ALICE, 0, L"read" ), 17, "without the profile it is .DEFAULT again" );
    read_value( HKEY_CURRENT_USER, KEY, &value );
    ok( value == 23, "the caller's is another one" );

    /* while it is loaded */
    swprintf( path, 256, L"%ls\\" KEY, alice );
    shared_event( L"lab-hkcu-up" );
    expect( start_as( ALICE, LOGON_WITH_PROFILE, L"stay", &info ), 0, "a process that stays" );
    WaitForSingleObject( shared_event( L"lab-hkcu-up" ), 30000 );
    expect( read_value( HKEY_USERS, path, &value ), 0, "an administrator reads the hive" );
    ok( value == 99, "what is in it" );
    sddl = sd_of( HKEY_USERS, alice, DACL_SECURITY_INFORMATION );
    ok( admits( sddl, L"KA", alice ) && admits( sddl, L"KA", L"SY" ) && admits( sddl, L"KA", L"BA" ) && !wcsstr( sddl, L";BU)" ),
        "it belongs to the user, SYSTEM and Administrators" );
    swprintf( path, 256, L"other %ls", alice );
    expect( run_as( BOB, 0, path ), ERROR_ACCESS_DENIED, "another user does not open it" );
    expect( run_as( ALICE, 0, path ), 0, "the user does" );
    expect( run_as( ALICE, 0, L"read" ), 99, "who has it in other processes too" );
    SetEvent( shared_event( L"lab-hkcu-end" ));
    expect( end_of( &info ), 0, "it ends" );
}

static void test_impersonation(void)
{
    PROFILEINFOW profile = { sizeof(profile), 0, (WCHAR *)ALICE };
    HANDLE token;
    HKEY key;

    expect( log_on( ALICE, LOGON32_LOGON_INTERACTIVE, &token ), 0, "a token of the user" );
    expect( AS( token, RegOpenCurrentUser( KEY_READ, &key )), 0, "RegOpenCurrentUser without a profile" );
    ok( !read_value( key, KEY, &as_result ) && as_result == 17, "is .DEFAULT" );
    RegCloseKey( key );
    expect( AS( token, RegOpenCurrentUser( KEY_WRITE, &key )), ERROR_ACCESS_DENIED, "which the user does not write" );
    if (!ok( LoadUserProfileW( token, &profile ), "LoadUserProfile" )) return;
    expect( AS( token, RegOpenCurrentUser( KEY_READ, &key )), 0, "RegOpenCurrentUser with a profile" );
    ok( !read_value( key, KEY, &as_result ) && as_result == 99, "is the user's" );
    RegCloseKey( key );
    ok( UnloadUserProfile( token, profile.hProfile ), "UnloadUserProfile" );
}

int main( int argc, char **argv )
{
    if (argc > 1 && !strcmp( argv[1], "again" ))
    {
        test_descriptors_again();
        expect( run_as( ALICE, LOGON_WITH_PROFILE, L"read" ), 99, "the user's hive is still there" );
    }
    else if (argc > 1) return run_subcommand( argv );
    else
    {
        remove_user( ALICE );
        remove_user( BOB );
        add_user( ALICE );
        add_user( BOB );
        test_descriptors();
        test_current_user();
        test_impersonation();
        return finish();
    }
    RegDeleteTreeW( HKEY_LOCAL_MACHINE, KEY );
    RegDeleteTreeW( HKEY_USERS, L".DEFAULT\\" KEY );
    RegDeleteTreeW( HKEY_CURRENT_USER, KEY );
    remove_user( ALICE );
    remove_user( BOB );
    return finish();
}
