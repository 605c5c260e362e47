#include "common/grants/hidden.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/grants/kind.h"
#include "common/grants/walk.h"
#include "common/host.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/wide.h"

#define WAIT_MS 120000u
#define MOST 64u

static const sbx_ace marker = {SBX_ACE_ALLOW, 0, SYNCHRONIZE};

static sbx_ace deny_of(int is_directory)
{
    return (sbx_ace){SBX_ACE_DENY, is_directory ? SBX_KIND_BELOW : 0, SBX_KIND_HIDDEN};
}

/* ---- One object -------------------------------------------------------------------- */

typedef struct hider {
    const sbx_root *root;
    const void *group;
    sbx_user_sid user;
    int is_looking; /* nothing is changed */
} hider;

static int is_readable(const hider *h, const uint8_t *acl, int is_directory)
{
    return sbx_acl_reads(acl, h->group, h->user.u.bytes, SBX_KIND_HIDDEN, 0) ||
           (is_directory && sbx_acl_reads(acl, h->group, h->user.u.bytes, SBX_KIND_HIDDEN, 1));
}

/* handle: READ_CONTROL, WRITE_DAC.  *result: SBX_SD_*. */
static NTSTATUS hide(const hider *h, sbx_sd *sd, HANDLE handle, int is_directory, uint32_t *result)
{
    const sbx_ace deny = deny_of(is_directory);
    sbx_sd_change group = {.sid = h->group, .count = 1, .drops = 1, .aces = {deny}, .drop = {deny}};
    sbx_sd_change own = {.sid = h->root->sid.bytes, .also = &group};
    NTSTATUS status = sbx_sd_read(sd, handle);

    *result = SBX_SD_SAME;
    if (!SBX_NT_OK(status))
        return status;
    if (sd->acl && !sbx_acl_has(sd->acl, own.sid, &marker))
        own.aces[own.count++] = marker;
    if (sd->acl && !own.count && sbx_acl_has(sd->acl, h->group, &deny) && !is_readable(h, sd->acl, is_directory))
        return status;
    status = sbx_sd_change_read(sd, handle, &own, 0, result);
    if (!SBX_NT_OK(status) || (*result != SBX_SD_CHANGED && *result != SBX_SD_OTHERS && *result != SBX_SD_SAME))
        return status;
    status = sbx_sd_read(sd, handle); /* an entry that somebody put before all denies comes before this one as well */
    *result = SBX_NT_OK(status) && sd->acl && is_readable(h, sd->acl, is_directory) ? SBX_SD_DIFFERS : SBX_SD_SAME;
    return status;
}

static sbx_status refuse_open(const char *path, sbx_error *err)
{
    sbx_fail(err, SBX_E_REFUSED, "deny_read: others than you may read it, and its access rights stay as they are",
             path);
    return sbx_hint(err, "it is not yours to close, or holds keys; see who may with: icacls PATH");
}

static uint32_t look_one(const hider *h, const sbx_walk_item *item)
{
    HANDLE look = NULL;
    const int is_unseen = item->is_directory && !SBX_NT_OK(item->status); /* what is in it cannot be looked at */
    NTSTATUS status = 0;
    char *path;
    int is_open = 1;

    if (!item->handle)
        status = sbx_nt_child(item->parent, item->name, item->name_length, READ_CONTROL, FILE_OPEN, 0, NULL, &look);
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (!is_unseen && SBX_NT_OK(status) && SBX_NT_OK(sbx_sd_read(item->sd, look ? look : item->handle)) &&
        item->sd->acl)
        is_open = is_readable(h, item->sd->acl, item->is_directory);
    sbx_handle_close(&look);
    if (!is_open)
        return SBX_WALK_ON;
    path = sbx_walk_path(item);
    refuse_open(path ? path : "", item->err);
    sbx_free(path);
    return SBX_WALK_STOP;
}

