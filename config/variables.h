/*
 * Variables in the values of a configuration.
 *
 *   ${WORKSPACE}      the workspace           ${CWD}         where sbx was started
 *   ${USERPROFILE}    the user's profile      ${WINDIR}      the Windows folder, also ${SYSTEMROOT}
 *   ${LOCALAPPDATA}   ${APPDATA}   ${PROGRAMDATA}
 *   ${env:NAME}       NAME from the environment of sbx
 *   $${               a "${" that is none
 *
 * The folders come from the system, not from the environment, which whoever starts sbx may have
 * been handed; what is to come from there says so.  Names are upper case; the case of an
 * environment name does not matter.  A variable that is not known or not set is an error, never
 * an empty text, and what was put in is not looked at again.
 */
#ifndef SBX_CONFIG_VARIABLES_H
#define SBX_CONFIG_VARIABLES_H

#include "base/memory.h"
#include "config/problem.h"

#define SBX_VARIABLE_WORKSPACE 0u
#define SBX_VARIABLE_CWD 1u
#define SBX_VARIABLE_USERPROFILE 2u
#define SBX_VARIABLE_LOCALAPPDATA 3u
#define SBX_VARIABLE_APPDATA 4u
#define SBX_VARIABLE_PROGRAMDATA 5u
#define SBX_VARIABLE_WINDIR 6u
#define SBX_VARIABLE_SYSTEMROOT 7u
#define SBX_VARIABLES 8u

/* What the variables stand for; NULL: not known here. */
typedef struct sbx_scope {
    const char *values[SBX_VARIABLES];
    const char *const *environment; /* "NAME=value" */
    uint32_t environment_count;
} sbx_scope;

/* Whether a text uses them rightly, as far as that can be said without their values.  1, or 0
 * and the problem. */
int sbx_variables_check(const char *text, size_t length, sbx_problem *problem);

/* The text with its variables replaced: SBX_OK, SBX_E_CONFIG and the problem, SBX_E_MEMORY. */
sbx_status sbx_variables_expand(sbx_arena *arena, const sbx_scope *scope, const char *text, const char **result,
                                sbx_problem *problem);

/* The name of an environment variable: not empty, no '=' and no control characters. */
int sbx_variables_check_name(const char *text, size_t length, sbx_problem *problem);

/* The value of an environment variable, case-free; NULL when it is not there. */
const char *sbx_environment_get(const char *const *environment, uint32_t count, const char *name, size_t length);

/* Whether two names of environment variables are the same.  Letters of ASCII are folded; beyond
 * it Windows folds more, which decides nothing here. */
int sbx_environment_same(const char *a, size_t a_length, const char *b, size_t b_length);

#endif
