/* The verbs that try things: files, DLLs, memory, handles, job limits. */
#include "probe.h"
#include <stdlib.h>
#include <wchar.h>

/* write FILE TEXT: create it or replace what it holds */
static int write_file(int argc, wchar_t **argv)
{
    HANDLE file;
    DWORD written;
    char text[1024];
    int length;

    if (argc != 2)
        return 2;
    length = WideCharToMultiByte(CP_UTF8, 0, argv[1], -1, text, sizeof(text), NULL, NULL);
    file = CreateFileW(argv[0], GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    return result_of(file, file != INVALID_HANDLE_VALUE &&
                               WriteFile(file, text, length > 1 ? (DWORD)length - 1 : 0, &written, NULL));
}

/* open FILE ACCESS: an existing file or folder, with the access mask */
static int open_file(int argc, wchar_t **argv)
{
    if (argc != 2)
        return 2;
    return result_of(CreateFileW(argv[0], wcstoul(argv[1], NULL, 0),
                                 FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                 FILE_FLAG_BACKUP_SEMANTICS, NULL),
                     TRUE);
}

static int delete_file(int argc, wchar_t **argv)
{
    return argc == 1 ? result(DeleteFileW(argv[0])) : 2;
}

static int make_folder(int argc, wchar_t **argv)
{
    return argc == 1 ? result(CreateDirectoryW(argv[0], NULL)) : 2;
}

static int remove_folder(int argc, wchar_t **argv)
{
    return argc == 1 ? result(RemoveDirectoryW(argv[0])) : 2;
}

static int move_file(int argc, wchar_t **argv)
{
    return argc == 2 ? result(MoveFileExW(argv[0], argv[1], MOVEFILE_REPLACE_EXISTING)) : 2;
}

static int hard_link(int argc, wchar_t **argv)
{
    return argc == 2 ? result(CreateHardLinkW(argv[1], argv[0], NULL)) : 2;
}

static int set_attributes(int argc, wchar_t **argv)
{
    return argc == 2 ? result(SetFileAttributesW(argv[0], wcstoul(argv[1], NULL, 0))) : 2;
}

/* load DLL: by the standard search, as a careless program does */
static int load(int argc, wchar_t **argv)
{
    int i, failed = 0;

    for (i = 0; i < argc; i++)
        failed |= result(LoadLibraryExW(argv[i], NULL, 0) != NULL);
    return failed;
}

/* commit MIB: memory in steps of 1 MiB; how many were given */
static int commit(int argc, wchar_t **argv)
{
    unsigned long wanted, i;

    if (argc != 1)
        return 2;
    wanted = wcstoul(argv[0], NULL, 0);
    for (i = 0; i < wanted; i++)
        if (VirtualAlloc(NULL, 1 << 20, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) == NULL)
            break;
    print("committed %lu of %lu MiB\n", i, wanted);
    return i < wanted ? 1 : 0;
}

/* spin: use one processor for good */
static int spin(int argc, wchar_t **argv)
{
    volatile unsigned long turns = 0;

    (void)argc;
    (void)argv;
    while (turns != 0xFFFFFFFF || turns == 0)
        turns = (turns + 1) & 0xFFFF;
    return 0;
}

/* limits: does this system hold the limits of a job at all?  One word a limit that it holds. */
static int limits(int argc, wchar_t **argv)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limit = {0};
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION info;
    wchar_t path_w[MAX_PATH + 16];
    HANDLE job = CreateJobObjectW(NULL, NULL);
    BOOL memory = FALSE, processes = FALSE;
    int i;

    (void)argc;
    (void)argv;
    limit.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_JOB_MEMORY | JOB_OBJECT_LIMIT_ACTIVE_PROCESS;
    limit.BasicLimitInformation.ActiveProcessLimit = 1;
    limit.JobMemoryLimit = 64 << 20;
    if (!SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limit, sizeof(limit)) ||
        !AssignProcessToJobObject(job, GetCurrentProcess()))
        return result(FALSE);
    for (i = 0; i < 128 && !memory; i++)
        memory = VirtualAlloc(NULL, 1 << 20, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) == NULL;
    GetModuleFileNameW(NULL, path_w, MAX_PATH);
    wcscat_s(path_w, MAX_PATH + 16, L" exit 0");
    processes = !CreateProcessW(NULL, path_w, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info);
    print("%s%s\n", memory ? "memory " : "", processes ? "processes" : "");
    return 0;
}

/* leak -- COMMAND: run it with HANDLE in the environment naming an inheritable mutex of ours,
 * which holds the name Local\sbx-leak as long as anybody has it */
static int leak(int argc, wchar_t **argv)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    wchar_t *tail_w = command_tail();
    PROCESS_INFORMATION info;
    HANDLE mutex = CreateMutexW(&inherit, FALSE, L"Local\\sbx-leak");

    (void)argc;
    (void)argv;
    if (tail_w == NULL || mutex == NULL)
        return 2;
    if (!CreateProcessW(NULL, tail_w, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info))
        return result(FALSE);
    WaitForSingleObject(info.hProcess, INFINITE);
    return 0;
}

/* mutexes: how many of the own handles are mutexes: objects that can be released or refuse to be
 * because another thread has to own them (ERROR_NOT_OWNER), not a wrong kind (ERROR_INVALID_HANDLE) */
static int mutexes(int argc, wchar_t **argv)
{
    ULONG_PTR value;
    DWORD count = 0;

    (void)argc;
    (void)argv;
    for (value = 4; value < 0x2000; value += 4)
        if (!ReleaseMutex((HANDLE)value) && GetLastError() == ERROR_NOT_OWNER)
            count++;
    print("mutexes %lu\n", count);
    return 0;
}

const verb system_verbs[] = {
    {L"write", write_file},
    {L"open", open_file},
    {L"delete", delete_file},
    {L"mkdir", make_folder},
    {L"rmdir", remove_folder},
    {L"move", move_file},
    {L"link", hard_link},
    {L"attributes", set_attributes},
    {L"load", load},
    {L"commit", commit},
    {L"spin", spin},
    {L"limits", limits},
    {L"leak", leak},
    {L"mutexes", mutexes},
    {NULL, NULL},
};
