#include "win/pending.h"

#include <windows.h>
#include <winternl.h>
#include <stddef.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "base/path.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/wide.h"

#ifndef OBJ_DONT_REPARSE
#define OBJ_DONT_REPARSE 0x1000u /* Windows 10 1607 */
#endif
#ifndef FILE_OPEN
#define FILE_OPEN 1u
#endif
#define CLASS_BASIC 4        /* FileBasicInformation */
#define CLASS_RENAME 10      /* FileRenameInformation */
#define CLASS_DISPOSITION 13 /* FileDispositionInformation */

typedef struct rename_information {
    BOOLEAN replace;
    HANDLE folder;
    ULONG name_bytes;
    WCHAR name_w[SBX_PENDING_NAME];
} rename_information;

static sbx_status refuse(const char *path, const char *why, sbx_error *err)
{
    sbx_fail(err, SBX_E_REFUSED, "write", path);
    return sbx_hint(err, "the path %s", why);
}

/* In the folder, whatever its path means by now, and not where it has become a link itself; a link of that name is not
 * followed but in the way. */
static NTSTATUS open_here(const sbx_pending *pending, const WCHAR *what_w, ACCESS_MASK access, ULONG share,
                          ULONG disposition, ULONG options, HANDLE *file)
{
    OBJECT_ATTRIBUTES attributes = {0};
    IO_STATUS_BLOCK io = {0};
    UNICODE_STRING name;
    WCHAR copy_w[SBX_PENDING_NAME];

    wcscpy(copy_w, what_w);
    name.Buffer = copy_w;
    name.Length = (USHORT)(wcslen(copy_w) * sizeof(WCHAR));
    name.MaximumLength = name.Length;
    attributes.Length = sizeof(attributes);
    attributes.RootDirectory = pending->folder;
    attributes.ObjectName = &name;
    attributes.Attributes = OBJ_CASE_INSENSITIVE | OBJ_DONT_REPARSE;
    return NtCreateFile(file, access | SYNCHRONIZE, &attributes, &io, NULL, FILE_ATTRIBUTE_NORMAL, share, disposition,
                        options | FILE_NON_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_REPARSE_POINT,
                        NULL, 0);
}

static NTSTATUS create(const sbx_pending *pending, ULONG options, HANDLE *file)
{
    return open_here(pending, pending->temp_w, FILE_WRITE_DATA | DELETE, 0, FILE_CREATE, options, file);
}

/* What the command has put there may be read-only, and would pass for the report. */
static void make_writable(const sbx_pending *pending)
{
    FILE_BASIC_INFO basic = {.FileAttributes = FILE_ATTRIBUTE_NORMAL};
    IO_STATUS_BLOCK io = {0};
    HANDLE file = NULL;

    if (open_here(pending, pending->name_w, FILE_WRITE_ATTRIBUTES,
                  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN, 0, &file) < 0)
        return;
    NtSetInformationFile(file, &io, &basic, sizeof(basic), (FILE_INFORMATION_CLASS)CLASS_BASIC);
    sbx_handle_close(&file);
}

/* Whether it could be written now: a command is not run for a result that is lost. */
static sbx_status try_it(const sbx_pending *pending, const char *path, const uint16_t *path_w, sbx_error *err)
{
    const DWORD attributes = GetFileAttributesW(path_w);
    HANDLE file = NULL;
    NTSTATUS status;

    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY))
        return refuse(path, "is that of a folder", err);
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_READONLY))
        return refuse(path, "is that of a read-only file", err);
    status = create(pending, FILE_DELETE_ON_CLOSE, &file);
    if (status < 0)
        return sbx_fail_code(err, SBX_E_SYSTEM, SBX_CODE_WIN32, RtlNtStatusToDosError(status),
                             "create a file beside it", path);
    sbx_handle_close(&file);
    return SBX_OK;
}

