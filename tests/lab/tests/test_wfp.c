/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The filtering engine: objects, sessions, transactions, security, and which filter decides. */

#include "fwp_test.h"

DEFINE_GUID( PROVIDER_A, 0x11111111, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 );
DEFINE_GUID( PROVIDER_B, 0x11111111, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2 );
DEFINE_GUID( HIGH,       0x22222222, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 );
DEFINE_GUID( LOW,        0x22222222, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2 );
DEFINE_GUID( FILTER_A,   0x33333333, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 );
DEFINE_GUID( SERVED,     0x33333333, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2 );
DEFINE_GUID( NOBODY,     0x44444444, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 );

#define CONNECT4 FWPM_LAYER_ALE_AUTH_CONNECT_V4
#define LISTEN4  FWPM_LAYER_ALE_AUTH_LISTEN_V4

static DWORD add_provider( HANDLE engine, const GUID *key, UINT32 flags )
{
    FWPM_PROVIDER0 provider = { .providerKey = *key, .displayData = { L"provider", L"of the test" }, .flags = flags };

    return FwpmProviderAdd0( engine, &provider, NULL );
}

static FWPM_FILTER0 plain_filter(void)
{
    FWPM_FILTER0 filter = { .displayData = { L"filter" }, .layerKey = CONNECT4, .action = { FWP_ACTION_PERMIT } };

    filter.weight.type = FWP_EMPTY;
    return filter;
}

/* add what differs from a plain filter in one place, and take it away */
static DWORD try_filter( HANDLE engine, FWPM_FILTER0 filter )
{
    UINT64 id;
    DWORD err = FwpmFilterAdd0( engine, &filter, NULL, &id );

    if (!err) err = FwpmFilterDeleteById0( engine, id );
    return err;
}

static DWORD try_condition( HANDLE engine, const GUID *layer, FWPM_FILTER_CONDITION0 condition )
{
    FWPM_FILTER0 filter = plain_filter();

    filter.layerKey = *layer;
    filter.numFilterConditions = 1;
    filter.filterCondition = &condition;
    return try_filter( engine, filter );
}

