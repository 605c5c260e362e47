/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filters, and flows that they decide about, for the lab's network tests. */

#ifndef FWP_TEST_H
#define FWP_TEST_H

#include "lab_test.h"
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <icmpapi.h>
#define INITGUID
#include <guiddef.h>
#include <fwpmu.h>
#include "../fwpuclnt/ntlab_fwp.h"

static inline void expect_error( DWORD err, DWORD expected, const char *name )
{
    if (!ok( err == expected, "%s", name )) printf( "# error %#lx, expected %#lx\n", err, expected );
}

/* ---- the engine ---- */

static inline HANDLE open_engine( BOOL dynamic )
{
    FWPM_SESSION0 session = { .flags = dynamic ? FWPM_SESSION_FLAG_DYNAMIC : 0 };
    HANDLE engine = NULL;
    DWORD err = FwpmEngineOpen0( NULL, RPC_C_AUTHN_WINNT, NULL, &session, &engine );

    if (err) printf( "# FwpmEngineOpen0: %#lx\n", err );
    return engine;
}

static inline DWORD add_sublayer( HANDLE engine, const GUID *key, UINT16 weight, UINT32 flags )
{
    FWPM_SUBLAYER0 sublayer = { .subLayerKey = *key, .displayData = { L"sublayer" }, .weight = weight, .flags = flags };

    return FwpmSubLayerAdd0( engine, &sublayer, NULL );
}

/* the descriptor of a condition; lives as long as the program */
static inline FWP_BYTE_BLOB *user_blob( const WCHAR *sddl )
{
    FWP_BYTE_BLOB *blob = calloc( 1, sizeof(*blob) );
    ULONG size = 0;

    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW( sddl, SDDL_REVISION_1, (PSECURITY_DESCRIPTOR *)&blob->data, &size ))
        printf( "# bad SDDL %ls\n", sddl );
    blob->size = size;
    return blob;
}

static inline FWPM_FILTER_CONDITION0 when_user( const WCHAR *sddl )
{
    FWPM_FILTER_CONDITION0 condition = { FWPM_CONDITION_ALE_USER_ID, FWP_MATCH_EQUAL, { FWP_SECURITY_DESCRIPTOR_TYPE } };

    condition.conditionValue.sd = user_blob( sddl );
    return condition;
}

static inline FWPM_FILTER_CONDITION0 when( const GUID *field, FWP_MATCH_TYPE match, FWP_DATA_TYPE type, UINT32 value )
{
    FWPM_FILTER_CONDITION0 condition = { *field, match, { type } };

    condition.conditionValue.uint32 = value;
    return condition;
}

static inline FWPM_FILTER_CONDITION0 when_pointer( const GUID *field, FWP_MATCH_TYPE match, FWP_DATA_TYPE type, void *value )
{
    FWPM_FILTER_CONDITION0 condition = { *field, match, { type } };

    condition.conditionValue.uint64 = value;
    return condition;
}

/* a filter of a weight, which may be NULL; its id is in added_filter */
static UINT64 added_filter;

static inline DWORD add_filter( HANDLE engine, const GUID *sublayer, const GUID *layer, UINT32 action, UINT64 weight, UINT32 flags,
                                UINT32 count, FWPM_FILTER_CONDITION0 *conditions )
{
    FWPM_FILTER0 filter = { .displayData = { L"filter" }, .layerKey = *layer, .flags = flags, .action = { action } };

    if (sublayer) filter.subLayerKey = *sublayer;
    filter.weight.type         = FWP_UINT64;
    filter.weight.uint64       = &weight;
    filter.numFilterConditions = count;
    filter.filterCondition     = conditions;
    return FwpmFilterAdd0( engine, &filter, NULL, &added_filter );
}

/* ---- flows ---- */

static inline struct sockaddr_storage make_address( const char *host, int port )
{
    struct sockaddr_storage addr = { 0 };
    int len = sizeof(addr);

    WSAStringToAddressA( (char *)host, strchr( host, ':' ) ? AF_INET6 : AF_INET, NULL, (struct sockaddr *)&addr, &len );
    ((struct sockaddr_in *)&addr)->sin_port = htons( port );  /* the same place in both */
    return addr;
}

