/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Junctions: what they are, where they lead, whose descriptor decides. Run as the standard user. */

#include "lab_test.h"
#include <stdlib.h>
#include <winioctl.h>

#define ROOT      L"C:\\lab-links"
#define WORKSPACE ROOT L"\\workspace"
#define OUTSIDE   ROOT L"\\outside"
#define LINK      WORKSPACE L"\\link"
#define SWAPPED   WORKSPACE L"\\swapped"

struct mount_point
{
    DWORD tag;
    WORD  length, reserved, target_offset, target_length, print_offset, print_length;
    WCHAR names[2 * MAX_PATH];
};

static HANDLE open_dir( const WCHAR *path, DWORD access, DWORD flags )
{
    HANDLE file = CreateFileW( path, access, 7, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | flags, NULL );

    return file == INVALID_HANDLE_VALUE ? NULL : file;
}

static DWORD set_link( HANDLE dir, const WCHAR *target )
{
    struct mount_point data = { IO_REPARSE_TAG_MOUNT_POINT };
    const int len = swprintf( data.names, MAX_PATH, L"\\??\\%ls", target );
    DWORD got;

    wcscpy( data.names + len + 1, target );
    data.target_length = len * sizeof(WCHAR);
    data.print_offset  = data.target_length + sizeof(WCHAR);
    data.print_length  = wcslen( target ) * sizeof(WCHAR);
    data.length        = 8 + data.print_offset + data.print_length + sizeof(WCHAR);
    return last_error_of( DeviceIoControl( dir, FSCTL_SET_REPARSE_POINT, &data, 8 + data.length, NULL, 0, &got, NULL ));
}

static DWORD make_link( const WCHAR *path, const WCHAR *target, DWORD access )
{
    HANDLE dir;
    DWORD err;

    CreateDirectoryW( path, NULL );
    if (!(dir = open_dir( path, access, FILE_FLAG_OPEN_REPARSE_POINT ))) return GetLastError();
    err = set_link( dir, target );
    CloseHandle( dir );
    return err;
}

/* change a directory to a link and back, which takes no name away */
static int swap_rounds(void)
{
    struct mount_point data = { IO_REPARSE_TAG_MOUNT_POINT };
    DWORD got, i;

    for (i = 0; i < 2000; i++)
    {
        HANDLE dir = open_dir( SWAPPED, GENERIC_WRITE, FILE_FLAG_OPEN_REPARSE_POINT );

        if (set_link( dir, OUTSIDE )) return 1;
        if (!DeviceIoControl( dir, FSCTL_DELETE_REPARSE_POINT, &data, 8, NULL, 0, &got, NULL )) return 2;
        CloseHandle( dir );
    }
    return 0;
}

static DWORD write_text( const WCHAR *path )
{
    HANDLE file = CreateFileW( path, GENERIC_WRITE, 7, NULL, OPEN_ALWAYS, 0, NULL );

    if (file == INVALID_HANDLE_VALUE) return GetLastError();
    CloseHandle( file );
    return 0;
}

static int run_subcommand( const char *what, const char *arg )
{
    WCHAR path[MAX_PATH];

    swprintf( path, MAX_PATH, L"%hs", arg ? arg : "" );
    if (!strcmp( what, "write" )) return write_text( path );
    if (!strcmp( what, "read" )) return try_open( path, GENERIC_READ, OPEN_EXISTING, 0 );
    if (!strcmp( what, "link" )) return make_link( path, OUTSIDE, GENERIC_WRITE );
    if (!strcmp( what, "delete" )) return last_error_of( DeleteFileW( path ));
    if (!strcmp( what, "mkdir" )) return last_error_of( CreateDirectoryW( path, NULL ));
    if (!strcmp( what, "swap" )) return swap_rounds();
    return 99;
}

static DWORD as_child( HANDLE token, const WCHAR *what, const WCHAR *path )
{
    WCHAR command[2 * MAX_PATH];

    swprintf( command, 2 * MAX_PATH, L"%ls \"%ls\"", what, path );
    return run_child( token, command );
}

