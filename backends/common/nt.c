#include "common/nt.h"

#include <string.h>

#define CLASS_DISPOSITION ((FILE_INFORMATION_CLASS)13)
#define CLASS_DISPOSITION_EX ((FILE_INFORMATION_CLASS)64)
#define CLASS_LINKS ((FILE_INFORMATION_CLASS)46)
#define CLASS_ID ((FILE_INFORMATION_CLASS)59)
#define DELETE_POSIX 0x03u /* FILE_DISPOSITION_DELETE, _POSIX_SEMANTICS */
#define IGNORE_READ_ONLY 0x10u

NTSTATUS sbx_nt_child(HANDLE parent, const WCHAR *name, size_t length, ACCESS_MASK access, ULONG disposition,
                      ULONG options, PSECURITY_DESCRIPTOR descriptor, HANDLE *handle)
{
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK io;
    const ULONG share = FILE_SHARE_READ | FILE_SHARE_WRITE | (options & SBX_NT_HOLD ? 0 : FILE_SHARE_DELETE);
    UNICODE_STRING text;
    WCHAR copy[256];
    HANDLE opened = NULL;
    NTSTATUS status;
    size_t i;

    *handle = NULL;
    if (!length || length >= ARRAYSIZE(copy))
        return SBX_NT_NAME_INVALID;
    for (i = 0; i < length; i++)
        if (name[i] == L'\\' || name[i] == L':' || !name[i])
            return SBX_NT_NAME_INVALID;
    memcpy(copy, name, length * sizeof(WCHAR));
    text.Buffer = copy;
    text.Length = text.MaximumLength = (USHORT)(length * sizeof(WCHAR));
    /* the directory itself may have become a link since it was opened */
    InitializeObjectAttributes(&attributes, &text, OBJ_CASE_INSENSITIVE | OBJ_DONT_REPARSE, parent, descriptor);
    status =
        NtCreateFile(&opened, access, &attributes, &io, NULL, options & SBX_NT_HIDDEN ? FILE_ATTRIBUTE_HIDDEN : 0,
                     share, disposition, (options & ~(SBX_NT_HOLD | SBX_NT_HIDDEN)) | FILE_OPEN_REPARSE_POINT, NULL, 0);
    if (SBX_NT_OK(status))
        *handle = opened;
    return status;
}

NTSTATUS sbx_nt_reopen(HANDLE directory, ACCESS_MASK access, ULONG share, HANDLE *handle)
{
    UNICODE_STRING itself = {0, 0, NULL};
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK io;
    NTSTATUS status;

    InitializeObjectAttributes(&attributes, &itself, OBJ_CASE_INSENSITIVE, directory, NULL);
    status = NtOpenFile(handle, access, &attributes, &io, share | FILE_SHARE_READ | FILE_SHARE_WRITE,
                        FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_REPARSE_POINT);
    if (!SBX_NT_OK(status))
        *handle = NULL;
    return status;
}

NTSTATUS sbx_nt_query(HANDLE handle, sbx_nt_info *info)
{
    FILE_STANDARD_INFORMATION standard = {.NumberOfLinks = 1};
    FILE_ATTRIBUTE_TAG_INFORMATION tag;
    IO_STATUS_BLOCK io;
    NTSTATUS status = NtQueryInformationFile(handle, &io, &tag, sizeof(tag), FileAttributeTagInformation);

    if (SBX_NT_OK(status) && !(tag.FileAttributes & FILE_ATTRIBUTE_DIRECTORY))
        status = NtQueryInformationFile(handle, &io, &standard, sizeof(standard), FileStandardInformation);
    if (!SBX_NT_OK(status))
        return status;
    info->attributes = tag.FileAttributes;
    info->links = standard.NumberOfLinks;
    info->size = (uint64_t)standard.EndOfFile.QuadPart;
    return 0;
}

NTSTATUS sbx_nt_links_query(HANDLE handle, sbx_nt_links *links, ULONG size)
{
    IO_STATUS_BLOCK io;

    return NtQueryInformationFile(handle, &io, links, size, CLASS_LINKS);
}

NTSTATUS sbx_nt_by_id(HANDLE on_volume, uint64_t id, ACCESS_MASK access, HANDLE *handle)
{
    UNICODE_STRING name = {sizeof(id), sizeof(id), (PWSTR)(void *)&id};
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK io;
    NTSTATUS status;

    InitializeObjectAttributes(&attributes, &name, 0, on_volume, NULL);
    status = NtOpenFile(handle, access, &attributes, &io, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                        FILE_OPEN_BY_FILE_ID | FILE_DIRECTORY_FILE | FILE_OPEN_REPARSE_POINT);
    if (!SBX_NT_OK(status))
        *handle = NULL;
    return status;
}

/* FNV-1a of the 128-bit file ID: NTFS has 64 bits, ReFS has more. */
NTSTATUS sbx_nt_id(HANDLE handle, uint64_t *id)
{
    FILE_ID_INFO info;
    IO_STATUS_BLOCK io;
    NTSTATUS status = NtQueryInformationFile(handle, &io, &info, sizeof(info), CLASS_ID);
    size_t i;

    *id = 0xCBF29CE484222325u;
    for (i = 0; SBX_NT_OK(status) && i < sizeof(info.FileId.Identifier); i++)
        *id = (*id ^ info.FileId.Identifier[i]) * 0x100000001B3u;
    return status;
}

NTSTATUS sbx_nt_delete(HANDLE handle, int also_read_only)
{
    ULONG flags = DELETE_POSIX | (also_read_only ? IGNORE_READ_ONLY : 0);
    BOOLEAN plain = TRUE;
    FILE_BASIC_INFO basic;
    IO_STATUS_BLOCK io;
    NTSTATUS status = NtSetInformationFile(handle, &io, &flags, sizeof(flags), CLASS_DISPOSITION_EX);

    if (SBX_NT_OK(status) || status == SBX_NT_NOT_EMPTY)
        return status;
    if (also_read_only && GetFileInformationByHandleEx(handle, FileBasicInfo, &basic, sizeof(basic)) &&
        (basic.FileAttributes & FILE_ATTRIBUTE_READONLY)) {
        basic.FileAttributes &= ~(DWORD)FILE_ATTRIBUTE_READONLY;
        if (!basic.FileAttributes)
            basic.FileAttributes = FILE_ATTRIBUTE_NORMAL;
        SetFileInformationByHandle(handle, FileBasicInfo, &basic, sizeof(basic));
    }
    return NtSetInformationFile(handle, &io, &plain, sizeof(plain), CLASS_DISPOSITION);
}
