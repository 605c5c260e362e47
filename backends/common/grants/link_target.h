/*
 * What a link says: a symbolic link or a junction, one step of the way.
 *
 * Source: MSDN "REPARSE_DATA_BUFFER", "FSCTL_GET_REPARSE_POINT", MS-FSCC 2.1.2.4 and 2.1.2.5.
 */
#ifndef SBX_GRANTS_LINK_TARGET_H
#define SBX_GRANTS_LINK_TARGET_H

#include "base/memory.h"

/* The path that a link names, absolute and normalised, whether it exists or not.  handle: of the link itself, any access.
 * directory: the absolute path of the one it lies in.  NULL: it is no such link, or it cannot be read. */
char *sbx_link_target(sbx_arena *arena, void *handle, const char *directory);

#endif
