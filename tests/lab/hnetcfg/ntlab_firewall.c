/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: INetFwPolicy2 and INetFwRules
 *
 * Rules are values of the key in which Windows keeps local ones (MS-GPFAS 2.2.2 describes such), so that
 * administrators alone change them.  What is not modelled is E_NOTIMPL.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <wchar.h>

#define COBJMACROS
#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winreg.h"
#include "winternl.h"
#include "wine/server.h"
#include "objbase.h"
#include "oleauto.h"
#include "netfw.h"
#include "ntlab_fwp.h"
#include "ntlab_rule.h"

#define RULES_KEY L"System\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules"

/***********************************************************************
 *  the store
 */

static HRESULT open_store( REGSAM access, HKEY *key )
{
    return HRESULT_FROM_WIN32( RegCreateKeyExW( HKEY_LOCAL_MACHINE, RULES_KEY, 0, NULL, 0, access, NULL, key, NULL ));
}

/* the n-th rule; with a name the first one that has it */
static struct rule *find_rule( DWORD index, const WCHAR *name )
{
    WCHAR id[40], *text = malloc( 65536 );
    struct rule *rule = NULL;
    DWORD id_len, size;
    HKEY key;

    if (!text || RegOpenKeyExW( HKEY_LOCAL_MACHINE, RULES_KEY, 0, KEY_READ, &key ))
    {
        free( text );
        return NULL;
    }
    for (;; index++)
    {
        id_len = ARRAY_SIZE(id);
        size = 65536 - sizeof(WCHAR);
        if (RegEnumValueW( key, index, id, &id_len, NULL, NULL, (BYTE *)text, &size )) break;
        text[size / sizeof(WCHAR)] = 0;
        if (!(rule = ntlab_rule_from_text( id, text )) || !name) break;
        if (rule->strings[RULE_NAME] && !_wcsicmp( rule->strings[RULE_NAME], name )) break;
        INetFwRule_Release( &rule->INetFwRule_iface );
        rule = NULL;
    }
    RegCloseKey( key );
    free( text );
    return rule;
}

static HRESULT error_of( DWORD err )
{
    if (err == ERROR_NOT_SUPPORTED) return E_NOTIMPL;
    return err & 0x80000000 ? (HRESULT)err : HRESULT_FROM_WIN32( err );
}

HRESULT ntlab_rule_store( const struct rule *rule )
{
    WCHAR *text = ntlab_rule_to_text( rule );
    HRESULT hr;
    HKEY key;

    if (!text) return E_OUTOFMEMORY;
    if (SUCCEEDED(hr = open_store( KEY_SET_VALUE, &key )))
    {
        /* the filters first: a rule that they cannot express is not kept */
        hr = error_of( ntlab_rule_set_filters( rule->id, rule ));
        if (SUCCEEDED(hr)) hr = HRESULT_FROM_WIN32( RegSetValueExW( key, rule->id, 0, REG_SZ, (BYTE *)text, (wcslen( text ) + 1) * sizeof(WCHAR) ));
        RegCloseKey( key );
    }
    free( text );
    return hr;
}

static HRESULT remove_rule( const struct rule *rule )
{
    HRESULT hr;
    HKEY key;

    if (FAILED(hr = open_store( KEY_SET_VALUE, &key ))) return hr;
    hr = error_of( ntlab_rule_set_filters( rule->id, NULL ));
    if (SUCCEEDED(hr)) hr = HRESULT_FROM_WIN32( RegDeleteValueW( key, rule->id ));
    RegCloseKey( key );
    return hr;
}

/***********************************************************************
 *  objects without state but their position
 */

struct object
{
    IUnknown IUnknown_iface;   /* of the interface that it has */
    const GUID *iid;
    LONG     ref;
    DWORD    pos;
};

static struct object *impl( void *iface )
{
    return CONTAINING_RECORD( iface, struct object, IUnknown_iface );
}

static HRESULT make_object( const void *vtbl, const GUID *iid, DWORD pos, void **obj )
{
    struct object *object = calloc( 1, sizeof(*object) );

    if (!(*obj = object)) return E_OUTOFMEMORY;
    object->IUnknown_iface.lpVtbl = vtbl;
    object->iid = iid;
    object->ref = 1;
    object->pos = pos;
    *obj = &object->IUnknown_iface;
    return S_OK;
}

