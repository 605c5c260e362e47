/* The table between the callers and a backend: see plugin.h. */
#ifndef SBX_PLUGIN_GUARD_H
#define SBX_PLUGIN_GUARD_H

#include "base/error.h"
#include "sbx/backend.h"

/* Call the entry of a DLL and check its table; `name` is the file's stem and `path` its path. */
sbx_status sbx_plugin_guard_enter(sbx_backend_entry_fn entry, const sbx_host *host, const char *name, const char *path,
                                  sbx_error *err);

/* The checked table, while a backend is in. */
const sbx_backend *sbx_plugin_guard_table(void);

void sbx_plugin_guard_leave(void);

#endif
