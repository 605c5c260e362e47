/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the NT hash of a password, which is MD4 (RFC 1320) of its UTF-16
 */

#include "config.h"

#include <stdarg.h>
#include <string.h>

#include "windef.h"

#include "ntlab_sam.h"

#define ROTATE( x, n ) ((x) << (n) | (x) >> (32 - (n)))

static unsigned int mix( unsigned int round, unsigned int x, unsigned int y, unsigned int z )
{
    switch (round)
    {
    case 0:  return (x & y) | (~x & z);
    case 1:  return (x & y) | (x & z) | (y & z);
    default: return x ^ y ^ z;
    }
}

static void add_block( unsigned int state[4], const unsigned char *block )
{
    static const unsigned int constants[3] = { 0, 0x5a827999, 0x6ed9eba1 };
    static const unsigned char shifts[3][4] = { { 3, 7, 11, 19 }, { 3, 5, 9, 13 }, { 3, 9, 11, 15 } };
    static const unsigned char order[3][16] =
    {
        { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
        { 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15 },
        { 0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15 },
    };
    unsigned int words[16], s[4], round, i, sum;

    for (i = 0; i < 16; i++)
        words[i] = block[4 * i] | block[4 * i + 1] << 8 | block[4 * i + 2] << 16 | (unsigned int)block[4 * i + 3] << 24;
    memcpy( s, state, sizeof(s) );
    for (round = 0; round < 3; round++)
        for (i = 0; i < 16; i++)
        {
            sum = s[0] + mix( round, s[1], s[2], s[3] ) + words[order[round][i]] + constants[round];
            s[0] = s[3];
            s[3] = s[2];
            s[2] = s[1];
            s[1] = ROTATE( sum, shifts[round][i % 4] );
        }
    for (i = 0; i < 4; i++) state[i] += s[i];
}

void ntlab_hash_password( const WCHAR *password, data_size_t len, unsigned char hash[16] )
{
    unsigned int state[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 }, i;
    const unsigned char *data = (const unsigned char *)password;
    unsigned long long bits = (unsigned long long)len * 8;
    unsigned char block[128] = { 0 };
    data_size_t rest, size;

    for (rest = len; rest >= 64; rest -= 64, data += 64) add_block( state, data );
    memcpy( block, data, rest );
    block[rest] = 0x80;
    size = rest < 56 ? 64 : 128;
    for (i = 0; i < 8; i++) block[size - 8 + i] = bits >> 8 * i;
    add_block( state, block );
    if (size == 128) add_block( state, block + 64 );
    for (i = 0; i < 16; i++) hash[i] = state[i / 4] >> 8 * (i % 4);
    memset( block, 0, sizeof(block) );
}
