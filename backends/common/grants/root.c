#include "common/grants/root.h"

#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"
#include "base/utf.h"
#include "common/grants/admit.h"
#include "common/grants/ledger_record.h"
#include "common/grants/way.h"
#include "common/host.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/wide.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define ANY_ACCESS (READ_CONTROL | WRITE_DAC | FILE_READ_ATTRIBUTES | SYNCHRONIZE)

/* links: FILE_FLAG_OPEN_REPARSE_POINT, or 0 to follow one. */
static HANDLE open_dir(const char *path, ACCESS_MASK access, DWORD share, DWORD links, sbx_error *err)
{
    uint16_t *path_w = NULL;
    HANDLE handle = NULL;

    if (sbx_wide_path(path, &path_w, err) != SBX_OK)
        return NULL;
    handle = sbx_handle_from(CreateFileW((const WCHAR *)path_w, access, share, NULL, OPEN_EXISTING,
                                         FILE_FLAG_BACKUP_SEMANTICS | links, NULL));
    if (!handle)
        sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", path);
    sbx_free(path_w);
    return handle;
}

static sbx_status refuse(sbx_error *err, const char *why, const char *path, const char *hint)
{
    sbx_fail(err, SBX_E_REFUSED, why, path);
    if (hint)
        sbx_hint(err, "%s", hint);
    return SBX_E_REFUSED;
}

static sbx_status judge_volume(HANDLE handle, const char *path, sbx_error *err)
{
    WCHAR name[64] = L"";
    DWORD flags = 0;
    char *without = NULL;
    int is_volume;

    if (!GetVolumeInformationByHandleW(handle, NULL, 0, NULL, NULL, &flags, name, ARRAYSIZE(name)))
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetVolumeInformationByHandleW", path);
    if (!(flags & FILE_PERSISTENT_ACLS) || (wcscmp(name, L"NTFS") && wcscmp(name, L"ReFS")))
        return refuse(err, "its file system keeps no access rights", path, "use a directory on an NTFS or ReFS volume");
    if (flags & FILE_READ_ONLY_VOLUME)
        return refuse(err, "its volume is read-only", path, NULL);
    without = sbx_file_final_path(handle, VOLUME_NAME_NONE);
    if (!without)
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetFinalPathNameByHandleW", path);
    is_volume = !strcmp(without, "\\");
    sbx_free(without);
    if (is_volume)
        return refuse(err, "a whole volume cannot be a writable root", path, "name a directory on it");
    return SBX_OK;
}

/* Folders that a sandbox must not get.  in: nor a directory inside. */
typedef struct kept {
    uint32_t which; /* SBX_DIR_*, 0: `path` */
    const char *path;
    int in;
    const char *why;
} kept;

static sbx_status judge_one_kept(const kept *k, HANDLE handle, const char *named, const char *root, sbx_error *err)
{
    char *path = handle ? sbx_file_final_path(handle, VOLUME_NAME_DOS) : sbx_strdup(named); /* may not exist yet */
    sbx_status st = SBX_OK;

    if (!path)
        st = sbx_fail_memory(err);
    else if (sbx_path_is_below(path, root) || (k->in && sbx_path_is_below(root, path)))
        st = refuse(err, k->why, root, "name a directory for the work alone");
    sbx_free(path);
    return st;
}

static int is_link(HANDLE handle)
{
    FILE_BASIC_INFO info;

    return GetFileInformationByHandleEx(handle, FileBasicInfo, &info, sizeof(info)) &&
           (info.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT);
}

static int is_file(HANDLE handle)
{
    FILE_BASIC_INFO info;

    return GetFileInformationByHandleEx(handle, FileBasicInfo, &info, sizeof(info)) &&
           !(info.FileAttributes & (FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY));
}

