#include <string.h>

#include "common/grants/audience.h"
#include "common/grants/kind.h"

static int is_one_of(const sbx_ace *ace, const sbx_ace *all, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (ace->type == all[i].type && ace->flags == all[i].flags && ace->mask == all[i].mask)
            return 1;
    return 0;
}

/* What a root may have for its group. */
static const sbx_ace of_root[] = {
    {SBX_ACE_ALLOW, SBX_KIND_BELOW | SBX_ACE_ONLY_BELOW, SBX_KIND_ALLOW},
    {SBX_ACE_ALLOW, 0, SBX_KIND_ALLOW_HERE},
    {SBX_ACE_DENY, 0, FILE_DELETE_CHILD},
    {SBX_ACE_ALLOW, SBX_ACE_FILES | SBX_ACE_ONLY_BELOW, SBX_KIND_ALLOW},
    {SBX_ACE_ALLOW, SBX_ACE_DIRS, SBX_KIND_ALLOW_HERE},
    {SBX_ACE_ALLOW, SBX_KIND_BELOW | SBX_ACE_ONLY_BELOW, SBX_KIND_READ},
    {SBX_ACE_ALLOW, 0, SBX_KIND_READ},
    {SBX_ACE_ALLOW, 0, SBX_KIND_LOOK},
};

/* Which of these it has together: by its SID, and of git's by its kind (GRANT, GROW, ENCLOSE). */
static const struct {
    uint32_t tag, from, count;
} together[] = {
    {SBX_SID_TAG, 0, 3},      {SBX_SID_TAG_GIT, 0, 3},   {SBX_SID_TAG_GIT, 2, 3}, {SBX_SID_TAG_REPOSITORY, 2, 1},
    {SBX_SID_TAG_READ, 5, 2}, {SBX_SID_TAG_ABOVE, 7, 1},
};

static int is_group(const uint8_t *acl, const void *sid, const sbx_sid *root)
{
    size_t i;

    for (i = 0; i < ARRAYSIZE(together); i++) {
        uint32_t k = 0;

        while (together[i].tag == sbx_sid_tag(root) && k < together[i].count &&
               sbx_acl_has(acl, sid, &of_root[together[i].from + k]))
            k++;
        if (k == together[i].count)
            return 1;
    }
    return 0;
}

static int is_of_root(const sbx_ace *ace, const sbx_sid *root)
{
    size_t i;

    for (i = 0; i < ARRAYSIZE(together); i++)
        if (together[i].tag == sbx_sid_tag(root) && is_one_of(ace, of_root + together[i].from, together[i].count))
            return 1;
    return 0;
}

uint32_t sbx_audience_undoes(const sbx_ledger_root *known, const sbx_root *root, const sbx_user_sid *user,
                             const uint8_t *acl, sbx_audience_undo *all, uint32_t room)
{
    const sbx_ledger_path *path;
    uint32_t count = 0, i;

    for (path = known ? known->paths : NULL; path && count < room; path = path->next)
        if (path->kind == SBX_RECORD_AUDIENCE && sbx_audience_read(path->path, &all[count].audience, NULL) == SBX_OK)
            all[count++].kept = (uint32_t)path->id;
    for (i = 0; acl && !count && i < sbx_acl_count(acl); i++) {
        const void *sid = sbx_acl_sid(acl, i);

        if (!sid || sbx_sid_is_sandbox(sid, sbx_sid_length(sid, SBX_SID_MAX)) || !is_group(acl, sid, &root->sid) ||
            EqualSid((PSID)(uintptr_t)sid, (PSID)(uintptr_t)user->u.bytes))
            continue;
        memset(&all[0], 0, sizeof(all[0]));
        memcpy(all[0].audience.writers.u.bytes, sid, sbx_sid_length(sid, SBX_SID_MAX));
        all[0].audience.readers = all[0].audience.writers;
        count = 1;
    }
    return count;
}

/* Whether the object has an ACE for the SID of a root, a run or a set. */
static int is_ours(const uint8_t *acl)
{
    uint32_t i;

    for (i = 0; i < sbx_acl_count(acl); i++) {
        const void *sid = sbx_acl_sid(acl, i);
        const size_t size = sid ? sbx_sid_length(sid, SBX_SID_MAX) : 0;

        if (sid && (sbx_sid_is_sandbox(sid, size) || sbx_sid_is_run(sid, size) || sbx_sid_is_set(sid, size)))
            return 1;
    }
    return 0;
}

/* An inherited copy with one of these masks, which the directory above passes on no more. */
static int is_orphan(const sbx_audience_place *p, const void *sid, const sbx_ace *ace, uint32_t mask, uint32_t or_mask)
{
    return (ace->flags & SBX_ACE_INHERITED) && (ace->mask == mask || ace->mask == or_mask) && p->above &&
           !sbx_acl_passes(p->above, sid, ace, p->is_directory);
}

