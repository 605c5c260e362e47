/*
 * Processes by the user that they run as.
 *
 * The walk passes over what this process may not open, so it sees those of other users only where their access rights admit this
 * one.  Whose a process is says its token or, where that does not open, its owner; one that has ended is none, though handles
 * keep it.
 *
 * Source: ntdoc.m417z.com "NtGetNextProcess"; MSDN "OpenProcessToken", "GetProcessTimes", "Process Security and Access Rights".
 */
#ifndef SBX_WIN_WALK_H
#define SBX_WIN_WALK_H

#include "base/error.h"

/* Return 0 to go on. */
typedef int (*sbx_walk_visitor)(void *context, uint32_t process_id);

/* user: PSID.  SBX_E_SYSTEM: the system does not list processes. */
sbx_status sbx_walk_processes(const void *user, sbx_walk_visitor visit, void *context, sbx_error *err);

#endif
