/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: filters, and which of them decides
 *
 * MSDN "Filter Arbitration", "Filter Weight Assignment", "FWP_MATCH_TYPE", "Filtering Conditions Available
 * at Each Filtering Layer".  What those pages do not name is an error, never ignored.
 */

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#define INITGUID
#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winternl.h"

#include "process.h"
#include "request.h"
#include "security.h"
#include "thread.h"
#include "ntlab.h"
#include "ntlab_wfp.h"

#define AT( layer ) (1u << (layer))
#define AT_FLOW     (AT( WFP_CONNECT ) | AT( WFP_ACCEPT ))
#define AT_ALL      (AT_FLOW | AT( WFP_LISTEN ) | AT( WFP_BIND ))

static const struct
{
    const GUID  *key;
    unsigned int layers;
    unsigned int type;       /* 0: an address, whose type depends on the layer */
    unsigned int max;
} fields[WFP_FIELDS] =
{
    [WFP_USER]           = { &FWPM_CONDITION_ALE_USER_ID,       AT_ALL,  FWP_SECURITY_DESCRIPTOR_TYPE },
    [WFP_APP]            = { &FWPM_CONDITION_ALE_APP_ID,        AT_ALL,  FWP_BYTE_BLOB_TYPE },
    [WFP_FLAGS]          = { &FWPM_CONDITION_FLAGS,             AT_ALL,  FWP_UINT32, ~0u },
    [WFP_PROTOCOL]       = { &FWPM_CONDITION_IP_PROTOCOL,       AT_FLOW | AT( WFP_BIND ), FWP_UINT8, 0xff },
    [WFP_LOCAL_PORT]     = { &FWPM_CONDITION_IP_LOCAL_PORT,     AT_ALL,  FWP_UINT16, 0xffff },
    [WFP_REMOTE_PORT]    = { &FWPM_CONDITION_IP_REMOTE_PORT,    AT_FLOW, FWP_UINT16, 0xffff },
    [WFP_LOCAL_ADDRESS]  = { &FWPM_CONDITION_IP_LOCAL_ADDRESS,  AT_ALL },
    [WFP_REMOTE_ADDRESS] = { &FWPM_CONDITION_IP_REMOTE_ADDRESS, AT_FLOW },
};

static const struct
{
    const GUID    *key;
    const char    *name;
    enum wfp_layer layer;
    int            v6;
} layers[] =
{
    { &FWPM_LAYER_ALE_AUTH_CONNECT_V4,        "connect", WFP_CONNECT, 0 },
    { &FWPM_LAYER_ALE_AUTH_CONNECT_V6,        "connect", WFP_CONNECT, 1 },
    { &FWPM_LAYER_ALE_AUTH_LISTEN_V4,         "listen",  WFP_LISTEN,  0 },
    { &FWPM_LAYER_ALE_AUTH_LISTEN_V6,         "listen",  WFP_LISTEN,  1 },
    { &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4,    "accept",  WFP_ACCEPT,  0 },
    { &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V6,    "accept",  WFP_ACCEPT,  1 },
    { &FWPM_LAYER_ALE_RESOURCE_ASSIGNMENT_V4, "bind",    WFP_BIND,    0 },
    { &FWPM_LAYER_ALE_RESOURCE_ASSIGNMENT_V6, "bind",    WFP_BIND,    1 },
};

/***********************************************************************
 *  reading a filter
 */

/* an integer of eight bytes or an IPv6 address of sixteen */
static unsigned int read_value( struct wfp_value *value, unsigned int type, enum wfp_field field, int v6,
                                const unsigned char *data, data_size_t size )
{
    const unsigned int wanted = fields[field].type ? fields[field].type : v6 ? FWP_BYTE_ARRAY16_TYPE : FWP_UINT32;

    if (type != wanted) return FWP_E_TYPE_MISMATCH;
    if (size < (type == FWP_BYTE_ARRAY16_TYPE ? 16 : 8)) return FWP_E_INVALID_PARAMETER;
    value->present = 1;
    if (type == FWP_BYTE_ARRAY16_TYPE)
    {
        memcpy( value->bytes, data, 16 );
        return 0;
    }
    memcpy( &value->number, data, 8 );
    if (value->number > (fields[field].type ? fields[field].max : ~0u)) return FWP_E_OUT_OF_BOUNDS;
    if (field == WFP_FLAGS && (value->number & ~(unsigned long long)FWP_CONDITION_FLAGS_KNOWN)) return FWP_E_OUT_OF_BOUNDS;
    return 0;
}

