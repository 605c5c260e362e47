/* The verbs that look for a way out of an account: every process, thread and token that there is, and a pipe of its own by way of
 * the redirector. */
#include "probe.h"
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <winternl.h>

typedef NTSTATUS(NTAPI *next_process_fn)(HANDLE, ACCESS_MASK, ULONG, ULONG, HANDLE *);
typedef NTSTATUS(NTAPI *next_thread_fn)(HANDLE, HANDLE, ACCESS_MASK, ULONG, ULONG, HANDLE *);

/* Create thread, VM operation, VM read, VM write, duplicate handles, create process, set information, suspend, WRITE_DAC, WRITE_OWNER. */
static const DWORD process_rights[] = {0x2, 0x8, 0x10, 0x20, 0x40, 0x80, 0x200, 0x800, 0x40000, 0x80000};
/* Suspend, set context, set information, set token, impersonate, direct impersonation, WRITE_DAC, WRITE_OWNER. */
static const DWORD thread_rights[] = {0x2, 0x10, 0x20, 0x80, 0x100, 0x200, 0x40000, 0x80000};
/* Assign, duplicate, impersonate, adjust, WRITE_DAC, WRITE_OWNER. */
static const DWORD token_rights[] = {0x1, 0x2, 0x4, 0x20, 0x40, 0x80, 0x40000, 0x80000};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static DWORD members[1024], member_count;
static DWORD opened;

/* Of the own job, which is this sandbox; without one: this process alone. */
static void find_members(void)
{
    static union {
        JOBOBJECT_BASIC_PROCESS_ID_LIST list;
        unsigned char bytes[sizeof(JOBOBJECT_BASIC_PROCESS_ID_LIST) + 1024 * sizeof(ULONG_PTR)];
    } info;
    DWORD i;

    members[member_count++] = GetCurrentProcessId();
    if (QueryInformationJobObject(NULL, JobObjectBasicProcessIdList, &info, sizeof(info), NULL))
        for (i = 0; i < info.list.NumberOfProcessIdsInList && member_count < 1024; i++)
            members[member_count++] = (DWORD)info.list.ProcessIdList[i];
}

static int is_member(DWORD id)
{
    DWORD i;

    for (i = 0; i < member_count; i++)
        if (members[i] == id)
            return 1;
    return 0;
}

static void found(const char *what, const char *how, DWORD id, DWORD right, HANDLE handle)
{
    opened++;
    print("open %s %s %lu 0x%lx\n", what, how, id, right);
    CloseHandle(handle);
}

static void try_tokens(DWORD id)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id), token;
    size_t i;

    for (i = 0; process != NULL && i < COUNT(token_rights); i++)
        if (OpenProcessToken(process, token_rights[i], &token))
            found("token", "id", id, token_rights[i], token);
    if (process != NULL)
        CloseHandle(process);
}

static void try_by_id(const SYSTEM_PROCESS_INFORMATION *process, DWORD *threads)
{
    const DWORD id = (DWORD)(ULONG_PTR)process->UniqueProcessId;
    const SYSTEM_THREAD_INFORMATION *thread = (const SYSTEM_THREAD_INFORMATION *)(const void *)(process + 1);
    HANDLE handle;
    const DWORD before = opened;
    DWORD i, number;
    size_t k;

    for (k = 0; k < COUNT(process_rights); k++)
        if ((handle = OpenProcess(process_rights[k], FALSE, id)) != NULL)
            found("process", "id", id, process_rights[k], handle);
    for (i = 0; i < process->NumberOfThreads; i++, ++*threads) {
        number = (DWORD)(ULONG_PTR)thread[i].ClientId.UniqueThread;
        for (k = 0; k < COUNT(thread_rights); k++)
            if ((handle = OpenThread(thread_rights[k], FALSE, number)) != NULL)
                found("thread", "id", id, thread_rights[k], handle);
    }
    try_tokens(id);
    if (opened != before)
        print("of %.*ls\n", (int)(process->ImageName.Length / sizeof(wchar_t)), process->ImageName.Buffer);
}

/* What the kernel walks over is what the caller may open so. */
static void walk(FARPROC next, HANDLE process, const DWORD *rights, size_t count)
{
    const next_process_fn next_process = (next_process_fn)(void (*)(void))next;
    const next_thread_fn next_thread = (next_thread_fn)(void (*)(void))next;
    HANDLE at, handle;
    size_t k;
    DWORD id;

    for (k = 0; next != NULL && k < count; k++) {
        at = handle = NULL;
        while ((process != NULL
                    ? next_thread(process, at, rights[k] | THREAD_QUERY_LIMITED_INFORMATION, 0, 0, &handle)
                    : next_process(at, rights[k] | PROCESS_QUERY_LIMITED_INFORMATION, 0, 0, &handle)) >= 0) {
            if (at != NULL)
                CloseHandle(at);
            at = handle;
            id = process != NULL ? GetProcessIdOfThread(handle) : GetProcessId(handle);
            if (!is_member(id)) {
                opened++;
                print("open %s walk %lu 0x%lx\n", process != NULL ? "thread" : "process", id, rights[k]);
            }
        }
        if (at != NULL)
            CloseHandle(at);
    }
}

