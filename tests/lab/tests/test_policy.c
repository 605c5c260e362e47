/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accounts: who changes what of them, which passwords the policy takes, lockout, and what the machine says it is.
 * Runs again under other LAB_STATEs. */

#include "lab_test.h"
#include <lm.h>
#include <ntsecapi.h>

#define USER     L"labpolicy"
#define OTHER    L"labpolicyother"
#define ADMIN    L"labpolicyadmin"
#define GROUP    L"labpolicygroup"
#define PASSWORD L"Correct-Horse-7"
#define SECOND   L"Battery-Staple-8"
#define THIRD    L"Third-Horse-99"

static void expect( DWORD err, DWORD expected, const char *name )
{
    if (!ok( err == expected, "%s", name )) printf( "# error %lu, expected %lu\n", err, expected );
}

static DWORD add_user( const WCHAR *name, const WCHAR *password )
{
    USER_INFO_1 info = { (WCHAR *)name, (WCHAR *)password, 0, USER_PRIV_USER, NULL, NULL, UF_SCRIPT | UF_DONT_EXPIRE_PASSWD, NULL };

    return NetUserAdd( NULL, 1, (BYTE *)&info, NULL );
}

static DWORD set_password( const WCHAR *name, const WCHAR *password )
{
    USER_INFO_1003 info = { (WCHAR *)password };

    return NetUserSetInfo( NULL, name, 1003, (BYTE *)&info, NULL );
}

static DWORD set_flags( const WCHAR *name, DWORD flags )
{
    USER_INFO_1008 info = { UF_SCRIPT | UF_DONT_EXPIRE_PASSWD | flags };

    return NetUserSetInfo( NULL, name, 1008, (BYTE *)&info, NULL );
}

static DWORD flags_of( const WCHAR *name )
{
    USER_INFO_1 *info = NULL;
    DWORD flags;

    if (NetUserGetInfo( NULL, name, 1, (BYTE **)&info )) return 0;
    flags = info->usri1_flags;
    NetApiBufferFree( info );
    return flags;
}

static DWORD change_member( const WCHAR *group, const WCHAR *name, BOOL add )
{
    LOCALGROUP_MEMBERS_INFO_3 member = { (WCHAR *)name };

    return add ? NetLocalGroupAddMembers( NULL, group, 3, (BYTE *)&member, 1 ) : NetLocalGroupDelMembers( NULL, group, 3, (BYTE *)&member, 1 );
}

static DWORD log_on( const WCHAR *name, const WCHAR *password, DWORD type, HANDLE *token )
{
    *token = NULL;
    return last_error_of( LogonUserW( name, L".", password, type, LOGON32_PROVIDER_DEFAULT, token ));
}

static DWORD logon_error( const WCHAR *name, const WCHAR *password )
{
    HANDLE token;
    DWORD err = log_on( name, password, LOGON32_LOGON_NETWORK, &token );

    if (token) CloseHandle( token );
    return err;
}

/* ---- policy ---- */

static USER_MODALS_INFO_0 get_modals(void)
{
    USER_MODALS_INFO_0 *info = NULL, ret = { 0 };

    if (NetUserModalsGet( NULL, 0, (BYTE **)&info )) return ret;
    ret = *info;
    NetApiBufferFree( info );
    return ret;
}

static DWORD set_modals( const USER_MODALS_INFO_0 *info )
{
    return NetUserModalsSet( NULL, 0, (BYTE *)info, NULL );
}

