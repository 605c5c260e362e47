/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: groups of tokens, and processes
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

/* attributes and SIDs as the server sends them */
static void return_groups( TOKEN_GROUPS *groups, const void *data, unsigned int count, data_size_t sids_size )
{
    const unsigned int *attrs = data;
    SID *sid = (SID *)&groups->Groups[count];
    unsigned int i;

    memcpy( sid, attrs + count, sids_size );
    groups->GroupCount = count;
    for (i = 0; i < count; i++, sid = (SID *)((char *)sid + ntlab_sid_size( sid )))
    {
        groups->Groups[i].Sid = sid;
        groups->Groups[i].Attributes = attrs[i];
    }
}

NTSTATUS ntlab_adjust_groups( HANDLE token, BOOL reset, const TOKEN_GROUPS *groups, ULONG length,
                              TOKEN_GROUPS *previous, ULONG *ret_len )
{
    unsigned int count = reset || !groups ? 0 : groups->GroupCount, changed = 0, status, i;
    data_size_t sids_size = 0;
    unsigned int *attrs;
    char *old;

    if (!reset && !groups) return STATUS_INVALID_PARAMETER;
    if (!(attrs = malloc( count * sizeof(*attrs) + 1 )) || !(old = malloc( previous ? length + 1 : 1 )))
    {
        free( attrs );
        return STATUS_NO_MEMORY;
    }
    for (i = 0; i < count; i++) attrs[i] = groups->Groups[i].Attributes;

    SERVER_START_REQ( ntlab_adjust_groups )
    {
        req->handle        = wine_server_obj_handle( token );
        req->reset         = reset;
        req->previous      = previous != NULL;
        req->previous_size = length;
        req->count         = count;
        wine_server_add_data( req, attrs, count * sizeof(*attrs) );
        for (i = 0; i < count; i++)
            wine_server_add_data( req, groups->Groups[i].Sid, ntlab_sid_size( groups->Groups[i].Sid ));
        if (previous) wine_server_set_reply( req, old, length );
        status    = wine_server_call( req );
        changed   = reply->count;
        sids_size = reply->sids_size;
    }
    SERVER_END_REQ;
    if (ret_len && previous)
        *ret_len = max( sizeof(TOKEN_GROUPS), offsetof( TOKEN_GROUPS, Groups[changed] ) + sids_size );
    if (previous && NT_SUCCESS( status )) return_groups( previous, old, changed, sids_size );
    free( attrs );
    free( old );
    return status;
}

NTSTATUS WINAPI NtGetNextProcess( HANDLE process, ACCESS_MASK access, ULONG attributes, ULONG flags, HANDLE *handle )
{
    HANDLE found = 0;
    unsigned int status;

    SERVER_START_REQ( ntlab_get_next_process )
    {
        req->last       = wine_server_obj_handle( process );
        req->access     = access;
        req->attributes = attributes;
        req->flags      = flags;
        if (!(status = wine_server_call( req ))) found = wine_server_ptr_handle( reply->handle );
    }
    SERVER_END_REQ;
    *handle = found;
    return status;
}

/* The low bits are flags, ids are multiples of four (ntdoc.m417z.com/processinfoclass). */
NTSTATUS ntlab_get_console_host( HANDLE process, void *info, ULONG size, ULONG *ret_len )
{
    ULONG_PTR pid = 0;
    unsigned int status;

    if (ret_len) *ret_len = sizeof(pid);
    if (size != sizeof(pid)) return STATUS_INFO_LENGTH_MISMATCH;
    SERVER_START_REQ( ntlab_get_console_host )
    {
        req->handle = wine_server_obj_handle( process );
        if (!(status = wine_server_call( req ))) pid = reply->pid;
    }
    SERVER_END_REQ;
    if (!status) memcpy( info, &pid, sizeof(pid) );
    return status;
}
