/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CreateProcessWithLogonW.  An administrator adds the accounts; the checks are made by a program with his limited token. */

#include "lab_test.h"
#include <lm.h>
#include <stdlib.h>
#include <tlhelp32.h>
#include <winternl.h>

#define ALICE    L"labsecondary"
#define BOB      L"labsecond"
#define PASSWORD L"Correct-Horse-7"
#define ROOT     L"C:\\lab-seclogon"
#define DLL_INIT_FAILED 0xC0000142

static void expect( DWORD error, DWORD expected, const char *name )
{
    if (!ok( error == expected, "%s", name )) printf( "# %lu (%lx), expected %lu\n", error, error, expected );
}

/* ---- starting ---- */

struct start
{
    const WCHAR *user, *program, *dir;  /* NULL: ALICE, this one, the system's */
    DWORD        flags, logon_flags;
    STARTUPINFOW si;
    void        *env;
};

static DWORD start( struct start *how, const WCHAR *arguments, PROCESS_INFORMATION *pi )
{
    WCHAR path[MAX_PATH], command[2048];

    GetModuleFileNameW( NULL, path, MAX_PATH );
    swprintf( command, 2048, L"\"%ls\" %ls", how->program ? how->program : path, arguments );
    if (!how->si.cb) how->si.cb = sizeof(how->si);
    return last_error_of( CreateProcessWithLogonW( how->user ? how->user : ALICE, L".", PASSWORD, how->logon_flags,
                                                   how->program ? how->program : path, command, how->flags, how->env,
                                                   how->dir ? how->dir : L"C:\\windows", &how->si, pi ));
}

static DWORD end( PROCESS_INFORMATION *pi )
{
    DWORD code = ~0u;

    if (WaitForSingleObject( pi->hProcess, 30000 )) TerminateProcess( pi->hProcess, ~0u );
    GetExitCodeProcess( pi->hProcess, &code );
    CloseHandle( pi->hProcess );
    CloseHandle( pi->hThread );
    return code;
}

/* exit code, or the error with the highest bit */
static DWORD run( struct start *how, const WCHAR *arguments )
{
    PROCESS_INFORMATION pi;
    DWORD error = start( how, arguments, &pi );

    return error ? 0x80000000 | error : end( &pi );
}

static DWORD run_plain( const WCHAR *arguments )
{
    struct start how = { 0 };

    return run( &how, arguments );
}

static DWORD start_suspended( PROCESS_INFORMATION *pi )
{
    struct start how = { .flags = CREATE_SUSPENDED };

    return start( &how, L"nothing", pi );
}

static void stop( PROCESS_INFORMATION *pi )
{
    TerminateProcess( pi->hProcess, 0 );
    end( pi );
}

static HANDLE new_job( DWORD limits, DWORD ui )
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION basic = { .BasicLimitInformation = { .LimitFlags = limits } };
    HANDLE job = CreateJobObjectW( NULL, NULL );

    SetInformationJobObject( job, JobObjectExtendedLimitInformation, &basic, sizeof(basic) );
    if (ui) SetInformationJobObject( job, JobObjectBasicUIRestrictions, &ui, sizeof(ui) );
    return job;
}

static WCHAR *sid_string( PSID sid )
{
    WCHAR *string = NULL;

    ConvertSidToStringSidW( sid, &string );
    return string;
}

static WCHAR *account_sid( const WCHAR *name )
{
    BYTE sid[SECURITY_MAX_SID_SIZE];
    WCHAR domain[64];
    DWORD size = sizeof(sid), chars = 64;
    SID_NAME_USE use;

    return LookupAccountNameW( NULL, name, sid, &size, domain, &chars, &use ) ? sid_string( sid ) : NULL;
}

/* ---- what the processes of the account do ---- */

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

static DWORD try_process( DWORD pid, DWORD access )
{
    HANDLE process = OpenProcess( access, FALSE, pid );

    if (!process) return GetLastError();
    CloseHandle( process );
    return 0;
}

