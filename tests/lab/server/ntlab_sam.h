/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: accounts, their rights, and logon sessions, inside the server
 */

#ifndef NTLAB_SERVER_SAM_H
#define NTLAB_SERVER_SAM_H

#include "object.h"
#include "ntlab_account.h"

#define SAM_MAX_HISTORY 24

/* ---- the database (ntlab_sam.c) ---- */

struct account
{
    struct sam_user info;
    int             has_password;
    unsigned char   hash[16];
    unsigned int    history_count;
    unsigned char   history[SAM_MAX_HISTORY][16];  /* the newest first */
    unsigned int    bad_since;       /* first of the wrong passwords that are counted */
    unsigned int    locked_at;       /* or 0 */
};

struct alias
{
    struct sam_alias_info info;
    struct sam_sid       *members;
};

/* rights of one SID: bits of the table of ntlab_lsa.c */
struct holder
{
    struct sam_sid     sid;
    unsigned long long rights;
};

struct sam
{
    unsigned int      next_rid;
    struct sam_policy policy;
    unsigned int      user_count, alias_count, holder_count;
    struct account      *users;
    struct alias     *aliases;
    struct holder    *holders;
};

extern struct sam sam;

/* write it; 0 and the error if that fails */
extern int ntlab_sam_save(void);
/* is this the file?  Nobody but the server opens it */
extern int ntlab_sam_is_file( const char *path );
extern void ntlab_sam_set_default_rights(void);

extern struct account *ntlab_user_by_rid( unsigned int rid );
extern struct account *ntlab_find_user( const WCHAR *name, data_size_t len );
extern void ntlab_sam_account_sid( unsigned int rid, struct sid *sid );
extern void ntlab_sam_alias_sid( unsigned int rid, struct sid *sid );

static inline const struct sid *sid_of( const struct sam_sid *sid )
{
    return (const struct sid *)sid->bytes;
}

extern struct alias *ntlab_find_alias( const WCHAR *name, data_size_t len );
/* take an account out of all groups; what else says its SID stays */
extern void ntlab_remove_member( const struct sid *sid );

/* ---- requests (ntlab_account.c, ntlab_alias.c) ---- */

/* the structure that a change starts with; the rest is text */
extern const void *ntlab_get_record( data_size_t size, const WCHAR **text, data_size_t *len );
extern int ntlab_is_terminated( const WCHAR *text, size_t size );
/* no account may have the name of another one; sets the error */
extern int ntlab_is_name_free( const WCHAR *name, const struct account *itself );

/* may the caller do this to an account or to all of them? */
extern int ntlab_sam_check( const struct account *user, int domain, unsigned int access );

/* ---- passwords (ntlab_password.c) ---- */

extern void ntlab_hash_password( const WCHAR *password, data_size_t len, unsigned char hash[16] );
extern int ntlab_has_password( const struct account *user, const WCHAR *password, data_size_t len );
/* what the policy says of a new one; changed by its user: history and age, too */
extern unsigned int ntlab_check_new_password( const struct account *user, const WCHAR *password, data_size_t len, int by_user );
extern void ntlab_set_password( struct account *user, const WCHAR *password, data_size_t len );
extern int ntlab_is_locked( const struct account *user );
extern void ntlab_unlock( struct account *user );
extern void ntlab_count_bad_password( struct account *user );
/* what MSV1_0 checks; returns the status, and says more in substatus */
extern unsigned int ntlab_authenticate( struct account *user, const WCHAR *password, data_size_t len, unsigned int *substatus );

/* ---- rights (ntlab_lsa.c) ---- */

/* may somebody with these SIDs log on in this way? */
extern int ntlab_may_log_on( unsigned int type, const struct sid * const *sids, unsigned int count );
/* privileges of these SIDs; returns their number */
extern unsigned int ntlab_privileges_of( const struct sid * const *sids, unsigned int count, struct luid_attr *privs );
/* what the SID has now; group policies count */
extern unsigned long long ntlab_rights_of( const struct holder *holder );
extern const char *ntlab_right_name( unsigned int index );

#endif /* NTLAB_SERVER_SAM_H */
