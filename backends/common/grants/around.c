#include "common/grants/around.h"

#include "base/memory.h"
#include "base/path.h"
#include "common/grants/ancestors.h"
#include "common/grants/names.h"
#include "common/grants/outside.h"

/* Where the workspace is: in a root, read by itself, or as it was named. */
static const char *find_workspace(const sbx_around *around, const sbx_policy *policy, const sbx_root *roots,
                                  uint32_t count, int *is_in_root)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        *is_in_root = sbx_path_is_below(policy->workspace, roots[i].spelled) ||
                      sbx_path_is_below(policy->workspace, roots[i].path);
        if (*is_in_root)
            return roots[i].path;
    }
    *is_in_root = 0;
    return around->workspace.root.path ? around->workspace.root.path : policy->workspace;
}

/* The repository that a folder is a linked worktree or a submodule of. */
static sbx_status open_common(sbx_around *around, const sbx_root *root, const sbx_audience *audience, int dry,
                              sbx_error *err)
{
    sbx_reader *reader = &around->commons[around->common_count];
    sbx_arena arena = {NULL};
    const char *common = sbx_outside_repository(root, &arena);
    sbx_status st = SBX_OK;

    if (common) {
        around->common_count++;
        st = sbx_reader_open(common, NULL, audience, dry, reader, err);
    }
    if (common && st == SBX_OK)
        st = sbx_ancestors_open(common, audience, dry, err);
    sbx_arena_fini(&arena);
    return st;
}

sbx_status sbx_around_open(sbx_around *around, const sbx_policy *policy, const sbx_root *roots, uint32_t count,
                           const sbx_audience *audience, int dry, sbx_error *err)
{
    const char *workspace;
    char *repository;
    sbx_root looked = {0};
    uint32_t i;
    int is_in_root;
    sbx_status st = SBX_OK;

    find_workspace(around, policy, roots, count, &is_in_root);
    if (!is_in_root) /* the hold of a run is that of its roots, where it has some */
        st = sbx_reader_open(policy->workspace, count ? NULL : policy->run_id, audience, dry, &around->workspace, err);
    workspace = find_workspace(around, policy, roots, count, &is_in_root);
    if (st == SBX_OK && (repository = sbx_name_repository(workspace)) != NULL) {
        st = sbx_reader_open(repository, NULL, audience, dry, &around->repository, err);
        sbx_free(repository);
    }
    if (st == SBX_OK && !(around->commons = sbx_alloc_zero(count + 1, sizeof(*around->commons))))
        st = sbx_fail_memory(err);
    for (i = 0; i < count && st == SBX_OK; i++)
        if (!sbx_sid_is_git(&roots[i].sid))
            st = open_common(around, &roots[i], audience, dry, err);
    if (st == SBX_OK && !is_in_root && sbx_root_look(workspace, &looked, NULL) == SBX_OK)
        st = open_common(around, &looked, audience, dry, err);
    sbx_root_close(&looked);
    for (i = 0; i < count && st == SBX_OK; i++)
        st = sbx_ancestors_open(roots[i].path, audience, dry, err);
    return st == SBX_OK && !is_in_root ? sbx_ancestors_open(workspace, audience, dry, err) : st;
}

void sbx_around_close(sbx_around *around)
{
    while (around->common_count)
        sbx_reader_close(&around->commons[--around->common_count]);
    sbx_free(around->commons);
    around->commons = NULL;
    sbx_reader_close(&around->workspace);
    sbx_reader_close(&around->repository);
}
