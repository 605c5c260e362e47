/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the structures of fwpmtypes.h as they travel (ntlab_fwp.h), and back
 */

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
#define WINBOOL BOOL
#include <fwpmtypes.h>
#include "guiddef.h"
#include "ntlab_fwp.h"
#include "ntlab_wire.h"

/***********************************************************************
 *  objects on their way to the engine
 */

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

struct ntlab_fwp_object ntlab_wire_object( int kind, const GUID *key, const FWPM_DISPLAY_DATA0 *display, UINT32 flags,
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
void ntlab_wire_start( struct builder *builder, struct ntlab_fwp_object *object, const FWPM_DISPLAY_DATA0 *display,
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
DWORD ntlab_wire_value( FWP_DATA_TYPE type, const void *value, UINT64 *number, const void **data )
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

void ntlab_wire_condition( struct builder *builder, const FWPM_FILTER_CONDITION0 *condition )
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
        wire.size = ntlab_wire_value( range->valueLow.type, &range->valueLow, &number, &data );
        memcpy( ends, data, min( wire.size, 16 ));
        wire.size = ntlab_wire_value( range->valueHigh.type, &range->valueHigh, &number, &data );
        memcpy( ends + 16, data, min( wire.size, 16 ));
        wire.size = sizeof(ends);
        data = ends;
    }
    else wire.size = ntlab_wire_value( condition->conditionValue.type, &condition->conditionValue, &number, &data );
    append( builder, &wire, sizeof(wire) );
    append( builder, data, wire.size );
}

/***********************************************************************
 *  objects on their way back
 *
 *  Each is one block of memory for FwpmFreeMemory0, with room for everything behind it.
 */

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
DWORD ntlab_wire_room( const struct ntlab_fwp_object *object )
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

void (* const ntlab_wire_put[])( struct writer *, void *, const struct ntlab_fwp_object * ) =
{
    put_provider, put_sublayer, put_filter
};
