/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: junctions and symbolic links
 *
 * As on NTFS a junction is an empty directory that carries reparse data, here in an
 * extended attribute, and a symbolic link is such a directory or file; so it has a
 * descriptor of its own, and is renamed and removed like any other.  Names are resolved
 * in the calling process, one component after the other, and the resolved name is what
 * the server judges and opens.  The rules: MS-FSCC 2.1.2.4 and 2.1.2.5 (reparse data
 * buffers), MS-FSA 2.1.5.1.2 (open) and 2.1.5.10.37 (FSCTL_SET_REPARSE_POINT), MSDN
 * "NtCreateFile" (FILE_OPEN_REPARSE_POINT) and "Symbolic Link Effects on File Systems
 * Functions".
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
#include "ntlab_symlink.h"

#ifndef OBJ_DONT_REPARSE
#define OBJ_DONT_REPARSE 0x1000  /* MSDN "OBJECT_ATTRIBUTES" */
#endif

#define REPARSE_XATTR "user.ntlab.reparse"
#define MAX_LINKS     63    /* MSDN "Reparse Points": so many in one name */

/* What carries reparse data has this bit of its Unix mode, which nothing else here has: so the
 * attributes of everything else take no look at it.  It is set before the data, and cleared after it. */
#define REPARSE_MODE S_ISVTX

/* of a thread; Wine's libraries for Unix have no thread-local variables */
struct state
{
    BOOL           follow_last;  /* the next name is not to give the link itself */
    ULONG          options;      /* of NtCreateFile, for that name */
    int            rest_len;     /* of the name that led to a link, what comes behind that one */
    struct reparse_data link;    /* which leads on from there */
    UNICODE_STRING found;        /* the name that resolving has come to */
};

static pthread_key_t state_key;
static pthread_once_t state_once = PTHREAD_ONCE_INIT;

