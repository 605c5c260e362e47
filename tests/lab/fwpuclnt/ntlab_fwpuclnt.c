/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: fwpuclnt.dll
 *
 * Carries the structures of fwpmtypes.h to the engine in the server and back (ntlab_wire.c).  In place of
 * Wine's stubs.  What is not in the spec file does not exist.
 */

#define INITGUID
#define _WIN32_WINNT 0x0A00
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winternl.h"
#include "wine/server.h"
#define WINBOOL BOOL
#include <fwpmtypes.h>
#include "ntlab_fwp.h"
#include "ntlab_wire.h"

/* a session, which the application knows as engine handle */
struct engine
{
    HANDLE handle;
    DWORD  timeout;   /* how long to wait for the transaction of another session */
};

/***********************************************************************
 *  calls
 */

/* The engine does not keep a call waiting for the transaction of another session.  MSDN "Object
 * Management": fifteen seconds, or what the session says. */
static DWORD call_engine( const struct engine *engine, int call, int kind, UINT64 *arg, const void *data, DWORD size,
                          void **reply_data, DWORD *reply_size )
{
    DWORD start = GetTickCount(), room = reply_data ? 4096 : 0, needed = 0, err;
    NTSTATUS status;
    void *buffer = NULL;

    if (!engine) return ERROR_INVALID_HANDLE;
    for (;;)
    {
        if (room && !(buffer = malloc( room ))) return ERROR_NOT_ENOUGH_MEMORY;
        SERVER_START_REQ( ntlab_wfp_call )
        {
            req->handle = wine_server_obj_handle( engine->handle );
            req->call   = call;
            req->kind   = kind;
            req->arg    = arg ? *arg : 0;
            wine_server_add_data( req, data, size );
            if (room) wine_server_set_reply( req, buffer, room );
            status = wine_server_call( req );
            err    = reply->error;
            needed = reply->size;
            if (arg && !status && !err) *arg = reply->arg;
        }
        SERVER_END_REQ;
        if (status) err = RtlNtStatusToDosError( status );
        if (!err && reply_data)
        {
            *reply_data = buffer;
            *reply_size = needed;
            return 0;
        }
        free( buffer );
        buffer = NULL;
        if (err == ERROR_MORE_DATA && needed > room) room = needed;
        else if (err == FWP_E_TIMEOUT && GetTickCount() - start < engine->timeout) Sleep( 5 );
        else return err;
    }
}

static DWORD send_object( HANDLE engine, struct builder *builder, int kind, UINT64 *id )
{
    UINT64 result = 0;
    DWORD err = builder->err;

    if (!err)
    {
        ((struct ntlab_fwp_object *)builder->data)->size = builder->size;
        err = call_engine( engine, NTLAB_FWP_ADD, kind, &result, builder->data, builder->size, NULL, NULL );
    }
    free( builder->data );
    if (!err && id) *id = result;
    return err;
}

static DWORD get_object( HANDLE engine, int kind, const GUID *key, UINT64 id, void **result )
{
    struct writer writer;
    void *data;
    DWORD size, err;

    if (!result) return FWP_E_NULL_POINTER;
    *result = NULL;
    if ((err = call_engine( engine, NTLAB_FWP_GET, kind, &id, key, key ? sizeof(*key) : 0, &data, &size ))) return err;
    if ((*result = calloc( 1, ntlab_wire_room( data ) )))
    {
        writer.pos = *result;
        ntlab_wire_put[kind]( &writer, *result, data );
    }
    free( data );
    return *result ? 0 : ERROR_NOT_ENOUGH_MEMORY;
}

/***********************************************************************
 *  enumerations: what there was when the handle was created
 */

struct enumerator
{
    int   kind;
    char *data;
    DWORD size;
    DWORD pos;
};

/* MSDN "FWPM_FILTER_ENUM_TEMPLATE0"; conditions, callouts and matching are not modelled */
static DWORD check_template( const FWPM_FILTER_ENUM_TEMPLATE0 *template )
{
    if (!template) return 0;
    if (template->numFilterConditions || template->providerContextTemplate || template->calloutKey) return ERROR_NOT_SUPPORTED;
    if (template->flags & ~(FWP_FILTER_ENUM_FLAG_SORTED | FWP_FILTER_ENUM_FLAG_BOOTTIME_ONLY | FWP_FILTER_ENUM_FLAG_INCLUDE_BOOTTIME |
                            FWP_FILTER_ENUM_FLAG_INCLUDE_DISABLED)) return FWP_E_INVALID_FLAGS;
    return 0;
}

