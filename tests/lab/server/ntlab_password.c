/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: passwords, and what keeps an account from logging on
 *
 * The order of the checks is that of the errors which Active Directory reports for a bind (a
 * locked account whatever the password, all others only with the right one).  Policies: MSDN
 * "USER_MODALS_INFO_0", "USER_MODALS_INFO_3", Microsoft Learn "Password Policy".
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

#include "request.h"
#include "unicode.h"
#include "ntlab.h"
#include "ntlab_sam.h"

/* lmaccess.h */
#define UF_ACCOUNTDISABLE    0x2
#define UF_PASSWD_NOTREQD    0x20
#define UF_DONT_EXPIRE_PASSWD 0x10000

int ntlab_has_password( const struct account *user, const WCHAR *password, data_size_t len )
{
    unsigned char hash[16];

    ntlab_hash_password( password, len, hash );
    return !memcmp( hash, user->hash, sizeof(hash) );
}

static data_size_t length( const WCHAR *text )
{
    data_size_t len = 0;

    while (text[len]) len++;
    return len;
}

static int contains( const WCHAR *password, data_size_t count, const WCHAR *text, data_size_t text_count )
{
    data_size_t i;

    for (i = 0; i + text_count <= count; i++)
        if (!memicmp_strW( password + i, text, text_count * sizeof(WCHAR) )) return 1;
    return 0;
}

/* Microsoft Learn "Password must meet complexity requirements": three of five kinds of characters, six of
 * them, and neither the name of the account nor a part of the full name of more than two characters */
static int is_complex( const struct account *user, const WCHAR *password, data_size_t count )
{
    const WCHAR *full = user->info.full_name;
    data_size_t i, start, end;
    unsigned int kinds = 0;

    if (count < 6) return 0;
    for (i = 0; i < count; i++)
    {
        const WCHAR c = password[i];

        if (c >= 'a' && c <= 'z') kinds |= 1;
        else if (c >= 'A' && c <= 'Z') kinds |= 2;
        else if (c >= '0' && c <= '9') kinds |= 4;
        else kinds |= c < 0x80 ? 8 : 16;
    }
    for (i = 0; kinds; kinds &= kinds - 1) i++;
    if (i < 3) return 0;
    if (length( user->info.name ) > 2 && contains( password, count, user->info.name, length( user->info.name ))) return 0;
    for (start = 0; full[start]; start = full[end] ? end + 1 : end)
    {
        for (end = start; full[end] && !strchr( " ,.-_#\t", full[end] < 0x80 ? full[end] : 'x' ); end++) ;
        if (end - start > 2 && contains( password, count, full + start, end - start )) return 0;
    }
    return 1;
}

/* an administrator's reset asks neither for the history nor for the age */
unsigned int ntlab_check_new_password( const struct account *user, const WCHAR *password, data_size_t len, int by_user )
{
    const unsigned int count = len / sizeof(WCHAR);
    unsigned char hash[16];
    unsigned int i;

    if (count > 256) return STATUS_PASSWORD_RESTRICTION;
    if (!count && (user->info.flags & UF_PASSWD_NOTREQD)) return STATUS_SUCCESS;
    if (count < sam.policy.min_length) return STATUS_PASSWORD_RESTRICTION;
    if (ntlab_second( NTLAB_PASSWORDS ) && !is_complex( user, password, count )) return STATUS_PASSWORD_RESTRICTION;
    if (!by_user) return STATUS_SUCCESS;
    if (user->info.password_set && time( NULL ) - user->info.password_set < sam.policy.min_age)
        return STATUS_PASSWORD_RESTRICTION;
    ntlab_hash_password( password, len, hash );
    if (sam.policy.history && user->has_password && !memcmp( hash, user->hash, sizeof(hash) ))
        return STATUS_PASSWORD_RESTRICTION;
    for (i = 0; i + 1 < sam.policy.history && i < user->history_count; i++)
        if (!memcmp( hash, user->history[i], sizeof(hash) )) return STATUS_PASSWORD_RESTRICTION;
    return STATUS_SUCCESS;
}

void ntlab_set_password( struct account *user, const WCHAR *password, data_size_t len )
{
    if (user->has_password)
    {
        memmove( user->history[1], user->history[0], sizeof(user->history) - sizeof(user->history[0]) );
        memcpy( user->history[0], user->hash, sizeof(user->hash) );
        if (user->history_count < SAM_MAX_HISTORY) user->history_count++;
    }
    user->has_password = 1;
    user->info.password_set = time( NULL );
    ntlab_hash_password( password, len, user->hash );
}

