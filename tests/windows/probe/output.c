/* The lines that are sent. */
#include "first_hour.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *world = "here";

void tell(const char *name, const char *tried, const char *reading, const char *result, ...)
{
    char line[4096], said[3000];
    va_list args;
    DWORD written;
    int length;

    va_start(args, result);
    vsnprintf(said, sizeof(said), result, args);
    va_end(args);
    said[sizeof(said) - 1] = 0;
    length = snprintf(line, sizeof(line), "%s | %s | %s | %s | %s\r\n", name, world, tried, said, reading);
    if (length < 0 || (size_t)length >= sizeof(line))
        length = (int)strlen(line);
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, (DWORD)length, &written, NULL);
}

const char *text(const char *format, ...)
{
    static char space[4][1024];
    static int turn;
    char *to = space[turn++ % 4];
    va_list args;

    va_start(args, format);
    vsnprintf(to, sizeof(space[0]), format, args);
    va_end(args);
    to[sizeof(space[0]) - 1] = 0;
    return to;
}

const char *outcome(BOOL ok)
{
    const DWORD error = GetLastError();

    return ok ? "ok" : text("error %lu", error);
}
