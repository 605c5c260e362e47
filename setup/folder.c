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
 * owner is the group, for an owner changes the rights, and the user has programs that are not elevated.  What is made in it may be owned by
 * that user ("System objects: Default owner for objects created by members of the Administrators group"), so owners have no such right. */
#define FOLDER_SDDL L"O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;OICI;RC;;;OW)"

sbx_status sbx_setup_folder_make(const char *path, uint32_t what, sbx_error *err)
{
    const WCHAR *sddl_w = what == SBX_FOLDER_PROGRAMS ? FOLDER_SDDL SBX_FOLDER_PACKAGES(L"OICI") : FOLDER_SDDL;
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};
    uint16_t *path_w = NULL;
    void *handle = NULL;
    char why[sizeof(err->hint)];
    int made = 0;
    sbx_status st = sbx_wide_path(path, &path_w, err);

    if (st != SBX_OK)
        return st;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl_w, SDDL_REVISION_1, &attributes.lpSecurityDescriptor,
                                                              NULL))
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

sbx_status sbx_setup_folder_each(const char *folder, sbx_setup_folder_visit visit, void *context)
{
    WIN32_FIND_DATAW entry;
    sbx_text pattern = {0};
    uint16_t *pattern_w = NULL;
    char *name = NULL;
    HANDLE find = NULL;
    sbx_status st = SBX_OK;

    sbx_text_printf(&pattern, "%s\\*", folder);
    if (!pattern.failed && sbx_wide_path(pattern.data, &pattern_w, NULL) == SBX_OK)
        find = sbx_handle_from(FindFirstFileW(pattern_w, &entry));
    while (find && st == SBX_OK) {
        sbx_text path = {0};

        if (wcscmp(entry.cFileName, L".") && wcscmp(entry.cFileName, L"..") &&
            sbx_narrow(entry.cFileName, &name, NULL) == SBX_OK) {
            sbx_text_printf(&path, "%s\\%s", folder, name);
            if (!path.failed)
                st = visit(path.data, &entry, context);
        }
        sbx_free(name);
        name = NULL;
        sbx_text_fini(&path);
        if (!FindNextFileW(find, &entry))
            break;
    }
    if (find)
        FindClose(find);
    sbx_free(pattern_w);
    sbx_text_fini(&pattern);
    return st;
}

static sbx_status stop(const char *path, const WIN32_FIND_DATAW *entry, void *context)
{
    (void)path;
    (void)entry;
    (void)context;
    return SBX_E_REFUSED;
}

uint32_t sbx_setup_folder_look(const char *path)
{
    uint16_t *path_w = NULL;
    uint32_t found = SBX_FOLDER_NONE;

    if (sbx_wide_path(path, &path_w, NULL) == SBX_OK && GetFileAttributesW(path_w) != INVALID_FILE_ATTRIBUTES)
        found = sbx_setup_folder_each(path, stop, NULL) == SBX_OK ? SBX_FOLDER_EMPTY : SBX_FOLDER_FULL;
    sbx_free(path_w);
    return found;
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
