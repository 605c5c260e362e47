/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Firewall rules: what they read as, who changes them, and what they block. */

#define COBJMACROS
#include "fwp_test.h"
#include <netfw.h>

#define OUTSIDE4 "192.0.2.1"
#define OUTSIDE6 "2001:db8::1"
#define RULE     L"lab rule"

DEFINE_GUID( SUBLAYER, 0x66666666, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 );

static INetFwPolicy2 *policy;
static INetFwRules *rules;
static int port;

static INetFwRule3 *new_rule(void)
{
    INetFwRule3 *rule = NULL;

    if (FAILED(CoCreateInstance( &CLSID_NetFwRule, NULL, CLSCTX_INPROC_SERVER, &IID_INetFwRule3, (void **)&rule )))
        printf( "# no rule\n" );
    return rule;
}

static BSTR text( const WCHAR *string ) { return SysAllocString( string ); }

/* a rule that blocks what goes out, for everybody and everything */
static INetFwRule3 *block_rule(void)
{
    INetFwRule3 *rule = new_rule();

    INetFwRule3_put_Name( rule, text( RULE ));
    INetFwRule3_put_Grouping( rule, text( L"lab" ));
    INetFwRule3_put_Direction( rule, NET_FW_RULE_DIR_OUT );
    INetFwRule3_put_Action( rule, NET_FW_ACTION_BLOCK );
    INetFwRule3_put_Profiles( rule, NET_FW_PROFILE2_ALL );
    INetFwRule3_put_Enabled( rule, VARIANT_TRUE );
    return rule;
}

static HRESULT add_rule( INetFwRule3 *rule )
{
    HRESULT hr = INetFwRules_Add( rules, (INetFwRule *)rule );

    INetFwRule3_Release( rule );
    return hr;
}

static HRESULT remove_rule(void) { return INetFwRules_Remove( rules, text( RULE )); }

static void expect_word( const char *host, int type, BOOL passes, const char *name )
{
    static int count;
    const char *kind = type == SOCK_STREAM ? strchr( host, ':' ) ? "tcp6" : "tcp4" : strchr( host, ':' ) ? "udp6" : "udp4";
    char word[32];
    DWORD err;

    snprintf( word, sizeof(word), "rule%d", ++count );
    err = send_word( type, host, port, word );
    if (passes) ok( !err && arrived( kind, word ), "%s: %s to %s arrives", name, kind, host );
    else ok( err == WSAEACCES && never_arrived( kind, word ), "%s: %s to %s is blocked", name, kind, host );
    if (err && (passes || err != WSAEACCES)) printf( "# error %lu\n", err );
}

static BOOL reads( HRESULT hr, const BSTR *got, const WCHAR *expected )
{
    return hr == S_OK && *got && !wcscmp( *got, expected );
}

