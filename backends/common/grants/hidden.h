/*
 * What commands in accounts may not read: files and folders that a policy names (deny_read).
 *
 * A write-restricted token is asked once for a right to read, of the account: so a deny for the group of all accounts closes an object to
 * each of them, by whatever name or stream it is opened, for these have one security descriptor.  It is set on what the path leads to and on
 * all that is below, explicitly, so that no allow comes before it and it goes along with what is moved; a folder passes it on to what is
 * made there.  Beside it an ACE of a SID of its own (SBX_SID_TAG_HIDE), which no token has, says whose it is.  Each launch looks at all of
 * it again, as something may have been moved in.
 *
 * The deny outlasts the run: listed, and undone, like a root.  Where the keys of the user and of Windows are, nothing is set, nor where
 * the access rights are not the user's to change: there it is looked whether somebody else may read, which refuses the launch.
 * Names, sizes and times are not hidden.  A link below leads to what it leads to.
 *
 * Source: MSDN "CreateRestrictedToken" (WRITE_RESTRICTED), "Order of ACEs in a DACL", "File Security and Access Rights"; MS-FSA 2.1.5.1.2
 * (streams and links of a file have its security descriptor).
 */
#ifndef SBX_GRANTS_HIDDEN_H
#define SBX_GRANTS_HIDDEN_H

#include "base/text.h"
#include "common/grants/audience.h"
#include "common/grants/ledger.h"
#include "sbx/backend.h"

typedef struct sbx_hidden {
    sbx_text paths; /* where they are, one a line: what the account must not open */
    sbx_hold *hold;
    int is_partial; /* one that is named is missing, in a folder where what is made can be read */
} sbx_hidden;

/* `hidden` begins as { 0 }; closed by the caller on failure, too.  Before anything is opened to the accounts.  SBX_E_REFUSED where what is
 * named cannot be kept from them. */
sbx_status sbx_hidden_open(sbx_hidden *hidden, const sbx_policy *policy, const sbx_audience *audience, int dry,
                           sbx_error *err);
void sbx_hidden_close(sbx_hidden *hidden);

/* failed: objects that could not be changed, the first of them in *first (sbx_free). */
sbx_status sbx_hidden_undo(const sbx_root *root, const sbx_ledger *ledger, uint64_t *failed, char **first,
                           sbx_error *err);

#endif
