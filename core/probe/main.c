#include "probe/probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define ROW_MS 4000u /* the longest that a row may take */
#define STUCK 3
#define WRONG_USE 2

int wmain(int argc, wchar_t **argv);

sbx_probe_place sbx_probe_at;

static const char *volatile now; /* the row that is tried */
static volatile LONG turns;

void sbx_probe_print(const char *format, ...)
{
    char line[1024];
    DWORD done;
    va_list values;
    int length;

    va_start(values, format);
    length = vsnprintf(line, sizeof(line), format, values);
    va_end(values);
    if (length > 0 && (size_t)length < sizeof(line))
        WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, (DWORD)length, &done, NULL);
}

DWORD sbx_probe_done(HANDLE handle)
{
    const DWORD error = GetLastError();

    if (handle == NULL || handle == INVALID_HANDLE_VALUE)
        return error ? error : ERROR_GEN_FAILURE;
    CloseHandle(handle);
    return 0;
}

static DWORD WINAPI watch(void *unused)
{
    LONG seen;

    (void)unused;
    do {
        seen = turns;
        Sleep(ROW_MS);
    } while (seen != turns);
    sbx_probe_print("{\"stuck\": \"%s\"}\n", now);
    TerminateProcess(GetCurrentProcess(), STUCK);
    return 0;
}

static LONG WINAPI crashed(EXCEPTION_POINTERS *what)
{
    sbx_probe_print("{\"crashed\": \"%s\", \"code\": %lu}\n", now, what->ExceptionRecord->ExceptionCode);
    TerminateProcess(GetCurrentProcess(), STUCK);
    return EXCEPTION_CONTINUE_SEARCH;
}

/* Text of the table, with what JSON wants escaped. */
static const char *escaped(const char *text)
{
    static char space[256];
    size_t n = 0;

    for (; *text && n < sizeof(space) - 2; text++) {
        if (*text == '\\' || *text == '"')
            space[n++] = '\\';
        space[n++] = *text;
    }
    space[n] = 0;
    return space;
}

static const char *answer_of(DWORD code)
{
    if (!code)
        return "open";
    return code == ERROR_ACCESS_DENIED || code == WSAEACCES || code == ERROR_PRIVILEGE_NOT_HELD ||
                   code == ERROR_NETWORK_ACCESS_DENIED
               ? "refused"
               : "untried";
}

static int try_all(int argc, wchar_t **argv)
{
    const sbx_probe_row *row;
    DWORD code, count = 0;

    if (argc != 6)
        return WRONG_USE;
    sbx_probe_at = (sbx_probe_place){argv[0],
                                     argv[1],
                                     argv[2],
                                     wcstoul(argv[3], NULL, 10),
                                     wcstoul(argv[4], NULL, 10),
                                     (WORD)wcstoul(argv[5], NULL, 10)};
    now = "";
    SetUnhandledExceptionFilter(crashed);
    CloseHandle(CreateThread(NULL, 0, watch, NULL, 0, NULL));
    for (row = sbx_probe_rows; row->name; row++) {
        now = row->name;
        turns++;
        code = row->ask(row);
        sbx_probe_print("{\"row\": \"%s\", \"area\": \"%s\", \"expects\": \"%s\", \"tried\": \"%s\", \"answer\": "
                        "\"%s\", \"code\": %ld}\n",
                        row->name, row->area, row->expects, escaped(row->tried), answer_of(code), (LONG)code);
        count++;
    }
    sbx_probe_print("{\"rows\": %lu}\n", count);
    return 0;
}

/* The command line behind the word `hold`, as it was given. */
static const wchar_t *tail(const wchar_t *word_w)
{
    const wchar_t *at_w = wcsstr(GetCommandLineW(), word_w);

    return at_w ? at_w + wcslen(word_w) : L"";
}

int wmain(int argc, wchar_t **argv)
{
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX); /* nobody could answer */
    if (argc > 1 && !wcscmp(argv[1], L"try"))
        return try_all(argc - 2, argv + 2);
    if (argc > 2 && !wcscmp(argv[1], L"hold"))
        return sbx_probe_hold(tail(L" hold "));
    if (argc == 3 && !wcscmp(argv[1], L"clear"))
        return sbx_probe_clear(argv[2]);
    if (argc == 2 && !wcscmp(argv[1], L"facts"))
        return sbx_probe_facts();
    if (argc == 2 && !wcscmp(argv[1], L"exit"))
        return 0;
    fputs("sbx-probe: is started by `sbx doctor`\n", stderr);
    return WRONG_USE;
}
