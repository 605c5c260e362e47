#include "win/file.h"

#include <windows.h>

#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"
#include "base/utf.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

#define CHUNK (1u << 30)
#define PATH_MAX_UNITS 32768u

static sbx_status refuse(sbx_error *err, const char *path, const char *why)
{
    sbx_fail(err, SBX_E_REFUSED, "read", path);
    sbx_hint(err, "%s", why);
    return SBX_E_REFUSED;
}

sbx_status sbx_file_read(const char *path, size_t limit, char **data, size_t *length, sbx_error *err)
{
    sbx_status st;
    WCHAR *path_w = NULL;
    HANDLE file = NULL;
    FILE_STANDARD_INFO info;
    char *buffer = NULL;
    size_t used = 0;
    DWORD got = 0;

    st = sbx_wide_path(path, &path_w, err);
    if (st != SBX_OK)
        return st;
    /* backup semantics: a directory opens, so that it can be told from a refused file */
    file = sbx_handle_from(CreateFileW(path_w, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                       NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL));
    if (!file) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", path);
        goto out;
    }
    if (GetFileType(file) != FILE_TYPE_DISK) {
        st = refuse(err, path, "it is not a file but a device or pipe");
        goto out;
    }
    if (!GetFileInformationByHandleEx(file, FileStandardInfo, &info, sizeof(info))) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetFileInformationByHandleEx", path);
        goto out;
    }
    if (info.Directory) {
        st = refuse(err, path, "it is a directory");
        goto out;
    }
    if ((uint64_t)info.EndOfFile.QuadPart > limit) {
        st = refuse(err, path, "the file is too large");
        goto out;
    }
    buffer = sbx_alloc((size_t)info.EndOfFile.QuadPart + 1);
    if (!buffer) {
        st = sbx_fail_memory(err);
        goto out;
    }
    while (used < (size_t)info.EndOfFile.QuadPart) {
        size_t rest = (size_t)info.EndOfFile.QuadPart - used;

        if (!ReadFile(file, buffer + used, rest < CHUNK ? (DWORD)rest : CHUNK, &got, NULL)) {
            st = sbx_fail_last(err, SBX_E_SYSTEM, "ReadFile", path);
            goto out;
        }
        if (!got) /* it became shorter meanwhile */
            break;
        used += got;
    }
    buffer[used] = 0;
    *data = buffer;
    buffer = NULL;
    *length = used;
out:
    sbx_free(buffer);
    sbx_handle_close(&file);
    sbx_free(path_w);
    return st;
}

int sbx_file_is_missing(const sbx_error *err)
{
    return err->code_kind == SBX_CODE_WIN32 && (err->code == ERROR_FILE_NOT_FOUND || err->code == ERROR_PATH_NOT_FOUND);
}

sbx_status sbx_file_write(const char *path, const void *data, size_t length, sbx_error *err)
{
    sbx_status st;
    WCHAR *path_w = NULL, *temp_w = NULL;
    HANDLE file = NULL;
    sbx_text name = {0};
    char *temp = NULL;
    const char *bytes = data;
    DWORD put = 0;
    int made = 0;

    sbx_text_printf(&name, "%s.%lx%lx.tmp", path, (unsigned long)GetCurrentProcessId(), (unsigned long)GetTickCount());
    temp = sbx_text_take(&name);
    if (!temp)
        return sbx_fail_memory(err);
    st = sbx_wide_path(path, &path_w, err);
    if (st == SBX_OK)
        st = sbx_wide_path(temp, &temp_w, err);
    if (st != SBX_OK)
        goto out;
    file =
        sbx_handle_from(CreateFileW(temp_w, GENERIC_WRITE | DELETE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL));
    if (!file) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", path);
        goto out;
    }
    made = 1;
    while (length) {
        if (!WriteFile(file, bytes, length < CHUNK ? (DWORD)length : CHUNK, &put, NULL)) {
            st = sbx_fail_last(err, SBX_E_SYSTEM, "WriteFile", path);
            goto out;
        }
        bytes += put;
        length -= put;
    }
    if (!FlushFileBuffers(file)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "FlushFileBuffers", path);
        goto out;
    }
    sbx_handle_close(&file);
    if (!MoveFileExW(temp_w, path_w, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "MoveFileExW", path);
        goto out;
    }
    made = 0;
out:
    sbx_handle_close(&file);
    if (made)
        DeleteFileW(temp_w);
    sbx_free(temp_w);
    sbx_free(path_w);
    sbx_free(temp);
    return st;
}

sbx_status sbx_file_delete(const char *path, sbx_error *err)
{
    uint16_t *path_w = NULL;
    sbx_status st = sbx_wide_path(path, &path_w, err);

    if (st == SBX_OK && !DeleteFileW(path_w) && GetLastError() != ERROR_FILE_NOT_FOUND &&
        GetLastError() != ERROR_PATH_NOT_FOUND)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "DeleteFileW", path);
    sbx_free(path_w);
    return st;
}

char *sbx_file_final_path(void *handle, uint32_t kind)
{
    WCHAR *buffer = sbx_alloc(PATH_MAX_UNITS * sizeof(WCHAR));
    sbx_arena arena = {NULL};
    char *text = NULL, *shown = NULL;
    const char *normal;
    DWORD length;

    if (!buffer)
        return NULL;
    length = GetFinalPathNameByHandleW(handle, buffer, PATH_MAX_UNITS, kind);
    if (length && length < PATH_MAX_UNITS)
        text = sbx_utf16_to_utf8(buffer, length, NULL);
    if (text) {
        normal = sbx_path_normalise(&arena, text);
        shown = normal ? sbx_strdup(normal) : NULL;
    }
    sbx_arena_fini(&arena);
    sbx_free(text);
    sbx_free(buffer);
    return shown;
}