static DWORD console_host( HANDLE process )
{
    NTSTATUS (WINAPI *query)( HANDLE, int, void *, ULONG, ULONG * );
    ULONG_PTR host = 0;

    *(FARPROC *)&query = GetProcAddress( GetModuleHandleW( L"ntdll.dll" ), "NtQueryInformationProcess" );
    return query( process, 49, &host, sizeof(host), NULL ) ? 0 : host & ~3;
}

/* a child that leaves the job; its exit code, or the error */
static DWORD start_outside( DWORD flags )
{
    STARTUPINFOW si = { sizeof(si) };
    PROCESS_INFORMATION pi;
    WCHAR path[MAX_PATH], command[MAX_PATH + 32];

    GetModuleFileNameW( NULL, path, MAX_PATH );
    swprintf( command, MAX_PATH + 32, L"\"%ls\" in-job", path );
    if (!CreateProcessW( path, command, NULL, NULL, FALSE, flags, NULL, NULL, &si, &pi )) return GetLastError();
    return end( &pi );
}

static DWORD is_in_job(void)
{
    BOOL inside = FALSE;

    return !IsProcessInJob( GetCurrentProcess(), NULL, &inside ) || inside;
}

static int run_subcommand( int argc, char **argv )
{
    const char *name = argv[1], *argument = argc > 2 ? argv[2] : "";
    const ULONG_PTR number = strtoull( argument, NULL, 10 );
    WCHAR text[256], expected[256];
    DWORD size = 256, mode;
    HANDLE token;

    swprintf( expected, 256, L"%hs", argument );
    if (!strcmp( name, "nothing" )) return 0;
    if (!strcmp( name, "user" )) return !GetUserNameW( text, &size ) || wcscmp( text, expected );
    if (!strcmp( name, "logon-sid" )) return wcscmp( sid_string( logon_sid( own_token() )), expected ) != 0;
    if (!strcmp( name, "session" )) return ((TOKEN_STATISTICS *)token_info( own_token(), TokenStatistics ))->AuthenticationId.LowPart == number;
    if (!strcmp( name, "terminal" )) return *(DWORD *)token_info( own_token(), TokenSessionId ) != number;
    if (!strcmp( name, "parent" )) return parent_of( GetCurrentProcessId() ) != number;
    if (!strcmp( name, "in-job" )) return is_in_job();
    if (!strcmp( name, "breakaway" )) return start_outside( CREATE_BREAKAWAY_FROM_JOB );
    if (!strcmp( name, "stay" )) return start_outside( 0 );
    if (!strcmp( name, "user32" )) return LoadLibraryW( L"user32.dll" ) ? 0 : GetLastError();
    if (!strcmp( name, "variable" )) return GetEnvironmentVariableW( expected, text, 256 ) != 0;
    if (!strcmp( name, "signal" )) return !SetEvent( (HANDLE)number );
    if (!strcmp( name, "say" )) return !WriteFile( GetStdHandle( STD_OUTPUT_HANDLE ), "said", 4, &size, NULL );
    if (!strcmp( name, "console" )) return !GetConsoleMode( GetStdHandle( STD_OUTPUT_HANDLE ), &mode );
    if (!strcmp( name, "own-token" )) return !OpenProcessToken( GetCurrentProcess(), TOKEN_ALL_ACCESS, &token );
    if (!strcmp( name, "write-process" )) return try_process( number, PROCESS_VM_WRITE );
    if (!strcmp( name, "read-process" )) return try_process( number, PROCESS_VM_READ );
    if (!strcmp( name, "write-host" )) return try_process( console_host( GetCurrentProcess() ), PROCESS_VM_WRITE );
    if (!strcmp( name, "directory" ))
    {
        GetCurrentDirectoryW( 256, text );
        return wcsicmp( text, expected ) != 0;
    }
    return 99;
}

/* ---- checks ---- */

