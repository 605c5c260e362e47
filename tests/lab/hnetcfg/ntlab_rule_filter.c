/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the filters of a firewall rule
 *
 * What the firewall's service does on Windows happens in the process that changes the rule.  The filters are
 * in a sublayer of Windows' own, below others, and leave loopback alone: KB 2771908, public analyses of
 * FWPM_SUBLAYER_MPSSVC_WF.  A block of the firewall beats what it allows.  A rule for what the lab does not
 * know (an application, a service, a package, types of interfaces, remote users) is refused, not ignored.
 */

#define _WIN32_WINNT 0x0A00
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "windef.h"
#include "winbase.h"
#include "winternl.h"
#include "inaddr.h"
#include "in6addr.h"
#include "ip2string.h"
#include "sddl.h"
#include "objbase.h"
#include "netfw.h"
#define WINBOOL BOOL
#include <fwpmtypes.h>
#include "initguid.h"
#include "ntlab_fwp.h"
#include "ntlab_rule.h"

extern DWORD WINAPI FwpmEngineOpen0( const WCHAR *, UINT32, void *, const FWPM_SESSION0 *, HANDLE * );
extern DWORD WINAPI FwpmEngineClose0( HANDLE );
extern DWORD WINAPI FwpmTransactionBegin0( HANDLE, UINT32 );
extern DWORD WINAPI FwpmTransactionCommit0( HANDLE );
extern DWORD WINAPI FwpmFilterAdd0( HANDLE, const FWPM_FILTER0 *, PSECURITY_DESCRIPTOR, UINT64 * );
extern DWORD WINAPI FwpmFilterDeleteById0( HANDLE, UINT64 );
extern DWORD WINAPI FwpmFilterCreateEnumHandle0( HANDLE, const FWPM_FILTER_ENUM_TEMPLATE0 *, HANDLE * );
extern DWORD WINAPI FwpmFilterEnum0( HANDLE, HANDLE, UINT32, FWPM_FILTER0 ***, UINT32 * );
extern DWORD WINAPI FwpmFilterDestroyEnumHandle0( HANDLE, HANDLE );
extern void WINAPI FwpmFreeMemory0( void ** );

#define MAX_CONDITIONS 64

/* a filter in the making */
struct conditions
{
    BOOL                   v6;
    BOOL                   never;       /* lists addresses of the other family alone */
    UINT32                 count;
    FWPM_FILTER_CONDITION0 items[MAX_CONDITIONS];
    FWP_RANGE0             ranges[MAX_CONDITIONS];
    FWP_V4_ADDR_AND_MASK   masks4[MAX_CONDITIONS];
    FWP_V6_ADDR_AND_MASK   masks6[MAX_CONDITIONS];
    FWP_BYTE_ARRAY16       ends[MAX_CONDITIONS][2];
    FWP_BYTE_BLOB          users;
};

static FWPM_FILTER_CONDITION0 *add( struct conditions *c, const GUID *field, FWP_MATCH_TYPE match, FWP_DATA_TYPE type )
{
    FWPM_FILTER_CONDITION0 *item;

    if (c->count == MAX_CONDITIONS) return NULL;
    item = &c->items[c->count++];
    item->fieldKey  = *field;
    item->matchType = match;
    item->conditionValue.type = type;
    return item;
}

/* "80,443,5000-5010" */
static DWORD add_ports( struct conditions *c, const GUID *field, const WCHAR *list )
{
    FWPM_FILTER_CONDITION0 *item;
    FWP_RANGE0 *range;
    ULONG low, high;
    WCHAR *end;

    if (!list || !wcscmp( list, L"*" )) return 0;
    for (;; list = end + 1)
    {
        low = high = wcstoul( list, &end, 10 );
        if (end == list) return ERROR_NOT_SUPPORTED;  /* RPC and the like */
        if (*end == '-') high = wcstoul( end + 1, &end, 10 );
        if (low > high || high > 0xffff || (*end && *end != ',')) return ERROR_INVALID_PARAMETER;
        range = &c->ranges[c->count];
        if (!(item = add( c, field, FWP_MATCH_RANGE, FWP_RANGE_TYPE ))) return ERROR_INVALID_PARAMETER;
        range->valueLow.type = range->valueHigh.type = FWP_UINT16;
        range->valueLow.uint16  = low;
        range->valueHigh.uint16 = high;
        item->conditionValue.rangeValue = range;
        if (!*end) return 0;
    }
}

