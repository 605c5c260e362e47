/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is tried in a sandbox, and without one.  Ends with the Windows error.
 *
 *   read FILE             to standard output
 *   write FILE WORD       the whole content
 *   send tcp|udp HOST PORT WORD
 *   end CODE
 *   hold                  writes its process id, and stays until its input ends
 */

#include "../tests/fwp_test.h"

static DWORD read_file( const char *name )
{
    HANDLE file = CreateFileA( name, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL );
    char text[256];
    DWORD size = 0, err = 0;

    if (file == INVALID_HANDLE_VALUE) return GetLastError();
    if (!ReadFile( file, text, sizeof(text), &size, NULL )) err = GetLastError();
    fwrite( text, 1, size, stdout );
    CloseHandle( file );
    return err;
}

static DWORD write_file( const char *name, const char *word )
{
    HANDLE file = CreateFileA( name, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS, 0, NULL );
    DWORD size, err = 0;

    if (file == INVALID_HANDLE_VALUE) return GetLastError();
    if (!WriteFile( file, word, strlen( word ), &size, NULL )) err = GetLastError();
    CloseHandle( file );
    return err;
}

static DWORD hold(void)
{
    printf( "%lu\n", GetCurrentProcessId() );
    fflush( stdout );
    while (getchar() != EOF) ;
    return 0;
}

int main( int argc, char **argv )
{
    WSADATA data;

    WSAStartup( MAKEWORD(2, 2), &data );
    if (argc == 3 && !strcmp( argv[1], "read" )) return read_file( argv[2] );
    if (argc == 4 && !strcmp( argv[1], "write" )) return write_file( argv[2], argv[3] );
    if (argc == 6 && !strcmp( argv[1], "send" ))
        return send_word( strcmp( argv[2], "udp" ) ? SOCK_STREAM : SOCK_DGRAM, argv[3], atoi( argv[4] ), argv[5] );
    if (argc == 3 && !strcmp( argv[1], "end" )) return atoi( argv[2] );
    return argc == 2 && !strcmp( argv[1], "hold" ) ? hold() : ERROR_BAD_ARGUMENTS;
}
