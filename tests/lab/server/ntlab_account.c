/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: requests about local accounts, as the SAM server checks them (MS-SAMR 3.1.5)
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

#define DOMAIN_READ_PASSWORD_PARAMETERS 0x1
#define DOMAIN_WRITE_PASSWORD_PARAMS    0x2
#define DOMAIN_CREATE_USER              0x10
#define DOMAIN_CREATE_ALIAS             0x40
#define DOMAIN_LOOKUP                   0x200
#define USER_READ_GENERAL               0x1
#define USER_READ_ACCOUNT               0x10
#define USER_WRITE_ACCOUNT              0x20
#define USER_CHANGE_PASSWORD            0x40
#define USER_FORCE_PASSWORD_CHANGE      0x80
#define ALIAS_ADD_MEMBER                0x1
#define ALIAS_REMOVE_MEMBER             0x2
#define ALIAS_LIST_MEMBERS              0x4
#define ALIAS_READ_INFORMATION          0x8
#define ALIAS_WRITE_ACCOUNT             0x10

#define UF_LOCKOUT         0x10
#define UF_NORMAL_ACCOUNT  0x200
/* UF_SCRIPT, ACCOUNTDISABLE, PASSWD_NOTREQD, PASSWD_CANT_CHANGE, DONT_EXPIRE_PASSWD */
#define UF_SETTABLE        (0x1 | 0x2 | 0x20 | 0x40 | 0x10000)

/***********************************************************************
 *  look-up
 */

static struct account *user_by_rid( unsigned int rid )
{
    unsigned int i;

    for (i = 0; i < sam.user_count; i++) if (sam.users[i].info.rid == rid) return &sam.users[i];
    return NULL;
}

static struct alias *alias_by_rid( unsigned int rid )
{
    unsigned int i;

    for (i = 0; i < sam.alias_count; i++) if (sam.aliases[i].info.rid == rid) return &sam.aliases[i];
    return NULL;
}

static struct alias *alias_by_name( const WCHAR *name, data_size_t len )
{
    unsigned int i;
    data_size_t count;

    for (i = 0; i < sam.alias_count; i++)
    {
        const WCHAR *known = sam.aliases[i].info.name;

        for (count = 0; known[count]; count++) ;
        if (count * sizeof(WCHAR) == len && !memicmp_strW( known, name, len )) return &sam.aliases[i];
    }
    return NULL;
}

static struct account *need_user( unsigned int rid )
{
    struct account *user = user_by_rid( rid );

    if (!user) set_error( STATUS_NO_SUCH_USER );
    return user;
}

static struct alias *need_alias( unsigned int rid, unsigned int access )
{
    struct alias *alias = alias_by_rid( rid );

    if (!alias) set_error( STATUS_NO_SUCH_ALIAS );
    else if (!ntlab_sam_check( NULL, 0, access )) return NULL;
    return alias;
}

