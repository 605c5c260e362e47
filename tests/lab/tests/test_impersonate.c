/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose tokens a thread may impersonate.  Children do it, as the administrator has SeImpersonatePrivilege. */

#include "lab_test.h"
#include <lm.h>
#include <stdlib.h>

#define PIPE_NAME L"\\\\.\\pipe\\lab-impersonate"
#define ALICE     L"labimpersonated"
#define PASSWORD  L"correct horse 1"
#define BOB       L"labimpersonating"
#define CAROL     L"labcarol"
#define FULLY     0
#define HAS_USERS 16
#define OTHER_SID L"S-1-5-21-1-2-3-4712"

enum { FAILED, IDENTIFIES, IMPERSONATES };

/* what the thread's token is good for */
static int level(void)
{
    SECURITY_IMPERSONATION_LEVEL *value;
    HANDLE token = NULL;
    DWORD err, key_err, process_err;
    HKEY key;

    if (!OpenThreadToken( GetCurrentThread(), TOKEN_QUERY, TRUE, &token )) return FAILED;
    value = token_info( token, TokenImpersonationLevel );
    err = try_open( L"C:\\users", GENERIC_READ, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS );
    key_err = RegOpenKeyExW( HKEY_LOCAL_MACHINE, L"Software\\Microsoft", 0, KEY_READ, &key );
    process_err = OpenProcess( PROCESS_QUERY_LIMITED_INFORMATION, FALSE, GetCurrentProcessId() ) ? 0 : GetLastError();
    if (value && *value == SecurityImpersonation && !err && !key_err) return IMPERSONATES;
    if (value && *value == SecurityIdentification && err == ERROR_BAD_IMPERSONATION_LEVEL &&
        key_err == ERROR_BAD_IMPERSONATION_LEVEL && process_err == ERROR_BAD_IMPERSONATION_LEVEL) return IDENTIFIES;
    printf( "# level %d, errors %lu, %lu, %lu\n", value ? (int)*value : -1, err, key_err, process_err );
    return FAILED;
}

static int take_handle( HANDLE token )
{
    return SetThreadToken( NULL, token ) ? level() : FAILED;
}

static HANDLE open_to_all(void)
{
    SECURITY_ATTRIBUTES sa = { sizeof(sa) };

    ConvertStringSecurityDescriptorToSecurityDescriptorW( L"D:(A;;GA;;;WD)", SDDL_REVISION_1, &sa.lpSecurityDescriptor, NULL );
    return CreateNamedPipeW( PIPE_NAME, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 16, 16, 0, &sa );
}

static int serve(void)
{
    HANDLE pipe = open_to_all();
    DWORD count;
    char byte;

    if (pipe == INVALID_HANDLE_VALUE) return FAILED;
    if (!ConnectNamedPipe( pipe, NULL ) && GetLastError() != ERROR_PIPE_CONNECTED) return FAILED;
    if (!ReadFile( pipe, &byte, 1, &count, NULL )) return FAILED;
    return ImpersonateNamedPipeClient( pipe ) ? level() : FAILED;
}

static int serve_self( const WCHAR *prefix );

static HANDLE logged_on( const WCHAR *name )
{
    HANDLE token = NULL;

    LogonUserW( name, L".", PASSWORD, LOGON32_LOGON_INTERACTIVE, LOGON32_PROVIDER_DEFAULT, &token );
    return token;
}

static int run_subcommand( int argc, char **argv )
{
    if (!strcmp( argv[1], "take" ) && argc > 2) return take_handle( (HANDLE)strtoull( argv[2], NULL, 10 ));
    if (!strcmp( argv[1], "serve" )) return serve();
    if (!strcmp( argv[1], "serve-self" ) && argc > 2)
    {
        WCHAR prefix[32];

        swprintf( prefix, 32, L"%hs", argv[2] );
        return serve_self( prefix );
    }
    if (!strcmp( argv[1], "log-on" )) return take_handle( impersonation( logged_on( BOB )));
    return FAILED;
}

static int exit_code( PROCESS_INFORMATION *pi )
{
    DWORD code = FAILED;

    if (WaitForSingleObject( pi->hProcess, 30000 )) TerminateProcess( pi->hProcess, FAILED );
    GetExitCodeProcess( pi->hProcess, &code );
    CloseHandle( pi->hProcess );
    CloseHandle( pi->hThread );
    return code;
}