/* behind an address: nothing, a length or mask, or the end of a range */
static DWORD add_address4( struct conditions *c, const GUID *field, IN_ADDR low, const WCHAR *rest )
{
    const UINT32 first = RtlUlongByteSwap( low.S_un.S_addr );
    FWPM_FILTER_CONDITION0 *item;
    const WCHAR *end = rest;
    WCHAR *number_end;
    IN_ADDR other;
    ULONG bits = 32;

    if (*rest == '-')
    {
        FWP_RANGE0 *range = &c->ranges[c->count];

        if (RtlIpv4StringToAddressW( rest + 1, TRUE, &end, &other ) || *end) return ERROR_INVALID_PARAMETER;
        if (!(item = add( c, field, FWP_MATCH_RANGE, FWP_RANGE_TYPE ))) return ERROR_INVALID_PARAMETER;
        range->valueLow.type = range->valueHigh.type = FWP_UINT32;
        range->valueLow.uint32  = first;
        range->valueHigh.uint32 = RtlUlongByteSwap( other.S_un.S_addr );
        item->conditionValue.rangeValue = range;
        return 0;
    }
    c->masks4[c->count].addr = first;
    c->masks4[c->count].mask = ~0u;
    if (*rest == '/' && wcschr( rest, '.' ))
    {
        if (RtlIpv4StringToAddressW( rest + 1, TRUE, &end, &other ) || *end) return ERROR_INVALID_PARAMETER;
        c->masks4[c->count].mask = RtlUlongByteSwap( other.S_un.S_addr );
    }
    else if (*rest == '/')
    {
        bits = wcstoul( rest + 1, &number_end, 10 );
        if (number_end == rest + 1 || *number_end || bits > 32) return ERROR_INVALID_PARAMETER;
        c->masks4[c->count].mask = bits ? ~0u << (32 - bits) : 0;
    }
    else if (*rest) return ERROR_INVALID_PARAMETER;
    if (!(item = add( c, field, FWP_MATCH_EQUAL, FWP_V4_ADDR_MASK ))) return ERROR_INVALID_PARAMETER;
    item->conditionValue.v4AddrMask = &c->masks4[c->count - 1];
    return 0;
}

static DWORD add_address6( struct conditions *c, const GUID *field, const IN6_ADDR *low, const WCHAR *rest )
{
    FWPM_FILTER_CONDITION0 *item;
    const WCHAR *end = rest;
    WCHAR *number_end;
    IN6_ADDR other;
    ULONG bits = 128;

    if (*rest == '-')
    {
        FWP_RANGE0 *range = &c->ranges[c->count];
        FWP_BYTE_ARRAY16 *ends = c->ends[c->count];

        if (RtlIpv6StringToAddressW( rest + 1, &end, &other ) || *end) return ERROR_INVALID_PARAMETER;
        if (!(item = add( c, field, FWP_MATCH_RANGE, FWP_RANGE_TYPE ))) return ERROR_INVALID_PARAMETER;
        memcpy( &ends[0], low, 16 );
        memcpy( &ends[1], &other, 16 );
        range->valueLow.type = range->valueHigh.type = FWP_BYTE_ARRAY16_TYPE;
        range->valueLow.byteArray16  = &ends[0];
        range->valueHigh.byteArray16 = &ends[1];
        item->conditionValue.rangeValue = range;
        return 0;
    }
    if (*rest == '/')
    {
        bits = wcstoul( rest + 1, &number_end, 10 );
        if (number_end == rest + 1 || *number_end || bits > 128) return ERROR_INVALID_PARAMETER;
    }
    else if (*rest) return ERROR_INVALID_PARAMETER;
    memcpy( c->masks6[c->count].addr, low, 16 );
    c->masks6[c->count].prefixLength = bits;
    if (!(item = add( c, field, FWP_MATCH_EQUAL, FWP_V6_ADDR_MASK ))) return ERROR_INVALID_PARAMETER;
    item->conditionValue.v6AddrMask = &c->masks6[c->count - 1];
    return 0;
}

