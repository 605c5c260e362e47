#include "common/grants/sha256.h"

#include <string.h>

static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t value, unsigned by)
{
    return value >> by | value << (32 - by);
}

static uint32_t big(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_big(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

static void round_of(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64], s[8], i;

    for (i = 0; i < 16; i++)
        w[i] = big(block + i * 4);
    for (; i < 64; i++)
        w[i] = w[i - 16] + (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
               (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
    memcpy(s, state, sizeof(s));
    for (i = 0; i < 64; i++) {
        const uint32_t one =
            s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
        const uint32_t two =
            (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

        memmove(s + 1, s, 7 * sizeof(s[0]));
        s[4] += one;
        s[0] = one + two;
    }
    for (i = 0; i < 8; i++)
        state[i] += s[i];
}

void sbx_sha256_begin(sbx_sha256 *hash)
{
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    memcpy(hash->state, first, sizeof(first));
    hash->length = 0;
}

void sbx_sha256_add(sbx_sha256 *hash, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    while (size--) {
        hash->block[hash->length++ % 64] = *at++;
        if (!(hash->length % 64))
            round_of(hash->state, hash->block);
    }
}

void sbx_sha256_end(sbx_sha256 *hash, uint8_t digest[32])
{
    static const uint8_t mark = 0x80, none = 0;
    const uint64_t bits = hash->length * 8;
    uint8_t length[8];
    unsigned i;

    put_big(length, (uint32_t)(bits >> 32));
    put_big(length + 4, (uint32_t)bits);
    sbx_sha256_add(hash, &mark, 1);
    while (hash->length % 64 != 56)
        sbx_sha256_add(hash, &none, 1);
    sbx_sha256_add(hash, length, sizeof(length));
    for (i = 0; i < 8; i++)
        put_big(digest + i * 4, hash->state[i]);
}

static void begin_with(sbx_sha256 *hash, const uint8_t *key, size_t key_size, uint8_t with)
{
    uint8_t byte;
    size_t i;

    sbx_sha256_begin(hash);
    for (i = 0; i < 64; i++) {
        byte = (uint8_t)((i < key_size ? key[i] : 0) ^ with);
        sbx_sha256_add(hash, &byte, 1);
    }
}

void sbx_sha256_keyed(const void *key, size_t key_size, const void *bytes, size_t size, uint8_t digest[32])
{
    sbx_sha256 hash;
    volatile uint8_t *at = (volatile uint8_t *)&hash;
    size_t i;

    begin_with(&hash, key, key_size, 0x36);
    sbx_sha256_add(&hash, bytes, size);
    sbx_sha256_end(&hash, digest);
    begin_with(&hash, key, key_size, 0x5c);
    sbx_sha256_add(&hash, digest, 32);
    sbx_sha256_end(&hash, digest);
    for (i = 0; i < sizeof(hash); i++)
        at[i] = 0;
}
