#include "common/environment/temp.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "common/environment/kept.h"
#include "common/environment/temp_area.h"
#include "common/grants/sid.h"
#include "common/host.h"
#include "win/error.h"
#include "win/file.h"
#include "win/user.h"
#include "win/handle.h"
#include "win/wide.h"

/* Digits of the run's id: TEMP is part of every path in it, and many tools end at MAX_PATH. */
#define SHORT_NAME 12
#define WHOLE_NAME 32
#define TRIES 5
#define FIRST_WAIT_MS 10u /* twice as long each time: a third of a second in all */
#define LIST (FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE)

static int add_ace(ACL *acl, BYTE flags, DWORD mask, const void *sid)
{
    return AddAccessAllowedAceEx(acl, ACL_REVISION, flags, mask, (PSID)(uintptr_t)sid) != FALSE;
}

static int add_change(ACL *acl, const void *sid)
{
    const DWORD change = FILE_ALL_ACCESS & ~(DWORD)(WRITE_DAC | WRITE_OWNER);

    return add_ace(acl, 0, change & ~(DWORD)DELETE, sid) &&
           add_ace(acl, OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE | INHERIT_ONLY_ACE, change, sid);
}

/* group: of accounts, or NULL.  FILE_DELETE_CHILD is in: nothing in the folder is protected, and tools remove what others made with DACLs of their own. */
static sbx_status create_private(HANDLE parent, const WCHAR *name_w, const void *sid, const void *group, int may_exist,
                                 HANDLE *handle, const char *object, sbx_error *err)
{
    static const uint8_t owner_rights[12] = {1, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0};
    static const uint8_t local_system[12] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
    const BYTE all = OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE;
    _Alignas(4) uint8_t space[sizeof(ACL) + 7 * (sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE)];
    ACL *acl = (ACL *)(void *)space;
    SECURITY_DESCRIPTOR descriptor;
    sbx_user_sid user;
    HANDLE opened = NULL;
    sbx_nt_info info = {0};
    NTSTATUS status;
    sbx_status st = sbx_user_get(&user, err);

    if (st != SBX_OK)
        return st;
    if (!InitializeAcl(acl, sizeof(space), ACL_REVISION) || !add_ace(acl, all, FILE_ALL_ACCESS, user.u.bytes) ||
        !add_ace(acl, all, FILE_ALL_ACCESS, local_system) || !add_change(acl, sid) ||
        (group && !add_change(acl, group)) || !add_ace(acl, all, READ_CONTROL, owner_rights) ||
        !InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&descriptor, TRUE, acl, FALSE) ||
        !SetSecurityDescriptorControl(&descriptor, SE_DACL_PROTECTED, SE_DACL_PROTECTED)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "InitializeAcl", object);
        goto out;
    }
    status = sbx_nt_child(parent, name_w, wcslen(name_w), LIST, may_exist ? FILE_OPEN_IF : FILE_CREATE,
                          FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | SBX_NT_HOLD, &descriptor, &opened);
    if (!SBX_NT_OK(status)) {
        st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtCreateFile", object);
        goto out;
    }
    if (may_exist && (!SBX_NT_OK(sbx_nt_query(opened, &info)) || (info.attributes & FILE_ATTRIBUTE_REPARSE_POINT))) {
        st = sbx_fail(err, SBX_E_REFUSED, "use as a folder of sbx: it is a link", object);
        goto out;
    }
    *handle = opened;
    opened = NULL;
out:
    sbx_handle_close(&opened);
    return st;
}

static char *temp_name(const char *run_id, int digits, int keep)
{
    sbx_text name = {0};

    sbx_text_printf(&name, "%.*s%s", digits, run_id, keep ? SBX_TEMP_KEPT : "");
    return sbx_text_take(&name);
}

char *sbx_temp_path(const char *run_id)
{
    char *name = temp_name(run_id, SHORT_NAME, 0);
    char *path = name ? sbx_temp_area_path(SBX_TEMP_AREA_TEMP, name, NULL) : NULL;

    sbx_free(name);
    return path;
}

/* In made->area.  failure->code: why not. */
static sbx_status make_temp(sbx_temp *made, const char *run_id, int digits, const void *sid, sbx_error *failure)
{
    WCHAR *name_w = NULL;
    sbx_status st;

    sbx_free(made->path);
    sbx_free(made->name);
    made->name = temp_name(run_id, digits, made->keep);
    made->path = made->name ? sbx_temp_area_path(SBX_TEMP_AREA_TEMP, made->name, NULL) : NULL;
    if (!made->path)
        return sbx_fail_memory(failure);
    if ((st = sbx_wide(made->name, "run id", &name_w, failure)) == SBX_OK)
        st = create_private(made->area, name_w, sid, NULL, 0, &made->hold, made->path, failure);
    sbx_free(name_w);
    return st;
}

sbx_status sbx_temp_open(sbx_temp *temp, const char *run_id, int keep, const void *sid, sbx_error *err)
{
    sbx_error failure = {.size = sizeof(failure)};
    sbx_temp made = {.keep = keep};
    sbx_status st = sbx_temp_area_open(SBX_TEMP_AREA_TEMP, 1, &made.area, err);

    if (st != SBX_OK)
        return st;
    st = make_temp(&made, run_id, SHORT_NAME, sid, &failure);
    if (st != SBX_OK && failure.code == (uint32_t)SBX_NT_NAME_COLLISION)
        st = make_temp(&made, run_id, WHOLE_NAME, sid, &failure);
    if (st == SBX_OK) {
        *temp = made;
        return SBX_OK;
    }
    if (err)
        *err = failure;
    sbx_handle_close(&made.area);
    sbx_free(made.path);
    sbx_free(made.name);
    return st;
}

