/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom a filter that names a user concerns: processes with weaker tokens, other users, AppContainers, threads. */

#include "fwp_test.h"
#include <lm.h>
#include <winternl.h>

DEFINE_GUID( SUBLAYER, 0x55555555, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 );

#define OUTSIDE4 "192.0.2.1"
#define FOREIGNER L"labnet"
#define PASSWORD  L"Tr0ub4dor&3"

static HANDLE engine;
static int port;
static WCHAR own_sid[128];

static DWORD block( const GUID *layer, UINT32 count, FWPM_FILTER_CONDITION0 *conditions )
{
    return add_filter( engine, &SUBLAYER, layer, FWP_ACTION_BLOCK, 1, 0, count, conditions );
}

static void unblock(void)
{
    if (FwpmFilterDeleteById0( engine, added_filter )) ok( 0, "a filter of the test is deleted" );
}

/* connect in a process with this token */
static DWORD connect_with( HANDLE token )
{
    WCHAR arguments[64];

    swprintf( arguments, 64, L"connect %d", port );
    return run_child( token, arguments );
}

/* in a thread, with a socket from before */
static DWORD connect_as( HANDLE token )
{
    struct sockaddr_storage addr = make_address( "127.0.0.1", port );
    SOCKET s = socket( AF_INET, SOCK_STREAM, 0 );
    DWORD err = 0;

    if (token) ImpersonateLoggedOnUser( token );
    else if (!ImpersonateAnonymousToken( GetCurrentThread() )) printf( "# ImpersonateAnonymousToken: %lu\n", GetLastError() );
    if (connect( s, (struct sockaddr *)&addr, address_size( &addr ))) err = WSAGetLastError();
    RevertToSelf();
    closesocket( s );
    return err;
}

static DWORD connect_foreign(void)
{
    STARTUPINFOW si = { sizeof(si) };
    WCHAR path[MAX_PATH], command[MAX_PATH + 64];
    PROCESS_INFORMATION pi;
    DWORD code = ~0u;

    GetModuleFileNameW( NULL, path, MAX_PATH );
    swprintf( command, MAX_PATH + 64, L"\"%ls\" connect %d", path, port );
    if (!CreateProcessWithLogonW( FOREIGNER, L".", PASSWORD, 0, path, command, 0, NULL, L"C:\\", &si, &pi )) return 0x80000000 | GetLastError();
    WaitForSingleObject( pi.hProcess, 30000 );
    GetExitCodeProcess( pi.hProcess, &code );
    return code;
}

/* the token of an AppContainer, with internetClient or without a capability, of this or of a filtered user */
static HANDLE container_token( HANDLE token, BOOL internet )
{
    NTSTATUS (NTAPI *create)( HANDLE *, HANDLE, ACCESS_MASK, void *, PSID, ULONG, SID_AND_ATTRIBUTES *, ULONG, HANDLE * ) =
        (void *)GetProcAddress( GetModuleHandleW( L"ntdll.dll" ), "NtCreateLowBoxToken" );
    SID_AND_ATTRIBUTES capability = { sid_from_string( L"S-1-15-3-1" ), SE_GROUP_ENABLED };
    HANDLE ret = NULL;

    create( &ret, token, TOKEN_ALL_ACCESS, NULL, sid_from_string( L"S-1-15-2-1-2-3-4-5-6-7" ), internet, &capability, 0, NULL );
    return ret;
}

/* connect, "outside" or not, in a process with this token, of a program that packages may run */
static DWORD connect_copy( HANDLE token, const char *where )
{
    static const WCHAR program[] = L"C:\\Program Files\\users.exe";
    STARTUPINFOW si = { sizeof(si) };
    WCHAR own[MAX_PATH], command[MAX_PATH + 64];
    PROCESS_INFORMATION pi;
    DWORD code = ~0u;

    GetModuleFileNameW( NULL, own, MAX_PATH );
    CopyFileW( own, program, FALSE );
    swprintf( command, MAX_PATH + 64, L"\"%ls\" %hs %d", program, where, port );
    if (!CreateProcessAsUserW( token, program, command, NULL, NULL, FALSE, 0, NULL, L"C:\\windows", &si, &pi )) code = 0x80000000 | GetLastError();
    else
    {
        WaitForSingleObject( pi.hProcess, 30000 );
        GetExitCodeProcess( pi.hProcess, &code );
    }
    DeleteFileW( program );
    return code;
}

