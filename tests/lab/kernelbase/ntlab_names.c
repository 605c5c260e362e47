/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: FindFirstFileNameW and FindNextFileNameW
 *
 * Compiled as part of Wine's dlls/kernelbase/file.c, whose FindClose() frees what is made here.
 */

#define NTLAB_NAMES_MAGIC 0xc0ffee46

struct ntlab_names
{
    DWORD  magic;       /* as in FIND_FIRST_INFO */
    WCHAR *next;        /* names, each with its null, and an empty one */
    WCHAR  names[0x8000];
};

/* missing in Wine's headers */
struct ntlab_link_entry
{
    ULONG    next;
    LONGLONG parent;
    ULONG    length;
    WCHAR    name[1];
};

/* the path on its volume of a directory; the buffer has room for one */
static NTSTATUS get_directory_path( HANDLE root, LONGLONG id, FILE_NAME_INFORMATION *info, ULONG size )
{
    UNICODE_STRING name = { sizeof(id), sizeof(id), (WCHAR *)&id };
    OBJECT_ATTRIBUTES attr;
    IO_STATUS_BLOCK io;
    NTSTATUS status;
    HANDLE dir;

    InitializeObjectAttributes( &attr, &name, 0, root, NULL );
    status = NtOpenFile( &dir, FILE_READ_ATTRIBUTES | SYNCHRONIZE, &attr, &io, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                         FILE_OPEN_BY_FILE_ID | FILE_OPEN_FOR_BACKUP_INTENT | FILE_SYNCHRONOUS_IO_NONALERT );
    if (status) return status;
    status = NtQueryInformationFile( dir, &io, info, size, FileNameInformation );
    NtClose( dir );
    return status;
}

static NTSTATUS collect_names( struct ntlab_names *names, HANDLE file, HANDLE root )
{
    const ULONG size = 0x10000;
    struct { FILE_NAME_INFORMATION info; WCHAR space[MAX_PATH * 4]; } dir;
    struct ntlab_link_entry *entry;
    IO_STATUS_BLOCK io;
    NTSTATUS status;
    WCHAR *pos = names->names;
    char *buffer;
    ULONG len;

    if (!(buffer = HeapAlloc( GetProcessHeap(), 0, size ))) return STATUS_NO_MEMORY;
    status = NtQueryInformationFile( file, &io, buffer, size, FileHardLinkInformation );
    for (entry = (struct ntlab_link_entry *)(buffer + 8); !status; entry = (struct ntlab_link_entry *)((char *)entry + entry->next))
    {
        if ((status = get_directory_path( root, entry->parent, &dir.info, sizeof(dir) ))) break;
        len = dir.info.FileNameLength / sizeof(WCHAR);
        if (len && dir.info.FileName[len - 1] == '\\') len--;
        if (pos - names->names + len + entry->length + 3 > ARRAY_SIZE(names->names))
        {
            status = STATUS_BUFFER_OVERFLOW;
            break;
        }
        memcpy( pos, dir.info.FileName, len * sizeof(WCHAR) );
        pos += len;
        *pos++ = '\\';
        memcpy( pos, entry->name, entry->length * sizeof(WCHAR) );
        pos += entry->length;
        *pos++ = 0;
        if (!entry->next) break;
    }
    *pos = 0;
    names->next = names->names;
    HeapFree( GetProcessHeap(), 0, buffer );
    return status;
}

/***********************************************************************
 *	FindNextFileNameW   (kernelbase.@)
 */
BOOL WINAPI FindNextFileNameW( HANDLE handle, DWORD *len, WCHAR *name )
{
    struct ntlab_names *names = handle;
    const DWORD needed = lstrlenW( names->next ) + 1;

    if (needed == 1) SetLastError( ERROR_HANDLE_EOF );
    else if (*len < needed) SetLastError( ERROR_MORE_DATA );
    else
    {
        memcpy( name, names->next, needed * sizeof(WCHAR) );
        names->next += needed;
        *len = needed;
        return TRUE;
    }
    *len = needed;
    return FALSE;
}

/***********************************************************************
 *	FindFirstFileNameW   (kernelbase.@)
 */
HANDLE WINAPI FindFirstFileNameW( const WCHAR *path, DWORD flags, DWORD *len, WCHAR *name )
{
    HANDLE file = INVALID_HANDLE_VALUE, root = INVALID_HANDLE_VALUE;
    struct ntlab_names *names = NULL;
    WCHAR volume[MAX_PATH];

    if (flags) SetLastError( ERROR_INVALID_PARAMETER );
    else if (GetVolumePathNameW( path, volume, ARRAY_SIZE(volume) ) &&
             (file = CreateFileW( path, FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                  OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, 0 )) != INVALID_HANDLE_VALUE &&
             (root = CreateFileW( volume, FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                  OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, 0 )) != INVALID_HANDLE_VALUE &&
             (names = HeapAlloc( GetProcessHeap(), 0, sizeof(*names) )))
    {
        names->magic = NTLAB_NAMES_MAGIC;
        if (!set_ntstatus( collect_names( names, file, root )) || !FindNextFileNameW( names, len, name ))
        {
            HeapFree( GetProcessHeap(), 0, names );
            names = NULL;
        }
    }
    if (file != INVALID_HANDLE_VALUE) NtClose( file );
    if (root != INVALID_HANDLE_VALUE) NtClose( root );
    return names ? names : INVALID_HANDLE_VALUE;
}