static ULONG add_ref( void *iface )
{
    return InterlockedIncrement( &impl( iface )->ref );
}

static ULONG release( void *iface )
{
    const LONG ref = InterlockedDecrement( &impl( iface )->ref );

    if (!ref) free( impl( iface ));
    return ref;
}

static HRESULT query( void *iface, REFIID iid, void **obj )
{
    *obj = NULL;
    if (!IsEqualGUID( iid, &IID_IUnknown ) && !IsEqualGUID( iid, impl( iface )->iid ) &&
        (!IsEqualGUID( iid, &IID_IDispatch ) || IsEqualGUID( impl( iface )->iid, &IID_IEnumVARIANT ))) return E_NOINTERFACE;
    add_ref( iface );
    *obj = iface;
    return S_OK;
}

#define UNKNOWN( type, prefix ) \
    static HRESULT WINAPI prefix##_QueryInterface( type *iface, REFIID iid, void **obj ) { return query( iface, iid, obj ); } \
    static ULONG WINAPI prefix##_AddRef( type *iface ) { return add_ref( iface ); } \
    static ULONG WINAPI prefix##_Release( type *iface ) { return release( iface ); }
#define DISPATCH( type, prefix ) \
    UNKNOWN( type, prefix ) \
    static HRESULT WINAPI prefix##_GetTypeInfoCount( type *iface, UINT *count ) { *count = 0; return S_OK; } \
    static HRESULT WINAPI prefix##_GetTypeInfo( type *iface, UINT index, LCID lcid, ITypeInfo **info ) { return E_NOTIMPL; } \
    static HRESULT WINAPI prefix##_GetIDsOfNames( type *iface, REFIID iid, LPOLESTR *names, UINT count, LCID lcid, DISPID *ids ) \
    { return E_NOTIMPL; } \
    static HRESULT WINAPI prefix##_Invoke( type *iface, DISPID id, REFIID iid, LCID lcid, WORD flags, DISPPARAMS *params, \
                                           VARIANT *result, EXCEPINFO *info, UINT *arg ) { return E_NOTIMPL; }
#define DISPATCH_METHODS( prefix ) \
    prefix##_QueryInterface, prefix##_AddRef, prefix##_Release, prefix##_GetTypeInfoCount, prefix##_GetTypeInfo, \
    prefix##_GetIDsOfNames, prefix##_Invoke

/***********************************************************************
 *  IEnumVARIANT
 */

UNKNOWN( IEnumVARIANT, enum )

static HRESULT WINAPI enum_Next( IEnumVARIANT *iface, ULONG wanted, VARIANT *items, ULONG *fetched )
{
    struct rule *rule;
    ULONG count;

    for (count = 0; count < wanted && (rule = find_rule( impl( iface )->pos, NULL )); count++, impl( iface )->pos++)
    {
        V_VT( &items[count] ) = VT_DISPATCH;
        V_DISPATCH( &items[count] ) = (IDispatch *)&rule->INetFwRule_iface;
    }
    if (fetched) *fetched = count;
    return count == wanted ? S_OK : S_FALSE;
}

static HRESULT WINAPI enum_Skip( IEnumVARIANT *iface, ULONG count )
{
    impl( iface )->pos += count;
    return S_OK;
}

static HRESULT WINAPI enum_Reset( IEnumVARIANT *iface )
{
    impl( iface )->pos = 0;
    return S_OK;
}

static HRESULT WINAPI enum_Clone( IEnumVARIANT *iface, IEnumVARIANT **obj );

static const IEnumVARIANTVtbl enum_vtbl =
{
    enum_QueryInterface, enum_AddRef, enum_Release, enum_Next, enum_Skip, enum_Reset, enum_Clone
};

static HRESULT WINAPI enum_Clone( IEnumVARIANT *iface, IEnumVARIANT **obj )
{
    return make_object( &enum_vtbl, &IID_IEnumVARIANT, impl( iface )->pos, (void **)obj );
}

/***********************************************************************
 *  INetFwRules
 */

DISPATCH( INetFwRules, rules )

