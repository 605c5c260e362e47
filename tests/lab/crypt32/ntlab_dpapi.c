/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: CryptProtectData
 *
 * The server has the keys and does the encryption (ntlab_dpapi.c there).  Errors:
 *   wrong entropy, changed data    ERROR_INVALID_DATA
 *   somebody else's data           NTE_BAD_KEY_STATE, by many public reports ("Key not valid for use in specified state")
 *   no loaded profile              ERROR_FILE_NOT_FOUND, by public reports of services that run without one; MSDN
 *                                  patterns & practices, "How To: Use DPAPI": user keys need a loaded profile
 *   a prompt with UI_FORBIDDEN     ERROR_PASSWORD_RESTRICTION (MSDN "CryptProtectData"); here, where nobody could
 *                                  answer one, without that flag too
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winerror.h"
#include "winternl.h"
#include "wincrypt.h"
#include "wine/server.h"
#include "ntlab_dpapi.h"

/* begins like those of Windows */
struct header
{
    DWORD version;
    GUID  provider;
    DWORD flags;
    DWORD description;          /* size; it follows, with its terminator */
};

static const GUID provider = { 0xdf9d8cd0, 0x1501, 0x11d1, { 0x8c, 0x7a, 0x00, 0xc0, 0x4f, 0xc2, 0x97, 0xeb } };

#define OVERHEAD 64             /* what the server adds to the data */
#define PROMPTS  (CRYPTPROTECT_PROMPT_ON_PROTECT | CRYPTPROTECT_PROMPT_ON_UNPROTECT)
#define MAX_SIZE 0x1000000      /* 16 MiB at once are enough */

static BOOL fail( DWORD error )
{
    SetLastError( error );
    return FALSE;
}

static BOOL check( const DATA_BLOB *in, const DATA_BLOB *entropy, const CRYPTPROTECT_PROMPTSTRUCT *prompt, const DATA_BLOB *out )
{
    if (!in || !out || (in->cbData && !in->pbData) || (entropy && entropy->cbData && !entropy->pbData))
        return fail( ERROR_INVALID_PARAMETER );
    if (in->cbData > MAX_SIZE || (entropy && entropy->cbData > MAX_SIZE)) return fail( ERROR_INVALID_PARAMETER );
    if (prompt && (prompt->dwPromptFlags & PROMPTS)) return fail( ERROR_PASSWORD_RESTRICTION );
    return TRUE;
}

static NTSTATUS call_server( BOOL unprotect, DWORD flags, const void *header, DWORD header_size, const DATA_BLOB *entropy,
                             const void *data, DWORD size, void *result, DWORD *result_size )
{
    NTSTATUS status;

    SERVER_START_REQ( ntlab_protect )
    {
        req->unprotect    = unprotect;
        req->machine      = !!(flags & CRYPTPROTECT_LOCAL_MACHINE);
        req->header_size  = header_size;
        req->entropy_size = entropy ? entropy->cbData : 0;
        wine_server_add_data( req, header, header_size );
        if (entropy) wine_server_add_data( req, entropy->pbData, entropy->cbData );
        wine_server_add_data( req, data, size );
        wine_server_set_reply( req, result, *result_size );
        status = wine_server_call( req );
        *result_size = wine_server_reply_size( reply );
    }
    SERVER_END_REQ;
    return status;
}

static DWORD error_of( NTSTATUS status )
{
    switch (status)
    {
    case STATUS_DATA_ERROR:     return ERROR_INVALID_DATA;
    case STATUS_WRONG_PASSWORD: return NTE_BAD_KEY_STATE;
    default:                    return RtlNtStatusToDosError( status );
    }
}

BOOL ntlab_protect( const DATA_BLOB *in, const WCHAR *description, const DATA_BLOB *entropy,
                    const CRYPTPROTECT_PROMPTSTRUCT *prompt, DWORD flags, DATA_BLOB *out )
{
    struct header *header;
    DWORD header_size, size;
    NTSTATUS status;

    if (!check( in, entropy, prompt, out )) return FALSE;
    if (!description) description = L"";
    size = (wcslen( description ) + 1) * sizeof(WCHAR);
    header_size = sizeof(*header) + size;
    if (!(header = LocalAlloc( 0, header_size + in->cbData + OVERHEAD ))) return FALSE;
    header->version     = 1;
    header->provider    = provider;
    header->flags       = flags & CRYPTPROTECT_LOCAL_MACHINE;
    header->description = size;
    memcpy( header + 1, description, size );

    size = in->cbData + OVERHEAD;
    if ((status = call_server( FALSE, header->flags, header, header_size, entropy, in->pbData, in->cbData,
                               (char *)header + header_size, &size )))
    {
        LocalFree( header );
        return fail( error_of( status ));
    }
    out->cbData = header_size + size;
    out->pbData = (BYTE *)header;
    return TRUE;
}

BOOL ntlab_unprotect( const DATA_BLOB *in, WCHAR **description, const DATA_BLOB *entropy,
                      const CRYPTPROTECT_PROMPTSTRUCT *prompt, DATA_BLOB *out )
{
    struct header header;
    DWORD header_size, size;
    WCHAR *text = NULL;
    NTSTATUS status;
    BYTE *data;

    if (!check( in, entropy, prompt, out )) return FALSE;
    if (in->cbData < sizeof(header) + OVERHEAD) return fail( ERROR_INVALID_DATA );
    memcpy( &header, in->pbData, sizeof(header) );
    if (header.version != 1 || memcmp( &header.provider, &provider, sizeof(provider) ) ||
        header.description < sizeof(WCHAR) || header.description % sizeof(WCHAR) ||
        header.description > in->cbData - sizeof(header) - OVERHEAD) return fail( ERROR_INVALID_DATA );
    header_size = sizeof(header) + header.description;
    size = in->cbData - header_size - OVERHEAD;
    if (!(data = LocalAlloc( 0, size + 1 ))) return FALSE;
    if ((status = call_server( TRUE, header.flags, in->pbData, header_size, entropy, in->pbData + header_size,
                               in->cbData - header_size, data, &size )))
    {
        LocalFree( data );
        return fail( error_of( status ));
    }
    if (description)
    {
        if (!(text = LocalAlloc( 0, header.description )))
        {
            LocalFree( data );
            return FALSE;
        }
        memcpy( text, in->pbData + sizeof(header), header.description );
        text[header.description / sizeof(WCHAR) - 1] = 0;
        *description = text;
    }
    out->cbData = size;
    out->pbData = data;
    return TRUE;
}