static BOOL filter_wanted( const struct ntlab_fwp_object *object, const FWPM_FILTER_ENUM_TEMPLATE0 *template )
{
    const BOOL boottime = !!(object->flags & FWPM_FILTER_FLAG_BOOTTIME);

    if (!template) return TRUE;
    if (memcmp( &object->layer, &template->layerKey, sizeof(GUID) )) return FALSE;
    if (template->providerKey && memcmp( &object->provider, template->providerKey, sizeof(GUID) )) return FALSE;
    if (!(object->action & template->actionMask)) return FALSE;
    if (boottime && !(template->flags & (FWP_FILTER_ENUM_FLAG_BOOTTIME_ONLY | FWP_FILTER_ENUM_FLAG_INCLUDE_BOOTTIME))) return FALSE;
    if (!boottime && (template->flags & FWP_FILTER_ENUM_FLAG_BOOTTIME_ONLY)) return FALSE;
    return !(object->flags & FWPM_FILTER_FLAG_DISABLED) || (template->flags & FWP_FILTER_ENUM_FLAG_INCLUDE_DISABLED);
}

static const struct ntlab_fwp_object *next_object( struct enumerator *enumerator )
{
    const struct ntlab_fwp_object *object = (const void *)(enumerator->data + enumerator->pos);

    if (enumerator->pos >= enumerator->size) return NULL;
    enumerator->pos += object->size;
    return object;
}

/* keep what the template wants, the heaviest first if that is asked for */
static DWORD select_filters( struct enumerator *enumerator, const FWPM_FILTER_ENUM_TEMPLATE0 *template )
{
    const struct ntlab_fwp_object *object, *best;
    UINT64 last = ~(UINT64)0, last_id = 0;
    char *selected;
    DWORD size = 0;

    if (!(selected = malloc( enumerator->size + 1 ))) return ERROR_NOT_ENOUGH_MEMORY;
    if (!(template->flags & FWP_FILTER_ENUM_FLAG_SORTED))
    {
        while ((object = next_object( enumerator )))
        {
            if (!filter_wanted( object, template )) continue;
            memcpy( selected + size, object, object->size );
            size += object->size;
        }
    }
    else do
    {
        for (best = NULL, enumerator->pos = 0; (object = next_object( enumerator ));)
        {
            if (!filter_wanted( object, template ) || object->effective_weight > last) continue;
            if (object->effective_weight == last && object->id <= last_id) continue;
            if (!best || object->effective_weight > best->effective_weight) best = object;
        }
        if (!best) break;
        last    = best->effective_weight;
        last_id = best->id;
        memcpy( selected + size, best, best->size );
        size += best->size;
    } while (best);
    free( enumerator->data );
    enumerator->data = selected;
    enumerator->size = size;
    enumerator->pos  = 0;
    return 0;
}

static DWORD create_enumerator( HANDLE engine, int kind, struct enumerator **result )
{
    struct enumerator *enumerator;
    DWORD err;

    if (!result) return FWP_E_NULL_POINTER;
    if (!(enumerator = calloc( 1, sizeof(*enumerator) ))) return ERROR_NOT_ENOUGH_MEMORY;
    enumerator->kind = kind;
    if ((err = call_engine( engine, NTLAB_FWP_ENUM, kind, NULL, NULL, 0, (void **)&enumerator->data, &enumerator->size )))
        free( enumerator );
    else *result = enumerator;
    return err;
}

