#include "win/drive.h"

#include <windows.h>

uint32_t sbx_drive_type(char letter)
{
    const WCHAR root[] = {(WCHAR)letter, ':', '\\', 0};

    return GetDriveTypeW(root);
}

int sbx_drive_is_disk(char letter)
{
    const uint32_t type = sbx_drive_type(letter);

    return type == DRIVE_FIXED || type == DRIVE_RAMDISK;
}
