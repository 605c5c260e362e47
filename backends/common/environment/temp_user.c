#include <windows.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/environment/edits.h"
#include "common/environment/temp.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/wide.h"

static char *own_temp(void)
{
    WCHAR *value_w = NULL;
    DWORD units = GetEnvironmentVariableW(L"TEMP", NULL, 0);
    char *value = NULL;

    if (units && (value_w = sbx_alloc(units * sizeof(*value_w))) && GetEnvironmentVariableW(L"TEMP", value_w, units) &&
        sbx_narrow(value_w, &value, NULL) != SBX_OK)
        value = NULL;
    sbx_free(value_w);
    return value;
}

/* Where it is: the variable often has short names in it.  NULL: it is not there. */
static char *find(const char *path)
{
    WCHAR *path_w = NULL;
    HANDLE dir = NULL;
    char *found = NULL;

    if (sbx_wide_path(path, &path_w, NULL) == SBX_OK)
        dir = sbx_handle_from(CreateFileW(path_w, FILE_READ_ATTRIBUTES,
                                          FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                          FILE_FLAG_BACKUP_SEMANTICS, NULL));
    if (dir)
        found = sbx_file_final_path(dir, VOLUME_NAME_DOS);
    sbx_handle_close(&dir);
    sbx_free(path_w);
    return found;
}

int sbx_temp_user_is_in(const sbx_policy *policy)
{
    char *own = own_temp(), *found = NULL;
    const char *named = sbx_edits_before(policy, "TEMP", own);
    uint32_t i;
    int is_in = 0;

    if (named)
        found = find(named);
    for (i = 0; found && i < policy->writable_count && !is_in; i++)
        is_in = sbx_path_is_below(found, policy->writable[i]);
    sbx_free(found);
    sbx_free(own);
    return is_in;
}
