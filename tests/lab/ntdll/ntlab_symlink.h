/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: what ntdll and CreateSymbolicLink() of kernelbase share
 */

#ifndef NTLAB_SYMLINK_H
#define NTLAB_SYMLINK_H

#define SE_CREATE_SYMBOLIC_LINK_PRIVILEGE 35
#define SYMLINK_FLAG_RELATIVE             1

/* FSCTL_SET_REPARSE_POINT as CreateSymbolicLink() asks for it in developer mode, where it takes no privilege */
#define NTLAB_FSCTL_SET_SYMLINK CTL_CODE( FILE_DEVICE_FILE_SYSTEM, 0xfab, METHOD_BUFFERED, FILE_ANY_ACCESS )

/* REPARSE_DATA_BUFFER of a mount point; that of a symbolic link has 32 bits of flags before its names */
struct reparse_data
{
    ULONG  tag;
    USHORT length;          /* of what follows the header */
    USHORT reserved;
    USHORT target_offset;
    USHORT target_length;
    USHORT print_offset;
    USHORT print_length;
    WCHAR  names[(MAXIMUM_REPARSE_DATA_BUFFER_SIZE - 16) / sizeof(WCHAR)];
};

#define HEADER_SIZE 8
#define FLAGS_LEN   (sizeof(ULONG) / sizeof(WCHAR))

#endif /* NTLAB_SYMLINK_H */
