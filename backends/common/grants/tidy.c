#include "common/grants/tidy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "common/grants/audience.h"
#include "common/grants/kind.h"
#include "common/grants/walk.h"
#include "common/host.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

#define SLACK 20000000u /* 2 s: clocks of file systems are coarse */

#define RIGHTS (SBX_AUDIENCE_RIGHTS | SBX_KIND_ALLOW)
#define ANY_ALLOW (SBX_ACL_EXPLICIT | SBX_ACL_INHERITED | SBX_ACL_ALLOW)

static const uint8_t creator_owner[12] = {1, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0};

typedef struct tidier {
    const char *path;
    uint64_t since; /* FILETIME */
    const void *user;
    sbx_user_sid self, group, root;
    SRWLOCK lock;
    uint64_t failed;
    char *first; /* path that failed */
} tidier;

/* ---- One object ----------------------------------------------------------------------- */

static int is_own(const tidier *t, HANDLE handle)
{
    union {
        SECURITY_DESCRIPTOR_RELATIVE head;
        uint8_t bytes[sizeof(SECURITY_DESCRIPTOR_RELATIVE) + SBX_SID_MAX];
    } sd;
    ULONG length = 0;

    return SBX_NT_OK(NtQuerySecurityObject(handle, OWNER_SECURITY_INFORMATION, &sd, sizeof(sd), &length)) &&
           length <= sizeof(sd) && sd.head.Owner && sd.head.Owner < length &&
           sbx_sid_length(sd.bytes + sd.head.Owner, length - sd.head.Owner) &&
           EqualSid(sd.bytes + sd.head.Owner, (PSID)(uintptr_t)t->self.u.bytes);
}

/* What allows for the SID give on the object itself. */
static uint32_t allowed(const uint8_t *acl, const void *sid)
{
    sbx_ace found[16];
    uint32_t count = sbx_acl_find(acl, sid, found, 16), has = 0, i;

    for (i = 0; i < count && i < 16; i++)
        if (found[i].type == SBX_ACE_ALLOW && !(found[i].flags & SBX_ACE_ONLY_BELOW))
            has |= found[i].mask & GENERIC_ALL ? FILE_ALL_ACCESS : found[i].mask;
    return has;
}

/* As what is made without a list of its own, which the user can change and its owner cannot. */
static int is_in_order(const tidier *t, const uint8_t *acl)
{
    return (allowed(acl, t->user) & SBX_AUDIENCE_RIGHTS) == SBX_AUDIENCE_RIGHTS &&
           allowed(acl, sbx_audience_owner_rights) == READ_CONTROL && !allowed(acl, t->self.u.bytes);
}

static void pass_on(sbx_sd_change *change, const uint8_t *above, uint8_t flags)
{
    const sbx_ace ace = {SBX_ACE_ALLOW, flags | SBX_ACE_INHERITED, SBX_KIND_ALLOW};

    if (sbx_acl_passes(above, change->sid, &ace, flags != 0))
        change->aces[change->count++] = ace;
}

static NTSTATUS put_in_order(const tidier *t, const sbx_walk_item *item, HANDLE handle, uint32_t *result)
{
    const uint8_t flags = item->is_directory && !item->is_link ? SBX_KIND_BELOW : 0;
    sbx_sd_change root = {.sid = t->root.u.bytes}, group = {.sid = t->group.u.bytes, .also = &root};
    sbx_sd_change creator = {.sid = creator_owner, .remove = ANY_ALLOW, .also = &group};
    sbx_sd_change self = {.sid = t->self.u.bytes, .remove = ANY_ALLOW, .also = &creator};
    sbx_sd_change owner = {.sid = sbx_audience_owner_rights, .remove = ANY_ALLOW, .also = &self};
    sbx_sd_change user = {.sid = t->user, .also = &owner};
    uint8_t *above = NULL;
    NTSTATUS status = sbx_sd_peek(item->sd, item->parent, &above);

    if (!SBX_NT_OK(status))
        return status;
    owner.aces[owner.count++] = (sbx_ace){SBX_ACE_ALLOW, flags | SBX_ACE_INHERITED, READ_CONTROL};
    if ((allowed(item->sd->acl, t->user) & RIGHTS) != RIGHTS)
        user.aces[user.count++] = (sbx_ace){SBX_ACE_ALLOW, flags, RIGHTS};
    if (above) {
        root.remove = group.remove = SBX_ACL_INHERITED | SBX_ACL_ALLOW;
        pass_on(&root, above, flags);
        pass_on(&group, above, flags);
    }
    return sbx_sd_change_read(item->sd, handle, &user, 0, result);
}

static void fail(tidier *t, const sbx_walk_item *item)
{
    AcquireSRWLockExclusive(&t->lock);
    t->failed++;
    if (!t->first)
        t->first = sbx_walk_path(item);
    ReleaseSRWLockExclusive(&t->lock);
}

static uint32_t visit(void *context, const sbx_walk_item *item);

/* A directory that not even the account could list until now. */
static void go_into(tidier *t, const sbx_walk_item *item)
{
    HANDLE handle = NULL;
    char *path = sbx_walk_path(item);

    if (!SBX_NT_OK(sbx_nt_child(item->parent, item->name, item->name_length, READ_CONTROL | FILE_LIST_DIRECTORY,
                                FILE_OPEN, FILE_DIRECTORY_FILE, NULL, &handle)) ||
        sbx_walk_below(handle, path ? path : "", "looking at", READ_CONTROL, SBX_WALK_LINKS | SBX_WALK_LISTED, visit, t,
                       NULL, NULL) != SBX_OK)
        fail(t, item);
    sbx_handle_close(&handle);
    sbx_free(path);
}

