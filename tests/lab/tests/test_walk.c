/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NtGetNextProcess, NtGetNextThread and ProcessConsoleHostProcess.  Run as the standard user. */

#include "lab_test.h"
#include <tlhelp32.h>
#include <winternl.h>

#define CONSOLE_HOST 49
#define NO_MORE_ENTRIES ((NTSTATUS)0x8000001A)

static NTSTATUS (WINAPI *next_process)( HANDLE, ACCESS_MASK, ULONG, ULONG, HANDLE * );
static NTSTATUS (WINAPI *next_thread)( HANDLE, HANDLE, ACCESS_MASK, ULONG, ULONG, HANDLE * );
static NTSTATUS (WINAPI *query_process)( HANDLE, int, void *, ULONG, ULONG * );

static BOOL look_up(void)
{
    HMODULE ntdll = GetModuleHandleW( L"ntdll.dll" );

    *(FARPROC *)&next_process = GetProcAddress( ntdll, "NtGetNextProcess" );
    *(FARPROC *)&next_thread = GetProcAddress( ntdll, "NtGetNextThread" );
    *(FARPROC *)&query_process = GetProcAddress( ntdll, "NtQueryInformationProcess" );
    return next_process && next_thread && query_process;
}

/* does a walk that asks for these rights meet the process?  The handles are closed behind it. */
static BOOL meets_process( DWORD pid, ACCESS_MASK access, ULONG flags )
{
    HANDLE process = NULL, next;
    NTSTATUS status;
    BOOL met = FALSE;

    while (!(status = next_process( process, access | PROCESS_QUERY_LIMITED_INFORMATION, 0, flags, &next )))
    {
        if (process) CloseHandle( process );
        process = next;
        if (GetProcessId( process ) == pid) met = TRUE;
    }
    if (process) CloseHandle( process );
    if (status != NO_MORE_ENTRIES) ok( 0, "a walk ends with STATUS_NO_MORE_ENTRIES, not %lx", status );
    return met;
}

static unsigned int count_threads( HANDLE process, ACCESS_MASK access )
{
    HANDLE thread = NULL, next;
    unsigned int count = 0;
    NTSTATUS status;

    while (!(status = next_thread( process, thread, access, 0, 0, &next )))
    {
        if (thread) CloseHandle( thread );
        thread = next;
        count++;
    }
    if (thread) CloseHandle( thread );
    return status == NO_MORE_ENTRIES ? count : ~0u;
}

static BOOL set_dacl( HANDLE object, const WCHAR *sddl )
{
    PSECURITY_DESCRIPTOR sd;

    return ConvertStringSecurityDescriptorToSecurityDescriptorW( sddl, SDDL_REVISION_1, &sd, NULL ) &&
           SetKernelObjectSecurity( object, DACL_SECURITY_INFORMATION, sd );
}

static BOOL start( const WCHAR *arguments, DWORD flags, PROCESS_INFORMATION *pi )
{
    STARTUPINFOW si = { sizeof(si) };
    WCHAR path[MAX_PATH], command[MAX_PATH + 32];

    GetModuleFileNameW( NULL, path, MAX_PATH );
    swprintf( command, MAX_PATH + 32, L"\"%ls\" %ls", path, arguments );
    return CreateProcessW( path, command, NULL, NULL, FALSE, flags, NULL, NULL, &si, pi );
}

static void end( PROCESS_INFORMATION *pi )
{
    TerminateProcess( pi->hProcess, 0 );
    WaitForSingleObject( pi->hProcess, 30000 );
    CloseHandle( pi->hProcess );
    CloseHandle( pi->hThread );
}

