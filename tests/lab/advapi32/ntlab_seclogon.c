/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: CreateProcessWithLogonW and CreateProcessWithTokenW, by the MSDN pages of these names
 *
 * The server plays the service (server/ntlab_seclogon.c) and hands out a ticket for one process.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <wchar.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winnls.h"
#include "winternl.h"
#include "wine/server.h"
#include "ntlab_sam.h"
#include "ntlab_logon.h"

#define MAX_COMMAND_LINE 1024  /* characters, the null among them */

#define PRIORITY_CLASSES (IDLE_PRIORITY_CLASS | BELOW_NORMAL_PRIORITY_CLASS | NORMAL_PRIORITY_CLASS | \
                          ABOVE_NORMAL_PRIORITY_CLASS | HIGH_PRIORITY_CLASS | REALTIME_PRIORITY_CLASS)

/* those that the page lists, and CREATE_NO_WINDOW, which programs have been seen to pass */
#define ALLOWED_FLAGS (CREATE_DEFAULT_ERROR_MODE | CREATE_NEW_CONSOLE | CREATE_NEW_PROCESS_GROUP | CREATE_SEPARATE_WOW_VDM | \
                       CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | CREATE_NO_WINDOW | PRIORITY_CLASSES)

static BOOL fail( DWORD err )
{
    SetLastError( err );
    return FALSE;
}

/***********************************************************************
 *  the ticket
 */

struct credentials
{
    const WCHAR *name, *domain, *password;
    HANDLE       token;     /* in place of these, or NULL */
};

static NTSTATUS get_ticket( const struct credentials *who, DWORD logon_flags, HANDLE *ticket )
{
    const WCHAR *name = who->name ? who->name : L"", *domain = who->domain ? who->domain : L"";
    const WCHAR *password = who->password ? who->password : L"";
    NTSTATUS status;

    SERVER_START_REQ( ntlab_seclogon )
    {
        req->flags      = logon_flags;
        req->token      = wine_server_obj_handle( who->token );
        req->name_len   = wcslen( name ) * sizeof(WCHAR);
        req->domain_len = wcslen( domain ) * sizeof(WCHAR);
        wine_server_add_data( req, name, wcslen( name ) * sizeof(WCHAR) );
        wine_server_add_data( req, domain, wcslen( domain ) * sizeof(WCHAR) );
        wine_server_add_data( req, password, wcslen( password ) * sizeof(WCHAR) );
        status = wine_server_call( req );
        *ticket = wine_server_ptr_handle( reply->handle );
        if (status == STATUS_ACCOUNT_RESTRICTION && reply->substatus) status = reply->substatus;
    }
    SERVER_END_REQ;
    return status;
}

static NTSTATUS act_as( HANDLE ticket, BOOL stop )
{
    NTSTATUS status;

    SERVER_START_REQ( ntlab_act_as )
    {
        req->handle = wine_server_obj_handle( ticket );
        req->stop   = stop;
        status = wine_server_call( req );
    }
    SERVER_END_REQ;
    return status;
}

/***********************************************************************
 *  profile and environment
 */

/* for as long as the process lives, or one with a copy of its token */
static BOOL load_profile( const struct sam_user *user, HANDLE ticket )
{
    NTSTATUS status;

    SERVER_START_REQ( ntlab_load_profile )
    {
        req->token = wine_server_obj_handle( ticket );
        req->hold  = TRUE;
        wine_server_add_data( req, user->name, wcslen( user->name ) * sizeof(WCHAR) );
        status = wine_server_call( req );
    }
    SERVER_END_REQ;
    return !status || fail( RtlNtStatusToDosError( status ));
}

static void set_profile_variable( WCHAR **env, const WCHAR *variable, const WCHAR *profile, const WCHAR *below )
{
    WCHAR path[MAX_PATH];
    UNICODE_STRING name, value;

    swprintf( path, ARRAY_SIZE(path), L"%s%s", profile, below );
    RtlInitUnicodeString( &name, variable );
    RtlInitUnicodeString( &value, path );
    RtlSetEnvironmentVariable( env, &name, &value );
}

/* the environment of a fresh logon: nothing of the caller's */
static WCHAR *create_environment( const struct sam_user *user, HANDLE token )
{
    BOOL (WINAPI *create_block)( void **, HANDLE, BOOL );
    HMODULE userenv = LoadLibraryW( L"userenv.dll" );
    WCHAR computer[MAX_COMPUTERNAME_LENGTH + 1] = { 0 }, profile[MAX_PATH], *env = NULL;
    DWORD len = MAX_COMPUTERNAME_LENGTH + 1;

    if (!userenv || !(create_block = (void *)GetProcAddress( userenv, "CreateEnvironmentBlock" ))) return NULL;
    if (!create_block( (void **)&env, token, FALSE )) return NULL;
    GetComputerNameW( computer, &len );
    swprintf( profile, ARRAY_SIZE(profile), L"C:\\users\\%s", user->name );
    set_profile_variable( &env, L"USERNAME", user->name, L"" );
    set_profile_variable( &env, L"WINEUSERNAME", user->name, L"" );
    set_profile_variable( &env, L"USERDOMAIN", computer, L"" );
    set_profile_variable( &env, L"USERPROFILE", profile, L"" );
    set_profile_variable( &env, L"HOMEDRIVE", L"C:", L"" );
    set_profile_variable( &env, L"HOMEPATH", profile + 2, L"" );
    set_profile_variable( &env, L"APPDATA", profile, L"\\AppData\\Roaming" );
    set_profile_variable( &env, L"LOCALAPPDATA", profile, L"\\AppData\\Local" );
    set_profile_variable( &env, L"TEMP", profile, L"\\AppData\\Local\\Temp" );
    set_profile_variable( &env, L"TMP", profile, L"\\AppData\\Local\\Temp" );
    return env;
}

