/*
 * Whom a root admits beside its SID: the accounts that commands run as, where that is not the user.
 *
 * An access check of such a command has two passes.  The second one asks for the root's SID (kind.h), the first one for the
 * account, which a group of all accounts stands for: what the SID is allowed, the group is, and what is denied to the SID in
 * the tree, is denied to the group.  Of the root itself it is denied FILE_DELETE_CHILD alone, as the user is: the commands of an
 * outer root belong to the group, too.
 *
 * What a command makes, its account owns, and an owner may change access rights, unless an ACE for OWNER RIGHTS says what he may.
 * One that directories only pass on gives READ_CONTROL: it takes nothing from the user on what is there, but is effective on
 * what is made from then on, also by the user.  So beside it he is given those rights by an ACE of his own, and all that
 * he needs to work where the root gives him less.
 *
 * What is passed on for CREATOR OWNER becomes an ACE for the account, whose SID is a restricting one: such a root is refused.
 *
 * Source: MSDN "Well-known SIDs" (OWNER RIGHTS, CREATOR OWNER), "Owner of a New Object", "ACE Inheritance Rules"; MS-DTYP 2.5.3.2.
 */
#ifndef SBX_GRANTS_AUDIENCE_H
#define SBX_GRANTS_AUDIENCE_H

#include "common/grants/ledger.h"
#include "common/grants/root.h"
#include "common/grants/sd.h"
#include "win/user.h"

struct sbx_audience {
    sbx_user_sid writers, readers; /* groups of all accounts of the user */
};

/* Of the SIDs of both groups as text. */
sbx_status sbx_audience_of(const char *writers, const char *readers, sbx_audience *audience, sbx_error *err);

/* As the ledger has it (SBX_RECORD_AUDIENCE).  What is no such text is SBX_E_REFUSED. */
#define SBX_AUDIENCE_TEXT 384u
void sbx_audience_text(const sbx_audience *audience, char text[SBX_AUDIENCE_TEXT]);
sbx_status sbx_audience_read(const char *text, sbx_audience *audience, sbx_error *err);

/* The one that the ledger has for a root: the newest, into `audience`; NULL: none. */
const sbx_audience *sbx_audience_known(const sbx_ledger_root *known, sbx_audience *audience);

/* S-1-3-4. */
extern const uint8_t sbx_audience_owner_rights[12];

/* The user's rights by the ACE of his own, at least. */
#define SBX_AUDIENCE_RIGHTS (READ_CONTROL | WRITE_DAC | WRITE_OWNER | DELETE)

/* What was there before, and stays: in the count of a record. */
#define SBX_AUDIENCE_KEPT_USER 1u
#define SBX_AUDIENCE_KEPT_OWNER 2u

/* The one that a root with this SID admits: all accounts are in both. */
const void *sbx_audience_group(const sbx_audience *audience, const sbx_sid *sid);

/* The changes for an audience of one object, in a chain from the first: nothing is changed where the root has none. */
typedef struct sbx_beside {
    sbx_sd_change group, user, owner;
} sbx_beside;

/* What an object of a kind (SBX_RECORD_*) lacks.  acl: as it is, NULL where it is new.  is_whole: also the last ACE, which says that all
 * else is done. */
void sbx_audience_at(const sbx_root *root, const sbx_user_sid *user, const uint8_t *acl, uint32_t kind,
                     int is_directory, int is_whole, sbx_beside *beside);

/* What is left of the whole when the half is there. */
void sbx_audience_rest(sbx_beside *whole, const sbx_beside *half);

/* What the ledger has to say first, of a root with this ACL.  1: `entry` is to be written; text: of it. */
int sbx_audience_plan(const sbx_root *root, const sbx_ledger *ledger, const uint8_t *acl, const sbx_user_sid *user,
                      char text[SBX_AUDIENCE_TEXT], sbx_ledger_entry *entry);

/* What a directory that is there gets in a root that grows (grow.h), as if it were made now.  rights: of the user's ACE. */
void sbx_audience_grow(const sbx_root *root, const sbx_user_sid *user, const uint8_t *acl, uint32_t rights,
                       sbx_beside *beside);

/* What is inherited in a root by what is there. rights: of the user's ACE. */
void sbx_audience_below(const sbx_root *root, const sbx_user_sid *user, const uint8_t *acl, uint32_t rights,
                        int is_directory, sbx_beside *beside);

/* What is in a protected directory gets beside the deny for the SID, which has these flags; behind `last`. */
void sbx_audience_deny(const sbx_root *root, const uint8_t *acl, uint8_t flags, sbx_sd_change *last,
                       sbx_beside *beside);

/* Whether nobody of the audience deletes in such a directory against the will of what is in it, with an inherited deny. */
int sbx_audience_is_shut(const sbx_root *root, sbx_sd *sd);

/* Of the user's ACE on a root. */
sbx_status sbx_audience_find_rights(const sbx_root *root, const sbx_user_sid *user, uint32_t *rights, sbx_error *err);

/* Whether all ACEs that the chain adds are there. */
int sbx_audience_is_there(const uint8_t *acl, const sbx_sd_change *chain);

/* SBX_E_REFUSED where a directory passes on rights to whoever makes something in it. */
sbx_status sbx_audience_judge(const sbx_root *root, const uint8_t *acl, const char *path, sbx_error *err);

/* ---- Undone ------------------------------------------------------------------------------ */

typedef struct sbx_audience_undo {
    sbx_audience audience;
    uint32_t kept; /* SBX_AUDIENCE_KEPT_* */
} sbx_audience_undo;

/* Those that the ledger has for a root, or (known NULL, or it has none) the one that the ACL of the root tells of.  Returns their
 * number. */
uint32_t sbx_audience_undoes(const sbx_ledger_root *known, const sbx_root *root, const sbx_user_sid *user,
                             const uint8_t *acl, sbx_audience_undo *all, uint32_t room);

/* Where something is undone. */
typedef struct sbx_audience_place {
    const sbx_root *root;
    const sbx_user_sid *user;
    uint32_t kinds; /* of the group's ACEs, SBX_ACL_*; without SBX_ACL_DENY the root keeps what is to go last */
    int is_root, is_directory;
    const uint8_t *acl;   /* as it is */
    const uint8_t *above; /* of the directory that it is in; NULL: nothing is inherited */
} sbx_audience_place;

void sbx_audience_take(const sbx_audience_undo *undo, const sbx_audience_place *place, sbx_beside *beside);

#endif
