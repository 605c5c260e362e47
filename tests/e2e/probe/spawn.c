/* The verbs that start processes: as the sandboxed command, and as the parent of sbx. */
#include "probe.h"
#include <stdlib.h>
#include <tlhelp32.h>
#include <wchar.h>

#define MOST 64

/* Start a command line (copied: CreateProcessW writes into it).  Standard handles are inherited;
 * input, output: NULL or a handle to use instead. */
static BOOL start(const wchar_t *command_w, DWORD flags, HANDLE input, HANDLE output, PROCESS_INFORMATION *info)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    wchar_t *copy_w = _wcsdup(command_w);
    BOOL ok;

    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = input != NULL ? input : GetStdHandle(STD_INPUT_HANDLE);
    startup.hStdOutput = output != NULL ? output : GetStdHandle(STD_OUTPUT_HANDLE);
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    ok = copy_w != NULL && CreateProcessW(NULL, copy_w, NULL, NULL, TRUE, flags, NULL, NULL, &startup, info);
    free(copy_w);
    return ok;
}

/* Start this program again with a verb. */
static BOOL start_own(const wchar_t *verb_w, DWORD flags, PROCESS_INFORMATION *info)
{
    wchar_t command_w[MAX_PATH + 64];
    wchar_t path_w[MAX_PATH];

    GetModuleFileNameW(NULL, path_w, MAX_PATH);
    swprintf(command_w, sizeof(command_w) / sizeof(command_w[0]), L"\"%ls\" %ls", path_w, verb_w);
    return start(command_w, flags, NULL, NULL, info);
}

static BOOL read_line(HANDLE from, char *line, size_t size)
{
    size_t length = 0;
    DWORD got;

    for (; length + 1 < size; length++) {
        if (!ReadFile(from, line + length, 1, &got, NULL) || got == 0 || line[length] == '\n')
            break;
    }
    line[length] = 0;
    return length != 0;
}

/* leaf: say who we are and stay */
static int leaf(int argc, wchar_t **argv)
{
    (void)argc;
    (void)argv;
    print("pid %lu\n", GetCurrentProcessId());
    Sleep(INFINITE);
    return 0;
}

/* tree HOW END: start a leaf in some way, print "error N" if that failed and the own "pid N", wait for a line on stdin and
 * exit with 0 (END "exit"), stay for good ("stay"), or close itself to everybody, say "closed" and stay ("closed").
 * HOW: plain, detached, breakaway, group, hidden, double (through a process that ends at once). */
static int tree(int argc, wchar_t **argv)
{
    static const struct {
        const wchar_t *how_w;
        DWORD flags;
    } ways[] = {{L"plain", 0},
                {L"detached", DETACHED_PROCESS},
                {L"breakaway", CREATE_BREAKAWAY_FROM_JOB},
                {L"group", CREATE_NEW_PROCESS_GROUP},
                {L"hidden", CREATE_NO_WINDOW}};
    PROCESS_INFORMATION info = {0};
    SECURITY_DESCRIPTOR descriptor;
    ACL nobody;
    BOOL ok = FALSE;
    char line[16];
    size_t i;

    if (argc != 2)
        return 2;
    if (wcscmp(argv[0], L"double") == 0)
        ok = start_own(L"between", 0, &info);
    for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (wcscmp(argv[0], ways[i].how_w) == 0)
            ok = start_own(L"leaf", ways[i].flags, &info);
    if (!ok)
        print("error %lu\n", GetLastError());
    print("pid %lu\n", GetCurrentProcessId());
    if (wcscmp(argv[1], L"stay") == 0)
        Sleep(INFINITE);
    read_line(GetStdHandle(STD_INPUT_HANDLE), line, sizeof(line));
    if (wcscmp(argv[1], L"closed") == 0) {
        ok = InitializeAcl(&nobody, sizeof(nobody), ACL_REVISION) &&
             InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) &&
             SetSecurityDescriptorDacl(&descriptor, TRUE, &nobody, FALSE) &&
             SetKernelObjectSecurity(GetCurrentProcess(), DACL_SECURITY_INFORMATION, &descriptor);
        print(ok ? "closed\n" : "not closed: error %lu\n", GetLastError());
        Sleep(INFINITE);
    }
    return 0;
}

