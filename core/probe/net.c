/* Rows about the network: this machine's loopback addresses and no others. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include "probe/probe.h"

#include <iphlpapi.h>
#include <icmpapi.h>
#include <string.h>

#define CONNECT_SECONDS 2
#define TRIES 64

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address;

static int begin(void)
{
    static int begun;
    WSADATA data;

    if (!begun)
        begun = WSAStartup(MAKEWORD(2, 2), &data) == 0;
    return begun;
}

static int loopback(address *a, int v6, WORD port)
{
    memset(a, 0, sizeof(*a));
    a->v4.sin_port = htons(port); /* at the same place in both */
    if (!v6) {
        a->v4.sin_family = AF_INET;
        a->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return (int)sizeof(a->v4);
    }
    a->v6.sin6_family = AF_INET6;
    a->v6.sin6_addr.s6_addr[15] = 1;
    return (int)sizeof(a->v6);
}

/* WSAEACCES is the filter's; where there is no such network nothing was tried; all else got there. */
static DWORD code_of(int error)
{
    if (error == WSAEACCES)
        return WSAEACCES;
    switch (error) {
    case WSAENETDOWN:
    case WSAENETUNREACH:
    case WSAEHOSTUNREACH:
    case WSAEADDRNOTAVAIL:
    case WSAEAFNOSUPPORT:
    case WSAEPROTONOSUPPORT:
    case WSAESOCKTNOSUPPORT:
        return SBX_PROBE_UNTRIED;
    default:
        return 0;
    }
}

static SOCKET make(const sbx_probe_row *row, int type, int protocol, DWORD *code)
{
    const SOCKET s = begin() ? socket(row->object_w[0] == L'6' ? AF_INET6 : AF_INET, type, protocol) : INVALID_SOCKET;

    *code = s == INVALID_SOCKET ? (WSAGetLastError() == WSAEACCES ? WSAEACCES : SBX_PROBE_UNTRIED) : 0;
    return s;
}

DWORD sbx_probe_tcp(const sbx_probe_row *row)
{
    struct timeval limit = {CONNECT_SECONDS, 0};
    fd_set writable, failed;
    address a;
    const int length = loopback(&a, row->object_w[0] == L'6', sbx_probe_at.port);
    u_long on = 1;
    int error = 0, size = sizeof(error);
    DWORD code;
    const SOCKET s = make(row, SOCK_STREAM, 0, &code);

    if (code)
        return code;
    ioctlsocket(s, (long)FIONBIO, &on);
    if (connect(s, &a.any, length)) {
        error = WSAGetLastError();
        if (error == WSAEWOULDBLOCK) {
            FD_ZERO(&writable);
            FD_ZERO(&failed);
            FD_SET(s, &writable);
            FD_SET(s, &failed);
            error = 0;
            if (select(0, NULL, &writable, &failed, &limit) == 1)
                getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&error, &size);
        }
    }
    closesocket(s);
    return sbx_probe_at.port ? code_of(error) : SBX_PROBE_UNTRIED;
}

DWORD sbx_probe_udp(const sbx_probe_row *row)
{
    address a;
    const int length = loopback(&a, row->object_w[0] == L'6', sbx_probe_at.port);
    DWORD code;
    const SOCKET s = make(row, SOCK_DGRAM, 0, &code);

    if (code)
        return code;
    if (sendto(s, "x", 1, 0, &a.any, length) != 1)
        code = code_of(WSAGetLastError());
    closesocket(s);
    return sbx_probe_at.port ? code : SBX_PROBE_UNTRIED;
}

DWORD sbx_probe_listen(const sbx_probe_row *row)
{
    address a;
    const int length = loopback(&a, row->object_w[0] == L'6', 0);
    DWORD code;
    const SOCKET s = make(row, SOCK_STREAM, 0, &code);

    if (code)
        return code;
    if (bind(s, &a.any, length) || listen(s, 1))
        code = code_of(WSAGetLastError());
    closesocket(s);
    return code;
}

DWORD sbx_probe_raw(const sbx_probe_row *row)
{
    DWORD code;
    const SOCKET s = make(row, SOCK_RAW, row->object_w[0] == L'6' ? IPPROTO_ICMPV6 : IPPROTO_ICMP, &code);

    if (!code)
        closesocket(s);
    return code;
}

