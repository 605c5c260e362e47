/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: NetUser* functions
 */

#include "ntlab_netapi.h"

/* missing in Wine's headers */
#define TIMEQ_FOREVER             (~0u)
#define USER_MAXSTORAGE_UNLIMITED (~0u)
#define UNITS_PER_WEEK            168

static DWORD password_age( const struct sam_user *user )
{
    return user->password_set ? time( NULL ) - user->password_set : 0;
}

static BOOL is_password_expired( const struct sam_user *user )
{
    struct sam_policy policy;

    if (!user->password_set) return TRUE;
    return !(user->flags & UF_DONT_EXPIRE_PASSWD) && !sam_get_policy( &policy ) && policy.max_age != SAM_FOREVER &&
           password_age( user ) >= policy.max_age;
}

static BOOL is_in_alias( DWORD alias_rid, const SID *sid )
{
    struct sam_alias *alias = sam_load_alias( alias_rid );
    BOOL ret = alias && sam_is_member( alias, sid );

    free( alias );
    return ret;
}

/* USER_PRIV_GUEST, USER_PRIV_USER, USER_PRIV_ADMIN */
static DWORD privilege_of( const SID *sid )
{
    if (is_in_alias( DOMAIN_ALIAS_RID_ADMINS, sid )) return USER_PRIV_ADMIN;
    return is_in_alias( DOMAIN_ALIAS_RID_GUESTS, sid ) ? USER_PRIV_GUEST : USER_PRIV_USER;
}

static size_t user_info_size( DWORD level )
{
    switch (level)
    {
    case 0:  return sizeof(USER_INFO_0);
    case 1:  return sizeof(USER_INFO_1);
    case 2:  return sizeof(USER_INFO_2);
    case 3:  return sizeof(USER_INFO_3);
    case 4:  return sizeof(USER_INFO_4);
    case 10: return sizeof(USER_INFO_10);
    case 20: return sizeof(USER_INFO_20);
    case 23: return sizeof(USER_INFO_23);
    default: return 0;
    }
}

/* USER_INFO_2 to 4 start alike */
static void fill_user_info_4( const struct sam_user *user, DWORD level, USER_INFO_4 *info, struct packer *packer )
{
    BYTE sid[SECURITY_MAX_SID_SIZE];
    USER_INFO_4 full = { 0 };

    sam_user_sid( user->rid, (SID *)sid );
    full.usri4_name             = net_pack_string( packer, user->name );
    full.usri4_password_age     = password_age( user );
    full.usri4_priv             = privilege_of( (SID *)sid );
    full.usri4_home_dir         = net_pack_string( packer, L"" );
    full.usri4_comment          = net_pack_string( packer, user->comment );
    full.usri4_flags            = user->flags;
    full.usri4_script_path      = full.usri4_home_dir;
    full.usri4_full_name        = net_pack_string( packer, user->full_name );
    full.usri4_usr_comment      = full.usri4_home_dir;
    full.usri4_parms            = full.usri4_home_dir;
    full.usri4_workstations     = net_pack_string( packer, user->workstations );
    full.usri4_last_logon       = user->last_logon;
    full.usri4_acct_expires     = user->expires;
    full.usri4_max_storage      = USER_MAXSTORAGE_UNLIMITED;
    full.usri4_units_per_week   = UNITS_PER_WEEK;
    full.usri4_logon_hours      = net_pack_bytes( packer, user->hours, sizeof(user->hours) );
    full.usri4_bad_pw_count     = user->bad_passwords;
    full.usri4_num_logons       = user->logons;
    full.usri4_logon_server     = net_pack_string( packer, L"\\\\*" );
    full.usri4_primary_group_id = DOMAIN_GROUP_RID_USERS;
    full.usri4_profile          = full.usri4_home_dir;
    full.usri4_home_dir_drive   = full.usri4_home_dir;
    full.usri4_password_expired = is_password_expired( user );
    if (level == 3)
    {
        USER_INFO_3 *info_3 = (USER_INFO_3 *)&full;

        info_3->usri3_primary_group_id = DOMAIN_GROUP_RID_USERS;
        info_3->usri3_profile          = full.usri4_home_dir;
        info_3->usri3_home_dir_drive   = full.usri4_home_dir;
        info_3->usri3_password_expired = is_password_expired( user );
        info_3->usri3_user_id          = user->rid;
    }
    else if (level == 4) full.usri4_user_sid = net_pack_sid( packer, (SID *)sid );
    memcpy( info, &full, user_info_size( level ));
}

