/*
 * The first statement of every exe.
 *
 * Installs the allocator; DLLs come from System32 only from now on, never from the current
 * folder or PATH; a corrupt heap ends the process; an exception that nothing handles ends it
 * with one line on stderr and exit code 125, without a box (the job's kill-on-close ends the
 * child).  Source: MSDN "SetDefaultDllDirectories", "SetUnhandledExceptionFilter".
 */
#ifndef SBX_LAUNCH_START_H
#define SBX_LAUNCH_START_H

/* program: "sbx", for the line; lives as long as the process. */
void sbx_start(const char *program);

#endif
