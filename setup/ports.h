/* What stands behind --loopback. */
#ifndef SBX_SETUP_PORTS_H
#define SBX_SETUP_PORTS_H

#include "base/error.h"

#define SBX_SETUP_PORTS 256u

/* "8080,3000-3999", "all", "none", or "dev": 3000 to 9999, where servers of developers listen, and the ports that the system gives
 * out (RFC 6335: 49152 to 65535), which tests ask for.  SBX_E_USAGE. */
sbx_status sbx_setup_ports(const char *text, sbx_port_range ranges[SBX_SETUP_PORTS], uint32_t *count, sbx_error *err);

#endif
