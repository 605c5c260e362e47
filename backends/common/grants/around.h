/*
 * What accounts read around the roots of a run: a workspace that is no root, the repository that encloses it, the one of which a root is
 * a linked worktree or a submodule, and, of the folders above, that they are there.  All else that a command needs is the user's to open beforehand.
 */
#ifndef SBX_GRANTS_AROUND_H
#define SBX_GRANTS_AROUND_H

#include "common/grants/reader.h"
#include "sbx/backend.h"

typedef struct sbx_around {
    sbx_reader workspace, repository;
    sbx_reader *commons; /* of linked worktrees and submodules (outside.h) */
    uint32_t common_count;
} sbx_around;

/* `around` begins as { 0 }; closed by the caller on failure, too.  The roots have no locks any more. */
sbx_status sbx_around_open(sbx_around *around, const sbx_policy *policy, const sbx_root *roots, uint32_t count,
                           const sbx_audience *audience, int dry, sbx_error *err);
void sbx_around_close(sbx_around *around);

#endif