static WCHAR *sddl( const WCHAR *format )
{
    static WCHAR text[1024];

    swprintf( text, 1024, format, own_sid, own_sid );
    return text;
}

static void test_users(void)
{
    USER_INFO_1 info = { FOREIGNER, PASSWORD, 0, USER_PRIV_USER, NULL, NULL, UF_SCRIPT | UF_DONT_EXPIRE_PASSWD };
    const HANDLE disowned = filter_token( 0, own_sid, NULL, NULL );
    const HANDLE restricted = filter_token( 0, NULL, L"S-1-1-0", L"S-1-5-32-545" );
    const HANDLE both = filter_token( 0, own_sid, L"S-1-1-0", L"S-1-5-32-545" );
    const HANDLE package = impersonation( filter_token( 0, own_sid, L"S-1-15-2-1", NULL ));
    const HANDLE writing = sandbox_token();
    const HANDLE container = container_token( own_token(), TRUE ), disowned_container = container_token( disowned, TRUE );
    const BOOL two_pass = lab_has( "wfp-token=two-pass" ), sids_only = lab_has( "wfp-token=sids-only" );
    const BOOL thread = lab_has( "ale-token=thread" );
    FWPM_FILTER_CONDITION0 user;
    UINT64 permit, last;

    NetUserDel( NULL, FOREIGNER );
    NetUserAdd( NULL, 1, (BYTE *)&info, NULL );
    expect_error( connect_with( NULL ), 0, "a process connects" );
    expect_error( connect_with( disowned ), 0, "one whose own SID is deny-only" );
    expect_error( connect_with( restricted ), 0, "one restricted to Everyone and Users" );
    expect_error( connect_with( both ), 0, "one that is both" );
    expect_error( connect_with( writing ), 0, "one that is restricted in writing" );
    expect_error( connect_foreign(), 0, "one of another user" );
    expect_error( connect_as( NULL ), 0, "an anonymous thread" );
    expect_error( connect_copy( container, "outside" ), 0, "an AppContainer with internetClient, outside" );
    expect_error( connect_copy( disowned_container, "outside" ), 0, "one whose own SID is deny-only" );
    expect_error( connect_copy( container, "connect" ), WSAEACCES, "not this machine" );
    expect_error( connect_copy( container_token( own_token(), FALSE ), "outside" ), WSAEACCES, "one without a capability" );

    user = when_user( sddl( L"D:(A;;CC;;;%ls)" ));
    block( &FWPM_LAYER_ALE_AUTH_CONNECT_V4, 1, &user );
    expect_error( connect_with( NULL ), WSAEACCES, "a filter for one user blocks it" );
    expect_error( connect_foreign(), 0, "and no other one" );
    expect_error( connect_with( disowned ), 0, "a deny-only SID does not match" );
    expect_error( connect_with( restricted ), sids_only ? WSAEACCES : 0, "restricting SIDs have a say, or none" );
    expect_error( connect_with( both ), 0, "both" );
    expect_error( connect_with( writing ), two_pass ? 0 : WSAEACCES, "those of a write-restricted token by the reading" );
    expect_error( connect_copy( container, "outside" ), sids_only ? WSAEACCES : 0, "what does not name a package leaves an AppContainer alone" );
    expect_error( connect_as( impersonation( disowned )), thread ? 0 : WSAEACCES, "the token of the process or that of the thread" );
    expect_error( connect_as( NULL ), thread ? 0 : WSAEACCES, "of an anonymous one as well" );
    unblock();

    user = when_user( sddl( L"D:(A;;CC;;;%ls)(A;;CC;;;" SYNTHETIC_SID L")" ));
    block( &FWPM_LAYER_ALE_AUTH_CONNECT_V4, 1, &user );
    expect_error( connect_with( writing ), WSAEACCES, "a filter for user and restricting SID blocks under all readings" );
    unblock();
    user = when_user( sddl( L"D:(D;;CC;;;%ls)(A;;CC;;;WD)" ));
    block( &FWPM_LAYER_ALE_AUTH_CONNECT_V4, 1, &user );
    expect_error( connect_with( NULL ), 0, "a denied user does not match" );
    expect_error( connect_with( disowned ), 0, "nor one that is deny-only" );
    expect_error( connect_foreign(), WSAEACCES, "others do" );
    unblock();
    if (lab_has( "wfp-not-equal=yes" ))
    {
        user = when_user( sddl( L"D:(A;;CC;;;%ls)" ));
        user.matchType = FWP_MATCH_NOT_EQUAL;
        block( &FWPM_LAYER_ALE_AUTH_CONNECT_V4, 1, &user );
        expect_error( connect_with( NULL ), 0, "who is not unequal is not blocked" );
        expect_error( connect_foreign(), WSAEACCES, "who is unequal is" );
        unblock();
    }

    /* A permit that denies the user, above a block that admits it: deny ACEs match deny-only SIDs and are
     * looked at whatever is restricted.  Whom both admit keeps the network. */
#define ALL L"(A;;CC;;;WD)(A;;CC;;;BU)(A;;CC;;;RC)(A;;CC;;;S-1-15-2-1)(A;;CC;;;S-1-15-2-2)"
    user = when_user( sddl( L"D:(D;;CC;;;%ls)" ALL ));
    add_filter( engine, &SUBLAYER, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, FWP_ACTION_PERMIT, 9, 0, 1, &user );
    permit = added_filter;
    user = when_user( sddl( L"D:(A;;CC;;;%ls)(A;;CC;;;AN)" ALL ));
    block( &FWPM_LAYER_ALE_AUTH_CONNECT_V4, 1, &user );
    last = added_filter;
    expect_error( connect_with( NULL ), WSAEACCES, "a pair of filters blocks the user" );
    expect_error( connect_with( disowned ), WSAEACCES, "without its own SID" );
    expect_error( connect_with( restricted ), WSAEACCES, "restricted" );
    expect_error( connect_with( both ), WSAEACCES, "both" );
    expect_error( connect_with( writing ), WSAEACCES, "restricted in writing" );
    expect_error( connect_as( package ), WSAEACCES, "like an AppContainer" );
    expect_error( connect_copy( container, "outside" ), WSAEACCES, "in an AppContainer" );
    expect_error( connect_copy( disowned_container, "outside" ), WSAEACCES, "in one, without its own SID" );
    expect_error( connect_as( NULL ), WSAEACCES, "anonymous" );
    expect_error( connect_foreign(), 0, "and nobody else" );
    FwpmFilterDeleteById0( engine, permit );
    expect_error( connect_foreign(), WSAEACCES, "without the permit everybody" );
    FwpmFilterDeleteById0( engine, last );
    NetUserDel( NULL, FOREIGNER );
}

int main( int argc, char **argv )
{
    WSADATA data;
    WCHAR *string;

    WSAStartup( MAKEWORD(2, 2), &data );
    if (argc > 2 && !strcmp( argv[1], "connect" )) return send_word( SOCK_STREAM, "127.0.0.1", atoi( argv[2] ), "child" );
    if (argc > 2 && !strcmp( argv[1], "outside" )) return send_word( SOCK_STREAM, OUTSIDE4, atoi( argv[2] ), "child" );
    port = listener_port();
    ok( port != 0, "there is a listener outside" );
    engine = open_engine( TRUE );
    add_sublayer( engine, &SUBLAYER, 0xffff, 0 );
    ConvertSidToStringSidW( user_sid( own_token() ), &string );
    wcscpy( own_sid, string );
    test_users();
    return finish();
}