static void test_objects( HANDLE engine )
{
    FWPM_FILTER0 filter = plain_filter(), *got = NULL;
    FWPM_SUBLAYER0 *sublayer = NULL;
    FWPM_PROVIDER0 *provider = NULL;
    FWPM_FILTER_CONDITION0 conditions[3];
    FWP_RANGE0 range = { { FWP_UINT16 }, { FWP_UINT16 } };
    FWP_V6_ADDR_AND_MASK mask = { { 0x20, 1 }, 16 };
    UINT64 id = 0, same;

    expect_error( add_provider( engine, &PROVIDER_A, 0 ), 0, "FwpmProviderAdd0" );
    expect_error( add_provider( engine, &PROVIDER_A, 0 ), FWP_E_ALREADY_EXISTS, "the same provider again" );
    expect_error( add_sublayer( engine, &HIGH, 0x1000, 0 ), 0, "FwpmSubLayerAdd0" );
    expect_error( add_sublayer( engine, &HIGH, 0x1000, 0 ), FWP_E_ALREADY_EXISTS, "the same sublayer again" );
    expect_error( add_sublayer( engine, &LOW, 0x10, 2 ), FWP_E_INVALID_FLAGS, "an unknown flag of a sublayer" );

    range.valueLow.uint16 = 80;
    range.valueHigh.uint16 = 443;
    conditions[0] = when_user( L"D:(A;;CC;;;BA)" );
    conditions[1] = when_pointer( &FWPM_CONDITION_IP_REMOTE_PORT, FWP_MATCH_RANGE, FWP_RANGE_TYPE, &range );
    conditions[2] = when_pointer( &FWPM_CONDITION_IP_REMOTE_ADDRESS, FWP_MATCH_EQUAL, FWP_V6_ADDR_MASK, &mask );
    filter.filterKey = FILTER_A;
    filter.layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V6;
    filter.subLayerKey = HIGH;
    filter.providerKey = (GUID *)&PROVIDER_A;
    filter.providerData.size = 3;
    filter.providerData.data = (UINT8 *)"abc";
    filter.weight.type = FWP_UINT8;
    filter.weight.uint8 = 15;
    filter.numFilterConditions = 3;
    filter.filterCondition = conditions;
    expect_error( FwpmFilterAdd0( engine, &filter, NULL, &id ), 0, "FwpmFilterAdd0" );
    ok( id != 0, "a filter has an id" );
    expect_error( FwpmFilterAdd0( engine, &filter, NULL, &same ), FWP_E_ALREADY_EXISTS, "the same filter again" );

    expect_error( FwpmFilterGetById0( engine, id, &got ), 0, "FwpmFilterGetById0" );
    ok( got && IsEqualGUID( &got->filterKey, &FILTER_A ) && got->filterId == id && IsEqualGUID( got->providerKey, &PROVIDER_A ) &&
        IsEqualGUID( &got->layerKey, &FWPM_LAYER_ALE_AUTH_CONNECT_V6 ) && IsEqualGUID( &got->subLayerKey, &HIGH ) &&
        got->action.type == FWP_ACTION_PERMIT && got->numFilterConditions == 3 && !wcscmp( got->displayData.name, L"filter" ) &&
        !got->displayData.description && got->providerData.size == 3 && !memcmp( got->providerData.data, "abc", 3 ),
        "the filter reads as it was added" );
    ok( got && got->weight.type == FWP_UINT8 && got->weight.uint8 == 15 && got->effectiveWeight.type == FWP_UINT64 &&
        *got->effectiveWeight.uint64 >> 60 == 15, "with its weight, and that in its range" );
    ok( got && got->filterCondition[0].conditionValue.sd->size == conditions[0].conditionValue.sd->size &&
        !memcmp( got->filterCondition[0].conditionValue.sd->data, conditions[0].conditionValue.sd->data, conditions[0].conditionValue.sd->size ) &&
        got->filterCondition[1].conditionValue.rangeValue->valueHigh.uint16 == 443 &&
        got->filterCondition[2].conditionValue.v6AddrMask->prefixLength == 16, "and its conditions" );
    FwpmFreeMemory0( (void **)&got );
    ok( !got, "FwpmFreeMemory0 clears the pointer" );
    expect_error( FwpmFilterGetByKey0( engine, &FILTER_A, &got ), 0, "FwpmFilterGetByKey0" );
    FwpmFreeMemory0( (void **)&got );
    expect_error( FwpmSubLayerGetByKey0( engine, &HIGH, &sublayer ), 0, "FwpmSubLayerGetByKey0" );
    ok( sublayer && sublayer->weight == 0x1000, "with its weight" );
    FwpmFreeMemory0( (void **)&sublayer );
    expect_error( FwpmProviderGetByKey0( engine, &PROVIDER_A, &provider ), 0, "FwpmProviderGetByKey0" );
    ok( provider && !wcscmp( provider->displayData.description, L"of the test" ), "with its description" );
    FwpmFreeMemory0( (void **)&provider );
    expect_error( FwpmFilterGetByKey0( engine, &NOBODY, &got ), FWP_E_FILTER_NOT_FOUND, "a filter that is not there" );

    expect_error( FwpmSubLayerDeleteByKey0( engine, &HIGH ), FWP_E_IN_USE, "a sublayer with a filter is not deleted" );
    expect_error( FwpmProviderDeleteByKey0( engine, &PROVIDER_A ), FWP_E_IN_USE, "nor its provider" );
    expect_error( FwpmSubLayerDeleteByKey0( engine, &FWPM_SUBLAYER_UNIVERSAL ), FWP_E_BUILTIN_OBJECT, "nor what is built in" );
    expect_error( FwpmFilterDeleteByKey0( engine, &FILTER_A ), 0, "FwpmFilterDeleteByKey0" );
    expect_error( FwpmFilterDeleteById0( engine, id ), FWP_E_FILTER_NOT_FOUND, "the filter is gone" );
    expect_error( FwpmProviderDeleteByKey0( engine, &PROVIDER_A ), 0, "then the provider goes" );
    expect_error( FwpmSubLayerDeleteByKey0( engine, &HIGH ), 0, "and the sublayer" );
}

