#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#include "base/text.h"
#include "common/children.h"
#include "common/host.h"
#include "common/grants/ledger.h"
#include "common/state.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/wide.h"

#define RETRY_MS 10u
#define TELL_MS 1000u
#define KEPT ".kept"        /* ends the name of a record of what outlives a run: root.run.process.kept */
#define HELD_AT 0x40000000u /* the byte of a run file that a run of an older sbx keeps locked */
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

struct sbx_lock {
    HANDLE file;
    int is_borrowed;
};

struct sbx_hold {
    HANDLE file;
    WCHAR name[64];
};

char *sbx_state_path(const char *name)
{
    sbx_text text = {0};

    if (!sbx_host_table || !sbx_host_table->state_dir)
        return NULL;
    sbx_text_printf(&text, "%s\\%s", sbx_host_table->state_dir, name);
    return sbx_text_take(&text);
}

sbx_status sbx_state_wide(const char *path, uint16_t **path_w, sbx_error *err)
{
    return sbx_wide_path(path, path_w, err);
}

static sbx_status make_dir(const char *path, sbx_error *err)
{
    uint16_t *path_w = NULL;
    sbx_status st = sbx_wide_path(path, &path_w, err);

    if (st != SBX_OK)
        return st;
    if (!CreateDirectoryW((const WCHAR *)path_w, NULL) && GetLastError() != ERROR_ALREADY_EXISTS)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateDirectoryW", path);
    sbx_free(path_w);
    return st;
}

sbx_status sbx_state_make(sbx_error *err)
{
    char *runs = sbx_state_path("runs");
    sbx_status st = runs ? make_dir(runs, NULL) : sbx_fail_memory(err);

    if (runs && st != SBX_OK) {
        st = make_dir(sbx_host_table->state_dir, err);
        if (st == SBX_OK)
            st = make_dir(runs, err);
    }
    sbx_free(runs);
    return st;
}

/* The place of a root's lock: anywhere but at 0, where the ledger's is. */
static OVERLAPPED place_of(const sbx_sid *sid)
{
    const uint64_t number = sid ? sbx_sid_number(sid) : 0;
    OVERLAPPED place;

    memset(&place, 0, sizeof(place));
    place.Offset = (DWORD)number;
    if (sid)
        place.OffsetHigh = ((DWORD)(number >> 32) & 0x3FFFFFFFu) | 0x20000000u;
    return place;
}

/* A file of the state directory, which is made for the first one. */
static sbx_status open_file(const char *path, const uint16_t *path_w, DWORD access, DWORD share, DWORD disposition,
                            DWORD flags, void **file, sbx_error *err)
{
    sbx_status st;

    *file = sbx_handle_from(CreateFileW((const WCHAR *)path_w, access, share, NULL, disposition, flags, NULL));
    if (!*file && GetLastError() == ERROR_PATH_NOT_FOUND) {
        if ((st = sbx_state_make(err)) != SBX_OK)
            return st;
        *file = sbx_handle_from(CreateFileW((const WCHAR *)path_w, access, share, NULL, disposition, flags, NULL));
    }
    return *file ? SBX_OK : sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", path);
}

static sbx_status take(const sbx_sid *sid, HANDLE file, uint32_t wait_ms, sbx_lock **lock, sbx_error *err)
{
    OVERLAPPED place = place_of(sid);
    char *path = sbx_state_path("lock");
    uint16_t *path_w = NULL;
    sbx_lock *made = sbx_alloc_zero(1, sizeof(*made));
    const ULONGLONG begin = GetTickCount64();
    int told = 0;
    sbx_status st = path && made ? sbx_wide_path(path, &path_w, err) : sbx_fail_memory(err);

    if (st == SBX_OK && !file)
        st = open_file(path, path_w, GENERIC_READ | GENERIC_WRITE, SHARE_ALL, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL,
                       &made->file, err);
    if (st != SBX_OK)
        goto out;
    if (file)
        made->file = file;
    while (!LockFileEx(made->file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place)) {
        if (GetLastError() != ERROR_LOCK_VIOLATION && GetLastError() != ERROR_IO_PENDING) {
            st = sbx_fail_last(err, SBX_E_SYSTEM, "LockFileEx", path);
            goto out;
        }
        if (GetTickCount64() - begin >= wait_ms) {
            st = sbx_fail(err, SBX_E_REFUSED, "another process keeps it locked", path);
            sbx_hint(err,
                     "another sbx is changing access rights, or a program holds this file; try again when it is done");
            goto out;
        }
        if (!told && GetTickCount64() - begin >= TELL_MS) {
            told = 1;
            sbx_host_log(SBX_LOG_WARN, "waiting for another process that keeps %s locked, %lu s at most", path,
                         (unsigned long)(wait_ms / 1000));
        }
        Sleep(RETRY_MS);
    }
    made->is_borrowed = file != NULL;
    *lock = made;
    made = NULL;
out:
    if (made && made->file != file)
        sbx_handle_close(&made->file);
    sbx_free(made);
    sbx_free(path_w);
    sbx_free(path);
    return st;
}

