/* Rows about files.  What is made, moved or deleted lies in the two folders that were made for it. */
#include "probe/probe.h"

#include <winioctl.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define UNPRIVILEGED 2 /* SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE */

/* Good until the second next call. */
static const wchar_t *path_of(const wchar_t *object_w)
{
    static wchar_t space_w[2][SBX_PROBE_PATH];
    static int turn;
    static const struct {
        const wchar_t *word_w;
        const wchar_t *const *base_w;
    } bases[] = {{L"outside", &sbx_probe_at.outside_w}, {L"profile", &sbx_probe_at.profile_w}};
    wchar_t *to_w = space_w[turn++ % 2], drive_w[4] = L"";
    size_t i, length;

    for (i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        length = wcslen(bases[i].word_w);
        if (!wcsncmp(object_w, bases[i].word_w, length)) {
            swprintf(to_w, SBX_PROBE_PATH, L"%ls%ls", *bases[i].base_w, object_w + length);
            return to_w;
        }
    }
    if (!wcsncmp(object_w, L"C:", 2) && GetEnvironmentVariableW(L"SystemDrive", drive_w, 4) == 2)
        swprintf(to_w, SBX_PROBE_PATH, L"%ls%ls", drive_w, object_w + 2);
    else
        swprintf(to_w, SBX_PROBE_PATH, L"%ls", object_w);
    return to_w;
}

static HANDLE open_path(const wchar_t *path_w, DWORD access, DWORD how)
{
    return CreateFileW(path_w, access, SHARE_ALL, NULL, how, FILE_FLAG_BACKUP_SEMANTICS, NULL);
}

DWORD sbx_probe_open(const sbx_probe_row *row)
{
    return sbx_probe_done(open_path(path_of(row->object_w), row->access, OPEN_EXISTING));
}

DWORD sbx_probe_make(const sbx_probe_row *row)
{
    return sbx_probe_done(open_path(path_of(row->object_w), GENERIC_WRITE, CREATE_NEW));
}

DWORD sbx_probe_by_prefix(const sbx_probe_row *row)
{
    wchar_t path_w[SBX_PROBE_PATH];

    (void)row;
    swprintf(path_w, SBX_PROBE_PATH, L"\\\\?\\%ls\\KEEP", sbx_probe_at.outside_w);
    return sbx_probe_done(open_path(path_w, FILE_WRITE_DATA, OPEN_EXISTING));
}

DWORD sbx_probe_by_short_name(const sbx_probe_row *row)
{
    const wchar_t *long_w = path_of(L"outside\\a long name.text");
    wchar_t path_w[SBX_PROBE_PATH];
    const DWORD length = GetShortPathNameW(long_w, path_w, SBX_PROBE_PATH);

    (void)row;
    if (!length || length >= SBX_PROBE_PATH || wcschr(path_w + wcslen(sbx_probe_at.outside_w) / 2, L'~') == NULL)
        return SBX_PROBE_UNTRIED;
    return sbx_probe_done(open_path(path_w, FILE_WRITE_DATA, OPEN_EXISTING));
}

DWORD sbx_probe_by_id(const sbx_probe_row *row)
{
    HANDLE file = open_path(path_of(L"outside\\keep"), FILE_READ_ATTRIBUTES, OPEN_EXISTING), again;
    BY_HANDLE_FILE_INFORMATION info;
    FILE_ID_DESCRIPTOR id = {.dwSize = sizeof(id), .Type = FileIdType};
    DWORD code;

    (void)row;
    if (file == INVALID_HANDLE_VALUE)
        return GetLastError();
    if (!GetFileInformationByHandle(file, &info)) {
        code = GetLastError();
    } else {
        id.FileId.LowPart = info.nFileIndexLow;
        id.FileId.HighPart = (LONG)info.nFileIndexHigh;
        again = OpenFileById(file, &id, FILE_WRITE_DATA, SHARE_ALL, NULL, 0);
        code = sbx_probe_done(again);
    }
    CloseHandle(file);
    return code;
}

DWORD sbx_probe_by_symlink(const sbx_probe_row *row)
{
    (void)row;
    if (!CreateSymbolicLinkW(L"symbolic", path_of(L"outside\\keep"), UNPRIVILEGED))
        return SBX_PROBE_UNTRIED;
    return sbx_probe_done(open_path(L"symbolic", FILE_WRITE_DATA, OPEN_EXISTING));
}

