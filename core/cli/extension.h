/* A feature that one backend has for all of the machine: its folders are named, not a run. */
#ifndef SBX_CLI_EXTENSION_H
#define SBX_CLI_EXTENSION_H

#include "cli/cli.h"
#include "plugin/plugin.h"

/* The first backend that has the extension `id`, whose table is `size` bytes at least; those that are refused are not asked.
 * Freed with sbx_plugin_free.  SBX_E_UNAVAILABLE: none has it. */
sbx_status sbx_extension_find(sbx_cli *cli, const char *id, uint32_t size, sbx_plugin **plugin, const void **ext,
                              sbx_error *err);

#endif