static HRESULT WINAPI rules_get_Count( INetFwRules *iface, LONG *count )
{
    struct rule *rule;

    for (*count = 0; (rule = find_rule( *count, NULL )); (*count)++) INetFwRule_Release( &rule->INetFwRule_iface );
    return S_OK;
}

/* what the caller has is not what is stored */
static HRESULT WINAPI rules_Add( INetFwRules *iface, INetFwRule *added )
{
    const struct rule *given = ntlab_rule_from_iface( added );
    struct rule *rule;
    WCHAR id[40], *text;
    HRESULT hr;
    GUID guid;

    if (!given || !given->strings[RULE_NAME]) return E_INVALIDARG;
    if (FAILED(hr = CoCreateGuid( &guid ))) return hr;
    StringFromGUID2( &guid, id, ARRAY_SIZE(id) );
    if (!(text = ntlab_rule_to_text( given ))) return E_OUTOFMEMORY;
    if ((rule = ntlab_rule_from_text( id, text )))
    {
        hr = ntlab_rule_store( rule );
        INetFwRule_Release( &rule->INetFwRule_iface );
    }
    else hr = E_OUTOFMEMORY;
    free( text );
    return hr;
}

static HRESULT WINAPI rules_Remove( INetFwRules *iface, BSTR name )
{
    struct rule *rule;
    HRESULT hr;

    if (!name) return E_INVALIDARG;
    if (!(rule = find_rule( 0, name ))) return S_OK;  /* "has no effect" */
    hr = remove_rule( rule );
    INetFwRule_Release( &rule->INetFwRule_iface );
    return hr;
}

static HRESULT WINAPI rules_Item( INetFwRules *iface, BSTR name, INetFwRule **obj )
{
    struct rule *rule;

    if (!name || !obj) return E_POINTER;
    *obj = NULL;
    if (!(rule = find_rule( 0, name ))) return HRESULT_FROM_WIN32( ERROR_FILE_NOT_FOUND );
    *obj = &rule->INetFwRule_iface;
    return S_OK;
}

static HRESULT WINAPI rules_get__NewEnum( INetFwRules *iface, IUnknown **obj )
{
    return make_object( &enum_vtbl, &IID_IEnumVARIANT, 0, (void **)obj );
}

static const INetFwRulesVtbl rules_vtbl =
{
    DISPATCH_METHODS( rules ), rules_get_Count, rules_Add, rules_Remove, rules_Item, rules_get__NewEnum
};

/***********************************************************************
 *  INetFwPolicy2: a firewall that is on, on a public network, and as Windows comes otherwise
 */

DISPATCH( INetFwPolicy2, policy )

/* LAB_STATE=firewall-rules, or with 1 firewall: stopped 1, off 2 */
static HRESULT ask_server( DWORD what, DWORD *answer )
{
    NTSTATUS status;

    SERVER_START_REQ( ntlab_wfp_call )
    {
        req->call = NTLAB_FWP_FIREWALL;
        req->arg  = what;
        status = wine_server_call( req );
        *answer = reply->arg;
    }
    SERVER_END_REQ;
    return status ? HRESULT_FROM_NT( status ) : S_OK;
}

#define SETTING( property, type, value ) \
    static HRESULT WINAPI policy_get_##property( INetFwPolicy2 *iface, NET_FW_PROFILE_TYPE2 profile, type *result ) \
    { return result ? (*result = value, S_OK) : E_POINTER; } \
    static HRESULT WINAPI policy_put_##property( INetFwPolicy2 *iface, NET_FW_PROFILE_TYPE2 profile, type setting ) \
    { return setting == value ? S_OK : E_NOTIMPL; }
SETTING( BlockAllInboundTraffic, VARIANT_BOOL, VARIANT_FALSE )
SETTING( NotificationsDisabled, VARIANT_BOOL, VARIANT_FALSE )
SETTING( UnicastResponsesToMulticastBroadcastDisabled, VARIANT_BOOL, VARIANT_FALSE )
SETTING( DefaultInboundAction, NET_FW_ACTION, NET_FW_ACTION_BLOCK )
SETTING( DefaultOutboundAction, NET_FW_ACTION, NET_FW_ACTION_ALLOW )

