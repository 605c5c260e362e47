#include "elevated/folder.h"

#include <windows.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "common/environment/remove.h"
#include "common/host.h"
#include "common/state.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/user.h"
#include "win/wide.h"

/* Read, write, run, delete; no right over the list. */
#define MODIFY "0x1301bf"

static sbx_status descriptor_of(const char *group_sid, const void *run_sid, void **descriptor, sbx_error *err)
{
    sbx_user_sid user;
    char user_text[192], run_text[192];
    sbx_text sddl = {0};
    uint16_t *sddl_w = NULL;
    sbx_status st = sbx_user_get(&user, err);

    if (st != SBX_OK)
        return st;
    sbx_user_sid_text(user.u.bytes, user_text, sizeof(user_text));
    sbx_user_sid_text(run_sid, run_text, sizeof(run_text));
    sbx_text_printf(
        &sddl, "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;%s)(A;OICI;" MODIFY ";;;%s)(A;OICI;" MODIFY ";;;%s)(A;OICI;RC;;;OW)",
        user_text, group_sid, run_text);
    st = sddl.failed ? sbx_fail_memory(err) : sbx_wide(sddl.data, "access list", &sddl_w, err);
    if (st == SBX_OK &&
        !ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl_w, SDDL_REVISION_1, descriptor, NULL))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "ConvertStringSecurityDescriptorToSecurityDescriptorW", sddl.data);
    sbx_free(sddl_w);
    sbx_text_fini(&sddl);
    return st;
}

sbx_status sbx_elevated_folder_open(sbx_elevated_folder *folder, const char *run_id, const char *group_sid,
                                    const void *run_sid, sbx_error *err)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};
    char name[64], *path = NULL;
    uint16_t *path_w = NULL;
    sbx_status st;

    snprintf(name, sizeof(name), "elevated-%s", run_id);
    if ((st = descriptor_of(group_sid, run_sid, &attributes.lpSecurityDescriptor, err)) != SBX_OK)
        return st;
    path = sbx_state_path(name);
    st = path ? sbx_state_wide(path, &path_w, err) : sbx_fail_memory(err);
    if (st == SBX_OK && !CreateDirectoryW(path_w, &attributes))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateDirectoryW", path);
    if (st == SBX_OK) {
        folder->path = path;
        path = NULL;
    }
    LocalFree(attributes.lpSecurityDescriptor);
    sbx_free(path_w);
    sbx_free(path);
    return st;
}

void sbx_elevated_folder_close(sbx_elevated_folder *folder)
{
    sbx_remove_count count = {0};
    uint16_t *parent_w = NULL, *name_w = NULL;
    char *end = folder->path ? strrchr(folder->path, '\\') : NULL;
    HANDLE parent = NULL;

    if (!end)
        return;
    *end = 0;
    if (sbx_wide_path(folder->path, &parent_w, NULL) == SBX_OK && sbx_wide(end + 1, "folder", &name_w, NULL) == SBX_OK)
        parent = sbx_handle_from(CreateFileW(parent_w, FILE_LIST_DIRECTORY | FILE_TRAVERSE | SYNCHRONIZE,
                                             FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                             OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL));
    *end = '\\';
    if (!parent || sbx_remove_tree(parent, name_w, wcslen(name_w), NULL, &count) < 0)
        sbx_host_log(SBX_LOG_WARN, "%s: the folder of the run could not be deleted", folder->path);
    sbx_handle_close(&parent);
    sbx_free(parent_w);
    sbx_free(name_w);
    sbx_free(folder->path);
    folder->path = NULL;
}
