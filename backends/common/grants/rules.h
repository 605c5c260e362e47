/*
 * What must not change below a root, from the policy and from what is on the disk.
 *
 * A protected path is a DENY rule; every directory between the root and it is a HOLD rule, since moving one would move
 * the protected path away; so is a writable root within another.  Paths are relative to the root.  `.git` as a file is
 * protected itself, and so is the directory that it names, if that is in a root (repository.h); a link, and each step to where
 * it leads.
 */
#ifndef SBX_GRANTS_RULES_H
#define SBX_GRANTS_RULES_H

#include "base/memory.h"
#include "common/grants/ledger.h"
#include "common/grants/root.h"

#define SBX_GUARD_NONE 0u /* nothing does: the rule is for an object that appears */
#define SBX_GUARD_DIRECTORY 1u
#define SBX_GUARD_FILE 2u
#define SBX_GUARD_HERE 3u /* a file that says ".", as git wants a commondir */

#define SBX_RULE_REPOSITORY 1u /* the whole of one */
#define SBX_RULE_IN_REPOSITORY 2u
#define SBX_RULE_OPEN 3u /* a directory in one that a commit writes in, of a HOLD */

typedef struct sbx_rule {
    struct sbx_rule *next;
    const char *path; /* relative, "a\b" */
    uint32_t kind;    /* SBX_RECORD_DENY, _SHUT, _HOLD */
    uint32_t guard;   /* SBX_GUARD_*: what takes the name where it is missing */
    uint32_t git;     /* SBX_RULE_* */
    int missing;      /* known not to be there, of a DENY: what appears meanwhile is in the way of the guard */
    int is_directory; /* it was one when it was looked at */
    int is_seen;      /* it was looked at when the run ended */
} sbx_rule;

/* The rules of roots[which], outer directories before what is in them.  `roots` are all active ones; the ledger knows the
 * repositories in them.  They live in the arena. */
sbx_status sbx_rules_make(const sbx_policy *policy, const sbx_root *roots, uint32_t count, uint32_t which,
                          const sbx_ledger *ledger, sbx_arena *arena, sbx_rule **rules, sbx_error *err);

const sbx_rule *sbx_rules_find(const sbx_rule *rules, uint32_t kind, const char *path);

#endif
