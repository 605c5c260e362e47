/*
 * The one secret of an enrolled user, and the passwords that come from it.
 *
 * 32 random bytes in a file that SYSTEM and Administrators may change, that the user may read, and that the accounts may not.
 * The file's access list is what keeps them; DPAPI with the machine's key only makes a copy of the file worthless elsewhere. A
 * password is HMAC-SHA256 of account and generation, so that nothing else is kept, and a new generation makes all anew. Whatever runs as the
 * user can read the secret: told.
 *
 * Source: MSDN "CryptProtectData", "BCryptGenRandom", "SetNamedSecurityInfoW" (not used: the list is there from the
 * beginning), "Passwords must meet complexity requirements".
 */
#ifndef SBX_ELEVATED_SECRET_H
#define SBX_ELEVATED_SECRET_H

#include "base/error.h"

#define SBX_SECRET_BYTES 32u
#define SBX_PASSWORD_UNITS 29u /* with the NUL: letters, digits and signs, some of each kind */

typedef struct sbx_secret {
    uint8_t bytes[SBX_SECRET_BYTES];
} sbx_secret;

/* Random bytes; nothing is kept. */
sbx_status sbx_secret_draw(sbx_secret *secret, sbx_error *err);

/* A new one, and its file in place of what there was: whole or not at all.  user_sid, group_sid: who reads it, and who must not
 * ("S-1-...").  Takes an administrator. */
sbx_status sbx_secret_make(const char *path, const char *user_sid, const char *group_sid, sbx_secret *secret,
                           sbx_error *err);

/* SBX_E_UNAVAILABLE: it is not there, cannot be read, or is not one of this machine and user.  The caller wipes it. */
sbx_status sbx_secret_read(const char *path, const char *user_sid, sbx_secret *secret, sbx_error *err);
/* Its file, and what a write that was cut short left of it. */
sbx_status sbx_secret_remove(const char *path, sbx_error *err);
/* Has its file the access list that it was made with? */
int sbx_secret_is_closed(const char *path, const char *user_sid, const char *group_sid);
void sbx_secret_wipe(sbx_secret *secret);

sbx_status sbx_secret_password(const sbx_secret *secret, const char *account, uint32_t generation,
                               uint16_t password_w[SBX_PASSWORD_UNITS], sbx_error *err);

#endif
