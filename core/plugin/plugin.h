/*
 * Loading backends: find, check, load, refuse with the right words.
 *
 * Backends are the DLLs in the `backends` folder beside the exe (beside the file itself, where
 * the exe was started through a link), loaded by absolute path with
 * LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32 only.  Before any of its
 * code runs: the name's syntax, folder and file are no links and nobody else can change them
 * (trust.h), the file is a DLL for this machine.  Then: the export, the table's version, size,
 * functions, name and claims.  Source: MSDN "LoadLibraryExW", "Dynamic-Link Library Security",
 * "PE Format".
 *
 * One backend is loaded at a time, and its calls come from one thread.  The table that
 * sbx_plugin_backend gives stands between: what a backend returns is checked against the rules of
 * sbx/backend.h, so callers need not (SBX_E_BACKEND), policy->require is held against the
 * guarantees that open gave (without the process tree, where children are kept), and an exception inside a call is
 * told apart from one of ours (start.h).
 * A DllMain, entry or probe that does not return in 10 s ends the process (plugin_watch.h); open has no limit.
 */
#ifndef SBX_PLUGIN_H
#define SBX_PLUGIN_H

#include "base/error.h"
#include "sbx/backend.h"

typedef struct sbx_plugin sbx_plugin; /* a loaded backend */

/* Where the notes, log lines and progress of backends go; any may be NULL.  Called from any thread. */
typedef struct sbx_plugin_sink {
    void *context;
    void (*log)(void *context, uint32_t level, const char *text);
    void (*note)(void *context, uint32_t kind, const char *object, const char *text);
    void (*progress)(void *context, const char *what, uint64_t done, uint64_t total);
} sbx_plugin_sink;

/* Once, before the first load.  state_dir: for the host table, copied; `sink` is copied, its context lives
 * as long as the program. */
sbx_status sbx_plugin_init(uint32_t program, const char *state_dir, const sbx_plugin_sink *sink, sbx_error *err);

/* The folder of the exe, absolute, links resolved; "" before sbx_plugin_init. */
const char *sbx_plugin_program_dir(void);

/* Load by name ("none"): letters, digits, '-' and '_' only, in any case.  SBX_E_NOT_FOUND never leaves here: a
 * backend that does not exist is SBX_E_UNAVAILABLE, one that breaks the rules SBX_E_BACKEND, one that others
 * can change SBX_E_REFUSED, a name that is none SBX_E_USAGE. */
sbx_status sbx_plugin_load(const char *name, sbx_plugin **plugin, sbx_error *err);
const sbx_backend *sbx_plugin_backend(const sbx_plugin *plugin);
const char *sbx_plugin_path(const sbx_plugin *plugin);
void sbx_plugin_free(sbx_plugin *plugin); /* unloads; NULL is fine */

/* Where the file of a backend is or would be; the caller frees it. */
char *sbx_plugin_file(const char *name);

/* The names that there are, sorted; free each and the list with sbx_free. */
sbx_status sbx_plugin_list(char ***names, uint32_t *count, sbx_error *err);

#endif
