/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: NetLocalGroup* functions
 */

#include "ntlab_netapi.h"

/* the caller frees the alias */
static NET_API_STATUS find_alias( const WCHAR *server, const WCHAR *name, struct sam_alias **alias )
{
    if (!net_is_local_server( server )) return NERR_InvalidComputer;
    return name && (*alias = sam_find_alias( name )) ? NERR_Success : NERR_GroupNotFound;
}

static NET_API_STATUS find_alias_rid( const WCHAR *server, const WCHAR *name, DWORD *rid )
{
    struct sam_alias *alias;
    NET_API_STATUS status = find_alias( server, name, &alias );

    if (status) return status;
    *rid = alias->info.rid;
    free( alias );
    return NERR_Success;
}

NET_API_STATUS WINAPI NetLocalGroupAdd( LPCWSTR server, DWORD level, LPBYTE buffer, LPDWORD parm_err )
{
    const LOCALGROUP_INFO_1 *info = (const LOCALGROUP_INFO_1 *)buffer;
    struct sam_alias_info alias = { 0 };

    if (parm_err) *parm_err = 0;
    if (!net_is_local_server( server )) return NERR_InvalidComputer;
    if (level > 1) return ERROR_INVALID_LEVEL;
    if (!info || !info->lgrpi1_name) return ERROR_INVALID_PARAMETER;
    if (!net_is_valid_name( info->lgrpi1_name, SAM_MAX_ALIAS_NAME )) return ERROR_INVALID_NAME;
    wcscpy( alias.name, info->lgrpi1_name );
    if (level == 1 && info->lgrpi1_comment) lstrcpynW( alias.comment, info->lgrpi1_comment, ARRAY_SIZE(alias.comment) );
    return net_status( sam_add_alias( &alias ));
}

NET_API_STATUS WINAPI NetLocalGroupSetInfo( LPCWSTR server, LPCWSTR name, DWORD level, LPBYTE buffer, LPDWORD parm_err )
{
    const WCHAR *comment;
    NET_API_STATUS status;
    DWORD rid;

    if (parm_err) *parm_err = 0;
    if (level != 1 && level != 1002) return ERROR_INVALID_LEVEL;
    if (!buffer) return ERROR_INVALID_PARAMETER;
    if ((status = find_alias_rid( server, name, &rid ))) return status;
    comment = level == 1 ? ((const LOCALGROUP_INFO_1 *)buffer)->lgrpi1_comment
                         : ((const LOCALGROUP_INFO_1002 *)buffer)->lgrpi1002_comment;
    return comment ? net_status( sam_set_alias_comment( rid, comment )) : NERR_Success;
}

NET_API_STATUS WINAPI NetLocalGroupDel( LPCWSTR server, LPCWSTR name )
{
    NET_API_STATUS status;
    DWORD rid;

    if ((status = find_alias_rid( server, name, &rid ))) return status;
    status = net_status( sam_delete_alias( rid ));
    return status == ERROR_SPECIAL_ACCOUNT ? ERROR_SPECIAL_GROUP : status;
}

NET_API_STATUS WINAPI NetLocalGroupGetInfo( LPCWSTR server, LPCWSTR name, DWORD level, LPBYTE *buffer )
{
    struct packer packer;
    struct sam_alias *alias;
    LOCALGROUP_INFO_1 *info;
    NET_API_STATUS status;

    if (level > 1) return ERROR_INVALID_LEVEL;
    if ((status = find_alias( server, name, &alias ))) return status;
    if (!(status = NetApiBufferAllocate( sizeof(*info) + MAX_ENTRY_DATA, (void **)&info )))
    {
        packer.pos = (BYTE *)(info + 1);
        info->lgrpi1_name    = net_pack_string( &packer, alias->info.name );
        info->lgrpi1_comment = net_pack_string( &packer, alias->info.comment );
        *buffer = (BYTE *)info;
    }
    free( alias );
    return status;
}

NET_API_STATUS WINAPI NetLocalGroupEnum( LPCWSTR server, DWORD level, LPBYTE *buffer, DWORD max_len,
                                         LPDWORD entries_read, LPDWORD total, PDWORD_PTR resume )
{
    const size_t size = level ? sizeof(LOCALGROUP_INFO_1) : sizeof(LOCALGROUP_INFO_0);
    struct packer packer;
    struct sam_alias *alias;
    NET_API_STATUS status;
    DWORD i, count = 0;

    if (!net_is_local_server( server )) return NERR_InvalidComputer;
    if (level > 1) return ERROR_INVALID_LEVEL;
    while ((alias = sam_enum_aliases( count )))
    {
        free( alias );
        count++;
    }
    if ((status = NetApiBufferAllocate( count * (size + MAX_ENTRY_DATA), (void **)buffer ))) return status;
    packer.pos = *buffer + count * size;
    for (i = 0; i < count && (alias = sam_enum_aliases( i )); i++)
    {
        LOCALGROUP_INFO_1 *info = (LOCALGROUP_INFO_1 *)(*buffer + i * size);
        info->lgrpi1_name = net_pack_string( &packer, alias->info.name );
        if (level) info->lgrpi1_comment = net_pack_string( &packer, alias->info.comment );
        free( alias );
    }
    *entries_read = *total = i;
    if (resume) *resume = 0;
    return NERR_Success;
}