static uint32_t visit(void *context, const sbx_walk_item *item)
{
    tidier *t = context;
    uint32_t result = SBX_SD_SAME;
    HANDLE handle = NULL;
    NTSTATUS status;

    if (item->changed < t->since)
        return SBX_WALK_ON;
    status = sbx_nt_child(item->parent, item->name, item->name_length, READ_CONTROL, FILE_OPEN, 0, NULL, &handle);
    if (SBX_NT_OK(status) && is_own(t, handle)) {
        status = sbx_sd_read(item->sd, handle);
        sbx_handle_close(&handle);
        if (SBX_NT_OK(status) && item->sd->acl && !is_in_order(t, item->sd->acl)) {
            status = sbx_nt_child(item->parent, item->name, item->name_length, READ_CONTROL | WRITE_DAC, FILE_OPEN, 0,
                                  NULL, &handle);
            if (SBX_NT_OK(status)) /* it may be another one by now */
                status = is_own(t, handle) ? sbx_sd_read(item->sd, handle) : SBX_NT_NAME_NOT_FOUND;
            if (SBX_NT_OK(status) && item->sd->acl)
                status = put_in_order(t, item, handle, &result);
        }
    }
    sbx_handle_close(&handle);
    if (SBX_NT_GONE(status))
        return SBX_WALK_PASS;
    if (!SBX_NT_OK(status) || result > SBX_SD_OTHERS || result == SBX_SD_DIFFERS || result == SBX_SD_FULL)
        fail(t, item);
    else if (result != SBX_SD_SAME && item->is_directory && !item->is_link && !SBX_NT_OK(item->status))
        go_into(t, item);
    return SBX_WALK_ON;
}

/* ---- Roots ------------------------------------------------------------------------------ */

void sbx_tidy_add_folder(sbx_text *lines, const char *path, const void *sid, const char *group)
{
    char text[SBX_SID_TEXT];
    FILETIME now;

    GetSystemTimeAsFileTime(&now);
    sbx_sid_text(sid, text);
    sbx_text_printf(lines, "%08lx%08lx %s %s %s\n", now.dwHighDateTime, now.dwLowDateTime, group, text, path);
}

void sbx_tidy_add(sbx_text *lines, const sbx_grants *grants, const char *group)
{
    const sbx_root *root;
    uint32_t i;

    for (i = 0; (root = sbx_grants_root(grants, i)) != NULL; i++)
        if (root->kind != SBX_RECORD_ENCLOSE) /* what is made in it is made in other roots */
            sbx_tidy_add_folder(lines, root->path, &root->sid, group);
}

static const char *next_word(const char *at, size_t *length)
{
    *length = strcspn(at, " ");
    return at[*length] ? at + *length + 1 : at + *length;
}

static int read_line(const char *line, tidier *t)
{
    const char *group, *root;
    size_t time_length, group_length, root_length;
    char *end;

    group = next_word(line, &time_length);
    root = next_word(group, &group_length);
    t->path = next_word(root, &root_length);
    t->since = strtoull(line, &end, 16) - SLACK;
    return end == line + 16 && time_length == 16 && sbx_user_sid_read(group, group_length, &t->group) &&
           sbx_user_sid_read(root, root_length, &t->root) && *t->path;
}

static void one_root(tidier *t)
{
    uint16_t *path_w = NULL;
    sbx_error err = {.size = sizeof(err)};
    HANDLE handle = NULL;
    sbx_status st = sbx_wide_path(t->path, &path_w, &err);

    if (st == SBX_OK) {
        handle =
            sbx_handle_from(CreateFileW(path_w, FILE_LIST_DIRECTORY | FILE_TRAVERSE | READ_CONTROL | SYNCHRONIZE,
                                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                        FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL));
        if (!handle && (GetLastError() == ERROR_FILE_NOT_FOUND || GetLastError() == ERROR_PATH_NOT_FOUND))
            goto out; /* moved, or deleted */
        st = handle ? sbx_walk_below(handle, t->path, "looking at", READ_CONTROL, SBX_WALK_LINKS | SBX_WALK_LISTED,
                                     visit, t, NULL, &err)
                    : sbx_fail_last(&err, SBX_E_SYSTEM, "CreateFileW", t->path);
    }
    if (st != SBX_OK)
        sbx_host_note(SBX_NOTE_WARN, t->path,
                      "what the command gave access rights of its own may be closed to you: %s (%u)", err.op,
                      (unsigned)err.code);
    else if (t->failed)
        sbx_host_note(SBX_NOTE_WARN, t->path,
                      "%llu object%s may be closed to you, with access rights that not even the account of the command "
                      "can change, such as %s",
                      (unsigned long long)t->failed, t->failed == 1 ? "" : "s", t->first ? t->first : "");
out:
    sbx_handle_close(&handle);
    sbx_free(t->first);
    sbx_free(path_w);
}

void sbx_tidy(const char *lines, const void *user)
{
    sbx_user_sid self;
    char *copy = sbx_strdup(lines), *line, *end;

    if (!copy || sbx_user_get(&self, NULL) != SBX_OK)
        goto out;
    for (line = copy; *line; line = end) {
        tidier t = {.user = user, .self = self, .lock = SRWLOCK_INIT};

        end = line + strcspn(line, "\n");
        if (*end)
            *end++ = 0;
        if (read_line(line, &t))
            one_root(&t);
    }
out:
    sbx_free(copy);
}