sbx_status sbx_pending_open(sbx_pending *pending, const char *path, sbx_error *err)
{
    const char *name = sbx_path_name(path), *why = sbx_path_problem(path, NULL);
    char *folder = NULL;
    uint16_t *folder_w = NULL, *name_w = NULL, *path_w = NULL;
    char id[33];
    sbx_status st;

    if (why)
        return refuse(path, why, err);
    if (!name[0] || sbx_path_stream(path))
        return refuse(path, "does not name a file", err);
    if ((st = sbx_run_id(id, err)) != SBX_OK)
        return st;
    folder = sbx_strdup(path);
    if (!folder)
        return sbx_fail_memory(err);
    folder[sbx_path_parent_length(path)] = 0;
    if ((st = sbx_wide(name, path, &name_w, err)) != SBX_OK || (st = sbx_wide_path(folder, &folder_w, err)) != SBX_OK ||
        (st = sbx_wide_path(path, &path_w, err)) != SBX_OK)
        goto out;
    if (wcslen(name_w) + 40 > SBX_PENDING_NAME) {
        st = refuse(path, "has a name that is too long", err);
        goto out;
    }
    wcscpy(pending->name_w, name_w);
    /* a name that the command cannot take beforehand */
    swprintf(pending->temp_w, SBX_PENDING_NAME, L"%ls.%hs.tmp", name_w, id);
    /* nobody renames or removes it, or a folder above, while it is open */
    pending->folder = sbx_handle_from(CreateFileW(folder_w, FILE_LIST_DIRECTORY | FILE_TRAVERSE | SYNCHRONIZE,
                                                  FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                                                  FILE_FLAG_BACKUP_SEMANTICS, NULL));
    if (!pending->folder) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", folder);
        goto out;
    }
    if (!(GetFileAttributesW(folder_w) & FILE_ATTRIBUTE_DIRECTORY)) {
        st = refuse(path, "leads through a file", err);
    } else {
        st = try_it(pending, path, path_w, err);
    }
    if (st != SBX_OK)
        sbx_handle_close(&pending->folder);
out:
    sbx_free(path_w);
    sbx_free(folder_w);
    sbx_free(name_w);
    sbx_free(folder);
    return st;
}

/* The folder `name_w` below a directory, "" for itself, with no link on the way. */
static NTSTATUS open_without_links(HANDLE root, WCHAR *name_w, HANDLE *folder)
{
    OBJECT_ATTRIBUTES attributes = {0};
    IO_STATUS_BLOCK io = {0};
    UNICODE_STRING name;

    RtlInitUnicodeString(&name, name_w);
    attributes.Length = sizeof(attributes);
    attributes.RootDirectory = root;
    attributes.ObjectName = &name;
    attributes.Attributes = OBJ_CASE_INSENSITIVE | OBJ_DONT_REPARSE;
    return NtCreateFile(folder, FILE_READ_ATTRIBUTES | SYNCHRONIZE, &attributes, &io, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN,
                        FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_REPARSE_POINT, NULL, 0);
}

/* 128 bits of number where the file system has them, 64 where it has not (FAT). */
static int identify(HANDLE file, FILE_ID_INFO *id)
{
    BY_HANDLE_FILE_INFORMATION info;

    memset(id, 0, sizeof(*id));
    if (GetFileInformationByHandleEx(file, FileIdInfo, id, sizeof(*id)))
        return 1;
    if (!GetFileInformationByHandle(file, &info))
        return 0;
    id->VolumeSerialNumber = info.dwVolumeSerialNumber;
    memcpy(id->FileId.Identifier, &info.nFileIndexLow, sizeof(info.nFileIndexLow));
    memcpy(id->FileId.Identifier + sizeof(info.nFileIndexLow), &info.nFileIndexHigh, sizeof(info.nFileIndexHigh));
    return 1;
}

static int is_same(HANDLE a, HANDLE b)
{
    FILE_ID_INFO one, other;

    return identify(a, &one) && identify(b, &other) && one.VolumeSerialNumber == other.VolumeSerialNumber &&
           !memcmp(&one.FileId, &other.FileId, sizeof(one.FileId));
}

static HANDLE open_folder(const char *path, sbx_error *err)
{
    uint16_t *path_w = NULL;
    HANDLE folder = NULL;

    if (sbx_wide_path(path, &path_w, err) != SBX_OK)
        return NULL;
    folder = sbx_handle_from(CreateFileW(path_w, FILE_TRAVERSE | FILE_READ_ATTRIBUTES,
                                         FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                         FILE_FLAG_BACKUP_SEMANTICS, NULL));
    if (!folder)
        sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", path);
    sbx_free(path_w);
    return folder;
}

