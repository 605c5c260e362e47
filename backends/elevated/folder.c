#include "elevated/folder.h"

#include <windows.h>
#include <sddl.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "base/text.h"
#include "common/environment/temp_area.h"
#include "common/host.h"
#include "common/state.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/user.h"
#include "win/wide.h"

/* Read, write, run, delete; no right over the list. */
#define MODIFY "0x1301bf"
/* List, traverse, attributes, SYNCHRONIZE, and DELETE on nothing. */
#define LIST "0x1000a1"

#define RUN_LETTERS 12 /* of the run's id: short, for the paths in it */

static const char *name_of(const char *path)
{
    return strrchr(path, '\\') + 1;
}

/* A folder with that list: a part of SDDL behind what the user and SYSTEM have. */
static sbx_status make(const char *path, const char *others, DWORD *code, sbx_error *err)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};
    sbx_user_sid user;
    char user_text[192];
    sbx_text sddl = {0};
    uint16_t *sddl_w = NULL, *path_w = NULL;
    sbx_status st = sbx_user_get(&user, err);

    if (st != SBX_OK)
        return st;
    sbx_user_sid_text(user.u.bytes, user_text, sizeof(user_text));
    sbx_text_printf(&sddl, "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;%s)%s", user_text, others);
    st = sddl.failed ? sbx_fail_memory(err) : sbx_wide(sddl.data, "access list", &sddl_w, err);
    if (st == SBX_OK)
        st = sbx_state_wide(path, &path_w, err);
    if (st == SBX_OK && !ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl_w, SDDL_REVISION_1,
                                                                              &attributes.lpSecurityDescriptor, NULL))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "ConvertStringSecurityDescriptorToSecurityDescriptorW", sddl.data);
    *code = 0;
    if (st == SBX_OK && !CreateDirectoryW(path_w, &attributes)) {
        *code = GetLastError();
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateDirectoryW", path);
    }
    LocalFree(attributes.lpSecurityDescriptor);
    sbx_free(path_w);
    sbx_free(sddl_w);
    sbx_text_fini(&sddl);
    return st;
}

static HANDLE open_list(const char *path)
{
    uint16_t *path_w = NULL;
    HANDLE handle = NULL;

    if (sbx_wide_path(path, &path_w, NULL) == SBX_OK)
        handle =
            sbx_handle_from(CreateFileW(path_w, FILE_LIST_DIRECTORY | FILE_TRAVERSE | SYNCHRONIZE,
                                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                        FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL));
    sbx_free(path_w);
    return handle;
}

/* As the user: the area with all that is in it. */
static int remove_area(const char *area)
{
    sbx_remove_count count = {0};
    uint16_t *name_w = NULL;
    HANDLE parent = open_list(sbx_host_table->state_dir);
    int is_gone = 0;

    if (parent && sbx_wide(name_of(area), "folder", &name_w, NULL) == SBX_OK) {
        const NTSTATUS status = sbx_temp_area_remove(parent, name_w, wcslen(name_w), &count);

        is_gone = SBX_NT_OK(status) || SBX_NT_GONE(status);
    }
    sbx_handle_close(&parent);
    sbx_free(name_w);
    return is_gone;
}

static sbx_status open_area(const sbx_elevated_folder *folder, const char *account_sid, sbx_error *err)
{
    sbx_text list = {0};
    DWORD code = 0;
    sbx_status st;

    sbx_text_printf(&list, "(A;;" LIST ";;;%s)", account_sid);
    st = list.failed ? sbx_fail_memory(err) : make(folder->area, list.data, &code, err);
    if (st != SBX_OK && code == ERROR_ALREADY_EXISTS) { /* of a run that was killed */
        remove_area(folder->area);
        st = make(folder->area, list.data, &code, err);
        if (code == ERROR_ALREADY_EXISTS) /* what stays in it the account deletes, before its command is made */
            st = SBX_OK;
    }
    sbx_text_fini(&list);
    return st;
}

