/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the flows of sockets, and of ICMP echo requests
 *
 * Included at the end of Wine's server/sock.c.  MSDN "ALE Layers" says what is asked when: binding, explicit
 * or not, and making a raw socket; listen(); accept(); connect(), a datagram, an echo request.  What is
 * refused fails with WSAEACCES; a connection that may not be accepted is closed before anybody sees it.
 *
 * Two addresses are outside of the machine, 192.0.2.1 and 2001:db8::1 (RFC 5737, RFC 3849).  Nothing is
 * ever sent to them: after the verdict LAB_OUTSIDE=PORT carries what is meant for them to that port of
 * the loopback address of the same family, otherwise they cannot be reached.
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
    if (!port)
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

static int decide( const struct sock *sock, enum wfp_layer layer, struct token *token, const union unix_sockaddr *local,
                   const union unix_sockaddr *remote, unsigned int flags )
{
    struct wfp_flow flow = { layer };
    union unix_sockaddr addr;

    flow.token = token;
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
    if (ntlab_wfp_permits( &flow )) return 1;
    set_error( STATUS_ACCESS_DENIED );
    return 0;
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

static int ntlab_check_raw( int family, int type, int protocol )
{
    const struct sock sock = { .family = family, .type = type, .proto = protocol };

    if (type != WS_SOCK_RAW || !is_filtered( &sock ) || decide( &sock, WFP_BIND, flow_token(), NULL, NULL, 0 )) return 1;
    set_win32_error( WSAEACCES );  /* socket() takes this one */
    return 0;
}

/* what is bound without being asked to has neither address nor port yet */
static int ntlab_check_implicit_bind( struct sock *sock )
{
    return sock->bound || !is_filtered( sock ) || decide( sock, WFP_BIND, flow_token(), NULL, NULL, 0 );
}

/* Asked before the call, or behind it where the system chooses the port, with that (bound). */
static int ntlab_check_bind( struct sock *sock, const union unix_sockaddr *asked, const union unix_sockaddr *bound )
{
    const union unix_sockaddr *addr = bound ? bound : asked;
    const int wildcard = is_ip( asked ) && (!port_of( asked ) || is_any( asked ));

    if (!is_filtered( sock ) || !is_ip( asked ) || !bound != !!port_of( asked )) return 1;
    if (decide( sock, WFP_BIND, flow_token(), addr, NULL, wildcard ? FWP_CONDITION_FLAG_IS_WILDCARD_BIND : 0 )) return 1;
    sock->bound = 0;
    return 0;
}

static int ntlab_check_listen( struct sock *sock )
{
    union unix_sockaddr local;

    if (!is_filtered( sock )) return 1;
    if (sock->ntlab_token) release_object( sock->ntlab_token );
    sock->ntlab_token = (struct token *)grab_object( flow_token() );
    return decide( sock, WFP_LISTEN, sock->ntlab_token, local_address( sock, &local ), NULL, 0 );
}

static int ntlab_check_connect( struct sock *sock, union unix_sockaddr *addr, socklen_t *len )
{
    union unix_sockaddr local;

    if (!is_filtered( sock ) || !is_ip( addr )) return 1;
    return ntlab_check_implicit_bind( sock ) &&
           decide( sock, WFP_CONNECT, flow_token(), local_address( sock, &local ), addr, 0 ) && carry( addr, len );
}

/* the next connection that may be accepted, or -1 and errno */
static int ntlab_accept( struct sock *sock )
{
    union unix_sockaddr local, remote;
    socklen_t len, local_len;
    int fd = sock->ntlab_accepted - 1;

    if (fd >= 0)
    {
        sock->ntlab_accepted = 0;
        return fd;
    }
    for (;;)
    {
        len = sizeof(remote);
        local_len = sizeof(local);
        if ((fd = accept( get_unix_fd( sock->fd ), &remote.addr, &len )) == -1) return -1;
        if (!is_filtered( sock ) || !sock->ntlab_token || getsockname( fd, &local.addr, &local_len )) return fd;
        if (decide( sock, WFP_ACCEPT, sock->ntlab_token, &local, &remote, 0 )) return fd;
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
    sock->ntlab_accepted = fd + 1;
    return 1;
}

static void ntlab_sock_destroy( struct sock *sock )
{
    if (sock->ntlab_token) release_object( sock->ntlab_token );
    if (sock->ntlab_accepted) close( sock->ntlab_accepted - 1 );
}

DECL_HANDLER(ntlab_check_send)
{
    struct sock *sock = (struct sock *)get_handle_obj( current->process, req->handle, 0, &sock_ops );
    union unix_sockaddr addr, local;
    socklen_t len = get_req_data_size();

    if (!sock) return;
    memset( &addr, 0, sizeof(addr) );
    memcpy( &addr, get_req_data(), min( len, sizeof(addr) ));
    if (is_filtered( sock ) && is_ip( &addr ) &&
        decide( sock, WFP_CONNECT, flow_token(), local_address( sock, &local ), &addr, 0 ) && carry( &addr, &len ))
        set_reply_data( &addr, min( len, get_reply_max_size() ));
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
    if (decide( &sock, WFP_CONNECT, flow_token(), &local, &remote, 0 ) && carry( &remote, &len ))
    {
        echo->addr = remote.in.sin_addr;
        return 1;
    }
    clear_error();
    set_reply_data( failure, min( sizeof(failure), get_reply_max_size() ));
    return 0;
}
