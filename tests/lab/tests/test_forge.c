/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that talks to the server itself, past all libraries: a standard user makes no token, changes no account and
 * reads no hash.  Run as a standard user; with the word "files" by anybody: they are closed to administrators, too. */

#include "lab_test.h"
#include <ntstatus.h>
#include "server_protocol.h"
#include "../accounts/ntlab_account.h"

struct server_request
{
    union
    {
        union generic_request req;
        union generic_reply   reply;
    } u;
    unsigned int data_count;
    void        *reply_data;
    struct
    {
        const void  *ptr;
        data_size_t  size;
    } data[5];
};

static unsigned int (CDECL *server_call)( void *req );

#define START( type ) \
    struct server_request call = { .u.req.request_header.req = REQ_##type }; \
    struct type##_request * const req = &call.u.req.type##_request; \
    (void)req

static void add( struct server_request *call, const void *ptr, data_size_t size )
{
    call->data[call->data_count].ptr    = ptr;
    call->data[call->data_count++].size = size;
    call->u.req.request_header.request_size += size;
}

static void expect( unsigned int status, unsigned int expected, const char *name )
{
    if (!ok( status == expected, "%s", name )) printf( "# status %08x, expected %08x\n", status, expected );
}

static BOOL is_admin( HANDLE token )
{
    HANDLE copy = impersonation( token );
    BOOL member = FALSE;

    CheckTokenMembership( copy, sid_from_string( L"S-1-5-32-544" ), &member );
    CloseHandle( copy );
    return member;
}

/* ---- tokens ---- */

static unsigned int log_on( const WCHAR *name, const WCHAR *password, obj_handle_t *handle )
{
    unsigned int status;
    START( ntlab_logon );

    req->type     = LOGON32_LOGON_NETWORK;
    req->name_len = wcslen( name ) * sizeof(WCHAR);
    add( &call, name, wcslen( name ) * sizeof(WCHAR) );
    add( &call, password, wcslen( password ) * sizeof(WCHAR) );
    status = server_call( &call );
    *handle = status ? 0 : call.u.reply.ntlab_logon_reply.handle;
    return status;
}

static void test_logon_request(void)
{
    WCHAR name[64];
    DWORD size = 64;
    obj_handle_t handle;

    GetUserNameW( name, &size );
    expect( log_on( L"Administrator", L"", &handle ), STATUS_ACCOUNT_RESTRICTION, "no logon of the disabled Administrator" );
    expect( log_on( name, L"", &handle ), STATUS_ACCOUNT_RESTRICTION, "nor of an account without a password" );
    expect( log_on( name, L"guess", &handle ), STATUS_LOGON_FAILURE, "nor by a guess" );
}

/* what the LSA of this lab once took from anybody: privileges, attributes, the SIDs of an administrator.  Whatever the number
 * of the request, nothing makes a token of it. */
static void test_any_request(void)
{
    static const struct { unsigned int low, high, attrs; } privs[] = { { 3, 0, 2 }, { 20, 0, 2 } };
    static const unsigned int attrs[] = { 7, 15 };
    HANDLE before = own_token();
    struct server_request call;
    unsigned int number, tokens = 0, tried = 0, fields[10];
    PSID sids[3] = { sid_from_string( L"S-1-5-21-0-0-0-1000" ), sid_from_string( L"S-1-1-0" ), sid_from_string( L"S-1-5-32-544" ) };
    int i;

    ok( !is_admin( before ), "the program is no administrator's" );
    for (number = REQ_ntlab_filter_token; number < REQ_NB_REQUESTS + 3; number++)
    {
        memset( &call, 0, sizeof(call) );
        /* access, flags, primary, level, elevation, integrity, groups, privileges */
        fields[0] = TOKEN_ALL_ACCESS, fields[1] = 0, fields[2] = 1, fields[3] = 2, fields[4] = 2, fields[5] = 0x3000;
        fields[6] = fields[7] = 2, fields[8] = fields[9] = 0;
        memcpy( (char *)&call.u.req + sizeof(struct request_header), fields, sizeof(fields) );
        call.u.req.request_header.req = number;
        add( &call, privs, sizeof(privs) );
        add( &call, attrs, sizeof(attrs) );
        for (i = 0; i < 3; i++) add( &call, sids[i], GetLengthSid( sids[i] ));
        tried++;
        if (server_call( &call )) continue;
        memcpy( fields, (char *)&call.u.reply + sizeof(struct reply_header), sizeof(fields) );
        for (i = 0; i < 4; i++)
            if (fields[i] && fields[i] < 0x10000 && is_admin( (HANDLE)(ULONG_PTR)fields[i] ))
            {
                printf( "# request %u made one\n", number );
                tokens++;
            }
    }
    ok( tried > 30 && !tokens, "no request makes an administrator's token of the caller's words" );
    ok( !is_admin( own_token() ), "nor makes the program an administrator's" );
}

static void test_token_requests(void)
{
    TOKEN_LINKED_TOKEN *linked;
    HANDLE token;

    {
        START( ntlab_seclogon );
        req->token = (ULONG_PTR)own_token();
        expect( server_call( &call ), STATUS_PRIVILEGE_NOT_HELD, "no process of seclogon's without SeImpersonatePrivilege" );
    }
    {
        START( ntlab_act_as );
        req->handle = (ULONG_PTR)own_token();
        expect( server_call( &call ), STATUS_OBJECT_TYPE_MISMATCH, "nor does the program act as a token" );
    }
    linked = token_info( own_token(), TokenLinkedToken );
    ok( linked && !DuplicateTokenEx( linked->LinkedToken, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, TokenPrimary, &token ) &&
        GetLastError() == ERROR_BAD_IMPERSONATION_LEVEL, "the full token behind the own one is an identity alone" );
}

/* ---- accounts ---- */

static void test_account_requests(void)
{
    static struct sam_user user = { .name = L"forged", .flags = 0x201 };
    static const struct sam_policy policy = { 0 };
    static struct sam_alias_info alias = { .name = L"forged" };
    PSID own = user_sid( own_token() );

    {
        START( ntlab_add_user );
        add( &call, &user, sizeof(user) );
        add( &call, L"Forged-7", 16 );
        expect( server_call( &call ), STATUS_ACCESS_DENIED, "no new user" );
    }
    {
        START( ntlab_set_user );
        req->rid    = SAM_ADMIN_RID;
        req->fields = SAM_PASSWORD | SAM_FLAGS;
        add( &call, &user, sizeof(user) );
        add( &call, L"Forged-7", 16 );
        expect( server_call( &call ), STATUS_ACCESS_DENIED, "no new password for Administrator" );
    }
    {
        START( ntlab_set_user );
        req->rid    = SAM_WINE_USER_RID;
        req->fields = SAM_PASSWORD;
        add( &call, &user, sizeof(user) );
        add( &call, L"Forged-7", 16 );
        expect( server_call( &call ), STATUS_ACCESS_DENIED, "nor for the own account without the old one" );
    }
    {
        START( ntlab_change_member );
        req->rid = 544;
        req->add = 1;
        add( &call, own, GetLengthSid( own ));
        expect( server_call( &call ), STATUS_ACCESS_DENIED, "no new administrator" );
    }
    {
        START( ntlab_add_alias );
        add( &call, &alias, sizeof(alias) );
        expect( server_call( &call ), STATUS_ACCESS_DENIED, "no new group" );
    }
    {
        START( ntlab_set_policy );
        add( &call, &policy, sizeof(policy) );
        expect( server_call( &call ), STATUS_ACCESS_DENIED, "no other password policy" );
    }
    {
        START( ntlab_delete_user );
        req->rid = SAM_GUEST_RID;
        expect( server_call( &call ), STATUS_ACCESS_DENIED, "no account less" );
    }
}

static void test_rights_requests(void)
{
    PSID own = user_sid( own_token() );
    obj_handle_t policy = 0;

    {
        START( ntlab_open_policy );
        req->access = 0x810;  /* POLICY_CREATE_ACCOUNT | POLICY_LOOKUP_NAMES */
        expect( server_call( &call ), STATUS_ACCESS_DENIED, "no policy to create accounts in" );
    }
    {
        START( ntlab_open_policy );
        req->access = 0x801;
        expect( server_call( &call ), STATUS_SUCCESS, "one to look at" );
        policy = call.u.reply.ntlab_open_policy_reply.handle;
    }
    {
        START( ntlab_account_rights );
        req->handle   = policy;
        req->op       = NTLAB_RIGHTS_ADD;
        req->sid_size = GetLengthSid( own );
        add( &call, own, GetLengthSid( own ));
        add( &call, L"SeTcbPrivilege", 28 );
        expect( server_call( &call ), STATUS_ACCESS_DENIED, "through which nothing is added" );
    }
    {
        START( ntlab_account_rights );
        req->handle   = policy;
        req->op       = NTLAB_RIGHTS_REMOVE_ALL;
        req->sid_size = GetLengthSid( own );
        add( &call, own, GetLengthSid( own ));
        expect( server_call( &call ), STATUS_ACCESS_DENIED, "and nothing removed" );
    }
}

/* ---- what is kept ---- */

/* the folder of the prefix, by the drive of Unix */
static void prefix_file( WCHAR *path, const WCHAR *name )
{
    WCHAR *(CDECL *dos_name)( const char * ) = (void *)GetProcAddress( GetModuleHandleA( "kernel32" ), "wine_get_dos_file_name" );
    char prefix[MAX_PATH] = "";

    GetEnvironmentVariableA( "WINECONFIGDIR", prefix, MAX_PATH );  /* \??\unix\... */
    swprintf( path, MAX_PATH, L"%ls\\%ls", dos_name( strstr( prefix, "unix" ) ? strstr( prefix, "unix" ) + 4 : prefix ), name );
}

static void test_files(void)
{
    WCHAR path[MAX_PATH], other[MAX_PATH];
    HKEY key;

    prefix_file( path, L"drive_c" );
    ok( !try_open( path, GENERIC_READ, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS ), "the folder of the prefix is found" );
    prefix_file( path, L"accounts" );
    ok( GetFileAttributesW( path ) != INVALID_FILE_ATTRIBUTES, "with the accounts" );
    ok( try_open( path, GENERIC_READ, OPEN_EXISTING, 0 ) == ERROR_SHARING_VIOLATION, "which are not read" );
    ok( try_open( path, GENERIC_READ, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS ) == ERROR_SHARING_VIOLATION, "nor backed up" );
    ok( try_open( path, GENERIC_WRITE, OPEN_EXISTING, 0 ) == ERROR_SHARING_VIOLATION, "nor written" );
    prefix_file( other, L"accounts.old" );
    ok( !MoveFileW( path, other ) && !DeleteFileW( path ) && !CopyFileW( path, L"C:\\windows\\temp\\accounts", FALSE ),
        "nor moved, deleted, copied" );
    ok( !CreateHardLinkW( L"C:\\windows\\temp\\accounts", path, NULL ), "nor linked to" );
    ok( try_open( path, WRITE_OWNER, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS ) == ERROR_SHARING_VIOLATION, "nor taken over" );
    ok( RegOpenKeyExW( HKEY_LOCAL_MACHINE, L"Software\\ntlab\\SAM", 0, KEY_READ, &key ) == ERROR_FILE_NOT_FOUND, "the registry has none" );
}

int main( int argc, char **argv )
{
    if (!(server_call = (void *)GetProcAddress( GetModuleHandleA( "ntdll" ), "wine_server_call" ))) return 2;
    if (argc > 1)
    {
        if (strcmp( argv[1], "files" )) freopen( "NUL", "w", stdout );  /* one program counts */
        enable_privilege( own_token(), SE_BACKUP_NAME );
        enable_privilege( own_token(), SE_RESTORE_NAME );
        enable_privilege( own_token(), SE_TAKE_OWNERSHIP_NAME );
        test_files();
        return finish();
    }
    test_logon_request();
    test_account_requests();
    test_rights_requests();
    test_token_requests();
    test_files();
    test_any_request();
    ok( !run_child( NULL, L"child" ), "a child finds the same" );
    return finish();
}
