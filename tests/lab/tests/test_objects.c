/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel objects, pipes, registry keys and jobs. Run as the standard user. */

#include "lab_test.h"
#include <stdlib.h>
#include <tlhelp32.h>

#define EVENT_NAME   L"lab-event"
#define PIPE_NAME    L"\\\\.\\pipe\\lab-pipe"
#define OPEN_PIPE    L"\\\\.\\pipe\\lab-open-pipe"

static DWORD opened( HANDLE handle )
{
    DWORD err = handle && handle != INVALID_HANDLE_VALUE ? 0 : GetLastError();

    if (!err) CloseHandle( handle );
    return err;
}

static DWORD open_pipe( const WCHAR *name, DWORD access )
{
    return opened( CreateFileW( name, access, 0, NULL, OPEN_EXISTING, 0, NULL ));
}

static HANDLE make_pipe( const WCHAR *name, const WCHAR *sddl )
{
    SECURITY_ATTRIBUTES sa = { sizeof(sa) };

    if (sddl) ConvertStringSecurityDescriptorToSecurityDescriptorW( sddl, SDDL_REVISION_1, &sa.lpSecurityDescriptor, NULL );
    return CreateNamedPipeW( name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 4, 4096, 4096, 0, sddl ? &sa : NULL );
}

static DWORD set_key_value( HKEY root, const WCHAR *path )
{
    DWORD err;
    HKEY key;

    if ((err = RegOpenKeyExW( root, path, 0, KEY_SET_VALUE, &key ))) return err;
    err = RegSetValueExW( key, L"lab", 0, REG_SZ, (const BYTE *)L"x", 4 );
    RegDeleteValueW( key, L"lab" );
    RegCloseKey( key );
    return err;
}

static DWORD read_key( HKEY root, const WCHAR *path )
{
    HKEY key;
    DWORD err = RegOpenKeyExW( root, path, 0, KEY_READ, &key );

    if (!err) RegCloseKey( key );
    return err;
}

/* as Wine's libraries do to read the user's settings */
static DWORD write_with_all_access( HKEY root )
{
    DWORD err;
    HKEY key;

    if (RegOpenKeyExW( root, NULL, 0, KEY_ALL_ACCESS, &key )) return 99;
    err = RegSetValueExW( key, L"lab", 0, REG_SZ, (const BYTE *)L"x", 4 );
    RegDeleteValueW( key, L"lab" );
    RegCloseKey( key );
    return err;
}

static DWORD create_key( HKEY root, const WCHAR *path )
{
    HKEY key;
    DWORD err = RegCreateKeyExW( root, path, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL );

    if (err) return err;
    RegCloseKey( key );
    return RegDeleteKeyW( root, path );
}

/* what a program reads that asks for the version of Windows */
static DWORD windows_version(void)
{
    NTSTATUS (WINAPI *get_version)( OSVERSIONINFOEXW * );
    OSVERSIONINFOEXW info = { sizeof(info) };

    get_version = (void *)GetProcAddress( GetModuleHandleW( L"ntdll" ), "RtlGetVersion" );
    get_version( &info );
    return MAKELONG( info.dwBuildNumber, info.dwMajorVersion << 8 | info.wProductType );
}

static DWORD anonymous_pipe(void)
{
    HANDLE reader, writer;

    if (!CreatePipe( &reader, &writer, NULL, 0 )) return GetLastError();
    CloseHandle( reader );
    CloseHandle( writer );
    return 0;
}

static DWORD own_named_pipe(void)
{
    HANDLE pipe = make_pipe( L"\\\\.\\pipe\\lab-child-pipe", NULL );
    DWORD err;

    if (pipe == INVALID_HANDLE_VALUE) return GetLastError();
    err = open_pipe( L"\\\\.\\pipe\\lab-child-pipe", GENERIC_READ | GENERIC_WRITE );
    CloseHandle( pipe );
    return err;
}