static void test_modals(void)
{
    USER_MODALS_INFO_0 before = get_modals(), info = before;
    USER_MODALS_INFO_3 *lockout = NULL;
    USER_MODALS_INFO_1 *role = NULL;
    USER_MODALS_INFO_2 *domain = NULL;
    BYTE *none = NULL;

    ok( before.usrmod0_max_passwd_age == 42 * 86400 && !before.usrmod0_min_passwd_len && !before.usrmod0_password_hist_len &&
        before.usrmod0_force_logoff == TIMEQ_FOREVER, "the policy of a fresh machine" );
    expect( NetUserModalsGet( NULL, 3, (BYTE **)&lockout ), 0, "lockout" );
    ok( lockout && lockout->usrmod3_lockout_threshold == (lab_has( "lockout=ten" ) ? 10u : 0u) &&
        lockout->usrmod3_lockout_duration == (lab_has( "lockout=ten" ) ? 600u : 1800u), "and its numbers" );
    expect( NetUserModalsGet( NULL, 1, (BYTE **)&role ), 0, "role" );
    ok( role && role->usrmod1_role == (lab_has( "role=workstation" ) ? UAS_ROLE_STANDALONE : UAS_ROLE_PRIMARY), "and its number" );
    ok( !NetUserModalsGet( NULL, 2, (BYTE **)&domain ) && *GetSidSubAuthorityCount( domain->usrmod2_domain_id ) == 4, "the SID of the machine" );
    expect( NetUserModalsGet( NULL, 4, &none ), ERROR_INVALID_LEVEL, "no such level" );
    expect( NetUserModalsSet( NULL, 1, (BYTE *)role, NULL ), ERROR_INVALID_LEVEL, "nor one to set" );

    info.usrmod0_min_passwd_len = 9;
    expect( set_modals( &info ), 0, "set one" );
    ok( get_modals().usrmod0_min_passwd_len == 9 && get_modals().usrmod0_max_passwd_age == before.usrmod0_max_passwd_age, "and get it" );
    info.usrmod0_password_hist_len = 25;
    expect( set_modals( &info ), ERROR_INVALID_PARAMETER, "a history of 25 passwords" );
    info = before;
    info.usrmod0_min_passwd_age = info.usrmod0_max_passwd_age;
    expect( set_modals( &info ), ERROR_INVALID_PARAMETER, "as long to keep as to live" );
    lockout->usrmod3_lockout_threshold = 5;
    lockout->usrmod3_lockout_observation_window = lockout->usrmod3_lockout_duration + 1;
    expect( NetUserModalsSet( NULL, 3, (BYTE *)lockout, NULL ), ERROR_INVALID_PARAMETER, "a window longer than the lockout" );
    expect( set_modals( &before ), 0, "as before" );
}

static void test_passwords(void)
{
    USER_MODALS_INFO_0 before = get_modals(), info = before;
    USER_INFO_1011 full_name = { (WCHAR *)L"Jane Quartermain" };
    WCHAR longest[300];
    DWORD i;

    info.usrmod0_min_passwd_len = 9;
    set_modals( &info );
    expect( add_user( L"labeve", L"Short-7x" ), NERR_PasswordTooShort, "a short password for a new user" );
    expect( add_user( L"labeve", L"" ), NERR_PasswordTooShort, "none" );
    expect( set_password( USER, L"Short-7x" ), NERR_PasswordTooShort, "a short one for one that exists" );
    expect( logon_error( USER, PASSWORD ), 0, "which keeps its own" );
    expect( set_password( USER, L"Longer-7x" ), 0, "one that is long enough" );
    expect( logon_error( USER, L"Longer-7x" ), 0, "and is the new one" );
    for (i = 0; i < 299; i++) longest[i] = i & 1 ? '7' : 'x';
    longest[299] = 0;
    expect( set_password( USER, longest ), NERR_PasswordTooShort, "one that is too long" );
    longest[PWLEN] = 0;
    longest[0] = 'X';
    longest[2] = '-';
    expect( set_password( USER, longest ), 0, "the longest one" );
    expect( logon_error( USER, longest ), 0, "which logs on" );
    set_modals( &before );
    set_password( USER, PASSWORD );

    NetUserSetInfo( NULL, USER, 1011, (BYTE *)&full_name, NULL );
    if (lab_has( "passwords=complex" ))
    {
        expect( set_password( USER, L"onlysmallletters" ), NERR_PasswordTooShort, "one kind of characters" );
        expect( set_password( USER, L"smallandCAPITALS" ), NERR_PasswordTooShort, "two" );
        expect( set_password( USER, L"Ab-4x" ), NERR_PasswordTooShort, "three, but five characters" );
        expect( set_password( USER, L"X-7-LABPOLICY" ), NERR_PasswordTooShort, "the name of the account" );
        expect( set_password( USER, L"X-7-quarterMAIN" ), NERR_PasswordTooShort, "a part of the full name" );
        expect( set_password( USER, L"smallandCAPITALS4" ), 0, "three kinds" );
    }
    else expect( set_password( USER, L"onlysmallletters" ), 0, "one kind of characters" );
    expect( set_password( USER, PASSWORD ), 0, "as before" );
}

