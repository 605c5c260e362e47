#include "elevated/home.h"

#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "common/environment/temp_area.h"
#include "common/grants/ledger.h"
#include "common/grants/names.h"
#include "common/grants/root.h"
#include "common/host.h"
#include "common/nt.h"
#include "elevated/gitconfig.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"

#define LIST (FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES | SYNCHRONIZE)
#define LARGEST (1u << 20) /* of the user's .gitconfig */
#define TOLD 900u

static NTSTATUS remove_one(HANDLE parent, const WCHAR *name_w)
{
    sbx_remove_count count = {0};

    return sbx_temp_area_remove(parent, name_w, wcslen(name_w), &count);
}

/* A directory of that name, made where there is none; a link or a file, which a command may have left there, goes first. */
static HANDLE open_inner(HANDLE parent, const WCHAR *name_w)
{
    sbx_nt_info info = {0};
    HANDLE handle = NULL;
    int again;

    for (again = 0; again < 2; again++) {
        const NTSTATUS status =
            sbx_nt_child(parent, name_w, wcslen(name_w), LIST | FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY, FILE_OPEN_IF,
                         FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT, NULL, &handle);

        if (SBX_NT_OK(status) && SBX_NT_OK(sbx_nt_query(handle, &info)) &&
            !(info.attributes & FILE_ATTRIBUTE_REPARSE_POINT))
            return handle;
        sbx_handle_close(&handle);
        if (!SBX_NT_OK(remove_one(parent, name_w)))
            return NULL;
    }
    return NULL;
}

/* ---- .gitconfig ---- */

static void add_users(sbx_text *text)
{
    sbx_text left = {0}, path = {0};
    char *profile = NULL, *data = NULL;
    size_t length = 0;

    if (sbx_dirs_get(SBX_DIR_PROFILE, &profile, NULL) == SBX_OK)
        sbx_text_printf(&path, "%s\\.gitconfig", profile);
    if (path.data && !path.failed && sbx_file_read(path.data, LARGEST, &data, &length, NULL) == SBX_OK) {
        sbx_gitconfig_filter(data, length, text, &left);
        if (left.data && left.length)
            sbx_host_note(SBX_NOTE_WITHHELD, path.data, "settings of git that the command does not get: %.*s%s",
                          (int)TOLD, left.data, left.length > TOLD ? "..." : "");
    }
    sbx_free(data);
    sbx_free(profile);
    sbx_text_fini(&path);
    sbx_text_fini(&left);
}

/* Repositories in a root that are known, each by the folder that its `.git` is in. */
static void add_safe(sbx_text *text, const sbx_root *root, const sbx_ledger *ledger, sbx_arena *arena)
{
    const sbx_ledger_root *known = sbx_ledger_find(ledger, &root->sid);
    const sbx_ledger_path *path;

    sbx_gitconfig_safe(text, root->path);
    for (path = known ? known->paths : NULL; path; path = path->next) {
        const char *last = path->kind == SBX_RECORD_REPOSITORY ? strrchr(path->path, '\\') : NULL;
        const char *folder =
            last ? sbx_arena_printf(arena, "%s\\%.*s", root->path, (int)(last - path->path), path->path) : NULL;

        if (folder)
            sbx_gitconfig_safe(text, folder);
    }
}

static void add_all_safe(sbx_text *text, const sbx_grants *grants)
{
    sbx_ledger ledger = {0};
    sbx_arena arena = {NULL};
    const sbx_root *root;
    char *around;
    uint32_t i;

    sbx_text_add(text, "[safe]\n");
    if (sbx_ledger_load(&ledger, NULL) == SBX_OK)
        for (i = 0; (root = sbx_grants_root(grants, i)) != NULL; i++) {
            add_safe(text, root, &ledger, &arena);
            if ((around = sbx_name_repository(root->path)) != NULL)
                sbx_gitconfig_safe(text, around);
            sbx_free(around);
        }
    sbx_arena_fini(&arena);
    sbx_ledger_fini(&ledger);
}

