/*
 * From configuration and facts to the plain data that a backend receives.
 *
 * Portable and free of side effects: `sbx plan` prints what `sbx run` does because both
 * call sbx_plan_make.  The facts are gathered by core/win.
 */
#ifndef SBX_CONFIG_POLICY_H
#define SBX_CONFIG_POLICY_H

#include "config/config.h"
#include "config/json.h"

/* What the computation needs to know of the machine.  UTF-8, absolute paths with backslashes. */
typedef struct sbx_facts {
    const char *cwd;
    const char *user_profile; /* %USERPROFILE% from the profile API, not from the environment */
    const char *local_app_data;
    const char *roaming_app_data;
    const char *program_data;
    const char *windows_dir;
    const char *program_dir;        /* folder of sbx.exe */
    const char *state_dir;          /* %LOCALAPPDATA%\sbx */
    const char *run_id;             /* 32 hexadecimal digits */
    const char *const *environment; /* "NAME=value", as the user has it */
    uint32_t environment_count;
} sbx_facts;

/*
 * How the facts and the configuration become a policy
 *   - Relative paths count from the workspace, the workspace from the current directory, a
 *     protected path from each writable root.  Network and device paths are refused.
 *   - A writable root must not be a volume's root, hold the user's profile, or hold or lie in the
 *     Windows folder or a folder of sbx's state and configuration.  When the program's folder lies
 *     in a root it is protected.  This judges spellings; the backend judges the object again.
 *   - A writable folder inside another one is a part of that: no names are protected in it on its own account.
 *   - The configuration files of the launch are protected where they lie in a root.
 *   - Of the protected paths those that somebody wrote stand first, then those that are built in, the key `git` among them.
 *   - environment.pass decides which variables stay; secrets that it does not name in full go
 *     (block_secrets); then unset, then set.  Where the same name is set and unset, the later
 *     layer wins.
 */
typedef struct sbx_plan {
    sbx_arena arena; /* the strings of all that follows */
    sbx_policy policy;
    const char *backend;         /* name */
    const char *fallback;        /* name, or NULL: no fallback */
    const char *profile;         /* name, or NULL */
    const char *const *withheld; /* names of environment variables that look like secrets */
    uint32_t withheld_count;
    uint32_t console_grace_ms;   /* [console] grace: between the last Ctrl-C and the end of the tree */
    const char *const *warnings; /* sentences, such as a protected name outside every root */
    uint32_t warning_count;
    /* where the paths of the policy come from, in the same order: "FILE:LINE", a flag, "built-in" */
    const char *const *writable_origins;
    const char *const *inner; /* writable folders that lie in others: parts of those, and no roots of the policy */
    const char *const *inner_origins;
    uint32_t inner_count;
    const char *const *protected_origins;
    const char *const *deny_read_origins;
    const char *const *readable_origins;
    const char *const *key_origins; /* of each key, by its place in the schema */
} sbx_plan;

/* `plan` begins as { 0 }; on failure it is empty again.  SBX_E_CONFIG or SBX_E_USAGE with the
 * position or the flag, SBX_E_MEMORY. */
sbx_status sbx_plan_make(const sbx_config *config, const sbx_facts *facts, sbx_plan *plan, sbx_diag *diag);
void sbx_plan_fini(sbx_plan *plan);

/* Whether the name of an environment variable looks like that of a secret. */
int sbx_secret_name(const char *name, size_t length);

/* An argument of a command as it may be kept: NAME=VALUE and --NAME VALUE where that is the name of a secret, and who logs on in an address,
 * are withheld.  *is_next: 0 for the first argument; left as it is for the next.  In the arena; NULL: out of memory. */
const char *sbx_secret_argument(sbx_arena *arena, const char *argument, int *is_next);

/* What is known of the backend that would run the plan. */
typedef struct sbx_plan_backing {
    sbx_guarantees guarantees;
    const char *const *gaps; /* objects of its SBX_NOTE_GAP */
    uint32_t gap_count;
} sbx_plan_backing;

/* The lines of a printed plan ("git", "network") that ask the backend for something that it does not do: the area is
 * neither enforced nor advisory, or a gap has the line's name, which is not the name of an area.  Gives their count. */
#define SBX_PLAN_LINES 11u
uint32_t sbx_plan_not_done(const sbx_plan *plan, const sbx_plan_backing *backing, const char *names[SBX_PLAN_LINES]);

/* Print for people, or as JSON in which numbers of 64 bits are strings.  For people with a `backing` (it may be NULL),
 * so that nothing is told as if it held that the backend does not do or only discourages; JSON is what is asked for. */
sbx_status sbx_plan_print(const sbx_plan *plan, const sbx_plan_backing *backing, int json, sbx_text *out);

/* The members of that JSON, into an object that is open: the caller adds its own. */
void sbx_plan_json(const sbx_plan *plan, sbx_json *json);

#endif
