/* The verbs about consoles. */
#include "probe.h"
#include <stdlib.h>
#include <wchar.h>
#include <winternl.h>

/* PROCESSINFOCLASS of phnt: the process id of the console's host, with flags in the two low bits */
#define CONSOLE_HOST 49

static const DWORD names[3] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};

/* modes: of the console of this process, and its code pages */
static int modes(int argc, wchar_t **argv)
{
    HANDLE in = CreateFileW(L"CONIN$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                            OPEN_EXISTING, 0, NULL);
    HANDLE out = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                             OPEN_EXISTING, 0, NULL);
    DWORD input = 0, output = 0;

    (void)argc;
    (void)argv;
    if (!GetConsoleMode(in, &input) || !GetConsoleMode(out, &output))
        return result(FALSE);
    print("modes %lx %lx %u %u\n", input, output, GetConsoleCP(), GetConsoleOutputCP());
    return 0;
}

/* Which of these rights a process gives, one bit each from the lowest: to write its memory, to start a thread in it, to copy its
 * handles, to read its memory, to change its descriptor, to end it. */
static unsigned opens(DWORD id)
{
    static const DWORD rights[] = {PROCESS_VM_WRITE | PROCESS_VM_OPERATION,
                                   PROCESS_CREATE_THREAD,
                                   PROCESS_DUP_HANDLE,
                                   PROCESS_VM_READ,
                                   WRITE_DAC,
                                   PROCESS_TERMINATE};
    unsigned bits = 0;
    HANDLE process;
    size_t i;

    for (i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
        process = OpenProcess(rights[i], FALSE, id);
        if (process != NULL)
            bits |= 1u << i;
        CloseHandle(process);
    }
    return bits;
}

static BOOL WINAPI tell_event(DWORD event)
{
    print("event %lu\n", event);
    return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
}

/* terminal [stay]: which standard handles are consoles, the size, and what of its host can be opened;
 * then each Ctrl-C is told, until this is ended */
static int terminal(int argc, wchar_t **argv)
{
    CONSOLE_SCREEN_BUFFER_INFO info = {0};
    HANDLE out = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                             OPEN_EXISTING, 0, NULL);
    ULONG_PTR host = 0;
    DWORD mode, is[3];
    int i;

    (void)argv;
    SetConsoleCtrlHandler(tell_event, TRUE);
    for (i = 0; i < 3; i++)
        is[i] = (DWORD)GetConsoleMode(GetStdHandle(names[i]), &mode);
    GetConsoleScreenBufferInfo(out, &info);
    NtQueryInformationProcess(GetCurrentProcess(), (PROCESSINFOCLASS)CONSOLE_HOST, &host, sizeof(host), NULL);
    host &= ~(ULONG_PTR)3;
    print("consoles %lu %lu %lu\n", is[0], is[1], is[2]);
    print("size %d %d\n", info.srWindow.Right - info.srWindow.Left + 1, info.srWindow.Bottom - info.srWindow.Top + 1);
    print("host %s %x self %x\n", host != 0 ? "there" : "none", opens((DWORD)host), opens(GetCurrentProcessId()));
    print("ready\n");
    if (argc > 0)
        Sleep(INFINITE);
    return 0;
}

const verb terminal_verbs[] = {
    {L"modes", modes},
    {L"terminal", terminal},
    {NULL, NULL},
};
