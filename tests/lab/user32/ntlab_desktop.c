/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: descriptors for new desktops and window stations
 *
 * Included in Wine's dlls/user32/winstation.c, which ignores them.
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
