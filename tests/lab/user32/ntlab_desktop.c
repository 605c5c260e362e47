/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: descriptors for new desktops and window stations, and the connection to them
 *
 * Included in Wine's dlls/user32/winstation.c, which ignores descriptors and does not ask.
 */

static void *with_descriptor( void *object, const SECURITY_ATTRIBUTES *sa )
{
    SECURITY_DESCRIPTOR *sd = sa->lpSecurityDescriptor;
    SECURITY_INFORMATION info = 0;
    BOOLEAN defaulted, present = FALSE;
    NTSTATUS status;
    PSID sid;
    PACL acl;

    if (!object) return NULL;
    if (!RtlGetOwnerSecurityDescriptor( sd, &sid, &defaulted ) && sid) info |= OWNER_SECURITY_INFORMATION;
    if (!RtlGetGroupSecurityDescriptor( sd, &sid, &defaulted ) && sid) info |= GROUP_SECURITY_INFORMATION;
    if (!RtlGetDaclSecurityDescriptor( sd, &present, &acl, &defaulted ) && present) info |= DACL_SECURITY_INFORMATION;
    if (!info) return object;
    if (!(status = NtSetSecurityObject( object, info, sd ))) return object;
    NtClose( object );
    SetLastError( RtlNtStatusToDosError( status ));
    return NULL;
}

static BOOL has_descriptor( const SECURITY_ATTRIBUTES *sa )
{
    return sa && sa->lpSecurityDescriptor;
}

/* an existing desktop is opened, and keeps its descriptor */
static HDESK ntlab_create_desktop( OBJECT_ATTRIBUTES *attr, DWORD flags, ACCESS_MASK access, const SECURITY_ATTRIBUTES *sa )
{
    HDESK desktop = NtUserOpenDesktop( attr, flags, access );

    if (desktop || GetLastError() == ERROR_ACCESS_DENIED) return desktop;
    return with_descriptor( NtUserCreateDesktopEx( attr, NULL, NULL, flags, access | WRITE_DAC | WRITE_OWNER, 0 ), sa );
}

static HWINSTA ntlab_create_winstation( OBJECT_ATTRIBUTES *attr, ACCESS_MASK access, const SECURITY_ATTRIBUTES *sa )
{
    HWINSTA winsta = NULL;

    attr->SecurityDescriptor = NULL;
    if (attr->Attributes & OBJ_OPENIF)
    {
        winsta = NtUserOpenWindowStation( attr, access );
        if (winsta || GetLastError() == ERROR_ACCESS_DENIED) return winsta;
    }
    return with_descriptor( NtUserCreateWindowStation( attr, access | WRITE_DAC | WRITE_OWNER, 0, 0, 0, 0, 0 ), sa );
}

static BOOL succeeded( NTSTATUS status )
{
    if (status) SetLastError( status == STATUS_BUFFER_TOO_SMALL ? ERROR_INSUFFICIENT_BUFFER : RtlNtStatusToDosError( status ));
    return !status;
}

static BOOL ntlab_get_security( HANDLE object, const SECURITY_INFORMATION *info, PSECURITY_DESCRIPTOR sd, DWORD size, DWORD *needed )
{
    ULONG length = 0;
    NTSTATUS status = NtQuerySecurityObject( object, *info, sd, size, &length );

    if (needed) *needed = length;
    return succeeded( status );
}

static BOOL ntlab_set_security( HANDLE object, const SECURITY_INFORMATION *info, PSECURITY_DESCRIPTOR sd )
{
    return succeeded( NtSetSecurityObject( object, *info, sd ));
}

/* does the server let this process use its window station and desktop? */
BOOL ntlab_connect_station(void)
{
    const UNICODE_STRING *name = &NtCurrentTeb()->Peb->ProcessParameters->Desktop;
    NTSTATUS status;

    SERVER_START_REQ( ntlab_connect_station )
    {
        wine_server_add_data( req, name->Buffer, name->Length );
        status = wine_server_call( req );
    }
    SERVER_END_REQ;
    return !status;
}