sbx_status sbx_lock_take(const sbx_sid *sid, uint32_t wait_ms, sbx_lock **lock, sbx_error *err)
{
    return take(sid, NULL, wait_ms, lock, err);
}

sbx_status sbx_lock_ledger(const sbx_lock *other, uint32_t wait_ms, sbx_lock **lock, sbx_error *err)
{
    return take(NULL, other ? other->file : NULL, wait_ms, lock, err);
}

void sbx_lock_give(sbx_lock *lock)
{
    OVERLAPPED place = place_of(NULL);

    if (!lock)
        return;
    if (lock->is_borrowed)
        UnlockFileEx(lock->file, 0, 1, 0, &place);
    else
        sbx_handle_close(&lock->file); /* and with it the lock */
    sbx_free(lock);
}

/* ---- Runs ------------------------------------------------------------------ */

/* A run file: process id, then the SIDs.  While its run lives nobody else may open it to write. */
sbx_status sbx_hold_take(const char *run_id, const sbx_sid *sids, uint32_t count, sbx_hold **hold, sbx_error *err)
{
    sbx_text name = {0}, says = {0};
    uint16_t *path_w = NULL;
    char *path = NULL;
    sbx_hold *made = sbx_alloc_zero(1, sizeof(*made));
    DWORD process = GetCurrentProcessId(), written = 0;
    uint32_t i;
    size_t length;
    sbx_status st;

    sbx_text_printf(&name, "runs\\%s.%lu", run_id ? run_id : "run", (unsigned long)process);
    path = name.data ? sbx_state_path(name.data) : NULL;
    st = path && made && !name.failed ? sbx_wide_path(path, &path_w, err) : sbx_fail_memory(err);
    if (st == SBX_OK)
        st = open_file(path, path_w, GENERIC_READ | GENERIC_WRITE | DELETE, FILE_SHARE_READ | FILE_SHARE_DELETE,
                       CREATE_ALWAYS, FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, &made->file, err);
    if (st != SBX_OK)
        goto out;
    for (length = strlen(path); length && path[length - 1] != '\\'; length--)
        ;
    for (i = 0; path[length + i] && i < ARRAYSIZE(made->name) - 1; i++)
        made->name[i] = (WCHAR)(unsigned char)path[length + i];
    sbx_text_add_n(&says, (const char *)&process, sizeof(process));
    sbx_text_add_n(&says, (const char *)sids, count * sizeof(*sids));
    if (says.failed) {
        st = sbx_fail_memory(err);
        goto out;
    }
    if (!WriteFile(made->file, says.data, (DWORD)says.length, &written, NULL) || written != says.length) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "WriteFile", path);
        goto out;
    }
    *hold = made;
    made = NULL;
out:
    sbx_hold_give(made);
    sbx_text_fini(&says);
    sbx_text_fini(&name);
    sbx_free(path_w);
    sbx_free(path);
    return st;
}

void sbx_hold_give(sbx_hold *hold)
{
    if (!hold)
        return;
    sbx_handle_close(&hold->file); /* deletes it */
    sbx_free(hold);
}

static char *kept_path(const char *name)
{
    sbx_text inner = {0};
    char *path = NULL;

    sbx_text_printf(&inner, "runs\\%s", name);
    if (!inner.failed)
        path = sbx_state_path(inner.data);
    sbx_text_fini(&inner);
    return path;
}

sbx_status sbx_hold_keep(const sbx_hold *hold, const sbx_sid *sid)
{
    char name[16 + ARRAYSIZE(hold->name) + sizeof(KEPT) + 2], *path;
    uint32_t left;

    snprintf(name, sizeof(name), "%016llx.%ls" KEPT, (unsigned long long)sbx_sid_number(sid), hold->name);
    path = kept_path(name);
    left = path ? sbx_children_record(path) : SBX_CHILDREN_UNKNOWN;
    sbx_free(path);
    return left == SBX_CHILDREN_UNKNOWN ? SBX_E_UNAVAILABLE : SBX_OK;
}

/* Whether a name in the folder of runs is that of a record of what outlives one. */
static int is_kept(const WCHAR *name)
{
    const size_t length = wcslen(name), suffix = sizeof(KEPT) - 1;

    return length > suffix && !wcscmp(name + length - suffix, L"" KEPT);
}

/* The process in the name of a run file, "id.process". */
static uint32_t process_of(const WCHAR *name)
{
    const WCHAR *dot = wcsrchr(name, L'.');
    uint32_t process = dot ? wcstoul(dot + 1, NULL, 10) : 0;

    return process ? process : 1;
}

static HANDLE open_run(const WCHAR *path_w, DWORD access)
{
    return sbx_handle_from(CreateFileW(path_w, access, SHARE_ALL, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL));
}

