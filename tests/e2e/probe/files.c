/* The verbs that change files and their descriptors in other ways than writing. */
#include "probe.h"
#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <winioctl.h>
#include <winternl.h>

NTSYSAPI NTSTATUS NTAPI NtSetInformationFile(HANDLE, PIO_STATUS_BLOCK, PVOID, ULONG, FILE_INFORMATION_CLASS);

static HANDLE open_for(const wchar_t *path_w, DWORD access, DWORD disposition)
{
    return CreateFileW(path_w, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, disposition,
                       FILE_FLAG_BACKUP_SEMANTICS, NULL);
}

/* append FILE TEXT: behind what it holds, with FILE_APPEND_DATA only */
static int append_file(int argc, wchar_t **argv)
{
    DWORD written;
    HANDLE file;

    if (argc != 2)
        return 2;
    file = open_for(argv[0], FILE_APPEND_DATA | SYNCHRONIZE, OPEN_EXISTING);
    return result_of(file, file != INVALID_HANDLE_VALUE && WriteFile(file, "x", 1, &written, NULL));
}

/* truncate FILE */
static int truncate_file(int argc, wchar_t **argv)
{
    return argc == 1 ? result_of(open_for(argv[0], GENERIC_WRITE, TRUNCATE_EXISTING), TRUE) : 2;
}

/* times FILE: the time of the last write becomes 1 January 2001 */
static int set_times(int argc, wchar_t **argv)
{
    SYSTEMTIME when = {.wYear = 2001, .wMonth = 1, .wDay = 1};
    FILETIME time;
    HANDLE file;

    if (argc != 1)
        return 2;
    SystemTimeToFileTime(&when, &time);
    file = open_for(argv[0], FILE_WRITE_ATTRIBUTES, OPEN_EXISTING);
    return result_of(file, file != INVALID_HANDLE_VALUE && SetFileTime(file, NULL, NULL, &time));
}

/* replace FILE BY: ReplaceFile */
static int replace_file(int argc, wchar_t **argv)
{
    return argc == 2 ? result(ReplaceFileW(argv[0], argv[1], NULL, 0, NULL, NULL)) : 2;
}

/* remove PATH: by the disposition of a handle.  close PATH: as it is closed.  over PATH OLD: MoveFileEx, which replaces */
static int remove_by_handle(int argc, wchar_t **argv)
{
    FILE_DISPOSITION_INFO info = {TRUE};
    HANDLE file;

    if (argc != 1)
        return 2;
    file = open_for(argv[0], DELETE, OPEN_EXISTING);
    return result_of(file, file != INVALID_HANDLE_VALUE &&
                               SetFileInformationByHandle(file, FileDispositionInfo, &info, sizeof(info)));
}

static int remove_on_close(int argc, wchar_t **argv)
{
    return argc == 1
               ? result_of(CreateFileW(argv[0], DELETE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                       OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_DELETE_ON_CLOSE, NULL),
                           TRUE)
               : 2;
}

static int move_over(int argc, wchar_t **argv)
{
    return argc == 2 ? result(MoveFileExW(argv[0], argv[1], MOVEFILE_REPLACE_EXISTING)) : 2;
}

/* rename PATH NAME: in its directory, by handle and a simple name, over what has it */
static int rename_in_place(int argc, wchar_t **argv)
{
    struct { /* FILE_RENAME_INFORMATION */
        BOOLEAN replace;
        HANDLE directory;
        ULONG length;
        WCHAR name[256];
    } info = {.replace = TRUE};
    IO_STATUS_BLOCK io;
    NTSTATUS status;
    HANDLE file;

    if (argc != 2 || wcslen(argv[1]) > 255)
        return 2;
    file = open_for(argv[0], DELETE, OPEN_EXISTING);
    if (file == INVALID_HANDLE_VALUE)
        return result(FALSE);
    info.length = (ULONG)(wcslen(argv[1]) * sizeof(WCHAR));
    memcpy(info.name, argv[1], info.length);
    status = NtSetInformationFile(file, &io, &info, sizeof(info), (FILE_INFORMATION_CLASS)10);
    SetLastError(RtlNtStatusToDosError(status));
    return result_of(file, status >= 0);
}

/* dacl PATH SDDL|null: set the DACL by SetNamedSecurityInfo, as icacls does */
static int set_dacl(int argc, wchar_t **argv)
{
    PSECURITY_DESCRIPTOR sd = NULL;
    BOOL present = TRUE, defaulted;
    SECURITY_INFORMATION what = DACL_SECURITY_INFORMATION;
    SECURITY_DESCRIPTOR_CONTROL control = 0;
    DWORD error, revision;
    PACL acl = NULL;

    if (argc != 2)
        return 2;
    if (wcscmp(argv[1], L"null") != 0 &&
        (!ConvertStringSecurityDescriptorToSecurityDescriptorW(argv[1], SDDL_REVISION_1, &sd, NULL) ||
         !GetSecurityDescriptorDacl(sd, &present, &acl, &defaulted) ||
         !GetSecurityDescriptorControl(sd, &control, &revision)))
        return result(FALSE);
    if (control & SE_DACL_PROTECTED)
        what |= PROTECTED_DACL_SECURITY_INFORMATION;
    error = SetNamedSecurityInfoW(argv[0], SE_FILE_OBJECT, what, NULL, NULL, acl, NULL);
    SetLastError(error);
    return result(error == ERROR_SUCCESS);
}