static void test_processes(void)
{
    PROCESS_INFORMATION pi;
    HANDLE handle;

    if (!ok( start( L"nothing", CREATE_SUSPENDED, &pi ), "start a process" )) return;
    ok( meets_process( pi.dwProcessId, PROCESS_VM_WRITE, 0 ), "NtGetNextProcess meets it" );
    ok( meets_process( pi.dwProcessId, PROCESS_VM_WRITE, 1 ), "backwards too" );
    ok( set_dacl( pi.hProcess, L"D:(A;;0x101000;;;WD)" ), "close it" );
    ok( !meets_process( pi.dwProcessId, PROCESS_VM_WRITE, 0 ), "now it is passed over" );
    ok( meets_process( pi.dwProcessId, SYNCHRONIZE, 0 ), "unless less is asked for" );
    ok( meets_process( GetCurrentProcessId(), PROCESS_VM_WRITE, 0 ), "others are met as before" );
    ok( next_process( NULL, SYNCHRONIZE, 0, 2, &handle ) == (NTSTATUS)0xC000000D, "unknown flags are refused" );
    end( &pi );
}

static void test_threads(void)
{
    PROCESS_INFORMATION pi;
    HANDLE second;

    if (!ok( start( L"nothing", CREATE_SUSPENDED, &pi ), "start a process" )) return;
    second = CreateRemoteThread( pi.hProcess, NULL, 0, (void *)ExitThread, NULL, CREATE_SUSPENDED, NULL );
    ok( second && count_threads( pi.hProcess, THREAD_SET_CONTEXT ) == 2, "NtGetNextThread meets both threads" );
    ok( set_dacl( pi.hThread, L"D:(A;;0x100000;;;WD)" ), "close the first" );
    ok( count_threads( pi.hProcess, THREAD_SET_CONTEXT ) == 1, "it is passed over" );
    ok( set_dacl( second, L"D:(A;;0x100000;;;WD)" ), "and the second" );
    ok( count_threads( pi.hProcess, THREAD_SET_CONTEXT ) == 0, "so none is left" );
    ok( count_threads( pi.hProcess, SYNCHRONIZE ) == 2, "unless less is asked for" );
    end( &pi );
}

static DWORD parent_of( DWORD pid )
{
    HANDLE snapshot = CreateToolhelp32Snapshot( TH32CS_SNAPPROCESS, 0 );
    PROCESSENTRY32W entry = { sizeof(entry) };
    BOOL found;

    for (found = Process32FirstW( snapshot, &entry ); found; found = Process32NextW( snapshot, &entry ))
        if (entry.th32ProcessID == pid) break;
    CloseHandle( snapshot );
    return found ? entry.th32ParentProcessID : 0;
}

/* the child with a console of its own says which process renders it */
static int say_host(void)
{
    ULONG_PTR host = 0;

    if (query_process( GetCurrentProcess(), CONSOLE_HOST, &host, sizeof(host), NULL )) return 1;
    if (!host) return 2;
    return parent_of( host & ~3 ) == GetCurrentProcessId() ? 37 : 3;
}

static void test_console(void)
{
    PROCESS_INFORMATION pi;
    ULONG_PTR host = 1;
    DWORD code = 0;

    ok( start( L"host", CREATE_NO_WINDOW, &pi ), "start a process with a console of its own" );
    WaitForSingleObject( pi.hProcess, 30000 );
    GetExitCodeProcess( pi.hProcess, &code );
    ok( code == 37, "ProcessConsoleHostProcess is the process that it started for that" );
    end( &pi );
    ok( start( L"nothing", CREATE_SUSPENDED | DETACHED_PROCESS, &pi ), "start one without" );
    ok( !query_process( pi.hProcess, CONSOLE_HOST, &host, sizeof(host), NULL ) && !host, "which has none" );
    ok( query_process( pi.hProcess, CONSOLE_HOST, &host, 4, NULL ) == (NTSTATUS)0xC0000004, "the length has to match" );
    end( &pi );
}

int main( int argc, char **argv )
{
    if (!look_up()) return !ok( 0, "ntdll exports the functions" );
    if (argc > 1) return strcmp( argv[1], "host" ) ? 0 : say_host();
    test_processes();
    test_threads();
    test_console();
    return finish();
}