static uint32_t hide_one(void *context, const sbx_walk_item *item)
{
    const hider *h = context;
    uint32_t result;
    NTSTATUS status;

    if (h->is_looking || !SBX_NT_OK(item->status))
        return look_one(h, item);
    sbx_step("hide");
    status = hide(h, item->sd, item->handle, item->is_directory, &result);
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    return SBX_NT_OK(status) && result == SBX_SD_SAME ? SBX_WALK_ON : sbx_walk_stop(item, status, result);
}

/* ---- What a policy names ------------------------------------------------------------ */

/* Where keys of the user and of Windows are: their programs judge the access rights, and what is set there may lock him out. */
static int is_keys(const char *path)
{
    static const struct {
        uint32_t dir;
        const char *name;
    } places[] = {{SBX_DIR_PROFILE, ".ssh"},
                  {SBX_DIR_ROAMING_DATA, "Microsoft\\Credentials"},
                  {SBX_DIR_ROAMING_DATA, "Microsoft\\Protect"},
                  {SBX_DIR_ROAMING_DATA, "Microsoft\\Vault"},
                  {SBX_DIR_LOCAL_DATA, "Microsoft\\Credentials"},
                  {SBX_DIR_LOCAL_DATA, "Microsoft\\Vault"}};
    sbx_arena scratch = {NULL};
    size_t i;
    int is = 0;

    for (i = 0; i < sizeof(places) / sizeof(places[0]) && !is; i++) {
        const char *place;
        char *dir = NULL;

        is = sbx_dirs_get(places[i].dir, &dir, NULL) != SBX_OK ||
             !(place = sbx_arena_printf(&scratch, "%s\\%s", dir, places[i].name)) || sbx_path_is_below(path, place) ||
             sbx_path_is_below(place, path);
        sbx_free(dir);
    }
    sbx_arena_fini(&scratch);
    return is;
}

static HANDLE open_followed(const char *path, DWORD *code)
{
    uint16_t *path_w = NULL;
    HANDLE handle = NULL;

    *code = ERROR_NOT_ENOUGH_MEMORY;
    if (sbx_wide_path(path, &path_w, NULL) == SBX_OK) {
        handle = sbx_handle_from(CreateFileW((const WCHAR *)path_w, READ_CONTROL | FILE_READ_ATTRIBUTES,
                                             FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                             OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL));
        *code = handle ? 0 : GetLastError();
    }
    sbx_free(path_w);
    return handle;
}

static sbx_status refuse(const char *why, const char *path, sbx_error *err)
{
    return sbx_fail(err, SBX_E_REFUSED, why, path);
}

static sbx_status judge_volume(HANDLE handle, const char *path, sbx_error *err)
{
    DWORD flags = 0;

    if (!GetVolumeInformationByHandleW(handle, NULL, 0, NULL, NULL, &flags, NULL, 0))
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetVolumeInformationByHandleW", path);
    return flags & FILE_PERSISTENT_ACLS ? SBX_OK
                                        : refuse("deny_read: its file system keeps no access rights", path, err);
}

/* Without it no command starts. */
static sbx_status judge_needed(const char *needed, const char *path, sbx_error *err)
{
    DWORD code;
    HANDLE handle = open_followed(needed, &code);
    char *found = handle ? sbx_file_final_path(handle, VOLUME_NAME_DOS) : NULL;
    const int is_in = sbx_path_is_below(found ? found : needed, path);

    sbx_free(found);
    sbx_handle_close(&handle);
    if (!is_in)
        return SBX_OK;
    refuse("deny_read: it is, or holds, a folder that the command needs", path, err);
    return sbx_hint(err, "that is %s; name what is in it", needed);
}

static sbx_status judge_place(const sbx_policy *policy, const char *path, sbx_error *err)
{
    static const uint32_t dirs[] = {SBX_DIR_PROGRAM, SBX_DIR_WINDOWS};
    sbx_status st = judge_needed(policy->workspace, path, err);
    uint32_t i;

    if (st == SBX_OK && policy->cwd)
        st = judge_needed(policy->cwd, path, err);
    for (i = 0; i < policy->writable_count && st == SBX_OK; i++)
        st = judge_needed(policy->writable[i], path, err);
    if (st == SBX_OK) /* TEMP and homes */
        st = judge_needed(sbx_host_table->state_dir, path, err);
    for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && st == SBX_OK; i++) {
        char *dir = NULL;

        if ((st = sbx_dirs_get(dirs[i], &dir, err)) == SBX_OK)
            st = judge_needed(dir, path, err);
        sbx_free(dir);
    }
    return st;
}

