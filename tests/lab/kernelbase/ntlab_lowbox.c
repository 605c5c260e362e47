/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: CreateProcess in an AppContainer
 *
 * MSDN "UpdateProcThreadAttribute" (PROC_THREAD_ATTRIBUTE_SECURITY_CAPABILITIES,
 * PROC_THREAD_ATTRIBUTE_ALL_APPLICATION_PACKAGES_POLICY).  That the profile of the AppContainer exists is not asked, and
 * the environment stays the caller's.
 */

#include <stdarg.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winternl.h"
#include "wine/server.h"

/* missing in Wine's headers */
typedef struct
{
    PSID                AppContainerSid;
    SID_AND_ATTRIBUTES *Capabilities;
    DWORD               CapabilityCount;
    DWORD               Reserved;
} SECURITY_CAPABILITIES;

/* returns FALSE for other attributes */
BOOL ntlab_check_attribute( DWORD_PTR attr, const void *value, SIZE_T size, DWORD *error )
{
    SIZE_T wanted;

    if (attr == PROC_THREAD_ATTRIBUTE_SECURITY_CAPABILITIES) wanted = sizeof(SECURITY_CAPABILITIES);
    else if (attr == PROC_THREAD_ATTRIBUTE_ALL_APPLICATION_PACKAGES_POLICY) wanted = sizeof(DWORD);
    else return FALSE;
    *error = size == wanted ? 0 : ERROR_BAD_LENGTH;
    if (!*error && attr == PROC_THREAD_ATTRIBUTE_ALL_APPLICATION_PACKAGES_POLICY && *(const DWORD *)value > 1)
        *error = ERROR_INVALID_PARAMETER;
    return TRUE;
}

/* the token of a process with these attributes (either may be NULL), made from one that may be NULL for that of the caller */
NTSTATUS ntlab_lowbox_token( HANDLE token, const void *attribute, const DWORD *policy, HANDLE *lowbox )
{
    const SECURITY_CAPABILITIES *capabilities = attribute;
    HANDLE own = 0;
    NTSTATUS status;

    *lowbox = 0;
    if (!capabilities) return STATUS_SUCCESS;
    if (!token)
    {
        if ((status = NtOpenProcessToken( GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &own ))) return status;
        token = own;
    }
    status = NtCreateLowBoxToken( lowbox, token, TOKEN_ALL_ACCESS, NULL, capabilities->AppContainerSid,
                                  capabilities->CapabilityCount, capabilities->Capabilities, 0, NULL );
    if (!status && policy && *policy)
    {
        SERVER_START_REQ( ntlab_set_lpac )
        {
            req->handle = wine_server_obj_handle( *lowbox );
            status = wine_server_call( req );
        }
        SERVER_END_REQ;
    }
    if (own) NtClose( own );
    return status;
}
