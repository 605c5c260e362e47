#include "elevated/sessions.h"

#include <windows.h>
#include <ntsecapi.h>

#include "base/memory.h"
#include "common/host.h"
#include "common/state.h"
#include "win/file.h"

#define DAY ((uint64_t)24 * 60 * 60 * 10000000)

uint32_t sbx_sessions_count(void)
{
    typedef NTSTATUS(NTAPI * enumerate_fn)(ULONG *, LUID **);
    typedef NTSTATUS(NTAPI * free_fn)(void *);
    union {
        FARPROC found;
        enumerate_fn enumerate;
        free_fn free;
    } list = {NULL}, give = {NULL};
    HMODULE module = LoadLibraryExW(L"secur32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    ULONG count = 0;
    LUID *sessions = NULL;

    if (!module)
        return 0;
    list.found = GetProcAddress(module, "LsaEnumerateLogonSessions");
    give.found = GetProcAddress(module, "LsaFreeReturnBuffer");
    if (!list.found || !give.found || list.enumerate(&count, &sessions) < 0)
        count = 0;
    else
        give.free(sessions);
    FreeLibrary(module);
    return count;
}

/* The file says when they were counted last. */
static int were_counted(const char *path)
{
    WIN32_FILE_ATTRIBUTE_DATA data;
    FILETIME now;
    uint16_t *path_w = NULL;
    int was = 0;

    GetSystemTimeAsFileTime(&now);
    if (sbx_state_wide(path, &path_w, NULL) == SBX_OK && GetFileAttributesExW(path_w, GetFileExInfoStandard, &data))
        was = ((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) -
                  ((uint64_t)data.ftLastWriteTime.dwHighDateTime << 32 | data.ftLastWriteTime.dwLowDateTime) <
              DAY;
    sbx_free(path_w);
    return was;
}

void sbx_sessions_tell(uint32_t most)
{
    char *path = sbx_state_path("sessions");
    uint32_t count;

    if (path && !were_counted(path)) {
        count = sbx_sessions_count();
        if (count > most)
            sbx_host_log(SBX_LOG_WARN,
                         "this machine has %u logon sessions: each run makes one, and some builds of Windows keep "
                         "them; a restart frees them",
                         count);
        sbx_file_write(path, "", 0, NULL); /* else it is done again next time */
    }
    sbx_free(path);
}
