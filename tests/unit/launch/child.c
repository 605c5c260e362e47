#include "child.h"

#include <windows.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static HANDLE std_handle(DWORD which)
{
    return GetStdHandle(which);
}

static HANDLE number(const wchar_t *text)
{
    return (HANDLE)(uintptr_t)wcstoull(text, NULL, 0);
}

static int do_exit(int argc, wchar_t **argv)
{
    (void)argc;
    ExitProcess((UINT)wcstoul(argv[0], NULL, 0));
}

/* Standard input to standard output. */
static int do_copy(int argc, wchar_t **argv)
{
    static char buffer[1 << 16];
    DWORD got, put;

    (void)argc, (void)argv;
    while (ReadFile(std_handle(STD_INPUT_HANDLE), buffer, sizeof(buffer), &got, NULL) && got) {
        DWORD done = 0;

        while (done < got && WriteFile(std_handle(STD_OUTPUT_HANDLE), buffer + done, got - done, &put, NULL))
            done += put;
        if (done < got)
            return 2;
    }
    return 0;
}

/* Set the event with that handle value, if there is one; 1 when that was the event of that name. */
static int do_has(int argc, wchar_t **argv)
{
    HANDLE named;

    (void)argc;
    SetEvent(number(argv[0])); /* before a handle of ours can get the same value */
    named = OpenEventW(SYNCHRONIZE, FALSE, argv[1]);
    if (!named)
        return 3;
    return WaitForSingleObject(named, 0) == WAIT_OBJECT_0;
}

static int spawn_self(const wchar_t *tail, DWORD flags, BOOL inherit)
{
    WCHAR self[MAX_PATH], line[1024];
    STARTUPINFOW si = {0};
    PROCESS_INFORMATION pi = {0};

    si.cb = sizeof(si);
    GetModuleFileNameW(NULL, self, MAX_PATH);
    swprintf(line, 1024, L"\"%ls\" child %ls", self, tail);
    if (!CreateProcessW(self, line, NULL, NULL, inherit, flags, NULL, NULL, &si, &pi))
        return (int)GetLastError();
    CloseHandle(pi.hThread);
    CloseHandle(pi.hProcess);
    return 0;
}

/* Hold a named event until it is set: while this process lives, others can open it. */
static int do_hold(int argc, wchar_t **argv)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, argv[0]);
    HANDLE ready = argc > 1 ? OpenEventW(EVENT_MODIFY_STATE, FALSE, argv[1]) : NULL;

    if (!event)
        return 4;
    if (ready) {
        SetEvent(ready);
        CloseHandle(ready);
    }
    WaitForSingleObject(event, 60000);
    return 0;
}

/* Start a grandchild that holds NAME, wait until it says READY, and exit. */
static int do_leave(int argc, wchar_t **argv)
{
    HANDLE ready = OpenEventW(SYNCHRONIZE, FALSE, argv[1]);
    WCHAR tail[512];
    int code;

    swprintf(tail, 512, L"hold %ls %ls", argv[0], argv[1]);
    code = spawn_self(tail, argc > 2 ? (DWORD)wcstoul(argv[2], NULL, 0) : 0, TRUE);
    if (code)
        return 100 + code;
    return WaitForSingleObject(ready, 20000) == WAIT_OBJECT_0 ? 7 : 5;
}

static int do_stdin_eof(int argc, wchar_t **argv)
{
    char byte;
    DWORD got = 1;

    (void)argc, (void)argv;
    return ReadFile(std_handle(STD_INPUT_HANDLE), &byte, 1, &got, NULL) && !got ? 9 : 10;
}

/* 8: the input is at its end, and both outputs take what is written. */
static int do_streams(int argc, wchar_t **argv)
{
    char byte;
    DWORD got = 1;

    (void)argc, (void)argv;
    if (!ReadFile(std_handle(STD_INPUT_HANDLE), &byte, 1, &got, NULL) || got)
        return 1;
    if (!WriteFile(std_handle(STD_OUTPUT_HANDLE), "x", 1, &got, NULL) || got != 1)
        return 2;
    return WriteFile(std_handle(STD_ERROR_HANDLE), "x", 1, &got, NULL) && got == 1 ? 8 : 3;
}

