#include "common/grants/shield.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/grants/root.h"
#include "common/grants/sd.h"
#include "common/grants/shield_judge.h"
#include "common/grants/shield_record.h"
#include "common/grants/walk.h"
#include "common/host.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"

#define LOCK_MS 60000u
#define LOOK_EVERY_MS 100u

const sbx_ace sbx_shield_deny = {SBX_ACE_DENY, SBX_ACE_DIRS, FILE_DELETE_CHILD};
static const sbx_ace inherited = {SBX_ACE_DENY, SBX_ACE_DIRS | SBX_ACE_INHERITED, FILE_DELETE_CHILD};

typedef struct runner {
    sbx_root folder;
    sbx_user_sid user;
    sbx_shield_judge judge;
    sbx_ledger ledger;
    sbx_shield_count *count;
    int is_dry, is_survey, takes_roots;
    CRITICAL_SECTION lock; /* of what is below, and of *count */
    sbx_arena arena;
    sbx_shield_own *own; /* directories with the user's own deny */
    uint32_t own_count, own_room;
    ULONGLONG looked; /* for another that wants to undo this */
} runner;

/* A directory that is looked at; parent NULL: the folder itself. */
typedef struct place {
    HANDLE handle, parent;
    int32_t status;
    uint32_t attributes;
    sbx_sd *sd;
    sbx_error *err;
} place;

static void tell(runner *r, uint64_t *count, char *first, HANDLE handle, const sbx_walk_item *item)
{
    char *path = NULL;
    int is_first;

    EnterCriticalSection(&r->lock);
    is_first = !(*count)++ && first;
    LeaveCriticalSection(&r->lock);
    if (!is_first)
        return;
    path = handle ? sbx_file_final_path(handle, VOLUME_NAME_DOS) : sbx_walk_path(item);
    EnterCriticalSection(&r->lock);
    snprintf(first, SBX_SHIELD_FIRST, "%s", !path ? "" : strncmp(path, "\\\\?\\", 4) ? path : path + 4);
    LeaveCriticalSection(&r->lock);
    sbx_free(path);
}

static int is_root(const runner *r, const sbx_sd *sd)
{
    return !r->takes_roots && sd->acl && sbx_acl_marked_by_others(sd->acl, r->user.u.bytes);
}

static uint32_t stop_with(const place *p, NTSTATUS status, uint32_t result)
{
    char *path = sbx_file_final_path(p->handle, VOLUME_NAME_DOS);

    sbx_sd_result(status, result, path ? path : "", p->err);
    sbx_free(path);
    return SBX_WALK_STOP;
}

/* ---- Setting ----------------------------------------------------------------------------- */

/* Another one that removes shields does not wait for the end of a long walk. */
static int is_to_end(runner *r)
{
    const ULONGLONG now = GetTickCount64();
    int due;

    EnterCriticalSection(&r->lock);
    due = now - r->looked >= LOOK_EVERY_MS;
    if (due)
        r->looked = now;
    LeaveCriticalSection(&r->lock);
    return due && sbx_shield_is_removing();
}

static uint32_t note_own(runner *r, const place *p)
{
    char *path = sbx_file_final_path(p->handle, VOLUME_NAME_DOS);
    sbx_shield_own *more, own = {0};
    int failed = !path || !SBX_NT_OK(sbx_nt_id(p->handle, &own.id));

    if (!failed && !sbx_shield_find(&r->ledger, path)) {
        EnterCriticalSection(&r->lock);
        if (r->own_count == r->own_room) {
            more = sbx_arena_alloc(&r->arena, (r->own_room * 2 + 16) * sizeof(*more));
            if (more && r->own_count)
                memcpy(more, r->own, r->own_count * sizeof(*more));
            r->own_room = r->own_room * 2 + 16;
            r->own = more;
        }
        own.path = sbx_arena_printf(&r->arena, "%s", path);
        failed = !r->own || !own.path;
        if (!failed)
            r->own[r->own_count++] = own;
        LeaveCriticalSection(&r->lock);
    }
    sbx_free(path);
    if (failed)
        sbx_fail_memory(p->err);
    return failed ? SBX_WALK_STOP : SBX_WALK_ON;
}

