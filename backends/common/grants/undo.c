#include "common/grants/undo.h"

#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/grants/admit.h"
#include "common/grants/audience.h"
#include "common/grants/owner.h"
#include "common/grants/walk.h"
#include "win/error.h"
#include "win/handle.h"

#define AUDIENCES 4u /* groups that a setup made, one after the other */

typedef struct undoer {
    const sbx_root *root;
    const sbx_ledger *ledger;
    sbx_user_sid user;
    uint32_t kinds; /* of the root's ACEs, SBX_ACL_* */
    int is_root;    /* it begins at the root itself */
    int strangers;  /* take away ACEs of other roots and of runs, too */
    sbx_audience_undo audiences[AUDIENCES];
    uint32_t audience_count;
    sbx_owners owners; /* accounts; while a root is undone */
    volatile LONG64 failed;
    CRITICAL_SECTION lock;
    char *first; /* path that failed, under lock */
} undoer;

static const sbx_ace shut_here = {SBX_ACE_DENY, 0, FILE_DELETE_CHILD};
static const sbx_ace shut_below = {SBX_ACE_DENY, SBX_ACE_DIRS, FILE_DELETE_CHILD};
static const sbx_ace shut_from_above = {SBX_ACE_DENY, SBX_ACE_DIRS | SBX_ACE_INHERITED, FILE_DELETE_CHILD};

/* Whether the directory above passes the user's deny on, or cannot be asked. */
static int is_passed_on(const undoer *u, sbx_sd *sd, HANDLE parent)
{
    uint8_t *acl = NULL;

    if (!SBX_NT_OK(sbx_sd_peek(sd, parent, &acl)))
        return 1;
    return acl &&
           (sbx_acl_has(acl, u->user.u.bytes, &shut_below) || sbx_acl_has(acl, u->user.u.bytes, &shut_from_above));
}

/* A root inside this one, or around it, has its own grant here; so has this directory as something else. */
static int is_at_home(const undoer *u, const void *sid)
{
    const sbx_ledger_root *root;
    sbx_sid same = u->root->sid;

    sbx_sid_set_tag_of(&same, sid);
    if (!memcmp(same.bytes, sid, SBX_SID_BYTES))
        return 1;
    for (root = u->ledger->roots; root; root = root->next)
        if (!memcmp(root->sid.bytes, sid, SBX_SID_BYTES) &&
            (sbx_path_is_below(root->path, u->root->path) || sbx_path_is_below(u->root->path, root->path)))
            return 1;
    return 0;
}

/* The SID of another root, of a run or of a set that has an ACE here: it came along with what was moved. */
static const void *stranger(const undoer *u, const uint8_t *acl)
{
    uint32_t i;

    for (i = 0; i < sbx_acl_count(acl); i++) {
        const void *sid = sbx_acl_sid(acl, i);
        const size_t size = sid ? sbx_sid_length(sid, SBX_SID_MAX) : 0;

        if (sid &&
            (sbx_sid_is_run(sid, size) || sbx_sid_is_set(sid, size) ||
             (sbx_sid_is_sandbox(sid, size) && memcmp(sid, u->root->sid.bytes, SBX_SID_BYTES) && !is_at_home(u, sid))))
            return sid;
    }
    return NULL;
}

/* Whether a root whose ACEs go has explicit ones on a directory, and none that keeps its own here. */
static int is_last(const undoer *u, const uint8_t *acl)
{
    const void *own = u->root->sid.bytes;
    int goes = 0;
    uint32_t i;

    if (!u->strangers)
        return sbx_acl_marked(acl, own) && !sbx_acl_marked_by_others(acl, own);
    for (i = 0; i < sbx_acl_count(acl); i++) {
        const void *sid = sbx_acl_sid(acl, i);

        if (!sid || !sbx_sid_is_sandbox(sid, sbx_sid_length(sid, SBX_SID_MAX)) || !sbx_acl_marked(acl, sid))
            continue;
        if (sbx_sid_is_read(sid)) /* it denies nothing */
            continue;
        if (memcmp(sid, own, SBX_SID_BYTES) && is_at_home(u, sid))
            return 0;
        goes = 1;
    }
    return goes;
}

/* Which of the user's denies are to go from a directory that was read.  parent NULL: it is the first. */
static NTSTATUS find_shut(const undoer *u, sbx_sd *sd, HANDLE handle, HANDLE parent, sbx_sd_change *change)
{
    const void *user = u->user.u.bytes, *sid = u->root->sid.bytes;
    uint64_t id = 0;
    NTSTATUS status = 0;

    change->sid = user;
    if (!sd->acl)
        return 0;
    if (is_last(u, sd->acl) && (sbx_acl_has(sd->acl, user, &shut_here) || sbx_acl_has(sd->acl, user, &shut_below))) {
        status = sbx_nt_id(handle, &id);
        if (SBX_NT_OK(status) && !sbx_ledger_keeps(u->ledger, NULL, id)) {
            change->drop[change->drops++] = shut_here;
            change->drop[change->drops++] = shut_below;
        }
    }
    if (parent && sbx_acl_has(sd->acl, user, &shut_from_above) &&
        (sbx_acl_find(sd->acl, sid, NULL, 0) || (u->strangers && stranger(u, sd->acl))) && !is_passed_on(u, sd, parent))
        change->drop[change->drops++] = shut_from_above;
    return status;
}