/* MSDN "FWP_V4_ADDR_AND_MASK", "FWP_V6_ADDR_AND_MASK" */
static unsigned int read_mask( struct wfp_condition *condition, unsigned int type, int v6, const unsigned char *data, data_size_t size )
{
    unsigned int i, bits, words[2];

    if ((type == FWP_V6_ADDR_MASK) != v6 || fields[condition->field].type) return FWP_E_TYPE_MISMATCH;
    if (condition->match != FWP_MATCH_EQUAL) return FWP_E_MATCH_TYPE_MISMATCH;
    condition->is_mask = 1;
    condition->low.present = condition->high.present = 1;
    if (!v6)
    {
        if (size < sizeof(words)) return FWP_E_INVALID_PARAMETER;
        memcpy( words, data, sizeof(words) );
        if (~words[1] & (~words[1] + 1)) return FWP_E_INVALID_NET_MASK;
        condition->low.number  = words[0] & words[1];
        condition->high.number = words[1];
        return 0;
    }
    if (size < 17) return FWP_E_INVALID_PARAMETER;
    if ((bits = data[16]) > 128) return FWP_E_INVALID_NET_MASK;
    for (i = 0; i < 16; i++, bits -= min( bits, 8 ))
    {
        condition->high.bytes[i] = bits >= 8 ? 0xff : 0xff << (8 - bits);
        condition->low.bytes[i]  = data[i] & condition->high.bytes[i];
    }
    return 0;
}

static int compare( const struct wfp_value *one, const struct wfp_value *other, int bytes )
{
    if (bytes) return memcmp( one->bytes, other->bytes, sizeof(one->bytes) );
    return one->number < other->number ? -1 : one->number > other->number;
}

static int is_address6( enum wfp_field field, int v6 )
{
    return v6 && !fields[field].type;
}

/* MSDN "FWP_MATCH_TYPE": which types a match takes */
static unsigned int check_match( const struct wfp_condition *condition, int v6 )
{
    switch (condition->match)
    {
    case FWP_MATCH_EQUAL:
        return 0;
    case FWP_MATCH_NOT_EQUAL:  /* for sortable types, which a descriptor is not */
        if (condition->field == WFP_USER && !ntlab_second( NTLAB_WFP_NOT_EQUAL )) return FWP_E_MATCH_TYPE_MISMATCH;
        return 0;
    case FWP_MATCH_GREATER:
    case FWP_MATCH_LESS:
    case FWP_MATCH_GREATER_OR_EQUAL:
    case FWP_MATCH_LESS_OR_EQUAL:
    case FWP_MATCH_RANGE:
        return condition->field == WFP_USER || condition->field == WFP_APP ? FWP_E_MATCH_TYPE_MISMATCH : 0;
    case FWP_MATCH_FLAGS_ALL_SET:
    case FWP_MATCH_FLAGS_ANY_SET:
    case FWP_MATCH_FLAGS_NONE_SET:
        return condition->field == WFP_USER || condition->field == WFP_APP || is_address6( condition->field, v6 ) ?
               FWP_E_MATCH_TYPE_MISMATCH : 0;
    case FWP_MATCH_EQUAL_CASE_INSENSITIVE:
    case FWP_MATCH_PREFIX:
    case FWP_MATCH_NOT_PREFIX:
        return FWP_E_MATCH_TYPE_MISMATCH;
    default:
        return FWP_E_INVALID_ENUMERATOR;
    }
}

static unsigned int read_condition( struct wfp_condition *condition, const struct ntlab_fwp_condition *wire,
                                    enum wfp_layer layer, int v6 )
{
    const unsigned char *data = (const unsigned char *)(wire + 1);
    unsigned int field, err;

