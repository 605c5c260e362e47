#include "common/grants/ancestors.h"

#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/grants/kind.h"
#include "common/grants/reader.h"
#include "common/grants/stamp.h"
#include "common/host.h"
#include "win/dirs.h"
#include "win/handle.h"
#include "win/wide.h"

#define WAIT_MS 120000u

/* What cannot be asked is taken as open: it is not this user's, and told by whoever fails there. */
static int is_open(const char *path, const sbx_audience *audience)
{
    uint16_t *path_w = NULL;
    HANDLE handle = NULL;
    sbx_sd *sd = NULL;
    int result = 1;

    if (sbx_wide_path(path, &path_w, NULL) == SBX_OK)
        handle = sbx_handle_from(
            CreateFileW((const WCHAR *)path_w, READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                        NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL));
    if (handle && sbx_sd_new(&sd, NULL) == SBX_OK && SBX_NT_OK(sbx_sd_read(sd, handle)) && sd->acl)
        result = sbx_reader_admits(sd->acl, audience->readers.u.bytes, SBX_KIND_LOOK, 0);
    sbx_free(sd);
    sbx_handle_close(&handle);
    sbx_free(path_w);
    return result;
}

static sbx_status open_one(const char *path, const sbx_audience *audience, int dry, sbx_error *err)
{
    sbx_spread_count count = {0};
    sbx_ledger ledger = {0};
    sbx_ledger_entry done = {SBX_RECORD_DONE, 1, path};
    sbx_root root = {0};
    sbx_lock *lock = NULL;
    sbx_status st = SBX_OK;

    if (is_open(path, audience))
        return SBX_OK;
    if (sbx_root_reopen(path, &root, NULL) != SBX_OK) {
        sbx_host_note(SBX_NOTE_GAP, path,
                      "its access rights are not yours to change: programs that look at each folder on the way to "
                      "their files fail there");
        return SBX_OK;
    }
    if (!root.handle) /* a link, which is no folder on the way to where the root is */
        return SBX_OK;
    sbx_host_note(SBX_NOTE_GRANT, path,
                  "the accounts that commands run as may look at the folder, not at what is in it");
    sbx_sid_set_tag(&root.sid, SBX_SID_TAG_ABOVE);
    root.kind = SBX_RECORD_ABOVE;
    root.audience = audience;
    if (!dry && (st = sbx_lock_take(&root.sid, WAIT_MS, &lock, err)) == SBX_OK &&
        (st = sbx_ledger_load(&ledger, err)) == SBX_OK &&
        (st = sbx_stamp_set(&root, &ledger, root.handle, root.path, root.path, root.kind, 1, &count, err)) == SBX_OK)
        st = sbx_ledger_add(&ledger, &root.sid, &done, 1, 0, err);
    sbx_lock_give(lock);
    sbx_ledger_fini(&ledger);
    sbx_root_close(&root);
    return st;
}

sbx_status sbx_ancestors_open(const char *path, const sbx_audience *audience, int dry, sbx_error *err)
{
    const size_t top = sbx_path_root_length(path);
    char *folder = sbx_strdup(path), *profile = NULL;
    size_t length;
    sbx_status st = folder ? sbx_dirs_get(SBX_DIR_PROFILE, &profile, err) : sbx_fail_memory(err);

    while (st == SBX_OK && !sbx_path_equal(folder, profile) && (length = sbx_path_parent_length(folder)) > top) {
        folder[length] = 0;
        st = open_one(folder, audience, dry, err);
    }
    sbx_free(profile);
    sbx_free(folder);
    return st;
}

static int is_in(const sbx_ledger_root *root, const char *above)
{
    const char *state = sbx_host_table->state_dir; /* TEMP and home of each run lie there */

    return !sbx_sid_is_above(&root->sid) &&
           (sbx_path_is_below(root->path, above) || sbx_path_is_below(state, above) || sbx_path_is_below(above, state));
}

sbx_status sbx_ancestors_hold(const sbx_ledger *ledger, const sbx_sid *sid, const char *path, uint32_t *process_id,
                              sbx_error *err)
{
    const sbx_ledger_root *root;
    sbx_status st = SBX_OK;

    *process_id = 0;
    if (!sbx_sid_is_above(sid))
        st = sbx_hold_find(sid, NULL, process_id, err);
    for (root = sbx_sid_is_read(sid) ? ledger->roots : NULL; root && st == SBX_OK && !*process_id; root = root->next)
        if (is_in(root, path))
            st = sbx_hold_find(&root->sid, NULL, process_id, err);
    return st;
}

static int is_gone(const char *path)
{
    uint16_t *path_w = NULL;
    int gone = sbx_wide_path(path, &path_w, NULL) == SBX_OK && GetFileAttributesW(path_w) == INVALID_FILE_ATTRIBUTES &&
               (GetLastError() == ERROR_FILE_NOT_FOUND || GetLastError() == ERROR_PATH_NOT_FOUND);

    sbx_free(path_w);
    return gone;
}

int sbx_ancestors_are_done(const sbx_ledger *ledger, const sbx_ledger_root *above)
{
    const sbx_ledger_root *root;

    if (!sbx_sid_is_above(&above->sid))
        return 0;
    if (is_gone(above->path))
        return 1;
    for (root = ledger->roots; root && !is_in(root, above->path); root = root->next)
        ;
    return !root;
}
