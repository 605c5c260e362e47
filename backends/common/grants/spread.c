#include "common/grants/spread.h"

#include <string.h>

#include "base/memory.h"

#include "common/grants/audience.h"
#include "common/grants/kind.h"
#include "common/grants/left.h"
#include "common/grants/links.h"
#include "common/grants/nested.h"
#include "common/grants/walk.h"
#include "win/error.h"
#include "win/handle.h"

#define SAMPLE 64

typedef struct spreader {
    const sbx_root *root;
    const sbx_sid *sid;
    sbx_user_sid user;
    sbx_ace below;   /* without its inheritance flags */
    uint32_t rights; /* of the user's ACE beside an audience */
    volatile LONG64 files, opened, others;
    CRITICAL_SECTION lock; /* of the ledger */
    sbx_ledger *ledger;
    const char *recorded;
    sbx_nested *nested;
    sbx_left *left;
} spreader;

static sbx_sd_change inherited(const spreader *s, const sbx_walk_item *item)
{
    const int is_lone = item->is_link && s->below.type == SBX_ACE_ALLOW; /* nothing is in a link */
    sbx_sd_change change = {.sid = s->sid->bytes, .count = 1};

    change.remove = SBX_ACL_INHERITED | (s->below.type == SBX_ACE_DENY ? SBX_ACL_DENY : SBX_ACL_ALLOW);
    change.aces[0] = s->below;
    change.aces[0].flags = (uint8_t)(SBX_ACE_INHERITED | (item->is_directory && !is_lone ? SBX_KIND_BELOW : 0));
    return change;
}

/* It stays closed, and is counted. */
static uint32_t leave(const spreader *s, uint32_t why, const sbx_walk_item *item, uint32_t what)
{
    if (s->left)
        sbx_left_add(s->left, why, item);
    return what;
}

/* A file that got a name out of the root while it was judged does not keep the allow. */
static uint32_t take_back(const spreader *s, const sbx_walk_item *item)
{
    sbx_beside beside;
    const sbx_sd_change change = {
        .sid = s->sid->bytes, .remove = SBX_ACL_INHERITED | SBX_ACL_ALLOW, .also = &beside.group};
    uint32_t result = SBX_SD_SAME;
    NTSTATUS status;

    sbx_audience_below(s->root, &s->user, NULL, 0, 0, &beside);
    if (beside.group.count)
        beside.group.drop[beside.group.drops++] = beside.group.aces[--beside.group.count];
    status = sbx_sd_apply(item->sd, item->handle, &change, &result);

    if (!SBX_NT_OK(status) || result == SBX_SD_DIFFERS)
        return sbx_walk_stop(item, status, result);
    return leave(s, SBX_RECORD_SHARED, item, SBX_WALK_ON);
}

sbx_status sbx_spread_judge(const sbx_root *root, const sbx_walk_item *item)
{
    char *path;
    sbx_status st = sbx_audience_judge(root, item->sd->acl, "", NULL);

    if (st == SBX_OK)
        return st;
    path = sbx_walk_path(item);
    st = sbx_audience_judge(root, item->sd->acl, path ? path : "", item->err);
    sbx_free(path);
    return st;
}

/* What is protected and was granted before there was an audience: where the SID is allowed, the denies beside that hold it back, the
 * audience is. */
static uint32_t let_in(void *context, const sbx_walk_item *item)
{
    const spreader *s = context;
    const int inside = item->is_directory && !item->is_link;
    const sbx_ace allow = {SBX_ACE_ALLOW, (uint8_t)(SBX_ACE_INHERITED | (inside ? SBX_KIND_BELOW : 0)), SBX_KIND_ALLOW};
    sbx_beside beside;
    uint32_t result = SBX_SD_SAME;
    NTSTATUS status = item->status;

    if (SBX_NT_OK(status))
        status = sbx_sd_read(item->sd, item->handle);
    if (!SBX_NT_OK(status) || !item->sd->acl || !sbx_acl_has(item->sd->acl, s->sid->bytes, &allow))
        return SBX_WALK_PASS; /* as closed as it was */
    sbx_audience_below(s->root, &s->user, item->sd->acl, s->rights, inside, &beside);
    sbx_step("allow");
    status = sbx_sd_change_read(item->sd, item->handle, &beside.group, 0, &result);
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    return SBX_NT_OK(status) && result != SBX_SD_DIFFERS ? SBX_WALK_ON : sbx_walk_stop(item, status, result);
}

