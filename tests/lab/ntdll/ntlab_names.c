/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: all names of a file
 *
 * FileHardLinkInformation (MS-FSCC 2.4.16, WDK "FILE_LINKS_INFORMATION").  Unix does not know where the other
 * names of a file are, so they are looked for: on drive C:, and for files elsewhere in their own directory.
 */

#if 0
#pragma makedep unix
#endif

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winternl.h"
#include "unix_private.h"
#include "ntlab.h"

/* missing in Wine's headers */
struct link_entry
{
    ULONG    next;
    LONGLONG parent;
    ULONG    length;    /* in characters */
    WCHAR    name[1];
};

struct links
{
    ULONG             needed;
    ULONG             count;
    struct link_entry entry;
};

struct search
{
    struct stat        file;
    unsigned int       found;
    struct links      *links;
    struct link_entry *last;
    ULONG              size;        /* of the buffer */
    ULONG              used;
    BOOL               overflow;
};

static void add_link( struct search *search, LONGLONG parent, const char *name )
{
    const ULONG start = (search->links->needed + 7) & ~7;
    struct link_entry *entry = (struct link_entry *)((char *)search->links + start);
    WCHAR buffer[NAME_MAX];
    ULONG len = ntdll_umbstowcs( name, strlen( name ), buffer, NAME_MAX ), end;

    search->found++;
    end = start + offsetof( struct link_entry, name[len] );
    search->links->needed = end;
    if (search->overflow || end > search->size)
    {
        search->overflow = TRUE;
        return;
    }
    if (search->last) search->last->next = (char *)entry - (char *)search->last;
    entry->next   = 0;
    entry->parent = parent;
    entry->length = len;
    memcpy( entry->name, buffer, len * sizeof(WCHAR) );
    search->last = entry;
    search->used = end;
    search->links->count++;
}

/* closes the directory */
static void search_directory( struct search *search, int fd, BOOL recursive )
{
    struct dirent *entry;
    struct stat dir_st, st;
    DIR *dir;

    if (fd == -1) return;
    if (fstat( fd, &dir_st ) || !(dir = fdopendir( fd )))
    {
        close( fd );
        return;
    }
    while (search->found < search->file.st_nlink && (entry = readdir( dir )))
    {
        if (!strcmp( entry->d_name, "." ) || !strcmp( entry->d_name, ".." )) continue;
        if (entry->d_ino == search->file.st_ino && !fstatat( fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW ) &&
            st.st_dev == search->file.st_dev && st.st_ino == search->file.st_ino)
            add_link( search, dir_st.st_ino, entry->d_name );
        else if (recursive && entry->d_type == DT_DIR)
            search_directory( search, openat( fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC ), TRUE );
    }
    closedir( dir );
}

static NTSTATUS find_links( struct search *search, int fd )
{
    char link[32], path[PATH_MAX], name[PATH_MAX], drive[PATH_MAX], *slash;
    struct stat st;
    ssize_t len;
    size_t drive_len = 0;

    snprintf( link, sizeof(link), "/proc/self/fd/%d", fd );
    if ((len = readlink( link, path, sizeof(path) - 1 )) <= 0) return STATUS_UNSUCCESSFUL;
    path[len] = 0;
    snprintf( name, sizeof(name), "%s/dosdevices/c:", config_dir );
    if (realpath( name, drive )) drive_len = strlen( drive );
    if (!strcmp( path, "/" )) return STATUS_INVALID_PARAMETER;
    slash = strrchr( path, '/' );

    if (S_ISDIR( search->file.st_mode ) || search->file.st_nlink == 1)
    {
        strcpy( name, slash + 1 );
        slash[slash == path] = 0;
        if (stat( path, &st )) return STATUS_OBJECT_NAME_NOT_FOUND;
        add_link( search, st.st_ino, name );
    }
    else if (drive_len && !strncmp( path, drive, drive_len ) && path[drive_len] == '/')
        search_directory( search, open( drive, O_RDONLY | O_DIRECTORY | O_CLOEXEC ), TRUE );
    else
    {
        slash[slash == path] = 0;
        search_directory( search, open( path, O_RDONLY | O_DIRECTORY | O_CLOEXEC ), FALSE );
    }
    return search->found ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
}

NTSTATUS ntlab_query_names( HANDLE handle, IO_STATUS_BLOCK *io, void *buffer, ULONG size )
{
    struct search search = { .links = buffer, .size = size, .used = offsetof( struct links, entry ) };
    int fd, needs_close;
    NTSTATUS status;

    io->Information = 0;
    if (size < sizeof(struct links)) status = STATUS_INFO_LENGTH_MISMATCH;
    else if (!(status = server_get_unix_fd( handle, 0, &fd, &needs_close, NULL, NULL )))
    {
        memset( buffer, 0, size );
        search.links->needed = offsetof( struct links, entry );
        if (fstat( fd, &search.file )) status = STATUS_UNSUCCESSFUL;
        else if (!(status = find_links( &search, fd )))
        {
            io->Information = search.used;
            if (search.overflow) status = STATUS_BUFFER_OVERFLOW;
        }
        if (needs_close) close( fd );
    }
    return io->Status = status;
}
