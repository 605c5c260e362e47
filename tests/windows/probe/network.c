/*
 * What an account that is kept off the network may reach all the same, and what the firewall makes of a list of users.
 * Nothing leaves this machine, no filter and no rule stays: the filters are in a transaction that is taken back.
 *
 * Source: MSDN "DnsQuery_W" (DNS_QUERY_NO_WIRE_QUERY), "Make your own integration services" (AF_HYPERV), "AF_UNIX comes to
 * Windows", "Icmp6SendEcho2", "TCP/IP Raw Sockets", "FWP_MATCH_TYPE", "Object Management", "INetFwRule3".
 */
#define COBJMACROS
#include <winsock2.h>
#include <ws2tcpip.h>
#include "first_hour.h"
#include <fwpmu.h>
#include <iphlpapi.h>
#include <icmpapi.h>
#include <netfw.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windns.h>

#define LIMIT_MS 1000
#define GOES_WITH_PROCESS 1 /* FWPM_SESSION_FLAG_DYNAMIC */

static const char *socket_outcome(BOOL ok)
{
    return ok ? "ok" : text("error %d", WSAGetLastError());
}

/* A connection to one who may be there: "ok", "error N", or "no answer". */
static const char *connects(SOCKET s, const void *address, int length)
{
    struct timeval limit = {LIMIT_MS / 1000, 0};
    u_long nonblocking = 1;
    fd_set written, failed;
    int code = 0, size = sizeof(code);

    FD_ZERO(&written);
    FD_ZERO(&failed);
    FD_SET(s, &written);
    FD_SET(s, &failed);
    ioctlsocket(s, FIONBIO, &nonblocking);
    if (connect(s, address, length) == 0)
        return "ok";
    if (WSAGetLastError() != WSAEWOULDBLOCK)
        return socket_outcome(FALSE);
    if (select(0, NULL, &written, &failed, &limit) <= 0)
        return "no answer";
    getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&code, &size);
    WSASetLastError(code);
    return socket_outcome(code == 0);
}

static const char *end_of(SOCKET s, const char *got)
{
    closesocket(s);
    return got;
}

/* Does the service of the DNS client answer?  It may look into what it knows, and asks nobody. */
static void ask_names(void)
{
    DNS_RECORDW *records = NULL;
    const DNS_STATUS status =
        DnsQuery_W(L"sbx-first-hour.invalid", DNS_TYPE_A, DNS_QUERY_NO_WIRE_QUERY, NULL, &records, NULL);

    if (records != NULL)
        DnsFree(records, DnsFreeRecordList);
    tell("E7", "DnsQuery without the wire, of a name that nobody has", "", "error %ld%s", (long)status,
         status == DNS_ERROR_RECORD_DOES_NOT_EXIST || status == DNS_ERROR_RCODE_NAME_ERROR ? ": answered" : "");
}

static void ask_redirector(void)
{
    wchar_t name_w[64], remote_w[72];
    HANDLE pipe, client;
    BOOL ok;

    swprintf(name_w, 64, L"\\\\.\\pipe\\sbx-first-hour-%lu", GetCurrentProcessId());
    swprintf(remote_w, 72, L"\\\\localhost\\%ls", name_w + 4);
    pipe = CreateNamedPipeW(name_w, PIPE_ACCESS_INBOUND | FILE_FLAG_FIRST_PIPE_INSTANCE, PIPE_TYPE_BYTE, 1, 0, 512, 0,
                            NULL);
    if (pipe == INVALID_HANDLE_VALUE) {
        tell("redirector", "CreateNamedPipe", "", "%s", outcome(FALSE));
        return;
    }
    client =
        CreateFileW(remote_w, GENERIC_WRITE, 0, NULL, OPEN_EXISTING, SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, NULL);
    ok = client != INVALID_HANDLE_VALUE;
    tell("redirector", "open a pipe of this program by \\\\localhost", "", "%s", outcome(ok));
    if (ok)
        CloseHandle(client);
    CloseHandle(pipe);
}

