/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the descriptors of the well-known directories, as found on a fresh Windows 10
 */

#include "config.h"

#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winternl.h"

#include "file.h"
#include "object.h"
#include "request.h"
#include "security.h"
#include "ntlab.h"

static const struct sid creator_owner_sid = { SID_REVISION, 1, SECURITY_CREATOR_SID_AUTHORITY, { SECURITY_CREATOR_OWNER_RID } };
const struct sid ntlab_all_packages_sid = { SID_REVISION, 2, SECURITY_APP_PACKAGE_AUTHORITY, { 2, 1 } };
const struct sid ntlab_all_restricted_packages_sid = { SID_REVISION, 2, SECURITY_APP_PACKAGE_AUTHORITY, { 2, 2 } };

static const struct sid auth_users_sid    = { SID_REVISION, 1, SECURITY_NT_AUTHORITY, { SECURITY_AUTHENTICATED_USER_RID } };
static const struct sid interactive_sid   = { SID_REVISION, 1, SECURITY_NT_AUTHORITY, { SECURITY_INTERACTIVE_RID } };
static const struct sid service_sid       = { SID_REVISION, 1, SECURITY_NT_AUTHORITY, { SECURITY_SERVICE_RID } };
static const struct sid batch_sid         = { SID_REVISION, 1, SECURITY_NT_AUTHORITY, { SECURITY_BATCH_RID } };
static const struct sid trusted_installer_sid =
    { SID_REVISION, 6, SECURITY_NT_AUTHORITY,
      { SECURITY_SERVICE_ID_BASE_RID, 956008885, 3418522649u, 1831038044, 1853292631, 2271478464u } };

#define MODIFY       (FILE_GENERIC_READ | FILE_GENERIC_WRITE | FILE_GENERIC_EXECUTE | DELETE)
#define READ_EXECUTE (FILE_GENERIC_READ | FILE_GENERIC_EXECUTE)
#define OI_CI        (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE)
#define OI_CI_IO     (OI_CI | INHERIT_ONLY_ACE)

static const struct ntlab_ace drive_root_dacl[] =
{
    { &auth_users_sid,        OI_CI_IO, GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | DELETE },
    { &auth_users_sid,        0,        FILE_ADD_SUBDIRECTORY },
    { &local_system_sid,      OI_CI,    FILE_ALL_ACCESS },
    { &builtin_admins_sid,    OI_CI,    FILE_ALL_ACCESS },
    { &builtin_users_sid,     OI_CI,    READ_EXECUTE },
};

static const struct ntlab_ace system_dacl[] =  /* Windows, Program Files */
{
    { &trusted_installer_sid, 0,        FILE_ALL_ACCESS },
    { &trusted_installer_sid, CONTAINER_INHERIT_ACE | INHERIT_ONLY_ACE, GENERIC_ALL },
    { &local_system_sid,      0,        MODIFY },
    { &local_system_sid,      OI_CI_IO, GENERIC_ALL },
    { &builtin_admins_sid,    0,        MODIFY },
    { &builtin_admins_sid,    OI_CI_IO, GENERIC_ALL },
    { &builtin_users_sid,     0,        READ_EXECUTE },
    { &builtin_users_sid,     OI_CI_IO, GENERIC_READ | GENERIC_EXECUTE },
    { &creator_owner_sid,     OI_CI_IO, GENERIC_ALL },
    { &ntlab_all_packages_sid, 0,       READ_EXECUTE },
    { &ntlab_all_packages_sid, OI_CI_IO, GENERIC_READ | GENERIC_EXECUTE },
    { &ntlab_all_restricted_packages_sid, 0, READ_EXECUTE },
    { &ntlab_all_restricted_packages_sid, OI_CI_IO, GENERIC_READ | GENERIC_EXECUTE },
};

static const struct ntlab_ace windows_temp_dacl[] =
{
    { &builtin_users_sid,     CONTAINER_INHERIT_ACE, FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY | FILE_TRAVERSE | SYNCHRONIZE },
    { &builtin_admins_sid,    OI_CI,    FILE_ALL_ACCESS },
    { &local_system_sid,      OI_CI,    FILE_ALL_ACCESS },
    { &creator_owner_sid,     OI_CI_IO, FILE_ALL_ACCESS },
};

