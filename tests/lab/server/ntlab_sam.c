/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the database of local accounts and of their rights
 *
 * It is one file in the prefix, "accounts", which no program of the prefix can open, as Windows
 * keeps the hives SAM and SECURITY open for itself alone.  The descriptors of the objects are those
 * of MS-SAMR 3.1.5.12.1.1.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

#define SAM_FILE    "accounts"
#define SAM_VERSION 1

struct sam sam;

/* UF_* of lmaccess.h */
#define UF_NEW_ACCOUNT 0x10201  /* UF_SCRIPT | UF_NORMAL_ACCOUNT | UF_DONT_EXPIRE_PASSWD */
#define UF_DISABLED    0x2

static const struct
{
    unsigned int rid;
    const char  *name, *comment;
} builtin_aliases[] =
{
    { 544, "Administrators", "Administrators have complete and unrestricted access to the computer/domain" },
    { 545, "Users", "Users are prevented from making accidental or intentional system-wide changes" },
    { 546, "Guests", "Guests have the same access as members of the Users group by default" },
    { 547, "Power Users", "Power Users are included for backwards compatibility" },
    { 551, "Backup Operators", "Backup Operators can override security restrictions" },
    { 555, "Remote Desktop Users", "Members in this group are granted the right to logon remotely" },
    { 559, "Performance Log Users", "Members of this group may schedule logging of performance counters" },
};

/***********************************************************************
 *  SIDs and names
 */

static void make_sid( struct sid *sid, unsigned int count, unsigned int first, unsigned int last )
{
    static const unsigned char nt_authority[6] = SECURITY_NT_AUTHORITY;

    memset( sid, 0, offsetof( struct sid, sub_auth[count] ));
    sid->revision  = SID_REVISION;
    sid->sub_count = count;
    memcpy( sid->id_auth, nt_authority, sizeof(nt_authority) );
    sid->sub_auth[0] = first;
    sid->sub_auth[count - 1] = last;
}

/* Wine's machine is S-1-5-21-0-0-0 */
void ntlab_sam_account_sid( unsigned int rid, struct sid *sid )
{
    make_sid( sid, 5, SECURITY_NT_NON_UNIQUE, rid );
}

void ntlab_sam_alias_sid( unsigned int rid, struct sid *sid )
{
    if (rid < SAM_WINE_USER_RID) make_sid( sid, 2, SECURITY_BUILTIN_DOMAIN_RID, rid );
    else ntlab_sam_account_sid( rid, sid );
}

static void set_text( WCHAR *dst, const char *text, size_t size )
{
    size_t i;

    for (i = 0; i < size - 1 && text[i]; i++) dst[i] = (unsigned char)text[i];
    dst[i] = 0;
}

struct account *ntlab_find_user( const WCHAR *name, data_size_t len )
{
    unsigned int i;

    for (i = 0; i < sam.user_count; i++)
    {
        const WCHAR *known = sam.users[i].info.name;
        data_size_t known_len = 0;

        while (known[known_len]) known_len++;
        if (known_len * sizeof(WCHAR) == len && !memicmp_strW( known, name, len )) return &sam.users[i];
    }
    return NULL;
}

/***********************************************************************
 *  what a new machine has
 */

static int add_default_user( unsigned int rid, const char *name, const char *comment, unsigned int flags )
{
    struct account *user = realloc( sam.users, (sam.user_count + 1) * sizeof(*user) );

    if (!user) return 0;
    sam.users = user;
    user += sam.user_count++;
    memset( user, 0, sizeof(*user) );
    user->info.rid = rid;
    set_text( user->info.name, name, ARRAY_SIZE(user->info.name) );
    set_text( user->info.comment, comment, ARRAY_SIZE(user->info.comment) );
    user->info.flags = flags;
    user->info.expires = SAM_FOREVER;
    user->info.password_set = 1;
    memset( user->info.hours, 0xff, sizeof(user->info.hours) );
    return 1;
}

static int add_default_members( struct alias *alias, const unsigned int rids[2], int of_machine )
{
    unsigned int i;

    if (!(alias->members = calloc( 2, sizeof(*alias->members) ))) return 0;
    for (i = 0; i < 2 && rids[i]; i++)
    {
        struct sid *sid = (struct sid *)alias->members[alias->info.member_count++].bytes;

        if (of_machine) ntlab_sam_account_sid( rids[i], sid );
        else make_sid( sid, 1, rids[i], rids[i] );
    }
    return 1;
}

/* the password policy of Windows 10 where nobody has set one */
static void set_default_policy(void)
{
    memset( &sam.policy, 0, sizeof(sam.policy) );
    sam.policy.max_age          = 42 * 86400;
    sam.policy.force_logoff     = SAM_FOREVER;
    sam.policy.lockout_duration = sam.policy.lockout_window = 30 * 60;
}

/* the policy in the file, and what the state of the machine makes of it, which does not go there */
static struct sam_policy kept_policy, state_policy;

