/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: local accounts, as the server keeps them and hands them out
 *
 * No password and no hash of one ever leaves the server.
 */

#ifndef NTLAB_ACCOUNT_H
#define NTLAB_ACCOUNT_H

#define SAM_MAX_USER_NAME  20
#define SAM_MAX_ALIAS_NAME 256
#define SAM_MAX_COMMENT    256
#define SAM_ADMIN_RID      500
#define SAM_GUEST_RID      501
#define SAM_WINE_USER_RID  1000   /* the user that runs Wine */
#define SAM_FIRST_RID      1001   /* smaller ones of aliases are those of BUILTIN */
#define SAM_FOREVER        (~0u)
#define SAM_HOURS          21     /* bytes, one bit for each hour of the week */

/* winbase.h; the first ones are those of SECURITY_LOGON_TYPE */
#define LOGON32_LOGON_INTERACTIVE       2
#define LOGON32_LOGON_NETWORK           3
#define LOGON32_LOGON_BATCH             4
#define LOGON32_LOGON_SERVICE           5
#define LOGON32_LOGON_UNLOCK            7
#define LOGON32_LOGON_NETWORK_CLEARTEXT 8
#define LOGON32_LOGON_NEW_CREDENTIALS   9
#define LOGON32_PROVIDER_WINNT50        3
#define LOGON32_PROVIDER_VIRTUAL        4

struct sam_user
{
    unsigned int  rid;
    WCHAR         name[SAM_MAX_USER_NAME + 1];
    WCHAR         full_name[SAM_MAX_COMMENT + 1];
    WCHAR         comment[SAM_MAX_COMMENT + 1];
    WCHAR         workstations[SAM_MAX_COMMENT + 1];  /* names with commas between them; empty: all */
    unsigned int  flags;            /* UF_* */
    unsigned int  password_set;     /* Unix time; 0: has to be changed */
    unsigned int  expires;          /* Unix time, or SAM_FOREVER */
    unsigned int  last_logon;
    unsigned int  logons;
    unsigned int  bad_passwords;
    unsigned char hours[SAM_HOURS]; /* from Sunday 0:00 GMT */
};

struct sam_sid
{
    unsigned char bytes[68];        /* SECURITY_MAX_SID_SIZE */
};

/* followed by its members (struct sam_sid) */
struct sam_alias_info
{
    unsigned int rid;
    WCHAR        name[SAM_MAX_ALIAS_NAME + 1];
    WCHAR        comment[SAM_MAX_COMMENT + 1];
    unsigned int member_count;
};

/* SECURITY_LOGON_SESSION_DATA */
struct sam_session
{
    struct { unsigned int low_part; int high_part; } id;
    unsigned int   type;            /* SECURITY_LOGON_TYPE */
    unsigned int   terminal_session;
    long long      logon_time;      /* as FILETIME */
    struct sam_sid user;
    WCHAR          name[SAM_MAX_USER_NAME + 1];
};

/* USER_MODALS_INFO_0 and 3, times in seconds */
struct sam_policy
{
    unsigned int min_length, max_age, min_age, force_logoff, history;
    unsigned int lockout_duration, lockout_window, lockout_threshold;
};

/* what a user is changed in */
#define SAM_FULL_NAME    0x01
#define SAM_COMMENT      0x02
#define SAM_WORKSTATIONS 0x04
#define SAM_FLAGS        0x08
#define SAM_EXPIRES      0x10
#define SAM_HOURS_SET    0x20
#define SAM_PASSWORD     0x40       /* follows the structure */
#define SAM_MUST_CHANGE  0x80       /* password_set: 0, or anything else for now */
#define SAM_NAME         0x100

#endif /* NTLAB_ACCOUNT_H */