static int between(int argc, wchar_t **argv)
{
    PROCESS_INFORMATION info;

    (void)argc;
    (void)argv;
    return start_own(L"leaf", DETACHED_PROCESS, &info) ? 0 : 1;
}

/* fork COUNT: start that many leaves; how many did */
static int fork_leaves(int argc, wchar_t **argv)
{
    PROCESS_INFORMATION info;
    unsigned long wanted, i;

    if (argc != 1)
        return 2;
    wanted = wcstoul(argv[0], NULL, 0);
    for (i = 0; i < wanted; i++)
        if (!start_own(L"leaf", 0, &info))
            break;
    print("started %lu of %lu, error %lu\n", i, wanted, i < wanted ? GetLastError() : 0);
    return i < wanted ? 1 : 0;
}

static int wait_and_tell(HANDLE process)
{
    DWORD code = 0;

    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &code);
    print("exit 0x%08lx\n", code);
    return 0;
}

static int run_with(DWORD flags)
{
    PROCESS_INFORMATION info;
    wchar_t *tail_w = command_tail();

    if (tail_w == NULL)
        return 2;
    if (!start(tail_w, flags, NULL, NULL, &info))
        return result(FALSE);
    return wait_and_tell(info.hProcess);
}

/* exitof -- COMMAND: run it; "exit 0x........" with all 32 bits */
static int exit_of(int argc, wchar_t **argv)
{
    (void)argc;
    (void)argv;
    return run_with(0);
}

/* console none|hidden -- COMMAND: the same, without a console or with a new one that has no window */
static int console(int argc, wchar_t **argv)
{
    return argc > 0 ? run_with(wcscmp(argv[0], L"none") == 0 ? DETACHED_PROCESS : CREATE_NO_WINDOW) : 2;
}

/* injob UI -- COMMAND: the same, from within a job that nobody leaves and that limits UI (JOB_OBJECT_UILIMIT_*) */
static int in_job(int argc, wchar_t **argv)
{
    JOBOBJECT_BASIC_UI_RESTRICTIONS ui = {argc > 0 ? wcstoul(argv[0], NULL, 0) : 0};
    HANDLE job = CreateJobObjectW(NULL, NULL);

    return job != NULL && SetInformationJobObject(job, JobObjectBasicUIRestrictions, &ui, sizeof(ui)) &&
                   AssignProcessToJobObject(job, GetCurrentProcess())
               ? exit_of(argc, argv)
               : result(FALSE);
}

/* exec FILE: the same for a command line that is read from a file of UTF-16 units */
static int exec_file(int argc, wchar_t **argv)
{
    static wchar_t command_w[32768];
    PROCESS_INFORMATION info;
    DWORD got = 0;
    HANDLE file;

    if (argc != 1)
        return 2;
    file = CreateFileW(argv[0], GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE || !ReadFile(file, command_w, sizeof(command_w) - 2, &got, NULL))
        return result(FALSE);
    if (!start(command_w, 0, NULL, NULL, &info))
        return result(FALSE);
    return wait_and_tell(info.hProcess);
}

/* envof FILE -- COMMAND: run it with the environment block in the file (UTF-16, own end included) */
static int env_of(int argc, wchar_t **argv)
{
    static wchar_t block_w[65536];
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION info;
    wchar_t *tail_w = command_tail();
    DWORD got = 0;
    HANDLE file;

    if (argc < 1 || tail_w == NULL)
        return 2;
    file = CreateFileW(argv[0], GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE || !ReadFile(file, block_w, sizeof(block_w) - 4, &got, NULL))
        return result(FALSE);
    if (!CreateProcessW(NULL, tail_w, NULL, NULL, TRUE, CREATE_UNICODE_ENVIRONMENT, block_w, NULL, &startup, &info))
        return result(FALSE);
    return wait_and_tell(info.hProcess);
}

