/* The verbs about arguments, environment, standard handles and exit codes. */
#include "probe.h"
#include <shellapi.h>
#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>

void print(const char *format, ...)
{
    char line[2048];
    va_list args;
    DWORD written;
    int length;

    va_start(args, format);
    length = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (length < 0)
        return;
    if ((size_t)length >= sizeof(line))
        length = (int)sizeof(line) - 1;
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, (DWORD)length, &written, NULL);
}

void print_hex(const wchar_t *text_w, size_t length)
{
    static char line[4 * 40000 + 2];
    size_t i;
    DWORD written;

    if (length > 40000)
        length = 40000;
    for (i = 0; i < length; i++)
        snprintf(line + 4 * i, 5, "%04x", (unsigned)text_w[i]);
    line[4 * length] = '\n';
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, (DWORD)(4 * length + 1), &written, NULL);
}

int result(BOOL ok)
{
    DWORD error = GetLastError();

    if (ok)
        print("ok\n");
    else
        print("error %lu\n", error);
    return ok ? 0 : 1;
}

int result_of(HANDLE handle, BOOL ok)
{
    int code = result(handle != INVALID_HANDLE_VALUE && ok);

    if (handle != INVALID_HANDLE_VALUE)
        CloseHandle(handle);
    return code;
}

/* The units behind the first separate -- outside of quotes. */
wchar_t *command_tail(void)
{
    wchar_t *at_w;
    int quoted = 0;

    for (at_w = GetCommandLineW(); *at_w != 0; at_w++) {
        if (*at_w == L'"')
            quoted = !quoted;
        else if (!quoted && wcsncmp(at_w, L" -- ", 4) == 0)
            return at_w + 4;
    }
    return NULL;
}

/* args ...: the number of arguments, then each one by the rules of CommandLineToArgvW */
static int show_args(int argc, wchar_t **argv)
{
    int i;

    print("%d\n", argc);
    for (i = 0; i < argc; i++)
        print_hex(argv[i], wcslen(argv[i]));
    return 0;
}

/* line: the whole command line */
static int show_line(int argc, wchar_t **argv)
{
    (void)argc;
    (void)argv;
    print_hex(GetCommandLineW(), wcslen(GetCommandLineW()));
    return 0;
}

/* env [NAME...]: the block as it stands, or the values of these ("-" for one that is missing) */
static int show_env(int argc, wchar_t **argv)
{
    static wchar_t value_w[40000];
    const wchar_t *at_w;
    int i;

    if (argc == 0)
        for (at_w = GetEnvironmentStringsW(); *at_w != 0; at_w += wcslen(at_w) + 1)
            print_hex(at_w, wcslen(at_w));
    for (i = 0; i < argc; i++) {
        SetLastError(0);
        if (GetEnvironmentVariableW(argv[i], value_w, 40000) == 0 && GetLastError() != 0)
            print("-\n");
        else
            print_hex(value_w, wcslen(value_w));
    }
    return 0;
}

/* exit CODE: 32 bits, decimal or 0x */
static int exit_with(int argc, wchar_t **argv)
{
    if (argc != 1)
        return 2;
    ExitProcess(wcstoul(argv[0], NULL, 0));
}

/* crash: an access violation that nobody handles */
static int crash(int argc, wchar_t **argv)
{
    volatile int *nowhere = NULL;

    (void)argc;
    (void)argv;
    SetErrorMode(SEM_NOGPFAULTERRORBOX | SEM_FAILCRITICALERRORS);
    *nowhere = 1;
    return 0;
}

static BOOL write_all(HANDLE out, const unsigned char *bytes, DWORD count)
{
    DWORD written;

    while (count != 0) {
        if (!WriteFile(out, bytes, count, &written, NULL))
            return FALSE;
        bytes += written;
        count -= written;
    }
    return TRUE;
}

/* cat: stdin to stdout until its end */
static int cat(int argc, wchar_t **argv)
{
    static unsigned char bytes[65536];
    DWORD got;

    (void)argc;
    (void)argv;
    while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), bytes, sizeof(bytes), &got, NULL) && got != 0)
        if (!write_all(GetStdHandle(STD_OUTPUT_HANDLE), bytes, got))
            return 1;
    return 0;
}

/* Byte i of the test pattern: all 256 values, and no period below 16 MiB. */
static unsigned char pattern(ULONGLONG i)
{
    return (unsigned char)(i ^ (i >> 8) ^ (i >> 16));
}

static void fill(unsigned char *bytes, DWORD count, ULONGLONG at)
{
    DWORD i;

    for (i = 0; i < count; i++)
        bytes[i] = pattern(at + i);
}

