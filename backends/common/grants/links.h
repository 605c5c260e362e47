/*
 * All names of a file that has several (hard links), by handle.
 *
 * Whoever may write to a file by one name has written to it by every name.  So a root's SID may be let in only where all names
 * lie in that root: one in another root would let runs of this one alone change that, too.
 * Source: WDK "FILE_LINKS_INFORMATION", "FILE_LINK_ENTRY_INFORMATION" (ParentFileId), "FILE_OPEN_BY_FILE_ID" in "NtCreateFile";
 * MSDN "OpenFileById" (hVolumeHint: any file of the volume), "GetFinalPathNameByHandleW".
 */
#ifndef SBX_GRANTS_LINKS_H
#define SBX_GRANTS_LINKS_H

#include "common/grants/root.h"
#include "common/grants/sd.h"

/* Whether all names are in the root, at this moment, and none in a directory that is protected in it; 0 also where that
 * cannot be known.  handle: FILE_READ_ATTRIBUTES.  sd: of this thread; what was read with it stays. */
int sbx_links_are_inside(const sbx_root *root, void *handle, sbx_sd *sd);

#endif