typedef struct named {
    hider h;
    sbx_root root;
    int is_directory;
} named;

/* There is none: what somebody makes there while the command runs is as open as the folder that it is made in. */
static void tell_missing(sbx_hidden *hidden, const hider *h, const char *path)
{
    const size_t top = sbx_path_root_length(path);
    char *folder = sbx_strdup(path);
    sbx_sd *sd = NULL;
    HANDLE handle = NULL;
    size_t length;
    DWORD code;
    int is_open = 1;

    while (folder && !handle && (length = sbx_path_parent_length(folder)) >= top && folder[length]) {
        folder[length] = 0;
        handle = open_followed(folder, &code);
    }
    if (handle && sbx_sd_new(&sd, NULL) == SBX_OK && SBX_NT_OK(sbx_sd_read(sd, handle)) && sd->acl)
        is_open = sbx_acl_reads(sd->acl, h->group, h->user.u.bytes, SBX_KIND_HIDDEN, 1);
    if (is_open) {
        hidden->is_partial = 1;
        sbx_host_note(SBX_NOTE_GAP, "deny_read",
                      "there is no %s: what is made there while the command runs it can read", path);
    }
    sbx_free(sd);
    sbx_handle_close(&handle);
    sbx_free(folder);
}

/* root.handle NULL with SBX_OK: it is missing. */
static sbx_status find(const sbx_policy *policy, const char *path, named *n, sbx_error *err)
{
    FILE_BASIC_INFO info;
    DWORD code;
    HANDLE handle = NULL;
    char *where = NULL;
    sbx_status st = SBX_OK;

    if (sbx_path_kind(path) == SBX_PATH_UNC)
        return refuse("deny_read: it is on another machine", path, err);
    handle = open_followed(path, &code);
    if (code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND)
        return SBX_OK;
    if (!handle)
        return sbx_fail_code(err, SBX_E_REFUSED, SBX_CODE_WIN32, code, "deny_read", path);
    if (!(where = sbx_file_final_path(handle, VOLUME_NAME_DOS)) ||
        !GetFileInformationByHandleEx(handle, FileBasicInfo, &info, sizeof(info))) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetFileInformationByHandleEx", path);
        goto out;
    }
    if (sbx_path_kind(where) != SBX_PATH_DRIVE && sbx_path_kind(where) != SBX_PATH_VOLUME)
        st = refuse("deny_read: it is on another machine", path, err);
    else if (sbx_path_root_length(where) >= strlen(where))
        st = refuse("deny_read: it is a whole volume", path, err);
    if (st != SBX_OK || (st = judge_volume(handle, path, err)) != SBX_OK ||
        (st = judge_place(policy, where, err)) != SBX_OK)
        goto out;
    n->is_directory = !!(info.FileAttributes & FILE_ATTRIBUTE_DIRECTORY);
    n->h.is_looking = is_keys(where) || sbx_root_reopen_any(where, &n->root, NULL) != SBX_OK || !n->root.handle;
    if (n->h.is_looking) {
        n->root.handle = handle;
        n->root.path = where;
        handle = NULL;
        where = NULL;
        st = sbx_sid_of(n->root.handle, path, &n->root.sid, err);
    }
    sbx_sid_set_tag(&n->root.sid, SBX_SID_TAG_HIDE);
    n->root.kind = SBX_RECORD_HIDE;
out:
    sbx_free(where);
    sbx_handle_close(&handle);
    return st;
}

