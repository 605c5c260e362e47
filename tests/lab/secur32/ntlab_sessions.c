/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: logon sessions, which the server keeps
 *
 * Compiled as part of Wine's dlls/secur32/lsa.c.
 */

#include "wine/server.h"
#include "ntlab_account.h"

static NTSTATUS ntlab_enumerate_sessions( ULONG *count, LUID **list )
{
    data_size_t size = 64 * sizeof(LUID);
    NTSTATUS status;

    *list = NULL;
    do
    {
        free( *list );
        if (!(*list = malloc( size ))) return STATUS_NO_MEMORY;
        SERVER_START_REQ( ntlab_enum_sessions )
        {
            wine_server_set_reply( req, *list, size );
            status = wine_server_call( req );
            *count = reply->count;
            size = max( size, reply->count * sizeof(LUID) );
        }
        SERVER_END_REQ;
    } while (status == STATUS_BUFFER_TOO_SMALL);
    if (!status) return STATUS_SUCCESS;
    free( *list );
    *list = NULL;
    *count = 0;
    return status;
}

static void place_string( LSA_UNICODE_STRING *string, WCHAR **pos, const WCHAR *text )
{
    string->Buffer        = *pos;
    string->Length        = wcslen( text ) * sizeof(WCHAR);
    string->MaximumLength = string->Length + sizeof(WCHAR);
    memcpy( *pos, text, string->MaximumLength );
    *pos += string->MaximumLength / sizeof(WCHAR);
}

static NTSTATUS ntlab_get_session_data( const LUID *id, SECURITY_LOGON_SESSION_DATA **ret )
{
    WCHAR computer[MAX_COMPUTERNAME_LENGTH + 1] = { 0 }, *pos;
    DWORD len = ARRAY_SIZE(computer);
    SECURITY_LOGON_SESSION_DATA *data;
    struct sam_session session;
    NTSTATUS status;

    *ret = NULL;
    SERVER_START_REQ( ntlab_get_session )
    {
        req->id.low_part  = id->LowPart;
        req->id.high_part = id->HighPart;
        wine_server_set_reply( req, &session, sizeof(session) );
        status = wine_server_call( req );
    }
    SERVER_END_REQ;
    if (status) return status;
    if (!(data = calloc( 1, sizeof(*data) + sizeof(session) + 256 * sizeof(WCHAR) ))) return STATUS_NO_MEMORY;
    GetComputerNameW( computer, &len );
    data->Size      = sizeof(*data);
    data->LogonId   = *id;
    data->LogonType = session.type;
    data->Session   = session.terminal_session;
    data->LogonTime.QuadPart = session.logon_time;
    data->Sid       = data + 1;
    memcpy( data->Sid, &session.user, sizeof(session.user) );
    pos = (WCHAR *)((char *)data->Sid + sizeof(session.user));
    place_string( &data->UserName, &pos, session.name );
    place_string( &data->LogonDomain, &pos, computer );
    place_string( &data->AuthenticationPackage, &pos, L"NTLM" );
    place_string( &data->LogonServer, &pos, computer );
    *ret = data;
    return STATUS_SUCCESS;
}
