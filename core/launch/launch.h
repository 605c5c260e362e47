/*
 * One command from start to exit code.
 *
 * The caller has a policy, a backend with an open session, and the command; sbx_launch_run
 * resolves the program, makes token, job and environment, starts the child suspended, verifies
 * it, resumes it, supervises it and returns when it and (unless kept) its tree are gone.
 *
 * The command is started here, or by sbx-runner.exe inside another account (account.h); all the rest is the same.
 */
#ifndef SBX_LAUNCH_LAUNCH_H
#define SBX_LAUNCH_LAUNCH_H

#include "base/error.h"
#include "base/text.h"
#include "sbx/backend.h"

/* How the command ended. */
#define SBX_END_EXITED 1u      /* by itself: exit_code is the child's */
#define SBX_END_TIME 2u        /* time limit */
#define SBX_END_MEMORY 3u      /* a process hit the memory limit (exit_code is the child's) */
#define SBX_END_PROCESSES 4u   /* a process could not start because of the process limit (exit_code is the child's) */
#define SBX_END_INTERRUPTED 5u /* second Ctrl-C, console closed, logoff */
#define SBX_END_FAILED 6u      /* it never ran, or sbx lost it */

/*
 * Ctrl-C and Ctrl-Break reach the command directly, for it shares the console.  The first is its own affair;
 * the second ends the tree at once.  Where standard input is no console, nobody can ask twice: there the tree ends
 * console_grace_ms after the first (0: never).  A closed console or a logoff ends it after the same time, 3 s at most.
 *
 * SBX_POLICY_KEEP_CHILDREN: when the command has exited by itself, the rest of its tree goes on, in its job with
 * all limits but the end with sbx.  On every other way out it ends.
 */
typedef struct sbx_launch_request {
    const sbx_policy *policy;
    const sbx_backend *backend;
    sbx_session *session;
    /* The command as the user typed it behind "--": the untouched UTF-16 tail of the command
     * line, with a NUL.  Its first argument is the program. */
    const uint16_t *command_w;
    uint32_t console_grace_ms;
    uint32_t account_wait_ms; /* how long a runner may take to answer; 0: SBX_ACCOUNT_WAIT_MS */
    /* What the backend tells in a runner, when the command has ended: a note (SBX_NOTE_*); NULL: nobody listens. */
    void (*note)(void *context, uint32_t kind, const char *object, const char *text);
    void *note_context;
} sbx_launch_request;

typedef struct sbx_launch_result {
    uint32_t end;                          /* SBX_END_* */
    uint32_t exit_code;                    /* what sbx is to exit with */
    uint32_t child_exit;                   /* the child's own, when it ran */
    uint32_t process_id;                   /* of the child, 0 if it never ran */
    uint32_t processes;                    /* of the tree, started in all */
    uint64_t peak_memory;                  /* bytes committed by the tree at its peak; 0: not known */
    uint64_t prepare_us, spawn_us, run_us; /* microseconds by the performance counter */
    uint64_t cpu_us;                       /* user and kernel time of the tree */
    uint32_t unverified;                   /* SBX_AREA_* not to be claimed: the system did not tell that they hold */
    char program[1024];                    /* resolved path, UTF-8, cut when longer */
    char runner_version[32];               /* of the sbx-runner.exe that started the child; "": none */
} sbx_launch_result;

/* SBX_OK when the child ran, however it ended; result is filled as far as known in every case.
 * SBX_E_UNENFORCED: the suspended child was not what was asked for, and has been ended unrun.  So it is where the
 * system does not tell whether the process tree is held together, if that is required, or if the backend claims to
 * enforce anything else: what it set up for the run has to outlive the tree.
 * One launch at a time in a process. */
sbx_status sbx_launch_run(const sbx_launch_request *request, sbx_launch_result *result, sbx_error *err);

/* What sbx_launch_run finds out before it makes anything: result->program, or the failure that it would end with.
 * Starts nothing; the session may be one of a dry run.  command_w NULL: only where it would start is looked at. */
sbx_status sbx_launch_resolve(const sbx_launch_request *request, sbx_launch_result *result, sbx_error *err);

#endif
