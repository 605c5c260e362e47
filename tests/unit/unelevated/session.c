/*
 * The backend from open to the end of a child, with a writable root made by hand instead of grants.
 *
 * The child is this program itself; it tries things and tells by its exit code.  Where the system does not enforce
 * restricted tokens the probe has to say so, and the rest is not judged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <sddl.h>
#include <wchar.h>
#include <cmocka.h>

#include "base/memory.h"
#include "common/grants/grant.h"
#include "common/host.h"
#include "common/token/token.h"
#include "common/token/token_info.h"
#include "unelevated/session.h"
#include "launch/restart.h"
#include "win/console.h"
#include "win/job.h"
#include "win/process.h"
#include "win/user.h"
#include "unit/support/fault.h"

#include "unelevated/unelevated.c" /* the table itself is in the DLL only */

#define ROOT_SID "S-1-9-1-2-3"
static const uint8_t root_sid[20] = {1, 3, 0, 0, 0, 0, 0, 9, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0};

static char base_dir[MAX_PATH], state_dir[MAX_PATH], program_dir[MAX_PATH], root_dir[MAX_PATH];
static const char run_id[] = "0123456789abcdef0123456789abcdef";
static char gaps[4096];
static int enforced;

/* ---- grants by hand ---- */

static const void *const granted[] = {root_sid};
static uint32_t granted_count = 1;

sbx_status sbx_grants_open(const sbx_policy *policy, uint32_t flags, const sbx_audience *audience, sbx_grants **grants,
                           sbx_error *err)
{
    (void)policy;
    (void)flags;
    (void)audience;
    (void)err;
    *grants = NULL;
    return SBX_OK;
}

uint32_t sbx_grants_sids(const sbx_grants *grants, const void *const **sids)
{
    (void)grants;
    *sids = granted;
    return granted_count;
}

const void *sbx_grants_set(const sbx_grants *grants)
{
    static const uint8_t set[44] = {1, 9, 0, 0, 0, 0, 0, 9, 'S', 'X', 'B', 'S', 1, 2, 3};

    (void)grants;
    return granted_count ? set : NULL;
}

void sbx_grants_close(sbx_grants *grants)
{
    (void)grants;
}

sbx_status sbx_grants_list(sbx_state_visitor visit, void *context, sbx_error *err)
{
    (void)visit;
    (void)context;
    (void)err;
    return SBX_OK;
}

sbx_status sbx_grants_clean(uint32_t what, const char *root, sbx_state_visitor visit, void *context, sbx_error *err)
{
    (void)what;
    (void)root;
    (void)visit;
    (void)context;
    (void)err;
    return SBX_OK;
}

/* ---- the host ---- */

static void *SBX_CALL host_alloc(uint64_t bytes)
{
    return malloc((size_t)bytes);
}

static void *SBX_CALL host_realloc(void *old, uint64_t bytes)
{
    return realloc(old, (size_t)bytes);
}

static void SBX_CALL host_free(void *memory)
{
    free(memory);
}

static void SBX_CALL host_line(uint32_t level, const char *text)
{
    (void)level;
    print_message("    %s\n", text);
}

static void SBX_CALL host_note(uint32_t kind, const char *object, const char *text)
{
    (void)text;
    if ((kind == SBX_NOTE_GAP || kind == SBX_NOTE_WARN) && strlen(gaps) + strlen(object) + 2 < sizeof(gaps)) {
        strncat(gaps, object, sizeof(gaps) - strlen(gaps) - 1);
        strncat(gaps, ";", sizeof(gaps) - strlen(gaps) - 1);
    }
}

static void SBX_CALL host_progress(const char *what, uint64_t done, uint64_t total)
{
    (void)what;
    (void)done;
    (void)total;
}

static const void *SBX_CALL host_extension(const char *id)
{
    (void)id;
    return NULL;
}

static sbx_host host = {.size = sizeof(sbx_host),
                        .abi = SBX_ABI_VERSION,
                        .program = SBX_PROGRAM_SBX,
                        .program_dir = program_dir,
                        .state_dir = state_dir,
                        .alloc = host_alloc,
                        .realloc = host_realloc,
                        .free = host_free,
                        .log = host_line,
                        .note = host_note,
                        .progress = host_progress,
                        .extension = host_extension};

static void fill(sbx_policy *policy)
{
    static const char *writable[1];

    memset(policy, 0, sizeof(*policy));
    writable[0] = root_dir;
    policy->size = sizeof(*policy);
    policy->flags = SBX_POLICY_DESKTOP_PRIVATE;
    policy->workspace = root_dir;
    policy->cwd = root_dir;
    policy->writable = writable;
    policy->writable_count = 1;
    policy->run_id = run_id;
}

