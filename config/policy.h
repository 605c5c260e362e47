/*
 * From configuration and facts to the plain data that a backend receives.
 *
 * Portable and free of side effects: `sbx plan` prints what `sbx run` does because both
 * call sbx_plan_make.  The facts are gathered by core/win.
 */
#ifndef SBX_CONFIG_POLICY_H
#define SBX_CONFIG_POLICY_H

#include "config/config.h"

/* What the computation needs to know of the machine.  UTF-8, absolute paths with backslashes. */
typedef struct sbx_facts {
    const char *cwd;
    const char *user_profile;   /* %USERPROFILE% from the profile API, not from the environment */
    const char *local_app_data;
    const char *roaming_app_data;
    const char *program_data;
    const char *windows_dir;
    const char *program_dir;    /* folder of sbx.exe */
    const char *state_dir;      /* %LOCALAPPDATA%\sbx */
    const char *run_id;         /* 32 hexadecimal digits */
    const char *const *environment; /* "NAME=value", as the user has it */
    uint32_t environment_count;
} sbx_facts;

/* The result.  Strings live in `arena`. */
typedef struct sbx_plan {
    sbx_arena arena;
    sbx_policy policy;
    const char *backend;            /* name */
    const char *fallback;           /* name, or NULL: no fallback */
    const char *profile;            /* name, or NULL */
    const char *const *withheld;    /* names of environment variables that look like secrets */
    uint32_t withheld_count;
    uint32_t console_grace_ms;      /* [console] grace: between the last Ctrl-C and the end of the tree */
    const char *const *warnings;    /* sentences, such as a protected name outside every root */
    uint32_t warning_count;
} sbx_plan;

/* `plan` begins as { 0 }; on failure it is empty again. */
sbx_status sbx_plan_make(const sbx_config *config, const sbx_facts *facts, sbx_plan *plan, sbx_diag *diag);
void sbx_plan_fini(sbx_plan *plan);

/* Print for people or for programs; `guarantees` and `notes` come from a dry run of the backend (may be NULL). */
sbx_status sbx_plan_print(const sbx_plan *plan, int json, sbx_text *out);

#endif
