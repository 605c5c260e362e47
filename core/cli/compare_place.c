/* Folders: listed, copied, removed.  Links are never followed: a command may have made them. */
#include <windows.h>
#include <string.h>

#include "base/path.h"
#include "base/utf.h"
#include "cli/compare.h"
#include "win/dirs.h"
#include "plugin/plugin.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

#define READ_BYTES 65536u
#define REMOVE_TRIES 20 /* a program that was ended may hold a file a moment longer */
#define REMOVE_MS 100u

int sbx_compare_stopped(void)
{
    return sbx_console_asked() != SBX_CONSOLE_QUIET;
}

static sbx_status stopped(sbx_error *err)
{
    return sbx_fail(err, SBX_E_UNAVAILABLE, "it was interrupted", "compare");
}

static char *below(const char *folder, const char *path)
{
    sbx_text text = {0};

    sbx_text_printf(&text, "%s\\%s", folder, path);
    return sbx_text_take(&text);
}

/* A wide path that names the object itself, however long it is. */
static sbx_status wide_below(const char *folder, const char *path, uint16_t **path_w, sbx_error *err)
{
    char *joined = below(folder, path);
    const sbx_status st = joined ? sbx_wide_path(joined, path_w, err) : sbx_fail_memory(err);

    sbx_free(joined);
    return st;
}

sbx_status sbx_compare_make(const char *path, sbx_error *err)
{
    uint16_t *path_w = NULL;
    sbx_status st = sbx_wide_path(path, &path_w, err);

    if (st == SBX_OK && !CreateDirectoryW((LPCWSTR)path_w, NULL))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateDirectoryW", path);
    sbx_free(path_w);
    return st;
}

/* ---- lists ---- */

static uint32_t kind_of(const WIN32_FIND_DATAW *entry)
{
    if ((entry->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) && IsReparseTagNameSurrogate(entry->dwReserved0))
        return SBX_TREE_LINK;
    return entry->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY ? SBX_TREE_FOLDER : SBX_TREE_FILE;
}

static uint64_t both(DWORD high, DWORD low)
{
    return (uint64_t)high << 32 | low;
}

static int add(sbx_tree *tree, const char *folder, const WIN32_FIND_DATAW *entry)
{
    const uint32_t kind = kind_of(entry);
    char *name = sbx_utf16_to_utf8((const uint16_t *)entry->cFileName, wcslen(entry->cFileName), NULL), *path;
    int ok = 0;

    path = name && folder[0] ? below(folder, name) : NULL;
    if (name && (path || !folder[0]))
        ok = sbx_tree_add(
            tree, path ? path : name, kind, kind == SBX_TREE_FILE ? both(entry->nFileSizeHigh, entry->nFileSizeLow) : 0,
            kind == SBX_TREE_FILE ? both(entry->ftLastWriteTime.dwHighDateTime, entry->ftLastWriteTime.dwLowDateTime)
                                  : 0);
    sbx_free(path);
    sbx_free(name);
    return ok;
}

/* What is in one of the folders; `folder` is "" or an entry's. */
static sbx_status list_one(const char *root, const char *folder, int all, sbx_tree *tree, sbx_error *err)
{
    WIN32_FIND_DATAW entry;
    uint16_t *pattern_w = NULL;
    char *pattern = folder[0] ? below(folder, "*") : NULL;
    HANDLE find = INVALID_HANDLE_VALUE;
    sbx_status st =
        folder[0] && !pattern ? sbx_fail_memory(err) : wide_below(root, pattern ? pattern : "*", &pattern_w, err);

    if (st == SBX_OK)
        find = FindFirstFileExW((LPCWSTR)pattern_w, FindExInfoBasic, &entry, FindExSearchNameMatch, NULL,
                                FIND_FIRST_EX_LARGE_FETCH);
    if (st == SBX_OK && find == INVALID_HANDLE_VALUE && all && GetLastError() != ERROR_FILE_NOT_FOUND)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "FindFirstFileExW", folder[0] ? folder : root);
    if (find != INVALID_HANDLE_VALUE) {
        do {
            if (wcscmp(entry.cFileName, L".") != 0 && wcscmp(entry.cFileName, L"..") != 0 && !add(tree, folder, &entry))
                st = sbx_fail_memory(err);
        } while (st == SBX_OK && FindNextFileW(find, &entry));
        FindClose(find);
    }
    sbx_free(pattern_w);
    sbx_free(pattern);
    return st;
}

/* Not sorted: each folder stands before what is in it. */
static sbx_status list(const char *root, int all, int heed, sbx_tree *tree, sbx_error *err)
{
    uint32_t i;
    sbx_status st = list_one(root, "", all, tree, err);

    for (i = 0; st == SBX_OK && i < tree->count; i++) {
        if (heed && sbx_compare_stopped())
            return stopped(err);
        if (tree->entries[i].kind == SBX_TREE_FOLDER)
            st = list_one(root, tree->entries[i].path, all, tree, err);
    }
    return st;
}

