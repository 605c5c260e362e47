/*
 * The first statement of every exe.
 *
 * Installs the allocator; DLLs come from System32 only from now on, never from the current
 * folder or PATH; files and folders of a cloud (OneDrive) look like any others, and not like
 * links, wherever sbx is installed; a corrupt heap ends the process; an exception that nothing
 * handles ends it with one line on stderr and exit code 125, without a box (the job's
 * kill-on-close ends the child).  Nothing of it is handed down to a child.  Source: MSDN
 * "SetDefaultDllDirectories", "SetDllDirectoryW" (children), "SetUnhandledExceptionFilter",
 * "RtlSetProcessPlaceholderCompatibilityMode" (Windows 10 1803).
 */
#ifndef SBX_PLUGIN_START_H
#define SBX_PLUGIN_START_H

#include <stdint.h>

/* program: "sbx", for the line; lives as long as the process. */
void sbx_start(const char *program);

/* The same end for a backend's function that has not returned: from another thread, which needs no lock and no
 * memory. */
void sbx_start_no_answer(const char *backend, const char *function, uint32_t seconds);

/* Called after that line and before the end, on the thread that failed: no allocation, little stack.  backend: whose
 * function it was, or NULL; exception: 0 for one that did not return. */
typedef void (*sbx_crash_fn)(const char *backend, const char *function, uint32_t exception);
void sbx_start_on_crash(sbx_crash_fn fn);

#endif
