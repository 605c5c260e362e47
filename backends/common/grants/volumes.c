#include "common/grants/volumes.h"

#include <windows.h>
#include <winioctl.h>
#include <wchar.h>

#include "base/memory.h"
#include "common/host.h"
#include "win/drive.h"
#include "win/handle.h"
#include "win/wide.h"

/* Of a drive that takes media.  Asked of the device, so that no file system is looked for on what is not there. */
static int has_medium(char letter)
{
    const WCHAR device[] = {'\\', '\\', '.', '\\', (WCHAR)letter, ':', 0};
    HANDLE handle = sbx_handle_from(
        CreateFileW(device, FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL));
    DWORD got = 0;
    int there = !handle || DeviceIoControl(handle, IOCTL_STORAGE_CHECK_VERIFY2, NULL, 0, NULL, 0, &got, NULL) ||
                (GetLastError() != ERROR_NOT_READY && GetLastError() != ERROR_NO_MEDIA_IN_DRIVE);

    sbx_handle_close(&handle);
    return there;
}

static void look_at(char letter, const char *root)
{
    const WCHAR root_w[] = {(WCHAR)letter, ':', '\\', 0};
    WCHAR name_w[32] = L"";
    DWORD flags = 0, code = ERROR_SUCCESS;
    char *name = NULL;
    /* by handle, as a substituted drive is no root of a volume */
    HANDLE handle = sbx_handle_from(CreateFileW(root_w, FILE_READ_ATTRIBUTES,
                                                FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                                OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL));

    if (!handle || !GetVolumeInformationByHandleW(handle, NULL, 0, NULL, NULL, &flags, name_w, ARRAYSIZE(name_w)))
        code = GetLastError();
    sbx_handle_close(&handle);
    switch (code) {
    case ERROR_SUCCESS:
        break;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_NOT_READY:
    case ERROR_NO_MEDIA_IN_DRIVE:
    case ERROR_UNRECOGNIZED_VOLUME:
        return; /* the command finds no files there either */
    default:
        sbx_host_note(SBX_NOTE_GAP, root, "whether writes to it are confined cannot be seen (win32 %lu)",
                      (unsigned long)code);
        return;
    }
    if ((flags & FILE_READ_ONLY_VOLUME) ||
        ((flags & FILE_PERSISTENT_ACLS) && (!wcscmp(name_w, L"NTFS") || !wcscmp(name_w, L"ReFS"))))
        return;
    if (sbx_narrow(name_w, &name, NULL) != SBX_OK)
        name = NULL;
    sbx_host_note(SBX_NOTE_GAP, root, "writes to it are not confined: its file system (%s) %s", name ? name : "?",
                  flags & FILE_PERSISTENT_ACLS ? "checks access rights in a way of its own" : "keeps no access rights");
    sbx_free(name);
}

static void look_at_drive(char letter)
{
    const char root[] = {letter, ':', '\\', 0};

    switch (sbx_drive_type(letter)) {
    case DRIVE_REMOTE:
        sbx_host_note(
            SBX_NOTE_GAP, root,
            "writes to it are not confined: it is another machine's, which asks who is logged on, not the token");
        break;
    case DRIVE_CDROM:
        sbx_host_note(SBX_NOTE_GAP, root, "writes to it are not confined: discs keep no access rights");
        break;
    case DRIVE_REMOVABLE:
        if (has_medium(letter))
            look_at(letter, root);
        break;
    case DRIVE_FIXED:
    case DRIVE_RAMDISK:
        look_at(letter, root);
        break;
    case DRIVE_NO_ROOT_DIR:
        break;
    default:
        sbx_host_note(SBX_NOTE_GAP, root,
                      "whether writes to it are confined cannot be seen: the system cannot tell its kind");
    }
}

void sbx_volumes_report(const sbx_root *roots, uint32_t count)
{
    DWORD letters = GetLogicalDrives();
    uint32_t i;

    for (i = 0; i < count; i++)
        if (roots[i].path[1] == ':')
            letters &= ~(1ul << ((roots[i].path[0] | 0x20) - 'a'));
    for (i = 0; i < 26; i++)
        if (letters & (1ul << i))
            look_at_drive((char)('A' + i));
    sbx_host_note(SBX_NOTE_GAP, "\\\\server\\share",
                  "writes to other machines, \\\\tsclient and \\\\wsl.localhost are not confined: they ask who is "
                  "logged on, not the token");
}
