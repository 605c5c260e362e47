#include "common/environment/temp.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "base/utf.h"
#include "common/environment/kept.h"
#include "common/environment/temp_area.h"
#include "common/grants/root.h"
#include "common/grants/walk.h"
#include "common/host.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

typedef struct round {
    int area, clean;
    uint32_t what;
    const char *root;
    sbx_state_visitor visit;
    void *context;
    int stop, failed;
    sbx_error *err; /* of the first that failed */
} round;

static int exists(const char *path)
{
    WCHAR *path_w = NULL;
    DWORD attributes;

    if (sbx_wide_path(path, &path_w, NULL) != SBX_OK)
        return 1;
    attributes = GetFileAttributesW(path_w);
    sbx_free(path_w);
    return attributes != INVALID_FILE_ATTRIBUTES ||
           (GetLastError() != ERROR_FILE_NOT_FOUND && GetLastError() != ERROR_PATH_NOT_FOUND);
}

/* status: of opening it to be deleted, which a sandboxed command may not: what it cannot ask counts as living. */
static uint32_t judge(const round *now, const char *name, const char *path, const char *root, NTSTATUS status)
{
    if (status == SBX_NT_SHARING_VIOLATION || (now->area == SBX_TEMP_AREA_TEMP && !SBX_NT_OK(status)))
        return SBX_STATE_ACTIVE;
    if (now->area != SBX_TEMP_AREA_TEMP)
        return !root || !exists(root) ? SBX_STATE_STALE : SBX_STATE_KEPT;
    return sbx_temp_area_is_kept(name) && sbx_kept_ask(path) != SBX_CHILDREN_GONE ? SBX_STATE_KEPT : SBX_STATE_STALE;
}

/* Of what is removed only what it was. */
static const char *words(const round *now, const char *name, uint32_t state, NTSTATUS status)
{
    const int is_cache = now->area != SBX_TEMP_AREA_TEMP;

    if (state == SBX_STATE_ACTIVE)
        return is_cache                             ? ", in use by a run"
               : status == SBX_NT_SHARING_VIOLATION ? ", in use"
                                                    : "; whether it is in use cannot be seen from here";
    if (now->clean)
        return "";
    if (now->area == SBX_TEMP_AREA_HOME)
        return state == SBX_STATE_STALE ? ", which is not there any more; `sbx clean --homes` deletes it"
                                        : ", kept for its later runs; `sbx clean --homes` deletes it";
    if (state == SBX_STATE_STALE && sbx_temp_area_is_kept(name))
        return ", kept for background processes that have ended";
    if (state == SBX_STATE_STALE)
        return is_cache ? ", which is not there any more" : " that was killed, or could not remove it";
    return is_cache ? ", kept for its later runs until it is cleaned"
                    : ", kept for its background processes until it is cleaned";
}

/* Whether the item is one that is to be told of, and removed unless a run holds it. */
static int wanted(const round *now, const sbx_state_item *item)
{
    if (now->area == SBX_TEMP_AREA_HOME || now->what == SBX_CLEAN_HOMES) /* a home may hold what nobody has elsewhere */
        return now->area == SBX_TEMP_AREA_HOME && now->what == SBX_CLEAN_HOMES &&
               (!now->root || sbx_path_equal(item->root, now->root));
    switch (now->what) {
    case SBX_CLEAN_ALL:
        return 1;
    case SBX_CLEAN_STALE:
        return item->state == SBX_STATE_STALE;
    default:
        return item->root[0] && now->root && sbx_path_equal(item->root, now->root);
    }
}

static uint32_t add_size(void *context, const sbx_walk_item *item)
{
    if (!item->is_directory)
        InterlockedAdd64(context, (LONG64)item->info.size);
    return SBX_WALK_ON;
}

/* Bytes of the files in it. */
static uint64_t size_of(HANDLE area, const WCHAR *name_w, size_t length, const char *path)
{
    volatile LONG64 size = 0;
    HANDLE handle = NULL;

    if (SBX_NT_OK(sbx_nt_child(area, name_w, length, SBX_ROOT_ACCESS & ~(ACCESS_MASK)WRITE_DAC, FILE_OPEN,
                               FILE_SYNCHRONOUS_IO_NONALERT, NULL, &handle)))
        sbx_walk_below(handle, path, "measuring", 0, 0, add_size, (void *)(uintptr_t)&size, NULL, NULL);
    sbx_handle_close(&handle);
    return (uint64_t)size;
}