static void free_state( void *arg )
{
    struct state *state = arg;

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

void ntlab_set_follow_last( BOOL follow, ULONG options )
{
    get_state()->follow_last = follow;
    get_state()->options     = options;
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

ULONG ntlab_reparse_attribute( const struct stat *st, const char *path, int fd )
{
    if (!(st->st_mode & REPARSE_MODE)) return 0;
    return (path ? ntlab_reparse_tag( path ) : ntlab_fd_reparse_tag( fd )) ? FILE_ATTRIBUTE_REPARSE_POINT : 0;
}

/* the names of a symbolic link come behind its flags */
static const WCHAR *get_names( const struct reparse_data *data )
{
    return data->names + (data->tag == IO_REPARSE_TAG_SYMLINK ? FLAGS_LEN : 0);
}

static BOOL is_relative( const struct reparse_data *data )
{
    return data->tag == IO_REPARSE_TAG_SYMLINK && (data->names[0] & SYMLINK_FLAG_RELATIVE);
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

/* NTFS asks the link itself whether it is a file or a directory, which `cd` to a file link shows ("the directory name is
 * invalid"); an open that asks for neither follows both kinds. */
static NTSTATUS check_kind( const char *unix_name, ULONG options, UINT disposition )
{
    struct stat st;

    if (stat( unix_name, &st ) == -1 || !(options & (S_ISDIR( st.st_mode ) ? FILE_NON_DIRECTORY_FILE : FILE_DIRECTORY_FILE)))
        return STATUS_SUCCESS;
    if (disposition == FILE_CREATE) return STATUS_OBJECT_NAME_COLLISION;
    return S_ISDIR( st.st_mode ) ? STATUS_FILE_IS_A_DIRECTORY : STATUS_NOT_A_DIRECTORY;
}

/* If what was found is a link, note where it leads and how much of the name comes behind it, and return STATUS_REPARSE.
 * That comes before FILE_CREATE complains of the name that exists (MS-FSA 2.1.5.1.2). */
NTSTATUS ntlab_follow_link( const char *unix_name, int rest_len, UINT disposition )
{
    struct state *state = get_state();
    NTSTATUS status;

    if (!rest_len && !state->follow_last) return STATUS_SUCCESS;
    if (getxattr( unix_name, REPARSE_XATTR, &state->link, sizeof(state->link) ) <= 0) return STATUS_SUCCESS;
    if (!rest_len && (status = check_kind( unix_name, state->options, disposition ))) return status;
    state->rest_len = rest_len;
    return STATUS_REPARSE;
}

/* the name of an open directory, of which the caller frees the buffer */
static NTSTATUS get_root_name( HANDLE root, UNICODE_STRING *name )
{
    const ULONG size = sizeof(OBJECT_NAME_INFORMATION) + 0x10000;
    OBJECT_NAME_INFORMATION *info = root ? malloc( size ) : NULL;
    NTSTATUS status = STATUS_SUCCESS;

    memset( name, 0, sizeof(*name) );
    if (!root) return STATUS_SUCCESS;
    if (!info) return STATUS_NO_MEMORY;
    if (!(status = NtQueryObject( root, ObjectNameInformation, info, size, NULL )))
    {
        *name = info->Name;
        memmove( info, name->Buffer, name->Length );
        name->Buffer = (WCHAR *)info;
    }
    else free( info );
    return status;
}

/* Append a path to the name of a directory.  The file system knows neither "." nor "..": what takes them away is textual,
 * and fails above the root.  Returns the new length, -1 on failure. */
static int append_path( WCHAR *name, int len, int root_len, const WCHAR *path, int path_len )
{
    const WCHAR *end = path + path_len;
    int part;

    for ( ; path < end; path += part + 1)
    {
        for (part = 0; path + part < end && path[part] != '\\'; part++) ;
        if (!part || (part == 1 && path[0] == '.')) continue;
        if (part == 2 && path[0] == '.' && path[1] == '.')
        {
            if (len <= root_len) return -1;
            while (name[--len] != '\\') ;
            continue;
        }
        name[len++] = '\\';
        memcpy( name + len, path, part * sizeof(WCHAR) );
        len += part;
    }
    return len;
}

/* the length of "\??\C:" */
static int get_root_len( const WCHAR *name, int len )
{
    int i, slashes = 0;

    for (i = 0; i < len; i++) if (name[i] == '\\' && ++slashes == 3) break;
    return i;
}

/* The name that a link leads to: its target, and what came behind it in the name that led to the link.  A relative target
 * starts at the directory of the link (MS-FSCC 2.1.2.4), or with a backslash at the root of its volume. */
static NTSTATUS get_next_name( const OBJECT_ATTRIBUTES *attr, struct state *state, UNICODE_STRING *next )
{
    const WCHAR *name = attr->ObjectName->Buffer, *target = get_names( &state->link ) + state->link.target_offset / sizeof(WCHAR);
    const int name_len = attr->ObjectName->Length / sizeof(WCHAR), target_len = state->link.target_length / sizeof(WCHAR);
    int len, link_len = name_len - state->rest_len, root_len = 0;
    UNICODE_STRING root;
    WCHAR *buffer;
    NTSTATUS status;

    if ((status = get_root_name( is_relative( &state->link ) ? attr->RootDirectory : 0, &root ))) return status;
    if (!(buffer = malloc( root.Length + (name_len + target_len + 3) * sizeof(WCHAR) )))
    {
        free( root.Buffer );
        return STATUS_NO_MEMORY;
    }
    if (is_relative( &state->link ))
    {
        memcpy( buffer, root.Buffer, root.Length );
        len = root.Length / sizeof(WCHAR);
        if (len && buffer[len - 1] != '\\') buffer[len++] = '\\';
        memcpy( buffer + len, name, link_len * sizeof(WCHAR) );
        len += link_len;
        while (len && buffer[len - 1] == '\\') len--;
        while (len && buffer[len - 1] != '\\') len--;
        while (len && buffer[len - 1] == '\\') len--;
        root_len = get_root_len( buffer, len );
        len = append_path( buffer, target[0] == '\\' ? root_len : len, root_len, target, target_len );
        if (len == root_len) buffer[len++] = '\\';
    }
    else
    {
        memcpy( buffer, target, target_len * sizeof(WCHAR) );
        len = target_len;
    }
    free( root.Buffer );
    if (len == -1)
    {
        free( buffer );
        return STATUS_REPARSE_POINT_NOT_RESOLVED;
    }
    if (state->rest_len)
    {
        if (len && buffer[len - 1] != '\\') buffer[len++] = '\\';
        memcpy( buffer + len, name + link_len, state->rest_len * sizeof(WCHAR) );
        len += state->rest_len;
    }
    next->Buffer = buffer;
    next->Length = next->MaximumLength = len * sizeof(WCHAR);
    return STATUS_SUCCESS;
}

/* Stands in for Wine's function, which is ntlab_lookup_file_name now.  Behind a link the
 * attributes, which are always the caller's own copy, hold the name that was found. */
NTSTATUS nt_to_unix_file_name( const OBJECT_ATTRIBUTES *attr, char **name_ret, UINT disposition )
{
    struct state *state = get_state();
    OBJECT_ATTRIBUTES *result = (OBJECT_ATTRIBUTES *)attr;
    NTSTATUS status = ntlab_lookup_file_name( attr, name_ret, disposition );
    UNICODE_STRING next;
    unsigned int count;

    for (count = 0; status == STATUS_REPARSE; count++)
    {
        if (attr->Attributes & OBJ_DONT_REPARSE) status = STATUS_REPARSE_POINT_ENCOUNTERED;
        else if (count == MAX_LINKS) status = STATUS_REPARSE_POINT_NOT_RESOLVED;
        if (status != STATUS_REPARSE) break;
        if ((status = get_next_name( result, state, &next ))) break;
        free( state->found.Buffer );
        state->found = next;
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

/* as the token stands: CreateSymbolicLink() enables it.  MS-FSA 2.1.5.10.37 has STATUS_ACCESS_DENIED for those who lack
 * it; what programs report is ERROR_PRIVILEGE_NOT_HELD. */
static BOOL may_create_symlink(void)
{
    PRIVILEGE_SET set = { 1, PRIVILEGE_SET_ALL_NECESSARY, { { { SE_CREATE_SYMBOLIC_LINK_PRIVILEGE, 0 }, 0 } } };
    BOOLEAN held = FALSE;

    return !NtPrivilegeCheck( GetCurrentThreadEffectiveToken(), &set, &held ) && held;
}

static BOOL is_valid_data( const struct reparse_data *data, ULONG size )
{
    const ULONG start = (const char *)get_names( data ) - (const char *)data;

    return size >= start && start + data->target_offset + data->target_length <= size && data->target_length >= sizeof(WCHAR) &&
           (is_relative( data ) || get_names( data )[data->target_offset / sizeof(WCHAR)] == '\\');
}

static NTSTATUS set_reparse_point( int fd, const struct reparse_data *data, ULONG size, BOOL unprivileged )
{
    const ULONG tag = ntlab_fd_reparse_tag( fd );
    struct stat st;

    if (size < HEADER_SIZE || size > sizeof(*data) || data->length != size - HEADER_SIZE) return STATUS_IO_REPARSE_DATA_INVALID;
    if (data->tag != IO_REPARSE_TAG_MOUNT_POINT && data->tag != IO_REPARSE_TAG_SYMLINK) return STATUS_IO_REPARSE_TAG_INVALID;
    if (data->tag == IO_REPARSE_TAG_SYMLINK && !unprivileged && !may_create_symlink()) return STATUS_PRIVILEGE_NOT_HELD;
    if (fstat( fd, &st ) == -1) return STATUS_ACCESS_DENIED;
    if (data->tag == IO_REPARSE_TAG_MOUNT_POINT && !S_ISDIR( st.st_mode )) return STATUS_NOT_A_DIRECTORY;
    if (tag && tag != data->tag) return STATUS_IO_REPARSE_TAG_MISMATCH;
    if (!is_valid_data( data, size )) return STATUS_IO_REPARSE_DATA_INVALID;
    if (S_ISDIR( st.st_mode ) && !is_empty_dir( fd )) return STATUS_DIRECTORY_NOT_EMPTY;
    if (fchmod( fd, st.st_mode | REPARSE_MODE ) == -1 || fsetxattr( fd, REPARSE_XATTR, data, size, 0 ) == -1)
        return STATUS_ACCESS_DENIED;
    return STATUS_SUCCESS;
}

static NTSTATUS delete_reparse_point( int fd, const struct reparse_data *data, ULONG size )
{
    const ULONG tag = ntlab_fd_reparse_tag( fd );
    struct stat st;

    if (size < HEADER_SIZE || data->length) return STATUS_IO_REPARSE_DATA_INVALID;
    if (!tag) return STATUS_NOT_A_REPARSE_POINT;
    if (tag != data->tag) return STATUS_IO_REPARSE_TAG_MISMATCH;
    if (fremovexattr( fd, REPARSE_XATTR ) == -1) return STATUS_ACCESS_DENIED;
    if (!fstat( fd, &st )) fchmod( fd, st.st_mode & ~REPARSE_MODE );
    return STATUS_SUCCESS;
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

    if (code != FSCTL_SET_REPARSE_POINT && code != FSCTL_DELETE_REPARSE_POINT && code != FSCTL_GET_REPARSE_POINT &&
        code != NTLAB_FSCTL_SET_SYMLINK)
        return FALSE;

    io->Information = 0;
    if (code != FSCTL_GET_REPARSE_POINT && !may_write( handle )) *status = STATUS_ACCESS_DENIED;
    else if (!(*status = server_get_unix_fd( handle, 0, &fd, &needs_close, NULL, NULL )))
    {
        if (code == FSCTL_DELETE_REPARSE_POINT) *status = delete_reparse_point( fd, in_buffer, in_size );
        else if (code == FSCTL_GET_REPARSE_POINT) *status = get_reparse_point( fd, out_buffer, out_size, &io->Information );
        else *status = set_reparse_point( fd, in_buffer, in_size, code == NTLAB_FSCTL_SET_SYMLINK );
        if (needs_close) close( fd );
    }
    io->Status = *status;
    return TRUE;
}
