/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: tokens of AppContainers
 */

#if 0
#pragma makedep unix
#endif

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winternl.h"
#include "wine/server.h"
#include "unix_private.h"
#include "ntlab.h"

/* MSDN "NtCreateLowBoxToken"; the directory of the AppContainer's named objects, which the handles hold open, is not modelled */
NTSTATUS ntlab_create_lowbox( HANDLE *new_token, HANDLE token, ACCESS_MASK access, const SID *package, ULONG count,
                              const SID_AND_ATTRIBUTES *capabilities )
{
    unsigned int status, i;

    *new_token = 0;
    if (!package || (count && !capabilities)) return STATUS_INVALID_PARAMETER;
    SERVER_START_REQ( ntlab_create_lowbox )
    {
        req->handle = wine_server_obj_handle( token );
        req->access = access;
        wine_server_add_data( req, package, ntlab_sid_size( package ));
        for (i = 0; i < count; i++) wine_server_add_data( req, capabilities[i].Sid, ntlab_sid_size( capabilities[i].Sid ));
        if (!(status = wine_server_call( req ))) *new_token = wine_server_ptr_handle( reply->new_handle );
    }
    SERVER_END_REQ;
    return status;
}

struct lowbox
{
    data_size_t  package_size;
    unsigned int count;
    data_size_t  size;
    char         sids[4096];
};

static unsigned int get_lowbox( HANDLE token, struct lowbox *lowbox )
{
    unsigned int status;

    SERVER_START_REQ( ntlab_get_lowbox )
    {
        req->handle = wine_server_obj_handle( token );
        wine_server_set_reply( req, lowbox->sids, sizeof(lowbox->sids) );
        status = wine_server_call( req );
        lowbox->package_size = reply->package_size;
        lowbox->count        = reply->count;
        lowbox->size         = reply->size;
    }
    SERVER_END_REQ;
    if (!status && lowbox->size > sizeof(lowbox->sids)) status = STATUS_NO_MEMORY;
    return status;
}

static unsigned int return_package( const struct lowbox *lowbox, TOKEN_APPCONTAINER_INFORMATION *info, ULONG length, ULONG *retlen )
{
    if (retlen) *retlen = sizeof(*info) + lowbox->package_size;
    if (length < sizeof(*info) + lowbox->package_size) return STATUS_BUFFER_TOO_SMALL;
    info->TokenAppContainer = lowbox->package_size ? info + 1 : NULL;
    memcpy( info + 1, lowbox->sids, lowbox->package_size );
    return STATUS_SUCCESS;
}

static unsigned int return_capabilities( const struct lowbox *lowbox, TOKEN_GROUPS *groups, ULONG length, ULONG *retlen )
{
    const data_size_t sids_size = lowbox->size - lowbox->package_size;
    const ULONG needed = max( sizeof(*groups), offsetof( TOKEN_GROUPS, Groups[lowbox->count] ) + sids_size );
    SID *sid;
    ULONG i;

    if (retlen) *retlen = needed;
    if (length < needed) return STATUS_BUFFER_TOO_SMALL;
    sid = (SID *)&groups->Groups[lowbox->count];
    memcpy( sid, lowbox->sids + lowbox->package_size, sids_size );
    groups->GroupCount = lowbox->count;
    for (i = 0; i < lowbox->count; i++, sid = (SID *)((char *)sid + ntlab_sid_size( sid )))
    {
        groups->Groups[i].Sid = sid;
        groups->Groups[i].Attributes = SE_GROUP_ENABLED;
    }
    return STATUS_SUCCESS;
}

/* NtQueryInformationToken; returns FALSE for classes that are about something else */
BOOL ntlab_query_lowbox( HANDLE token, TOKEN_INFORMATION_CLASS class, void *info, ULONG length, ULONG *retlen, unsigned int *status )
{
    struct lowbox lowbox;
    ULONG value;

    if (class != TokenIsAppContainer && class != TokenAppContainerSid && class != TokenCapabilities) return FALSE;
    if ((*status = get_lowbox( token, &lowbox ))) return TRUE;
    switch (class)
    {
    case TokenAppContainerSid:
        *status = return_package( &lowbox, info, length, retlen );
        break;
    case TokenCapabilities:
        *status = return_capabilities( &lowbox, info, length, retlen );
        break;
    default:
        value = lowbox.package_size != 0;
        if (retlen) *retlen = sizeof(value);
        if (length < sizeof(value)) *status = STATUS_BUFFER_TOO_SMALL;
        else memcpy( info, &value, sizeof(value) );
    }
    return TRUE;
}