static sbx_status below(named *n, uint64_t *objects, sbx_error *err)
{
    sbx_walk_count seen = {0, 0};
    sbx_status st = SBX_OK;

    if (n->is_directory)
        st = sbx_walk_below(n->root.handle, n->root.path, "hiding",
                            n->h.is_looking ? READ_CONTROL : READ_CONTROL | WRITE_DAC, 0, hide_one, &n->h, &seen, err);
    *objects = seen.objects;
    return st;
}

static sbx_status look(named *n, sbx_sd *sd, sbx_error *err)
{
    const NTSTATUS status = sbx_sd_read(sd, n->root.handle);
    uint64_t objects;

    if (!SBX_NT_OK(status))
        return sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtQuerySecurityObject", n->root.path);
    return !sd->acl || is_readable(&n->h, sd->acl, n->is_directory) ? refuse_open(n->root.path, err)
                                                                    : below(n, &objects, err);
}

/* Under its lock. */
static sbx_status change(named *n, sbx_ledger *ledger, sbx_sd *sd, sbx_error *err)
{
    const sbx_ledger_root *known = sbx_ledger_find(ledger, &n->root.sid);
    const int is_known = known && known->done && sbx_path_equal(known->path, n->root.path);
    char text[SBX_AUDIENCE_TEXT];
    sbx_ledger_entry entries[2] = {{SBX_RECORD_HIDE, 0, n->root.path}}, done = {SBX_RECORD_DONE, 0, n->root.path};
    uint32_t result, count = !is_known;
    NTSTATUS status;
    sbx_status st = SBX_OK;

    count += (uint32_t)sbx_audience_plan(&n->root, ledger, NULL, &n->h.user, text, &entries[count]);
    if (count)
        st = sbx_ledger_add(ledger, &n->root.sid, entries, count, 0, err);
    if (st != SBX_OK)
        return st;
    sbx_step("hide");
    status = hide(&n->h, sd, n->root.handle, n->is_directory, &result);
    if (!SBX_NT_OK(status) || result != SBX_SD_SAME)
        return sbx_sd_result(status, result, n->root.path, err);
    st = below(n, &done.count, err);
    return st == SBX_OK && !is_known ? sbx_ledger_add(ledger, &n->root.sid, &done, 1, 0, err) : st;
}

static sbx_status close_one(named *n, int dry, sbx_error *err)
{
    sbx_ledger ledger = {0};
    sbx_lock *lock = NULL;
    sbx_sd *sd = NULL;
    sbx_status st = sbx_sd_new(&sd, err);

    if (st == SBX_OK && n->h.is_looking)
        st = look(n, sd, err);
    else if (st == SBX_OK && (dry || (st = sbx_lock_take(&n->root.sid, WAIT_MS, &lock, err)) == SBX_OK) &&
             (st = sbx_ledger_load(&ledger, err)) == SBX_OK) {
        const sbx_ledger_root *known = sbx_ledger_find(&ledger, &n->root.sid);

        if (!known || !known->done)
            sbx_host_note(SBX_NOTE_GRANT, n->root.path,
                          "closed to the accounts that commands run as, until it is cleaned");
        if (!dry)
            st = change(n, &ledger, sd, err);
    }
    sbx_lock_give(lock);
    sbx_ledger_fini(&ledger);
    sbx_free(sd);
    return st;
}