static DWORD attributes_of( HANDLE file, DWORD *tag )
{
    FILE_ATTRIBUTE_TAG_INFO info = { 0 };

    GetFileInformationByHandleEx( file, FileAttributeTagInfo, &info, sizeof(info) );
    if (tag) *tag = info.ReparseTag;
    return info.FileAttributes;
}

static BOOL leads_to( const WCHAR *path, DWORD flags, const WCHAR *expected )
{
    HANDLE dir = open_dir( path, FILE_READ_ATTRIBUTES, flags );
    WCHAR name[MAX_PATH] = L"";

    if (!dir) return FALSE;
    GetFinalPathNameByHandleW( dir, name, MAX_PATH, VOLUME_NAME_DOS );
    CloseHandle( dir );
    return !wcsicmp( name + 4, expected );
}

static void test_making(void)
{
    struct mount_point data = { 0 };
    WIN32_FIND_DATAW found;
    DWORD tag, got = 0;
    HANDLE dir, find;

    ok( make_link( LINK, OUTSIDE, FILE_READ_ATTRIBUTES ) == ERROR_ACCESS_DENIED, "making a link takes writing" );
    ok( !make_link( LINK, OUTSIDE, FILE_WRITE_ATTRIBUTES ), "make a link of an empty directory (%lu)", GetLastError() );
    ok( make_link( OUTSIDE, WORKSPACE, GENERIC_WRITE ) == ERROR_DIR_NOT_EMPTY, "but not of one that has files" );

    dir = open_dir( LINK, FILE_READ_ATTRIBUTES, FILE_FLAG_OPEN_REPARSE_POINT );
    ok( (attributes_of( dir, &tag ) & FILE_ATTRIBUTE_REPARSE_POINT) && tag == IO_REPARSE_TAG_MOUNT_POINT,
        "FILE_FLAG_OPEN_REPARSE_POINT opens the link" );
    ok( DeviceIoControl( dir, FSCTL_GET_REPARSE_POINT, NULL, 0, &data, sizeof(data), &got, NULL ) &&
        data.tag == IO_REPARSE_TAG_MOUNT_POINT && got == 8u + data.length &&
        !wcsncmp( data.names, L"\\??\\" OUTSIDE, data.target_length / sizeof(WCHAR) ), "it tells its target" );
    CloseHandle( dir );
    dir = open_dir( LINK, FILE_READ_ATTRIBUTES, 0 );
    ok( dir && !(attributes_of( dir, NULL ) & FILE_ATTRIBUTE_REPARSE_POINT), "otherwise the target is opened" );
    ok( !DeviceIoControl( dir, FSCTL_GET_REPARSE_POINT, NULL, 0, &data, sizeof(data), &got, NULL ) &&
        GetLastError() == ERROR_NOT_A_REPARSE_POINT, "which is no link" );
    CloseHandle( dir );

    ok( GetFileAttributesW( LINK ) == (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT), "GetFileAttributes sees the link" );
    ok( GetFileAttributesW( LINK L"\\file.txt" ) == FILE_ATTRIBUTE_ARCHIVE, "and the files behind it" );
    find = FindFirstFileW( LINK, &found );
    ok( find != INVALID_HANDLE_VALUE && (found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) &&
        found.dwReserved0 == IO_REPARSE_TAG_MOUNT_POINT, "so does a listing, with the tag" );
    FindClose( find );
    find = FindFirstFileW( LINK L"\\*.txt", &found );
    ok( find != INVALID_HANDLE_VALUE && !wcscmp( found.cFileName, L"file.txt" ), "what lies behind it can be listed" );
    FindClose( find );

    ok( leads_to( LINK, 0, OUTSIDE ), "the final path of what is opened is the target's" );
    ok( leads_to( LINK, FILE_FLAG_OPEN_REPARSE_POINT, LINK ), "that of the link its own" );
    ok( leads_to( LINK L"\\deep", FILE_FLAG_OPEN_REPARSE_POINT, OUTSIDE L"\\deep" ), "links on the way are followed in any case" );
    ok( leads_to( L"c:\\LAB-LINKS\\workspace\\LINK\\DEEP", 0, OUTSIDE L"\\deep" ), "in any spelling" );
}

