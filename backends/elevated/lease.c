#include "elevated/lease.h"

#include <windows.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "base/utf.h"
#include "common/host.h"
#include "common/state.h"
#include "common/token/station.h"
#include "elevated/lease_file.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/user.h"
#include "win/walk.h"
#include "win/wide.h"

#define RETRY_MS 50u
#define TELL_MS 1000u
#define DYING_MS 1000u /* processes of a run that was killed are ended by the system, in its own time */

#define GOT 0
#define BUSY 1
#define LEFT_OUT 2 /* cannot be taken, and waiting does not help */
#define STOP 3     /* nor would another account help */

typedef struct candidate {
    uint32_t slot;
    int is_mine;   /* the workspace had it last */
    uint64_t used; /* when; 0: never */
} candidate;

typedef struct search {
    sbx_lease *lease;
    const sbx_machine_user *user;
    int online;
    const char *workspace;
    uint32_t told; /* a bit for each slot that was named */
    sbx_error *err;
} search;

/* ---- in which order they are tried ---- */

static void look(const search *s, candidate *one)
{
    WIN32_FILE_ATTRIBUTE_DATA data;
    char account[24], *path, *workspace = NULL, *left, *owed;
    uint16_t *path_w = NULL;

    sbx_machine_account_name(account, s->user->number, s->online, one->slot);
    path = sbx_lease_file_path(account);
    if (path && sbx_state_wide(path, &path_w, NULL) == SBX_OK &&
        GetFileAttributesExW(path_w, GetFileExInfoStandard, &data)) {
        one->used = (uint64_t)data.ftLastWriteTime.dwHighDateTime << 32 | data.ftLastWriteTime.dwLowDateTime;
        one->is_mine = sbx_lease_file_read(path, &workspace, &left, &owed, NULL) == SBX_OK &&
                       sbx_path_equal(workspace, s->workspace) != 0;
    }
    sbx_free(workspace);
    sbx_free(path_w);
    sbx_free(path);
}

/* Those of this workspace, the last one first; then those that others are the least likely to come back to. */
static int compare(const void *left, const void *right)
{
    const candidate *a = left, *b = right;

    if (a->is_mine != b->is_mine)
        return b->is_mine - a->is_mine;
    if (a->used != b->used)
        return (a->used < b->used) == a->is_mine ? 1 : -1;
    return a->slot < b->slot ? -1 : 1;
}

/* ---- one of them ---- */

static int on_process(void *context, uint32_t process_id)
{
    *(uint32_t *)context = process_id;
    return 1;
}

/* *process_id 0: none is left in the account. */
static sbx_status find_process(const char *sid, uint32_t *process_id, sbx_error *err)
{
    const ULONGLONG begin = GetTickCount64();
    uint16_t *sid_w = NULL;
    PSID account = NULL;
    sbx_status st = sbx_wide(sid, "account", &sid_w, err);

    if (st != SBX_OK)
        return st;
    if (!ConvertStringSidToSidW(sid_w, &account)) {
        account = NULL;
        st = sbx_fail_last(err, SBX_E_SYSTEM, "ConvertStringSidToSidW", sid);
    }
    for (; st == SBX_OK; Sleep(RETRY_MS)) {
        *process_id = 0;
        st = sbx_walk_processes(account, on_process, process_id, err);
        if (!*process_id || GetTickCount64() - begin >= DYING_MS)
            break;
    }
    LocalFree(account);
    sbx_free(sid_w);
    return st;
}

static sbx_status write_file(const sbx_lease *lease, sbx_error *err)
{
    sbx_text owed = {0};
    sbx_status st;

    sbx_text_printf(&owed, "%s%s", lease->owed ? lease->owed : "", lease->made ? lease->made : "");
    st = owed.failed ? sbx_fail_memory(err)
                     : sbx_lease_file_write(lease->file, lease->account, lease->workspace,
                                            lease->left ? lease->left : "", owed.data ? owed.data : "", err);
    sbx_text_fini(&owed);
    return st;
}