sbx_status sbx_hidden_open(sbx_hidden *hidden, const sbx_policy *policy, const sbx_audience *audience, int dry,
                           sbx_error *err)
{
    const uint32_t count = policy->deny_read_count;
    named *all = count && count <= MOST ? sbx_alloc_zero(count, sizeof(*all)) : NULL;
    sbx_sid sids[MOST];
    char name[64];
    uint32_t i, found = 0;
    sbx_status st = SBX_OK;

    if (!count)
        return SBX_OK;
    if (count > MOST)
        return sbx_fail(err, SBX_E_REFUSED, "deny_read: there are too many", policy->deny_read[MOST]);
    if (!all)
        return sbx_fail_memory(err);
    for (i = 0; i < count && st == SBX_OK; i++) {
        all[i].h.root = &all[i].root;
        all[i].h.group = audience->readers.u.bytes;
        if ((st = sbx_user_get(&all[i].h.user, err)) != SBX_OK ||
            (st = find(policy, policy->deny_read[i], &all[i], err)) != SBX_OK)
            break;
        all[i].root.audience = audience;
        if (!all[i].root.handle)
            tell_missing(hidden, &all[i].h, policy->deny_read[i]);
        else
            sids[found++] = all[i].root.sid;
    }
    snprintf(name, sizeof(name), "%s-hidden", policy->run_id);
    if (st == SBX_OK && found && !dry)
        st = sbx_hold_take(name, sids, found, &hidden->hold, err);
    for (i = 0; i < count && st == SBX_OK; i++)
        if (all[i].root.handle && (st = close_one(&all[i], dry, err)) == SBX_OK)
            sbx_text_printf(&hidden->paths, "%s\n", all[i].root.path);
    if (st == SBX_OK && hidden->paths.failed)
        st = sbx_fail_memory(err);
    for (i = 0; i < count; i++)
        sbx_root_close(&all[i].root);
    sbx_free(all);
    return st;
}

void sbx_hidden_close(sbx_hidden *hidden)
{
    sbx_hold_give(hidden->hold);
    hidden->hold = NULL;
    sbx_text_fini(&hidden->paths);
}

/* ---- Undone -------------------------------------------------------------------------- */

#define GROUPS 4u /* that a setup made, one after the other */

typedef struct opener {
    const sbx_root *root;
    sbx_user_sid groups[GROUPS];
    uint32_t count;
    volatile LONG64 failed;
    CRITICAL_SECTION lock;
    char *first; /* path that failed, under lock */
} opener;

static int is_hidden_by_others(const uint8_t *acl, const sbx_sid *own)
{
    uint32_t i;

    for (i = 0; i < sbx_acl_count(acl); i++) {
        const void *sid = sbx_acl_sid(acl, i);
        sbx_sid other;

        if (!sid || !sbx_sid_is_sandbox(sid, sbx_sid_length(sid, SBX_SID_MAX)))
            continue;
        memcpy(other.bytes, sid, sizeof(other.bytes));
        if (sbx_sid_is_hidden(&other) && memcmp(other.bytes, own->bytes, sizeof(own->bytes)))
            return 1;
    }
    return 0;
}

/* The groups whose denies stand beside the mark, where no ledger tells of them. */
static void find_groups(opener *o, const uint8_t *acl, int is_directory)
{
    const sbx_ace deny = deny_of(is_directory);
    uint32_t i;

    for (i = 0; acl && i < sbx_acl_count(acl) && o->count < GROUPS; i++) {
        const void *sid = sbx_acl_sid(acl, i);

        if (sid && !sbx_sid_is_sandbox(sid, sbx_sid_length(sid, SBX_SID_MAX)) && sbx_acl_has(acl, sid, &deny))
            memcpy(o->groups[o->count++].u.bytes, sid, sbx_sid_length(sid, SBX_SID_MAX));
    }
}

/* parent NULL: it is the first.  keeps_mark: what says that there is something to undo. */
static NTSTATUS show(const opener *o, sbx_sd *sd, HANDLE handle, HANDLE parent, int is_directory, int keeps_mark)
{
    const sbx_ace deny = deny_of(is_directory);
    const sbx_ace copy = {SBX_ACE_DENY, (uint8_t)(deny.flags | SBX_ACE_INHERITED), SBX_KIND_HIDDEN};
    sbx_sd_change changes[GROUPS + 1];
    uint32_t i, result = SBX_SD_SAME;
    uint8_t *above = NULL;
    NTSTATUS status = sbx_sd_read(sd, handle);

    if (!SBX_NT_OK(status) || !sd->acl)
        return status;
    if (parent && !SBX_NT_OK(sbx_sd_peek(sd, parent, &above)))
        above = NULL;
    changes[0] = (sbx_sd_change){.sid = o->root->sid.bytes, .remove = keeps_mark ? 0 : SBX_ACL_EVERY};
    for (i = 0; i < o->count; i++) {
        sbx_sd_change *change = &changes[i + 1];

        changes[i].also = change;
        *change = (sbx_sd_change){.sid = o->groups[i].u.bytes};
        if (sbx_acl_marked(sd->acl, o->root->sid.bytes) && !is_hidden_by_others(sd->acl, &o->root->sid))
            change->drop[change->drops++] = deny;
        if (above && !sbx_acl_passes(above, change->sid, &copy, is_directory))
            change->drop[change->drops++] = copy;
    }
    return sbx_sd_change_read(sd, handle, changes, 0, &result);
}

