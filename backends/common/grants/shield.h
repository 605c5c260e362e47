/*
 * Shields: folders outside of every root in which a command of the user's cannot delete or move away.
 *
 * A write-restricted token may be asked only once for FILE_DELETE_CHILD, which the user has in his folders.  A shield is an
 * explicit deny of that right alone, for the user, on each directory below one that he named, inherited by the directories
 * that are made later.  He goes on to delete by DELETE, which he has on what is in them; where he has it not, the
 * directory is left out.
 *
 * Recorded before anything changes, in a ledger of its own (file "shields"): the folder, and the directories below it that
 * had an equal ACE from the user himself.  Without that record the two cannot be told apart.
 * Source: MS-FSA 2.1.5.1.2.1 (DELETE through the directory); MSDN "CreateRestrictedToken" (WRITE_RESTRICTED), "File Attribute
 * Constants" (RECALL_ON_OPEN), "GetProfileType".
 */
#ifndef SBX_GRANTS_SHIELD_H
#define SBX_GRANTS_SHIELD_H

#include "base/error.h"
#include "common/grants/ledger.h"
#include "win/user.h"

extern const sbx_ace sbx_shield_deny;

/* As sbx_ext_shield in sbx/backend.h. */
sbx_status sbx_shield_run(uint32_t flags, const char *folder, sbx_shield_count *count, sbx_error *err);
sbx_status sbx_shield_folders(uint32_t which, sbx_shield_visitor visit, void *context, sbx_error *err);

/* As sbx_ext_state. */
sbx_status sbx_shield_list(sbx_state_visitor visit, void *context, sbx_error *err);
sbx_status sbx_shield_clean(uint32_t what, const char *folder, sbx_state_visitor visit, void *context, sbx_error *err);

/* Whether there is any record of a shield: one look, for a launch. */
int sbx_shield_is_known(void);

/* Of Desktop and Documents, where they exist: the first that has no shield, NULL if all have one; sbx_free.  Returns how many
 * have one. */
uint32_t sbx_shield_first_open(char **path);

#endif
