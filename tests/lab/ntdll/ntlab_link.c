/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: junctions
 *
 * As on NTFS a junction is an empty directory that carries reparse data, here in an
 * extended attribute; so it has a descriptor of its own, and is renamed and removed
 * like any directory.  Names are resolved in the calling process, one component after
 * the other, and the resolved name is what the server judges and opens.  The rules:
 * MS-FSCC 2.1.2 (reparse data buffers), MSDN "FSCTL_SET_REPARSE_POINT" and
 * "NtCreateFile" (FILE_OPEN_REPARSE_POINT).
 */

#if 0
#pragma makedep unix
#endif

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winternl.h"
#include "winioctl.h"
#include "unix_private.h"
#include "ntlab.h"

#define REPARSE_XATTR "user.ntlab.reparse"
#define MAX_LINKS     63    /* MSDN "Reparse Points": so many in one name */

/* REPARSE_DATA_BUFFER of a mount point */
struct reparse_data
{
    ULONG  tag;
    USHORT length;          /* of what follows the header */
    USHORT reserved;
    USHORT target_offset;
    USHORT target_length;
    USHORT print_offset;
    USHORT print_length;
    WCHAR  names[(MAXIMUM_REPARSE_DATA_BUFFER_SIZE - 16) / sizeof(WCHAR)];
};

#define HEADER_SIZE 8

/* of a thread; Wine's libraries for Unix have no thread-local variables */
struct state
{
    BOOL           follow_last;  /* the next name is not to give the link itself */
    UNICODE_STRING next;         /* what resolving goes on with behind a link */
    UNICODE_STRING found;        /* the name that it has come to */
};

static pthread_key_t state_key;
static pthread_once_t state_once = PTHREAD_ONCE_INIT;

static void free_state( void *arg )
{
    struct state *state = arg;

    free( state->next.Buffer );
    free( state->found.Buffer );
    free( state );
}

static void init_state(void)
{
    pthread_key_create( &state_key, free_state );
}

static struct state *get_state(void)
{
    static struct state spare;  /* without memory */
    struct state *state;

    pthread_once( &state_once, init_state );
    if ((state = pthread_getspecific( state_key ))) return state;
    if (!(state = calloc( 1, sizeof(*state) ))) return &spare;
    pthread_setspecific( state_key, state );
    return state;
}

void ntlab_set_follow_last( BOOL follow )
{
    get_state()->follow_last = follow;
}

ULONG ntlab_reparse_tag( const char *path )
{
    struct reparse_data data;

    return getxattr( path, REPARSE_XATTR, &data, sizeof(data) ) >= HEADER_SIZE ? data.tag : 0;
}

ULONG ntlab_fd_reparse_tag( int fd )
{
    struct reparse_data data;

    return fgetxattr( fd, REPARSE_XATTR, &data, sizeof(data) ) >= HEADER_SIZE ? data.tag : 0;
}

/***********************************************************************
 *  resolving names
 */

/* is there a link among the components that follow 'pos'? */
BOOL ntlab_crosses_link( char *unix_name, int pos )
{
    char *slash = unix_name + pos;
    ULONG tag = 0;

    while (!tag && *slash && slash[1] && (slash = strchr( slash + 1, '/' )))
    {
        *slash = 0;
        tag = ntlab_reparse_tag( unix_name );
        *slash = '/';
    }
    return tag || (get_state()->follow_last && ntlab_reparse_tag( unix_name ));
}

/* If this directory is a link, note the name that it leads to, 'rest' being what comes
 * behind it, and return STATUS_REPARSE. */
NTSTATUS ntlab_follow_link( const char *unix_name, const WCHAR *rest, int rest_len )
{
    struct state *state = get_state();
    struct reparse_data data;
    WCHAR *name;
    int len;

    if (!rest_len && !state->follow_last) return STATUS_SUCCESS;
    if (getxattr( unix_name, REPARSE_XATTR, &data, sizeof(data) ) <= 0) return STATUS_SUCCESS;
    if (data.tag != IO_REPARSE_TAG_MOUNT_POINT) return STATUS_IO_REPARSE_TAG_NOT_HANDLED;

    len = data.target_length / sizeof(WCHAR);
    if (!(name = malloc( (len + rest_len + 2) * sizeof(WCHAR) ))) return STATUS_NO_MEMORY;
    memcpy( name, data.names + data.target_offset / sizeof(WCHAR), len * sizeof(WCHAR) );
    if (rest_len)
    {
        if (len && name[len - 1] != '\\') name[len++] = '\\';
        memcpy( name + len, rest, rest_len * sizeof(WCHAR) );
        len += rest_len;
    }
    free( state->next.Buffer );
    state->next.Buffer        = name;
    state->next.Length        = len * sizeof(WCHAR);
    state->next.MaximumLength = state->next.Length;
    return STATUS_REPARSE;
}

/* Stands in for Wine's function, which is ntlab_lookup_file_name now.  Behind a link the
 * attributes, which are always the caller's own copy, hold the name that was found. */
