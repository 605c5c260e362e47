#include "common/grants/grow.h"

#include <string.h>

#include "common/grants/audience.h"
#include "common/grants/kind.h"
#include "common/grants/walk.h"
#include "win/handle.h"

typedef struct closer {
    const sbx_root *root, *roots;
    uint32_t count;
    int files;
    sbx_user_sid user;
    uint32_t rights; /* of the user's ACE beside an audience */
    volatile LONG64 failed, closed;
    CRITICAL_SECTION lock; /* of the ledger */
    sbx_ledger *ledger;
} closer;

/* The SID of a root of this run, other than `but`, or of a set, that has an ACE here. */
static int is_admitted(const closer *c, const uint8_t *acl, const sbx_root *but, sbx_sid *sid)
{
    uint32_t i;

    for (i = 0; acl && i < c->count; i++)
        if (&c->roots[i] != but && sbx_acl_find(acl, c->roots[i].sid.bytes, NULL, 0)) {
            *sid = c->roots[i].sid;
            return 1;
        }
    for (i = 0; acl && i < sbx_acl_count(acl); i++) {
        const void *at = sbx_acl_sid(acl, i);

        if (at && sbx_sid_is_set(at, sbx_sid_length(at, SBX_SID_MAX))) {
            memcpy(sid, at, sizeof(*sid));
            return 1;
        }
    }
    return 0;
}

static NTSTATUS take_away(const closer *c, const sbx_walk_item *item, const sbx_root *but, uint32_t *result)
{
    sbx_sid sid;
    NTSTATUS status = sbx_sd_read(item->sd, item->handle);

    *result = SBX_SD_SAME;
    while (SBX_NT_OK(status) && *result <= SBX_SD_CHANGED && is_admitted(c, item->sd->acl, but, &sid)) {
        sbx_sd_change change = {.sid = sid.bytes, .remove = SBX_ACL_EVERY};

        sbx_step("close");
        status = sbx_sd_apply(item->sd, item->handle, &change, result);
        if (SBX_NT_OK(status))
            status = sbx_sd_read(item->sd, item->handle);
    }
    return status;
}

/* It may not be opened to change it: that is safe where it does not admit the run. */
static uint32_t judge_closed(closer *c, const sbx_walk_item *item)
{
    HANDLE look = NULL;
    NTSTATUS status =
        sbx_nt_child(item->parent, item->name, item->name_length, READ_CONTROL, FILE_OPEN, 0, NULL, &look);
    sbx_sid sid;
    int open = 0;

    if (SBX_NT_OK(status))
        status = sbx_sd_read(item->sd, look);
    if (SBX_NT_OK(status))
        open = !item->sd->acl || is_admitted(c, item->sd->acl, NULL, &sid);
    sbx_handle_close(&look);
    InterlockedIncrement64(&c->failed);
    return SBX_NT_GONE(status) || !open ? SBX_WALK_PASS : sbx_walk_stop(item, item->status, 0);
}

static sbx_status keep(closer *c, const sbx_walk_item *item)
{
    sbx_ledger_entry entry = {SBX_RECORD_KEPT, 0, ""};
    sbx_status st = SBX_OK;

    if (SBX_NT_OK(sbx_nt_id(item->handle, &entry.count))) {
        EnterCriticalSection(&c->lock);
        st = sbx_ledger_add(c->ledger, &c->root->sid, &entry, 1, 0, item->err);
        LeaveCriticalSection(&c->lock);
    }
    return st;
}

/* A directory passes on what those that are made in it have, and stays where it is. */
static uint32_t keep_directory(closer *c, const sbx_walk_item *item)
{
    const void *sid = c->root->sid.bytes;
    sbx_sd_change shut = {.sid = c->user.u.bytes};
    sbx_sd_change change = {.sid = sid, .remove = SBX_ACL_EVERY, .count = 3, .also = &shut};
    sbx_beside beside;
    uint32_t result;
    NTSTATUS status = take_away(c, item, c->root, &result);

    if (SBX_NT_OK(status) && result <= SBX_SD_CHANGED && item->sd->acl) {
        if (item->sd->control & SE_DACL_PROTECTED) {
            InterlockedIncrement64(&c->closed);
            return SBX_WALK_ON;
        }
        if (sbx_spread_judge(c->root, item) != SBX_OK)
            return SBX_WALK_STOP;
        sbx_audience_grow(c->root, &c->user, item->sd->acl, c->rights, &beside);
        shut.also = &beside.group;
        sbx_kind_aces(SBX_RECORD_GROW, 1, change.aces);
        change.aces[0].flags |= SBX_ACE_INHERITED;
        change.aces[2].flags |= SBX_ACE_INHERITED;
        shut.aces[0] = sbx_kind_shut(SBX_RECORD_HOLD);
        shut.count = !sbx_kind_is_shut(item->sd->acl, &c->user, 0);
        if (!shut.count && sbx_kind_is_users(item->sd->acl, &c->user, &c->root->sid) && keep(c, item) != SBX_OK)
            return SBX_WALK_STOP;
        sbx_step("keep");
        status = sbx_sd_change_read(item->sd, item->handle, &change, 0, &result);
    }
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    return SBX_NT_OK(status) && result != SBX_SD_DIFFERS && result != SBX_SD_FULL ? SBX_WALK_ON
                                                                                  : sbx_walk_stop(item, status, result);
}

static uint32_t close_one(void *context, const sbx_walk_item *item)
{
    static const WCHAR info[] = L"info"; /* protected by a rule */
    closer *c = context;
    uint32_t result;
    NTSTATUS status;

    if (item->is_directory && item->name_length == ARRAYSIZE(info) - 1 &&
        !_wcsnicmp(item->name, info, item->name_length))
        return SBX_WALK_PASS;
    if (!SBX_NT_OK(item->status))
        return judge_closed(c, item);
    if (item->is_directory)
        return keep_directory(c, item);
    if (!c->files)
        return SBX_WALK_ON;
    status = take_away(c, item, NULL, &result);
    return SBX_NT_GONE(status) || (SBX_NT_OK(status) && result != SBX_SD_DIFFERS) ? SBX_WALK_ON
                                                                                  : sbx_walk_stop(item, status, result);
}

sbx_status sbx_grow_close(const sbx_root *root, const sbx_root *roots, uint32_t count, int files, sbx_ledger *ledger,
                          sbx_spread_count *seen, sbx_error *err)
{
    closer c = {.root = root, .roots = roots, .count = count, .files = files, .ledger = ledger};
    sbx_walk_count walked = {0, 0};
    sbx_status st = sbx_user_get(&c.user, err);

    if (st == SBX_OK && root->audience)
        st = sbx_audience_find_rights(root, &c.user, &c.rights, err);
    if (st != SBX_OK)
        return st;
    InitializeCriticalSection(&c.lock);
    st = sbx_walk_below(root->handle, root->path, "protecting", READ_CONTROL | WRITE_DAC, 0, close_one, &c, &walked,
                        err);
    DeleteCriticalSection(&c.lock);
    seen->objects += walked.objects;
    seen->failed += (uint64_t)c.failed;
    seen->closed += (uint64_t)c.closed;
    return st;
}