/* what Windows 11 22H2 has from the start */
static void set_lockout(void)
{
    if (sam.policy.lockout_threshold) return;
    kept_policy = sam.policy;
    sam.policy.lockout_threshold = 10;
    sam.policy.lockout_duration = sam.policy.lockout_window = 10 * 60;
    state_policy = sam.policy;
}

static int set_defaults(void)
{
    static const unsigned int admins[2] = { SAM_ADMIN_RID, SAM_WINE_USER_RID }, guests[2] = { SAM_GUEST_RID },
                              users[2] = { SECURITY_INTERACTIVE_RID, SECURITY_AUTHENTICATED_USER_RID }, none[2];
    unsigned int i, rid;

    sam.next_rid = SAM_FIRST_RID;
    set_default_policy();
    if (!add_default_user( SAM_ADMIN_RID, "Administrator", "Built-in account for administering the computer/domain",
                           UF_NEW_ACCOUNT | UF_DISABLED ) ||
        !add_default_user( SAM_GUEST_RID, "Guest", "Built-in account for guest access to the computer/domain",
                           UF_NEW_ACCOUNT | UF_DISABLED | 0x60 /* UF_PASSWD_NOTREQD | UF_PASSWD_CANT_CHANGE */ ) ||
        !add_default_user( SAM_WINE_USER_RID, "", "", UF_NEW_ACCOUNT )) return 0;
    if (!(sam.aliases = calloc( ARRAY_SIZE(builtin_aliases), sizeof(*sam.aliases) ))) return 0;
    for (i = 0; i < ARRAY_SIZE(builtin_aliases); i++)
    {
        struct alias *alias = &sam.aliases[sam.alias_count++];

        rid = alias->info.rid = builtin_aliases[i].rid;
        set_text( alias->info.name, builtin_aliases[i].name, ARRAY_SIZE(alias->info.name) );
        set_text( alias->info.comment, builtin_aliases[i].comment, ARRAY_SIZE(alias->info.comment) );
        if (!add_default_members( alias, rid == 544 ? admins : rid == 545 ? users : rid == 546 ? guests : none,
                                  rid != 545 )) return 0;
    }
    ntlab_sam_set_default_rights();
    return 1;
}

/***********************************************************************
 *  file
 */

struct header
{
    char         magic[8];
    unsigned int version, next_rid, user_count, alias_count, holder_count;
    struct sam_policy policy;
};
static const char magic[8] = "NTLABSAM";

/* room for count elements, and their contents */
static void *read_array( FILE *file, unsigned int count, size_t size )
{
    void *ret = count < 100000 ? calloc( count + 1, size ) : NULL;

    if (ret && fread( ret, size, count, file ) == count) return ret;
    free( ret );
    return NULL;
}

static int load( FILE *file )
{
    struct header header;
    unsigned int i;

    if (fread( &header, sizeof(header), 1, file ) != 1 || memcmp( header.magic, magic, sizeof(magic) ) ||
        header.version != SAM_VERSION) return 0;
    sam.next_rid     = header.next_rid;
    sam.policy       = header.policy;
    sam.user_count   = header.user_count;
    sam.alias_count  = header.alias_count;
    sam.holder_count = header.holder_count;
    if (!(sam.users = read_array( file, sam.user_count, sizeof(*sam.users) ))) return 0;
    if (!(sam.aliases = read_array( file, sam.alias_count, sizeof(*sam.aliases) ))) return 0;
    if (!(sam.holders = read_array( file, sam.holder_count, sizeof(*sam.holders) ))) return 0;
    for (i = 0; i < sam.alias_count; i++)
        if (!(sam.aliases[i].members = read_array( file, sam.aliases[i].info.member_count, sizeof(struct sam_sid) ))) return 0;
    return 1;
}

static int save( FILE *file )
{
    struct header header = { .version = SAM_VERSION, .next_rid = sam.next_rid, .user_count = sam.user_count,
                             .alias_count = sam.alias_count, .holder_count = sam.holder_count, .policy = sam.policy };
    unsigned int i;

    memcpy( header.magic, magic, sizeof(magic) );
    if (state_policy.lockout_threshold && !memcmp( &sam.policy, &state_policy, sizeof(sam.policy) )) header.policy = kept_policy;
    fwrite( &header, sizeof(header), 1, file );
    fwrite( sam.users, sizeof(*sam.users), sam.user_count, file );
    fwrite( sam.aliases, sizeof(*sam.aliases), sam.alias_count, file );
    fwrite( sam.holders, sizeof(*sam.holders), sam.holder_count, file );
    for (i = 0; i < sam.alias_count; i++)
        fwrite( sam.aliases[i].members, sizeof(struct sam_sid), sam.aliases[i].info.member_count, file );
    return !ferror( file );
}

