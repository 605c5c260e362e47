/*
 * What an object gets for its kind (SBX_RECORD_GRANT, _DENY, _HOLD, _SHUT, _GROW, _ENCLOSE, _READ, _ABOVE).
 *
 * For the SID of the root.  The root: a deny of moving it and of changing its rights, an allow for itself, and an allow that
 * only what is below inherits and that has DELETE.  A DENY object: a deny for itself and one for what is below.  A HOLD
 * directory: a deny of moving it.  A SHUT one: of every change of it, but not of what is in it.  A root of the kind ENCLOSE is a
 * HOLD directory; one of the kind GROW as other roots, but what is there already stays as it is (grow.h).
 *
 * For the user: a deny of FILE_DELETE_CHILD on each of these directories, and on those in a DENY directory.  A
 * write-restricted token may be asked for that right once only, and then the denies for the SID do not count.  The user
 * deletes by DELETE, which he has on what is in them.
 * Source: MS-FSA 2.1.5.1.2.1 (DELETE through the directory); MSDN "CreateRestrictedToken" (WRITE_RESTRICTED).
 */
#ifndef SBX_GRANTS_KIND_H
#define SBX_GRANTS_KIND_H

#include <windows.h>

#include "common/grants/acl.h"
#include "common/grants/ledger_record.h"
#include "common/grants/root.h"
#include "common/grants/sid.h"
#include "win/user.h"

/* What the tree of a root allows. */
#define SBX_KIND_ALLOW (FILE_GENERIC_READ | FILE_GENERIC_WRITE | FILE_GENERIC_EXECUTE | DELETE)

#define SBX_KIND_READ (FILE_GENERIC_READ | FILE_GENERIC_EXECUTE)

/* Of a folder above: it can be asked what it is, and be started in; nothing of what is in it. */
#define SBX_KIND_LOOK (FILE_READ_ATTRIBUTES | FILE_TRAVERSE | SYNCHRONIZE)

/* What nobody may do to an object that is hidden: to run it is to read it, and who may change its access rights may do both. */
#define SBX_KIND_HIDDEN (FILE_READ_DATA | FILE_READ_EA | FILE_EXECUTE | WRITE_DAC | WRITE_OWNER)

#define SBX_KIND_ALLOW_HERE (SBX_KIND_ALLOW & ~(uint32_t)DELETE)

/* What a protected object must not let the command do; what one must not that is to stay where it is.  FILE_DELETE_CHILD may
 * come from an ACE for Everyone, and would delete what denies DELETE itself. */
#define SBX_KIND_CHANGE                                                                                                \
    (DELETE | FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER | FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA |       \
     FILE_WRITE_ATTRIBUTES)
#define SBX_KIND_MOVE (DELETE | FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER)

#define SBX_KIND_BELOW (SBX_ACE_FILES | SBX_ACE_DIRS)

/* The explicit ACEs for the root's SID, the last of which says that all else is done; returns their number. */
uint32_t sbx_kind_aces(uint32_t kind, int is_directory, sbx_ace aces[3]);

/* The one for the user, of a directory. */
sbx_ace sbx_kind_shut(uint32_t kind);

/* Whether a kind is of a tree, which what is in it inherits from; of a root that a command writes in, of one in which it makes
 * something; whether it shuts a directory for the user. */
int sbx_kind_is_tree(uint32_t kind);
int sbx_kind_is_root(uint32_t kind);
int sbx_kind_is_made_in(uint32_t kind);
int sbx_kind_shuts(uint32_t kind);

/* Whether such a deny is the user's own: sbx sets it together with an explicit ACE for the SID of a root. */
int sbx_kind_is_users(const void *acl, const sbx_user_sid *user, const sbx_sid *sid);

/* Whether a directory passes a deny of every change on to what is in it, as a protected one does. */
int sbx_kind_is_denied(const void *acl, const void *sid);

/* Whether nobody deletes in a directory with this ACL against the will of what is in it; below: nor in those made in it. */
int sbx_kind_is_shut(const void *acl, const sbx_user_sid *user, int below);

/* The same of the user and of an audience: in a directory below a protected one. */
int sbx_kind_is_shut_in(const void *acl, const sbx_root *root, const sbx_user_sid *user);

/* Whether something leaves a command of this root any right of `mask`: see sbx_acl_leaves. */
int sbx_kind_leaves(const void *acl, const sbx_root *root, const sbx_user_sid *user, uint32_t mask, int below);

#endif
