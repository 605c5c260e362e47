/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: keys of CryptProtectData
 *
 * A machine has a secret; its own key and the key of each user are made from it.  They stay here: a request gives
 * data, and gets it encrypted or back.  A user's key takes a loaded profile, in which Windows keeps it.
 *
 * What is protected becomes key ID, salt, cipher text and tag: a stream of HMAC-SHA256 in counter mode, then HMAC-SHA256
 * over all of it and the header, which stays readable.  The keys for one piece of data come from the user's or
 * machine's key, salt and entropy.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winternl.h"

#include "file.h"
#include "handle.h"
#include "process.h"
#include "request.h"
#include "security.h"
#include "thread.h"
#include "ntlab.h"
#include "ntlab_sha256.h"

#define SECRET_FILE NTLAB_SERVER_DIR "/dpapi"
#define ID_SIZE     16
#define SALT_SIZE   16
#define OVERHEAD    (ID_SIZE + SALT_SIZE + SHA256_SIZE)

static int read_file( void *data, size_t size )
{
    int fd = open( SECRET_FILE, O_RDONLY | O_CLOEXEC ), ret;

    if (fd == -1) return 0;
    ret = read( fd, data, size ) == (ssize_t)size;
    close( fd );
    return ret;
}

/* all of it, or nothing */
static int write_file( const void *data, size_t size )
{
    int fd, ret;

    mkdir( NTLAB_SERVER_DIR, 0700 );
    if ((fd = open( SECRET_FILE ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600 )) == -1) return 0;
    ret = write( fd, data, size ) == (ssize_t)size;
    close( fd );
    return ret && !rename( SECRET_FILE ".new", SECRET_FILE );
}

/* made when it is first needed, so that prefixes made from one template are different machines */
static const unsigned char *get_secret(void)
{
    static unsigned char secret[SHA256_SIZE];
    static int done;

    if (done) return secret;
    if (fchdir( config_dir_fd ) != -1)
    {
        done = read_file( secret, sizeof(secret) );
        if (!done && errno == ENOENT && getrandom( secret, sizeof(secret), 0 ) == sizeof(secret))
            done = write_file( secret, sizeof(secret) );
        if (!done) file_set_error();
    }
    fchdir( server_dir_fd );
    return done ? secret : NULL;
}

/* key of a user, or of the machine */
static int get_key( const struct sid *user, unsigned char key[SHA256_SIZE] )
{
    const unsigned char *secret = get_secret();
    struct hmac ctx;

    if (!secret) return 0;
    ntlab_hmac_init( &ctx, secret );
    if (user) ntlab_hmac_add( &ctx, user, sid_len( user ));
    else ntlab_hmac_add( &ctx, "machine", 7 );
    ntlab_hmac_end( &ctx, key );
    return 1;
}

static void derive( const unsigned char key[SHA256_SIZE], const char *use, const void *salt, const void *entropy,
                    data_size_t entropy_size, unsigned char result[SHA256_SIZE] )
{
    struct hmac ctx;

    ntlab_hmac_init( &ctx, key );
    ntlab_hmac_add( &ctx, use, strlen( use ) + 1 );
    ntlab_hmac_add( &ctx, salt, SALT_SIZE );
    ntlab_hmac_add( &ctx, entropy, entropy_size );
    ntlab_hmac_end( &ctx, result );
}

static void apply_stream( const unsigned char key[SHA256_SIZE], const unsigned char *data, unsigned char *result, data_size_t size )
{
    unsigned char block[SHA256_SIZE];
    data_size_t i;

    for (i = 0; i < size; i++)
    {
        if (!(i % sizeof(block)))
        {
            const unsigned int counter = i / sizeof(block);
            struct hmac ctx;

            ntlab_hmac_init( &ctx, key );
            ntlab_hmac_add( &ctx, &counter, sizeof(counter) );
            ntlab_hmac_end( &ctx, block );
        }
        result[i] = data[i] ^ block[i % sizeof(block)];
    }
}

