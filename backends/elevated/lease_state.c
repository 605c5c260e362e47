#include "elevated/lease.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/host.h"
#include "common/token/station.h"
#include "elevated/lease_file.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

typedef struct round {
    int clean;
    uint32_t what;
    const char *root;
    sbx_state_visitor visit;
    void *context;
    int stop;
    sbx_error failed; /* the first */
} round;

static int wanted(const round *now, const sbx_state_item *item)
{
    if (now->what == SBX_CLEAN_ROOT)
        return now->root && sbx_path_equal(item->root, now->root);
    return now->what == SBX_CLEAN_ALL || item->state == SBX_STATE_STALE;
}

/* What only the account can put in order stays on record.  The file stays as well: who waits for it has it open. */
static void undo(HANDLE file, const char *account, const char *workspace, const char *left, const char *owed,
                 sbx_error *err)
{
    sbx_station_undo(left);
    if (!*owed) {
        SetEndOfFile(file);
    } else if (sbx_lease_file_write(file, account, workspace, "", owed, err) == SBX_OK) {
        sbx_fail(err, SBX_E_REFUSED, "only the account opens what a killed run has made", workspace);
        sbx_hint(err, "start a command there and clean again: sbx -- cmd /c exit");
    }
}

/* file: of an account, whose name is the end of path. */
static void one(round *now, const char *account, const char *path, HANDLE file)
{
    OVERLAPPED place = {.Offset = SBX_LEASE_HELD_AT};
    sbx_state_item item = {.size = sizeof(item), .kind = "account", .object = account};
    char *workspace = NULL, *left = NULL, *owed = NULL, text[128];
    sbx_error err = {.size = sizeof(err)};

    /* one who is about to have it looks again a moment later */
    const int held = !LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place);

    if (sbx_lease_file_read(path, &workspace, &left, &owed, NULL) != SBX_OK)
        return;
    item.root = workspace;
    item.state = held ? SBX_STATE_ACTIVE : SBX_STATE_STALE;
    if (held)
        snprintf(text, sizeof(text), "at work");
    else
        snprintf(text, sizeof(text), "%s, of a run that was killed",
                 *left ? "its access to the window station and to named objects" : "what it made may be closed to you");
    item.text = text;
    if (held || *left || *owed) {
        if (!now->clean) {
            now->stop = now->visit(now->context, &item, NULL) != 0;
        } else if (wanted(now, &item)) {
            if (!held)
                undo(file, account, workspace, left, owed, &err);
            now->stop = now->visit && now->visit(now->context, &item, err.status ? &err : NULL) != 0;
            if (!now->failed.status)
                now->failed = err;
        }
    } else if (now->clean && now->what == SBX_CLEAN_ALL) {
        SetEndOfFile(file);
    }
    sbx_free(workspace);
}

static sbx_status each(round *now, sbx_error *err)
{
    WIN32_FIND_DATAW found;
    char *pattern = sbx_lease_file_path("*"), *name = NULL, *path = NULL;
    uint16_t *pattern_w = NULL, *path_w = NULL;
    HANDLE find = NULL, file;
    sbx_status st = pattern ? sbx_wide_path(pattern, &pattern_w, err) : sbx_fail_memory(err);

    if (st == SBX_OK)
        find = sbx_handle_from(FindFirstFileW(pattern_w, &found));
    if (find) {
        do {
            if ((found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) ||
                sbx_narrow((const uint16_t *)found.cFileName, &name, NULL) != SBX_OK)
                continue;
            path = sbx_lease_file_path(name);
            if (path && sbx_wide_path(path, &path_w, NULL) == SBX_OK) {
                file = sbx_handle_from(CreateFileW(path_w, GENERIC_READ | GENERIC_WRITE,
                                                   FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                                   OPEN_EXISTING, 0, NULL));
                if (file)
                    one(now, name, path, file);
                sbx_handle_close(&file);
            }
            sbx_free(path_w);
            sbx_free(path);
            sbx_free(name);
            path_w = NULL;
            path = name = NULL;
        } while (!now->stop && FindNextFileW(find, &found));
        FindClose(find);
    } else if (st == SBX_OK && GetLastError() != ERROR_FILE_NOT_FOUND && GetLastError() != ERROR_PATH_NOT_FOUND) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "FindFirstFileW", pattern);
    }
    sbx_free(pattern_w);
    sbx_free(pattern);
    return st;
}

sbx_status sbx_lease_list(sbx_state_visitor visit, void *context, sbx_error *err)
{
    round now = {.visit = visit, .context = context};

    return each(&now, err);
}

sbx_status sbx_lease_clean(uint32_t what, const char *root, sbx_state_visitor visit, void *context, sbx_error *err)
{
    round now = {.clean = 1, .what = what, .root = root, .visit = visit, .context = context};
    sbx_status st = each(&now, err);

    if (st == SBX_OK && now.failed.status) {
        st = now.failed.status;
        if (err)
            *err = now.failed;
    }
    return st;
}