/* ---- the child ---- */

#define CAN_ROOT 1u
#define CAN_TEMP 2u
#define CAN_BESIDE 4u
#define CAN_STATE 8u
#define CAN_READ 16u
#define CAN_PIPE 32u
#define CAN_OWN_TOKEN 64u
#define CAN_REACL 128u
#define CAN_OWN_PROCESS 256u
#define CAN_OWN_THREAD 512u

static int can_create(const char *dir)
{
    char path[MAX_PATH * 2];
    HANDLE file;

    snprintf(path, sizeof(path), "%s\\made.txt", dir);
    file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return 0;
    CloseHandle(file);
    DeleteFileA(path);
    return 1;
}

static int child(char **dirs)
{
    char temp[MAX_PATH], path[MAX_PATH * 2];
    HANDLE file, in, out, token, process, thread;
    int can = 0;

    GetEnvironmentVariableA("TEMP", temp, sizeof(temp));
    can |= can_create(dirs[0]) ? CAN_ROOT : 0;
    can |= can_create(temp) ? CAN_TEMP : 0;
    can |= can_create(dirs[1]) ? CAN_BESIDE : 0;
    can |= can_create(dirs[2]) ? CAN_STATE : 0;
    snprintf(path, sizeof(path), "%s\\secret.txt", dirs[1]);
    file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file != INVALID_HANDLE_VALUE) {
        can |= CAN_READ;
        CloseHandle(file);
    }
    file = CreateFileA(path, WRITE_DAC, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file != INVALID_HANDLE_VALUE) {
        can |= CAN_REACL;
        CloseHandle(file);
    }
    if (CreatePipe(&in, &out, NULL, 0)) {
        can |= CAN_PIPE;
        CloseHandle(in);
        CloseHandle(out);
    }
    if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_ADJUST_DEFAULT, &token)) {
        can |= CAN_OWN_TOKEN;
        CloseHandle(token);
    }
    process = OpenProcess(PROCESS_DUP_HANDLE | PROCESS_SET_INFORMATION, FALSE, GetCurrentProcessId());
    if (process) {
        can |= CAN_OWN_PROCESS;
        CloseHandle(process);
    }
    thread = OpenThread(THREAD_GET_CONTEXT | THREAD_SUSPEND_RESUME, FALSE, GetCurrentThreadId()); /* as profilers do */
    if (thread) {
        can |= CAN_OWN_THREAD;
        CloseHandle(thread);
    }
    return can;
}

static const char *edit_value(const sbx_env_edits *edits, const char *name)
{
    uint32_t i;

    for (i = edits->count; i; i--)
        if (!strcmp(edits->edits[i - 1].name, name))
            return edits->edits[i - 1].value;
    return NULL;
}

/* As where the system gives a new process and its token the default DACL of who starts it. */
static void give_to_the_caller(HANDLE process)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    sbx_user_sid user;
    HANDLE token = NULL;
    char sid[192], sddl[256];

    assert_int_equal(sbx_user_get(&user, NULL), SBX_OK);
    sbx_user_sid_text(user.u.bytes, sid, sizeof(sid));
    snprintf(sddl, sizeof(sddl), "D:(A;;GA;;;%s)(A;;GA;;;SY)", sid);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl, SDDL_REVISION_1, &descriptor, NULL));
    assert_true(OpenProcessToken(process, WRITE_DAC, &token));
    assert_true(SetKernelObjectSecurity(token, DACL_SECURITY_INFORMATION, descriptor));
    assert_true(SetKernelObjectSecurity(process, DACL_SECURITY_INFORMATION, descriptor));
    CloseHandle(token);
    LocalFree(descriptor);
}

static void describe(const char *what, const sbx_error *err)
{
    print_message("    %s: %s: %s (%u): %s\n", what, err->object, err->op, (unsigned)err->code, err->hint);
}