/* what is not known is an error */
static void test_refusals( HANDLE engine )
{
    FWPM_FILTER_CONDITION0 user = when_user( L"D:(A;;CC;;;WD)" );
    SECURITY_DESCRIPTOR absolute;
    FWP_BYTE_BLOB blob = { sizeof(absolute), (UINT8 *)&absolute };
    FWP_V4_ADDR_AND_MASK bad_mask = { 0x7f000000, 0xff00ff00 };
    FWP_V4_ADDR_AND_MASK good_mask = { 0x7f000000, 0xff000000 };
    FWP_RANGE0 range = { { FWP_UINT16 }, { FWP_UINT16 } };
    FWP_BYTE_ARRAY16 address = { { 0 } };
    FWPM_FILTER0 filter = plain_filter();
    UINT64 big = 1;

#define EXPECT( field, value, error, name ) \
    filter = plain_filter(), filter.field = value; expect_error( try_filter( engine, filter ), error, name )
    expect_error( try_filter( engine, filter ), 0, "a plain filter" );
    EXPECT( layerKey, NOBODY, FWP_E_LAYER_NOT_FOUND, "an unknown layer" );
    EXPECT( subLayerKey, NOBODY, FWP_E_SUBLAYER_NOT_FOUND, "an unknown sublayer" );
    EXPECT( providerKey, (GUID *)&NOBODY, FWP_E_PROVIDER_NOT_FOUND, "an unknown provider" );
    EXPECT( displayData.name, NULL, FWP_E_NULL_DISPLAY_NAME, "no name" );
    EXPECT( action.type, 0x1003, FWP_E_INVALID_ACTION_TYPE, "an unknown action" );
    EXPECT( action.type, FWP_ACTION_CALLOUT_TERMINATING, FWP_E_CALLOUT_NOT_FOUND, "a callout" );
    EXPECT( flags, 0x40000000, FWP_E_INVALID_FLAGS, "an unknown flag" );
    EXPECT( flags, FWPM_FILTER_FLAG_DISABLED, FWP_E_INVALID_FLAGS, "the flag that only the engine sets" );
    EXPECT( flags, FWPM_FILTER_FLAG_PERSISTENT | FWPM_FILTER_FLAG_BOOTTIME, FWP_E_INVALID_FLAGS, "persistent and boot-time" );
    filter = plain_filter(), filter.weight.type = FWP_UINT8, filter.weight.uint8 = 16;
    expect_error( try_filter( engine, filter ), FWP_E_INVALID_WEIGHT, "a weight range above 15" );
    filter = plain_filter(), filter.weight.type = FWP_UINT32;
    expect_error( try_filter( engine, filter ), FWP_E_TYPE_MISMATCH, "a weight of another type" );

#define CONDITION( layer, condition, error, name ) expect_error( try_condition( engine, &layer, condition ), error, name )
    CONDITION( CONNECT4, user, 0, "the user" );
    CONDITION( CONNECT4, when( &NOBODY, FWP_MATCH_EQUAL, FWP_UINT8, 1 ), FWP_E_CONDITION_NOT_FOUND, "an unknown condition" );
    CONDITION( LISTEN4, when( &FWPM_CONDITION_IP_LOCAL_PORT, FWP_MATCH_EQUAL, FWP_UINT16, 1 ), 0, "the local port of a listener" );
    CONDITION( LISTEN4, when( &FWPM_CONDITION_IP_REMOTE_PORT, FWP_MATCH_EQUAL, FWP_UINT16, 1 ), FWP_E_CONDITION_NOT_FOUND, "but no remote one" );
    CONDITION( LISTEN4, when( &FWPM_CONDITION_IP_PROTOCOL, FWP_MATCH_EQUAL, FWP_UINT8, 6 ), FWP_E_CONDITION_NOT_FOUND, "nor a protocol" );
    CONDITION( FWPM_LAYER_ALE_RESOURCE_ASSIGNMENT_V4, when( &FWPM_CONDITION_IP_PROTOCOL, FWP_MATCH_EQUAL, FWP_UINT8, 6 ), 0, "which a bind has" );
    CONDITION( CONNECT4, when( &FWPM_CONDITION_IP_PROTOCOL, FWP_MATCH_EQUAL, FWP_UINT16, 6 ), FWP_E_TYPE_MISMATCH, "a protocol of the wrong type" );
    CONDITION( CONNECT4, when( &FWPM_CONDITION_IP_PROTOCOL, 13, FWP_UINT8, 6 ), FWP_E_INVALID_ENUMERATOR, "an unknown match" );
    CONDITION( CONNECT4, when( &FWPM_CONDITION_IP_PROTOCOL, FWP_MATCH_EQUAL_CASE_INSENSITIVE, FWP_UINT8, 6 ), FWP_E_MATCH_TYPE_MISMATCH, "a match for strings" );
    CONDITION( CONNECT4, when( &FWPM_CONDITION_FLAGS, FWP_MATCH_FLAGS_ALL_SET, FWP_UINT32, 1 ), 0, "flags" );
    CONDITION( CONNECT4, when( &FWPM_CONDITION_FLAGS, FWP_MATCH_FLAGS_ALL_SET, FWP_UINT32, 0x40000000 ), FWP_E_OUT_OF_BOUNDS, "an unknown one" );
    CONDITION( CONNECT4, when_pointer( &FWPM_CONDITION_IP_REMOTE_ADDRESS, FWP_MATCH_EQUAL, FWP_V4_ADDR_MASK, &good_mask ), 0, "a net mask" );
    CONDITION( CONNECT4, when_pointer( &FWPM_CONDITION_IP_REMOTE_ADDRESS, FWP_MATCH_EQUAL, FWP_V4_ADDR_MASK, &bad_mask ), FWP_E_INVALID_NET_MASK, "one with holes" );
    CONDITION( CONNECT4, when_pointer( &FWPM_CONDITION_IP_REMOTE_ADDRESS, FWP_MATCH_EQUAL, FWP_BYTE_ARRAY16_TYPE, &address ), FWP_E_TYPE_MISMATCH, "an IPv6 address in a layer of IPv4" );
    range.valueLow.uint16 = 2, range.valueHigh.uint16 = 1;
    CONDITION( CONNECT4, when_pointer( &FWPM_CONDITION_IP_REMOTE_PORT, FWP_MATCH_RANGE, FWP_RANGE_TYPE, &range ), FWP_E_INVALID_RANGE, "a range backwards" );
    CONDITION( CONNECT4, when_pointer( &FWPM_CONDITION_IP_REMOTE_PORT, FWP_MATCH_EQUAL, FWP_RANGE_TYPE, &range ), FWP_E_MATCH_TYPE_MISMATCH, "a range that is to be equal" );
    CONDITION( CONNECT4, when_pointer( &FWPM_CONDITION_ALE_USER_ID, FWP_MATCH_EQUAL, FWP_UINT64, &big ), FWP_E_TYPE_MISMATCH, "a user that is a number" );
    user.matchType = FWP_MATCH_GREATER;
    CONDITION( CONNECT4, user, FWP_E_MATCH_TYPE_MISMATCH, "a greater user" );
    user.matchType = FWP_MATCH_NOT_EQUAL;
    CONDITION( CONNECT4, user, lab_has( "wfp-not-equal=yes" ) ? 0 : FWP_E_MATCH_TYPE_MISMATCH, "a user that is not equal, by the reading" );
    InitializeSecurityDescriptor( &absolute, SECURITY_DESCRIPTOR_REVISION );
    user.matchType = FWP_MATCH_EQUAL;
    user.conditionValue.sd = &blob;
    CONDITION( CONNECT4, user, ERROR_INVALID_SECURITY_DESCR, "an absolute descriptor" );
    blob.size = 0;
    CONDITION( CONNECT4, user, ERROR_INVALID_SECURITY_DESCR, "an empty one" );
}