/* Where it is a link, both that and the folder behind it. */
static sbx_status judge_kept(const kept *k, const char *root, sbx_error *err)
{
    const char *path = k->path;
    char *named = NULL;
    HANDLE handle = NULL;
    sbx_status st = SBX_OK;

    if (k->which) {
        st = sbx_dirs_get(k->which, &named, err);
        if (st != SBX_OK)
            return st;
    }
    if (named)
        path = named;
    handle = open_dir(path, FILE_READ_ATTRIBUTES, SHARE_ALL, FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    st = judge_one_kept(k, handle, path, root, err);
    if (st == SBX_OK && handle && is_link(handle)) {
        sbx_handle_close(&handle);
        handle = open_dir(path, FILE_READ_ATTRIBUTES, SHARE_ALL, 0, NULL);
        if (handle)
            st = judge_one_kept(k, handle, path, root, err);
    }
    sbx_handle_close(&handle);
    sbx_free(named);
    return st;
}

#define OWN 5u /* of the table below, sbx's own folders begin here */

static sbx_status judge_place(const char *root, size_t from, sbx_error *err)
{
    const kept all[] = {
        {SBX_DIR_PROFILE, NULL, 0, "the user profile cannot be a writable root"},
        {SBX_DIR_LOCAL_DATA, NULL, 0, "the user's application data cannot be a writable root"},
        {SBX_DIR_ROAMING_DATA, NULL, 0, "the user's application data cannot be a writable root"},
        {SBX_DIR_PROGRAM_DATA, NULL, 0, "the application data of the machine cannot be a writable root"},
        {SBX_DIR_WINDOWS, NULL, 1, "the Windows folder cannot be a writable root"},
        {SBX_DIR_PROGRAM, NULL, 0, "the folder of sbx itself cannot be in a writable root"},
        {0, sbx_host_table ? sbx_host_table->state_dir : NULL, 1, "the state of sbx cannot be in a writable root"},
    };
    size_t i;

    for (i = from; i < ARRAYSIZE(all); i++) {
        sbx_status st = all[i].which || all[i].path ? judge_kept(&all[i], root, err) : SBX_OK;

        if (st != SBX_OK)
            return st;
    }
    return SBX_OK;
}

static sbx_status judge_kind(HANDLE handle, const char *path, sbx_error *err)
{
    FILE_BASIC_INFO info; /* every file system tells it; not all have FileAttributeTagInfo */

    if (!GetFileInformationByHandleEx(handle, FileBasicInfo, &info, sizeof(info)))
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetFileInformationByHandleEx", path);
    if (info.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)
        return refuse(err, "a link cannot be a writable root", path, "name the directory that it points to");
    if (!(info.FileAttributes & FILE_ATTRIBUTE_DIRECTORY))
        return refuse(err, "a file cannot be a writable root", path, NULL);
    return SBX_OK;
}

/* *missing: there is no directory of that name, which is an error, too.  is_new: hints are for who wants it writable. */
static sbx_status open_root(const char *path, ACCESS_MASK access, DWORD share, int is_new, HANDLE *handle, int *missing,
                            sbx_error *err)
{
    sbx_error why = {.size = sizeof(why)};
    HANDLE look;
    sbx_status st;

    *missing = 0;
    if (!strncmp(path, "\\\\", 2) && sbx_path_kind(path) == SBX_PATH_UNC)
        return refuse(err, "a directory of another machine cannot be a writable root", path, NULL);
    *handle = open_dir(path, access, share, FILE_FLAG_OPEN_REPARSE_POINT, &why);
    if (*handle) {
        st = judge_kind(*handle, path, err);
        *missing = st == SBX_E_REFUSED;
        return st;
    }
    if (why.code == ERROR_FILE_NOT_FOUND || why.code == ERROR_PATH_NOT_FOUND) {
        *missing = 1;
        return refuse(err, "there is no such directory", path,
                      is_new ? "make it first, or do not name it as writable" : NULL);
    }
    /* a link or a file is told as what it is, whoever may change it */
    look = open_dir(path, FILE_READ_ATTRIBUTES, SHARE_ALL, FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    st = look ? judge_kind(look, path, err) : SBX_OK;
    sbx_handle_close(&look);
    *missing = st == SBX_E_REFUSED;
    if (st != SBX_OK)
        return st;
    if (why.code == ERROR_ACCESS_DENIED)
        return refuse(err,
                      access & WRITE_DAC ? "its access rights may not be changed by this user"
                                         : "its access rights may not be read by this user",
                      path, is_new ? "only its owner or somebody with full control can make it a writable root" : NULL);
    if (err)
        *err = why;
    return why.status;
}

/* What is known of an opened directory. */
static sbx_status describe(sbx_root *root, const char *path, sbx_error *err)
{
    root->spelled = sbx_strdup(path);
    if (!root->spelled)
        return sbx_fail_memory(err);
    root->path = sbx_file_final_path(root->handle, VOLUME_NAME_DOS);
    if (!root->path)
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetFinalPathNameByHandleW", path);
    if (sbx_path_kind(root->path) != SBX_PATH_DRIVE && sbx_path_kind(root->path) != SBX_PATH_VOLUME)
        return refuse(err, "a directory of another machine cannot be a writable root", path, NULL);
    root->kind = SBX_RECORD_GRANT;
    return sbx_sid_of(root->handle, root->path, &root->sid, err);
}

sbx_status sbx_root_open(const char *path, sbx_root *root, sbx_error *err)
{
    sbx_root made = {0};
    int missing;
    sbx_status st = open_root(path, SBX_ROOT_ACCESS, SHARE_ALL, 1, &made.handle, &missing, err);

    if (st == SBX_OK)
        st = judge_volume(made.handle, path, err);
    if (st == SBX_OK)
        st = describe(&made, path, err);
    if (st == SBX_OK)
        st = judge_place(made.path, 0, err);
    if (st == SBX_OK)
        st = sbx_way_judge(made.spelled, made.path, err);
    if (st == SBX_OK) {
        *root = made;
        memset(&made, 0, sizeof(made));
    }
    sbx_root_close(&made);
    return st;
}

static sbx_status reopen(const char *path, DWORD share, sbx_root *root, sbx_error *err)
{
    sbx_error why = {.size = sizeof(why)};
    sbx_root made = {0};
    int missing;
    sbx_status st = open_root(path, SBX_ROOT_ACCESS, share, 0, &made.handle, &missing, &why);

    if (st == SBX_OK)
        st = describe(&made, path, &why);
    if (st == SBX_OK) {
        *root = made;
        return SBX_OK;
    }
    sbx_root_close(&made);
    if (missing)
        return SBX_OK;
    if (err)
        *err = why;
    return st;
}

sbx_status sbx_root_reopen(const char *path, sbx_root *root, sbx_error *err)
{
    return reopen(path, SHARE_ALL, root, err);
}

sbx_status sbx_root_reopen_held(const char *path, sbx_root *root, sbx_error *err)
{
    sbx_status st = reopen(path, SHARE_ALL & ~(DWORD)FILE_SHARE_DELETE, root, err);

    root->is_held = st == SBX_OK && root->handle;
    return st;
}

sbx_status sbx_root_reopen_any(const char *path, sbx_root *root, sbx_error *err)
{
    sbx_error why = {.size = sizeof(why)};
    sbx_root made = {.handle = open_dir(path, ANY_ACCESS, SHARE_ALL, FILE_FLAG_OPEN_REPARSE_POINT, &why)};
    sbx_status st = SBX_OK;

    if (made.handle && (st = describe(&made, path, err)) == SBX_OK) {
        *root = made;
        return SBX_OK;
    }
    sbx_root_close(&made);
    if (st != SBX_OK || why.code == ERROR_FILE_NOT_FOUND || why.code == ERROR_PATH_NOT_FOUND)
        return st;
    if (err)
        *err = why;
    return why.status;
}

sbx_status sbx_root_look(const char *path, sbx_root *root, sbx_error *err)
{
    sbx_root made = {0};
    int missing;
    sbx_status st =
        open_root(path, READ_CONTROL | FILE_READ_ATTRIBUTES | SYNCHRONIZE, SHARE_ALL, 0, &made.handle, &missing, err);

    if (st == SBX_OK)
        st = describe(&made, path, err);
    if (st == SBX_OK)
        *root = made;
    else
        sbx_root_close(&made);
    return st;
}

/* Opened through mount points; NULL where it is not on the volume of the SID. */
static HANDLE open_on_volume(const WCHAR *path_w, const sbx_sid *sid)
{
    HANDLE handle = sbx_handle_from(CreateFileW(path_w, FILE_READ_ATTRIBUTES,
                                                FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                                OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL));
    sbx_sid found;

    if (handle && (sbx_sid_of(handle, "volume", &found, NULL) != SBX_OK || !sbx_sid_same_volume(&found, sid)))
        sbx_handle_close(&handle);
    return handle;
}

/* The root of the volume of a SID, by the volume's own name or the first path that leads there. */
static HANDLE open_volume(const sbx_sid *sid)
{
    WCHAR *name_w = NULL, paths_w[MAX_PATH * 2];
    char name[SBX_SID_VOLUME];
    DWORD length = 0;
    HANDLE volume;

    sbx_sid_volume(sid, name);
    if (sbx_wide(name, "volume", &name_w, NULL) != SBX_OK)
        return NULL;
    volume = open_on_volume(name_w, sid);
    if (!volume && GetVolumePathNamesForVolumeNameW(name_w, paths_w, ARRAYSIZE(paths_w), &length) && paths_w[0])
        volume = open_on_volume(paths_w, sid);
    sbx_free(name_w);
    return volume;
}

sbx_status sbx_root_find(const sbx_sid *sid, const char *path, sbx_root *root, sbx_error *err)
{
    FILE_ID_DESCRIPTOR id = {.dwSize = sizeof(id), .Type = ExtendedFileIdType};
    sbx_root made = {0};
    HANDLE volume = open_volume(sid);
    const int is_hidden = sbx_sid_is_hidden(sid);
    DWORD code;
    sbx_status st = SBX_OK;

    if (!volume) {
        sbx_fail(err, SBX_E_UNAVAILABLE, "the volume that it is on is not there", path);
        sbx_hint(err, "repeat this when it is");
        return SBX_E_UNAVAILABLE;
    }
    sbx_sid_file(sid, id.ExtendedFileId.Identifier);
    made.handle = sbx_handle_from(OpenFileById(volume, &id, is_hidden ? ANY_ACCESS : SBX_ROOT_ACCESS,
                                               FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                               FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT));
    code = GetLastError();
    if (made.handle && !is_hidden && is_file(made.handle)) {
        sbx_handle_close(&made.handle); /* a number that was given away */
    } else if (made.handle) {
        st = is_hidden ? SBX_OK : judge_kind(made.handle, path, err);
        if (st == SBX_OK)
            st = describe(&made, path, err);
    } else if (code == ERROR_ACCESS_DENIED) {
        st = refuse(err, "its access rights may not be changed by this user", path, NULL);
    } else if (code != ERROR_INVALID_PARAMETER && code != ERROR_FILE_NOT_FOUND && code != ERROR_PATH_NOT_FOUND) {
        /* NTFS says the first of an ID that it does not have */
        st = sbx_fail_code(err, SBX_E_SYSTEM, SBX_CODE_WIN32, code, "OpenFileById", path);
    }
    sbx_sid_set_tag_of(&made.sid, sid);
    if (st == SBX_OK && made.handle && !memcmp(&made.sid, sid, sizeof(*sid))) {
        *root = made;
        memset(&made, 0, sizeof(made));
    }
    sbx_root_close(&made);
    sbx_handle_close(&volume);
    return st;
}

sbx_status sbx_root_judge_again(const sbx_root *root, sbx_error *err)
{
    sbx_status st = judge_place(root->path, OWN, err);

    return st == SBX_OK ? sbx_way_judge(root->spelled, root->path, err) : st;
}

sbx_status sbx_root_hold(sbx_root *root, sbx_error *err)
{
    HANDLE held = NULL;
    NTSTATUS status;

    if (root->is_held)
        return SBX_OK;
    status = sbx_nt_reopen(root->handle, SBX_ROOT_ACCESS, 0, &held);
    if (status == SBX_NT_SHARING_VIOLATION) {
        sbx_fail_nt(err, SBX_E_REFUSED, status, "keep the directory where it is", root->path);
        sbx_hint(err, "a program has it open to delete or to move it; end that first");
        return SBX_E_REFUSED;
    }
    if (!SBX_NT_OK(status))
        return sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtOpenFile", root->path);
    sbx_handle_close(&root->handle);
    root->handle = held;
    root->is_held = 1;
    return SBX_OK;
}

void sbx_root_close(sbx_root *root)
{
    sbx_handle_close(&root->handle);
    sbx_free(root->path);
    sbx_free(root->spelled);
    memset(root, 0, sizeof(*root));
}

/* length: of the part of `relative` that is the link. */
static sbx_status refuse_way(const sbx_root *root, const char *relative, size_t length, sbx_error *err)
{
    sbx_text link = {0};

    sbx_text_printf(&link, "%s\\%.*s", root->path, (int)length, relative);
    sbx_fail(err, SBX_E_REFUSED, "a link is on the way to a protected path", link.failed ? relative : link.data);
    sbx_hint(err, "it leads to what is to be protected, %s; name the directory that the link points to",
             relative + length + 1);
    sbx_text_fini(&link);
    return SBX_E_REFUSED;
}

/* One step.  Whoever may list a directory may look at what is in it, though nothing there admits him: without SYNCHRONIZE. */
static NTSTATUS step_below(const sbx_root *root, HANDLE parent, const WCHAR *name, size_t length, ACCESS_MASK access,
                           HANDLE *next)
{
    NTSTATUS status = sbx_nt_child(parent, name, length, FILE_READ_ATTRIBUTES | SYNCHRONIZE | access, FILE_OPEN,
                                   FILE_SYNCHRONOUS_IO_NONALERT, NULL, next);

    if (status == SBX_NT_ACCESS_DENIED && root->may_mend &&
        sbx_admit_mend(parent, (const uint16_t *)name, length, &root->sid))
        status = sbx_nt_child(parent, name, length, FILE_READ_ATTRIBUTES | SYNCHRONIZE | access, FILE_OPEN,
                              FILE_SYNCHRONOUS_IO_NONALERT, NULL, next);
    if (status == SBX_NT_ACCESS_DENIED && !(access & ~(ACCESS_MASK)(DELETE | READ_CONTROL)))
        status = sbx_nt_child(parent, name, length, FILE_READ_ATTRIBUTES | access, FILE_OPEN, 0, NULL, next);
    return status;
}

sbx_status sbx_root_below(const sbx_root *root, const char *relative, ACCESS_MASK access, void **handle,
                          sbx_nt_info *info, sbx_error *err)
{
    uint16_t *text_w = NULL;
    const WCHAR *at;
    const char *rest = relative; /* as `at` */
    HANDLE current = NULL, next = NULL;
    sbx_status st = sbx_wide(relative, "path", &text_w, err);
    int last = 0;

    *handle = NULL;
    if (st != SBX_OK)
        return st;
    for (at = (const WCHAR *)text_w; !last; at++) {
        size_t length = wcscspn(at, L"\\");
        NTSTATUS status;

        last = !at[length];
        status = step_below(root, current ? current : root->handle, at, length, last ? access : FILE_TRAVERSE, &next);
        sbx_handle_close(&current);
        if (SBX_NT_GONE(status) || status == SBX_NT_NOT_DIRECTORY)
            break;
        if (SBX_NT_OK(status))
            status = sbx_nt_query(next, info);
        if (!SBX_NT_OK(status)) {
            st = status == SBX_NT_REPARSE_MET ? sbx_sd_result(status, 0, relative, err)
                                              : sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtCreateFile", relative);
            break;
        }
        current = next;
        next = NULL;
        if (!last && (info->attributes & FILE_ATTRIBUTE_REPARSE_POINT)) {
            st = refuse_way(root, relative, (size_t)(rest - relative) + strcspn(rest, "\\"), err);
            break;
        }
        if (!last && !(info->attributes & FILE_ATTRIBUTE_DIRECTORY))
            break; /* nothing is in a file; with which status an open in one fails is its file system's own affair */
        at += length;
        rest += strcspn(rest, "\\") + !last;
    }
    if (st == SBX_OK && last) {
        *handle = current;
        current = NULL;
    }
    sbx_handle_close(&next);
    sbx_handle_close(&current);
    sbx_free(text_w);
    return st;
}
