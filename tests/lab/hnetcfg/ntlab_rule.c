/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: INetFwRule, INetFwRule2 and INetFwRule3
 *
 * MSDN "INetFwRule interface": a rule that came out of the collection changes there with each property.
 * Properties read as they were set; late binding (IDispatch) is not modelled.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <wchar.h>

#define COBJMACROS
#include "windef.h"
#include "winbase.h"
#include "objbase.h"
#include "oleauto.h"
#include "netfw.h"
#include "ntlab_rule.h"


static struct rule *impl( INetFwRule *iface )
{
    return CONTAINING_RECORD( iface, struct rule, INetFwRule_iface );
}

static ULONG WINAPI rule_AddRef( INetFwRule *iface )
{
    return InterlockedIncrement( &impl( iface )->ref );
}

static ULONG WINAPI rule_Release( INetFwRule *iface )
{
    struct rule *rule = impl( iface );
    const LONG ref = InterlockedDecrement( &rule->ref );
    unsigned int i;

    if (ref) return ref;
    for (i = 0; i < RULE_STRINGS; i++) free( rule->strings[i] );
    free( rule );
    return 0;
}

static HRESULT WINAPI rule_QueryInterface( INetFwRule *iface, REFIID iid, void **obj )
{
    if (!IsEqualGUID( iid, &IID_IUnknown ) && !IsEqualGUID( iid, &IID_IDispatch ) && !IsEqualGUID( iid, &IID_INetFwRule ) &&
        !IsEqualGUID( iid, &IID_INetFwRule2 ) && !IsEqualGUID( iid, &IID_INetFwRule3 ))
    {
        *obj = NULL;
        return E_NOINTERFACE;
    }
    rule_AddRef( iface );
    *obj = iface;
    return S_OK;
}

static HRESULT WINAPI rule_GetTypeInfoCount( INetFwRule *iface, UINT *count )
{
    *count = 0;
    return S_OK;
}

static HRESULT WINAPI rule_GetTypeInfo( INetFwRule *iface, UINT index, LCID lcid, ITypeInfo **info ) { return E_NOTIMPL; }

static HRESULT WINAPI rule_GetIDsOfNames( INetFwRule *iface, REFIID iid, LPOLESTR *names, UINT count, LCID lcid, DISPID *ids )
{
    return E_NOTIMPL;
}

static HRESULT WINAPI rule_Invoke( INetFwRule *iface, DISPID id, REFIID iid, LCID lcid, WORD flags, DISPPARAMS *params,
                                   VARIANT *result, EXCEPINFO *info, UINT *arg )
{
    return E_NOTIMPL;
}

static HRESULT get_string( INetFwRule *iface, enum rule_string which, BSTR *value )
{
    const WCHAR *string = impl( iface )->strings[which];

    if (!value) return E_POINTER;
    *value = string ? SysAllocString( string ) : NULL;
    return string && !*value ? E_OUTOFMEMORY : S_OK;
}

static HRESULT put_string( INetFwRule *iface, enum rule_string which, BSTR value )
{
    struct rule *rule = impl( iface );
    WCHAR *old = rule->strings[which];
    HRESULT hr = S_OK;

    /* MSDN "INetFwRule::put_Name": no '|', and not "all"; and that the store cannot keep it otherwise */
    if (value && wcschr( value, '|' )) return E_INVALIDARG;
    if (which == RULE_NAME && (!value || !*value || !_wcsicmp( value, L"all" ))) return E_INVALIDARG;
    if ((which == RULE_LOCAL_PORTS || which == RULE_REMOTE_PORTS) && value && wcscmp( value, L"*" ) &&
        rule->numbers[RULE_PROTOCOL] != NET_FW_IP_PROTOCOL_TCP && rule->numbers[RULE_PROTOCOL] != NET_FW_IP_PROTOCOL_UDP)
        return E_INVALIDARG;
    rule->strings[which] = NULL;
    if (value && *value && !(rule->strings[which] = _wcsdup( value ))) hr = E_OUTOFMEMORY;
    else if (rule->id[0]) hr = ntlab_rule_store( rule );
    if (FAILED(hr))
    {
        free( rule->strings[which] );
        rule->strings[which] = old;
    }
    else free( old );
    return hr;
}

static HRESULT get_number( INetFwRule *iface, enum rule_number which, LONG *value )
{
    if (!value) return E_POINTER;
    *value = impl( iface )->numbers[which];
    return S_OK;
}

static HRESULT put_number( INetFwRule *iface, enum rule_number which, LONG value, BOOL valid )
{
    struct rule *rule = impl( iface );
    const LONG old = rule->numbers[which];
    HRESULT hr = S_OK;

    if (!valid) return E_INVALIDARG;
    rule->numbers[which] = value;
    if (rule->id[0] && FAILED(hr = ntlab_rule_store( rule ))) rule->numbers[which] = old;
    return hr;
}

