/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the verb "runas" of ShellExecuteEx
 *
 * The server answers for User Account Control (ntlab_elevate.c).  Like the Application Information service this starts
 * the program with a new environment, a new console and no handles of the caller's.  No document says
 *   what the handle of the new process may: here to wait and to ask for the exit code
 *   where the program starts: in lpDirectory, or in System32 (LAB_READING=runas-directory)
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winternl.h"
#include "wingdi.h"
#include "winuser.h"
#include "shellapi.h"
#include "wine/server.h"

static BOOL fail( SHELLEXECUTEINFOW *info, DWORD error )
{
    switch (error)
    {
    case ERROR_FILE_NOT_FOUND: info->hInstApp = (HINSTANCE)SE_ERR_FNF; break;
    case ERROR_PATH_NOT_FOUND: info->hInstApp = (HINSTANCE)SE_ERR_PNF; break;
    case ERROR_BAD_EXE_FORMAT: info->hInstApp = (HINSTANCE)ERROR_BAD_FORMAT; break;
    default:                   info->hInstApp = (HINSTANCE)SE_ERR_ACCESSDENIED; break;
    }
    SetLastError( error );
    return FALSE;
}

static NTSTATUS get_token( HANDLE *token, BOOL *in_system32 )
{
    NTSTATUS status;

    SERVER_START_REQ( ntlab_elevate )
    {
        if (!(status = wine_server_call( req )))
        {
            *token       = wine_server_ptr_handle( reply->token );
            *in_system32 = reply->in_system32;
        }
    }
    SERVER_END_REQ;
    return status;
}

static BOOL create_process( HANDLE token, const WCHAR *file, const WCHAR *parameters, const WCHAR *dir, int show,
                            PROCESS_INFORMATION *process )
{
    BOOL (WINAPI *create_block)( void **, HANDLE, BOOL );
    HMODULE userenv = LoadLibraryW( L"userenv.dll" );
    STARTUPINFOW startup = { sizeof(startup) };
    size_t len = wcslen( file ) + (parameters ? wcslen( parameters ) : 0) + 4;
    WCHAR *command;
    void *env = NULL;
    BOOL ret;

    if (!(command = malloc( len * sizeof(WCHAR) ))) return FALSE;
    swprintf( command, len, parameters && parameters[0] ? L"\"%s\" %s" : L"\"%s\"", file, parameters );
    if (userenv && (create_block = (void *)GetProcAddress( userenv, "CreateEnvironmentBlock" ))) create_block( &env, token, FALSE );
    startup.dwFlags = STARTF_USESHOWWINDOW;
    startup.wShowWindow = show;
    ret = CreateProcessAsUserW( token, file, command, NULL, NULL, FALSE, CREATE_UNICODE_ENVIRONMENT | CREATE_NEW_CONSOLE |
                                CREATE_DEFAULT_ERROR_MODE, env, dir, &startup, process );
    if (env) RtlDestroyEnvironment( env );
    free( command );
    return ret;
}

/* returns FALSE if Wine's own code is to go on */
BOOL ntlab_shell_execute( SHELLEXECUTEINFOW *info, BOOL *ret )
{
    WCHAR file[MAX_PATH], system[MAX_PATH], name[MAX_PATH], *base;
    PROCESS_INFORMATION process;
    BOOL in_system32;
    HANDLE token;
    NTSTATUS status;
    size_t len;

    if (!info->lpVerb || wcsicmp( info->lpVerb, L"runas" )) return FALSE;
    *ret = FALSE;
    info->hProcess = NULL;
    if (!info->lpFile || (len = wcslen( info->lpFile )) >= MAX_PATH)
    {
        fail( info, ERROR_FILE_NOT_FOUND );
        return TRUE;
    }
    wcscpy( name, info->lpFile );
    if (len > 1 && name[0] == '"' && name[len - 1] == '"')
    {
        name[len - 1] = 0;
        memmove( name, name + 1, (len - 1) * sizeof(WCHAR) );
    }
    if (!SearchPathW( NULL, name, L".exe", ARRAY_SIZE(file), file, &base ))
    {
        fail( info, ERROR_FILE_NOT_FOUND );
        return TRUE;
    }
    if ((status = get_token( &token, &in_system32 )))
    {
        fail( info, status == STATUS_CANCELLED ? ERROR_CANCELLED : RtlNtStatusToDosError( status ));
        return TRUE;
    }
    GetSystemDirectoryW( system, ARRAY_SIZE(system) );
    *ret = create_process( token, file, info->lpParameters, in_system32 || !info->lpDirectory || !info->lpDirectory[0] ?
                           system : info->lpDirectory, info->nShow, &process );
    if (!*ret) fail( info, GetLastError() );
    CloseHandle( token );
    if (!*ret) return TRUE;

    if ((info->fMask & SEE_MASK_NOCLOSEPROCESS) &&
        !DuplicateHandle( GetCurrentProcess(), process.hProcess, GetCurrentProcess(), &info->hProcess,
                          SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, 0 )) info->hProcess = NULL;
    CloseHandle( process.hProcess );
    CloseHandle( process.hThread );
    info->hInstApp = (HINSTANCE)33;
    return TRUE;
}
