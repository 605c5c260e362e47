#include "common/environment/temp.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"
#include "base/utf.h"
#include "common/grants/acl.h"
#include "common/host.h"
#include "common/environment/kept.h"
#include "common/environment/remove.h"
#include "common/grants/sid.h"
#include "common/token/token_info.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/wide.h"

#define AREA_TEMP 0
#define AREA_CACHE 1

static const char *const area_names[] = {"temp", "cache"};
static const WCHAR *const area_names_w[] = {L"temp", L"cache"};

#define NT_NAME_COLLISION ((NTSTATUS)0xC0000035)
#define NT_SHARING_VIOLATION ((NTSTATUS)0xC0000043)

/* Digits of the run's id: TEMP is part of every path in it, and many tools end at MAX_PATH. */
#define SHORT_NAME 12
#define WHOLE_NAME 32
#define TRIES 5
#define FIRST_WAIT_MS 10u /* twice as long each time: a third of a second in all */
#define LIST (FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE)

/* A kept TEMP says so in its name, so that a later clean knows. */
static const char keep_suffix[] = "-kept";

/* Which root a cache belongs to, beside the folder itself where the command cannot write. */
static const char root_file[] = "root.txt";
static const char data_dir[] = "data";

static int is_kept(const char *name)
{
    const size_t length = strlen(name), suffix = sizeof(keep_suffix) - 1;

    return length > suffix && !strcmp(name + length - suffix, keep_suffix);
}

static char *join(const char *a, const char *b, const char *c)
{
    sbx_text text = {0};

    sbx_text_printf(&text, "%s\\%s", a, b);
    if (c)
        sbx_text_printf(&text, "\\%s", c);
    return sbx_text_take(&text);
}

static HANDLE open_state(const WCHAR *path_w)
{
    return sbx_handle_from(CreateFileW(path_w, LIST, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                       OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL));
}

/* The state folder is the user's own choice, links in it and all; the areas in it are ours and no links. */
static sbx_status open_area(int area, int create, HANDLE *handle, sbx_error *err)
{
    const char *state = sbx_host_table->state_dir;
    WCHAR *state_w = NULL;
    HANDLE parent = NULL, opened = NULL;
    sbx_nt_info info = {0};
    NTSTATUS status;
    sbx_status st = sbx_wide_path(state, &state_w, err);

    if (st != SBX_OK)
        return st;
    parent = open_state(state_w);
    if (!parent && create && GetLastError() == ERROR_FILE_NOT_FOUND) {
        if (!CreateDirectoryW(state_w, NULL) && GetLastError() != ERROR_ALREADY_EXISTS) {
            st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateDirectoryW", state);
            goto out;
        }
        parent = open_state(state_w);
    }
    if (!parent) {
        if (create || (GetLastError() != ERROR_FILE_NOT_FOUND && GetLastError() != ERROR_PATH_NOT_FOUND))
            st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", state);
        goto out;
    }
    status = sbx_nt_child(parent, area_names_w[area], wcslen(area_names_w[area]),
                          LIST | (create ? FILE_ADD_SUBDIRECTORY : 0u), create ? FILE_OPEN_IF : FILE_OPEN,
                          FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT, NULL, &opened);
    if (!SBX_NT_OK(status)) {
        if (create || !SBX_NT_GONE(status))
            st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtCreateFile", area_names[area]);
        goto out;
    }
    status = sbx_nt_query(opened, &info);
    if (!SBX_NT_OK(status) || (info.attributes & FILE_ATTRIBUTE_REPARSE_POINT)) {
        st = sbx_fail(err, SBX_E_REFUSED, "use as a folder of sbx: it is a link", area_names[area]);
        goto out;
    }
    *handle = opened;
    opened = NULL;
out:
    sbx_handle_close(&opened);
    sbx_handle_close(&parent);
    sbx_free(state_w);
    return st;
}

static int add_ace(ACL *acl, BYTE flags, DWORD mask, const void *sid)
{
    return AddAccessAllowedAceEx(acl, ACL_REVISION, flags, mask, (PSID)(uintptr_t)sid) != FALSE;
}