    for (field = 0; field < WFP_FIELDS; field++)
        if (ntlab_same_guid( fields[field].key, &wire->field ) && (fields[field].layers & AT( layer ))) break;
    if (field == WFP_FIELDS) return FWP_E_CONDITION_NOT_FOUND;
    condition->field = field;
    condition->match = wire->match;
    if ((err = check_match( condition, v6 ))) return err;
    if ((wire->match == FWP_MATCH_RANGE) != (wire->type == FWP_RANGE_TYPE)) return FWP_E_MATCH_TYPE_MISMATCH;
    if (wire->type == FWP_RANGE_TYPE)
    {
        if (wire->size < 32) return FWP_E_INVALID_PARAMETER;
        if ((err = read_value( &condition->low, wire->range_type, field, v6, data, 16 ))) return err;
        if ((err = read_value( &condition->high, wire->range_type, field, v6, data + 16, 16 ))) return err;
        return compare( &condition->low, &condition->high, is_address6( field, v6 )) > 0 ? FWP_E_INVALID_RANGE : 0;
    }
    if (wire->type == FWP_V4_ADDR_MASK || wire->type == FWP_V6_ADDR_MASK) return read_mask( condition, wire->type, v6, data, wire->size );
    if (field == WFP_APP)
    {
        condition->id      = data;
        condition->id_size = wire->size;
        return wire->type == FWP_BYTE_BLOB_TYPE ? 0 : FWP_E_TYPE_MISMATCH;
    }
    if (field != WFP_USER) return read_value( &condition->low, wire->type, field, v6, data, wire->size );
    if (wire->type != FWP_SECURITY_DESCRIPTOR_TYPE) return FWP_E_TYPE_MISMATCH;
    return (condition->sd = ntlab_wfp_read_sd( data, wire->size )) ? 0 : ERROR_INVALID_SECURITY_DESCR;
}

/* MSDN only says that the weight depends on the conditions: here more fields weigh more, and among
 * filters with as many those with more conditions less */
static unsigned long long automatic_weight( const struct wfp_object *filter )
{
    unsigned int i, used = 0, count = 0;

    for (i = 0; i < filter->data->condition_count; i++) used |= 1u << filter->conditions[i].field;
    for (i = 0; i < WFP_FIELDS; i++) if (used & (1u << i)) count++;
    return ((unsigned long long)count << 32) | (0xffff - min( filter->data->condition_count, 0xffff ));
}

static unsigned int assign_weight( struct wfp_object *filter )
{
    struct ntlab_fwp_object *data = filter->data;

    switch (data->weight_type)
    {
    case FWP_UINT64:
        data->effective_weight = data->weight;
        return 0;
    case FWP_EMPTY:
        data->effective_weight = automatic_weight( filter );
        return 0;
    case FWP_UINT8:
        if (data->weight > 15) return FWP_E_INVALID_WEIGHT;
        data->effective_weight = (data->weight << 60) | automatic_weight( filter );
        return 0;
    default:
        return FWP_E_TYPE_MISMATCH;
    }
}

unsigned int ntlab_filter_parse( struct wfp_object *filter )
{
    const struct ntlab_fwp_object *data = filter->data;
    const char *pos = ntlab_wfp_part( data, WFP_CONDITIONS );
    unsigned int i, err;

    for (i = 0; i < ARRAY_SIZE(layers); i++) if (ntlab_same_guid( layers[i].key, &data->layer )) break;
    if (i == ARRAY_SIZE(layers)) return FWP_E_LAYER_NOT_FOUND;
    filter->layer = layers[i].layer;
    filter->v6    = layers[i].v6;
    if (data->action & FWP_ACTION_CALLOUT) return FWP_E_CALLOUT_NOT_FOUND;
    if (data->action != FWP_ACTION_BLOCK && data->action != FWP_ACTION_PERMIT) return FWP_E_INVALID_ACTION_TYPE;
    if (!(filter->conditions = calloc( data->condition_count + 1, sizeof(*filter->conditions) ))) return ERROR_NOT_ENOUGH_MEMORY;
    for (i = 0; i < data->condition_count; i++)
    {
        const struct ntlab_fwp_condition *wire = (const struct ntlab_fwp_condition *)pos;

        if ((err = read_condition( &filter->conditions[i], wire, filter->layer, filter->v6 ))) return err;
        pos += sizeof(*wire) + NTLAB_FWP_PADDED( wire->size );
    }
    return assign_weight( filter );
}

