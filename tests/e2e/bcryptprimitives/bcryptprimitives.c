/*
 * bcryptprimitives.dll for Wine 8, which has none: the one function that Go, Rust and Node programs of today, and sbx,
 * import from it.  The bytes come from the host's /dev/urandom: advapi32.dll, which has a generator, is not loaded by
 * the real one either.  Source: "ProcessPrng", MSDN.
 */
#include <windows.h>

/* Always succeeds, by contract: a caller that could not get random bytes must not go on. */
BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size);

BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size)
{
    HANDLE device = CreateFileW(L"\\\\?\\unix\\dev\\urandom", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                OPEN_EXISTING, 0, NULL);

    while (size != 0) {
        DWORD part = size > 0x10000000 ? 0x10000000 : (DWORD)size, done = 0;

        if (device == INVALID_HANDLE_VALUE || !ReadFile(device, data, part, &done, NULL) || !done)
            TerminateProcess(GetCurrentProcess(), 0xC0000001u);
        data += done;
        size -= done;
    }
    CloseHandle(device);
    return TRUE;
}
