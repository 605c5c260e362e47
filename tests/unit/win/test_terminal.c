/* The user's console as a terminal: this program once more, with a console of its own that nobody sees. */
#include <windows.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <cmocka.h>

#include "base/mimalloc.h"
#include "win/handle.h"
#include "win/terminal.h"

int wmain(int argc, wchar_t **argv);

#define WAIT_MS 20000u

/* In the process with the console: its exit code is the line of what does not hold. */
#define HOLDS(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            ExitProcess(__LINE__);                                                                                     \
    } while (0)

typedef struct scene {
    sbx_console console;
    sbx_stdio stdio;
    sbx_terminal *terminal;
    HANDLE typed, shown; /* the other side's */
    sbx_error err;
} scene;

static HANDLE copy(HANDLE handle)
{
    HANDLE own = NULL;

    HOLDS(DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &own, 0, FALSE, DUPLICATE_SAME_ACCESS));
    return own;
}

static void open_it(scene *s)
{
    const sbx_terminal_ends *ends;

    memset(s, 0, sizeof(*s));
    HOLDS(sbx_console_begin(&s->console, &s->err) == SBX_OK);
    HOLDS(sbx_stdio_open(&s->stdio, &s->err) == SBX_OK);
    HOLDS(sbx_terminal_open(&s->terminal, &s->console, &s->stdio, &s->err) == SBX_OK);
    HOLDS(s->terminal);
    ends = sbx_terminal_ends_get(s->terminal);
    s->typed = copy(ends->typed);
    s->shown = copy(ends->shown);
    sbx_terminal_given(s->terminal);
    HOLDS(sbx_terminal_begin(s->terminal, &s->err) == SBX_OK);
}

static void type(const scene *s, const wchar_t *text)
{
    INPUT_RECORD record = {.EventType = KEY_EVENT};
    DWORD done;

    record.Event.KeyEvent.bKeyDown = TRUE;
    record.Event.KeyEvent.wRepeatCount = 1;
    for (; *text; text++) {
        record.Event.KeyEvent.uChar.UnicodeChar = *text;
        HOLDS(WriteConsoleInputW(s->console.files[0], &record, 1, &done) && done == 1);
    }
}

static void expect(const scene *s, const char *text)
{
    char got[64];
    size_t at = 0;
    DWORD done;

    while (at < strlen(text)) {
        HOLDS(ReadFile(s->typed, got + at, (DWORD)(strlen(text) - at), &done, NULL));
        at += done;
    }
    HOLDS(!memcmp(got, text, at));
}

static void put(const scene *s, const char *bytes)
{
    DWORD done;

    HOLDS(WriteFile(s->shown, bytes, (DWORD)strlen(bytes), &done, NULL) && done == strlen(bytes));
}

/* In the lines before the cursor. */
static int on_screen(const scene *s, const wchar_t *text)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    wchar_t screen[400];
    COORD begin = {0, 0};
    DWORD units = 0;

    HOLDS(GetConsoleScreenBufferInfo(s->console.files[1], &info));
    if (info.dwCursorPosition.Y > 3)
        begin.Y = (SHORT)(info.dwCursorPosition.Y - 3);
    HOLDS(ReadConsoleOutputCharacterW(s->console.files[1], screen, 399, begin, &units));
    screen[units] = 0;
    return wcsstr(screen, text) != NULL;
}

/* What the screen shows sooner or later. */
static void await_screen(const scene *s, const wchar_t *text)
{
    const ULONGLONG begin = GetTickCount64();

    while (!on_screen(s, text)) {
        HOLDS(GetTickCount64() - begin < WAIT_MS);
        SwitchToThread();
    }
}

static int is_asked(uint32_t wanted)
{
    const ULONGLONG begin = GetTickCount64();

    while (sbx_console_asked() != wanted)
        if (GetTickCount64() - begin >= WAIT_MS || !SwitchToThread())
            Sleep(1);
    return sbx_console_asked() == wanted;
}

static void no_end(void *context)
{
    (void)context;
    ExitProcess(__LINE__);
}

static void close_pipe(void *context)
{
    sbx_handle_close(context);
}

static void close_it(scene *s, void (*end)(void *), void *context)
{
    sbx_terminal_close(&s->terminal, end, context);
    HOLDS(!s->terminal);
    sbx_handle_close(&s->typed);
    sbx_stdio_close(&s->stdio);
}

/* The host shows the last of it when it is told to end. */
static DWORD WINAPI end_of_output(void *context)
{
    scene *s = context;
    size_t i;

    for (i = 0; i < 50; i++)
        put(s, "the last of what the command has written, line by line\r\n");
    put(s, "the end");
    sbx_handle_close(&s->shown);
    return 0;
}

