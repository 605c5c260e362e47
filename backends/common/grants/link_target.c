#include "common/grants/link_target.h"

#include <string.h>
#include <windows.h>
#include <winioctl.h>

#include "base/path.h"
#include "base/utf.h"

#define LARGEST 16384u /* MAXIMUM_REPARSE_DATA_BUFFER_SIZE */

/* The head of both kinds; a symbolic link has 32 bits of flags behind it, then come the names. */
typedef struct link_data {
    uint32_t tag;
    uint16_t length, reserved;
    uint16_t name_offset, name_length, shown_offset, shown_length; /* in bytes */
} link_data;

char *sbx_link_target(sbx_arena *arena, void *handle, const char *directory)
{
    union {
        link_data head;
        uint8_t bytes[LARGEST];
    } data;
    uint16_t name_w[LARGEST / sizeof(uint16_t)];
    DWORD got = 0;
    size_t at = sizeof(data.head);
    char *name, *target;

    if (!DeviceIoControl(handle, FSCTL_GET_REPARSE_POINT, NULL, 0, &data, sizeof(data), &got, NULL) || got < at)
        return NULL;
    if (data.head.tag == IO_REPARSE_TAG_SYMLINK)
        at += sizeof(uint32_t);
    else if (data.head.tag != IO_REPARSE_TAG_MOUNT_POINT)
        return NULL;
    at += data.head.name_offset;
    if (at + data.head.name_length > got)
        return NULL;
    memcpy(name_w, data.bytes + at, data.head.name_length);
    if (data.head.name_length >= 8 && !memcmp(name_w, L"\\??\\", 8))
        name_w[1] = L'\\'; /* the same, as Windows programs spell it */
    name = sbx_utf16_to_utf8(name_w, data.head.name_length / sizeof(uint16_t), NULL);
    target = name ? sbx_path_join(arena, directory, name) : NULL;
    sbx_free(name);
    return target;
}
