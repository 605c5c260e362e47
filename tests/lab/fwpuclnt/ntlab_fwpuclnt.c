/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: fwpuclnt.dll
 *
 * Carries the structures of fwpmtypes.h to the engine in the server and back (ntlab_fwp.h).  In place of
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

/***********************************************************************
 *  objects on their way to the engine
 */

struct builder
{
    char *data;
    DWORD size;
    DWORD capacity;
    DWORD err;
};

static void append( struct builder *builder, const void *data, DWORD size )
{
    const DWORD padded = NTLAB_FWP_PADDED( size );

    if (builder->err || !size) return;
    if (builder->capacity - builder->size < padded)
    {
        DWORD capacity = max( builder->capacity * 2, builder->size + padded + 256 );
        char *new = realloc( builder->data, capacity );

        if (!new)
        {
            builder->err = ERROR_NOT_ENOUGH_MEMORY;
            return;
        }
        builder->data     = new;
        builder->capacity = capacity;
    }
    memcpy( builder->data + builder->size, data, size );
    memset( builder->data + builder->size + size, 0, padded - size );
    builder->size += padded;
}

static DWORD string_size( const WCHAR *string )
{
    return string ? (wcslen( string ) + 1) * sizeof(WCHAR) : 0;
}

static struct ntlab_fwp_object make_object( int kind, const GUID *key, const FWPM_DISPLAY_DATA0 *display, UINT32 flags,
                                            const GUID *provider, const FWP_BYTE_BLOB *data )
{
    struct ntlab_fwp_object object = { 0, kind, *key };

    object.flags = flags;
    if (provider) object.provider = *provider;
    object.name_size        = string_size( display->name );
    object.description_size = string_size( display->description );
    object.data_size        = data->data ? data->size : 0;
    return object;
}

/* the descriptor of an object may be absolute, that in a condition may not */
static void *relative_sd( PSECURITY_DESCRIPTOR sd, DWORD *size )
{
    void *copy;

    *size = 0;
    if (!sd) return NULL;
    if (!IsValidSecurityDescriptor( sd )) return NULL;
    MakeSelfRelativeSD( sd, NULL, size );
    if (!(copy = malloc( *size ))) return NULL;
    if (MakeSelfRelativeSD( sd, copy, size )) return copy;
    *size = GetSecurityDescriptorLength( sd );  /* it is one already */
    memcpy( copy, sd, *size );
    return copy;
}

/* object, names, data and descriptor; conditions follow */
static void start_object( struct builder *builder, struct ntlab_fwp_object *object, const FWPM_DISPLAY_DATA0 *display,
                          const FWP_BYTE_BLOB *data, const WCHAR *service, PSECURITY_DESCRIPTOR sd )
{
    DWORD size;
    void *relative = relative_sd( sd, &size );

    if (sd && !relative) builder->err = ERROR_INVALID_SECURITY_DESCR;
    object->service_size = string_size( service );
    object->sd_size      = size;
    append( builder, object, sizeof(*object) );
    append( builder, display->name, object->name_size );
    append( builder, display->description, object->description_size );
    append( builder, data->data, object->data_size );
    append( builder, service, object->service_size );
    append( builder, relative, size );
    free( relative );
}

