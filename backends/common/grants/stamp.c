#include "common/grants/stamp.h"

#include <string.h>

#include "base/memory.h"
#include "common/grants/ledger.h"
#include "common/grants/walk.h"
#include "win/error.h"
#include "win/handle.h"

#define ALLOW_HERE (FILE_GENERIC_READ | FILE_GENERIC_WRITE | FILE_GENERIC_EXECUTE)
#define ALLOW_BELOW (ALLOW_HERE | DELETE)
/* FILE_DELETE_CHILD may come from an ACE for Everyone, and would delete what denies DELETE itself */
#define DENY_MOVE (DELETE | FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER)
#define DENY_CHANGE SBX_STAMP_CHANGE
#define SAMPLE 64
#define BELOW (SBX_ACE_FILES | SBX_ACE_DIRS)

uint32_t sbx_stamp_aces(uint32_t kind, int is_directory, sbx_ace aces[3])
{
    if (kind == SBX_RECORD_GRANT) {
        aces[0] = (sbx_ace){SBX_ACE_ALLOW, BELOW | SBX_ACE_ONLY_BELOW, ALLOW_BELOW};
        aces[1] = (sbx_ace){SBX_ACE_DENY, 0, DENY_MOVE};
        aces[2] = (sbx_ace){SBX_ACE_ALLOW, 0, ALLOW_HERE};
        return 3;
    }
    if (kind == SBX_RECORD_HOLD) {
        aces[0] = (sbx_ace){SBX_ACE_DENY, 0, DENY_MOVE};
        return 1;
    }
    if (is_directory) {
        aces[0] = (sbx_ace){SBX_ACE_DENY, BELOW | SBX_ACE_ONLY_BELOW, DENY_CHANGE};
        aces[1] = (sbx_ace){SBX_ACE_DENY, 0, DENY_CHANGE};
        return 2;
    }
    aces[0] = (sbx_ace){SBX_ACE_DENY, 0, DENY_CHANGE};
    return 1;
}

/* Which explicit ACEs a kind owns: an inner object has only denies of its own. */
static uint32_t owned(uint32_t kind)
{
    return SBX_ACL_EXPLICIT | SBX_ACL_DENY | (kind == SBX_RECORD_GRANT || kind == SBX_RECORD_DENY ? SBX_ACL_ALLOW : 0);
}

static int same_ace(const sbx_ace *a, const sbx_ace *b)
{
    return a->type == b->type && a->flags == b->flags && a->mask == b->mask;
}

/* Whether the explicit ACEs for the SID are exactly `wanted`, in any order that is canonical. */
static int has_exactly(const uint8_t *acl, const sbx_sid *sid, const sbx_ace *wanted, uint32_t count)
{
    sbx_ace found[16];
    uint32_t all = sbx_acl_find(acl, sid->bytes, found, 16), explicit_count = 0, i, k;

    if (all > 16)
        return 0;
    for (i = 0; i < all; i++) {
        if (found[i].flags & SBX_ACE_INHERITED)
            continue;
        for (k = 0; k < count && !same_ace(&found[i], &wanted[k]); k++)
            ;
        if (k == count)
            return 0;
        explicit_count++;
    }
    return explicit_count == count;
}

sbx_status sbx_stamp_check(const sbx_root *root, void *handle, const char *path, uint32_t kind, int is_directory,
                           int *complete, sbx_error *err)
{
    sbx_ace aces[3];
    uint32_t count = sbx_stamp_aces(kind, is_directory, aces);
    sbx_sd *sd = NULL;
    NTSTATUS status;
    sbx_status st = sbx_sd_new(&sd, err);

    if (st != SBX_OK)
        return st;
    status = sbx_sd_read(sd, handle);
    if (!SBX_NT_OK(status)) {
        st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtQuerySecurityObject", path);
    } else if (!sd->acl) {
        st = sbx_fail(err, SBX_E_REFUSED, "it has no access control list: everyone may do everything", path);
        sbx_hint(err, "give it one, for example by `icacls` with /reset");
    } else {
        /* the ACEs alone prove nothing: a command may make an object with them, behind others that admit it */
        const int is_deny = kind == SBX_RECORD_DENY;

        *complete = has_exactly(sd->acl, &root->sid, aces, count) &&
                    !sbx_acl_leaves(sd->acl, root->sid.bytes, is_deny ? DENY_CHANGE : DENY_MOVE, 0) &&
                    !(is_deny && is_directory && sbx_acl_leaves(sd->acl, root->sid.bytes, DENY_CHANGE, 1));
    }
    sbx_free(sd);
    return st;
}

