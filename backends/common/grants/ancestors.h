/*
 * The folders that a root is in: accounts may look at each of them, and at nothing that is in it.
 *
 * Whoever may bypass traverse checking opens a file below a folder that admits him nowhere.  But programs look at each folder on
 * the way by its name (the real path of a script, the top of a repository, a configuration further up), and the user's profile
 * admits him alone.  So each folder above, up to the profile with it, or the volume's root without it, gets one ACE that it does not
 * pass on: set on one handle (sd.h), so that nothing below is touched.
 *
 * Recorded like a root, with a SID of its own (SBX_SID_TAG_ABOVE), which no token has; held by who holds a root in it, and undone with
 * the last one.  What every user may look at gets nothing.
 * Source: MSDN "File Security and Access Rights" (bypass traverse checking), "CreateFileW" (it asks for SYNCHRONIZE and
 * FILE_READ_ATTRIBUTES in any case); libuv src/win/fs.c (lstat).
 */
#ifndef SBX_GRANTS_ANCESTORS_H
#define SBX_GRANTS_ANCESTORS_H

#include "common/grants/audience.h"
#include "common/grants/ledger.h"

/* path: of a root, where it is (sbx_root.path).  A folder that stays closed is told, and is no error. */
sbx_status sbx_ancestors_open(const char *path, const sbx_audience *audience, int dry, sbx_error *err);

/* The run that needs a root of the ledger, 0: none; of one for reading, or a folder above, also one that needs a root in it. */
sbx_status sbx_ancestors_hold(const sbx_ledger *ledger, const sbx_sid *sid, const char *path, uint32_t *process_id,
                              sbx_error *err);

/* Whether it is a folder above, and no root in it is left. */
int sbx_ancestors_are_done(const sbx_ledger *ledger, const sbx_ledger_root *root);

#endif
