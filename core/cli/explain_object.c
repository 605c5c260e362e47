/* The object behind a spelling. */
#include <windows.h>
#include <string.h>

#include "base/path.h"
#include "cli/explain.h"
#include "win/drive.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/user.h"
#include "win/wide.h"

#define LISTED 16                          /* names, streams: no more are told */
#define CIRCLE ERROR_CANT_RESOLVE_FILENAME /* links, or too many of them */

static HANDLE open_as(const char *path, DWORD access, int is_itself)
{
    const DWORD flags = FILE_FLAG_BACKUP_SEMANTICS | (is_itself ? FILE_FLAG_OPEN_REPARSE_POINT : 0u);
    uint16_t *path_w = NULL;
    HANDLE handle = NULL;
    DWORD code;

    if (sbx_wide_path(path, &path_w, NULL) == SBX_OK) {
        handle =
            sbx_handle_from(CreateFileW((LPCWSTR)path_w, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                        NULL, OPEN_EXISTING, flags, NULL));
        code = GetLastError();
        sbx_free(path_w);
        SetLastError(code);
    }
    return handle;
}

static uint8_t *read_descriptor(HANDLE handle)
{
    const SECURITY_INFORMATION plain =
        OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    SECURITY_INFORMATION what = plain | LABEL_SECURITY_INFORMATION;
    DWORD size = 1024, needed = 0;
    uint8_t *sd = NULL;

    for (;;) {
        sbx_free(sd);
        sd = sbx_alloc_zero(1, size);
        if (!sd || GetKernelObjectSecurity(handle, what, sd, size, &needed))
            return sd;
        if (GetLastError() == ERROR_INSUFFICIENT_BUFFER && needed > size) {
            size = needed;
        } else if (what != plain) {
            what = plain;
        } else {
            sbx_free(sd);
            return NULL;
        }
    }
}

uint8_t *sbx_explain_descriptor(const char *path)
{
    HANDLE handle = open_as(path, READ_CONTROL, 0);
    uint8_t *sd = handle ? read_descriptor(handle) : NULL;

    sbx_handle_close(&handle);
    return sd;
}

static void add_w(cJSON *list, const WCHAR *text_w)
{
    char *text = NULL;

    if (cJSON_GetArraySize(list) < LISTED && sbx_narrow((const uint16_t *)text_w, &text, NULL) == SBX_OK)
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
    sbx_free(text);
}

/* What is known of an entry of a folder without opening it. */
static int find(const char *path, WIN32_FIND_DATAW *entry)
{
    uint16_t *path_w = NULL;
    HANDLE found = INVALID_HANDLE_VALUE;

    if (sbx_wide_path(path, &path_w, NULL) == SBX_OK)
        found = FindFirstFileW((LPCWSTR)path_w, entry);
    sbx_free(path_w);
    if (found == INVALID_HANDLE_VALUE)
        return 0;
    FindClose(found);
    return 1;
}

static int is_link(const WIN32_FIND_DATAW *entry)
{
    return (entry->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) &&
           (entry->dwReserved0 == IO_REPARSE_TAG_SYMLINK || entry->dwReserved0 == IO_REPARSE_TAG_MOUNT_POINT);
}

/* Symbolic links and junctions that the spelling goes through. */
static void add_links(sbx_arena *arena, const char *path, cJSON *json)
{
    cJSON *list = cJSON_AddArrayToObject(json, "links");
    size_t at = sbx_path_root_length(path);
    WIN32_FIND_DATAW entry;
    const char *part;

    while (at && path[at]) {
        at += strcspn(path + at, "\\");
        part = sbx_arena_strndup(arena, path, at);
        if (part && find(part, &entry) && is_link(&entry))
            cJSON_AddItemToArray(list, cJSON_CreateString(part));
        at += path[at] != 0;
    }
}