static NET_API_STATUS change_member( DWORD rid, PSID sid, BOOL add )
{
    if (!sid || !IsValidSid( sid )) return ERROR_INVALID_MEMBER;
    return net_status( sam_change_member( rid, sid, add ));
}

/* levels 0 and 3: by SID and by name */
static NET_API_STATUS change_members( const WCHAR *server, const WCHAR *group, DWORD level, const BYTE *buffer,
                                      DWORD count, BOOL add )
{
    BYTE sid[SECURITY_MAX_SID_SIZE];
    WCHAR domain[MAX_COMPUTERNAME_LENGTH + 1];
    NET_API_STATUS status;
    SID_NAME_USE use;
    DWORD i, rid;

    if (level != 0 && level != 3) return ERROR_INVALID_LEVEL;
    if ((status = find_alias_rid( server, group, &rid ))) return status;
    for (i = 0; i < count && !status; i++)
    {
        DWORD sid_size = sizeof(sid), domain_size = ARRAY_SIZE(domain);

        if (level == 0)
            status = change_member( rid, ((const LOCALGROUP_MEMBERS_INFO_0 *)buffer)[i].lgrmi0_sid, add );
        else if (!LookupAccountNameW( NULL, ((const LOCALGROUP_MEMBERS_INFO_3 *)buffer)[i].lgrmi3_domainandname,
                                      sid, &sid_size, domain, &domain_size, &use ))
            status = ERROR_NO_SUCH_MEMBER;
        else
            status = change_member( rid, sid, add );
    }
    return status;
}

NET_API_STATUS WINAPI NetLocalGroupAddMembers( LPCWSTR server, LPCWSTR group, DWORD level, LPBYTE buffer, DWORD count )
{
    return change_members( server, group, level, buffer, count, TRUE );
}

NET_API_STATUS WINAPI NetLocalGroupDelMembers( LPCWSTR server, LPCWSTR group, DWORD level, LPBYTE buffer, DWORD count )
{
    return change_members( server, group, level, buffer, count, FALSE );
}

NET_API_STATUS WINAPI NetLocalGroupAddMember( LPCWSTR server, LPCWSTR group, PSID member )
{
    return change_members( server, group, 0, (const BYTE *)&member, 1, TRUE );
}

NET_API_STATUS WINAPI NetLocalGroupDelMember( LPCWSTR server, LPCWSTR group, PSID member )
{
    return change_members( server, group, 0, (const BYTE *)&member, 1, FALSE );
}

NET_API_STATUS WINAPI NetLocalGroupGetMembers( LPCWSTR server, LPCWSTR group, DWORD level, LPBYTE *buffer,
                                               DWORD max_len, LPDWORD entries_read, LPDWORD total, PDWORD_PTR resume )
{
    static const size_t sizes[] = { sizeof(LOCALGROUP_MEMBERS_INFO_0), sizeof(LOCALGROUP_MEMBERS_INFO_1),
                                    sizeof(LOCALGROUP_MEMBERS_INFO_2), sizeof(LOCALGROUP_MEMBERS_INFO_3) };
    struct packer packer;
    struct sam_alias *alias;
    NET_API_STATUS status;
    DWORD count, i;

    if (level > 3) return ERROR_INVALID_LEVEL;
    if ((status = find_alias( server, group, &alias ))) return status;
    count = alias->info.member_count;
    if ((status = NetApiBufferAllocate( count * (sizes[level] + MAX_ENTRY_DATA) + 1, (void **)buffer ))) goto done;
    packer.pos = *buffer + count * sizes[level];

    for (i = 0; i < count; i++)
    {
        WCHAR name[256], domain[256], full[600], *string;
        DWORD name_len = ARRAY_SIZE(name), domain_len = ARRAY_SIZE(domain);
        void *entry = *buffer + i * sizes[level];
        SID_NAME_USE use = SidTypeUnknown;
        PSID sid = alias->members[i].bytes;

        if (!LookupAccountSidW( NULL, sid, name, &name_len, domain, &domain_len, &use ))
        {
            /* a deleted account shows as its SID */
            name[0] = 0;
            if (ConvertSidToStringSidW( sid, &string ))
            {
                wcscpy( name, string );
                LocalFree( string );
            }
            wcscpy( full, name );
            use = SidTypeDeletedAccount;
        }
        else swprintf( full, ARRAY_SIZE(full), L"%s%s%s", domain, domain[0] ? L"\\" : L"", name );

        switch (level)
        {
        case 0:
            ((LOCALGROUP_MEMBERS_INFO_0 *)entry)->lgrmi0_sid = net_pack_sid( &packer, sid );
            break;
        case 1:
        case 2:
        {
            LOCALGROUP_MEMBERS_INFO_1 *info = entry;  /* level 2 has the full name in place of the name */
            info->lgrmi1_name     = net_pack_string( &packer, level == 1 ? name : full );
            info->lgrmi1_sid      = net_pack_sid( &packer, sid );
            info->lgrmi1_sidusage = use;
            break;
        }
        case 3:
            ((LOCALGROUP_MEMBERS_INFO_3 *)entry)->lgrmi3_domainandname = net_pack_string( &packer, full );
            break;
        }
    }
    *entries_read = *total = i;
    if (resume) *resume = 0;
done:
    free( alias );
    return status;
}
