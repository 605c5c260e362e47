#include "setup/folder.h"

#include <windows.h>
#include <sddl.h>

#include "base/memory.h"
#include "base/text.h"
#include "launch/plugin_file.h"
#include "launch/trust.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

/* SYSTEM and Administrators everything, Users read; nothing inherited from %ProgramData%, where Users may add. */
#define FOLDER_SDDL L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"

static sbx_status make_folder(const char *path, sbx_error *err)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};
    uint16_t *path_w = NULL;
    void *handle = NULL;
    sbx_status st = sbx_wide_path(path, &path_w, err);

    if (st != SBX_OK)
        return st;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(FOLDER_SDDL, SDDL_REVISION_1,
                                                              &attributes.lpSecurityDescriptor, NULL))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "ConvertStringSecurityDescriptorToSecurityDescriptorW", path);
    else if (!CreateDirectoryW((LPCWSTR)path_w, &attributes) && GetLastError() != ERROR_ALREADY_EXISTS)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateDirectoryW", path);
    LocalFree(attributes.lpSecurityDescriptor);
    sbx_free(path_w);
    if (st != SBX_OK)
        return st;
    st = sbx_plugin_file_open(path, 1, SBX_TRUST_SELF, &handle, err);
    sbx_handle_close(&handle);
    return st;
}

sbx_status sbx_setup_folder(int make, char **path, sbx_error *err)
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
    if (make && (st = make_folder(made, err)) != SBX_OK)
        sbx_free(made);
    else
        *path = made;
    return st;
}