static uint32_t set(runner *r, const place *p, const sbx_walk_item *item)
{
    sbx_sd_change change = {.sid = r->user.u.bytes, .count = 1, .aces = {sbx_shield_deny}};
    uint32_t result = SBX_SD_SAME;
    NTSTATUS status;

    sbx_step("shield");
    status = sbx_sd_change_read(p->sd, p->handle, &change, 0, &result);
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (status == SBX_NT_ACCESS_DENIED || (SBX_NT_OK(status) && result == SBX_SD_FULL)) {
        tell(r, &r->count->closed, r->count->first_closed, p->handle, item);
        return SBX_WALK_ON;
    }
    if (!SBX_NT_OK(status) || result != SBX_SD_CHANGED)
        return stop_with(p, status, result);
    tell(r, &r->count->changed, NULL, NULL, NULL);
    return SBX_WALK_ON;
}

static uint32_t shield(runner *r, const place *p, const sbx_walk_item *item)
{
    const uint8_t *user = r->user.u.bytes;
    int closed = 0;

    if (!r->is_survey && !r->is_dry && is_to_end(r)) {
        sbx_fail(p->err, SBX_E_REFUSED, "ended by another sbx that removes shields", r->folder.path);
        return SBX_WALK_STOP;
    }
    if (!SBX_NT_OK(p->status) || !SBX_NT_OK(sbx_sd_read(p->sd, p->handle)) || !p->sd->acl) {
        if (!r->is_survey)
            tell(r, &r->count->closed, r->count->first_closed, p->handle, item);
        return SBX_NT_OK(p->status) ? SBX_WALK_ON : SBX_WALK_PASS;
    }
    if (p->parent && (is_root(r, p->sd) || sbx_shield_is_apart(&r->judge, p->handle, p->attributes))) {
        if (!r->is_survey)
            tell(r, &r->count->apart, r->count->first_apart, p->handle, item);
        return SBX_WALK_PASS;
    }
    if (r->is_survey)
        return sbx_acl_has(p->sd->acl, user, &sbx_shield_deny) ? note_own(r, p) : SBX_WALK_ON;
    if (sbx_acl_has(p->sd->acl, user, &sbx_shield_deny) || (sbx_acl_shuts(p->sd->acl, user, FILE_DELETE_CHILD, 0) &&
                                                            sbx_acl_shuts(p->sd->acl, user, FILE_DELETE_CHILD, 1))) {
        tell(r, &r->count->shielded, NULL, NULL, NULL);
        return SBX_WALK_ON;
    }
    if (sbx_shield_holds_closed(&r->judge, p->handle, p->sd, &closed, p->err) != SBX_OK)
        return SBX_WALK_STOP;
    if (closed) {
        tell(r, &r->count->left_out, r->count->first_left_out, p->handle, item);
        return SBX_WALK_ON;
    }
    if (!r->is_dry)
        return set(r, p, item);
    tell(r, &r->count->changed, NULL, NULL, NULL);
    return SBX_WALK_ON;
}

/* ---- Removing ---------------------------------------------------------------------------- */

/* The directory above passes the deny on, or cannot be asked. */
static int is_passed_on(const runner *r, const place *p)
{
    sbx_root above = {0};
    HANDLE parent = p->parent;
    uint8_t *acl = NULL;
    char *path = NULL, *end;
    int passed = 1;

    if (!parent && (path = sbx_strdup(r->folder.path)) && (end = strrchr(path, '\\')) && end > path + 2) {
        *end = 0;
        if (sbx_root_look(path, &above, NULL) == SBX_OK)
            parent = above.handle;
    }
    if (parent && SBX_NT_OK(sbx_sd_peek(p->sd, parent, &acl)))
        passed = acl &&
                 (sbx_acl_has(acl, r->user.u.bytes, &sbx_shield_deny) || sbx_acl_has(acl, r->user.u.bytes, &inherited));
    sbx_root_close(&above);
    sbx_free(path);
    return passed;
}

