/*
 * sbx-net: what a program reaches of the network.  Like sbx-probe it shares no code with sbx.
 *
 *   sbx-net [as=KIND] WAY...
 *   sbx-net filters=blocks|v6     delete all filters that block, those that connections by IPv6 are asked of; an administrator's
 *
 *   tcp,HOST,PORT,WORD   connect and send the word      udp,HOST,PORT,WORD   send it in a datagram
 *   listen,HOST,PORT     bind and listen                ping,HOST            an echo request (IPv4)
 *   raw,HOST             a raw socket, whose family HOST tells
 *   serve,HOST,PORT      listen, connect to it, accept, and pass a byte
 *
 * as=disowned: a process whose own SID is for deny only; restricted: in writing, to Everyone and Users; both; anonymous: a thread, with sockets from
 * before.  A line for each way: "WAY ok" or "WAY error N".  Exit code: how many failed.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <sddl.h>
#include <iphlpapi.h>
#include <icmpapi.h>
#include <fwpmu.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv);

static int anonymous;

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address;

static int make_address(address *a, const char *host, const char *port)
{
    char text[64];
    int length = sizeof(*a);

    snprintf(text, sizeof(text), "%s", host);
    memset(a, 0, sizeof(*a));
    WSAStringToAddressA(text, strchr(host, ':') ? AF_INET6 : AF_INET, NULL, &a->any, &length);
    a->v4.sin_port = htons((u_short)(port ? strtoul(port, NULL, 10) : 0)); /* at the same place in both */
    return strchr(host, ':') ? (int)sizeof(a->v6) : (int)sizeof(a->v4);
}

static int last(void)
{
    return WSAGetLastError();
}

static void become(void)
{
    if (anonymous && !ImpersonateAnonymousToken(GetCurrentThread()))
        printf("no anonymous token: %lu\n", GetLastError());
}

static int talk(const char *kind, const char *host, const char *port, const char *word)
{
    address a;
    const int length = make_address(&a, host, port), udp = !strcmp(kind, "udp");
    const SOCKET s = socket(a.any.sa_family, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
    int code = 0;

    if (s == INVALID_SOCKET)
        return last();
    become();
    if (udp ? sendto(s, word, (int)strlen(word), 0, &a.any, length) < 0
            : connect(s, &a.any, length) || send(s, word, (int)strlen(word), 0) < 0)
        code = last();
    RevertToSelf();
    closesocket(s);
    return code;
}

static int serve(const char *kind, const char *host, const char *port)
{
    address a;
    const int length = make_address(&a, host, port);
    SOCKET s = socket(a.any.sa_family, SOCK_STREAM, 0), out = INVALID_SOCKET, in = INVALID_SOCKET;
    int code = 0;
    char byte = 0;

    if (s == INVALID_SOCKET)
        return last();
    become();
    if (bind(s, &a.any, length) || listen(s, 1))
        code = last();
    RevertToSelf();
    if (!code && !strcmp(kind, "serve")) {
        out = socket(a.any.sa_family, SOCK_STREAM, 0);
        if (connect(out, &a.any, length) || (in = accept(s, NULL, NULL)) == INVALID_SOCKET ||
            send(in, "x", 1, 0) != 1 || recv(out, &byte, 1, 0) != 1 || byte != 'x')
            code = last();
        closesocket(in);
        closesocket(out);
    }
    closesocket(s);
    return code;
}

static int ping(const char *host)
{
    address a;
    char reply[256];
    HANDLE icmp = IcmpCreateFile();
    int code = 0;

    if (icmp == INVALID_HANDLE_VALUE)
        return (int)GetLastError();
    make_address(&a, host, NULL);
    if (!IcmpSendEcho(icmp, a.v4.sin_addr.s_addr, (LPVOID)(uintptr_t) "ping", 4, NULL, reply, sizeof(reply), 5000))
        code = (int)GetLastError();
    IcmpCloseHandle(icmp);
    return code;
}

static int raw(const char *host)
{
    const int v6 = strchr(host, ':') != NULL;
    const SOCKET s = socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    const int code = s == INVALID_SOCKET ? last() : 0;

    closesocket(s);
    return code;
}

static int try_way(char *way)
{
    char *parts[4] = {NULL}, copy[128];
    int i = 0, code = -1;

    snprintf(copy, sizeof(copy), "%s", way);
    for (parts[0] = strtok(copy, ","); i < 3 && parts[i]; parts[++i] = strtok(NULL, ","))
        ;
    if (!parts[1])
        return -1;
    if (!strcmp(parts[0], "ping"))
        code = ping(parts[1]);
    else if (!strcmp(parts[0], "raw"))
        code = raw(parts[1]);
    else if (parts[2] && (!strcmp(parts[0], "listen") || !strcmp(parts[0], "serve")))
        code = serve(parts[0], parts[1], parts[2]);
    else if (parts[2] && parts[3])
        code = talk(parts[0], parts[1], parts[2], parts[3]);
    if (code)
        printf("%s error %d\n", way, code);
    else
        printf("%s ok\n", way);
    return code;
}

/* The same ways in a process with a weaker token. */
static int as_other(const char *kind, int argc, char **argv)
{
    static char line[4096], path[MAX_PATH];
    _Alignas(8) char user[128];
    SID_AND_ATTRIBUTES own, sids[2] = {{0}};
    STARTUPINFOA si = {.cb = sizeof(si)};
    PROCESS_INFORMATION pi;
    HANDLE self, token;
    DWORD size, code = ~0u;
    const int disowned = strcmp(kind, "restricted") != 0, restricted = strcmp(kind, "disowned") != 0;
    int i;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &self) ||
        !GetTokenInformation(self, TokenUser, user, sizeof(user), &size))
        return printf("own token: %lu\n", GetLastError()), 99;
    own = ((TOKEN_USER *)(void *)user)->User;
    ConvertStringSidToSidA("S-1-1-0", &sids[0].Sid);
    ConvertStringSidToSidA("S-1-5-32-545", &sids[1].Sid);
    /* one that is restricted in reading, too, would not be let run its own program */
    if (!CreateRestrictedToken(self, restricted ? WRITE_RESTRICTED : 0, (DWORD)disowned, &own, 0, NULL,
                               restricted ? 2 : 0, sids, &token))
        return printf("CreateRestrictedToken: %lu\n", GetLastError()), 99;
    GetModuleFileNameA(NULL, path, sizeof(path));
    snprintf(line, sizeof(line), "\"%s\"", path);
    for (i = 0; i < argc; i++)
        snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", argv[i]);
    fflush(stdout);
    if (!CreateProcessAsUserA(token, path, line, NULL, NULL, TRUE, 0, NULL, NULL, &si, &pi))
        return printf("CreateProcessAsUser: %lu\n", GetLastError()), 99;
    WaitForSingleObject(pi.hProcess, INFINITE);
    GetExitCodeProcess(pi.hProcess, &code);
    return (int)code;
}

