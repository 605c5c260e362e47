/*
 * The SID of a set: S-1-9-TAG-w0-..-w7, w the SHA-256 of the writable roots of a run and its rules (git, protected, deny_read).
 *
 * Runs with just these roots and rules have it, and no others.  It opens their TEMP and their caches, so that what one of them
 * moves from there into a root can be changed by the next.  The SID of a root would not do: a run with fewer roots or looser rules has
 * that, too, and could leave scripts where one with more runs them.
 */
#ifndef SBX_GRANTS_SET_H
#define SBX_GRANTS_SET_H

#include "common/grants/ledger.h"
#include "common/grants/root.h"

/* roots: those of the policy, in any order. */
sbx_status sbx_set_sid(const sbx_policy *policy, const sbx_root *roots, uint32_t count, sbx_sid *sid, sbx_error *err);

/* That such a run worked in the root is known from here on (but for a dry one).  *others: how many other sets did. */
sbx_status sbx_set_meet(const sbx_root *root, const sbx_sid *set, sbx_ledger *ledger, int dry, uint32_t *others,
                        sbx_error *err);

#endif
