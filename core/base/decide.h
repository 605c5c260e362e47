/*
 * Which ACE decides: one pass of an access check, as a list of SIDs against an ACL.
 *
 * To say why, where the system only says whether.  A token with restricting SIDs is asked twice, once a list.  ACEs with
 * a condition, and of kinds that files do not have, are passed over: who needs an answer asks the system.
 * Portable, no look at the system; the ACL is anybody's and is not trusted.
 *
 * Source: MS-DTYP 2.5.3.2 "Access Check Algorithm Pseudocode"; MSDN "How DACLs Control Access to an Object", "Owner Rights".
 */
#ifndef SBX_BASE_DECIDE_H
#define SBX_BASE_DECIDE_H

#include <stddef.h>
#include <stdint.h>

typedef struct sbx_decide_sid {
    const void *sid; /* a valid PSID */
    int deny_only;
} sbx_decide_sid;

typedef struct sbx_decide_pass {
    const sbx_decide_sid *sids;
    size_t count;
    const void *owner; /* of the object, a valid PSID; NULL: not known */
} sbx_decide_pass;

#define SBX_DECIDED_ACE                                                                                                \
    1u /* number `ace`: the first that denies, or the one that allows the last right that was missing */
#define SBX_DECIDED_NOBODY 2u /* no ACE allows all; `missing` is what none does */
#define SBX_DECIDED_OWNER 3u  /* the owner has these rights anyhow */
#define SBX_DECIDED_NO_ACL 4u /* there is none: everybody may do everything */

typedef struct sbx_decision {
    int allowed;
    uint32_t by;      /* SBX_DECIDED_* */
    uint32_t ace;     /* its place in the ACL, from 0 */
    uint32_t missing; /* rights that were denied, or that nothing allows */
} sbx_decision;

/* mask: rights, none of them generic.  acl: `size` bytes, NULL: there is none.  0: these bytes are no ACL. */
int sbx_decide(const sbx_decide_pass *pass, const void *acl, size_t size, uint32_t mask, sbx_decision *decision);

/* ACE number `index` of an ACL for which sbx_decide answered. */
typedef struct sbx_decide_ace {
    uint8_t type, flags;
    uint32_t mask;   /* without generic rights */
    const void *sid; /* in the ACL; NULL: of a kind that names none there */
} sbx_decide_ace;

int sbx_decide_ace_at(const void *acl, size_t size, uint32_t index, sbx_decide_ace *ace);

#endif