static void test_arguments(void)
{
    static const DWORD refused[] = { EXTENDED_STARTUPINFO_PRESENT, DETACHED_PROCESS, CREATE_BREAKAWAY_FROM_JOB, DEBUG_PROCESS };
    WCHAR path[MAX_PATH], command[1100];
    struct start how = { 0 };
    PROCESS_INFORMATION pi;
    DWORD i, error;

    GetModuleFileNameW( NULL, path, MAX_PATH );
    for (i = 1023; i <= 1024; i++)
    {
        swprintf( command, 1100, L"\"%ls\" nothing ", path );
        while (wcslen( command ) < i) wcscat( command, L"x" );
        how.si.cb = sizeof(how.si);
        error = last_error_of( CreateProcessWithLogonW( ALICE, L".", PASSWORD, 0, path, command, 0, NULL, L"C:\\windows", &how.si, &pi ));
        expect( error, i < 1024 ? 0 : ERROR_INVALID_PARAMETER, i < 1024 ? "a command line of 1,023 characters and a null" : "one of 1,024" );
        if (!error) end( &pi );
    }
    for (i = 0; i < ARRAYSIZE(refused); i++)
    {
        how.flags = refused[i];
        if (!ok( run( &how, L"nothing" ) == (0x80000000 | ERROR_INVALID_PARAMETER), "creation flag %lx is refused", refused[i] ))
            printf( "# %lx\n", run( &how, L"nothing" ));
    }
    how.flags = CREATE_NEW_CONSOLE | CREATE_NEW_PROCESS_GROUP | CREATE_DEFAULT_ERROR_MODE | BELOW_NORMAL_PRIORITY_CLASS;
    expect( run( &how, L"nothing" ), 0, "others are not" );
    how.flags = 0;
    how.logon_flags = LOGON_WITH_PROFILE | LOGON_NETCREDENTIALS_ONLY;
    expect( run( &how, L"nothing" ), 0x80000000 | ERROR_INVALID_PARAMETER, "one logon flag at most" );
    how.logon_flags = 0;
    how.user = L"labnobody";
    expect( run( &how, L"nothing" ), 0x80000000 | ERROR_LOGON_FAILURE, "an account that there is not" );
}

static void test_callers(void)
{
    HANDLE no_logon_sid = filter_token( 0, sid_string( logon_sid( own_token() )), NULL, NULL ), refused = NULL;
    const DWORD restricted = lab_has( "seclogon-restricted=allowed" ) ? 0 : 0x80000000 | ERROR_ACCESS_DENIED;

    expect( run_child( filter_token( 0, NULL, NULL, NULL ), L"start" ), 0, "a caller with a logon SID" );
    expect( run_child( no_logon_sid, L"start" ), 0x80000000 | ERROR_ACCESS_DENIED, "one without" );
    expect( run_child( sandbox_token(), L"start" ), restricted, "a restricted caller" );
    ok( LogonUserW( ALICE, L".", PASSWORD, LOGON32_LOGON_INTERACTIVE, LOGON32_PROVIDER_DEFAULT, &refused ), "log on" );
    expect( run_child( refused, L"start" ), 0x80000000 | ERROR_PRIVILEGE_NOT_HELD, "such a token makes no process by itself" );
}

static void test_token(void)
{
    const BOOL stamped = lab_has( "logon-sid=caller" );
    TOKEN_STATISTICS *stats = token_info( own_token(), TokenStatistics );
    WCHAR arguments[128];

    expect( run_plain( L"user " ALICE ), 0, "the process is the account's" );
    swprintf( arguments, 128, L"logon-sid %ls", sid_string( logon_sid( own_token() )));
    expect( run_plain( arguments ), !stamped, "whose logon SID it has" );
    swprintf( arguments, 128, L"session %lu", stats->AuthenticationId.LowPart );
    expect( run_plain( arguments ), 0, "it is a logon session of its own" );
    swprintf( arguments, 128, L"terminal %lu", *(DWORD *)token_info( own_token(), TokenSessionId ));
    expect( run_plain( arguments ), 0, "in the caller's session of Windows" );
    swprintf( arguments, 128, L"parent %lu", GetCurrentProcessId() );
    expect( run_plain( arguments ), 0, "with the caller as its parent" );
    expect( run_plain( L"own-token" ), 0, "it opens its own token" );
}

