/*
 * The paths of a policy: writable roots, what is protected in them, what cannot be read.
 * For the files of config/ only.
 */
#ifndef SBX_CONFIG_PATHS_H
#define SBX_CONFIG_PATHS_H

#include "config/policy.h"
#include "config/setting.h"
#include "config/variables.h"

/* Paths that grow, each with its origin; they live in the plan's arena. */
typedef struct sbx_paths {
    const char **paths, **origins;
    uint32_t count, size;
} sbx_paths;

/* What a plan is made with. */
typedef struct sbx_maker {
    const sbx_config *config;
    const sbx_facts *facts;
    sbx_plan *plan;
    sbx_diag *diag;
    sbx_scope scope;
    const char *workspace;
    sbx_paths roots, inner, all_roots, guarded, hidden, readable, warnings; /* all_roots: those two */
} sbx_maker;

/* The path of a plain key; a relative one begins at `base`. */
sbx_status sbx_paths_key(sbx_maker *maker, const char *key, const char *base, const char **path);

/* Fill roots, guarded, hidden, readable and warnings; the workspace is known. */
sbx_status sbx_paths_make(sbx_maker *maker);

#endif
