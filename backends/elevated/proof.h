/*
 * The proof that a command is off the network, at each launch.
 *
 * sbx opens a listener at a port of this machine that setup did not open to commands, and its port goes with the ticket.  Before
 * the command runs, the runner tries to reach it and two addresses outside, as the account and with the token of the command
 * (win/reach.h): WSAEACCES proves the filters, whatever else gets through, or is undecided, refuses the launch.  Where there is no
 * network outside, what this machine answers counts; where nothing can be judged the launch is refused as well.
 *
 * The first time, and when the filtering platform was started anew, setup was repeated or Windows is another build, every weaker
 * token that a program could make of its own is tried, too (win/weaker.h).  The runner says by an event that it was; what sbx
 * keeps of it is a line in the user's state.  A command can set the event, too, but only one that was let run.
 *
 * Source: MSDN "RtlGetVersion", "CreateEventW"; NtQuerySystemInformation: winternl.h, phnt.
 */
#ifndef SBX_ELEVATED_PROOF_H
#define SBX_ELEVATED_PROOF_H

#include "elevated/machine.h"
#include "win/reach.h"

typedef struct sbx_proof {
    uint32_t platform; /* its process */
    uint64_t started;  /* when that was; 0: nobody knows */
    char known[96];    /* the stamp of the last trial */
    sbx_reach_listener listener;
    void *event;    /* HANDLE: set by the runner when all tokens were tried; NULL: not asked for */
    char stamp[96]; /* what such a trial holds for */
    char text[32];  /* for the ticket */
} sbx_proof;

/* Can the network be off, with these ports of this machine?  Looks alone.  `proof` begins as { 0 }.  SBX_E_REFUSED.
 * will_try: sbx_proof_check follows, so of a platform whose process lives since the last trial the manager of services is not asked. */
sbx_status sbx_proof_look(sbx_proof *proof, const sbx_policy *policy, const sbx_machine *machine,
                          const sbx_machine_user *user, int will_try, sbx_error *err);

/* Then, in sbx.exe: the listener, and the text for the ticket.  A platform that ended since is not seen here: the proof fails. */
sbx_status sbx_proof_open(sbx_proof *proof, const char *run_id, const sbx_machine_user *user, const char *account_sid,
                          sbx_error *err);
void sbx_proof_close(sbx_proof *proof);

/* In sbx-runner.exe.  token: the command's.  SBX_E_UNENFORCED: the network is open, or nobody knows. */
sbx_status sbx_proof_check(const char *text, const char *run_id, void *token, sbx_error *err);
/* When the command has ended, as the account: notes where it is open by now. */
void sbx_proof_end(const char *text);

#endif