static int is_own(const runner *r, HANDLE handle)
{
    uint64_t id = 0;

    return SBX_NT_OK(sbx_nt_id(handle, &id)) && sbx_ledger_keeps(&r->ledger, NULL, id);
}

static uint32_t bare(runner *r, const place *p, const sbx_walk_item *item)
{
    const uint8_t *user = r->user.u.bytes;
    sbx_sd_change change = {.sid = user};
    uint32_t result = SBX_SD_SAME;
    int has_deny, has_inherited;
    NTSTATUS status;

    if (!p->handle || !SBX_NT_OK(sbx_sd_read(p->sd, p->handle)) || !p->sd->acl) {
        tell(r, &r->count->closed, r->count->first_closed, p->handle, item);
        return SBX_NT_OK(p->status) ? SBX_WALK_ON : SBX_WALK_PASS;
    }
    has_deny = sbx_acl_has(p->sd->acl, user, &sbx_shield_deny);
    has_inherited = sbx_acl_has(p->sd->acl, user, &inherited);
    if (p->parent && is_root(r, p->sd)) {
        if (has_deny || has_inherited)
            tell(r, &r->count->apart, r->count->first_apart, p->handle, item);
        return SBX_WALK_PASS;
    }
    /* what is protected in a root has the same, from the grant */
    if (has_deny && !(p->parent && sbx_acl_marked_by_others(p->sd->acl, user))) {
        if (is_own(r, p->handle))
            tell(r, &r->count->shielded, NULL, NULL, NULL);
        else
            change.drop[change.drops++] = sbx_shield_deny;
    }
    if (has_inherited && !is_passed_on(r, p))
        change.drop[change.drops++] = inherited;
    if (!change.drops)
        return SBX_NT_OK(p->status) ? SBX_WALK_ON : SBX_WALK_PASS;
    sbx_step("unshield");
    status = SBX_NT_OK(p->status) ? sbx_sd_change_read(p->sd, p->handle, &change, 0, &result) : p->status;
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (status == SBX_NT_ACCESS_DENIED) {
        tell(r, &r->count->left_out, r->count->first_left_out, p->handle, item);
        return SBX_NT_OK(p->status) ? SBX_WALK_ON : SBX_WALK_PASS;
    }
    if (!SBX_NT_OK(status) || result != SBX_SD_CHANGED)
        return stop_with(p, status, result);
    tell(r, &r->count->changed, NULL, NULL, NULL);
    return SBX_WALK_ON;
}

/* ---- A folder ---------------------------------------------------------------------------- */

typedef uint32_t (*deal)(runner *r, const place *p, const sbx_walk_item *item);

static uint32_t visit(runner *r, const sbx_walk_item *item, deal with)
{
    const place p = {item->handle, item->parent, item->status, item->info.attributes, item->sd, item->err};

    return with(r, &p, item);
}

static uint32_t visit_shield(void *context, const sbx_walk_item *item)
{
    return visit(context, item, shield);
}

static uint32_t visit_bare(void *context, const sbx_walk_item *item)
{
    return visit(context, item, bare);
}

static sbx_status walk(runner *r, const char *doing, deal with, sbx_error *err)
{
    sbx_error why = {.size = sizeof(why)};
    sbx_walk_count seen = {0, 0};
    place p = {.handle = r->folder.handle, .err = &why};
    sbx_status st = sbx_sd_new(&p.sd, err);

    if (st != SBX_OK)
        return st;
    if (with(r, &p, NULL) == SBX_WALK_STOP) {
        if (err)
            *err = why;
        st = why.status;
    }
    sbx_free(p.sd);
    if (st == SBX_OK)
        st = sbx_walk_below(r->folder.handle, r->folder.path, doing, READ_CONTROL | WRITE_DAC, SBX_WALK_DIRECTORIES,
                            with == bare ? visit_bare : visit_shield, r, &seen, err);
    r->count->links = seen.links;
    return st;
}