/* Start this program suspended with the spawn's token, verify it, and let it run if that was right. */
static sbx_status run(const sbx_spawn *spawn, const char *temp, DWORD *exit_code, sbx_error *err)
{
    WCHAR exe_w[MAX_PATH], cwd_w[MAX_PATH], command_w[MAX_PATH * 6], desktop_w[256];
    sbx_process_start start = {.program_w = exe_w, .command_w = command_w, .cwd_w = cwd_w, .token = spawn->token};
    sbx_process process = {0};
    sbx_stdio stdio = {0};
    sbx_job job = {0};
    sbx_status st;

    GetModuleFileNameW(NULL, exe_w, MAX_PATH);
    GetWindowsDirectoryW(cwd_w, MAX_PATH);
    swprintf(command_w, MAX_PATH * 6, L"\"%ls\" child \"%hs\" \"%hs\" \"%hs\"", exe_w, root_dir, base_dir, state_dir);
    if (spawn->desktop) {
        swprintf(desktop_w, 256, L"%hs", spawn->desktop);
        start.desktop_w = desktop_w;
    }
    SetEnvironmentVariableA("TEMP", temp);
    assert_int_equal(sbx_stdio_open(&stdio, err), SBX_OK);
    assert_int_equal(sbx_job_open(&job, NULL, 0, err), SBX_OK);
    start.stdio = &stdio;
    start.job = job.handle;
    st = sbx_process_spawn(&process, &start, err);
    if (st != SBX_OK)
        describe("spawn", err);
    assert_int_equal(st, SBX_OK);
    give_to_the_caller(process.handle);
    st = backend.verify(spawn, process.handle, err);
    if (st == SBX_OK)
        assert_int_equal(sbx_process_resume(&process, err), SBX_OK);
    else
        TerminateProcess(process.handle, 99);
    assert_int_equal(WaitForSingleObject(process.handle, 60000), WAIT_OBJECT_0);
    GetExitCodeProcess(process.handle, exit_code);
    sbx_process_close(&process);
    sbx_job_close(&job);
    sbx_stdio_close(&stdio);
    return st;
}

/* ---- tests ---- */

/* Whether the system knows restricted tokens at all, asked without the code that is tested. */
static int system_restricts(void)
{
    static uint8_t everyone[12] = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
    SID_AND_ATTRIBUTES sid = {everyone, 0};
    HANDLE own = NULL, token = NULL;
    BOOL restricts;

    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own));
    assert_true(CreateRestrictedToken(own, 0, 0, NULL, 0, NULL, 1, &sid, &token));
    restricts = IsTokenRestricted(token);
    CloseHandle(token);
    CloseHandle(own);
    return restricts;
}

static void probe(void **state)
{
    sbx_error err = {0};
    sbx_status st = backend.probe(&err);

    (void)state;
    if (st != SBX_OK)
        describe("probe", &err);
    assert_true(st == SBX_OK || !system_restricts());
    enforced = st == SBX_OK;
    if (st != SBX_OK) {
        assert_int_equal(st, SBX_E_UNENFORCED);
        assert_non_null(strstr(err.hint, "the system does not enforce restricted tokens"));
        print_message("    not judged here: what a restricted token stops, because nothing does\n");
    }
}

/* Deletes a file that only the user's rights on its folder could delete, as a thread with that token. */
static int can_delete_by_folder(HANDLE token)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};
    sbx_user_sid user;
    HANDLE copy = NULL, file;
    char sid[192], sddl[256], path[MAX_PATH * 2];
    int deleted;

    assert_int_equal(sbx_user_get(&user, NULL), SBX_OK);
    sbx_user_sid_text(user.u.bytes, sid, sizeof(sid));
    snprintf(sddl, sizeof(sddl), "D:P(A;;0x1200a9;;;%s)", sid);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl, SDDL_REVISION_1,
                                                                     &attributes.lpSecurityDescriptor, NULL));
    snprintf(path, sizeof(path), "%s\\victim.txt", base_dir);
    file = CreateFileA(path, GENERIC_WRITE, 0, &attributes, CREATE_ALWAYS, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    CloseHandle(file);
    LocalFree(attributes.lpSecurityDescriptor);
    assert_true(DuplicateTokenEx(token, TOKEN_QUERY | TOKEN_IMPERSONATE, NULL, SecurityImpersonation,
                                 TokenImpersonation, &copy));
    assert_true(SetThreadToken(NULL, copy));
    deleted = DeleteFileA(path);
    assert_true(SetThreadToken(NULL, NULL));
    CloseHandle(copy);
    assert_true(deleted || DeleteFileA(path));
    return deleted;
}

