/*
 * Accounts and groups of this machine that are sbx's own.
 *
 * A name is no proof: setup keeps the SIDs of what it made, and a principal of that name with another SID is refused, never taken
 * over.  Changing anything takes an administrator; looking does not.
 *
 * Source: MSDN "NetUserAdd", "NetUserSetInfo", "USER_INFO_1", "USER_INFO_1008", "NetLocalGroupAdd", "NetLocalGroupAddMembers",
 * "NetLocalGroupGetMembers", "LookupAccountNameW", "Account Rights Constants", "LsaAddAccountRights".  Any thread.
 */
#ifndef SBX_ELEVATED_PRINCIPAL_H
#define SBX_ELEVATED_PRINCIPAL_H

#include "base/error.h"
#include "win/user.h"

#define SBX_PRINCIPAL_NONE 0u
#define SBX_PRINCIPAL_USER 1u
#define SBX_PRINCIPAL_GROUP 2u
#define SBX_PRINCIPAL_OTHER 3u /* a computer, a domain, something of another machine */

/* Who has a name on this machine.  *sid is filled for a user or a group. */
sbx_status sbx_principal_find(const char *name, uint32_t *kind, sbx_user_sid *sid, sbx_error *err);

/* A user that cannot log on yet: disabled, the password never expires and is not the account's to change.  SBX_E_REFUSED where
 * the machine's rules take no such password. */
sbx_status sbx_account_make(const char *name, const char *comment, const uint16_t *password_w, sbx_error *err);
sbx_status sbx_account_delete(const char *name, sbx_error *err); /* one that there is not is no error */
sbx_status sbx_account_set_password(const char *name, const uint16_t *password_w, sbx_error *err);

#define SBX_ACCOUNT_DISABLED 1u
#define SBX_ACCOUNT_LOCKED 2u
#define SBX_ACCOUNT_WRONG 4u /* may change its password, or the password expires, or is not needed */

sbx_status sbx_account_look(const char *name, uint32_t *flags, sbx_error *err); /* SBX_ACCOUNT_* */
/* Unlocks it, too, and puts right what is wrong.  One that is gone is disabled. */
sbx_status sbx_account_enable(const char *name, int enabled, sbx_error *err);

/* Can it log on as the secondary logon does it?  SBX_E_REFUSED says why not. */
sbx_status sbx_account_try(const char *name, const uint16_t *password_w, sbx_error *err);
/* The same, and *token of that logon, a HANDLE that the caller closes. */
sbx_status sbx_account_logon(const char *name, const uint16_t *password_w, void **token, sbx_error *err);
/* Ends all that runs as one of these users; no account may begin anew meanwhile. */
sbx_status sbx_account_end_processes(const sbx_user_sid *sids, uint32_t count, sbx_error *err);

sbx_status sbx_group_make(const char *name, const char *comment, sbx_error *err);
sbx_status sbx_group_delete(const char *name, sbx_error *err); /* likewise */

/* A member that is one already is no error. */
sbx_status sbx_group_add(const char *name, const void *member, sbx_error *err);
/* How many of `members` are in the group, and how many others. */
sbx_status sbx_group_count(const char *name, const sbx_user_sid *members, uint32_t count, uint32_t *own,
                           uint32_t *foreign, sbx_error *err);
/* The name of BUILTIN\Users in the language of this machine. */
sbx_status sbx_group_users(char name[256], sbx_error *err);

/* The kinds of logon that are not for a group's members: network, batch, service, remote.  Interactive stays, for the
 * secondary logon is one. */
sbx_status sbx_rights_deny(const void *group, sbx_error *err);
sbx_status sbx_rights_look(const void *group, int *denied, sbx_error *err); /* all of them? */
sbx_status sbx_rights_remove(const void *group, sbx_error *err);            /* every right of it */
/* May ordinary users log on locally?  SBX_E_REFUSED: this user may not ask. */
sbx_status sbx_rights_may_log_on(int *allowed, sbx_error *err);

#endif
