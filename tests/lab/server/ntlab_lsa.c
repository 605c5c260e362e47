/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: account rights, as the Local Security Authority keeps them
 *
 * Requests and the access that they take: MS-LSAD 3.1.4.5 and the pages of the Lsa* functions.
 * Defaults: Microsoft Learn "User Rights Assignment", those of a stand-alone client.
 */

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winternl.h"

#include "handle.h"
#include "process.h"
#include "request.h"
#include "security.h"
#include "thread.h"
#include "unicode.h"
#include "ntlab.h"
#include "ntlab_sam.h"

#define POLICY_VIEW_LOCAL_INFORMATION 0x0001
#define POLICY_CREATE_ACCOUNT         0x0010
#define POLICY_LOOKUP_NAMES           0x0800
#define POLICY_NOTIFICATION           0x1000
#define POLICY_READ                   0x20006
#define POLICY_WRITE                  0x207f8
#define POLICY_EXECUTE                0x20801
#define POLICY_ALL_ACCESS             0xf0fff

/* logon rights first, each with the one that denies it in the next place */
enum { INTERACTIVE, DENY_INTERACTIVE, NETWORK, DENY_NETWORK, BATCH, DENY_BATCH, SERVICE, DENY_SERVICE,
       REMOTE_INTERACTIVE, DENY_REMOTE_INTERACTIVE, FIRST_PRIVILEGE };
#define FIRST_LUID 2

static const char * const right_names[] =
{
    "SeInteractiveLogonRight", "SeDenyInteractiveLogonRight", "SeNetworkLogonRight", "SeDenyNetworkLogonRight",
    "SeBatchLogonRight", "SeDenyBatchLogonRight", "SeServiceLogonRight", "SeDenyServiceLogonRight",
    "SeRemoteInteractiveLogonRight", "SeDenyRemoteInteractiveLogonRight",
    /* privileges by their LUID, from 2 */
    "SeCreateTokenPrivilege", "SeAssignPrimaryTokenPrivilege", "SeLockMemoryPrivilege", "SeIncreaseQuotaPrivilege",
    "SeMachineAccountPrivilege", "SeTcbPrivilege", "SeSecurityPrivilege", "SeTakeOwnershipPrivilege",
    "SeLoadDriverPrivilege", "SeSystemProfilePrivilege", "SeSystemtimePrivilege", "SeProfileSingleProcessPrivilege",
    "SeIncreaseBasePriorityPrivilege", "SeCreatePagefilePrivilege", "SeCreatePermanentPrivilege", "SeBackupPrivilege",
    "SeRestorePrivilege", "SeShutdownPrivilege", "SeDebugPrivilege", "SeAuditPrivilege", "SeSystemEnvironmentPrivilege",
    "SeChangeNotifyPrivilege", "SeRemoteShutdownPrivilege", "SeUndockPrivilege", "SeSyncAgentPrivilege",
    "SeEnableDelegationPrivilege", "SeManageVolumePrivilege", "SeImpersonatePrivilege", "SeCreateGlobalPrivilege",
    "SeTrustedCredManAccessPrivilege", "SeRelabelPrivilege", "SeIncreaseWorkingSetPrivilege", "SeTimeZonePrivilege",
    "SeCreateSymbolicLinkPrivilege",
};

#define BIT( right )  (1ull << (right))
#define PRIV( luid )  BIT( (luid) - FIRST_LUID + FIRST_PRIVILEGE )