/* May not be changed, and has nothing of ours. */
static int is_untouched(const opener *o, const sbx_walk_item *item)
{
    HANDLE look = NULL;
    const int is =
        SBX_NT_OK(sbx_nt_child(item->parent, item->name, item->name_length, READ_CONTROL, FILE_OPEN, 0, NULL, &look)) &&
        SBX_NT_OK(sbx_sd_read(item->sd, look)) &&
        (!item->sd->acl || !sbx_acl_find(item->sd->acl, o->root->sid.bytes, NULL, 0));

    sbx_handle_close(&look);
    return is;
}

static uint32_t show_one(void *context, const sbx_walk_item *item)
{
    opener *o = context;
    NTSTATUS status = item->status;

    sbx_step("undo");
    if (SBX_NT_OK(status))
        status = show(o, item->sd, item->handle, item->parent, item->is_directory, 0);
    else if (is_untouched(o, item))
        status = 0;
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (!SBX_NT_OK(status)) {
        InterlockedIncrement64(&o->failed);
        EnterCriticalSection(&o->lock);
        if (!o->first)
            o->first = sbx_walk_path(item);
        LeaveCriticalSection(&o->lock);
    }
    return SBX_WALK_ON;
}

sbx_status sbx_hidden_undo(const sbx_root *root, const sbx_ledger *ledger, uint64_t *failed, char **first,
                           sbx_error *err)
{
    const sbx_ledger_root *known = sbx_ledger_find(ledger, &root->sid);
    const sbx_ledger_path *path;
    opener o = {.root = root};
    sbx_audience audience;
    sbx_nt_info info;
    sbx_sd *sd = NULL;
    int is_directory;
    NTSTATUS status = sbx_nt_query(root->handle, &info);
    sbx_status st = sbx_sd_new(&sd, err);

    if (st != SBX_OK)
        return st;
    is_directory = SBX_NT_OK(status) && (info.attributes & FILE_ATTRIBUTE_DIRECTORY);
    for (path = known ? known->paths : NULL; path && o.count < GROUPS; path = path->next)
        if (path->kind == SBX_RECORD_AUDIENCE && sbx_audience_read(path->path, &audience, NULL) == SBX_OK)
            o.groups[o.count++] = audience.readers;
    if (SBX_NT_OK(status))
        status = sbx_sd_read(sd, root->handle);
    if (SBX_NT_OK(status) && !o.count)
        find_groups(&o, sd->acl, is_directory);
    InitializeCriticalSection(&o.lock);
    if (SBX_NT_OK(status)) /* nothing is passed on any more */
        status = show(&o, sd, root->handle, NULL, is_directory, 1);
    if (SBX_NT_OK(status) && is_directory)
        st = sbx_walk_below(root->handle, root->path, "cleaning", READ_CONTROL | WRITE_DAC, 0, show_one, &o, NULL, err);
    if (st == SBX_OK && SBX_NT_OK(status) && !o.failed)
        status = show(&o, sd, root->handle, NULL, is_directory, 0);
    DeleteCriticalSection(&o.lock);
    if (st == SBX_OK && !SBX_NT_OK(status))
        st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtSetSecurityObject", root->path);
    *failed = (uint64_t)o.failed;
    *first = o.first;
    sbx_free(sd);
    return st;
}