static void fill_user_info( const struct sam_user *user, DWORD level, void *info, struct packer *packer )
{
    BYTE sid[SECURITY_MAX_SID_SIZE];

    sam_user_sid( user->rid, (SID *)sid );
    memset( info, 0, user_info_size( level ));
    switch (level)
    {
    case 0:
        ((USER_INFO_0 *)info)->usri0_name = net_pack_string( packer, user->name );
        break;
    case 1:
    {
        USER_INFO_1 *ui = info;
        ui->usri1_name         = net_pack_string( packer, user->name );
        ui->usri1_password_age = password_age( user );
        ui->usri1_priv         = privilege_of( (SID *)sid );
        ui->usri1_home_dir     = net_pack_string( packer, L"" );
        ui->usri1_comment      = net_pack_string( packer, user->comment );
        ui->usri1_flags        = user->flags;
        ui->usri1_script_path  = ui->usri1_home_dir;
        break;
    }
    case 2:
    case 3:
    case 4:
        fill_user_info_4( user, level, info, packer );
        break;
    case 10:
    {
        USER_INFO_10 *ui = info;
        ui->usri10_name        = net_pack_string( packer, user->name );
        ui->usri10_comment     = net_pack_string( packer, user->comment );
        ui->usri10_usr_comment = net_pack_string( packer, L"" );
        ui->usri10_full_name   = net_pack_string( packer, user->full_name );
        break;
    }
    case 20:
    {
        USER_INFO_20 *ui = info;
        ui->usri20_name      = net_pack_string( packer, user->name );
        ui->usri20_full_name = net_pack_string( packer, user->full_name );
        ui->usri20_comment   = net_pack_string( packer, user->comment );
        ui->usri20_flags     = user->flags;
        ui->usri20_user_id   = user->rid;
        break;
    }
    case 23:
    {
        USER_INFO_23 *ui = info;
        ui->usri23_name      = net_pack_string( packer, user->name );
        ui->usri23_full_name = net_pack_string( packer, user->full_name );
        ui->usri23_comment   = net_pack_string( packer, user->comment );
        ui->usri23_flags     = user->flags;
        ui->usri23_user_sid  = net_pack_sid( packer, (SID *)sid );
        break;
    }
    }
}

/* what a text parameter changes; NULL leaves it alone (MSDN "NetUserSetInfo") */
static void set_text( WCHAR *field, size_t size, const WCHAR *text, unsigned int flag, unsigned int *fields )
{
    if (!text) return;
    lstrcpynW( field, text, size );
    *fields |= flag;
}

/* fields of levels 1 to 4, which start alike, after the name */
static void read_user_info( DWORD level, const BYTE *buffer, struct sam_user *user, unsigned int *fields )
{
    const USER_INFO_2 *info = (const USER_INFO_2 *)buffer;

    set_text( user->comment, ARRAY_SIZE(user->comment), info->usri2_comment, SAM_COMMENT, fields );
    user->flags = info->usri2_flags;
    *fields |= SAM_FLAGS;
    if (level == 1) return;
    set_text( user->full_name, ARRAY_SIZE(user->full_name), info->usri2_full_name, SAM_FULL_NAME, fields );
    set_text( user->workstations, ARRAY_SIZE(user->workstations), info->usri2_workstations, SAM_WORKSTATIONS, fields );
    user->expires = info->usri2_acct_expires;
    *fields |= SAM_EXPIRES;
    if (info->usri2_logon_hours)
    {
        memcpy( user->hours, info->usri2_logon_hours, sizeof(user->hours) );
        *fields |= SAM_HOURS_SET;
    }
    if (level == 2) return;
    user->password_set = level == 3 ? !((const USER_INFO_3 *)buffer)->usri3_password_expired
                                    : !((const USER_INFO_4 *)buffer)->usri4_password_expired;
    if (!user->password_set) *fields |= SAM_MUST_CHANGE;
}