static void test_change(void)
{
    USER_MODALS_INFO_0 before = get_modals(), info = before;
    HANDLE token, copy;

    log_on( OTHER, PASSWORD, LOGON32_LOGON_NETWORK, &token );
    copy = impersonation( token );
    expect( AS( copy, set_password( OTHER, SECOND )), ERROR_ACCESS_DENIED, "nobody sets even his own without the old one" );
    expect( AS( copy, NetUserChangePassword( NULL, OTHER, PASSWORD, SECOND )), 0, "he changes it with the old one" );
    expect( logon_error( OTHER, SECOND ), 0, "and logs on with it" );
    expect( logon_error( OTHER, PASSWORD ), ERROR_LOGON_FAILURE, "and not with the old one" );
    expect( AS( copy, NetUserChangePassword( NULL, OTHER, PASSWORD, THIRD )), ERROR_INVALID_PASSWORD, "a wrong old one" );
    expect( AS( copy, NetUserChangePassword( NULL, USER, PASSWORD, SECOND )), 0, "who knows it changes another's" );
    expect( NetUserChangePassword( NULL, L"labnobody", PASSWORD, SECOND ), NERR_UserNotFound, "nobody's" );
    set_flags( OTHER, UF_PASSWD_CANT_CHANGE );
    ok( flags_of( OTHER ) & UF_PASSWD_CANT_CHANGE, "an account that may not change its password" );
    expect( AS( copy, NetUserChangePassword( NULL, OTHER, SECOND, THIRD )), ERROR_ACCESS_DENIED, "does not" );
    expect( NetUserChangePassword( NULL, OTHER, SECOND, THIRD ), 0, "an administrator does" );
    set_flags( OTHER, 0 );

    info.usrmod0_password_hist_len = 3;
    set_modals( &info );
    expect( NetUserChangePassword( NULL, OTHER, THIRD, THIRD ), NERR_PasswordTooShort, "with a history, the same again" );
    expect( NetUserChangePassword( NULL, OTHER, THIRD, SECOND ), NERR_PasswordTooShort, "the one before" );
    expect( NetUserChangePassword( NULL, OTHER, THIRD, L"Fourth-Horse-4" ), 0, "a new one" );
    expect( NetUserChangePassword( NULL, OTHER, L"Fourth-Horse-4", THIRD ), NERR_PasswordTooShort, "one of the last three" );
    expect( NetUserChangePassword( NULL, OTHER, L"Fourth-Horse-4", PASSWORD ), 0, "one that is out of it" );
    expect( set_password( OTHER, L"Fourth-Horse-4" ), 0, "an administrator's reset is not asked" );
    info.usrmod0_min_passwd_age = 3600;
    set_modals( &info );
    expect( NetUserChangePassword( NULL, OTHER, L"Fourth-Horse-4", L"Fifth-Horse-55" ), NERR_PasswordTooShort, "too soon" );
    expect( set_password( OTHER, PASSWORD ), 0, "a reset is not" );
    set_modals( &before );
    set_password( USER, PASSWORD );
    CloseHandle( copy );
    CloseHandle( token );
}