/* Of the group. */
static int goes(const sbx_audience_place *p, const void *sid, const sbx_ace *ace)
{
    static const sbx_ace inside[] = {{SBX_ACE_DENY, SBX_KIND_BELOW | SBX_ACE_ONLY_BELOW, SBX_KIND_CHANGE},
                                     {SBX_ACE_DENY, SBX_KIND_BELOW, SBX_KIND_CHANGE},
                                     {SBX_ACE_DENY, 0, SBX_KIND_CHANGE},
                                     {SBX_ACE_DENY, 0, SBX_KIND_MOVE},
                                     {SBX_ACE_DENY, 0, FILE_DELETE_CHILD}};
    const uint8_t *root = p->root->sid.bytes;

    if (!(p->kinds & (ace->type == SBX_ACE_DENY ? SBX_ACL_DENY : SBX_ACL_ALLOW)))
        return 0;
    if (ace->flags & SBX_ACE_INHERITED)
        return (p->kinds & SBX_ACL_INHERITED) &&
               (ace->type == SBX_ACE_DENY ? is_orphan(p, sid, ace, SBX_KIND_CHANGE, 0)
                                          : is_orphan(p, sid, ace, SBX_KIND_ALLOW, SBX_KIND_READ) ||
                                                is_orphan(p, sid, ace, SBX_KIND_ALLOW_HERE, 0));
    if (!(p->kinds & SBX_ACL_EXPLICIT))
        return 0;
    /* a root may be held or protected by the one that it is in, and that have gone first */
    return (p->is_root && is_of_root(ace, &p->root->sid)) ||
           (is_one_of(ace, inside, ARRAYSIZE(inside)) && (p->is_root || sbx_acl_marked(p->acl, root)) &&
            !sbx_acl_marked_by_others(p->acl, root));
}

static void drop(sbx_sd_change *change, const sbx_ace *ace)
{
    if (change->drops < SBX_SD_DROPS)
        change->drop[change->drops++] = *ace;
}

/* The user's: on the root it is passed on no more at first, and goes with the last. */
static void take_users(const sbx_audience_undo *undo, const sbx_audience_place *p, const sbx_ace *ace,
                       sbx_sd_change *change)
{
    const uint32_t less = SBX_AUDIENCE_RIGHTS, more = SBX_AUDIENCE_RIGHTS | SBX_KIND_ALLOW;

    if (is_orphan(p, p->user->u.bytes, ace, less, more)) {
        drop(change, ace);
    } else if (p->is_root && !(undo->kept & SBX_AUDIENCE_KEPT_USER) && (ace->mask == less || ace->mask == more) &&
               (ace->flags == SBX_KIND_BELOW || (!ace->flags && (p->kinds & SBX_ACL_DENY)))) {
        drop(change, ace);
        if (p->kinds & SBX_ACL_DENY)
            return;
        change->aces[0] = *ace;
        change->aces[0].flags = 0;
        change->count = 1;
    }
}

void sbx_audience_take(const sbx_audience_undo *undo, const sbx_audience_place *p, sbx_beside *beside)
{
    const void *group = sbx_audience_group(&undo->audience, &p->root->sid);
    sbx_ace found[32];
    uint32_t count, i;

    memset(beside, 0, sizeof(*beside));
    beside->group.sid = group;
    beside->user.sid = p->user->u.bytes;
    beside->owner.sid = sbx_audience_owner_rights;
    beside->group.also = &beside->user;
    beside->user.also = &beside->owner;
    /* of what grows what is there has lost the SID's */
    if (!p->acl || (!p->is_root && !is_ours(p->acl) && !sbx_acl_find(p->acl, group, NULL, 0)))
        return;
    count = sbx_acl_find(p->acl, group, found, 32);
    for (i = 0; i < count && i < 32; i++)
        if (goes(p, group, &found[i]))
            drop(&beside->group, &found[i]);
    if (!(p->kinds & SBX_ACL_ALLOW) || sbx_sid_is_read(&p->root->sid))
        return;
    count = sbx_acl_find(p->acl, p->user->u.bytes, found, 32);
    for (i = 0; i < count && i < 32; i++)
        if (found[i].type == SBX_ACE_ALLOW)
            take_users(undo, p, &found[i], &beside->user);
    count = sbx_acl_find(p->acl, sbx_audience_owner_rights, found, 32);
    for (i = 0; i < count && i < 32; i++)
        if (found[i].type == SBX_ACE_ALLOW &&
            (is_orphan(p, sbx_audience_owner_rights, &found[i], READ_CONTROL, 0) ||
             (p->is_root && !(undo->kept & SBX_AUDIENCE_KEPT_OWNER) && found[i].mask == READ_CONTROL &&
              found[i].flags == (SBX_KIND_BELOW | SBX_ACE_ONLY_BELOW))))
            drop(&beside->owner, &found[i]);
}
