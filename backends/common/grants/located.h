/*
 * A root that the ledger knows: where it is now, whether a run needs it, and how that is told.
 *
 * A directory keeps its SID where it is moved to (sid.h), so one that is not at its recorded path is looked for on its
 * volume.
 */
#ifndef SBX_GRANTS_LOCATED_H
#define SBX_GRANTS_LOCATED_H

#include "common/grants/ledger.h"
#include "common/grants/root.h"

#define SBX_LOCATED_HERE 0u   /* at the recorded path */
#define SBX_LOCATED_MOVED 1u  /* on its volume, elsewhere */
#define SBX_LOCATED_GONE 2u   /* nowhere on its volume */
#define SBX_LOCATED_AWAY 3u   /* its volume is not there */
#define SBX_LOCATED_CLOSED 4u /* it does not open */

typedef struct sbx_located {
    const sbx_ledger_root *entry; /* NULL: the ledger does not know `root` */
    uint32_t where;               /* SBX_LOCATED_* */
    int is_replaced;              /* GONE: another directory has its path */
    uint32_t process;             /* that needs it (sbx_hold_find), 0: none; filled by the caller */
    sbx_root root;                /* handle NULL unless it is here or moved */
    char text[1024];              /* of the item that was made last */
} sbx_located;

/* Find it.  Begins as { 0 }; closed by the caller, also where this fails: SBX_E_UNAVAILABLE is AWAY, all else CLOSED. */
sbx_status sbx_located_find(const sbx_ledger_root *entry, sbx_located *known, sbx_error *err);
void sbx_located_close(sbx_located *known);

const sbx_sid *sbx_located_sid(const sbx_located *known);

/* Where it is now, or was last. */
const char *sbx_located_path(const sbx_located *known);

/* The grant as an item, which lives as long as `known`.  is_undone: told of what is taken away, not of what there is. */
sbx_state_item sbx_located_item(sbx_located *known, int is_undone);

#endif
