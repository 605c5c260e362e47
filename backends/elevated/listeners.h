/*
 * Who listens on this machine: what ports that setup opens lead to.
 *
 * Source: MSDN "GetExtendedTcpTable" (TCP_TABLE_OWNER_PID_LISTENER).  The library is loaded by the first call.
 */
#ifndef SBX_ELEVATED_LISTENERS_H
#define SBX_ELEVATED_LISTENERS_H

#include "elevated/loopback.h"

/* "3000 (node.exe), 5432": those at ports of the set, 16 at most and then "..."; nothing where nobody does, or nobody knows. */
void sbx_listeners_text(const sbx_loopback *set, sbx_text *out);

#endif