static UINT32 count_filters( HANDLE engine, const FWPM_FILTER_ENUM_TEMPLATE0 *template, UINT64 *first )
{
    FWPM_FILTER0 **filters = NULL;
    UINT32 count = 0;
    HANDLE enumerator;

    if (FwpmFilterCreateEnumHandle0( engine, template, &enumerator )) return ~0u;
    if (FwpmFilterEnum0( engine, enumerator, 100, &filters, &count )) count = ~0u;
    if (first && count && count != ~0u) *first = filters[0]->filterId;
    FwpmFreeMemory0( (void **)&filters );
    FwpmFilterDestroyEnumHandle0( engine, enumerator );
    return count;
}

static void test_sessions( HANDLE engine )
{
    HANDLE dynamic = open_engine( TRUE ), other = NULL, enumerator;
    FWPM_SESSION0 impatient = { .txnWaitTimeoutInMSec = 50 };
    FWPM_FILTER_ENUM_TEMPLATE0 template = { .layerKey = CONNECT4, .flags = FWP_FILTER_ENUM_FLAG_SORTED, .actionMask = ~0u };
    const UINT32 before = count_filters( engine, NULL, NULL );
    FWPM_FILTER0 **filters;
    UINT64 light, heavy, first = 0;
    UINT32 count;

    expect_error( add_sublayer( dynamic, &HIGH, 10, 0 ), 0, "a sublayer in a dynamic session" );
    expect_error( add_filter( dynamic, &HIGH, &CONNECT4, FWP_ACTION_PERMIT, 1, 0, 0, NULL ), 0, "and a filter in it" );
    light = added_filter;
    expect_error( add_filter( engine, &HIGH, &CONNECT4, FWP_ACTION_PERMIT, 1, 0, 0, NULL ), FWP_E_LIFETIME_MISMATCH, "a static filter does not refer to it" );
    expect_error( add_sublayer( dynamic, &LOW, 1, FWPM_SUBLAYER_FLAG_PERSISTENT ), FWP_E_DYNAMIC_SESSION_IN_PROGRESS, "nothing persistent in a dynamic session" );
    expect_error( FwpmFilterDeleteById0( engine, light ), FWP_E_WRONG_SESSION, "another session does not delete it" );
    expect_error( add_filter( engine, NULL, &CONNECT4, FWP_ACTION_PERMIT, 100, 0, 0, NULL ), 0, "a static filter" );
    heavy = added_filter;
    expect_error( FwpmFilterDeleteById0( dynamic, heavy ), FWP_E_DYNAMIC_SESSION_IN_PROGRESS, "a dynamic session does not delete that" );
    ok( count_filters( engine, NULL, NULL ) == before + 2, "both are enumerated" );
    ok( count_filters( engine, &template, &first ) == before + 2 && first == heavy, "the heavier one first" );
    template.layerKey = LISTEN4;
    ok( count_filters( engine, &template, NULL ) == 0, "none of another layer" );
    template.numFilterConditions = 1;
    expect_error( FwpmFilterCreateEnumHandle0( engine, &template, &enumerator ), ERROR_NOT_SUPPORTED, "a template that is not modelled" );
    FwpmFilterCreateEnumHandle0( engine, NULL, &enumerator );
    FwpmEngineClose0( dynamic );
    ok( count_filters( engine, NULL, NULL ) == before + 1, "what was dynamic ends with its session" );
    ok( !FwpmFilterEnum0( engine, enumerator, 100, &filters, &count ) && count == before + 2, "an enumeration does not change" );
    FwpmFreeMemory0( (void **)&filters );
    FwpmFilterDestroyEnumHandle0( engine, enumerator );
    ok( run_child( NULL, L"dynamic" ) == 0 && count_filters( engine, NULL, NULL ) == before + 1, "and with its process" );

    expect_error( FwpmTransactionCommit0( engine ), FWP_E_NO_TXN_IN_PROGRESS, "nothing to commit" );
    expect_error( FwpmTransactionAbort0( engine ), FWP_E_NO_TXN_IN_PROGRESS, "nor to abort" );
    expect_error( FwpmTransactionBegin0( engine, 0 ), 0, "FwpmTransactionBegin0" );
    expect_error( FwpmTransactionBegin0( engine, 0 ), FWP_E_TXN_IN_PROGRESS, "one at a time" );
    FwpmFilterDeleteById0( engine, heavy );
    add_sublayer( engine, &HIGH, 10, 0 );
    FwpmEngineOpen0( NULL, RPC_C_AUTHN_WINNT, NULL, &impatient, &other );
    expect_error( FwpmTransactionBegin0( other, 0 ), FWP_E_TIMEOUT, "another session waits, and not for ever" );
    expect_error( add_sublayer( other, &LOW, 10, 0 ), FWP_E_TIMEOUT, "so does a call of its own" );
    expect_error( FwpmTransactionAbort0( engine ), 0, "FwpmTransactionAbort0" );
    ok( count_filters( engine, NULL, NULL ) == before + 1, "what was deleted is back" );
    expect_error( FwpmSubLayerDeleteByKey0( engine, &HIGH ), FWP_E_SUBLAYER_NOT_FOUND, "what was added is not" );

    expect_error( FwpmTransactionBegin0( other, FWPM_TXN_READ_ONLY ), 0, "a transaction that reads" );
    expect_error( add_sublayer( other, &LOW, 10, 0 ), FWP_E_INCOMPATIBLE_TXN, "does not write" );
    ok( count_filters( other, NULL, NULL ) == before + 1, "but reads" );
    FwpmTransactionCommit0( other );
    FwpmTransactionBegin0( engine, 0 );
    FwpmFilterDeleteById0( engine, heavy );
    expect_error( FwpmTransactionCommit0( engine ), 0, "FwpmTransactionCommit0" );
    ok( count_filters( engine, NULL, NULL ) == before, "the filter is gone" );
    FwpmTransactionBegin0( other, 0 );
    add_sublayer( other, &LOW, 10, 0 );
    FwpmEngineClose0( other );
    expect_error( FwpmSubLayerDeleteByKey0( engine, &LOW ), FWP_E_SUBLAYER_NOT_FOUND, "a session that ends aborts its transaction" );
}

