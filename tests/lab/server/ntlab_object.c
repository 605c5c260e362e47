/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: security of kernel objects
 *
 * A process, thread, job or named object that is created without a descriptor
 * gets the default DACL of a token (MS-DTYP 2.5.3.4, WSI ch. 6).  Desktops,
 * window stations and named pipes have defaults of their own.
 */

#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winuser.h"
#include "winternl.h"

#include "file.h"
#include "handle.h"
#include "process.h"
#include "request.h"
#include "security.h"
#include "thread.h"
#include "ntlab.h"

#define OWNER_GROUP_DACL (OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION)

static const struct sid anonymous_sid   = { SID_REVISION, 1, SECURITY_NT_AUTHORITY, { SECURITY_ANONYMOUS_LOGON_RID } };

/* give an object the owner, group and default DACL of a token */
int ntlab_set_token_sd( struct object *obj, struct token *token )
{
    static const struct security_descriptor empty;

    if (!ntlab_enabled || obj->sd || !token || !token_get_default_dacl( token )) return 1;
    return set_sd_defaults_from_token( obj, &empty, OWNER_GROUP_DACL, token );
}

/* A process, a thread and the token of a process are made by the thread that asks for them, and so get
 * the default DACL of its token, as objects of any other type do.  MSDN "CreateProcessAsUser" says
 * that the one of the new token counts.  What a service made for another logon is its own. */
int ntlab_set_creator_sd( struct object *obj, struct token *token )
{
    struct token *creator = current ? thread_get_impersonation_token( current ) : NULL;

    /* an AppContainer can do what it likes with its own, for which the creator's has no ACE */
    if (!ntlab_second( NTLAB_THREAD_DACL ) && creator && token && !ntlab_token_is_lowbox( token ) &&
        ntlab_token_same_session( creator, token )) token = creator;
    return ntlab_set_token_sd( obj, token );
}

static int set_aces( struct object *obj, const struct ntlab_ace *aces, unsigned int count )
{
    struct token *token = thread_get_impersonation_token( current );

    obj->sd = ntlab_sd_build( 0, token_get_owner( token ), token_get_primary_group( token ), NULL, aces, count );
    return obj->sd != NULL;
}

static int name_starts_with( const struct unicode_str *name, const char *prefix )
{
    data_size_t i, len = strlen( prefix );

    if (!name || name->len < len * sizeof(WCHAR)) return 0;
    for (i = 0; i < len; i++)
    {
        WCHAR c = name->str[i];

        if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
        if (c != prefix[i]) return 0;
    }
    return 1;
}

/* last component of a path */
static struct unicode_str base_name( const struct unicode_str *name )
{
    struct unicode_str ret = *name;
    data_size_t i;

    for (i = 0; i < name->len / sizeof(WCHAR); i++)
    {
        if (name->str[i] != '\\') continue;
        ret.str = name->str + i + 1;
        ret.len = name->len - (i + 1) * sizeof(WCHAR);
    }
    return ret;
}

/* the station that the system makes for a logon that is not interactive, and its desktops */
static int set_service_desktop_sd( struct object *obj )
{
    const struct ntlab_ace aces[] =
    {
        { &local_system_sid,   0, GENERIC_ALL },
        { ntlab_token_user( thread_get_impersonation_token( current )), 0, GENERIC_ALL },
        { &builtin_admins_sid, 0, obj->ops->type == &winstation_type ? WINSTA_ENUMERATE :
                                  DESKTOP_ENUMERATE | DESKTOP_READOBJECTS | DESKTOP_WRITEOBJECTS },
    };

    return set_aces( obj, aces, ARRAY_SIZE(aces) );
}

/* the interactive window station lets in its logon session; those whom that logs on
 * are let in by the secondary logon (ntlab_station.c) or by who starts them */
