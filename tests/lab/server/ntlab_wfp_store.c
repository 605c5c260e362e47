/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the objects of the filtering platform that are there from the start
 *
 * Those that are built in, and the persistent ones: in the file wfp.ntlab of the prefix, as they were
 * added (MSDN "Object Management").
 */

#include "config.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winternl.h"

#include "request.h"
#include "security.h"
#include "ntlab.h"
#include "ntlab_wfp.h"

#define FILE_NAME "wfp.ntlab"

static const GUID no_guid;
static struct wfp_table current_table;           /* in force */

static void add_builtin( enum ntlab_fwp_kind kind, const GUID *key, const GUID *provider, unsigned int weight, const char *name )
{
    const data_size_t size = (strlen( name ) + 1) * sizeof(WCHAR);
    struct ntlab_fwp_object *data = calloc( 1, sizeof(*data) + NTLAB_FWP_PADDED( size ));
    unsigned int i;

    if (!data) return;
    data->size      = sizeof(*data) + NTLAB_FWP_PADDED( size );
    data->kind      = kind;
    data->key       = *key;
    data->provider  = *provider;
    data->weight    = weight;
    data->name_size = size;
    for (i = 0; name[i]; i++) ((WCHAR *)(data + 1))[i] = name[i];
    if (!ntlab_wfp_add( &current_table, NULL, data )) current_table.objects[current_table.count - 1]->lifetime = WFP_BUILTIN;
}

static void load_objects(void)
{
    int fd = openat( config_dir_fd, FILE_NAME, O_RDONLY );
    struct ntlab_fwp_object head, *data;
    unsigned int err;

    if (fd == -1) return;
    while (read( fd, &head, sizeof(head) ) == sizeof(head))
    {
        if (head.size < sizeof(head) || head.size > 0x1000000 || !(data = malloc( head.size ))) break;
        *data = head;
        if (read( fd, data + 1, head.size - sizeof(head) ) != head.size - sizeof(head) || !ntlab_wfp_complete( data, head.size ))
        {
            free( data );
            break;
        }
        if ((err = ntlab_wfp_add( &current_table, NULL, data )))
            fprintf( stderr, "lab: " FILE_NAME ": an object is not taken (%#x)\n", err );
    }
    close( fd );
}

static int find_start( const WCHAR *name, data_size_t len, unsigned int value, void *arg )
{
    static const WCHAR start[] = {'S','t','a','r','t'};

    if (len != sizeof(start) || memcmp( name, start, sizeof(start) )) return 1;
    *(unsigned int *)arg = value;
    return 0;
}

/* What belongs to a provider with a service counts only where that starts by itself.  MSDN "Object
 * Management"; "FWPM_FILTER0" has the flag. */
static int is_service_disabled( const struct wfp_object *provider )
{
    static const char services[] = "System\\CurrentControlSet\\Services\\";
    const data_size_t name_size = provider->data->service_size - sizeof(WCHAR);
    const WCHAR *name = ntlab_wfp_part( provider->data, WFP_SERVICE );
    WCHAR path[256];
    unsigned int i, start = 0;

    if (provider->data->service_size < sizeof(WCHAR)) return 0;
    if (sizeof(services) * sizeof(WCHAR) + name_size > sizeof(path)) return 1;
    for (i = 0; services[i]; i++) path[i] = services[i];
    memcpy( path + i, name, name_size );
    ntlab_enum_registry( path, i * sizeof(WCHAR) + name_size, find_start, &start );
    return start != SERVICE_AUTO_START;
}

static void disable_filters( struct wfp_table *table )
{
    const struct wfp_object *provider;
    unsigned int i;

    for (i = 0; i < table->count; i++)
    {
        struct ntlab_fwp_object *data = table->objects[i]->data;

        if (data->kind != NTLAB_FWP_FILTER || !(provider = ntlab_wfp_find( table, NTLAB_FWP_PROVIDER, &data->provider ))) continue;
        if (is_service_disabled( provider )) data->flags |= FWPM_FILTER_FLAG_DISABLED;
    }
}

/* replace the file; what cannot be kept fails the transaction, which is durable or not there */
int ntlab_wfp_save( const struct wfp_table *table )
{
    int fd = openat( config_dir_fd, FILE_NAME ".new", O_WRONLY | O_CREAT | O_TRUNC, 0600 ), ok = fd != -1;
    unsigned int i;

    for (i = 0; ok && i < table->count; i++)
    {
        struct ntlab_fwp_object head = *table->objects[i]->data;

        if (table->objects[i]->lifetime != WFP_PERSISTENT) continue;
        head.flags &= ~FWPM_FILTER_FLAG_DISABLED;
        ok = write( fd, &head, sizeof(head) ) == sizeof(head) &&
             write( fd, table->objects[i]->data + 1, head.size - sizeof(head) ) == head.size - sizeof(head);
    }
    if (fd != -1) close( fd );
    return ok && !renameat( config_dir_fd, FILE_NAME ".new", config_dir_fd, FILE_NAME );
}

struct wfp_table *ntlab_wfp_table(void)
{
    static int loaded;

    if (loaded) return &current_table;
    loaded = 1;
    /* weights: the firewall of Windows lies below what others add */
    add_builtin( NTLAB_FWP_PROVIDER, &FWPM_PROVIDER_MPSSVC_WF, &no_guid, 0, "Windows Firewall" );
    add_builtin( NTLAB_FWP_SUBLAYER, &FWPM_SUBLAYER_MPSSVC_WF, &FWPM_PROVIDER_MPSSVC_WF, 2, "Windows Firewall" );
    add_builtin( NTLAB_FWP_SUBLAYER, &FWPM_SUBLAYER_UNIVERSAL, &no_guid, 1, "Universal" );
    load_objects();
    disable_filters( &current_table );
    return &current_table;
}
