/*
 * Guards: while a run lives, a protected name that does not exist is taken by an empty object that the command can
 * neither change nor remove.
 *
 * In the ledger before it is made.  Removed when the last run on the root ends, if it is still empty; what
 * somebody has put something into stays, protected.  After a crash the next run or clean removes it.
 */
#ifndef SBX_GRANTS_GUARD_H
#define SBX_GRANTS_GUARD_H

#include "common/grants/ledger.h"
#include "common/grants/rules.h"

/* Make what rules want and does not exist, the directories on the way (rules of their own) before what they lead to.
 * All is recorded before the first is made; the disk may take its time, for what a loss of power can leave is an empty
 * object that `clean ROOT` frees.  A name that somebody has taken by now is an error, and stays his. */
sbx_status sbx_guard_make(const sbx_root *root, const sbx_rule *const *rules, uint32_t count, sbx_ledger *ledger,
                          sbx_error *err);

/* Does the ledger know any of the root? */
int sbx_guard_known(const sbx_root *root, const sbx_ledger *ledger);

/* Called with what has the name of a guard, before it goes.  handle: READ_CONTROL. */
typedef void (*sbx_guard_look)(void *context, const char *path, void *handle, const sbx_nt_info *info);

/* Remove the guards of the root that the ledger knows.  No living run holds it, and its lock is taken.  What cannot be
 * removed, because somebody has it open, stays a guard; the error is that of the first.  look may be NULL. */
sbx_status sbx_guard_remove(const sbx_root *root, sbx_ledger *ledger, sbx_guard_look look, void *context,
                            uint64_t *removed, sbx_error *err);

#endif