int ntlab_sam_save(void)
{
    int fd = openat( config_dir_fd, SAM_FILE ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600 ), ok;
    FILE *file = fd == -1 ? NULL : fdopen( fd, "w" );

    ok = file && save( file );
    if (file && fclose( file )) ok = 0;
    if (!file && fd != -1) close( fd );
    if (ok && renameat( config_dir_fd, SAM_FILE ".new", config_dir_fd, SAM_FILE ) == -1) ok = 0;
    if (ok) return 1;
    fprintf( stderr, "lab: cannot write the accounts of the prefix: %s\n", strerror( errno ));
    file_set_error();
    return 0;
}

int ntlab_sam_is_file( const char *path )
{
    static const char * const names[] = { SAM_FILE, SAM_FILE ".new" };
    struct stat dir, st;
    const char *name = strrchr( path, '/' );
    char parent[PATH_MAX];
    unsigned int i;

    for (i = 0; name && i < ARRAY_SIZE(names); i++) if (!strcmp( name + 1, names[i] )) break;
    if (!name || i == ARRAY_SIZE(names) || name - path >= (int)sizeof(parent)) return 0;
    memcpy( parent, path, name - path );
    parent[name - path] = 0;
    return !stat( parent[0] ? parent : "/", &st ) && !fstat( config_dir_fd, &dir ) &&
           st.st_dev == dir.st_dev && st.st_ino == dir.st_ino;
}

const WCHAR *ntlab_wine_user_name(void)
{
    const struct account *user = ntlab_user_by_rid( SAM_WINE_USER_RID );

    return user ? user->info.name : NULL;
}

static void init_accounts(void)
{
    int fd = openat( config_dir_fd, SAM_FILE, O_RDONLY | O_CLOEXEC ), ok;
    FILE *file = fd == -1 ? NULL : fdopen( fd, "r" );
    struct account *user;

    if (file) ok = load( file );
    else ok = errno == ENOENT && set_defaults();
    if (file) fclose( file );
    if (!ok || !(user = ntlab_user_by_rid( SAM_WINE_USER_RID )))
    {
        fprintf( stderr, "lab: cannot read the accounts of the prefix (made by another build?); remove the prefix\n" );
        exit( 1 );
    }
    /* the name by which Wine knows it */
    set_text( user->info.name, ntlab_user_name(), ARRAY_SIZE(user->info.name) );
}

/* states of the machine that stand in what the prefix keeps */
void ntlab_start(void)
{
    static const char path[] = "System\\CurrentControlSet\\Control\\ProductOptions", name[] = "ProductType";
    static const WCHAR lanman[] = {'L','a','n','m','a','n','N','T'};
    WCHAR type[16];

    if (!ntlab_enabled) return;
    init_accounts();
    if (ntlab_second( NTLAB_LOCKOUT )) set_lockout();
    if (ntlab_second( NTLAB_ROLE )) ntlab_registry_set_string( path, name, "LanmanNT" );
    else if (ntlab_registry_string( path, name, type, ARRAY_SIZE(type) ) == ARRAY_SIZE(lanman) &&
             !memcmp( type, lanman, sizeof(lanman) )) ntlab_registry_set_string( path, name, "WinNT" );
}

/***********************************************************************
 *  access
 */

#define DOMAIN_ALL_ACCESS  0xf07ff
#define DOMAIN_EXECUTE     0x20301
#define DOMAIN_READ        0x20084
#define USER_ALL_ACCESS    0xf07ff
#define USER_EXECUTE       0x20041
#define USER_READ          0x2031a
#define USER_WRITE         0x20044
#define USER_CHANGE_PASSWORD 0x40
#define UF_PASSWD_CANT_CHANGE 0x40

/* user: NULL for a domain or an alias, the default descriptors of which admit the same SIDs */
int ntlab_sam_check( const struct account *user, int domain, unsigned int access )
{
    static const generic_map_t mapping = { DOMAIN_READ, 0, DOMAIN_EXECUTE, DOMAIN_ALL_ACCESS };
    const unsigned int no_change = user && (user->info.flags & UF_PASSWD_CANT_CHANGE) ? USER_CHANGE_PASSWORD : 0;
    struct sam_sid buffer;
    struct sid *self = (struct sid *)buffer.bytes;
    const struct ntlab_ace aces[] =
    {
        { &builtin_admins_sid, 0, USER_ALL_ACCESS },
        { &world_sid, 0, user ? (USER_EXECUTE | USER_READ) & ~no_change : domain ? DOMAIN_EXECUTE | DOMAIN_READ : 0x2000c },
        { self, 0, USER_WRITE & ~no_change },
    };
    struct security_descriptor *sd;
    unsigned int status, granted;

    if (user) ntlab_sam_account_sid( user->info.rid, self );
    if (!(sd = ntlab_sd_build( 0, &builtin_admins_sid, &builtin_admins_sid, NULL, aces, user ? 3 : 2 ))) return 0;
    status = ntlab_check_sd( thread_get_impersonation_token( current ), sd, &mapping, access, &granted );
    free( sd );
    if (status) set_error( status );
    return !status;
}