#define STRING( property, which ) \
    static HRESULT WINAPI rule_get_##property( INetFwRule *iface, BSTR *value ) { return get_string( iface, which, value ); } \
    static HRESULT WINAPI rule_put_##property( INetFwRule *iface, BSTR value ) { return put_string( iface, which, value ); }
#define NUMBER( property, type, which, valid ) \
    static HRESULT WINAPI rule_get_##property( INetFwRule *iface, type *value ) \
    { \
        LONG number; \
        if (!value) return E_POINTER; \
        get_number( iface, which, &number ); \
        *value = number; \
        return S_OK; \
    } \
    static HRESULT WINAPI rule_put_##property( INetFwRule *iface, type value ) { return put_number( iface, which, value, valid ); }

STRING( Name, RULE_NAME )
STRING( Description, RULE_DESCRIPTION )
STRING( ApplicationName, RULE_APPLICATION )
STRING( ServiceName, RULE_SERVICE )
NUMBER( Protocol, LONG, RULE_PROTOCOL, value >= 0 && value <= RULE_ANY_PROTOCOL )
STRING( LocalPorts, RULE_LOCAL_PORTS )
STRING( RemotePorts, RULE_REMOTE_PORTS )
STRING( LocalAddresses, RULE_LOCAL_ADDRESSES )
STRING( RemoteAddresses, RULE_REMOTE_ADDRESSES )
STRING( IcmpTypesAndCodes, RULE_ICMP )
NUMBER( Direction, NET_FW_RULE_DIRECTION, RULE_DIRECTION, value == NET_FW_RULE_DIR_IN || value == NET_FW_RULE_DIR_OUT )
STRING( InterfaceTypes, RULE_INTERFACE_TYPES )
NUMBER( Enabled, VARIANT_BOOL, RULE_ENABLED, TRUE )
STRING( Grouping, RULE_GROUPING )
NUMBER( Profiles, LONG, RULE_PROFILES, TRUE )
NUMBER( EdgeTraversal, VARIANT_BOOL, RULE_EDGE, TRUE )
NUMBER( Action, NET_FW_ACTION, RULE_ACTION, value == NET_FW_ACTION_BLOCK || value == NET_FW_ACTION_ALLOW )
NUMBER( EdgeTraversalOptions, LONG, RULE_EDGE_OPTIONS, value >= 0 && value <= 3 )
STRING( LocalAppPackageId, RULE_PACKAGE )
STRING( LocalUserOwner, RULE_OWNER )
STRING( LocalUserAuthorizedList, RULE_LOCAL_USERS )
STRING( RemoteUserAuthorizedList, RULE_REMOTE_USERS )
STRING( RemoteMachineAuthorizedList, RULE_REMOTE_MACHINES )
NUMBER( SecureFlags, LONG, RULE_SECURE, value >= 0 && value <= 4 )

static HRESULT WINAPI rule_get_Interfaces( INetFwRule *iface, VARIANT *value )
{
    if (!value) return E_POINTER;
    VariantInit( value );
    return S_OK;
}

static HRESULT WINAPI rule_put_Interfaces( INetFwRule *iface, VARIANT value )
{
    return V_VT( &value ) == VT_EMPTY ? S_OK : E_NOTIMPL;
}

#define BOTH( property ) rule_get_##property, rule_put_##property

/* what INetFwRule2 and INetFwRule3 add, which Wine's headers lack */
static const struct
{
    INetFwRuleVtbl rule;
    HRESULT (WINAPI *get_EdgeTraversalOptions)( INetFwRule *, LONG * );
    HRESULT (WINAPI *put_EdgeTraversalOptions)( INetFwRule *, LONG );
    struct
    {
        HRESULT (WINAPI *get)( INetFwRule *, BSTR * );
        HRESULT (WINAPI *put)( INetFwRule *, BSTR );
    } lists[5];
    HRESULT (WINAPI *get_SecureFlags)( INetFwRule *, LONG * );
    HRESULT (WINAPI *put_SecureFlags)( INetFwRule *, LONG );
} rule_vtbl =
{
    {
        rule_QueryInterface, rule_AddRef, rule_Release, rule_GetTypeInfoCount, rule_GetTypeInfo, rule_GetIDsOfNames, rule_Invoke,
        BOTH( Name ), BOTH( Description ), BOTH( ApplicationName ), BOTH( ServiceName ), BOTH( Protocol ), BOTH( LocalPorts ),
        BOTH( RemotePorts ), BOTH( LocalAddresses ), BOTH( RemoteAddresses ), BOTH( IcmpTypesAndCodes ), BOTH( Direction ),
        BOTH( Interfaces ), BOTH( InterfaceTypes ), BOTH( Enabled ), BOTH( Grouping ), BOTH( Profiles ), BOTH( EdgeTraversal ),
        BOTH( Action )
    },
    BOTH( EdgeTraversalOptions ),
    { { BOTH( LocalAppPackageId ) }, { BOTH( LocalUserOwner ) }, { BOTH( LocalUserAuthorizedList ) },
      { BOTH( RemoteUserAuthorizedList ) }, { BOTH( RemoteMachineAuthorizedList ) } },
    BOTH( SecureFlags )
};