static DWORD enumerate( struct enumerator *enumerator, UINT32 wanted, void ***entries, UINT32 *returned )
{
    const struct ntlab_fwp_object *object;
    DWORD start, room = 0;
    UINT32 count = 0, i;
    struct writer writer;
    void **memory;

    if (!enumerator) return ERROR_INVALID_HANDLE;
    if (!entries || !returned) return FWP_E_NULL_POINTER;
    for (start = enumerator->pos; count < wanted && (object = next_object( enumerator )); count++) room += ntlab_wire_room( object );
    enumerator->pos = start;
    if (!(memory = calloc( 1, (count + 2) * sizeof(*memory) + 16 + room ))) return ERROR_NOT_ENOUGH_MEMORY;
    writer.pos = (char *)memory + (((count + 1) * sizeof(*memory) + 15) & ~15);
    for (i = 0; i < count; i++)
    {
        memory[i] = writer.pos;
        ntlab_wire_put[enumerator->kind]( &writer, memory[i], next_object( enumerator ));
    }
    *entries  = memory;
    *returned = count;
    return 0;
}

static DWORD destroy_enumerator( struct enumerator *enumerator )
{
    if (!enumerator) return ERROR_INVALID_HANDLE;
    free( enumerator->data );
    free( enumerator );
    return 0;
}

/***********************************************************************
 *  what is exported
 */

DWORD WINAPI FwpmEngineOpen0( const WCHAR *server, UINT32 service, void *identity, const FWPM_SESSION0 *session, HANDLE *handle )
{
    static const GUID none;
    struct engine *engine;
    NTSTATUS status;
    DWORD err;

    if (!handle) return FWP_E_NULL_POINTER;
    if (server || identity) return ERROR_NOT_SUPPORTED;
    if (service != RPC_C_AUTHN_WINNT && service != RPC_C_AUTHN_DEFAULT) return ERROR_NOT_SUPPORTED;
    if (session && (session->flags & ~FWPM_SESSION_FLAG_DYNAMIC)) return FWP_E_INVALID_FLAGS;
    if (!(engine = calloc( 1, sizeof(*engine) ))) return ERROR_NOT_ENOUGH_MEMORY;
    engine->timeout = session && session->txnWaitTimeoutInMSec ? session->txnWaitTimeoutInMSec : 15000;
    SERVER_START_REQ( ntlab_wfp_open )
    {
        req->dynamic = session && (session->flags & FWPM_SESSION_FLAG_DYNAMIC);
        if (session && memcmp( &session->sessionKey, &none, sizeof(none) ))
            wine_server_add_data( req, &session->sessionKey, sizeof(session->sessionKey) );
        status = wine_server_call( req );
        err    = reply->error;
        engine->handle = wine_server_ptr_handle( reply->handle );
    }
    SERVER_END_REQ;
    if (status) err = RtlNtStatusToDosError( status );
    if (err) free( engine );
    else *handle = engine;
    return err;
}

DWORD WINAPI FwpmEngineClose0( HANDLE handle )
{
    struct engine *engine = handle;

    if (!engine) return ERROR_INVALID_HANDLE;
    CloseHandle( engine->handle );
    free( engine );
    return 0;
}

DWORD WINAPI FwpmTransactionBegin0( HANDLE engine, UINT32 flags )
{
    UINT64 arg = flags;

    if (flags & ~FWPM_TXN_READ_ONLY) return FWP_E_INVALID_FLAGS;
    return call_engine( engine, NTLAB_FWP_BEGIN, 0, &arg, NULL, 0, NULL, NULL );
}

DWORD WINAPI FwpmTransactionCommit0( HANDLE engine )
{
    return call_engine( engine, NTLAB_FWP_COMMIT, 0, NULL, NULL, 0, NULL, NULL );
}

DWORD WINAPI FwpmTransactionAbort0( HANDLE engine )
{
    return call_engine( engine, NTLAB_FWP_ABORT, 0, NULL, NULL, 0, NULL, NULL );
}

void WINAPI FwpmFreeMemory0( void **memory )
{
    if (!memory) return;
    free( *memory );
    *memory = NULL;
}

