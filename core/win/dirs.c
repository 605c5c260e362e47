#include "win/dirs.h"

#include <windows.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "base/utf.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/user.h"
#include "win/wide.h"

#define MAX_UNITS 32768u

typedef HRESULT(WINAPI *known_folder_fn)(const GUID *, DWORD, HANDLE, WCHAR **);
typedef void(WINAPI *free_fn)(void *);
typedef BOOL(WINAPI *profile_fn)(HANDLE, WCHAR *, DWORD *);
typedef BOOL(WINAPI *random_fn)(BYTE *, SIZE_T);

typedef void (*any_fn)(void);

static any_fn function_of(HMODULE module, const char *name)
{
    return module ? (any_fn)GetProcAddress(module, name) : NULL;
}

/* Call a "buffer and size in units" function with a buffer that is large enough. */
static sbx_status by_buffer(DWORD(WINAPI *get)(WCHAR *, DWORD), const char *op, char **path, sbx_error *err)
{
    WCHAR small_w[MAX_PATH + 1];
    WCHAR *text_w = small_w;
    DWORD size = MAX_PATH + 1, length = get(small_w, size);
    sbx_status st;

    while (length >= size && size < MAX_UNITS * 2) {
        size = length + 1 > size * 2 ? length + 1 : size * 2;
        if (text_w != small_w)
            sbx_free(text_w);
        text_w = sbx_alloc(size * sizeof(*text_w));
        if (!text_w)
            return sbx_fail_memory(err);
        length = get(text_w, size);
    }
    st = length && length < size ? sbx_narrow(text_w, path, err) : sbx_fail_last(err, SBX_E_SYSTEM, op, NULL);
    if (text_w != small_w)
        sbx_free(text_w);
    return st;
}

static DWORD WINAPI get_current(WCHAR *buffer, DWORD size)
{
    return GetCurrentDirectoryW(size, buffer);
}

static DWORD WINAPI get_windows(WCHAR *buffer, DWORD size)
{
    return GetSystemWindowsDirectoryW(buffer, size);
}

static DWORD WINAPI get_system(WCHAR *buffer, DWORD size)
{
    return GetSystemDirectoryW(buffer, size);
}

static DWORD WINAPI get_module(WCHAR *buffer, DWORD size)
{
    return GetModuleFileNameW(NULL, buffer, size);
}

/* A key that is asked more than once: opened by the first, and never closed. */
typedef struct known_key {
    HKEY root;
    const WCHAR *path_w;
    void *volatile opened;
} known_key;

static known_key profile_list = {HKEY_LOCAL_MACHINE, L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList",
                                 NULL};