/* MSDN "INetFwRule::put_RemoteAddresses"; those of the other family are for the other filter */
static DWORD add_addresses( struct conditions *c, const GUID *field, const WCHAR *list )
{
    const UINT32 before = c->count;
    const WCHAR *end;
    WCHAR word[128];
    IN_ADDR address4;
    IN6_ADDR address6;
    size_t len;
    DWORD err = 0;

    if (!list || !wcscmp( list, L"*" )) return 0;
    for (; *list && !err; list += len + (list[len] == ','))
    {
        len = wcscspn( list, L"," );
        if (len >= ARRAY_SIZE(word)) return ERROR_INVALID_PARAMETER;
        wmemcpy( word, list, len );
        word[len] = 0;
        if (!RtlIpv4StringToAddressW( word, TRUE, &end, &address4 ))
        {
            if (!c->v6) err = add_address4( c, field, address4, end );
        }
        else if (!RtlIpv6StringToAddressW( word, &end, &address6 ))
        {
            if (c->v6) err = add_address6( c, field, &address6, end );
        }
        else err = ERROR_NOT_SUPPORTED;  /* LocalSubnet and the like */
    }
    if (c->count == before) c->never = TRUE;
    return err;
}

static DWORD fill_conditions( struct conditions *c, const struct rule *rule )
{
    FWPM_FILTER_CONDITION0 *item = add( c, &FWPM_CONDITION_FLAGS, FWP_MATCH_FLAGS_NONE_SET, FWP_UINT32 );
    const WCHAR *types = rule->strings[RULE_INTERFACE_TYPES];
    ULONG size = 0;
    DWORD err;

    item->conditionValue.uint32 = FWP_CONDITION_FLAG_IS_LOOPBACK;
    if (rule->strings[RULE_APPLICATION] || rule->strings[RULE_SERVICE] || rule->strings[RULE_PACKAGE] || rule->strings[RULE_ICMP] ||
        rule->strings[RULE_REMOTE_USERS] || rule->strings[RULE_REMOTE_MACHINES] || rule->numbers[RULE_SECURE] ||
        (types && _wcsicmp( types, L"All" ))) return ERROR_NOT_SUPPORTED;
    if (rule->numbers[RULE_PROTOCOL] != RULE_ANY_PROTOCOL)
    {
        item = add( c, &FWPM_CONDITION_IP_PROTOCOL, FWP_MATCH_EQUAL, FWP_UINT8 );
        item->conditionValue.uint8 = rule->numbers[RULE_PROTOCOL];
    }
    if ((err = add_ports( c, &FWPM_CONDITION_IP_LOCAL_PORT, rule->strings[RULE_LOCAL_PORTS] ))) return err;
    if ((err = add_ports( c, &FWPM_CONDITION_IP_REMOTE_PORT, rule->strings[RULE_REMOTE_PORTS] ))) return err;
    if ((err = add_addresses( c, &FWPM_CONDITION_IP_LOCAL_ADDRESS, rule->strings[RULE_LOCAL_ADDRESSES] ))) return err;
    if ((err = add_addresses( c, &FWPM_CONDITION_IP_REMOTE_ADDRESS, rule->strings[RULE_REMOTE_ADDRESSES] ))) return err;
    if (!rule->strings[RULE_LOCAL_USERS]) return 0;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW( rule->strings[RULE_LOCAL_USERS], SDDL_REVISION_1,
                                                               (PSECURITY_DESCRIPTOR *)&c->users.data, &size )) return GetLastError();
    c->users.size = size;
    if (!(item = add( c, &FWPM_CONDITION_ALE_USER_ID, FWP_MATCH_EQUAL, FWP_SECURITY_DESCRIPTOR_TYPE ))) return ERROR_INVALID_PARAMETER;
    item->conditionValue.sd = &c->users;
    return 0;
}

