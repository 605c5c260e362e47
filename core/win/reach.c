#include "win/reach.h"

#include <winsock2.h>
#include <windows.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <icmpapi.h>
#include <string.h>

#include "win/library.h"

#define TCP 0u
#define UDP 1u
#define LISTEN 2u
#define ACCEPT 3u
#define ECHO 4u

#define FIRST_LISTEN 8u
#define FIRST_ACCEPT 10u

/* The order is that of the bits. */
static const struct {
    uint32_t kind, v6, outside;
    const char *name;
} ways[SBX_REACH_WAYS] = {{TCP, 0, 0, "TCP to 127.0.0.1"},
                          {TCP, 1, 0, "TCP to ::1"},
                          {TCP, 0, 1, "TCP to 192.0.2.1"},
                          {TCP, 1, 1, "TCP to 2001:db8::1"},
                          {UDP, 0, 0, "UDP to 127.0.0.1"},
                          {UDP, 1, 0, "UDP to ::1"},
                          {UDP, 0, 1, "UDP to 192.0.2.1"},
                          {UDP, 1, 1, "UDP to 2001:db8::1"},
                          {LISTEN, 0, 0, "listening at 127.0.0.1"},
                          {LISTEN, 1, 0, "listening at ::1"},
                          {ACCEPT, 0, 0, "accepting at 127.0.0.1"},
                          {ACCEPT, 1, 0, "accepting at ::1"},
                          {ECHO, 0, 0, "an echo request to 127.0.0.1"}};

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address;

static int address_of(address *a, uint32_t v6, uint32_t outside, uint16_t port)
{
    static const uint8_t outside_v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

    memset(a, 0, sizeof(*a));
    if (!v6) {
        a->v4.sin_family = AF_INET;
        a->v4.sin_port = htons(port);
        a->v4.sin_addr.s_addr = htonl(outside ? 0xc0000201u : 0x7f000001u);
        return sizeof(a->v4);
    }
    a->v6.sin6_family = AF_INET6;
    a->v6.sin6_port = htons(port);
    if (outside)
        memcpy(&a->v6.sin6_addr, outside_v6, sizeof(outside_v6));
    else
        a->v6.sin6_addr.s6_addr[15] = 1;
    return sizeof(a->v6);
}

static uint32_t verdict_of(int code)
{
    switch (code) {
    case WSAEACCES:
        return SBX_REACH_REFUSED;
    case WSAEAFNOSUPPORT:
    case WSAEADDRNOTAVAIL:
    case WSAENETDOWN:
    case WSAENETUNREACH:
    case WSAEHOSTUNREACH:
        return SBX_REACH_UNKNOWN;
    default:
        return SBX_REACH_OPEN;
    }
}

/* Begins it; SBX_REACH_UNTRIED: undecided, the socket tells. */
static uint32_t begin(uint32_t way, const sbx_reach *how, SOCKET s)
{
    const uint16_t to = ways[way].outside ? 9 : ways[way].kind == LISTEN ? how->listen : how->port;
    u_long nonblocking = 1;
    address a;
    const int length = address_of(&a, ways[way].v6, ways[way].outside, to);
    int failed;

    if (ways[way].kind == LISTEN) {
        if (bind(s, &a.any, length)) /* taken meanwhile: it says nothing */
            return WSAGetLastError() == WSAEADDRINUSE ? SBX_REACH_UNKNOWN : verdict_of(WSAGetLastError());
        return listen(s, 1) ? verdict_of(WSAGetLastError()) : SBX_REACH_OPEN;
    }
    ioctlsocket(s, FIONBIO, &nonblocking);
    failed = ways[way].kind == UDP ? sendto(s, "", 1, 0, &a.any, length) < 0 : connect(s, &a.any, length);
    if (!failed)
        return SBX_REACH_OPEN;
    return ways[way].kind == TCP && WSAGetLastError() == WSAEWOULDBLOCK ? SBX_REACH_UNTRIED
                                                                        : verdict_of(WSAGetLastError());
}

/* 0: this thread did not become it. */
static int become(const sbx_reach *how)
{
    if (how->anonymous)
        return ImpersonateAnonymousToken(GetCurrentThread());
    return !how->token || ImpersonateLoggedOnUser(how->token);
}

