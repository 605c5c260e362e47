/*
 * Measures sbx against the smallest launcher, alternately in the same run, so that a noisy
 * machine disturbs both alike.  Prints ratios; says nothing about good or bad.
 *
 *   bench [--confined | --logon] [--command LINE] [--rounds N] [--megabytes N] [--label TEXT] [--json FILE] SBX-OPTION...
 *
 * --confined, --logon: the latency also against the smallest launcher that confines, or that starts the command as another account.
 * --command LINE: the latency of this command line, and nothing else; without it of bench-child, which does nothing.
 * bench.exe expects bench-minimal.exe, bench-confined.exe and bench-child.exe beside itself and sbx.exe in
 * ..\bin.  The options behind its own go to sbx: `bench --backend none -q`.
 */
#include <windows.h>
#include <psapi.h>
#include <tlhelp32.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define SBX_BENCH_MAX_ROUNDS 2000

enum { MINIMAL, SBX, LAUNCHERS, THIRD = LAUNCHERS, ALL };

static const char *launcher_names[ALL] = {"minimal", "sbx", "confined"};

struct pipes {
    HANDLE child_in, child_out; /* inheritable ends */
    HANDLE in, out;             /* ours: write to in, read from out */
};

static wchar_t folder[MAX_PATH]; /* of bench.exe, with a backslash */
static wchar_t sbx_options[8192] = L"";
static double runner_set;
static double samples[ALL][SBX_BENCH_MAX_ROUNDS];

static void fail(const char *what)
{
    fprintf(stderr, "bench: %s: error %lu\n", what, GetLastError());
    exit(2);
}

static double now_us(void)
{
    static LARGE_INTEGER frequency;
    LARGE_INTEGER counter;

    if (!frequency.QuadPart)
        QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&counter);
    return (double)counter.QuadPart * 1e6 / (double)frequency.QuadPart;
}

static void open_pipes(struct pipes *pipes)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};

    if (!CreatePipe(&pipes->child_in, &pipes->in, &inherit, 1 << 16) ||
        !CreatePipe(&pipes->out, &pipes->child_out, &inherit, 1 << 16))
        fail("CreatePipe");
    SetHandleInformation(pipes->in, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(pipes->out, HANDLE_FLAG_INHERIT, 0);
}

/* Start a command line through one of the launchers; pipes may be NULL. */
static HANDLE start(int launcher, const wchar_t *what, const struct pipes *pipes)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;
    wchar_t command[16384];

    if (launcher == SBX)
        _snwprintf(command, 16384, L"\"%ls..\\bin\\sbx.exe\" %ls -- %ls", folder, sbx_options, what);
    else
        _snwprintf(command, 16384, L"\"%lsbench-%hs.exe\" -- %ls", folder, launcher_names[launcher], what);
    if (pipes) {
        startup.dwFlags = STARTF_USESTDHANDLES;
        startup.hStdInput = pipes->child_in;
        startup.hStdOutput = pipes->child_out;
        startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    }
    if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        fail(launcher_names[launcher]);
    CloseHandle(process.hThread);
    return process.hProcess;
}

/* The same with bench-child. */
static HANDLE start_child(int launcher, const wchar_t *arguments, const struct pipes *pipes)
{
    wchar_t what[MAX_PATH + 128];

    _snwprintf(what, MAX_PATH + 128, L"\"%lsbench-child.exe\" %ls", folder, arguments);
    return start(launcher, what, pipes);
}

static DWORD end_of(HANDLE process)
{
    DWORD code = 0;

    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &code);
    CloseHandle(process);
    return code;
}

static void finish(int launcher, HANDLE process)
{
    DWORD code = end_of(process);

    if (code) {
        fprintf(stderr, "bench: %s exited with %lu\n", launcher_names[launcher], code);
        exit(2);
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* sorts */
static double quantile(double *values, int count, double part)
{
    qsort(values, (size_t)count, sizeof(*values), compare);
    return values[(int)(part * (count - 1) + 0.5)];
}

/* The launchers once a round, the order changing, so that drift hits both.  Where addresses are
 * random Wine loses a process in some thousand: such a launch is told, and made again. */
static void measure_launches(int rounds, int launchers, const wchar_t *command)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    HANDLE nowhere = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit,
                                 OPEN_EXISTING, 0, NULL);
    struct pipes quiet = {.child_in = nowhere, .child_out = nowhere};
    double begin;
    DWORD code;
    int round, i, launcher, lost = 0;

    for (round = -2; round < rounds; round++) /* two to warm up */
        for (i = 0; i < launchers; i++) {
            launcher = (i + round + launchers) % launchers;
            do {
                begin = now_us();
                code = end_of(command ? start(launcher, command, &quiet) : start_child(launcher, L"", NULL));
                if (code)
                    fprintf(stderr, "bench: %s exited with %lu\n", launcher_names[launcher], code);
                if (code && ++lost > 1 + rounds / 100)
                    exit(2);
            } while (code);
            if (round >= 0)
                samples[launcher][round] = now_us() - begin;
        }
}

