#include "common/grants/sid.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "base/memory.h"
#include "common/grants/words.h"
#include "win/error.h"

#define LONGEST 32768u

/* The 32 hexadecimal digits of a GUID as four words; 0: it is none. */
static int read_guid(const WCHAR *text, uint32_t words[4])
{
    unsigned digits = 0, value;

    memset(words, 0, 4 * sizeof(*words));
    for (; *text && *text != L'}'; text++) {
        if (*text == L'-')
            continue;
        if (*text >= L'0' && *text <= L'9')
            value = *text - L'0';
        else if ((*text | 32) >= L'a' && (*text | 32) <= L'f')
            value = (*text | 32u) - L'a' + 10;
        else
            return 0;
        if (digits == 32)
            return 0;
        words[digits / 8] = words[digits / 8] << 4 | value;
        digits++;
    }
    return *text && digits == 32;
}

sbx_status sbx_sid_of(void *handle, const char *path, sbx_sid *sid, sbx_error *err)
{
    static const WCHAR prefix[] = L"\\\\?\\Volume{";
    const size_t prefix_length = ARRAYSIZE(prefix) - 1;
    WCHAR *name = sbx_alloc(LONGEST * sizeof(WCHAR));
    FILE_ID_INFO id;
    uint32_t volume[4];
    DWORD length, code;
    int is_named;
    sbx_status st = SBX_OK;
    size_t i;

    if (!name)
        return sbx_fail_memory(err);
    length = GetFinalPathNameByHandleW(handle, name, LONGEST, VOLUME_NAME_GUID);
    code = GetLastError();
    is_named =
        length && length < LONGEST && !wcsncmp(name, prefix, prefix_length) && read_guid(name + prefix_length, volume);
    if (!is_named) { /* the mount manager does not know all */
        st = sbx_fail_code(err, SBX_E_REFUSED, SBX_CODE_WIN32, length ? 0 : code, "its volume has no name of its own",
                           path);
        sbx_hint(err, "use a directory on an NTFS or ReFS volume that the mount manager knows (`mountvol`)");
    }
    sbx_free(name);
    if (st != SBX_OK)
        return st;
    if (!GetFileInformationByHandleEx(handle, FileIdInfo, &id, sizeof(id)))
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetFileInformationByHandleEx", path);

    memset(sid, 0, sizeof(*sid));
    sid->bytes[0] = 1;
    sid->bytes[1] = 9;
    sid->bytes[7] = 9;
    sbx_put32(sid->bytes + 8, SBX_SID_TAG);
    for (i = 0; i < 4; i++)
        sbx_put32(sid->bytes + 12 + i * 4, volume[i]);
    memcpy(sid->bytes + 28, id.FileId.Identifier, sizeof(id.FileId.Identifier));
    return SBX_OK;
}

void sbx_sid_file(const sbx_sid *sid, uint8_t id[16])
{
    memcpy(id, sid->bytes + 28, 16);
}

void sbx_sid_volume(const sbx_sid *sid, char name[SBX_SID_VOLUME])
{
    const unsigned long a = sbx_get32(sid->bytes + 12), b = sbx_get32(sid->bytes + 16), c = sbx_get32(sid->bytes + 20),
                        d = sbx_get32(sid->bytes + 24);

    snprintf(name, SBX_SID_VOLUME, "\\\\?\\Volume{%08lx-%04lx-%04lx-%04lx-%04lx%08lx}\\", a, b >> 16, b & 0xFFFF,
             c >> 16, c & 0xFFFF, d);
}

void sbx_sid_set_tag(sbx_sid *sid, uint32_t tag)
{
    sbx_put32(sid->bytes + 8, tag);
}

uint32_t sbx_sid_tag(const sbx_sid *sid)
{
    return sbx_get32(sid->bytes + 8);
}

void sbx_sid_set_tag_of(sbx_sid *sid, const sbx_sid *like)
{
    sbx_sid_set_tag(sid, sbx_get32(like->bytes + 8));
}

int sbx_sid_is_git(const sbx_sid *sid)
{
    const uint32_t tag = sbx_get32(sid->bytes + 8);

    return tag == SBX_SID_TAG_GIT || tag == SBX_SID_TAG_REPOSITORY;
}

int sbx_sid_is_read(const sbx_sid *sid)
{
    return sbx_get32(sid->bytes + 8) == SBX_SID_TAG_READ || sbx_sid_is_above(sid) || sbx_sid_is_hidden(sid);
}

int sbx_sid_is_above(const sbx_sid *sid)
{
    return sbx_get32(sid->bytes + 8) == SBX_SID_TAG_ABOVE;
}

int sbx_sid_is_hidden(const sbx_sid *sid)
{
    return sbx_get32(sid->bytes + 8) == SBX_SID_TAG_HIDE;
}

int sbx_sid_same_volume(const sbx_sid *a, const sbx_sid *b)
{
    return !memcmp(a->bytes + 12, b->bytes + 12, 16);
}

/* FNV-1a. */
uint64_t sbx_sid_number(const sbx_sid *sid)
{
    uint64_t number = 0xCBF29CE484222325u;
    size_t i;

    for (i = 12; i < sizeof(sid->bytes); i++)
        number = (number ^ sid->bytes[i]) * 0x100000001B3u;
    return number;
}

int sbx_sid_is_sandbox(const void *sid, size_t size)
{
    static const uint8_t head[8] = {1, 9, 0, 0, 0, 0, 0, 9};
    const uint8_t *bytes = sid;
    const uint32_t tag = size >= SBX_SID_BYTES && !memcmp(bytes, head, sizeof(head)) ? sbx_get32(bytes + 8) : 0;

    return tag == SBX_SID_TAG || tag == SBX_SID_TAG_GIT || tag == SBX_SID_TAG_REPOSITORY || tag == SBX_SID_TAG_READ ||
           tag == SBX_SID_TAG_ABOVE || tag == SBX_SID_TAG_HIDE;
}

int sbx_sid_is_run(const void *sid, size_t size)
{
    static const uint8_t head[12] = {1, 5, 0, 0, 0, 0, 0, 9, 'R', 'X', 'B', 'S'};

    return size >= sizeof(head) + 16 && !memcmp(sid, head, sizeof(head));
}

int sbx_sid_is_set(const void *sid, size_t size)
{
    static const uint8_t head[12] = {1, 9, 0, 0, 0, 0, 0, 9, 'S', 'X', 'B', 'S'};

    return size >= SBX_SID_BYTES && !memcmp(sid, head, sizeof(head));
}

void sbx_sid_text(const sbx_sid *sid, char text[SBX_SID_TEXT])
{
    size_t i, length = (size_t)snprintf(text, SBX_SID_TEXT, "S-1-9");

    for (i = 0; i < 9; i++)
        length += (size_t)snprintf(text + length, SBX_SID_TEXT - length, "-%lu",
                                   (unsigned long)sbx_get32(sid->bytes + 8 + i * 4));
}
