/*
 * Accounts for runs: which one is taken, who has to wait, and what is passed over.
 *
 * The accounts are SIDs that nobody has, so this runs on any system; but for one that is made, where there are accounts.  This program is
 * also the other runs.
 */
#include <windows.h>
#include <lm.h>
#include <sddl.h>
#include <winternl.h>
#include <stdio.h>
#include <string.h>

#include "unit/support/unit.h"

#include "base/memory.h"
#include "base/mimalloc.h"
#include "common/host.h"
#include "common/token/station.h"
#include "elevated/lease.h"
#include "elevated/sessions.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/logon.h"
#include "win/user.h"

NTSTATUS NTAPI NtOpenDirectoryObject(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *);

#define ACCOUNT L"sbx-test-lease"
#define PASSWORD L"Vo3-ka!9qTz_71xLwM"
#define LONG_ENOUGH_MS 60000u

static WCHAR self_w[MAX_PATH];
static char folder[MAX_PATH], said[4096];
static HANDLE release; /* set when something is said */
static sbx_machine_user user;

static void SBX_CALL on_log(uint32_t level, const char *text)
{
    assert_int_equal(level, SBX_LOG_WARN);
    strncat(said, text, sizeof(said) - strlen(said) - 2);
    strcat(said, "\n");
    if (release)
        SetEvent(release);
}

static const sbx_host *host(void)
{
    static sbx_host made = {.size = sizeof(made), .abi = SBX_ABI_VERSION, .state_dir = folder, .log = on_log};

    made.alloc = sbx_mimalloc.alloc;
    made.realloc = sbx_mimalloc.realloc;
    made.free = sbx_mimalloc.free;
    return &made;
}

static const char *path_of(const char *account)
{
    static char path[MAX_PATH + 64];

    snprintf(path, sizeof(path), "%s\\leases\\%s", folder, account);
    return path;
}

static void remove_all(void)
{
    char pattern[MAX_PATH + 16];
    WIN32_FIND_DATAA found;
    HANDLE find;

    snprintf(pattern, sizeof(pattern), "%s\\leases\\*", folder);
    find = FindFirstFileA(pattern, &found);
    if (find != INVALID_HANDLE_VALUE) {
        do {
            SetFileAttributesA(path_of(found.cFileName), FILE_ATTRIBUTE_NORMAL);
            if (!DeleteFileA(path_of(found.cFileName)))
                RemoveDirectoryA(path_of(found.cFileName));
        } while (FindNextFileA(find, &found));
        FindClose(find);
    }
    snprintf(pattern, sizeof(pattern), "%s\\leases", folder);
    if (!RemoveDirectoryA(pattern))
        DeleteFileA(pattern);
}

static int begin(void **state)
{
    uint32_t i, k;

    (void)state;
    assert_true(sbx_host_init(host()));
    memset(&user, 0, sizeof(user));
    user.number = 1;
    user.slots = 3;
    for (i = 0; i < 2; i++)
        for (k = 0; k < SBX_SLOTS_MAX; k++)
            snprintf(user.accounts[i][k], SBX_MACHINE_SID, "S-1-5-21-7-7-7-%u", 2000 + 100 * i + k);
    said[0] = 0;
    remove_all();
    return 0;
}

static sbx_status take(sbx_lease *lease, const char *workspace, uint64_t wait_ms, sbx_error *err)
{
    memset(lease, 0, sizeof(*lease));
    memset(err, 0, sizeof(*err));
    return sbx_lease_take(lease, &user, 0, workspace, wait_ms, err);
}

static void takes(sbx_lease *lease, const char *workspace, const char *account)
{
    char text[1024];
    sbx_error err;

    if (take(lease, workspace, 0, &err) != SBX_OK) {
        sbx_error_describe(&err, text, sizeof(text));
        fail_msg("%s: %s", workspace, text);
    }
    assert_string_equal(lease->account, account);
}

static void refuses(const char *object, const char *op, const char *hint)
{
    sbx_lease lease;
    sbx_error err;

    assert_int_not_equal(take(&lease, "C:\\w", 0, &err), SBX_OK);
    assert_null(lease.file);
    if (!strstr(err.object, object) || strcmp(err.op, op) || !strstr(err.hint, hint))
        fail_msg("%s: %s (%s)", err.object, err.op, err.hint);
}