static DWORD open_below( HANDLE dir, const WCHAR *name )
{
    NTSTATUS (WINAPI *nt_open)( HANDLE *, ACCESS_MASK, void *, void *, ULONG, ULONG );
    struct { USHORT length, space; const WCHAR *text; } string = { wcslen( name ) * 2, wcslen( name ) * 2, name };
    struct { ULONG size; HANDLE root; void *name; ULONG flags; void *sd, *qos; } attr = { sizeof(attr), dir, &string, 0x40 };
    ULONG_PTR io[2];
    HANDLE file;
    NTSTATUS status;

    nt_open = (void *)GetProcAddress( GetModuleHandleW( L"ntdll" ), "NtOpenFile" );
    if (!(status = nt_open( &file, FILE_READ_ATTRIBUTES | SYNCHRONIZE, &attr, io, 7, 0 ))) CloseHandle( file );
    return status;
}

static void test_relative(void)
{
    HANDLE dir = open_dir( WORKSPACE, FILE_LIST_DIRECTORY, 0 );

    ok( !open_below( dir, L"link\\file.txt" ), "a name that starts from an open directory goes through the link" );
    CloseHandle( dir );
    dir = open_dir( LINK, FILE_LIST_DIRECTORY, FILE_FLAG_OPEN_REPARSE_POINT );
    ok( open_below( dir, L"file.txt" ) == 0xc0000034, "one that starts from the link itself does not" );
    CloseHandle( dir );
}

static void test_security( HANDLE plain, HANDLE sandbox )
{
    WCHAR *before = get_sd( OUTSIDE, DACL_SECURITY_INFORMATION ), *after;
    HANDLE dir;

    ok( !as_child( sandbox, L"write", WORKSPACE L"\\mine.txt" ), "the sandbox writes in its workspace" );
    ok( !as_child( sandbox, L"link", WORKSPACE L"\\own" ), "it makes a link there" );
    ok( !as_child( sandbox, L"read", WORKSPACE L"\\own\\file.txt" ), "and reads through it" );
    ok( as_child( sandbox, L"write", WORKSPACE L"\\own\\file.txt" ) == ERROR_ACCESS_DENIED, "but writing is the target's to allow" );
    ok( as_child( sandbox, L"write", WORKSPACE L"\\own\\new.txt" ) == ERROR_ACCESS_DENIED, "so are new files" );
    ok( as_child( sandbox, L"mkdir", WORKSPACE L"\\own\\new" ) == ERROR_ACCESS_DENIED, "and new directories" );
    ok( as_child( sandbox, L"delete", WORKSPACE L"\\own\\file.txt" ) == ERROR_ACCESS_DENIED, "and deleting" );
    ok( as_child( sandbox, L"link", OUTSIDE L"\\deep" ) == ERROR_ACCESS_DENIED, "it makes no link of a directory outside" );
    ok( !as_child( plain, L"write", WORKSPACE L"\\own\\file.txt" ), "the user writes through the link" );

    /* what a propagation from the workspace reaches */
    ok( !set_named( WORKSPACE, L"D:(A;OICI;0x1301bf;;;" SYNTHETIC_SID L")(A;OICI;FA;;;OW)(A;OICI;FA;;;BU)", 0 ), "stamp the workspace" );
    after = get_sd( OUTSIDE, DACL_SECURITY_INFORMATION );
    ok( !wcscmp( before, after ), "nothing behind a link is stamped" );
    dir = open_dir( LINK, READ_CONTROL, FILE_FLAG_OPEN_REPARSE_POINT );
    ok( dir != NULL, "open the link" );
    CloseHandle( dir );
}