/* integers as eight bytes, addresses as sixteen, other values as they are; returns the size */
static DWORD flatten_value( FWP_DATA_TYPE type, const void *value, UINT64 *number, const void **data )
{
    const FWP_VALUE0 *v = value;  /* FWP_CONDITION_VALUE0 begins in the same way */

    *data = number;
    switch ((int)type)
    {
    case FWP_UINT8:             *number = v->uint8;  return sizeof(*number);
    case FWP_UINT16:            *number = v->uint16; return sizeof(*number);
    case FWP_UINT32:            *number = v->uint32; return sizeof(*number);
    case FWP_UINT64:            *data = v->uint64;   return v->uint64 ? sizeof(*number) : 0;
    case FWP_BYTE_ARRAY16_TYPE: *data = v->byteArray16; return v->byteArray16 ? 16 : 0;
    case FWP_BYTE_BLOB_TYPE:
    case FWP_SECURITY_DESCRIPTOR_TYPE:
        if (!v->sd || !v->sd->data) return 0;
        *data = v->sd->data;
        return v->sd->size;
    case FWP_SID:
        *data = v->sid;
        return v->sid ? GetLengthSid( v->sid ) : 0;
    case FWP_UNICODE_STRING_TYPE:
        *data = v->unicodeString;
        return string_size( v->unicodeString );
    case FWP_V4_ADDR_MASK:      *data = v->uint64;   return v->uint64 ? sizeof(FWP_V4_ADDR_AND_MASK) : 0;
    case FWP_V6_ADDR_MASK:      *data = v->uint64;   return v->uint64 ? sizeof(FWP_V6_ADDR_AND_MASK) : 0;
    default:                    return 0;
    }
}