static BOOL WINAPI ignore_event(DWORD event)
{
    return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
}

/* Wait for every process that was seen; those that stay are told, and ended. */
static int all_gone(HANDLE *process, const DWORD *id, DWORD count, DWORD limit_ms)
{
    ULONGLONG begin = GetTickCount64(), spent;
    DWORD i, alive = 0;

    for (i = 0; i < count; i++) {
        spent = GetTickCount64() - begin;
        if (WaitForSingleObject(process[i], spent < limit_ms ? (DWORD)(limit_ms - spent) : 0) != WAIT_OBJECT_0) {
            print("alive %lu\n", id[i]);
            TerminateProcess(process[i], 1);
            alive++;
        }
    }
    print("gone %lu of %lu in %llu ms\n", count - alive, count, GetTickCount64() - begin);
    return alive == 0 ? 0 : 1;
}

/* watch ACTION COUNT -- COMMAND: run a command whose descendants print "pid N" on stdout, COUNT in
 * all; hold each of them; then act: "kill" ends the command's own process (not its children), "go"
 * sends a line to its stdin, "go-kill" does that, passes on what comes back, and kills, "wait" does nothing, "ctrl-c" and "ctrl-c2" send one or two console
 * interrupts, "ctrl-c-told" one when the command itself says a line, on stderr too.  Then "exit 0x........", and whether the descendants are gone within two seconds. */
static int watch(int argc, wchar_t **argv)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    HANDLE in_read, in_write, out_read, out_write, seen[MOST];
    DWORD ids[MOST], count = 0, wanted, written;
    wchar_t *tail_w = command_tail();
    PROCESS_INFORMATION info;
    char line[256];
    BOOL is_told, is_pid;

    if (argc < 2 || tail_w == NULL)
        return 2;
    wanted = wcstoul(argv[1], NULL, 0);
    if (wcsncmp(argv[0], L"ctrl-c", 6) == 0) {
        AllocConsole();
        SetConsoleCtrlHandler(NULL, FALSE);
        SetConsoleCtrlHandler(ignore_event, TRUE);
    }
    if (!CreatePipe(&in_read, &in_write, &inherit, 0) || !CreatePipe(&out_read, &out_write, &inherit, 0))
        return result(FALSE);
    SetHandleInformation(in_write, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(out_read, HANDLE_FLAG_INHERIT, 0);
    is_told = wcscmp(argv[0], L"ctrl-c-told") == 0;
    if (is_told)
        SetStdHandle(STD_ERROR_HANDLE, out_write);
    if (!start(tail_w, 0, in_read, out_write, &info))
        return result(FALSE);
    CloseHandle(in_read);
    CloseHandle(out_write);
    while (count < wanted && count < MOST && read_line(out_read, line, sizeof(line))) {
        is_pid = strncmp(line, "pid ", 4) == 0;
        if (!is_pid)
            print("%s\n", line);
        if (!is_pid && !is_told)
            continue;
        ids[count] = is_pid ? strtoul(line + 4, NULL, 10) : info.dwProcessId;
        seen[count] = OpenProcess(SYNCHRONIZE | PROCESS_TERMINATE, FALSE, ids[count]);
        if (seen[count] == NULL)
            print("cannot open %lu: error %lu\n", ids[count], GetLastError());
        else
            count++;
    }
    print("seen %lu\n", count);
    if (wcscmp(argv[0], L"kill") == 0)
        TerminateProcess(info.hProcess, 99);
    else if (wcsncmp(argv[0], L"go", 2) == 0)
        WriteFile(in_write, "\n", 1, &written, NULL);
    if (wcscmp(argv[0], L"go-kill") == 0 && read_line(out_read, line, sizeof(line))) {
        print("%s\n", line);
        TerminateProcess(info.hProcess, 99);
    } else if (wcsncmp(argv[0], L"ctrl-c", 6) == 0) {
        if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0)) {
            print("no console event: error %lu\n", GetLastError());
            TerminateProcess(info.hProcess, 99);
        }
        if (argv[0][6] == L'2') {
            print("first %s\n", WaitForSingleObject(info.hProcess, 300) == WAIT_TIMEOUT ? "survived" : "ended it");
            GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0);
        }
    }
    wait_and_tell(info.hProcess);
    return all_gone(seen, ids, count, 2000);
}

