/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: TokenAccessInformation
 *
 * MSDN "TOKEN_ACCESS_INFORMATION", "SID_AND_ATTRIBUTES_HASH"; flags: WDK ntifs.h (TOKEN_WRITE_RESTRICTED and the others).
 * Trust level and security attributes are none.
 */

#if 0
#pragma makedep unix
#endif

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winternl.h"
#include "unix_private.h"
#include "ntlab.h"

/* missing in Wine's headers */
struct access_information
{
    SID_AND_ATTRIBUTES_HASH     *sids;
    SID_AND_ATTRIBUTES_HASH     *restricted;
    TOKEN_PRIVILEGES            *privileges;
    LUID                         authentication_id;
    TOKEN_TYPE                   type;
    SECURITY_IMPERSONATION_LEVEL level;
    DWORD                        policy;
    DWORD                        flags;
    DWORD                        container_number;
    SID                         *package;
    SID_AND_ATTRIBUTES_HASH     *capabilities;
    SID                         *trust_level;
    void                        *attributes;
};

#define TOKEN_FLAG_TRAVERSE         0x0001
#define TOKEN_FLAG_BACKUP           0x0002
#define TOKEN_FLAG_RESTORE          0x0004
#define TOKEN_FLAG_WRITE_RESTRICTED 0x0008
#define TOKEN_FLAG_IS_RESTRICTED    0x0010
#define TOKEN_FLAG_SANDBOX_INERT    0x0040
#define TOKEN_FLAG_IMPERSONATE      0x0080
#define TOKEN_FLAG_LOWBOX           0x4000

/* what is behind the structure, which a call without room only counts */
struct room
{
    char  *base;
    SIZE_T used, size;
};

static void *take( struct room *room, SIZE_T size )
{
    void *ret = room->used + size <= room->size ? room->base + room->used : NULL;

    room->used += (size + 7) & ~7;
    return ret;
}

/* for the caller to free */
static void *query( HANDLE token, TOKEN_INFORMATION_CLASS class, unsigned int *status )
{
    ULONG size = 0;
    void *info;

    if (*status) return NULL;
    NtQueryInformationToken( token, class, NULL, 0, &size );
    if (!(info = calloc( 1, size + 1 ))) *status = STATUS_NO_MEMORY;
    else *status = NtQueryInformationToken( token, class, info, size, &size );
    return info;
}

/* each SID has a bit in the places of both halves of the low byte of its last number */
static void count_sid( SID_AND_ATTRIBUTES_HASH *hash, unsigned int i, const SID *sid )
{
    const BYTE last = sid->SubAuthority[sid->SubAuthorityCount - 1];

    if (i >= 8 * sizeof(ULONG_PTR)) return;
    hash->Hash[last & 0xf] |= (ULONG_PTR)1 << i;
    hash->Hash[16 + (last >> 4)] |= (ULONG_PTR)1 << i;
}

static SID *put_sid( struct room *room, const SID *sid )
{
    SID *copy = take( room, ntlab_sid_size( sid ));

    if (copy) memcpy( copy, sid, ntlab_sid_size( sid ));
    return copy;
}

static SID_AND_ATTRIBUTES_HASH *put_sids( struct room *room, const SID_AND_ATTRIBUTES *first, const TOKEN_GROUPS *groups )
{
    const unsigned int count = groups->GroupCount + !!first;
    SID_AND_ATTRIBUTES_HASH *hash = take( room, sizeof(*hash) );
    SID_AND_ATTRIBUTES *list = take( room, count * sizeof(*list) );
    unsigned int i;

    if (hash)
    {
        memset( hash, 0, sizeof(*hash) );
        hash->SidCount = count;
        hash->SidAttr  = list;
    }
    for (i = 0; i < count; i++)
    {
        const SID_AND_ATTRIBUTES *source = first ? i ? &groups->Groups[i - 1] : first : &groups->Groups[i];
        SID *sid = put_sid( room, source->Sid );

        if (!sid || !list || !hash) continue;
        list[i].Sid = sid;
        list[i].Attributes = source->Attributes;
        count_sid( hash, i, sid );
    }
    return hash;
}

static DWORD privilege_flags( const TOKEN_PRIVILEGES *privileges )
{
    static const struct { DWORD privilege, flag; } known[] =
    {
        { 17, TOKEN_FLAG_BACKUP }, { 18, TOKEN_FLAG_RESTORE }, { 23, TOKEN_FLAG_TRAVERSE }, { 29, TOKEN_FLAG_IMPERSONATE },
    };
    DWORD i, k, flags = 0;

    for (i = 0; i < privileges->PrivilegeCount; i++)
        for (k = 0; k < ARRAY_SIZE(known); k++)
            if (privileges->Privileges[i].Luid.LowPart == known[k].privilege &&
                (privileges->Privileges[i].Attributes & SE_PRIVILEGE_ENABLED)) flags |= known[k].flag;
    return flags;
}

NTSTATUS ntlab_query_access( HANDLE token, BOOL write_restricted, BOOL inert, void *buffer, ULONG length, ULONG *retlen )
{
    unsigned int status = 0;
    const TOKEN_USER *user = query( token, TokenUser, &status );
    const TOKEN_GROUPS *groups = query( token, TokenGroups, &status );
    const TOKEN_GROUPS *restricted = query( token, TokenRestrictedSids, &status );
    const TOKEN_GROUPS *capabilities = query( token, TokenCapabilities, &status );
    const TOKEN_PRIVILEGES *privileges = query( token, TokenPrivileges, &status );
    const TOKEN_APPCONTAINER_INFORMATION *container = query( token, TokenAppContainerSid, &status );
    const TOKEN_STATISTICS *statistics = query( token, TokenStatistics, &status );
    const TOKEN_MANDATORY_POLICY *policy = query( token, TokenMandatoryPolicy, &status );
    struct room room = { buffer, 0, length };
    struct access_information info = { 0 }, *place = take( &room, sizeof(*place) );
    SIZE_T size;

    if (!status)
    {
        info.sids         = put_sids( &room, &user->User, groups );
        info.restricted   = put_sids( &room, NULL, restricted );
        info.capabilities = put_sids( &room, NULL, capabilities );
        size = offsetof( TOKEN_PRIVILEGES, Privileges[privileges->PrivilegeCount] );
        if ((info.privileges = take( &room, size ))) memcpy( info.privileges, privileges, size );
        if (container->TokenAppContainer) info.package = put_sid( &room, container->TokenAppContainer );
        info.authentication_id = statistics->AuthenticationId;
        info.type   = statistics->TokenType;
        info.level  = statistics->ImpersonationLevel;
        info.policy = policy->Policy;
        info.flags  = privilege_flags( privileges );
        if (write_restricted) info.flags |= TOKEN_FLAG_WRITE_RESTRICTED;
        if (inert) info.flags |= TOKEN_FLAG_SANDBOX_INERT;
        if (restricted->GroupCount) info.flags |= TOKEN_FLAG_IS_RESTRICTED;
        if (container->TokenAppContainer) info.flags |= TOKEN_FLAG_LOWBOX;
        if (retlen) *retlen = room.used;
        if (room.used > length) status = STATUS_BUFFER_TOO_SMALL;
        else *place = info;
    }
    free( (void *)user );
    free( (void *)groups );
    free( (void *)restricted );
    free( (void *)capabilities );
    free( (void *)privileges );
    free( (void *)container );
    free( (void *)statistics );
    free( (void *)policy );
    return status;
}
