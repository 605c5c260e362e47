/*
 * Verdicts on a machine without IPv6, or with a part of it, and whatever the filters say of IPv4: the calls of reach.c to the
 * sockets are answered here, so that no machine has to be so.
 */
#include <winsock2.h>
#include <windows.h>
#include <ws2tcpip.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int no_family;      /* what a socket of IPv6 fails with; 0: there is one */
static int no_address;     /* what it fails with when it is used */
static int filtered;       /* the filters are there, for both */
static int made, released; /* sockets */

#define V6 0x10000u /* in a socket of ours */

static SOCKET fake_socket(int family, int type, int protocol)
{
    (void)type;
    (void)protocol;
    if (family == AF_INET6 && no_family) {
        WSASetLastError(no_family);
        return INVALID_SOCKET;
    }
    return (SOCKET)(++made) | (family == AF_INET6 ? V6 : 0);
}

static int used(SOCKET s)
{
    const int code = s & V6 && no_address ? no_address : filtered ? WSAEACCES : 0;

    assert_true(s != INVALID_SOCKET);
    WSASetLastError(code);
    return code ? SOCKET_ERROR : 0;
}

static int fake_connect(SOCKET s, const struct sockaddr *to, int length)
{
    (void)to;
    (void)length;
    return used(s);
}

static int fake_send(SOCKET s, const char *data, int size, int flags, const struct sockaddr *to, int length)
{
    (void)data;
    (void)size;
    (void)flags;
    return fake_connect(s, to, length);
}

static int fake_listen(SOCKET s, int count)
{
    (void)s;
    (void)count;
    return 0;
}

static int fake_close(SOCKET s)
{
    assert_true(s != INVALID_SOCKET);
    released++;
    return 0;
}

static int fake_set(SOCKET s, int level, int name, const char *value, int size)
{
    (void)level;
    (void)name;
    (void)value;
    (void)size;
    return s == INVALID_SOCKET ? SOCKET_ERROR : 0;
}

static int fake_control(SOCKET s, long command, u_long *value)
{
    (void)command;
    (void)value;
    return s == INVALID_SOCKET ? SOCKET_ERROR : 0;
}

#define socket fake_socket
#define connect fake_connect
#define bind fake_connect
#define sendto fake_send
#define listen fake_listen
#define closesocket fake_close
#define setsockopt fake_set
#define ioctlsocket fake_control
#include "win/reach.c"

static uint32_t tried(int filters)
{
    const sbx_reach how = {.port = 4000, .listen = 4001, .limit_ms = 1};
    uint32_t verdicts;

    filtered = filters;
    made = released = 0;
    verdicts = sbx_reach_try(&how);
    assert_int_equal(made, released);
    return verdicts;
}

/* Of each two ways the first is IPv4.  Ten are tried without `more`. */
#define ALL_REFUSED 0x55555u
#define ALL_OPEN 0xFFFFFu
#define V4_REFUSED 0x99999u /* and the other unknown */
#define V4_OPEN 0xBBBBBu

static const int lacks[] = {WSAEAFNOSUPPORT, WSAEADDRNOTAVAIL, WSAENETUNREACH};

static void test_with(void **state)
{
    (void)state;
    no_family = no_address = 0;
    assert_int_equal(tried(1), ALL_REFUSED);
    assert_int_equal(tried(0), ALL_OPEN);
}

static void test_without(void **state)
{
    uint32_t i, way;

    (void)state;
    for (i = 0; i < 2 * sizeof(lacks) / sizeof(lacks[0]); i++) { /* no sockets of it, and no addresses for them */
        no_family = i % 2 ? 0 : lacks[i / 2];
        no_address = i % 2 ? lacks[i / 2] : 0;
        way = 99;
        assert_int_equal(tried(1), V4_REFUSED);
        assert_int_equal(sbx_reach_judge(V4_REFUSED, &way), SBX_REACH_REFUSED); /* a launch is not refused for it */
        assert_int_equal(way, 99);
        assert_int_equal(tried(0), V4_OPEN);
        assert_int_equal(sbx_reach_judge(V4_OPEN, &way), SBX_REACH_OPEN); /* nor let through */
        assert_int_equal(way, 0);
    }
    no_family = no_address = 0;
}

static void test_listener(void **state)
{
    sbx_reach_listener listener = {0};
    uint32_t i;

    (void)state;
    filtered = 0;
    for (i = 0; i < 2 * sizeof(lacks) / sizeof(lacks[0]); i++) {
        no_family = i % 2 ? 0 : lacks[i / 2];
        no_address = i % 2 ? lacks[i / 2] : 0;
        made = released = 0;
        assert_int_equal(sbx_reach_listen(&listener, 4000), 1);
        assert_int_equal(listener.port, 4000);
        assert_true(listener.sockets[0] != INVALID_SOCKET);
        assert_true(listener.sockets[1] == INVALID_SOCKET);
        sbx_reach_listen_end(&listener);
        assert_int_equal(made, released);
    }
    no_family = 0;
    no_address = WSAEADDRINUSE; /* taken there: no listener at all */
    made = released = 0;
    assert_int_equal(sbx_reach_listen(&listener, 4000), 0);
    assert_int_equal(made, released);
    no_address = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_with), cmocka_unit_test(test_without),
                                       cmocka_unit_test(test_listener)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
