/*
 * What an object gets for its kind (kind.h), set and looked for; undo.h takes it away.
 *
 * The last ACE of a directory is set when what is below has all of its own: it says that the tree is complete.
 */
#ifndef SBX_GRANTS_STAMP_H
#define SBX_GRANTS_STAMP_H

#include "common/grants/spread.h"

#define SBX_STAMP_BARE 0u /* not all that its kind asks for */
#define SBX_STAMP_OPEN 1u /* all but the deny for the user, of a directory */
#define SBX_STAMP_COMPLETE 2u

/* Whether an open object carries exactly what its kind (SBX_RECORD_GRANT, _DENY, _HOLD) asks for: *found, SBX_STAMP_*. */
sbx_status sbx_stamp_check(const sbx_root *root, void *handle, const char *path, uint32_t kind, int is_directory,
                           uint32_t *found, sbx_error *err);

/* Record it as `recorded` and make it so, the tree below included.  handle: SBX_ROOT_ACCESS for a directory,
 * READ_CONTROL|WRITE_DAC for a file.  path: for messages. */
sbx_status sbx_stamp_set(const sbx_root *root, sbx_ledger *ledger, void *handle, const char *path, const char *recorded,
                         uint32_t kind, int is_directory, sbx_spread_count *count, sbx_error *err);

/* Only the deny for the user, which is all that a root or a HOLD directory with SBX_STAMP_OPEN misses. */
sbx_status sbx_stamp_shut(const sbx_root *root, sbx_ledger *ledger, void *handle, const char *path, uint32_t kind,
                          sbx_error *err);

/* Whether the root itself carries an ACE of its SID, as it does from the first change of a grant to the last of an
 * undo. handle: READ_CONTROL. */
sbx_status sbx_stamp_any(const sbx_root *root, int *any, sbx_error *err);

#endif