static void append_condition( struct builder *builder, const FWPM_FILTER_CONDITION0 *condition )
{
    struct ntlab_fwp_condition wire = { condition->fieldKey, condition->matchType, condition->conditionValue.type };
    const FWP_RANGE0 *range = condition->conditionValue.rangeValue;
    char ends[32] = { 0 };
    const void *data;
    UINT64 number;

    if (wire.type == FWP_RANGE_TYPE)
    {
        if (!range || range->valueLow.type != range->valueHigh.type)
        {
            builder->err = FWP_E_INVALID_RANGE;
            return;
        }
        wire.range_type = range->valueLow.type;
        wire.size = flatten_value( range->valueLow.type, &range->valueLow, &number, &data );
        memcpy( ends, data, min( wire.size, 16 ));
        wire.size = flatten_value( range->valueHigh.type, &range->valueHigh, &number, &data );
        memcpy( ends + 16, data, min( wire.size, 16 ));
        wire.size = sizeof(ends);
        data = ends;
    }
    else wire.size = flatten_value( condition->conditionValue.type, &condition->conditionValue, &number, &data );
    append( builder, &wire, sizeof(wire) );
    append( builder, data, wire.size );
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

/***********************************************************************
 *  objects on their way back
 *
 *  Each is one block of memory for FwpmFreeMemory0, with room for everything behind it.
 */

struct writer
{
    char *pos;
};

static void *put( struct writer *writer, const void *data, DWORD size )
{
    void *ret = writer->pos;

    if (!size) return NULL;
    memcpy( ret, data, size );
    writer->pos += (size + 15) & ~15;
    return ret;
}

struct parts
{
    FWPM_DISPLAY_DATA0 display;
    GUID              *provider;
    FWP_BYTE_BLOB      data;
    WCHAR             *service;
    const char        *conditions;
};

static struct parts put_parts( struct writer *writer, const struct ntlab_fwp_object *object )
{
    static const GUID none;
    const char *pos = (const char *)(object + 1);
    struct parts parts = { { NULL } };

    parts.display.name = put( writer, pos, object->name_size );
    pos += NTLAB_FWP_PADDED( object->name_size );
    parts.display.description = put( writer, pos, object->description_size );
    pos += NTLAB_FWP_PADDED( object->description_size );
    parts.data.size = object->data_size;
    parts.data.data = put( writer, pos, object->data_size );
    pos += NTLAB_FWP_PADDED( object->data_size );
    parts.service = put( writer, pos, object->service_size );
    pos += NTLAB_FWP_PADDED( object->service_size ) + NTLAB_FWP_PADDED( object->sd_size );
    if (memcmp( &object->provider, &none, sizeof(none) )) parts.provider = put( writer, &object->provider, sizeof(GUID) );
    parts.conditions = pos;
    return parts;
}

static void put_value( struct writer *writer, FWP_VALUE0 *value, FWP_DATA_TYPE type, const char *data, DWORD size )
{
    FWP_BYTE_BLOB blob;
    UINT64 number = 0;

    memcpy( &number, data, min( size, sizeof(number) ));
    value->type = type;
    switch ((int)type)
    {
    case FWP_UINT8:  value->uint8  = number; break;
    case FWP_UINT16: value->uint16 = number; break;
    case FWP_UINT32: value->uint32 = number; break;
    case FWP_BYTE_BLOB_TYPE:
    case FWP_SECURITY_DESCRIPTOR_TYPE:
        blob.size = size;
        blob.data = put( writer, data, size );
        value->sd = put( writer, &blob, sizeof(blob) );
        break;
    default:
        value->uint64 = put( writer, data, size );
        break;
    }
}

static const char *put_condition( struct writer *writer, FWPM_FILTER_CONDITION0 *condition, const char *pos )
{
    const struct ntlab_fwp_condition *wire = (const struct ntlab_fwp_condition *)pos;
    FWP_CONDITION_VALUE0 *value = &condition->conditionValue;
    FWP_RANGE0 range;

    pos += sizeof(*wire);
    condition->fieldKey  = wire->field;
    condition->matchType = wire->match;
    value->type = wire->type;
    if (value->type == FWP_RANGE_TYPE)
    {
        put_value( writer, &range.valueLow, wire->range_type, pos, 16 );
        put_value( writer, &range.valueHigh, wire->range_type, pos + 16, 16 );
        value->rangeValue = put( writer, &range, sizeof(range) );
    }
    else put_value( writer, (FWP_VALUE0 *)value, wire->type, pos, wire->size );
    return pos + NTLAB_FWP_PADDED( wire->size );
}

/* what an object needs at most: everything again, each part rounded up, and the arrays */
static DWORD room_for( const struct ntlab_fwp_object *object )
{
    return sizeof(FWPM_FILTER0) + 2 * object->size + 8 * 16 + object->condition_count * (sizeof(FWPM_FILTER_CONDITION0) + 128);
}

static void put_provider( struct writer *writer, void *memory, const struct ntlab_fwp_object *object )
{
    FWPM_PROVIDER0 *provider = memory;
    struct parts parts;

    writer->pos += (sizeof(*provider) + 15) & ~15;
    parts = put_parts( writer, object );
    provider->providerKey  = object->key;
    provider->displayData  = parts.display;
    provider->flags        = object->flags;
    provider->providerData = parts.data;
    provider->serviceName  = parts.service;
}

static void put_sublayer( struct writer *writer, void *memory, const struct ntlab_fwp_object *object )
{
    FWPM_SUBLAYER0 *sublayer = memory;
    struct parts parts;

    writer->pos += (sizeof(*sublayer) + 15) & ~15;
    parts = put_parts( writer, object );
    sublayer->subLayerKey  = object->key;
    sublayer->displayData  = parts.display;
    sublayer->flags        = object->flags;
    sublayer->providerKey  = parts.provider;
    sublayer->providerData = parts.data;
    sublayer->weight       = object->weight;
}

static void put_filter( struct writer *writer, void *memory, const struct ntlab_fwp_object *object )
{
    FWPM_FILTER0 *filter = memory;
    struct parts parts;
    const char *pos;
    UINT32 i;

    writer->pos += (sizeof(*filter) + 15) & ~15;
    parts = put_parts( writer, object );
    filter->filterKey    = object->key;
    filter->displayData  = parts.display;
    filter->flags        = object->flags;
    filter->providerKey  = parts.provider;
    filter->providerData = parts.data;
    filter->layerKey     = object->layer;
    filter->subLayerKey  = object->sublayer;
    filter->rawContext   = object->context;
    filter->filterId     = object->id;
    filter->action.type  = object->action;
    put_value( writer, &filter->weight, object->weight_type, (const char *)&object->weight, sizeof(object->weight) );
    put_value( writer, &filter->effectiveWeight, FWP_UINT64, (const char *)&object->effective_weight, sizeof(object->weight) );
    if (!(filter->numFilterConditions = object->condition_count)) return;
    filter->filterCondition = (void *)writer->pos;
    writer->pos += (object->condition_count * sizeof(*filter->filterCondition) + 15) & ~15;
    for (i = 0, pos = parts.conditions; i < object->condition_count; i++)
        pos = put_condition( writer, &filter->filterCondition[i], pos );
}

static void (* const put_object[])( struct writer *, void *, const struct ntlab_fwp_object * ) =
{
    put_provider, put_sublayer, put_filter
};

static DWORD get_object( HANDLE engine, int kind, const GUID *key, UINT64 id, void **result )
{
    struct writer writer;
    void *data;
    DWORD size, err;

    if (!result) return FWP_E_NULL_POINTER;
    *result = NULL;
    if ((err = call_engine( engine, NTLAB_FWP_GET, kind, &id, key, key ? sizeof(*key) : 0, &data, &size ))) return err;
    if ((*result = calloc( 1, room_for( data ) )))
    {
        writer.pos = *result;
        put_object[kind]( &writer, *result, data );
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
    for (start = enumerator->pos; count < wanted && (object = next_object( enumerator )); count++) room += room_for( object );
    enumerator->pos = start;
    if (!(memory = calloc( 1, (count + 2) * sizeof(*memory) + 16 + room ))) return ERROR_NOT_ENOUGH_MEMORY;
    writer.pos = (char *)memory + (((count + 1) * sizeof(*memory) + 15) & ~15);
    for (i = 0; i < count; i++)
    {
        memory[i] = writer.pos;
        put_object[enumerator->kind]( &writer, memory[i], next_object( enumerator ));
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

DWORD WINAPI FwpmProviderAdd0( HANDLE engine, const FWPM_PROVIDER0 *provider, PSECURITY_DESCRIPTOR sd )
{
    struct ntlab_fwp_object object;
    struct builder builder = { NULL };

    if (!provider) return FWP_E_NULL_POINTER;
    object = make_object( NTLAB_FWP_PROVIDER, &provider->providerKey, &provider->displayData, provider->flags, NULL,
                          &provider->providerData );
    start_object( &builder, &object, &provider->displayData, &provider->providerData, provider->serviceName, sd );
    return send_object( engine, &builder, NTLAB_FWP_PROVIDER, NULL );
}

DWORD WINAPI FwpmSubLayerAdd0( HANDLE engine, const FWPM_SUBLAYER0 *sublayer, PSECURITY_DESCRIPTOR sd )
{
    struct ntlab_fwp_object object;
    struct builder builder = { NULL };

    if (!sublayer) return FWP_E_NULL_POINTER;
    object = make_object( NTLAB_FWP_SUBLAYER, &sublayer->subLayerKey, &sublayer->displayData, sublayer->flags,
                          sublayer->providerKey, &sublayer->providerData );
    object.weight = sublayer->weight;
    start_object( &builder, &object, &sublayer->displayData, &sublayer->providerData, NULL, sd );
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
    object = make_object( NTLAB_FWP_FILTER, &filter->filterKey, &filter->displayData, filter->flags,
                          filter->providerKey, &filter->providerData );
    object.layer           = filter->layerKey;
    object.sublayer        = filter->subLayerKey;
    object.weight_type     = filter->weight.type;
    object.action          = filter->action.type;
    object.context         = filter->rawContext;
    object.condition_count = filter->numFilterConditions;
    if (filter->weight.type == FWP_UINT64 && !filter->weight.uint64) return FWP_E_NULL_POINTER;
    if (flatten_value( filter->weight.type, &filter->weight, &number, &weight ) == sizeof(number))
        memcpy( &object.weight, weight, sizeof(number) );
    start_object( &builder, &object, &filter->displayData, &filter->providerData, NULL, sd );
    for (i = 0; i < filter->numFilterConditions; i++) append_condition( &builder, &filter->filterCondition[i] );
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