static void test_security(void)
{
    const HANDLE limited = impersonation( filter_token( LUA_TOKEN, NULL, NULL, NULL ));
    HANDLE engine = NULL, user = NULL, enumerator;
    FWPM_FILTER0 filter = plain_filter(), *got;
    PSECURITY_DESCRIPTOR sd;
    UINT64 id = 0;

    engine = open_engine( TRUE );
    ImpersonateLoggedOnUser( limited );
    user = open_engine( TRUE );
    RevertToSelf();
    ok( user != NULL, "a standard user opens the engine" );
    expect_error( add_sublayer( user, &HIGH, 1, 0 ), ERROR_ACCESS_DENIED, "but adds nothing" );
    expect_error( FwpmFilterAdd0( user, &filter, NULL, NULL ), ERROR_ACCESS_DENIED, "no filter either" );
    expect_error( FwpmFilterCreateEnumHandle0( user, NULL, &enumerator ), ERROR_ACCESS_DENIED, "lists no filters" );
    expect_error( FwpmTransactionBegin0( user, 0 ), ERROR_ACCESS_DENIED, "begins no transaction" );
    expect_error( FwpmTransactionBegin0( user, FWPM_TXN_READ_ONLY ), ERROR_ACCESS_DENIED, "not even to read" );
    FwpmFilterAdd0( engine, &filter, NULL, &id );
    expect_error( FwpmFilterGetById0( user, id, &got ), ERROR_ACCESS_DENIED, "reads no filter" );
    FwpmEngineClose0( user );

    /* MSDN "Hindering Filter Deletion": the descriptor of a filter */
    ConvertStringSecurityDescriptorToSecurityDescriptorW( L"D:(A;;GR;;;BA)", SDDL_REVISION_1, &sd, NULL );
    FwpmFilterAdd0( engine, &filter, sd, &id );
    expect_error( FwpmFilterDeleteById0( engine, id ), ERROR_ACCESS_DENIED, "a filter that only reads is not deleted" );
    expect_error( FwpmFilterGetById0( engine, id, &got ), 0, "but read" );
    FwpmFreeMemory0( (void **)&got );
    FwpmEngineClose0( engine );
}

