/*
 * The ledger: what was changed on this machine for this user, written before it is changed.
 *
 * One append-only file in the state directory (ledger_record.h); what it says is read into a table.  A damaged ledger is
 * rewritten with what is whole in it when it is next changed.  All access goes through a lock in a file of its own
 * (LockFileEx; a lock dies with its process), waited for no longer than a stated time.
 * Losing it loses the list, not the way back: the ACEs of a root are found by its SID, and `clean ROOT` works
 * without it.
 * Source: MSDN "LockFileEx", "FlushFileBuffers", "MoveFileExW".
 */
#ifndef SBX_GRANTS_LEDGER_H
#define SBX_GRANTS_LEDGER_H

#include "base/error.h"
#include "base/memory.h"
#include "common/grants/ledger_record.h"
#include "common/grants/sid.h"

/* What is known of a path below a root. */
typedef struct sbx_ledger_path {
    struct sbx_ledger_path *next;
    uint32_t kind; /* SBX_RECORD_DENY, _HOLD, _SHUT, _GUARD, _KEPT, _REPOSITORY, _POINTER, _SHARED to _AUDIENCE */
    uint64_t
        id; /* of a KEPT, which goes with the directory wherever it is moved; the count of a SHARED to _FOREIGN, or of an AUDIENCE */
    const char *path;
} sbx_ledger_path;

typedef struct sbx_ledger_root {
    struct sbx_ledger_root *next;
    sbx_sid sid;
    const char *path;
    uint64_t count;
    int done;
    sbx_ledger_path *paths; /* newest first */
} sbx_ledger_root;

typedef struct sbx_lock sbx_lock;

typedef struct sbx_ledger {
    sbx_arena arena;
    sbx_ledger_root *roots;
    size_t size, damaged; /* bytes of the file; of them, no records */
    const char *file;     /* its name in the state directory; NULL: "ledger" */
    const sbx_lock *lock; /* of the caller, on a root, whose handle serves for the ledger's, too; NULL: none */
} sbx_ledger;

/* Read it as it is; one that does not exist is empty. `ledger` begins as { 0 } but for its file. */
sbx_status sbx_ledger_load(sbx_ledger *ledger, sbx_error *err);
void sbx_ledger_fini(sbx_ledger *ledger);

sbx_ledger_root *sbx_ledger_find(const sbx_ledger *ledger, const sbx_sid *sid);

/* Whether a directory (sbx_nt_id) is KEPT, for this root or (NULL) for any. */
int sbx_ledger_keeps(const sbx_ledger *ledger, const sbx_ledger_root *root, uint64_t id);

/* One change that is to be written. */
typedef struct sbx_ledger_entry {
    uint32_t type; /* SBX_RECORD_* */
    uint64_t count;
    const char *path;
} sbx_ledger_entry;

/* Append records for one root, on the disk when it returns, and take them into the table.  SBX_LEDGER_LAZY: the disk may
 * take its time (for what only tells that something is gone). */
#define SBX_LEDGER_LAZY 1u
sbx_status sbx_ledger_add(sbx_ledger *ledger, const sbx_sid *sid, const sbx_ledger_entry *entries, uint32_t count,
                          uint32_t flags, sbx_error *err);

/* ---- Locks and runs ------------------------------------------------------ */

/* The lock of one root, or (NULL) of the ledger file.  SBX_E_REFUSED after wait_ms. */
sbx_status sbx_lock_take(const sbx_sid *sid, uint32_t wait_ms, sbx_lock **lock, sbx_error *err);

/* The lock of the ledger file through the handle of another, which is given up later; NULL: as above. */
sbx_status sbx_lock_ledger(const sbx_lock *other, uint32_t wait_ms, sbx_lock **lock, sbx_error *err);
void sbx_lock_give(sbx_lock *lock); /* NULL is fine */

/* Says that a run uses roots, as long as it is not given up or its process ends. */
typedef struct sbx_hold sbx_hold;

sbx_status sbx_hold_take(const char *run_id, const sbx_sid *sids, uint32_t count, sbx_hold **hold, sbx_error *err);
void sbx_hold_give(sbx_hold *hold); /* NULL is fine */

/* Before the run gives its hold up: the processes that outlive it hold the root on (children.h), each as long as it lives.
 * SBX_E_UNAVAILABLE: they are not known. */
sbx_status sbx_hold_keep(const sbx_hold *hold, const sbx_sid *sid);

/* The process of a living run that holds the root, other than `except`, or one that outlived its run; 0: none. */
sbx_status sbx_hold_find(const sbx_sid *sid, const sbx_hold *except, uint32_t *process_id, sbx_error *err);

/* Only for tests: called with the name of each step that changes something.  NULL in the product. */
extern void (*sbx_step_hook)(const char *step);
void sbx_step(const char *step);

#endif
