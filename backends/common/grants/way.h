/*
 * The links on the way to a writable root.
 *
 * A command may put a link into a root of its own, for a later launch whose root lies behind it: then what becomes writable
 * is somewhere else than the user meant.  So a link counts only where no command could have made it.
 * Source: MSDN "Reparse Points", "Naming Files, Paths, and Namespaces"; MS-FSCC 2.1.2.
 */
#ifndef SBX_GRANTS_WAY_H
#define SBX_GRANTS_WAY_H

#include "base/error.h"

/* spelled: the path as it was given, final: where it leads.  SBX_E_REFUSED names a link that lies where commands can
 * write; one that the user made himself is a warning of the run. */
sbx_status sbx_way_judge(const char *spelled, const char *final, sbx_error *err);

/* Whether commands of this or an earlier run may write in a directory or file, or that cannot be known. */
int sbx_way_is_open(const char *path);

#endif
