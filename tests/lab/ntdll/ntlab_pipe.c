/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: pipes of this machine by a network name
 */

#if 0
#pragma makedep unix
#endif

#include <stdarg.h>
#include <string.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winternl.h"
#include "wine/server.h"
#include "unix_private.h"
#include "ntlab.h"

static BOOL skip_prefix( UNICODE_STRING *name, const char *prefix )
{
    const ULONG len = strlen( prefix );
    ULONG i;

    if (name->Length < len * sizeof(WCHAR)) return FALSE;
    for (i = 0; i < len; i++)
    {
        WCHAR c = name->Buffer[i];

        if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
        if (c != prefix[i]) return FALSE;
    }
    name->Buffer += len;
    name->Length -= len * sizeof(WCHAR);
    return TRUE;
}

/* \\localhost\pipe\NAME goes through the redirector of Windows, and comes back as the logon session;
 * returns FALSE for other names */
BOOL ntlab_open_redirected( HANDLE *handle, ACCESS_MASK access, const OBJECT_ATTRIBUTES *attr, ULONG sharing,
                            ULONG options, unsigned int *status )
{
    static const WCHAR pipes[] = {'\\','?','?','\\','p','i','p','e','\\'};
    UNICODE_STRING name = *attr->ObjectName;

    if (attr->RootDirectory || !skip_prefix( &name, "\\??\\unc\\" )) return FALSE;
    if (!skip_prefix( &name, "localhost\\pipe\\" ) && !skip_prefix( &name, "127.0.0.1\\pipe\\" )) return FALSE;
    SERVER_START_REQ( open_file_object )
    {
        req->access     = access;
        req->attributes = attr->Attributes;
        req->rootdir    = 0;
        req->sharing    = sharing;
        req->options    = options | NTLAB_OPEN_REDIRECTED;
        wine_server_add_data( req, pipes, sizeof(pipes) );
        wine_server_add_data( req, name.Buffer, name.Length );
        *status = wine_server_call( req );
        *handle = wine_server_ptr_handle( reply->handle );
    }
    SERVER_END_REQ;
    return TRUE;
}