static void one(round *now, HANDLE area, const WCHAR *name_w, size_t length)
{
    sbx_state_item item;
    sbx_error failure;
    sbx_remove_count count;
    HANDLE handle = NULL;
    NTSTATUS status;
    char text[1024];
    char *name = sbx_utf16_to_utf8(name_w, length, NULL), *path = NULL, *root = NULL;

    memset(&failure, 0, sizeof(failure));
    path = name ? sbx_temp_area_path(now->area, name, NULL) : NULL;
    if (!path) {
        if (!now->failed)
            sbx_fail_memory(now->err);
        now->failed = 1;
        goto out;
    }
    if (now->area != SBX_TEMP_AREA_TEMP)
        root = sbx_temp_area_root(now->area, name);
    status = sbx_nt_child(area, name_w, length, DELETE | SYNCHRONIZE, FILE_OPEN, 0, NULL, &handle);
    sbx_handle_close(&handle);
    if (SBX_NT_GONE(status)) /* its run has just ended */
        goto out;
    memset(&item, 0, sizeof(item));
    item.size = sizeof(item);
    item.state = judge(now, name, path, root, status);
    item.kind = now->area == SBX_TEMP_AREA_CACHE ? "cache" : now->area == SBX_TEMP_AREA_HOME ? "home" : "temp";
    item.root = root ? root : "";
    item.object = path;
    if (now->area == SBX_TEMP_AREA_CACHE)
        snprintf(text, sizeof(text), "caches of tools for %s%s", root ? root : "a root",
                 words(now, name, item.state, status));
    else if (now->area == SBX_TEMP_AREA_HOME)
        snprintf(text, sizeof(text), "home of commands for %s, %.1f MiB%s", root ? root : "a root",
                 (double)size_of(area, name_w, length, path) / 1048576, words(now, name, item.state, status));
    else
        snprintf(text, sizeof(text), "private TEMP of a run%s", words(now, name, item.state, status));
    item.text = text;
    if (!now->clean) {
        now->stop = now->visit(now->context, &item, NULL) != 0;
    } else if (item.state == SBX_STATE_ACTIVE && wanted(now, &item)) {
        now->stop = now->visit && now->visit(now->context, &item, NULL) != 0;
    } else if (wanted(now, &item)) {
        if (sbx_temp_area_is_kept(name)) /* first: a folder without one is told, one without a folder would not be */
            sbx_kept_forget(path);
        status = sbx_temp_area_remove(area, name_w, length, &count);
        item.count = count.removed;
        if (!SBX_NT_OK(status)) {
            sbx_fail_nt(&failure, SBX_E_SYSTEM, count.status, "delete", path);
            if (count.status == SBX_NT_ACCESS_DENIED)
                sbx_hint(&failure,
                         "what is left is closed to its owner, too; as an administrator, `takeown /r /d y /f` "
                         "and `icacls /reset /t` with this path, then repeat this");
            if (!now->failed && now->err)
                *now->err = failure;
            now->failed = 1;
        }
        now->stop = now->visit && now->visit(now->context, &item, SBX_NT_OK(status) ? NULL : &failure) != 0;
    }
out:
    sbx_free(root);
    sbx_free(path);
    sbx_free(name);
}

/* Beside the folder that it is about. */
static int is_record(const FILE_DIRECTORY_INFORMATION *entry)
{
    static const WCHAR suffix_w[] = L"" SBX_KEPT_SUFFIX;
    const size_t length = entry->FileNameLength / sizeof(WCHAR), suffix = ARRAYSIZE(suffix_w) - 1;

    return !(entry->FileAttributes & FILE_ATTRIBUTE_DIRECTORY) && length > suffix &&
           !wcsncmp(entry->FileName + length - suffix, suffix_w, suffix);
}

static sbx_status each(round *now, sbx_error *err)
{
    union {
        LARGE_INTEGER align;
        uint8_t bytes[16384];
    } *buffer = NULL;
    const FILE_DIRECTORY_INFORMATION *entry;
    HANDLE area = NULL;
    IO_STATUS_BLOCK io = {{0}, 0};
    BOOLEAN first = TRUE;
    size_t at;
    sbx_status st;

    for (now->area = SBX_TEMP_AREA_TEMP; now->area < SBX_TEMP_AREAS && !now->stop; now->area++) {
        if ((st = sbx_temp_area_open(now->area, 0, &area, err)) != SBX_OK)
            goto out;
        if (!area)
            continue;
        if (!buffer && !(buffer = sbx_alloc(sizeof(*buffer)))) {
            st = sbx_fail_memory(err);
            goto out;
        }
        for (first = TRUE; !now->stop; first = FALSE) {
            if (NtQueryDirectoryFile(area, NULL, NULL, NULL, &io, buffer->bytes, sizeof(buffer->bytes),
                                     FileDirectoryInformation, FALSE, NULL, first) != 0 ||
                !io.Information)
                break;
            for (at = 0; !now->stop; at += entry->NextEntryOffset) {
                entry = (const FILE_DIRECTORY_INFORMATION *)(const void *)(buffer->bytes + at);
                if (entry->FileName[0] != '.' && !(now->area == SBX_TEMP_AREA_TEMP && is_record(entry)))
                    one(now, area, entry->FileName, entry->FileNameLength / sizeof(WCHAR));
                if (!entry->NextEntryOffset)
                    break;
            }
        }
        sbx_handle_close(&area);
    }
    st = now->failed ? SBX_E_SYSTEM : SBX_OK;
out:
    sbx_handle_close(&area);
    sbx_free(buffer);
    return st;
}

sbx_status sbx_temp_list(sbx_state_visitor visit, void *context, sbx_error *err)
{
    round now = {.visit = visit, .context = context, .err = err};

    return each(&now, err);
}

sbx_status sbx_temp_clean(uint32_t what, const char *root, sbx_state_visitor visit, void *context, sbx_error *err)
{
    round now = {.clean = 1, .what = what, .root = root, .visit = visit, .context = context, .err = err};

    return each(&now, err);
}
