/* Launches with a backend that adds nothing; the test program is its own child. */
#ifndef SBX_TESTS_FIXTURE_H
#define SBX_TESTS_FIXTURE_H

#include <windows.h>
#include <stdint.h>
#include <wchar.h>

#include "launch/launch.h"

extern WCHAR self_w[MAX_PATH]; /* this program */
extern char *cwd;
extern sbx_status verify_result; /* what the backend says of the child */
extern int spawn_ends;           /* how often it was told that the child is over */

/* First of all, behind sbx_memory_use. */
void begin_launches(void);

sbx_backend backend(void);

/* Fails the test with the words of an error. */
void check(sbx_status st, const sbx_error *err);

/* "child TAIL" of this program. */
sbx_status launch_with(sbx_policy *policy, const sbx_backend *b, const wchar_t *tail, sbx_launch_result *result,
                       sbx_error *err);

/* The same, which must succeed, with the given policy (may be NULL). */
sbx_launch_result run(sbx_policy *policy, const wchar_t *tail);

/* Whether an event of that name exists; whether it goes, within some seconds. */
int exists(const wchar_t *name);
int goes(const wchar_t *name);

#endif
