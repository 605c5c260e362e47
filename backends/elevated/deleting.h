/*
 * The claim `delete`: that commands delete, rename and move away nothing outside.
 *
 * What admits the user alone an account never deletes.  What every user of the machine may change is closed to the restricted token in
 * the second of its two checks, and documents leave open whether FILE_DELETE_CHILD is asked in both: that is measured here with a token of
 * the same kind, and before the command runs with its own.  Where it is asked once, folders of which every user has full control
 * are open: where one is found, or the token is not restricted, nothing is claimed.
 *
 * Source: MSDN "CreateRestrictedToken" (WRITE_RESTRICTED), "File Security and Access Rights"; MS-FSA 2.1.5.1.2.1.
 */
#ifndef SBX_ELEVATED_DELETING_H
#define SBX_ELEVATED_DELETING_H

#include "base/error.h"
#include "common/grants/grant.h"

/* *twice: both checks ask, so that the runner is to find the same of the command's token.  SBX_E_REFUSED: the policy requires it, and it
 * is not so. */
sbx_status sbx_deleting_claim(const sbx_policy *policy, const sbx_grants *grants, int is_whole,
                              sbx_guarantees *guarantees, int *twice, sbx_error *err);

/* In the runner, of a copy of the command's token: SBX_E_UNENFORCED. */
sbx_status sbx_deleting_check(void *copy, sbx_error *err);

#endif