static int set_desktop_sd( struct object *obj )
{
    const struct sid *logon = ntlab_token_logon_sid( thread_get_impersonation_token( current ));
    struct ntlab_ace aces[5] =
    {
        { &local_system_sid,   0, GENERIC_ALL },
        { &builtin_admins_sid, 0, GENERIC_ALL },
        { &ntlab_all_packages_sid, 0, GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE },
    };
    const struct ntlab_ace logon_ace = { logon, 0, GENERIC_ALL }, world_ace = { &world_sid, 0, GENERIC_ALL };
    unsigned int count = 3;

    /* where nobody is logged on interactively it belongs to the system alone */
    if (logon && !ntlab_second( NTLAB_LOGON )) aces[count++] = logon_ace;
    if (ntlab_second( NTLAB_STATION )) aces[count++] = world_ace;
    return set_aces( obj, aces, count );
}

static int is_of_service_station( struct object *obj, const struct unicode_str *name, struct object *parent )
{
    struct unicode_str station = *name;

    if (obj->ops->type == &desktop_type) station.str = get_object_name( parent, &station.len );
    else station = base_name( name );
    return station.str && name_starts_with( &station, "service-0x" );
}

/* called for every object that is created without a descriptor */
int ntlab_init_object( struct object *obj, const struct unicode_str *name, struct object *parent )
{
    static struct type_descr * const named_types[] =
    {
        &event_type, &keyed_event_type, &mutex_type, &semaphore_type, &timer_type, &mapping_type, &completion_type,
    };
    struct unicode_str base;
    unsigned int i;

    if (!ntlab_enabled || !current || !current->process->token) return 1;
    if (obj->ops->type == &winstation_type || obj->ops->type == &desktop_type)
    {
        if (name && parent && is_of_service_station( obj, name, parent )) return set_service_desktop_sd( obj );
        return set_desktop_sd( obj );
    }
    if (obj->ops->type == &job_type) return ntlab_set_token_sd( obj, thread_get_impersonation_token( current ));
    if (!name || !name->len) return 1;

    /* what Wine's own libraries share between the processes of all users */
    base = base_name( name );
    if (name_starts_with( &base, "__wine" ) || name_starts_with( &base, "nlssection" )) return 1;
    for (i = 0; i < ARRAY_SIZE(named_types); i++)
        if (obj->ops->type == named_types[i])
            return ntlab_set_token_sd( obj, thread_get_impersonation_token( current ));
    return 1;
}

/* MSDN "Named Pipe Security and Access Rights" and "Anonymous Pipe Security
 * and Access Rights".  RPC servers of Windows admit everybody to their pipes. */
int ntlab_init_pipe( struct object *obj, const struct unicode_str *name )
{
    static const char * const rpc_names[] = { "lrpc\\", "svcctl", "ntsvcs", "plugplay", "epmapper", "lsass", "samr", "lsarpc" };
    const struct sid *owner;
    const struct unicode_str base = base_name( name );
    unsigned int i, everyone = GENERIC_READ;

    if (!ntlab_enabled || obj->sd) return 1;
    if (!name->len || name_starts_with( &base, "win32.pipes." ))
        return ntlab_set_token_sd( obj, thread_get_impersonation_token( current ));
    for (i = 0; i < ARRAY_SIZE(rpc_names); i++)
        if (name_starts_with( &base, rpc_names[i] ) || name_starts_with( name, rpc_names[i] ))
            everyone = GENERIC_READ | GENERIC_WRITE;

    owner = token_get_owner( thread_get_impersonation_token( current ));
    {
        const struct ntlab_ace aces[] =
        {
            { &local_system_sid,   0, GENERIC_ALL },
            { &builtin_admins_sid, 0, GENERIC_ALL },
            { owner,               0, GENERIC_ALL },
            { &world_sid,          0, everyone },
            { &anonymous_sid,      0, everyone },
        };
        return set_aces( obj, aces, ARRAY_SIZE(aces) );
    }
}

/* access to a pipe by its name, from either end */
int ntlab_check_pipe( struct object *obj, struct token *token, unsigned int access )
{
    unsigned int status, granted;

    if (!ntlab_enabled || !obj->sd) return 1;
    if (!ntlab_require_level( thread_get_impersonation_token( current ))) return 0;
    access = map_access( access, &file_type.mapping );
    status = ntlab_check_sd( token, obj->sd, &file_type.mapping, access, &granted );
    if (status) set_error( status );
    return !status;
}