static void add_names(const char *path, DWORD links, cJSON *json)
{
    cJSON *list = cJSON_AddArrayToObject(json, "names");
    WCHAR name_w[MAX_PATH * 4];
    DWORD length = ARRAYSIZE(name_w);
    uint16_t *path_w = NULL;
    HANDLE search = INVALID_HANDLE_VALUE;

    cJSON_AddNumberToObject(json, "name_count", links);
    if (links > 1 && sbx_wide_path(path, &path_w, NULL) == SBX_OK)
        search = FindFirstFileNameW((LPCWSTR)path_w, 0, &length, name_w);
    if (search != INVALID_HANDLE_VALUE) {
        do {
            add_w(list, name_w);
            length = ARRAYSIZE(name_w);
        } while (FindNextFileNameW(search, &length, name_w));
        FindClose(search);
    }
    sbx_free(path_w);
}

/* Those besides the contents. */
static void add_streams(const char *path, cJSON *json)
{
    cJSON *list = cJSON_AddArrayToObject(json, "streams");
    WIN32_FIND_STREAM_DATA stream;
    uint16_t *path_w = NULL;
    HANDLE search = INVALID_HANDLE_VALUE;

    if (sbx_wide_path(path, &path_w, NULL) == SBX_OK)
        search = FindFirstStreamW((LPCWSTR)path_w, FindStreamInfoStandard, &stream, 0);
    if (search != INVALID_HANDLE_VALUE) {
        do {
            if (wcscmp(stream.cStreamName, L"::$DATA") != 0)
                add_w(list, stream.cStreamName);
        } while (FindNextStreamW(search, &stream));
        FindClose(search);
    }
    sbx_free(path_w);
}

static void add_volume(sbx_arena *arena, HANDLE handle, sbx_explain_object *object, cJSON *json)
{
    cJSON *volume = cJSON_AddObjectToObject(json, "volume");
    const char *root = sbx_arena_strndup(arena, object->path, sbx_path_root_length(object->path));
    WCHAR system_w[MAX_PATH + 1] = L"";
    char *system = NULL;
    DWORD flags = 0;

    object->keeps_rights = 1; /* where nobody says otherwise */
    if (GetVolumeInformationByHandleW(handle, NULL, 0, NULL, NULL, &flags, system_w, ARRAYSIZE(system_w)))
        object->keeps_rights = (flags & FILE_PERSISTENT_ACLS) != 0;
    cJSON_AddStringToObject(volume, "root", root ? root : "");
    if (sbx_narrow((const uint16_t *)system_w, &system, NULL) == SBX_OK)
        cJSON_AddStringToObject(volume, "file_system", system);
    cJSON_AddBoolToObject(volume, "keeps_rights", object->keeps_rights);
    sbx_free(system);
}

static void add_owner(const uint8_t *sd, cJSON *json)
{
    PSID owner = NULL;
    BOOL unused;
    char name[600] = "";

    if (sd && GetSecurityDescriptorOwner((PSECURITY_DESCRIPTOR)(uintptr_t)sd, &owner, &unused) && owner)
        sbx_user_name(owner, name, sizeof(name));
    cJSON_AddStringToObject(json, "owner", name);
}

/* Never what another machine or a driver would have to answer for. */
static sbx_status check_spelling(const char *path, sbx_error *err)
{
    const uint32_t kind = sbx_path_kind(path);
    const char *name = sbx_path_name(path);

    if (kind == SBX_PATH_UNC || kind == SBX_PATH_VERBATIM_UNC ||
        (kind == SBX_PATH_DRIVE && sbx_drive_type(path[0]) == DRIVE_REMOTE)) {
        sbx_fail(err, SBX_E_REFUSED, "it is on another machine", path);
        return sbx_hint(err, "that machine decides who may do what there, and sbx does not ask it");
    }
    if ((kind != SBX_PATH_DRIVE && kind != SBX_PATH_VERBATIM && kind != SBX_PATH_VOLUME) ||
        sbx_path_is_reserved(name, strlen(name))) {
        sbx_fail(err, SBX_E_REFUSED, "it is a device, not a file", path);
        return sbx_hint(err, "name a file or a folder; `sbx doctor` tries devices, pipes and other objects");
    }
    return SBX_OK;
}

static sbx_status fail_to_open(const char *path, DWORD code, sbx_error *err)
{
    const sbx_status st = sbx_fail_code(err, SBX_E_REFUSED, SBX_CODE_WIN32, code, "look at it", path);

    if (code == CIRCLE)
        sbx_hint(err, "its links lead in a circle, or to what is no file: nobody can open it");
    return st;
}