/* What the last run in the account left where it was killed.  A file that is no record has nothing to tell; one that somebody keeps from
 * being read may have. */
static sbx_status take_left(sbx_lease *lease, const char *path, sbx_error *err)
{
    char *workspace = NULL, *left, *owed;
    sbx_error why = {0};
    sbx_status st = SBX_OK;

    if (sbx_lease_file_read(path, &workspace, &left, &owed, &why) == SBX_OK) {
        sbx_station_undo(left);
        if (*owed && (lease->owed = sbx_strdup(owed)) == NULL)
            st = sbx_fail_memory(err);
    } else if (why.code) {
        *err = why;
        st = why.status;
    }
    sbx_free(workspace);
    return st;
}

static int try_one(search *s, uint32_t slot)
{
    OVERLAPPED place = {.Offset = SBX_LEASE_HELD_AT};
    sbx_lease *lease = s->lease;
    uint32_t process_id = 0;
    char *path;
    int answer = GOT;
    sbx_status st;

    sbx_machine_account_name(lease->account, s->user->number, s->online, slot);
    lease->sid = s->user->accounts[s->online][slot];
    path = sbx_lease_file_path(lease->account);
    st = path ? sbx_lease_file_open(path, &lease->file, s->err) : sbx_fail_memory(s->err);
    if (st != SBX_OK) {
        answer = st == SBX_E_MEMORY ? STOP : LEFT_OUT;
    } else if (!LockFileEx(lease->file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place)) {
        answer = BUSY;
        if (GetLastError() != ERROR_LOCK_VIOLATION && GetLastError() != ERROR_IO_PENDING) {
            sbx_fail_last(s->err, SBX_E_SYSTEM, "LockFileEx", path);
            answer = LEFT_OUT;
        }
    } else if (find_process(lease->sid, &process_id, s->err) != SBX_OK) {
        answer = STOP;
    } else if (process_id) {
        sbx_fail(s->err, SBX_E_REFUSED, "a process of an earlier run is left in the account", lease->account);
        sbx_hint(s->err, "end process %u: taskkill /f /pid %u", process_id, process_id);
        answer = LEFT_OUT;
    } else {
        st = take_left(lease, path, s->err);
        if (st == SBX_OK)
            st = write_file(lease, s->err);
        answer = st == SBX_OK ? GOT : s->err->code == ERROR_LOCK_VIOLATION ? LEFT_OUT : STOP;
    }
    if (answer != GOT)
        sbx_handle_close(&lease->file);
    sbx_free(path);
    return answer;
}

static void name_left_out(search *s, uint32_t slot)
{
    char text[800];

    if (s->told & 1u << slot)
        return;
    s->told |= 1u << slot;
    sbx_error_describe(s->err, text, sizeof(text));
    sbx_host_log(SBX_LOG_WARN, "account %s is passed over: %s%s%s", s->lease->account, text,
                 s->err->hint[0] ? "; " : "", s->err->hint);
}

/* One round.  BUSY: one may be free later. */
static int try_all(search *s)
{
    candidate all[SBX_SLOTS_MAX] = {{0, 0, 0}};
    int answer, busy = 0;
    uint32_t i;

    for (i = 0; i < s->user->slots; i++) {
        all[i].slot = i;
        look(s, &all[i]);
    }
    qsort(all, s->user->slots, sizeof(all[0]), compare);
    for (i = 0; i < s->user->slots; i++) {
        answer = try_one(s, all[i].slot);
        if (answer == GOT || answer == STOP)
            return answer;
        if (answer == LEFT_OUT)
            name_left_out(s, all[i].slot);
        busy |= answer == BUSY;
    }
    return busy ? BUSY : LEFT_OUT;
}