struct rule *ntlab_rule_new(void)
{
    struct rule *rule = calloc( 1, sizeof(*rule) );

    if (!rule) return NULL;
    rule->INetFwRule_iface.lpVtbl = &rule_vtbl.rule;
    rule->ref = 1;
    rule->numbers[RULE_PROTOCOL]  = RULE_ANY_PROTOCOL;
    rule->numbers[RULE_DIRECTION] = NET_FW_RULE_DIR_IN;
    rule->numbers[RULE_PROFILES]  = NET_FW_PROFILE2_ALL;
    rule->numbers[RULE_ACTION]    = NET_FW_ACTION_ALLOW;
    return rule;
}

struct rule *ntlab_rule_from_iface( INetFwRule *iface )
{
    return iface && iface->lpVtbl == &rule_vtbl.rule ? impl( iface ) : NULL;
}

HRESULT ntlab_create_rule( IUnknown *outer, void **obj )
{
    struct rule *rule = ntlab_rule_new();

    *obj = rule ? &rule->INetFwRule_iface : NULL;
    return rule ? S_OK : E_OUTOFMEMORY;
}

/***********************************************************************
 *  text: the words of MS-GPFAS 2.2.2, but lists and numbers as they are here
 */

static const WCHAR * const string_keys[RULE_STRINGS] =
{
    L"Name", L"Desc", L"App", L"Svc", L"LPort", L"RPort", L"LA", L"RA", L"ICMP", L"IFType", L"EmbedCtxt", L"AppPkgId", L"LUOwn",
    L"LUAuth", L"RUAuth", L"RMauth"
};

static const WCHAR * const number_keys[RULE_NUMBERS] =
{
    L"Protocol", L"Dir", L"Active", L"Profile", L"Edge", L"Action", L"Defer", L"Security"
};

WCHAR *ntlab_rule_to_text( const struct rule *rule )
{
    size_t size = 16 + RULE_NUMBERS * 24, len;
    unsigned int i;
    WCHAR *text;

    for (i = 0; i < RULE_STRINGS; i++) if (rule->strings[i]) size += wcslen( string_keys[i] ) + wcslen( rule->strings[i] ) + 2;
    if (!(text = malloc( size * sizeof(WCHAR) ))) return NULL;
    len = swprintf( text, size, L"v2.30|" );
    for (i = 0; i < RULE_NUMBERS; i++) len += swprintf( text + len, size - len, L"%s=%ld|", number_keys[i], rule->numbers[i] );
    for (i = 0; i < RULE_STRINGS; i++)
        if (rule->strings[i]) len += swprintf( text + len, size - len, L"%s=%s|", string_keys[i], rule->strings[i] );
    return text;
}

static void read_word( struct rule *rule, const WCHAR *word, size_t len )
{
    const WCHAR *equals = wmemchr( word, '=', len );
    const size_t key = equals ? equals - word : 0, value = len - key - 1;
    unsigned int i;

    for (i = 0; key && i < RULE_NUMBERS; i++)
        if (wcslen( number_keys[i] ) == key && !wcsncmp( number_keys[i], word, key )) rule->numbers[i] = wcstol( equals + 1, NULL, 10 );
    for (i = 0; key && i < RULE_STRINGS; i++)
    {
        if (wcslen( string_keys[i] ) != key || wcsncmp( string_keys[i], word, key ) || rule->strings[i]) continue;
        if (!(rule->strings[i] = calloc( value + 1, sizeof(WCHAR) ))) return;
        wmemcpy( rule->strings[i], equals + 1, value );
    }
}

struct rule *ntlab_rule_from_text( const WCHAR *id, const WCHAR *text )
{
    struct rule *rule = ntlab_rule_new();
    size_t len;

    if (!rule) return NULL;
    lstrcpynW( rule->id, id, ARRAY_SIZE(rule->id) );
    for (; *text; text += len + (text[len] == '|'))
    {
        len = wcscspn( text, L"|" );
        read_word( rule, text, len );
    }
    return rule;
}
