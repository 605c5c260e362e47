/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the application of a flow (FWPM_CONDITION_ALE_APP_ID)
 *
 * MSDN "FwpmGetAppIdFromFileName0", "Filtering Condition Identifiers": the path of the program by the name of the device,
 * with the null.
 */

#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winternl.h"

#include "object.h"
#include "process.h"
#include "request.h"
#include "unicode.h"
#include "ntlab.h"
#include "ntlab_wfp.h"

/* resolves the drive letter of an NT path */
struct wfp_app *ntlab_app_of_process( const struct process *process )
{
    const struct unicode_str image = { process->image, process->imagelen };
    struct unicode_str rest;
    struct object *device;
    struct wfp_app *app = NULL;
    data_size_t len = 0;
    WCHAR *name = NULL;

    if (!image.str || !(device = lookup_named_object( NULL, &image, OBJ_CASE_INSENSITIVE, &rest )))
    {
        clear_error();
        return NULL;
    }
    if ((name = default_get_full_name( device, &len )) && (app = mem_alloc( sizeof(*app) + len + rest.len + 2 * sizeof(WCHAR) )))
    {
        app->len = len / sizeof(WCHAR);
        memcpy( app->name, name, len );
        if (rest.len && rest.str[0] != '\\') app->name[app->len++] = '\\';
        memcpy( app->name + app->len, rest.str, rest.len );
        app->len += rest.len / sizeof(WCHAR);
        app->name[app->len++] = 0;
    }
    free( name );
    release_object( device );
    return app;
}

int ntlab_is_app( const struct wfp_app *app, const void *id, data_size_t size )
{
    return app && size == app->len * sizeof(WCHAR) && !memicmp_strW( app->name, id, size );
}
