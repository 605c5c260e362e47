/*
 * Processes: started suspended in their job, with exactly three handles.
 *
 * Source: MSDN "CreateProcessW", "CreateProcessAsUserW", "UpdateProcThreadAttribute"
 * (PROC_THREAD_ATTRIBUTE_HANDLE_LIST, _JOB_LIST, _PSEUDOCONSOLE), "IsProcessInJob", "Nested Jobs" (a job with UI
 * limits need not go into another), "System Error Codes".
 */
#ifndef SBX_WIN_PROCESS_H
#define SBX_WIN_PROCESS_H

#include "base/error.h"

/* The standard handles of a child: inheritable copies of one's own.  One that is missing, closed, or no file,
 * pipe or console is replaced by NUL.  */
typedef struct sbx_stdio {
    void *handles[3]; /* HANDLE: input, output, error; NULL: the pseudo console that the child starts with */
} sbx_stdio;

/* `stdio` begins as { 0 }. */
sbx_status sbx_stdio_open(sbx_stdio *stdio, sbx_error *err);
void sbx_stdio_close(sbx_stdio *stdio);

typedef struct sbx_process_start {
    const uint16_t *program_w;     /* absolute */
    const uint16_t *command_w;     /* the whole command line */
    const uint16_t *environment_w; /* block (env.h) */
    const uint16_t *cwd_w;         /* NULL: as this process */
    const uint16_t *desktop_w;     /* NULL: as this process */
    const uint16_t *title_w;       /* NULL: none */
    void *token;                   /* NULL: that of this process; TOKEN_QUERY, too */
    void *job;                     /* HANDLE of the job that it enters before its first instruction */
    void *console;                 /* HPCON: a pseudo console in place of the console of this process; NULL: none */
    const sbx_stdio *stdio;
} sbx_process_start;

typedef struct sbx_process {
    void *handle, *thread; /* HANDLE; all access */
    uint32_t id;
} sbx_process;

/* Whether a process can start in this directory.  SBX_E_SYSTEM.  sbx_process_spawn asks for it, too. */
sbx_status sbx_process_check_cwd(const uint16_t *cwd_w, sbx_error *err);

/* `process` begins as { 0 }.  The child is suspended and in its job, or it does not exist.
 * SBX_E_NOT_FOUND, SBX_E_NOT_RUNNABLE, SBX_E_UNENFORCED (not in the job), SBX_E_SYSTEM. */
sbx_status sbx_process_spawn(sbx_process *process, const sbx_process_start *start, sbx_error *err);

/* In the job already, or put there now: for a child that has not run yet.  SBX_E_UNENFORCED. */
sbx_status sbx_process_enter(const sbx_process *process, void *job, sbx_error *err);

/* Does it run that file, by whatever path?  SBX_E_UNENFORCED with `op`. */
sbx_status sbx_process_check_image(const sbx_process *process, const uint16_t *program_w, const char *op,
                                   sbx_error *err);

sbx_status sbx_process_resume(sbx_process *process, sbx_error *err);

/* End a child that has not been resumed, and wait for it. */
void sbx_process_discard(sbx_process *process);

void sbx_process_close(sbx_process *process); /* the child goes on */

#endif
