/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: counting the system calls of ntdll.dll
 *
 * With LAB_COUNT=FOLDER each process leaves lines "NAME COUNT INTERNAL" in FOLDER/IMAGE.PID when it exits or ends
 * itself: the calls from other modules, and those of ntdll.dll, which are mostly of the loader.  The dispatcher counts
 * in the CounterTable of the system calls; without one it counts nothing.
 */

#if 0
#pragma makedep unix
#endif

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winternl.h"
#include "unix_private.h"
#include "ntlab.h"

#define MAX_CALLS 0x1000  /* the dispatcher takes 12 bits of the number */

static const BYTE *ntdll;
static const IMAGE_EXPORT_DIRECTORY *exports;

static struct  /* as the hook in the dispatcher knows it */
{
    ULONG_PTR base, size;  /* of ntdll.dll */
    ULONG_PTR others[MAX_CALLS], internal[MAX_CALLS];
} counters;

void ntlab_count_exit(void)
{
    const char *folder = getenv( "LAB_COUNT" );
    const UNICODE_STRING *image = &NtCurrentTeb()->Peb->ProcessParameters->ImagePathName;
    const DWORD *names, *functions;
    const WORD *ordinals;
    char path[1024], file[64];
    unsigned int i, len = 0;
    FILE *out;

    if (!exports || !folder) return;
    for (i = 0; i < image->Length / sizeof(WCHAR); i++)
    {
        if (image->Buffer[i] == '\\') len = 0;
        else if (len < sizeof(file) - 1) file[len++] = image->Buffer[i] < 0x80 ? image->Buffer[i] : '_';
    }
    file[len] = 0;
    snprintf( path, sizeof(path), "%s/%s.%d", folder, file, getpid() );
    if (!(out = fopen( path, "w" ))) return;

    /* the number of a system call stands in its stub: mov r10,rcx; mov eax,NUMBER */
    names = (const DWORD *)(ntdll + exports->AddressOfNames);
    ordinals = (const WORD *)(ntdll + exports->AddressOfNameOrdinals);
    functions = (const DWORD *)(ntdll + exports->AddressOfFunctions);
    for (i = 0; i < exports->NumberOfNames; i++)
    {
        const char *name = (const char *)ntdll + names[i];
        const BYTE *stub = ntdll + functions[ordinals[i]];
        DWORD number;

        if (name[0] != 'N' || name[1] != 't' || memcmp( stub, "\x4c\x8b\xd1\xb8", 4 )) continue;
        memcpy( &number, stub + 4, sizeof(number) );
        if (number < MAX_CALLS && (counters.others[number] || counters.internal[number]))
            fprintf( out, "%s %lu %lu\n", name, counters.others[number], counters.internal[number] );
    }
    fclose( out );
}

/* the exports are those of ntdll.dll */
void ntlab_count_init( void *module, const IMAGE_EXPORT_DIRECTORY *directory )
{
    const IMAGE_DOS_HEADER *dos = module;
    const IMAGE_NT_HEADERS *nt = (const IMAGE_NT_HEADERS *)((const BYTE *)module + dos->e_lfanew);

    if (!getenv( "LAB_COUNT" )) return;
    ntdll = module;
    exports = directory;
    counters.base = (ULONG_PTR)module;
    counters.size = nt->OptionalHeader.SizeOfImage;
    atexit( ntlab_count_exit );
}

ULONG_PTR *ntlab_count_table( ULONG id )
{
    return exports && !id ? counters.others : NULL;
}