static BOOL has_content(const wchar_t *path_w)
{
    HANDLE file = CreateFileW(path_w, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                              OPEN_EXISTING, 0, NULL);
    LARGE_INTEGER size = {0};

    if (file != INVALID_HANDLE_VALUE) {
        GetFileSizeEx(file, &size);
        CloseHandle(file);
    }
    return size.QuadPart > 0;
}

/* interrupt FILE -- COMMAND: run it, and send a console interrupt as soon as something is in the file */
static int interrupt_when(int argc, wchar_t **argv)
{
    wchar_t *tail_w = command_tail();
    PROCESS_INFORMATION info;

    if (argc < 1 || tail_w == NULL)
        return 2;
    AllocConsole();
    SetConsoleCtrlHandler(NULL, FALSE);
    SetConsoleCtrlHandler(ignore_event, TRUE);
    if (!start(tail_w, 0, NULL, NULL, &info))
        return result(FALSE);
    while (!has_content(argv[0]) && WaitForSingleObject(info.hProcess, 20) == WAIT_TIMEOUT)
        ;
    if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0))
        print("no console event: error %lu\n", GetLastError());
    return wait_and_tell(info.hProcess);
}

/* ignore: a command that takes no notice of Ctrl-C, with a child */
static int ignore_ctrl_c(int argc, wchar_t **argv)
{
    wchar_t *leaf_w[] = {argc > 0 ? argv[0] : NULL};

    SetConsoleCtrlHandler(ignore_event, TRUE);
    return leaf(1, leaf_w);
}

static DWORD count_processes(void)
{
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
    DWORD count = 0;
    BOOL more;

    for (more = Process32FirstW(snapshot, &entry); more; more = Process32NextW(snapshot, &entry))
        count++;
    CloseHandle(snapshot);
    return count;
}

/* The least that is seen in a second: one that is just ending is none. */
static DWORD least_processes(void)
{
    DWORD least = count_processes(), now, i;

    for (i = 0; i < 20; i++) {
        Sleep(50);
        now = count_processes();
        least = now < least ? now : least;
    }
    return least;
}

/* repeat COUNT -- COMMAND: run it that often; processes in the system before and after */
static int repeat(int argc, wchar_t **argv)
{
    wchar_t *tail_w = command_tail();
    DWORD before = 0, after, code, i, wanted, failed = 0;
    PROCESS_INFORMATION info;

    if (argc < 1 || tail_w == NULL)
        return 2;
    wanted = wcstoul(argv[0], NULL, 0);
    for (i = 0; i < wanted + 3; i++) {
        if (i == 3) /* the first ones warm up */
            before = least_processes();
        if (!start(tail_w, 0, NULL, NULL, &info))
            return result(FALSE);
        WaitForSingleObject(info.hProcess, INFINITE);
        GetExitCodeProcess(info.hProcess, &code);
        failed += code != 0;
        CloseHandle(info.hProcess);
        CloseHandle(info.hThread);
    }
    after = least_processes();
    print("runs %lu failed %lu processes %lu %lu\n", wanted, failed, before, after);
    return failed == 0 ? 0 : 1;
}

const verb spawn_verbs[] = {
    {L"leaf", leaf},
    {L"tree", tree},
    {L"between", between},
    {L"fork", fork_leaves},
    {L"exitof", exit_of},
    {L"exec", exec_file},
    {L"envof", env_of},
    {L"watch", watch},
    {L"ignore", ignore_ctrl_c},
    {L"interrupt", interrupt_when},
    {L"repeat", repeat},
    {L"injob", in_job},
    {L"console", console},
    {NULL, NULL},
};