static void test_handles(void)
{
    static const DWORD rights[] = { PROCESS_VM_WRITE, PROCESS_CREATE_THREAD, PROCESS_DUP_HANDLE, PROCESS_SET_QUOTA, WRITE_DAC };
    const DWORD read = lab_has( "logon-sid=caller" ) ? 0 : ERROR_ACCESS_DENIED;
    HANDLE token = NULL, copy = NULL, event = CreateEventW( NULL, FALSE, FALSE, NULL );
    WCHAR arguments[64], *sddl = NULL, expected[512];
    struct start how = { 0 };
    PSECURITY_DESCRIPTOR sd;
    PROCESS_INFORMATION pi;
    DWORD i;

    expect( start_suspended( &pi ), 0, "start a process suspended" );
    ok( SuspendThread( pi.hThread ) == 1, "it has not run, and its thread can be suspended" );
    ok( DuplicateHandle( GetCurrentProcess(), event, pi.hProcess, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS ), "handles can be given to it" );
    ok( DuplicateHandle( GetCurrentProcess(), pi.hProcess, GetCurrentProcess(), &copy, PROCESS_ALL_ACCESS, FALSE, 0 ),
        "the handle has all access" );
    ok( !OpenProcessToken( pi.hProcess, TOKEN_QUERY, &token ) && GetLastError() == ERROR_ACCESS_DENIED, "but the token does not open" );
    for (i = 0; i < ARRAYSIZE(rights); i++)
        if (!ok( try_process( pi.dwProcessId, rights[i] ) == ERROR_ACCESS_DENIED, "nor the process by its id for %lx", rights[i] ))
            printf( "# %lu\n", try_process( pi.dwProcessId, rights[i] ));
    expect( try_process( pi.dwProcessId, PROCESS_VM_READ ), read, "its memory reads for the logon SID that is its too" );
    swprintf( arguments, 64, L"write-process %lu", pi.dwProcessId );
    expect( run_plain( arguments ), 0, "another process of the account opens it for all" );
    how.user = BOB;
    expect( run( &how, arguments ), ERROR_ACCESS_DENIED, "one of another account does not" );

    /* the account, SYSTEM, the logon SID */
    GetSecurityInfo( pi.hProcess, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, NULL, NULL, NULL, NULL, &sd );
    ConvertSecurityDescriptorToStringSecurityDescriptorW( sd, SDDL_REVISION_1, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &sddl, NULL );
    swprintf( expected, 512, L"O:%lsD:(A;;GA;;;%ls)(A;;GA;;;SY)(A;;", account_sid( ALICE ), account_sid( ALICE ));
    if (!ok( sddl && !wcsncmp( sddl, expected, wcslen( expected ) ) &&
             !wcsstr( sddl, sid_string( logon_sid( own_token() )) ) == !lab_has( "logon-sid=caller" ), "the process belongs to the account" ))
        printf( "# %ls\n", sddl );
    stop( &pi );

    swprintf( arguments, 64, L"write-process %lu", GetCurrentProcessId() );
    expect( run_plain( arguments ), ERROR_ACCESS_DENIED, "the account does not open the caller" );
    swprintf( arguments, 64, L"read-process %lu", GetCurrentProcessId() );
    expect( run_plain( arguments ), read, "except to read, where it has the caller's logon SID" );
}