/* A run in the workspace, `second` seconds after all that was before. */
static void ran(const char *workspace, const char *account, uint32_t second)
{
    const uint64_t ticks = 132000000000000000u + second * 10000000u;
    const FILETIME time = {(DWORD)ticks, (DWORD)(ticks >> 32)};
    sbx_lease lease;
    HANDLE file;

    takes(&lease, workspace, account);
    sbx_lease_give(&lease, 1);
    file = CreateFileA(path_of(account), FILE_WRITE_ATTRIBUTES, 7, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    assert_true(SetFileTime(file, NULL, NULL, &time));
    CloseHandle(file);
}

static void order(void **state)
{
    sbx_lease one, two;

    (void)state;
    ran("C:\\a", "sbx1-off01", 1);
    ran("C:\\b", "sbx1-off02", 2);
    ran("c:\\A", "sbx1-off01", 3); /* names of folders do not tell case apart */
    ran("C:\\c", "sbx1-off03", 4);
    ran("C:\\d", "sbx1-off02", 5); /* of those that nobody comes back to so soon */
    ran("C:\\c", "sbx1-off03", 6);
    ran("C:\\b", "sbx1-off01", 7); /* its own is another's now */
    /* two at once in one workspace: both are remembered, the last one counts */
    takes(&one, "C:\\b", "sbx1-off01");
    takes(&two, "C:\\b", "sbx1-off02");
    sbx_lease_give(&one, 1);
    sbx_lease_give(&two, 1);
    ran("C:\\x", "sbx1-off03", 9);
    ran("C:\\y", "sbx1-off03", 1); /* 01 and 02 were used now, by a clock that is ahead */
    ran("C:\\b", "sbx1-off02", 10);
    assert_string_equal(said, "");
}

static void other_kind(void **state)
{
    sbx_lease lease, online = {0};
    sbx_error err = {0};

    (void)state;
    user.slots = 1;
    takes(&lease, "C:\\a", "sbx1-off01");
    assert_string_equal(lease.sid, "S-1-5-21-7-7-7-2000");
    refuses("backend \"elevated\"", "its one account without a network is at work", "sbx setup --slots 2");
    assert_int_equal(sbx_lease_take(&online, &user, 1, "C:\\a", 0, &err), SBX_OK);
    assert_string_equal(online.account, "sbx1-on01");
    assert_string_equal(online.sid, "S-1-5-21-7-7-7-2100");
    sbx_lease_give(&online, 1);
    sbx_lease_give(&lease, 1);
    sbx_lease_give(&lease, 1); /* none is fine */
    takes(&lease, "C:\\a", "sbx1-off01");
    sbx_lease_give(&lease, 1);
}

static HANDLE event_of(const char *name)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, name);

    assert_non_null(event);
    return event;
}

/* Another run that has an account, until it is said to end. */
static HANDLE start_holder(void)
{
    STARTUPINFOW si = {.cb = sizeof(si)};
    PROCESS_INFORMATION pi;
    WCHAR line[2 * MAX_PATH + 32];
    HANDLE held = event_of("Local\\sbx-test-lease-held");

    ResetEvent(held);
    swprintf(line, ARRAYSIZE(line), L"\"%ls\" hold \"%hs\"", self_w, folder);
    assert_true(CreateProcessW(self_w, line, NULL, NULL, FALSE, 0, NULL, NULL, &si, &pi));
    assert_int_equal(WaitForSingleObject(held, LONG_ENOUGH_MS), WAIT_OBJECT_0);
    CloseHandle(held);
    CloseHandle(pi.hThread);
    return pi.hProcess;
}

static int hold(void)
{
    HANDLE go = event_of("Local\\sbx-test-lease-go");
    sbx_lease lease;
    sbx_error err;

    begin(NULL);
    user.slots = 1;
    if (take(&lease, "C:\\other", 0, &err) != SBX_OK)
        return 1;
    SetEvent(event_of("Local\\sbx-test-lease-held"));
    WaitForSingleObject(go, LONG_ENOUGH_MS);
    return 0; /* its end gives the account back */
}

