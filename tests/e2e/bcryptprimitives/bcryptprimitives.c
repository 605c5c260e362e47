/*
 * bcryptprimitives.dll for Wine 8, which has none: the one function that Go, Rust and Node
 * programs of today import from it.  Source: "ProcessPrng", MSDN.
 */
#include <windows.h>
#include <ntsecapi.h>

/* Always succeeds, by contract: a caller that could not get random bytes must not go on. */
BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size);

BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size)
{
    while (size != 0) {
        ULONG part = size > 0x10000000 ? 0x10000000 : (ULONG)size;

        if (!RtlGenRandom(data, part))
            TerminateProcess(GetCurrentProcess(), 0xC0000001u);
        data += part;
        size -= part;
    }
    return TRUE;
}