static void test_jobs(void)
{
    const BOOL has_job = lab_has( "runner-job=seclogon" );
    HANDLE own = new_job( 0, 0 ), kill = new_job( JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, 0 ), other = new_job( 0, 0 );
    HANDLE limited = new_job( 0, JOB_OBJECT_UILIMIT_READCLIPBOARD );
    PROCESS_INFORMATION pi;
    BOOL inside = FALSE;

    AssignProcessToJobObject( own, GetCurrentProcess() );
    expect( run_plain( L"in-job" ), has_job, "the process is in a job" );
    expect( run_plain( L"stay" ), has_job, "and so are its children" );
    expect( run_plain( L"breakaway" ), 0, "unless they break away, which it allows" );
    start_suspended( &pi );
    ok( IsProcessInJob( pi.hProcess, own, &inside ) && !inside, "it is not the caller's job" );
    ok( AssignProcessToJobObject( own, pi.hProcess ) != has_job, "which is no job for it" );
    stop( &pi );
    start_suspended( &pi );
    ok( AssignProcessToJobObject( limited, pi.hProcess ) != has_job, "nor is one that limits the user interface" );
    stop( &pi );
    start_suspended( &pi );
    ok( AssignProcessToJobObject( other, pi.hProcess ) && IsProcessInJob( pi.hProcess, other, &inside ) && inside,
        "but a new job nests" );
    stop( &pi );
    start_suspended( &pi );
    ok( AssignProcessToJobObject( kill, pi.hProcess ), "one that ends with its last handle, too" );
    CloseHandle( kill );
    ok( !WaitForSingleObject( pi.hProcess, 30000 ), "and ends the process" );
    stop( &pi );
}

static DWORD copy_program( const WCHAR *path, const WCHAR *sddl )
{
    WCHAR own[MAX_PATH];

    GetModuleFileNameW( NULL, own, MAX_PATH );
    DeleteFileW( path );
    return CopyFileW( own, path, FALSE ) ? set_sd( path, sddl ) : GetLastError();
}

static void test_places(void)
{
    struct start how = { 0 };
    WCHAR sddl[256], own_dir[MAX_PATH];
    const WCHAR *user = sid_string( user_sid( own_token() )), *alice = account_sid( ALICE );

    how.program = ROOT L"\\image.exe";
    swprintf( sddl, 256, L"D:P(A;;FA;;;%ls)", user );
    expect( copy_program( how.program, sddl ), 0, "copy the program" );
    expect( run( &how, L"nothing" ), 0x80000000 | ERROR_ACCESS_DENIED, "an image that the account may not read" );
    swprintf( sddl, 256, L"D:P(A;;FA;;;%ls)(A;;0x1200a9;;;%ls)", user, alice );
    set_sd( how.program, sddl );
    expect( run( &how, L"nothing" ), 0, "that it may read" );
    swprintf( sddl, 256, L"D:P(A;;0x1200a9;;;%ls)(A;;SDRCWD;;;%ls)", alice, user );
    set_sd( how.program, sddl );
    expect( try_open( how.program, GENERIC_READ, OPEN_EXISTING, 0 ), ERROR_ACCESS_DENIED, "that the caller may not read" );
    expect( run( &how, L"nothing" ), 0, "is no matter" );
    how.program = L"image.exe";
    expect( run( &how, L"nothing" ), 0x80000000 | ERROR_FILE_NOT_FOUND, "a bare name is not looked for" );
    how.program = ROOT L"\\missing.exe";
    expect( run( &how, L"nothing" ), 0x80000000 | ERROR_FILE_NOT_FOUND, "an image that there is not" );
    how.program = NULL;

    CreateDirectoryW( ROOT L"\\closed", NULL );
    swprintf( sddl, 256, L"D:P(A;;FA;;;%ls)", user );
    set_sd( ROOT L"\\closed", sddl );
    how.dir = ROOT L"\\missing";
    expect( run( &how, L"nothing" ), 0x80000000 | ERROR_DIRECTORY, "a directory that there is not" );
    how.dir = ROOT L"\\closed";
    expect( run( &how, L"nothing" ), 0x80000000 | ERROR_DIRECTORY, "one that the account may not enter" );
    swprintf( sddl, 256, L"D:P(A;;FA;;;%ls)(A;;0x1200a9;;;%ls)", user, alice );
    set_sd( ROOT L"\\closed", sddl );
    expect( run( &how, L"directory " ROOT L"\\closed" ), 0, "one that it may" );

    /* no directory: the caller's */
    swprintf( sddl, 256, L"D:P(A;;FA;;;%ls)", user );
    GetCurrentDirectoryW( MAX_PATH, own_dir );
    SetCurrentDirectoryW( ROOT L"\\closed" );
    how.dir = NULL;
    {
        WCHAR path[MAX_PATH], command[MAX_PATH + 32];
        PROCESS_INFORMATION pi;
        DWORD error;
        int closed;

        GetModuleFileNameW( NULL, path, MAX_PATH );
        for (closed = 0; closed < 2; closed++)
        {
            if (closed) set_sd( ROOT L"\\closed", sddl );
            swprintf( command, MAX_PATH + 32, L"\"%ls\" directory " ROOT L"\\closed", path );
            error = last_error_of( CreateProcessWithLogonW( ALICE, L".", PASSWORD, 0, path, command, 0, NULL, NULL, &how.si, &pi ));
            expect( error ? error : end( &pi ), closed ? ERROR_DIRECTORY : 0, closed ? "unless the account may not be there" : "without one it is the caller's" );
        }
        SetCurrentDirectoryW( ROOT );
        error = last_error_of( CreateProcessWithLogonW( ALICE, L".", PASSWORD, 0, NULL, wcscpy( command, L"image.exe nothing" ), 0, NULL,
                                                        L"C:\\windows", &how.si, &pi ));
        expect( error, ERROR_FILE_NOT_FOUND, "a bare command is not looked for in the caller's places" );
        SetCurrentDirectoryW( own_dir );
    }
}

