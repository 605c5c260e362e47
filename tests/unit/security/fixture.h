/* A workspace with a repository and a policy on it, which the tests of grants begin with. */
#ifndef SBX_TESTS_FIXTURE_H
#define SBX_TESTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "tree.h"

/* Writable: "ws".  Protected in it, as somebody asked: .git, pkg\\inner\\.codex, and .agents and sbx.toml, which are missing. */
extern const char *writable[4], *protected_paths[64];
extern sbx_policy policy;
extern const sbx_audience *audience; /* NULL: commands run as the user */

/* The policy on a workspace that another process has made.  0: this system keeps no access rights. */
int attach(void);

int setup(void **context);
int teardown(void **context);
int not_judged(void);

void expect_ok(sbx_status st, const sbx_error *err);
sbx_grants *open_grants(void);
sbx_status open_error(sbx_error *err); /* no grants where it fails */
sbx_status clean_all(void);

/* A run can write in the workspace and not in .git; then all is cleaned. */
void expect_works(void);

/* A process that ends itself in the middle of what it does: the last that it does. */
void die_now(void);

/* Its exit code.  Ending a process with several threads may take a system for ever: one that said that it dies is ended from
 * outside, one that did not has hung. */
DWORD end_of_victim(HANDLE process);

/* The tree is as in this snapshot, which is freed. */
void tree_same(const char *name, char *before);

#define JUDGED                                                                                                         \
    (void)context;                                                                                                     \
    if (not_judged()) {                                                                                                \
        skip();                                                                                                        \
        return;                                                                                                        \
    }

#define DENIED ERROR_ACCESS_DENIED

#endif
