/*
 * This program once more, with a console.
 *
 * Others found that a process with a restricted token can inherit a console but not make one: it ends with 0xC0000142.
 * Where sbx has none (DETACHED_PROCESS, some services) it starts itself again, with the same command line and standard handles
 * and a console without a window, and waits.  The second process ends with the first, whose job holds it.
 *
 * Source: MSDN "Process Creation Flags" (CREATE_NO_WINDOW), "Creation of a Console", "STARTUPINFOW".
 */
#ifndef SBX_LAUNCH_RESTART_H
#define SBX_LAUNCH_RESTART_H

#include "base/error.h"

/* SBX_OK: it ran and ended; *exit_code is to be passed on, and it said all there is to say.  SBX_E_SYSTEM in the second
 * process if it has none either. */
sbx_status sbx_restart_with_console(uint32_t *exit_code, sbx_error *err);

#endif
