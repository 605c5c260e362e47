/*
 * A second look into a directory that is protected already.
 *
 * A file that somebody moves in keeps its ACEs, on Windows, and those of a writable root let the command in: `move
 * pre-commit .git\hooks` would give it a hook.  The descriptor of the directory does not tell.
 */
#ifndef SBX_GRANTS_RECHECK_H
#define SBX_GRANTS_RECHECK_H

#include "common/grants/rules.h"

#define SBX_RECHECK_CLOSED 0u /* nothing in it admits the command */
#define SBX_RECHECK_OPEN 1u
#define SBX_RECHECK_MUCH 2u /* not all was looked at: it is too much for every launch */

/* handle: SBX_ROOT_ACCESS.  git: SBX_RULE_*; of a repository only what decides which programs git runs is looked at. */
sbx_status sbx_recheck_inside(const sbx_root *root, void *handle, uint32_t git, uint32_t *found, sbx_error *err);

#endif
