/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LogonUser: type x right x state of the account, against the documented errors; the tokens and the logon sessions. */

#include "lab_test.h"
#include <lm.h>
#include <ntsecapi.h>

#define USER     L"lablogon"
#define ADMIN    L"lablogonadmin"
#define GROUP    L"lablogongroup"
#define PASSWORD L"Correct-Horse-7"

#define LOGON_TYPE_NOT_GRANTED ERROR_LOGON_TYPE_NOT_GRANTED

static const struct
{
    DWORD        type;
    const WCHAR *right, *deny, *group;
    BOOL         by_default;
} types[] =
{
    { LOGON32_LOGON_INTERACTIVE, L"SeInteractiveLogonRight", L"SeDenyInteractiveLogonRight", L"S-1-5-4", TRUE },
    { LOGON32_LOGON_NETWORK, L"SeNetworkLogonRight", L"SeDenyNetworkLogonRight", L"S-1-5-2", TRUE },
    { LOGON32_LOGON_BATCH, L"SeBatchLogonRight", L"SeDenyBatchLogonRight", L"S-1-5-3", FALSE },
    { LOGON32_LOGON_SERVICE, L"SeServiceLogonRight", L"SeDenyServiceLogonRight", L"S-1-5-6", FALSE },
    { LOGON32_LOGON_UNLOCK, L"SeInteractiveLogonRight", L"SeDenyInteractiveLogonRight", L"S-1-5-4", TRUE },
    { LOGON32_LOGON_NETWORK_CLEARTEXT, L"SeNetworkLogonRight", L"SeDenyNetworkLogonRight", L"S-1-5-2", TRUE },
};
#define TYPE_COUNT ARRAYSIZE(types)

static int expect_error( DWORD err, DWORD expected, const char *name )
{
    int ret = ok( err == expected, "%s", name );

    if (!ret) printf( "# error %lu, expected %lu\n", err, expected );
    return ret;
}

static DWORD add_user( const WCHAR *name )
{
    USER_INFO_1 info = { (WCHAR *)name, (WCHAR *)PASSWORD, 0, USER_PRIV_USER, NULL, NULL, UF_SCRIPT | UF_DONT_EXPIRE_PASSWD, NULL };

    return NetUserAdd( NULL, 1, (BYTE *)&info, NULL );
}

static PSID lookup( const WCHAR *name )
{
    static BYTE sids[8][SECURITY_MAX_SID_SIZE];
    static unsigned int next;
    DWORD size = SECURITY_MAX_SID_SIZE, domain_size = MAX_PATH;
    WCHAR domain[MAX_PATH];
    PSID sid = sids[next++ % 8];
    SID_NAME_USE use;

    return LookupAccountNameW( NULL, name, sid, &size, domain, &domain_size, &use ) ? sid : NULL;
}

static DWORD log_on( const WCHAR *name, const WCHAR *password, DWORD type, HANDLE *token )
{
    *token = NULL;
    return last_error_of( LogonUserW( name, L".", password, type, LOGON32_PROVIDER_DEFAULT, token ));
}

/* the error alone */
static DWORD logon_error( const WCHAR *password, DWORD type )
{
    HANDLE token;
    DWORD err = log_on( USER, password, type, &token );

    if (token) CloseHandle( token );
    return err;
}

static NTSTATUS change_right( BOOL add, const WCHAR *account, const WCHAR *right )
{
    LSA_UNICODE_STRING name = { wcslen( right ) * sizeof(WCHAR), wcslen( right ) * sizeof(WCHAR), (WCHAR *)right };
    LSA_OBJECT_ATTRIBUTES attr = { sizeof(attr) };
    LSA_HANDLE policy;
    NTSTATUS status = LsaOpenPolicy( NULL, &attr, POLICY_CREATE_ACCOUNT | POLICY_LOOKUP_NAMES, &policy );

    if (status) return status;
    status = add ? LsaAddAccountRights( policy, lookup( account ), &name, 1 )
                 : LsaRemoveAccountRights( policy, lookup( account ), FALSE, &name, 1 );
    LsaClose( policy );
    return status;
}

static DWORD set_info( DWORD level, const void *info )
{
    return NetUserSetInfo( NULL, USER, level, (BYTE *)info, NULL );
}