static DWORD open_token( DWORD pid, DWORD access )
{
    HANDLE process = OpenProcess( PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid ), token = NULL;

    if (!process) return GetLastError();
    return OpenProcessToken( process, access, &token ) ? opened( token ) : GetLastError();
}

static DWORD WINAPI wait( void *event )
{
    return WaitForSingleObject( event, 20000 );
}

static DWORD open_new_thread(void)
{
    DWORD id, err;
    HANDLE event = CreateEventW( NULL, TRUE, FALSE, NULL ), thread = CreateThread( NULL, 0, wait, event, 0, &id );

    err = opened( OpenThread( THREAD_SET_CONTEXT, FALSE, id ));
    SetEvent( event );
    WaitForSingleObject( thread, 20000 );
    return err;
}

static int run_subcommand( int argc, char **argv )
{
    DWORD pid = argc > 2 ? atoi( argv[2] ) : 0;

    if (!strcmp( argv[1], "wait" )) return WaitForSingleObject( GetCurrentProcess(), 20000 );
    if (!strcmp( argv[1], "nothing" )) return 0;
    if (!strcmp( argv[1], "process-write" )) return opened( OpenProcess( PROCESS_VM_WRITE, FALSE, pid ));
    if (!strcmp( argv[1], "process-dup" )) return opened( OpenProcess( PROCESS_DUP_HANDLE, FALSE, pid ));
    if (!strcmp( argv[1], "process-read" )) return opened( OpenProcess( PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid ));
    if (!strcmp( argv[1], "thread" )) return opened( OpenThread( THREAD_SET_CONTEXT, FALSE, pid ));
    if (!strcmp( argv[1], "event" )) return opened( OpenEventW( EVENT_MODIFY_STATE, FALSE, EVENT_NAME ));
    if (!strcmp( argv[1], "pipe-write" )) return open_pipe( PIPE_NAME, GENERIC_READ | GENERIC_WRITE );
    if (!strcmp( argv[1], "pipe-open" )) return open_pipe( OPEN_PIPE, GENERIC_READ | GENERIC_WRITE );
    if (!strcmp( argv[1], "pipe-instance" ))
    {
        return opened( make_pipe( PIPE_NAME, NULL ));
    }
    if (!strcmp( argv[1], "anonymous-pipe" )) return anonymous_pipe();
    if (!strcmp( argv[1], "own-named-pipe" )) return own_named_pipe();
    if (!strcmp( argv[1], "hkcu-write" )) return set_key_value( HKEY_CURRENT_USER, L"Environment" );
    if (!strcmp( argv[1], "hkcu-create" )) return create_key( HKEY_CURRENT_USER, L"Software\\lab" );
    if (!strcmp( argv[1], "hkcu-read" )) return read_key( HKEY_CURRENT_USER, L"Environment" );
    if (!strcmp( argv[1], "hkcu-all" )) return write_with_all_access( HKEY_CURRENT_USER );
    if (!strcmp( argv[1], "hklm-write" ))
        return set_key_value( HKEY_LOCAL_MACHINE, L"Software\\Microsoft\\Windows NT\\CurrentVersion" );
    if (!strcmp( argv[1], "version" )) return windows_version();
    if (!strcmp( argv[1], "token" )) return open_token( pid, argc > 3 ? atoi( argv[3] ) : 0 );
    if (!strcmp( argv[1], "own-process" )) return opened( OpenProcess( PROCESS_VM_WRITE, FALSE, GetCurrentProcessId() ));
    if (!strcmp( argv[1], "own-thread" )) return opened( OpenThread( THREAD_SET_CONTEXT, FALSE, GetCurrentThreadId() ));
    if (!strcmp( argv[1], "own-token" )) return open_token( GetCurrentProcessId(), TOKEN_ADJUST_DEFAULT );
    if (!strcmp( argv[1], "new-thread" )) return open_new_thread();
    if (!strcmp( argv[1], "spawn" )) return run_child( NULL, L"nothing" );
    return 99;
}

