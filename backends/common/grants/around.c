#include "common/grants/around.h"

#include "base/memory.h"
#include "base/path.h"
#include "common/grants/ancestors.h"
#include "common/grants/names.h"

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

sbx_status sbx_around_open(sbx_around *around, const sbx_policy *policy, const sbx_root *roots, uint32_t count,
                           const sbx_audience *audience, int dry, sbx_error *err)
{
    const char *workspace;
    char *repository;
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
    for (i = 0; i < count && st == SBX_OK; i++)
        st = sbx_ancestors_open(roots[i].path, audience, dry, err);
    return st == SBX_OK && !is_in_root ? sbx_ancestors_open(workspace, audience, dry, err) : st;
}

void sbx_around_close(sbx_around *around)
{
    sbx_reader_close(&around->workspace);
    sbx_reader_close(&around->repository);
}
