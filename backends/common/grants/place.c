#include "common/grants/place.h"

#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "base/utf.h"
#include "common/grants/link_target.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/wide.h"

#define LIST_BYTES 8192u

static const char *made(const sbx_places *p, const char *root, const char *rest)
{
    return *rest ? sbx_arena_printf(p->arena, "%s\\%s", root, rest) : root;
}

const char *sbx_place_named(const sbx_places *p, const char *path)
{
    const char *rest;
    uint32_t i;

    for (i = 0; i < p->count; i++)
        if ((rest = sbx_path_below(path, p->roots[i].path)) || (rest = sbx_path_below(path, p->roots[i].spelled)))
            return made(p, p->roots[i].path, rest);
    return NULL;
}

static int is_separator(char c)
{
    return c == '\\' || c == '/';
}

/* An absolute path on a local drive, or NULL.  *nothing: Win32 can have no such file. */
static char *on_drive(const sbx_places *p, const char *base, const char *text, int *nothing)
{
    char drive[] = "A:\\", *path;
    UINT type;

    *nothing = 0;
    /* devices that are files by their other names; what is verbatim is left as it is */
    if (is_separator(text[0]) && is_separator(text[1])) {
        if ((text[2] != '.' && text[2] != '?') || !is_separator(text[3]))
            return NULL;
        if (strncmp(text, "\\\\?\\", 4) != 0)
            text += 4;
        if (sbx_path_kind(text) != SBX_PATH_DRIVE && sbx_path_kind(text) != SBX_PATH_VERBATIM)
            return NULL;
    }
    if (sbx_path_kind(text) == SBX_PATH_DRIVE_RELATIVE)
        return NULL;
    path = sbx_path_join(p->arena, base, text);
    if (!path || sbx_path_kind(path) != SBX_PATH_DRIVE || strchr(path + 2, ':'))
        return NULL;
    if (strpbrk(path, "\r\n") || sbx_path_problem(path, NULL)) {
        *nothing = 1;
        return NULL;
    }
    drive[0] = path[0];
    type = GetDriveTypeA(drive);
    *nothing = type == DRIVE_NO_ROOT_DIR;
    return *nothing || type == DRIVE_REMOTE ? NULL : path;
}

/* *missing: there is nothing of that name. */
static HANDLE open_any(const char *path, int *missing)
{
    uint16_t *path_w = NULL;
    HANDLE handle;
    DWORD code;

    *missing = 0;
    if (sbx_wide_path(path, &path_w, NULL) != SBX_OK)
        return NULL;
    handle = sbx_handle_from(CreateFileW((const WCHAR *)path_w, FILE_READ_ATTRIBUTES,
                                         FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                         FILE_FLAG_BACKUP_SEMANTICS, NULL));
    code = GetLastError();
    *missing = !handle && (code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND || code == ERROR_INVALID_NAME ||
                           code == ERROR_DIRECTORY);
    sbx_free(path_w);
    return handle;
}

/* Short names, links and substituted drives are other ways to call a place; what is missing is where its parent is. */
static uint32_t find_by_opening(const sbx_places *p, const char *path, const char **place)
{
    const size_t root = sbx_path_root_length(path);
    size_t length = strlen(path);
    char *at = sbx_arena_strdup(p->arena, path), *final;
    const char *rest;
    HANDLE handle = NULL;
    int missing = 0;

    while (at && !(handle = open_any(at, &missing)) && missing && length > root) {
        length = sbx_path_parent_length(at);
        at = sbx_arena_strndup(p->arena, path, length);
    }
    if (!handle)
        return missing ? SBX_PLACE_NOTHING : SBX_PLACE_UNKNOWN;
    rest = path + length + (path[length] == '\\');
    final = sbx_file_final_path(handle, VOLUME_NAME_DOS);
    sbx_handle_close(&handle);
    at = final ? sbx_path_join(p->arena, final, *rest ? rest : ".") : NULL;
    sbx_free(final);
    if (!at || (sbx_path_kind(at) != SBX_PATH_DRIVE && sbx_path_kind(at) != SBX_PATH_VOLUME))
        return SBX_PLACE_UNKNOWN;
    if ((*place = sbx_place_named(p, at)))
        return SBX_PLACE_IN;
    *place = at;
    return *rest ? SBX_PLACE_NOTHING : SBX_PLACE_OUT;
}

uint32_t sbx_place_find(const sbx_places *p, const char *base, const char *text, const char **place)
{
    int nothing;
    const char *path = on_drive(p, base, text, &nothing);

    *place = NULL;
    if (!path)
        return nothing ? SBX_PLACE_NOTHING : SBX_PLACE_UNKNOWN;
    return (*place = sbx_place_named(p, path)) ? SBX_PLACE_IN : find_by_opening(p, path, place);
}