/* MSDN: the file exists, and the id is in lower case */
DWORD WINAPI FwpmGetAppIdFromFileName0( const WCHAR *name, FWP_BYTE_BLOB **id )
{
    WCHAR path[MAX_PATH], device[MAX_PATH], drive[3];
    FWP_BYTE_BLOB *blob;
    DWORD len;

    if (!name || !id) return FWP_E_NULL_POINTER;
    if (GetFileAttributesW( name ) == INVALID_FILE_ATTRIBUTES) return GetLastError();
    if (!(len = GetFullPathNameW( name, MAX_PATH, path, NULL )) || len >= MAX_PATH || path[1] != ':') return ERROR_NOT_SUPPORTED;
    lstrcpynW( drive, path, 3 );
    if (!QueryDosDeviceW( drive, device, MAX_PATH )) return GetLastError();
    len = (lstrlenW( device ) + lstrlenW( path + 2 ) + 1) * sizeof(WCHAR);
    if (!(blob = malloc( sizeof(*blob) + len ))) return ERROR_NOT_ENOUGH_MEMORY;
    blob->size = len;
    blob->data = (UINT8 *)(blob + 1);
    lstrcpyW( (WCHAR *)blob->data, device );
    lstrcatW( (WCHAR *)blob->data, path + 2 );
    _wcslwr( (WCHAR *)blob->data );
    *id = blob;
    return 0;
}

DWORD WINAPI FwpmProviderAdd0( HANDLE engine, const FWPM_PROVIDER0 *provider, PSECURITY_DESCRIPTOR sd )
{
    struct ntlab_fwp_object object;
    struct builder builder = { NULL };

    if (!provider) return FWP_E_NULL_POINTER;
    object = ntlab_wire_object( NTLAB_FWP_PROVIDER, &provider->providerKey, &provider->displayData, provider->flags, NULL,
                          &provider->providerData );
    ntlab_wire_start( &builder, &object, &provider->displayData, &provider->providerData, provider->serviceName, sd );
    return send_object( engine, &builder, NTLAB_FWP_PROVIDER, NULL );
}

DWORD WINAPI FwpmSubLayerAdd0( HANDLE engine, const FWPM_SUBLAYER0 *sublayer, PSECURITY_DESCRIPTOR sd )
{
    struct ntlab_fwp_object object;
    struct builder builder = { NULL };

    if (!sublayer) return FWP_E_NULL_POINTER;
    object = ntlab_wire_object( NTLAB_FWP_SUBLAYER, &sublayer->subLayerKey, &sublayer->displayData, sublayer->flags,
                          sublayer->providerKey, &sublayer->providerData );
    object.weight = sublayer->weight;
    ntlab_wire_start( &builder, &object, &sublayer->displayData, &sublayer->providerData, NULL, sd );
    return send_object( engine, &builder, NTLAB_FWP_SUBLAYER, NULL );
}

DWORD WINAPI FwpmFilterAdd0( HANDLE engine, const FWPM_FILTER0 *filter, PSECURITY_DESCRIPTOR sd, UINT64 *id )
{
    struct ntlab_fwp_object object;
    struct builder builder = { NULL };
    const void *weight;
    UINT64 number;
    UINT32 i;

    if (!filter || (filter->numFilterConditions && !filter->filterCondition)) return FWP_E_NULL_POINTER;
    object = ntlab_wire_object( NTLAB_FWP_FILTER, &filter->filterKey, &filter->displayData, filter->flags,
                          filter->providerKey, &filter->providerData );
    object.layer           = filter->layerKey;
    object.sublayer        = filter->subLayerKey;
    object.weight_type     = filter->weight.type;
    object.action          = filter->action.type;
    object.context         = filter->rawContext;
    object.condition_count = filter->numFilterConditions;
    if (filter->weight.type == FWP_UINT64 && !filter->weight.uint64) return FWP_E_NULL_POINTER;
    if (ntlab_wire_value( filter->weight.type, &filter->weight, &number, &weight ) == sizeof(number))
        memcpy( &object.weight, weight, sizeof(number) );
    ntlab_wire_start( &builder, &object, &filter->displayData, &filter->providerData, NULL, sd );
    for (i = 0; i < filter->numFilterConditions; i++) ntlab_wire_condition( &builder, &filter->filterCondition[i] );
    return send_object( engine, &builder, NTLAB_FWP_FILTER, id );
}

static DWORD delete_object( HANDLE engine, int kind, const GUID *key )
{
    if (!key) return FWP_E_NULL_POINTER;
    return call_engine( engine, NTLAB_FWP_DELETE, kind, NULL, key, sizeof(*key), NULL, NULL );
}

