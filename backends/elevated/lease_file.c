#include "elevated/lease_file.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "common/state.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"

#define FILE_BYTES 0x20000u

char *sbx_lease_file_path(const char *account)
{
    char name[64];

    snprintf(name, sizeof(name), SBX_LEASE_FOLDER "\\%s", account);
    return sbx_state_path(name);
}

sbx_status sbx_lease_file_open(const char *path, void **file, sbx_error *err)
{
    const DWORD access = GENERIC_READ | GENERIC_WRITE, share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    uint16_t *path_w = NULL, *folder_w = NULL;
    char *folder = NULL;
    DWORD attributes;
    sbx_status st = sbx_state_wide(path, &path_w, err);

    if (st != SBX_OK)
        return st;
    *file = sbx_handle_from(CreateFileW(path_w, access, share, NULL, OPEN_ALWAYS, 0, NULL));
    if (!*file && GetLastError() == ERROR_PATH_NOT_FOUND) { /* the first of this user */
        folder = sbx_state_path(SBX_LEASE_FOLDER);
        st = folder ? sbx_state_wide(folder, &folder_w, err) : sbx_fail_memory(err);
        if (st == SBX_OK && (st = sbx_state_make(err)) == SBX_OK && !CreateDirectoryW(folder_w, NULL) &&
            GetLastError() != ERROR_ALREADY_EXISTS)
            st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateDirectoryW", folder);
        if (st == SBX_OK)
            *file = sbx_handle_from(CreateFileW(path_w, access, share, NULL, OPEN_ALWAYS, 0, NULL));
    }
    if (st == SBX_OK && !*file) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", path);
        attributes = err->code == ERROR_ACCESS_DENIED ? GetFileAttributesW(path_w) : INVALID_FILE_ATTRIBUTES;
        if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY)) {
            st = sbx_fail(err, SBX_E_SYSTEM, "a folder is where a file of sbx belongs", path);
            sbx_hint(err, "remove it");
        }
    }
    sbx_free(folder_w);
    sbx_free(folder);
    sbx_free(path_w);
    return st;
}

/* The workspace; what is to be undone; what is to be put in order, a line for each folder. */
sbx_status sbx_lease_file_read(const char *path, char **workspace, char **left, char **owed, sbx_error *err)
{
    size_t length = 0;
    sbx_status st = sbx_file_read(path, FILE_BYTES, workspace, &length, err);

    if (st != SBX_OK)
        return st;
    *left = *workspace + strcspn(*workspace, "\n");
    if (**left)
        *(*left)++ = 0;
    *owed = *left + strcspn(*left, "\n");
    if (**owed)
        *(*owed)++ = 0;
    return SBX_OK;
}

sbx_status sbx_lease_file_write(void *file, const char *account, const char *workspace, const char *left,
                                const char *owed, sbx_error *err)
{
    char *path;
    sbx_text lines = {0};
    DWORD done = 0;
    sbx_status st = SBX_OK;

    sbx_text_printf(&lines, "%s\n%s\n%s", workspace, left, owed);
    if (lines.failed)
        return sbx_fail_memory(err);
    if (SetFilePointer(file, 0, NULL, FILE_BEGIN) == INVALID_SET_FILE_POINTER ||
        !WriteFile(file, lines.data, (DWORD)lines.length, &done, NULL) || !SetEndOfFile(file)) {
        path = sbx_lease_file_path(account);
        st = sbx_fail_last(err, SBX_E_SYSTEM, "WriteFile", path);
        sbx_free(path);
    }
    sbx_text_fini(&lines);
    return st;
}
