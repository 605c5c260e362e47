/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other names of one file: the descriptor decides whatever the spelling. Run as the standard user. */

#include "lab_test.h"
#include <stdlib.h>

#define ROOT L"C:\\lab-names"
#define LONG ROOT L"\\protected long name.txt"

static DWORD by_id( DWORD access )
{
    FILE_ID_DESCRIPTOR id = { sizeof(id), FileIdType };
    BY_HANDLE_FILE_INFORMATION info;
    HANDLE dir, file;
    DWORD err;

    file = CreateFileW( LONG, FILE_READ_ATTRIBUTES, 7, NULL, OPEN_EXISTING, 0, NULL );
    if (file == INVALID_HANDLE_VALUE) return GetLastError();
    GetFileInformationByHandle( file, &info );
    CloseHandle( file );
    dir = CreateFileW( ROOT, FILE_LIST_DIRECTORY, 7, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL );
    id.FileId.LowPart  = info.nFileIndexLow;
    id.FileId.HighPart = info.nFileIndexHigh;
    file = OpenFileById( dir, &id, access, 7, NULL, 0 );
    err = file == INVALID_HANDLE_VALUE ? GetLastError() : 0;
    if (!err) CloseHandle( file );
    CloseHandle( dir );
    return err;
}

static int run_subcommand( const char *what, const char *arg )
{
    WCHAR path[MAX_PATH];

    swprintf( path, MAX_PATH, L"%hs", arg ? arg : "" );
    if (!strcmp( what, "write" )) return try_open( path, GENERIC_WRITE, OPEN_EXISTING, 0 );
    if (!strcmp( what, "read" )) return try_open( path, GENERIC_READ, OPEN_EXISTING, 0 );
    if (!strcmp( what, "by-id-write" )) return by_id( GENERIC_WRITE );
    if (!strcmp( what, "by-id-read" )) return by_id( GENERIC_READ );
    if (!strcmp( what, "link" )) return last_error_of( CreateHardLinkW( path, LONG, NULL ));
    return 99;
}

static DWORD as_child( HANDLE token, const WCHAR *what, const WCHAR *path )
{
    WCHAR command[2 * MAX_PATH];

    swprintf( command, 2 * MAX_PATH, L"%ls \"%ls\"", what, path );
    return run_child( token, command );
}

static void test_spelling( HANDLE plain, HANDLE sandbox, const WCHAR *path, const char *name )
{
    DWORD allowed, denied;

    if (!path) return;
    allowed = as_child( plain, L"write", path );
    denied  = as_child( sandbox, L"write", path );
    ok( allowed == 0 && denied == ERROR_ACCESS_DENIED, "%s (%lu, %lu)", name, allowed, denied );
}

int main( int argc, char **argv )
{
    WCHAR shortened[MAX_PATH];
    HANDLE plain, sandbox;
    DWORD err;

    if (argc > 1) return run_subcommand( argv[1], argc > 2 ? argv[2] : NULL );
    plain = filter_token( 0, NULL, NULL, NULL );
    sandbox = sandbox_token();
    CreateDirectoryW( ROOT, NULL );
    CreateDirectoryW( ROOT L"\\workspace", NULL );
    set_named( ROOT L"\\workspace", L"D:(A;OICI;0x1301bf;;;" SYNTHETIC_SID L")", 0 );
    ok( !make_file( LONG, "x" ), "make the file" );

    test_spelling( plain, sandbox, LONG, "plain spelling" );
    test_spelling( plain, sandbox, L"c:\\LAB-NAMES\\PROTECTED LONG NAME.TXT", "other case" );
    test_spelling( plain, sandbox, L"\\\\?\\" LONG, "\\\\?\\ spelling" );
    test_spelling( plain, sandbox, L"\\\\.\\" LONG, "\\\\.\\ spelling" );
    test_spelling( plain, sandbox, ROOT L"\\workspace\\..\\protected long name.txt", "by way of the workspace" );
    ok( GetShortPathNameW( LONG, shortened, MAX_PATH ) && wcschr( shortened, '~' ), "it has a short name" );
    test_spelling( plain, sandbox, shortened, "short name" );

    err = run_child( sandbox, L"by-id-read" );
    ok( !err, "by its id the sandbox reads it (%lu)", err );
    err = run_child( plain, L"by-id-write" );
    ok( !err, "by its id the user writes to it (%lu)", err );
    err = run_child( sandbox, L"by-id-write" );
    ok( err == ERROR_ACCESS_DENIED, "by its id the sandbox does not (%lu)", err );

    ok( !as_child( plain, L"link", ROOT L"\\workspace\\user-link.txt" ), "the user makes a hard link in the workspace" );
    ok( as_child( sandbox, L"link", ROOT L"\\workspace\\link.txt" ) == ERROR_ACCESS_DENIED, "the sandbox does not" );
    ok( as_child( sandbox, L"write", ROOT L"\\workspace\\user-link.txt" ) == ERROR_ACCESS_DENIED,
        "and through the other name it does not write either" );

    ok( as_child( plain, L"write", LONG L":stream" ) && as_child( sandbox, L"write", LONG L":stream" ),
        "alternate streams are not modelled, nobody opens one" );
    DeleteFileW( ROOT L"\\workspace\\user-link.txt" );
    DeleteFileW( LONG );
    RemoveDirectoryW( ROOT L"\\workspace" );
    ok( RemoveDirectoryW( ROOT ), "the user removes it all" );
    return finish();
}
