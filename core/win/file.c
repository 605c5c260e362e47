#include "win/file.h"

#include <windows.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"
#include "base/utf.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

#define CHUNK (1u << 30)
/* FileRenameInfoEx of FILE_INFO_BY_HANDLE_CLASS, which headers of mingw-w64 hide. */
#define RENAME_INFO_EX ((FILE_INFO_BY_HANDLE_CLASS)22)
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

int sbx_file_is_held(const sbx_error *err)
{
    return err->code_kind == SBX_CODE_WIN32 &&
           (err->code == ERROR_SHARING_VIOLATION || err->code == ERROR_LOCK_VIOLATION);
}

/* 1: it was read-only, and is not any more. */
static int make_writable(const uint16_t *path_w)
{
    const DWORD attributes = GetFileAttributesW(path_w);

    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_READONLY) &&
           SetFileAttributesW(path_w, attributes & ~(DWORD)FILE_ATTRIBUTE_READONLY);
}

void *sbx_file_open_own(const uint16_t *path_w, uint32_t access, uint32_t share, uint32_t how)
{
    HANDLE file = sbx_handle_from(
        CreateFileW(path_w, access, share, NULL, how, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL));

    if (!file && GetLastError() == ERROR_ACCESS_DENIED && make_writable(path_w))
        file = sbx_handle_from(
            CreateFileW(path_w, access, share, NULL, how, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL));
    return file;
}

/* Somebody has it open who does not let it go. */
static int is_held(const uint16_t *path_w)
{
    HANDLE file = sbx_handle_from(CreateFileW(path_w, DELETE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                              NULL, OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, NULL));
    const int held = !file && GetLastError() == ERROR_SHARING_VIOLATION;

    sbx_handle_close(&file);
    return held;
}

/* In place of what is open to readers, who go on with the old one.  0: the file system knows no such thing, or does not let it. */
static int replace_open(const uint16_t *from_w, const uint16_t *to_w)
{
    const size_t length = wcslen(to_w);
    FILE_RENAME_INFO *info = sbx_alloc_zero(1, sizeof(*info) + length * sizeof(WCHAR));
    HANDLE file = sbx_handle_from(CreateFileW(from_w, GENERIC_WRITE | DELETE,
                                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                              OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, NULL));
    int is_done = 0;

    if (info && file) {
        info->Flags = FILE_RENAME_FLAG_REPLACE_IF_EXISTS | FILE_RENAME_FLAG_POSIX_SEMANTICS;
        info->FileNameLength = (DWORD)(length * sizeof(WCHAR));
        memcpy(info->FileName, to_w, length * sizeof(WCHAR));
        is_done =
            SetFileInformationByHandle(file, RENAME_INFO_EX, info, (DWORD)(sizeof(*info) + length * sizeof(WCHAR))) &&
            FlushFileBuffers(file);
    }
    sbx_handle_close(&file);
    sbx_free(info);
    return is_done;
}

sbx_status sbx_file_replace(const uint16_t *from_w, const uint16_t *to_w, const char *path, sbx_error *err)
{
    const DWORD flags = MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH;
    DWORD code;

    if (MoveFileExW(from_w, to_w, flags))
        return SBX_OK;
    code = GetLastError();
    if (code == ERROR_ACCESS_DENIED) {
        if ((make_writable(to_w) && MoveFileExW(from_w, to_w, flags)) || replace_open(from_w, to_w))
            return SBX_OK;
        if (is_held(to_w))
            code = ERROR_SHARING_VIOLATION;
    }
    SetLastError(code);
    return sbx_fail_last(err, SBX_E_SYSTEM, "MoveFileExW", path);
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
    st = sbx_file_replace(temp_w, path_w, path, err);
    made = st != SBX_OK;
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

    if (st == SBX_OK && !DeleteFileW(path_w) &&
        !(GetLastError() == ERROR_ACCESS_DENIED && make_writable(path_w) && DeleteFileW(path_w)) &&
        GetLastError() != ERROR_FILE_NOT_FOUND && GetLastError() != ERROR_PATH_NOT_FOUND)
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