/* Before anything changes: what is the user's own; then the record. */
static sbx_status record(runner *r, sbx_error *err)
{
    sbx_status st = SBX_OK;

    if (!sbx_shield_find(&r->ledger, r->folder.path)) {
        r->is_survey = 1;
        st = walk(r, "looking at", shield, err);
        r->is_survey = 0;
    }
    return st == SBX_OK ? sbx_shield_begin(&r->ledger, &r->folder, r->own, r->own_count, err) : st;
}

static sbx_status shield_folder(runner *r, sbx_error *err)
{
    sbx_status st = sbx_shield_judge_init(&r->judge, r->folder.handle, r->folder.path, err);

    if (st == SBX_OK && !r->is_dry)
        st = record(r, err);
    if (st == SBX_OK)
        st = walk(r, "shielding", shield, err);
    if (st == SBX_OK && !r->is_dry)
        st = sbx_shield_end(&r->ledger, &r->folder.sid, r->folder.path, r->count->changed + r->count->shielded, err);
    sbx_shield_judge_fini(&r->judge);
    return st;
}

static sbx_status bare_folder(runner *r, sbx_error *err)
{
    sbx_status st;

    r->count->is_known = sbx_shield_find(&r->ledger, r->folder.path) != NULL;
    st = walk(r, "removing shields from", bare, err);
    if (st == SBX_OK && r->count->left_out) {
        st = sbx_fail(err, SBX_E_SYSTEM, "its access rights may not be changed by this user", r->count->first_left_out);
        return sbx_hint(err, "%lu folders still carry a shield; let their owner or an administrator change them",
                        (unsigned long)r->count->left_out);
    }
    /* a root that was made in it later has what it had then until it is cleaned */
    return st == SBX_OK && !r->count->apart ? sbx_shield_forget(&r->ledger, &r->folder, err) : st;
}

/* Whether the folder itself is (in) a writable root: then it was meant. */
static sbx_status look_for_root(runner *r, sbx_error *err)
{
    sbx_sd *sd = NULL;
    sbx_status st = sbx_sd_new(&sd, err);

    if (st == SBX_OK) {
        r->takes_roots = SBX_NT_OK(sbx_sd_read(sd, r->folder.handle)) && is_root(r, sd);
        sbx_free(sd);
    }
    return st;
}

sbx_status sbx_shield_run(uint32_t flags, const char *folder, sbx_shield_count *count, sbx_error *err)
{
    runner r = {.ledger = {.file = SBX_SHIELD_FILE}, .count = count, .is_dry = (flags & SBX_SHIELD_DRY_RUN) != 0};
    const int is_removing = (flags & SBX_SHIELD_REMOVE) != 0;
    sbx_lock *lock = NULL, *turn = NULL;
    sbx_ledger_root *known;
    sbx_status st;

    memset(count, 0, sizeof(*count));
    count->size = sizeof(*count);
    if (r.is_dry && is_removing)
        return sbx_fail(err, SBX_E_USAGE, "removing is not tried", folder);
    InitializeCriticalSection(&r.lock);
    if ((st = sbx_shield_open(folder, &r.folder, err)) != SBX_OK || (st = sbx_user_get(&r.user, err)) != SBX_OK ||
        (st = look_for_root(&r, err)) != SBX_OK)
        goto out;
    if (!r.is_dry && (st = sbx_shield_lock(is_removing, LOCK_MS, &lock, &turn, err)) != SBX_OK)
        goto out;
    if ((st = sbx_ledger_load(&r.ledger, err)) != SBX_OK)
        goto out;
    known = sbx_ledger_find(&r.ledger, &r.folder.sid);
    if (known) /* wherever it was then */
        known->path = r.folder.path;
    st = is_removing ? bare_folder(&r, err) : shield_folder(&r, err);
out:
    sbx_lock_give(turn);
    sbx_lock_give(lock);
    sbx_ledger_fini(&r.ledger);
    sbx_arena_fini(&r.arena);
    sbx_root_close(&r.folder);
    DeleteCriticalSection(&r.lock);
    return st;
}