static known_key current_version = {HKEY_LOCAL_MACHINE, L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion", NULL};
static known_key shell_folders = {HKEY_CURRENT_USER,
                                  L"Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\User Shell Folders", NULL};

static HKEY open_key(known_key *key)
{
    HKEY made = NULL;

    if (!key->opened && RegOpenKeyExW(key->root, key->path_w, 0, KEY_QUERY_VALUE, &made) == ERROR_SUCCESS &&
        InterlockedCompareExchangePointer(&key->opened, made, NULL))
        RegCloseKey(made);
    return key->opened;
}

/* An unexpanded string of the registry; 0 when it is not there, too long or not absolute after the
 * variable that it may begin with was replaced by `base_w`.  below_w: a key below the known one, or NULL. */
static int from_registry(known_key *key, const WCHAR *below_w, const WCHAR *value_w, const WCHAR *variable_w,
                         const WCHAR *base_w, WCHAR *out_w, size_t out_units)
{
    HKEY opened = open_key(key);
    WCHAR text_w[MAX_PATH * 2];
    DWORD bytes = sizeof(text_w) - sizeof(WCHAR), type = 0;
    size_t variable = wcslen(variable_w), rest, base = 0;
    const WCHAR *tail_w = text_w;

    memset(text_w, 0, sizeof(text_w));
    if (!opened || RegGetValueW(opened, below_w, value_w, RRF_RT_REG_EXPAND_SZ | RRF_RT_REG_SZ | RRF_NOEXPAND, &type,
                                text_w, &bytes) != ERROR_SUCCESS)
        return 0;
    if (_wcsnicmp(text_w, variable_w, variable) == 0) {
        tail_w = text_w + variable;
        base = wcslen(base_w);
    }
    rest = wcslen(tail_w);
    if (wcschr(tail_w, L'%') || base + rest + 1 > out_units)
        return 0;
    memcpy(out_w, base_w, base * sizeof(*out_w));
    memcpy(out_w + base, tail_w, (rest + 1) * sizeof(*out_w));
    return out_w[0] && out_w[1] == L':' && out_w[2] == L'\\' && out_w[3];
}

static void system_drive(WCHAR drive_w[4])
{
    WCHAR windows_w[MAX_PATH];

    drive_w[0] = GetSystemWindowsDirectoryW(windows_w, MAX_PATH) ? windows_w[0] : L'C';
    drive_w[1] = L':';
    drive_w[2] = 0;
}

static sbx_status find_profile(WCHAR *out_w, DWORD units, sbx_error *err)
{
    WCHAR sid_w[192], drive_w[4];
    char sid[192];
    sbx_user_sid user;
    HMODULE userenv;
    HANDLE token = NULL;
    profile_fn get;
    DWORD code = ERROR_PROC_NOT_FOUND;
    int ok = 0;

    system_drive(drive_w);
    if (sbx_user_get(&user, NULL) == SBX_OK) {
        sbx_user_sid_text(user.u.bytes, sid, sizeof(sid));
        swprintf(sid_w, sizeof(sid_w) / sizeof(sid_w[0]), L"%hs", sid);
        if (from_registry(&profile_list, sid_w, L"ProfileImagePath", L"%SystemDrive%", drive_w, out_w, units))
            return SBX_OK;
    }
    userenv = LoadLibraryExW(L"userenv.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    get = (profile_fn)function_of(userenv, "GetUserProfileDirectoryW");
    if (get && OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        ok = get(token, out_w, &units);
        code = GetLastError();
    }
    sbx_handle_close(&token);
    if (userenv)
        FreeLibrary(userenv);
    return ok ? SBX_OK
              : sbx_fail_code(err, SBX_E_SYSTEM, SBX_CODE_WIN32, code, "GetUserProfileDirectoryW", "own profile");
}

/* Looked up once: it does not change while a process runs. */
static sbx_status profile(WCHAR *out_w, DWORD units, sbx_error *err)
{
    static SRWLOCK lock = SRWLOCK_INIT;
    static WCHAR known_w[MAX_PATH * 2];
    sbx_status st = SBX_OK;

    AcquireSRWLockExclusive(&lock);
    if (!known_w[0] && (st = find_profile(known_w, sizeof(known_w) / sizeof(known_w[0]), err)) != SBX_OK)
        known_w[0] = 0;
    swprintf(out_w, units, L"%ls", known_w);
    ReleaseSRWLockExclusive(&lock);
    return st;
}

static sbx_status by_shell(const GUID *id, const char *object, char **path, sbx_error *err)
{
    HMODULE shell = LoadLibraryExW(L"shell32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    HMODULE ole = LoadLibraryExW(L"ole32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    known_folder_fn get = (known_folder_fn)function_of(shell, "SHGetKnownFolderPath");
    free_fn give_back = (free_fn)function_of(ole, "CoTaskMemFree");
    WCHAR *text_w = NULL;
    HRESULT hr = get && give_back ? get(id, 0, NULL, &text_w) : HRESULT_FROM_WIN32(ERROR_PROC_NOT_FOUND);
    sbx_status st;

    if (SUCCEEDED(hr))
        st = sbx_narrow(text_w, path, err);
    else
        st = sbx_fail_code(err, SBX_E_SYSTEM, SBX_CODE_HRESULT, (uint32_t)hr, "SHGetKnownFolderPath", object);
    if (give_back)
        give_back(text_w);
    if (ole)
        FreeLibrary(ole);
    if (shell)
        FreeLibrary(shell);
    return st;
}

static sbx_status user_data(const WCHAR *value_w, const GUID *id, const char *object, char **path, sbx_error *err)
{
    WCHAR profile_w[MAX_PATH * 2], out_w[MAX_PATH * 4];
    sbx_status st = profile(profile_w, sizeof(profile_w) / sizeof(profile_w[0]), err);

    if (st != SBX_OK)
        return st;
    if (from_registry(&shell_folders, NULL, value_w, L"%USERPROFILE%", profile_w, out_w,
                      sizeof(out_w) / sizeof(out_w[0])))
        return sbx_narrow(out_w, path, err);
    return by_shell(id, object, path, err);
}

sbx_status sbx_dirs_get(uint32_t which, char **path, sbx_error *err)
{
    static const GUID local = {0xF1B32785, 0x6FBA, 0x4FCF, {0x9D, 0x55, 0x7B, 0x8E, 0x7F, 0x15, 0x70, 0x91}};
    static const GUID roaming = {0x3EB685DB, 0x65F9, 0x4CF6, {0xA0, 0x3A, 0xE3, 0xEF, 0x65, 0x72, 0x9F, 0x3D}};
    static const GUID desktop = {0xB4BFCC3A, 0xDB2C, 0x424C, {0xB0, 0x29, 0x7F, 0xE9, 0x9A, 0x87, 0xC6, 0x41}};
    static const GUID documents = {0xFDD39AD0, 0x238F, 0x46AF, {0xAD, 0xB4, 0x6C, 0x85, 0x48, 0x03, 0x69, 0xC7}};
    static const GUID program = {0x62AB5D82, 0xFDC1, 0x4DC3, {0xA9, 0xDD, 0x07, 0x0D, 0x1D, 0x49, 0x5D, 0x97}};
    static const GUID programs = {0x905E63B6, 0xC1BF, 0x494E, {0xB2, 0x9C, 0x65, 0xB7, 0x32, 0xD3, 0xD2, 0x1A}};
    WCHAR out_w[MAX_PATH * 2], drive_w[4];
    char *last;
    sbx_status st;

    switch (which) {
    case SBX_DIR_CURRENT:
        return by_buffer(get_current, "GetCurrentDirectoryW", path, err);
    case SBX_DIR_WINDOWS:
        return by_buffer(get_windows, "GetSystemWindowsDirectoryW", path, err);
    case SBX_DIR_SYSTEM:
        return by_buffer(get_system, "GetSystemDirectoryW", path, err);
    case SBX_DIR_PROFILE:
        st = profile(out_w, sizeof(out_w) / sizeof(out_w[0]), err);
        return st == SBX_OK ? sbx_narrow(out_w, path, err) : st;
    case SBX_DIR_LOCAL_DATA:
        return user_data(L"Local AppData", &local, "LocalAppData", path, err);
    case SBX_DIR_ROAMING_DATA:
        return user_data(L"AppData", &roaming, "RoamingAppData", path, err);
    case SBX_DIR_DESKTOP:
        return user_data(L"Desktop", &desktop, "Desktop", path, err);
    case SBX_DIR_DOCUMENTS:
        return user_data(L"Personal", &documents, "Documents", path, err);
    case SBX_DIR_PROGRAM_DATA:
        system_drive(drive_w);
        if (from_registry(&profile_list, NULL, L"ProgramData", L"%SystemDrive%", drive_w, out_w,
                          sizeof(out_w) / sizeof(out_w[0])))
            return sbx_narrow(out_w, path, err);
        return by_shell(&program, "ProgramData", path, err);
    case SBX_DIR_PROGRAMS:
        system_drive(drive_w);
        if (from_registry(&current_version, NULL, L"ProgramFilesDir", L"%SystemDrive%", drive_w, out_w,
                          sizeof(out_w) / sizeof(out_w[0])))
            return sbx_narrow(out_w, path, err);
        return by_shell(&programs, "ProgramFiles", path, err);
    case SBX_DIR_PROGRAM:
        st = by_buffer(get_module, "GetModuleFileNameW", path, err);
        last = st == SBX_OK ? strrchr(*path, '\\') : NULL;
        if (last)
            *last = 0;
        return st;
    default:
        return sbx_fail(err, SBX_E_USAGE, "directory", "unknown kind");
    }
}

sbx_status sbx_run_id(char id[33], sbx_error *err)
{
    static const char digits[] = "0123456789abcdef";
    /* not linked: there is no import library for it */
    HMODULE module = LoadLibraryExW(L"bcryptprimitives.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    random_fn random = (random_fn)function_of(module, "ProcessPrng");
    UCHAR bytes[16];
    size_t i;
    sbx_status st = random ? SBX_OK : sbx_fail_last(err, SBX_E_SYSTEM, "load", "ProcessPrng of bcryptprimitives.dll");

    if (random && !random(bytes, sizeof(bytes)))
        st = sbx_fail(err, SBX_E_SYSTEM, "ProcessPrng", "run id");
    if (module)
        FreeLibrary(module);
    if (st != SBX_OK)
        return st;
    for (i = 0; i < sizeof(bytes); i++) {
        id[i * 2] = digits[bytes[i] >> 4];
        id[i * 2 + 1] = digits[bytes[i] & 15];
    }
    id[32] = 0;
    return SBX_OK;
}

sbx_status sbx_dirs_environment(const char *const **items, uint32_t *count, sbx_error *err)
{
    WCHAR *block_w = GetEnvironmentStringsW(), *at_w;
    char *text = NULL, *next;
    char **list = NULL;
    size_t units = 0, bytes = 0, n = 0, i;
    sbx_status st = SBX_OK;

    if (!block_w)
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetEnvironmentStringsW", NULL);
    for (at_w = block_w; *at_w; at_w += wcslen(at_w) + 1)
        n += *at_w != L'=';
    units = (size_t)(at_w - block_w);
    text = sbx_utf16_to_utf8(block_w, units, &bytes);
    list = text ? sbx_alloc((n + 1) * sizeof(*list) + bytes + 1) : NULL;
    if (!list) {
        st = sbx_fail_memory(err);
        goto out;
    }
    next = (char *)(list + n + 1);
    memcpy(next, text, bytes);
    next[bytes] = 0;
    for (i = 0; *next; next += strlen(next) + 1)
        if (*next != '=')
            list[i++] = next;
    list[i] = NULL;
    *items = (const char *const *)list;
    *count = (uint32_t)i;
out:
    sbx_free(text);
    FreeEnvironmentStringsW(block_w);
    return st;
}