static uint32_t let_into(spreader *s, const sbx_walk_item *item)
{
    uint32_t result = let_in(s, item);
    char *path;

    if (result != SBX_WALK_ON)
        return result;
    path = sbx_walk_path(item);
    if (sbx_walk_below(item->handle, path ? path : "", "granting", READ_CONTROL | WRITE_DAC, SBX_WALK_LINKS, let_in, s,
                       NULL, item->err) != SBX_OK)
        result = SBX_WALK_STOP;
    sbx_free(path);
    return result == SBX_WALK_ON ? SBX_WALK_PASS : result;
}

static uint32_t allow_one(void *context, const sbx_walk_item *item)
{
    spreader *s = context;
    sbx_sd_change change = inherited(s, item);
    sbx_beside beside;
    const int is_shared = !item->is_directory && item->info.links > 1;
    uint32_t result = SBX_SD_SAME;
    NTSTATUS status;

    if (s->nested && !item->is_link)
        sbx_nested_meet(s->nested, item);
    /* what is in a directory of others may be the user's own */
    if (!SBX_NT_OK(item->status))
        return leave(s, SBX_RECORD_FOREIGN, item, item->handle ? SBX_WALK_ON : SBX_WALK_PASS);
    if (is_shared && !sbx_links_are_inside(s->root, item->handle, item->sd))
        return leave(s, SBX_RECORD_SHARED, item, SBX_WALK_ON);
    status = sbx_sd_read(item->sd, item->handle);
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (SBX_NT_OK(status) && (!item->sd->acl || (item->sd->control & SE_DACL_PROTECTED)))
        return leave(s, SBX_RECORD_CLOSED, item, SBX_WALK_PASS);
    if (SBX_NT_OK(status) && item->is_directory && sbx_kind_is_denied(item->sd->acl, s->sid->bytes))
        /* protected: what was moved into it must not get more than it has */
        return s->root->audience ? let_into(s, item) : SBX_WALK_PASS;
    if (SBX_NT_OK(status) && item->is_directory && sbx_spread_judge(s->root, item) != SBX_OK)
        return SBX_WALK_STOP;
    sbx_audience_below(s->root, &s->user, SBX_NT_OK(status) ? item->sd->acl : NULL, s->rights,
                       item->is_directory && !item->is_link, &beside);
    change.also = &beside.group;
    if (SBX_NT_OK(status) && sbx_audience_is_there(item->sd->acl, &change))
        return SBX_WALK_ON;
    sbx_step("allow");
    /* a file that did not keep its allow is not writable, which hurts nobody: a sample tells of the file system */
    if (SBX_NT_OK(status))
        status = sbx_sd_change_read(
            item->sd, item->handle, &change,
            item->is_directory || !(InterlockedIncrement64(&s->files) % SAMPLE) ? 0 : SBX_SD_TRUST, &result);
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (!SBX_NT_OK(status) || result == SBX_SD_DIFFERS)
        return sbx_walk_stop(item, status, result);
    if (result == SBX_SD_FULL || result == SBX_SD_OPEN)
        return leave(s, SBX_RECORD_FOREIGN, item, SBX_WALK_ON);
    if (result == SBX_SD_SAME)
        return SBX_WALK_ON;
    if (is_shared && !sbx_links_are_inside(s->root, item->handle, item->sd))
        return take_back(s, item);
    InterlockedIncrement64(&s->opened);
    if (result == SBX_SD_OTHERS)
        InterlockedIncrement64(&s->others);
    return SBX_WALK_ON;
}

