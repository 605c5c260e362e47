#include "common/grants/guard.h"

#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/grants/admit.h"
#include "common/grants/audience.h"
#include "common/grants/kind.h"
#include "common/grants/stamp.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

#define HERE ".\n"
#define AT_ONCE 32u /* guards in one write of the ledger */

#define ACL_ROOM 1536u /* bytes: 16 ACEs of the longest SIDs */

/* An ACL of the denies of a kind, and of what the tree allows. */
static sbx_status make_acl(const sbx_root *root, uint32_t kind, int is_directory, uint8_t *acl, sbx_error *err)
{
    static const uint8_t empty[8] = {2, 0, 8, 0, 0, 0, 0, 0};
    uint8_t spare[ACL_ROOM];
    sbx_admit admit;
    sbx_beside denied, below;
    sbx_sd_change shut = {.count = !!is_directory, .aces = {sbx_kind_shut(kind)}, .also = &denied.group};
    sbx_sd_change deny = {.sid = root->sid.bytes, .also = &shut};
    sbx_status st = sbx_admit_init(&admit, &root->sid, is_directory, err);

    shut.sid = admit.user.u.bytes;
    sbx_audience_at(root, &admit.user, NULL, kind, is_directory, 1, &denied);
    sbx_audience_below(root, &admit.user, NULL, SBX_AUDIENCE_RIGHTS, is_directory, &below);
    denied.owner.also = &below.group;
    below.owner.also = admit.changes;
    deny.count = sbx_kind_aces(kind, is_directory, deny.aces);
    if (st == SBX_OK)
        sbx_sd_edit(empty, &deny, spare, acl);
    return st;
}

/* Created with its denies: there is no moment without them.  *is_made: it is there and ours, also where this fails. */
static sbx_status make_one(const sbx_root *root, const char *path, uint32_t kind, uint32_t guard, int *is_made,
                           sbx_error *err)
{
    const int is_directory = guard == SBX_GUARD_DIRECTORY;
    DWORD written = 0;
    union {
        uint32_t align;
        uint8_t bytes[ACL_ROOM];
    } room;
    uint32_t found = SBX_STAMP_BARE;
    SECURITY_DESCRIPTOR descriptor;
    const char *name = sbx_path_name(path);
    char *parent_path = NULL;
    uint16_t *name_w = NULL;
    HANDLE parent = NULL, made = NULL;
    sbx_nt_info info = {0};
    NTSTATUS status;
    size_t parent_length = sbx_path_parent_length(path);
    sbx_status st = sbx_wide(name, "path", &name_w, err);

    *is_made = 0;
    if (st == SBX_OK && parent_length) {
        parent_path = sbx_strdup(path);
        if (!parent_path) {
            st = sbx_fail_memory(err);
        } else {
            parent_path[parent_length] = 0;
            st = sbx_root_below(root, parent_path, FILE_TRAVERSE | FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY, &parent,
                                &info, err);
        }
        if (st == SBX_OK && !parent)
            st = sbx_fail(err, SBX_E_REFUSED, "it vanished while it was protected", path);
        if (st == SBX_OK && !(info.attributes & FILE_ATTRIBUTE_DIRECTORY)) {
            st = sbx_fail(err, SBX_E_REFUSED, "protect names in it: it is a file", parent_path);
            sbx_hint(err, "writable roots are directories");
        }
    }
    if (st == SBX_OK)
        st = make_acl(root, kind, is_directory, room.bytes, err);
    if (st != SBX_OK)
        goto out;
    memset(&descriptor, 0, sizeof(descriptor));
    descriptor.Revision = SECURITY_DESCRIPTOR_REVISION;
    descriptor.Control = SE_DACL_PRESENT;
    descriptor.Dacl = (PACL)(void *)room.bytes;
    sbx_step("guard");
    status = sbx_nt_child(parent ? parent : root->handle, (const WCHAR *)name_w, wcslen((const WCHAR *)name_w),
                          READ_CONTROL | WRITE_DAC | FILE_READ_ATTRIBUTES | SYNCHRONIZE |
                              (guard == SBX_GUARD_HERE ? FILE_WRITE_DATA : 0u),
                          FILE_CREATE,
                          FILE_SYNCHRONOUS_IO_NONALERT |
                              (is_directory ? FILE_DIRECTORY_FILE | SBX_NT_HIDDEN : FILE_NON_DIRECTORY_FILE),
                          &descriptor, &made);
    if (!SBX_NT_OK(status)) {
        st = status == SBX_NT_NAME_COLLISION ? sbx_fail(err, SBX_E_REFUSED, "it changed while it was protected", path)
                                             : sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtCreateFile", path);
        goto out;
    }
    *is_made = 1;
    sbx_step("guard made");
    if (guard == SBX_GUARD_HERE && !WriteFile(made, HERE, sizeof(HERE) - 1, &written, NULL)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "WriteFile", path);
        goto out;
    }
    st = sbx_stamp_check(root, made, path, kind, is_directory, &found, err);
    if (st == SBX_OK && found != SBX_STAMP_COMPLETE)
        st = sbx_fail(err, SBX_E_UNENFORCED, "the file system did not keep the access rights that were set", path);
out:
    sbx_handle_close(&made);
    sbx_handle_close(&parent);
    sbx_free(parent_path);
    sbx_free(name_w);
    return st;
}