NET_API_STATUS WINAPI NetUserAdd( LPCWSTR server, DWORD level, LPBYTE buffer, LPDWORD parm_err )
{
    const USER_INFO_1 *info = (const USER_INFO_1 *)buffer;  /* what levels 2 to 4 start with */
    struct sam_user user = { 0 };
    unsigned int fields = 0;

    if (parm_err) *parm_err = 0;
    if (!net_is_local_server( server )) return NERR_InvalidComputer;
    if (level < 1 || level > 4) return ERROR_INVALID_LEVEL;
    if (!info || !info->usri1_name) return ERROR_INVALID_PARAMETER;
    if (!net_is_valid_name( info->usri1_name, SAM_MAX_USER_NAME )) return NERR_BadUsername;
    /* MSDN "USER_INFO_1": these two are required */
    if (info->usri1_priv != USER_PRIV_USER || !(info->usri1_flags & UF_SCRIPT)) return ERROR_INVALID_PARAMETER;
    if (info->usri1_password && wcslen( info->usri1_password ) > PWLEN) return NERR_PasswordTooShort;

    wcscpy( user.name, info->usri1_name );
    read_user_info( level, buffer, &user, &fields );
    return net_status( sam_add_user( &user, fields, info->usri1_password ));
}

NET_API_STATUS WINAPI NetUserDel( LPCWSTR server, LPCWSTR name )
{
    struct sam_user user;

    if (!net_is_local_server( server )) return NERR_InvalidComputer;
    if (!name || !sam_find_user( name, &user )) return NERR_UserNotFound;
    return net_status( sam_delete_user( user.rid ));
}

NET_API_STATUS WINAPI NetUserSetInfo( LPCWSTR server, LPCWSTR name, DWORD level, LPBYTE buffer, LPDWORD parm_err )
{
    const WCHAR *password = NULL;
    struct sam_user user;
    unsigned int fields = 0;

    if (parm_err) *parm_err = 0;
    if (!net_is_local_server( server )) return NERR_InvalidComputer;
    if (!name || !sam_find_user( name, &user )) return NERR_UserNotFound;
    if (!buffer) return ERROR_INVALID_PARAMETER;

    switch (level)
    {
    case 0:
    {
        const WCHAR *new_name = ((const USER_INFO_0 *)buffer)->usri0_name;

        if (!new_name || !net_is_valid_name( new_name, SAM_MAX_USER_NAME )) return NERR_BadUsername;
        set_text( user.name, ARRAY_SIZE(user.name), new_name, SAM_NAME, &fields );
        break;
    }
    case 1:
    case 2:
    case 3:
    case 4:
        read_user_info( level, buffer, &user, &fields );
        password = ((const USER_INFO_1 *)buffer)->usri1_password;
        break;
    case 1003:
        if (!(password = ((const USER_INFO_1003 *)buffer)->usri1003_password)) password = L"";
        break;
    case 1007:
        set_text( user.comment, ARRAY_SIZE(user.comment), ((const USER_INFO_1007 *)buffer)->usri1007_comment, SAM_COMMENT, &fields );
        break;
    case 1008:
        user.flags = ((const USER_INFO_1008 *)buffer)->usri1008_flags;
        fields = SAM_FLAGS;
        break;
    case 1011:
        set_text( user.full_name, ARRAY_SIZE(user.full_name), ((const USER_INFO_1011 *)buffer)->usri1011_full_name, SAM_FULL_NAME, &fields );
        break;
    case 1014:
        set_text( user.workstations, ARRAY_SIZE(user.workstations), ((const USER_INFO_1014 *)buffer)->usri1014_workstations,
                  SAM_WORKSTATIONS, &fields );
        break;
    case 1017:
        user.expires = ((const USER_INFO_1017 *)buffer)->usri1017_acct_expires;
        fields = SAM_EXPIRES;
        break;
    case 1020:
        if (((const USER_INFO_1020 *)buffer)->usri1020_units_per_week != UNITS_PER_WEEK) return ERROR_INVALID_PARAMETER;
        memcpy( user.hours, ((const USER_INFO_1020 *)buffer)->usri1020_logon_hours, sizeof(user.hours) );
        fields = SAM_HOURS_SET;
        break;
    default:
        return ERROR_INVALID_LEVEL;
    }
    if (password)
    {
        if (wcslen( password ) > PWLEN) return NERR_PasswordTooShort;
        fields |= SAM_PASSWORD;
    }
    return net_status( sam_set_user( &user, fields, password ));
}