static void confined(void **state)
{
    sbx_policy policy;
    sbx_session *session = NULL;
    sbx_guarantees guarantees;
    sbx_ticket ticket;
    sbx_env_edits edits;
    sbx_spawn spawn;
    sbx_error err = {0};
    const char *temp;
    char copy[MAX_PATH];
    DWORD can = 0;
    int may_delete;

    (void)state;
    if (!enforced)
        skip();
    fill(&policy);
    gaps[0] = 0;
    if (backend.open(&policy, 0, &session, &guarantees, &err) != SBX_OK)
        describe("open", &err);
    assert_non_null(session);
    assert_int_equal(guarantees.enforced & ~SBX_AREA_FILE_DELETE, SBX_AREA_FILE_WRITE | SBX_AREA_PROCESS_TREE);
    assert_int_equal(guarantees.advisory, SBX_AREA_NETWORK | SBX_AREA_UI);
    assert_non_null(strstr(gaps, "network;"));
    assert_int_equal(backend.ticket(session, &ticket, &err), SBX_OK);
    assert_int_equal(backend.environment(session, &edits, &err), SBX_OK);
    temp = edit_value(&edits, "TEMP");
    assert_non_null(temp);
    assert_true(GetFileAttributesA(temp) != INVALID_FILE_ATTRIBUTES);
    snprintf(copy, sizeof(copy), "%s", temp);
    if (backend.token(&ticket, &spawn, &err) != SBX_OK)
        describe("token", &err);
    assert_non_null(spawn.token);
    may_delete = can_delete_by_folder(spawn.token);
    assert_int_equal(!(guarantees.enforced & SBX_AREA_FILE_DELETE), may_delete);
    assert_int_equal(strstr(gaps, "delete;") != NULL, may_delete);
    assert_non_null(spawn.desktop);
    assert_int_equal(spawn.ui_limits, 0); /* not asked for: jobs of the command's own could not be inside */
    assert_non_null(strstr(gaps, "clipboard;"));
    if (run(&spawn, temp, &can, &err) != SBX_OK)
        describe("verify", &err);
    print_message("    the child can: 0x%lx\n", can);
    assert_int_equal(can, CAN_ROOT | CAN_TEMP | CAN_READ | CAN_PIPE | CAN_OWN_TOKEN | CAN_OWN_PROCESS | CAN_OWN_THREAD);
    CloseHandle(spawn.token);
    backend.spawn_end(&spawn);
    backend.close(session);
    assert_true(GetFileAttributesA(copy) == INVALID_FILE_ATTRIBUTES);
}

/* A workspace that sbx reaches as an administrator, and the command does not: refused, not EPERM everywhere. */
static void closed_root(void **state)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};
    sbx_user_sid user;
    char path[MAX_PATH * 2], sid[192], sddl[512];
    const char *writable[] = {path};
    sbx_policy policy;
    sbx_session *session = NULL;
    sbx_guarantees guarantees;
    sbx_ticket ticket;
    sbx_env_edits edits;
    sbx_spawn spawn;
    sbx_error err = {0};
    DWORD code = 0;

    (void)state;
    if (!enforced)
        skip();
    snprintf(path, sizeof(path), "%s\\administrators", base_dir);
    assert_int_equal(sbx_user_get(&user, NULL), SBX_OK);
    sbx_user_sid_text(user.u.bytes, sid, sizeof(sid));
    snprintf(sddl, sizeof(sddl),
             "D:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1301bf;;;" ROOT_SID ")(A;;0x110080;;;%s)", sid);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl, SDDL_REVISION_1,
                                                                     &attributes.lpSecurityDescriptor, NULL));
    assert_true(CreateDirectoryA(path, &attributes));
    LocalFree(attributes.lpSecurityDescriptor);
    fill(&policy);
    policy.writable = writable;
    assert_int_equal(backend.open(&policy, 0, &session, &guarantees, &err), SBX_OK);
    assert_int_equal(backend.ticket(session, &ticket, &err), SBX_OK);
    assert_int_equal(backend.environment(session, &edits, &err), SBX_OK);
    assert_int_equal(backend.token(&ticket, &spawn, &err), SBX_OK);
    assert_int_equal(run(&spawn, edit_value(&edits, "TEMP"), &code, &err), SBX_E_REFUSED);
    assert_int_equal(code, 99);
    assert_string_equal(err.object, path);
    assert_non_null(strstr(err.hint, "icacls"));
    CloseHandle(spawn.token);
    backend.spawn_end(&spawn);
    backend.close(session);
    assert_true(RemoveDirectoryA(path));
}

/* The same child without the token: the control. */
static void unconfined(void **state)
{
    STARTUPINFOA si = {.cb = sizeof(si)};
    PROCESS_INFORMATION pi;
    char exe[MAX_PATH], command[MAX_PATH * 6];
    DWORD can = 0;

    (void)state;
    GetModuleFileNameA(NULL, exe, sizeof(exe));
    snprintf(command, sizeof(command), "\"%s\" child \"%s\" \"%s\" \"%s\"", exe, root_dir, base_dir, state_dir);
    SetEnvironmentVariableA("TEMP", base_dir);
    assert_true(CreateProcessA(exe, command, NULL, NULL, FALSE, 0, NULL, NULL, &si, &pi));
    assert_int_equal(WaitForSingleObject(pi.hProcess, 60000), WAIT_OBJECT_0);
    GetExitCodeProcess(pi.hProcess, &can);
    CloseHandle(pi.hThread);
    CloseHandle(pi.hProcess);
    assert_int_equal(can, 0x3ff);
}