const sbx_root *sbx_place_root(const sbx_places *p, const char *place, const char **rest)
{
    const sbx_root *in = NULL;
    const char *one;
    uint32_t i;

    *rest = NULL;
    for (i = 0; i < p->count; i++)
        if ((one = sbx_path_below(place, p->roots[i].path)) && (!*rest || strlen(one) < strlen(*rest))) {
            *rest = one;
            in = &p->roots[i];
        }
    return in;
}

sbx_status sbx_place_open(const sbx_places *p, const char *place, ACCESS_MASK access, void **handle, sbx_nt_info *info)
{
    const char *rest;
    const sbx_root *in = sbx_place_root(p, place, &rest);
    NTSTATUS status;
    HANDLE copy = NULL;

    *handle = NULL;
    if (!in)
        return SBX_OK;
    if (*rest)
        return sbx_root_below(in, rest, access, handle, info, p->err);
    if (!DuplicateHandle(GetCurrentProcess(), in->handle, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS))
        return sbx_fail_last(p->err, SBX_E_SYSTEM, "DuplicateHandle", place);
    *handle = copy;
    status = sbx_nt_query(copy, info);
    return SBX_NT_OK(status) ? SBX_OK : sbx_fail_nt(p->err, SBX_E_SYSTEM, status, "NtQueryInformationFile", place);
}

sbx_status sbx_place_look(const sbx_places *p, const char *place, sbx_object *what)
{
    void *handle = NULL;
    sbx_nt_info info = {0};
    const char *in;
    sbx_status st = sbx_place_open(p, place, 0, &handle, &info);

    memset(what, 0, sizeof(*what));
    what->found = handle != NULL;
    what->is_link = what->found && (info.attributes & FILE_ATTRIBUTE_REPARSE_POINT);
    what->is_directory = what->found && !what->is_link && (info.attributes & FILE_ATTRIBUTE_DIRECTORY);
    if (what->is_link) {
        in = sbx_arena_strndup(p->arena, place, sbx_path_parent_length(place));
        what->leads = in ? sbx_link_target(p->arena, handle, in) : NULL;
    }
    sbx_handle_close(&handle);
    return st;
}

static sbx_status visit_one(const sbx_places *p, const char *place, const FILE_FULL_DIR_INFORMATION *entry,
                            sbx_place_visit visit, void *context)
{
    char *name = sbx_utf16_to_utf8((const uint16_t *)entry->FileName, entry->FileNameLength / sizeof(WCHAR), NULL);
    const char *path = name ? sbx_arena_printf(p->arena, "%s\\%s", place, name) : NULL;
    sbx_status st = SBX_OK;

    if (!path)
        st = sbx_fail_memory(p->err);
    else if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        st = visit(context, path, entry->FileAttributes);
    sbx_free(name);
    return st;
}

sbx_status sbx_place_list(const sbx_places *p, const char *place, sbx_place_visit visit, void *context)
{
    union {
        FILE_FULL_DIR_INFORMATION first; /* for its alignment */
        uint8_t bytes[LIST_BYTES];
    } list;
    const FILE_FULL_DIR_INFORMATION *entry;
    IO_STATUS_BLOCK io;
    void *handle = NULL;
    sbx_nt_info info = {0};
    BOOLEAN restart = TRUE;
    size_t at;
    sbx_status st = sbx_place_open(p, place, FILE_LIST_DIRECTORY | FILE_TRAVERSE, &handle, &info);

    while (st == SBX_OK && handle && (info.attributes & FILE_ATTRIBUTE_DIRECTORY) &&
           !(info.attributes & FILE_ATTRIBUTE_REPARSE_POINT)) {
        NTSTATUS status = NtQueryDirectoryFile(handle, NULL, NULL, NULL, &io, list.bytes, LIST_BYTES,
                                               FileFullDirectoryInformation, FALSE, NULL, restart);

        if (status == SBX_NT_NO_MORE_FILES || status == SBX_NT_NO_SUCH_FILE)
            break;
        if (!SBX_NT_OK(status) || !io.Information) {
            st = sbx_fail_nt(p->err, SBX_E_SYSTEM, status, "NtQueryDirectoryFile", place);
            break;
        }
        restart = FALSE;
        for (at = 0; st == SBX_OK; at += entry->NextEntryOffset) {
            entry = (const void *)(list.bytes + at);
            st = visit_one(p, place, entry, visit, context);
            if (!entry->NextEntryOffset)
                break;
        }
    }
    sbx_handle_close(&handle);
    return st;
}
