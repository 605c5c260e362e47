/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the flows of sockets, and of ICMP echo requests
 *
 * Included at the end of Wine's server/sock.c.  MSDN "ALE Layers" says what is asked when: binding, explicit
 * or not, and making a raw socket; listen(); accept(), the first datagram from somebody; connect(), the first datagram to
 * somebody, an echo request.  What is refused fails with WSAEACCES; a connection that may not be accepted is closed
 * before anybody sees it, a datagram dropped.
 *
 * Two addresses are outside of the machine, 192.0.2.1 and 2001:db8::1 (RFC 5737, RFC 3849).  Nothing is
 * ever sent to them: after the verdict LAB_OUTSIDE=PORT carries what is meant for them to that port of
 * the loopback address of the same family, otherwise they cannot be reached.  LAB_STATE=ipv6 takes the second one
 * away, or the family.
 */

#include <ifaddrs.h>
#include <netinet/in.h>

#include "ntlab_wfp.h"

static const unsigned char outside4[4]  = { 192, 0, 2, 1 };
static const unsigned char outside6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };

/* an IPv4 address inside of an IPv6 one is one */
static union unix_sockaddr plain_address( const union unix_sockaddr *addr )
{
    union unix_sockaddr plain = *addr;

    if (addr->addr.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED( &addr->in6.sin6_addr )) return plain;
    memset( &plain, 0, sizeof(plain) );
    plain.in.sin_family = AF_INET;
    plain.in.sin_port   = addr->in6.sin6_port;
    memcpy( &plain.in.sin_addr, (const char *)&addr->in6.sin6_addr + 12, 4 );
    return plain;
}

static int is_ip( const union unix_sockaddr *addr )
{
    return addr->addr.sa_family == AF_INET || addr->addr.sa_family == AF_INET6;
}

static int same_host( const struct sockaddr *one, const union unix_sockaddr *other )
{
    if (!one || one->sa_family != other->addr.sa_family) return 0;
    if (one->sa_family == AF_INET)
        return ((const struct sockaddr_in *)one)->sin_addr.s_addr == other->in.sin_addr.s_addr;
    return !memcmp( &((const struct sockaddr_in6 *)one)->sin6_addr, &other->in6.sin6_addr, sizeof(struct in6_addr) );
}

/* loopback addresses and the others of this machine */
static int is_own_address( const union unix_sockaddr *addr )
{
    struct ifaddrs *list, *entry;
    int found = 0;

    if (addr->addr.sa_family == AF_INET && ntohl( addr->in.sin_addr.s_addr ) >> 24 == IN_LOOPBACKNET) return 1;
    if (getifaddrs( &list )) return 0;
    for (entry = list; entry && !found; entry = entry->ifa_next) found = same_host( entry->ifa_addr, addr );
    freeifaddrs( list );
    return found;
}

static int is_outside( const union unix_sockaddr *addr )
{
    if (addr->addr.sa_family == AF_INET) return !memcmp( &addr->in.sin_addr, outside4, sizeof(outside4) );
    return addr->addr.sa_family == AF_INET6 && !memcmp( &addr->in6.sin6_addr, outside6, sizeof(outside6) );
}

/* replace an outside address */
static int carry( union unix_sockaddr *addr, socklen_t *len )
{
    const char *port = getenv( "LAB_OUTSIDE" );
    union unix_sockaddr plain = plain_address( addr );

    if (!ntlab_enabled || !is_outside( &plain )) return 1;
    if (!port || (plain.addr.sa_family == AF_INET6 && ntlab_second( NTLAB_IPV6 )))
    {
        set_error( STATUS_NETWORK_UNREACHABLE );
        return 0;
    }
    if (addr->addr.sa_family == AF_INET)
    {
        addr->in.sin_addr.s_addr = htonl( INADDR_LOOPBACK );
        addr->in.sin_port = htons( atoi( port ));
    }
    else
    {
        static const unsigned char mapped[16] = { [10] = 0xff, 0xff, 127, 0, 0, 1 };

        memcpy( &addr->in6.sin6_addr, plain.addr.sa_family == AF_INET ? mapped : in6addr_loopback.s6_addr, 16 );
        addr->in6.sin6_port = htons( atoi( port ));
    }
    *len = addr->addr.sa_family == AF_INET ? sizeof(addr->in) : sizeof(addr->in6);
    return 1;
}

static void set_number( struct wfp_flow *flow, enum wfp_field field, unsigned int number )
{
    flow->values[field].present = 1;
    flow->values[field].number  = number;
}