/* A socket that is a file: one that listens, and a connection to it. */
static void ask_unix(const wchar_t *dir_w)
{
    struct {
        ADDRESS_FAMILY family;
        char path[108];
    } to = {AF_UNIX, ""};
    const wchar_t *path_w = below(dir_w, L"s");
    SOCKET listener = socket(AF_UNIX, SOCK_STREAM, 0), client;
    const char *got;

    if (listener == INVALID_SOCKET)
        got = text("socket %s", socket_outcome(FALSE));
    else if (!WideCharToMultiByte(CP_UTF8, 0, path_w, -1, to.path, sizeof(to.path), NULL, NULL))
        got = "the path is too long";
    else if (bind(listener, (struct sockaddr *)&to, sizeof(to)) != 0)
        got = text("bind %s", socket_outcome(FALSE));
    else if (listen(listener, 1) != 0)
        got = text("listen %s", socket_outcome(FALSE));
    else if ((client = socket(AF_UNIX, SOCK_STREAM, 0)) == INVALID_SOCKET)
        got = text("a second socket %s", socket_outcome(FALSE));
    else
        got = end_of(client, text("connect %s", connects(client, &to, sizeof(to))));
    tell("network", "AF_UNIX: listen in a file, and connect to it", "", "%s", got);
    if (listener != INVALID_SOCKET)
        closesocket(listener);
    DeleteFileW(path_w);
}

/* To this partition itself, at a service that nobody has registered. */
static void ask_hyper_v(void)
{
    static const struct {
        ADDRESS_FAMILY family;
        USHORT reserved;
        GUID machine, service;
    } to = {34, /* AF_HYPERV */
            0,
            {0xe0e16197, 0xdd56, 0x4a10, {0x91, 0x95, 0x5e, 0xe7, 0xa1, 0x55, 0xa8, 0x38}}, /* HV_GUID_LOOPBACK */
            {0x5b5d1e5a, 0x2f40, 0x4e5f, {0x9a, 0x53, 0x62, 0x62, 0x73, 0x78, 0x66, 0x68}}};
    const SOCKET s = socket(34, SOCK_STREAM, 1); /* HV_PROTOCOL_RAW */

    tell("network", "AF_HYPERV: connect to where nobody listens", "", "%s",
         s == INVALID_SOCKET ? text("socket %s", socket_outcome(FALSE))
                             : end_of(s, text("connect %s", connects(s, &to, sizeof(to)))));
}

/* A raw endpoint of this machine's own address; nothing is sent. */
static void ask_raw(int family, int protocol, const char *tried)
{
    struct sockaddr_in6 to = {0}; /* the longer one; its beginning is the other's */
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&to;
    const SOCKET s = socket(family, SOCK_RAW, protocol);

    to.sin6_family = (ADDRESS_FAMILY)family;
    if (family == AF_INET)
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        to.sin6_addr.s6_addr[15] = 1;
    tell("E1", tried, "", "%s",
         s == INVALID_SOCKET
             ? text("socket %s", socket_outcome(FALSE))
             : end_of(s, text("bind %s", socket_outcome(bind(s, (struct sockaddr *)&to,
                                                             family == AF_INET ? sizeof(*v4) : sizeof(to)) == 0))));
}

static void ask_echo(void)
{
    struct sockaddr_in6 from = {.sin6_family = AF_INET6}, to = {.sin6_family = AF_INET6};
    IP_OPTION_INFORMATION options = {.Ttl = 1};
    HANDLE icmp = Icmp6CreateFile();
    static unsigned long long reply[64];
    char data[] = "sbx";
    BOOL ok;

    if (icmp == INVALID_HANDLE_VALUE) {
        tell("E1", "ICMPv6: an echo request to ::1", "", "Icmp6CreateFile %s", outcome(FALSE));
        return;
    }
    to.sin6_addr.s6_addr[15] = from.sin6_addr.s6_addr[15] = 1;
    ok = Icmp6SendEcho2(icmp, NULL, NULL, NULL, &from, &to, data, sizeof(data), &options, reply, sizeof(reply),
                        LIMIT_MS) != 0;
    tell("E1", "ICMPv6: an echo request to ::1", "", "%s", outcome(ok));
    IcmpCloseHandle(icmp);
}

