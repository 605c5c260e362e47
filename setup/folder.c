#include "setup/folder.h"

#include <windows.h>
#include <sddl.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/text.h"
#include "plugin/plugin_file.h"
#include "win/trust.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

/* SYSTEM and Administrators everything, Users read; nothing inherited from %ProgramData%, where Users may add.  Its
 * owner is the group, for an owner changes the rights, and the user has programs that are not elevated. */
#define FOLDER_SDDL L"O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"

sbx_status sbx_setup_folder_make(const char *path, sbx_error *err)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};
    uint16_t *path_w = NULL;
    void *handle = NULL;
    char why[sizeof(err->hint)];
    int made = 0;
    sbx_status st = sbx_wide_path(path, &path_w, err);

    if (st != SBX_OK)
        return st;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(FOLDER_SDDL, SDDL_REVISION_1,
                                                              &attributes.lpSecurityDescriptor, NULL))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "ConvertStringSecurityDescriptorToSecurityDescriptorW", path);
    else if (!(made = CreateDirectoryW((LPCWSTR)path_w, &attributes) != 0) && GetLastError() != ERROR_ALREADY_EXISTS)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateDirectoryW", path);
    LocalFree(attributes.lpSecurityDescriptor);
    sbx_free(path_w);
    if (st != SBX_OK)
        return st;
    st = sbx_plugin_file_open(path, 1, SBX_TRUST_ADMIN, &handle, err);
    sbx_handle_close(&handle);
    if (st != SBX_OK && made) {
        sbx_setup_folder_remove(path);
        return sbx_hint(err, "this system does not keep the access rights that the folder was made with");
    }
    if (st == SBX_E_REFUSED && err && snprintf(why, sizeof(why), "%s", err->hint) > 0)
        sbx_hint(err, "%s; remove it, and setup makes it anew", why);
    return st;
}

void sbx_setup_folder_remove(const char *path)
{
    uint16_t *path_w = NULL;

    if (sbx_wide_path(path, &path_w, NULL) == SBX_OK)
        RemoveDirectoryW((LPCWSTR)path_w);
    sbx_free(path_w);
}

sbx_status sbx_setup_folder(char **path, sbx_error *err)
{
    char *data = NULL, *made;
    sbx_text text = {0};
    sbx_status st = sbx_dirs_get(SBX_DIR_PROGRAM_DATA, &data, err);

    if (st != SBX_OK)
        return st;
    sbx_text_printf(&text, "%s\\sbx", data);
    sbx_free(data);
    made = sbx_text_take(&text);
    if (!made)
        return sbx_fail_memory(err);
    *path = made;
    return SBX_OK;
}