/* 0: the variable has that value, in UTF-16. */
static int do_env(int argc, wchar_t **argv)
{
    WCHAR value[512];
    DWORD length = GetEnvironmentVariableW(argv[0], value, 512);

    if (argc < 2)
        return length ? 1 : 0;
    return length && wcscmp(value, argv[1]) == 0 ? 0 : 1;
}

/* 0: there are these arguments. */
static int do_args(int argc, wchar_t **argv)
{
    static const wchar_t *const want[] = {L"a b", L"c\"d", L"e\\", L"", L"%PATH%", L"^&|!", L"\xfc\x4e2d"};
    int i;

    for (i = 0; i < argc && i < 7; i++)
        if (wcscmp(argv[i], want[i]) != 0)
            return 20 + i;
    return argc == 7 ? 0 : 1;
}

static int do_processes(int argc, wchar_t **argv)
{
    (void)argc, (void)argv;
    return spawn_self(L"exit 0", 0, FALSE) ? 11 : 12;
}

static int do_memory(int argc, wchar_t **argv)
{
    (void)argc, (void)argv;
    return VirtualAlloc(NULL, (SIZE_T)512 << 20, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) ? 12 : 11;
}

/* Leave the console as no program should: without an echo, in other code pages.  42: all of it was done. */
static int do_spoil(int argc, wchar_t **argv)
{
    HANDLE in = CreateFileW(L"CONIN$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                            OPEN_EXISTING, 0, NULL);

    (void)argc, (void)argv;
    return SetConsoleMode(in, 0) && SetConsoleCP(1252) && SetConsoleOutputCP(1252) ? 42 : 1;
}

uint32_t child_handles(void)
{
    HANDLE events[100];
    uintptr_t highest = 0;
    DWORD count = 0;
    int i;

    if (GetProcessHandleCount(GetCurrentProcess(), &count) && count)
        return count;
    /* Wine does not count them, and gives out the lowest value that is free: what is lost fills the gaps */
    for (i = 0; i < 100; i++) {
        events[i] = CreateEventW(NULL, TRUE, FALSE, NULL);
        highest = (uintptr_t)events[i] > highest ? (uintptr_t)events[i] : highest;
    }
    for (i = 0; i < 100; i++)
        CloseHandle(events[i]);
    return (uint32_t)(highest / 4);
}

/* 0: this is the user of that name. */
static int do_user(int argc, wchar_t **argv)
{
    WCHAR name[257];
    DWORD size = 257;

    (void)argc;
    return !GetUserNameW(name, &size) || wcscmp(name, argv[0]);
}

/* The error that stands between this process and another; 0: none. */
static int do_take(int argc, wchar_t **argv)
{
    HANDLE process = OpenProcess(PROCESS_VM_WRITE | PROCESS_CREATE_THREAD | PROCESS_DUP_HANDLE, FALSE,
                                 (DWORD)wcstoul(argv[0], NULL, 10));

    (void)argc;
    return process ? 0 : (int)GetLastError();
}

int child_main(int argc, wchar_t **argv)
{
    static const struct {
        const wchar_t *verb;
        int (*run)(int argc, wchar_t **argv);
    } verbs[] = {
        {L"exit", do_exit},           {L"copy", do_copy},     {L"has", do_has},     {L"hold", do_hold},
        {L"leave", do_leave},         {L"eof", do_stdin_eof}, {L"env", do_env},     {L"args", do_args},
        {L"processes", do_processes}, {L"memory", do_memory}, {L"spoil", do_spoil}, {L"streams", do_streams},
        {L"user", do_user},           {L"take", do_take},
    };
    size_t i;

    for (i = 0; argc && i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (wcscmp(argv[0], verbs[i].verb) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    return 99;
}
