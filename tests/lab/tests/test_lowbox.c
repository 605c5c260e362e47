/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AppContainers: their tokens, what they may open, and processes in them. */

#include "lab_test.h"
#include <winternl.h>

#define PACKAGE      L"S-1-15-2-1-2-3-4-5-6-7"
#define OTHER        L"S-1-15-2-1-2-3-4-5-6-8"
#define CAPABILITY   L"S-1-15-3-1"
#define DENIED       ((NTSTATUS)0xC0000022)
#define BAD          ((NTSTATUS)0xC000000D)

static NTSTATUS (NTAPI *create_lowbox)( HANDLE *, HANDLE, ACCESS_MASK, OBJECT_ATTRIBUTES *, PSID, ULONG, SID_AND_ATTRIBUTES *, ULONG, HANDLE * );
static WCHAR folder[MAX_PATH], file[MAX_PATH], program[MAX_PATH];

static void expect( DWORD result, DWORD expected, const char *name )
{
    if (!ok( result == expected, "%s", name )) printf( "# %#lx, expected %#lx\n", result, expected );
}

static HANDLE lowbox( HANDLE token, const WCHAR *package, const WCHAR *capability, NTSTATUS *status )
{
    SID_AND_ATTRIBUTES list = { capability ? sid_from_string( capability ) : NULL, SE_GROUP_ENABLED };
    HANDLE ret = NULL;

    *status = create_lowbox( &ret, token, TOKEN_ALL_ACCESS, NULL, sid_from_string( package ), !!capability, &list, 0, NULL );
    return ret;
}

static DWORD is_container( HANDLE token )
{
    DWORD *value = token_info( token, TokenIsAppContainer );

    return value ? *value : ~0u;
}

static void test_token( HANDLE token )
{
    TOKEN_APPCONTAINER_INFORMATION *info = token_info( token, TokenAppContainerSid ), *own = token_info( own_token(), TokenAppContainerSid );
    TOKEN_GROUPS *capabilities = token_info( token, TokenCapabilities );
    TOKEN_MANDATORY_LABEL *label = token_info( token, TokenIntegrityLevel );
    HANDLE copy = impersonation( token );
    NTSTATUS status;

    expect( is_container( own_token() ), 0, "a program is in no AppContainer" );
    ok( own && !own->TokenAppContainer, "and of no package" );
    expect( is_container( token ), 1, "a token that was made for one is" );
    expect( is_container( copy ), 1, "and its duplicate" );
    ok( info && info->TokenAppContainer && EqualSid( info->TokenAppContainer, sid_from_string( PACKAGE )), "of its package" );
    ok( capabilities && capabilities->GroupCount == 1 && EqualSid( capabilities->Groups[0].Sid, sid_from_string( CAPABILITY )),
        "with its capability" );
    ok( label && *GetSidSubAuthority( label->Label.Sid, 0 ) == SECURITY_MANDATORY_LOW_RID, "at low integrity" );

    lowbox( own_token(), L"S-1-5-32-545", NULL, &status );
    expect( status, BAD, "a group is no package" );
    lowbox( own_token(), L"S-1-15-2-1", NULL, &status );
    expect( status, BAD, "nor are all of them" );
    lowbox( own_token(), PACKAGE, L"S-1-5-32-545", &status );
    expect( status, BAD, "a group is no capability" );
    lowbox( token, OTHER, NULL, &status );
    expect( status, DENIED, "none in another one" );
}

static void open_to_all(void)
{
    SECURITY_DESCRIPTOR sd;

    InitializeSecurityDescriptor( &sd, SECURITY_DESCRIPTOR_REVISION );
    SetSecurityDescriptorDacl( &sd, TRUE, NULL, FALSE );
    SetFileSecurityW( file, DACL_SECURITY_INFORMATION, &sd );
}

static DWORD as( HANDLE token, DWORD access )
{
    return AS( token, try_open( file, access, OPEN_EXISTING, 0 ));
}

