/*
 * The network, discouraged: environment edits that well-behaved programs obey.
 *
 * Nothing here stops a program that opens a socket.  Proxies lead to a port where nobody listens, package managers
 * are told that they are offline, git gets no protocol but its own files, and `ssh` and `scp` are programs
 * that say why there is none.  The user's own proxy settings are overridden: they would work.
 *
 * Source: curl(1) "ENVIRONMENT", git(1) GIT_ALLOW_PROTOCOL and GIT_SSH_COMMAND, npm "config", Cargo Book "Environment
 * Variables", pip "Configuration", Go "Module Reference" (GOPROXY), uv "Environment variables".
 */
#ifndef SBX_ENVIRONMENT_NETWORK_H
#define SBX_ENVIRONMENT_NETWORK_H

#include "common/environment/edits.h"

/* Nobody listens on the port of the discard service. */
#define SBX_NETWORK_DEAD "http://127.0.0.1:9"

/* For a policy whose network is off; nothing when it is on.  stubs: absolute path of the folder with the stub
 * programs, or NULL when there is none. */
void sbx_network_edits(sbx_edits *edits, const sbx_policy *policy, const char *stubs);

#endif
