/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: programs whose manifest asks for an administrator
 *
 * CreateProcess looks for the manifest and fails with ERROR_ELEVATION_REQUIRED (Windows SDK support blog, 2010-05-31,
 * "Dealing with Administrator and standard user's context"; MSDN "Application Manifests", requestedExecutionLevel).
 * The file is read directly, so that no call of the system is counted.
 */

#if 0
#pragma makedep unix
#endif

#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winternl.h"
#include "unix_private.h"
#include "ntlab.h"

#define MANIFEST_TYPE 24    /* RT_MANIFEST */
#define MANIFEST_MAX  65536

struct image
{
    int                  fd;
    unsigned int         count;     /* sections */
    IMAGE_SECTION_HEADER sections[96];
};

static BOOL read_at( int fd, off_t pos, void *data, size_t size )
{
    return pread( fd, data, size, pos ) == (ssize_t)size;
}

static BOOL read_rva( const struct image *image, DWORD rva, void *data, DWORD size )
{
    unsigned int i;

    for (i = 0; i < image->count; i++)
    {
        const IMAGE_SECTION_HEADER *section = &image->sections[i];

        if (rva < section->VirtualAddress || rva - section->VirtualAddress >= section->SizeOfRawData) continue;
        return read_at( image->fd, (off_t)section->PointerToRawData + rva - section->VirtualAddress, data, size );
    }
    return FALSE;
}

/* returns the RVA of the resources, or 0 */
static DWORD open_image( struct image *image, int fd )
{
    union
    {
        IMAGE_NT_HEADERS32 nt32;
        IMAGE_NT_HEADERS64 nt64;
    } nt;
    IMAGE_DOS_HEADER dos;
    off_t pos;

    image->fd = fd;
    if (!read_at( fd, 0, &dos, sizeof(dos) ) || dos.e_magic != IMAGE_DOS_SIGNATURE) return 0;
    if (!read_at( fd, dos.e_lfanew, &nt.nt32, sizeof(nt.nt32) ) || nt.nt32.Signature != IMAGE_NT_SIGNATURE) return 0;
    pos = dos.e_lfanew + FIELD_OFFSET( IMAGE_NT_HEADERS32, OptionalHeader ) + nt.nt32.FileHeader.SizeOfOptionalHeader;
    image->count = min( nt.nt32.FileHeader.NumberOfSections, ARRAY_SIZE(image->sections) );
    if (!read_at( fd, pos, image->sections, image->count * sizeof(image->sections[0]) )) return 0;
    if (nt.nt32.OptionalHeader.Magic == IMAGE_NT_OPTIONAL_HDR32_MAGIC)
        return nt.nt32.OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_RESOURCE].VirtualAddress;
    if (!read_at( fd, dos.e_lfanew, &nt.nt64, sizeof(nt.nt64) )) return 0;
    return nt.nt64.OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_RESOURCE].VirtualAddress;
}

/* an entry of a directory of resources: that with an ID, or the first one; returns its offset, or 0 */
static DWORD find_entry( const struct image *image, DWORD root, DWORD dir, int id )
{
    IMAGE_RESOURCE_DIRECTORY header;
    IMAGE_RESOURCE_DIRECTORY_ENTRY entry;
    unsigned int i;

    if (!read_rva( image, root + dir, &header, sizeof(header) )) return 0;
    for (i = 0; i < header.NumberOfNamedEntries + header.NumberOfIdEntries; i++)
    {
        if (!read_rva( image, root + dir + sizeof(header) + i * sizeof(entry), &entry, sizeof(entry) )) return 0;
        if (!id || (!entry.NameIsString && entry.Id == id)) return entry.OffsetToData & ~IMAGE_RESOURCE_DATA_IS_DIRECTORY;
    }
    return 0;
}

/* the manifest, with a terminating null; free it */
static char *read_manifest( int fd )
{
    IMAGE_RESOURCE_DATA_ENTRY data;
    struct image *image = malloc( sizeof(*image) );
    DWORD root, dir;
    char *manifest = NULL;

    if (image && (root = open_image( image, fd )) && (dir = find_entry( image, root, 0, MANIFEST_TYPE )) &&
        (dir = find_entry( image, root, dir, 0 )) && (dir = find_entry( image, root, dir, 0 )) &&
        read_rva( image, root + dir, &data, sizeof(data) ) && data.Size < MANIFEST_MAX && (manifest = malloc( data.Size + 1 )))
    {
        if (!read_rva( image, data.OffsetToData, manifest, data.Size )) data.Size = 0;
        manifest[data.Size] = 0;
    }
    free( image );
    return manifest;
}

/* may a process with this token, or the caller's where there is none, run the file? */
NTSTATUS ntlab_check_elevation( HANDLE file, HANDLE token )
{
    TOKEN_ELEVATION_TYPE type = TokenElevationTypeDefault;
    TOKEN_ELEVATION elevation = { 0 };
    int fd, needs_close;
    char *manifest;
    ULONG len;
    NTSTATUS status = STATUS_SUCCESS;

    if (!file || server_get_unix_fd( file, FILE_READ_DATA, &fd, &needs_close, NULL, NULL )) return STATUS_SUCCESS;
    if ((manifest = read_manifest( fd )))
    {
        const BOOL required = !!strstr( manifest, "requireAdministrator" ), highest = !!strstr( manifest, "highestAvailable" );

        if (required || highest)
        {
            if (!token) token = GetCurrentProcessToken();
            NtQueryInformationToken( token, TokenElevation, &elevation, sizeof(elevation), &len );
            NtQueryInformationToken( token, TokenElevationType, &type, sizeof(type), &len );
            if (!elevation.TokenIsElevated && (required || type == TokenElevationTypeLimited)) status = STATUS_ELEVATION_REQUIRED;
        }
        free( manifest );
    }
    if (needs_close) close( fd );
    return status;
}