static void join( const WCHAR *group, const WCHAR *name )
{
    LOCALGROUP_MEMBERS_INFO_3 member = { (WCHAR *)name };

    NetLocalGroupAddMembers( NULL, group, 3, (BYTE *)&member, 1 );
}

/* ---- type x right ---- */

static void test_rights(void)
{
    const BOOL stripped = lab_has( "policy=gpo" );  /* "Allow log on locally" is the policy's */
    DWORD granted, by_default, right;
    unsigned int i, j, wrong;

    for (i = 0; i < TYPE_COUNT; i++)
    {
        right = types[i].type == LOGON32_LOGON_INTERACTIVE || types[i].type == LOGON32_LOGON_UNLOCK;
        granted = stripped && right ? LOGON_TYPE_NOT_GRANTED : 0;
        by_default = types[i].by_default ? granted : LOGON_TYPE_NOT_GRANTED;
        wrong = 0;
        wrong += logon_error( PASSWORD, types[i].type ) != by_default;
        /* given to the user, to a group; denied to either, which wins */
        wrong += change_right( TRUE, USER, types[i].right ) || logon_error( PASSWORD, types[i].type ) != granted;
        wrong += change_right( TRUE, GROUP, types[i].deny ) || logon_error( PASSWORD, types[i].type ) != LOGON_TYPE_NOT_GRANTED;
        wrong += change_right( FALSE, GROUP, types[i].deny ) || logon_error( PASSWORD, types[i].type ) != granted;
        wrong += change_right( TRUE, USER, types[i].deny ) || logon_error( PASSWORD, types[i].type ) != LOGON_TYPE_NOT_GRANTED;
        for (j = 0; j < TYPE_COUNT; j++)  /* and nothing but this */
            wrong += wcscmp( types[i].deny, types[j].deny ) && types[j].by_default && types[j].type != LOGON32_LOGON_INTERACTIVE &&
                     types[j].type != LOGON32_LOGON_UNLOCK && logon_error( PASSWORD, types[j].type );
        wrong += change_right( FALSE, USER, types[i].deny ) || change_right( FALSE, USER, types[i].right );
        wrong += change_right( TRUE, GROUP, types[i].right ) || logon_error( PASSWORD, types[i].type ) != granted;
        wrong += change_right( FALSE, GROUP, types[i].right ) || logon_error( PASSWORD, types[i].type ) != by_default;
        ok( !wrong, "type %lu: given, denied, to the user and to a group (%u wrong)", types[i].type, wrong );
    }
}

/* ---- type x state of the account ---- */

/* each state: with the right password, with a wrong one */
static void check_state( const char *name, DWORD right, DWORD wrong_password )
{
    unsigned int i, bad = 0;
    DWORD err;

    for (i = 0; i < TYPE_COUNT; i++)
    {
        if ((err = logon_error( PASSWORD, types[i].type )) != right)
        {
            printf( "# type %lu: error %lu\n", types[i].type, err );
            bad++;
        }
        if ((err = logon_error( L"wrong", types[i].type )) != wrong_password)
        {
            printf( "# type %lu, wrong password: error %lu\n", types[i].type, err );
            bad++;
        }
    }
    ok( !bad, "every type, %s: error %lu, with a wrong password %lu", name, right, wrong_password );
}

