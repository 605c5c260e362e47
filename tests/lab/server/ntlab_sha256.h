/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: SHA-256 and HMAC with keys of 32 bytes
 */

#define SHA256_SIZE 32

struct sha256
{
    unsigned int       state[8];
    unsigned long long len;
    unsigned char      block[64];
};

struct hmac
{
    struct sha256 inner, outer;
};

extern void ntlab_sha256_init( struct sha256 *ctx );
extern void ntlab_sha256_add( struct sha256 *ctx, const void *data, size_t len );
extern void ntlab_sha256_end( struct sha256 *ctx, unsigned char digest[SHA256_SIZE] );
extern void ntlab_hmac_init( struct hmac *ctx, const unsigned char key[SHA256_SIZE] );
extern void ntlab_hmac_add( struct hmac *ctx, const void *data, size_t len );
extern void ntlab_hmac_end( struct hmac *ctx, unsigned char digest[SHA256_SIZE] );
