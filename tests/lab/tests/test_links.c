/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Junctions and symbolic links: what they are, where they lead, whose descriptor decides. The administrator that starts
 * this does what takes its privilege, and starts it again as a standard user, who checks the rest. */

#include "lab_test.h"
#include <stdlib.h>
#include <winioctl.h>

#define ROOT      L"C:\\lab-links"
#define WORKSPACE ROOT L"\\workspace"
#define OUTSIDE   ROOT L"\\outside"
#define LINK      WORKSPACE L"\\link"
#define SWAPPED   WORKSPACE L"\\swapped"
#define FILE_LINK WORKSPACE L"\\filelink"
#define DIR_LINK  WORKSPACE L"\\dirlink"

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

/* FSCTL_SET_REPARSE_POINT alone, on a new file */
static DWORD set_symlink_data( const WCHAR *path )
{
    struct mount_point data = { IO_REPARSE_TAG_SYMLINK, 16, 0, 0, 2, 2, 2, { 1, 0, L'x', L'x' } };
    HANDLE file = CreateFileW( path, GENERIC_WRITE, 7, NULL, OPEN_ALWAYS, FILE_FLAG_OPEN_REPARSE_POINT, NULL );
    DWORD got, err = last_error_of( DeviceIoControl( file, FSCTL_SET_REPARSE_POINT, &data, 24, NULL, 0, &got, NULL ));

    CloseHandle( file );
    return err;
}