static void test_states(void)
{
    const BYTE never[21] = { 0 }, always[21] = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 };
    USER_INFO_1008 flags = { UF_SCRIPT | UF_DONT_EXPIRE_PASSWD };
    USER_INFO_1003 password = { (WCHAR *)PASSWORD };
    USER_INFO_1014 workstations = { (WCHAR *)L"ELSEWHERE,OTHER" };
    USER_INFO_1020 hours = { 168, (BYTE *)never };
    USER_INFO_1017 expires = { 1 };
    USER_MODALS_INFO_0 *modals, changed;
    USER_MODALS_INFO_3 lockout = { 3600, 3600, 0 }, *lockout_before;
    USER_INFO_3 *info;
    WCHAR computer[64], list[80];
    DWORD size = 64, i;
    HANDLE token;

    NetUserModalsGet( NULL, 3, (BYTE **)&lockout_before );
    NetUserModalsSet( NULL, 3, (BYTE *)&lockout, NULL );
    for (i = 0; i < TYPE_COUNT; i++) change_right( TRUE, USER, types[i].right );
    check_state( "nothing set", 0, ERROR_LOGON_FAILURE );

    flags.usri1008_flags |= UF_ACCOUNTDISABLE;
    set_info( 1008, &flags );
    check_state( "disabled", ERROR_ACCOUNT_DISABLED, ERROR_LOGON_FAILURE );
    change_right( TRUE, USER, L"SeDenyNetworkLogonRight" );
    expect_error( logon_error( PASSWORD, LOGON32_LOGON_NETWORK ), ERROR_ACCOUNT_DISABLED, "a disabled account comes before a denied right" );
    change_right( FALSE, USER, L"SeDenyNetworkLogonRight" );
    flags.usri1008_flags &= ~UF_ACCOUNTDISABLE;
    set_info( 1008, &flags );

    expect_error( set_info( 1017, &expires ), 0, "an account that expires" );
    check_state( "expired", ERROR_ACCOUNT_EXPIRED, ERROR_LOGON_FAILURE );
    expires.usri1017_acct_expires = ~0u;
    set_info( 1017, &expires );

    expect_error( set_info( 1020, &hours ), 0, "logon hours" );
    check_state( "outside of its hours", ERROR_INVALID_LOGON_HOURS, ERROR_LOGON_FAILURE );
    hours.usri1020_logon_hours = (BYTE *)always;
    set_info( 1020, &hours );

    set_info( 1014, &workstations );
    check_state( "other workstations", ERROR_INVALID_WORKSTATION, ERROR_LOGON_FAILURE );
    GetComputerNameW( computer, &size );
    swprintf( list, 80, L"ELSEWHERE,%ls", computer );
    workstations.usri1014_workstations = list;
    set_info( 1014, &workstations );
    expect_error( logon_error( PASSWORD, LOGON32_LOGON_NETWORK ), 0, "this one among them" );
    workstations.usri1014_workstations = (WCHAR *)L"";
    set_info( 1014, &workstations );

    NetUserGetInfo( NULL, USER, 3, (BYTE **)&info );
    info->usri3_password_expired = 1;
    info->usri3_password = NULL;
    set_info( 3, info );
    check_state( "password to be changed", ERROR_PASSWORD_MUST_CHANGE, ERROR_LOGON_FAILURE );
    set_info( 1003, &password );
    expect_error( logon_error( PASSWORD, LOGON32_LOGON_NETWORK ), 0, "which a new one ends" );

    NetUserModalsGet( NULL, 0, (BYTE **)&modals );
    changed = *modals;
    changed.usrmod0_max_passwd_age = 1;
    expect_error( NetUserModalsSet( NULL, 0, (BYTE *)&changed, NULL ), 0, "passwords live a second" );
    expect_error( logon_error( PASSWORD, LOGON32_LOGON_NETWORK ), 0, "but not where they never expire" );
    flags.usri1008_flags = UF_SCRIPT;
    set_info( 1008, &flags );
    while (logon_error( PASSWORD, LOGON32_LOGON_NETWORK ) == 0) Sleep( 50 );
    check_state( "password expired", ERROR_PASSWORD_EXPIRED, ERROR_LOGON_FAILURE );
    flags.usri1008_flags = UF_SCRIPT | UF_DONT_EXPIRE_PASSWD;
    set_info( 1008, &flags );
    NetUserModalsSet( NULL, 0, (BYTE *)modals, NULL );

    lockout.usrmod3_lockout_threshold = 3;
    NetUserModalsSet( NULL, 3, (BYTE *)&lockout, NULL );
    logon_error( PASSWORD, LOGON32_LOGON_NETWORK );
    for (i = 0; i < 2; i++) logon_error( L"wrong", LOGON32_LOGON_NETWORK );
    expect_error( logon_error( PASSWORD, LOGON32_LOGON_NETWORK ), 0, "two wrong passwords of three, then the right one" );
    for (i = 0; i < 3; i++) expect_error( logon_error( L"wrong", LOGON32_LOGON_NETWORK ), ERROR_LOGON_FAILURE, "a wrong one more" );
    check_state( "locked out", ERROR_ACCOUNT_LOCKED_OUT, ERROR_ACCOUNT_LOCKED_OUT );
    set_info( 1008, &flags );
    expect_error( logon_error( PASSWORD, LOGON32_LOGON_NETWORK ), 0, "unlocked by its flags" );
    NetUserModalsSet( NULL, 3, (BYTE *)lockout_before, NULL );

    if (!lab_has( "passwords=complex" ))
    {
        password.usri1003_password = (WCHAR *)L"";
        expect_error( set_info( 1003, &password ), 0, "a blank password" );
        expect_error( logon_error( L"", LOGON32_LOGON_INTERACTIVE ), ERROR_ACCOUNT_RESTRICTION, "is for the console" );
        expect_error( logon_error( PASSWORD, LOGON32_LOGON_INTERACTIVE ), ERROR_LOGON_FAILURE, "and not any other" );
        password.usri1003_password = (WCHAR *)PASSWORD;
        set_info( 1003, &password );
    }

    expect_error( log_on( L"labnobody", PASSWORD, LOGON32_LOGON_NETWORK, &token ), ERROR_LOGON_FAILURE, "nobody" );
    expect_error( last_error_of( LogonUserW( USER, L"ELSEWHERE", PASSWORD, LOGON32_LOGON_NETWORK, 0, &token )), ERROR_LOGON_FAILURE, "another domain" );
    expect_error( last_error_of( LogonUserW( USER, computer, PASSWORD, LOGON32_LOGON_NETWORK, 0, &token )), 0, "this computer" );
    expect_error( last_error_of( LogonUserW( USER, NULL, PASSWORD, LOGON32_LOGON_NETWORK, 0, &token )), 0, "no domain" );
    expect_error( log_on( USER, PASSWORD, 1, &token ), ERROR_INVALID_PARAMETER, "no such type" );
    expect_error( last_error_of( LogonUserW( USER, L".", PASSWORD, LOGON32_LOGON_NETWORK, 77, &token )), ERROR_INVALID_PARAMETER, "no such provider" );
    for (i = 0; i < TYPE_COUNT; i++) change_right( FALSE, USER, types[i].right );
}