static sbx_status result_of(NTSTATUS status, uint32_t result, const char *path, sbx_error *err)
{
    if (!SBX_NT_OK(status))
        return sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtSetSecurityObject", path);
    switch (result) {
    case SBX_SD_DIFFERS:
        return sbx_fail(err, SBX_E_UNENFORCED, "the file system did not keep the access rights that were set", path);
    case SBX_SD_FULL:
        return sbx_fail(err, SBX_E_REFUSED, "its access control list is full", path);
    case SBX_SD_OPEN:
        return sbx_fail(err, SBX_E_REFUSED, "it has no access control list: everyone may do everything", path);
    default:
        return SBX_OK;
    }
}

/* ---- Walks ------------------------------------------------------------------ */

typedef struct stamper {
    const sbx_sid *sid;
    sbx_ace below; /* without its inheritance flags */
    volatile LONG64 files, shared, closed, failed;
    CRITICAL_SECTION lock;
    char *first; /* path that failed, under lock */
} stamper;

static uint32_t stop_with(const sbx_walk_item *item, NTSTATUS status, uint32_t result)
{
    char *path = sbx_walk_path(item);

    result_of(status, result, path ? path : "", item->err);
    sbx_free(path);
    return SBX_WALK_STOP;
}

static sbx_sd_change inherited(const stamper *s, const sbx_walk_item *item)
{
    sbx_sd_change change = {.sid = s->sid, .count = 1};

    change.remove = SBX_ACL_INHERITED | (s->below.type == SBX_ACE_DENY ? SBX_ACL_DENY : SBX_ACL_ALLOW);
    change.aces[0] = s->below;
    change.aces[0].flags = (uint8_t)(SBX_ACE_INHERITED | (item->is_directory ? BELOW : 0));
    return change;
}

static uint32_t allow_one(void *context, const sbx_walk_item *item)
{
    stamper *s = context;
    sbx_sd_change change = inherited(s, item);
    uint32_t result = SBX_SD_SAME;
    NTSTATUS status;

    if (!SBX_NT_OK(item->status)) {
        InterlockedIncrement64(&s->failed);
        return SBX_WALK_PASS;
    }
    if (!item->is_directory && item->info.links > 1) {
        InterlockedIncrement64(&s->shared);
        return SBX_WALK_ON;
    }
    status = sbx_sd_read(item->sd, item->handle);
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (SBX_NT_OK(status) && (!item->sd->acl || (item->sd->control & SE_DACL_PROTECTED))) {
        InterlockedIncrement64(&s->closed);
        return SBX_WALK_PASS;
    }
    sbx_step("allow");
    /* a file that did not keep its allow is not writable, which hurts nobody: a sample tells of the file system */
    if (SBX_NT_OK(status))
        status = sbx_sd_change_read(
            item->sd, item->handle, &change,
            item->is_directory || !(InterlockedIncrement64(&s->files) % SAMPLE) ? 0 : SBX_SD_TRUST, &result);
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (!SBX_NT_OK(status) || result == SBX_SD_DIFFERS)
        return stop_with(item, status, result);
    if (result == SBX_SD_FULL || result == SBX_SD_OPEN)
        InterlockedIncrement64(&s->failed);
    return SBX_WALK_ON;
}

/* Whether others than the user and the SID are admitted here in a way that an inherited deny would not beat. */
static int opens(const stamper *s, const sbx_walk_item *item)
{
    uint8_t *acl = item->sd->edited; /* free between the read and the change */
    size_t size = item->sd->acl[2] | (size_t)item->sd->acl[3] << 8;
    const sbx_ace deny = {SBX_ACE_DENY, (uint8_t)(SBX_ACE_INHERITED | (item->is_directory ? BELOW : 0)), DENY_CHANGE};

    memcpy(item->sd->check, item->sd->acl, size);
    sbx_acl_remove(item->sd->check, s->sid->bytes, SBX_ACL_EVERY);
    if (!(item->sd->control & SE_DACL_PROTECTED) && sbx_acl_add(item->sd->check, s->sid->bytes, &deny, 1, acl))
        ;
    else
        acl = item->sd->check;
    return sbx_acl_leaves(acl, s->sid->bytes, DENY_CHANGE, 0) ||
           (item->is_directory && sbx_acl_leaves(acl, s->sid->bytes, DENY_CHANGE, 1));
}