/* a write-restricted token; with the logon SID among those that restrict it, or without */
static HANDLE restricted( BOOL with_logon_sid )
{
    SID_AND_ATTRIBUTES list[3] = { { sid_from_string( SYNTHETIC_SID ) }, { sid_from_string( L"S-1-1-0" ) },
                                   { logon_sid( own_token() ) } };
    HANDLE token = NULL;

    CreateRestrictedToken( own_token(), WRITE_RESTRICTED | LUA_TOKEN | DISABLE_MAX_PRIVILEGE, 0, NULL, 0, NULL,
                           with_logon_sid ? 3 : 2, list, &token );
    return token;
}

static void set_default_dacl( HANDLE token )
{
    EXPLICIT_ACCESSW entries[2] = { { GENERIC_ALL, GRANT_ACCESS, 0 }, { GENERIC_ALL, GRANT_ACCESS, 0 } };
    TOKEN_DEFAULT_DACL dacl = { 0 };

    BuildTrusteeWithSidW( &entries[0].Trustee, sid_from_string( SYNTHETIC_SID ));
    BuildTrusteeWithSidW( &entries[1].Trustee, user_sid( token ));
    SetEntriesInAclW( 2, entries, NULL, &dacl.DefaultDacl );
    SetTokenInformation( token, TokenDefaultDacl, &dacl, sizeof(dacl) );
}

static void child( HANDLE token, const WCHAR *command, DWORD expected, const char *name )
{
    DWORD ret = run_child( token, command );

    if (!ok( ret == expected, "%s", name )) printf( "# error %lu, expected %lu\n", ret, expected );
}

static void test_processes( HANDLE plain, HANDLE sandbox )
{
    WCHAR command[64];

    swprintf( command, 64, L"process-write %lu", GetCurrentProcessId() );
    child( plain, command, 0, "a process of the user may write to another" );
    child( sandbox, command, ERROR_ACCESS_DENIED, "a write-restricted one may not" );
    swprintf( command, 64, L"process-dup %lu", GetCurrentProcessId() );
    child( plain, command, 0, "a process of the user may duplicate handles of another" );
    child( sandbox, command, ERROR_ACCESS_DENIED, "a write-restricted one may not" );
    swprintf( command, 64, L"process-read %lu", GetCurrentProcessId() );
    child( sandbox, command, 0, "but may query it" );
    swprintf( command, 64, L"thread %lu", GetCurrentThreadId() );
    child( plain, command, 0, "a process of the user may set the context of a thread" );
    child( sandbox, command, ERROR_ACCESS_DENIED, "a write-restricted one may not" );
}

/* GENERIC_READ and GENERIC_EXECUTE of tokens include what it takes to use them (test_access.c has the mapping), which
 * a write-restricted process is asked once */
static void test_token_rights( HANDLE plain, HANDLE sandbox )
{
    static const DWORD once[] = { TOKEN_QUERY, TOKEN_QUERY_SOURCE, TOKEN_DUPLICATE, TOKEN_IMPERSONATE, TOKEN_ASSIGN_PRIMARY };
    WCHAR command[64];
    unsigned int i;

    for (i = 0; i < ARRAYSIZE( once ); i++)
    {
        swprintf( command, 64, L"token %lu %lu", GetCurrentProcessId(), once[i] );
        child( sandbox, command, 0, "a write-restricted process opens the user's token to use it" );
    }
    swprintf( command, 64, L"token %lu %lu", GetCurrentProcessId(), TOKEN_ADJUST_DEFAULT );
    child( plain, command, 0, "a process of the user may change the token" );
    child( sandbox, command, ERROR_ACCESS_DENIED, "a write-restricted one may not" );
}