static void test_station(void)
{
    const BOOL stamped = lab_has( "logon-sid=caller" ) || lab_has( "station=everyone" );
    struct start how = { .user = BOB, .si = { .lpDesktop = (WCHAR *)L"WinSta0\\Default" } };

    ok( LoadLibraryW( L"user32.dll" ) != NULL, "the caller is on the station" );
    expect( run( &how, L"user32" ), stamped ? 0 : ERROR_DLL_INIT_FAILED, "where the desktop is named, the logon SID alone lets the account in" );
    how.si.lpDesktop = NULL;
    expect( run( &how, L"user32" ), 0, "without a desktop the account is let in" );
    how.si.lpDesktop = (WCHAR *)L"WinSta0\\Default";
    expect( run( &how, L"user32" ), 0, "which stays" );
}

/* the caller's own standard output ends with the caller, unless somebody else has it */
static void test_unnamed_streams(void)
{
    SECURITY_ATTRIBUTES sa = { sizeof(sa), NULL, TRUE };
    HANDLE read_end, write_end, old = GetStdHandle( STD_OUTPUT_HANDLE );
    PROCESS_INFORMATION pi;
    DWORD error;

    CreatePipe( &read_end, &write_end, &sa, 0 );
    SetStdHandle( STD_OUTPUT_HANDLE, write_end );
    error = start_suspended( &pi );
    SetStdHandle( STD_OUTPUT_HANDLE, old );
    expect( error, 0, "start with a pipe for the own standard output" );
    ok( PeekNamedPipe( read_end, NULL, 0, NULL, NULL, NULL ), "which is there" );
    CloseHandle( write_end );
    ok( !PeekNamedPipe( read_end, NULL, 0, NULL, NULL, NULL ) && GetLastError() == ERROR_BROKEN_PIPE, "the process has not got it" );
    CloseHandle( read_end );
    stop( &pi );
}