static sbx_status make_plain(char **path, const char *above, const char *name, sbx_error *err)
{
    sbx_text text = {0};
    uint16_t *path_w = NULL;
    sbx_status st;

    sbx_text_printf(&text, "%s\\%s", above, name);
    *path = sbx_text_take(&text);
    st = *path ? sbx_state_wide(*path, &path_w, err) : sbx_fail_memory(err);
    if (st == SBX_OK && !CreateDirectoryW(path_w, NULL))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateDirectoryW", *path);
    sbx_free(path_w);
    return st;
}

sbx_status sbx_elevated_folder_open(sbx_elevated_folder *folder, const sbx_elevated_folder_who *who, sbx_error *err)
{
    char second_text[192], *between = NULL;
    sbx_text name = {0}, path = {0}, list = {0};
    DWORD code = 0;
    sbx_status st;

    sbx_text_printf(&name, "elevated-%s", who->account);
    folder->area = name.failed ? NULL : sbx_state_path(name.data);
    sbx_text_fini(&name);
    if (!folder->area)
        return sbx_fail_memory(err);
    sbx_user_sid_text(who->second_sid, second_text, sizeof(second_text));
    sbx_text_printf(&path, "%s\\%.*s", folder->area, RUN_LETTERS, who->run_id);
    sbx_text_printf(&list, "(A;OICI;" MODIFY ";;;%s)(A;OICI;" MODIFY ";;;%s)(A;OICI;RC;;;OW)", who->first_sid,
                    second_text);
    folder->path = sbx_text_take(&path);
    st = !folder->path || list.failed ? sbx_fail_memory(err) : open_area(folder, who->account_sid, err);
    if (st == SBX_OK)
        st = make(folder->path, list.data, &code, err);
    if (st == SBX_OK && who->is_home && (st = make_plain(&folder->home, folder->path, "home", err)) == SBX_OK &&
        (st = make_plain(&between, folder->home, "AppData", err)) == SBX_OK &&
        (st = make_plain(&folder->roaming, between, "Roaming", err)) == SBX_OK)
        st = make_plain(&folder->local, between, "Local", err);
    sbx_text_fini(&list);
    sbx_free(between);
    return st;
}

static int is_there(const char *path)
{
    uint16_t *path_w = NULL;
    const int is = sbx_state_wide(path, &path_w, NULL) != SBX_OK ||
                   GetFileAttributesW(path_w) != INVALID_FILE_ATTRIBUTES || GetLastError() != ERROR_FILE_NOT_FOUND;

    sbx_free(path_w);
    return is;
}

int sbx_elevated_folder_close(sbx_elevated_folder *folder)
{
    const int is_done = folder->path && !is_there(folder->path);
    char **const texts[] = {&folder->area, &folder->path, &folder->home, &folder->roaming, &folder->local};
    size_t i;

    if (folder->area && !remove_area(folder->area))
        sbx_host_log(SBX_LOG_WARN, "%s: not all of the folder of the run could be deleted", folder->area);
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        sbx_free(*texts[i]);
        *texts[i] = NULL;
    }
    return is_done;
}

void sbx_elevated_folder_clear(const char *temp, int too)
{
    sbx_text all = {0};
    char *area = sbx_strdup(temp);
    uint16_t *all_w = NULL, *kept_w = NULL;
    sbx_remove_count count;
    WIN32_FIND_DATAW found;
    HANDLE parent, search;

    if (!area || !strrchr(area, '\\'))
        goto out;
    *strrchr(area, '\\') = 0;
    sbx_text_printf(&all, "%s\\*", area);
    parent = open_list(area);
    if (parent && !all.failed && sbx_wide_path(all.data, &all_w, NULL) == SBX_OK &&
        sbx_wide(name_of(temp), "folder", &kept_w, NULL) == SBX_OK) {
        search = sbx_handle_from(FindFirstFileW(all_w, &found));
        if (search) {
            do {
                if (wcscmp(found.cFileName, L".") && wcscmp(found.cFileName, L"..") &&
                    (too || _wcsicmp(found.cFileName, kept_w)))
                    sbx_temp_area_remove(parent, found.cFileName, wcslen(found.cFileName), &count);
            } while (FindNextFileW(search, &found));
            FindClose(search);
        }
    }
    sbx_handle_close(&parent);
out:
    sbx_text_fini(&all);
    sbx_free(all_w);
    sbx_free(kept_w);
    sbx_free(area);
}