/* a process with the token "caller" impersonates "token" */
static int take( HANDLE caller, HANDLE token )
{
    HANDLE copy = impersonation( token );
    STARTUPINFOW si = { sizeof(si) };
    WCHAR path[MAX_PATH], command[MAX_PATH + 32];
    PROCESS_INFORMATION pi;

    SetHandleInformation( copy, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT );
    GetModuleFileNameW( NULL, path, MAX_PATH );
    swprintf( command, MAX_PATH + 32, L"\"%ls\" take %llu", path, (unsigned long long)(ULONG_PTR)copy );
    if (!CreateProcessAsUserW( caller, path, command, NULL, NULL, TRUE, 0, NULL, NULL, &si, &pi )) return FAILED;
    CloseHandle( copy );
    return exit_code( &pi );
}

/* a process started by seclogon impersonates the client of its pipe, which connects with "client" */
static int serve_as( HANDLE server, HANDLE client )
{
    STARTUPINFOW si = { sizeof(si) };
    WCHAR path[MAX_PATH], command[MAX_PATH + 32];
    HANDLE pipe = INVALID_HANDLE_VALUE, copy = client ? impersonation( client ) : NULL;
    PROCESS_INFORMATION pi;
    DWORD count;
    int code;

    GetModuleFileNameW( NULL, path, MAX_PATH );
    swprintf( command, MAX_PATH + 32, L"\"%ls\" %ls", path, client ? L"serve" : L"log-on" );
    if (!CreateProcessWithTokenW( server, 0, path, command, 0, NULL, L"C:\\windows", &si, &pi )) return FAILED;
    while (copy && pipe == INVALID_HANDLE_VALUE && WaitForSingleObject( pi.hProcess, 10 ) == WAIT_TIMEOUT)
    {
        SetThreadToken( NULL, copy );
        pipe = CreateFileW( PIPE_NAME, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL );
        RevertToSelf();
    }
    WriteFile( pipe, "x", 1, &count, NULL );
    code = exit_code( &pi );
    CloseHandle( pipe );
    return code;
}

static HANDLE with_level( HANDLE token, const WCHAR *label )
{
    TOKEN_MANDATORY_LABEL value = { { sid_from_string( label ), SE_GROUP_INTEGRITY } };
    HANDLE copy = NULL;

    DuplicateTokenEx( token, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, TokenPrimary, &copy );
    SetTokenInformation( copy, TokenIntegrityLevel, &value, sizeof(value) );
    return copy;
}

static HANDLE make_token( DWORD flags, const WCHAR *restricting )
{
    return filter_token( flags | DISABLE_MAX_PRIVILEGE, NULL, restricting, restricting ? L"S-1-5-32-545" : NULL );
}

static void expect( int got, int expected, const char *name )
{
    static const char * const words[] = { "failed", "identifies", "impersonates" };

    if (!ok( got == expected, "%s: %s", name, words[expected] )) printf( "# %d\n", got );
}

static void test_restricted( HANDLE plain )
{
    HANDLE written = make_token( WRITE_RESTRICTED, SYNTHETIC_SID ), other = make_token( WRITE_RESTRICTED, OTHER_SID );
    HANDLE fully = make_token( FULLY, SYNTHETIC_SID ), other_fully = make_token( FULLY, OTHER_SID );
    HANDLE copy = NULL;

    ok( plain && written && other && fully && other_fully, "make the tokens" );
    expect( take( plain, plain ), IMPERSONATES, "the own token" );
    expect( take( plain, written ), IMPERSONATES, "a restricted one of the same user" );
    expect( take( written, plain ), IDENTIFIES, "an unrestricted one by a write-restricted process" );
    expect( take( written, other ), IMPERSONATES, "a write-restricted one with other SIDs by a write-restricted process" );
    expect( take( written, fully ), IMPERSONATES, "a restricted one by a write-restricted process" );
    expect( take( fully, plain ), IDENTIFIES, "an unrestricted one by a restricted process" );
    expect( take( fully, written ), IDENTIFIES, "a write-restricted one by a restricted process" );
    expect( take( fully, other_fully ), IMPERSONATES, "a restricted one by a restricted process" );
    DuplicateTokenEx( plain, TOKEN_ALL_ACCESS, NULL, SecurityIdentification, TokenImpersonation, &copy );
    ok( SetThreadToken( NULL, copy ) && level() == IDENTIFIES, "a token at identification level opens nothing" );
    RevertToSelf();
}

static void test_integrity( HANDLE plain )
{
    HANDLE medium = with_level( plain, L"S-1-16-8192" );

    expect( take( medium, plain ), IDENTIFIES, "a token of higher integrity" );
    expect( take( plain, medium ), IMPERSONATES, "one of lower integrity" );
    expect( take( medium, medium ), IMPERSONATES, "one of the same integrity" );
}