/***********************************************************************
 *  deciding
 */

/* what a flow has not got (FWP_EMPTY) fulfils no condition */
static int condition_matches( const struct wfp_condition *condition, const struct wfp_flow *flow )
{
    const struct wfp_value *value = &flow->values[condition->field];
    const int bytes = is_address6( condition->field, flow->v6 );
    unsigned int i;

    if (condition->field == WFP_USER)
        return ntlab_match_filter( flow->token, condition->sd ) == (condition->match == FWP_MATCH_EQUAL);
    if (condition->field == WFP_APP)
        return flow->app && ntlab_is_app( flow->app, condition->id, condition->id_size ) == (condition->match == FWP_MATCH_EQUAL);
    if (!value->present) return 0;
    if (condition->is_mask)
    {
        for (i = 0; bytes && i < 16; i++)
            if ((value->bytes[i] & condition->high.bytes[i]) != condition->low.bytes[i]) return 0;
        return bytes || (value->number & condition->high.number) == condition->low.number;
    }
    switch (condition->match)
    {
    case FWP_MATCH_EQUAL:            return compare( value, &condition->low, bytes ) == 0;
    case FWP_MATCH_NOT_EQUAL:        return compare( value, &condition->low, bytes ) != 0;
    case FWP_MATCH_GREATER:          return compare( value, &condition->low, bytes ) > 0;
    case FWP_MATCH_LESS:             return compare( value, &condition->low, bytes ) < 0;
    case FWP_MATCH_GREATER_OR_EQUAL: return compare( value, &condition->low, bytes ) >= 0;
    case FWP_MATCH_LESS_OR_EQUAL:    return compare( value, &condition->low, bytes ) <= 0;
    case FWP_MATCH_RANGE:            return compare( value, &condition->low, bytes ) >= 0 && compare( value, &condition->high, bytes ) <= 0;
    case FWP_MATCH_FLAGS_ALL_SET:    return (value->number & condition->low.number) == condition->low.number;
    case FWP_MATCH_FLAGS_ANY_SET:    return (value->number & condition->low.number) != 0;
    default:                         return (value->number & condition->low.number) == 0;
    }
}

/* boot-time filters act as long as the engine is not there, all others act through it */
static int is_active( const struct wfp_object *filter )
{
    const struct ntlab_fwp_object *data = filter->data;

    if (data->flags & FWPM_FILTER_FLAG_DISABLED) return 0;
    if (ntlab_same_guid( &data->sublayer, &FWPM_SUBLAYER_MPSSVC_WF ) &&
        (ntlab_second( NTLAB_FIREWALL_RULES ) == 1 || ntlab_second( NTLAB_FIREWALL ))) return 0;
    return !(data->flags & FWPM_FILTER_FLAG_BOOTTIME) == !ntlab_second( NTLAB_BFE );
}

/* conditions on one field are alternatives, all fields must agree */
static int filter_matches( const struct wfp_object *filter, const struct wfp_flow *flow )
{
    unsigned int i, asked = 0, met = 0;

    if (filter->layer != flow->layer || filter->v6 != flow->v6 || !is_active( filter )) return 0;
    for (i = 0; i < filter->data->condition_count; i++)
    {
        const struct wfp_condition *condition = &filter->conditions[i];

        asked |= 1u << condition->field;
        if (!(met & (1u << condition->field)) && condition_matches( condition, flow )) met |= 1u << condition->field;
    }
    return asked == met;
}

/* the heaviest filter of a sublayer that matches */
static const struct wfp_object *decide_sublayer( const struct wfp_table *table, const GUID *sublayer, const struct wfp_flow *flow )
{
    const struct wfp_object *best = NULL;
    unsigned int i;

    for (i = 0; i < table->count; i++)
    {
        const struct wfp_object *filter = table->objects[i];

        if (filter->data->kind != NTLAB_FWP_FILTER || !ntlab_same_guid( &filter->data->sublayer, sublayer )) continue;
        if (best && filter->data->effective_weight <= best->data->effective_weight) continue;
        if (filter_matches( filter, flow )) best = filter;
    }
    return best;
}

