/*
 * Environment blocks: "NAME=value" texts, each with a NUL, and an empty one at the end.
 *
 * Everything that is not edited stays as it is, unit by unit: lone surrogates, "=C:" entries with the
 * current directories of drives, entries without '='.  Names compare without case, ordinally, as the system
 * does.  Source: MSDN "CreateProcessW" (lpEnvironment), "Changing Environment Variables".  Any thread.
 */
#ifndef SBX_WIN_ENV_H
#define SBX_WIN_ENV_H

#include "base/error.h"

#define SBX_ENV_MAX_UNITS 32767u /* of one value, as SetEnvironmentVariableW has it */

typedef struct sbx_env_list {
    const sbx_env_edit *edits;
    uint32_t count;
} sbx_env_list;

/*
 * A new block: `source_w` (NULL: the environment of this process) with the edits of all lists applied in
 * order, sorted.  An edited variable keeps the spelling of its name.  *block_w is freed with sbx_free.
 * SBX_E_REFUSED: a name that is empty or has '=', text that is not well-formed, a value that is too long.
 */
sbx_status sbx_env_build(const uint16_t *source_w, const sbx_env_list *lists, uint32_t list_count, uint16_t **block_w,
                         sbx_error *err);

/* The value of a variable in a block, or NULL. */
const uint16_t *sbx_env_find(const uint16_t *block_w, const uint16_t *name_w);

#endif
