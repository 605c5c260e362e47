/*
 * What a command gave an access control list of its own, put in order by the account that owns it.
 *
 * What is made in a root inherits; but a program may give a descriptor when it makes something (Python's temporary folders are such),
 * and then only its owner opens it up, which is the account: neither the user nor the next run, that may have another account,
 * can; and what such a list gives the owner, the next command in the account has, whatever its workspace. So when a command and
 * all that it started are gone, the account looks for what it owns in the roots and was made or changed since then: the user's
 * ACE is added, explicit, as it has to outlive the grant; what the owner has by being it, or by name, becomes READ_CONTROL; and
 * the root's SID and group get what the directory above passes on to them.  All else in the list stays: who else was kept out, is.
 *
 * A listing tells what changed, so of files only these are opened; each directory is listed.
 *
 * Source: MSDN "Owner of a New Object", "Well-known SIDs" (OWNER RIGHTS), "ACE Inheritance Rules", "FILE_FULL_DIR_INFORMATION".
 */
#ifndef SBX_GRANTS_TIDY_H
#define SBX_GRANTS_TIDY_H

#include "base/error.h"
#include "base/text.h"
#include "common/grants/grant.h"

/* Add to `lines` what is to be put in order after a run that begins now: a line for each root.  group: "S-1-..." of its audience. */
void sbx_tidy_add(sbx_text *lines, const sbx_grants *grants, const char *group);

/* The same of a folder that passes on what it admits to a SID and a group. */
void sbx_tidy_add_folder(sbx_text *lines, const char *path, const void *sid, const char *group);

/* As the account: do what such lines say, which are untrusted.  user: PSID.  What cannot be done is told (SBX_NOTE_WARN). */
void sbx_tidy(const char *lines, const void *user);

#endif