/* FILE_DELETE_CHILD is in: nothing in the folder is protected, and tools remove what others made with DACLs of their own. */
static sbx_status create_private(HANDLE parent, const WCHAR *name_w, const void *sid, int may_exist, HANDLE *handle,
                                 const char *object, sbx_error *err)
{
    static const uint8_t owner_rights[12] = {1, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0};
    static const uint8_t local_system[12] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
    const DWORD change = FILE_ALL_ACCESS & ~(DWORD)(WRITE_DAC | WRITE_OWNER);
    const BYTE all = OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE;
    _Alignas(4) uint8_t space[sizeof(ACL) + 5 * (sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE)];
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
        !add_ace(acl, all, FILE_ALL_ACCESS, local_system) || !add_ace(acl, 0, change & ~(DWORD)DELETE, sid) ||
        !add_ace(acl, all | INHERIT_ONLY_ACE, change, sid) || !add_ace(acl, all, READ_CONTROL, owner_rights) ||
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
    if (!SBX_NT_OK(sbx_nt_query(opened, &info)) || (info.attributes & FILE_ATTRIBUTE_REPARSE_POINT)) {
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

    sbx_text_printf(&name, "%.*s%s", digits, run_id, keep ? keep_suffix : "");
    return sbx_text_take(&name);
}

char *sbx_temp_path(const char *run_id)
{
    char *name = temp_name(run_id, SHORT_NAME, 0);
    char *path = name ? join(sbx_host_table->state_dir, area_names[AREA_TEMP], name) : NULL;

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
    made->path = made->name ? join(sbx_host_table->state_dir, area_names[AREA_TEMP], made->name) : NULL;
    if (!made->path)
        return sbx_fail_memory(failure);
    if ((st = sbx_wide(made->name, "run id", &name_w, failure)) == SBX_OK)
        st = create_private(made->area, name_w, sid, 0, &made->hold, made->path, failure);
    sbx_free(name_w);
    return st;
}

sbx_status sbx_temp_open(sbx_temp *temp, const char *run_id, int keep, const void *sid, sbx_error *err)
{
    sbx_error failure = {.size = sizeof(failure)};
    sbx_temp made = {.keep = keep};
    sbx_status st = open_area(AREA_TEMP, 1, &made.area, err);

    if (st != SBX_OK)
        return st;
    st = make_temp(&made, run_id, SHORT_NAME, sid, &failure);
    if (st != SBX_OK && failure.code == (uint32_t)NT_NAME_COLLISION)
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

static char *read_root(const char *name)
{
    char *folder = join(sbx_host_table->state_dir, area_names[AREA_CACHE], name);
    char *file = folder ? join(folder, root_file, NULL) : NULL;
    char *root = NULL;
    size_t length = 0;

    if (file && sbx_file_read(file, 65536, &root, &length, NULL) != SBX_OK)
        root = NULL;
    sbx_free(file);
    sbx_free(folder);
    return root;
}

/* A warm launch finds it right and writes nothing. */
static sbx_status record_root(const char *name, const char *file, const char *root, sbx_error *err)
{
    char *found = read_root(name);
    int same = found && !strcmp(found, root);

    sbx_free(found);
    return same ? SBX_OK : sbx_file_write(file, root, strlen(root), err);
}

sbx_status sbx_temp_open_cache(sbx_temp *temp, const char *root, const void *sid, sbx_error *err)
{
    sbx_temp made = {0};
    char name[17];
    WCHAR *name_w = NULL;
    char *folder = NULL, *record = NULL;
    HANDLE data = NULL;
    NTSTATUS status;
    sbx_status st;

    made.keep = 1;
    /* the descriptor of the folder admits the whole SID only */
    snprintf(name, sizeof(name), "%016llx", (unsigned long long)sbx_sid_number(sid));
    made.name = sbx_strdup(name);
    folder = join(sbx_host_table->state_dir, area_names[AREA_CACHE], name);
    made.path = folder ? join(folder, data_dir, NULL) : NULL;
    record = folder ? join(folder, root_file, NULL) : NULL;
    if (!made.name || !made.path || !record) {
        st = sbx_fail_memory(err);
        goto out;
    }
    if ((st = sbx_wide(name, "cache", &name_w, err)) != SBX_OK ||
        (st = open_area(AREA_CACHE, 1, &made.area, err)) != SBX_OK)
        goto out;
    status = sbx_nt_child(made.area, name_w, wcslen(name_w), LIST | FILE_ADD_SUBDIRECTORY, FILE_OPEN_IF,
                          FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | SBX_NT_HOLD, NULL, &made.hold);
    if (!SBX_NT_OK(status)) {
        st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtCreateFile", made.path);
        goto out;
    }
    if ((st = record_root(name, record, root, err)) != SBX_OK ||
        (st = create_private(made.hold, L"data", sid, 1, &data, made.path, err)) != SBX_OK)
        goto out;
    *temp = made;
    memset(&made, 0, sizeof(made));
out:
    sbx_handle_close(&data);
    sbx_free(record);
    sbx_free(folder);
    sbx_free(name_w);
    sbx_handle_close(&made.hold);
    sbx_handle_close(&made.area);
    sbx_free(made.path);
    sbx_free(made.name);
    return st;
}

/* What opens up a file that the command closed to everybody: the user and SYSTEM. */
static void *opening_dacl(void)
{
    static const uint8_t local_system[12] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
    const sbx_token_self *self;
    void *acl = NULL;

    if (sbx_token_ask_self(&self, NULL) == SBX_OK)
        sbx_token_default_dacl(self, local_system, &acl, NULL);
    return acl;
}

static NTSTATUS remove_folder(HANDLE area, const WCHAR *name_w, size_t length, sbx_remove_count *count)
{
    void *dacl = opening_dacl();
    NTSTATUS status = sbx_remove_tree(area, name_w, length, dacl, count);

    sbx_free(dacl);
    return status;
}

/* A process that was ended has its files open for a moment longer, and scanners open what was just written. */
static NTSTATUS remove_patiently(HANDLE area, const WCHAR *name_w, sbx_remove_count *count)
{
    NTSTATUS status;
    int tries = 0;

    for (;;) {
        status = remove_folder(area, name_w, wcslen(name_w), count);
        if (SBX_NT_OK(status) || tries == TRIES ||
            (count->status != NT_SHARING_VIOLATION && count->status != SBX_NT_CANNOT_DELETE &&
             count->status != SBX_NT_NOT_EMPTY && count->status != SBX_NT_DELETE_PENDING))
            return status;
        Sleep(FIRST_WAIT_MS << tries++);
    }
}

void sbx_temp_close(sbx_temp *temp)
{
    WCHAR *name_w = NULL;
    sbx_remove_count count;

    if (temp->area && temp->keep && is_kept(temp->name) && sbx_kept_record(temp->path) == SBX_CHILDREN_GONE)
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

/* ---- what there is, and removing it ---- */

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
    if (status == NT_SHARING_VIOLATION || (now->area == AREA_TEMP && !SBX_NT_OK(status)))
        return SBX_STATE_ACTIVE;
    if (now->area == AREA_CACHE)
        return !root || !exists(root) ? SBX_STATE_STALE : SBX_STATE_KEPT;
    return is_kept(name) && sbx_kept_ask(path) != SBX_CHILDREN_GONE ? SBX_STATE_KEPT : SBX_STATE_STALE;
}

/* Of what is removed only what it was. */
static const char *words(const round *now, const char *name, uint32_t state, NTSTATUS status)
{
    const int is_cache = now->area == AREA_CACHE;

    if (state == SBX_STATE_ACTIVE)
        return is_cache                         ? ", in use by a run"
               : status == NT_SHARING_VIOLATION ? ", in use"
                                                : "; whether it is in use cannot be seen from here";
    if (now->clean)
        return "";
    if (state == SBX_STATE_STALE && is_kept(name))
        return ", kept for background processes that have ended";
    if (state == SBX_STATE_STALE)
        return is_cache ? ", which is not there any more" : " that was killed, or could not remove it";
    return is_cache ? ", kept for its later runs until it is cleaned"
                    : ", kept for its background processes until it is cleaned";
}

/* Whether the item is one that is to be told of, and removed unless a run holds it. */
static int wanted(const round *now, const sbx_state_item *item)
{
    switch (now->what) {
    case SBX_CLEAN_ALL:
        return 1;
    case SBX_CLEAN_STALE:
        return item->state == SBX_STATE_STALE;
    default:
        return item->root[0] && now->root && sbx_path_equal(item->root, now->root);
    }
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
    path = name ? join(sbx_host_table->state_dir, area_names[now->area], name) : NULL;
    if (!path) {
        if (!now->failed)
            sbx_fail_memory(now->err);
        now->failed = 1;
        goto out;
    }
    if (now->area == AREA_CACHE)
        root = read_root(name);
    status = sbx_nt_child(area, name_w, length, DELETE | SYNCHRONIZE, FILE_OPEN, 0, NULL, &handle);
    sbx_handle_close(&handle);
    if (SBX_NT_GONE(status)) /* its run has just ended */
        goto out;
    memset(&item, 0, sizeof(item));
    item.size = sizeof(item);
    item.state = judge(now, name, path, root, status);
    item.kind = now->area == AREA_CACHE ? "cache" : "temp";
    item.root = root ? root : "";
    item.object = path;
    if (now->area == AREA_CACHE)
        snprintf(text, sizeof(text), "caches of tools for %s%s", root ? root : "a root",
                 words(now, name, item.state, status));
    else
        snprintf(text, sizeof(text), "private TEMP of a run%s", words(now, name, item.state, status));
    item.text = text;
    if (!now->clean) {
        now->stop = now->visit(now->context, &item, NULL) != 0;
    } else if (item.state == SBX_STATE_ACTIVE && wanted(now, &item)) {
        now->stop = now->visit && now->visit(now->context, &item, NULL) != 0;
    } else if (wanted(now, &item)) {
        if (is_kept(name)) /* first: a folder without one is told, one without a folder would not be */
            sbx_kept_forget(path);
        status = remove_folder(area, name_w, length, &count);
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

    for (now->area = AREA_TEMP; now->area <= AREA_CACHE && !now->stop; now->area++) {
        if ((st = open_area(now->area, 0, &area, err)) != SBX_OK)
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
                if (entry->FileName[0] != '.' && !(now->area == AREA_TEMP && is_record(entry)))
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
