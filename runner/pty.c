#include "runner/pty.h"

#include <windows.h>

#include "win/error.h"
#include "win/handle.h"

/* The screen goes on where the user's cursor is; else it would be cleared. */
#define INHERIT_CURSOR 1u

typedef HRESULT(WINAPI *create_fn)(COORD, HANDLE, HANDLE, DWORD, void **);
typedef HRESULT(WINAPI *resize_fn)(void *, COORD);
typedef void(WINAPI *close_fn)(void *);

typedef union symbol {
    FARPROC found;
    create_fn create;
    resize_fn resize;
    close_fn close;
} symbol;

static symbol find(const char *name)
{
    const HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
    symbol s = {NULL};

    if (kernel)
        s.found = GetProcAddress(kernel, name);
    return s;
}

static COORD coordinates(const sbx_talk_size *size)
{
    const COORD c = {(SHORT)size->width, (SHORT)size->height};

    return c;
}

sbx_status sbx_pty_open(sbx_pty *pty, const sbx_talk_request *request, sbx_error *err)
{
    HANDLE typed = (void *)(uintptr_t)request->typed, shown = (void *)(uintptr_t)request->shown;
    const symbol s = find("CreatePseudoConsole");
    HRESULT result;
    sbx_status st = SBX_OK;

    if (!typed)
        return SBX_OK;
    if (!s.found) {
        st = sbx_fail(err, SBX_E_UNSUPPORTED, "this system makes no pseudo console", "terminal");
        sbx_hint(err, "give the command files or pipes as its standard streams");
    } else {
        result = s.create(coordinates(&request->size), typed, shown, INHERIT_CURSOR, &pty->console);
        if (FAILED(result)) {
            pty->console = NULL;
            st =
                sbx_fail_code(err, SBX_E_SYSTEM, SBX_CODE_HRESULT, (uint32_t)result, "CreatePseudoConsole", "terminal");
        }
    }
    /* its host has copies: sbx must see the end of them with it */
    sbx_handle_close(&typed);
    sbx_handle_close(&shown);
    return st;
}

void sbx_pty_resize(const sbx_pty *pty, const sbx_talk_size *size)
{
    const symbol s = find("ResizePseudoConsole");

    if (pty->console && s.found)
        s.resize(pty->console, coordinates(size));
}

void sbx_pty_close(sbx_pty *pty)
{
    const symbol s = find("ClosePseudoConsole");

    if (pty->console && s.found)
        s.close(pty->console);
    pty->console = NULL;
}