NET_API_STATUS WINAPI NetUserChangePassword( LPCWSTR domain, LPCWSTR name, LPCWSTR old, LPCWSTR new )
{
    WCHAR own_name[UNLEN + 1];
    DWORD size = ARRAY_SIZE(own_name);
    struct sam_user user;

    if (!net_is_local_server( domain )) return NERR_InvalidComputer;
    if (!name && GetUserNameW( own_name, &size )) name = own_name;
    if (!old || !new) return ERROR_INVALID_PARAMETER;
    if (!name || !sam_find_user( name, &user )) return NERR_UserNotFound;
    if (wcslen( new ) > PWLEN) return NERR_PasswordTooShort;
    return net_status( sam_change_password( user.rid, old, new ));
}

NET_API_STATUS WINAPI NetUserGetInfo( LPCWSTR server, LPCWSTR name, DWORD level, LPBYTE *buffer )
{
    struct packer packer;
    struct sam_user user;
    NET_API_STATUS status;

    if (!net_is_local_server( server )) return NERR_InvalidComputer;
    if (!user_info_size( level )) return ERROR_INVALID_LEVEL;
    if (!name || !sam_find_user( name, &user )) return NERR_UserNotFound;
    if ((status = NetApiBufferAllocate( user_info_size( level ) + MAX_ENTRY_DATA, (void **)buffer ))) return status;
    packer.pos = *buffer + user_info_size( level );
    fill_user_info( &user, level, *buffer, &packer );
    return NERR_Success;
}

NET_API_STATUS WINAPI NetUserEnum( LPCWSTR server, DWORD level, DWORD filter, LPBYTE *buffer, DWORD max_len,
                                   LPDWORD entries_read, LPDWORD total, LPDWORD resume )
{
    const size_t size = user_info_size( level );
    struct packer packer;
    struct sam_user user;
    NET_API_STATUS status;
    DWORD i, count = 0;

    if (!net_is_local_server( server )) return NERR_InvalidComputer;
    if (!size) return ERROR_INVALID_LEVEL;
    while (sam_enum_users( count, &user )) count++;
    if ((status = NetApiBufferAllocate( count * (size + MAX_ENTRY_DATA) + 1, (void **)buffer ))) return status;
    packer.pos = *buffer + count * size;
    for (i = 0; i < count && sam_enum_users( i, &user ); i++)
        fill_user_info( &user, level, *buffer + i * size, &packer );
    *entries_read = *total = i;
    if (resume) *resume = 0;
    return NERR_Success;
}

NET_API_STATUS WINAPI NetUserGetLocalGroups( LPCWSTR server, LPCWSTR name, DWORD level, DWORD flags, LPBYTE *buffer,
                                             DWORD max_len, LPDWORD entries_read, LPDWORD total )
{
    LOCALGROUP_USERS_INFO_0 *info;
    BYTE sid[SECURITY_MAX_SID_SIZE];
    struct sam_alias *alias;
    struct sam_user user;
    struct packer packer;
    NET_API_STATUS status;
    DWORD i, count = 0;

    if (!net_is_local_server( server )) return NERR_InvalidComputer;
    if (level) return ERROR_INVALID_LEVEL;
    if (!name || !(name = sam_strip_domain( name )) || !sam_find_user( name, &user )) return NERR_UserNotFound;
    sam_user_sid( user.rid, (SID *)sid );

    while ((alias = sam_enum_aliases( count )))
    {
        free( alias );
        count++;
    }
    if ((status = NetApiBufferAllocate( count * (sizeof(*info) + sizeof(alias->info.name)), (void **)buffer ))) return status;
    info = (LOCALGROUP_USERS_INFO_0 *)*buffer;
    packer.pos = (BYTE *)(info + count);
    *entries_read = 0;
    for (i = 0; i < count && (alias = sam_enum_aliases( i )); i++)
    {
        if (sam_is_member( alias, (SID *)sid )) info[(*entries_read)++].lgrui0_name = net_pack_string( &packer, alias->info.name );
        free( alias );
    }
    *total = *entries_read;
    return NERR_Success;
}
