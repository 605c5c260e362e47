#include "common/grants/recheck.h"

#include <string.h>

#include "base/memory.h"
#include "common/grants/sd.h"
#include "common/grants/kind.h"
#include "win/error.h"
#include "win/handle.h"

#define OBJECTS_MAX 64u
#define DEPTH_MAX 6u
#define LIST_BYTES 8192u

typedef struct looker {
    const sbx_root *root;
    sbx_user_sid user;
    sbx_sd *sd;
    uint32_t left, found;
    uint32_t git;
} looker;

static int is_named(const FILE_FULL_DIR_INFORMATION *entry, const WCHAR *name)
{
    const size_t length = wcslen(name);

    return entry->FileNameLength == length * sizeof(WCHAR) && !_wcsnicmp(entry->FileName, name, length);
}

static int is_one_of(const FILE_FULL_DIR_INFORMATION *entry, const WCHAR *const *names, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (is_named(entry, names[i]))
            return 1;
    return 0;
}

/* In a repository only what decides which programs git runs; in one of its modules (*in_one) not what is large or
 * changes often.  A module may have any name, so what it is in is known by its HEAD, which a listing has before those. */
static int is_left_out(const looker *l, const FILE_FULL_DIR_INFORMATION *entry, uint32_t depth, int *in_one)
{
    static const WCHAR *const decide[] = {L"hooks",     L"config",  L"config.worktree", L"info",
                                          L"commondir", L"modules", L"worktrees",       L"gitdir"};
    static const WCHAR *const harmless_dirs[] = {L"objects", L"logs", L"refs", L"lfs"};
    static const WCHAR *const harmless_files[] = {L"HEAD", L"index", L"ORIG_HEAD", L"packed-refs"};
    static const WCHAR sample[] = L".sample";
    const size_t units = entry->FileNameLength / sizeof(WCHAR), tail = ARRAYSIZE(sample) - 1;
    const int is_directory = !!(entry->FileAttributes & FILE_ATTRIBUTE_DIRECTORY);

    if (is_named(entry, L".") || is_named(entry, L".."))
        return 1;
    if (!l->git)
        return 0;
    if (!is_directory && is_named(entry, L"HEAD"))
        *in_one = 1;
    return (l->git == SBX_RULE_REPOSITORY && depth == DEPTH_MAX && !is_one_of(entry, decide, ARRAYSIZE(decide))) ||
           (*in_one && (is_directory ? is_one_of(entry, harmless_dirs, ARRAYSIZE(harmless_dirs))
                                     : is_one_of(entry, harmless_files, ARRAYSIZE(harmless_files)))) ||
           (!is_directory && units > tail && !_wcsnicmp(entry->FileName + units - tail, sample, tail));
}

static void look(looker *l, HANDLE dir, uint32_t depth);

static void look_at(looker *l, HANDLE dir, const FILE_FULL_DIR_INFORMATION *entry, uint32_t depth)
{
    const int inside =
        (entry->FileAttributes & FILE_ATTRIBUTE_DIRECTORY) && !(entry->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT);
    HANDLE handle = NULL;
    NTSTATUS status = sbx_nt_child(dir, entry->FileName, entry->FileNameLength / sizeof(WCHAR),
                                   READ_CONTROL | SYNCHRONIZE | (inside ? FILE_LIST_DIRECTORY | FILE_TRAVERSE : 0u),
                                   FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, &handle);

    if (SBX_NT_GONE(status))
        return;
    /* what cannot be looked at is for the walk to judge */
    if (!handle || !SBX_NT_OK(sbx_sd_read(l->sd, handle)) || !l->sd->acl ||
        sbx_kind_leaves(l->sd->acl, l->root, &l->user, SBX_KIND_CHANGE, 0) ||
        (inside && (sbx_kind_leaves(l->sd->acl, l->root, &l->user, SBX_KIND_CHANGE, 1) ||
                    !sbx_kind_is_shut_in(l->sd->acl, l->root, &l->user))))
        l->found = SBX_RECHECK_OPEN;
    else if (inside && depth)
        look(l, handle, depth - 1);
    else if (inside)
        l->found = SBX_RECHECK_MUCH;
    sbx_handle_close(&handle);
}

static void look(looker *l, HANDLE dir, uint32_t depth)
{
    union {
        FILE_FULL_DIR_INFORMATION first; /* for its alignment */
        uint8_t bytes[LIST_BYTES];
    } list;
    const FILE_FULL_DIR_INFORMATION *entry;
    IO_STATUS_BLOCK io;
    BOOLEAN restart = TRUE;
    int in_one = 0;
    size_t at;

    while (l->found == SBX_RECHECK_CLOSED) {
        NTSTATUS status = NtQueryDirectoryFile(dir, NULL, NULL, NULL, &io, list.bytes, LIST_BYTES,
                                               FileFullDirectoryInformation, FALSE, NULL, restart);

        if (!SBX_NT_OK(status) && status != SBX_NT_NO_MORE_FILES && status != SBX_NT_NO_SUCH_FILE)
            l->found = SBX_RECHECK_OPEN; /* for the walk to judge */
        if (!SBX_NT_OK(status) || !io.Information)
            return;
        restart = FALSE;
        for (at = 0;; at += entry->NextEntryOffset) {
            entry = (const void *)(list.bytes + at);
            if (!is_left_out(l, entry, depth, &in_one)) {
                if (!l->left--) {
                    l->found = SBX_RECHECK_MUCH;
                    return;
                }
                look_at(l, dir, entry, depth);
            }
            if (!entry->NextEntryOffset || l->found != SBX_RECHECK_CLOSED)
                break;
        }
    }
}

sbx_status sbx_recheck_inside(const sbx_root *root, void *handle, uint32_t git, uint32_t *found, sbx_error *err)
{
    looker l = {.root = root, .left = OBJECTS_MAX, .git = git};
    sbx_status st = sbx_user_get(&l.user, err);

    if (st == SBX_OK)
        st = sbx_sd_new(&l.sd, err);
    if (st != SBX_OK)
        return st;
    look(&l, handle, DEPTH_MAX);
    *found = l.found;
    sbx_free(l.sd);
    return SBX_OK;
}