static void test_lockout(void)
{
    USER_MODALS_INFO_3 info = { 1, 1, 2 }, *before = NULL;
    USER_INFO_3 *user = NULL;
    ULONGLONG start;
    DWORD i;

    NetUserModalsGet( NULL, 3, (BYTE **)&before );
    if (before->usrmod3_lockout_threshold == 10)
    {
        for (i = 0; i < 10; i++) logon_error( USER, L"wrong" );
        expect( logon_error( USER, PASSWORD ), ERROR_ACCOUNT_LOCKED_OUT, "ten wrong passwords lock an account" );
        set_flags( USER, 0 );
    }
    else
    {
        for (i = 0; i < 11; i++) logon_error( USER, L"wrong" );
        expect( logon_error( USER, PASSWORD ), 0, "any number of wrong passwords" );
    }
    info.usrmod3_lockout_duration = info.usrmod3_lockout_observation_window = 3600;
    NetUserModalsSet( NULL, 3, (BYTE *)&info, NULL );
    logon_error( USER, L"wrong" );
    NetUserGetInfo( NULL, USER, 3, (BYTE **)&user );
    ok( user && user->usri3_bad_pw_count == 1 && !(user->usri3_flags & UF_LOCKOUT), "one of two" );
    expect( NetUserChangePassword( NULL, USER, L"wrong", SECOND ), ERROR_INVALID_PASSWORD, "a change counts, too" );
    ok( flags_of( USER ) & UF_LOCKOUT, "UF_LOCKOUT" );
    expect( NetUserChangePassword( NULL, USER, PASSWORD, SECOND ), ERROR_ACCOUNT_LOCKED_OUT, "no change while it is locked" );
    set_flags( USER, UF_LOCKOUT );
    expect( logon_error( USER, PASSWORD ), ERROR_ACCOUNT_LOCKED_OUT, "flags with it unlock nothing" );
    set_flags( USER, 0 );
    expect( logon_error( USER, PASSWORD ), 0, "flags without it do" );
    set_flags( USER, UF_LOCKOUT );
    expect( logon_error( USER, PASSWORD ), 0, "and it locks nothing" );
    ok( !(flags_of( USER ) & UF_LOCKOUT), "nor is it there" );
    info.usrmod3_lockout_duration = info.usrmod3_lockout_observation_window = 1;
    for (i = 0; i < 2; i++) logon_error( USER, L"wrong" );
    NetUserModalsSet( NULL, 3, (BYTE *)&info, NULL );
    for (start = GetTickCount64(); logon_error( USER, PASSWORD ) && GetTickCount64() - start < 10000; ) Sleep( 50 );
    expect( logon_error( USER, PASSWORD ), 0, "a lockout ends" );
    NetUserModalsSet( NULL, 3, (BYTE *)before, NULL );
}

/* ---- who ---- */

static DWORD add_group( const WCHAR *name )
{
    LOCALGROUP_INFO_0 group = { (WCHAR *)name };

    return NetLocalGroupAdd( NULL, 0, (BYTE *)&group, NULL );
}

static DWORD get_info( const WCHAR *name )
{
    BYTE *info = NULL;
    DWORD err = NetUserGetInfo( NULL, name, 4, &info );

    if (!err) NetApiBufferFree( info );
    return err;
}

static void check_denied( HANDLE token, const char *who )
{
    USER_MODALS_INFO_0 info = get_modals();
    LOCALGROUP_INFO_1002 comment = { (WCHAR *)L"mine" };
    HANDLE copy = impersonation( token );
    DWORD wrong = 0;

    wrong += AS( copy, add_user( L"labeve", PASSWORD )) != ERROR_ACCESS_DENIED;
    wrong += AS( copy, NetUserDel( NULL, USER )) != ERROR_ACCESS_DENIED;
    wrong += AS( copy, set_password( USER, SECOND )) != ERROR_ACCESS_DENIED;
    wrong += AS( copy, set_flags( USER, UF_ACCOUNTDISABLE )) != ERROR_ACCESS_DENIED;
    wrong += AS( copy, add_group( L"labevegroup" )) != ERROR_ACCESS_DENIED;
    wrong += AS( copy, NetLocalGroupDel( NULL, GROUP )) != ERROR_ACCESS_DENIED;
    wrong += AS( copy, change_member( GROUP, OTHER, TRUE )) != ERROR_ACCESS_DENIED;
    wrong += AS( copy, change_member( GROUP, USER, FALSE )) != ERROR_ACCESS_DENIED;
    wrong += AS( copy, change_member( L"Administrators", OTHER, TRUE )) != ERROR_ACCESS_DENIED;
    wrong += AS( copy, NetLocalGroupSetInfo( NULL, GROUP, 1002, (BYTE *)&comment, NULL )) != ERROR_ACCESS_DENIED;
    wrong += AS( copy, set_modals( &info )) != ERROR_ACCESS_DENIED;
    wrong += AS( copy, get_info( USER )) != 0;
    ok( !wrong, "%s changes no account, group, policy, but looks at them (%lu wrong)", who, wrong );
    CloseHandle( copy );
}