static const struct
{
    struct { unsigned char revision, count, authority[6]; unsigned int sub_auth[5]; } sid;
    unsigned long long rights;
} default_rights[] =
{
    { { 1, 1, { 0, 0, 0, 0, 0, 1 }, { 0 } },  /* Everyone */
      BIT( NETWORK ) | PRIV( 23 ) },
    { { 1, 2, SECURITY_NT_AUTHORITY, { 32, 544 } },  /* Administrators */
      BIT( INTERACTIVE ) | BIT( NETWORK ) | BIT( BATCH ) | BIT( REMOTE_INTERACTIVE ) | PRIV( 5 ) | PRIV( 8 ) | PRIV( 9 ) |
      PRIV( 10 ) | PRIV( 11 ) | PRIV( 12 ) | PRIV( 13 ) | PRIV( 14 ) | PRIV( 15 ) | PRIV( 17 ) | PRIV( 18 ) | PRIV( 19 ) |
      PRIV( 20 ) | PRIV( 22 ) | PRIV( 23 ) | PRIV( 24 ) | PRIV( 25 ) | PRIV( 28 ) | PRIV( 29 ) | PRIV( 30 ) | PRIV( 33 ) |
      PRIV( 34 ) | PRIV( 35 ) },
    { { 1, 2, SECURITY_NT_AUTHORITY, { 32, 545 } },  /* Users */
      BIT( INTERACTIVE ) | BIT( NETWORK ) | PRIV( 19 ) | PRIV( 23 ) | PRIV( 25 ) | PRIV( 33 ) | PRIV( 34 ) },
    { { 1, 2, SECURITY_NT_AUTHORITY, { 32, 551 } },  /* Backup Operators */
      BIT( INTERACTIVE ) | BIT( NETWORK ) | BIT( BATCH ) | PRIV( 17 ) | PRIV( 18 ) | PRIV( 19 ) | PRIV( 23 ) },
    { { 1, 2, SECURITY_NT_AUTHORITY, { 32, 555 } },  /* Remote Desktop Users */
      BIT( REMOTE_INTERACTIVE ) },
    { { 1, 2, SECURITY_NT_AUTHORITY, { 32, 559 } },  /* Performance Log Users */
      BIT( BATCH ) },
    { { 1, 1, SECURITY_NT_AUTHORITY, { 6 } },  /* SERVICE */
      PRIV( 29 ) | PRIV( 30 ) },
    { { 1, 1, SECURITY_NT_AUTHORITY, { 19 } },  /* LOCAL SERVICE */
      PRIV( 3 ) | PRIV( 5 ) | PRIV( 12 ) | PRIV( 21 ) | PRIV( 23 ) | PRIV( 29 ) | PRIV( 30 ) | PRIV( 33 ) | PRIV( 34 ) },
    { { 1, 1, SECURITY_NT_AUTHORITY, { 20 } },  /* NETWORK SERVICE */
      PRIV( 3 ) | PRIV( 5 ) | PRIV( 21 ) | PRIV( 23 ) | PRIV( 29 ) | PRIV( 30 ) | PRIV( 33 ) },
    { { 1, 2, SECURITY_NT_AUTHORITY, { 80, 0 } },  /* ALL SERVICES */
      BIT( SERVICE ) },
    { { 1, 5, SECURITY_NT_AUTHORITY, { 21, 0, 0, 0, SAM_GUEST_RID } },
      BIT( INTERACTIVE ) | BIT( DENY_INTERACTIVE ) | BIT( DENY_NETWORK ) },
};

const char *ntlab_right_name( unsigned int index )
{
    return index < ARRAY_SIZE(right_names) ? right_names[index] : NULL;
}

static struct holder *find_holder( const struct sid *sid, int create )
{
    struct holder *holders;
    unsigned int i;

    for (i = 0; i < sam.holder_count; i++) if (equal_sid( sid_of( &sam.holders[i].sid ), sid )) return &sam.holders[i];
    if (!create || sid_len( sid ) > sizeof(holders->sid)) return NULL;
    if (!(holders = realloc( sam.holders, (i + 1) * sizeof(*holders) ))) return NULL;
    sam.holders = holders;
    memset( &holders[i], 0, sizeof(holders[i]) );
    copy_sid( (struct sid *)holders[i].sid.bytes, sid );
    sam.holder_count++;
    return &holders[i];
}

void ntlab_sam_set_default_rights(void)
{
    struct holder *holder;
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(default_rights); i++)
        if ((holder = find_holder( (const struct sid *)&default_rights[i].sid, 1 ))) holder->rights = default_rights[i].rights;
}

/* what counts: with policy=gpo a group policy gives "Allow log on locally" to Administrators alone, whatever is set here */
unsigned long long ntlab_rights_of( const struct holder *holder )
{
    unsigned long long rights = holder->rights;

    if (!ntlab_second( NTLAB_POLICY )) return rights;
    rights &= ~BIT( INTERACTIVE );
    if (equal_sid( sid_of( &holder->sid ), &builtin_admins_sid )) rights |= BIT( INTERACTIVE );
    return rights;
}

static unsigned long long rights_of_all( const struct sid * const *sids, unsigned int count )
{
    const struct holder *holder;
    unsigned long long rights = 0;
    unsigned int i;

    for (i = 0; i < count; i++) if ((holder = find_holder( sids[i], 0 ))) rights |= ntlab_rights_of( holder );
    return rights;
}

