#include "win/handle.h"

#include <windows.h>

void *sbx_handle_from(void *handle)
{
    return handle == INVALID_HANDLE_VALUE ? NULL : handle;
}

void sbx_handle_close(void **handle)
{
    DWORD code = GetLastError();

    if (*handle)
        CloseHandle(*handle);
    *handle = NULL;
    SetLastError(code);
}