void ask_network(const wchar_t *dir_w)
{
    WSADATA data;

    WSAStartup(MAKEWORD(2, 2), &data);
    ask_names();
    ask_redirector();
    ask_unix(dir_w);
    ask_hyper_v();
    ask_echo();
    ask_raw(AF_INET, IPPROTO_ICMP, "IPv4: a raw socket at 127.0.0.1");
    ask_raw(AF_INET6, IPPROTO_ICMPV6, "ICMPv6: a raw socket at ::1");
    WSACleanup();
}

/* ---- what an administrator is told ---- */

static DWORD add_filter(HANDLE engine, const GUID *sublayer, FWP_MATCH_TYPE match)
{
    static const GUID connect_v4 = {0xc38d57d1, 0x05a7, 0x4c33, {0x90, 0x4f, 0x7f, 0xbc, 0xee, 0xe6, 0x0e, 0x82}};
    static const GUID user = {0xaf043a0a, 0xb34d, 0x4f86, {0x97, 0x9c, 0xc9, 0x03, 0x71, 0xaf, 0x6e, 0x66}};
    static wchar_t name_w[] = L"sbx-first-hour";
    PSECURITY_DESCRIPTOR admits = descriptor("O:SYG:SYD:(A;;CC;;;%s)");
    FWP_BYTE_BLOB blob = {admits != NULL ? GetSecurityDescriptorLength(admits) : 0, admits};
    FWPM_FILTER_CONDITION0 condition = {.fieldKey = user, .matchType = match};
    FWPM_FILTER0 filter = {.displayData = {name_w, NULL},
                           .layerKey = connect_v4,
                           .subLayerKey = *sublayer,
                           .numFilterConditions = 1,
                           .filterCondition = &condition};
    DWORD code;

    condition.conditionValue.type = FWP_SECURITY_DESCRIPTOR_TYPE;
    condition.conditionValue.sd = &blob;
    filter.action.type = FWP_ACTION_PERMIT;
    code = FwpmFilterAdd0(engine, &filter, NULL, NULL);
    LocalFree(admits);
    return code;
}

/* Does a descriptor take FWP_MATCH_NOT_EQUAL?  Nothing of it is ever in force. */
static void ask_filters(void)
{
    static wchar_t name_w[] = L"sbx-first-hour";
    FWPM_SESSION0 session = {.flags = GOES_WITH_PROCESS};
    FWPM_SUBLAYER0 sublayer = {
        .subLayerKey = {0x5b5d1e5a, 0x2f40, 0x4e5f, {0x9a, 0x53, 0x62, 0x62, 0x73, 0x78, 0x66, 0x68}},
        .displayData = {name_w, NULL}};
    HANDLE engine = NULL;
    DWORD code = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &engine), equal, not_equal;

    if (code == 0 && (code = FwpmTransactionBegin0(engine, 0)) == 0) {
        if ((code = FwpmSubLayerAdd0(engine, &sublayer, NULL)) == 0) {
            equal = add_filter(engine, &sublayer.subLayerKey, FWP_MATCH_EQUAL);
            not_equal = add_filter(engine, &sublayer.subLayerKey, FWP_MATCH_NOT_EQUAL);
            tell("E1", "a filter whose user equals, does not equal a descriptor",
                 equal != 0                                      ? ""
                 : not_equal == 0                                ? "wfp-not-equal=yes"
                 : not_equal == (DWORD)FWP_E_MATCH_TYPE_MISMATCH ? "wfp-not-equal=no"
                                                                 : "",
                 "0x%lx, 0x%lx", equal, not_equal);
        }
        FwpmTransactionAbort0(engine);
    }
    if (code != 0)
        tell("E1", "a filter whose user does not equal a descriptor", "", "not asked: 0x%lx", code);
    if (engine != NULL)
        FwpmEngineClose0(engine);
}

