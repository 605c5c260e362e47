/*
 * The command that is launched in a measurement.
 *
 *   bench-child                 exits at once
 *   bench-child write BYTES     writes that many bytes to standard output
 *   bench-child hold            says "ready", then waits for the end of its standard input
 */
#include <windows.h>

#include <stdlib.h>
#include <wchar.h>

static char block[64 * 1024];

static int write_bytes(HANDLE out, unsigned long long left)
{
    DWORD size, done;

    for (; left; left -= done) {
        size = left < sizeof(block) ? (DWORD)left : (DWORD)sizeof(block);
        if (!WriteFile(out, block, size, &done, NULL))
            return 1;
    }
    return 0;
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv)
{
    HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE);
    DWORD done;

    if (argc == 3 && !wcscmp(argv[1], L"write"))
        return write_bytes(out, wcstoull(argv[2], NULL, 10));
    if (argc == 2 && !wcscmp(argv[1], L"hold")) {
        if (!WriteFile(out, "ready", 5, &done, NULL))
            return 1;
        while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), block, sizeof(block), &done, NULL) && done)
            continue;
    }
    return 0;
}
