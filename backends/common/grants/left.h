/*
 * What a walk of a root leaves closed to the command: counted by reason, with the first of each, kept in the ledger, and told
 * with every run from there.
 */
#ifndef SBX_GRANTS_LEFT_H
#define SBX_GRANTS_LEFT_H

#include "common/grants/ledger.h"
#include "common/grants/root.h"
#include "common/grants/walk.h"

#define SBX_LEFT_REASONS 3u /* SBX_RECORD_SHARED, _CLOSED, _FOREIGN */

typedef struct sbx_left {
    const sbx_root *root;
    CRITICAL_SECTION lock;
    uint64_t count[SBX_LEFT_REASONS];
    char *first[SBX_LEFT_REASONS]; /* below the root */
} sbx_left;

void sbx_left_init(sbx_left *left, const sbx_root *root);
void sbx_left_fini(sbx_left *left);

/* why: SBX_RECORD_*.  From any thread. */
void sbx_left_add(sbx_left *left, uint32_t why, const sbx_walk_item *item);

/* An entry a reason, also where there is none: a walk that counts them has been everywhere.  They live as long as `left`. */
void sbx_left_entries(const sbx_left *left, sbx_ledger_entry entries[SBX_LEFT_REASONS]);

/* Whether the ledger has them: a grant by an sbx that left links and every file with several names has not. */
int sbx_left_is_known(const sbx_ledger_root *known);

/* How many objects stay closed, and (count > 0) in words which; *first: one of them, below the root. */
uint64_t sbx_left_words(const sbx_ledger_root *known, char *text, size_t size, const char **first);

/* A warning with that, if there is any. */
void sbx_left_tell(const sbx_root *root, const sbx_ledger_root *known);

#endif