/* Those that are undecided, until they are or the time is over: who is still asking then was let through. */
static void await(SOCKET *sockets, uint32_t *verdicts, uint32_t limit_ms)
{
    const ULONGLONG end = GetTickCount64() + limit_ms;
    struct timeval wait;
    ULONGLONG now;
    fd_set written, failed;
    int code, size;
    uint32_t i, left;

    for (;;) {
        FD_ZERO(&written);
        FD_ZERO(&failed);
        for (i = left = 0; i < SBX_REACH_WAYS; i++)
            if (sockets[i] != INVALID_SOCKET && verdicts[i] == SBX_REACH_UNTRIED) {
                FD_SET(sockets[i], &written);
                FD_SET(sockets[i], &failed);
                left++;
            }
        now = GetTickCount64();
        wait.tv_sec = now < end ? (long)((end - now) / 1000) : 0;
        wait.tv_usec = now < end ? (long)((end - now) % 1000 * 1000) : 0;
        if (!left || select(0, NULL, &written, &failed, &wait) <= 0)
            break;
        for (i = 0; i < SBX_REACH_WAYS; i++) {
            if (sockets[i] == INVALID_SOCKET || verdicts[i] != SBX_REACH_UNTRIED)
                continue;
            if (FD_ISSET(sockets[i], &failed)) {
                code = 0;
                size = sizeof(code);
                getsockopt(sockets[i], SOL_SOCKET, SO_ERROR, (char *)&code, &size);
                verdicts[i] = verdict_of(code);
            } else if (FD_ISSET(sockets[i], &written)) {
                verdicts[i] = SBX_REACH_OPEN;
            }
        }
    }
    for (i = 0; i < SBX_REACH_WAYS; i++)
        if (sockets[i] != INVALID_SOCKET && verdicts[i] == SBX_REACH_UNTRIED)
            verdicts[i] = SBX_REACH_OPEN;
}

/* ---- what is asked of processes alone ---- */

/* Does a connection arrive at a listener?  It is this process's own, so one that does not was refused on its way. */
static uint32_t accept_at(uint32_t way, uint16_t port, SOCKET listener, uint32_t limit_ms)
{
    struct timeval limit = {(long)(limit_ms / 1000), (long)(limit_ms % 1000 * 1000)};
    u_long nonblocking = 1;
    address a;
    const int length = address_of(&a, ways[way].v6, 0, port);
    SOCKET out = socket(a.any.sa_family, SOCK_STREAM, 0), in = INVALID_SOCKET;
    fd_set asked;

    if (out == INVALID_SOCKET)
        return SBX_REACH_UNKNOWN;
    ioctlsocket(out, FIONBIO, &nonblocking);
    ioctlsocket(listener, FIONBIO, &nonblocking);
    FD_ZERO(&asked);
    FD_SET(listener, &asked);
    if ((!connect(out, &a.any, length) || WSAGetLastError() == WSAEWOULDBLOCK) &&
        select(0, &asked, NULL, NULL, &limit) > 0)
        in = accept(listener, NULL, NULL);
    closesocket(out); /* who closes first keeps its port for a while */
    if (in != INVALID_SOCKET)
        closesocket(in);
    return in != INVALID_SOCKET ? SBX_REACH_OPEN : SBX_REACH_REFUSED;
}

static uint32_t echo(uint32_t limit_ms)
{
    static const char *const names[] = {"IcmpCreateFile", "IcmpSendEcho", "IcmpCloseHandle"};
    struct {
        HANDLE(WINAPI *create)(void);
        DWORD(WINAPI *send)(HANDLE, IPAddr, void *, WORD, IP_OPTION_INFORMATION *, void *, DWORD, DWORD);
        BOOL(WINAPI *close)(HANDLE);
    } icmp;
    _Alignas(8) uint8_t reply[256];
    void *library = NULL;
    HANDLE handle;
    char data[] = "sbx";
    uint32_t verdict = SBX_REACH_UNKNOWN;

    if (sbx_library_load("iphlpapi.dll", names, 3, &icmp, &library, NULL) == SBX_OK &&
        (handle = icmp.create()) != INVALID_HANDLE_VALUE) {
        if (icmp.send(handle, htonl(0x7f000001u), data, sizeof(data), NULL, reply, sizeof(reply), limit_ms))
            verdict = SBX_REACH_OPEN;
        else if (GetLastError() == IP_GENERAL_FAILURE)
            verdict = SBX_REACH_REFUSED;
        else if (GetLastError() == IP_REQ_TIMED_OUT)
            verdict = SBX_REACH_OPEN;
        icmp.close(handle);
    }
    if (library)
        FreeLibrary(library);
    return verdict;
}