/* Seconds that it takes to read `megabytes` from the child's standard output. */
static double transfer(int launcher, int megabytes)
{
    static char block[1 << 16];
    unsigned long long total = 0, wanted = (unsigned long long)megabytes << 20;
    wchar_t arguments[64];
    struct pipes pipes;
    HANDLE process;
    double begin = 0;
    DWORD done;

    open_pipes(&pipes);
    _snwprintf(arguments, 64, L"write %llu", wanted);
    process = start_child(launcher, arguments, &pipes);
    CloseHandle(pipes.child_in);
    CloseHandle(pipes.child_out);
    while (ReadFile(pipes.out, block, sizeof(block), &done, NULL) && done) {
        if (!total)
            begin = now_us(); /* from the first byte: the start is measured elsewhere */
        total += done;
    }
    begin = (now_us() - begin) / 1e6;
    finish(launcher, process);
    CloseHandle(pipes.in);
    CloseHandle(pipes.out);
    if (total != wanted) {
        fprintf(stderr, "bench: %s: %llu of %llu bytes arrived\n", launcher_names[launcher], total, wanted);
        exit(2);
    }
    return begin;
}

/* Peak working set of the process that has a program, MiB; 0: there is none. */
static double memory_of(const wchar_t *program)
{
    PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof(counters)};
    PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0), process = NULL;
    BOOL more;

    for (more = Process32FirstW(all, &entry); more && !process; more = Process32NextW(all, &entry))
        if (!_wcsicmp(entry.szExeFile, program))
            process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, entry.th32ProcessID);
    CloseHandle(all);
    if (process && !GetProcessMemoryInfo(process, &counters, sizeof(counters)))
        counters.PeakWorkingSetSize = 0;
    CloseHandle(process);
    return (double)counters.PeakWorkingSetSize / (1 << 20);
}

/* Peak working set of the launcher itself while its child runs, MiB.  What the system needs for any
 * process is in both; the difference is sbx. */
static double memory(int launcher)
{
    PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof(counters)};
    struct pipes pipes;
    HANDLE process;
    char ready[5];
    DWORD done;

    open_pipes(&pipes);
    process = start_child(launcher, L"hold", &pipes);
    CloseHandle(pipes.child_in);
    CloseHandle(pipes.child_out);
    if (!ReadFile(pipes.out, ready, sizeof(ready), &done, NULL))
        fail("ReadFile");
    if (!GetProcessMemoryInfo(process, &counters, sizeof(counters)))
        fail("GetProcessMemoryInfo");
    if (launcher == SBX)
        runner_set = memory_of(L"sbx-runner.exe");
    CloseHandle(pipes.in);
    CloseHandle(pipes.out);
    finish(launcher, process);
    return (double)counters.PeakWorkingSetSize / (1 << 20);
}

static double file_size(const wchar_t *path)
{
    WIN32_FILE_ATTRIBUTE_DATA data;

    return GetFileAttributesExW(path, GetFileExInfoStandard, &data)
               ? (double)(((unsigned long long)data.nFileSizeHigh << 32) + data.nFileSizeLow)
               : 0;
}

/* KiB of the files that match a pattern below ..\bin. */
static double binaries(const wchar_t *directory, const wchar_t *pattern)
{
    WIN32_FIND_DATAW found;
    wchar_t path[MAX_PATH * 2];
    HANDLE find;
    double total = 0;

    _snwprintf(path, MAX_PATH * 2, L"%ls..\\bin\\%ls%ls", folder, directory, pattern);
    find = FindFirstFileW(path, &found);
    if (find == INVALID_HANDLE_VALUE)
        return 0;
    do {
        _snwprintf(path, MAX_PATH * 2, L"%ls..\\bin\\%ls%ls", folder, directory, found.cFileName);
        total += file_size(path) / 1024;
    } while (FindNextFileW(find, &found));
    FindClose(find);
    return total;
}

/* A console as a person at a terminal has it, for the launchers to share; its window is not shown.  Without one sbx
 * makes one for the command, a process more, while what the minimal launcher does then depends on the system. */