static void test_who(void)
{
    SID_AND_ATTRIBUTES everyone = { sid_from_string( L"S-1-1-0" ), 0 };
    HANDLE token, limited, full, restricted = NULL, copy;

    log_on( OTHER, PASSWORD, LOGON32_LOGON_NETWORK, &token );
    check_denied( token, "a standard user" );
    CloseHandle( token );
    CreateRestrictedToken( own_token(), 0, 0, NULL, 0, NULL, 1, &everyone, &restricted );
    check_denied( restricted, "an administrator's restricted token" );
    CloseHandle( restricted );
    log_on( ADMIN, PASSWORD, LOGON32_LOGON_INTERACTIVE, &limited );
    check_denied( limited, "an administrator's limited token" );
    CloseHandle( limited );
    log_on( ADMIN, PASSWORD, LOGON32_LOGON_BATCH, &full );
    copy = impersonation( full );
    expect( AS( copy, add_user( L"labeve", PASSWORD )), 0, "the full one adds a user" );
    expect( AS( copy, NetUserDel( NULL, L"labeve" )), 0, "and deletes it" );
    CloseHandle( copy );
    CloseHandle( full );
}

static void test_groups(void)
{
    BYTE nobody[SECURITY_MAX_SID_SIZE];
    LOCALGROUP_MEMBERS_INFO_0 member = { nobody };
    DWORD size = sizeof(nobody), domain_size = 64;
    WCHAR domain[64];
    SID_NAME_USE use;

    expect( change_member( GROUP, USER, TRUE ), ERROR_MEMBER_IN_ALIAS, "a member twice" );
    LookupAccountNameW( NULL, L"labpolicygroup2", nobody, &size, domain, &domain_size, &use );
    expect( NetLocalGroupAddMembers( NULL, GROUP, 0, (BYTE *)&member, 1 ), ERROR_INVALID_MEMBER, "a group in a group" );
    *GetSidSubAuthority( nobody, 4 ) = 99999;
    expect( NetLocalGroupAddMembers( NULL, GROUP, 0, (BYTE *)&member, 1 ), ERROR_NO_SUCH_MEMBER, "nobody of this machine" );
    expect( add_user( GROUP, PASSWORD ), ERROR_ALIAS_EXISTS, "a user with the name of a group" );
    expect( add_group( USER ), NERR_UserExists, "a group with the name of a user" );
    expect( NetUserDel( NULL, L"Guest" ), ERROR_SPECIAL_ACCOUNT, "Guest stays" );
    expect( NetLocalGroupDel( NULL, L"Users" ), ERROR_SPECIAL_GROUP, "so do Users" );
}

/* ---- what the machine is ---- */

static void test_role(void)
{
    const BOOL workstation = lab_has( "role=workstation" );
    BOOLEAN (WINAPI *product)( DWORD * ) = (void *)GetProcAddress( GetModuleHandleA( "ntdll" ), "RtlGetNtProductType" );
    SERVER_INFO_101 *info = NULL;
    DWORD type = 0;

    ok( product( &type ) && type == (workstation ? VER_NT_WORKSTATION : VER_NT_DOMAIN_CONTROLLER), "RtlGetNtProductType (%lu)", type );
    expect( NetServerGetInfo( NULL, 101, (BYTE **)&info ), 0, "NetServerGetInfo" );
    ok( info && (info->sv101_type & SV_TYPE_DOMAIN_CTRL ? !workstation : workstation) && (info->sv101_type & SV_TYPE_WORKSTATION), "and its type (%lx)", info->sv101_type );
}

