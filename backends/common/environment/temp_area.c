#include "common/environment/temp_area.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "common/host.h"
#include "common/token/token_info.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/wide.h"

#define LIST (FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE)

static const char *const area_names[] = {"temp", "cache", "homes"};
static const WCHAR *const area_names_w[] = {L"temp", L"cache", L"homes"};

static HANDLE open_state(const WCHAR *path_w)
{
    return sbx_handle_from(CreateFileW(path_w, LIST, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                       OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL));
}

sbx_status sbx_temp_area_open(int area, int create, HANDLE *handle, sbx_error *err)
{
    const char *state = sbx_host_table->state_dir;
    WCHAR *state_w = NULL;
    HANDLE parent = NULL, opened = NULL;
    sbx_nt_info info = {0};
    NTSTATUS status;
    sbx_status st = sbx_wide_path(state, &state_w, err);

    if (st != SBX_OK)
        return st;
    parent = open_state(state_w);
    if (!parent && create && GetLastError() == ERROR_FILE_NOT_FOUND) {
        if (!CreateDirectoryW(state_w, NULL) && GetLastError() != ERROR_ALREADY_EXISTS) {
            st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateDirectoryW", state);
            goto out;
        }
        parent = open_state(state_w);
    }
    if (!parent) {
        if (create || (GetLastError() != ERROR_FILE_NOT_FOUND && GetLastError() != ERROR_PATH_NOT_FOUND))
            st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", state);
        goto out;
    }
    status = sbx_nt_child(parent, area_names_w[area], wcslen(area_names_w[area]),
                          LIST | (create ? FILE_ADD_SUBDIRECTORY : 0u), create ? FILE_OPEN_IF : FILE_OPEN,
                          FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT, NULL, &opened);
    if (!SBX_NT_OK(status)) {
        if (create || !SBX_NT_GONE(status))
            st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtCreateFile", area_names[area]);
        goto out;
    }
    status = sbx_nt_query(opened, &info);
    if (!SBX_NT_OK(status) || (info.attributes & FILE_ATTRIBUTE_REPARSE_POINT)) {
        st = sbx_fail(err, SBX_E_REFUSED, "use as a folder of sbx: it is a link", area_names[area]);
        goto out;
    }
    *handle = opened;
    opened = NULL;
out:
    sbx_handle_close(&opened);
    sbx_handle_close(&parent);
    sbx_free(state_w);
    return st;
}

char *sbx_temp_area_path(int area, const char *name, const char *inner)
{
    sbx_text text = {0};

    sbx_text_printf(&text, "%s\\%s\\%s%s%s", sbx_host_table->state_dir, area_names[area], name, inner ? "\\" : "",
                    inner ? inner : "");
    return sbx_text_take(&text);
}

int sbx_temp_area_is_kept(const char *name)
{
    const size_t length = strlen(name), suffix = sizeof(SBX_TEMP_KEPT) - 1;

    return length > suffix && !strcmp(name + length - suffix, SBX_TEMP_KEPT);
}

char *sbx_temp_area_root(int area, const char *name)
{
    char *file = sbx_temp_area_path(area, name, SBX_TEMP_ROOT), *root = NULL;
    size_t length = 0;

    if (file && sbx_file_read(file, 65536, &root, &length, NULL) != SBX_OK)
        root = NULL;
    sbx_free(file);
    return root;
}

/* What opens up a file that the command closed to everybody: the user and SYSTEM. */
static void *opening_dacl(void)
{
    static const uint8_t local_system[12] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
    const sbx_token_self *self;
    void *acl = NULL;

    if (sbx_token_ask_self(&self, NULL) == SBX_OK)
        sbx_token_default_dacl(self, local_system, NULL, &acl, NULL);
    return acl;
}

NTSTATUS sbx_temp_area_remove(HANDLE area, const WCHAR *name_w, size_t length, sbx_remove_count *count)
{
    void *dacl = opening_dacl();
    NTSTATUS status = sbx_remove_tree(area, name_w, length, dacl, count);

    sbx_free(dacl);
    return status;
}
