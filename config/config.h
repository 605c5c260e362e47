/*
 * Configuration: layers of TOML texts and flags, checked against one schema, merged.
 *
 * Order, later wins: built-in, machine file, user file, --config FILE, the profile
 * (wherever it is defined), flags.  Between files lists replace and tables merge key by
 * key; a flag adds to a list, because one that replaced it would drop protection unsaid.
 *
 *   sbx_config *c = sbx_config_new();
 *   sbx_config_add(c, "C:\\...\\sbx.toml", text, length, &diag);    once a file, lowest first
 *   sbx_config_set(c, "--network", "network", "on", &diag);         once a flag
 *   sbx_config_finish(c, "ci", &diag);                              profile or NULL
 *
 * A configuration is used by one thread at a time.
 */
#ifndef SBX_CONFIG_CONFIG_H
#define SBX_CONFIG_CONFIG_H

#include "config/toml.h"

typedef struct sbx_config sbx_config;

sbx_config *sbx_config_new(void); /* NULL: out of memory */
void sbx_config_free(sbx_config *config);

/* Add a file; the text is copied.  Fails as a whole: a wrong file changes nothing. */
sbx_status sbx_config_add(sbx_config *config, const char *file, const char *text, size_t length, sbx_diag *diag);

/* Set one key from the command line.  `value` is what the user typed, read according to the
 * key's type: a string as it stands, a boolean "true"/"false"/"on"/"off", an element of a list
 * (several between commas where the key has SBX_KEY_COMMAS), NAME=VALUE of a table.  Elements
 * add to what files say; "" drops what files and earlier flags gave.  A flag without an argument that
 * means an empty list (--read-only) is an error together with one that fills it.  Errors are SBX_E_USAGE
 * and name the flag. */
sbx_status sbx_config_set(sbx_config *config, const char *flag, const char *key, const char *value, sbx_diag *diag);

/* Resolve the profile with all that it inherits, merge, check across keys. */
sbx_status sbx_config_finish(sbx_config *config, const char *profile, sbx_diag *diag);

/* After finish: the merged value of a key, with its default; `origin` (may be NULL) gets
 * "built-in", "FILE:LINE" or the flag.  NULL for a key without value or default. */
const char *sbx_config_string(const sbx_config *config, const char *key, const char **origin);
/* Bytes, milliseconds, percent, count; booleans 0 or 1; 0 for "none". */
int64_t sbx_config_integer(const sbx_config *config, const char *key);
/* The elements of a list as written, NAME=VALUE for those of a table. */
const char *const *sbx_config_list(const sbx_config *config, const char *key, uint32_t *count);

/* The merged values, each with its origin: TOML with comments, or JSON. */
sbx_status sbx_config_show(const sbx_config *config, int json, sbx_text *out);

/* The text of a first file, with this backend; what else it has are comments. */
sbx_status sbx_config_starter(const char *backend, sbx_text *out);

/* The commented reference: config/sbx.toml is this text, byte for byte (a test holds them equal). */
sbx_status sbx_config_reference(sbx_text *out);

/* The JSON Schema of a configuration file, config/sbx.schema.json. */
sbx_status sbx_config_describe(sbx_text *out);

#endif