/***********************************************************************
 *  lockout
 */

int ntlab_is_locked( const struct account *user )
{
    if (!user->locked_at) return 0;
    return sam.policy.lockout_duration == SAM_FOREVER || time( NULL ) - user->locked_at < sam.policy.lockout_duration;
}

void ntlab_unlock( struct account *user )
{
    user->locked_at = user->bad_since = user->info.bad_passwords = 0;
}

/* the built-in Administrator cannot be locked out */
void ntlab_count_bad_password( struct account *user )
{
    const unsigned int now = time( NULL );

    if (user->locked_at) ntlab_unlock( user );  /* that time is over */
    if (!user->bad_since || now - user->bad_since >= sam.policy.lockout_window)
    {
        user->bad_since = now;
        user->info.bad_passwords = 0;
    }
    user->info.bad_passwords++;
    if (sam.policy.lockout_threshold && user->info.bad_passwords >= sam.policy.lockout_threshold &&
        user->info.rid != SAM_ADMIN_RID) user->locked_at = now;
}

/***********************************************************************
 *  logon
 */

static int is_hour_allowed( const struct account *user )
{
    const time_t now = time( NULL );
    struct tm tm;
    unsigned int hour;

    gmtime_r( &now, &tm );
    hour = tm.tm_wday * 24 + tm.tm_hour;
    return (user->info.hours[hour / 8] >> hour % 8) & 1;
}

/* the names of the workstations have commas between them; this machine's stands in the registry */
static int is_workstation_allowed( const struct account *user )
{
    const WCHAR *list = user->info.workstations;
    WCHAR computer[64];
    data_size_t len, count = ntlab_computer_name( computer, ARRAY_SIZE(computer) );

    if (!list[0]) return 1;
    for (; *list; list += len + (list[len] == ','))
    {
        for (len = 0; list[len] && list[len] != ','; len++) ;
        if (len == count && !memicmp_strW( list, computer, len * sizeof(WCHAR) )) return 1;
    }
    return 0;
}

static unsigned int check_restrictions( const struct account *user, data_size_t password_len )
{
    const unsigned int now = time( NULL );

    if (user->info.flags & UF_ACCOUNTDISABLE) return STATUS_ACCOUNT_DISABLED;
    if (user->info.expires != SAM_FOREVER && user->info.expires <= now) return STATUS_ACCOUNT_EXPIRED;
    if (!is_hour_allowed( user )) return STATUS_INVALID_LOGON_HOURS;
    if (!is_workstation_allowed( user )) return STATUS_INVALID_WORKSTATION;
    /* a blank password is for the console (LimitBlankPasswordUse), where nobody logs on here */
    if (!password_len) return STATUS_ACCOUNT_RESTRICTION;
    if (!user->info.password_set) return STATUS_PASSWORD_MUST_CHANGE;
    if (!(user->info.flags & UF_DONT_EXPIRE_PASSWD) && sam.policy.max_age != SAM_FOREVER &&
        now - user->info.password_set >= sam.policy.max_age) return STATUS_PASSWORD_EXPIRED;
    return STATUS_SUCCESS;
}

unsigned int ntlab_authenticate( struct account *user, const WCHAR *password, data_size_t len, unsigned int *substatus )
{
    *substatus = STATUS_SUCCESS;
    if (!user)
    {
        *substatus = STATUS_NO_SUCH_USER;
        return STATUS_LOGON_FAILURE;
    }
    if (ntlab_is_locked( user )) return STATUS_ACCOUNT_LOCKED_OUT;
    if (user->has_password ? !ntlab_has_password( user, password, len ) : len != 0)
    {
        ntlab_count_bad_password( user );
        if (!ntlab_sam_save()) return STATUS_INTERNAL_DB_CORRUPTION;
        *substatus = STATUS_WRONG_PASSWORD;
        return STATUS_LOGON_FAILURE;
    }
    switch ((*substatus = check_restrictions( user, len )))
    {
    case STATUS_SUCCESS:
        break;
    case STATUS_PASSWORD_MUST_CHANGE:
    case STATUS_ACCOUNT_EXPIRED:
        return *substatus;
    default:
        return STATUS_ACCOUNT_RESTRICTION;  /* LsaLogonUser: the substatus says which */
    }
    ntlab_unlock( user );
    user->info.last_logon = time( NULL );
    user->info.logons++;
    return ntlab_sam_save() ? STATUS_SUCCESS : STATUS_INTERNAL_DB_CORRUPTION;
}
