/*
 * Whom the filters keep off the network, asked of processes: setup's checks before and after it makes filters.
 *
 * An account without a network must not reach it, whatever weaker token it makes of its own (win/weaker.h).  Nobody else must
 * lose anything: the account with a network, which is to the filters like any user of the machine, its weaker tokens,
 * connections that it accepts, an echo request to this machine; whoever runs setup; and the redirector, which is the system's, by
 * a pipe that setup opens as \\localhost.  What was not open before is nobody's loss.
 *
 * One thread; takes an administrator.
 */
#ifndef SBX_ELEVATED_CHECKS_H
#define SBX_ELEVATED_CHECKS_H

#include "elevated/machine.h"

#define SBX_CHECKS_ROWS 8u

typedef struct sbx_checks {
    const sbx_machine *machine;
    const sbx_machine_user *user; /* whose accounts are asked */
    char *runner;
    uint32_t before[SBX_CHECKS_ROWS], own_before; /* verdicts (win/reach.h) */
    int redirector;
    struct sbx_reach_listener *listener;
    uint16_t listen;
} sbx_checks;

/* What is open now.  SBX_E_UNAVAILABLE: a process of the account does not run.  `checks` begins as { 0 }. */
sbx_status sbx_checks_begin(sbx_checks *checks, const sbx_machine *machine, const sbx_machine_user *user,
                            sbx_error *err);
/* Is all of that open still?  SBX_E_UNENFORCED says what is not. */
sbx_status sbx_checks_foreign(const sbx_checks *checks, sbx_error *err);
/* Is the account without a network off it?  Likewise. */
sbx_status sbx_checks_offline(const sbx_checks *checks, sbx_error *err);
void sbx_checks_end(sbx_checks *checks);

/* A listener at a port that is not among those opened, and such a port where nobody listens; 0: there is none. */
void sbx_checks_ports(const sbx_loopback *loopback, struct sbx_reach_listener *listener, uint16_t *listen);

#endif
