#include "common/grants/audience.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "common/grants/kind.h"
#include "win/error.h"

#define VERSION "1 "
#define MORE (SBX_AUDIENCE_RIGHTS | SBX_KIND_ALLOW)

const uint8_t sbx_audience_owner_rights[12] = {1, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0};
static const uint8_t creator_owner[12] = {1, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0};

/* ---- In the ledger ------------------------------------------------------------------ */

void sbx_audience_text(const sbx_audience *audience, char text[SBX_AUDIENCE_TEXT])
{
    char writers[SBX_AUDIENCE_TEXT / 2 - 2], readers[SBX_AUDIENCE_TEXT / 2 - 2];

    sbx_user_sid_text(audience->writers.u.bytes, writers, sizeof(writers));
    sbx_user_sid_text(audience->readers.u.bytes, readers, sizeof(readers));
    snprintf(text, SBX_AUDIENCE_TEXT, VERSION "%s %s", writers, readers);
}

/* text: NUL or a space at its end. */
static int read_sid(const char *text, sbx_user_sid *sid)
{
    return sbx_user_sid_read(text, strcspn(text, " "), sid);
}

sbx_status sbx_audience_of(const char *writers, const char *readers, sbx_audience *audience, sbx_error *err)
{
    if (!read_sid(writers, &audience->writers))
        return sbx_fail(err, SBX_E_UNAVAILABLE, "it is no SID", writers);
    return read_sid(readers, &audience->readers) ? SBX_OK : sbx_fail(err, SBX_E_UNAVAILABLE, "it is no SID", readers);
}

sbx_status sbx_audience_read(const char *text, sbx_audience *audience, sbx_error *err)
{
    const char *second = strncmp(text, VERSION, sizeof(VERSION) - 1) ? NULL : strchr(text + sizeof(VERSION) - 1, ' ');

    if (second && read_sid(text + sizeof(VERSION) - 1, &audience->writers) && read_sid(second + 1, &audience->readers))
        return SBX_OK;
    return sbx_fail(err, SBX_E_REFUSED, "the ledger names groups in no form that is known", text);
}

const sbx_audience *sbx_audience_known(const sbx_ledger_root *known, sbx_audience *audience)
{
    const sbx_ledger_path *path;

    for (path = known ? known->paths : NULL; path; path = path->next)
        if (path->kind == SBX_RECORD_AUDIENCE && sbx_audience_read(path->path, audience, NULL) == SBX_OK)
            return audience;
    return NULL;
}

const void *sbx_audience_group(const sbx_audience *audience, const sbx_sid *sid)
{
    return sbx_sid_is_read(sid) ? audience->readers.u.bytes : audience->writers.u.bytes;
}

/* ---- What an object gets ------------------------------------------------------------ */

static void add(sbx_sd_change *change, const uint8_t *acl, sbx_ace ace)
{
    if (!acl || !sbx_acl_has(acl, change->sid, &ace))
        change->aces[change->count++] = ace;
}

/* Also where it comes from further above, and is effective here. */
static void add_passed(sbx_sd_change *change, const uint8_t *acl, sbx_ace ace)
{
    if (!acl || !sbx_acl_passes(acl, change->sid, &ace, 0) || !sbx_acl_passes(acl, change->sid, &ace, 1))
        change->aces[change->count++] = ace;
}

static void begin(const sbx_root *root, const sbx_user_sid *user, sbx_beside *beside)
{
    memset(beside, 0, sizeof(*beside));
    beside->group.sid = root->audience ? sbx_audience_group(root->audience, &root->sid) : user->u.bytes;
    beside->user.sid = user->u.bytes;
    beside->owner.sid = sbx_audience_owner_rights;
    beside->group.also = &beside->user;
    beside->user.also = &beside->owner;
}

static uint32_t aces_of(uint32_t kind, int is_directory, sbx_ace aces[3])
{
    const uint32_t count = sbx_kind_aces(kind, is_directory, aces);
    uint32_t i;

    for (i = 0; i < count; i++)
        if (sbx_kind_is_root(kind) && aces[i].type == SBX_ACE_DENY)
            aces[i].mask = FILE_DELETE_CHILD;
    return count;
}

static sbx_ace users(uint32_t rights, int is_there)
{
    const sbx_ace ace = {SBX_ACE_ALLOW, (uint8_t)(SBX_KIND_BELOW | (is_there ? SBX_ACE_INHERITED : 0)), rights};

    return ace;
}