/* Whether others than the user and the SID are admitted here in a way that an inherited deny would not beat. */
static int opens(const spreader *s, const sbx_walk_item *item)
{
    uint8_t *acl = item->sd->edited; /* free between the read and the change */
    size_t size = item->sd->acl[2] | (size_t)item->sd->acl[3] << 8;
    const sbx_ace deny = {SBX_ACE_DENY, (uint8_t)(SBX_ACE_INHERITED | (item->is_directory ? SBX_KIND_BELOW : 0)),
                          SBX_KIND_CHANGE};

    memcpy(item->sd->check, item->sd->acl, size);
    sbx_acl_remove(item->sd->check, s->sid->bytes, SBX_ACL_EVERY);
    if (!(item->sd->control & SE_DACL_PROTECTED) && sbx_acl_add(item->sd->check, s->sid->bytes, &deny, 1, acl))
        ;
    else
        acl = item->sd->check;
    return sbx_kind_leaves(acl, s->root, &s->user, SBX_KIND_CHANGE, 0) ||
           (item->is_directory && sbx_kind_leaves(acl, s->root, &s->user, SBX_KIND_CHANGE, 1));
}

/* What cannot be changed is safe only where it does not let the command in, and a directory where it can be looked into. */
static uint32_t judge_closed(const spreader *s, const sbx_walk_item *item)
{
    HANDLE look = NULL;
    const int inside = item->is_directory && !item->is_link;
    int allowed = 1;
    NTSTATUS status = 0;

    if (!item->handle)
        status = sbx_nt_child(item->parent, item->name, item->name_length, READ_CONTROL, FILE_OPEN, 0, NULL, &look);
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if ((item->handle || (look && !inside)) && SBX_NT_OK(sbx_sd_read(item->sd, look ? look : item->handle)) &&
        item->sd->acl)
        allowed = sbx_kind_leaves(item->sd->acl, s->root, &s->user, SBX_KIND_CHANGE, 0) ||
                  (inside && (sbx_kind_leaves(item->sd->acl, s->root, &s->user, SBX_KIND_CHANGE, 1) ||
                              !sbx_kind_is_shut_in(item->sd->acl, s->root, &s->user)));
    sbx_handle_close(&look);
    return allowed ? sbx_walk_stop(item, item->status, 0) : SBX_WALK_ON;
}

/* The user's deny for a directory in a protected one: inherited where that beats every allow, else explicit.  *is_explicit:
 * it has or gets such a one of ours; or else one for the SID of the root, then its own is recorded first. */
static uint32_t shut_one(spreader *s, const sbx_walk_item *item, sbx_sd_change *change, int *is_explicit)
{
    const sbx_ace own = sbx_kind_shut(SBX_RECORD_DENY);
    sbx_ledger_entry entry = {SBX_RECORD_KEPT, 0, s->recorded};
    NTSTATUS status;
    sbx_status st;

    change->sid = s->user.u.bytes;
    if (*is_explicit && sbx_kind_is_users(item->sd->acl, &s->user, s->sid)) {
        status = sbx_nt_id(item->handle, &entry.count);
        if (!SBX_NT_OK(status))
            return sbx_walk_stop(item, status, 0);
        EnterCriticalSection(&s->lock);
        st = sbx_ledger_add(s->ledger, s->sid, &entry, 1, 0, item->err);
        LeaveCriticalSection(&s->lock);
        if (st != SBX_OK)
            return SBX_WALK_STOP;
    }
    if (sbx_kind_is_shut(item->sd->acl, &s->user, 1)) {
        *is_explicit =
            sbx_acl_has(item->sd->acl, s->user.u.bytes, &own) && sbx_acl_marked(item->sd->acl, s->sid->bytes);
        return SBX_WALK_ON;
    }
    change->count = 1;
    change->aces[0] = own;
    if (!(item->sd->control & SE_DACL_PROTECTED)) {
        change->aces[0].flags |= SBX_ACE_INHERITED;
        if (sbx_sd_edit(item->sd->acl, change, item->sd->check, item->sd->edited) &&
            sbx_kind_is_shut(item->sd->edited, &s->user, 1))
            return SBX_WALK_ON;
        change->aces[0] = own;
    }
    *is_explicit = 1;
    return SBX_WALK_ON;
}