static sbx_status verified(const sbx_token_spec *spec, HANDLE token, sbx_error *err)
{
    HANDLE copy = NULL;
    sbx_status st;

    assert_int_equal(sbx_token_copy(token, &copy, NULL), SBX_OK);
    st = sbx_token_verify(spec, token, copy, err);
    CloseHandle(copy);
    return st;
}

static sbx_status measured(HANDLE token, int *may, sbx_error *err)
{
    HANDLE copy = NULL;
    sbx_status st;

    assert_int_equal(sbx_token_copy(token, &copy, NULL), SBX_OK);
    st = sbx_token_measure_delete(copy, NULL, may, err);
    CloseHandle(copy);
    return st;
}

/* A child that was started with less than was asked for is not let go. */
static void wrong_token(void **state)
{
    static const uint8_t other[20] = {1, 3, 0, 0, 0, 0, 0, 9, 1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0};
    static const void *const others[] = {root_sid, other};
    sbx_token_spec more = {.roots = others, .root_count = 2}, one = {.roots = granted, .root_count = 1};
    HANDLE own = NULL, token = NULL;
    sbx_error err = {0};

    (void)state;
    if (!enforced)
        skip();
    assert_int_equal(sbx_run_sid(run_id, more.run_sid, &err), SBX_OK);
    memcpy(one.run_sid, more.run_sid, sizeof(one.run_sid));
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &own));
    assert_int_equal(verified(&one, own, &err), SBX_E_UNENFORCED);
    assert_non_null(strstr(err.op, "there are none"));
    CloseHandle(own);
    assert_int_equal(sbx_token_restrict(&more, &token, &err), SBX_OK);
    assert_int_equal(verified(&more, token, &err), SBX_OK);
    assert_int_equal(verified(&one, token, &err), SBX_E_UNENFORCED);
    assert_non_null(strstr(err.op, "one too many"));
    CloseHandle(token);
    assert_int_equal(sbx_token_restrict(&one, &token, &err), SBX_OK);
    assert_int_equal(verified(&more, token, &err), SBX_E_UNENFORCED);
    assert_non_null(strstr(err.op, "one is missing"));
    one.run_sid[20] ^= 1;
    assert_int_equal(verified(&one, token, &err), SBX_E_UNENFORCED);
    CloseHandle(token);
}

/* Of a network logon: all but the logon SID restricts. */
static void without_a_logon_sid(void **state)
{
    sbx_token_spec spec = {.roots = granted, .root_count = 1};
    const sbx_token_self *own;
    sbx_token_self self;
    SID_AND_ATTRIBUTES *with = NULL, *without = NULL;
    uint32_t with_count = 0, without_count = 0, i;

    (void)state;
    assert_int_equal(sbx_token_ask_self(&own, NULL), SBX_OK);
    assert_int_equal(sbx_run_sid(run_id, spec.run_sid, NULL), SBX_OK);
    self = *own;
    assert_true(self.has_logon);
    assert_int_equal(sbx_token_restricting(&spec, &self, &with, &with_count, NULL), SBX_OK);
    self.has_logon = 0;
    assert_int_equal(sbx_token_restricting(&spec, &self, &without, &without_count, NULL), SBX_OK);
    assert_int_equal(without_count, with_count - 1);
    for (i = 0; i < without_count; i++) {
        assert_true(IsValidSid(without[i].Sid));
        assert_false(EqualSid(without[i].Sid, (PSID)(uintptr_t)self.logon.u.bytes));
    }
    sbx_free(with);
    sbx_free(without);
}

static void refused_for(sbx_policy *policy, const char *word)
{
    sbx_session *session = NULL;
    sbx_guarantees guarantees;
    sbx_error err = {0};

    assert_int_equal(backend.open(policy, 0, &session, &guarantees, &err), SBX_E_REFUSED);
    assert_null(session);
    assert_true(strstr(err.object, word) || strstr(err.hint, word));
    assert_in_range(strlen(err.hint), 1, 100 - strlen("  hint: "));
}

