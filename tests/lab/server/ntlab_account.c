/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: requests about local users, as the SAM server checks them (MS-SAMR 3.1.5)
 */

#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
#include "unicode.h"
#include "ntlab.h"
#include "ntlab_sam.h"

#define DOMAIN_CREATE_USER              0x10
#define DOMAIN_LOOKUP                   0x200
#define USER_READ_GENERAL               0x1
#define USER_READ_ACCOUNT               0x10
#define USER_WRITE_ACCOUNT              0x20
#define USER_CHANGE_PASSWORD            0x40
#define USER_FORCE_PASSWORD_CHANGE      0x80

#define UF_LOCKOUT         0x10
#define UF_NORMAL_ACCOUNT  0x200
/* UF_SCRIPT, ACCOUNTDISABLE, PASSWD_NOTREQD, PASSWD_CANT_CHANGE, DONT_EXPIRE_PASSWD */
#define UF_SETTABLE        (0x1 | 0x2 | 0x20 | 0x40 | 0x10000)

/***********************************************************************
 *  look-up
 */

struct account *ntlab_user_by_rid( unsigned int rid )
{
    unsigned int i;

    for (i = 0; i < sam.user_count; i++) if (sam.users[i].info.rid == rid) return &sam.users[i];
    return NULL;
}

static struct account *need_user( unsigned int rid )
{
    struct account *user = ntlab_user_by_rid( rid );

    if (!user) set_error( STATUS_NO_SUCH_USER );
    return user;
}

DECL_HANDLER(ntlab_get_user)
{
    const WCHAR *name = get_req_data();
    data_size_t len = get_req_data_size();
    struct account *user;
    struct sam_user *info;

    if (!ntlab_sam_check( NULL, 1, DOMAIN_LOOKUP )) return;
    if (len) user = ntlab_find_user( name, len );
    else if (req->rid) user = ntlab_user_by_rid( req->rid );
    else user = req->index < sam.user_count ? &sam.users[req->index] : NULL;
    if (!user) set_error( STATUS_NO_SUCH_USER );
    else if (get_reply_max_size() < sizeof(*info)) set_error( STATUS_BUFFER_TOO_SMALL );
    else if (ntlab_sam_check( user, 0, USER_READ_GENERAL | USER_READ_ACCOUNT ) &&
             (info = set_reply_data_size( sizeof(*info) )))
    {
        *info = user->info;
        if (ntlab_is_locked( user )) info->flags |= UF_LOCKOUT;
    }
}

/***********************************************************************
 *  users
 */

/* the structure that a change starts with; the rest is text */
const void *ntlab_get_record( data_size_t size, const WCHAR **text, data_size_t *len )
{
    if (get_req_data_size() < size)
    {
        set_error( STATUS_INVALID_PARAMETER );
        return NULL;
    }
    *text = (const WCHAR *)((const char *)get_req_data() + size);
    *len = (get_req_data_size() - size) & ~1u;
    return get_req_data();
}

int ntlab_is_terminated( const WCHAR *text, size_t size )
{
    while (size--) if (!*text++) return 1;
    return 0;
}

static data_size_t name_len( const WCHAR *text )
{
    data_size_t len = 0;

    while (text[len]) len++;
    return len * sizeof(WCHAR);
}

/* no account may have the name of another one */
int ntlab_is_name_free( const WCHAR *name, const struct account *itself )
{
    const struct account *user = ntlab_find_user( name, name_len( name ));

    if (user && user != itself) set_error( STATUS_USER_EXISTS );
    else if (ntlab_find_alias( name, name_len( name ))) set_error( STATUS_ALIAS_EXISTS );
    else return 1;
    return 0;
}

static int is_valid_user( const struct sam_user *info )
{
    if (info->name[0] && ntlab_is_terminated( info->name, ARRAY_SIZE(info->name) ) && ntlab_is_terminated( info->full_name, ARRAY_SIZE(info->full_name) ) &&
        ntlab_is_terminated( info->comment, ARRAY_SIZE(info->comment) ) &&
        ntlab_is_terminated( info->workstations, ARRAY_SIZE(info->workstations) )) return 1;
    set_error( STATUS_INVALID_PARAMETER );
    return 0;
}

static int set_new_password( struct account *user, const WCHAR *password, data_size_t len, int by_user )
{
    unsigned int status = ntlab_check_new_password( user, password, len, by_user );

    if (status) set_error( status );
    else ntlab_set_password( user, password, len );
    return !status;
}