static void waits(void **state)
{
    HANDLE holder;
    sbx_lease lease, again;
    sbx_error err;

    (void)state;
    user.slots = 1;
    release = event_of("Local\\sbx-test-lease-go"); /* what is said below ends the other run */
    ResetEvent(release);
    holder = start_holder();
    refuses("backend", "its one account without a network is at work", "wait for another command to end");
    assert_string_equal(said, "");
    assert_int_equal(take(&lease, "C:\\w", LONG_ENOUGH_MS, &err), SBX_OK);
    assert_string_equal(said,
                        "its one account without a network is at work: waiting, 60 s at most; Ctrl-C ends the wait\n");
    sbx_lease_give(&lease, 1);

    /* one that cannot be had is named once, however long the wait for the other one is */
    user.slots = 2;
    assert_true(CreateDirectoryA(path_of("sbx1-off02"), NULL));
    takes(&lease, "C:\\w", "sbx1-off01");
    said[0] = 0;
    CloseHandle(release);
    release = NULL;
    refuses("backend", "all of its 2 accounts without a network are at work", "--slots 4");
    said[0] = 0;
    assert_int_equal(take(&again, "C:\\w", 300, &err), SBX_E_REFUSED);
    assert_true(!strncmp(said, "account sbx1-off02 is passed over: ", 35) &&
                strchr(said, '\n') == said + strlen(said) - 1);
    assert_true(RemoveDirectoryA(path_of("sbx1-off02")));
    sbx_lease_give(&lease, 1);
    CloseHandle(holder);

    user.slots = SBX_SLOTS_MAX;
    assert_int_equal(take(&lease, "C:\\w", 0, &err), SBX_OK);
    sbx_lease_give(&lease, 1);
}

static void killed(void **state)
{
    HANDLE holder = start_holder();
    sbx_lease lease;

    (void)state;
    user.slots = 1;
    refuses("backend", "its one account without a network is at work", "");
    TerminateProcess(holder, 1);
    assert_int_equal(WaitForSingleObject(holder, LONG_ENOUGH_MS), WAIT_OBJECT_0);
    CloseHandle(holder);
    takes(&lease, "C:\\w", "sbx1-off01");
    sbx_lease_give(&lease, 1);
}

static void make_file(const char *account)
{
    CloseHandle(CreateFileA(path_of(account), GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL));
}

/* The first file as it should not be: the second account is taken and the first one named, once; alone it is an error. */
static void passed_over(const char *op, const char *why)
{
    sbx_lease lease, third;
    char line[1024];

    user.slots = 3;
    said[0] = 0;
    make_file("sbx1-off02");
    make_file("sbx1-off03");
    takes(&lease, "C:\\w", "sbx1-off02");
    snprintf(line, sizeof(line), "account sbx1-off01 is passed over: %s: %s", path_of("sbx1-off01"), op);
    if (strncmp(said, line, strlen(line)) || !strstr(said, why) || strchr(said, '\n') != said + strlen(said) - 1)
        fail_msg("%s", said);
    takes(&third, "C:\\w", "sbx1-off03");
    sbx_lease_give(&third, 1);
    sbx_lease_give(&lease, 1);
    DeleteFileA(path_of("sbx1-off02"));
    DeleteFileA(path_of("sbx1-off03"));
    user.slots = 1;
    refuses("leases\\sbx1-off01", op, why[0] == '(' ? "" : why);
}

