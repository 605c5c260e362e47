/*
 * ssh and scp while the network is off: one line that says why there is none, and exit code 1, so that no script takes
 * it for a success.  No C runtime: it must start in a few milliseconds and be small.
 */
#include <windows.h>

static void say(const char *text, DWORD length)
{
    DWORD written = 0;
    HANDLE out = GetStdHandle(STD_ERROR_HANDLE);

    if (out && out != INVALID_HANDLE_VALUE)
        WriteFile(out, text, length, &written, NULL);
}

void start(void);

void start(void)
{
    static const char line[] =
        SBX_STUB_NAME ": the network is off in this sandbox; to allow it, start the command with "
                      "`sbx --network on`\r\n";

    say(line, sizeof(line) - 1);
    ExitProcess(1);
}
