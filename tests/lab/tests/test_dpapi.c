/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CryptProtectData: whose data opens for whom. */

#include "lab_user.h"
#include <lm.h>
#include <userenv.h>

#define ALICE   L"labdpapi"
#define BOB     L"labdpapi2"
#define FOLDER  L"C:\\ProgramData\\lab-dpapi"
#define SECRET  "a secret of some length, over one block of the cipher"
#define FORBID  CRYPTPROTECT_UI_FORBIDDEN
#define MACHINE ( FORBID | CRYPTPROTECT_LOCAL_MACHINE )

static DATA_BLOB blob( const char *text )
{
    DATA_BLOB ret = { strlen( text ), (BYTE *)text };
    return ret;
}

static DWORD protect( const char *entropy, DWORD flags, DATA_BLOB *out )
{
    DATA_BLOB in = blob( SECRET ), salt = blob( entropy ? entropy : "" );

    return last_error_of( CryptProtectData( &in, L"what it is", entropy ? &salt : NULL, NULL, NULL, flags, out ));
}

/* 0 only if the data is right */
static DWORD unprotect( DATA_BLOB *in, const char *entropy, DWORD flags )
{
    DATA_BLOB out = { 0 }, salt = blob( entropy ? entropy : "" );
    WCHAR *description = NULL;
    DWORD ret;

    if (!CryptUnprotectData( in, &description, entropy ? &salt : NULL, NULL, NULL, flags, &out )) return GetLastError();
    ret = out.cbData != strlen( SECRET ) || memcmp( out.pbData, SECRET, out.cbData ) || !description || wcscmp( description, L"what it is" );
    LocalFree( out.pbData );
    LocalFree( description );
    return ret ? ERROR_WRONG_TARGET_NAME : 0;
}

static DWORD save( const WCHAR *name, const DATA_BLOB *data )
{
    WCHAR path[MAX_PATH];
    DWORD written;
    HANDLE file;

    swprintf( path, MAX_PATH, FOLDER L"\\%ls", name );
    file = CreateFileW( path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL );
    if (file == INVALID_HANDLE_VALUE) return GetLastError();
    WriteFile( file, data->pbData, data->cbData, &written, NULL );
    CloseHandle( file );
    return 0;
}

static DATA_BLOB load( const WCHAR *name )
{
    static BYTE buffer[4096];
    DATA_BLOB data = { 0, buffer };
    WCHAR path[MAX_PATH];
    HANDLE file;

    swprintf( path, MAX_PATH, FOLDER L"\\%ls", name );
    file = CreateFileW( path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL );
    if (file == INVALID_HANDLE_VALUE) return data;
    ReadFile( file, buffer, sizeof(buffer), &data.cbData, NULL );
    CloseHandle( file );
    return data;
}

static int run_subcommand( char **argv )
{
    DATA_BLOB data;
    WCHAR name[64];

    swprintf( name, 64, L"%hs", argv[2] );
    if (!strcmp( argv[1], "open" ))
    {
        data = load( name );
        return unprotect( &data, argv[3], FORBID );
    }
    if (!strcmp( argv[1], "protect" ))
    {
        DWORD error = protect( NULL, FORBID, &data );
        return error ? error : save( name, &data );
    }
    return 99;
}

static void test_one_user(void)
{
    DATA_BLOB data = { 0 }, other = { 0 }, in = blob( SECRET ), empty = { 0 };
    CRYPTPROTECT_PROMPTSTRUCT prompt = { sizeof(prompt), CRYPTPROTECT_PROMPT_ON_PROTECT };
    DWORD i, wrong = 0;

    expect( protect( NULL, FORBID, &data ), 0, "CryptProtectData" );
    for (i = 0; i + 8 < data.cbData; i++) if (!memcmp( data.pbData + i, SECRET, 8 )) wrong++;
    ok( !wrong, "does not leave the text in it" );
    expect( unprotect( &data, NULL, FORBID ), 0, "CryptUnprotectData" );
    protect( NULL, FORBID, &other );
    ok( data.cbData == other.cbData && memcmp( data.pbData, other.pbData, data.cbData ), "twice it is not the same" );
    expect( unprotect( &data, "entropy", FORBID ), ERROR_INVALID_DATA, "entropy that it was not made with" );
    for (i = wrong = 0; i < data.cbData; i++)
    {
        data.pbData[i] ^= 1;
        if (!unprotect( &data, NULL, FORBID )) wrong++;
        data.pbData[i] ^= 1;
    }
    ok( !wrong, "no byte can be changed" );
    data.pbData[data.cbData - 1] ^= 1;
    expect( unprotect( &data, NULL, FORBID ), ERROR_INVALID_DATA, "a changed byte" );
    data.pbData[data.cbData - 1] ^= 1;
    for (i = wrong = 0; i < data.cbData; i++)
    {
        other.cbData = i;
        if (!unprotect( &other, NULL, FORBID )) wrong++;
    }
    ok( !wrong, "nor can it be cut" );
    expect( unprotect( &data, NULL, FORBID ), 0, "the original still opens" );

    expect( protect( "one", FORBID, &data ), 0, "with entropy" );
    expect( unprotect( &data, "one", FORBID ), 0, "and back" );
    expect( unprotect( &data, "two", FORBID ), ERROR_INVALID_DATA, "wrong entropy" );
    expect( unprotect( &data, NULL, FORBID ), ERROR_INVALID_DATA, "none" );
    ok( CryptProtectData( &empty, NULL, NULL, NULL, NULL, FORBID, &data ) && CryptUnprotectData( &data, NULL, NULL, NULL, NULL, FORBID, &other ) &&
        !other.cbData, "nothing can be protected too" );
    expect( last_error_of( CryptProtectData( NULL, NULL, NULL, NULL, NULL, FORBID, &data )), ERROR_INVALID_PARAMETER, "no data" );
    expect( last_error_of( CryptProtectData( &in, NULL, NULL, NULL, &prompt, FORBID, &data )), ERROR_PASSWORD_RESTRICTION, "a prompt that is forbidden" );
}

