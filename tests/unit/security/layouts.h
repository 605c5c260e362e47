/* Repositories as git lays them out, for the tests of grants. */
#ifndef SBX_TESTS_LAYOUTS_H
#define SBX_TESTS_LAYOUTS_H

#include "fixture.h"

/* "directory\\name"; valid for the next calls. */
const char *in(const char *directory, const char *name);

/* A git directory; the workspace's is removed. */
void repository(const char *path);
void no_repository(void);

/* "main\\.git" with a linked worktree "wt", whose pointer back names `back`, and another one; ws\\.git names the first. */
void linked(const char *name, const char *back);
void worktree(const char *back);

#define OPEN 0

/* Write a file, or make one in a directory, as the command; what was made is removed. */
typedef struct act {
    const char *name;
    uint32_t wanted;
} act;

void all_acts(const sbx_grants *grants, const char *base, const act *acts, size_t count);

#endif
