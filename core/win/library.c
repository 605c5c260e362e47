#include "win/library.h"

#include <windows.h>
#include <string.h>

#include "win/error.h"

sbx_status sbx_library_load(const char *file, const char *const *names, uint32_t count, void *table, void **library,
                            sbx_error *err)
{
    FARPROC found;
    uint32_t i;

    *library = LoadLibraryExA(file, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (!*library)
        return sbx_fail_last(err, SBX_E_UNAVAILABLE, "LoadLibraryExA", file);
    for (i = 0; i < count; i++) {
        found = GetProcAddress(*library, names[i]);
        if (!found)
            return sbx_fail_last(err, SBX_E_UNAVAILABLE, "GetProcAddress", names[i]);
        memcpy((char *)table + i * sizeof(found), &found, sizeof(found));
    }
    return SBX_OK;
}
