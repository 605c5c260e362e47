/*
 * The limit on calls of a backend that must answer at once: its DllMain, its entry, probe.
 *
 * Nothing has been started or changed when they are made, so a backend that hangs there ends the process:
 * one line on stderr, the report, exit code 125 (start.h).  open and what follows it are not limited: a first
 * grant of a big tree takes its time, and to end it half way would leave work to repair.
 */
#ifndef SBX_PLUGIN_WATCH_H
#define SBX_PLUGIN_WATCH_H

#include "base/error.h"

#define SBX_PLUGIN_WATCH_MS 10000u

/* Around each such call, on one thread, not nested.  backend, function: whose and which, for the line; they live
 * until the end of the call.  The first begin starts the thread that watches, which stays; it runs before any code of
 * the DLL does and needs no lock of the loader, so it ends a DllMain that never returns, too. */
sbx_status sbx_plugin_watch_begin(const char *backend, const char *function, sbx_error *err);
void sbx_plugin_watch_end(void);

#endif