static void test_first_thread( HANDLE plain, HANDLE with_dacl )
{
    const DWORD callers = lab_has( "thread-dacl=caller" ) ? ERROR_ACCESS_DENIED : 0;

    child( plain, L"own-process", 0, "a process opens itself" );
    child( plain, L"own-thread", 0, "and its first thread" );
    child( plain, L"own-token", 0, "and its token" );
    child( with_dacl, L"new-thread", 0, "a restricted one opens a thread that it made, by the default DACL of its token" );
    child( with_dacl, L"own-process", callers, "itself" );
    child( with_dacl, L"own-thread", callers, "its first thread" );
    child( with_dacl, L"own-token", callers, "its token" );
}

/* the processes that a plain token of the user can open for writing are its own */
static void test_services(void)
{
    HANDLE snapshot = CreateToolhelp32Snapshot( TH32CS_SNAPPROCESS, 0 );
    PROCESSENTRY32W entry = { sizeof(entry) };
    BOOL found = FALSE;

    for (BOOL more = Process32FirstW( snapshot, &entry ); more; more = Process32NextW( snapshot, &entry ))
    {
        if (wcsicmp( entry.szExeFile, L"services.exe" )) continue;
        found = TRUE;
        ok( opened( OpenProcess( PROCESS_VM_WRITE, FALSE, entry.th32ProcessID )) == ERROR_ACCESS_DENIED,
            "the standard user does not write to services.exe" );
    }
    ok( found, "services.exe is running" );
    CloseHandle( snapshot );
}

static void test_named_objects( HANDLE plain, HANDLE sandbox, HANDLE with_dacl )
{
    HANDLE event = CreateEventW( NULL, TRUE, FALSE, EVENT_NAME );
    HANDLE closed = make_pipe( PIPE_NAME, NULL ), open = make_pipe( OPEN_PIPE, L"D:(A;;GA;;;WD)" );

    child( plain, L"event", 0, "a process of the user may set its event" );
    child( sandbox, L"event", ERROR_ACCESS_DENIED, "a write-restricted one may not" );
    child( sandbox, L"pipe-write", ERROR_ACCESS_DENIED, "nor write to its pipe" );
    child( sandbox, L"pipe-instance", ERROR_ACCESS_DENIED, "nor add an instance to it" );
    child( plain, L"pipe-write", 0, "a process of the user may write to it" );
    child( plain, L"pipe-instance", 0, "and add an instance" );
    child( sandbox, L"pipe-open", 0, "a pipe for everyone is open to the restricted one" );
    child( plain, L"anonymous-pipe", 0, "CreatePipe" );
    child( sandbox, L"anonymous-pipe", ERROR_ACCESS_DENIED, "CreatePipe needs a default DACL that admits the restricting SIDs" );
    child( with_dacl, L"anonymous-pipe", 0, "and works with one" );
    child( plain, L"own-named-pipe", 0, "CreateNamedPipe without a descriptor" );
    child( with_dacl, L"own-named-pipe", ERROR_ACCESS_DENIED, "admits only the owner to writing, whatever the default DACL says" );
    CloseHandle( event );
    CloseHandle( closed );
    CloseHandle( open );
}

static void test_registry( HANDLE plain, HANDLE sandbox )
{
    const WCHAR *machine = L"Software\\Microsoft\\Windows\\CurrentVersion";

    ok( !read_key( HKEY_LOCAL_MACHINE, machine ), "the standard user reads HKLM" );
    ok( set_key_value( HKEY_LOCAL_MACHINE, machine ) == ERROR_ACCESS_DENIED, "but does not write there" );
    ok( create_key( HKEY_LOCAL_MACHINE, L"Software\\lab" ) == ERROR_ACCESS_DENIED, "nor create keys" );
    ok( !create_key( HKEY_CURRENT_USER, L"Software\\lab" ), "it creates keys in HKCU" );
    child( plain, L"hkcu-write", 0, "a process of the user writes HKCU" );
    child( plain, L"hkcu-create", 0, "and creates keys there" );
    child( sandbox, L"hkcu-write", ERROR_ACCESS_DENIED, "a write-restricted one does not write" );
    child( sandbox, L"hkcu-create", ERROR_ACCESS_DENIED, "nor create keys" );
    child( sandbox, L"hkcu-read", 0, "but reads" );
    child( plain, L"hkcu-all", 0, "HKCU opens for all access to its user" );
    child( sandbox, L"hkcu-all", ERROR_ACCESS_DENIED, "and to a write-restricted process too, but not for writing" );
    ok( HIWORD(windows_version()) >> 8 == 10, "this is Windows 10 (%lx)", windows_version() );
    child( sandbox, L"version", windows_version(), "and so it is for a write-restricted process" );
    child( sandbox, L"hklm-write", ERROR_ACCESS_DENIED, "which does not write where it read that" );
}