static sbx_status hash_file(const char *root, sbx_tree_entry *entry, int all, char *buffer, sbx_error *err)
{
    uint16_t *path_w = NULL;
    HANDLE file = NULL;
    DWORD got = 0;
    BOOL ok = TRUE;
    sbx_status st = wide_below(root, entry->path, &path_w, err);

    if (st != SBX_OK)
        return st;
    file = sbx_handle_from(CreateFileW((LPCWSTR)path_w, GENERIC_READ,
                                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                       FILE_FLAG_SEQUENTIAL_SCAN | FILE_FLAG_OPEN_REPARSE_POINT, NULL));
    entry->content = SBX_TREE_HASH;
    while (file && (ok = ReadFile(file, buffer, READ_BYTES, &got, NULL)) && got)
        entry->content = sbx_tree_hash(entry->content, buffer, got);
    if ((!file || !ok) && all)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "ReadFile", entry->path);
    else if (!file || !ok)
        entry->content = GetLastError();
    sbx_handle_close(&file);
    sbx_free(path_w);
    return st;
}

sbx_status sbx_compare_list(const char *folder, int by_content, int all, sbx_tree *tree, sbx_error *err)
{
    char *buffer = sbx_alloc(READ_BYTES);
    uint32_t i;
    sbx_status st = buffer ? list(folder, all, 1, tree, err) : sbx_fail_memory(err);

    for (i = 0; st == SBX_OK && by_content && i < tree->count; i++) {
        if (sbx_compare_stopped())
            st = stopped(err);
        else if (tree->entries[i].kind == SBX_TREE_FILE)
            st = hash_file(folder, &tree->entries[i], all, buffer, err);
    }
    sbx_tree_sort(tree);
    sbx_free(buffer);
    return st;
}

/* ---- copies ---- */

static DWORD CALLBACK on_copied(LARGE_INTEGER total, LARGE_INTEGER done, LARGE_INTEGER size, LARGE_INTEGER size_done,
                                DWORD stream, DWORD reason, HANDLE from, HANDLE to, LPVOID data)
{
    (void)total, (void)done, (void)size, (void)size_done, (void)stream, (void)reason, (void)from, (void)to, (void)data;
    return sbx_compare_stopped() ? PROGRESS_CANCEL : PROGRESS_CONTINUE;
}

static sbx_status copy_one(const sbx_compare_place *place, const sbx_tree_entry *entry, sbx_error *err)
{
    uint16_t *from_w = NULL, *to_w = NULL;
    sbx_status st = wide_below(place->from, entry->path, &from_w, err);

    if (st == SBX_OK)
        st = wide_below(place->ws, entry->path, &to_w, err);
    if (st == SBX_OK && entry->kind == SBX_TREE_FOLDER && !CreateDirectoryW((LPCWSTR)to_w, NULL))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateDirectoryW", entry->path);
    if (st == SBX_OK && entry->kind == SBX_TREE_FILE &&
        !CopyFileExW((LPCWSTR)from_w, (LPCWSTR)to_w, on_copied, NULL, NULL,
                     COPY_FILE_FAIL_IF_EXISTS | COPY_FILE_ALLOW_DECRYPTED_DESTINATION)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CopyFileExW", entry->path);
        sbx_hint(err, "each run has a copy of the current folder, in TEMP; --in-place runs the command in it");
    }
    sbx_free(from_w);
    sbx_free(to_w);
    return sbx_compare_stopped() ? stopped(err) : st;
}

sbx_status sbx_compare_copy(const sbx_compare_place *place, const sbx_tree *tree, sbx_error *err)
{
    uint32_t i;
    sbx_status st = sbx_compare_make(place->ws, err);

    for (i = 0; st == SBX_OK && i < tree->count;
         i++) /* a folder's path is the beginning of those in it: it stands before */
        if (tree->entries[i].kind != SBX_TREE_LINK)
            st = copy_one(place, &tree->entries[i], err);
    return st;
}

/* ---- removed ---- */

static int remove_one(const char *path)
{
    uint16_t *path_w = NULL;
    DWORD attributes;
    BOOL gone;

    if (!path || sbx_wide_path(path, &path_w, NULL) != SBX_OK)
        return 0;
    attributes = GetFileAttributesW((LPCWSTR)path_w); /* of a link, its own */
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_READONLY))
        SetFileAttributesW((LPCWSTR)path_w, attributes & ~(DWORD)FILE_ATTRIBUTE_READONLY);
    gone = attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY)
               ? RemoveDirectoryW((LPCWSTR)path_w)
               : DeleteFileW((LPCWSTR)path_w);
    if (!gone)
        gone = GetLastError() == ERROR_FILE_NOT_FOUND || GetLastError() == ERROR_PATH_NOT_FOUND;
    sbx_free(path_w);
    return gone;
}