/* sd: as it was read before the root's own ACEs went. */
static NTSTATUS take_strangers(const undoer *u, sbx_sd *sd, HANDLE handle, uint32_t *result)
{
    uint8_t copy[SBX_SID_MAX];
    const void *sid;
    uint32_t one = SBX_SD_CHANGED;
    NTSTATUS status = 0;

    while (SBX_NT_OK(status) && one == SBX_SD_CHANGED && sd->acl && (sid = stranger(u, sd->acl)) != NULL) {
        sbx_sd_change change = {.sid = copy, .remove = SBX_ACL_EVERY};

        memcpy(copy, sid, sbx_sid_length(sid, SBX_SID_MAX));
        status = sbx_sd_apply(sd, handle, &change, &one);
        if (SBX_NT_OK(status))
            status = sbx_sd_read(sd, handle);
        if (one > *result)
            *result = one;
    }
    return status;
}

/* What goes for the groups, in a chain; parent NULL: from the first. */
static sbx_sd_change *find_beside(const undoer *u, sbx_sd *sd, HANDLE parent, int is_directory,
                                  sbx_beside beside[AUDIENCES])
{
    sbx_audience_place place = {.root = u->root, .user = &u->user, .kinds = u->kinds, .acl = sd->acl};
    uint8_t *above = NULL;
    uint32_t i;

    place.is_root = !parent && u->is_root;
    place.is_directory = is_directory;
    if (u->audience_count && parent && SBX_NT_OK(sbx_sd_peek(sd, parent, &above)))
        place.above = above;
    for (i = 0; i < u->audience_count; i++) {
        sbx_audience_take(&u->audiences[i], &place, &beside[i]);
        if (i)
            beside[i - 1].owner.also = &beside[i].group;
    }
    return i ? &beside[0].group : NULL;
}

static NTSTATUS take_away(const undoer *u, sbx_sd *sd, HANDLE handle, HANDLE parent, int is_directory, uint32_t *result)
{
    sbx_beside beside[AUDIENCES];
    sbx_sd_change shut = {.sid = u->user.u.bytes};
    sbx_sd_change change = {.sid = u->root->sid.bytes, .remove = u->kinds, .also = &shut};
    NTSTATUS status = sbx_sd_read(sd, handle);

    if (SBX_NT_OK(status) && is_directory)
        status = find_shut(u, sd, handle, parent, &shut);
    if (SBX_NT_OK(status))
        shut.also = find_beside(u, sd, parent, is_directory, beside);
    if (SBX_NT_OK(status))
        status = sbx_sd_change_read(sd, handle, &change, 0, result);
    return SBX_NT_OK(status) && u->strangers ? take_strangers(u, sd, handle, result) : status;
}

/* An object that may not be changed: nothing of ours is on it, or it is one that nobody can open, which is mended. */
static NTSTATUS look_closer(undoer *u, const sbx_walk_item *item, NTSTATUS status, uint32_t *result)
{
    HANDLE look = NULL;

    if (SBX_NT_OK(sbx_nt_child(item->parent, item->name, item->name_length, READ_CONTROL, FILE_OPEN, 0, NULL, &look)) &&
        SBX_NT_OK(sbx_sd_read(item->sd, look)) &&
        (!item->sd->acl || !sbx_acl_find(item->sd->acl, u->root->sid.bytes, NULL, 0)) &&
        !sbx_owners_own(&u->owners, look))
        status = 0;
    sbx_handle_close(&look);
    if (SBX_NT_OK(status) || !sbx_admit_mend(item->parent, item->name, item->name_length, &u->root->sid))
        return status;
    status =
        sbx_nt_child(item->parent, item->name, item->name_length, READ_CONTROL | WRITE_DAC, FILE_OPEN, 0, NULL, &look);
    if (SBX_NT_OK(status))
        status = take_away(u, item->sd, look, item->parent, item->is_directory && !item->is_link, result);
    sbx_handle_close(&look);
    return status;
}

static NTSTATUS one(undoer *u, const sbx_walk_item *item, uint32_t *result)
{
    NTSTATUS status = item->status;

    *result = SBX_SD_SAME;
    sbx_step("undo");
    if (SBX_NT_OK(status))
        status = sbx_owners_end(&u->owners, &u->user, item->handle, item->parent, item->name, item->name_length);
    if (SBX_NT_OK(status))
        status = take_away(u, item->sd, item->handle, item->parent, item->is_directory && !item->is_link, result);
    else
        status = look_closer(u, item, status, result);
    return *result == SBX_SD_OTHERS ? (*result = SBX_SD_CHANGED, status) : status;
}