/* What is measured is what happens, under either reading of the system. */
static void deleting_is_measured(void **state)
{
    sbx_token_spec spec = {.roots = granted, .root_count = 1};
    HANDLE own = NULL, token = NULL;
    sbx_session *session = NULL;
    sbx_guarantees guarantees;
    sbx_policy policy;
    sbx_error err = {0};
    int may = 0;

    (void)state;
    if (!enforced)
        skip();
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &own));
    assert_int_equal(measured(own, &may, &err), SBX_OK);
    assert_true(may);
    assert_true(can_delete_by_folder(own));
    CloseHandle(own);
    assert_int_equal(sbx_run_sid(run_id, spec.run_sid, &err), SBX_OK);
    assert_int_equal(sbx_token_restrict(&spec, &token, &err), SBX_OK);
    assert_int_equal(measured(token, &may, &err), SBX_OK);
    print_message("    the command %s delete what lies in folders of the user\n", may ? "may" : "may not");
    assert_int_equal(may, can_delete_by_folder(token));
    CloseHandle(token);
    fill(&policy);
    policy.require = SBX_AREA_FILE_DELETE;
    if (may) {
        refused_for(&policy, "delete");
    } else {
        assert_int_equal(backend.open(&policy, 0, &session, &guarantees, &err), SBX_OK);
        backend.close(session);
    }
}

static char *dacl_of(HANDLE object)
{
    static char text[2048];
    SECURITY_INFORMATION what = DACL_SECURITY_INFORMATION;
    char descriptor[2048], *sddl = NULL;
    DWORD size = 0;

    assert_true(GetUserObjectSecurity(object, &what, descriptor, sizeof(descriptor), &size));
    assert_true(ConvertSecurityDescriptorToStringSecurityDescriptorA(descriptor, SDDL_REVISION_1,
                                                                     DACL_SECURITY_INFORMATION, &sddl, NULL));
    snprintf(text, sizeof(text), "%s", sddl);
    LocalFree(sddl);
    return text;
}

static const char *name_of(HANDLE object, char *name, DWORD size)
{
    assert_true(GetUserObjectInformationA(object, UOI_NAME, name, size, &size));
    return name;
}

/* Opens both with all rights as a thread with that token: 1 the station, 2 the desktop. */
static int can_open(HANDLE token, HWINSTA station, HDESK desktop)
{
    char station_name[128], desktop_name[128];
    HANDLE copy = NULL;
    HWINSTA opened_station;
    HDESK opened_desktop;

    name_of(station, station_name, sizeof(station_name));
    name_of(desktop, desktop_name, sizeof(desktop_name));
    assert_true(DuplicateTokenEx(token, TOKEN_QUERY | TOKEN_IMPERSONATE, NULL, SecurityImpersonation,
                                 TokenImpersonation, &copy));
    assert_true(SetThreadToken(NULL, copy));
    opened_station = OpenWindowStationA(station_name, FALSE, WINSTA_ALL_ACCESS | READ_CONTROL);
    opened_desktop = OpenDesktopA(desktop_name, 0, FALSE, DESKTOP_CREATEWINDOW | DESKTOP_WRITEOBJECTS);
    assert_true(SetThreadToken(NULL, NULL));
    CloseHandle(copy);
    if (opened_station)
        CloseWindowStation(opened_station);
    if (opened_desktop)
        CloseDesktop(opened_desktop);
    return (opened_station ? 1 : 0) | (opened_desktop ? 2 : 0);
}