/* sweep: everything outside of the own job, asked for each right that changes it or takes it over; a line "open WHAT HOW PID RIGHT"
 * for each that is given, at the end "swept N processes, N threads, walked, N open" */
static int sweep(int argc, wchar_t **argv)
{
    static union {
        ULONG_PTR align;
        unsigned char bytes[4 << 20];
    } all;
    const HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    const FARPROC next_process = GetProcAddress(ntdll, "NtGetNextProcess");
    const FARPROC next_thread = GetProcAddress(ntdll, "NtGetNextThread");
    const SYSTEM_PROCESS_INFORMATION *at = (const SYSTEM_PROCESS_INFORMATION *)(const void *)all.bytes;
    DWORD processes = 0, threads = 0;
    HANDLE process;
    ULONG got;

    (void)argc;
    (void)argv;
    find_members();
    if (NtQuerySystemInformation(SystemProcessInformation, &all, sizeof(all), &got) < 0)
        return result(FALSE);
    for (;; at = (const SYSTEM_PROCESS_INFORMATION *)(const void *)((const char *)at + at->NextEntryOffset)) {
        if (at->UniqueProcessId != NULL && !is_member((DWORD)(ULONG_PTR)at->UniqueProcessId)) {
            processes++;
            try_by_id(at, &threads);
            process = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, (DWORD)(ULONG_PTR)at->UniqueProcessId);
            if (process != NULL) {
                walk(next_thread, process, thread_rights, COUNT(thread_rights));
                CloseHandle(process);
            }
        }
        if (at->NextEntryOffset == 0)
            break;
    }
    walk(next_process, NULL, process_rights, COUNT(process_rights));
    print("swept %lu processes, %lu threads, %s, %lu open\n", processes, threads,
          next_process != NULL ? "walked" : "no walk", opened);
    return 0;
}

static int token_is(HANDLE token, TOKEN_INFORMATION_CLASS what, DWORD *value)
{
    DWORD size = 0;

    return GetTokenInformation(token, what, value, sizeof(*value), &size) ? 1 : 0;
}

static DWORD restricting(HANDLE token)
{
    static union {
        TOKEN_GROUPS groups;
        unsigned char bytes[8192];
    } info;
    DWORD size = 0;

    return GetTokenInformation(token, TokenRestrictedSids, &info, sizeof(info), &size) ? info.groups.GroupCount : 0;
}

/* unc HOST FOLDER: make a pipe, open it as \\HOST\pipe\..., impersonate who opened it, and as that list FOLDER:
 * "level N restricting N", then "ok" or "error N"; "error N" alone where an earlier step failed */
static int unc(int argc, wchar_t **argv)
{
    wchar_t name_w[128];
    HANDLE server, client, token = NULL;
    DWORD done = 0, level = 0, code;
    char byte = 0;

    if (argc != 2)
        return 2;
    swprintf(name_w, 128, L"\\\\.\\pipe\\sbx-unc-%lu", GetCurrentProcessId());
    server = CreateNamedPipeW(name_w, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 512, 512, 0, NULL);
    swprintf(name_w, 128, L"\\\\%ls\\pipe\\sbx-unc-%lu", argv[0], GetCurrentProcessId());
    client = CreateFileW(name_w, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                         SECURITY_SQOS_PRESENT | SECURITY_IMPERSONATION, NULL);
    if (server == INVALID_HANDLE_VALUE || client == INVALID_HANDLE_VALUE || !WriteFile(client, "x", 1, &done, NULL) ||
        !ReadFile(server, &byte, 1, &done, NULL) || !ImpersonateNamedPipeClient(server))
        return result(FALSE);
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token) ||
        !token_is(token, TokenImpersonationLevel, &level))
        return result(FALSE);
    print("level %lu restricting %lu\n", level, restricting(token));
    client = CreateFileW(argv[1], FILE_ADD_FILE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                         OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    code = client != INVALID_HANDLE_VALUE ? 0 : GetLastError();
    RevertToSelf();
    SetLastError(code);
    return result(code == 0);
}

const verb sweep_verbs[] = {{L"sweep", sweep}, {L"unc", unc}, {NULL, NULL}};
