/*
 * A program of ours with administrator rights, and what it says in our own streams.
 *
 * ShellExecuteExW (the verb "runas") gives the new process none of our handles, and with somebody else's password it is another
 * user's.  What it says comes through a named pipe.  Why a name does no harm here:
 *
 *   - 128 random bits, drawn before the program starts, and the first instance: nobody was there before
 *   - one instance, and its access list lets administrators write and nobody do anything else: programs of the user without
 *     these rights are kept out, and with PIPE_REJECT_REMOTE_CLIENTS other machines.  An entry for OWNER RIGHTS that gives nothing
 *     takes away what an owner has besides: one who opens a pipe for READ_CONTROL is connected to it as well
 *   - the one who connects has to be the process that was started, or nothing of it is shown
 *   - text goes one way and nothing is decided by it: how it ended is the process's own exit code
 *   - the program is told 32 digits and no path, so that it opens a pipe and never a file, and opens it so that whoever
 *     waits there learns nothing of its rights (SECURITY_ANONYMOUS)
 *
 * Source: MSDN "ShellExecuteExW", "CreateNamedPipeW", "Named Pipe Security and Access Rights", "Impersonation Levels
 * (Authorization)", "Well-known SIDs" (S-1-3-4), "GetNamedPipeClientProcessId".
 */
#ifndef SBX_CLI_ELEVATE_H
#define SBX_CLI_ELEVATE_H

#include "base/error.h"

/* Has this process administrator rights already? */
int sbx_elevate_is(void);

/* Runs to its end, messages as sbx_out_frames makes them.  arguments: without the program, with `id`, from sbx_run_id, in them.
 * SBX_E_REFUSED: the rights were declined, and nothing ran; or somebody else is at the pipe, and the program has ended without it.
 * SBX_E_SYSTEM: it ended before it opened the pipe. */
sbx_status sbx_elevate_run(const char *program, const char *arguments, const char *id, uint32_t *exit_code,
                           sbx_error *err);

#endif
