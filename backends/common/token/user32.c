#include "common/token/user32.h"

#include <string.h>

#include "win/error.h"

sbx_status sbx_user32_load(sbx_user32 *calls, sbx_error *err)
{
    HMODULE module = LoadLibraryExW(L"user32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    const struct {
        const char *name;
        void *call;
    } wanted[] = {
        {"CreateDesktopW", &calls->create_desktop},           {"OpenDesktopW", &calls->open_desktop},
        {"GetThreadDesktop", &calls->thread_desktop},         {"CloseDesktop", &calls->close_desktop},
        {"GetProcessWindowStation", &calls->process_station}, {"OpenWindowStationW", &calls->open_station},
        {"CloseWindowStation", &calls->close_station},        {"GetUserObjectInformationW", &calls->information},
        {"GetUserObjectSecurity", &calls->get_security},      {"SetUserObjectSecurity", &calls->set_security},
    };
    FARPROC found;
    size_t i;

    if (!module)
        return sbx_fail_last(err, SBX_E_SYSTEM, "LoadLibraryExW", "user32.dll");
    for (i = 0; i < ARRAYSIZE(wanted); i++) {
        found = GetProcAddress(module, wanted[i].name);
        if (!found)
            return sbx_fail_last(err, SBX_E_SYSTEM, "GetProcAddress", wanted[i].name);
        memcpy(wanted[i].call, &found, sizeof(found)); /* without a cast that ISO C does not know */
    }
    return SBX_OK;
}
