#include "unit/support/cut.h"

#include <windows.h>
#include <lm.h>
#include <ntsecapi.h>
#include <string.h>

static uint32_t cut_at, count;
static const char *what = "nothing";

static int is_cut(const char *name)
{
    count++;
    if (cut_at && count == cut_at)
        what = name;
    if (!cut_at || count < cut_at)
        return 0;
    SetLastError(ERROR_NOT_READY);
    return 1;
}

/* One that may be the nth: its result, what it gives where it did not take place, name, parameters, arguments. */
#define CUT(result, none, name, parameters, arguments)                                                                 \
    static result(WINAPI *real_##name) parameters;                                                                     \
    static result WINAPI cut_##name parameters                                                                         \
    {                                                                                                                  \
        return is_cut(#name) ? (none) : real_##name arguments;                                                         \
    }

CUT(BOOL, FALSE, MoveFileExW, (LPCWSTR a, LPCWSTR b, DWORD c), (a, b, c))
CUT(BOOL, FALSE, DeleteFileW, (LPCWSTR a), (a))
CUT(BOOL, FALSE, CreateDirectoryW, (LPCWSTR a, LPSECURITY_ATTRIBUTES b), (a, b))
CUT(BOOL, FALSE, RemoveDirectoryW, (LPCWSTR a), (a))
CUT(BOOL, FALSE, SetEndOfFile, (HANDLE a), (a))
CUT(BOOL, FALSE, SetFileInformationByHandle, (HANDLE a, FILE_INFO_BY_HANDLE_CLASS b, LPVOID c, DWORD d), (a, b, c, d))
CUT(LSTATUS, ERROR_NOT_READY, RegSetKeyValueW, (HKEY a, LPCWSTR b, LPCWSTR c, DWORD d, LPCVOID e, DWORD f),
    (a, b, c, d, e, f))
CUT(LSTATUS, ERROR_NOT_READY, RegDeleteKeyValueW, (HKEY a, LPCWSTR b, LPCWSTR c), (a, b, c))
CUT(LSTATUS, ERROR_NOT_READY, RegDeleteKeyW, (HKEY a, LPCWSTR b), (a, b))
CUT(DWORD, ERROR_NOT_READY, NetUserAdd, (LPCWSTR a, DWORD b, LPBYTE c, LPDWORD d), (a, b, c, d))
CUT(DWORD, ERROR_NOT_READY, NetUserDel, (LPCWSTR a, LPCWSTR b), (a, b))
CUT(DWORD, ERROR_NOT_READY, NetUserSetInfo, (LPCWSTR a, LPCWSTR b, DWORD c, LPBYTE d, LPDWORD e), (a, b, c, d, e))
CUT(DWORD, ERROR_NOT_READY, NetLocalGroupAdd, (LPCWSTR a, DWORD b, LPBYTE c, LPDWORD d), (a, b, c, d))
CUT(DWORD, ERROR_NOT_READY, NetLocalGroupDel, (LPCWSTR a, LPCWSTR b), (a, b))
CUT(DWORD, ERROR_NOT_READY, NetLocalGroupAddMembers, (LPCWSTR a, LPCWSTR b, DWORD c, LPBYTE d, DWORD e),
    (a, b, c, d, e))
CUT(NTSTATUS, (NTSTATUS)0xC00000A3, LsaAddAccountRights, (LSA_HANDLE a, PSID b, PLSA_UNICODE_STRING c, ULONG d),
    (a, b, c, d))
CUT(NTSTATUS, (NTSTATUS)0xC00000A3, LsaRemoveAccountRights,
    (LSA_HANDLE a, PSID b, BOOLEAN c, PLSA_UNICODE_STRING d, ULONG e), (a, b, c, d, e))

static HANDLE(WINAPI *real_CreateFileW)(LPCWSTR, DWORD, DWORD, LPSECURITY_ATTRIBUTES, DWORD, DWORD, HANDLE);

static HANDLE WINAPI cut_CreateFileW(LPCWSTR path, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES attributes,
                                     DWORD how, DWORD flags, HANDLE pattern)
{
    const int makes = how == CREATE_NEW || how == CREATE_ALWAYS ||
                      (how == OPEN_ALWAYS && GetFileAttributesW(path) == INVALID_FILE_ATTRIBUTES);

    return makes && is_cut("CreateFileW") ? INVALID_HANDLE_VALUE
                                          : real_CreateFileW(path, access, share, attributes, how, flags, pattern);
}

static BOOL(WINAPI *real_WriteFile)(HANDLE, LPCVOID, DWORD, LPDWORD, LPOVERLAPPED);

static BOOL WINAPI cut_WriteFile(HANDLE file, LPCVOID bytes, DWORD size, LPDWORD done, LPOVERLAPPED io)
{
    if (!is_cut("WriteFile"))
        return real_WriteFile(file, bytes, size, done, io);
    if (count == cut_at)
        real_WriteFile(file, bytes, size / 2, done, io);
    SetLastError(ERROR_NOT_READY);
    return FALSE;
}

#define TAKEN(name)                                                                                                    \
    {                                                                                                                  \
#name, (void *)(uintptr_t)cut_##name, (void **)(uintptr_t)&real_##name                                         \
    }

static const struct {
    const char *name;
    void *cut, **real;
} taken[] = {
    TAKEN(MoveFileExW),
    TAKEN(DeleteFileW),
    TAKEN(CreateDirectoryW),
    TAKEN(RemoveDirectoryW),
    TAKEN(SetEndOfFile),
    TAKEN(SetFileInformationByHandle),
    TAKEN(RegSetKeyValueW),
    TAKEN(RegDeleteKeyValueW),
    TAKEN(RegDeleteKeyW),
    TAKEN(NetUserAdd),
    TAKEN(NetUserDel),
    TAKEN(NetUserSetInfo),
    TAKEN(NetLocalGroupAdd),
    TAKEN(NetLocalGroupDel),
    TAKEN(NetLocalGroupAddMembers),
    TAKEN(LsaAddAccountRights),
    TAKEN(LsaRemoveAccountRights),
    TAKEN(CreateFileW),
    TAKEN(WriteFile),
};

static void take(uint8_t *image, IMAGE_THUNK_DATA *names, IMAGE_THUNK_DATA *entries)
{
    DWORD before;
    size_t i;

    for (; names->u1.AddressOfData; names++, entries++) {
        if (IMAGE_SNAP_BY_ORDINAL(names->u1.Ordinal))
            continue;
        for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
            const IMAGE_IMPORT_BY_NAME *import = (const IMAGE_IMPORT_BY_NAME *)(image + names->u1.AddressOfData);

            if (strcmp((const char *)import->Name, taken[i].name) ||
                !VirtualProtect(&entries->u1.Function, sizeof(entries->u1.Function), PAGE_READWRITE, &before))
                continue;
            *taken[i].real = (void *)(uintptr_t)entries->u1.Function;
            entries->u1.Function = (ULONGLONG)(uintptr_t)taken[i].cut;
        }
    }
}

static void take_all(void)
{
    uint8_t *image = (uint8_t *)GetModuleHandleW(NULL);
    const IMAGE_NT_HEADERS *nt = (const IMAGE_NT_HEADERS *)(image + ((IMAGE_DOS_HEADER *)image)->e_lfanew);
    IMAGE_IMPORT_DESCRIPTOR *from =
        (IMAGE_IMPORT_DESCRIPTOR *)(image +
                                    nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress);

    for (; from->Name; from++)
        take(image, (IMAGE_THUNK_DATA *)(image + from->OriginalFirstThunk),
             (IMAGE_THUNK_DATA *)(image + from->FirstThunk));
}

void sbx_cut_at(uint32_t n)
{
    static int ready;

    if (!ready++)
        take_all();
    cut_at = n;
    count = 0;
}

uint32_t sbx_cut_count(void)
{
    return count;
}

int sbx_cut_hit(void)
{
    return cut_at && count >= cut_at;
}

const char *sbx_cut_what(void)
{
    return what;
}
