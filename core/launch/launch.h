/*
 * One command from start to exit code.
 *
 * The caller has a policy, a backend with an open session, and the command; sbx_launch_run
 * resolves the program, makes token, job and environment, starts the child suspended, verifies
 * it, resumes it, supervises it and returns when it and (unless kept) its tree are gone.
 *
 * Used by sbx.exe for SELF identities and by sbx-runner.exe inside the account for LOGON.
 */
#ifndef SBX_LAUNCH_LAUNCH_H
#define SBX_LAUNCH_LAUNCH_H

#include "base/error.h"
#include "base/text.h"
#include "sbx/backend.h"

/* How the command ended. */
#define SBX_END_EXITED 1u       /* by itself: exit_code is the child's */
#define SBX_END_TIME 2u         /* time limit */
#define SBX_END_MEMORY 3u       /* a process hit the memory limit (exit_code is the child's) */
#define SBX_END_PROCESSES 4u    /* a process could not start because of the process limit (exit_code is the child's) */
#define SBX_END_INTERRUPTED 5u  /* second Ctrl-C, console closed, logoff */
#define SBX_END_FAILED 6u       /* it never ran, or sbx lost it */

typedef struct sbx_launch_request {
    const sbx_policy *policy;
    const sbx_backend *backend;
    sbx_session *session;
    /* The command as the user typed it behind "--": the untouched UTF-16 tail of the command
     * line, with a NUL.  Its first argument is the program. */
    const uint16_t *command_w;
    uint32_t console_grace_ms;
} sbx_launch_request;

typedef struct sbx_launch_result {
    uint32_t end;           /* SBX_END_* */
    uint32_t exit_code;     /* what sbx is to exit with */
    uint32_t child_exit;    /* the child's own, when it ran */
    uint32_t process_id;    /* of the child, 0 if it never ran */
    uint32_t peak_processes;
    uint64_t peak_memory;   /* bytes committed by the tree at its peak */
    uint64_t prepare_us, spawn_us, run_us; /* microseconds by the performance counter */
    uint64_t cpu_us;        /* user and kernel time of the tree */
    char program[1024];     /* resolved path, UTF-8, cut when longer */
} sbx_launch_result;

/* SBX_OK when the child ran, however it ended; result is filled as far as known in every case. */
sbx_status sbx_launch_run(const sbx_launch_request *request, sbx_launch_result *result, sbx_error *err);

#endif