/* What cannot be changed is safe only where it does not let the command in, and a directory where it can be looked into. */
static uint32_t judge_closed(const stamper *s, const sbx_walk_item *item)
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
        allowed = sbx_acl_leaves(item->sd->acl, s->sid->bytes, DENY_CHANGE, 0) ||
                  (inside && sbx_acl_leaves(item->sd->acl, s->sid->bytes, DENY_CHANGE, 1));
    sbx_handle_close(&look);
    return allowed ? stop_with(item, item->status, 0) : SBX_WALK_ON;
}

/* Nothing below a protected directory may keep an allow that its deny does not beat. */
static uint32_t deny_one(void *context, const sbx_walk_item *item)
{
    stamper *s = context;
    sbx_sd_change change = inherited(s, item);
    uint32_t result = SBX_SD_SAME;
    NTSTATUS status;
    int open;

    if (!SBX_NT_OK(item->status))
        return judge_closed(s, item);
    status = sbx_sd_read(item->sd, item->handle);
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (!SBX_NT_OK(status))
        return stop_with(item, status, 0);
    if (!item->sd->acl)
        return stop_with(item, 0, SBX_SD_OPEN);
    /* an inherited deny is behind what is explicit, and behind what is inherited where the DACL is closed */
    open = opens(s, item);
    if (!item->is_directory && item->info.links > 1 && !open && !sbx_acl_find(item->sd->acl, s->sid->bytes, NULL, 0))
        return SBX_WALK_ON;
    change.remove |= SBX_ACL_EXPLICIT | SBX_ACL_ALLOW;
    if (open) {
        change.remove = SBX_ACL_EVERY;
        change.aces[0].flags = item->is_directory ? BELOW : 0;
    } else if (item->sd->control & SE_DACL_PROTECTED) {
        change.remove = SBX_ACL_EVERY;
        change.count = 0;
    } else if (sbx_acl_find(item->sd->acl, s->sid->bytes, NULL, 0)) {
        /* the inherited allow stays: it goes when the protection goes */
        sbx_ace allow = {SBX_ACE_ALLOW, change.aces[0].flags, ALLOW_BELOW};

        change.aces[1] = allow;
        change.count = 2;
    }
    sbx_step("deny");
    status = sbx_sd_change_read(item->sd, item->handle, &change, 0, &result);
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (!SBX_NT_OK(status) || result > SBX_SD_CHANGED)
        return stop_with(item, status, result);
    return SBX_WALK_ON;
}

/* Whether an object that may not be changed has no ACE of ours. */
static int is_untouched(const stamper *s, const sbx_walk_item *item)
{
    HANDLE look = NULL;
    int untouched =
        SBX_NT_OK(sbx_nt_child(item->parent, item->name, item->name_length, READ_CONTROL, FILE_OPEN, 0, NULL, &look)) &&
        SBX_NT_OK(sbx_sd_read(item->sd, look)) &&
        (!item->sd->acl || !sbx_acl_find(item->sd->acl, s->sid->bytes, NULL, 0));

    sbx_handle_close(&look);
    return untouched;
}

static uint32_t free_one(void *context, const sbx_walk_item *item)
{
    stamper *s = context;
    sbx_sd_change change = {.sid = s->sid, .remove = SBX_ACL_EXPLICIT | SBX_ACL_INHERITED | SBX_ACL_DENY};
    uint32_t result = SBX_SD_SAME;
    NTSTATUS status = item->status;

    if (SBX_NT_OK(status)) {
        sbx_step("free");
        status = sbx_sd_apply(item->sd, item->handle, &change, &result);
    } else if (is_untouched(s, item)) {
        return SBX_WALK_ON;
    }
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (!SBX_NT_OK(status) || result > SBX_SD_CHANGED)
        return stop_with(item, status, result);
    return SBX_WALK_ON;
}

static uint32_t clear_one(void *context, const sbx_walk_item *item)
{
    stamper *s = context;
    sbx_sd_change change = {.sid = s->sid, .remove = SBX_ACL_EVERY};
    uint32_t result = SBX_SD_SAME;
    NTSTATUS status = item->status;

    if (SBX_NT_OK(status)) {
        sbx_step("clear");
        status = sbx_sd_apply(item->sd, item->handle, &change, &result);
    } else if (is_untouched(s, item)) {
        status = 0;
    }
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (!SBX_NT_OK(status) || result > SBX_SD_CHANGED) {
        InterlockedIncrement64(&s->failed);
        EnterCriticalSection(&s->lock);
        if (!s->first)
            s->first = sbx_walk_path(item);
        LeaveCriticalSection(&s->lock);
    }
    return SBX_WALK_ON;
}

static const char *doing(sbx_walk_visit visit)
{
    return visit == allow_one  ? "granting"
           : visit == deny_one ? "protecting"
           : visit == free_one ? "freeing"
                               : "cleaning";
}

