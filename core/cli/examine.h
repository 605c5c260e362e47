/* A backend looked at from outside, in a process of its own. */
#ifndef SBX_CLI_EXAMINE_H
#define SBX_CLI_EXAMINE_H

#include "cli/json.h"

/* After sbx_cli_plugins.  *object, freed with cJSON_Delete: name, path, state ("available", "unavailable",
 * "refused"), error, and for one that could be loaded version, summary, account, claims. */
sbx_status sbx_examine(const char *name, cJSON **object, sbx_error *err);

/* A member that is a string, or "". */
const char *sbx_examine_string(const cJSON *object, const char *key);

#endif