static void set_address( struct wfp_flow *flow, enum wfp_field field, const union unix_sockaddr *addr )
{
    if (addr->addr.sa_family == AF_INET) set_number( flow, field, ntohl( addr->in.sin_addr.s_addr ));
    else
    {
        flow->values[field].present = 1;
        memcpy( flow->values[field].bytes, &addr->in6.sin6_addr, 16 );
    }
}

static int is_any( const union unix_sockaddr *addr )
{
    if (addr->addr.sa_family == AF_INET) return addr->in.sin_addr.s_addr == htonl( INADDR_ANY );
    return IN6_IS_ADDR_UNSPECIFIED( &addr->in6.sin6_addr );
}

static unsigned short port_of( const union unix_sockaddr *addr )
{
    return ntohs( addr->addr.sa_family == AF_INET ? addr->in.sin_port : addr->in6.sin6_port );
}

/* whose socket it is once it waits for others, and whom it has to do with: they may answer without being asked about again */
struct ntlab_endpoint
{
    struct token       *token;
    struct wfp_app     *app;
    int                 accepted;     /* connection that was looked at already, its fd plus one */
    unsigned int        peer_count;   /* all that there were; the oldest make room */
    union unix_sockaddr peers[64];
};

static struct ntlab_endpoint *endpoint_of( struct sock *sock )
{
    if (!sock->ntlab && (sock->ntlab = mem_alloc( sizeof(*sock->ntlab) ))) memset( sock->ntlab, 0, sizeof(*sock->ntlab) );
    return sock->ntlab;
}

static void add_peer( struct sock *sock, const union unix_sockaddr *addr )
{
    struct ntlab_endpoint *endpoint = endpoint_of( sock );

    if (endpoint) endpoint->peers[endpoint->peer_count++ % ARRAY_SIZE(endpoint->peers)] = plain_address( addr );
}

static int is_peer( const struct sock *sock, const union unix_sockaddr *addr )
{
    const union unix_sockaddr plain = plain_address( addr );
    unsigned int i;

    for (i = 0; sock->ntlab && i < min( sock->ntlab->peer_count, ARRAY_SIZE(sock->ntlab->peers) ); i++)
        if (same_host( &plain.addr, &sock->ntlab->peers[i] ) && port_of( &plain ) == port_of( &sock->ntlab->peers[i] )) return 1;
    return 0;
}

static struct token *flow_token(void)
{
    return ntlab_second( NTLAB_ALE_TOKEN ) ? thread_get_impersonation_token( current ) : current->process->token;
}

/* WSK: what a socket of protocol 0 uses */
static unsigned int protocol_of( const struct sock *sock )
{
    if (sock->proto) return sock->proto;
    return sock->type == WS_SOCK_STREAM ? IPPROTO_TCP : sock->type == WS_SOCK_DGRAM ? IPPROTO_UDP : 0;
}

/* MSDN "AppContainer Isolation", "CheckNetIsolation": the machine itself is closed to AppContainers, the net is open with a
 * capability: internetClient (1), internetClientServer (2), privateNetworkClientServer (3), the first not for accepting */
static int is_isolated( struct token *token, enum wfp_layer layer, int loopback )
{
    unsigned int rid;

    if (!ntlab_token_is_lowbox( token ) || (layer != WFP_CONNECT && layer != WFP_ACCEPT)) return 0;
    for (rid = layer == WFP_CONNECT ? 1 : 2; rid <= 3 && !loopback; rid++) if (ntlab_token_has_capability( token, rid )) return 0;
    return 1;
}