/* ---- tokens ---- */

static DWORD group_attributes( HANDLE token, const WCHAR *string )
{
    TOKEN_GROUPS *groups = token_info( token, TokenGroups );
    PSID sid = sid_from_string( string );
    DWORD i;

    for (i = 0; groups && i < groups->GroupCount; i++)
        if (EqualSid( groups->Groups[i].Sid, sid )) return groups->Groups[i].Attributes;
    return 0;
}

static DWORD integrity( HANDLE token )
{
    TOKEN_MANDATORY_LABEL *label = token_info( token, TokenIntegrityLevel );

    return label ? *GetSidSubAuthority( label->Label.Sid, 0 ) : 0;
}

static BOOL has_privilege( HANDLE token, const WCHAR *name )
{
    TOKEN_PRIVILEGES *privs = token_info( token, TokenPrivileges );
    DWORD i;
    LUID luid;

    LookupPrivilegeValueW( NULL, name, &luid );
    for (i = 0; privs && i < privs->PrivilegeCount; i++)
        if (!memcmp( &privs->Privileges[i].Luid, &luid, sizeof(luid) )) return TRUE;
    return FALSE;
}

static LUID authentication_id( HANDLE token )
{
    TOKEN_STATISTICS *stats = token_info( token, TokenStatistics );

    return stats->AuthenticationId;
}

