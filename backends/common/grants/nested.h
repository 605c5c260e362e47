/*
 * Repositories below a root, met while its tree is walked: each `.git`, a directory or a file.
 *
 * At most SBX_NESTED_MAX are kept, since each launch looks at all of them again.
 */
#ifndef SBX_GRANTS_NESTED_H
#define SBX_GRANTS_NESTED_H

#include "common/grants/ledger.h"
#include "common/grants/root.h"
#include "common/grants/walk.h"

#define SBX_NESTED_MAX 256u

typedef struct sbx_nested {
    const sbx_root *root;
    CRITICAL_SECTION lock;
    uint32_t count;
    char *paths[SBX_NESTED_MAX]; /* below the root */
    uint64_t more;
} sbx_nested;

void sbx_nested_init(sbx_nested *nested, const sbx_root *root);
void sbx_nested_fini(sbx_nested *nested);

/* From any thread. */
void sbx_nested_meet(sbx_nested *nested, const sbx_walk_item *item);

/* Those that the ledger does not know are recorded; *added: their number. */
sbx_status sbx_nested_record(const sbx_nested *nested, sbx_ledger *ledger, uint32_t *added, sbx_error *err);

#endif
