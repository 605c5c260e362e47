/*
 * ACLs as bytes: find, insert and remove the ACEs of one SID, and leave every other byte alone.
 *
 * Portable, no look at the system; the input is hostile (a descriptor on a disk is anybody's).  An ACL that was edited and
 * edited back has the same ACEs as before, in the same order; that bytes are kept, a file system does not promise.
 * Source: MS-DTYP 2.4.4 "ACE", 2.4.5 "ACL"; MSDN "Order of ACEs in a DACL"; WDK "RtlNormalizeSecurityDescriptor".
 */
#ifndef SBX_GRANTS_ACL_H
#define SBX_GRANTS_ACL_H

#include <stddef.h>
#include <stdint.h>

#define SBX_SID_MAX 68u     /* bytes: 8 and 15 words */
#define SBX_ACL_MAX 0xFFFCu /* bytes of an ACL */

#define SBX_ACE_ALLOW 0u
#define SBX_ACE_DENY 1u
#define SBX_ACE_FILES 0x01u      /* OBJECT_INHERIT_ACE */
#define SBX_ACE_DIRS 0x02u       /* CONTAINER_INHERIT_ACE */
#define SBX_ACE_ONE_LEVEL 0x04u  /* NO_PROPAGATE_INHERIT_ACE */
#define SBX_ACE_ONLY_BELOW 0x08u /* INHERIT_ONLY_ACE */
#define SBX_ACE_INHERITED 0x10u  /* INHERITED_ACE */

/* An allow or deny ACE. */
typedef struct sbx_ace {
    uint8_t type, flags;
    uint32_t mask;
} sbx_ace;

/* Bytes of the SID at `bytes`, or 0 if `size` bytes do not hold one. */
size_t sbx_sid_length(const void *bytes, size_t size);

/* Whether `size` bytes are an ACL whose ACEs lie within its stated size. */
int sbx_acl_valid(const void *acl, size_t size);

/* Number of ACEs for the SID, of any type; the first `room` of those that allow or deny go to `found` in order (may
 * be NULL).  The ACL must be valid, here and below. */
uint32_t sbx_acl_find(const void *acl, const void *sid, sbx_ace *found, uint32_t room);

/*
 * Add ACEs for the SID in canonical place: explicit deny, explicit allow, inherited.  Among inherited ACEs they go
 * first, as what comes from the nearest directory does, but an allow goes behind inherited denies for the
 * same SID.  Returns the length of the new ACL at `out` (room for the ACL and `count` ACEs), or 0 when it would be
 * longer than an ACL can be.  acl and out must not overlap.
 */
size_t sbx_acl_add(const void *acl, const void *sid, const sbx_ace *aces, uint32_t count, void *out);

/* Bytes that one more ACE for the SID takes. */
size_t sbx_ace_length(const void *sid);

/* What sbx_acl_remove takes away. */
#define SBX_ACL_EXPLICIT 1u
#define SBX_ACL_INHERITED 2u
#define SBX_ACL_ALLOW 4u
#define SBX_ACL_DENY 8u
#define SBX_ACL_EVERY 15u

/* Remove the ACEs for the SID of those kinds, in place; returns how many. */
uint32_t sbx_acl_remove(void *acl, const void *sid, uint32_t kinds);

int sbx_acl_has(const void *acl, const void *sid, const sbx_ace *ace);

/* Whether a directory passes an ACE with this type and mask on to the directories, or to the files, in it. */
int sbx_acl_passes(const void *acl, const void *sid, const sbx_ace *ace, int to_directories);

/* Remove the first ACE for the SID that is equal to this one, in place; returns how many, 0 or 1. */
uint32_t sbx_acl_remove_one(void *acl, const void *sid, const sbx_ace *ace);

/* Whether two ACLs have the same ACEs in the same order, but for what a file system makes of them: it cuts the slack, drops
 * an allow that is an exact duplicate of one before it, and maps generic rights. */
int sbx_acl_same(const void *a, const void *b);

/* Whether nothing allows any right of `mask`, to whomever, before it is denied to the SID: on the object itself, or (below)
 * on the directories that are made in it. */
int sbx_acl_shuts(const void *acl, const void *sid, uint32_t mask, int below);

/* Whether there is an explicit ACE for the SID; one that denies, for another sandbox SID (sid.h). */
int sbx_acl_marked(const void *acl, const void *sid);
int sbx_acl_marked_by_others(const void *acl, const void *sid);

/* Whether there are ACEs and all of them are for the SID. */
int sbx_acl_only(const void *acl, const void *sid);

/* The SID of ACE number `index`, where that allows or denies; NULL for one of another type.  `index` is below the number of ACEs,
 * sbx_acl_count. */
uint32_t sbx_acl_count(const void *acl);
const void *sbx_acl_sid(const void *acl, uint32_t index);

/* Whether the ACL allows `sid` any right of `mask` on the object itself; denies are not weighed. */
int sbx_acl_allows(const void *acl, const void *sid, uint32_t mask);

/* Whether a token with the restricting SIDs `sid`, Everyone, a logon SID and those of other roots may get any right of
 * `mask` on the object itself, or (below) on what is made in it, in the check with those, in the order of the ACEs.  An
 * ACE with a condition counts where it allows; a deny only where it certainly is one.  user: NULL, or of tokens of accounts whose
 * SIDs are restricting ones as well: that may be anybody's with an account but this one's, and the owner's. */
int sbx_acl_leaves(const void *acl, const void *sid, const void *user, uint32_t mask, int below);

/* Whether somebody else than the user, the system and administrators may get any right of `mask`, before it is denied to the group or
 * to everyone: on the object itself, or (below) on something that is made in it.  The SIDs of roots count for writing alone. */
int sbx_acl_reads(const void *acl, const void *group, const void *user, uint32_t mask, int below);

#endif