/***********************************************************************
 *  the process
 */

/* The service looks for a bare name with its own path: the caller's directories do not count.  FALSE if there is none. */
static BOOL find_program( const WCHAR *command, WCHAR *path )
{
    WCHAR name[MAX_PATH], dirs[2 * MAX_PATH + 2], *end;
    const WCHAR *start = command, stop = command[0] == '"' ? '"' : ' ';
    UINT len;

    if (stop == '"') start++;
    lstrcpynW( name, start, MAX_PATH );
    if ((end = wcschr( name, stop ))) *end = 0;
    path[0] = 0;
    if (wcspbrk( name, L"\\/:" )) return TRUE;
    len = GetSystemDirectoryW( dirs, MAX_PATH );
    dirs[len++] = ';';
    GetWindowsDirectoryW( dirs + len, MAX_PATH );
    return SearchPathW( dirs, name, L".exe", MAX_PATH, path, NULL ) != 0;
}

/* may the account be in this directory? */
static BOOL can_enter( const WCHAR *dir )
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attr;
    IO_STATUS_BLOCK io;
    NTSTATUS status;
    HANDLE handle;

    if (!RtlDosPathNameToNtPathName_U( dir, &name, NULL, NULL )) return FALSE;
    InitializeObjectAttributes( &attr, &name, OBJ_CASE_INSENSITIVE, 0, NULL );
    status = NtOpenFile( &handle, FILE_TRAVERSE | SYNCHRONIZE, &attr, &io, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                         FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT );
    if (!status) NtClose( handle );
    RtlFreeUnicodeString( &name );
    return !status;
}

struct program
{
    const WCHAR         *app;
    WCHAR               *command;
    DWORD                flags;
    void                *env;
    const WCHAR         *dir;       /* NULL: the caller's */
    STARTUPINFOW        *startup;
    PROCESS_INFORMATION *info;
};

/* the thread acts as the account */
static BOOL start_program( HANDLE ticket, DWORD logon_flags, struct program *program )
{
    WCHAR path[MAX_PATH] = L"", dir[MAX_PATH];
    WCHAR *own_env = NULL;
    struct sam_user user;
    BOOL ret;

    if (!program->dir)
    {
        if (!GetCurrentDirectoryW( MAX_PATH, dir )) return FALSE;
        program->dir = dir;
    }
    if (!can_enter( program->dir )) return fail( ERROR_DIRECTORY );
    if (!program->app && !find_program( program->command, path )) return fail( ERROR_FILE_NOT_FOUND );
    if (!ntlab_get_token_user( GetCurrentThreadEffectiveToken(), &user )) return fail( ERROR_NONE_MAPPED );
    if ((logon_flags & LOGON_WITH_PROFILE) && !load_profile( &user, ticket )) return FALSE;
    if (!program->env && (program->env = own_env = create_environment( &user, GetCurrentThreadEffectiveToken() ))) program->flags |= CREATE_UNICODE_ENVIRONMENT;
    ret = CreateProcessAsUserW( ticket, path[0] ? path : program->app, program->command, NULL, NULL, FALSE,
                                program->flags | CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP | CREATE_DEFAULT_ERROR_MODE,
                                program->env, program->dir, program->startup, program->info );
    if (own_env) RtlDestroyEnvironment( own_env );
    return ret;
}

static BOOL create_process( const struct credentials *who, DWORD logon_flags, struct program *program )
{
    NTSTATUS status;
    HANDLE ticket;
    DWORD err = ERROR_SUCCESS;
    BOOL ret = FALSE;

    if (!program->app && !program->command) return fail( ERROR_INVALID_PARAMETER );
    if (program->command && wcslen( program->command ) >= MAX_COMMAND_LINE) return fail( ERROR_INVALID_PARAMETER );
    if ((program->flags & ~ALLOWED_FLAGS) || logon_flags > LOGON_NETCREDENTIALS_ONLY) return fail( ERROR_INVALID_PARAMETER );
    program->flags &= ~CREATE_NEW_CONSOLE;

    if ((status = get_ticket( who, logon_flags, &ticket ))) return fail( RtlNtStatusToDosError( status ));
    if (!(status = act_as( ticket, FALSE )))
    {
        ret = start_program( ticket, logon_flags, program );
        err = GetLastError();
        act_as( ticket, TRUE );
    }
    NtClose( ticket );
    if (status) return fail( RtlNtStatusToDosError( status ));
    SetLastError( err );
    return ret;
}

BOOL ntlab_create_process_with_logon( const WCHAR *name, const WCHAR *domain, const WCHAR *password, DWORD logon_flags,
                                      const WCHAR *app, WCHAR *command, DWORD flags, void *env, const WCHAR *dir,
                                      STARTUPINFOW *startup, PROCESS_INFORMATION *info )
{
    const struct credentials who = { name, domain, password, NULL };
    struct program program = { app, command, flags, env, dir, startup, info };

    if (!name) return fail( ERROR_INVALID_PARAMETER );
    return create_process( &who, logon_flags, &program );
}

BOOL ntlab_create_process_with_token( HANDLE token, DWORD logon_flags, const WCHAR *app, WCHAR *command, DWORD flags,
                                      void *env, const WCHAR *dir, STARTUPINFOW *startup, PROCESS_INFORMATION *info )
{
    const struct credentials who = { NULL, NULL, NULL, token };
    struct program program = { app, command, flags, env, dir, startup, info };

    if (!token) return fail( ERROR_INVALID_HANDLE );
    return create_process( &who, logon_flags, &program );
}