static void open_a_closed_station(uint32_t desktop, int expected)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};
    const HWINSTA old_station = GetProcessWindowStation();
    const HDESK old_desktop = GetThreadDesktop(GetCurrentThreadId());
    sbx_token_spec spec = {.roots = granted, .root_count = 1};
    sbx_ticket_data data = {.flags = desktop, .run_id = run_id, .closed = state_dir};
    sbx_ticket ticket = {.size = sizeof(ticket)};
    sbx_spawn spawn;
    sbx_error err = {0};
    sbx_user_sid user;
    HWINSTA station;
    HDESK default_desktop;
    void *bytes = NULL;
    char sid[192], sddl[512], before[2048], desktop_before[2048];

    if (!enforced)
        skip();
    assert_int_equal(sbx_user_get(&user, NULL), SBX_OK);
    sbx_user_sid_text(user.u.bytes, sid, sizeof(sid));
    snprintf(sddl, sizeof(sddl), "D:(A;;GA;;;SY)(A;;GA;;;%s)", sid);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl, SDDL_REVISION_1,
                                                                     &attributes.lpSecurityDescriptor, NULL));
    station = CreateWindowStationA(NULL, 0, GENERIC_ALL, &attributes);
    assert_non_null(station);
    if (!*name_of(station, sid, sizeof(sid))) { /* where the system does not give it one */
        CloseWindowStation(station);
        station = CreateWindowStationA("sbx-unit", 0, GENERIC_ALL, &attributes);
        assert_non_null(station);
    }
    assert_true(SetProcessWindowStation(station));
    default_desktop = CreateDesktopA("Default", NULL, NULL, 0, GENERIC_ALL, &attributes);
    assert_non_null(default_desktop);
    assert_true(SetThreadDesktop(default_desktop));
    LocalFree(attributes.lpSecurityDescriptor);
    snprintf(before, sizeof(before), "%s", dacl_of(station));
    snprintf(desktop_before, sizeof(desktop_before), "%s", dacl_of(default_desktop));

    assert_int_equal(sbx_run_sid(run_id, spec.run_sid, &err), SBX_OK);
    data.spec = spec;
    assert_int_equal(sbx_ticket_write(&data, &bytes, &ticket.length, &err), SBX_OK);
    ticket.bytes = bytes;
    if (backend.token(&ticket, &spawn, &err) != SBX_OK)
        describe("token", &err);
    assert_non_null(spawn.token);
    assert_int_equal(can_open(spawn.token, station, default_desktop), expected);
    assert_int_equal(spawn.desktop != NULL, desktop != 0);
    backend.spawn_end(&spawn);
    assert_int_equal(can_open(spawn.token, station, default_desktop), 0);
    assert_string_equal(dacl_of(station), before);
    assert_string_equal(dacl_of(default_desktop), desktop_before);
    CloseHandle(spawn.token);
    sbx_free(bytes);
    assert_true(SetProcessWindowStation(old_station));
    assert_true(SetThreadDesktop(old_desktop));
    CloseDesktop(default_desktop);
    CloseWindowStation(station);
}

/* As over OpenSSH, in a service, in a scheduled task. */
static void closed_station(void **state)
{
    (void)state;
    open_a_closed_station(SBX_TICKET_DESKTOP, 1);
}

static void closed_station_and_desktop(void **state)
{
    (void)state;
    open_a_closed_station(0, 3);
}

static void refusals(void **state)
{
    static const char *const secret[] = {"C:\\secret"};
    const char *roots[SBX_TOKEN_ROOTS + 1];
    sbx_policy policy;
    size_t i;

    (void)state;
    fill(&policy);
    policy.deny_read = secret;
    policy.deny_read_count = 1;
    refused_for(&policy, "C:\\secret");
    fill(&policy);
    policy.require = SBX_AREA_NETWORK;
    refused_for(&policy, "network");
    policy.require = SBX_AREA_FILE_READ;
    refused_for(&policy, "read");
    policy.require = SBX_AREA_UI;
    refused_for(&policy, "desktop");
    fill(&policy);
    roots[0] = base_dir;
    policy.writable = roots;
    refused_for(&policy, "sbx");
    for (i = 0; i < SBX_TOKEN_ROOTS + 1; i++)
        roots[i] = root_dir;
    policy.writable_count = SBX_TOKEN_ROOTS + 1;
    refused_for(&policy, "at most 16");
}

static void dry_run(void **state)
{
    sbx_policy policy;
    sbx_session *session = NULL;
    sbx_guarantees guarantees;
    sbx_env_edits edits;
    char temp_area[MAX_PATH + 8];

    (void)state;
    snprintf(temp_area, sizeof(temp_area), "%s\\temp", state_dir);
    RemoveDirectoryA(temp_area);
    fill(&policy);
    assert_int_equal(backend.open(&policy, SBX_OPEN_DRY_RUN, &session, &guarantees, NULL), SBX_OK);
    assert_int_equal(backend.environment(session, &edits, NULL), SBX_OK);
    assert_non_null(strstr(edit_value(&edits, "TEMP"), "\\0123456789ab"));
    backend.close(session);
    assert_true(GetFileAttributesA(temp_area) == INVALID_FILE_ATTRIBUTES);
}

static void network_on_touches_nothing(void **state)
{
    sbx_policy policy;
    sbx_session *session = NULL;
    sbx_guarantees guarantees;
    sbx_env_edits edits;

    (void)state;
    fill(&policy);
    policy.network = SBX_NETWORK_ON;
    policy.temp = SBX_TEMP_USER;
    policy.flags = 0;
    assert_int_equal(backend.open(&policy, SBX_OPEN_DRY_RUN, &session, &guarantees, NULL), SBX_OK);
    assert_int_equal(backend.environment(session, &edits, NULL), SBX_OK);
    assert_int_equal(edits.count, 0);
    assert_int_equal(guarantees.advisory, 0);
    backend.close(session);
}