static void test_access( HANDLE primary )
{
    const HANDLE token = impersonation( primary );
    NTSTATUS status;
    const HANDLE other = impersonation( lowbox( own_token(), OTHER, NULL, &status ));

    set_sd( file, L"D:P(A;;FA;;;WD)" );
    expect( as( NULL, GENERIC_READ ), 0, "the user opens his file" );
    expect( as( token, GENERIC_READ ), ERROR_ACCESS_DENIED, "his AppContainer does not" );
    expect( as( token, WRITE_DAC ), ERROR_ACCESS_DENIED, "nor changes who may" );
    set_sd( file, L"D:P(A;;FA;;;WD)(A;;FA;;;" PACKAGE L")" );
    expect( as( token, GENERIC_READ | GENERIC_WRITE ), 0, "what is open to the package is, for writing too" );
    expect( as( other, GENERIC_READ ), ERROR_ACCESS_DENIED, "and not to another package" );
    set_sd( file, L"D:P(A;;FR;;;WD)(A;;FA;;;" PACKAGE L")" );
    expect( as( token, GENERIC_READ ), 0, "but no more" );
    expect( as( token, GENERIC_WRITE ), ERROR_ACCESS_DENIED, "than the user may" );
    set_sd( file, L"D:P(A;;FA;;;WD)(A;;FR;;;S-1-15-2-1)" );
    expect( as( token, GENERIC_READ ), 0, "what is open to all packages" );
    expect( as( token, GENERIC_WRITE ), ERROR_ACCESS_DENIED, "for reading only" );
    set_sd( file, L"D:P(A;;FA;;;WD)(A;;FR;;;" CAPABILITY L")" );
    expect( as( token, GENERIC_READ ), 0, "what is open to a capability" );
    expect( as( other, GENERIC_READ ), ERROR_ACCESS_DENIED, "which the other has not" );
    set_sd( file, L"D:P(D;;FR;;;" PACKAGE L")(A;;FA;;;WD)(A;;FA;;;S-1-15-2-1)" );
    expect( as( token, GENERIC_READ ), ERROR_ACCESS_DENIED, "what is denied to the package" );
    open_to_all();
    expect( as( token, GENERIC_READ ), 0, "without a DACL" );
    expect( as( token, GENERIC_WRITE ), ERROR_ACCESS_DENIED, "the integrity level decides" );
}

/* run the copy of this program that is open to packages */
static DWORD run_in( const WCHAR *package, DWORD policy, const WCHAR *arguments )
{
    SECURITY_CAPABILITIES capabilities = { sid_from_string( package ) };
    STARTUPINFOEXW si = { { sizeof(si) } };
    WCHAR command[1024];
    PROCESS_INFORMATION pi;
    SIZE_T size = 0;
    DWORD code = ~0u;

    InitializeProcThreadAttributeList( NULL, 2, 0, &size );
    si.lpAttributeList = malloc( size );
    InitializeProcThreadAttributeList( si.lpAttributeList, 2, 0, &size );
    if (!UpdateProcThreadAttribute( si.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_SECURITY_CAPABILITIES, &capabilities, sizeof(capabilities), NULL, NULL ) ||
        !UpdateProcThreadAttribute( si.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_ALL_APPLICATION_PACKAGES_POLICY, &policy, sizeof(policy), NULL, NULL ))
        return 0x80000000 | GetLastError();
    swprintf( command, 1024, L"\"%ls\" %ls \"%ls\"", program, arguments, file );
    if (!CreateProcessW( program, command, NULL, NULL, FALSE, EXTENDED_STARTUPINFO_PRESENT, NULL, L"C:\\windows", &si.StartupInfo, &pi ))
        return 0x80000000 | GetLastError();
    WaitForSingleObject( pi.hProcess, 30000 );
    GetExitCodeProcess( pi.hProcess, &code );
    CloseHandle( pi.hProcess );
    CloseHandle( pi.hThread );
    return code;
}

static DWORD run_as( HANDLE token, const WCHAR *arguments )
{
    STARTUPINFOW si = { sizeof(si) };
    PROCESS_INFORMATION pi;
    WCHAR command[1024];
    DWORD code = ~0u;

    swprintf( command, 1024, L"\"%ls\" %ls \"%ls\"", program, arguments, file );
    if (!CreateProcessAsUserW( token, program, command, NULL, NULL, FALSE, 0, NULL, L"C:\\windows", &si, &pi ))
        return 0x80000000 | GetLastError();
    WaitForSingleObject( pi.hProcess, 30000 );
    GetExitCodeProcess( pi.hProcess, &code );
    return code;
}

