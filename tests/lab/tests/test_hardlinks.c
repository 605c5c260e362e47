/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of a file: FileHardLinkInformation, FindFirstFileNameW. */

#include "lab_test.h"
#include <stddef.h>

#define ROOT L"C:\\hardlinks"

struct links
{
    ULONG needed, count;
    struct entry
    {
        ULONG    next;
        LONGLONG parent;
        ULONG    length;
        WCHAR    name[1];
    } entry;
};

static char buffer[4096];

static HANDLE open_file( const WCHAR *path, DWORD access )
{
    return CreateFileW( path, access, 7, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL );
}

static LONGLONG id_of( const WCHAR *path )
{
    BY_HANDLE_FILE_INFORMATION info = { 0 };
    HANDLE file = open_file( path, FILE_READ_ATTRIBUTES );

    GetFileInformationByHandle( file, &info );
    CloseHandle( file );
    return (LONGLONG)info.nFileIndexHigh << 32 | info.nFileIndexLow;
}

static DWORD query( const WCHAR *path, ULONG size, ULONG_PTR *returned )
{
    LONG (WINAPI *call)( HANDLE, void *, void *, ULONG, int ) = (void *)GetProcAddress( GetModuleHandleW( L"ntdll" ), "NtQueryInformationFile" );
    struct { LONG status; ULONG_PTR information; } io = { 0 };
    HANDLE file = open_file( path, FILE_READ_ATTRIBUTES );
    DWORD status = call( file, &io, buffer, size, 46 /* FileHardLinkInformation */ );

    CloseHandle( file );
    if (returned) *returned = io.information;
    return status;
}

/* is a name in the answer? */
static BOOL has( const WCHAR *dir, const WCHAR *name )
{
    const struct links *links = (const struct links *)buffer;
    const struct entry *entry = &links->entry;
    const LONGLONG id = id_of( dir );
    ULONG i;

    for (i = 0; i < links->count; i++, entry = (const struct entry *)((const char *)entry + entry->next))
        if (entry->parent == id && entry->length == wcslen( name ) && !memcmp( entry->name, name, entry->length * sizeof(WCHAR) ))
            return TRUE;
    return FALSE;
}

static void test_query(void)
{
    const struct links *links = (const struct links *)buffer;
    ULONG needed;
    ULONG_PTR returned;
    DWORD status;

    ok( query( ROOT L"\\a\\one", sizeof(buffer), &returned ) == 0 && links->count == 1 && has( ROOT L"\\a", L"one" ), "a file with one name" );
    ok( links->entry.next == 0 && returned == links->needed && links->needed == 8 + offsetof( struct entry, name[3] ), "and how long the answer is" );
    ok( query( ROOT L"\\a", sizeof(buffer), NULL ) == 0 && links->count == 1 && has( ROOT, L"a" ), "a directory has one" );

    CreateHardLinkW( ROOT L"\\a\\other name", ROOT L"\\a\\one", NULL );
    CreateHardLinkW( ROOT L"\\b\\c\\t\x00fcr", ROOT L"\\a\\one", NULL );
    ok( query( ROOT L"\\a\\one", sizeof(buffer), NULL ) == 0 && links->count == 3, "three names" );
    ok( has( ROOT L"\\a", L"one" ) && has( ROOT L"\\a", L"other name" ) && has( ROOT L"\\b\\c", L"t\x00fcr" ), "are all there" );
    ok( !has( ROOT L"\\b\\c", L"one" ) && !has( ROOT L"\\a", L"two" ), "and no others" );
    needed = links->needed;
    ok( query( ROOT L"\\b\\c\\t\x00fcr", sizeof(buffer), NULL ) == 0 && links->needed == needed, "the same by another name" );

    status = query( ROOT L"\\a\\one", needed - 1, &returned );
    ok( status == 0x80000005 && links->count == 2 && links->needed == needed, "what has no room is left out" );
    ok( query( ROOT L"\\a\\one", 32, NULL ) == 0x80000005 && links->needed == needed, "and the size told" );
    ok( query( ROOT L"\\a\\one", 8, NULL ) == 0xc0000004, "a buffer without room for any is too short" );

    MoveFileW( ROOT L"\\a\\other name", ROOT L"\\b\\moved" );
    DeleteFileW( ROOT L"\\b\\c\\t\x00fcr" );
    ok( query( ROOT L"\\a\\one", sizeof(buffer), NULL ) == 0 && links->count == 2 && has( ROOT L"\\a", L"one" ) && has( ROOT L"\\b", L"moved" ),
        "after a move and a deletion" );
}

static void test_find(void)
{
    HANDLE (WINAPI *first)( const WCHAR *, DWORD, DWORD *, WCHAR * ) = (void *)GetProcAddress( GetModuleHandleW( L"kernel32" ), "FindFirstFileNameW" );
    BOOL (WINAPI *next)( HANDLE, DWORD *, WCHAR * ) = (void *)GetProcAddress( GetModuleHandleW( L"kernel32" ), "FindNextFileNameW" );
    WCHAR name[MAX_PATH];
    unsigned int seen = 0, i;
    DWORD len = MAX_PATH;
    HANDLE find;

    if (!ok( first && next, "kernel32 has the functions" )) return;
    find = first( ROOT L"\\b\\moved", 0, &len, name );
    if (!ok( find != INVALID_HANDLE_VALUE, "FindFirstFileNameW" )) printf( "# error %lu\n", GetLastError() );
    for (i = 0; i < 2 && find != INVALID_HANDLE_VALUE; i++)
    {
        if (!wcscmp( name, L"\\hardlinks\\a\\one" )) seen |= 1;
        else if (!wcscmp( name, L"\\hardlinks\\b\\moved" )) seen |= 2;
        else printf( "# %ls\n", name );
        ok( len == wcslen( name ) + 1, "the length of a name" );
        len = MAX_PATH;
        ok( next( find, &len, name ) == !i && (!i || GetLastError() == ERROR_HANDLE_EOF), "FindNextFileNameW" );
    }
    ok( seen == 3, "both names" );
    ok( FindClose( find ), "FindClose" );
    len = 3;
    find = first( ROOT L"\\b\\moved", 0, &len, name );
    ok( find == INVALID_HANDLE_VALUE && GetLastError() == ERROR_MORE_DATA && len > 3, "too small a buffer" );
    len = MAX_PATH;
    find = first( ROOT L"\\nothing", 0, &len, name );
    ok( find == INVALID_HANDLE_VALUE && GetLastError() == ERROR_FILE_NOT_FOUND, "a file that does not exist" );
}

int main(void)
{
    remove_tree( ROOT );
    CreateDirectoryW( ROOT, NULL );
    CreateDirectoryW( ROOT L"\\a", NULL );
    CreateDirectoryW( ROOT L"\\b", NULL );
    CreateDirectoryW( ROOT L"\\b\\c", NULL );
    make_file( ROOT L"\\a\\one", "1" );
    test_query();
    test_find();
    remove_tree( ROOT );
    return finish();
}