/* MSDN "Account Rights Constants" */
int ntlab_may_log_on( unsigned int type, const struct sid * const *sids, unsigned int count )
{
    const unsigned long long rights = rights_of_all( sids, count );
    unsigned int right;

    switch (type)
    {
    case LOGON32_LOGON_INTERACTIVE:
    case LOGON32_LOGON_UNLOCK:
        right = INTERACTIVE;
        break;
    case LOGON32_LOGON_NETWORK:
    case LOGON32_LOGON_NETWORK_CLEARTEXT:
        right = NETWORK;
        break;
    case LOGON32_LOGON_BATCH:
        right = BATCH;
        break;
    default:
        right = SERVICE;
        break;
    }
    return (rights & BIT( right )) && !(rights & BIT( right + 1 ));
}

unsigned int ntlab_privileges_of( const struct sid * const *sids, unsigned int count, struct luid_attr *privs )
{
    const unsigned long long rights = rights_of_all( sids, count );
    unsigned int i, found = 0;

    for (i = FIRST_PRIVILEGE; i < ARRAY_SIZE(right_names); i++)
    {
        if (!(rights & BIT( i ))) continue;
        privs[found].luid.low_part  = i - FIRST_PRIVILEGE + FIRST_LUID;
        privs[found].luid.high_part = 0;
        /* SeChangeNotify-, SeImpersonate- and SeCreateGlobalPrivilege */
        privs[found].attrs = privs[found].luid.low_part == 23 || privs[found].luid.low_part == 29 ||
                             privs[found].luid.low_part == 30 ? SE_PRIVILEGE_ENABLED : 0;
        found++;
    }
    return found;
}

/***********************************************************************
 *  the policy object
 */

static void policy_dump( struct object *obj, int verbose )
{
    fprintf( stderr, "LSA policy\n" );
}

static void policy_destroy( struct object *obj )
{
}

static struct type_descr policy_type =
{
    { NULL, 0 },
    POLICY_ALL_ACCESS | POLICY_NOTIFICATION,
    { POLICY_READ, POLICY_WRITE, POLICY_EXECUTE, POLICY_ALL_ACCESS },
};

static const struct object_ops policy_ops =
{
    sizeof(struct object),     /* size */
    &policy_type,              /* type */
    policy_dump,               /* dump */
    no_add_queue,              /* add_queue */
    NULL,                      /* remove_queue */
    NULL,                      /* signaled */
    NULL,                      /* satisfied */
    no_signal,                 /* signal */
    no_get_fd,                 /* get_fd */
    default_map_access,        /* map_access */
    default_get_sd,            /* get_sd */
    default_set_sd,            /* set_sd */
    no_get_full_name,          /* get_full_name */
    no_lookup_name,            /* lookup_name */
    no_link_name,              /* link_name */
    NULL,                      /* unlink_name */
    no_open_file,              /* open_file */
    no_kernel_obj_list,        /* get_kernel_obj_list */
    no_close_handle,           /* close_handle */
    policy_destroy             /* destroy */
};

/* what a fresh Windows has: everything for Administrators, looking at it and up names in it for Everyone */
static unsigned int check_policy( unsigned int wanted, unsigned int *granted )
{
    static const struct sid anonymous_sid = { SID_REVISION, 1, SECURITY_NT_AUTHORITY, { SECURITY_ANONYMOUS_LOGON_RID } };
    const struct ntlab_ace aces[] =
    {
        { &builtin_admins_sid, 0, POLICY_ALL_ACCESS | POLICY_NOTIFICATION },
        { &world_sid,          0, POLICY_EXECUTE },
        { &anonymous_sid,      0, POLICY_LOOKUP_NAMES },
    };
    struct security_descriptor *sd = ntlab_sd_build( 0, &builtin_admins_sid, &local_system_sid, NULL, aces, ARRAY_SIZE(aces) );
    unsigned int status;

    if (!sd) return STATUS_NO_MEMORY;
    status = ntlab_check_sd( thread_get_impersonation_token( current ), sd, &policy_type.mapping, wanted, granted );
    free( sd );
    return status;
}

DECL_HANDLER(ntlab_open_policy)
{
    unsigned int granted = 0, status;
    struct object *policy;

    if (req->access && (status = check_policy( req->access, &granted )))
    {
        set_error( status );
        return;
    }
    if (!(policy = alloc_object( &policy_ops ))) return;
    reply->handle = alloc_handle_no_access_check( current->process, policy, granted, 0 );
    release_object( policy );
}

/***********************************************************************
 *  rights of accounts
 */

static int check_handle( obj_handle_t handle, unsigned int access )
{
    struct object *policy = get_handle_obj( current->process, handle, access, &policy_ops );

    if (policy) release_object( policy );
    return policy != NULL;
}

