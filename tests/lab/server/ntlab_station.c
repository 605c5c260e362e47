/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: how a process connects to its window station and desktop
 *
 * Compiled as part of Wine's server/winstation.c.  On Windows the first call into win32k opens both
 * with the token of the process, whatever its parent had open; where that is refused user32.dll does
 * not initialise, and the program ends with 0xC0000142 (MSDN "Process Connection to a Window Station").
 */

/* rights without which programs were seen to fail */
#define STATION_ACCESS (WINSTA_ALL_ACCESS | READ_CONTROL)
#define DESKTOP_ACCESS (DESKTOP_ALL_ACCESS)

static int is_name_of( struct object *obj, const WCHAR *name, data_size_t len )
{
    data_size_t own_len;
    const WCHAR *own = get_object_name( obj, &own_len );

    return own && own_len == len && !memicmp_strW( own, name, len );
}

/* does "station\desktop" or "desktop" stand for these? */
static int are_named( struct winstation *winstation, struct desktop *desktop, const WCHAR *name, data_size_t len )
{
    data_size_t i;

    if (!len) return 1;
    for (i = 0; i < len / sizeof(WCHAR); i++)
    {
        if (name[i] != '\\') continue;
        if (!is_name_of( &winstation->obj, name, i * sizeof(WCHAR) )) return 0;
        name += i + 1;
        len -= (i + 1) * sizeof(WCHAR);
        break;
    }
    return is_name_of( &desktop->obj, name, len );
}

/* The process gets what its own token may ("Process Connection to a Window Station"); desktops stay as they are. */
static void reopen_station( struct process *process, struct winstation *winstation )
{
    const obj_handle_t handle = alloc_handle( process, winstation, MAXIMUM_ALLOWED, 0 );

    if (handle) process->winstation = handle;
}

DECL_HANDLER(ntlab_connect_station)
{
    unsigned int station_access = STATION_ACCESS, desktop_access = DESKTOP_ACCESS;
    struct winstation *winstation;
    struct desktop *desktop = NULL;

    if (!ntlab_enabled) return;
    if ((winstation = get_process_winstation( current->process, 0 )) && (desktop = get_thread_desktop( current, 0 )))
    {
        if (!are_named( winstation, desktop, get_req_data(), get_req_data_size() )) set_error( STATUS_ACCESS_DENIED );
        else if (check_object_access( current->process->token, &winstation->obj, &station_access ) &&
                 check_object_access( current->process->token, &desktop->obj, &desktop_access ))
            reopen_station( current->process, winstation );
    }
    if (desktop) release_object( desktop );
    if (winstation) release_object( winstation );
}

/* The first process of a logon that is not interactive (a service, a task, OpenSSH) makes a station named
 * after its logon session; others of the session find it (MSDN "Window Station and Desktop Creation"). */
void ntlab_connect_service_station( struct process *process )
{
    static const WCHAR default_name[] = {'D','e','f','a','u','l','t'};
    static const struct unicode_str default_str = { default_name, sizeof(default_name) };
    const struct luid session = ntlab_token_session( process->token );
    struct winstation *winstation;
    struct desktop *desktop;
    struct unicode_str name;
    obj_handle_t handle;
    WCHAR path[96];
    char text[96];
    int i;

    snprintf( text, sizeof(text), "\\Sessions\\%u\\Windows\\WindowStations\\Service-0x%x-%x$", process->session_id,
              session.high_part, session.low_part );
    for (i = 0; text[i]; i++) path[i] = text[i];
    name.str = path;
    name.len = i * sizeof(WCHAR);
    if (!(winstation = create_winstation( NULL, &name, OBJ_OPENIF | OBJ_CASE_INSENSITIVE, 0 ))) return;
    if ((desktop = create_desktop( &default_str, OBJ_OPENIF | OBJ_CASE_INSENSITIVE, 0, winstation )))
    {
        if ((handle = alloc_handle( process, winstation, MAXIMUM_ALLOWED, 0 ))) process->winstation = handle;
        if ((handle = alloc_handle( process, desktop, MAXIMUM_ALLOWED, 0 )))
            set_process_default_desktop( process, desktop, handle );
        release_object( desktop );
    }
    release_object( winstation );
}

/* adds an ACE, unless the account has what it gives already */
static void admit( struct object *obj, const struct sid *sid, unsigned int mask )
{
    const struct acl *old;
    struct security_descriptor *sd;
    const struct ace *ace;
    struct acl *dacl;
    unsigned int i;
    int present;

    if (!obj->sd || !(old = sd_get_dacl( obj->sd, &present )) || !present) return;
    for (i = 0, ace = ace_first( old ); i < old->count; i++, ace = ace_next( ace ))
        if (ace->type == ACCESS_ALLOWED_ACE_TYPE && equal_sid( (const struct sid *)(ace + 1), sid ) && !(mask & ~ace->mask)) return;

    if (!(dacl = ntlab_acl_add( old, sid, mask ))) return;
    if ((sd = mem_alloc( sizeof(*sd) + dacl->size )))
    {
        memset( sd, 0, sizeof(*sd) );
        sd->control  = SE_DACL_PRESENT;
        sd->dacl_len = dacl->size;
        memcpy( sd + 1, dacl, dacl->size );
        default_set_sd( obj, sd, DACL_SECURITY_INFORMATION );
        free( sd );
    }
    free( dacl );
}

/* MSDN "CreateProcessWithLogonW": where no desktop is named, the account is let into those that are inherited */
void ntlab_admit_account( struct process *process )
{
    const struct sid *account = ntlab_token_user( process->token );
    struct winstation *winstation = get_process_winstation( process, 0 );
    struct desktop *desktop = process->desktop ? get_desktop_obj( process, process->desktop, 0 ) : NULL;

    if (winstation) admit( &winstation->obj, account, STATION_ACCESS );
    if (desktop) admit( &desktop->obj, account, DESKTOP_ACCESS );
    if (desktop) release_object( desktop );
    if (winstation) release_object( winstation );
    clear_error();
}