static int remove_once(const char *folder)
{
    sbx_tree tree = {0};
    char *path;
    int gone = list(folder, 0, 0, &tree, NULL) == SBX_OK;

    while (tree.count) {
        path = below(folder, tree.entries[--tree.count].path);
        gone &= remove_one(path);
        sbx_free(path);
    }
    sbx_tree_fini(&tree);
    return gone & remove_one(folder);
}

int sbx_compare_remove(const char *folder)
{
    int tries = REMOVE_TRIES;

    while (!remove_once(folder)) {
        if (!tries--)
            return 0;
        Sleep(REMOVE_MS);
    }
    return 1;
}

/* ---- the place ---- */

static sbx_status find_temp(sbx_compare_place *place, sbx_error *err)
{
    WCHAR temp_w[MAX_PATH + 2];
    const DWORD units = GetTempPathW(MAX_PATH + 1, temp_w);
    char *temp;
    sbx_status st;

    if (!units || units > MAX_PATH + 1)
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetTempPathW", "TEMP");
    st = sbx_narrow((const uint16_t *)temp_w, &temp, err);
    if (st != SBX_OK)
        return st;
    place->path = sbx_path_join(place->arena, temp, "sbx-compare");
    sbx_free(temp);
    return place->path ? SBX_OK : sbx_fail_memory(err);
}

static sbx_status take_lock(sbx_compare_place *place, sbx_error *err)
{
    const char *path = sbx_arena_printf(place->arena, "%s.lock", place->path);
    uint16_t *path_w = NULL;
    sbx_status st = path ? sbx_wide_path(path, &path_w, err) : sbx_fail_memory(err);

    if (st != SBX_OK)
        return st;
    place->lock = sbx_handle_from(
        CreateFileW((LPCWSTR)path_w, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL));
    if (!place->lock && GetLastError() == ERROR_SHARING_VIOLATION)
        st = sbx_fail(err, SBX_E_REFUSED, "another `sbx compare` of yours runs", "compare");
    else if (!place->lock)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", path);
    sbx_free(path_w);
    return st;
}

static int is_there(const char *path)
{
    uint16_t *path_w = NULL;
    int there = 0;

    if (sbx_wide_path(path, &path_w, NULL) == SBX_OK)
        there = GetFileAttributesW((LPCWSTR)path_w) != INVALID_FILE_ATTRIBUTES;
    sbx_free(path_w);
    return there;
}

static int remove_all(const sbx_compare_place *place)
{
    const int again = sbx_compare_stopped(); /* a Ctrl-C ends our `sbx clean` as well, before it is through */

    if (again || is_there(place->ws))
        sbx_compare_clean(place, place->ws);
    if (again || is_there(place->empty))
        sbx_compare_clean(place, place->empty);
    return !is_there(place->path) || sbx_compare_remove(place->path);
}

sbx_status sbx_compare_open(sbx_cli *cli, sbx_compare_place *place, sbx_error *err)
{
    sbx_status st;

    place->arena = &cli->arena;
    if ((st = sbx_cli_dir(cli, SBX_DIR_CURRENT, &place->from, err)) != SBX_OK || (st = find_temp(place, err)) != SBX_OK)
        return st;
    place->ws = sbx_arena_printf(&cli->arena, "%s\\ws", place->path);
    place->empty = sbx_arena_printf(&cli->arena, "%s\\empty", place->path);
    place->program = sbx_arena_printf(&cli->arena, "%s\\sbx.exe", sbx_plugin_program_dir());
    place->probe = sbx_arena_printf(&cli->arena, "%s\\sbx-probe.exe", sbx_plugin_program_dir());
    if (!place->ws || !place->empty || !place->program || !place->probe)
        return sbx_fail_memory(err);
    if (cli->command_w && sbx_path_below(place->path, place->from)) {
        sbx_fail(err, SBX_E_REFUSED, "the folder of the copies is in the current folder", place->path);
        return sbx_hint(err, "compare in another folder");
    }
    if ((st = take_lock(place, err)) != SBX_OK)
        return st;
    if (!remove_all(place)) {
        sbx_fail(err, SBX_E_REFUSED, "what an earlier `sbx compare` left cannot be removed", place->path);
        return sbx_hint(err, "delete that folder");
    }
    if ((st = sbx_compare_make(place->path, err)) != SBX_OK)
        return st;
    return sbx_console_begin(&place->console, err);
}

int sbx_compare_close(sbx_compare_place *place)
{
    int removed = 1;

    if (place->lock) {
        removed = remove_all(place);
        sbx_handle_close(&place->lock);
    }
    if (place->console.event)
        sbx_console_end(&place->console);
    return removed;
}