static void test_properties(void)
{
    INetFwRule3 *rule = new_rule(), *stored = NULL;
    INetFwRule *item = NULL;
    VARIANT_BOOL enabled = VARIANT_TRUE;
    NET_FW_RULE_DIRECTION direction;
    NET_FW_ACTION action;
    LONG number;
    BSTR got;

#define TEXT_PROPERTY( object, property, value ) \
    (got = NULL, reads( INetFwRule3_get_##property( object, &got ), &got, value ))
#define ROUND_TRIP( property, value ) \
    ok( INetFwRule3_put_##property( rule, text( value )) == S_OK && TEXT_PROPERTY( rule, property, value ), #property " reads as it was set" )

    ok( INetFwRule3_get_Enabled( rule, &enabled ) == S_OK && !enabled, "a new rule is disabled" );
    ok( INetFwRule3_get_Direction( rule, &direction ) == S_OK && direction == NET_FW_RULE_DIR_IN, "for what comes in" );
    ok( INetFwRule3_get_Protocol( rule, &number ) == S_OK && number == 256, "and any protocol" );
    expect_error( INetFwRule3_put_LocalPorts( rule, text( L"80" )), E_INVALIDARG, "which has no ports" );
    expect_error( INetFwRule3_put_Name( rule, text( L"a|b" )), E_INVALIDARG, "a name with a bar" );
    expect_error( INetFwRule3_put_Name( rule, text( L"all" )), E_INVALIDARG, "the name that means all" );
    expect_error( INetFwRule3_put_Action( rule, 7 ), E_INVALIDARG, "an unknown action" );
    expect_error( INetFwRules_Add( rules, (INetFwRule *)rule ), E_INVALIDARG, "a rule without a name" );
    ROUND_TRIP( Name, RULE );
    ROUND_TRIP( Description, L"what it is for" );
    ROUND_TRIP( ApplicationName, L"C:\\a.exe" );
    ROUND_TRIP( ServiceName, L"svc" );
    ROUND_TRIP( LocalAddresses, L"10.0.0.0/8" );
    ROUND_TRIP( RemoteAddresses, L"192.0.2.0/24,2001:db8::/32" );
    ROUND_TRIP( IcmpTypesAndCodes, L"8:*" );
    ROUND_TRIP( InterfaceTypes, L"All" );
    ROUND_TRIP( Grouping, L"lab" );
    ROUND_TRIP( LocalAppPackageId, L"S-1-15-2-1" );
    ROUND_TRIP( LocalUserOwner, L"S-1-5-18" );
    ROUND_TRIP( LocalUserAuthorizedList, L"O:LSD:(A;;CC;;;S-1-5-21-1-2-3-4)" );
    ROUND_TRIP( RemoteUserAuthorizedList, L"O:LSD:(A;;CC;;;BU)" );
    ROUND_TRIP( RemoteMachineAuthorizedList, L"O:LSD:(A;;CC;;;AN)" );
    INetFwRule3_put_Protocol( rule, NET_FW_IP_PROTOCOL_TCP );
    ROUND_TRIP( LocalPorts, L"80,443" );
    ROUND_TRIP( RemotePorts, L"5000-5010" );
    INetFwRule3_put_Direction( rule, NET_FW_RULE_DIR_OUT );
    INetFwRule3_put_Action( rule, NET_FW_ACTION_BLOCK );
    INetFwRule3_put_Profiles( rule, NET_FW_PROFILE2_PRIVATE );
    INetFwRule3_put_EdgeTraversalOptions( rule, 2 );
    INetFwRule3_put_SecureFlags( rule, 1 );
    expect_error( add_rule( rule ), S_OK, "a disabled rule is kept whatever it is about" );

    expect_error( INetFwRules_Item( rules, text( RULE ), &item ), S_OK, "INetFwRules::Item" );
    INetFwRule_QueryInterface( item, &IID_INetFwRule3, (void **)&stored );
    ok( TEXT_PROPERTY( stored, Name, RULE ) && TEXT_PROPERTY( stored, Description, L"what it is for" ) &&
        TEXT_PROPERTY( stored, RemoteAddresses, L"192.0.2.0/24,2001:db8::/32" ) && TEXT_PROPERTY( stored, RemotePorts, L"5000-5010" ) &&
        TEXT_PROPERTY( stored, LocalUserAuthorizedList, L"O:LSD:(A;;CC;;;S-1-5-21-1-2-3-4)" ) &&
        TEXT_PROPERTY( stored, RemoteMachineAuthorizedList, L"O:LSD:(A;;CC;;;AN)" ), "what is kept reads as it was set" );
    ok( INetFwRule3_get_Direction( stored, &direction ) == S_OK && direction == NET_FW_RULE_DIR_OUT &&
        INetFwRule3_get_Action( stored, &action ) == S_OK && action == NET_FW_ACTION_BLOCK &&
        INetFwRule3_get_Profiles( stored, &number ) == S_OK && number == NET_FW_PROFILE2_PRIVATE, "numbers too" );
    ok( INetFwRule3_get_EdgeTraversalOptions( stored, &number ) == S_OK && number == 2 &&
        INetFwRule3_get_SecureFlags( stored, &number ) == S_OK && number == 1, "all of them" );
    expect_error( remove_rule(), S_OK, "INetFwRules::Remove" );
    expect_error( remove_rule(), S_OK, "which has no effect where there is no such rule" );
    expect_error( INetFwRules_Item( rules, text( RULE ), &item ), HRESULT_FROM_WIN32( ERROR_FILE_NOT_FOUND ), "it is gone" );
}

static LONG count_rules(void)
{
    IEnumVARIANT *enumerator = NULL;
    IUnknown *unknown = NULL;
    LONG count = 0;
    VARIANT item;

    INetFwRules_get__NewEnum( rules, &unknown );
    IUnknown_QueryInterface( unknown, &IID_IEnumVARIANT, (void **)&enumerator );
    while (IEnumVARIANT_Next( enumerator, 1, &item, NULL ) == S_OK)
    {
        count++;
        VariantClear( &item );
    }
    return count;
}

static void test_collection(void)
{
    const HANDLE limited = impersonation( filter_token( LUA_TOKEN, NULL, NULL, NULL ));
    const LONG before = count_rules();
    INetFwRule3 *rule;
    LONG count;

    expect_error( add_rule( block_rule() ), S_OK, "INetFwRules::Add" );
    ok( INetFwRules_get_Count( rules, &count ) == S_OK && count == before + 1 && count_rules() == count, "the rules are counted and enumerated" );
    ImpersonateLoggedOnUser( limited );
    rule = block_rule();
    expect_error( add_rule( rule ), E_ACCESSDENIED, "a standard user adds no rule" );
    expect_error( remove_rule(), E_ACCESSDENIED, "and removes none" );
    RevertToSelf();
    remove_rule();
    ok( count_rules() == before, "none is left" );
}

/* an enabled rule with one property, and what it blocks */
static const struct
{
    const char *name;
    int property;         /* 0: none, 1: user, 2: addresses, 3: protocol, 4: ports, 5: profiles, 6: disabled, 7: in, 8: action */
    const WCHAR *value;
    BOOL tcp4, tcp6, udp4;
} effects[] =
{
    { "everything", 0, NULL, FALSE, FALSE, FALSE },
    { "Administrators", 1, L"O:LSD:(A;;CC;;;BA)", FALSE, FALSE, FALSE },
    { "somebody else", 1, L"O:LSD:(A;;CC;;;S-1-5-21-1-2-3-4)", TRUE, TRUE, TRUE },
    { "an IPv4 network", 2, L"192.0.2.0/24", FALSE, TRUE, FALSE },
    { "with a mask", 2, L"192.0.2.0/255.255.255.0", FALSE, TRUE, FALSE },
    { "a range of addresses", 2, L"192.0.2.0-192.0.2.9,10.0.0.1", FALSE, TRUE, FALSE },
    { "another network", 2, L"198.51.100.0/24", TRUE, TRUE, TRUE },
    { "an IPv6 network", 2, L"2001:db8::/32", TRUE, FALSE, TRUE },
    { "a range of IPv6 addresses", 2, L"2001:db8::-2001:db8::ffff", TRUE, FALSE, TRUE },
    { "TCP", 3, L"6", FALSE, FALSE, TRUE },
    { "UDP", 3, L"17", TRUE, TRUE, FALSE },
    { "the port", 4, L"%d", FALSE, FALSE, TRUE },
    { "ports that it is not", 4, L"1,2-3", TRUE, TRUE, TRUE },
    { "private networks", 5, NULL, TRUE, TRUE, TRUE },
    { "disabled", 6, NULL, TRUE, TRUE, TRUE },
    { "what comes in", 7, NULL, TRUE, TRUE, TRUE },
    { "an allowing rule", 8, NULL, TRUE, TRUE, TRUE },
};

static void test_effect( unsigned int count, BOOL ignored )
{
    unsigned int i;
    WCHAR value[64];

    for (i = 0; i < count; i++)
    {
        INetFwRule3 *rule = block_rule();

        switch (effects[i].property)
        {
        case 1: INetFwRule3_put_LocalUserAuthorizedList( rule, text( effects[i].value )); break;
        case 2: INetFwRule3_put_RemoteAddresses( rule, text( effects[i].value )); break;
        case 3: INetFwRule3_put_Protocol( rule, _wtoi( effects[i].value )); break;
        case 4:
            swprintf( value, 64, effects[i].value, port );
            INetFwRule3_put_Protocol( rule, NET_FW_IP_PROTOCOL_TCP );
            INetFwRule3_put_RemotePorts( rule, text( value ));
            break;
        case 5: INetFwRule3_put_Profiles( rule, NET_FW_PROFILE2_PRIVATE ); break;
        case 6: INetFwRule3_put_Enabled( rule, VARIANT_FALSE ); break;
        case 7: INetFwRule3_put_Direction( rule, NET_FW_RULE_DIR_IN ); break;
        case 8: INetFwRule3_put_Action( rule, NET_FW_ACTION_ALLOW ); break;
        }
        expect_error( add_rule( rule ), S_OK, effects[i].name );
        expect_word( OUTSIDE4, SOCK_STREAM, ignored || effects[i].tcp4, effects[i].name );
        expect_word( OUTSIDE6, SOCK_STREAM, ignored || effects[i].tcp6, effects[i].name );
        expect_word( OUTSIDE4, SOCK_DGRAM, ignored || effects[i].udp4, effects[i].name );
        expect_word( "127.0.0.1", SOCK_STREAM, TRUE, effects[i].name );
        expect_word( "::1", SOCK_STREAM, TRUE, effects[i].name );
        remove_rule();
    }
    expect_word( OUTSIDE4, SOCK_STREAM, TRUE, "without a rule" );
    expect_word( OUTSIDE6, SOCK_STREAM, TRUE, "without a rule" );
    expect_word( OUTSIDE4, SOCK_DGRAM, TRUE, "without a rule" );
}

static void test_changes(void)
{
    INetFwRule3 *rule;
    INetFwRule *item = NULL;
    HANDLE engine;

    add_rule( block_rule() );
    INetFwRules_Item( rules, text( RULE ), &item );
    expect_error( INetFwRule_put_Enabled( item, VARIANT_FALSE ), S_OK, "a rule of the collection is disabled" );
    expect_word( OUTSIDE4, SOCK_STREAM, TRUE, "disabled later" );
    INetFwRule_put_Enabled( item, VARIANT_TRUE );
    expect_word( OUTSIDE4, SOCK_STREAM, FALSE, "and enabled again" );
    rule = block_rule();
    INetFwRule3_put_Action( rule, NET_FW_ACTION_ALLOW );
    add_rule( rule );
    expect_word( OUTSIDE4, SOCK_STREAM, FALSE, "what is allowed as well" );
    remove_rule();
    remove_rule();
    expect_error( INetFwRules_Item( rules, text( RULE ), &item ), HRESULT_FROM_WIN32( ERROR_FILE_NOT_FOUND ), "there are no more" );

    rule = block_rule();
    INetFwRule3_put_ApplicationName( rule, text( L"C:\\a.exe" ));
    expect_error( add_rule( rule ), E_NOTIMPL, "an enabled rule that the lab cannot keep is refused" );
    expect_word( OUTSIDE4, SOCK_STREAM, TRUE, "refused" );
    ok( count_rules() == 0, "and not there" );

    /* the firewall lies below: what a filter above permits for good, it does not block */
    add_rule( block_rule() );
    engine = open_engine( TRUE );
    add_sublayer( engine, &SUBLAYER, 0xffff, 0 );
    add_filter( engine, &SUBLAYER, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, FWP_ACTION_PERMIT, 1, 0, 0, NULL );
    expect_word( OUTSIDE4, SOCK_STREAM, FALSE, "below a soft permit" );
    FwpmFilterDeleteById0( engine, added_filter );
    add_filter( engine, &SUBLAYER, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, FWP_ACTION_PERMIT, 1, FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT, 0, NULL );
    expect_word( OUTSIDE4, SOCK_STREAM, TRUE, "below a hard permit" );
    FwpmEngineClose0( engine );
    remove_rule();
}

int main( int argc, char **argv )
{
    const BOOL off = lab_has( "firewall=off" ), ignored = lab_has( "firewall-rules=ignored" );
    VARIANT_BOOL enabled = VARIANT_TRUE;
    NET_FW_MODIFY_STATE state = 99;
    WSADATA data;

    (void)argc, (void)argv;
    WSAStartup( MAKEWORD(2, 2), &data );
    CoInitializeEx( NULL, COINIT_MULTITHREADED );
    port = listener_port();
    expect_error( CoCreateInstance( &CLSID_NetFwPolicy2, NULL, CLSCTX_INPROC_SERVER, &IID_INetFwPolicy2, (void **)&policy ), S_OK, "INetFwPolicy2" );
    if (lab_has( "firewall=stopped" ))
    {
        expect_error( INetFwPolicy2_get_Rules( policy, &rules ), HRESULT_FROM_WIN32( EPT_S_NOT_REGISTERED ), "no rules without the service" );
        return finish();
    }
    expect_error( INetFwPolicy2_get_Rules( policy, &rules ), S_OK, "has rules" );
    ok( INetFwPolicy2_get_FirewallEnabled( policy, NET_FW_PROFILE2_PUBLIC, &enabled ) == S_OK && !enabled == off, "and is on or off" );
    expect_error( INetFwPolicy2_get_LocalPolicyModifyState( policy, &state ), S_OK, "and a state" );
    ok( state == (ignored ? NET_FW_MODIFY_STATE_GP_OVERRIDE : lab_has( "firewall-rules=inbound-blocked" ) ?
                  NET_FW_MODIFY_STATE_INBOUND_BLOCKED : NET_FW_MODIFY_STATE_OK), "which is that of the machine" );
    if (state != NET_FW_MODIFY_STATE_OK || off)
    {
        test_effect( 1, ignored || off );
        return finish();
    }
    test_effect( ARRAYSIZE(effects), FALSE );
    test_properties();
    test_collection();
    test_changes();
    return finish();
}