static void try_more(const sbx_reach *how, const SOCKET *sockets, uint32_t *verdicts)
{
    uint32_t i, listening;

    for (i = 0; i < 2 && how->listen; i++) {
        listening = verdicts[FIRST_LISTEN + i];
        verdicts[FIRST_ACCEPT + i] = listening == SBX_REACH_OPEN ? accept_at(FIRST_ACCEPT + i, how->listen,
                                                                             sockets[FIRST_LISTEN + i], how->limit_ms)
                                                                 : listening;
    }
    verdicts[SBX_REACH_WAYS - 1] = echo(how->limit_ms);
}

uint32_t sbx_reach_try(const sbx_reach *how)
{
    SOCKET sockets[SBX_REACH_WAYS];
    uint32_t verdicts[SBX_REACH_WAYS] = {0}, all = 0, i;
    WSADATA data;

    if (WSAStartup(MAKEWORD(2, 2), &data))
        return 0;
    for (i = 0; i < SBX_REACH_WAYS; i++) {
        sockets[i] = INVALID_SOCKET;
        if (ways[i].kind == ACCEPT || ways[i].kind == ECHO ||
            (!ways[i].outside && !(ways[i].kind == LISTEN ? how->listen : how->port)))
            continue;
        sockets[i] = socket(ways[i].v6 ? AF_INET6 : AF_INET, ways[i].kind == UDP ? SOCK_DGRAM : SOCK_STREAM, 0);
        if (sockets[i] == INVALID_SOCKET)
            verdicts[i] = verdict_of(WSAGetLastError());
    }
    if (become(how)) {
        for (i = 0; i < SBX_REACH_WAYS; i++)
            if (sockets[i] != INVALID_SOCKET)
                verdicts[i] = begin(i, how, sockets[i]);
        RevertToSelf();
        await(sockets, verdicts, how->limit_ms);
        if (how->more)
            try_more(how, sockets, verdicts);
    }
    for (i = 0; i < SBX_REACH_WAYS; i++) {
        if (sockets[i] != INVALID_SOCKET)
            closesocket(sockets[i]);
        all |= verdicts[i] << 2 * i;
    }
    WSACleanup();
    return all;
}

uint32_t sbx_reach_judge(uint32_t verdicts, uint32_t *way)
{
    uint32_t i, verdict, refused = 0;

    for (i = 0; i < SBX_REACH_WAYS; i++) {
        verdict = verdicts >> 2 * i & 3u;
        if (verdict == SBX_REACH_OPEN) {
            *way = i;
            return SBX_REACH_OPEN;
        }
        refused |= verdict == SBX_REACH_REFUSED;
    }
    return refused ? SBX_REACH_REFUSED : SBX_REACH_UNKNOWN;
}

const char *sbx_reach_name(uint32_t way)
{
    return way < SBX_REACH_WAYS ? ways[way].name : "";
}

int sbx_reach_listen(sbx_reach_listener *listener, uint16_t port)
{
    BOOL exclusive = TRUE;
    WSADATA data;
    address a;
    SOCKET s;
    uint32_t v6;
    int length;

    if (WSAStartup(MAKEWORD(2, 2), &data))
        return 0;
    listener->port = port;
    listener->sockets[0] = listener->sockets[1] = INVALID_SOCKET;
    for (v6 = 0; v6 < 2; v6++) {
        length = address_of(&a, v6, 0, port);
        s = socket(a.any.sa_family, SOCK_STREAM, 0);
        if (s == INVALID_SOCKET && v6)
            break; /* no IPv6 here */
        setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&exclusive, sizeof(exclusive));
        if (s != INVALID_SOCKET && !bind(s, &a.any, length) && !listen(s, 64)) {
            listener->sockets[v6] = s;
            continue;
        }
        length = WSAGetLastError();
        if (s != INVALID_SOCKET)
            closesocket(s);
        if (v6 && verdict_of(length) == SBX_REACH_UNKNOWN)
            break;
        sbx_reach_listen_end(listener);
        return 0;
    }
    return 1;
}

void sbx_reach_listen_end(sbx_reach_listener *listener)
{
    uint32_t v6;

    if (!listener->port)
        return;
    for (v6 = 0; v6 < 2; v6++)
        if (listener->sockets[v6] != INVALID_SOCKET)
            closesocket(listener->sockets[v6]);
    WSACleanup();
    memset(listener, 0, sizeof(*listener));
}
