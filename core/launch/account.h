/*
 * A command that runs as another account: sbx-runner.exe starts it there.
 *
 *   sbx.exe (user)                          sbx-runner.exe (account)          command (account, restricted)
 *   pipes, a job, CreateProcessWithLogonW ─▶ suspended
 *   who is it? rights closed, in the job ──▶ resumed
 *                                HELLO  ◀── its own objects closed, too
 *   handles given, REQUEST ────────────────▶ token from the ticket ────────▶ suspended, in the command's job
 *   process and thread taken over ◀ STARTED  token checked
 *   checked here as well, resumed ─────────────────────────────────────────▶ runs
 *   SIGNAL ────────────────────────────────▶ Ctrl-C in the console of both ─▶
 *   RESIZE ────────────────────────────────▶ the command's terminal, where it has one (win/terminal.h)
 *
 * The control pipes are the runner's standard input and output, so they have no name; the command never holds one. The job of
 * the runner ends with sbx and holds the command's job inside. Whatever goes wrong ends both.
 *
 * One at a time, one thread.
 */
#ifndef SBX_LAUNCH_ACCOUNT_H
#define SBX_LAUNCH_ACCOUNT_H

#include "sbx/backend.h"
#include "win/channel.h"
#include "win/job.h"
#include "win/process.h"
#include "win/terminal.h"

/* How long a runner may take to say who it is, and again to start a command: a first logon takes some seconds. */
#define SBX_ACCOUNT_WAIT_MS 60000u

typedef struct sbx_account {
    sbx_process process; /* the runner */
    sbx_job job;
    sbx_channel channel;
    char sid[192];              /* of the account */
    char version[32];           /* of the runner, as it says */
    int has_served;             /* a command was started */
    uint32_t wait_ms;           /* 0: SBX_ACCOUNT_WAIT_MS */
    const sbx_console *console; /* whose Ctrl-C ends the wait for it; NULL: none */
    sbx_terminal *terminal;     /* of the command, opened by the caller and closed here; NULL: it has none */
    void (*note)(void *context, uint32_t kind, const char *object, const char *text); /* see launch.h */
    void *note_context;
} sbx_account;

/* Start the runner and let it say who it is.  `account` begins as { 0 }; closed by the caller on failure, too.
 * identity: LOGON.  SBX_E_UNAVAILABLE, SBX_E_UNENFORCED, SBX_E_REFUSED (another protocol), SBX_E_SYSTEM. */
sbx_status sbx_account_open(sbx_account *account, const sbx_identity *identity, sbx_error *err);

/* As sbx_process_spawn, there: start->token is made of the ticket by the backend of that name.  start->job stays the caller's: the runner
 * can put the command into it and look at it, no more.  What fails there is the error here. */
sbx_status sbx_account_spawn(sbx_account *account, const char *backend, const sbx_ticket *ticket,
                             const sbx_process_start *start, sbx_process *process, sbx_error *err);

/* What happened at the console goes to the command, which has another one: the first Ctrl-C or Ctrl-Break, a new size. */
void sbx_account_pass_on(sbx_account *account);

/* The end of the runner, and of everything that it started and that still runs.  The command's tree has ended before: then
 * the runner's backend deletes and opens up what only the account can, and tells what it could not. */
void sbx_account_close(sbx_account *account);

#endif
