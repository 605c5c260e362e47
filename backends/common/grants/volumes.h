/*
 * Which drives the token confines nothing on: those of other machines, and volumes that keep no access rights.
 *
 * FAT32, exFAT, UDF and most file systems in user mode have no descriptors, so there is nothing that the second access check
 * could fail.  A redirector (SMB, the disks of a remote desktop's client, WSL) hands the request to a server, which asks
 * the session that the logon has there.  A file system that is neither NTFS nor ReFS checks as it likes.
 *
 * Volumes without a letter (in a folder, or by their GUID only) are not looked at.
 *
 * Source: MSDN "GetVolumeInformationByHandleW" (FILE_PERSISTENT_ACLS), "File System Functionality Comparison",
 * "IOCTL_STORAGE_CHECK_VERIFY2".
 */
#ifndef SBX_GRANTS_VOLUMES_H
#define SBX_GRANTS_VOLUMES_H

#include "common/grants/root.h"

/* A note of the kind SBX_NOTE_GAP for each such drive, and one for names that begin with \\.  Nothing of another machine, no
 * disc and no empty drive is opened; the drives of the roots are known to be confined.  Never fails. */
void sbx_volumes_report(const sbx_root *roots, uint32_t count);

#endif