/* change those fields; the password last, since it can be refused */
static int apply_fields( struct account *user, const struct sam_user *info, unsigned int fields, const WCHAR *password, data_size_t len )
{
    if (fields & SAM_NAME)
    {
        if (!ntlab_is_name_free( info->name, user )) return 0;
        memcpy( user->info.name, info->name, sizeof(info->name) );
    }
    if (fields & SAM_FULL_NAME) memcpy( user->info.full_name, info->full_name, sizeof(info->full_name) );
    if (fields & SAM_COMMENT) memcpy( user->info.comment, info->comment, sizeof(info->comment) );
    if (fields & SAM_WORKSTATIONS) memcpy( user->info.workstations, info->workstations, sizeof(info->workstations) );
    if (fields & SAM_EXPIRES) user->info.expires = info->expires;
    if (fields & SAM_HOURS_SET) memcpy( user->info.hours, info->hours, sizeof(info->hours) );
    if (fields & SAM_FLAGS)
    {
        user->info.flags = (info->flags & UF_SETTABLE) | UF_NORMAL_ACCOUNT;
        if (!(info->flags & UF_LOCKOUT) && user->locked_at) ntlab_unlock( user );
    }
    if ((fields & SAM_PASSWORD) && !set_new_password( user, password, len, 0 )) return 0;
    if (fields & SAM_MUST_CHANGE) user->info.password_set = info->password_set ? time( NULL ) : 0;
    return 1;
}

DECL_HANDLER(ntlab_add_user)
{
    const struct sam_user *info;
    const WCHAR *password;
    struct account *users, new_user = { { 0 } };
    data_size_t len;

    if (!(info = ntlab_get_record( sizeof(*info), &password, &len )) || !is_valid_user( info )) return;
    if (!ntlab_sam_check( NULL, 1, DOMAIN_CREATE_USER ) || !ntlab_is_name_free( info->name, NULL )) return;
    memset( new_user.info.hours, 0xff, sizeof(new_user.info.hours) );
    new_user.info.expires = SAM_FOREVER;
    memcpy( new_user.info.name, info->name, sizeof(info->name) );
    if (!apply_fields( &new_user, info, (req->fields & ~SAM_NAME) | SAM_FLAGS | SAM_PASSWORD, password, len )) return;
    if (!(users = realloc( sam.users, (sam.user_count + 1) * sizeof(*users) )))
    {
        set_error( STATUS_NO_MEMORY );
        return;
    }
    new_user.info.rid = sam.next_rid++;
    sam.users = users;
    sam.users[sam.user_count++] = new_user;
    if (!ntlab_sam_save()) sam.user_count--;
}

DECL_HANDLER(ntlab_set_user)
{
    const unsigned int access = req->fields & ~SAM_PASSWORD ? USER_WRITE_ACCOUNT : 0;
    const struct sam_user *info;
    const WCHAR *password;
    struct account *user, old;
    data_size_t len;

    if (!(info = ntlab_get_record( sizeof(*info), &password, &len )) || !is_valid_user( info ) || !(user = need_user( req->rid ))) return;
    if (!ntlab_sam_check( user, 0, access | (req->fields & SAM_PASSWORD ? USER_FORCE_PASSWORD_CHANGE : 0) )) return;
    old = *user;
    if (!apply_fields( user, info, req->fields, password, len ) || !ntlab_sam_save()) *user = old;
}

DECL_HANDLER(ntlab_delete_user)
{
    struct account *user = need_user( req->rid );
    struct sam_sid sid;
    unsigned int i;

    if (!user || !ntlab_sam_check( user, 0, DELETE )) return;
    if (user->info.rid < SAM_FIRST_RID)
    {
        set_error( user->info.rid == SAM_WINE_USER_RID ? STATUS_ACCESS_DENIED : STATUS_SPECIAL_ACCOUNT );
        return;
    }
    ntlab_sam_account_sid( user->info.rid, (struct sid *)sid.bytes );
    ntlab_remove_member( sid_of( &sid ));
    i = user - sam.users;
    memmove( user, user + 1, (--sam.user_count - i) * sizeof(*user) );
    ntlab_sam_save();
}

/* MSDN "NetUserChangePassword": anybody who knows the old one and has the right to change it, which
 * the descriptor gives to Everyone */
DECL_HANDLER(ntlab_change_password)
{
    const WCHAR *old = get_req_data();
    struct account *user = need_user( req->rid ), before;
    data_size_t len = get_req_data_size();

    if (!user) return;
    if (req->old_len > len || (req->old_len & 1) || (len & 1)) set_error( STATUS_INVALID_PARAMETER );
    else if (ntlab_sam_check( user, 0, USER_CHANGE_PASSWORD ))
    {
        if (ntlab_is_locked( user )) set_error( STATUS_ACCOUNT_LOCKED_OUT );
        else if (user->has_password ? !ntlab_has_password( user, old, req->old_len ) : req->old_len != 0)
        {
            ntlab_count_bad_password( user );
            if (ntlab_sam_save()) set_error( STATUS_WRONG_PASSWORD );
        }
        else
        {
            before = *user;
            if (set_new_password( user, old + req->old_len / sizeof(WCHAR), len - req->old_len, 1 ) && !ntlab_sam_save())
                *user = before;
        }
    }
}