sbx_status sbx_guard_make(const sbx_root *root, const sbx_rule *const *rules, uint32_t count, sbx_ledger *ledger,
                          sbx_error *err)
{
    sbx_ledger_entry *entries = sbx_alloc(count * 2 * sizeof(*entries));
    uint32_t i, written = 0;
    int is_made = 0;
    sbx_status st;

    if (!entries)
        return sbx_fail_memory(err);
    for (i = 0; i < count; i++) {
        entries[written++] = (sbx_ledger_entry){SBX_RECORD_GUARD, 0, rules[i]->path};
        entries[written++] = (sbx_ledger_entry){rules[i]->kind, 0, rules[i]->path};
    }
    st = sbx_ledger_add(ledger, &root->sid, entries, written, SBX_LEDGER_LAZY, err);
    if (st != SBX_OK)
        goto out;
    for (i = 0; i < count && st == SBX_OK; i++)
        st = make_one(root, rules[i]->path, rules[i]->kind, rules[i]->guard, &is_made, err);
    if (st != SBX_OK) {
        /* what has such a name now is somebody else's, and no guard that may be removed */
        for (written = 0, i -= !is_made; i < count; i++) {
            entries[written++] = (sbx_ledger_entry){SBX_RECORD_UNGUARD, 0, rules[i]->path};
            entries[written++] = (sbx_ledger_entry){SBX_RECORD_FREE, 0, rules[i]->path};
        }
        if (written)
            sbx_ledger_add(ledger, &root->sid, entries, written, SBX_LEDGER_LAZY, NULL);
    }
out:
    sbx_free(entries);
    return st;
}

int sbx_guard_known(const sbx_root *root, const sbx_ledger *ledger)
{
    const sbx_ledger_root *known = sbx_ledger_find(ledger, &root->sid);
    const sbx_ledger_path *path;

    for (path = known ? known->paths : NULL; path; path = path->next)
        if (path->kind == SBX_RECORD_GUARD)
            return 1;
    return 0;
}

/* Whether a file of that name and size is what was made, and nobody's. */
static int is_guard(const char *path, const sbx_nt_info *info)
{
    return info->links <= 1 &&
           (!info->size || (info->size == sizeof(HERE) - 1 && sbx_path_equal(sbx_path_name(path), "commondir")));
}

/* What somebody has put something into is his, and no longer hidden. */
static void show(HANDLE guard)
{
    FILE_BASIC_INFO info;
    HANDLE handle = NULL;

    if (SBX_NT_OK(sbx_nt_reopen(guard, FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | SYNCHRONIZE, FILE_SHARE_DELETE,
                                &handle)) &&
        GetFileInformationByHandleEx(handle, FileBasicInfo, &info, sizeof(info))) {
        info.FileAttributes &= ~(DWORD)FILE_ATTRIBUTE_HIDDEN;
        SetFileInformationByHandle(handle, FileBasicInfo, &info, sizeof(info));
    }
    sbx_handle_close(&handle);
}

/* *gone: there is nothing of it any more. */
static sbx_status remove_one(const sbx_root *root, const char *path, sbx_guard_look look, void *context, int *gone,
                             sbx_error *err)
{
    void *handle = NULL;
    sbx_nt_info info = {0};
    NTSTATUS status;
    sbx_status st;

    *gone = 0;
    st = sbx_root_below(root, path, DELETE | READ_CONTROL, &handle, &info, err);
    if (!handle && (st == SBX_OK || st == SBX_E_REFUSED)) { /* a link is on the way now */
        *gone = 1;
        return SBX_OK;
    }
    if (st != SBX_OK)
        return st;
    sbx_step("unguard");
    if (look)
        look(context, path, handle, &info);
    if ((info.attributes & FILE_ATTRIBUTE_REPARSE_POINT) ||
        (!(info.attributes & FILE_ATTRIBUTE_DIRECTORY) && !is_guard(path, &info)))
        ; /* somebody uses the name now */
    else if (SBX_NT_OK(status = sbx_nt_delete(handle, 0)))
        *gone = 1; /* at once: the next run takes the name again, whatever program has it open still */
    else if (status == SBX_NT_NOT_EMPTY)
        show(handle);
    else
        st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtSetInformationFile", path);
    sbx_handle_close(&handle);
    return st;
}

sbx_status sbx_guard_remove(const sbx_root *root, sbx_ledger *ledger, sbx_guard_look look, void *context,
                            uint64_t *removed, sbx_error *err)
{
    sbx_ledger_entry entries[AT_ONCE * 2];
    sbx_ledger_root *known = sbx_ledger_find(ledger, &root->sid);
    sbx_ledger_path *path;
    uint32_t count, seen;
    sbx_status st = SBX_OK, written = SBX_OK;

    do {
        count = seen = 0;
        for (path = known ? known->paths : NULL; path && seen < AT_ONCE; path = path->next) {
            sbx_status one;
            int gone = 0;

            if (path->kind != SBX_RECORD_GUARD)
                continue;
            one = remove_one(root, path->path, look, context, &gone, st == SBX_OK ? err : NULL);
            if (st == SBX_OK)
                st = one;
            /* open elsewhere, or perhaps one is that is in it: it stays a guard */
            if (one != SBX_OK || (st != SBX_OK && !gone))
                continue;
            seen++;
            entries[count++] = (sbx_ledger_entry){SBX_RECORD_UNGUARD, 0, path->path};
            if (gone) {
                entries[count++] = (sbx_ledger_entry){SBX_RECORD_FREE, 0, path->path};
                if (removed)
                    ++*removed;
            }
        }
        if (count)
            written = sbx_ledger_add(ledger, &root->sid, entries, count, SBX_LEDGER_LAZY, st == SBX_OK ? err : NULL);
    } while (written == SBX_OK && seen == AT_ONCE);
    return st == SBX_OK ? written : st;
}