static void test_processes( HANDLE token )
{
    NTSTATUS status;
    const HANDLE filtered = lowbox( filter_token( 0, L"S-1-5-4", NULL, NULL ), PACKAGE, NULL, &status );

    set_sd( file, L"D:P(A;;FA;;;WD)(A;;FR;;;S-1-15-2-1)" );
    expect( run_in( PACKAGE, 0, L"container" ), 1, "a process in an AppContainer" );
    expect( run_in( PACKAGE, 0, L"read" ), 0, "reads what is open to packages" );
    expect( run_in( PACKAGE, 1, L"read" ), ERROR_ACCESS_DENIED, "one that has opted out does not" );
    expect( run_in( PACKAGE, 0, L"write" ), ERROR_ACCESS_DENIED, "it does not write" );
    expect( run_in( PACKAGE, 0, L"nested" ), 1, "nor makes an AppContainer" );
    expect( run_in( PACKAGE, 0, L"itself" ), 0, "it opens itself" );
    expect( run_in( PACKAGE, 0, L"parent" ), ERROR_ACCESS_DENIED, "and not its parent" );
    expect( run_as( own_token(), L"write" ), 0, "the program, for the user" );
    expect( run_as( token, L"container" ), 1, "with the token, without a privilege" );
    expect( run_as( filtered, L"container" ), 1, "one of a filtered one as well" );
}

/* in a process of its own */
static int child( const char *what, const WCHAR *path )
{
    const DWORD parent = _wtoi( _wgetenv( L"LOWBOX_PARENT" ));
    HANDLE token = NULL;
    NTSTATUS status = 0;

    OpenProcessToken( GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &token );
    if (!strcmp( what, "container" )) return is_container( token );
    if (!strcmp( what, "read" )) return try_open( path, GENERIC_READ, OPEN_EXISTING, 0 );
    if (!strcmp( what, "write" )) return try_open( path, GENERIC_WRITE, OPEN_EXISTING, 0 );
    if (!strcmp( what, "nested" )) return !lowbox( token, OTHER, NULL, &status ) && status == DENIED;
    if (!strcmp( what, "itself" )) return last_error_of( OpenProcess( PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId() ) != NULL );
    return last_error_of( OpenProcess( PROCESS_VM_READ, FALSE, parent ) != NULL );
}

int main( int argc, char **argv )
{
    WCHAR profile[MAX_PATH], own[MAX_PATH], number[16];
    NTSTATUS status;
    HANDLE token;

    create_lowbox = (void *)GetProcAddress( GetModuleHandleW( L"ntdll.dll" ), "NtCreateLowBoxToken" );
    if (argc > 2)
    {
        MultiByteToWideChar( CP_ACP, 0, argv[2], -1, file, MAX_PATH );
        return child( argv[1], file );
    }

    GetEnvironmentVariableW( L"USERPROFILE", profile, MAX_PATH );
    swprintf( folder, MAX_PATH, L"%ls\\lowbox", profile );
    swprintf( file, MAX_PATH, L"%ls\\file", folder );
    swprintf( program, MAX_PATH, L"%ls\\program.exe", folder );
    swprintf( number, 16, L"%lu", GetCurrentProcessId() );
    SetEnvironmentVariableW( L"LOWBOX_PARENT", number );
    remove_tree( folder );
    CreateDirectoryW( folder, NULL );
    set_sd( folder, L"D:P(A;OICI;FA;;;WD)(A;OICI;0x1200a9;;;S-1-15-2-1)(A;OICI;0x1200a9;;;S-1-15-2-2)" );
    make_file( file, "text" );
    GetModuleFileNameW( NULL, own, MAX_PATH );
    CopyFileW( own, program, FALSE );

    if (ok( (token = lowbox( own_token(), PACKAGE, CAPABILITY, &status )) && !status, "a token for an AppContainer" ))
    {
        test_token( token );
        test_access( token );
        test_processes( token );
    }
    remove_tree( folder );
    return finish();
}
