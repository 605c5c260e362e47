#include "cli/user_file.h"

#include <windows.h>
#include <string.h>

#include "base/path.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/wide.h"

sbx_status sbx_user_file_read(sbx_cli *cli, char **text, size_t *length, int *there, sbx_error *err)
{
    const char *path;
    sbx_status st = sbx_cli_config_path(cli, SBX_CONFIG_USER, &path, err);

    if (st == SBX_OK)
        st = sbx_file_read(path, SBX_TOML_MAX_BYTES, text, length, err);
    *there = st == SBX_OK;
    if (st == SBX_OK || !sbx_file_is_missing(err))
        return st;
    *length = 0;
    *text = sbx_strdup("");
    return *text ? SBX_OK : sbx_fail_memory(err);
}

/* As the next run reads it, below what it is told by options. */
static sbx_status check(sbx_cli *cli, const char *path, const char *text, size_t length, sbx_error *err)
{
    sbx_config *config = sbx_config_new();
    sbx_status st = config ? sbx_cli_add_machine_file(cli, config, err) : sbx_fail_memory(err);

    if (st == SBX_OK)
        st = sbx_config_add(config, path, text, length, &cli->diag);
    if (st == SBX_OK)
        st = sbx_config_finish(config, NULL, &cli->diag);
    sbx_config_free(config);
    return st;
}

/* Where a file is that may be a link to elsewhere; *target is in cli->arena, `path` where there is no file. */
static sbx_status follow(sbx_cli *cli, const char *path, const uint16_t *path_w, const char **target, sbx_error *err)
{
    BY_HANDLE_FILE_INFORMATION info;
    sbx_status st = SBX_OK;
    char *found = NULL;
    HANDLE file = sbx_handle_from(CreateFileW((LPCWSTR)path_w, FILE_READ_ATTRIBUTES,
                                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                              OPEN_EXISTING, 0, NULL));

    *target = path;
    if (!file)
        return GetLastError() == ERROR_FILE_NOT_FOUND || GetLastError() == ERROR_PATH_NOT_FOUND
                   ? SBX_OK
                   : sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", path);
    if (!GetFileInformationByHandle(file, &info)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetFileInformationByHandle", path);
    } else if (info.dwFileAttributes & FILE_ATTRIBUTE_READONLY) {
        sbx_fail(err, SBX_E_REFUSED, "write", path);
        st = sbx_hint(err, "the file is read-only; attrib -r takes that away");
    } else if (!(found = sbx_file_final_path(file, VOLUME_NAME_DOS))) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetFinalPathNameByHandleW", path);
    } else if (!(*target = sbx_arena_strdup(&cli->arena, found))) {
        st = sbx_fail_memory(err);
    }
    sbx_free(found);
    sbx_handle_close(&file);
    return st;
}

sbx_status sbx_user_file_write(sbx_cli *cli, const char *text, size_t length, sbx_error *err)
{
    uint16_t *path_w = NULL, *folder_w = NULL;
    const char *path, *folder, *target;
    int made = 0;
    sbx_status st = sbx_cli_config_path(cli, SBX_CONFIG_USER, &path, err);

    if (st != SBX_OK || (st = check(cli, path, text, length, err)) != SBX_OK)
        return st;
    folder = sbx_arena_strndup(&cli->arena, path, (size_t)(sbx_path_name(path) - path - 1));
    if (!folder)
        return sbx_fail_memory(err);
    if ((st = sbx_wide_path(path, &path_w, err)) != SBX_OK || (st = sbx_wide_path(folder, &folder_w, err)) != SBX_OK)
        goto out;
    made = CreateDirectoryW((LPCWSTR)folder_w, NULL);
    if (!made && GetLastError() != ERROR_ALREADY_EXISTS)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateDirectoryW", folder);
    if (st == SBX_OK)
        st = follow(cli, path, path_w, &target, err);
    if (st == SBX_OK)
        st = sbx_file_write(target, text, length, err);
    if (st != SBX_OK && made)
        RemoveDirectoryW((LPCWSTR)folder_w);
out:
    sbx_free(folder_w);
    sbx_free(path_w);
    return st;
}
