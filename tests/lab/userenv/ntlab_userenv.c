/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: profiles of local users
 *
 * The server does the work (ntlab_hive.c).  Sources are the MSDN pages of the functions.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winreg.h"
#include "winternl.h"
#include "sddl.h"
#include "profinfo.h"
#include "wine/server.h"
#include "ntlab_userenv.h"

static BOOL fail( DWORD error )
{
    SetLastError( error );
    return FALSE;
}

/* the user of a token; free with LocalFree */
static WCHAR *token_user_string( HANDLE token )
{
    BYTE buffer[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    WCHAR *string;
    DWORD size;

    if (!GetTokenInformation( token, TokenUser, buffer, sizeof(buffer), &size )) return NULL;
    return ConvertSidToStringSidW( ((TOKEN_USER *)buffer)->User.Sid, &string ) ? string : NULL;
}

/* the directory that ProfileList has for a user */
static DWORD profile_of( const WCHAR *sid, WCHAR *path, DWORD chars )
{
    DWORD size = chars * sizeof(WCHAR);
    WCHAR key[512];

    swprintf( key, ARRAY_SIZE(key), L"Software\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\%s", sid );
    return RegGetValueW( HKEY_LOCAL_MACHINE, key, L"ProfileImagePath", RRF_RT_REG_SZ, NULL, path, &size );
}

static BOOL is_loaded( const WCHAR *sid )
{
    HKEY key;
    DWORD error = RegOpenKeyExW( HKEY_USERS, sid, 0, READ_CONTROL, &key );

    if (!error) RegCloseKey( key );
    return error != ERROR_FILE_NOT_FOUND;
}

HRESULT WINAPI CreateProfile( const WCHAR *sid_string, const WCHAR *name, WCHAR *path, DWORD chars )
{
    NTSTATUS status;
    DWORD len = 0;
    PSID sid;

    if (!sid_string || !name || !path || !chars) return E_INVALIDARG;
    if (!ConvertStringSidToSidW( sid_string, &sid )) return HRESULT_FROM_WIN32( GetLastError() );
    SERVER_START_REQ( ntlab_create_profile )
    {
        req->sid_size = GetLengthSid( sid );
        wine_server_add_data( req, sid, GetLengthSid( sid ));
        wine_server_add_data( req, name, wcslen( name ) * sizeof(WCHAR) );
        wine_server_set_reply( req, path, (chars - 1) * sizeof(WCHAR) );
        if (!(status = wine_server_call( req ))) len = wine_server_reply_size( reply ) / sizeof(WCHAR);
    }
    SERVER_END_REQ;
    LocalFree( sid );
    path[len] = 0;
    if (!status) return S_OK;
    if (status == STATUS_BUFFER_TOO_SMALL) return HRESULT_FROM_WIN32( ERROR_INSUFFICIENT_BUFFER );
    return HRESULT_FROM_WIN32( RtlNtStatusToDosError( status ));
}

/* Which error tells that a profile is loaded is documented nowhere. */
BOOL WINAPI DeleteProfileW( const WCHAR *sid_string, const WCHAR *path, const WCHAR *computer )
{
    WCHAR known[MAX_PATH];
    NTSTATUS status;
    PSID sid;

    if (!sid_string || computer) return fail( ERROR_INVALID_PARAMETER );
    if (path && !profile_of( sid_string, known, ARRAY_SIZE(known) ) && wcsicmp( path, known )) return fail( ERROR_INVALID_PARAMETER );
    if (!ConvertStringSidToSidW( sid_string, &sid )) return FALSE;
    SERVER_START_REQ( ntlab_delete_profile )
    {
        wine_server_add_data( req, sid, GetLengthSid( sid ));
        status = wine_server_call( req );
    }
    SERVER_END_REQ;
    LocalFree( sid );
    return !status || fail( RtlNtStatusToDosError( status ));
}

BOOL WINAPI DeleteProfileA( const char *sid_string, const char *path, const char *computer )
{
    UNICODE_STRING sid, dir = { 0 };
    BOOL ret;

    if (!sid_string || computer) return fail( ERROR_INVALID_PARAMETER );
    RtlCreateUnicodeStringFromAsciiz( &sid, sid_string );
    if (path) RtlCreateUnicodeStringFromAsciiz( &dir, path );
    ret = DeleteProfileW( sid.Buffer, dir.Buffer, NULL );
    RtlFreeUnicodeString( &sid );
    RtlFreeUnicodeString( &dir );
    return ret;
}

static BOOL load_profile( HANDLE token, const WCHAR *name, HANDLE *profile )
{
    NTSTATUS status;

    SERVER_START_REQ( ntlab_load_profile )
    {
        req->token = wine_server_obj_handle( token );
        req->hold  = FALSE;
        wine_server_add_data( req, name, wcslen( name ) * sizeof(WCHAR) );
        if (!(status = wine_server_call( req ))) *profile = wine_server_ptr_handle( reply->key );
    }
    SERVER_END_REQ;
    return !status || fail( RtlNtStatusToDosError( status ));
}

BOOL ntlab_load_profile_w( HANDLE token, PROFILEINFOW *info )
{
    if (!info || info->dwSize != sizeof(*info) || !info->lpUserName) return fail( ERROR_INVALID_PARAMETER );
    return load_profile( token, info->lpUserName, &info->hProfile );
}

BOOL ntlab_load_profile_a( HANDLE token, PROFILEINFOA *info )
{
    UNICODE_STRING name;
    BOOL ret;

    if (!info || info->dwSize != sizeof(*info) || !info->lpUserName) return fail( ERROR_INVALID_PARAMETER );
    RtlCreateUnicodeStringFromAsciiz( &name, info->lpUserName );
    ret = load_profile( token, name.Buffer, &info->hProfile );
    RtlFreeUnicodeString( &name );
    return ret;
}

BOOL ntlab_unload_profile( HANDLE token, HANDLE profile )
{
    NTSTATUS status;

    SERVER_START_REQ( ntlab_unload_profile )
    {
        req->token = wine_server_obj_handle( token );
        req->key   = wine_server_obj_handle( profile );
        status = wine_server_call( req );
    }
    SERVER_END_REQ;
    return !status || fail( RtlNtStatusToDosError( status ));
}

BOOL ntlab_get_profile_directory( HANDLE token, WCHAR *dir, DWORD *chars )
{
    WCHAR path[MAX_PATH], *sid;
    DWORD error, needed;

    if (!chars) return fail( ERROR_INVALID_PARAMETER );
    if (!(sid = token_user_string( token ))) return FALSE;
    error = profile_of( sid, path, ARRAY_SIZE(path) );
    LocalFree( sid );
    if (error) return fail( error );
    needed = wcslen( path ) + 1;
    if (!dir || *chars < needed) error = ERROR_INSUFFICIENT_BUFFER;
    else wcscpy( dir, path );
    *chars = needed;
    return !error || fail( error );
}

static void set_variable( WCHAR **env, const WCHAR *variable, const WCHAR *directory, const WCHAR *below )
{
    UNICODE_STRING name, value;
    WCHAR path[MAX_PATH * 2];

    swprintf( path, ARRAY_SIZE(path), L"%s%s", directory, below );
    RtlInitUnicodeString( &name, variable );
    RtlInitUnicodeString( &value, path );
    RtlSetEnvironmentVariable( env, &name, &value );
}

/* MSDN "CreateEnvironmentBlock": those of the user are only set when the profile is loaded; otherwise they are those
 * of the default user */
void ntlab_set_user_variables( WCHAR **env, PSID user, const WCHAR *sid )
{
    WCHAR name[256] = { 0 }, domain[256] = { 0 }, path[MAX_PATH];
    DWORD name_size = ARRAY_SIZE(name), domain_size = ARRAY_SIZE(domain);
    SID_NAME_USE use;

    if (LookupAccountSidW( NULL, user, name, &name_size, domain, &domain_size, &use ))
    {
        set_variable( env, L"USERNAME", name, L"" );
        set_variable( env, L"USERDOMAIN", domain, L"" );
    }
    if (!is_loaded( sid ) || profile_of( sid, path, ARRAY_SIZE(path) )) wcscpy( path, L"C:\\users\\Default" );
    set_variable( env, L"USERPROFILE", path, L"" );
    set_variable( env, L"APPDATA", path, L"\\AppData\\Roaming" );
    set_variable( env, L"LOCALAPPDATA", path, L"\\AppData\\Local" );
    /* the hive says so too, but not to everybody */
    set_variable( env, L"TEMP", path, L"\\AppData\\Local\\Temp" );
    set_variable( env, L"TMP", path, L"\\AppData\\Local\\Temp" );
    set_variable( env, L"HOMEPATH", path + 2, L"" );
    path[2] = 0;
    set_variable( env, L"HOMEDRIVE", path, L"" );
}