static void test_streams(void)
{
    const BOOL any = lab_has( "std-handles=any" );
    SECURITY_ATTRIBUTES sa = { sizeof(sa), NULL, TRUE };
    HANDLE event = CreateEventW( &sa, TRUE, FALSE, NULL ), read_end, write_end;
    struct start how = { 0 };
    WCHAR arguments[64];
    char buffer[8] = "";
    DWORD count;
    int inherit;

    expect( run( &how, L"console" ), 0, "standard output is a console of its own" );
    swprintf( arguments, 64, L"signal %llu", (unsigned long long)(ULONG_PTR)event );
    run( &how, arguments );
    ok( WaitForSingleObject( event, 0 ) == WAIT_TIMEOUT, "no handle is inherited" );
    test_unnamed_streams();

    how.si.dwFlags = STARTF_USESTDHANDLES;
    for (inherit = 1; inherit >= 0; inherit--)
    {
        CreatePipe( &read_end, &write_end, &sa, 0 );
        SetHandleInformation( write_end, HANDLE_FLAG_INHERIT, inherit ? HANDLE_FLAG_INHERIT : 0 );
        how.si.hStdOutput = write_end;
        run( &how, L"say" );
        run( &how, arguments );
        CloseHandle( write_end );
        memset( buffer, 0, sizeof(buffer) );
        ReadFile( read_end, buffer, sizeof(buffer), &count, NULL );
        if (inherit) ok( !strcmp( buffer, "said" ), "a standard handle arrives" );
        else ok( !strcmp( buffer, any ? "said" : "" ), "one that is not inheritable" );
        CloseHandle( read_end );
    }
    ok( WaitForSingleObject( event, 0 ) == WAIT_TIMEOUT, "and no other one" );
}

static void test_environment(void)
{
    static WCHAR block[] = L"LAB_GIVEN=1\0SystemRoot=C:\\windows\0";
    struct start how = { 0 };

    SetEnvironmentVariableW( L"LAB_CALLERS", L"1" );
    expect( run_plain( L"variable LAB_CALLERS" ), 0, "the caller's variables are not passed on" );
    expect( run_plain( L"variable USERNAME" ), 1, "those of a logon are there" );
    how.env = block;
    how.flags = CREATE_UNICODE_ENVIRONMENT;
    expect( run( &how, L"variable LAB_GIVEN" ), 1, "or those that the caller gives" );
    expect( run( &how, L"variable USERPROFILE" ), 0, "and no others" );
}

static void test_console_host(void)
{
    expect( run_plain( L"write-host" ), 0, "the host of its console opens for the account" );
}

static void test_other_credentials(void)
{
    struct start how = { .user = L"labnobody", .logon_flags = LOGON_NETCREDENTIALS_ONLY };
    TOKEN_STATISTICS *stats = token_info( own_token(), TokenStatistics );
    WCHAR name[64], arguments[128];
    DWORD size = 64;

    GetUserNameW( name, &size );
    swprintf( arguments, 128, L"user %ls", name );
    expect( run( &how, arguments ), 0, "with credentials for the network alone the process is the caller's" );
    swprintf( arguments, 128, L"session %lu", stats->AuthenticationId.LowPart );
    expect( run( &how, arguments ), 0, "in a logon session of its own" );
    swprintf( arguments, 128, L"logon-sid %ls", sid_string( logon_sid( own_token() )));
    expect( run( &how, arguments ), 0, "with the caller's logon SID" );
}

static void test_disabled(void)
{
    struct start how = { .logon_flags = LOGON_NETCREDENTIALS_ONLY };

    expect( run_plain( L"nothing" ), 0x80000000 | ERROR_SERVICE_DISABLED, "the service is disabled" );
    expect( run( &how, L"nothing" ), 0x80000000 | ERROR_SERVICE_DISABLED, "for the network alone, too" );
}

/* the entry of the service, as a standard user sees it; it is not running before it is needed */
static void test_service( DWORD start )
{
    const SC_HANDLE manager = OpenSCManagerW( NULL, NULL, SC_MANAGER_CONNECT );
    const SC_HANDLE service = OpenServiceW( manager, L"seclogon", SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG );
    QUERY_SERVICE_CONFIGW *config = calloc( 1, 4096 );
    SERVICE_STATUS status = { 0 };
    DWORD size;

    QueryServiceConfigW( service, config, 4096, &size );
    QueryServiceStatus( service, &status );
    ok( config->dwStartType == start, "the start type of the service is %lu", start );
    ok( status.dwCurrentState == SERVICE_STOPPED, "it is stopped" );
    CloseServiceHandle( service );
    CloseServiceHandle( manager );
    free( config );
}