static sbx_status none_free(const search *s, sbx_error *err)
{
    const uint32_t slots = s->user->slots, more = slots * 2 < SBX_SLOTS_MAX ? slots * 2 : SBX_SLOTS_MAX;
    const char *kind = s->online ? "with a network" : "without a network";
    char what[64];

    if (slots == 1)
        snprintf(what, sizeof(what), "its one account %s is at work", kind);
    else
        snprintf(what, sizeof(what), "all of its %u accounts %s are at work", (unsigned)slots, kind);
    sbx_fail(err, SBX_E_REFUSED, what, "backend \"elevated\"");
    if (slots < SBX_SLOTS_MAX)
        return sbx_hint(err, "wait for another command to end, or make more of them: sbx setup --slots %u",
                        (unsigned)more);
    return sbx_hint(err, "wait for another command to end");
}

sbx_status sbx_lease_take(sbx_lease *lease, const sbx_machine_user *user, int online, const char *workspace,
                          uint64_t wait_ms, sbx_error *err)
{
    const ULONGLONG begin = GetTickCount64();
    sbx_error own = {0};
    search s = {lease, user, online != 0, workspace, 0, &own};
    ULONGLONG waited;
    int answer, told = 0;
    sbx_status st;

    lease->workspace = sbx_strdup(workspace);
    if (!lease->workspace)
        return sbx_fail_memory(err);
    while ((answer = try_all(&s)) == BUSY && (waited = GetTickCount64() - begin) < wait_ms) {
        if (!told && waited >= TELL_MS) {
            told = 1;
            none_free(&s, &own);
            sbx_host_log(SBX_LOG_WARN, "%s: waiting, %llu s at most; Ctrl-C ends the wait", own.op,
                         (unsigned long long)(wait_ms / 1000));
        }
        Sleep(RETRY_MS);
    }
    if (answer == GOT)
        return SBX_OK;
    st = answer == BUSY || !own.status ? none_free(&s, &own) : own.status;
    if (err)
        *err = own;
    sbx_lease_give(lease, 0);
    return st;
}

static int on_other(void *context, uint32_t process_id)
{
    *(uint32_t *)context = process_id;
    return process_id != GetCurrentProcessId();
}

sbx_status sbx_lease_look(sbx_error *err)
{
    sbx_user_sid self;
    uint32_t process_id = 0;
    char name[160];
    sbx_status st = sbx_user_get(&self, err);

    if (st == SBX_OK)
        st = sbx_walk_processes(self.u.bytes, on_other, &process_id, err);
    if (st != SBX_OK || !process_id || process_id == GetCurrentProcessId())
        return st;
    sbx_user_name(self.u.bytes, name, sizeof(name));
    st = sbx_fail(err, SBX_E_REFUSED, "something else runs in the account", name);
    sbx_hint(err, "end process %u: taskkill /f /pid %u", process_id, process_id);
    return st;
}

sbx_status sbx_lease_keep(sbx_lease *lease, const char *line, const char *made, sbx_error *err)
{
    lease->left = sbx_strdup(line);
    lease->made = sbx_strdup(made);
    return lease->left && lease->made ? write_file(lease, err) : sbx_fail_memory(err);
}

void sbx_lease_end(sbx_lease *lease)
{
    uint32_t process_id = 0;

    if (lease->file && find_process(lease->sid, &process_id, NULL) == SBX_OK && process_id)
        sbx_host_log(SBX_LOG_WARN,
                     "process %u is left in the account %s, outside of the sandbox; end it: taskkill /f /pid %u",
                     process_id, lease->account, process_id);
}

static void forget(char **text)
{
    sbx_free(*text);
    *text = NULL;
}

void sbx_lease_give(sbx_lease *lease, int is_done)
{
    const int has_kept = lease->left != NULL;

    forget(&lease->left);
    if (is_done) {
        forget(&lease->owed);
        forget(&lease->made);
    }
    if (has_kept)
        write_file(lease, NULL);
    forget(&lease->owed);
    forget(&lease->made);
    sbx_handle_close(&lease->file);
    sbx_free(lease->workspace);
    memset(lease, 0, sizeof(*lease));
}
