/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: account rights, which the server keeps
 *
 * Compiled as part of Wine's dlls/advapi32/lsa.c.
 */

#include "wine/server.h"
#include "ntlab_account.h"
#include "ntlab_logon.h"

/* FALSE for names that are left to Wine */
static BOOL ntlab_lookup_string( const LSA_UNICODE_STRING *name, SID *sid, DWORD *sid_size, WCHAR *domain, DWORD *domain_size,
                                 SID_NAME_USE *use, BOOL *ret )
{
    WCHAR *text = heap_alloc_zero( name->Length + sizeof(WCHAR) );
    BOOL found;

    if (!text) return FALSE;
    memcpy( text, name->Buffer, name->Length );
    found = ntlab_lookup_name( text, sid, sid_size, domain, domain_size, use, ret );
    heap_free( text );
    return found;
}

/* may these names or SIDs be looked up through the handle? */
static NTSTATUS check_lookup( LSA_HANDLE policy )
{
    OBJECT_BASIC_INFORMATION info;
    NTSTATUS status = NtQueryObject( policy, ObjectBasicInformation, &info, sizeof(info), NULL );

    if (status) return status;
    return info.GrantedAccess & POLICY_LOOKUP_NAMES ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

static NTSTATUS ntlab_open_policy( ACCESS_MASK access, LSA_HANDLE *policy )
{
    NTSTATUS status;

    SERVER_START_REQ( ntlab_open_policy )
    {
        req->access = access;
        if (!(status = wine_server_call( req ))) *policy = wine_server_ptr_handle( reply->handle );
    }
    SERVER_END_REQ;
    return status;
}

/* a SID and names, in one piece: names with nulls between them */
static char *flatten_rights( PSID sid, const LSA_UNICODE_STRING *rights, ULONG count, data_size_t *size )
{
    const data_size_t sid_size = sid ? GetLengthSid( sid ) : 0;
    ULONG i;
    char *data, *p;

    *size = sid_size;
    for (i = 0; i < count; i++) *size += rights[i].Length + sizeof(WCHAR);
    if (!(data = heap_alloc_zero( *size + 1 ))) return NULL;
    if (sid) memcpy( data, sid, sid_size );
    for (p = data + sid_size, i = 0; i < count; i++, p += sizeof(WCHAR))
    {
        memcpy( p, rights[i].Buffer, rights[i].Length );
        p += rights[i].Length;
    }
    return data;
}

static NTSTATUS change_rights( LSA_HANDLE policy, int op, PSID sid, const LSA_UNICODE_STRING *rights, ULONG count )
{
    data_size_t size;
    NTSTATUS status;
    char *data;

    if (!sid || !IsValidSid( sid )) return STATUS_INVALID_PARAMETER;
    if (!(data = flatten_rights( sid, rights, count, &size ))) return STATUS_NO_MEMORY;
    SERVER_START_REQ( ntlab_account_rights )
    {
        req->handle   = wine_server_obj_handle( policy );
        req->op       = op;
        req->sid_size = GetLengthSid( sid );
        wine_server_add_data( req, data, size );
        status = wine_server_call( req );
    }
    SERVER_END_REQ;
    heap_free( data );
    return status;
}

static NTSTATUS ntlab_enumerate_rights( LSA_HANDLE policy, PSID sid, LSA_UNICODE_STRING **rights, ULONG *count )
{
    WCHAR names[4096], *text;
    data_size_t size = 0;
    NTSTATUS status;
    DWORD i, len;

    *rights = NULL;
    *count = 0;
    if (!sid || !IsValidSid( sid )) return STATUS_INVALID_PARAMETER;
    SERVER_START_REQ( ntlab_account_rights )
    {
        req->handle   = wine_server_obj_handle( policy );
        req->op       = NTLAB_RIGHTS_GET;
        req->sid_size = GetLengthSid( sid );
        wine_server_add_data( req, sid, GetLengthSid( sid ));
        wine_server_set_reply( req, names, sizeof(names) );
        if (!(status = wine_server_call( req ))) size = wine_server_reply_size( reply );
    }
    SERVER_END_REQ;
    if (status) return status;
    for (i = 0; i < size / sizeof(WCHAR); i++) if (!names[i]) (*count)++;
    if (!(*rights = heap_alloc( *count * sizeof(**rights) + size ))) return STATUS_NO_MEMORY;
    text = (WCHAR *)(*rights + *count);
    memcpy( text, names, size );
    for (i = 0; i < *count; i++, text += len + 1)
    {
        len = lstrlenW( text );
        (*rights)[i].Buffer        = text;
        (*rights)[i].Length        = len * sizeof(WCHAR);
        (*rights)[i].MaximumLength = (len + 1) * sizeof(WCHAR);
    }
    return STATUS_SUCCESS;
}

/* accounts with a right, or with any; an array of pointers to SIDs, which LSA_ENUMERATION_INFORMATION is */
static NTSTATUS ntlab_enumerate_accounts( LSA_HANDLE policy, const LSA_UNICODE_STRING *right, void **buffer, ULONG *count )
{
    data_size_t size = 64 * sizeof(struct sam_sid);
    struct sam_sid *sids = NULL;
    NTSTATUS status;
    PSID *list;
    ULONG i;

    *buffer = NULL;
    *count = 0;
    do
    {
        heap_free( sids );
        if (!(sids = heap_alloc( size ))) return STATUS_NO_MEMORY;
        SERVER_START_REQ( ntlab_accounts_with_right )
        {
            req->handle = wine_server_obj_handle( policy );
            if (right) wine_server_add_data( req, right->Buffer, right->Length );
            wine_server_set_reply( req, sids, size );
            status = wine_server_call( req );
            *count = reply->count;
            size = max( size, reply->count * sizeof(*sids) );
        }
        SERVER_END_REQ;
    } while (status == STATUS_BUFFER_TOO_SMALL);
    if (!status && !(list = heap_alloc( *count * (sizeof(*list) + sizeof(*sids)) ))) status = STATUS_NO_MEMORY;
    if (!status)
    {
        memcpy( list + *count, sids, *count * sizeof(*sids) );
        for (i = 0; i < *count; i++) list[i] = (struct sam_sid *)(list + *count) + i;
        *buffer = list;
    }
    else *count = 0;
    heap_free( sids );
    return status;
}