static const struct ntlab_ace program_data_dacl[] =
{
    { &local_system_sid,      OI_CI,    FILE_ALL_ACCESS },
    { &builtin_admins_sid,    OI_CI,    FILE_ALL_ACCESS },
    { &creator_owner_sid,     OI_CI_IO, GENERIC_ALL },
    { &builtin_users_sid,     OI_CI,    READ_EXECUTE },
    { &builtin_users_sid,     CONTAINER_INHERIT_ACE, FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES },
};

static const struct ntlab_ace users_dacl[] =
{
    { &local_system_sid,      OI_CI,    FILE_ALL_ACCESS },
    { &builtin_admins_sid,    OI_CI,    FILE_ALL_ACCESS },
    { &builtin_users_sid,     0,        READ_EXECUTE },
    { &builtin_users_sid,     OI_CI_IO, GENERIC_READ | GENERIC_EXECUTE },
    { &world_sid,             0,        READ_EXECUTE },
    { &world_sid,             OI_CI_IO, GENERIC_READ | GENERIC_EXECUTE },
};

static const struct ntlab_ace public_dacl[] =
{
    { &creator_owner_sid,     OI_CI_IO, GENERIC_ALL },
    { &local_system_sid,      OI_CI,    FILE_ALL_ACCESS },
    { &builtin_admins_sid,    OI_CI,    FILE_ALL_ACCESS },
    { &interactive_sid,       OI_CI,    MODIFY | FILE_DELETE_CHILD },
    { &service_sid,           OI_CI,    MODIFY | FILE_DELETE_CHILD },
    { &batch_sid,             OI_CI,    MODIFY | FILE_DELETE_CHILD },
};

static const struct ntlab_ace profile_dacl[] =
{
    { &local_system_sid,      OI_CI,    FILE_ALL_ACCESS },
    { &builtin_admins_sid,    OI_CI,    FILE_ALL_ACCESS },
    { NULL,                   OI_CI,    FILE_ALL_ACCESS },
};

static const struct ntlab_ace other_drive_dacl[] =
{
    { &builtin_admins_sid,    OI_CI,    FILE_ALL_ACCESS },
    { &local_system_sid,      OI_CI,    FILE_ALL_ACCESS },
    { &builtin_users_sid,     OI_CI,    READ_EXECUTE },
};

struct default_sd
{
    const char               *name;     /* path below C:\ */
    const struct sid         *owner;    /* NULL: the user that the profile belongs to */
    const struct ntlab_ace   *aces;
    unsigned int              count;
};

static const struct default_sd default_sds[] =
{
    { "",                    &trusted_installer_sid, drive_root_dacl,   ARRAY_SIZE(drive_root_dacl) },
    { "windows",             &trusted_installer_sid, system_dacl,       ARRAY_SIZE(system_dacl) },
    { "windows/temp",        &local_system_sid,      windows_temp_dacl, ARRAY_SIZE(windows_temp_dacl) },
    { "program files",       &trusted_installer_sid, system_dacl,       ARRAY_SIZE(system_dacl) },
    { "program files (x86)", &trusted_installer_sid, system_dacl,       ARRAY_SIZE(system_dacl) },
    { "programdata",         &local_system_sid,      program_data_dacl, ARRAY_SIZE(program_data_dacl) },
    { "users",               &local_system_sid,      users_dacl,        ARRAY_SIZE(users_dacl) },
    { "users/public",        &local_system_sid,      public_dacl,       ARRAY_SIZE(public_dacl) },
};
static const struct default_sd profile_sd     = { NULL, NULL, profile_dacl, ARRAY_SIZE(profile_dacl) };
static const struct default_sd wine_sd = { NULL, &trusted_installer_sid, system_dacl, ARRAY_SIZE(system_dacl) };
static const struct default_sd other_drive_sd = { NULL, &builtin_admins_sid, other_drive_dacl, ARRAY_SIZE(other_drive_dacl) };