DECL_HANDLER(ntlab_get_user)
{
    const WCHAR *name = get_req_data();
    data_size_t len = get_req_data_size();
    struct account *user;
    struct sam_user *info;

    if (!ntlab_sam_check( NULL, 1, DOMAIN_LOOKUP )) return;
    if (len) user = ntlab_find_user( name, len );
    else if (req->rid) user = user_by_rid( req->rid );
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

DECL_HANDLER(ntlab_get_alias)
{
    const WCHAR *name = get_req_data();
    data_size_t len = get_req_data_size(), members;
    struct alias *alias;
    struct sam_alias_info *info;

    if (!ntlab_sam_check( NULL, 1, DOMAIN_LOOKUP )) return;
    if (len) alias = alias_by_name( name, len );
    else if (req->rid) alias = alias_by_rid( req->rid );
    else alias = req->index < sam.alias_count ? &sam.aliases[req->index] : NULL;
    if (!alias)
    {
        set_error( STATUS_NO_SUCH_ALIAS );
        return;
    }
    if (!ntlab_sam_check( NULL, 0, ALIAS_LIST_MEMBERS | ALIAS_READ_INFORMATION )) return;
    members = alias->info.member_count * sizeof(*alias->members);
    reply->size = sizeof(*info) + members;
    if (reply->size > get_reply_max_size()) set_error( STATUS_BUFFER_TOO_SMALL );
    else if ((info = set_reply_data_size( reply->size )))
    {
        *info = alias->info;
        memcpy( info + 1, alias->members, members );
    }
}

/***********************************************************************
 *  users
 */

/* the structure that a change starts with; the rest is text */
static const void *get_record( data_size_t size, const WCHAR **text, data_size_t *len )
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

static int is_terminated( const WCHAR *text, size_t size )
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
static int is_name_free( const WCHAR *name, const struct account *itself )
{
    const struct account *user = ntlab_find_user( name, name_len( name ));

    if (user && user != itself) set_error( STATUS_USER_EXISTS );
    else if (alias_by_name( name, name_len( name ))) set_error( STATUS_ALIAS_EXISTS );
    else return 1;
    return 0;
}

static int is_valid_user( const struct sam_user *info )
{
    if (is_terminated( info->name, ARRAY_SIZE(info->name) ) && is_terminated( info->full_name, ARRAY_SIZE(info->full_name) ) &&
        is_terminated( info->comment, ARRAY_SIZE(info->comment) ) &&
        is_terminated( info->workstations, ARRAY_SIZE(info->workstations) )) return 1;
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
        if (!info->name[0] || !is_name_free( info->name, user )) return 0;
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

    if (!(info = get_record( sizeof(*info), &password, &len )) || !is_valid_user( info )) return;
    if (!ntlab_sam_check( NULL, 1, DOMAIN_CREATE_USER ) || !is_name_free( info->name, NULL )) return;
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

    if (!(info = get_record( sizeof(*info), &password, &len )) || !is_valid_user( info ) || !(user = need_user( req->rid ))) return;
    if (!ntlab_sam_check( user, 0, access | (req->fields & SAM_PASSWORD ? USER_FORCE_PASSWORD_CHANGE : 0) )) return;
    old = *user;
    if (!apply_fields( user, info, req->fields, password, len ) || !ntlab_sam_save()) *user = old;
}

static void remove_member( struct alias *alias, unsigned int i )
{
    alias->info.member_count--;
    memmove( &alias->members[i], &alias->members[i + 1], (alias->info.member_count - i) * sizeof(*alias->members) );
}

static int find_member( const struct alias *alias, const struct sid *sid, unsigned int *index )
{
    for (*index = 0; *index < alias->info.member_count; (*index)++)
        if (equal_sid( sid_of( &alias->members[*index] ), sid )) return 1;
    return 0;
}

/* an account leaves all groups with its end; what other objects say of its SID stays */
static void remove_everywhere( const struct sid *sid )
{
    unsigned int i, index;

    for (i = 0; i < sam.alias_count; i++)
        if (find_member( &sam.aliases[i], sid, &index )) remove_member( &sam.aliases[i], index );
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
    remove_everywhere( sid_of( &sid ));
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

/***********************************************************************
 *  aliases
 */

DECL_HANDLER(ntlab_add_alias)
{
    const struct sam_alias_info *info;
    struct alias *aliases, new_alias = { { 0 } };
    const WCHAR *text;
    data_size_t len;

    if (!(info = get_record( sizeof(*info), &text, &len ))) return;
    if (!is_terminated( info->name, ARRAY_SIZE(info->name) ) || !is_terminated( info->comment, ARRAY_SIZE(info->comment) ))
    {
        set_error( STATUS_INVALID_PARAMETER );
        return;
    }
    if (!ntlab_sam_check( NULL, 1, DOMAIN_CREATE_ALIAS ) || !is_name_free( info->name, NULL )) return;
    if (!(aliases = realloc( sam.aliases, (sam.alias_count + 1) * sizeof(*aliases) )))
    {
        set_error( STATUS_NO_MEMORY );
        return;
    }
    sam.aliases = aliases;
    new_alias.info = *info;
    new_alias.info.rid = sam.next_rid++;
    new_alias.info.member_count = 0;
    sam.aliases[sam.alias_count++] = new_alias;
    if (!ntlab_sam_save()) sam.alias_count--;
}

DECL_HANDLER(ntlab_set_alias)
{
    struct alias *alias = need_alias( req->rid, ALIAS_WRITE_ACCOUNT );
    data_size_t len = get_req_data_size();

    if (!alias) return;
    if (len >= sizeof(alias->info.comment) || (len & 1)) set_error( STATUS_INVALID_PARAMETER );
    else
    {
        memcpy( alias->info.comment, get_req_data(), len );
        alias->info.comment[len / sizeof(WCHAR)] = 0;
        ntlab_sam_save();
    }
}

DECL_HANDLER(ntlab_delete_alias)
{
    struct alias *alias = need_alias( req->rid, DELETE );
    unsigned int i;

    if (!alias) return;
    if (alias->info.rid < SAM_FIRST_RID)
    {
        set_error( STATUS_SPECIAL_ACCOUNT );
        return;
    }
    free( alias->members );
    i = alias - sam.aliases;
    memmove( alias, alias + 1, (--sam.alias_count - i) * sizeof(*alias) );
    ntlab_sam_save();
}

/* a local group has users and global groups as members, but no local group (MSDN "Local Groups") */
static unsigned int check_new_member( const struct sid *sid )
{
    struct sam_sid buffer;
    unsigned int i;

    for (i = 0; i < sam.alias_count; i++)
    {
        ntlab_sam_alias_sid( sam.aliases[i].info.rid, (struct sid *)buffer.bytes );
        if (equal_sid( sid, sid_of( &buffer ))) return STATUS_INVALID_MEMBER;
    }
    ntlab_sam_account_sid( 0, (struct sid *)buffer.bytes );
    if (sid->sub_count != 5 || memcmp( sid, buffer.bytes, offsetof( struct sid, sub_auth[4] ))) return STATUS_SUCCESS;
    if (sid->sub_auth[4] == DOMAIN_GROUP_RID_USERS || user_by_rid( sid->sub_auth[4] )) return STATUS_SUCCESS;
    return STATUS_NO_SUCH_MEMBER;
}

DECL_HANDLER(ntlab_change_member)
{
    struct alias *alias = need_alias( req->rid, req->add ? ALIAS_ADD_MEMBER : ALIAS_REMOVE_MEMBER );
    const struct sid *sid = get_req_data();
    struct sam_sid *members;
    unsigned int index, status;

    if (!alias) return;
    if (!sid_valid_size( sid, get_req_data_size() ) || sid_len( sid ) > sizeof(*members)) set_error( STATUS_INVALID_SID );
    else if (find_member( alias, sid, &index ))
    {
        if (req->add) set_error( STATUS_MEMBER_IN_ALIAS );
        else
        {
            remove_member( alias, index );
            ntlab_sam_save();
        }
    }
    else if (!req->add) set_error( STATUS_MEMBER_NOT_IN_ALIAS );
    else if ((status = check_new_member( sid ))) set_error( status );
    else if (!(members = realloc( alias->members, (index + 1) * sizeof(*members) ))) set_error( STATUS_NO_MEMORY );
    else
    {
        alias->members = members;
        memset( &members[index], 0, sizeof(*members) );
        copy_sid( (struct sid *)members[index].bytes, sid );
        alias->info.member_count++;
        if (!ntlab_sam_save()) alias->info.member_count--;
    }
}

/***********************************************************************
 *  policy
 */

DECL_HANDLER(ntlab_get_policy)
{
    if (ntlab_sam_check( NULL, 1, DOMAIN_READ_PASSWORD_PARAMETERS ))
        set_reply_data( &sam.policy, min( sizeof(sam.policy), get_reply_max_size() ));
}

/* MSDN "USER_MODALS_INFO_0": a length of at most PWLEN, no more than 24 passwords remembered, ages that fit */
DECL_HANDLER(ntlab_set_policy)
{
    const struct sam_policy *policy = get_req_data();
    struct sam_policy old = sam.policy;

    if (!ntlab_sam_check( NULL, 1, DOMAIN_WRITE_PASSWORD_PARAMS )) return;
    if (get_req_data_size() != sizeof(*policy) || policy->min_length > 256 || policy->history > SAM_MAX_HISTORY ||
        (policy->max_age != SAM_FOREVER && policy->min_age >= policy->max_age) ||
        policy->lockout_duration < policy->lockout_window)
    {
        set_error( STATUS_INVALID_PARAMETER );
        return;
    }
    sam.policy = *policy;
    if (!ntlab_sam_save()) sam.policy = old;
}