/* Where nothing is granted and TEMP is the user's, there is still a folder to hold the token against. */
static void always_measured(void **state)
{
    sbx_policy policy;
    sbx_session *session = NULL;
    sbx_guarantees guarantees;
    sbx_ticket ticket;
    sbx_ticket_data data = {0};
    char path[MAX_PATH * 2];

    (void)state;
    snprintf(path, sizeof(path), "%s\\temp", state_dir);
    RemoveDirectoryA(path);
    RemoveDirectoryA(state_dir);
    fill(&policy);
    policy.temp = SBX_TEMP_USER;
    policy.writable_count = 0;
    granted_count = 0;
    assert_int_equal(backend.open(&policy, 0, &session, &guarantees, NULL), SBX_OK);
    granted_count = 1;
    assert_int_equal(backend.ticket(session, &ticket, NULL), SBX_OK);
    assert_int_equal(sbx_ticket_read(ticket.bytes, ticket.length, &data, NULL), SBX_OK);
    assert_string_equal(data.closed, state_dir);
    assert_true(GetFileAttributesA(state_dir) != INVALID_FILE_ATTRIBUTES);
    sbx_ticket_fini(&data);
    backend.close(session);
}

static int setup(void **state)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};
    char local[MAX_PATH], path[MAX_PATH * 2], sddl[512], *slash;
    HANDLE token = NULL, file;
    union {
        TOKEN_USER user;
        char bytes[256];
    } info;
    DWORD size;
    char *user = NULL;

    (void)state;
    GetModuleFileNameA(NULL, program_dir, sizeof(program_dir));
    slash = strrchr(program_dir, '\\');
    if (slash)
        *slash = 0;
    GetEnvironmentVariableA("LOCALAPPDATA", local, sizeof(local));
    snprintf(base_dir, sizeof(base_dir), "%s\\sbx-unit-%lu-%llu", local, GetCurrentProcessId(),
             (unsigned long long)GetTickCount64());
    snprintf(state_dir, sizeof(state_dir), "%s\\state", base_dir);
    snprintf(root_dir, sizeof(root_dir), "%s\\root", base_dir);
    if (!CreateDirectoryA(base_dir, NULL) || !CreateDirectoryA(state_dir, NULL))
        return 1;
    snprintf(path, sizeof(path), "%s\\secret.txt", base_dir);
    file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    CloseHandle(file);
    OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token);
    GetTokenInformation(token, TokenUser, &info, sizeof(info), &size);
    CloseHandle(token);
    ConvertSidToStringSidA(info.user.User.Sid, &user);
    snprintf(sddl, sizeof(sddl), "D:P(A;OICI;FA;;;%s)(A;OICI;FA;;;SY)(A;OICI;0x1301bf;;;" ROOT_SID ")", user);
    LocalFree(user);
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl, SDDL_REVISION_1, &attributes.lpSecurityDescriptor,
                                                              NULL) ||
        !CreateDirectoryA(root_dir, &attributes))
        return 1;
    LocalFree(attributes.lpSecurityDescriptor);
    return sbx_host_init(&host) ? 0 : 1;
}

static int teardown(void **state)
{
    char path[MAX_PATH * 2];

    (void)state;
    snprintf(path, sizeof(path), "%s\\temp", state_dir);
    RemoveDirectoryA(path);
    snprintf(path, sizeof(path), "%s\\runs", state_dir);
    RemoveDirectoryA(path);
    snprintf(path, sizeof(path), "%s\\lock", state_dir);
    DeleteFileA(path);
    snprintf(path, sizeof(path), "%s\\secret.txt", base_dir);
    DeleteFileA(path);
    RemoveDirectoryA(root_dir);
    RemoveDirectoryA(state_dir);
    return RemoveDirectoryA(base_dir) ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probe),
        cmocka_unit_test(unconfined),
        cmocka_unit_test(confined),
        cmocka_unit_test(closed_root),
        cmocka_unit_test(wrong_token),
        cmocka_unit_test(without_a_logon_sid),
        cmocka_unit_test(deleting_is_measured),
        cmocka_unit_test(closed_station),
        cmocka_unit_test(closed_station_and_desktop),
        cmocka_unit_test(refusals),
        cmocka_unit_test(dry_run),
        cmocka_unit_test(network_on_touches_nothing),
        cmocka_unit_test(always_measured),
    };
    uint32_t code = 0;
    sbx_error err = {0};

    if (argc == 5 && !strcmp(argv[1], "child"))
        return child(argv + 2);
    if (sbx_host_init(&host) && !sbx_console_exists()) /* which the children inherit */
        return sbx_restart_with_console(&code, &err) == SBX_OK ? (int)code : 1;
    return cmocka_run_group_tests_name("unelevated-session", tests, setup, teardown);
}