static void test_tokens(void)
{
    TOKEN_ORIGIN *origin;
    TOKEN_STATISTICS *stats;
    TOKEN_LINKED_TOKEN *linked;
    TOKEN_ELEVATION_TYPE *elevation;
    LUID own = authentication_id( own_token() ), id;
    HANDLE token, second, primary;
    unsigned int i, bad = 0;

    for (i = 0; i < TYPE_COUNT; i++)
    {
        change_right( TRUE, USER, types[i].right );
        if (log_on( USER, PASSWORD, types[i].type, &token ) && lab_has( "policy=local" )) bad++;
        if (!token) continue;
        stats = token_info( token, TokenStatistics );
        if (stats->TokenType != (types[i].type == LOGON32_LOGON_NETWORK ? TokenImpersonation : TokenPrimary)) bad++;
        if (!group_attributes( token, types[i].group ) || !group_attributes( token, L"S-1-5-32-545" )) bad++;
        if (integrity( token ) != SECURITY_MANDATORY_MEDIUM_RID || has_privilege( token, SE_DEBUG_NAME )) bad++;
        change_right( FALSE, USER, types[i].right );
        CloseHandle( token );
    }
    ok( !bad, "kind of token, group, level of each type (%u wrong)", bad );

    log_on( USER, PASSWORD, LOGON32_LOGON_NETWORK_CLEARTEXT, &token );
    log_on( USER, PASSWORD, LOGON32_LOGON_NETWORK_CLEARTEXT, &second );
    origin = token_info( token, TokenOrigin );
    id = authentication_id( token );
    ok( origin && !memcmp( &origin->OriginatingLogonSession, &own, sizeof(own) ), "TokenOrigin is the session that logged it on" );
    ok( memcmp( &id, &own, sizeof(id) ), "a session of its own" );
    ok( *GetSidSubAuthority( logon_sid( token ), 2 ) == id.LowPart, "with its logon SID" );
    own = authentication_id( second );
    ok( memcmp( &id, &own, sizeof(id) ), "another one for the second logon" );
    CloseHandle( second );
    CloseHandle( token );

    change_right( TRUE, GROUP, SE_BACKUP_NAME );
    log_on( USER, PASSWORD, LOGON32_LOGON_NETWORK, &token );
    ok( has_privilege( token, SE_BACKUP_NAME ) && has_privilege( token, SE_CHANGE_NOTIFY_NAME ), "a privilege by a group" );
    CloseHandle( token );
    change_right( FALSE, GROUP, SE_BACKUP_NAME );

    expect_error( log_on( ADMIN, PASSWORD, LOGON32_LOGON_INTERACTIVE, &token ), 0, "log on an administrator" );
    elevation = token_info( token, TokenElevationType );
    ok( elevation && *elevation == TokenElevationTypeLimited && integrity( token ) == SECURITY_MANDATORY_MEDIUM_RID, "with a limited token" );
    ok( (group_attributes( token, L"S-1-5-32-544" ) & SE_GROUP_USE_FOR_DENY_ONLY) && (group_attributes( token, L"S-1-5-114" ) & SE_GROUP_USE_FOR_DENY_ONLY) &&
        !has_privilege( token, SE_DEBUG_NAME ), "Administrators for denial alone, no privilege of theirs" );
    linked = token_info( token, TokenLinkedToken );
    ok( linked && (group_attributes( linked->LinkedToken, L"S-1-5-32-544" ) & SE_GROUP_ENABLED) && has_privilege( linked->LinkedToken, SE_DEBUG_NAME ) &&
        integrity( linked->LinkedToken ) == SECURITY_MANDATORY_HIGH_RID && EqualSid( user_sid( linked->LinkedToken ), user_sid( token )), "linked to the full one" );
    expect_error( last_error_of( DuplicateTokenEx( linked->LinkedToken, 0, NULL, SecurityImpersonation, TokenPrimary, &primary )),
                  ERROR_BAD_IMPERSONATION_LEVEL, "which is an identity" );
    CloseHandle( linked->LinkedToken );
    CloseHandle( token );
    log_on( ADMIN, PASSWORD, LOGON32_LOGON_BATCH, &token );
    elevation = token_info( token, TokenElevationType );
    ok( *elevation == TokenElevationTypeFull && (group_attributes( token, L"S-1-5-32-544" ) & SE_GROUP_ENABLED) && has_privilege( token, SE_DEBUG_NAME ),
        "a batch logon gets the full one" );
    CloseHandle( token );
}

static void test_new_credentials(void)
{
    HANDLE token = NULL;
    LUID own = authentication_id( own_token() ), id;

    expect_error( last_error_of( LogonUserW( L"anybody", L"ANYWHERE", L"any", LOGON32_LOGON_NEW_CREDENTIALS, LOGON32_PROVIDER_DEFAULT, &token )),
                  ERROR_INVALID_PARAMETER, "new credentials take LOGON32_PROVIDER_WINNT50" );
    expect_error( last_error_of( LogonUserW( L"anybody", L"ANYWHERE", L"any", LOGON32_LOGON_NEW_CREDENTIALS, LOGON32_PROVIDER_WINNT50, &token )), 0,
                  "and nobody looks at them" );
    id = authentication_id( token );
    ok( EqualSid( user_sid( token ), user_sid( own_token() )) && memcmp( &id, &own, sizeof(id) ), "a clone with a session of its own" );
    CloseHandle( token );
}