static const char *list_of(INetFwRule3 *rule)
{
    BSTR list = NULL;
    const HRESULT hr = rule->lpVtbl->get_LocalUserAuthorizedList(rule, &list);
    const char *got = FAILED(hr) ? text("0x%lx", (unsigned long)hr) : text("%ls", list != NULL ? list : L"none");

    SysFreeString(list);
    return got;
}

static const IID is_rule = {0xb21563ff, 0xd696, 0x4222, {0xab, 0x46, 0x4e, 0x89, 0xb7, 0x3a, 0xb3, 0x4a}};

/* A list as the object of a rule has it, which nobody adds: other letters, an owner, one SID twice. */
static void ask_list(void)
{
    static const CLSID class_rule = {0x2c5bc43e, 0x3369, 0x4c33, {0xab, 0x0c, 0xbe, 0x94, 0x69, 0x67, 0x7a, 0xf4}};
    BSTR list = SysAllocString(L"O:LSD:(A;;0x1;;;S-1-5-32-545)(A;;CC;;;BU)(A;;CC;;;S-1-1-0)");
    INetFwRule3 *rule = NULL;
    HRESULT hr = CoCreateInstance(&class_rule, NULL, CLSCTX_INPROC_SERVER, &is_rule, (void **)&rule);

    if (SUCCEEDED(hr)) {
        hr = rule->lpVtbl->put_LocalUserAuthorizedList(rule, list);
        tell("E1", text("LocalUserAuthorizedList %ls of a rule that is not added", list), "", "%s",
             FAILED(hr) ? text("0x%lx", (unsigned long)hr) : list_of(rule));
        INetFwRule3_Release(rule);
    } else {
        tell("E1", "LocalUserAuthorizedList", "", "no rule: 0x%lx", (unsigned long)hr);
    }
    SysFreeString(list);
}

/* As the service keeps one, where sbx is set up. */
static void ask_kept_list(void)
{
    static const CLSID class_policy = {0xe2b3c97f, 0x6ae1, 0x41ac, {0x81, 0x7a, 0xf6, 0xf9, 0x21, 0x66, 0xd7, 0xdd}};
    static const IID is_policy = {0x98325047, 0xc671, 0x4174, {0x8d, 0x81, 0xde, 0xfc, 0xd3, 0xf0, 0x31, 0x86}};
    BSTR name = SysAllocString(L"sbx1: commands without a network, outbound");
    INetFwPolicy2 *policy = NULL;
    INetFwRules *rules = NULL;
    INetFwRule *found = NULL;
    INetFwRule3 *rule = NULL;
    HRESULT hr = CoCreateInstance(&class_policy, NULL, CLSCTX_INPROC_SERVER, &is_policy, (void **)&policy);

    if (SUCCEEDED(hr) && SUCCEEDED(hr = INetFwPolicy2_get_Rules(policy, &rules)) &&
        SUCCEEDED(hr = INetFwRules_Item(rules, name, &found)))
        hr = INetFwRule_QueryInterface(found, &is_rule, (void **)&rule);
    tell("E1", "LocalUserAuthorizedList of the rule that sbx setup made", "", "%s",
         rule != NULL                                     ? list_of(rule)
         : hr == HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND) ? "none: ask again after sbx setup"
                                                          : text("0x%lx", (unsigned long)hr));
    if (rule != NULL)
        INetFwRule3_Release(rule);
    if (found != NULL)
        INetFwRule_Release(found);
    if (rules != NULL)
        INetFwRules_Release(rules);
    if (policy != NULL)
        INetFwPolicy2_Release(policy);
    SysFreeString(name);
}

void ask_firewall(void)
{
    ask_filters();
    if (FAILED(CoInitializeEx(NULL, COINIT_MULTITHREADED))) {
        tell("E1", "CoInitializeEx", "", "failed");
        return;
    }
    ask_list();
    ask_kept_list();
    CoUninitialize();
}
