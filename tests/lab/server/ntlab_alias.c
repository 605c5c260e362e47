/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: requests about local groups and the policy, as the SAM server checks them (MS-SAMR 3.1.5)
 */

#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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
#define DOMAIN_CREATE_ALIAS             0x40
#define DOMAIN_LOOKUP                   0x200
#define ALIAS_ADD_MEMBER                0x1
#define ALIAS_REMOVE_MEMBER             0x2
#define ALIAS_LIST_MEMBERS              0x4
#define ALIAS_READ_INFORMATION          0x8
#define ALIAS_WRITE_ACCOUNT             0x10

static struct alias *alias_by_rid( unsigned int rid )
{
    unsigned int i;

    for (i = 0; i < sam.alias_count; i++) if (sam.aliases[i].info.rid == rid) return &sam.aliases[i];
    return NULL;
}

struct alias *ntlab_find_alias( const WCHAR *name, data_size_t len )
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

static struct alias *need_alias( unsigned int rid, unsigned int access )
{
    struct alias *alias = alias_by_rid( rid );

    if (!alias) set_error( STATUS_NO_SUCH_ALIAS );
    else if (!ntlab_sam_check( NULL, 0, access )) return NULL;
    return alias;
}

DECL_HANDLER(ntlab_get_alias)
{
    const WCHAR *name = get_req_data();
    data_size_t len = get_req_data_size(), members;
    struct alias *alias;
    struct sam_alias_info *info;

    if (!ntlab_sam_check( NULL, 1, DOMAIN_LOOKUP )) return;
    if (len) alias = ntlab_find_alias( name, len );
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
void ntlab_remove_member( const struct sid *sid )
{
    unsigned int i, index;

    for (i = 0; i < sam.alias_count; i++)
        if (find_member( &sam.aliases[i], sid, &index )) remove_member( &sam.aliases[i], index );
}

DECL_HANDLER(ntlab_add_alias)
{
    const struct sam_alias_info *info;
    struct alias *aliases, new_alias = { { 0 } };
    const WCHAR *text;
    data_size_t len;

    if (!(info = ntlab_get_record( sizeof(*info), &text, &len ))) return;
    if (!info->name[0] || !ntlab_is_terminated( info->name, ARRAY_SIZE(info->name) ) || !ntlab_is_terminated( info->comment, ARRAY_SIZE(info->comment) ))
    {
        set_error( STATUS_INVALID_PARAMETER );
        return;
    }
    if (!ntlab_sam_check( NULL, 1, DOMAIN_CREATE_ALIAS ) || !ntlab_is_name_free( info->name, NULL )) return;
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
    if (sid->sub_auth[4] == DOMAIN_GROUP_RID_USERS || ntlab_user_by_rid( sid->sub_auth[4] )) return STATUS_SUCCESS;
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