DWORD sbx_probe_by_junction(const sbx_probe_row *row)
{
    struct { /* REPARSE_DATA_BUFFER, which only the headers of the driver kit have */
        DWORD tag;
        WORD length, reserved, target_offset, target_length, print_offset, print_length;
        WCHAR names_w[SBX_PROBE_PATH];
    } data = {.tag = IO_REPARSE_TAG_MOUNT_POINT};
    HANDLE folder;
    DWORD got;
    BOOL ok;

    (void)row;
    if (!CreateDirectoryW(L"junction", NULL))
        return SBX_PROBE_UNTRIED;
    data.target_length = (WORD)(2 * swprintf(data.names_w, SBX_PROBE_PATH - 2, L"\\??\\%ls", sbx_probe_at.outside_w));
    data.print_offset = (WORD)(data.target_length + 2); /* each name ends in a NUL, here an empty print name */
    data.length = (WORD)(8 + data.print_offset + 2);
    folder = CreateFileW(L"junction", GENERIC_WRITE, SHARE_ALL, NULL, OPEN_EXISTING,
                         FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (folder == INVALID_HANDLE_VALUE)
        return SBX_PROBE_UNTRIED;
    ok = DeviceIoControl(folder, FSCTL_SET_REPARSE_POINT, &data, 8u + data.length, NULL, 0, &got, NULL);
    CloseHandle(folder);
    return ok ? sbx_probe_done(open_path(L"junction\\keep", FILE_WRITE_DATA, OPEN_EXISTING)) : SBX_PROBE_UNTRIED;
}

/* A deed of the Win32 functions that say no more than whether it was done. */
static DWORD code_of(BOOL done)
{
    return done ? 0 : GetLastError();
}

DWORD sbx_probe_hard_link(const sbx_probe_row *row)
{
    (void)row;
    return code_of(CreateHardLinkW(L"hard", path_of(L"outside\\linked"), NULL));
}

DWORD sbx_probe_delete(const sbx_probe_row *row)
{
    return code_of(DeleteFileW(path_of(row->object_w)));
}

DWORD sbx_probe_rename(const sbx_probe_row *row)
{
    const wchar_t *from_w = path_of(row->object_w);

    return code_of(MoveFileExW(from_w, path_of(L"outside\\renamed"), 0));
}

DWORD sbx_probe_move_in(const sbx_probe_row *row)
{
    return code_of(MoveFileExW(path_of(row->object_w), L"moved", 0));
}

DWORD sbx_probe_replace(const sbx_probe_row *row)
{
    if (sbx_probe_done(open_path(L"over", GENERIC_WRITE, CREATE_ALWAYS)))
        return SBX_PROBE_UNTRIED;
    return code_of(MoveFileExW(L"over", path_of(row->object_w), MOVEFILE_REPLACE_EXISTING));
}

DWORD sbx_probe_remove_folder(const sbx_probe_row *row)
{
    return code_of(RemoveDirectoryW(path_of(row->object_w)));
}

/* Fixed and removable ones but the system's; the first that lets. */
DWORD sbx_probe_volumes(const sbx_probe_row *row)
{
    wchar_t root_w[] = L"A:\\", system_w[4] = L"";
    const DWORD drives = GetLogicalDrives();
    DWORD code = SBX_PROBE_UNTRIED, i;
    UINT kind;

    GetEnvironmentVariableW(L"SystemDrive", system_w, 4);
    for (i = 2; i < 26 && code; i++) {
        root_w[0] = (wchar_t)(L'A' + i);
        kind = drives >> i & 1u ? GetDriveTypeW(root_w) : DRIVE_NO_ROOT_DIR;
        if ((kind == DRIVE_FIXED || kind == DRIVE_REMOVABLE) && root_w[0] != system_w[0])
            code = sbx_probe_done(open_path(root_w, row->access, OPEN_EXISTING));
    }
    return code;
}

static DWORD make_and_delete(const wchar_t *folder_w)
{
    wchar_t first_w[SBX_PROBE_PATH], second_w[SBX_PROBE_PATH];
    HANDLE file;
    DWORD done, code;

    swprintf(first_w, SBX_PROBE_PATH, L"%lssbx-probe-%lu", folder_w, GetCurrentProcessId());
    swprintf(second_w, SBX_PROBE_PATH, L"%ls-renamed", first_w);
    file = open_path(first_w, GENERIC_READ | GENERIC_WRITE, CREATE_NEW);
    if (file == INVALID_HANDLE_VALUE)
        return GetLastError();
    code = code_of(WriteFile(file, "mine", 4, &done, NULL));
    CloseHandle(file);
    if (!code)
        code = code_of(MoveFileExW(first_w, second_w, 0));
    if (!code)
        code = code_of(DeleteFileW(second_w));
    DeleteFileW(first_w);
    return code;
}

DWORD sbx_probe_own_file(const sbx_probe_row *row)
{
    (void)row;
    return make_and_delete(L"");
}

DWORD sbx_probe_temp(const sbx_probe_row *row)
{
    wchar_t folder_w[MAX_PATH + 1];
    const DWORD length = GetTempPathW(MAX_PATH + 1, folder_w);

    (void)row;
    return length && length <= MAX_PATH ? make_and_delete(folder_w) : SBX_PROBE_UNTRIED;
}
