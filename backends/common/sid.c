#include "common/sid.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>
#include <bcrypt.h>

#include "base/memory.h"
#include "win/error.h"

static uint32_t get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)(value >> 16);
    p[3] = (uint8_t)(value >> 24);
}

/* "\\?\Volume{GUID}\" is 49 characters. */
#define VOLUME_LENGTH 49u
#define LONGEST 32768u

sbx_status sbx_sid_of(void *handle, const char *path, sbx_sid *sid, sbx_error *err)
{
    static const wchar_t prefix[] = L"\\\\?\\Volume{";
    struct {
        wchar_t volume[VOLUME_LENGTH];
        FILE_ID_INFO id;
    } key;
    BCRYPT_ALG_HANDLE algorithm = NULL;
    WCHAR *name = sbx_alloc(LONGEST * sizeof(WCHAR));
    uint8_t hash[32];
    DWORD length;
    NTSTATUS status;
    sbx_status st = SBX_OK;
    size_t i;

    if (!name)
        return sbx_fail_memory(err);
    memset(&key, 0, sizeof(key)); /* padding is hashed */
    length = GetFinalPathNameByHandleW(handle, name, LONGEST, VOLUME_NAME_GUID);
    if (!length || length >= LONGEST)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetFinalPathNameByHandleW", path);
    else if (length < VOLUME_LENGTH || memcmp(name, prefix, sizeof(prefix) - sizeof(wchar_t)))
        st = sbx_fail(err, SBX_E_REFUSED, "find the volume of the directory", path);
    else
        memcpy(key.volume, name, sizeof(key.volume));
    sbx_free(name);
    if (st != SBX_OK)
        return st;
    if (!GetFileInformationByHandleEx(handle, FileIdInfo, &key.id, sizeof(key.id)))
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetFileInformationByHandleEx", path);

    status = BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_SHA256_ALGORITHM, NULL, 0);
    if (status >= 0) {
        status = BCryptHash(algorithm, NULL, 0, (PUCHAR)&key, sizeof(key), hash, sizeof(hash));
        BCryptCloseAlgorithmProvider(algorithm, 0);
    }
    if (status < 0)
        return sbx_fail_nt(err, SBX_E_SYSTEM, status, "BCryptHash", path);
    memset(sid, 0, sizeof(*sid));
    sid->bytes[0] = 1;
    sid->bytes[1] = 9;
    sid->bytes[7] = 9;
    put32(sid->bytes + 8, SBX_SID_TAG);
    for (i = 0; i < 8; i++)
        put32(sid->bytes + 12 + i * 4, get32(hash + i * 4));
    return SBX_OK;
}

int sbx_sid_is_sandbox(const void *sid, size_t size)
{
    static const uint8_t head[8] = {1, 9, 0, 0, 0, 0, 0, 9};
    const uint8_t *bytes = sid;

    return size >= SBX_SID_BYTES && !memcmp(bytes, head, sizeof(head)) && get32(bytes + 8) == SBX_SID_TAG;
}

void sbx_sid_text(const sbx_sid *sid, char text[SBX_SID_TEXT])
{
    size_t i, length = (size_t)snprintf(text, SBX_SID_TEXT, "S-1-9");

    for (i = 0; i < 9; i++)
        length += (size_t)snprintf(text + length, SBX_SID_TEXT - length, "-%lu",
                                   (unsigned long)get32(sid->bytes + 8 + i * 4));
}
