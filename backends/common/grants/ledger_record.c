#include "common/grants/ledger_record.h"

#include <string.h>

#include "common/grants/words.h"

#define MAGIC 0x4C584253u /* "SBXL" */

/* Four bits at a time: sixteen entries, of the polynomial 0x82F63B78. */
uint32_t sbx_crc32c(uint32_t crc, const void *bytes, size_t size)
{
    static const uint32_t table[16] = {0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3,
                                       0x61C69362, 0x7198540D, 0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9,
                                       0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75};
    const uint8_t *p = bytes;
    size_t i;

    crc = ~crc;
    for (i = 0; i < size; i++) {
        crc ^= p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

size_t sbx_ledger_record_put(const sbx_ledger_record *record, uint8_t *out)
{
    size_t payload = SBX_RECORD_FIXED + record->path_length;

    if (out) {
        sbx_put32(out, MAGIC);
        sbx_put32(out + 4, (uint32_t)payload);
        sbx_put32(out + 8, record->type);
        sbx_put32(out + 16, (uint32_t)record->count);
        sbx_put32(out + 20, (uint32_t)(record->count >> 32));
        memcpy(out + 24, record->sid, SBX_RECORD_SID);
        if (record->path_length)
            memcpy(out + SBX_RECORD_HEAD + SBX_RECORD_FIXED, record->path, record->path_length);
        sbx_put32(out + 12, sbx_crc32c(sbx_crc32c(0, out, 12), out + SBX_RECORD_HEAD, payload));
    }
    return SBX_RECORD_HEAD + payload;
}

static int read_one(const uint8_t *p, size_t left, sbx_ledger_record *record, size_t *length)
{
    uint32_t payload;

    if (left < SBX_RECORD_HEAD + SBX_RECORD_FIXED || sbx_get32(p) != MAGIC)
        return 0;
    payload = sbx_get32(p + 4);
    if (payload < SBX_RECORD_FIXED || payload > SBX_RECORD_FIXED + SBX_RECORD_PATH_MAX ||
        payload > left - SBX_RECORD_HEAD)
        return 0;
    if (sbx_get32(p + 12) != sbx_crc32c(sbx_crc32c(0, p, 12), p + SBX_RECORD_HEAD, payload))
        return 0;
    record->type = sbx_get32(p + 8);
    if (record->type < 1 || record->type > SBX_RECORD_LAST)
        return 0;
    record->count = sbx_get32(p + 16) | (uint64_t)sbx_get32(p + 20) << 32;
    memcpy(record->sid, p + 24, SBX_RECORD_SID);
    record->path = (const char *)p + SBX_RECORD_HEAD + SBX_RECORD_FIXED;
    record->path_length = payload - SBX_RECORD_FIXED;
    if (memchr(record->path, 0, record->path_length))
        return 0;
    *length = SBX_RECORD_HEAD + payload;
    return 1;
}

int sbx_ledger_record_next(const uint8_t *bytes, size_t size, size_t *at, sbx_ledger_record *record, size_t *skipped)
{
    size_t length = 0;

    while (*at < size) {
        if (read_one(bytes + *at, size - *at, record, &length)) {
            *at += length;
            return 1;
        }
        ++*at;
        if (skipped)
            ++*skipped;
    }
    return 0;
}
