#include "win/pending.h"

#include <windows.h>
#include <winternl.h>
#include <stddef.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "base/path.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

#define CLASS_RENAME 10      /* FileRenameInformation */
#define CLASS_DISPOSITION 13 /* FileDispositionInformation */

typedef struct rename_information {
    BOOLEAN replace;
    HANDLE folder;
    ULONG name_bytes;
    WCHAR name_w[SBX_PENDING_NAME];
} rename_information;

NTSTATUS NTAPI NtSetInformationFile(HANDLE, IO_STATUS_BLOCK *, void *, ULONG, FILE_INFORMATION_CLASS);

static sbx_status refuse(const char *path, const char *why, sbx_error *err)
{
    sbx_fail(err, SBX_E_REFUSED, "write", path);
    return sbx_hint(err, "the path %s", why);
}

/* In the folder, whatever its path means by now; a link of that name is not followed but in the way. */
static NTSTATUS create(const sbx_pending *pending, ULONG options, HANDLE *file)
{
    OBJECT_ATTRIBUTES attributes = {0};
    IO_STATUS_BLOCK io = {0};
    UNICODE_STRING name;
    WCHAR temp_w[SBX_PENDING_NAME];

    wcscpy(temp_w, pending->temp_w);
    name.Buffer = temp_w;
    name.Length = (USHORT)(wcslen(temp_w) * sizeof(WCHAR));
    name.MaximumLength = name.Length;
    attributes.Length = sizeof(attributes);
    attributes.RootDirectory = pending->folder;
    attributes.ObjectName = &name;
    attributes.Attributes = OBJ_CASE_INSENSITIVE;
    return NtCreateFile(
        file, FILE_WRITE_DATA | DELETE | SYNCHRONIZE, &attributes, &io, NULL, FILE_ATTRIBUTE_NORMAL, 0, FILE_CREATE,
        options | FILE_NON_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_REPARSE_POINT, NULL, 0);
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
    sbx_status st;

    if (why)
        return refuse(path, why, err);
    if (!name[0] || sbx_path_stream(path))
        return refuse(path, "does not name a file", err);
    folder = sbx_strdup(path);
    if (!folder)
        return sbx_fail_memory(err);
    folder[sbx_path_parent_length(path)] = 0;
    if ((st = sbx_wide(name, path, &name_w, err)) != SBX_OK || (st = sbx_wide_path(folder, &folder_w, err)) != SBX_OK ||
        (st = sbx_wide_path(path, &path_w, err)) != SBX_OK)
        goto out;
    if (wcslen(name_w) + 16 > SBX_PENDING_NAME) {
        st = refuse(path, "has a name that is too long", err);
        goto out;
    }
    wcscpy(pending->name_w, name_w);
    swprintf(pending->temp_w, SBX_PENDING_NAME, L"%ls.%lx.tmp", name_w, GetCurrentProcessId());
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
    if (!WriteFile(file, data, length, &done, NULL) || done != length || !FlushFileBuffers(file))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "WriteFile", "report");
    else if ((status = put_in_place(pending, file)) < 0)
        st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtSetInformationFile", "report");
    if (st != SBX_OK)
        NtSetInformationFile(file, &io, &gone, sizeof(gone), (FILE_INFORMATION_CLASS)CLASS_DISPOSITION);
    sbx_handle_close(&file);
    return st;
}

void sbx_pending_close(sbx_pending *pending)
{
    sbx_handle_close(&pending->folder);
}