static void write_gitconfig(HANDLE home, const sbx_grants *grants, const char *path)
{
    sbx_text text = {0};
    HANDLE file = NULL;
    DWORD written;
    NTSTATUS status;
    int is_made;

    sbx_text_add(&text, "# Made by sbx at each launch, of your own.\n");
    add_users(&text);
    add_all_safe(&text, grants);
    status = remove_one(home, L".gitconfig");
    if (SBX_NT_OK(status) || SBX_NT_GONE(status))
        status = sbx_nt_child(home, L".gitconfig", 10, FILE_WRITE_DATA | SYNCHRONIZE, FILE_CREATE,
                              FILE_NON_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT, NULL, &file);
    is_made = !text.failed && SBX_NT_OK(status) && WriteFile(file, text.data, (DWORD)text.length, &written, NULL);
    sbx_handle_close(&file);
    sbx_text_fini(&text);
    /* another run of the set that has it open, or a disk that is full: git then asks, or tells */
    if (!is_made)
        sbx_host_note(SBX_NOTE_WARN, path, "`.gitconfig` in it could not be made anew: git may call the owner dubious");
}

/* ---- The folder ---- */

static char *path_in(const sbx_home *home, const char *name)
{
    sbx_text text = {0};

    sbx_text_printf(&text, "%s\\%s", home->folder.path, name);
    return sbx_text_take(&text);
}

sbx_status sbx_home_open(sbx_home *home, const sbx_grants *grants, const void *group, sbx_error *err)
{
    const void *set = sbx_grants_set(grants);
    HANDLE folder = NULL, between = NULL, roaming = NULL, local = NULL, cache = NULL;
    NTSTATUS status;
    sbx_status st;

    if (!set)
        return SBX_OK;
    st = sbx_temp_open_home(&home->folder, sbx_grants_root(grants, 0)->path, set, group, err);
    if (st != SBX_OK)
        return st;
    status = sbx_nt_child(home->folder.hold, L"" SBX_TEMP_INNER, wcslen(L"" SBX_TEMP_INNER),
                          LIST | FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY, FILE_OPEN,
                          FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT, NULL, &folder);
    if (!SBX_NT_OK(status))
        return sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtCreateFile", home->folder.path);
    between = open_inner(folder, L"AppData");
    roaming = between ? open_inner(between, L"Roaming") : NULL;
    local = between ? open_inner(between, L"Local") : NULL;
    cache = open_inner(folder, L"cache");
    if (!roaming || !local || !cache)
        sbx_host_note(SBX_NOTE_WARN, home->folder.path, "not all of its folders could be made");
    home->roaming = path_in(home, "AppData\\Roaming");
    home->local = path_in(home, "AppData\\Local");
    home->cache = path_in(home, "cache");
    st = home->roaming && home->local && home->cache ? SBX_OK : sbx_fail_memory(err);
    write_gitconfig(folder, grants, home->folder.path);
    sbx_host_note(SBX_NOTE_GRANT, home->folder.path,
                  "home of the command, kept for runs with these writable folders and rules; your other commands can "
                  "read it");
    sbx_handle_close(&cache);
    sbx_handle_close(&local);
    sbx_handle_close(&roaming);
    sbx_handle_close(&between);
    sbx_handle_close(&folder);
    return st;
}

void sbx_home_close(sbx_home *home)
{
    sbx_temp_close(&home->folder);
    sbx_free(home->roaming);
    sbx_free(home->local);
    sbx_free(home->cache);
    memset(home, 0, sizeof(*home));
}

void sbx_home_tell(const sbx_grants *grants)
{
    const void *set = sbx_grants_set(grants);
    char name[SBX_TEMP_NAME], *path;

    if (!set)
        return;
    sbx_temp_name(set, name);
    path = sbx_temp_area_path(SBX_TEMP_AREA_HOME, name, SBX_TEMP_INNER);
    if (path)
        sbx_host_note(SBX_NOTE_GRANT, path,
                      "home of the command, kept for runs with these writable folders and rules; "
                      "your other commands can read it");
    sbx_free(path);
}