/* A warm launch finds it right and writes nothing. */
static sbx_status record_root(int area, const char *name, const char *file, const char *root, sbx_error *err)
{
    char *found = sbx_temp_area_root(area, name);
    int same = found && !strcmp(found, root);

    sbx_free(found);
    return same ? SBX_OK : sbx_file_write(file, root, strlen(root), err);
}

void sbx_temp_name(const void *sid, char name[SBX_TEMP_NAME])
{
    snprintf(name, SBX_TEMP_NAME, "%016llx", (unsigned long long)sbx_sid_number(sid));
}

static sbx_status open_kept(sbx_temp *temp, int area, const char *root, const void *sid, const void *group,
                            sbx_error *err)
{
    const int is_home = area == SBX_TEMP_AREA_HOME;
    sbx_temp made = {0};
    char name[SBX_TEMP_NAME];
    WCHAR *name_w = NULL;
    char *record = NULL;
    HANDLE data = NULL;
    NTSTATUS status;
    sbx_status st;

    made.keep = 1;
    /* the descriptor of the folder admits the whole SID only */
    sbx_temp_name(sid, name);
    made.name = sbx_strdup(name);
    made.path = sbx_temp_area_path(area, name, is_home ? SBX_TEMP_INNER : SBX_TEMP_DATA);
    record = sbx_temp_area_path(area, name, SBX_TEMP_ROOT);
    if (!made.name || !made.path || !record) {
        st = sbx_fail_memory(err);
        goto out;
    }
    if ((st = sbx_wide(name, "cache", &name_w, err)) != SBX_OK ||
        (st = sbx_temp_area_open(area, 1, &made.area, err)) != SBX_OK)
        goto out;
    status = sbx_nt_child(made.area, name_w, wcslen(name_w), LIST | FILE_ADD_SUBDIRECTORY, FILE_OPEN_IF,
                          FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | SBX_NT_HOLD, NULL, &made.hold);
    if (!SBX_NT_OK(status)) {
        st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtCreateFile", made.path);
        goto out;
    }
    if ((st = record_root(area, name, record, root, err)) != SBX_OK ||
        (st = create_private(made.hold, is_home ? L"" SBX_TEMP_INNER : L"" SBX_TEMP_DATA, sid, group, 1, &data,
                             made.path, err)) != SBX_OK)
        goto out;
    *temp = made;
    memset(&made, 0, sizeof(made));
out:
    sbx_handle_close(&data);
    sbx_free(record);
    sbx_free(name_w);
    sbx_handle_close(&made.hold);
    sbx_handle_close(&made.area);
    sbx_free(made.path);
    sbx_free(made.name);
    return st;
}

sbx_status sbx_temp_open_cache(sbx_temp *temp, const char *root, const void *sid, sbx_error *err)
{
    return open_kept(temp, SBX_TEMP_AREA_CACHE, root, sid, NULL, err);
}

sbx_status sbx_temp_open_home(sbx_temp *temp, const char *root, const void *sid, const void *group, sbx_error *err)
{
    return open_kept(temp, SBX_TEMP_AREA_HOME, root, sid, group, err);
}

/* A process that was ended has its files open for a moment longer, and scanners open what was just written. */
static NTSTATUS remove_patiently(HANDLE area, const WCHAR *name_w, sbx_remove_count *count)
{
    NTSTATUS status;
    int tries = 0;

    for (;;) {
        status = sbx_temp_area_remove(area, name_w, wcslen(name_w), count);
        if (SBX_NT_OK(status) || tries == TRIES ||
            (count->status != SBX_NT_SHARING_VIOLATION && count->status != SBX_NT_CANNOT_DELETE &&
             count->status != SBX_NT_NOT_EMPTY && count->status != SBX_NT_DELETE_PENDING))
            return status;
        Sleep(FIRST_WAIT_MS << tries++);
    }
}

void sbx_temp_close(sbx_temp *temp)
{
    WCHAR *name_w = NULL;
    sbx_remove_count count;

    if (temp->area && temp->keep && sbx_temp_area_is_kept(temp->name) &&
        sbx_kept_record(temp->path) == SBX_CHILDREN_GONE)
        temp->keep = 0;
    sbx_handle_close(&temp->hold);
    if (temp->area && !temp->keep && sbx_wide(temp->name, "run id", &name_w, NULL) == SBX_OK &&
        !SBX_NT_OK(remove_patiently(temp->area, name_w, &count)))
        sbx_host_log(SBX_LOG_WARN, "%s: %llu files could not be removed (ntstatus 0x%08lX); see `sbx clean --stale`",
                     temp->path, (unsigned long long)count.left, (unsigned long)count.status);
    sbx_free(name_w);
    sbx_handle_close(&temp->area);
    sbx_free(temp->path);
    sbx_free(temp->name);
    memset(temp, 0, sizeof(*temp));
}