/* Whether a folder on the way that lies in the root leads on by a link.  folder: the path's, cut at `length` and put
 * together again. */
static sbx_status check_from(const sbx_pending *pending, char *folder, size_t length, const char *root_final,
                             int *is_link, sbx_error *err)
{
    const char cut = folder[length];
    HANDLE opened, found = NULL;
    uint16_t *rest_w = NULL;
    char *final = NULL;
    sbx_status st = SBX_OK;

    folder[length] = 0;
    opened = open_folder(folder, err);
    folder[length] = cut;
    if (!opened)
        return SBX_E_SYSTEM;
    final = sbx_file_final_path(opened, VOLUME_NAME_DOS);
    if (!final)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetFinalPathNameByHandleW", folder);
    else if (sbx_path_is_below(final, root_final) &&
             (st = sbx_wide(folder + length + (cut == '\\'), folder, &rest_w, err)) == SBX_OK)
        *is_link = open_without_links(opened, rest_w, &found) < 0 || !is_same(found, pending->folder);
    sbx_handle_close(&found);
    sbx_handle_close(&opened);
    sbx_free(rest_w);
    sbx_free(final);
    return st;
}

sbx_status sbx_pending_check(sbx_pending *pending, const char *path, const char *root, sbx_error *err)
{
    char *folder = sbx_strdup(path), *root_final = NULL;
    HANDLE opened = open_folder(root, err);
    size_t length;
    int is_link = 0;
    sbx_status st = opened ? SBX_OK : SBX_E_SYSTEM;

    if (st == SBX_OK && !folder)
        st = sbx_fail_memory(err);
    if (st != SBX_OK)
        goto out;
    folder[sbx_path_parent_length(path)] = 0;
    root_final = sbx_file_final_path(opened, VOLUME_NAME_DOS);
    if (!root_final)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetFinalPathNameByHandleW", root);
    /* "C:\", then one component more each time */
    for (length = sbx_path_root_length(folder); st == SBX_OK && !is_link; length += strcspn(folder + length, "\\")) {
        st = check_from(pending, folder, length, root_final, &is_link, err);
        if (!folder[length])
            break;
        length += folder[length] == '\\';
    }
    if (st == SBX_OK && is_link)
        st = refuse(path, "leads through a link in a writable folder", err);
out:
    if (st != SBX_OK)
        sbx_pending_close(pending);
    sbx_handle_close(&opened);
    sbx_free(root_final);
    sbx_free(folder);
    return st;
}

static NTSTATUS put_in_place(const sbx_pending *pending, HANDLE file)
{
    rename_information info = {0};
    IO_STATUS_BLOCK io = {0};

    info.replace = TRUE;
    info.folder = pending->folder;
    wcscpy(info.name_w, pending->name_w);
    info.name_bytes = (ULONG)(wcslen(info.name_w) * sizeof(WCHAR));
    return NtSetInformationFile(file, &io, &info, sizeof(info), (FILE_INFORMATION_CLASS)CLASS_RENAME);
}

sbx_status sbx_pending_write(const sbx_pending *pending, const void *data, uint32_t length, sbx_error *err)
{
    HANDLE file = NULL;
    IO_STATUS_BLOCK io = {0};
    BOOLEAN gone = TRUE;
    const char *op = "NtCreateFile";
    NTSTATUS status = create(pending, 0, &file);
    DWORD done = 0;
    sbx_status st = SBX_OK;

    if (status < 0)
        return sbx_fail_nt(err, SBX_E_SYSTEM, status, op, "report");
    if (!WriteFile(file, data, length, &done, NULL) || done != length || !FlushFileBuffers(file)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "WriteFile", "report");
    } else if ((status = put_in_place(pending, file)) < 0) {
        make_writable(pending);
        if ((status = put_in_place(pending, file)) < 0)
            st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtSetInformationFile", "report");
    }
    if (st != SBX_OK)
        NtSetInformationFile(file, &io, &gone, sizeof(gone), (FILE_INFORMATION_CLASS)CLASS_DISPOSITION);
    sbx_handle_close(&file);
    return st;
}

void sbx_pending_close(sbx_pending *pending)
{
    sbx_handle_close(&pending->folder);
}