static void test_logon_right(void)
{
    HANDLE token;

    expect( log_on( OTHER, PASSWORD, LOGON32_LOGON_INTERACTIVE, &token ), lab_has( "policy=local" ) ? 0 : ERROR_LOGON_TYPE_NOT_GRANTED,
            "who may log on locally" );
    expect( log_on( ADMIN, PASSWORD, LOGON32_LOGON_INTERACTIVE, &token ), 0, "an administrator may" );
}

static void clean_up(void)
{
    NetUserDel( NULL, USER );
    NetUserDel( NULL, OTHER );
    NetUserDel( NULL, ADMIN );
    NetLocalGroupDel( NULL, GROUP );
    NetLocalGroupDel( NULL, L"labpolicygroup2" );
}

/* ---- what a prefix keeps when its server has ended ---- */

static ULONG deny_batch( BOOL add, BOOL *there )
{
    LSA_UNICODE_STRING name = { 42, 44, (WCHAR *)L"SeDenyBatchLogonRight" }, *rights = NULL;
    LSA_OBJECT_ATTRIBUTES attr = { sizeof(attr) };
    BYTE sid[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof(sid), domain_size = 64;
    WCHAR domain[64];
    LSA_HANDLE policy;
    SID_NAME_USE use;
    ULONG status, count = 0;

    LookupAccountNameW( NULL, GROUP, sid, &size, domain, &domain_size, &use );
    if ((status = LsaOpenPolicy( NULL, &attr, POLICY_ALL_ACCESS, &policy ))) return status;
    if (add) status = LsaAddAccountRights( policy, sid, &name, 1 );
    if (!status) status = LsaEnumerateAccountRights( policy, sid, &rights, &count );
    *there = count == 1 && !wcsncmp( rights[0].Buffer, name.Buffer, 21 );
    if (there && !add) LsaRemoveAccountRights( policy, sid, TRUE, NULL, 0 );
    LsaClose( policy );
    return status;
}

static int make(void)
{
    USER_MODALS_INFO_0 info = get_modals();
    BOOL there;

    clean_up();
    info.usrmod0_min_passwd_len = 5;
    return add_user( USER, PASSWORD ) || add_group( GROUP ) || change_member( GROUP, USER, TRUE ) || set_modals( &info ) ||
           deny_batch( TRUE, &there ) || !there;
}

static void test_kept(void)
{
    LOCALGROUP_USERS_INFO_0 *groups = NULL;
    USER_MODALS_INFO_0 info = get_modals();
    DWORD read = 0, total;
    BOOL there = FALSE;

    expect( logon_error( USER, PASSWORD ), 0, "an account and its password" );
    expect( logon_error( USER, L"wrong" ), ERROR_LOGON_FAILURE, "and no other" );
    NetUserGetLocalGroups( NULL, USER, 0, 0, (BYTE **)&groups, MAX_PREFERRED_LENGTH, &read, &total );
    ok( read == 1 && !wcscmp( groups[0].lgrui0_name, GROUP ), "its group" );
    ok( info.usrmod0_min_passwd_len == 5, "the policy" );
    ok( !deny_batch( FALSE, &there ) && there, "the right" );
    info.usrmod0_min_passwd_len = 0;
    set_modals( &info );
    clean_up();
}

int main( int argc, char **argv )
{
    if (argc > 1 && !strcmp( argv[1], "make" )) return make();
    if (argc > 1)
    {
        test_kept();
        return finish();
    }
    clean_up();
    ok( !add_user( USER, PASSWORD ) && !add_user( OTHER, PASSWORD ) && !add_user( ADMIN, PASSWORD ) && !add_group( GROUP ) &&
        !add_group( L"labpolicygroup2" ) && !change_member( GROUP, USER, TRUE ) && !change_member( L"Administrators", ADMIN, TRUE ), "make accounts" );
    test_modals();
    test_passwords();
    test_change();
    test_lockout();
    test_who();
    test_groups();
    test_role();
    test_logon_right();
    clean_up();
    return finish();
}