/* newdir PATH SDDL: make a folder that has this descriptor from its begin, as Python's temporary folders have theirs */
static int new_folder(int argc, wchar_t **argv)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};

    if (argc != 2)
        return 2;
    return result(ConvertStringSecurityDescriptorToSecurityDescriptorW(argv[1], SDDL_REVISION_1,
                                                                       &attributes.lpSecurityDescriptor, NULL) &&
                  CreateDirectoryW(argv[0], &attributes));
}

/* takeown PATH: make the user of the token its owner, as takeown does */
static int take_owner(int argc, wchar_t **argv)
{
    unsigned char user[256];
    DWORD size, error;
    HANDLE token;

    if (argc != 1)
        return 2;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) ||
        !GetTokenInformation(token, TokenUser, user, sizeof(user), &size))
        return result(FALSE);
    error = SetNamedSecurityInfoW(argv[0], SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION,
                                  ((TOKEN_USER *)(void *)user)->User.Sid, NULL, NULL, NULL);
    SetLastError(error);
    return result(error == ERROR_SUCCESS);
}

/* sd PATH: owner, group and DACL, as bytes in hexadecimal */
static int show_sd(int argc, wchar_t **argv)
{
    static unsigned char sd[16384];
    static char text[2 * 900 + 1];
    DWORD size, i;

    if (argc != 1)
        return 2;
    if (!GetFileSecurityW(argv[0], OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                          sd, sizeof(sd), &size))
        return result(FALSE);
    for (i = 0; i < size && i < 900; i++) {
        static const char digits[] = "0123456789abcdef";

        text[2 * i] = digits[sd[i] >> 4];
        text[2 * i + 1] = digits[sd[i] & 15];
    }
    print("%lu %s\n", size, text);
    return 0;
}

/* short PATH: the name with its short components */
static int short_name(int argc, wchar_t **argv)
{
    wchar_t path_w[MAX_PATH];

    if (argc != 1)
        return 2;
    if (GetShortPathNameW(argv[0], path_w, MAX_PATH) == 0)
        return result(FALSE);
    print("%ls\n", path_w);
    return 0;
}

/* byid PATH ACCESS: open it again by its file ID */
static int open_by_id(int argc, wchar_t **argv)
{
    FILE_ID_DESCRIPTOR id = {.dwSize = sizeof(id), .Type = FileIdType};
    BY_HANDLE_FILE_INFORMATION info;
    wchar_t volume_w[4] = {0};
    HANDLE file, volume, again;
    int code;

    if (argc != 2)
        return 2;
    file = open_for(argv[0], FILE_READ_ATTRIBUTES, OPEN_EXISTING);
    if (file == INVALID_HANDLE_VALUE || !GetFileInformationByHandle(file, &info))
        return result(FALSE);
    wcsncpy(volume_w, argv[0], 3);
    volume = open_for(volume_w, FILE_READ_ATTRIBUTES, OPEN_EXISTING);
    id.FileId.HighPart = (LONG)info.nFileIndexHigh;
    id.FileId.LowPart = info.nFileIndexLow;
    again = OpenFileById(volume, &id, wcstoul(argv[1], NULL, 0), FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                         NULL, FILE_FLAG_BACKUP_SEMANTICS);
    code = result_of(again, TRUE);
    CloseHandle(volume);
    CloseHandle(file);
    return code;
}

/* symlink LINK TARGET file|dir: as far as the user may, or developer mode lets everybody */
static int make_symlink(int argc, wchar_t **argv)
{
    const DWORD unprivileged = 2; /* SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE */

    if (argc != 3)
        return 2;
    return result(CreateSymbolicLinkW(
        argv[0], argv[1], unprivileged | (wcscmp(argv[2], L"dir") == 0 ? SYMBOLIC_LINK_FLAG_DIRECTORY : 0)));
}

/* junction LINK TARGET: of a new directory */
static int make_junction(int argc, wchar_t **argv)
{
    struct { /* REPARSE_DATA_BUFFER, which only the headers of the driver kit have */
        DWORD tag;
        WORD length, reserved, target_offset, target_length, print_offset, print_length;
        WCHAR names[1024];
    } data = {IO_REPARSE_TAG_MOUNT_POINT, 0, 0, 0, 0, 0, 0, {0}};
    int length;
    DWORD got;
    HANDLE dir;

    if (argc != 2 || wcslen(argv[1]) > 500)
        return 2;
    if (!CreateDirectoryW(argv[0], NULL))
        return result(FALSE);
    length = swprintf(data.names, 512, L"\\??\\%ls", argv[1]);
    data.target_length = (WORD)(length * 2);
    data.print_offset = (WORD)(data.target_length + 2); /* each name ends in a NUL, here an empty print name */
    data.length = (WORD)(8 + data.print_offset + 2);
    dir = CreateFileW(argv[0], GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                      FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    return result_of(dir, DeviceIoControl(dir, FSCTL_SET_REPARSE_POINT, &data, 8u + data.length, NULL, 0, &got, NULL));
}

const verb file_verbs[] = {
    {L"append", append_file},
    {L"truncate", truncate_file},
    {L"times", set_times},
    {L"replace", replace_file},
    {L"dacl", set_dacl},
    {L"takeown", take_owner},
    {L"newdir", new_folder},
    {L"sd", show_sd},
    {L"short", short_name},
    {L"byid", open_by_id},
    {L"symlink", make_symlink},
    {L"junction", make_junction},
    {L"remove", remove_by_handle},
    {L"close", remove_on_close},
    {L"over", move_over},
    {L"rename", rename_in_place},
    {NULL, NULL},
};