/* FWPM_LAYER_ALE_AUTH_CONNECT_V6; all filters of the lab's machine are of who is tested. */
static int delete_filters(const char *which)
{
    static const GUID v6 = {0x4a72393b, 0x319f, 0x44bc, {0x84, 0xc3, 0xba, 0x54, 0xdc, 0xb3, 0xb6, 0xb4}};
    FWPM_FILTER0 **found = NULL;
    HANDLE engine = NULL, walk = NULL;
    UINT32 count = 0, i;
    int deleted = 0;

    if (FwpmEngineOpen0(NULL, 10 /* RPC_C_AUTHN_WINNT */, NULL, NULL, &engine) ||
        FwpmFilterCreateEnumHandle0(engine, NULL, &walk) || FwpmFilterEnum0(engine, walk, 4096, &found, &count))
        return 1;
    for (i = 0; i < count; i++)
        if (strcmp(which, "v6") ? found[i]->action.type == FWP_ACTION_BLOCK
                                : !memcmp(&found[i]->layerKey, &v6, sizeof(v6)))
            deleted += !FwpmFilterDeleteById0(engine, found[i]->filterId);
    FwpmEngineClose0(engine);
    printf("deleted %d\n", deleted);
    return !deleted;
}

int main(int argc, char **argv)
{
    WSADATA data;
    int i, first = 1, failed = 0;

    if (argc > 1 && !strncmp(argv[1], "as=", 3)) {
        if (strcmp(argv[1] + 3, "anonymous") != 0)
            return as_other(argv[1] + 3, argc - 2, argv + 2);
        anonymous = 1;
        first = 2;
    }
    if (argc == 2 && !strncmp(argv[1], "filters=", 8))
        return delete_filters(argv[1] + 8);
    WSAStartup(MAKEWORD(2, 2), &data);
    for (i = first; i < argc; i++) {
        failed += try_way(argv[i]) != 0;
        fflush(stdout);
    }
    return failed;
}