/* Nothing below a protected directory may keep an allow that its deny does not beat. */
static uint32_t deny_one(void *context, const sbx_walk_item *item)
{
    spreader *s = context;
    sbx_sd_change change = inherited(s, item), shut = {0};
    sbx_beside beside;
    uint32_t result = SBX_SD_SAME;
    NTSTATUS status;
    int open, is_explicit = 0;

    if (!SBX_NT_OK(item->status))
        return judge_closed(s, item);
    status = sbx_sd_read(item->sd, item->handle);
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (!SBX_NT_OK(status))
        return sbx_walk_stop(item, status, 0);
    if (!item->sd->acl)
        return sbx_walk_stop(item, 0, SBX_SD_OPEN);
    /* an inherited deny is behind what is explicit, and behind what is inherited where the DACL is closed */
    open = opens(s, item);
    shut.sid = s->user.u.bytes;
    change.also = &shut;
    if (item->is_directory && !item->is_link) {
        is_explicit = open;
        if (shut_one(s, item, &shut, &is_explicit) != SBX_WALK_ON)
            return SBX_WALK_STOP;
    }
    if (!item->is_directory && item->info.links > 1 && !open && !sbx_acl_find(item->sd->acl, s->sid->bytes, NULL, 0))
        return SBX_WALK_ON;
    if (item->is_directory && !item->is_link && !open && !is_explicit)
        is_explicit = !sbx_audience_is_shut(s->root, item->sd);
    change.remove |= SBX_ACL_EXPLICIT | SBX_ACL_ALLOW;
    if (open || is_explicit) { /* beside the one for the user, too: it tells where that comes from */
        change.remove = SBX_ACL_EVERY;
        change.aces[0].flags = item->is_directory ? SBX_KIND_BELOW : 0;
    } else if (item->sd->control & SE_DACL_PROTECTED) {
        change.remove = SBX_ACL_EVERY;
        change.count = 0;
    } else if (sbx_acl_find(item->sd->acl, s->sid->bytes, NULL, 0)) {
        /* the inherited allow stays: it goes when the protection goes */
        sbx_ace allow = {SBX_ACE_ALLOW, change.aces[0].flags, SBX_KIND_ALLOW};

        change.aces[1] = allow;
        change.count = 2;
    }
    if (change.count)
        sbx_audience_deny(s->root, item->sd->acl, change.aces[0].flags, &shut, &beside);
    sbx_step("deny");
    status = sbx_sd_change_read(item->sd, item->handle, &change, 0, &result);
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (SBX_NT_OK(status) && result == SBX_SD_OTHERS)
        InterlockedIncrement64(&s->others);
    else if (!SBX_NT_OK(status) || result > SBX_SD_CHANGED)
        return sbx_walk_stop(item, status, result);
    return SBX_WALK_ON;
}

sbx_status sbx_spread(const sbx_root *root, sbx_ledger *ledger, void *handle, const char *path, const char *recorded,
                      uint32_t kind, sbx_spread_count *count, sbx_error *err)
{
    const int is_allow = sbx_kind_is_tree(kind);
    sbx_ace aces[3];
    spreader s = {.root = root, .sid = &root->sid, .ledger = ledger, .recorded = recorded};
    sbx_walk_count seen = {0, 0};
    sbx_status st = sbx_user_get(&s.user, err);

    if (st == SBX_OK && root->audience && is_allow)
        st = sbx_audience_find_rights(root, &s.user, &s.rights, err);
    if (st != SBX_OK)
        return st;
    sbx_kind_aces(kind, 1, aces);
    s.below = aces[0];
    s.nested = count->nested;
    s.left = count->left;
    InitializeCriticalSection(&s.lock);
    st = sbx_walk_below(handle, path, is_allow ? "granting" : "protecting", READ_CONTROL | WRITE_DAC, SBX_WALK_LINKS,
                        is_allow ? allow_one : deny_one, &s, &seen, err);
    DeleteCriticalSection(&s.lock);
    count->objects += seen.objects + (is_allow ? seen.links : 0);
    count->opened += (uint64_t)s.opened;
    count->others += (uint64_t)s.others;
    return st;
}
