/*
 * What of a git repository must not change.
 *
 * Closed is what decides which programs git runs and where it reads: with `git = "protect"` all of the repository, with
 * "commit" hooks, configuration and pointers.  A link in it is followed like any protected name; a `.git` file to the
 * directory that it names and from there to the common one, in whichever root they lie.  Of linked worktrees and submodules
 * only those are open to a commit that name the `.git` file which names them.
 * Source: git-scm.com "gitrepository-layout", "git-worktree", "gitsubmodules".
 */
#ifndef SBX_GRANTS_REPOSITORY_H
#define SBX_GRANTS_REPOSITORY_H

#include "common/grants/maker.h"

/* Rules for the `.git` at a place.  is_nested: it was found below a root, and needs no guard where it is gone. */
sbx_status sbx_repository_add(sbx_rule_maker *m, const char *git, int is_nested);

/* Rules for a git directory, by whatever name. */
sbx_status sbx_repository_add_directory(sbx_rule_maker *m, const char *git);

/* Whether what is at a place looks like one to git. */
sbx_status sbx_repository_is(const sbx_places *p, const char *place, int *is_one);

#endif