static void test_key_descriptor(void)
{
    PSECURITY_DESCRIPTOR sd;
    HKEY key, sub;

    RegCreateKeyExW( HKEY_CURRENT_USER, L"Software\\lab-sd", 0, NULL, REG_OPTION_VOLATILE, KEY_ALL_ACCESS, NULL, &key, NULL );
    ok( !set_key_value( HKEY_CURRENT_USER, L"Software\\lab-sd" ), "a new key in HKCU can be written" );
    ConvertStringSecurityDescriptorToSecurityDescriptorW( L"D:(A;CI;KR;;;WD)", SDDL_REVISION_1, &sd, NULL );
    ok( !RegSetKeySecurity( key, DACL_SECURITY_INFORMATION, sd ), "RegSetKeySecurity" );
    ok( !read_key( HKEY_CURRENT_USER, L"Software\\lab-sd" ), "the key opens for what the descriptor allows" );
    ok( set_key_value( HKEY_CURRENT_USER, L"Software\\lab-sd" ) == ERROR_ACCESS_DENIED, "and for nothing else" );
    ok( RegCreateKeyExW( key, L"sub", 0, NULL, REG_OPTION_VOLATILE, KEY_READ, NULL, &sub, NULL ) == ERROR_ACCESS_DENIED,
        "subkeys take KEY_CREATE_SUB_KEY" );
    ConvertStringSecurityDescriptorToSecurityDescriptorW( L"D:(A;CI;KA;;;WD)", SDDL_REVISION_1, &sd, NULL );
    ok( !RegSetKeySecurity( key, DACL_SECURITY_INFORMATION, sd ) && !RegDeleteKeyW( key, L"" ), "the handle keeps its rights" );
    RegCloseKey( key );
}

