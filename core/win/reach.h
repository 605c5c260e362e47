/*
 * Does this thread reach the network?  Asked by trying: a filter of the system's says no with WSAEACCES, at once.
 *
 * Only this machine's loopback addresses and two that belong to nobody are tried: 192.0.2.1 (RFC 5737) and 2001:db8::1
 * (RFC 3849).  Nothing is sent but what asks for a connection, a datagram of one byte, and an echo request to this machine.
 *
 * Source: MSDN "Windows Sockets Error Codes", "connect", "select", "IcmpSendEcho", "ALE Layers".  Any thread; with the token that it has.
 */
#ifndef SBX_WIN_REACH_H
#define SBX_WIN_REACH_H

#include <stdint.h>

/* Two bits for each way, beginning with the lowest. */
#define SBX_REACH_UNTRIED 0u
#define SBX_REACH_REFUSED 1u /* WSAEACCES */
#define SBX_REACH_UNKNOWN 2u /* there is no such network here */
#define SBX_REACH_OPEN 3u    /* all else: connected, still asking, refused by the other side */

/* TCP and UDP, to this machine and outside, listening, accepting; each IPv4 and IPv6; an echo request by IPv4 */
#define SBX_REACH_WAYS 13u
#define SBX_REACH_OUTSIDE 0xF0F0u /* the bits of those that lead outside */

typedef struct sbx_reach {
    uint16_t port;     /* of this machine, where a listener is; 0: not tried */
    uint16_t listen;   /* one that nobody uses, to listen at; 0: likewise */
    uint32_t limit_ms; /* how long a connection may stay undecided */
    void *token;       /* HANDLE: the thread impersonates it, with sockets that it made before; NULL: not */
    int anonymous;     /* likewise */
    int more; /* accepting and the echo request, too, by the process: with the others they take too long for a launch */
} sbx_reach;

/* The verdicts; 0: nothing could be tried. */
uint32_t sbx_reach_try(const sbx_reach *how);

/* SBX_REACH_OPEN: one is, *way is the first; SBX_REACH_REFUSED: some are refused, and none is open; else _UNKNOWN. */
uint32_t sbx_reach_judge(uint32_t verdicts, uint32_t *way);
/* "TCP to 127.0.0.1". */
const char *sbx_reach_name(uint32_t way);

/* A listener at 127.0.0.1 and, where there is IPv6, at ::1; the connections that reach it are not accepted. */
typedef struct sbx_reach_listener {
    uintptr_t sockets[2];
    uint16_t port;
} sbx_reach_listener;

/* At that port.  0: it is taken, or there are no sockets.  `listener` begins as { 0 }. */
int sbx_reach_listen(sbx_reach_listener *listener, uint16_t port);
void sbx_reach_listen_end(sbx_reach_listener *listener);

#endif