/* Where the system holds reads and writes against locks: what cannot be read is not taken for nothing. */
static void locked_inside(void)
{
    static const char content[] = "C:\\w\n\nowed\n";
    HANDLE mine = CreateFileA(path_of("sbx1-off01"), GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
    HANDLE other = CreateFileA(path_of("sbx1-off01"), GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
    sbx_lease lease;
    DWORD done;

    assert_true(LockFile(mine, 0, 0, 0x1000, 0));
    if (WriteFile(other, content, sizeof(content) - 1, &done, NULL)) {
        print_message("not judged here: this system writes where somebody has locked\n");
    } else {
        passed_over("WriteFile", "(win32 33)");
        assert_true(WriteFile(mine, content, sizeof(content) - 1, &done, NULL));
        passed_over("ReadFile", "(win32 33)");
    }
    assert_true(UnlockFile(mine, 0, 0, 0x1000, 0));
    CloseHandle(other);
    CloseHandle(mine);
    takes(&lease, "C:\\w", "sbx1-off01");
    assert_string_equal(lease.owed, "owed\n");
    sbx_lease_give(&lease, 0);
}

static void bad_files(void **state)
{
    sbx_lease lease;
    char all[MAX_PATH + 16];
    HANDLE file;
    DWORD done;

    (void)state;
    snprintf(all, sizeof(all), "%s\\leases", folder);
    assert_true(CreateDirectoryA(all, NULL) && CreateDirectoryA(path_of("sbx1-off01"), NULL));
    passed_over("a folder is where a file of sbx belongs", "remove it");
    assert_true(RemoveDirectoryA(path_of("sbx1-off01")));

    file = CreateFileA(path_of("sbx1-off01"), GENERIC_READ, 0, NULL, CREATE_NEW, 0, NULL);
    passed_over("CreateFileW", "(win32 32)");
    CloseHandle(file);

    assert_true(SetFileAttributesA(path_of("sbx1-off01"), FILE_ATTRIBUTE_READONLY));
    passed_over("CreateFileW", "(win32 5)");
    assert_true(SetFileAttributesA(path_of("sbx1-off01"), FILE_ATTRIBUTE_NORMAL));

    locked_inside();

    /* what is in it is only a hint */
    file = CreateFileA(path_of("sbx1-off01"), GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(WriteFile(file, "\0\xff\n\x80", 4, &done, NULL));
    assert_int_equal(SetFilePointer(file, 0x80000, NULL, FILE_BEGIN), 0x80000);
    assert_true(SetEndOfFile(file));
    CloseHandle(file);
    takes(&lease, "C:\\w", "sbx1-off01");
    sbx_lease_give(&lease, 1);

    remove_all();
    file = CreateFileA(all, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    CloseHandle(file);
    refuses("leases", "CreateFileW", "");
}

/* On a disk of which the environment says that it can be filled. */
static void full_disk(void **state)
{
    static char block[0x10000];
    char kept[MAX_PATH], disk[16], filler[32];
    DWORD size = sizeof(block), done;
    sbx_lease lease, second;
    HANDLE file;

    (void)state;
    if (!GetEnvironmentVariableA("SBX_SMALL_DISK", disk, sizeof(disk)))
        skip();
    memcpy(kept, folder, sizeof(kept));
    snprintf(folder, sizeof(folder), "%s\\lease", disk);
    snprintf(filler, sizeof(filler), "%s\\filler", disk);
    CreateDirectoryA(folder, NULL);
    takes(&lease, "C:\\w", "sbx1-off01");
    file = CreateFileA(filler, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    while (size)
        if (!WriteFile(file, block, size, &done, NULL))
            size /= 2;
    user.slots = 2;
    refuses("leases\\sbx1-off02", "WriteFile", "");
    assert_string_equal(said, ""); /* no other account would help */
    CloseHandle(file);
    takes(&second, "C:\\w", "sbx1-off02");
    sbx_lease_give(&second, 1);
    sbx_lease_give(&lease, 1);
    remove_all();
    RemoveDirectoryA(folder);
    memcpy(folder, kept, sizeof(kept));
}

/* ---- a process of the account ---- */

/* As what a command makes, whose default DACL has the user in it. */
static void open_to_user(HANDLE process)
{
    sbx_user_sid self;
    char text[192];
    WCHAR sddl_w[256];
    void *descriptor = NULL;

    assert_int_equal(sbx_user_get(&self, NULL), SBX_OK);
    sbx_user_sid_text(self.u.bytes, text, sizeof(text));
    swprintf(sddl_w, 256, L"D:(A;;GA;;;%hs)", text);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl_w, SDDL_REVISION_1, &descriptor, NULL));
    assert_true(SetKernelObjectSecurity(process, DACL_SECURITY_INFORMATION, descriptor));
    LocalFree(descriptor);
}

static void left_over(void **state)
{
    USER_INFO_1 info = {.usri1_name = (WCHAR *)(uintptr_t)ACCOUNT,
                        .usri1_password = (WCHAR *)(uintptr_t)PASSWORD,
                        .usri1_priv = USER_PRIV_USER,
                        .usri1_flags = UF_SCRIPT | UF_DONT_EXPIRE_PASSWD};
    _Alignas(4) BYTE sid[SECURITY_MAX_SID_SIZE];
    LOCALGROUP_MEMBERS_INFO_0 member = {sid};
    WCHAR domain[256];
    DWORD sid_size = sizeof(sid), domain_size = 256;
    sbx_logon_start start = {.account_w = ACCOUNT, .domain_w = L".", .secret_w = PASSWORD, .program_w = self_w};
    SID_NAME_USE use;
    sbx_process process = {0};
    sbx_error err = {0};
    sbx_lease lease;
    uint32_t sessions;
    char pid[32];

    (void)state;
    NetUserDel(NULL, ACCOUNT);
    if (NetUserAdd(NULL, 1, (BYTE *)&info, NULL) ||
        !LookupAccountNameW(NULL, ACCOUNT, sid, &sid_size, domain, &domain_size, &use))
        skip(); /* there are no accounts here */
    NetLocalGroupAddMembers(NULL, L"Users", 0, (BYTE *)&member, 1);
    sbx_user_sid_text(sid, user.accounts[0][0], SBX_MACHINE_SID);
    sessions = sbx_sessions_count();
    assert_int_equal(sbx_logon_spawn(&process, &start, &err), SBX_OK); /* it stays suspended */
    assert_true(sessions && sbx_sessions_count() == sessions + 1);
    open_to_user(process.handle);
    takes(&lease, "C:\\w", "sbx1-off02");
    sbx_lease_give(&lease, 1);
    snprintf(pid, sizeof(pid), "taskkill /f /pid %u\n", process.id);
    if (!strstr(said, "account sbx1-off01 is passed over: sbx1-off01: a process of an earlier run is left") ||
        !strstr(said, pid))
        fail_msg("%s", said);
    user.slots = 1;
    refuses("sbx1-off01", "a process of an earlier run is left in the account", "taskkill");
    sbx_process_discard(&process);
    takes(&lease, "C:\\w", "sbx1-off01");
    said[0] = 0;
    sbx_lease_end(&lease);
    assert_string_equal(said, "");
    assert_int_equal(sbx_logon_spawn(&process, &start, &err), SBX_OK);
    open_to_user(process.handle);
    sbx_lease_end(&lease); /* one that a run leaves */
    assert_non_null(strstr(said, "is left in the account sbx1-off01, outside of the sandbox"));
    sbx_process_discard(&process);
    sbx_lease_give(&lease, 1);
    NetUserDel(NULL, ACCOUNT);
}

/* In an account the runner must be alone; this user is not. */
static void not_alone(void **state)
{
    HANDLE holder = start_holder();
    sbx_error err = {0};

    (void)state;
    assert_int_equal(sbx_lease_look(&err), SBX_E_REFUSED);
    assert_string_equal(err.op, "something else runs in the account");
    assert_non_null(strstr(err.hint, "taskkill /f /pid "));
    TerminateProcess(holder, 1);
    CloseHandle(holder);
}

/* Once a day, and only where there are many. */
static void many_sessions(void **state)
{
    const FILETIME long_ago = {0, 30000000};
    char path[MAX_PATH + 16];
    HANDLE file;

    (void)state;
    if (!sbx_sessions_count())
        skip(); /* the system does not tell */
    snprintf(path, sizeof(path), "%s\\sessions", folder);
    DeleteFileA(path);
    sbx_sessions_tell(100000);
    assert_string_equal(said, "");
    sbx_sessions_tell(0); /* counted already */
    assert_string_equal(said, "");
    assert_true(DeleteFileA(path));
    sbx_sessions_tell(0);
    assert_true(!strncmp(said, "this machine has ", 17) && strstr(said, " logon sessions: "));
    said[0] = 0;
    sbx_sessions_tell(0);
    assert_string_equal(said, "");
    file = CreateFileA(path, FILE_WRITE_ATTRIBUTES, 7, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(SetFileTime(file, NULL, NULL, &long_ago));
    CloseHandle(file);
    sbx_sessions_tell(0);
    assert_true(!strncmp(said, "this machine has ", 17));
    assert_true(DeleteFileA(path));
}

/* ---- what a killed run leaves ---- */

static int32_t SBX_CALL on_item(void *context, const sbx_state_item *item, const sbx_error *error)
{
    char *text = context;

    assert_null(error);
    snprintf(text + strlen(text), 400, "%s %s %u %s\n", item->kind, item->object, item->state, item->root);
    return 0;
}

static const char *listed(void)
{
    static char text[2048];
    sbx_error err = {0};

    text[0] = 0;
    assert_int_equal(sbx_lease_list(on_item, text, &err), SBX_OK);
    return text;
}

static int names(ACL *acl, const char *sid)
{
    char text[192];
    void *ace;
    WORD i;

    for (i = 0; i < acl->AceCount && GetAce(acl, i, &ace); i++) {
        sbx_user_sid_text(&((ACCESS_ALLOWED_ACE *)ace)->SidStart, text, sizeof(text));
        if (!strcmp(text, sid))
            return 1;
    }
    return 0;
}

/* The station of this process, and the directory of its session's named objects: neither, or both. */
static int admits(const char *sid)
{
    static _Alignas(8) uint8_t room[0x10000], names_room[0x10000];
    SECURITY_INFORMATION what = DACL_SECURITY_INFORMATION;
    WCHAR name_w[64];
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes;
    HANDLE station, directory = NULL;
    BOOL present, defaulted;
    DWORD size, session = 0;
    ACL *acl = NULL, *names_acl = NULL;

    assert_true(GetUserObjectInformationW(GetProcessWindowStation(), UOI_NAME, name_w, sizeof(name_w), &size));
    station = (HANDLE)OpenWindowStationW(name_w, FALSE, READ_CONTROL);
    assert_true(GetUserObjectSecurity(station, &what, room, sizeof(room), &size));
    assert_true(GetSecurityDescriptorDacl(room, &present, &acl, &defaulted) && present && acl);
    CloseWindowStation((HWINSTA)station);
    ProcessIdToSessionId(GetCurrentProcessId(), &session);
    swprintf(name_w, 64, L"\\Sessions\\%lu\\BaseNamedObjects", session);
    RtlInitUnicodeString(&name, name_w);
    InitializeObjectAttributes(&attributes, &name, 0, NULL, NULL);
    assert_true(NtOpenDirectoryObject(&directory, READ_CONTROL | WRITE_DAC, &attributes) >= 0);
    assert_true(GetKernelObjectSecurity(directory, what, names_room, sizeof(names_room), &size));
    assert_true(GetSecurityDescriptorDacl(names_room, &present, &names_acl, &defaulted));
    if (!present) { /* a system that lets everybody in: as on Windows, so that there is something to see */
        void *closed = NULL;

        assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(L"D:(A;;0xf000f;;;WD)(A;;0xf000f;;;SY)",
                                                                         SDDL_REVISION_1, &closed, NULL));
        assert_true(SetKernelObjectSecurity(directory, what, closed));
        LocalFree(closed);
        CloseHandle(directory);
        return names(acl, sid);
    }
    CloseHandle(directory);
    assert_int_equal(names(acl, sid), names(names_acl, sid));
    return names(acl, sid);
}

static void *sid_of(const char *text)
{
    WCHAR text_w[192];
    PSID sid = NULL;

    swprintf(text_w, 192, L"%hs", text);
    assert_true(ConvertStringSidToSidW(text_w, &sid));
    return sid;
}

/* Its entries are there, and stay: as when it is killed between. */
static void leave_station(sbx_lease *lease, const char *account, const char *run)
{
    sbx_station station = {NULL, NULL, NULL, {{{0}}}, 0};
    char record[SBX_STATION_RECORD];
    sbx_error err = {0};

    sbx_station_record(sid_of(account), sid_of(run), record);
    assert_int_equal(sbx_lease_keep(lease, record, "", &err), SBX_OK);
    assert_int_equal(sbx_station_admit(&station, sid_of(account), sid_of(run), &err), SBX_OK);
    sbx_free(lease->left); /* not undone */
    lease->left = NULL;
}

static void left_station(void **state)
{
    static const char liar[] = "C:\\w\nstation S-1-5-18 S-1-9-1-2-3-4-6\n";
    static const char account[] = "S-1-5-21-7-7-7-2000", run[] = "S-1-9-1-2-3-4-5", other[] = "S-1-9-1-2-3-4-6";
    sbx_error err = {0};
    sbx_lease lease;
    char text[2048] = "";
    HANDLE file;
    DWORD done;

    (void)state;
    assert_false(admits(account));
    takes(&lease, "C:\\w", "sbx1-off01");
    leave_station(&lease, account, run);
    assert_true(admits(account) && admits(run));
    assert_string_equal(listed(), "account sbx1-off01 1 C:\\w\n");
    assert_int_equal(sbx_lease_clean(SBX_CLEAN_ALL, NULL, on_item, text, &err), SBX_OK);
    assert_true(admits(account)); /* a run that lives has it */
    sbx_lease_give(&lease, 1);
    assert_string_equal(listed(), "account sbx1-off01 3 C:\\w\n");
    /* the next run in the account */
    takes(&lease, "C:\\w", "sbx1-off01");
    assert_true(!admits(account) && !admits(run));
    leave_station(&lease, account, other);
    sbx_lease_give(&lease, 1);
    /* or clean */
    text[0] = 0;
    assert_int_equal(sbx_lease_clean(SBX_CLEAN_ROOT, "C:\\x", on_item, text, &err), SBX_OK);
    assert_true(admits(account) && !text[0]);
    assert_int_equal(sbx_lease_clean(SBX_CLEAN_STALE, NULL, on_item, text, &err), SBX_OK);
    assert_string_equal(text, "account sbx1-off01 3 C:\\w\n");
    assert_true(!admits(account) && !admits(other));
    assert_string_equal(listed(), "");
    /* a record that names others takes nothing from them */
    file = CreateFileA(path_of("sbx1-off01"), GENERIC_WRITE, 7, NULL, CREATE_ALWAYS, 0, NULL);
    assert_true(WriteFile(file, liar, (DWORD)strlen(liar), &done, NULL));
    CloseHandle(file);
    assert_true(admits("S-1-5-18"));
    takes(&lease, "C:\\w", "sbx1-off01");
    sbx_lease_give(&lease, 1);
    assert_string_equal(listed(), "");
    sbx_station_undo("");
    sbx_station_undo("station ");
    sbx_station_undo("station S-1-5-21-x S-1-9-1");
    sbx_station_undo("station S-1-5-21-7-7-7-2000 S-1-5-18");
    assert_true(admits("S-1-5-18"));
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(order, begin),        cmocka_unit_test_setup(other_kind, begin),
        cmocka_unit_test_setup(waits, begin),        cmocka_unit_test_setup(killed, begin),
        cmocka_unit_test_setup(bad_files, begin),    cmocka_unit_test_setup(left_over, begin),
        cmocka_unit_test_setup(not_alone, begin),    cmocka_unit_test_setup(many_sessions, begin),
        cmocka_unit_test_setup(left_station, begin), cmocka_unit_test_setup(full_disk, begin),
    };
    int failed;

    GetModuleFileNameW(NULL, self_w, ARRAYSIZE(self_w));
    if (argc > 2 && !wcscmp(argv[1], L"hold")) {
        snprintf(folder, sizeof(folder), "%ls", argv[2]);
        return hold();
    }
    GetTempPathA(sizeof(folder) - 40, folder);
    snprintf(folder + strlen(folder), 40, "sbx-test-lease-%lu", GetCurrentProcessId());
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove_all();
    snprintf(said, sizeof(said), "%s\\runs", folder);
    RemoveDirectoryA(said);
    RemoveDirectoryA(folder);
    return failed;
}