static void make_tag( const unsigned char key[SHA256_SIZE], const void *header, data_size_t header_size, const void *data,
                      data_size_t size, unsigned char tag[SHA256_SIZE] )
{
    struct hmac ctx;

    ntlab_hmac_init( &ctx, key );
    ntlab_hmac_add( &ctx, &header_size, sizeof(header_size) );
    ntlab_hmac_add( &ctx, header, header_size );
    ntlab_hmac_add( &ctx, data, size );
    ntlab_hmac_end( &ctx, tag );
}

static int is_equal( const unsigned char *one, const unsigned char *other, size_t size )
{
    unsigned char diff = 0;

    while (size--) diff |= *one++ ^ *other++;
    return !diff;
}

/* the effective token decides, as on Windows */
DECL_HANDLER(ntlab_protect)
{
    struct token *token = thread_get_impersonation_token( current );
    const struct sid *user = req->machine ? NULL : ntlab_token_user( token );
    const unsigned char *header = get_req_data(), *entropy, *data;
    unsigned char key[SHA256_SIZE], id[SHA256_SIZE], stream_key[SHA256_SIZE], tag_key[SHA256_SIZE], tag[SHA256_SIZE], *out;
    static const unsigned char no_salt[SALT_SIZE];
    data_size_t size = get_req_data_size();
    const unsigned char *salt;

    if (!ntlab_enabled || !ntlab_require_level( token )) return;
    if (req->header_size > size || req->entropy_size > size - req->header_size)
    {
        set_error( STATUS_INVALID_PARAMETER );
        return;
    }
    entropy = header + req->header_size;
    data    = entropy + req->entropy_size;
    size   -= req->header_size + req->entropy_size;
    if (size > 0x7fffffff - OVERHEAD)
    {
        set_error( STATUS_INVALID_PARAMETER );
        return;
    }
    if (user && !ntlab_profile_is_loaded( user ))
    {
        set_error( STATUS_OBJECT_NAME_NOT_FOUND );
        return;
    }
    if (!get_key( user, key )) return;
    derive( key, "id", no_salt, NULL, 0, id );

    if (!req->unprotect)
    {
        if (!(out = set_reply_data_size( size + OVERHEAD ))) return;
        memcpy( out, id, ID_SIZE );
        salt = out + ID_SIZE;
        if (getrandom( out + ID_SIZE, SALT_SIZE, 0 ) != SALT_SIZE)
        {
            set_error( STATUS_UNSUCCESSFUL );
            return;
        }
        derive( key, "stream", salt, entropy, req->entropy_size, stream_key );
        derive( key, "tag", salt, entropy, req->entropy_size, tag_key );
        apply_stream( stream_key, data, out + ID_SIZE + SALT_SIZE, size );
        make_tag( tag_key, header, req->header_size, out, size + ID_SIZE + SALT_SIZE, out + ID_SIZE + SALT_SIZE + size );
        return;
    }
    if (size < OVERHEAD)
    {
        set_error( STATUS_DATA_ERROR );
        return;
    }
    size -= OVERHEAD;
    salt  = data + ID_SIZE;
    if (!is_equal( data, id, ID_SIZE ))
    {
        set_error( STATUS_WRONG_PASSWORD );
        return;
    }
    derive( key, "stream", salt, entropy, req->entropy_size, stream_key );
    derive( key, "tag", salt, entropy, req->entropy_size, tag_key );
    make_tag( tag_key, header, req->header_size, data, size + ID_SIZE + SALT_SIZE, tag );
    if (!is_equal( tag, data + ID_SIZE + SALT_SIZE + size, SHA256_SIZE )) set_error( STATUS_DATA_ERROR );
    else if ((out = set_reply_data_size( size ))) apply_stream( stream_key, data + ID_SIZE + SALT_SIZE, out, size );
}