static inline int address_size( const struct sockaddr_storage *addr )
{
    return addr->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* send a word; returns the error of what failed.  A connection waits for the listener to take it. */
static inline DWORD send_word( int type, const char *host, int port, const char *word )
{
    struct sockaddr_storage addr = make_address( host, port );
    SOCKET s = socket( addr.ss_family, type, 0 );
    DWORD err = 0;

    if (s == INVALID_SOCKET) return WSAGetLastError();
    if (type == SOCK_DGRAM)
    {
        if (sendto( s, word, strlen( word ), 0, (struct sockaddr *)&addr, address_size( &addr )) == SOCKET_ERROR) err = WSAGetLastError();
    }
    else if (connect( s, (struct sockaddr *)&addr, address_size( &addr ))) err = WSAGetLastError();
    else send( s, word, strlen( word ), 0 );
    closesocket( s );
    return err;
}

static inline SOCKET bound_socket( int type, const char *host, int *port, DWORD *err )
{
    struct sockaddr_storage addr = make_address( host, *port );
    SOCKET s = socket( addr.ss_family, type, 0 );
    int len = sizeof(addr);

    *err = 0;
    if (s == INVALID_SOCKET || bind( s, (struct sockaddr *)&addr, address_size( &addr ))) *err = WSAGetLastError();
    else if (!getsockname( s, (struct sockaddr *)&addr, &len )) *port = ntohs( ((struct sockaddr_in *)&addr)->sin_port );
    return s;
}

static inline DWORD try_bind( int type, const char *host )
{
    int port = 0;
    DWORD err;

    closesocket( bound_socket( type, host, &port, &err ));
    return err;
}

static inline DWORD try_listen( const char *host )
{
    int port = 0;
    DWORD err;
    SOCKET s = bound_socket( SOCK_STREAM, host, &port, &err );

    if (!err && listen( s, 1 )) err = WSAGetLastError();
    closesocket( s );
    return err;
}

static inline DWORD try_raw(void)
{
    SOCKET s = socket( AF_INET, SOCK_RAW, IPPROTO_ICMP );
    DWORD err = s == INVALID_SOCKET ? WSAGetLastError() : 0;

    closesocket( s );
    return err;
}

static inline DWORD try_ping( const char *host )
{
    struct sockaddr_storage addr = make_address( host, 0 );
    HANDLE icmp = IcmpCreateFile();
    char reply[256];
    DWORD err = 0;

    if (!IcmpSendEcho( icmp, ((struct sockaddr_in *)&addr)->sin_addr.s_addr, "ping", 4, NULL, reply, sizeof(reply), 5000 ))
        err = GetLastError();
    IcmpCloseHandle( icmp );
    return err;
}

/* ---- the oracles: files of the listener and of the server, by their names in Unix ---- */

static char oracle_text[65536];

/* what is in such a file behind a position */
static inline const char *oracle( const WCHAR *variable, const WCHAR *name, DWORD from )
{
    WCHAR path[MAX_PATH] = L"\\\\?\\unix";
    DWORD len = wcslen( path ), size = 0;
    HANDLE file;

    GetEnvironmentVariableW( variable, path + len, MAX_PATH - len - 16 );
    wcscat( path, name );
    file = CreateFileW( path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL );
    if (file == INVALID_HANDLE_VALUE) printf( "# cannot open %ls: %lu\n", path, GetLastError() );
    SetFilePointer( file, from, NULL, FILE_BEGIN );
    ReadFile( file, oracle_text, sizeof(oracle_text) - 1, &size, NULL );
    CloseHandle( file );
    oracle_text[size] = 0;
    return oracle_text;
}

static inline int listener_port(void) { return atoi( oracle( L"LAB_LISTENER", L"/port", 0 )); }

/* did the listener get it?  Waits for up to ten seconds for what is there */
static inline BOOL arrived( const char *kind, const char *word )
{
    char line[64];
    int i;

    snprintf( line, sizeof(line), "%s %s\n", kind, word );
    for (i = 0; i < 1000; i++)
    {
        if (strstr( oracle( L"LAB_LISTENER", L"/log", 0 ), line )) return TRUE;
        Sleep( 10 );
    }
    return FALSE;
}

static inline BOOL never_arrived( const char *kind, const char *word )
{
    char line[64];

    snprintf( line, sizeof(line), "%s %s\n", kind, word );
    return !strstr( oracle( L"LAB_LISTENER", L"/log", 0 ), line );
}

#endif