static DWORD add_rule( HANDLE engine, const struct rule *rule, BOOL v6 )
{
    const BOOL out = rule->numbers[RULE_DIRECTION] == NET_FW_RULE_DIR_OUT, block = rule->numbers[RULE_ACTION] == NET_FW_ACTION_BLOCK;
    struct conditions *c = calloc( 1, sizeof(*c) );
    FWPM_FILTER0 filter = { { 0 } };
    DWORD err;

    if (!c) return ERROR_NOT_ENOUGH_MEMORY;
    c->v6 = v6;
    err = fill_conditions( c, rule );
    filter.displayData.name    = rule->strings[RULE_NAME];
    filter.flags               = FWPM_FILTER_FLAG_PERSISTENT;
    filter.providerKey         = (GUID *)&FWPM_PROVIDER_MPSSVC_WF;
    filter.providerData.size   = wcslen( rule->id ) * sizeof(WCHAR);
    filter.providerData.data   = (UINT8 *)rule->id;
    filter.layerKey            = out ? v6 ? FWPM_LAYER_ALE_AUTH_CONNECT_V6 : FWPM_LAYER_ALE_AUTH_CONNECT_V4 :
                                       v6 ? FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V6 : FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4;
    filter.subLayerKey         = FWPM_SUBLAYER_MPSSVC_WF;
    filter.weight.type         = FWP_UINT8;
    filter.weight.uint8        = block ? 10 : 5;
    filter.action.type         = block ? FWP_ACTION_BLOCK : FWP_ACTION_PERMIT;
    filter.numFilterConditions = c->count;
    filter.filterCondition     = c->items;
    if (!err && !c->never) err = FwpmFilterAdd0( engine, &filter, NULL, NULL );
    LocalFree( c->users.data );
    free( c );
    return err;
}

static DWORD delete_filters( HANDLE engine, const WCHAR *id )
{
    const DWORD size = wcslen( id ) * sizeof(WCHAR);
    FWPM_FILTER0 **filters = NULL;
    HANDLE enumerator;
    UINT32 count = 0, i;
    DWORD err;

    if ((err = FwpmFilterCreateEnumHandle0( engine, NULL, &enumerator ))) return err;
    err = FwpmFilterEnum0( engine, enumerator, ~0u, &filters, &count );
    for (i = 0; i < count && !err; i++)
    {
        if (!IsEqualGUID( &filters[i]->subLayerKey, &FWPM_SUBLAYER_MPSSVC_WF ) || filters[i]->providerData.size != size ||
            memcmp( filters[i]->providerData.data, id, size )) continue;
        err = FwpmFilterDeleteById0( engine, filters[i]->filterId );
    }
    FwpmFreeMemory0( (void **)&filters );
    FwpmFilterDestroyEnumHandle0( engine, enumerator );
    return err;
}

/* the network of the lab is a public one */
DWORD ntlab_rule_set_filters( const WCHAR *id, const struct rule *rule )
{
    HANDLE engine;
    DWORD err;

    if ((err = FwpmEngineOpen0( NULL, RPC_C_AUTHN_WINNT, NULL, NULL, &engine ))) return err;
    err = FwpmTransactionBegin0( engine, 0 );
    if (!err) err = delete_filters( engine, id );
    if (!err && rule && rule->numbers[RULE_ENABLED] && (rule->numbers[RULE_PROFILES] & NET_FW_PROFILE2_PUBLIC))
    {
        err = add_rule( engine, rule, FALSE );
        if (!err) err = add_rule( engine, rule, TRUE );
    }
    if (!err) err = FwpmTransactionCommit0( engine );
    FwpmEngineClose0( engine );  /* which aborts what was not committed */
    return err;
}