/* All three are the console. */
static void alone(void)
{
    HANDLE thread;
    scene s;
    DWORD before[2], mode;
    uint32_t width, height;
    SMALL_RECT window = {0, 0, 39, 9};
    int i;

    for (i = 0; i < 2; i++)
        HOLDS(GetConsoleMode(GetStdHandle(i ? STD_OUTPUT_HANDLE : STD_INPUT_HANDLE), &before[i]));
    open_it(&s);
    for (i = 0; i < 3; i++)
        HOLDS(!s.stdio.handles[i]);
    HOLDS(GetConsoleMode(s.console.files[0], &mode));
    HOLDS(!(mode & (ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT | ENABLE_PROCESSED_INPUT)) && (mode & 0x200));
    HOLDS(GetConsoleMode(s.console.files[1], &mode) && (mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING));

    type(&s, L"a\x00E4\xD83D\xDE00\r");
    expect(&s, "a\xC3\xA4\xF0\x9F\x98\x80\r");
    HOLDS(sbx_console_asked() == SBX_CONSOLE_QUIET);
    type(&s, L"\3");
    expect(&s, "\3");
    HOLDS(is_asked(SBX_CONSOLE_ONCE));
    HOLDS(!sbx_console_take()); /* the command has seen it */
    type(&s, L"b");
    expect(&s, "b");
    HOLDS(is_asked(SBX_CONSOLE_QUIET));
    sbx_console_signal(CTRL_BREAK_EVENT);
    HOLDS(sbx_console_take() && !sbx_console_take() && sbx_console_asked() == SBX_CONSOLE_ONCE);
    sbx_terminal_interrupt(s.terminal);
    expect(&s, "\3");
    type(&s, L"\3");
    expect(&s, "\3");
    HOLDS(is_asked(SBX_CONSOLE_END));
    type(&s, L"c"); /* it is too late to go on */
    expect(&s, "c");
    HOLDS(sbx_console_asked() == SBX_CONSOLE_END);

    put(&s, "x\xC3");
    put(&s, "\xA4y\x1B[6n");
    await_screen(&s, L"x\x00E4y");
    expect(&s, "\x1B[1;4R");
    put(&s, "\x1B[6n"); /* the second question is the terminal's to answer */

    HOLDS(!sbx_terminal_resized(s.terminal, &width, &height));
    ResetEvent(s.console.event);
    HOLDS(SetConsoleWindowInfo(s.console.files[1], TRUE, &window));
    HOLDS(WaitForSingleObject(s.console.event, WAIT_MS) == WAIT_OBJECT_0);
    HOLDS(sbx_terminal_resized(s.terminal, &width, &height) && width == 40 && height == 10);
    HOLDS(!sbx_terminal_resized(s.terminal, &width, &height));

    HOLDS((thread = CreateThread(NULL, 0, end_of_output, &s, 0, NULL)) != NULL);
    close_it(&s, no_end, NULL);
    HOLDS(on_screen(&s, L"the end"));
    sbx_handle_close(&thread);
    sbx_console_restore(); /* as a crash does */
    for (i = 0; i < 2; i++)
        HOLDS(GetConsoleMode(s.console.files[i], &mode) && mode == before[i]);
    sbx_console_end(&s.console);
}

/* Standard output is a file: others may share the console, and Ctrl-C stays theirs, too. */
static void shared(void)
{
    HANDLE null = CreateFileW(L"\\\\.\\NUL", GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    const HANDLE own = GetStdHandle(STD_OUTPUT_HANDLE);
    scene s;
    DWORD mode;

    HOLDS(SetStdHandle(STD_OUTPUT_HANDLE, null));
    open_it(&s);
    HOLDS(!s.stdio.handles[0] && s.stdio.handles[1] && !s.stdio.handles[2]);
    HOLDS(GetConsoleMode(s.console.files[0], &mode) && (mode & ENABLE_PROCESSED_INPUT) && !(mode & ENABLE_LINE_INPUT));
    put(&s, "err");
    await_screen(&s, L"err");
    /* the other side never ends: it is ended */
    close_it(&s, close_pipe, &s.shown);
    sbx_console_end(&s.console);
    HOLDS(SetStdHandle(STD_OUTPUT_HANDLE, own));
}

/* No stream is a console, though there is one. */
static void none(void)
{
    HANDLE null = CreateFileW(L"\\\\.\\NUL", GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    scene s = {0};
    int i;

    for (i = 0; i < 3; i++)
        HOLDS(SetStdHandle((DWORD)-10 - (DWORD)i, null));
    HOLDS(sbx_console_begin(&s.console, &s.err) == SBX_OK);
    HOLDS(sbx_stdio_open(&s.stdio, &s.err) == SBX_OK);
    HOLDS(sbx_terminal_open(&s.terminal, &s.console, &s.stdio, &s.err) == SBX_OK);
    HOLDS(!s.terminal);
    for (i = 0; i < 3; i++)
        HOLDS(s.stdio.handles[i]);
    sbx_terminal_close(&s.terminal, no_end, NULL);
    sbx_stdio_close(&s.stdio);
    sbx_console_end(&s.console);
}

static const struct {
    const wchar_t *name;
    void (*run)(void);
} modes[] = {{L"alone", alone}, {L"shared", shared}, {L"none", none}};

static void in_a_console(void **state)
{
    WCHAR self[MAX_PATH], line[MAX_PATH + 32];
    STARTUPINFOW si = {.cb = sizeof(si)};
    PROCESS_INFORMATION pi;
    DWORD code;
    size_t i;

    (void)state;
    GetModuleFileNameW(NULL, self, MAX_PATH);
    for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        swprintf(line, MAX_PATH + 32, L"\"%ls\" %ls", self, modes[i].name);
        assert_true(CreateProcessW(self, line, NULL, NULL, FALSE, CREATE_NO_WINDOW, NULL, NULL, &si, &pi));
        code = WaitForSingleObject(pi.hProcess, 120000) == WAIT_OBJECT_0 ? 0 : 9999;
        if (!code)
            GetExitCodeProcess(pi.hProcess, &code);
        TerminateProcess(pi.hProcess, 9999);
        CloseHandle(pi.hThread);
        CloseHandle(pi.hProcess);
        assert_int_equal(code, 0); /* the line */
    }
}

int wmain(int argc, wchar_t **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_a_console)};
    size_t i;

    sbx_memory_use(&sbx_mimalloc);
    for (i = 0; argc == 2 && i < sizeof(modes) / sizeof(modes[0]); i++)
        if (!wcscmp(argv[1], modes[i].name)) {
            modes[i].run();
            return 0;
        }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