static DWORD symlink( const WCHAR *path, const WCHAR *target, DWORD flags )
{
    return last_error_of( CreateSymbolicLinkW( path, target, flags | SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE ));
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
    if (!strcmp( what, "symlink" )) return symlink( path, OUTSIDE L"\\file.txt", 0 );
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

static DWORD open_below_as( HANDLE dir, const WCHAR *name, ULONG options, ULONG attributes )
{
    NTSTATUS (WINAPI *nt_open)( HANDLE *, ACCESS_MASK, void *, void *, ULONG, ULONG );
    struct { USHORT length, space; const WCHAR *text; } string = { wcslen( name ) * 2, wcslen( name ) * 2, name };
    struct { ULONG size; HANDLE root; void *name; ULONG flags; void *sd, *qos; } attr = { sizeof(attr), dir, &string, attributes };
    ULONG_PTR io[2];
    HANDLE file;
    NTSTATUS status;

    nt_open = (void *)GetProcAddress( GetModuleHandleW( L"ntdll" ), "NtOpenFile" );
    if (!(status = nt_open( &file, FILE_READ_ATTRIBUTES | SYNCHRONIZE, &attr, io, 7, options ))) CloseHandle( file );
    return status;
}

static DWORD open_below( HANDLE dir, const WCHAR *name, ULONG options )
{
    return open_below_as( dir, name, options, 0x40 );  /* OBJ_CASE_INSENSITIVE */
}

static void test_relative(void)
{
    HANDLE dir = open_dir( WORKSPACE, FILE_LIST_DIRECTORY, 0 );

    ok( !open_below( dir, L"link\\file.txt", 0 ), "a name that starts from an open directory goes through the link" );
    CloseHandle( dir );
    dir = open_dir( LINK, FILE_LIST_DIRECTORY, FILE_FLAG_OPEN_REPARSE_POINT );
    ok( open_below( dir, L"file.txt", 0 ) == 0xc0000034, "one that starts from the link itself does not" );
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

/* ---- symbolic links ---- */

#define ADMIN_ACTS 4

/* the limited token of the same user */
static HANDLE standard_token(void)
{
    HANDLE token = filter_token( LUA_TOKEN, NULL, NULL, NULL );
    EXPLICIT_ACCESSW entry = { GENERIC_ALL, SET_ACCESS, NO_INHERITANCE };
    TOKEN_DEFAULT_DACL dacl = { NULL };

    entry.Trustee.TrusteeForm = TRUSTEE_IS_SID;
    entry.Trustee.ptstrName = (WCHAR *)user_sid( token );
    SetEntriesInAclW( 1, &entry, NULL, &dacl.DefaultDacl );
    SetTokenInformation( token, TokenDefaultDacl, &dacl, sizeof(dacl) );
    return token;
}

/* what an administrator gets, before and after allowing everybody to make links */
static void as_admin( HANDLE user, DWORD *result )
{
    const WCHAR *key = L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\AppModelUnlock";
    DWORD on = 1;

    /* an earlier run in this prefix may have left it on */
    RegDeleteKeyValueW( HKEY_LOCAL_MACHINE, key, L"AllowDevelopmentWithoutDevLicense" );
    CreateDirectoryW( ROOT, NULL );
    result[0] = set_symlink_data( ROOT L"\\a" );
    result[1] = last_error_of( CreateSymbolicLinkW( ROOT L"\\b", L"x", 0 ));
    enable_privilege( own_token(), L"SeCreateSymbolicLinkPrivilege" );
    result[2] = set_symlink_data( ROOT L"\\a" );
    result[3] = as_child( user, L"symlink", ROOT L"\\c" );
    DeleteFileW( ROOT L"\\a" );
    DeleteFileW( ROOT L"\\b" );
    DeleteFileW( ROOT L"\\c" );
    RemoveDirectoryW( ROOT );
    RegSetKeyValueW( HKEY_LOCAL_MACHINE, key, L"AllowDevelopmentWithoutDevLicense", REG_DWORD, &on, sizeof(on) );
}

static void test_privilege( const DWORD *admin )
{
    ok( admin[0] == ERROR_PRIVILEGE_NOT_HELD, "a symbolic link takes an enabled privilege (%lu)", admin[0] );
    ok( !admin[1], "which CreateSymbolicLink enables (%lu)", admin[1] );
    ok( !admin[2], "as a caller can for the FSCTL (%lu)", admin[2] );
    ok( admin[3] == ERROR_PRIVILEGE_NOT_HELD, "other users have none, whatever flag they give (%lu)", admin[3] );
    ok( last_error_of( CreateSymbolicLinkW( FILE_LINK, L"x", 0 )) == ERROR_PRIVILEGE_NOT_HELD, "nor in developer mode without the flag" );
    ok( GetFileAttributesW( FILE_LINK ) == INVALID_FILE_ATTRIBUTES, "and nothing is left behind" );
    ok( set_symlink_data( FILE_LINK ) == ERROR_PRIVILEGE_NOT_HELD && DeleteFileW( FILE_LINK ), "or by the FSCTL itself" );
    ok( last_error_of( CreateSymbolicLinkW( FILE_LINK, L"x", 4 )) == ERROR_INVALID_PARAMETER, "unknown flags are refused" );
}

static BOOL is_link( const WCHAR *path, DWORD attributes )
{
    HANDLE file = open_dir( path, FILE_READ_ATTRIBUTES, FILE_FLAG_OPEN_REPARSE_POINT ), find;
    WIN32_FIND_DATAW found;
    DWORD tag, seen = attributes_of( file, &tag );

    CloseHandle( file );
    if ((find = FindFirstFileW( path, &found )) == INVALID_HANDLE_VALUE) return FALSE;
    FindClose( find );
    return seen == attributes && tag == IO_REPARSE_TAG_SYMLINK && found.dwFileAttributes == attributes &&
           found.dwReserved0 == IO_REPARSE_TAG_SYMLINK && GetFileAttributesW( path ) == attributes;
}

static BOOL holds( const WCHAR *path, const char *text )
{
    HANDLE file = CreateFileW( path, GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL );
    char got[16] = { 0 };
    DWORD len = 0;

    if (file == INVALID_HANDLE_VALUE) return FALSE;
    ReadFile( file, got, sizeof(got) - 1, &len, NULL );
    CloseHandle( file );
    return !strcmp( got, text );
}

static void test_symlinks(void)
{
    struct mount_point data = { 0 };
    HANDLE file;
    DWORD got;

    ok( !symlink( FILE_LINK, OUTSIDE L"\\file.txt", 0 ), "developer mode: make a link to a file (%lu)", GetLastError() );
    ok( !symlink( DIR_LINK, OUTSIDE, SYMBOLIC_LINK_FLAG_DIRECTORY ), "to a directory (%lu)", GetLastError() );
    ok( symlink( DIR_LINK, OUTSIDE, 0 ) == ERROR_ALREADY_EXISTS, "not where something is" );
    ok( is_link( FILE_LINK, FILE_ATTRIBUTE_ARCHIVE | FILE_ATTRIBUTE_REPARSE_POINT ), "a file link looks like one" );
    ok( is_link( DIR_LINK, FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT ), "so does a directory link" );
    ok( holds( FILE_LINK, "x" ) && holds( DIR_LINK L"\\file.txt", "x" ), "they lead to their targets" );
    ok( GetFileAttributesW( DIR_LINK L"\\file.txt" ) == FILE_ATTRIBUTE_ARCHIVE, "what lies behind is no link" );
    ok( leads_to( FILE_LINK, 0, OUTSIDE L"\\file.txt" ) && leads_to( DIR_LINK, 0, OUTSIDE ), "final paths are the targets'" );
    ok( leads_to( FILE_LINK, FILE_FLAG_OPEN_REPARSE_POINT, FILE_LINK ) &&
        leads_to( DIR_LINK, FILE_FLAG_OPEN_REPARSE_POINT, DIR_LINK ), "those of the links their own" );
    ok( leads_to( L"c:\\LAB-LINKS\\workspace\\DIRLINK\\DEEP", FILE_FLAG_OPEN_REPARSE_POINT, OUTSIDE L"\\deep" ),
        "on the way they are followed, in any spelling" );

    file = open_dir( FILE_LINK, GENERIC_WRITE, FILE_FLAG_OPEN_REPARSE_POINT );
    ok( DeviceIoControl( file, FSCTL_GET_REPARSE_POINT, NULL, 0, &data, sizeof(data), &got, NULL ) &&
        got == 8u + data.length && !data.names[0] && !data.names[1] &&
        !wcsncmp( data.names + 2 + data.target_offset / 2, L"\\??\\" OUTSIDE L"\\file.txt", data.target_length / 2 ) &&
        !wcsncmp( data.names + 2 + data.print_offset / 2, OUTSIDE L"\\file.txt", data.print_length / 2 ), "it tells its target" );
    data.tag = IO_REPARSE_TAG_MOUNT_POINT;
    data.length = 0;
    ok( !DeviceIoControl( file, FSCTL_DELETE_REPARSE_POINT, &data, 8, NULL, 0, &got, NULL ) &&
        GetLastError() == ERROR_REPARSE_TAG_MISMATCH, "it is not deleted as a junction (%lu)", GetLastError() );
    data.tag = IO_REPARSE_TAG_SYMLINK;
    ok( DeviceIoControl( file, FSCTL_DELETE_REPARSE_POINT, &data, 8, NULL, 0, &got, NULL ), "but as what it is" );
    ok( set_link( file, OUTSIDE ) == ERROR_DIRECTORY, "a file becomes no junction" );
    CloseHandle( file );
    ok( GetFileAttributesW( FILE_LINK ) == FILE_ATTRIBUTE_ARCHIVE && holds( FILE_LINK, "" ), "an empty file is left" );
    DeleteFileW( FILE_LINK );
}

/* each name is used at once, and removed */
static BOOL reaches( const WCHAR *link, const WCHAR *target, DWORD flags, const WCHAR *expected )
{
    BOOL ret = !symlink( link, target, flags ) && leads_to( link, 0, expected );

    return (flags ? RemoveDirectoryW( link ) : DeleteFileW( link )) && ret;
}

static void test_relative_targets(void)
{
    const WCHAR *file = OUTSIDE L"\\file.txt";
    HANDLE dir;

    ok( reaches( FILE_LINK, L"..\\outside\\file.txt", 0, file ), "a relative target starts at the link's directory" );
    ok( reaches( FILE_LINK, L".\\.\\..\\workspace\\..\\outside\\.\\file.txt", 0, file ), "with any dots" );
    ok( reaches( WORKSPACE L"\\up", L"..\\outside\\", 1, OUTSIDE ), "or to a directory" );
    ok( reaches( WORKSPACE L"\\up", L"..\\..", 1, L"C:\\" ), "up to the root" );
    ok( !reaches( WORKSPACE L"\\up", L"..\\..\\..", 1, L"C:\\" ), "and not beyond" );
    ok( reaches( FILE_LINK, L"\\lab-links\\outside\\file.txt", 0, file ), "one that begins with a backslash starts at the volume's root" );
    ok( !symlink( OUTSIDE L"\\deep\\up", L"..\\file.txt", 0 ) && leads_to( DIR_LINK L"\\deep\\up", 0, file ),
        "behind another link it starts where that leads" );
    ok( DeleteFileW( OUTSIDE L"\\deep\\up" ), "remove it" );

    dir = open_dir( WORKSPACE, FILE_LIST_DIRECTORY, 0 );
    symlink( FILE_LINK, L"..\\outside\\file.txt", 0 );
    symlink( WORKSPACE L"\\up", L"..\\outside", 1 );
    ok( !open_below( dir, L"filelink", 0 ) && !open_below( dir, L"up\\file.txt", 0 ),
        "names that start from an open directory find relative links" );
    ok( open_below( dir, L"up\\nothing", 0 ) == 0xc0000034, "and what is not behind them" );
    ok( open_below_as( dir, L"up\\file.txt", 0, 0x1040 ) == 0xc000050b && open_below_as( dir, L"filelink", 0, 0x1040 ) == 0xc000050b,
        "OBJ_DONT_REPARSE follows none" );
    ok( !open_below_as( dir, L"filelink", 0x200000, 0x1040 ), "but lets the link itself be opened" );
    CloseHandle( dir );
    ok( DeleteFileW( FILE_LINK ) && RemoveDirectoryW( WORKSPACE L"\\up" ), "remove them" );
}

static void test_chains(void)
{
    const WCHAR *a = WORKSPACE L"\\a", *b = WORKSPACE L"\\b";

    symlink( b, L"dirlink\\file.txt", 0 );
    ok( reaches( a, L"b", 0, OUTSIDE L"\\file.txt" ), "links lead to links" );
    DeleteFileW( b );
    symlink( a, L"b", 0 );
    symlink( b, L"a", 0 );
    ok( try_open( a, GENERIC_READ, OPEN_EXISTING, 0 ) == ERROR_CANT_RESOLVE_FILENAME, "not in circles" );
    ok( GetFileAttributesW( a ) & FILE_ATTRIBUTE_REPARSE_POINT, "which can be seen" );
    ok( DeleteFileW( a ) && DeleteFileW( b ), "and removed" );
}

static void test_kinds(void)
{
    HANDLE dir = open_dir( WORKSPACE, FILE_LIST_DIRECTORY, 0 );

    symlink( FILE_LINK, OUTSIDE, 0 );  /* of the wrong kind */
    ok( open_below( dir, L"filelink", 0x1 ) == 0xc0000103, "FILE_DIRECTORY_FILE opens no file link" );
    ok( !SetCurrentDirectoryW( FILE_LINK ) && GetLastError() == ERROR_DIRECTORY, "so nobody gets into it (%lu)", GetLastError() );
    ok( leads_to( FILE_LINK, 0, OUTSIDE ), "an open for either kind follows it" );
    ok( open_below( dir, L"dirlink", 0x40 ) == 0xc00000ba, "FILE_NON_DIRECTORY_FILE opens no directory link" );
    ok( try_open( DIR_LINK, GENERIC_READ, OPEN_EXISTING, 0 ) == ERROR_ACCESS_DENIED, "so CreateFile does not" );
    ok( !RemoveDirectoryW( FILE_LINK ) && GetLastError() == ERROR_DIRECTORY, "RemoveDirectory wants directory links" );
    ok( !DeleteFileW( DIR_LINK ) && GetLastError() == ERROR_ACCESS_DENIED, "DeleteFile file links" );
    ok( !CreateDirectoryW( FILE_LINK, NULL ) && GetLastError() == ERROR_ALREADY_EXISTS, "no directory is made where a file link is" );
    ok( DeleteFileW( FILE_LINK ), "each its own" );
    CloseHandle( dir );
}

/* what changes behind a link, and what becomes of the link */
static void test_changing(void)
{
    const WCHAR *target = OUTSIDE L"\\made", *other = WORKSPACE L"\\other";

    symlink( FILE_LINK, L"..\\outside\\made", 0 );
    ok( try_open( FILE_LINK, GENERIC_READ, OPEN_EXISTING, 0 ) == ERROR_FILE_NOT_FOUND, "a link may lead to nothing" );
    ok( !try_open( FILE_LINK, GENERIC_WRITE, CREATE_NEW, 0 ) && holds( target, "" ), "a file is made where it leads" );
    ok( try_open( FILE_LINK, GENERIC_WRITE, CREATE_NEW, 0 ) == ERROR_FILE_EXISTS, "once" );
    ok( !make_file( FILE_LINK, "new" ) && holds( target, "new" ), "and overwritten there" );
    ok( SetFileAttributesW( FILE_LINK, FILE_ATTRIBUTE_HIDDEN ) && !(GetFileAttributesW( target ) & FILE_ATTRIBUTE_HIDDEN) &&
        (GetFileAttributesW( FILE_LINK ) & (FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_REPARSE_POINT)) ==
        (FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_REPARSE_POINT), "attributes are set on the link" );
    ok( MoveFileW( FILE_LINK, other ) && leads_to( other, 0, target ), "it is moved as such" );
    ok( !make_file( FILE_LINK, "plain" ) && MoveFileExW( FILE_LINK, other, MOVEFILE_REPLACE_EXISTING ) &&
        holds( other, "plain" ) && holds( target, "new" ), "and replaced as such" );
    ok( DeleteFileW( other ) && DeleteFileW( target ), "remove both" );

    symlink( other, target, SYMBOLIC_LINK_FLAG_DIRECTORY );
    ok( CreateDirectoryW( other, NULL ) && GetFileAttributesW( target ) == FILE_ATTRIBUTE_DIRECTORY, "a directory is made where its link leads" );
    ok( !CreateDirectoryW( other, NULL ) && GetLastError() == ERROR_ALREADY_EXISTS, "once" );
    ok( RemoveDirectoryW( other ) && RemoveDirectoryW( target ), "remove both" );
}

static void test_running( void )
{
    WCHAR path[MAX_PATH], command[MAX_PATH];
    STARTUPINFOW si = { sizeof(si) };
    PROCESS_INFORMATION pi;
    DWORD code = 99;

    GetModuleFileNameW( NULL, path, MAX_PATH );
    symlink( WORKSPACE L"\\run.exe", path, 0 );
    wcscpy( command, L"run read file.txt" );
    if (ok( CreateProcessW( WORKSPACE L"\\run.exe", command, NULL, NULL, FALSE, 0, NULL, DIR_LINK, &si, &pi ),
            "run a program through a link (%lu)", GetLastError() ))
    {
        WaitForSingleObject( pi.hProcess, INFINITE );
        GetExitCodeProcess( pi.hProcess, &code );
    }
    ok( !code, "in a directory that is a link (%lu)", code );
    ok( DeleteFileW( WORKSPACE L"\\run.exe" ), "remove it" );
}

static void test_symlink_security( HANDLE sandbox )
{
    WCHAR *dir_before = get_sd( OUTSIDE, DACL_SECURITY_INFORMATION ), *before = get_sd( OUTSIDE L"\\file.txt", DACL_SECURITY_INFORMATION );
    PSECURITY_DESCRIPTOR sd;
    HANDLE file;

    ok( !as_child( sandbox, L"symlink", FILE_LINK ), "the sandbox makes a symbolic link" );
    ok( !as_child( sandbox, L"read", FILE_LINK ), "and reads through it" );
    ok( as_child( sandbox, L"write", FILE_LINK ) == ERROR_ACCESS_DENIED, "but writing is the target's to allow" );
    ok( as_child( sandbox, L"write", DIR_LINK L"\\new.txt" ) == ERROR_ACCESS_DENIED, "so are new files" );
    ok( as_child( sandbox, L"delete", DIR_LINK L"\\file.txt" ) == ERROR_ACCESS_DENIED, "and deleting" );

    ok( !set_named( WORKSPACE, L"D:(A;OICI;0x1301bf;;;" SYNTHETIC_SID L")(A;OICI;FA;;;OW)(A;OICI;FA;;;BU)", 0 ), "stamp the workspace" );
    ok( !wcscmp( before, get_sd( OUTSIDE L"\\file.txt", DACL_SECURITY_INFORMATION )) &&
        !wcscmp( dir_before, get_sd( OUTSIDE, DACL_SECURITY_INFORMATION )), "nothing behind a link is stamped" );

    file = open_dir( FILE_LINK, READ_CONTROL | WRITE_DAC, FILE_FLAG_OPEN_REPARSE_POINT );
    ConvertStringSecurityDescriptorToSecurityDescriptorW( L"D:P(A;;FA;;;BU)(A;;FA;;;" SYNTHETIC_SID L")", 1, &sd, NULL );
    ok( SetKernelObjectSecurity( file, DACL_SECURITY_INFORMATION, sd ), "set the link's own descriptor" );
    CloseHandle( file );
    ok( !wcscmp( before, get_sd( OUTSIDE L"\\file.txt", DACL_SECURITY_INFORMATION )), "which is not the target's" );
    ok( as_child( sandbox, L"write", FILE_LINK ) == ERROR_ACCESS_DENIED, "and opens nothing" );
    ok( !as_child( sandbox, L"delete", FILE_LINK ) && holds( OUTSIDE L"\\file.txt", "x" ), "but the link" );
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
    ok( RemoveDirectoryW( DIR_LINK ) && GetFileAttributesW( OUTSIDE L"\\file.txt" ) != INVALID_FILE_ATTRIBUTES,
        "symbolic links too" );
}

static int run_tests( char **arguments )
{
    HANDLE plain = filter_token( 0, NULL, NULL, NULL ), sandbox = sandbox_token();
    DWORD i, admin[ADMIN_ACTS];

    for (i = 0; i < ADMIN_ACTS; i++) admin[i] = arguments[i] ? strtoul( arguments[i], NULL, 10 ) : 99;
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
    test_privilege( admin );
    test_symlinks();
    test_relative_targets();
    test_chains();
    test_kinds();
    test_changing();
    test_running();
    test_symlink_security( sandbox );
    test_removing();
    DeleteFileW( WORKSPACE L"\\mine.txt" );
    DeleteFileW( OUTSIDE L"\\file.txt" );
    RemoveDirectoryW( OUTSIDE L"\\deep" );
    RemoveDirectoryW( OUTSIDE );
    RemoveDirectoryW( WORKSPACE );
    ok( RemoveDirectoryW( ROOT ), "the user removes it all" );
    return finish();
}

int main( int argc, char **argv )
{
    DWORD admin[ADMIN_ACTS];
    WCHAR command[64];
    HANDLE user;

    if (argc > 1 && !strcmp( argv[1], "tests" )) return run_tests( argv + 2 );
    if (argc > 1) return run_subcommand( argv[1], argc > 2 ? argv[2] : NULL );
    user = standard_token();
    as_admin( user, admin );
    swprintf( command, 64, L"tests %lu %lu %lu %lu", admin[0], admin[1], admin[2], admin[3] );
    return run_child( user, command );
}
