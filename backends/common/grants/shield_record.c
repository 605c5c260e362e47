#include "common/grants/shield_record.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/grants/located.h"
#include "common/grants/shield.h"
#include "common/host.h"
#include "common/state.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"

sbx_status sbx_shield_open(const char *path, sbx_root *folder, sbx_error *err)
{
    DWORD flags = 0;
    sbx_status st;

    if (sbx_path_kind(path) == SBX_PATH_UNC || sbx_path_kind(path) == SBX_PATH_VERBATIM_UNC)
        return sbx_fail(err, SBX_E_REFUSED, "a folder of another machine has no shield", path);
    st = sbx_root_reopen(path, folder, err);
    if (st != SBX_OK)
        return st;
    if (!folder->handle) {
        sbx_fail(err, SBX_E_REFUSED, "there is no such folder, or it is a link", path);
        return sbx_hint(err, "links are not followed; name the folder that it points to");
    }
    if (!GetVolumeInformationByHandleW(folder->handle, NULL, 0, NULL, NULL, &flags, NULL, 0))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetVolumeInformationByHandleW", path);
    else if (!(flags & FILE_PERSISTENT_ACLS))
        st = sbx_fail(err, SBX_E_REFUSED, "its file system keeps no access rights", path);
    if (st != SBX_OK)
        sbx_root_close(folder);
    return st;
}

sbx_ledger_root *sbx_shield_find(const sbx_ledger *ledger, const char *path)
{
    sbx_ledger_root *at;

    for (at = ledger->roots; at; at = at->next)
        if (at->path[0] && sbx_path_is_below(path, at->path))
            return at;
    return NULL;
}

sbx_status sbx_shield_begin(sbx_ledger *ledger, const sbx_root *folder, const sbx_shield_own *own, uint32_t count,
                            sbx_error *err)
{
    sbx_ledger_entry *entries = sbx_alloc_zero(count + 1, sizeof(*entries));
    uint32_t i;
    sbx_status st;

    if (!entries)
        return sbx_fail_memory(err);
    entries[0].type = SBX_RECORD_GRANT;
    entries[0].path = folder->path;
    for (i = 0; i < count; i++) {
        entries[i + 1].type = SBX_RECORD_KEPT;
        entries[i + 1].count = own[i].id;
        entries[i + 1].path = own[i].path;
    }
    st = sbx_ledger_add(ledger, &folder->sid, entries, count + 1, 0, err);
    sbx_free(entries);
    return st;
}

sbx_status sbx_shield_end(sbx_ledger *ledger, const sbx_sid *sid, const char *path, uint64_t count, sbx_error *err)
{
    const sbx_ledger_entry done = {SBX_RECORD_DONE, count, path};

    return sbx_ledger_add(ledger, sid, &done, 1, 0, err);
}

sbx_status sbx_shield_forget(sbx_ledger *ledger, const sbx_root *folder, sbx_error *err)
{
    const sbx_ledger_entry gone = {SBX_RECORD_GONE, 0, folder->path};
    sbx_ledger_root *at, *next;
    sbx_status st = SBX_OK;

    for (at = ledger->roots; at && st == SBX_OK; at = next) {
        const sbx_sid sid = at->sid;

        next = at->next;
        if (!memcmp(&sid, &folder->sid, sizeof(sid)) || (at->path[0] && sbx_path_is_below(at->path, folder->path)))
            st = sbx_ledger_add(ledger, &sid, &gone, 1, 0, err);
    }
    return st;
}

/* Places in the file of locks that no directory has: its SID is one of ours. */
static sbx_sid place(uint8_t number)
{
    sbx_sid sid = {{1, 9}};

    sid.bytes[sizeof(sid.bytes) - 1] = number;
    return sid;
}

sbx_status sbx_shield_lock(int is_removing, uint32_t wait_ms, sbx_lock **lock, sbx_lock **turn, sbx_error *err)
{
    const sbx_sid change = place(1), remove = place(2);
    sbx_status st = is_removing ? sbx_lock_take(&remove, wait_ms, turn, err) : SBX_OK;

    if (st == SBX_OK)
        st = sbx_lock_take(&change, wait_ms, lock, err);
    if (st != SBX_OK) {
        sbx_lock_give(*turn);
        *turn = NULL;
    }
    return st;
}

int sbx_shield_is_removing(void)
{
    const sbx_sid remove = place(2);
    sbx_lock *lock = NULL;
    sbx_status st = sbx_lock_take(&remove, 0, &lock, NULL);

    sbx_lock_give(lock);
    return st == SBX_E_REFUSED;
}

