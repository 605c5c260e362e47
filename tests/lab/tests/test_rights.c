/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Account rights: who may see and change them, through which handle, and what a fresh machine has. */

#include "lab_test.h"
#include <lm.h>
#include <ntsecapi.h>

#define USER     L"labrights"
#define GROUP    L"labrightsgroup"
#define PASSWORD L"Correct-Horse-7"

#define ACCESS_DENIED         0xc0000022
#define INVALID_HANDLE        0xc0000008
#define INVALID_PARAMETER     0xc000000d
#define OBJECT_NAME_NOT_FOUND 0xc0000034
#define NO_SUCH_PRIVILEGE     0xc0000060
#define NO_MORE_ENTRIES       0x8000001a
#define NONE_MAPPED           0xc0000073

static void expect( ULONG status, ULONG expected, const char *name )
{
    if (!ok( status == expected, "%s", name )) printf( "# status %08lx, expected %08lx\n", status, expected );
}

static LSA_UNICODE_STRING string( const WCHAR *text )
{
    LSA_UNICODE_STRING ret = { wcslen( text ) * sizeof(WCHAR), (wcslen( text ) + 1) * sizeof(WCHAR), (WCHAR *)text };

    return ret;
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

static ULONG open_policy( ACCESS_MASK access, LSA_HANDLE *policy )
{
    LSA_OBJECT_ATTRIBUTES attr = { sizeof(attr) };

    *policy = NULL;
    return LsaOpenPolicy( NULL, &attr, access, policy );
}

static ULONG open_error( ACCESS_MASK access )
{
    LSA_HANDLE policy;
    ULONG status = open_policy( access, &policy );

    if (policy) LsaClose( policy );
    return status;
}

static ULONG add_right( LSA_HANDLE policy, PSID sid, const WCHAR *right )
{
    LSA_UNICODE_STRING name = string( right );

    return LsaAddAccountRights( policy, sid, &name, 1 );
}

static ULONG remove_right( LSA_HANDLE policy, PSID sid, const WCHAR *right )
{
    LSA_UNICODE_STRING name = string( right );

    return LsaRemoveAccountRights( policy, sid, FALSE, &name, 1 );
}

/* the number of rights, and whether this one is among them */
static BOOL has_right( LSA_HANDLE policy, PSID sid, const WCHAR *right, ULONG *total )
{
    LSA_UNICODE_STRING *rights = NULL;
    ULONG i, count = 0;
    BOOL found = FALSE;

    if (!LsaEnumerateAccountRights( policy, sid, &rights, &count ))
        for (i = 0; i < count; i++)
            if (rights[i].Length == wcslen( right ) * sizeof(WCHAR) && !wcsncmp( rights[i].Buffer, right, wcslen( right ))) found = TRUE;
    if (rights) LsaFreeMemory( rights );
    if (total) *total = count;
    return found;
}

static BOOL holds( LSA_HANDLE policy, const WCHAR *right, PSID sid, ULONG *total )
{
    LSA_UNICODE_STRING name = string( right );
    LSA_ENUMERATION_INFORMATION *list = NULL;
    ULONG i, count = 0;
    BOOL found = FALSE;

    if (!LsaEnumerateAccountsWithUserRight( policy, &name, (void **)&list, &count ))
        for (i = 0; i < count; i++) if (EqualSid( list[i].Sid, sid )) found = TRUE;
    if (list) LsaFreeMemory( list );
    if (total) *total = count;
    return found;
}

static ULONG enumerate( LSA_HANDLE policy, PSID sid )
{
    LSA_UNICODE_STRING *rights = NULL;
    ULONG count, status = LsaEnumerateAccountRights( policy, sid, &rights, &count );

    if (!status) LsaFreeMemory( rights );
    return status;
}

static ULONG enumerate_holders( LSA_HANDLE policy, const WCHAR *right )
{
    LSA_UNICODE_STRING name = string( right );
    void *list = NULL;
    ULONG count, status = LsaEnumerateAccountsWithUserRight( policy, &name, &list, &count );

    if (!status) LsaFreeMemory( list );
    return status;
}

static ULONG look_up( LSA_HANDLE policy, const WCHAR *account )
{
    LSA_UNICODE_STRING name = string( account );
    LSA_REFERENCED_DOMAIN_LIST *domains = NULL;
    LSA_TRANSLATED_SID2 *sids = NULL;
    ULONG status = LsaLookupNames2( policy, 0, 1, &name, &domains, &sids );

    if (!status && !EqualSid( sids[0].Sid, lookup( account ))) status = ~0u;
    if (domains) LsaFreeMemory( domains );
    if (sids) LsaFreeMemory( sids );
    return status;
}

static ULONG look_up_sid( LSA_HANDLE policy, PSID sid, const WCHAR *account )
{
    LSA_REFERENCED_DOMAIN_LIST *domains = NULL;
    LSA_TRANSLATED_NAME *names = NULL;
    ULONG status = LsaLookupSids( policy, 1, &sid, &domains, &names );

    if (!status && wcsncmp( names[0].Name.Buffer, account, wcslen( account ))) status = ~0u;
    if (domains) LsaFreeMemory( domains );
    if (names) LsaFreeMemory( names );
    return status;
}

/* ---- what there is ---- */

static void test_defaults( LSA_HANDLE policy )
{
    const BOOL local = lab_has( "policy=local" );
    PSID admins = sid_from_string( L"S-1-5-32-544" ), users = sid_from_string( L"S-1-5-32-545" ),
         everyone = sid_from_string( L"S-1-1-0" ), guest = lookup( L"Guest" );

    ok( has_right( policy, users, L"SeInteractiveLogonRight", NULL ) == local, "Users log on locally, unless a group policy says no" );
    ok( has_right( policy, admins, L"SeInteractiveLogonRight", NULL ) && has_right( policy, admins, L"SeBatchLogonRight", NULL ) &&
        has_right( policy, admins, L"SeDebugPrivilege", NULL ), "Administrators do, and run batch jobs, and debug" );
    ok( has_right( policy, everyone, L"SeNetworkLogonRight", NULL ) && has_right( policy, everyone, L"SeChangeNotifyPrivilege", NULL ),
        "Everyone comes in over the network" );
    ok( !has_right( policy, users, L"SeBatchLogonRight", NULL ) && !has_right( policy, users, L"SeServiceLogonRight", NULL ),
        "Users run neither batch jobs nor services" );
    ok( guest && has_right( policy, guest, L"SeDenyInteractiveLogonRight", NULL ) && has_right( policy, guest, L"SeDenyNetworkLogonRight", NULL ),
        "Guest is denied" );
    ok( holds( policy, L"SeInteractiveLogonRight", admins, NULL ) && holds( policy, L"SeInteractiveLogonRight", users, NULL ) == local,
        "and the same the other way round" );
    expect( enumerate_holders( policy, L"SeDenyBatchLogonRight" ), NO_MORE_ENTRIES, "nobody is denied batch jobs" );
}

/* ---- changes ---- */

static void test_changes( LSA_HANDLE policy )
{
    LSA_UNICODE_STRING names[2] = { string( L"SeDenyBatchLogonRight" ), string( L"SeNoSuchRight" ) };
    PSID group = lookup( GROUP );
    ULONG count;

    expect( enumerate( policy, group ), OBJECT_NAME_NOT_FOUND, "an account without rights" );
    expect( add_right( policy, group, L"SeDenyBatchLogonRight" ), 0, "add a right" );
    expect( add_right( policy, group, L"sedenyservicelogonright" ), 0, "another, in small letters" );
    expect( add_right( policy, group, L"SeDenyBatchLogonRight" ), 0, "one that is there" );
    ok( has_right( policy, group, L"SeDenyBatchLogonRight", &count ) && count == 2, "the account has both" );
    ok( holds( policy, L"SeDenyServiceLogonRight", group, &count ) && count == 1, "the right has one account" );
    expect( add_right( policy, group, L"SeNoSuchRight" ), NO_SUCH_PRIVILEGE, "a right that there is not" );
    names[0] = string( L"SeDenyNetworkLogonRight" );
    expect( LsaAddAccountRights( policy, group, names, 2 ), NO_SUCH_PRIVILEGE, "one that is there before it" );
    ok( !has_right( policy, group, L"SeDenyNetworkLogonRight", &count ) && count == 2, "and nothing has changed" );
    expect( enumerate_holders( policy, L"SeNoSuchRight" ), NO_SUCH_PRIVILEGE, "who has it" );
    expect( remove_right( policy, group, L"SeNoSuchRight" ), NO_SUCH_PRIVILEGE, "take it away" );
    expect( remove_right( policy, group, L"SeDenyBatchLogonRight" ), 0, "take one away" );
    ok( !has_right( policy, group, L"SeDenyBatchLogonRight", &count ) && count == 1, "the other one stays" );
    expect( LsaRemoveAccountRights( policy, group, TRUE, NULL, 0 ), 0, "take all away" );
    expect( enumerate( policy, group ), OBJECT_NAME_NOT_FOUND, "none is left" );
    expect( remove_right( policy, group, L"SeDenyBatchLogonRight" ), OBJECT_NAME_NOT_FOUND, "nor an account to take one from" );
    expect( add_right( policy, sid_from_string( L"S-1-5-21-7-7-7-7" ), L"SeDenyBatchLogonRight" ), 0, "a SID of nobody" );
    expect( LsaRemoveAccountRights( policy, sid_from_string( L"S-1-5-21-7-7-7-7" ), TRUE, NULL, 0 ), 0, "and without it" );
    expect( LsaAddAccountRights( policy, NULL, names, 1 ), INVALID_PARAMETER, "no SID" );
}

/* ---- handles ---- */

static void test_handles(void)
{
    LSA_HANDLE look, create, view, names;
    PSID group = lookup( GROUP );

    open_policy( POLICY_CREATE_ACCOUNT | POLICY_LOOKUP_NAMES, &create );
    open_policy( POLICY_LOOKUP_NAMES | POLICY_VIEW_LOCAL_INFORMATION, &look );
    open_policy( POLICY_VIEW_LOCAL_INFORMATION, &view );
    open_policy( POLICY_LOOKUP_NAMES, &names );
    expect( add_right( look, group, L"SeDenyBatchLogonRight" ), ACCESS_DENIED, "a new account takes POLICY_CREATE_ACCOUNT" );
    expect( add_right( create, group, L"SeDenyBatchLogonRight" ), 0, "which a handle has" );
    expect( add_right( look, group, L"SeDenyServiceLogonRight" ), 0, "one that exists takes POLICY_LOOKUP_NAMES" );
    expect( add_right( view, group, L"SeDenyServiceLogonRight" ), ACCESS_DENIED, "and not less" );
    expect( enumerate( view, group ), ACCESS_DENIED, "so does seeing its rights" );
    expect( enumerate_holders( view, L"SeDenyBatchLogonRight" ), ACCESS_DENIED, "and its holders" );
    expect( enumerate_holders( names, L"SeDenyBatchLogonRight" ), ACCESS_DENIED, "who take POLICY_VIEW_LOCAL_INFORMATION as well" );
    expect( look_up( view, USER ), ACCESS_DENIED, "and looking up a name" );
    expect( look_up_sid( view, lookup( USER ), USER ), ACCESS_DENIED, "or a SID" );
    expect( look_up( names, USER ), 0, "a name" );
    expect( look_up( names, GROUP ), 0, "a group" );
    expect( look_up( names, L"labnobody" ), NONE_MAPPED, "nobody" );
    expect( look_up_sid( names, lookup( GROUP ), GROUP ), 0, "a SID" );
    expect( add_right( GetCurrentProcess(), group, L"SeDenyBatchLogonRight" ), 0xc0000024, "the handle of a process" );
    expect( LsaRemoveAccountRights( create, group, TRUE, NULL, 0 ), 0, "without rights again" );
    LsaClose( look );
    expect( enumerate( look, group ), INVALID_HANDLE, "a closed handle" );
    LsaClose( create );
    LsaClose( view );
    LsaClose( names );
}

/* ---- who ---- */

static void test_standard_user(void)
{
    HANDLE token = NULL, copy;
    LSA_HANDLE policy;
    PSID users = sid_from_string( L"S-1-5-32-545" );
    ULONG status;

    LogonUserW( USER, L".", PASSWORD, LOGON32_LOGON_NETWORK, LOGON32_PROVIDER_DEFAULT, &token );
    copy = impersonation( token );
    expect( AS( copy, open_error( POLICY_LOOKUP_NAMES | POLICY_VIEW_LOCAL_INFORMATION )), 0, "a standard user looks at the policy" );
    expect( AS( copy, open_error( POLICY_CREATE_ACCOUNT )), ACCESS_DENIED, "but does not add to it" );
    expect( AS( copy, open_error( POLICY_ALL_ACCESS )), ACCESS_DENIED, "nor all" );
    expect( AS( copy, open_error( MAXIMUM_ALLOWED )), 0, "the most that there is" );
    ImpersonateLoggedOnUser( copy );
    open_policy( POLICY_LOOKUP_NAMES | POLICY_VIEW_LOCAL_INFORMATION, &policy );
    status = look_up( policy, USER );
    RevertToSelf();
    expect( status, 0, "looks up a name" );
    expect( AS( copy, add_right( policy, users, L"SeTcbPrivilege" )), ACCESS_DENIED, "adds no right to an account that exists" );
    expect( AS( copy, remove_right( policy, users, L"SeInteractiveLogonRight" )), ACCESS_DENIED, "takes none away" );
    expect( AS( copy, enumerate( policy, users )), ACCESS_DENIED, "sees none" );
    ok( !has_right( policy, users, L"SeTcbPrivilege", NULL ) && enumerate( policy, users ) == 0, "the same handle, for an administrator" );
    LsaClose( policy );
    CloseHandle( copy );
    CloseHandle( token );
}

static void clean_up(void)
{
    NetUserDel( NULL, USER );
    NetLocalGroupDel( NULL, GROUP );
}

int main( void )
{
    USER_INFO_1 info = { (WCHAR *)USER, (WCHAR *)PASSWORD, 0, USER_PRIV_USER, NULL, NULL, UF_SCRIPT | UF_DONT_EXPIRE_PASSWD, NULL };
    LOCALGROUP_INFO_0 group = { (WCHAR *)GROUP };
    LSA_HANDLE policy;

    clean_up();
    ok( !NetUserAdd( NULL, 1, (BYTE *)&info, NULL ) && !NetLocalGroupAdd( NULL, 0, (BYTE *)&group, NULL ), "make accounts" );
    expect( open_policy( POLICY_ALL_ACCESS, &policy ), 0, "an administrator opens the policy" );
    test_defaults( policy );
    test_changes( policy );
    LsaClose( policy );
    test_handles();
    test_standard_user();
    clean_up();
    return finish();
}