/* groups enough for a lot of workspaces */
static void test_many_groups(void)
{
    TOKEN_GROUPS *groups;
    LOCALGROUP_INFO_0 group;
    WCHAR name[32];
    unsigned int i, found = 0;
    HANDLE token;
    DWORD j;

    for (i = 0; i < 50; i++)
    {
        swprintf( name, 32, L"lablogon%u", i );
        group.lgrpi0_name = name;
        NetLocalGroupAdd( NULL, 0, (BYTE *)&group, NULL );
        join( name, USER );
    }
    log_on( USER, PASSWORD, LOGON32_LOGON_NETWORK, &token );
    groups = token_info( token, TokenGroups );
    for (i = 0; i < 50; i++)
    {
        PSID sid;

        swprintf( name, 32, L"lablogon%u", i );
        sid = lookup( name );
        for (j = 0; sid && j < groups->GroupCount; j++)
            if (EqualSid( groups->Groups[j].Sid, sid ) && (groups->Groups[j].Attributes & SE_GROUP_ENABLED)) found++;
        NetLocalGroupDel( NULL, name );
    }
    ok( found == 50, "50 groups in a token (%u)", found );
    CloseHandle( token );
    log_on( USER, PASSWORD, LOGON32_LOGON_NETWORK, &token );
    groups = token_info( token, TokenGroups );
    ok( groups && groups->GroupCount < 20, "and none of them when they are gone" );
    CloseHandle( token );
}

/* ---- sessions ---- */

static BOOL session_exists( LUID id )
{
    ULONG count = 0, i;
    LUID *list = NULL;
    BOOL found = FALSE;

    LsaEnumerateLogonSessions( &count, &list );
    for (i = 0; i < count; i++) if (!memcmp( &list[i], &id, sizeof(id) )) found = TRUE;
    LsaFreeReturnBuffer( list );
    return found;
}

static NTSTATUS session_status( LUID *id )
{
    SECURITY_LOGON_SESSION_DATA *data = NULL;
    NTSTATUS status = LsaGetLogonSessionData( id, &data );

    if (data) LsaFreeReturnBuffer( data );
    return status;
}

static void test_sessions(void)
{
    SECURITY_LOGON_SESSION_DATA *data = NULL;
    HANDLE token, copy, other;
    LUID own = authentication_id( own_token() ), id, other_id;

    log_on( USER, PASSWORD, LOGON32_LOGON_NETWORK_CLEARTEXT, &token );
    log_on( ADMIN, PASSWORD, LOGON32_LOGON_NETWORK, &other );
    id = authentication_id( token );
    other_id = authentication_id( other );
    ok( session_exists( own ) && session_exists( id ), "the sessions are listed" );
    ok( !LsaGetLogonSessionData( &id, &data ) && data->LogonType == NetworkCleartext && !wcscmp( data->UserName.Buffer, USER ) &&
        EqualSid( data->Sid, lookup( USER )) && data->LogonTime.QuadPart, "with type, user and time" );
    copy = impersonation( token );
    ok( AS( copy, session_exists( other_id )), "for all to see" );
    ok( !AS( copy, session_status( &id )), "a user looks at his own" );
    ok( (NTSTATUS)AS( copy, session_status( &other_id )) == (NTSTATUS)0xc0000022, "and at no other's" );
    ok( (NTSTATUS)AS( copy, session_status( &own )) == (NTSTATUS)0xc0000022, "nor at that of the user at the desk" );
    CloseHandle( token );
    ok( session_exists( id ), "a session lasts as long as a token" );
    CloseHandle( copy );
    ok( !session_exists( id ) && (session_status( &id ) == (NTSTATUS)0xc000005f), "and no longer" );
    CloseHandle( other );
}

static void clean_up(void)
{
    NetUserDel( NULL, USER );
    NetUserDel( NULL, ADMIN );
    NetLocalGroupDel( NULL, GROUP );
}

int main( void )
{
    LOCALGROUP_INFO_0 group = { (WCHAR *)GROUP };
    const BOOL local = lab_has( "policy=local" );

    clean_up();
    ok( !add_user( USER ) && !add_user( ADMIN ) && !NetLocalGroupAdd( NULL, 0, (BYTE *)&group, NULL ), "make accounts" );
    join( GROUP, USER );
    join( L"Administrators", ADMIN );
    test_rights();
    if (local) test_states();
    test_tokens();
    test_new_credentials();
    test_many_groups();
    test_sessions();
    clean_up();
    return finish();
}