static void have_console(void)
{
    STARTUPINFOW startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION process;

    if (GetConsoleCP() || GetEnvironmentVariableW(L"SBX_BENCH_CONSOLE", NULL, 0))
        return;
    SetEnvironmentVariableW(L"SBX_BENCH_CONSOLE", L"made");
    startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    if (!CreateProcessW(NULL, GetCommandLineW(), NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &startup, &process))
        fail("start with a console");
    exit((int)end_of(process.hProcess));
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv)
{
    double p50[ALL], p90[ALL], rate[LAUNCHERS] = {0}, set[LAUNCHERS], size, took;
    int rounds = 100, megabytes = 128, launchers = LAUNCHERS, i, j;
    const wchar_t *json = NULL, *label = L"sbx", *command = NULL;
    wchar_t *slash;
    FILE *file;

    GetModuleFileNameW(NULL, folder, MAX_PATH);
    if ((slash = wcsrchr(folder, L'\\')))
        slash[1] = 0;
    for (i = 1; i < argc; i++) {
        if (!wcscmp(argv[i], L"--rounds") && i + 1 < argc)
            rounds = (int)wcstol(argv[++i], NULL, 10);
        else if (!wcscmp(argv[i], L"--megabytes") && i + 1 < argc)
            megabytes = (int)wcstol(argv[++i], NULL, 10);
        else if (!wcscmp(argv[i], L"--label") && i + 1 < argc)
            label = argv[++i];
        else if (!wcscmp(argv[i], L"--json") && i + 1 < argc)
            json = argv[++i];
        else if (!wcscmp(argv[i], L"--command") && i + 1 < argc)
            command = argv[++i];
        else if (!wcscmp(argv[i], L"--confined") || !wcscmp(argv[i], L"--logon")) {
            launchers = ALL;
            launcher_names[THIRD] = wcscmp(argv[i], L"--logon") ? "confined" : "logon";
        } else
            break;
    }
    if (rounds < 3 || rounds > SBX_BENCH_MAX_ROUNDS || megabytes < 1 || i == argc) {
        fprintf(
            stderr,
            "usage: bench [--confined | --logon] [--command LINE] [--rounds 3..2000] [--megabytes N] [--label TEXT] "
            "[--json FILE] SBX-OPTION...\n");
        return 2;
    }
    for (; i < argc; i++)
        _snwprintf(sbx_options + wcslen(sbx_options), 8192 - wcslen(sbx_options), L"\"%ls\" ", argv[i]);

    have_console();
    measure_launches(rounds, launchers, command);
    for (j = 0; j < launchers; j++) {
        p50[j] = quantile(samples[j], rounds, 0.5);
        p90[j] = quantile(samples[j], rounds, 0.9);
    }
    printf("%ls, %d launches each, alternately\n", label, rounds);
    printf("                     minimal         sbx    sbx/minimal\n");
    printf("latency p50  us  %11.0f %11.0f %14.3f\n", p50[MINIMAL], p50[SBX], p50[SBX] / p50[MINIMAL]);
    printf("latency p90  us  %11.0f %11.0f %14.3f\n", p90[MINIMAL], p90[SBX], p90[SBX] / p90[MINIMAL]);
    if (launchers == ALL) {
        printf("%10s p50 %13.0f %26.3f\n", launcher_names[THIRD], p50[THIRD], p50[SBX] / p50[THIRD]);
        printf("%10s p90 %13.0f %26.3f\n", launcher_names[THIRD], p90[THIRD], p90[SBX] / p90[THIRD]);
    }
    printf("launches/s       %11.1f %11.1f %14.3f\n", 1e6 / p50[MINIMAL], 1e6 / p50[SBX], p50[MINIMAL] / p50[SBX]);
    if (command)
        return 0;

    for (j = 0; j < LAUNCHERS; j++)
        set[j] = memory(j);
    for (i = 0; i < 12; i++) /* the best of twelve: what the path can carry */
        for (j = 0; j < LAUNCHERS; j++) {
            took = transfer((i + j) & 1, megabytes);
            if (megabytes / took > rate[(i + j) & 1])
                rate[(i + j) & 1] = megabytes / took;
        }
    size = binaries(L"", L"*.exe") + binaries(L"backends\\", L"*.dll") + binaries(L"stubs\\", L"*.exe");

    printf("stdout     MB/s  %11.0f %11.0f %14.3f\n", rate[MINIMAL], rate[SBX], rate[SBX] / rate[MINIMAL]);
    printf("peak set    MiB  %11.2f %11.2f %14.3f\n", set[MINIMAL], set[SBX], set[SBX] / set[MINIMAL]);
    printf("difference  MiB              %11.2f\n", set[SBX] - set[MINIMAL]);
    if (runner_set > 0)
        printf("runner      MiB              %11.2f\n", runner_set - set[MINIMAL]);
    printf("binaries    KiB              %11.0f\n", size);
    if (json) {
        file = _wfopen(json, L"wb");
        if (!file)
            fail("open the JSON file");
        fprintf(
            file,
            "{\"label\": \"%ls\", \"rounds\": %d, \"latency_p50_us\": {\"minimal\": %.0f, \"sbx\": %.0f, \"ratio\": "
            "%.4f}, \"latency_p90_us\": {\"minimal\": %.0f, \"sbx\": %.0f, \"ratio\": %.4f}, \"stdout_mb_s\": "
            "{\"minimal\": %.0f, \"sbx\": %.0f, \"ratio\": %.4f}, \"peak_working_set_mib\": {\"minimal\": %.2f, "
            "\"sbx\": %.2f}, \"binaries_kib\": %.0f}\n",
            label, rounds, p50[MINIMAL], p50[SBX], p50[SBX] / p50[MINIMAL], p90[MINIMAL], p90[SBX],
            p90[SBX] / p90[MINIMAL], rate[MINIMAL], rate[SBX], rate[SBX] / rate[MINIMAL], set[MINIMAL], set[SBX], size);
        fclose(file);
    }
    return 0;
}