static void test_jobs(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = { 0 }, got = { 0 };
    JOBOBJECT_BASIC_UI_RESTRICTIONS ui = { JOB_OBJECT_UILIMIT_HANDLES | JOB_OBJECT_UILIMIT_DESKTOP }, got_ui = { 0 };
    HANDLE job = CreateJobObjectW( NULL, NULL ), limited = CreateJobObjectW( NULL, NULL ), inner;
    PROCESS_INFORMATION pi;
    STARTUPINFOW si = { sizeof(si) };
    WCHAR path[MAX_PATH], command[MAX_PATH + 16];
    DWORD code = 1;

    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_ACTIVE_PROCESS | JOB_OBJECT_LIMIT_JOB_MEMORY |
                                              JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    limits.BasicLimitInformation.ActiveProcessLimit = 1;
    limits.JobMemoryLimit = 1 << 28;
    ok( SetInformationJobObject( job, JobObjectExtendedLimitInformation, &limits, sizeof(limits) ), "set the limits of a job" );
    ok( QueryInformationJobObject( job, JobObjectExtendedLimitInformation, &got, sizeof(got), NULL ) &&
        got.BasicLimitInformation.LimitFlags == limits.BasicLimitInformation.LimitFlags &&
        got.BasicLimitInformation.ActiveProcessLimit == 1 && got.JobMemoryLimit == limits.JobMemoryLimit, "they read back" );
    ok( SetInformationJobObject( job, JobObjectBasicUIRestrictions, &ui, sizeof(ui) ), "set its user interface limits" );
    ok( QueryInformationJobObject( job, JobObjectBasicUIRestrictions, &got_ui, sizeof(got_ui), NULL ) &&
        got_ui.UIRestrictionsClass == ui.UIRestrictionsClass, "they read back" );

    GetModuleFileNameW( NULL, path, MAX_PATH );
    swprintf( command, MAX_PATH + 16, L"\"%ls\" spawn", path );
    ok( CreateProcessW( path, command, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &si, &pi ), "start a process" );
    ok( AssignProcessToJobObject( job, pi.hProcess ), "one process fits in" );
    ResumeThread( pi.hThread );
    WaitForSingleObject( pi.hProcess, 30000 );
    GetExitCodeProcess( pi.hProcess, &code );
    ok( code == (0x80000000 | ERROR_NOT_ENOUGH_QUOTA), "a second one does not start (%lx)", code );

    limits.BasicLimitInformation.ActiveProcessLimit = 2;
    SetInformationJobObject( job, JobObjectExtendedLimitInformation, &limits, sizeof(limits) );
    swprintf( command, MAX_PATH + 16, L"\"%ls\" spawn", path );
    CreateProcessW( path, command, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &si, &pi );
    AssignProcessToJobObject( job, pi.hProcess );
    ResumeThread( pi.hThread );
    WaitForSingleObject( pi.hProcess, 30000 );
    GetExitCodeProcess( pi.hProcess, &code );
    ok( code == 0, "with a limit of two it does (%lx)", code );
    CloseHandle( job );

    /* a job that limits the user interface neither is in another one nor holds one */
    CreateProcessW( path, command, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &si, &pi );
    job = CreateJobObjectW( NULL, NULL );
    inner = CreateJobObjectW( NULL, NULL );
    ok( AssignProcessToJobObject( job, pi.hProcess ), "a process is put into a job" );
    SetInformationJobObject( inner, JobObjectBasicUIRestrictions, &ui, sizeof(ui) );
    SetLastError( 0 );
    ok( !AssignProcessToJobObject( inner, pi.hProcess ) && GetLastError() == ERROR_NOT_SUPPORTED, "not into one with limits, too" );
    CloseHandle( inner );
    inner = CreateJobObjectW( NULL, NULL );
    ok( AssignProcessToJobObject( inner, pi.hProcess ), "but into one without" );
    TerminateProcess( pi.hProcess, 0 );
    CreateProcessW( path, command, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &si, &pi );
    SetInformationJobObject( limited, JobObjectBasicUIRestrictions, &ui, sizeof(ui) );
    ok( AssignProcessToJobObject( limited, pi.hProcess ), "alone into one with limits" );
    CloseHandle( inner );
    inner = CreateJobObjectW( NULL, NULL );
    SetLastError( 0 );
    ok( !AssignProcessToJobObject( inner, pi.hProcess ) && GetLastError() == ERROR_NOT_SUPPORTED, "and then into no other" );
    TerminateProcess( pi.hProcess, 0 );
    CloseHandle( inner );
    CloseHandle( limited );
    CloseHandle( job );
}

int main( int argc, char **argv )
{
    HANDLE plain, sandbox, with_logon, with_dacl;

    if (argc > 1) return run_subcommand( argc, argv );
    plain = filter_token( 0, NULL, NULL, NULL );
    sandbox = restricted( FALSE );
    with_logon = restricted( TRUE );
    with_dacl = restricted( FALSE );
    set_default_dacl( with_dacl );
    ok( plain && sandbox && with_logon && with_dacl, "make the tokens" );
    test_processes( plain, with_logon );
    test_token_rights( plain, sandbox );
    test_first_thread( plain, with_dacl );
    test_services();
    test_named_objects( plain, sandbox, with_dacl );
    test_registry( plain, with_logon );
    test_key_descriptor();
    test_jobs();
    return finish();
}