static struct security_descriptor *build( const struct default_sd *def, const struct sid *user )
{
    return ntlab_sd_build( SE_DACL_PROTECTED | SE_DACL_AUTO_INHERITED, def->owner ? def->owner : user,
                           def->owner ? def->owner : &domain_users_sid, user, def->aces, def->count );
}

/* canonical Unix path of C:\ */
const char *ntlab_drive_c(void)
{
    static char path[PATH_MAX];
    static int done;

    if (!done)
    {
        if (fchdir( config_dir_fd ) != -1)
        {
            if (!realpath( "dosdevices/c:", path )) path[0] = 0;
            fchdir( server_dir_fd );
        }
        done = path[0] != 0;
    }
    return path[0] ? path : NULL;
}

/* Is it one of the server's own files: the registry, hives, keys?  No program opens these, whatever its privileges. */
int ntlab_is_server_file( const char *path )
{
    static char prefix[PATH_MAX];
    const char *name;

    if (!prefix[0])
    {
        char link[32];
        ssize_t len;

        sprintf( link, "/proc/self/fd/%d", config_dir_fd );
        if ((len = readlink( link, prefix, sizeof(prefix) - 2 )) <= 0) return 0;
        strcpy( prefix + len, "/" );
    }
    if (strncmp( path, prefix, strlen( prefix ))) return 0;
    name = path + strlen( prefix );
    return !strncmp( name, NTLAB_SERVER_DIR, sizeof(NTLAB_SERVER_DIR) - 1 ) || (!strchr( name, '/' ) && strstr( name, "reg" ));
}

/* the user whose name Wine gave to the profile directory */
const char *ntlab_user_name(void)
{
    static char *known;

    if (!known)
    {
        const struct passwd *pwd = getpwuid( getuid() );
        const char *name = pwd ? pwd->pw_name : getenv( "USER" );

        known = strdup( name ? name : "wine" );
    }
    return known ? known : "wine";
}

/* Is it a directory of Wine's own, which stand for those of Windows: the tree that the server lies in, or an installed one? */
static int is_wine_dir( const char *path )
{
    static const char * const installed[] = { "/usr/lib/wine", "/usr/lib/x86_64-linux-gnu/wine", "/usr/share/wine" };
    static char tree[PATH_MAX];
    unsigned int i;

    if (!tree[0])
    {
        ssize_t len = readlink( "/proc/self/exe", tree, sizeof(tree) - 1 );

        tree[max( len, 0 )] = 0;
        for (i = 0; i < 3 && strchr( tree, '/' ); i++) *strrchr( tree, '/' ) = 0;  /* lib/wine/wineserver */
    }
    for (i = 0; i < ARRAY_SIZE(installed); i++) if (!strcmp( path, installed[i] )) return 1;
    return tree[0] && !strcmp( path, tree );
}

static const struct default_sd *find_default_sd( const char *path )
{
    const char *drive_c = ntlab_drive_c(), *name;
    size_t len = drive_c ? strlen( drive_c ) : 0;
    unsigned int i;

    if (!path[0] || !path[1]) return &other_drive_sd;
    if (is_wine_dir( path )) return &wine_sd;
    if (!drive_c || strncmp( path, drive_c, len )) return NULL;
    if (path[len] && path[len] != '/') return NULL;
    name = path[len] ? path + len + 1 : "";
    for (i = 0; i < ARRAY_SIZE(default_sds); i++)
        if (!strcasecmp( name, default_sds[i].name )) return &default_sds[i];
    if (!strncasecmp( name, "users/", 6 ) && !strcasecmp( name + 6, ntlab_user_name() )) return &profile_sd;
    return NULL;
}

struct security_descriptor *ntlab_sd_for_profile( const struct sid *user )
{
    return build( &profile_sd, user );
}

int ntlab_has_default_sd( const char *path )
{
    return find_default_sd( path ) != NULL;
}

struct security_descriptor *ntlab_default_sd( const char *path, const struct sid *user )
{
    const struct default_sd *def = path && path[0] == '/' ? find_default_sd( path ) : &other_drive_sd;

    return def ? build( def, user ) : NULL;
}
