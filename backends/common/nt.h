/*
 * What the security code calls of ntdll and the SDK's headers do not declare.
 *
 * Source: MSDN "NtCreateFile", "ZwQueryDirectoryFile", "ZwQuerySecurityObject", "FILE_ID_FULL_DIR_INFORMATION",
 * "FILE_DISPOSITION_INFORMATION_EX", "FILE_LINKS_INFORMATION".
 */
#ifndef SBX_COMMON_NT_H
#define SBX_COMMON_NT_H

#include <stdint.h>
#include <windows.h>
#include <winternl.h>

#ifndef FILE_OPEN
#define FILE_OPEN 1u
#define FILE_CREATE 2u
#endif
#ifndef FILE_DIRECTORY_FILE
#define FILE_DIRECTORY_FILE 0x1u
#define FILE_SYNCHRONOUS_IO_NONALERT 0x20u
#define FILE_NON_DIRECTORY_FILE 0x40u
#define FILE_OPEN_REPARSE_POINT 0x200000u
#define FILE_OPEN_BY_FILE_ID 0x2000u
#endif

#ifndef OBJ_DONT_REPARSE
#define OBJ_DONT_REPARSE 0x1000u /* Windows 10 1607 */
#endif

#define SBX_NT_OK(status) ((status) >= 0)
#define SBX_NT_NO_MORE_FILES ((NTSTATUS)0x80000006)
#define SBX_NT_NO_SUCH_FILE ((NTSTATUS)0xC000000F)
#define SBX_NT_ACCESS_DENIED ((NTSTATUS)0xC0000022)
#define SBX_NT_NAME_NOT_FOUND ((NTSTATUS)0xC0000034)
#define SBX_NT_NAME_COLLISION ((NTSTATUS)0xC0000035)
#define SBX_NT_PATH_NOT_FOUND ((NTSTATUS)0xC000003A)
#define SBX_NT_DELETE_PENDING ((NTSTATUS)0xC0000056)
#define SBX_NT_FILE_DELETED ((NTSTATUS)0xC0000123)
#define SBX_NT_SHARING_VIOLATION ((NTSTATUS)0xC0000043)
#define SBX_NT_INVALID_DESCRIPTOR ((NTSTATUS)0xC0000079)
#define SBX_NT_NO_MEMORY ((NTSTATUS)0xC0000017)
#define SBX_NT_NAME_INVALID ((NTSTATUS)0xC0000033)
#define SBX_NT_NOT_DIRECTORY ((NTSTATUS)0xC0000103)
#define SBX_NT_NOT_EMPTY ((NTSTATUS)0xC0000101)
#define SBX_NT_REPARSE_MET ((NTSTATUS)0xC000050B) /* of OBJ_DONT_REPARSE: a link, or a filter that redirects */
#define SBX_NT_CANNOT_DELETE ((NTSTATUS)0xC0000121)

/* The object went away between being seen and being opened, which is nobody's fault. */
#define SBX_NT_GONE(status)                                                                                            \
    ((status) == SBX_NT_NAME_NOT_FOUND || (status) == SBX_NT_PATH_NOT_FOUND || (status) == SBX_NT_DELETE_PENDING ||    \
     (status) == SBX_NT_FILE_DELETED || (status) == SBX_NT_NO_SUCH_FILE)

/* As winternl.h declares such calls: a redeclaration may neither add nor lack dllimport. */
NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE, HANDLE, PIO_APC_ROUTINE, PVOID, PIO_STATUS_BLOCK, PVOID, ULONG,
                                    FILE_INFORMATION_CLASS, BOOLEAN, PUNICODE_STRING, BOOLEAN);
NTSTATUS NTAPI NtQuerySecurityObject(HANDLE, SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, ULONG, PULONG);
NTSTATUS NTAPI NtSetSecurityObject(HANDLE, SECURITY_INFORMATION, PSECURITY_DESCRIPTOR);

/* Options of sbx_nt_child: while the handle is open, nobody can delete or move the object. */
#define SBX_NT_HOLD 0x80000000u
/* What is made has FILE_ATTRIBUTE_HIDDEN. */
#define SBX_NT_HIDDEN 0x40000000u

/* Open or create one name below an open directory, never through a link: one component, OPEN_REPARSE_POINT.
 * name: UTF-16 units; descriptor may be NULL.  *handle is NULL on failure. */
NTSTATUS sbx_nt_child(HANDLE parent, const WCHAR *name, size_t length, ACCESS_MASK access, ULONG disposition,
                      ULONG options, PSECURITY_DESCRIPTOR descriptor, HANDLE *handle);

/* Another handle for an open directory.  share: FILE_SHARE_DELETE, or 0: nobody can delete or move it meanwhile.  *handle is
 * NULL on failure. */
NTSTATUS sbx_nt_reopen(HANDLE directory, ACCESS_MASK access, ULONG share, HANDLE *handle);

/* What an open handle refers to.  A directory has one name and no size. */
typedef struct sbx_nt_info {
    uint32_t attributes; /* FILE_ATTRIBUTE_* */
    uint32_t links;
    uint64_t size;
} sbx_nt_info;

NTSTATUS sbx_nt_query(HANDLE handle, sbx_nt_info *info);

/* The names of a file: FILE_LINKS_INFORMATION, which the SDK's headers lack.  BUFFER_OVERFLOW, which is no error: there are more,
 * and take `needed` bytes. */
#define SBX_NT_BUFFER_OVERFLOW ((NTSTATUS)0x80000005)

typedef struct sbx_nt_link {
    ULONG next; /* bytes from this one, 0: the last */
    LONGLONG parent;
    ULONG length; /* units of the name */
    WCHAR name[1];
} sbx_nt_link;

typedef struct sbx_nt_links {
    ULONG needed, count;
    sbx_nt_link first;
} sbx_nt_links;

NTSTATUS sbx_nt_links_query(HANDLE handle, sbx_nt_links *links, ULONG size);

/* Open a directory by the 64-bit number that NTFS has for it.  on_volume: a directory there.  *handle is NULL on failure. */
NTSTATUS sbx_nt_by_id(HANDLE on_volume, uint64_t id, ACCESS_MASK access, HANDLE *handle);

/* A number for the object that stays with it where it is moved or renamed; two of a volume may share one, though hardly ever.
 * handle: any access. */
NTSTATUS sbx_nt_id(HANDLE handle, uint64_t *id);

/* Delete what is open (DELETE; also_read_only: FILE_READ_ATTRIBUTES and FILE_WRITE_ATTRIBUTES for systems before 1809).
 * Where the file system knows how, its name is free as soon as the handle is closed, whoever else has it open. */
NTSTATUS sbx_nt_delete(HANDLE handle, int also_read_only);

#endif
