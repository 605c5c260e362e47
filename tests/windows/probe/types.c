/* What each type of object makes of the generic rights, as the system tells it. */
#include "first_hour.h"
#include <stdlib.h>
#include <string.h>
#include <winternl.h>

#define ALL_TYPES 3 /* ObjectTypesInformation */
#define STANDARD_WRITES (DELETE | WRITE_DAC | WRITE_OWNER)

/* One entry; the name follows, then the next one, aligned to a pointer. */
typedef struct type_information {
    UNICODE_STRING name;
    ULONG counts[13]; /* objects, handles, pools, names, handle table, now and at most; invalid attributes */
    GENERIC_MAPPING mapping;
    ULONG valid;
    UCHAR flags[4];
    ULONG pool[3];
} type_information;

static void tell_type(const type_information *type)
{
    const UNICODE_STRING *name = &type->name;
    const GENERIC_MAPPING *map = &type->mapping;
    const ULONG reads = map->GenericRead | map->GenericExecute;
    const ULONG skipped = map->GenericAll & ~(map->GenericWrite | STANDARD_WRITES | reads);
    const char *reading = "";

    if (name->Length == 10 && memcmp(name->Buffer, L"Token", 10) == 0)
        reading = map->GenericRead & TOKEN_DUPLICATE ? "token-read=duplicate" : "token-read=query";
    tell("types", text("%.*ls", (int)(name->Length / sizeof(WCHAR)), name->Buffer), reading,
         "read 0x%lx write 0x%lx execute 0x%lx all 0x%lx in-all-alone 0x%lx", map->GenericRead, map->GenericWrite,
         map->GenericExecute, map->GenericAll, skipped);
}

void ask_types(void)
{
    const ULONG size = 1 << 18;
    unsigned char *space = calloc(1, size);
    const type_information *type;
    ULONG got = 0, count, i;
    ULONG_PTR at;
    NTSTATUS status = space != NULL ? NtQueryObject(NULL, (OBJECT_INFORMATION_CLASS)ALL_TYPES, space, size, &got) : -1;

    if (status < 0) {
        tell("types", "NtQueryObject", "", "status 0x%08lx", status);
        free(space);
        return;
    }
    memcpy(&count, space, sizeof(count));
    at = (ULONG_PTR)space + sizeof(ULONG_PTR);
    for (i = 0; i < count; i++) {
        type = (const type_information *)at;
        tell_type(type);
        at += sizeof(*type) + type->name.MaximumLength;
        at = (at + sizeof(ULONG_PTR) - 1) & ~(ULONG_PTR)(sizeof(ULONG_PTR) - 1);
    }
    free(space);
}
