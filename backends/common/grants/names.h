/*
 * The protected names that are built in, and which of them get a guard (guard.h) where they are missing.
 *
 * A guard is seen by whoever lists the folder or opens the name, and some take it for more than it is: for ripgrep, fd and
 * what else is built on the `ignore` crate, and for editors, anything called `.git` is the top of a repository, so that the
 * ignore files above it no longer count and those below it do.
 *
 *   .git             where nothing above the root is called so and no ignore file lies in it
 *   .codex, .agents  always
 *   sbx.toml         never: none that lies in a workspace is read on its own
 *
 * All of that in the root that holds the workspace, and in one that looks like a bare repository, where git finds a `.git` first:
 * in another, a cache or an output folder, nobody starts git or an agent.
 * A name that somebody asked for has its guard everywhere.  What has none is the command's to make: told when it ends
 * (later.h), and protected by the next run.
 */
#ifndef SBX_GRANTS_NAMES_H
#define SBX_GRANTS_NAMES_H

#include "common/grants/root.h"
#include "sbx/backend.h"

/* How many of the protected paths somebody named: all, where the host does not say it. */
uint32_t sbx_names_asked(const sbx_policy *policy);

/* Each of them; NULL behind the last. */
const char *sbx_name_built_in(size_t i);

/* Whether the path is, or lies in, one of them. */
int sbx_name_is_built_in(const char *path);

/* Whether a protected path of the root that is missing gets a guard. */
int sbx_name_wants_guard(const sbx_policy *policy, const sbx_root *root, int is_repository, const char *path);

/* The repository that encloses a folder: the nearest one above with a `.git`, whatever that is, where the folder itself has
 * none.  sbx_free; NULL: none. */
char *sbx_name_repository(const char *path);

#endif
