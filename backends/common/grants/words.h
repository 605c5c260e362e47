/* Numbers of 16 and 32 bits among bytes, little endian, at any place. */
#ifndef SBX_GRANTS_WORDS_H
#define SBX_GRANTS_WORDS_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t sbx_get16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t sbx_get32(const uint8_t *p)
{
    return sbx_get16(p) | sbx_get16(p + 2) << 16;
}

static inline void sbx_put16(uint8_t *p, size_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static inline void sbx_put32(uint8_t *p, uint32_t value)
{
    sbx_put16(p, value & 0xFFFF);
    sbx_put16(p + 2, value >> 16);
}

#endif
