/*
 * SHA-256 (FIPS 180-4), for what has to be told apart by a number that nobody can choose, and HMAC-SHA-256 (RFC 2104), for what
 * follows from a secret.
 *
 * Not BCryptHash: nothing else in a warm launch needs bcrypt.dll, and loading it costs 66 system calls (counted in the lab, 61
 * of them the loader's), a sixth of what a launch costs, for 200 bytes.  No table is read at a place that a secret says.
 */
#ifndef SBX_GRANTS_SHA256_H
#define SBX_GRANTS_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct sbx_sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[64];
} sbx_sha256;

void sbx_sha256_begin(sbx_sha256 *hash);
void sbx_sha256_add(sbx_sha256 *hash, const void *bytes, size_t size);
void sbx_sha256_end(sbx_sha256 *hash, uint8_t digest[32]);

/* With a key, of at most 64 bytes. */
void sbx_sha256_keyed(const void *key, size_t key_size, const void *bytes, size_t size, uint8_t digest[32]);

#endif
