/*
 * The DACL of one open object: read, changed, set and read back.
 *
 * One object and never what is below it: NtSetSecurityObject does not propagate, in contrast to
 * SetNamedSecurityInfo.  What belongs to others stays ACE for ACE, PROTECTED and AUTO_INHERITED as they are.
 * Source: MSDN "ZwSetSecurityObject", "SECURITY_DESCRIPTOR_CONTROL", "Automatic Propagation of Inheritable ACEs"; WDK
 * "RtlNormalizeSecurityDescriptor".
 */
#ifndef SBX_GRANTS_SD_H
#define SBX_GRANTS_SD_H

#include "base/error.h"
#include "common/grants/acl.h"
#include "common/grants/sid.h"

/* Room for one descriptor; one a thread.  Freed with sbx_free. */
typedef struct sbx_sd {
    uint32_t control; /* SECURITY_DESCRIPTOR_CONTROL */
    uint8_t *acl;     /* the DACL within `raw`, NULL where the object has none (everyone may do everything) */
    uint8_t *raw, *edited, *check;
} sbx_sd;

sbx_status sbx_sd_new(sbx_sd **sd, sbx_error *err);

/* handle: READ_CONTROL.  Returns an NTSTATUS; STATUS_INVALID_SECURITY_DESCR for bytes that are none. */
int32_t sbx_sd_read(sbx_sd *sd, void *handle);

/* The DACL of another object, without losing what was read of the first one; *acl lives until the next call. */
int32_t sbx_sd_peek(sbx_sd *sd, void *handle, uint8_t **acl);

#define SBX_SD_DROPS 8u

/* A change of the ACEs of one SID: those of the kinds `remove` (SBX_ACL_*) go, then one for each that is equal to one of
 * `drop`, then `aces` are added. */
typedef struct sbx_sd_change {
    const void *sid;
    uint32_t remove;
    uint32_t count, drops;
    sbx_ace aces[3], drop[SBX_SD_DROPS];
    const struct sbx_sd_change *also; /* at the same time, of another SID; NULL: no more */
} sbx_sd_change;

#define SBX_SD_SAME 0u    /* nothing to do */
#define SBX_SD_CHANGED 1u /* set, and read back as it was set */
#define SBX_SD_DIFFERS 2u /* set, but what was to be changed was read back otherwise */
#define SBX_SD_FULL 3u    /* an ACL cannot be that long; not set */
#define SBX_SD_OTHERS 5u  /* as CHANGED, but ACEs of others were read back otherwise */
#define SBX_SD_OPEN 4u    /* there is no DACL: an ACE would take from others what they have; not set */

/* handle: READ_CONTROL and, unless nothing is to be done, WRITE_DAC.  Returns an NTSTATUS; *result: SBX_SD_*.
 * Afterwards sd->acl is the DACL as it was before. */
int32_t sbx_sd_apply(sbx_sd *sd, void *handle, const sbx_sd_change *change, uint32_t *result);

/* The same for what sbx_sd_read has just read.  SBX_SD_TRUST: what was set is not read back. */
#define SBX_SD_TRUST 1u
int32_t sbx_sd_change_read(sbx_sd *sd, void *handle, const sbx_sd_change *change, uint32_t flags, uint32_t *result);

/* What a status and SBX_SD_* mean for `path`. */
sbx_status sbx_sd_result(int32_t status, uint32_t result, const char *path, sbx_error *err);

/* The same at the end of what was done with one object: frees `sd`.  others: counts an object where only what others have is not
 * as it was; NULL: that is an error. */
sbx_status sbx_sd_end(sbx_sd *sd, int32_t status, uint32_t result, const char *path, uint64_t *others, sbx_error *err);

/* What a change makes of an ACL: in `out`, room for the longest there is, as `spare`.  Its size, 0: too long. */
size_t sbx_sd_edit(const uint8_t *acl, const sbx_sd_change *change, uint8_t *spare, uint8_t *out);

#endif