/* the sublayer below another one, the one that was added first among equals */
static const struct wfp_object *next_sublayer( const struct wfp_table *table, const struct wfp_object *last )
{
    const struct wfp_object *next = NULL;
    unsigned int i;
    int passed = !last;

    for (i = 0; i < table->count; i++)
    {
        const struct wfp_object *sublayer = table->objects[i];

        if (sublayer->data->kind != NTLAB_FWP_SUBLAYER) continue;
        if (sublayer == last)
        {
            passed = 1;
            continue;
        }
        if (last && sublayer->data->weight > last->data->weight) continue;
        if (last && sublayer->data->weight == last->data->weight && !passed) continue;
        if (!next || sublayer->data->weight > next->data->weight) next = sublayer;
    }
    return next;
}

/* what LAB_TRACE names gets a line about each decision */
static void trace( const struct wfp_flow *flow, const struct wfp_object *decider, int permitted )
{
    static int fd = -2;
    const struct wfp_value *values = flow->values;
    char text[512], remote[INET6_ADDRSTRLEN] = "-";
    const unsigned int address = htonl( (unsigned int)values[WFP_REMOTE_ADDRESS].number );
    const struct sid *user = ntlab_token_user( flow->token );
    const GUID *key = decider ? &decider->data->key : NULL;
    unsigned int i, layer = 0;
    int len;

    if (fd == -2) fd = getenv( "LAB_TRACE" ) ? open( getenv( "LAB_TRACE" ), O_WRONLY | O_CREAT | O_APPEND, 0600 ) : -1;
    if (fd == -1) return;
    for (i = 0; i < ARRAY_SIZE(layers); i++) if (layers[i].layer == flow->layer) layer = i;
    if (values[WFP_REMOTE_ADDRESS].present)
        inet_ntop( flow->v6 ? AF_INET6 : AF_INET, flow->v6 ? (const void *)values[WFP_REMOTE_ADDRESS].bytes : &address, remote, sizeof(remote) );
    len = snprintf( text, sizeof(text), "%s v%c protocol %d local %d remote %s %d flags %#x user %d-%u process %04x ",
                    layers[layer].name, flow->v6 ? '6' : '4', values[WFP_PROTOCOL].present ? (int)values[WFP_PROTOCOL].number : -1,
                    values[WFP_LOCAL_PORT].present ? (int)values[WFP_LOCAL_PORT].number : -1, remote,
                    values[WFP_REMOTE_PORT].present ? (int)values[WFP_REMOTE_PORT].number : -1,
                    (unsigned int)values[WFP_FLAGS].number, user->sub_auth[0], user->sub_auth[user->sub_count - 1],
                    current ? current->process->id : 0 );
    if (key) len += snprintf( text + len, sizeof(text) - len, "%s by filter %08x-%04x-%04x\n", permitted ? "permitted" : "blocked",
                              key->Data1, key->Data2, key->Data3 );
    else len += snprintf( text + len, sizeof(text) - len, "permitted by default\n" );
    if (write( fd, text, len ) != len) perror( "lab: LAB_TRACE" );
}

/* A filter's block is final.  A permit can be overruled by sublayers below, unless its filter clears the
 * right to: then blocks of filters below do not count (callouts, which could veto, do not exist here). */
int ntlab_wfp_permits( const struct wfp_flow *flow )
{
    const struct wfp_table *table = ntlab_wfp_table();
    const struct wfp_object *sublayer = NULL, *filter, *decider = NULL;

    while ((sublayer = next_sublayer( table, sublayer )))
    {
        if (!(filter = decide_sublayer( table, &sublayer->data->key, flow ))) continue;
        decider = filter;
        if (filter->data->action == FWP_ACTION_BLOCK || (filter->data->flags & FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT)) break;
    }
    trace( flow, decider, !decider || decider->data->action == FWP_ACTION_PERMIT );
    return !decider || decider->data->action == FWP_ACTION_PERMIT;
}