/* while a directory changes to a link and back, opening it never gives a mixture */
static void test_swapping( HANDLE sandbox )
{
    STARTUPINFOW si = { sizeof(si) };
    WCHAR path[MAX_PATH], command[MAX_PATH + 16];
    unsigned int links = 0, dirs = 0, wrong = 0;
    PROCESS_INFORMATION pi;
    DWORD code = 99;

    CreateDirectoryW( SWAPPED, NULL );
    GetModuleFileNameW( NULL, path, MAX_PATH );
    swprintf( command, MAX_PATH + 16, L"\"%ls\" swap", path );
    if (!ok( CreateProcessAsUserW( sandbox, path, command, NULL, NULL, FALSE, 0, NULL, NULL, &si, &pi ), "start the swapper" )) return;
    while (WaitForSingleObject( pi.hProcess, 0 ) == WAIT_TIMEOUT)
    {
        HANDLE dir = open_dir( SWAPPED, READ_CONTROL | FILE_READ_ATTRIBUTES, FILE_FLAG_OPEN_REPARSE_POINT );
        WCHAR name[MAX_PATH] = L"";

        if (!dir)
        {
            wrong++;
            continue;
        }
        if (attributes_of( dir, NULL ) & FILE_ATTRIBUTE_REPARSE_POINT) links++;
        else dirs++;
        GetFinalPathNameByHandleW( dir, name, MAX_PATH, VOLUME_NAME_DOS );
        if (wcsicmp( name + 4, SWAPPED )) wrong++;
        CloseHandle( dir );
    }
    GetExitCodeProcess( pi.hProcess, &code );
    ok( !code, "2000 rounds of swapping (%lu)", code );
    ok( links && dirs, "both were seen (%u, %u)", links, dirs );
    ok( !wrong, "and never the target" );
}

static void test_removing(void)
{
    ok( !make_link( WORKSPACE L"\\loop", WORKSPACE L"\\loop", GENERIC_WRITE ), "a link may lead to itself" );
    ok( try_open( WORKSPACE L"\\loop\\x", GENERIC_READ, OPEN_EXISTING, 0 ) == ERROR_CANT_RESOLVE_FILENAME,
        "but not be followed (%lu)", try_open( WORKSPACE L"\\loop\\x", GENERIC_READ, OPEN_EXISTING, 0 ));
    ok( RemoveDirectoryW( WORKSPACE L"\\loop" ), "it can be removed" );
    ok( MoveFileW( LINK, WORKSPACE L"\\moved" ) && leads_to( WORKSPACE L"\\moved", 0, OUTSIDE ), "a link is moved as such" );
    ok( RemoveDirectoryW( WORKSPACE L"\\moved" ), "and removed" );
    ok( GetFileAttributesW( OUTSIDE L"\\file.txt" ) != INVALID_FILE_ATTRIBUTES, "its target stays" );
    ok( RemoveDirectoryW( WORKSPACE L"\\own" ) && RemoveDirectoryW( SWAPPED ), "so do the others" );
}

int main( int argc, char **argv )
{
    HANDLE plain, sandbox;

    if (argc > 1) return run_subcommand( argv[1], argc > 2 ? argv[2] : NULL );
    plain = filter_token( 0, NULL, NULL, NULL );
    sandbox = sandbox_token();
    CreateDirectoryW( ROOT, NULL );
    CreateDirectoryW( WORKSPACE, NULL );
    CreateDirectoryW( OUTSIDE, NULL );
    CreateDirectoryW( OUTSIDE L"\\deep", NULL );
    set_named( WORKSPACE, L"D:(A;OICI;0x1301bf;;;" SYNTHETIC_SID L")(A;OICI;FA;;;OW)(A;OICI;FA;;;BU)", 0 );
    ok( plain && sandbox && !make_file( OUTSIDE L"\\file.txt", "x" ), "make a file" );

    test_making();
    test_relative();
    test_security( plain, sandbox );
    test_swapping( sandbox );
    test_removing();
    DeleteFileW( WORKSPACE L"\\mine.txt" );
    DeleteFileW( OUTSIDE L"\\file.txt" );
    RemoveDirectoryW( OUTSIDE L"\\deep" );
    RemoveDirectoryW( OUTSIDE );
    RemoveDirectoryW( WORKSPACE );
    ok( RemoveDirectoryW( ROOT ), "the user removes it all" );
    return finish();
}
