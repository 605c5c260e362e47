#include "plugin/plugin_file.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "win/trust.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

#if defined(_M_ARM64) || defined(__aarch64__)
#define OWN_MACHINE IMAGE_FILE_MACHINE_ARM64
#elif defined(_M_X64) || defined(__x86_64__)
#define OWN_MACHINE IMAGE_FILE_MACHINE_AMD64
#else
#define OWN_MACHINE IMAGE_FILE_MACHINE_I386
#endif

sbx_status sbx_plugin_file_open(const char *path, int folder, uint32_t trust, void **handle, sbx_error *err)
{
    /* Without FILE_SHARE_DELETE it cannot be renamed or removed, without FILE_SHARE_WRITE a file cannot be
     * written, until it is closed. */
    const DWORD access = READ_CONTROL | FILE_READ_ATTRIBUTES | (folder ? 0 : FILE_READ_DATA);
    const DWORD share = FILE_SHARE_READ | (folder ? FILE_SHARE_WRITE : 0);
    const DWORD flags = FILE_FLAG_OPEN_REPARSE_POINT | (folder ? FILE_FLAG_BACKUP_SEMANTICS : 0);
    uint16_t *path_w = NULL;
    FILE_BASIC_INFO info; /* every file system tells it */
    HANDLE file = NULL;
    sbx_status st = sbx_wide_path(path, &path_w, err);

    if (st != SBX_OK)
        return st;
    file = sbx_handle_from(CreateFileW((LPCWSTR)path_w, access, share, NULL, OPEN_EXISTING, flags, NULL));
    if (!file) {
        const DWORD code = GetLastError();

        st = code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND ? SBX_E_UNAVAILABLE : SBX_E_SYSTEM;
        sbx_fail_last(err, st, "CreateFileW", path);
        goto out;
    }
    if (GetFileType(file) != FILE_TYPE_DISK) {
        st = sbx_fail(err, SBX_E_REFUSED, "not a file", path);
        goto out;
    }
    if (!GetFileInformationByHandleEx(file, FileBasicInfo, &info, sizeof(info))) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetFileInformationByHandleEx", path);
        goto out;
    }
    if (info.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) {
        st = sbx_fail(err, SBX_E_REFUSED, "it is a link", path);
        sbx_hint(err, "put the real %s there", folder ? "folder" : "file");
        goto out;
    }
    if (!folder != !(info.FileAttributes & FILE_ATTRIBUTE_DIRECTORY)) {
        st = sbx_fail(err, SBX_E_REFUSED, folder ? "not a folder" : "not a file", path);
        goto out;
    }
    st = sbx_trust_check(file, path, trust, err);
    if (st == SBX_OK) {
        *handle = file;
        file = NULL;
    }
out:
    sbx_free(path_w);
    sbx_handle_close(&file);
    return st;
}

static const char *machine_name(WORD machine)
{
    switch (machine) {
    case IMAGE_FILE_MACHINE_AMD64:
        return "x64";
    case IMAGE_FILE_MACHINE_I386:
        return "x86";
    case IMAGE_FILE_MACHINE_ARM64:
        return "ARM64";
    case IMAGE_FILE_MACHINE_ARMNT:
        return "ARM32";
    default:
        return NULL;
    }
}

/* 1: all of it was read; 0: the file is shorter; -1: an error. */
static int read_at(HANDLE file, LONGLONG offset, void *bytes, DWORD length)
{
    OVERLAPPED place = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
    DWORD done = 0;

    if (!ReadFile(file, bytes, length, &done, &place) && GetLastError() != ERROR_HANDLE_EOF)
        return -1;
    return done == length;
}

sbx_status sbx_plugin_file_check(void *handle, const char *path, sbx_error *err)
{
    IMAGE_DOS_HEADER dos;
    struct {
        DWORD signature;
        IMAGE_FILE_HEADER file;
    } pe;
    char reason[64], number[16];
    const char *name;
    int ok = read_at(handle, 0, &dos, sizeof(dos));

    if (ok == 1 && (dos.e_magic != IMAGE_DOS_SIGNATURE || dos.e_lfanew < (LONG)sizeof(dos)))
        ok = 0;
    if (ok == 1)
        ok = read_at(handle, dos.e_lfanew, &pe, sizeof(pe));
    if (ok < 0)
        return sbx_fail_last(err, SBX_E_SYSTEM, "ReadFile", path);
    if (!ok || pe.signature != IMAGE_NT_SIGNATURE || !(pe.file.Characteristics & IMAGE_FILE_DLL))
        return sbx_fail(err, SBX_E_BACKEND, "not a DLL", path);
    if (pe.file.Machine == OWN_MACHINE)
        return SBX_OK;
    name = machine_name(pe.file.Machine);
    snprintf(number, sizeof(number), "machine %04X", (unsigned)pe.file.Machine);
    snprintf(reason, sizeof(reason), "built for %s, this sbx is %s", name ? name : number, machine_name(OWN_MACHINE));
    return sbx_fail(err, SBX_E_BACKEND, reason, path);
}