/* two filters in one sublayer, or in a high and a low one: which one counts when somebody listens */
static void test_arbitration( HANDLE engine )
{
    static const struct
    {
        const char *name;
        UINT32 action[2], flags[2];
        BOOL same, blocked;
        UINT64 weight[2];
    } cases[] =
    {
        { "a permit of more weight", { FWP_ACTION_PERMIT, FWP_ACTION_BLOCK }, { 0 }, TRUE, FALSE, { 2, 1 } },
        { "a block of more weight", { FWP_ACTION_BLOCK, FWP_ACTION_PERMIT }, { 0 }, TRUE, TRUE, { 2, 1 } },
        { "weights of all 64 bits", { FWP_ACTION_PERMIT, FWP_ACTION_BLOCK }, { 0 }, TRUE, TRUE, { 0x7fffffffffffffff, 0x8000000000000000 } },
        { "a soft permit above a block", { FWP_ACTION_PERMIT, FWP_ACTION_BLOCK }, { 0 }, FALSE, TRUE, { 1, 1 } },
        { "a hard permit above a block", { FWP_ACTION_PERMIT, FWP_ACTION_BLOCK }, { FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT }, FALSE, FALSE, { 1, 1 } },
        { "a block above a permit", { FWP_ACTION_BLOCK, FWP_ACTION_PERMIT }, { 0 }, FALSE, TRUE, { 1, 9 } },
        { "a block above a hard permit", { FWP_ACTION_BLOCK, FWP_ACTION_PERMIT }, { 0, FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT }, FALSE, TRUE, { 1, 9 } },
        { "a block with the flag above a hard permit", { FWP_ACTION_BLOCK, FWP_ACTION_PERMIT }, { FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT, FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT }, FALSE, TRUE, { 1, 9 } },
        { "two permits", { FWP_ACTION_PERMIT, FWP_ACTION_PERMIT }, { 0 }, FALSE, FALSE, { 1, 1 } },
    };
    FWPM_FILTER0 filter = plain_filter();
    FWPM_FILTER_CONDITION0 port = when( &FWPM_CONDITION_IP_LOCAL_PORT, FWP_MATCH_GREATER, FWP_UINT16, 0 );
    UINT64 ids[2];
    unsigned int i, k;

    add_sublayer( engine, &LOW, 0x10, 0 );
    add_sublayer( engine, &HIGH, 0x8000, 0 );
    expect_error( try_listen( "127.0.0.1" ), 0, "listening without a filter" );
    for (i = 0; i < ARRAYSIZE(cases); i++)
    {
        for (k = 0; k < 2; k++)
        {
            add_filter( engine, k && !cases[i].same ? &LOW : &HIGH, &LISTEN4, cases[i].action[k], cases[i].weight[k], cases[i].flags[k], 0, NULL );
            ids[k] = added_filter;
        }
        expect_error( try_listen( "127.0.0.1" ), cases[i].blocked ? WSAEACCES : 0, cases[i].name );
        for (k = 0; k < 2; k++) FwpmFilterDeleteById0( engine, ids[k] );
    }

    /* weights that the engine gives: a range weighs more than conditions, conditions more than none */
    filter.layerKey = LISTEN4;
    filter.subLayerKey = HIGH;
    filter.action.type = FWP_ACTION_BLOCK;
    FwpmFilterAdd0( engine, &filter, NULL, NULL );
    filter.action.type = FWP_ACTION_PERMIT;
    filter.numFilterConditions = 1;
    filter.filterCondition = &port;
    FwpmFilterAdd0( engine, &filter, NULL, NULL );
    expect_error( try_listen( "127.0.0.1" ), 0, "a filter with a condition weighs more than one without" );
    filter.action.type = FWP_ACTION_BLOCK;
    filter.numFilterConditions = 0;
    filter.weight.type = FWP_UINT8;
    filter.weight.uint8 = 1;
    FwpmFilterAdd0( engine, &filter, NULL, NULL );
    expect_error( try_listen( "127.0.0.1" ), WSAEACCES, "and less than one of a higher range" );
}