static uint32_t holder_in(HANDLE file, const WCHAR *name, const sbx_sid *sid)
{
    DWORD process = 0, got = 0;
    sbx_sid one;

    if (!ReadFile(file, &process, sizeof(process), &got, NULL))
        return process_of(name);
    if (got != sizeof(process)) /* it begins: it takes its roots under their locks */
        return 0;
    for (;;) {
        if (!ReadFile(file, &one, sizeof(one), &got, NULL))
            return process_of(name);
        if (got != sizeof(one))
            return 0;
        if (!memcmp(&one, sid, sizeof(one)))
            return process;
    }
}

/* The process of a run file, if it lives and holds the root.  Who may read the file can lock its bytes against
 * reading, and open it so that nobody writes: what may live and cannot be read holds every root. */
static uint32_t holder(const WCHAR *path_w, const WCHAR *name, const sbx_sid *sid)
{
    OVERLAPPED place = {.Offset = HELD_AT};
    HANDLE file = open_run(path_w, GENERIC_READ | GENERIC_WRITE);
    uint32_t process = 0;

    if (!file) {
        file = open_run(path_w, GENERIC_READ);
        /* gone, or about to be, which Windows calls denied */
        if (!file && GetLastError() != ERROR_FILE_NOT_FOUND && GetLastError() != ERROR_ACCESS_DENIED)
            process = process_of(name);
    } else if (LockFileEx(file, LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place)) {
        sbx_handle_close(&file);
    }
    if (file)
        process = holder_in(file, name, sid);
    sbx_handle_close(&file);
    return process;
}

/* A process that outlived its run and has this root's SID still.  The record goes with the last of them. */
static uint32_t keeper(const WCHAR *name_w, const sbx_sid *sid)
{
    uint32_t process = 0, answer;
    char *name = NULL, *path;
    WCHAR *end;

    if (wcstoull(name_w, &end, 16) != sbx_sid_number(sid) || *end != L'.')
        return 0;
    path = sbx_narrow((const uint16_t *)name_w, &name, NULL) == SBX_OK ? kept_path(name) : NULL;
    answer = path ? sbx_children_ask(path, &process) : SBX_CHILDREN_ALIVE;
    if (answer == SBX_CHILDREN_ALIVE && !process) /* it lives and cannot be read, as above */
        process = process_of(name_w);
    else if (answer == SBX_CHILDREN_GONE)
        sbx_children_forget(path);
    sbx_free(path);
    sbx_free(name);
    return process;
}

sbx_status sbx_hold_find(const sbx_sid *sid, const sbx_hold *except, uint32_t *process_id, sbx_error *err)
{
    WIN32_FIND_DATAW data;
    sbx_text pattern = {0};
    HANDLE search = NULL;
    sbx_status st = SBX_OK;
    uint16_t *pattern_w = NULL, *dir_w = NULL;
    char *dir = sbx_state_path("runs");

    *process_id = 0;
    if (!dir)
        return sbx_fail_memory(err);
    sbx_text_printf(&pattern, "%s\\*", dir);
    st = pattern.failed ? sbx_fail_memory(err) : sbx_wide_path(pattern.data, &pattern_w, err);
    if (st == SBX_OK)
        st = sbx_wide_path(dir, &dir_w, err);
    if (st != SBX_OK)
        goto out;
    search = sbx_handle_from(FindFirstFileW((const WCHAR *)pattern_w, &data));
    if (!search) {
        if (GetLastError() != ERROR_FILE_NOT_FOUND && GetLastError() != ERROR_PATH_NOT_FOUND)
            st = sbx_fail_last(err, SBX_E_SYSTEM, "FindFirstFileW", dir);
        goto out; /* no run ever, or nobody knows */
    }
    do {
        WCHAR path[2048];
        size_t dir_length = wcslen((const WCHAR *)dir_w), name_length = wcslen(data.cFileName);

        if (is_kept(data.cFileName)) {
            *process_id = keeper(data.cFileName, sid);
            continue;
        }
        if ((data.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) || (except && !wcscmp(data.cFileName, except->name)) ||
            dir_length + name_length + 2 > ARRAYSIZE(path))
            continue;
        memcpy(path, dir_w, dir_length * sizeof(WCHAR));
        path[dir_length] = L'\\';
        memcpy(path + dir_length + 1, data.cFileName, (name_length + 1) * sizeof(WCHAR));
        *process_id = holder(path, data.cFileName, sid);
    } while (!*process_id && FindNextFileW(search, &data));
    if (!*process_id && GetLastError() != ERROR_NO_MORE_FILES)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "FindNextFileW", dir);
out:
    if (search)
        FindClose(search);
    sbx_text_fini(&pattern);
    sbx_free(pattern_w);
    sbx_free(dir_w);
    sbx_free(dir);
    return st;
}
