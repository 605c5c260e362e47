/*
 * The environment edits that a backend adds, built one by one.
 *
 * Text lives in the arena of the edits.  Out of memory is kept and told once, by sbx_edits_status.
 */
#ifndef SBX_ENVIRONMENT_EDITS_H
#define SBX_ENVIRONMENT_EDITS_H

#include "base/error.h"
#include "base/memory.h"

typedef struct sbx_edits {
    sbx_arena arena;
    sbx_env_edit *items;
    uint32_t count, room;
    uint32_t git_count; /* entries of GIT_CONFIG_KEY_n so far, the user's own first */
    int git_added, failed;
} sbx_edits;

/* git_count: sbx_edits_git_count of what the child would have without these edits. */
void sbx_edits_init(sbx_edits *edits, uint32_t git_count);

/* op is SBX_ENV_*; both texts are copied, value may be NULL for SBX_ENV_UNSET. */
void sbx_edits_add(sbx_edits *edits, uint32_t op, const char *name, const char *value);
void sbx_edits_set(sbx_edits *edits, const char *name, const char *value);

/* One more setting for git, behind those that the environment already has, which it overrides.
 * Source: git-config(1), GIT_CONFIG_COUNT. */
void sbx_edits_git(sbx_edits *edits, const char *key, const char *value);

/* Once, after the last sbx_edits_git. */
void sbx_edits_git_end(sbx_edits *edits);

/* What GIT_CONFIG_COUNT says, or 0 where it is no count: git itself would stop there. */
uint32_t sbx_edits_git_count(const char *value);

/* The value that the policy's own edits give a variable: `now` is its value before them (NULL: none).  The
 * result points into `policy` or is `now`; a prepended value comes without what is behind it. */
const char *sbx_edits_before(const sbx_policy *policy, const char *name, const char *now);

sbx_status sbx_edits_status(const sbx_edits *edits, sbx_error *err);
void sbx_edits_fini(sbx_edits *edits);

#endif