NTSTATUS nt_to_unix_file_name( const OBJECT_ATTRIBUTES *attr, char **name_ret, UINT disposition )
{
    struct state *state = get_state();
    OBJECT_ATTRIBUTES *result = (OBJECT_ATTRIBUTES *)attr;
    NTSTATUS status = ntlab_lookup_file_name( attr, name_ret, disposition );
    unsigned int count;

    for (count = 0; status == STATUS_REPARSE; count++)
    {
        if (count == MAX_LINKS)
        {
            status = STATUS_REPARSE_POINT_NOT_RESOLVED;
            break;
        }
        free( state->found.Buffer );
        state->found = state->next;
        memset( &state->next, 0, sizeof(state->next) );
        result->RootDirectory = 0;
        result->ObjectName    = &state->found;
        status = ntlab_lookup_file_name( result, name_ret, disposition );
    }
    state->follow_last = FALSE;
    return status;
}

/***********************************************************************
 *  NtFsControlFile
 */

static BOOL may_write( HANDLE handle )
{
    OBJECT_BASIC_INFORMATION info;

    return !NtQueryObject( handle, ObjectBasicInformation, &info, sizeof(info), NULL ) &&
           (info.GrantedAccess & (FILE_WRITE_DATA | FILE_WRITE_ATTRIBUTES));
}

static BOOL is_empty_dir( int fd )
{
    int copy = openat( fd, ".", O_RDONLY | O_DIRECTORY );
    DIR *dir = copy != -1 ? fdopendir( copy ) : NULL;
    struct dirent *entry;
    unsigned int count = 0;

    if (!dir) return FALSE;
    while ((entry = readdir( dir )))
        if (strcmp( entry->d_name, "." ) && strcmp( entry->d_name, ".." )) count++;
    closedir( dir );
    return !count;
}

static NTSTATUS set_reparse_point( int fd, const struct reparse_data *data, ULONG size )
{
    const ULONG tag = ntlab_fd_reparse_tag( fd );
    struct stat st;

    if (size < HEADER_SIZE || size > sizeof(*data) || data->length != size - HEADER_SIZE) return STATUS_IO_REPARSE_DATA_INVALID;
    /* nobody has SeCreateSymbolicLinkPrivilege */
    if (data->tag == IO_REPARSE_TAG_SYMLINK) return STATUS_PRIVILEGE_NOT_HELD;
    if (data->tag != IO_REPARSE_TAG_MOUNT_POINT) return STATUS_IO_REPARSE_TAG_INVALID;
    if (tag && tag != data->tag) return STATUS_IO_REPARSE_TAG_MISMATCH;
    if (size < offsetof( struct reparse_data, names ) ||
        offsetof( struct reparse_data, names ) + data->target_offset + data->target_length > size ||
        data->target_length < sizeof(WCHAR) || data->names[data->target_offset / sizeof(WCHAR)] != '\\')
        return STATUS_IO_REPARSE_DATA_INVALID;
    if (fstat( fd, &st ) == -1 || !S_ISDIR( st.st_mode )) return STATUS_NOT_A_DIRECTORY;
    if (!is_empty_dir( fd )) return STATUS_DIRECTORY_NOT_EMPTY;
    return fsetxattr( fd, REPARSE_XATTR, data, size, 0 ) == -1 ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}

static NTSTATUS delete_reparse_point( int fd, const struct reparse_data *data, ULONG size )
{
    const ULONG tag = ntlab_fd_reparse_tag( fd );

    if (size < HEADER_SIZE || data->length) return STATUS_IO_REPARSE_DATA_INVALID;
    if (!tag) return STATUS_NOT_A_REPARSE_POINT;
    if (tag != data->tag) return STATUS_IO_REPARSE_TAG_MISMATCH;
    return fremovexattr( fd, REPARSE_XATTR ) == -1 ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}

static NTSTATUS get_reparse_point( int fd, void *buffer, ULONG size, ULONG_PTR *got )
{
    struct reparse_data data;
    ssize_t len = fgetxattr( fd, REPARSE_XATTR, &data, sizeof(data) );

    if (len <= 0) return STATUS_NOT_A_REPARSE_POINT;
    if (size < HEADER_SIZE) return STATUS_BUFFER_TOO_SMALL;
    *got = min( size, len );
    memcpy( buffer, &data, *got );
    return size < len ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* returns FALSE for other codes */
BOOL ntlab_fsctl( HANDLE handle, IO_STATUS_BLOCK *io, ULONG code, const void *in_buffer, ULONG in_size,
                  void *out_buffer, ULONG out_size, NTSTATUS *status )
{
    int fd, needs_close;

    if (code != FSCTL_SET_REPARSE_POINT && code != FSCTL_DELETE_REPARSE_POINT && code != FSCTL_GET_REPARSE_POINT)
        return FALSE;

    io->Information = 0;
    if (code != FSCTL_GET_REPARSE_POINT && !may_write( handle )) *status = STATUS_ACCESS_DENIED;
    else if (!(*status = server_get_unix_fd( handle, 0, &fd, &needs_close, NULL, NULL )))
    {
        if (code == FSCTL_SET_REPARSE_POINT) *status = set_reparse_point( fd, in_buffer, in_size );
        else if (code == FSCTL_DELETE_REPARSE_POINT) *status = delete_reparse_point( fd, in_buffer, in_size );
        else *status = get_reparse_point( fd, out_buffer, out_size, &io->Information );
        if (needs_close) close( fd );
    }
    io->Status = *status;
    return TRUE;
}
