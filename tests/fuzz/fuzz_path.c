/* One spelling of a path is its own; a join of what stays below is below. */
#include <string.h>

#include "base/path.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *path, *once, *twice, *joined;
    sbx_arena arena = {NULL};
    size_t where;

    sbx_fault_use(0);
    path = malloc(size + 1);
    SBX_HOLDS(path);
    memcpy(path, data, size);
    path[size] = 0;

    once = sbx_path_normalise(&arena, path);
    twice = sbx_path_normalise(&arena, once);
    SBX_HOLDS(once && twice && !strcmp(once, twice));
    SBX_HOLDS(sbx_path_root_length(path) <= strlen(path));
    SBX_HOLDS(sbx_path_parent_length(once) <= strlen(once));
    SBX_HOLDS(sbx_path_equal(once, once));
    if (sbx_path_is_absolute(once))
        SBX_HOLDS(sbx_path_is_below(once, once));
    joined = sbx_path_join(&arena, "C:\\base", path);
    SBX_HOLDS(joined && sbx_path_is_absolute(joined));
    if (sbx_path_kind(path) == SBX_PATH_RELATIVE && !strstr(path, ".."))
        SBX_HOLDS(sbx_path_is_below(joined, "C:\\base"));
    if (sbx_path_problem(path, &where))
        SBX_HOLDS(where <= strlen(path));
    sbx_path_extension(path);
    sbx_path_stream(path);
    free(path);
    sbx_arena_fini(&arena);
    SBX_HOLDS(sbx_fault_live() == 0);
    return 0;
}