static void test_logged_on( HANDLE plain )
{
    HANDLE written = make_token( WRITE_RESTRICTED, SYNTHETIC_SID ), alice = logged_on( ALICE );
    HANDLE limited = logged_on( CAROL ), full = NULL, medium;

    LogonUserW( CAROL, L".", PASSWORD, LOGON32_LOGON_BATCH, LOGON32_PROVIDER_DEFAULT, &full );
    medium = with_level( full, L"S-1-16-8192" );
    ok( alice && limited && medium, "log on other users" );
    expect( take( plain, alice ), IMPERSONATES, "another user that the own session logged on" );
    expect( take( written, alice ), lab_has( "impersonate=origin" ) ? IMPERSONATES : IDENTIFIES,
            "the same by a write-restricted process" );
    expect( serve_as( alice, NULL ), IMPERSONATES, "whom a standard user logged on" );
    expect( serve_as( alice, limited ), IDENTIFIES, "another user, through a pipe" );
    expect( serve_as( alice, alice ), IMPERSONATES, "the same user, through a pipe" );
    expect( serve_as( limited, medium ), IDENTIFIES, "an elevated token by a process that is not" );
    expect( serve_as( limited, limited ), IMPERSONATES, "one that is not elevated" );
}

/* A process without Users in its token opens its own pipe and impersonates who did.  On Windows that was seen to give
 * groups back; see README.md, loopback. */
static int serve_self( const WCHAR *prefix )
{
    HANDLE pipe = open_to_all(), client, token = NULL;
    WCHAR name[64];
    BOOL member = FALSE;
    DWORD count;
    char byte;
    int ret;

    swprintf( name, 64, L"%ls\\pipe\\lab-impersonate", prefix );
    client = CreateFileW( name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL );
    if (client == INVALID_HANDLE_VALUE) return FAILED;
    WriteFile( client, "x", 1, &count, NULL );
    if (!ReadFile( pipe, &byte, 1, &count, NULL ) || !ImpersonateNamedPipeClient( pipe )) return FAILED;
    ret = level();
    OpenThreadToken( GetCurrentThread(), TOKEN_QUERY | TOKEN_DUPLICATE, TRUE, &token );
    RevertToSelf();
    CheckTokenMembership( token, sid_from_string( L"S-1-5-32-545" ), &member );
    return ret | (member ? HAS_USERS : 0);
}

static void test_loopback(void)
{
    HANDLE denied = filter_token( DISABLE_MAX_PRIVILEGE, L"S-1-5-32-545", NULL, NULL );
    HANDLE restricted = filter_token( DISABLE_MAX_PRIVILEGE | WRITE_RESTRICTED, L"S-1-5-32-545", L"S-1-1-0", NULL );
    const BOOL first = lab_has( "loopback=session" );
    static const WCHAR * const names[] = { L"serve-self \\\\localhost", L"serve-self \\\\127.0.0.1" };
    int i;

    ok( run_child( denied, L"serve-self \\\\." ) == IMPERSONATES, "a pipe by its local name gives no group back" );
    ok( run_child( restricted, L"serve-self \\\\." ) == IMPERSONATES, "nor to a restricted process" );
    for (i = 0; i < 2; i++)
    {
        ok( run_child( denied, names[i] ) == (first ? IMPERSONATES | HAS_USERS : IMPERSONATES), "%s: by a network name", i ? "127.0.0.1" : "localhost" );
        ok( run_child( restricted, names[i] ) == (first ? IDENTIFIES | HAS_USERS : IMPERSONATES), "%s: to a restricted process", i ? "127.0.0.1" : "localhost" );
    }
    ok( run_child( denied, L"serve-self \\\\elsewhere" ) == FAILED, "other machines are not there" );
}

static BOOL add_user( const WCHAR *name )
{
    USER_INFO_1 info = { (WCHAR *)name, (WCHAR *)PASSWORD, 0, USER_PRIV_USER, NULL, NULL, UF_SCRIPT | UF_DONT_EXPIRE_PASSWD, NULL };

    return !NetUserAdd( NULL, 1, (BYTE *)&info, NULL );
}

static BOOL add_administrator( const WCHAR *name )
{
    LOCALGROUP_MEMBERS_INFO_3 member = { (WCHAR *)name };

    return add_user( name ) && !NetLocalGroupAddMembers( NULL, L"Administrators", 3, (BYTE *)&member, 1 );
}

static void clean_up(void)
{
    NetUserDel( NULL, ALICE );
    NetUserDel( NULL, BOB );
    NetUserDel( NULL, CAROL );
}

int main( int argc, char **argv )
{
    HANDLE plain;

    if (argc > 1) return run_subcommand( argc, argv );
    clean_up();
    plain = make_token( 0, NULL );
    test_restricted( plain );
    test_integrity( plain );
    test_loopback();
    if (ok( add_user( ALICE ) && add_user( BOB ) && add_administrator( CAROL ), "create users" )) test_logged_on( plain );
    clean_up();
    return finish();
}
