/*
 * What the command can write although no root has it: places open to Everyone or without a DACL.
 *
 * The token has Everyone and the logon SID among its restricting SIDs, since the system needs them; so such
 * places stay writable.  They are told, never changed.
 */
#ifndef SBX_GRANTS_OPEN_PLACES_H
#define SBX_GRANTS_OPEN_PLACES_H

#include "common/grants/root.h"

/* Look at the usual places (bounded; the result is kept for a day in the state directory) and give a note of the kind
 * SBX_NOTE_GAP for each that is not in a root.  SBX_OPEN_DRY_RUN: keep nothing. Never fails: what cannot be looked at is told. */
void sbx_open_places_report(const sbx_root *roots, uint32_t count, uint32_t flags);

#endif