int sbx_shield_is_known(void)
{
    char *path = sbx_state_path(SBX_SHIELD_FILE);
    uint16_t *path_w = NULL;
    int known = path && sbx_state_wide(path, &path_w, NULL) == SBX_OK &&
                GetFileAttributesW((const WCHAR *)path_w) != INVALID_FILE_ATTRIBUTES;

    sbx_free(path_w);
    sbx_free(path);
    return known;
}

/* ---- For status and clean ---------------------------------------------------------------- */

/* The item lives as long as `known`. */
static sbx_state_item item_of(sbx_located *known, int is_undone)
{
    const char *path = sbx_located_path(known);
    sbx_state_item item = {.size = sizeof(item), .state = SBX_STATE_KEPT, .kind = "shield", .root = "", .object = path};

    item.count = known->entry->count;
    switch (known->where) {
    case SBX_LOCATED_MOVED:
        item.state = SBX_STATE_STALE;
        snprintf(known->text, sizeof(known->text), "commands cannot delete in it; moved here from %s",
                 known->entry->path);
        break;
    case SBX_LOCATED_GONE:
        item.state = SBX_STATE_STALE;
        snprintf(known->text, sizeof(known->text), "the shielded folder is gone");
        break;
    case SBX_LOCATED_AWAY:
        snprintf(known->text, sizeof(known->text), "shielded folder, its volume is not there");
        break;
    default:
        snprintf(known->text, sizeof(known->text), "%s",
                 is_undone            ? "commands could not delete in it"
                 : known->entry->done ? "commands cannot delete in it, nor in folders below"
                                      : "not all of it is shielded: `sbx shield` goes on, --remove undoes it");
    }
    item.text = known->text;
    return item;
}

sbx_status sbx_shield_list(sbx_state_visitor visit, void *context, sbx_error *err)
{
    sbx_ledger ledger = {.file = SBX_SHIELD_FILE};
    const sbx_ledger_root *entry;
    int enough = 0;
    sbx_status st = sbx_ledger_load(&ledger, err);

    for (entry = st == SBX_OK ? ledger.roots : NULL; entry && !enough; entry = entry->next) {
        sbx_located known = {0};
        sbx_state_item item;

        sbx_located_find(entry, &known, NULL);
        item = item_of(&known, 0);
        enough = visit && visit(context, &item, NULL);
        sbx_located_close(&known);
    }
    sbx_ledger_fini(&ledger);
    return st;
}

static int is_meant(const sbx_located *known, uint32_t what, const char *folder, const sbx_state_item *item)
{
    switch (what) {
    case SBX_CLEAN_ALL:
        return 1;
    case SBX_CLEAN_STALE:
        return item->state == SBX_STATE_STALE && known->where == SBX_LOCATED_GONE;
    default:
        return sbx_path_equal(sbx_located_path(known), folder) || sbx_path_equal(known->entry->path, folder);
    }
}

/* *is_held: a writable root in it has it still. */
static sbx_status undo(sbx_ledger *ledger, const sbx_located *known, sbx_status found, int *is_held, sbx_error *err)
{
    const sbx_ledger_entry gone = {SBX_RECORD_GONE, 0, known->entry->path};
    sbx_shield_count count;
    sbx_status st;

    *is_held = 0;
    if (found != SBX_OK)
        return found;
    if (!known->root.handle)
        return sbx_ledger_add(ledger, &known->entry->sid, &gone, 1, 0, err);
    st = sbx_shield_run(SBX_SHIELD_REMOVE, known->root.path, &count, err);
    *is_held = st == SBX_OK && count.apart;
    return st;
}

sbx_status sbx_shield_clean(uint32_t what, const char *folder, sbx_state_visitor visit, void *context, sbx_error *err)
{
    sbx_ledger ledger = {.file = SBX_SHIELD_FILE};
    sbx_ledger_root *entry, *next;
    int enough = 0, is_held;
    sbx_status st = sbx_ledger_load(&ledger, err), failed = SBX_OK;

    for (entry = st == SBX_OK ? ledger.roots : NULL; entry && !enough; entry = next) {
        sbx_error why = {.size = sizeof(why)};
        sbx_located known = {0};
        sbx_state_item item;
        sbx_status found = sbx_located_find(entry, &known, &why);

        next = entry->next;
        item = item_of(&known, 1);
        if (is_meant(&known, what, folder, &item)) {
            st = undo(&ledger, &known, found, &is_held, &why);
            if (is_held)
                item.state = SBX_STATE_ACTIVE;
            enough = visit && visit(context, &item, st == SBX_OK ? NULL : &why);
            if (st != SBX_OK && failed == SBX_OK) {
                failed = SBX_E_SYSTEM;
                if (err)
                    *err = why;
            }
            st = SBX_OK;
        }
        sbx_located_close(&known);
    }
    sbx_ledger_fini(&ledger);
    return st == SBX_OK ? failed : st;
}