/* the objects of accounts admit administrators alone */
static int check_account_object(void)
{
    unsigned int granted, status = check_policy( POLICY_CREATE_ACCOUNT, &granted );

    if (status) set_error( status );
    return !status;
}

static int find_right( const WCHAR *name, data_size_t count )
{
    unsigned int i, pos;

    for (i = 0; i < ARRAY_SIZE(right_names); i++)
    {
        for (pos = 0; pos < count && right_names[i][pos] && (name[pos] | 0x20) == (right_names[i][pos] | 0x20); pos++) ;
        if (pos == count && !right_names[i][pos]) return i;
    }
    return -1;
}

/* names with nulls between them; all must be known before any takes effect */
static int parse_rights( const WCHAR *names, data_size_t count, unsigned long long *rights )
{
    data_size_t start, end;
    int right;

    *rights = 0;
    for (start = 0; start < count; start = end + 1)
    {
        for (end = start; end < count && names[end]; end++) ;
        if ((right = find_right( names + start, end - start )) == -1)
        {
            set_error( STATUS_NO_SUCH_PRIVILEGE );
            return 0;
        }
        *rights |= BIT( right );
    }
    return 1;
}

static void return_rights( unsigned long long rights )
{
    WCHAR names[ARRAY_SIZE(right_names) * 40];
    data_size_t count = 0;
    unsigned int i;
    const char *p;

    for (i = 0; i < ARRAY_SIZE(right_names); i++)
    {
        if (!(rights & BIT( i ))) continue;
        for (p = right_names[i]; *p; p++) names[count++] = *p;
        names[count++] = 0;
    }
    set_reply_data( names, min( count * sizeof(WCHAR), get_reply_max_size() ));
}

DECL_HANDLER(ntlab_account_rights)
{
    const struct sid *sid = get_req_data();
    unsigned long long rights;
    struct holder *holder;
    data_size_t size = req->sid_size;

    if (!check_handle( req->handle, POLICY_LOOKUP_NAMES )) return;
    if (size > get_req_data_size() || !sid_valid_size( sid, size ) || sid_len( sid ) != size || size > sizeof(struct sam_sid))
    {
        set_error( STATUS_INVALID_PARAMETER );
        return;
    }
    if (req->op == NTLAB_RIGHTS_ADD && !find_holder( sid, 0 ) && !check_handle( req->handle, POLICY_CREATE_ACCOUNT )) return;
    if (!check_account_object()) return;
    if (!parse_rights( (const WCHAR *)((const char *)sid + size), (get_req_data_size() - size) / sizeof(WCHAR), &rights )) return;
    if (!(holder = find_holder( sid, req->op == NTLAB_RIGHTS_ADD )))
    {
        set_error( req->op == NTLAB_RIGHTS_ADD ? STATUS_NO_MEMORY : STATUS_OBJECT_NAME_NOT_FOUND );
        return;
    }
    if (req->op == NTLAB_RIGHTS_GET)
    {
        if (ntlab_rights_of( holder )) return_rights( ntlab_rights_of( holder ));
        else set_error( STATUS_OBJECT_NAME_NOT_FOUND );
        return;
    }
    if (req->op == NTLAB_RIGHTS_ADD) holder->rights |= rights;
    else holder->rights &= req->op == NTLAB_RIGHTS_REMOVE ? ~rights : 0;
    /* the object of an account goes with its last right */
    if (!holder->rights) memmove( holder, holder + 1, (--sam.holder_count - (holder - sam.holders)) * sizeof(*holder) );
    ntlab_sam_save();
}

DECL_HANDLER(ntlab_accounts_with_right)
{
    unsigned long long rights;
    struct sam_sid *sids;
    unsigned int i, count = 0;

    if (!check_handle( req->handle, POLICY_LOOKUP_NAMES | POLICY_VIEW_LOCAL_INFORMATION )) return;
    if (!check_account_object()) return;
    if (!parse_rights( get_req_data(), get_req_data_size() / sizeof(WCHAR), &rights )) return;
    for (i = 0; i < sam.holder_count; i++) if (!rights || (ntlab_rights_of( &sam.holders[i] ) & rights)) reply->count++;
    if (!reply->count) set_error( STATUS_NO_MORE_ENTRIES );
    else if (reply->count * sizeof(*sids) > get_reply_max_size()) set_error( STATUS_BUFFER_TOO_SMALL );
    else if ((sids = set_reply_data_size( reply->count * sizeof(*sids) )))
        for (i = 0; i < sam.holder_count; i++)
            if (!rights || (ntlab_rights_of( &sam.holders[i] ) & rights)) sids[count++] = sam.holders[i].sid;
}
