/*
 * What a commit needs of a repository that lies in no writable folder, as roots of their own.
 *
 * Where the `.git` of a root is a file, that names a directory out of the roots, that names it back by file ID, and no
 * command could have written what it says: of a submodule that directory; of a linked worktree that, and refs and logs of
 * the repository.  Objects may only be added (grow.h).  Of the rest of the repository nothing becomes writable, and it is kept
 * in place (ENCLOSE).  The SIDs of these roots are not those of the same directories as writable folders (sid.h).
 * What it said at the first grant of the root is in the ledger (POINTER): what it says later has to be that.
 * Source: git-scm.com "gitrepository-layout", "git-worktree", "gitsubmodules".
 */
#ifndef SBX_GRANTS_OUTSIDE_H
#define SBX_GRANTS_OUTSIDE_H

#include "common/grants/gitfile.h"
#include "common/grants/ledger.h"
#include "common/grants/place.h"

/* Open what is needed behind the *count roots of the user; room: for roots.  SBX_E_REFUSED: it is not to be opened, with
 * the option that would.  A `logs` that is missing is made, as git would, but for a dry run. */
sbx_status sbx_outside_open(const sbx_policy *policy, sbx_root *roots, uint32_t *count, uint32_t room, int dry,
                            sbx_error *err);

/* The repository of which a folder is a linked worktree, or submodule, by the same rules; NULL: none that may be followed.  root: the
 * folder.  As the `.git` file says it, final; in the arena. */
const char *sbx_outside_repository(const sbx_root *root, sbx_arena *arena);

/* Record what the `.git` file of a root says, before its first grant. */
sbx_status sbx_outside_record(const sbx_places *places, const sbx_root *root, sbx_ledger *ledger);

/* The roots of git's in the ledger that were opened for this one of the user's and for no other; returns their number.  They are
 * to be undone in this order. */
#define SBX_OUTSIDE_PARTS (5u * SBX_GITFILE_READINGS)
uint32_t sbx_outside_parts(sbx_ledger *ledger, const sbx_ledger_root *of,
                           const sbx_ledger_root *parts[SBX_OUTSIDE_PARTS]);

/* What has to be writable for a commit to a git directory that is out of the roots. */
const char *sbx_outside_common(const sbx_places *places, const char *git);

/* target: what `file` names, a directory out of the roots; why: or NULL. */
sbx_status sbx_outside_refuse(const sbx_places *places, const char *file, const char *target, const char *why);

#endif