static sbx_ace owners(int is_there)
{
    const sbx_ace ace = {SBX_ACE_ALLOW,
                         (uint8_t)(SBX_KIND_BELOW | SBX_ACE_ONLY_BELOW | (is_there ? SBX_ACE_INHERITED : 0)),
                         READ_CONTROL};

    return ace;
}

/* Whether the user has what a command has on what is made in a directory with this ACL, by an ACE of his own. */
static int user_works(const uint8_t *acl, const sbx_user_sid *user)
{
    const uint8_t both[2] = {SBX_ACE_FILES, SBX_ACE_DIRS};
    sbx_ace found[16];
    uint32_t count = sbx_acl_find(acl, user->u.bytes, found, 16), i, k;

    for (k = 0; k < 2; k++) {
        uint32_t has = 0;

        for (i = 0; i < count && i < 16; i++)
            if (found[i].type == SBX_ACE_ALLOW && (found[i].flags & both[k]))
                has |= found[i].mask & GENERIC_ALL ? FILE_ALL_ACCESS : found[i].mask;
        if ((has & SBX_KIND_ALLOW) != SBX_KIND_ALLOW)
            return 0;
    }
    return 1;
}

static uint32_t rights_of(const uint8_t *acl, const sbx_user_sid *user)
{
    const sbx_ace less = users(SBX_AUDIENCE_RIGHTS, 0), more = users(MORE, 0);

    if (acl && sbx_acl_has(acl, user->u.bytes, &less))
        return less.mask;
    return acl && !sbx_acl_has(acl, user->u.bytes, &more) && user_works(acl, user) ? less.mask : more.mask;
}

sbx_status sbx_audience_find_rights(const sbx_root *root, const sbx_user_sid *user, uint32_t *rights, sbx_error *err)
{
    sbx_sd *sd = NULL;
    NTSTATUS status;
    sbx_status st = sbx_sd_new(&sd, err);

    if (st != SBX_OK)
        return st;
    status = sbx_sd_read(sd, root->handle);
    if (SBX_NT_OK(status))
        *rights = rights_of(sd->acl, user);
    else
        st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtQuerySecurityObject", root->path);
    sbx_free(sd);
    return st;
}

void sbx_audience_at(const sbx_root *root, const sbx_user_sid *user, const uint8_t *acl, uint32_t kind,
                     int is_directory, int is_whole, sbx_beside *beside)
{
    sbx_ace aces[3];
    uint32_t count, i;

    begin(root, user, beside);
    if (!root->audience)
        return;
    count = aces_of(kind, is_directory, aces);
    for (i = 0; i + !is_whole < count; i++)
        add(&beside->group, acl, aces[i]);
    if (!sbx_kind_is_made_in(kind))
        return;
    add(&beside->user, acl, users(rights_of(acl, user), 0));
    add(&beside->owner, acl, owners(0));
}

void sbx_audience_rest(sbx_beside *whole, const sbx_beside *half)
{
    const uint32_t there = half->group.count;

    whole->group.count -= there;
    memmove(whole->group.aces, whole->group.aces + there, whole->group.count * sizeof(whole->group.aces[0]));
    whole->user.count = whole->owner.count = 0;
}

int sbx_audience_plan(const sbx_root *root, const sbx_ledger *ledger, const uint8_t *acl, const sbx_user_sid *user,
                      char text[SBX_AUDIENCE_TEXT], sbx_ledger_entry *entry)
{
    const sbx_ledger_root *known = sbx_ledger_find(ledger, &root->sid);
    const sbx_ledger_path *path, *other = NULL;
    const sbx_ace own = owners(0), less = users(SBX_AUDIENCE_RIGHTS, 0), more = users(MORE, 0);

    if (!root->audience)
        return 0;
    sbx_audience_text(root->audience, text);
    for (path = known ? known->paths : NULL; path; path = path->next)
        if (path->kind == SBX_RECORD_AUDIENCE && !strcmp(path->path, text))
            return 0;
        else if (path->kind == SBX_RECORD_AUDIENCE)
            other = path;
    *entry = (sbx_ledger_entry){SBX_RECORD_AUDIENCE, other ? other->id : 0, text};
    if (!acl || other || sbx_sid_is_read(&root->sid) ||
        sbx_acl_marked(acl, root->audience->writers.u.bytes)) /* by an sbx whose ledger was lost */
        return 1;
    if (sbx_acl_has(acl, user->u.bytes, &less) || sbx_acl_has(acl, user->u.bytes, &more))
        entry->count |= SBX_AUDIENCE_KEPT_USER;
    if (sbx_acl_has(acl, sbx_audience_owner_rights, &own))
        entry->count |= SBX_AUDIENCE_KEPT_OWNER;
    return 1;
}

