/*
 * Loading backends: find, check, load, refuse with the right words.
 *
 * Backends are the DLLs in the `backends` folder beside the exe, loaded by absolute path
 * with LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32 only.  Source: MSDN
 * "LoadLibraryExW", "Dynamic-Link Library Security".
 */
#ifndef SBX_LAUNCH_PLUGIN_H
#define SBX_LAUNCH_PLUGIN_H

#include "base/error.h"
#include "sbx/backend.h"

typedef struct sbx_plugin sbx_plugin; /* a loaded backend */

/* Where the notes, log lines and progress of backends go.  Set once, before the first load. */
typedef struct sbx_plugin_sink {
    void *context;
    void (*log)(void *context, uint32_t level, const char *text);
    void (*note)(void *context, uint32_t kind, const char *object, const char *text);
    void (*progress)(void *context, const char *what, uint64_t done, uint64_t total);
} sbx_plugin_sink;

sbx_status sbx_plugin_init(uint32_t program, const sbx_plugin_sink *sink, sbx_error *err);

/* Load by name ("none"): letters, digits, '-' and '_' only.  SBX_E_NOT_FOUND never leaves here: a
 * backend that does not exist is SBX_E_UNAVAILABLE, one that breaks the rules SBX_E_BACKEND. */
sbx_status sbx_plugin_load(const char *name, sbx_plugin **plugin, sbx_error *err);
const sbx_backend *sbx_plugin_backend(const sbx_plugin *plugin);
const char *sbx_plugin_path(const sbx_plugin *plugin);
void sbx_plugin_free(sbx_plugin *plugin); /* unloads; NULL is fine */

/* The names that there are, sorted; free each and the list with sbx_free. */
sbx_status sbx_plugin_list(char ***names, uint32_t *count, sbx_error *err);

#endif