static void test_users(void)
{
    DATA_BLOB data;
    HANDLE token;

    expect( run_as( ALICE, 0, L"protect alice" ), ERROR_FILE_NOT_FOUND, "a user without a profile has no key" );
    expect( run_as( ALICE, LOGON_WITH_PROFILE, L"protect alice" ), 0, "with one he has" );
    expect( run_as( ALICE, LOGON_WITH_PROFILE, L"open alice" ), 0, "which opens what it made" );
    expect( run_as( BOB, LOGON_WITH_PROFILE, L"open alice" ), NTE_BAD_KEY_STATE, "for no other user" );
    data = load( L"alice" );
    expect( unprotect( &data, NULL, FORBID ), NTE_BAD_KEY_STATE, "nor for an administrator" );
    expect( run_as( ALICE, 0, L"open alice" ), ERROR_FILE_NOT_FOUND, "nor without the profile" );

    expect( protect( "entropy", MACHINE, &data ), 0, "CRYPTPROTECT_LOCAL_MACHINE" );
    expect( save( L"machine", &data ), 0, "kept" );
    expect( run_as( ALICE, 0, L"open machine entropy" ), 0, "opens for everybody, with or without a profile" );
    expect( run_as( BOB, LOGON_WITH_PROFILE, L"open machine entropy" ), 0, "whatever the flags" );
    expect( run_as( BOB, 0, L"open machine other" ), ERROR_INVALID_DATA, "who has the entropy" );
    expect( unprotect( &data, "entropy", FORBID ), 0, "the machine's key is told by the data" );

    /* the thread's token decides */
    expect( protect( NULL, FORBID, &data ), 0, "the own key" );
    expect( save( L"own", &data ), 0, "kept" );
    log_on( ALICE, LOGON32_LOGON_INTERACTIVE, &token );
    expect( AS( token, unprotect( &data, NULL, FORBID )), ERROR_FILE_NOT_FOUND, "somebody without a profile is impersonated" );
    {
        PROFILEINFOW info = { sizeof(info), 0, (WCHAR *)ALICE };

        LoadUserProfileW( token, &info );
        expect( AS( token, unprotect( &data, NULL, FORBID )), NTE_BAD_KEY_STATE, "with a profile, but another key" );
        data = load( L"alice" );
        expect( AS( token, unprotect( &data, NULL, FORBID )), 0, "whose own data opens" );
        UnloadUserProfile( token, info.hProfile );
    }
    CloseHandle( token );
}

int main( int argc, char **argv )
{
    DATA_BLOB data;

    if (argc > 1 && !strcmp( argv[1], "again" ))
    {
        data = load( L"own" );
        expect( unprotect( &data, NULL, FORBID ), 0, "the user's key is still there" );
        data = load( L"machine" );
        expect( unprotect( &data, "entropy", FORBID ), 0, "and the machine's" );
        expect( run_as( ALICE, LOGON_WITH_PROFILE, L"open alice" ), 0, "and another user's" );
        remove_user( ALICE );
        remove_user( BOB );
        remove_tree( FOLDER );
        return finish();
    }
    if (argc > 1) return run_subcommand( argv );
    remove_user( ALICE );
    remove_user( BOB );
    add_user( ALICE );
    add_user( BOB );
    remove_tree( FOLDER );
    CreateDirectoryW( FOLDER, NULL );
    set_named( FOLDER, L"D:(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;BU)", PROTECTED_DACL_SECURITY_INFORMATION );
    test_one_user();
    test_users();
    return finish();
}