/* the first run leaves persistent objects behind, the second one finds what there is after the server's end */
static void test_persistence( HANDLE engine, BOOL again )
{
    FWPM_FILTER0 filter = plain_filter();
    FWPM_SUBLAYER0 sublayer = { .subLayerKey = HIGH, .displayData = { L"sublayer" }, .flags = FWPM_SUBLAYER_FLAG_PERSISTENT, .weight = 5 };
    FWPM_PROVIDER0 provider = { .displayData = { L"served" }, .flags = FWPM_PROVIDER_FLAG_PERSISTENT, .serviceName = L"labnoservice" };
    FWPM_FILTER_ENUM_TEMPLATE0 boottime = { .actionMask = ~0u };
    FWPM_FILTER0 *got = NULL;
    UINT64 id = 0;

    filter.filterKey = FILTER_A;
    filter.layerKey = LISTEN4;
    filter.subLayerKey = HIGH;
    filter.action.type = FWP_ACTION_BLOCK;
    filter.flags = FWPM_FILTER_FLAG_PERSISTENT;
    if (!again)
    {
        add_provider( engine, &PROVIDER_A, FWPM_PROVIDER_FLAG_PERSISTENT );
        add_provider( engine, &PROVIDER_B, 0 );
        sublayer.providerKey = (GUID *)&PROVIDER_B;
        expect_error( FwpmSubLayerAdd0( engine, &sublayer, NULL ), FWP_E_LIFETIME_MISMATCH, "a persistent sublayer of a provider that does not last" );
        sublayer.providerKey = (GUID *)&PROVIDER_A;
        expect_error( FwpmSubLayerAdd0( engine, &sublayer, NULL ), 0, "a persistent sublayer" );
        add_sublayer( engine, &LOW, 1, 0 );
        filter.subLayerKey = LOW;
        expect_error( FwpmFilterAdd0( engine, &filter, NULL, NULL ), FWP_E_LIFETIME_MISMATCH, "a persistent filter in a sublayer that does not last" );
        filter.subLayerKey = HIGH;
        expect_error( FwpmFilterAdd0( engine, &filter, NULL, NULL ), FWP_E_LIFETIME_MISMATCH, "or in one of another provider" );
        filter.providerKey = (GUID *)&PROVIDER_A;
        expect_error( FwpmFilterAdd0( engine, &filter, NULL, NULL ), 0, "a persistent filter" );
        expect_error( try_listen( "127.0.0.1" ), WSAEACCES, "it blocks" );
        expect_error( add_filter( engine, &HIGH, &FWPM_LAYER_ALE_AUTH_LISTEN_V6, FWP_ACTION_BLOCK, 1, FWPM_FILTER_FLAG_BOOTTIME, 0, NULL ),
                      FWP_E_LIFETIME_MISMATCH, "a boot-time filter in a sublayer of a provider, without that" );
        expect_error( add_filter( engine, NULL, &FWPM_LAYER_ALE_AUTH_LISTEN_V6, FWP_ACTION_BLOCK, 1, FWPM_FILTER_FLAG_BOOTTIME, 0, NULL ), 0,
                      "a boot-time filter" );
        expect_error( try_listen( "::1" ), 0, "it does not act as long as the engine does" );
        provider.providerKey = filter.filterKey = SERVED;
        expect_error( FwpmProviderAdd0( engine, &provider, NULL ), 0, "a provider with a service" );
        filter.layerKey = FWPM_LAYER_ALE_RESOURCE_ASSIGNMENT_V4;
        filter.subLayerKey = FWPM_SUBLAYER_UNIVERSAL;
        filter.providerKey = (GUID *)&SERVED;
        expect_error( FwpmFilterAdd0( engine, &filter, NULL, NULL ), 0, "and its filter" );
        expect_error( try_bind( SOCK_STREAM, "127.0.0.1" ), WSAEACCES, "which blocks as long as the engine runs" );
        return;
    }
    expect_error( try_listen( "127.0.0.1" ), WSAEACCES, "the persistent filter blocks when the server starts again" );
    expect_error( try_listen( "::1" ), 0, "and the other one does not" );
    boottime.layerKey = FWPM_LAYER_ALE_AUTH_LISTEN_V6;
    ok( count_filters( engine, &boottime, NULL ) == 0, "nor is it enumerated" );
    boottime.flags = FWP_FILTER_ENUM_FLAG_BOOTTIME_ONLY;
    ok( count_filters( engine, &boottime, &id ) == 1, "unless it is asked for" );
    expect_error( FwpmFilterDeleteById0( engine, id ), 0, "to be deleted" );
    expect_error( FwpmFilterDeleteByKey0( engine, &FILTER_A ), 0, "it is there" );
    expect_error( try_listen( "127.0.0.1" ), 0, "and blocks no more" );
    expect_error( try_bind( SOCK_STREAM, "127.0.0.1" ), 0, "the filter of a provider whose service does not start blocks nothing" );
    ok( !FwpmFilterGetByKey0( engine, &SERVED, &got ) && (got->flags & FWPM_FILTER_FLAG_DISABLED), "it is disabled" );
    FwpmFreeMemory0( (void **)&got );
    FwpmFilterDeleteByKey0( engine, &SERVED );
    expect_error( FwpmProviderDeleteByKey0( engine, &SERVED ), 0, "and goes" );
    expect_error( FwpmSubLayerDeleteByKey0( engine, &HIGH ), 0, "its sublayer is, too" );
    expect_error( FwpmProviderDeleteByKey0( engine, &PROVIDER_A ), 0, "and its provider" );
    expect_error( FwpmProviderDeleteByKey0( engine, &PROVIDER_B ), FWP_E_PROVIDER_NOT_FOUND, "but nothing else" );
    expect_error( FwpmSubLayerDeleteByKey0( engine, &LOW ), FWP_E_SUBLAYER_NOT_FOUND, "nothing at all" );
}

