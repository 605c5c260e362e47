/*
 * Accounts that own what commands made in a root, and are to own it no longer.
 *
 * An owner may change access rights.  In a root an inherited ACE for OWNER RIGHTS keeps an account from that (audience.h); without
 * it, the account's next command would open the object to itself from wherever it works.  So before the ACE goes the user becomes the
 * owner, for which his own ACE has WRITE_OWNER.  Accounts are known by the group that the root admits: what others made there
 * stays theirs, and where the group is gone the accounts are gone as well.
 *
 * Source: MSDN "NetLocalGroupGetMembers" (every user may ask), "WRITE_OWNER" in "Standard Access Rights", "Well-known SIDs" (OWNER
 * RIGHTS).
 */
#ifndef SBX_GRANTS_OWNER_H
#define SBX_GRANTS_OWNER_H

#include "base/error.h"
#include "common/nt.h"
#include "win/user.h"

#define SBX_OWNERS 128u

typedef struct sbx_owners {
    uint32_t count;
    sbx_user_sid sids[SBX_OWNERS];
} sbx_owners;

/* Add the members of a group. */
sbx_status sbx_owners_add(sbx_owners *owners, const void *group, sbx_error *err);

/* Whether one of them owns what is open (READ_CONTROL). */
int sbx_owners_own(const sbx_owners *owners, HANDLE handle);

/* What one of them owns is the user's from now on: of the object that is open, one name below a directory. */
NTSTATUS sbx_owners_end(const sbx_owners *owners, const sbx_user_sid *user, HANDLE handle, HANDLE parent,
                        const WCHAR *name, size_t length);

#endif