/* gen BYTES: that many bytes of the pattern to stdout */
static int generate(int argc, wchar_t **argv)
{
    static unsigned char bytes[65536];
    ULONGLONG total, at;
    DWORD part;

    if (argc != 1)
        return 2;
    total = _wcstoui64(argv[0], NULL, 0);
    for (at = 0; at < total; at += part) {
        part = total - at < sizeof(bytes) ? (DWORD)(total - at) : (DWORD)sizeof(bytes);
        fill(bytes, part, at);
        if (!write_all(GetStdHandle(STD_OUTPUT_HANDLE), bytes, part))
            return 1;
    }
    return 0;
}

/* eat: stdin to its end; how many bytes, and where the pattern first breaks */
static int eat(int argc, wchar_t **argv)
{
    static unsigned char bytes[65536], expected[65536];
    ULONGLONG at = 0;
    DWORD got, i;

    (void)argc;
    (void)argv;
    while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), bytes, sizeof(bytes), &got, NULL) && got != 0) {
        fill(expected, got, at);
        for (i = 0; i < got; i++) {
            if (bytes[i] != expected[i]) {
                print("wrong at %llu\n", at + i);
                return 1;
            }
        }
        at += got;
    }
    print("%llu bytes\n", at);
    return 0;
}

/* both BLOCKS: 4 KiB alternately to stdout ('o') and stderr ('e') */
static int both(int argc, wchar_t **argv)
{
    static unsigned char out[4096], err[4096];
    unsigned long i, blocks;

    if (argc != 1)
        return 2;
    blocks = wcstoul(argv[0], NULL, 0);
    memset(out, 'o', sizeof(out));
    memset(err, 'e', sizeof(err));
    for (i = 0; i < blocks; i++)
        if (!write_all(GetStdHandle(STD_OUTPUT_HANDLE), out, sizeof(out)) ||
            !write_all(GetStdHandle(STD_ERROR_HANDLE), err, sizeof(err)))
            return 1;
    return 0;
}

/* Run one verb, with its name first; 2 when there is no such verb. */
static int dispatch(int argc, wchar_t **argv);

/* each FILE: many acts in one process.  A line of the file (UTF-8) is a verb and its arguments, separated by tabs. */
static int each(int argc, wchar_t **argv)
{
    static char bytes[1 << 20];
    static wchar_t text_w[1 << 20];
    wchar_t *words_w[8], *line_w, *at_w = text_w;
    DWORD got = 0;
    HANDLE file;
    int count;

    if (argc != 1)
        return 2;
    file = CreateFileW(argv[0], GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE || !ReadFile(file, bytes, sizeof(bytes) - 1, &got, NULL))
        return result(FALSE);
    MultiByteToWideChar(CP_UTF8, 0, bytes, -1, text_w, 1 << 20);
    while (*at_w != 0) {
        line_w = at_w;
        at_w += wcscspn(at_w, L"\n");
        if (*at_w != 0)
            *at_w++ = 0;
        for (count = 0; count < 8 && line_w != NULL; count++) {
            words_w[count] = line_w;
            line_w = wcschr(line_w, L'\t');
            if (line_w != NULL)
                *line_w++ = 0;
        }
        if (dispatch(count, words_w) == 2)
            print("wrong usage\n");
    }
    return 0;
}

static const verb own_verbs[] = {
    {L"args", show_args}, {L"line", show_line}, {L"env", show_env}, {L"exit", exit_with},
    {L"crash", crash},    {L"cat", cat},        {L"gen", generate}, {L"eat", eat},
    {L"both", both},      {L"each", each},      {NULL, NULL},
};

static int dispatch(int argc, wchar_t **argv)
{
    static const verb *const tables[] = {own_verbs,  spawn_verbs,    system_verbs, object_verbs,
                                         file_verbs, terminal_verbs, sweep_verbs,  user_verbs};
    const verb *one;
    size_t i;

    for (i = 0; i < sizeof(tables) / sizeof(tables[0]) && argc > 0; i++)
        for (one = tables[i]; one->name_w != NULL; one++)
            if (wcscmp(one->name_w, argv[0]) == 0)
                return one->run(argc - 1, argv + 1);
    print("sbx-probe: no such verb\n");
    return 2;
}

/* In place of sbx-runner.exe, which is told nothing: one that greets in another protocol (core/base/frame.h). */
static int greet(void)
{
    static const unsigned char head[12] = {0x53, 0x42, 0x58, 0x52, 0xFF, 0x7F, 1};
    DWORD done;

    return result(WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), head, sizeof(head), &done, NULL));
}

int wmain(void);

int wmain(void)
{
    int argc = 0;
    wchar_t **argv = CommandLineToArgvW(GetCommandLineW(), &argc);

    if (argc == 1 && wcsstr(argv[0], L"sbx-runner.exe") != NULL)
        return greet();
    return argc > 1 ? dispatch(argc - 1, argv + 1) : dispatch(0, NULL);
}
