/*
 * What -fstack-protector and _FORTIFY_SOURCE need on MinGW, in place of libssp: that one asks the CryptoAPI for a guard
 * before main(), in the exe and again in each DLL.  Which costs as much as the rest of the start, and loads cryptsp.dll
 * by bare name while DLLs still come from beside the program.
 *
 * The guard is made as the Microsoft C runtime makes its own.  Source: MSDN "/GS (Buffer Security Check)",
 * "NTSTATUS Values" (MS-ERREF).
 */
#if defined(__MINGW32__)

#include <windows.h>
#include <stdint.h>

extern uintptr_t __stack_chk_guard;
void __stack_chk_fail(void);
void __chk_fail(void);

uintptr_t __stack_chk_guard = 0x2B992DDFA2320000u;

/* Ends before the guard of any caller is read: only the C runtime's start is above it. */
__attribute__((constructor, no_stack_protector)) static void make_guard(void)
{
    FILETIME now;
    LARGE_INTEGER ticks;
    uint64_t mixed;

    GetSystemTimeAsFileTime(&now);
    QueryPerformanceCounter(&ticks);
    mixed = ((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) ^ (uint64_t)ticks.QuadPart << 20 ^
            (uint64_t)GetCurrentProcessId() << 44 ^ (uint64_t)GetCurrentThreadId() << 52 ^ (uint64_t)(uintptr_t)&mixed ^
            (uint64_t)(uintptr_t)&__stack_chk_guard << 16;
    /* every bit to depend on every other: the finish of MurmurHash3 */
    mixed = (mixed ^ mixed >> 33) * 0xFF51AFD7ED558CCDu;
    mixed = (mixed ^ mixed >> 33) * 0xC4CEB9FE1A85EC53u;
    mixed ^= mixed >> 33;
    __stack_chk_guard = (uintptr_t)(mixed & ~(uint64_t)0xFF); /* a NUL, so that no text runs over it unseen */
}

/* No handler of exceptions: what it would go by lies on the stack that was written over. */
__attribute__((noreturn)) static void end_now(void)
{
    static const char line[] = "sbx: internal error (a buffer was overrun)\n";
    DWORD done;

    WriteFile(GetStdHandle(STD_ERROR_HANDLE), line, sizeof(line) - 1, &done, NULL);
    for (;;)
        TerminateProcess(GetCurrentProcess(), 0xC0000409u); /* STATUS_STACK_BUFFER_OVERRUN, as with /GS */
}

void __stack_chk_fail(void)
{
    end_now();
}

void __chk_fail(void)
{
    end_now();
}

#endif
