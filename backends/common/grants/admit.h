/*
 * The allows of an object that sbx itself makes.
 *
 * A file system may keep a DACL that is given at creation just as it is, with nothing inherited merged in: one of denies alone
 * then admits nobody.  So the allows are given too, marked as inherited: where they are merged, those of the directory above
 * take their place.
 * Source: WDK "SeAssignSecurityEx" (SEF_DACL_AUTO_INHERIT); MSDN "DACL for a New Object", which reads as if all were merged.
 */
#ifndef SBX_GRANTS_ADMIT_H
#define SBX_GRANTS_ADMIT_H

#include "common/grants/sd.h"
#include "win/user.h"

typedef struct sbx_admit {
    sbx_user_sid user;
    sbx_sd_change changes[4]; /* a chain from the first */
} sbx_admit;

/* Full control for the user, SYSTEM and Administrators, what the tree of a root gives to its SID. */
sbx_status sbx_admit_init(sbx_admit *admit, const sbx_sid *sid, int is_directory, sbx_error *err);

/* Give them to an object whose ACEs are all for the SID: one that sbx, as it was once, left with denies alone.  Only its owner
 * can.  1: done. */
int sbx_admit_mend(void *parent, const uint16_t *name, size_t length, const sbx_sid *sid);

#endif