static int is_missing(DWORD code)
{
    return code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND || code == ERROR_DIRECTORY;
}

/* A handle for the object, or for the nearest folder above that is there.  NULL: it is there and not to be looked at. */
static sbx_status open_nearest(sbx_arena *arena, const char *path, int is_itself, sbx_explain_object *object,
                               HANDLE *handle, sbx_error *err)
{
    const size_t root = sbx_path_root_length(path);
    size_t length = strlen(path);
    DWORD code;

    for (object->path = path;; object->path = sbx_arena_strndup(arena, path, length)) {
        if (!object->path)
            return sbx_fail_memory(err);
        *handle = open_as(object->path, READ_CONTROL | FILE_READ_ATTRIBUTES, is_itself);
        if (!*handle && GetLastError() == ERROR_ACCESS_DENIED)
            *handle = open_as(object->path, FILE_READ_ATTRIBUTES, is_itself);
        code = *handle ? 0 : GetLastError();
        if (!code || code == ERROR_ACCESS_DENIED)
            break;
        if (!is_missing(code) || length <= root)
            return fail_to_open(object->path, code, err);
        is_itself = 0; /* of a folder on the way it is what it leads to */
        length = sbx_path_parent_length(object->path);
    }
    if (length < strlen(path))
        object->below = path + length + (path[length] == '\\');
    return SBX_OK;
}

static void look_at(sbx_arena *arena, HANDLE handle, sbx_explain_object *object, cJSON *json)
{
    BY_HANDLE_FILE_INFORMATION info = {0};
    char *final = sbx_file_final_path(handle, VOLUME_NAME_DOS);
    const char *path = final ? sbx_path_normalise(arena, final) : NULL;

    sbx_free(final);
    object->path = path ? path : object->path;
    GetFileInformationByHandle(handle, &info);
    object->attributes = info.dwFileAttributes;
    object->is_directory = (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    object->is_several = !object->is_directory && info.nNumberOfLinks > 1;
    object->sd = read_descriptor(handle);
    add_names(object->path, object->is_directory ? 1 : info.nNumberOfLinks, json);
    add_volume(arena, handle, object, json);
}

sbx_status sbx_explain_look(sbx_arena *arena, const char *path, int is_itself, sbx_explain_object *object, cJSON *json,
                            sbx_error *err)
{
    const char *stream = sbx_path_stream(path);
    WIN32_FIND_DATAW entry;
    HANDLE handle = NULL;
    cJSON *short_name;
    sbx_status st = check_spelling(path, err);

    if (stream) /* it has no rights of its own */
        path = sbx_arena_strndup(arena, path, (size_t)(stream - path));
    if (st == SBX_OK && !path)
        st = sbx_fail_memory(err);
    if (st == SBX_OK)
        st = open_nearest(arena, path, is_itself, object, &handle, err);
    if (st != SBX_OK)
        return st;
    add_links(arena, path, json);
    object->keeps_rights = 1;
    if (handle)
        look_at(arena, handle, object, json);
    cJSON_AddStringToObject(json, "path", object->path);
    cJSON_AddStringToObject(json, "missing", object->below ? object->below : "");
    cJSON_AddStringToObject(json, "kind", object->is_directory ? "folder" : "file");
    add_owner(object->sd, json);
    short_name = cJSON_AddArrayToObject(json, "short_name");
    if (find(object->path, &entry) && entry.cAlternateFileName[0])
        add_w(short_name, entry.cAlternateFileName);
    add_streams(object->path, json);
    object->folder = sbx_arena_strndup(arena, object->path, sbx_path_parent_length(object->path));
    if (is_itself && object->folder && strlen(object->folder) < strlen(object->path))
        object->folder_sd = sbx_explain_descriptor(object->folder);
    sbx_handle_close(&handle);
    return SBX_OK;
}

void sbx_explain_forget(sbx_explain_object *object)
{
    sbx_free(object->sd);
    sbx_free(object->folder_sd);
}