DWORD WINAPI FwpmProviderDeleteByKey0( HANDLE engine, const GUID *key ) { return delete_object( engine, NTLAB_FWP_PROVIDER, key ); }
DWORD WINAPI FwpmSubLayerDeleteByKey0( HANDLE engine, const GUID *key ) { return delete_object( engine, NTLAB_FWP_SUBLAYER, key ); }
DWORD WINAPI FwpmFilterDeleteByKey0( HANDLE engine, const GUID *key )   { return delete_object( engine, NTLAB_FWP_FILTER, key ); }

DWORD WINAPI FwpmFilterDeleteById0( HANDLE engine, UINT64 id )
{
    return call_engine( engine, NTLAB_FWP_DELETE, NTLAB_FWP_FILTER, &id, NULL, 0, NULL, NULL );
}

DWORD WINAPI FwpmProviderGetByKey0( HANDLE engine, const GUID *key, FWPM_PROVIDER0 **provider )
{
    return key ? get_object( engine, NTLAB_FWP_PROVIDER, key, 0, (void **)provider ) : FWP_E_NULL_POINTER;
}

DWORD WINAPI FwpmSubLayerGetByKey0( HANDLE engine, const GUID *key, FWPM_SUBLAYER0 **sublayer )
{
    return key ? get_object( engine, NTLAB_FWP_SUBLAYER, key, 0, (void **)sublayer ) : FWP_E_NULL_POINTER;
}

DWORD WINAPI FwpmFilterGetByKey0( HANDLE engine, const GUID *key, FWPM_FILTER0 **filter )
{
    return key ? get_object( engine, NTLAB_FWP_FILTER, key, 0, (void **)filter ) : FWP_E_NULL_POINTER;
}

DWORD WINAPI FwpmFilterGetById0( HANDLE engine, UINT64 id, FWPM_FILTER0 **filter )
{
    return get_object( engine, NTLAB_FWP_FILTER, NULL, id, (void **)filter );
}

DWORD WINAPI FwpmProviderCreateEnumHandle0( HANDLE engine, const FWPM_PROVIDER_ENUM_TEMPLATE0 *template, HANDLE *handle )
{
    return template ? ERROR_NOT_SUPPORTED : create_enumerator( engine, NTLAB_FWP_PROVIDER, (struct enumerator **)handle );
}

DWORD WINAPI FwpmSubLayerCreateEnumHandle0( HANDLE engine, const FWPM_SUBLAYER_ENUM_TEMPLATE0 *template, HANDLE *handle )
{
    return template ? ERROR_NOT_SUPPORTED : create_enumerator( engine, NTLAB_FWP_SUBLAYER, (struct enumerator **)handle );
}

DWORD WINAPI FwpmFilterCreateEnumHandle0( HANDLE engine, const FWPM_FILTER_ENUM_TEMPLATE0 *template, HANDLE *handle )
{
    struct enumerator *enumerator;
    DWORD err = check_template( template );

    if (err || (err = create_enumerator( engine, NTLAB_FWP_FILTER, &enumerator ))) return err;
    if (template && (err = select_filters( enumerator, template ))) destroy_enumerator( enumerator );
    else *handle = enumerator;
    return err;
}

DWORD WINAPI FwpmProviderEnum0( HANDLE engine, HANDLE handle, UINT32 wanted, FWPM_PROVIDER0 ***entries, UINT32 *returned )
{
    return enumerate( handle, wanted, (void ***)entries, returned );
}

DWORD WINAPI FwpmSubLayerEnum0( HANDLE engine, HANDLE handle, UINT32 wanted, FWPM_SUBLAYER0 ***entries, UINT32 *returned )
{
    return enumerate( handle, wanted, (void ***)entries, returned );
}

DWORD WINAPI FwpmFilterEnum0( HANDLE engine, HANDLE handle, UINT32 wanted, FWPM_FILTER0 ***entries, UINT32 *returned )
{
    return enumerate( handle, wanted, (void ***)entries, returned );
}

DWORD WINAPI FwpmProviderDestroyEnumHandle0( HANDLE engine, HANDLE handle ) { return destroy_enumerator( handle ); }
DWORD WINAPI FwpmSubLayerDestroyEnumHandle0( HANDLE engine, HANDLE handle ) { return destroy_enumerator( handle ); }
DWORD WINAPI FwpmFilterDestroyEnumHandle0( HANDLE engine, HANDLE handle )   { return destroy_enumerator( handle ); }
