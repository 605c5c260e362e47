/* Rows about the user's desktop. */
#include "probe/probe.h"

/* Of user32.dll, which is loaded from the system's folder. */
static FARPROC function(const char *name)
{
    static HMODULE user32;

    if (!user32)
        user32 = LoadLibraryExW(L"user32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    return user32 ? GetProcAddress(user32, name) : NULL;
}

DWORD sbx_probe_user32(const sbx_probe_row *row)
{
    (void)row;
    return function("CloseDesktop") ? 0 : GetLastError();
}

typedef HDESK(WINAPI *open_desktop_fn)(LPCWSTR, DWORD, BOOL, ACCESS_MASK);
typedef HWINSTA(WINAPI *open_station_fn)(LPCWSTR, BOOL, ACCESS_MASK);
typedef BOOL(WINAPI *close_fn)(HANDLE);

static DWORD done(HANDLE opened, const char *closer)
{
    const DWORD error = GetLastError();
    const close_fn close = (close_fn)(void (*)(void))function(closer);

    if (!opened)
        return error;
    close(opened);
    return 0;
}

DWORD sbx_probe_station(const sbx_probe_row *row)
{
    const open_station_fn open = (open_station_fn)(void (*)(void))function("OpenWindowStationW");

    return open ? done(open(L"WinSta0", FALSE, row->access), "CloseWindowStation") : SBX_PROBE_UNTRIED;
}

DWORD sbx_probe_desktop(const sbx_probe_row *row)
{
    const open_desktop_fn open = (open_desktop_fn)(void (*)(void))function("OpenDesktopW");

    return open ? done(open(L"Default", 0, FALSE, row->access), "CloseDesktop") : SBX_PROBE_UNTRIED;
}