static HRESULT WINAPI policy_get_CurrentProfileTypes( INetFwPolicy2 *iface, LONG *types )
{
    return types ? (*types = NET_FW_PROFILE2_PUBLIC, S_OK) : E_POINTER;
}

static HRESULT WINAPI policy_get_ExcludedInterfaces( INetFwPolicy2 *iface, NET_FW_PROFILE_TYPE2 profile, VARIANT *value )
{
    VariantInit( value );
    return S_OK;
}

static HRESULT WINAPI policy_put_ExcludedInterfaces( INetFwPolicy2 *iface, NET_FW_PROFILE_TYPE2 profile, VARIANT value )
{
    return E_NOTIMPL;
}

static HRESULT WINAPI policy_get_Rules( INetFwPolicy2 *iface, INetFwRules **obj )
{
    DWORD answer = 0;

    if (SUCCEEDED(ask_server( 1, &answer )) && answer == 1) return HRESULT_FROM_WIN32( EPT_S_NOT_REGISTERED );
    return make_object( &rules_vtbl, &IID_INetFwRules, 0, (void **)obj );
}

static HRESULT WINAPI policy_get_ServiceRestriction( INetFwPolicy2 *iface, INetFwServiceRestriction **obj ) { return E_NOTIMPL; }

static HRESULT WINAPI policy_EnableRuleGroup( INetFwPolicy2 *iface, LONG profiles, BSTR group, VARIANT_BOOL enable ) { return E_NOTIMPL; }

static HRESULT WINAPI policy_IsRuleGroupEnabled( INetFwPolicy2 *iface, LONG profiles, BSTR group, VARIANT_BOOL *enabled ) { return E_NOTIMPL; }

static HRESULT WINAPI policy_RestoreLocalFirewallDefaults( INetFwPolicy2 *iface ) { return E_NOTIMPL; }

static HRESULT WINAPI policy_get_IsRuleGroupCurrentlyEnabled( INetFwPolicy2 *iface, BSTR group, VARIANT_BOOL *enabled ) { return E_NOTIMPL; }

/* its values are those of NET_FW_MODIFY_STATE */
static HRESULT WINAPI policy_get_LocalPolicyModifyState( INetFwPolicy2 *iface, NET_FW_MODIFY_STATE *state )
{
    DWORD answer = 0;
    HRESULT hr;

    if (!state) return E_POINTER;
    hr = ask_server( 0, &answer );
    *state = answer;
    return hr;
}

static HRESULT WINAPI policy_get_FirewallEnabled( INetFwPolicy2 *iface, NET_FW_PROFILE_TYPE2 profile, VARIANT_BOOL *enabled )
{
    DWORD answer = 0;
    HRESULT hr;

    if (!enabled) return E_POINTER;
    hr = ask_server( 1, &answer );
    *enabled = answer == 2 ? VARIANT_FALSE : VARIANT_TRUE;
    return hr;
}

static HRESULT WINAPI policy_put_FirewallEnabled( INetFwPolicy2 *iface, NET_FW_PROFILE_TYPE2 profile, VARIANT_BOOL enabled )
{
    return E_NOTIMPL;
}

#define BOTH( property ) policy_get_##property, policy_put_##property

static const INetFwPolicy2Vtbl policy_vtbl =
{
    DISPATCH_METHODS( policy ), policy_get_CurrentProfileTypes, BOTH( FirewallEnabled ), BOTH( ExcludedInterfaces ),
    BOTH( BlockAllInboundTraffic ), BOTH( NotificationsDisabled ), BOTH( UnicastResponsesToMulticastBroadcastDisabled ),
    policy_get_Rules, policy_get_ServiceRestriction, policy_EnableRuleGroup, policy_IsRuleGroupEnabled,
    policy_RestoreLocalFirewallDefaults, BOTH( DefaultInboundAction ), BOTH( DefaultOutboundAction ),
    policy_get_IsRuleGroupCurrentlyEnabled, policy_get_LocalPolicyModifyState
};

HRESULT ntlab_create_policy( IUnknown *outer, void **obj )
{
    return make_object( &policy_vtbl, &IID_INetFwPolicy2, 0, obj );
}