/* for the endpoint, or for the calling thread when that is NULL */
static int decide( const struct sock *sock, enum wfp_layer layer, const struct ntlab_endpoint *endpoint,
                   const union unix_sockaddr *local, const union unix_sockaddr *remote, unsigned int flags )
{
    struct wfp_app *app = endpoint && endpoint->token ? NULL : ntlab_app_of_process( current->process );
    struct wfp_flow flow = { layer };
    union unix_sockaddr addr;
    int permitted;

    flow.token = endpoint && endpoint->token ? endpoint->token : flow_token();
    flow.app   = app ? app : endpoint ? endpoint->app : NULL;
    flow.v6    = sock->family == WS_AF_INET6;
    if (sock->type == WS_SOCK_RAW) flags |= FWP_CONDITION_FLAG_IS_RAW_ENDPOINT;
    set_number( &flow, WFP_PROTOCOL, protocol_of( sock ));
    if (remote)
    {
        addr = plain_address( remote );
        flow.v6 = addr.addr.sa_family == AF_INET6;
        set_address( &flow, WFP_REMOTE_ADDRESS, &addr );
        set_number( &flow, WFP_REMOTE_PORT, port_of( &addr ));
        if (is_own_address( &addr ))
        {
            flags |= FWP_CONDITION_FLAG_IS_LOOPBACK;
            set_address( &flow, WFP_LOCAL_ADDRESS, &addr );  /* which the route to it gives; bound sockets follow */
        }
    }
    if (local && is_ip( local ))
    {
        addr = plain_address( local );
        if (!is_any( &addr ) && (addr.addr.sa_family == AF_INET6) == flow.v6) set_address( &flow, WFP_LOCAL_ADDRESS, &addr );
        if (port_of( &addr )) set_number( &flow, WFP_LOCAL_PORT, port_of( &addr ));
    }
    set_number( &flow, WFP_FLAGS, flags );
    permitted = ntlab_wfp_permits( &flow ) && !is_isolated( flow.token, layer, flags & FWP_CONDITION_FLAG_IS_LOOPBACK );
    free( app );
    if (!permitted) set_error( STATUS_ACCESS_DENIED );
    return permitted;
}

static int is_filtered( const struct sock *sock )
{
    return ntlab_enabled && (sock->family == WS_AF_INET || sock->family == WS_AF_INET6);
}

/* the address that a socket is bound to */
static const union unix_sockaddr *local_address( const struct sock *sock, union unix_sockaddr *addr )
{
    if (!sock->bound || !sock->addr_len || !sockaddr_to_unix( &sock->addr.addr, sock->addr_len, addr )) return NULL;
    return addr;
}

/* whether there can be a socket like that */
static int ntlab_check_new( int family, int type, int protocol )
{
    const struct sock sock = { .family = family, .type = type, .proto = protocol };

    if (family == WS_AF_INET6 && is_filtered( &sock ) && ntlab_second( NTLAB_IPV6 ) == 2)
    {
        set_win32_error( WSAEAFNOSUPPORT );
        return 0;
    }
    if (type != WS_SOCK_RAW || !is_filtered( &sock ) || decide( &sock, WFP_BIND, NULL, NULL, NULL, 0 )) return 1;
    set_win32_error( WSAEACCES );  /* socket() takes this one */
    return 0;
}

/* what is bound without being asked to has neither address nor port yet */
static int ntlab_check_implicit_bind( struct sock *sock )
{
    return sock->bound || !is_filtered( sock ) || decide( sock, WFP_BIND, NULL, NULL, NULL, 0 );
}

/* the socket waits for others on behalf of who calls */
static struct ntlab_endpoint *own_endpoint( struct sock *sock )
{
    struct ntlab_endpoint *endpoint = endpoint_of( sock );

    if (!endpoint) return NULL;
    if (endpoint->token) release_object( endpoint->token );
    free( endpoint->app );
    endpoint->token = (struct token *)grab_object( flow_token() );
    endpoint->app   = ntlab_app_of_process( current->process );
    return endpoint;
}

/* Asked before the call, or behind it where the system chooses the port, with that (bound). */
static int ntlab_check_bind( struct sock *sock, const union unix_sockaddr *asked, const union unix_sockaddr *bound )
{
    const union unix_sockaddr *addr = bound ? bound : asked;
    const int wildcard = is_ip( asked ) && (!port_of( asked ) || is_any( asked ));

    if (!is_filtered( sock ) || !is_ip( asked ) || !bound != !!port_of( asked )) return 1;
    if (decide( sock, WFP_BIND, own_endpoint( sock ), addr, NULL, wildcard ? FWP_CONDITION_FLAG_IS_WILDCARD_BIND : 0 )) return 1;
    sock->bound = 0;
    return 0;
}

static int ntlab_check_listen( struct sock *sock )
{
    union unix_sockaddr local;

    if (!is_filtered( sock )) return 1;
    return decide( sock, WFP_LISTEN, own_endpoint( sock ), local_address( sock, &local ), NULL, 0 );
}

/* a connection or a datagram to an address, which may become another one */
static int may_connect( struct sock *sock, union unix_sockaddr *addr, socklen_t *len )
{
    union unix_sockaddr local;

    if (!decide( sock, WFP_CONNECT, NULL, local_address( sock, &local ), addr, 0 ) || !carry( addr, len )) return 0;
    add_peer( sock, addr );
    return 1;
}

static int ntlab_check_connect( struct sock *sock, union unix_sockaddr *addr, socklen_t *len )
{
    if (!is_filtered( sock ) || !is_ip( addr )) return 1;
    return ntlab_check_implicit_bind( sock ) && may_connect( sock, addr, len );
}