void sbx_audience_grow(const sbx_root *root, const sbx_user_sid *user, const uint8_t *acl, uint32_t rights,
                       sbx_beside *beside)
{
    sbx_ace aces[3];
    uint32_t count, i;

    begin(root, user, beside);
    if (!root->audience)
        return;
    count = aces_of(SBX_RECORD_GROW, 1, aces);
    for (i = 0; i < count; i++) {
        aces[i].flags |= aces[i].type == SBX_ACE_ALLOW ? SBX_ACE_INHERITED : 0;
        add(&beside->group, acl, aces[i]);
    }
    add_passed(&beside->user, acl, users(rights, 1));
    add_passed(&beside->owner, acl, owners(1));
}

void sbx_audience_below(const sbx_root *root, const sbx_user_sid *user, const uint8_t *acl, uint32_t rights,
                        int is_directory, sbx_beside *beside)
{
    const uint8_t flags = (uint8_t)(SBX_ACE_INHERITED | (is_directory ? SBX_KIND_BELOW : 0));
    const int is_read = sbx_sid_is_read(&root->sid);

    begin(root, user, beside);
    if (!root->audience)
        return;
    add(&beside->group, acl, (sbx_ace){SBX_ACE_ALLOW, flags, is_read ? SBX_KIND_READ : SBX_KIND_ALLOW});
    if (!is_directory || is_read)
        return;
    add_passed(&beside->user, acl, users(rights, 1));
    add_passed(&beside->owner, acl, owners(1));
}

void sbx_audience_deny(const sbx_root *root, const uint8_t *acl, uint8_t flags, sbx_sd_change *last, sbx_beside *beside)
{
    if (!root->audience)
        return;
    memset(&beside->group, 0, sizeof(beside->group));
    beside->group.sid = root->audience->writers.u.bytes;
    beside->group.drop[beside->group.drops++] = (sbx_ace){SBX_ACE_DENY, flags ^ SBX_ACE_INHERITED, SBX_KIND_CHANGE};
    add(&beside->group, acl, (sbx_ace){SBX_ACE_DENY, flags, SBX_KIND_CHANGE});
    last->also = &beside->group;
}

int sbx_audience_is_shut(const sbx_root *root, sbx_sd *sd)
{
    sbx_sd_change last = {0};
    sbx_beside beside;

    if (!root->audience)
        return 1;
    last.sid = root->audience->writers.u.bytes;
    sbx_audience_deny(root, sd->acl, SBX_KIND_BELOW | SBX_ACE_INHERITED, &last, &beside);
    return sbx_sd_edit(sd->acl, &beside.group, sd->check, sd->edited) &&
           sbx_kind_is_shut(sd->edited, &root->audience->writers, 1);
}

int sbx_audience_is_there(const uint8_t *acl, const sbx_sd_change *chain)
{
    uint32_t i;

    for (; chain; chain = chain->also)
        for (i = 0; i < chain->count; i++)
            if (!sbx_acl_has(acl, chain->sid, &chain->aces[i]))
                return 0;
    return 1;
}

sbx_status sbx_audience_judge(const sbx_root *root, const uint8_t *acl, const char *path, sbx_error *err)
{
    sbx_ace found[16];
    const int is_open = root->audience && !sbx_sid_is_read(&root->sid);
    uint32_t count = is_open ? sbx_acl_find(acl, creator_owner, found, 16) : 0, i;

    for (i = 0; i < count && i < 16; i++)
        if (found[i].type == SBX_ACE_ALLOW && (found[i].flags & SBX_KIND_BELOW)) {
            sbx_fail(err, SBX_E_REFUSED, "it gives rights to whoever makes something (CREATOR OWNER)", path);
            sbx_hint(err,
                     "an account that a command ran as would have them in later runs, too; take them away: icacls "
                     "FOLDER %s/remove:g *S-1-3-0",
                     found[i].flags & SBX_ACE_INHERITED ? "/inheritance:d " : "");
            return SBX_E_REFUSED;
        }
    return SBX_OK;
}
