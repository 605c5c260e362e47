/*
 * A running command until it and its tree are gone.
 *
 * Waits for the process itself, never for the end of its output: a background process may hold that.
 */
#ifndef SBX_LAUNCH_SUPERVISE_H
#define SBX_LAUNCH_SUPERVISE_H

#include "launch/account.h"
#include "launch/launch.h"
#include "win/console.h"
#include "win/job.h"
#include "win/process.h"

/* STATUS_CONTROL_C_EXIT: the exit code of a process that Ctrl-C ended. */
#define SBX_INTERRUPTED_CODE 0xC000013Au

typedef struct sbx_watch {
    sbx_process *process; /* resumed */
    sbx_job *job;
    sbx_console *console;
    uint64_t time_ms;  /* time limit, 0: none */
    uint32_t grace_ms; /* 0: none; see launch.h */
    int keep_children;
    sbx_account *account; /* NULL: none; Ctrl-C is passed on to it, and its end is that of the tree */
} sbx_watch;

/* Fills end, exit_code, child_exit, peaks and times of the result.  SBX_E_SYSTEM: sbx lost sight of the
 * command; the tree is ended nevertheless. */
sbx_status sbx_supervise(const sbx_watch *watch, sbx_launch_result *result, sbx_error *err);

#endif