static uint32_t free_one(void *context, const sbx_walk_item *item)
{
    uint32_t result;
    NTSTATUS status = one(context, item, &result);

    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    return SBX_NT_OK(status) && result <= SBX_SD_CHANGED ? SBX_WALK_ON : sbx_walk_stop(item, status, result);
}

static uint32_t clear_one(void *context, const sbx_walk_item *item)
{
    undoer *u = context;
    uint32_t result;
    NTSTATUS status = one(u, item, &result);

    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (!SBX_NT_OK(status) || result > SBX_SD_CHANGED) {
        InterlockedIncrement64(&u->failed);
        EnterCriticalSection(&u->lock);
        if (!u->first)
            u->first = sbx_walk_path(item);
        LeaveCriticalSection(&u->lock);
    }
    return SBX_WALK_ON;
}

static sbx_status itself(undoer *u, HANDLE handle, const char *path, int is_directory, sbx_error *err)
{
    sbx_sd *sd = NULL;
    uint32_t result = SBX_SD_SAME;
    uint64_t others = 0;
    NTSTATUS status;
    sbx_status st = sbx_sd_new(&sd, err);

    if (st != SBX_OK)
        return st;
    sbx_step("set");
    status = take_away(u, sd, handle, NULL, is_directory, &result);
    return sbx_sd_end(sd, status, result, path, &others, err);
}

static sbx_status begin(undoer *u, const sbx_root *root, const sbx_ledger *ledger, sbx_error *err)
{
    sbx_sd *sd = NULL;
    sbx_status st = sbx_user_get(&u->user, err);

    u->root = root;
    u->ledger = ledger;
    if (st == SBX_OK)
        st = sbx_sd_new(&sd, err);
    if (st != SBX_OK)
        return st;
    u->audience_count =
        sbx_audience_undoes(sbx_ledger_find(ledger, &root->sid), root, &u->user,
                            SBX_NT_OK(sbx_sd_read(sd, root->handle)) ? sd->acl : NULL, u->audiences, AUDIENCES);
    sbx_free(sd);
    return SBX_OK;
}

sbx_status sbx_undo_protection(const sbx_root *root, const sbx_ledger *ledger, void *handle, const char *path,
                               int is_directory, sbx_error *err)
{
    undoer u = {.kinds = SBX_ACL_EXPLICIT | SBX_ACL_DENY};
    sbx_status st = begin(&u, root, ledger, err);

    if (st != SBX_OK)
        return st;
    InitializeCriticalSection(&u.lock);
    st = itself(&u, handle, path, is_directory, err);
    u.kinds |= SBX_ACL_INHERITED;
    if (st == SBX_OK && is_directory)
        st = sbx_walk_below(handle, path, "freeing", READ_CONTROL | WRITE_DAC, SBX_WALK_LINKS, free_one, &u, NULL, err);
    DeleteCriticalSection(&u.lock);
    return st;
}

sbx_status sbx_undo_root(const sbx_root *root, const sbx_ledger *ledger, sbx_spread_count *count, char **first,
                         sbx_error *err)
{
    sbx_walk_count seen = {0, 0};
    undoer u = {.kinds = SBX_ACL_EVERY & ~SBX_ACL_DENY, .strangers = 1, .is_root = 1};
    uint32_t i;
    sbx_status st = begin(&u, root, ledger, err);

    if (st != SBX_OK)
        return st;
    if (sbx_sid_is_above(&root->sid)) { /* nothing else on it, and nothing in it, is of this grant */
        u.strangers = 0;
        u.kinds = SBX_ACL_EVERY;
        return itself(&u, root->handle, root->path, 0, err);
    }
    for (i = 0; i < u.audience_count; i++)
        if ((st = sbx_owners_add(&u.owners, sbx_audience_group(&u.audiences[i].audience, &root->sid), err)) != SBX_OK)
            return st;
    InitializeCriticalSection(&u.lock);
    /* the denies of the root go last: until then it says that there is something to undo in it */
    st = itself(&u, root->handle, root->path, 0, err);
    u.kinds = SBX_ACL_EVERY;
    if (st == SBX_OK)
        st = sbx_walk_below(root->handle, root->path, "cleaning", READ_CONTROL | WRITE_DAC, SBX_WALK_LINKS, clear_one,
                            &u, &seen, err);
    if (st == SBX_OK && !u.failed)
        st = itself(&u, root->handle, root->path, 1, err);
    DeleteCriticalSection(&u.lock);
    count->objects += seen.objects;
    count->failed += (uint64_t)u.failed;
    *first = u.first;
    return st;
}