static sbx_status walk(stamper *s, void *handle, const char *path, sbx_walk_visit visit, sbx_stamp_count *count,
                       sbx_error *err)
{
    sbx_walk_count seen = {0, 0};
    /* a link may have come with an ACE that it inherited: only an allow is not for it */
    sbx_status st = sbx_walk_below(handle, path, doing(visit), READ_CONTROL | WRITE_DAC,
                                   visit == allow_one ? 0 : SBX_WALK_LINKS, visit, s, &seen, err);

    if (count) {
        count->objects += seen.objects;
        count->links += seen.links;
        count->shared += (uint64_t)s->shared;
        count->closed += (uint64_t)s->closed;
        count->failed += (uint64_t)s->failed;
    }
    return st;
}

/* ---- One object and its tree ---------------------------------------------------- */

static sbx_status apply(void *handle, const char *path, const sbx_sd_change *change, sbx_error *err)
{
    sbx_sd *sd = NULL;
    uint32_t result = SBX_SD_SAME;
    NTSTATUS status;
    sbx_status st = sbx_sd_new(&sd, err);

    if (st != SBX_OK)
        return st;
    sbx_step("set");
    status = sbx_sd_apply(sd, handle, change, &result);
    st = result_of(status, result, path, err);
    sbx_free(sd);
    return st;
}

sbx_status sbx_stamp_set(const sbx_root *root, void *handle, const char *path, uint32_t kind, int is_directory,
                         sbx_stamp_count *count, sbx_error *err)
{
    sbx_sd_change change = {.sid = &root->sid, .remove = owned(kind)};
    stamper s = {.sid = &root->sid};
    uint32_t wanted = sbx_stamp_aces(kind, is_directory, change.aces);
    int tree = is_directory && kind != SBX_RECORD_HOLD;
    sbx_status st;

    if (tree) {
        /* all but the last, which says that the tree is complete */
        change.count = wanted - 1;
        st = apply(handle, path, &change, err);
        if (st != SBX_OK)
            return st;
        s.below = change.aces[0];
        st = walk(&s, handle, path, kind == SBX_RECORD_GRANT ? allow_one : deny_one, count, err);
        if (st != SBX_OK)
            return st;
    }
    change.count = wanted;
    return apply(handle, path, &change, err);
}

sbx_status sbx_stamp_inside(const sbx_root *root, void *handle, const char *path, sbx_error *err)
{
    stamper s = {.sid = &root->sid, .below = {SBX_ACE_DENY, 0, DENY_CHANGE}};

    return walk(&s, handle, path, deny_one, NULL, err);
}

sbx_status sbx_stamp_free(const sbx_root *root, void *handle, const char *path, int is_directory, sbx_error *err)
{
    sbx_sd_change change = {.sid = &root->sid, .remove = SBX_ACL_EXPLICIT | SBX_ACL_DENY};
    stamper s = {.sid = &root->sid};
    sbx_status st = apply(handle, path, &change, err);

    return st == SBX_OK && is_directory ? walk(&s, handle, path, free_one, NULL, err) : st;
}

sbx_status sbx_stamp_any(const sbx_root *root, int *any, sbx_error *err)
{
    sbx_sd *sd = NULL;
    NTSTATUS status;
    sbx_status st = sbx_sd_new(&sd, err);

    *any = 0;
    if (st != SBX_OK)
        return st;
    status = sbx_sd_read(sd, root->handle);
    if (SBX_NT_OK(status))
        *any = sd->acl && sbx_acl_find(sd->acl, root->sid.bytes, NULL, 0);
    else
        st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtQuerySecurityObject", root->path);
    sbx_free(sd);
    return st;
}

sbx_status sbx_stamp_clear(const sbx_root *root, sbx_stamp_count *count, char **first, sbx_error *err)
{
    /* the denies of the root go last: until then it says that there is something to undo in it */
    sbx_sd_change allows = {.sid = &root->sid, .remove = SBX_ACL_EVERY & ~SBX_ACL_DENY};
    sbx_sd_change all = {.sid = &root->sid, .remove = SBX_ACL_EVERY};
    stamper s = {.sid = &root->sid};
    sbx_status st = apply(root->handle, root->path, &allows, err);

    if (st != SBX_OK)
        return st;
    InitializeCriticalSection(&s.lock);
    st = walk(&s, root->handle, root->path, clear_one, count, err);
    DeleteCriticalSection(&s.lock);
    *first = s.first;
    return st == SBX_OK && !s.failed ? apply(root->handle, root->path, &all, err) : st;
}