/* what a standard user sees of a service */
static DWORD service_state( const WCHAR *name )
{
    SERVICE_STATUS_PROCESS status = { 0 };
    DWORD size;
    SC_HANDLE manager = OpenSCManagerW( NULL, NULL, SC_MANAGER_CONNECT ), service = OpenServiceW( manager, name, SERVICE_QUERY_STATUS );

    if (!QueryServiceStatusEx( service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status), &size ))
        printf( "# %ls: error %lu\n", name, GetLastError() );
    CloseServiceHandle( service );
    CloseServiceHandle( manager );
    return status.dwCurrentState;
}

/* the engine's service does not run: what it enforces is gone, what acts without it is not */
static void test_stopped(void)
{
    HANDLE engine;

    expect_error( service_state( L"BFE" ), SERVICE_STOPPED, "BFE is stopped" );
    expect_error( service_state( L"MpsSvc" ), SERVICE_STOPPED, "and MpsSvc" );
    expect_error( FwpmEngineOpen0( NULL, RPC_C_AUTHN_WINNT, NULL, NULL, &engine ), EPT_S_NOT_REGISTERED, "there is no engine" );
    expect_error( try_listen( "127.0.0.1" ), 0, "the persistent filter does not block" );
    expect_error( try_listen( "::1" ), WSAEACCES, "the boot-time filter does" );
}

int main( int argc, char **argv )
{
    WSADATA data;
    HANDLE engine;

    WSAStartup( MAKEWORD(2, 2), &data );
    if (argc > 1 && !strcmp( argv[1], "wfp-stopped" ))
    {
        test_stopped();
        return finish();
    }
    engine = open_engine( argc > 1 && !strcmp( argv[1], "dynamic" ) );
    if (argc > 1 && !strcmp( argv[1], "dynamic" ))
        return add_filter( engine, NULL, &CONNECT4, FWP_ACTION_PERMIT, 1, 0, 0, NULL );
    ok( engine != NULL, "FwpmEngineOpen0" );
    if (argc > 1 && !strcmp( argv[1], "wfp-kept" ))
    {
        test_persistence( engine, TRUE );
        return finish();
    }
    expect_error( service_state( L"BFE" ), SERVICE_RUNNING, "BFE runs" );
    expect_error( service_state( L"MpsSvc" ), SERVICE_RUNNING, "and MpsSvc" );
    test_objects( engine );
    test_refusals( engine );
    test_sessions( engine );
    test_security();
    FwpmEngineClose0( engine );
    engine = open_engine( TRUE );
    test_arbitration( engine );
    FwpmEngineClose0( engine );
    engine = open_engine( FALSE );
    test_persistence( engine, FALSE );
    return finish();
}
