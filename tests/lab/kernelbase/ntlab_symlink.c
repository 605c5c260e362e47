/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: CreateSymbolicLink
 *
 * Compiled as part of Wine's dlls/kernelbase/file.c.  MSDN "CreateSymbolicLinkW", "Creating Symbolic Links" and
 * "Enable your device for development": in developer mode the second flag does without the privilege.
 */

#include "winreg.h"
#include "ntlab_symlink.h"

#define SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE 0x2

static BOOL is_developer_mode(void)
{
    DWORD value = 0, size = sizeof(value);

    return !RegGetValueW( HKEY_LOCAL_MACHINE, L"Software\\Microsoft\\Windows\\CurrentVersion\\AppModelUnlock",
                          L"AllowDevelopmentWithoutDevLicense", RRF_RT_REG_DWORD, NULL, &value, &size ) && value;
}

/* returns the size of the data, 0 if the names are too long */
static DWORD fill_symlink_data( struct reparse_data *data, const WCHAR *name, DWORD len, const WCHAR *print, BOOL relative )
{
    const DWORD print_len = lstrlenW( print ), size = offsetof( struct reparse_data, names[FLAGS_LEN + len + print_len] );

    if (size > MAXIMUM_REPARSE_DATA_BUFFER_SIZE) return 0;
    memset( data, 0, offsetof( struct reparse_data, names ));
    data->tag           = IO_REPARSE_TAG_SYMLINK;
    data->length        = size - HEADER_SIZE;
    data->target_length = len * sizeof(WCHAR);
    data->print_offset  = data->target_length;
    data->print_length  = print_len * sizeof(WCHAR);
    data->names[0]      = relative ? SYMLINK_FLAG_RELATIVE : 0;
    data->names[1]      = 0;
    memcpy( data->names + FLAGS_LEN, name, data->target_length );
    memcpy( data->names + FLAGS_LEN + len, print, data->print_length );
    return size;
}

/* an empty file or directory that carries the data; nothing is left behind on failure */
static NTSTATUS make_symlink( UNICODE_STRING *name, struct reparse_data *data, DWORD size, DWORD flags )
{
    const BOOL unprivileged = (flags & SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE) && is_developer_mode();
    FILE_DISPOSITION_INFORMATION disposition = { TRUE };
    OBJECT_ATTRIBUTES attr;
    IO_STATUS_BLOCK io;
    BOOLEAN was_enabled;
    NTSTATUS status, held;
    HANDLE file;

    InitializeObjectAttributes( &attr, name, OBJ_CASE_INSENSITIVE, 0, NULL );
    status = NtCreateFile( &file, FILE_WRITE_ATTRIBUTES | DELETE | SYNCHRONIZE, &attr, &io, NULL, 0,
                           FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_CREATE,
                           FILE_OPEN_REPARSE_POINT | FILE_SYNCHRONOUS_IO_NONALERT |
                           (flags & SYMBOLIC_LINK_FLAG_DIRECTORY ? FILE_DIRECTORY_FILE : FILE_NON_DIRECTORY_FILE), NULL, 0 );
    if (status) return status;

    held = RtlAdjustPrivilege( SE_CREATE_SYMBOLIC_LINK_PRIVILEGE, TRUE, FALSE, &was_enabled );
    status = NtFsControlFile( file, NULL, NULL, NULL, &io, unprivileged ? NTLAB_FSCTL_SET_SYMLINK : FSCTL_SET_REPARSE_POINT,
                              data, size, NULL, 0 );
    if (!held && !was_enabled) RtlAdjustPrivilege( SE_CREATE_SYMBOLIC_LINK_PRIVILEGE, FALSE, FALSE, &was_enabled );
    if (status) NtSetInformationFile( file, &io, &disposition, sizeof(disposition), FileDispositionInformation );
    NtClose( file );
    return status;
}

static BOOLEAN ntlab_create_symlink( const WCHAR *link, const WCHAR *target, DWORD flags )
{
    const DOS_PATHNAME_TYPE type = RtlDetermineDosPathNameType_U( target );
    const BOOL relative = type == RELATIVE_PATH || type == ABSOLUTE_PATH;  /* that is one without a drive */
    UNICODE_STRING name = { 0 }, found = { 0 };
    struct reparse_data data;
    DWORD size;
    BOOLEAN ret = FALSE;

    if (!target[0] || (flags & ~(SYMBOLIC_LINK_FLAG_DIRECTORY | SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE)))
        SetLastError( ERROR_INVALID_PARAMETER );
    else if (!RtlDosPathNameToNtPathName_U( link, &name, NULL, NULL ) ||
             (!relative && !RtlDosPathNameToNtPathName_U( target, &found, NULL, NULL )))
        SetLastError( ERROR_PATH_NOT_FOUND );
    else if (!(size = fill_symlink_data( &data, relative ? target : found.Buffer,
                                         relative ? lstrlenW( target ) : found.Length / sizeof(WCHAR), target, relative )))
        SetLastError( ERROR_FILENAME_EXCED_RANGE );
    else ret = set_ntstatus( make_symlink( &name, &data, size, flags ));

    RtlFreeUnicodeString( &name );
    RtlFreeUnicodeString( &found );
    return ret;
}