static int check_all(void)
{
    test_service( lab_has( "seclogon=disabled" ) ? SERVICE_DISABLED : SERVICE_DEMAND_START );
    if (lab_has( "seclogon=disabled" ))
    {
        test_disabled();
        return finish();
    }
    test_station();  /* before BOB is let in by another one */
    test_arguments();
    test_callers();
    test_token();
    test_handles();
    test_jobs();
    test_places();
    test_streams();
    test_environment();
    test_console_host();
    test_other_credentials();
    return finish();
}

/* ---- the administrator's part ---- */

/* as User Account Control makes it */
static HANDLE limited_token(void)
{
    TOKEN_MANDATORY_LABEL label = { { sid_from_string( L"S-1-16-8192" ), SE_GROUP_INTEGRITY } };
    HANDLE token = filter_token( LUA_TOKEN, NULL, NULL, NULL );
    TOKEN_DEFAULT_DACL dacl = { 0 };
    EXPLICIT_ACCESSW entries[3] = { { GENERIC_ALL, GRANT_ACCESS }, { GENERIC_ALL, GRANT_ACCESS }, { GENERIC_READ | GENERIC_EXECUTE, GRANT_ACCESS } };

    BuildTrusteeWithSidW( &entries[0].Trustee, user_sid( token ));
    BuildTrusteeWithSidW( &entries[1].Trustee, sid_from_string( L"S-1-5-18" ));
    BuildTrusteeWithSidW( &entries[2].Trustee, logon_sid( token ));
    SetEntriesInAclW( 3, entries, NULL, &dacl.DefaultDacl );
    SetTokenInformation( token, TokenDefaultDacl, &dacl, sizeof(dacl) );
    SetTokenInformation( token, TokenIntegrityLevel, &label, sizeof(label) );
    return token;
}

static BOOL add_user( const WCHAR *name )
{
    USER_INFO_1 info = { (WCHAR *)name, (WCHAR *)PASSWORD, 0, USER_PRIV_USER, NULL, NULL, UF_SCRIPT | UF_DONT_EXPIRE_PASSWD, NULL };

    return !NetUserAdd( NULL, 1, (BYTE *)&info, NULL );
}

static void clean_up(void)
{
    NetUserDel( NULL, ALICE );
    NetUserDel( NULL, BOB );
    remove_tree( ROOT );
}

int main( int argc, char **argv )
{
    WCHAR sddl[256], path[MAX_PATH], command[MAX_PATH + 32];
    STARTUPINFOW si = { sizeof(si) };
    PROCESS_INFORMATION pi;
    int code;

    if (argc > 1 && !strcmp( argv[1], "checks" )) return check_all();
    if (argc > 1 && !strcmp( argv[1], "start" )) return run_plain( L"nothing" );
    if (argc > 1) return run_subcommand( argc, argv );

    clean_up();
    CreateDirectoryW( ROOT, NULL );
    swprintf( sddl, 256, L"D:P(A;OICI;FA;;;BA)(A;OICI;FA;;;%ls)", sid_string( user_sid( own_token() )));
    set_sd( ROOT, sddl );
    GetModuleFileNameW( NULL, path, MAX_PATH );
    swprintf( command, MAX_PATH + 32, L"\"%ls\" checks", path );
    if (!add_user( ALICE ) || !add_user( BOB ) ||
        !CreateProcessAsUserW( limited_token(), path, command, NULL, NULL, FALSE, 0, NULL, NULL, &si, &pi ))
        return !ok( 0, "start the checks, error %lu", GetLastError() );
    WaitForSingleObject( pi.hProcess, INFINITE );
    GetExitCodeProcess( pi.hProcess, (DWORD *)&code );
    clean_up();
    return code;
}
