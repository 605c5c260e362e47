/*
 * The record of shields: a ledger of its own, in which each entry is a folder that was named.
 *
 * One process at a time changes shields; one that removes them ends one that sets them.
 */
#ifndef SBX_GRANTS_SHIELD_RECORD_H
#define SBX_GRANTS_SHIELD_RECORD_H

#include "common/grants/ledger.h"
#include "common/grants/root.h"

#define SBX_SHIELD_FILE "shields"

/* A directory that had the deny from the user himself: a KEPT record. */
typedef struct sbx_shield_own {
    uint64_t id; /* sbx_nt_id */
    const char *path;
} sbx_shield_own;

/* The folder, to be changed.  SBX_E_REFUSED: there is none, or it keeps no access rights. */
sbx_status sbx_shield_open(const char *path, sbx_root *folder, sbx_error *err);

/* The recorded folder that a path is in, or is; NULL: none. */
sbx_ledger_root *sbx_shield_find(const sbx_ledger *ledger, const char *path);

/* Before the first change, with those that are the user's own; after the last; when nothing is left of it and those in it. */
sbx_status sbx_shield_begin(sbx_ledger *ledger, const sbx_root *folder, const sbx_shield_own *own, uint32_t count,
                            sbx_error *err);
sbx_status sbx_shield_end(sbx_ledger *ledger, const sbx_sid *sid, const char *path, uint64_t count, sbx_error *err);
sbx_status sbx_shield_forget(sbx_ledger *ledger, const sbx_root *folder, sbx_error *err);

/* lock, turn: both given back by the caller, turn first; NULL on failure. */
sbx_status sbx_shield_lock(int is_removing, uint32_t wait_ms, sbx_lock **lock, sbx_lock **turn, sbx_error *err);

/* Whether another process waits to remove shields. */
int sbx_shield_is_removing(void);

#endif
