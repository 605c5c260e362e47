/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: bcryptprimitives.dll, which Wine 8 lacks and what Rust makes takes its random numbers from
 *
 * ProcessPrng: Microsoft's white paper "The Windows 10 random number generation infrastructure" (2019); it never fails.
 */

#include <windows.h>
#include <bcrypt.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng( BYTE *data, SIZE_T size )
{
    while (size)
    {
        const ULONG part = size > 0x10000 ? 0x10000 : size;

        if (BCryptGenRandom( NULL, data, part, BCRYPT_USE_SYSTEM_PREFERRED_RNG )) ExitProcess( STATUS_NO_MEMORY );
        data += part;
        size -= part;
    }
    return TRUE;
}
