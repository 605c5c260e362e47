/*
 * What the command can write although no root has it: places open to Everyone or without a DACL.
 *
 * The token has Everyone and the logon SID among its restricting SIDs, since the system needs them; so such
 * places stay writable.  They are told, never changed.
 *
 * Of accounts: folders of which every user has full control.  A system that asks a restricted token only once for FILE_DELETE_CHILD lets
 * their commands delete in them, and change nothing.
 */
#ifndef SBX_GRANTS_OPEN_PLACES_H
#define SBX_GRANTS_OPEN_PLACES_H

#include "common/grants/root.h"

/* Look at the usual places (bounded; the result is kept for a day in the state directory) and give a note of the kind
 * SBX_NOTE_GAP for each that is not in a root.  SBX_OPEN_DRY_RUN: keep nothing. Never fails: what cannot be looked at is told.
 * *every: the first folder of which every user has full control, for sbx_free; NULL: none was found. */
void sbx_open_places_report(const sbx_root *roots, uint32_t count, uint32_t flags, char **every);

#endif
