/*
 * An account for one run alone.
 *
 * A file for each account in the user's state folder, %LOCALAPPDATA%\sbx\leases: who keeps a byte of it locked has the account, and
 * loses it by ending, whatever the end was.  That no process of the account is left is looked at besides, as far as its access
 * rights let this user see it: an account in which one is left is passed over and named.
 *
 * The file says which workspace the account had last, so that the next run there gets it again; others get the one that
 * was used least lately.  It also keeps what has to be undone should the run be killed (station.h).
 *
 * Source: MSDN "LockFileEx" (a process's locks end with it).
 */
#ifndef SBX_ELEVATED_LEASE_H
#define SBX_ELEVATED_LEASE_H

#include "elevated/machine.h"

typedef struct sbx_lease {
    void *file; /* HANDLE; NULL: none */
    char account[24];
    const char *sid; /* of the account, in the record of setup */
    char *workspace, *left;
    char *owed,
        *made; /* what is to be put in order (tidy.h), of runs that were killed and of this one; NULL: nothing */
} sbx_lease;

/* `lease` begins as { 0 } and is so on failure.  online: of which kind, 0 or 1.  Waits for wait_ms until one is free, and
 * says so on stderr after a second; then SBX_E_REFUSED. */
sbx_status sbx_lease_take(sbx_lease *lease, const sbx_machine_user *user, int online, const char *workspace,
                          uint64_t wait_ms, sbx_error *err);
/* A line that says what the run is about to change outside (station.h), and lines on what it may make (tidy.h): undone and put in order by
 * the next run in the account, or the first by `clean`, should this one be killed. */
sbx_status sbx_lease_keep(sbx_lease *lease, const char *line, const char *made, sbx_error *err);

/* In the account, before the command is made: does anything else run there?  What sbx has closed is not seen: the runner, and the
 * host of its console.  SBX_E_REFUSED names it. */
sbx_status sbx_lease_look(sbx_error *err);
/* The run is over: a process that it left in the account is told.  The next run there would pass the account over. */
void sbx_lease_end(sbx_lease *lease);
/* What was kept is undone by now; is_done: what was made is in order.  A lease that was not taken is fine. */
void sbx_lease_give(sbx_lease *lease, int is_done);

/* Accounts at work, and what runs that were killed have left: as those of SBX_EXT_STATE. */
sbx_status sbx_lease_list(sbx_state_visitor visit, void *context, sbx_error *err);
sbx_status sbx_lease_clean(uint32_t what, const char *root, sbx_state_visitor visit, void *context, sbx_error *err);

#endif
