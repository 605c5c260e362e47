/*
 * The ledger as bytes: one record after the other, each with a checksum.
 *
 * Portable; the bytes are hostile (a disk after a power cut).  What is no record is skipped, byte by byte, until
 * the next one that is whole.
 */
#ifndef SBX_GRANTS_LEDGER_RECORD_H
#define SBX_GRANTS_LEDGER_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "common/grants/acl.h"

#define SBX_RECORD_SID 44u         /* bytes of a sandbox SID */
#define SBX_RECORD_PATH_MAX 98304u /* bytes: 32,767 units in WTF-8 */
#define SBX_RECORD_HEAD 16u
#define SBX_RECORD_FIXED (8u + SBX_RECORD_SID)

/* Written before the change ... */
#define SBX_RECORD_GRANT 1u    /* the tree of a root gets ACEs for the SID */
#define SBX_RECORD_DENY 2u     /* an object below gets explicit denies, and what is in it inherited ones */
#define SBX_RECORD_HOLD 3u     /* a directory on the way to one gets a deny, so that it stays where it is */
#define SBX_RECORD_GUARD 4u    /* a missing name is taken by an empty object */
#define SBX_RECORD_KEPT 9u     /* a directory has the user's own deny, which sbx would give it; count: its sbx_nt_id */
#define SBX_RECORD_SHUT 11u    /* nothing may be made in a directory; what is in it stays as it is */
#define SBX_RECORD_GROW 13u    /* a root in which things may be made, and nothing that is there be changed */
#define SBX_RECORD_ENCLOSE 14u /* a root that is only kept in place, with what is in it */
/* ... when it is found ... */
#define SBX_RECORD_REPOSITORY 12u /* a `.git` below the root */
#define SBX_RECORD_POINTER 15u    /* what the `.git` file of the root named before a command could write it */
/* what a walk of the whole tree left closed (left.h), one record a reason; count: objects; path: of the first */
#define SBX_RECORD_SHARED 16u  /* files with several names, not all of them in the root and free */
#define SBX_RECORD_CLOSED 17u  /* objects with a protected DACL, or none */
#define SBX_RECORD_FOREIGN 18u /* objects whose access rights the user may not change */
#define SBX_RECORD_SET 19u /* runs with this set of roots and rules (set.h) worked in the root; path: the SID as text */
/* ... and after it */
#define SBX_RECORD_DONE 5u    /* the tree of the root is complete; count: objects seen */
#define SBX_RECORD_GONE 6u    /* nothing of the root is left */
#define SBX_RECORD_FREE 7u    /* the denies on this object are gone */
#define SBX_RECORD_UNGUARD 8u /* the name is free again, or somebody uses it */
#define SBX_RECORD_UNKEPT 10u /* it has that from sbx now */
/* ... before the change */
#define SBX_RECORD_AUDIENCE                                                                                            \
    20u                      /* groups get ACEs beside the SID (audience.h); path: which; count: SBX_AUDIENCE_KEPT_* */
#define SBX_RECORD_READ 21u  /* a folder that groups may read (reader.h) */
#define SBX_RECORD_ABOVE 22u /* a folder that groups may look at, without what is in it (ancestors.h) */
#define SBX_RECORD_HIDE 23u  /* what groups may not read (hidden.h) */
#define SBX_RECORD_LAST 23u

typedef struct sbx_ledger_record {
    uint32_t type; /* SBX_RECORD_* */
    uint64_t count;
    uint8_t sid[SBX_RECORD_SID];
    const char *
        path; /* of the root for GRANT, GROW, ENCLOSE, READ, ABOVE, HIDE, DONE, GONE; else below it; within the buffer, NOT terminated */
    uint32_t path_length;
} sbx_ledger_record;

/* Bytes that the record takes; writes them when `out` is not NULL. */
size_t sbx_ledger_record_put(const sbx_ledger_record *record, uint8_t *out);

/* Read the first whole record at or behind *at, and move *at past it.  *skipped (may be NULL) grows by the bytes that were
 * none.  0: there is no more. */
int sbx_ledger_record_next(const uint8_t *bytes, size_t size, size_t *at, sbx_ledger_record *record, size_t *skipped);

/* CRC-32C (Castagnoli), RFC 3720 B.4. */
uint32_t sbx_crc32c(uint32_t crc, const void *bytes, size_t size);

#endif
