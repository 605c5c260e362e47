/* The verbs; first_hour.h says what they are for. */
#include "first_hour.h"
#include <shellapi.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define MARK L"made-by-sbx-first-hour" /* in a folder that may be removed */

/* all SBX FOLDER [PATH...] */
static int all(int argc, wchar_t **argv)
{
    int code;

    if (argc < 2 || wcslen(argv[1]) > LONGEST - 100 || wcslen(argv[0]) > LONGEST - 100)
        return 2;
    if (exists(below(argv[1], MARK))) /* an earlier run was ended */
        remove_tree(argv[1]);
    if (!CreateDirectoryW(argv[1], NULL) || !make_file(below(argv[1], MARK))) { /* it may be somebody else's */
        tell("all", "make the folder", "", "%s", outcome(FALSE));
        return 1;
    }
    tell_where();
    ask_types();
    ask_tokens();
    ask_files(argv[1]);
    ask_network(argv[1]);
    ask_firewall();
    code = try_sandboxes(argv[0], argv[1], argc - 2, argv + 2);
    remove_tree(argv[1]);
    tell("all", "clean up", "", exists(argv[1]) ? "NOT removed" : "nothing left");
    return code;
}

/* inside WORLD FOLDER */
static int inside(int argc, wchar_t **argv)
{
    if (argc != 2)
        return 2;
    try_inside(argv[1]);
    return 0;
}

/* network WORLD FOLDER: for the backend that only sbx setup makes, and for an administrator */
static int network(int argc, wchar_t **argv)
{
    if (argc != 2 || wcslen(argv[1]) > LONGEST - 100)
        return 2;
    ask_network(argv[1]);
    if (wcscmp(argv[0], L"here") == 0)
        ask_firewall();
    return 0;
}

/* volumes WORLD FOLDER [PATH...] */
static int volumes(int argc, wchar_t **argv)
{
    if (argc < 2)
        return 2;
    try_volumes(argc - 1, argv + 1);
    return 0;
}

/* take WORLD PID FOLDER */
static int take_other(int argc, wchar_t **argv)
{
    return argc == 3 ? take(wcstoul(argv[1], NULL, 10), argv[2]) : 2;
}

/* hold: "pid N", then wait for a line */
static int hold(int argc, wchar_t **argv)
{
    char line[32];
    DWORD done;

    (void)argc;
    (void)argv;
    snprintf(line, sizeof(line), "pid %lu\n", GetCurrentProcessId());
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, (DWORD)strlen(line), &done, NULL);
    ReadFile(GetStdHandle(STD_INPUT_HANDLE), line, 1, &done, NULL);
    return 0;
}

/* memory MIB: use so much, then end with 7 */
static int memory(int argc, wchar_t **argv)
{
    const size_t size = argc == 1 ? (size_t)wcstoul(argv[0], NULL, 10) << 20 : 0;
    char *bytes = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    if (bytes == NULL)
        return 1;
    memset(bytes, 1, size);
    return 7;
}

/* add FOLDER: the right to add a file as bits of the exit code: 0x100 restricted, and the error */
static int add(int argc, wchar_t **argv)
{
    HANDLE token = NULL, folder;
    DWORD error;

    if (argc != 1 || !OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return 2;
    folder = open_for(argv[0], FILE_ADD_FILE, OPEN_EXISTING, 0);
    error = folder != NULL ? 0 : GetLastError();
    close(folder);
    return (int)((error & 0xff) | (IsTokenRestricted(token) ? 0x100u : 0));
}

/* write FILE: over its first bytes */
static int write_over(int argc, wchar_t **argv)
{
    HANDLE file = argc == 1 ? open_for(argv[0], FILE_WRITE_DATA, OPEN_EXISTING, 0) : NULL;
    DWORD written;

    if (file == NULL)
        return (int)GetLastError();
    return WriteFile(file, "evil", 4, &written, NULL) ? 0 : 1;
}

/* child none|new: a child without or with a console of its own; its exit code */
static int child(int argc, wchar_t **argv)
{
    wchar_t command_w[LONGEST + 8];

    swprintf(command_w, LONGEST + 8, L"\"%ls\" exit 7", self());
    return argc == 1 ? (int)run(command_w, wcscmp(argv[0], L"new") == 0 ? CREATE_NEW_CONSOLE : DETACHED_PROCESS) : 2;
}

static int exit_with(int argc, wchar_t **argv)
{
    return argc == 1 ? (int)wcstoul(argv[0], NULL, 0) : 2;
}

static const struct {
    const wchar_t *name_w;
    int (*run)(int argc, wchar_t **argv);
    int has_world;
} verbs[] = {{L"all", all, 0},     {L"inside", inside, 1},   {L"volumes", volumes, 1}, {L"take", take_other, 1},
             {L"hold", hold, 0},   {L"memory", memory, 0},   {L"add", add, 0},         {L"write", write_over, 0},
             {L"child", child, 0}, {L"network", network, 1}, {L"exit", exit_with, 0}};

int wmain(void);

int wmain(void)
{
    static char world_of[32];
    int argc = 0;
    wchar_t **argv = CommandLineToArgvW(GetCommandLineW(), &argc);
    size_t i;

    SetErrorMode(SEM_FAILCRITICALERRORS); /* a drive without a disk asks nobody for one */
    for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]) && argc > 1; i++) {
        if (wcscmp(verbs[i].name_w, argv[1]) != 0)
            continue;
        if (verbs[i].has_world && argc > 2) {
            snprintf(world_of, sizeof(world_of), "%ls", argv[2]);
            world = world_of;
        }
        return verbs[i].run(argc - 2, argv + 2);
    }
    tell("sbx-first-hour", "no such verb", "", "all SBX FOLDER [PATH...]");
    return 2;
}