typedef HANDLE(WINAPI *open_fn)(void);
typedef DWORD(WINAPI *echo_fn)(HANDLE, IPAddr, LPVOID, WORD, PIP_OPTION_INFORMATION, LPVOID, DWORD, DWORD);
typedef BOOL(WINAPI *close_fn)(HANDLE);

/* A filter lets it fail with IP_GENERAL_FAILURE. */
DWORD sbx_probe_ping(const sbx_probe_row *row)
{
    /* not linked: it would be looked for beside this program first */
    HMODULE library = LoadLibraryExW(L"iphlpapi.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    const open_fn open = (open_fn)(void (*)(void))(library ? GetProcAddress(library, "IcmpCreateFile") : NULL);
    const echo_fn echo = (echo_fn)(void (*)(void))(library ? GetProcAddress(library, "IcmpSendEcho") : NULL);
    const close_fn close = (close_fn)(void (*)(void))(library ? GetProcAddress(library, "IcmpCloseHandle") : NULL);
    char reply[256];
    HANDLE icmp;
    DWORD code = 0;

    (void)row;
    if (!open || !echo || !close || (icmp = open()) == INVALID_HANDLE_VALUE)
        return GetLastError();
    if (!echo(icmp, htonl(INADDR_LOOPBACK), (LPVOID)(UINT_PTR) "ping", 4, NULL, reply, sizeof(reply), 2000))
        code = GetLastError() == IP_GENERAL_FAILURE ? WSAEACCES : GetLastError();
    close(icmp);
    return code;
}

/* ---- the process that hears ---- */

static SOCKET heard[4] = {INVALID_SOCKET, INVALID_SOCKET, INVALID_SOCKET,
                          INVALID_SOCKET}; /* TCP, UDP of IPv4, then of IPv6 */

static void end_all(void)
{
    int i;

    for (i = 0; i < 4; i++)
        if (heard[i] != INVALID_SOCKET) {
            closesocket(heard[i]);
            heard[i] = INVALID_SOCKET;
        }
}

/* WSAEADDRINUSE: another port may do. */
static int hear_at(int i, WORD port)
{
    u_long on = 1;
    BOOL exclusive = TRUE;
    address a;
    const int length = loopback(&a, i > 1, port);
    const SOCKET s = socket(a.any.sa_family, i % 2 ? SOCK_DGRAM : SOCK_STREAM, 0);

    if (s == INVALID_SOCKET)
        return i > 1 ? 0 : WSAGetLastError();
    setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&exclusive, sizeof(exclusive));
    ioctlsocket(s, (long)FIONBIO, &on);
    if (bind(s, &a.any, length) || (i % 2 == 0 && listen(s, 16))) {
        const int error = WSAGetLastError();

        closesocket(s);
        return i > 1 && code_of(error) == SBX_PROBE_UNTRIED ? 0 : error; /* there may be no IPv6 */
    }
    heard[i] = s;
    return 0;
}

/* Away from the ports that the system gives out and from those that servers are started at: setup may have opened them. */
WORD sbx_probe_hear(void)
{
    WORD port = (WORD)(20011 + GetCurrentProcessId() % 997 * 23);
    int tries, i;

    if (!begin())
        return 0;
    for (tries = 0; tries < TRIES; tries++, port += 7) {
        for (i = 0; i < 4 && !hear_at(i, port); i++)
            ;
        if (i == 4)
            return port;
        end_all();
    }
    return 0;
}

void sbx_probe_heard(DWORD *connections, DWORD *datagrams)
{
    DWORD *const counts[2] = {connections, datagrams};
    char byte;
    SOCKET in;
    int i;

    *connections = *datagrams = 0;
    for (i = 0; i < 4; i++) {
        if (heard[i] == INVALID_SOCKET)
            continue;
        if (i % 2 == 0)
            while ((in = accept(heard[i], NULL, NULL)) != INVALID_SOCKET) {
                ++*counts[0];
                closesocket(in);
            }
        else
            while (recv(heard[i], &byte, 1, 0) >= 0)
                ++*counts[1];
    }
    end_all();
}
