/*
 * Grants: what makes the writable roots of a policy writable for a sandboxed token, and nothing else.
 *
 * Every active root has a SID of its own (sid.h).  Its tree carries an allow ACE for that SID, protected
 * paths and what holds them in place carry deny ACEs for it.  The token of the child has the SIDs of the active
 * roots as restricting SIDs.  All changes are in the ledger before they are made (ledger.h), are found again by
 * the SID, and are undone by sbx_grants_clean.
 *
 * One thread at a time per object.  state_dir, alloc, note and progress come from sbx_host_table (host.h).
 */
#ifndef SBX_GRANTS_GRANT_H
#define SBX_GRANTS_GRANT_H

#include <stdint.h>

#include "sbx/backend.h"

typedef struct sbx_grants sbx_grants;
typedef struct sbx_audience sbx_audience;
typedef struct sbx_root sbx_root;

/*
 * Judge the roots of `policy`, and make the grants that are missing, or only check them when they are all
 * there.  flags: SBX_OPEN_DRY_RUN touches nothing and tells by notes what would be done.
 *
 * SBX_E_REFUSED: a root must not or cannot be granted, nothing was changed.  SBX_E_UNENFORCED: the file system did
 * not keep what was set.  SBX_E_SYSTEM: a call failed on the way; what was done is in the ledger, the next
 * call goes on from there.  policy need not outlive the call.
 *
 * audience: of a backend whose commands run as accounts (audience.h), or NULL.  A root keeps the one that it was granted with.
 */
sbx_status sbx_grants_open(const sbx_policy *policy, uint32_t flags, const sbx_audience *audience, sbx_grants **grants,
                           sbx_error *err);

/* The SIDs (PSID) of the active roots, in the order of the policy; owned by `grants`.  Returns their number. */
uint32_t sbx_grants_sids(const sbx_grants *grants, const void *const **sids);

/* The SID (PSID) of the set of roots and rules, see set.h; NULL where no root is active. */
const void *sbx_grants_set(const sbx_grants *grants);

/* The first folder out of the roots of which every user of the machine has full control; NULL: none was found. */
const char *sbx_grants_every(const sbx_grants *grants);

/* The active roots, in that order; NULL: no more. */
const sbx_root *sbx_grants_root(const sbx_grants *grants, uint32_t index);

/* Ends the run: removes what guarded missing names, gives up the hold on the roots.  NULL is fine. */
void sbx_grants_close(sbx_grants *grants);

/* For the grant extension, see sbx_ext_grant in sbx/backend.h. */
sbx_status sbx_grants_again(const char *path, sbx_grant_count *count, sbx_error *err);

/* For the state extension, see sbx_ext_state in sbx/backend.h. */
sbx_status sbx_grants_list(sbx_state_visitor visit, void *context, sbx_error *err);
sbx_status sbx_grants_clean(uint32_t what, const char *root, sbx_state_visitor visit, void *context, sbx_error *err);

#endif