/* the next connection that may be accepted, or -1 and errno */
static int ntlab_accept( struct sock *sock )
{
    union unix_sockaddr local, remote;
    socklen_t len, local_len;
    int fd;

    if (sock->ntlab && sock->ntlab->accepted)
    {
        fd = sock->ntlab->accepted - 1;
        sock->ntlab->accepted = 0;
        return fd;
    }
    for (;;)
    {
        len = sizeof(remote);
        local_len = sizeof(local);
        if ((fd = accept( get_unix_fd( sock->fd ), &remote.addr, &len )) == -1) return -1;
        if (!is_filtered( sock ) || !sock->ntlab || getsockname( fd, &local.addr, &local_len )) return fd;
        if (decide( sock, WFP_ACCEPT, sock->ntlab, &local, &remote, 0 )) return fd;
        clear_error();
        close( fd );
    }
}

/* is there something to accept, or an error to tell? */
static int ntlab_has_connection( struct sock *sock )
{
    int fd;

    if (sock->deferred) return 1;
    if ((fd = ntlab_accept( sock )) == -1) return errno != EWOULDBLOCK;
    if (endpoint_of( sock )) sock->ntlab->accepted = fd + 1;
    else close( fd );
    return sock->ntlab != NULL;
}

static void ntlab_sock_destroy( struct sock *sock )
{
    if (!sock->ntlab) return;
    if (sock->ntlab->token) release_object( sock->ntlab->token );
    if (sock->ntlab->accepted) close( sock->ntlab->accepted - 1 );
    free( sock->ntlab->app );
    free( sock->ntlab );
}

DECL_HANDLER(ntlab_check_send)
{
    struct sock *sock = (struct sock *)get_handle_obj( current->process, req->handle, 0, &sock_ops );
    union unix_sockaddr addr;
    socklen_t len = get_req_data_size();

    if (!sock) return;
    memset( &addr, 0, sizeof(addr) );
    memcpy( &addr, get_req_data(), min( len, sizeof(addr) ));
    if (is_filtered( sock ) && is_ip( &addr ) && may_connect( sock, &addr, &len ))
        set_reply_data( &addr, min( len, get_reply_max_size() ));
    release_object( sock );
}

/* a datagram that has come; an answer belongs to what was permitted already */
DECL_HANDLER(ntlab_check_receive)
{
    struct sock *sock = (struct sock *)get_handle_obj( current->process, req->handle, 0, &sock_ops );
    union unix_sockaddr addr, local;

    if (!sock) return;
    memset( &addr, 0, sizeof(addr) );
    memcpy( &addr, get_req_data(), min( get_req_data_size(), sizeof(addr) ));
    if (is_filtered( sock ) && is_ip( &addr ) && protocol_of( sock ) == IPPROTO_UDP && !is_peer( sock, &addr ) &&
        decide( sock, WFP_ACCEPT, sock->ntlab, local_address( sock, &local ), &addr, 0 )) add_peer( sock, &addr );
    release_object( sock );
}

/* An echo request of the calling thread, which a driver of Wine is about to send.  Returns 0 when the
 * caller has its answer: the reply of one that could not be sent. */
int ntlab_check_echo( unsigned int code )
{
    static const unsigned int icmp_echo = 0x12100c;  /* IOCTL_NSIPROXY_WINE_ICMP_ECHO */
    const struct sock sock = { .family = WS_AF_INET, .type = WS_SOCK_DGRAM, .proto = IPPROTO_ICMP };
    struct { char source[28]; unsigned short family, port; struct in_addr addr; } *echo = (void *)get_req_data();
    unsigned int failure[12] = { 0, 11050 };  /* ICMP_ECHO_REPLY with IP_GENERAL_FAILURE */
    union unix_sockaddr remote = { .in = { .sin_family = AF_INET } }, local = remote;
    socklen_t len;

    if (!ntlab_enabled || code != icmp_echo || get_req_data_size() < sizeof(*echo) || echo->family != WS_AF_INET) return 1;
    remote.in.sin_addr = echo->addr;
    local.in.sin_port = htons( 8 );  /* the place of FWPM_CONDITION_ICMP_TYPE */
    if (decide( &sock, WFP_CONNECT, NULL, &local, &remote, 0 ) && carry( &remote, &len ))
    {
        echo->addr = remote.in.sin_addr;
        return 1;
    }
    clear_error();
    set_reply_data( failure, min( sizeof(failure), get_reply_max_size() ));
    return 0;
}
