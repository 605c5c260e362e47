/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: SHA-256 and HMAC (FIPS 180-4, FIPS 198-1)
 */

#include "config.h"

#include <stdarg.h>
#include <string.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winternl.h"

#include "ntlab_sha256.h"

static const unsigned int constants[64] =
{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static unsigned int rotate( unsigned int x, unsigned int bits )
{
    return (x >> bits) | (x << (32 - bits));
}

static void process_block( struct sha256 *ctx )
{
    unsigned int w[64], s[8], i;

    for (i = 0; i < 16; i++)
        w[i] = ((unsigned int)ctx->block[4 * i] << 24) | ((unsigned int)ctx->block[4 * i + 1] << 16) |
               ((unsigned int)ctx->block[4 * i + 2] << 8) | ctx->block[4 * i + 3];
    for (; i < 64; i++)
        w[i] = w[i - 16] + (rotate( w[i - 15], 7 ) ^ rotate( w[i - 15], 18 ) ^ (w[i - 15] >> 3)) +
               w[i - 7] + (rotate( w[i - 2], 17 ) ^ rotate( w[i - 2], 19 ) ^ (w[i - 2] >> 10));
    memcpy( s, ctx->state, sizeof(s) );
    for (i = 0; i < 64; i++)
    {
        const unsigned int t1 = s[7] + (rotate( s[4], 6 ) ^ rotate( s[4], 11 ) ^ rotate( s[4], 25 )) +
                                ((s[4] & s[5]) ^ (~s[4] & s[6])) + constants[i] + w[i];
        const unsigned int t2 = (rotate( s[0], 2 ) ^ rotate( s[0], 13 ) ^ rotate( s[0], 22 )) +
                                ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

        memmove( s + 1, s, 7 * sizeof(s[0]) );
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (i = 0; i < 8; i++) ctx->state[i] += s[i];
}

void ntlab_sha256_init( struct sha256 *ctx )
{
    static const unsigned int initial[8] =
    {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };

    memcpy( ctx->state, initial, sizeof(initial) );
    ctx->len = 0;
}

void ntlab_sha256_add( struct sha256 *ctx, const void *data, size_t len )
{
    const unsigned char *p = data;

    while (len--)
    {
        ctx->block[ctx->len++ % sizeof(ctx->block)] = *p++;
        if (!(ctx->len % sizeof(ctx->block))) process_block( ctx );
    }
}

void ntlab_sha256_end( struct sha256 *ctx, unsigned char digest[SHA256_SIZE] )
{
    static const unsigned char pad[64] = { 0x80 };
    const unsigned long long bits = ctx->len * 8;
    unsigned char length[8];
    unsigned int i;

    for (i = 0; i < 8; i++) length[i] = bits >> (56 - 8 * i);
    ntlab_sha256_add( ctx, pad, 1 + (119 - ctx->len % 64) % 64 );
    ntlab_sha256_add( ctx, length, sizeof(length) );
    for (i = 0; i < SHA256_SIZE; i++) digest[i] = ctx->state[i / 4] >> (24 - 8 * (i % 4));
}

void ntlab_hmac_init( struct hmac *ctx, const unsigned char key[SHA256_SIZE] )
{
    unsigned char pad[64];
    unsigned int i;

    for (i = 0; i < sizeof(pad); i++) pad[i] = 0x36 ^ (i < SHA256_SIZE ? key[i] : 0);
    ntlab_sha256_init( &ctx->inner );
    ntlab_sha256_add( &ctx->inner, pad, sizeof(pad) );
    for (i = 0; i < sizeof(pad); i++) pad[i] ^= 0x36 ^ 0x5c;
    ntlab_sha256_init( &ctx->outer );
    ntlab_sha256_add( &ctx->outer, pad, sizeof(pad) );
}

void ntlab_hmac_add( struct hmac *ctx, const void *data, size_t len )
{
    ntlab_sha256_add( &ctx->inner, data, len );
}

void ntlab_hmac_end( struct hmac *ctx, unsigned char digest[SHA256_SIZE] )
{
    ntlab_sha256_end( &ctx->inner, digest );
    ntlab_sha256_add( &ctx->outer, digest, SHA256_SIZE );
    ntlab_sha256_end( &ctx->outer, digest );
}
