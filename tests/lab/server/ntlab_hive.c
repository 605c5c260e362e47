/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: profiles of users, what the User Profile Service does
 *
 * Compiled as part of Wine's server/registry.c.  A profile is a directory below C:\users, an entry in ProfileList
 * and a hive.  The hive is below HKEY_USERS while the profile is loaded: for as long as a process lives that
 * seclogon made with LOGON_WITH_PROFILE (MSDN "CreateProcessWithLogonW"), or from LoadUserProfile to UnloadUserProfile.
 * Otherwise it is a file that no program can open.  The user that runs Wine is always logged on.
 */

struct ntlab_hive
{
    struct list   entry;
    struct key   *key;
    char         *file;         /* below the prefix; NULL: one that Wine saves */
    unsigned int  holders;      /* processes */
    unsigned int  loads;        /* LoadUserProfile without UnloadUserProfile */
};

static struct list hives = LIST_INIT( hives );

static const char profile_list[] = "Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\";

static char *sid_to_string( const struct sid *sid, char *buffer )
{
    char *p = buffer + sprintf( buffer, "S-%u-%u", sid->revision,
                                ((unsigned int)sid->id_auth[2] << 24) | ((unsigned int)sid->id_auth[3] << 16) |
                                ((unsigned int)sid->id_auth[4] << 8) | sid->id_auth[5] );
    unsigned int i;

    for (i = 0; i < sid->sub_count; i++) p += sprintf( p, "-%u", sid->sub_auth[i] );
    return buffer;
}
#define SID_STRING_MAX 200

static struct key *open_system_key( const char *path, int create )
{
    struct unicode_str name;
    WCHAR *str = ascii_to_unicode_str( path, &name );
    const unsigned int error = get_error();
    struct key *key = NULL;

    if (!str) return NULL;
    key_as_system++;
    if (create) key = create_key_recursive( root_key, &name, current_time );
    else key = open_key( root_key, &name, KEY_WOW64_64KEY, OBJ_CASE_INSENSITIVE );
    key_as_system--;
    free( str );
    set_error( error );
    return key;
}

static void set_system_value( struct key *key, const char *name, int type, const void *data, data_size_t len )
{
    struct unicode_str str;
    WCHAR *buffer = ascii_to_unicode_str( name, &str );

    if (buffer) set_value( key, &str, type, data, len );
    free( buffer );
}

/***********************************************************************
 *  ProfileList
 */

static struct key *open_profile_entry( const struct sid *user, int create )
{
    char path[sizeof(profile_list) + SID_STRING_MAX];

    strcpy( path, profile_list );
    sid_to_string( user, path + sizeof(profile_list) - 1 );
    return open_system_key( path, create );
}

/* name of the directory below C:\users, in UTF-8 */
static int get_profile_name( const struct sid *user, char *name, size_t size )
{
    static const char users[] = "C:\\users\\";
    struct key *entry = open_profile_entry( user, 0 );
    const struct key_value *value;
    struct unicode_str str;
    char path[PATH_MAX];
    WCHAR *buffer;
    int index, ret = 0;

    if (!entry) return 0;
    if ((buffer = ascii_to_unicode_str( "ProfileImagePath", &str )) && (value = find_value( entry, &str, &index )) &&
        ntlab_utf16_to_utf8( value->data, value->len / sizeof(WCHAR), path, sizeof(path) ) &&
        !strncasecmp( path, users, sizeof(users) - 1 ) && strlen( path ) - sizeof(users) + 1 < size)
    {
        strcpy( name, path + sizeof(users) - 1 );
        ret = ntlab_is_profile_name( name );
    }
    free( buffer );
    release_object( entry );
    return ret;
}

static void add_profile_entry( const struct sid *user, const char *name )
{
    char path[PATH_MAX];
    WCHAR wide[PATH_MAX];
    const unsigned int zero = 0;
    struct key *entry;

    snprintf( path, sizeof(path), "C:\\users\\%s", name );
    if (!(entry = open_profile_entry( user, 1 ))) return;
    set_system_value( entry, "ProfileImagePath", REG_EXPAND_SZ, wide,
                      (ntlab_utf8_to_utf16( path, wide, ARRAY_SIZE(wide) ) + 1) * sizeof(WCHAR) );
    set_system_value( entry, "Sid", REG_BINARY, user, sid_len( user ));
    set_system_value( entry, "Flags", REG_DWORD, &zero, sizeof(zero) );
    set_system_value( entry, "State", REG_DWORD, &zero, sizeof(zero) );
    release_object( entry );
}

static void set_ref_count( const struct sid *user, const struct ntlab_hive *hive )
{
    const unsigned int count = hive->holders + hive->loads;
    struct key *entry = open_profile_entry( user, 0 );

    if (!entry) return;
    set_system_value( entry, "RefCount", REG_DWORD, &count, sizeof(count) );
    release_object( entry );
}

/***********************************************************************
 *  hives
 */

static struct ntlab_hive *find_hive( const struct sid *user )
{
    struct ntlab_hive *hive;
    const struct sid *sid;

    LIST_FOR_EACH_ENTRY( hive, &hives, struct ntlab_hive, entry )
        if ((sid = hive_user( hive->key )) && equal_sid( sid, user )) return hive;
    return NULL;
}

int ntlab_profile_is_loaded( const struct sid *user )
{
    return find_hive( user ) != NULL;
}

static int is_loaded_hive( const struct key *key )
{
    const struct ntlab_hive *hive;

    LIST_FOR_EACH_ENTRY( hive, &hives, const struct ntlab_hive, entry ) if (hive->key == key) return 1;
    return 0;
}

static char *hive_file( const struct sid *user )
{
    char sid[SID_STRING_MAX], path[SID_STRING_MAX + 32];

    sprintf( path, NTLAB_SERVER_DIR "/%s.reg", sid_to_string( user, sid ));
    return strdup( path );
}

/* what a new user's programs count on */
static void fill_hive( struct key *key )
{
    static const char * const names[] = { "TEMP", "TMP" };
    WCHAR value[64];
    struct unicode_str str;
    WCHAR *name = ascii_to_unicode_str( "Environment", &str );
    struct key *environment = name ? create_key_recursive( key, &str, current_time ) : NULL;
    unsigned int i, len = ntlab_utf8_to_utf16( "%USERPROFILE%\\AppData\\Local\\Temp", value, ARRAY_SIZE(value) );

    free( name );
    if (!environment) return;
    for (i = 0; i < ARRAY_SIZE(names); i++)
        set_system_value( environment, names[i], REG_EXPAND_SZ, value, (len + 1) * sizeof(WCHAR) );
    release_object( environment );
}

static struct ntlab_hive *add_hive( struct key *key, char *file )
{
    struct ntlab_hive *hive = mem_alloc( sizeof(*hive) );

    if (!hive) return NULL;
    hive->key     = key;
    hive->file    = file;
    hive->holders = hive->loads = 0;
    list_add_tail( &hives, &hive->entry );
    return hive;
}

static struct ntlab_hive *load_hive( const struct sid *user )
{
    char path[SID_STRING_MAX] = "User\\", *file = hive_file( user );
    struct ntlab_hive *hive = NULL;
    struct key *key;
    FILE *f;

    sid_to_string( user, path + 5 );
    if (file && (key = open_system_key( path, 1 )))
    {
        key_as_system++;
        if (fchdir( config_dir_fd ) != -1 && (f = fopen( file, "r" )))
        {
            load_keys( key, file, f, 0 );
            fclose( f );
            clear_error();
            make_clean( key );
        }
        else fill_hive( key );
        fchdir( server_dir_fd );
        key_as_system--;
        hive = add_hive( key, file );
        release_object( key );  /* HKEY_USERS has it */
    }
    if (!hive) free( file );
    return hive;
}

static void save_hive( const struct ntlab_hive *hive )
{
    if (!hive->file) return;
    mkdir( NTLAB_SERVER_DIR, 0700 );
    if (!save_branch( hive->key, hive->file )) fprintf( stderr, "ntlab: cannot save %s: %s\n", hive->file, strerror( errno ));
}

/* called with the prefix as current directory */
static void save_hives(void)
{
    const struct ntlab_hive *hive;

    LIST_FOR_EACH_ENTRY( hive, &hives, const struct ntlab_hive, entry ) save_hive( hive );
}

/* Since Vista a hive is unloaded even if somebody has a key of it open, which then is of no more use
 * (event 1530 of the User Profile Service). */
static void release_hive( struct ntlab_hive *hive )
{
    struct sid user = *hive_user( hive->key );

    set_ref_count( &user, hive );
    if (hive->holders || hive->loads || !hive->file) return;
    list_remove( &hive->entry );
    if (fchdir( config_dir_fd ) != -1) save_hive( hive );
    fchdir( server_dir_fd );
    delete_key( hive->key, 1 );
    free( hive->file );
    free( hive );
}

struct ntlab_hive *ntlab_hold_hive( struct ntlab_hive *hive )
{
    if (hive) hive->holders++;
    return hive;
}

void ntlab_release_hive( struct ntlab_hive *hive )
{
    const unsigned int error = get_error();

    if (!hive) return;
    hive->holders--;
    release_hive( hive );
    set_error( error );
}

/* make the profile if there is none, and load it */
static struct ntlab_hive *load_profile( const struct sid *user, const char *name )
{
    struct ntlab_hive *hive = find_hive( user );
    char known[NAME_MAX + 1];

    if (hive) return hive;
    if (!get_profile_name( user, known, sizeof(known) ))
    {
        if (!ntlab_choose_profile_name( name, known, sizeof(known) )) return NULL;
        add_profile_entry( user, known );
    }
    if (!ntlab_make_profile_dir( known, user )) return NULL;
    return load_hive( user );
}

/* make or find the profile of a token's user, and load it for as long as a process has the token */
int ntlab_load_profile( struct token *token, const char *name )
{
    struct ntlab_hive *hive = load_profile( ntlab_token_user( token ), name );

    if (!hive) return 0;
    ntlab_token_hold_hive( token, hive );
    return 1;
}

/* the hive of the user that runs Wine, when the registry has been loaded */
static void init_hives( struct key *hkcu )
{
    struct key *entry;

    if (!ntlab_enabled) return;
    add_hive( hkcu, NULL );
    if ((entry = open_profile_entry( &local_user_sid, 0 ))) release_object( entry );
    else add_profile_entry( &local_user_sid, ntlab_user_name() );
}

/* HKEY_CURRENT_USER of a user without a loaded profile is HKEY_USERS\.DEFAULT (MSDN "RegOpenCurrentUser").  Wine opens it
 * by its full name, in several libraries; a name in HKEY_USERS is given with a handle, and not changed. */
static WCHAR *current_user_name( struct unicode_str *name, obj_handle_t root )
{
    static const char registry[] = "\\Registry\\", other[] = "\\Registry\\User\\.Default";
    char prefix[sizeof(registry) + SID_STRING_MAX];
    const struct sid *user = ntlab_token_user( thread_get_impersonation_token( current ));
    data_size_t i, len;
    WCHAR *ret;

    if (!ntlab_enabled || root || name->len < sizeof(registry) * sizeof(WCHAR)) return NULL;
    strcpy( prefix, registry );
    strcat( prefix, "User\\" );
    sid_to_string( user, prefix + strlen( prefix ));
    len = strlen( prefix );
    if (name->len < len * sizeof(WCHAR)) return NULL;
    for (i = 0; i < len; i++)
        if (name->str[i] >= 0x80 || tolower( name->str[i] ) != tolower( (unsigned char)prefix[i] )) return NULL;
    if (name->len > len * sizeof(WCHAR) && name->str[len] != '\\') return NULL;
    if (find_hive( user )) return NULL;
    if (!(ret = mem_alloc( name->len + sizeof(other) * sizeof(WCHAR) ))) return NULL;
    for (i = 0; i < sizeof(other) - 1; i++) ret[i] = other[i];
    memcpy( ret + i, name->str + len, name->len - len * sizeof(WCHAR) );
    name->str = ret;
    name->len = name->len - len * sizeof(WCHAR) + i * sizeof(WCHAR);
    return ret;
}

void ntlab_dump_profiles( FILE *file )
{
    const struct ntlab_hive *hive;

    LIST_FOR_EACH_ENTRY( hive, &hives, const struct ntlab_hive, entry )
    {
        fprintf( file, "profile " );
        ntlab_print_sid( file, hive_user( hive->key ));
        fprintf( file, " loaded holders=%u loads=%u\n", hive->holders, hive->loads );
    }
}

/***********************************************************************
 *  requests
 */

static int is_administrator( struct token *token )
{
    return ntlab_token_has_sid( token, &builtin_admins_sid, 0 );
}

/* the name of a user in the data of a request, from pos on */
static int get_req_name( data_size_t pos, char *name, size_t size )
{
    const data_size_t len = get_req_data_size() - pos;

    if (len % sizeof(WCHAR) == 0 && ntlab_utf16_to_utf8( (const WCHAR *)((const char *)get_req_data() + pos),
                                                         len / sizeof(WCHAR), name, size ) &&
        ntlab_is_profile_name( name )) return 1;
    set_error( STATUS_INVALID_PARAMETER );
    return 0;
}

/* MSDN "CreateProfile": the caller must be an administrator; an existing profile is an error */
DECL_HANDLER(ntlab_create_profile)
{
    const struct sid *user = get_req_data();
    char name[NAME_MAX + 1], chosen[NAME_MAX + 1], path[PATH_MAX];
    struct ntlab_hive *hive;
    WCHAR wide[PATH_MAX];
    data_size_t len;

    if (!ntlab_enabled) return;
    if (req->sid_size > get_req_data_size() || !sid_valid_size( user, req->sid_size ) || sid_len( user ) != req->sid_size)
    {
        set_error( STATUS_INVALID_SID );
        return;
    }
    if (!is_administrator( thread_get_impersonation_token( current )))
    {
        set_error( STATUS_ACCESS_DENIED );
        return;
    }
    if (!get_req_name( req->sid_size, name, sizeof(name) )) return;
    if (get_profile_name( user, chosen, sizeof(chosen) ))
    {
        set_error( STATUS_OBJECT_NAME_COLLISION );
        return;
    }
    if (!ntlab_choose_profile_name( name, chosen, sizeof(chosen) )) return;
    snprintf( path, sizeof(path), "C:\\users\\%s", chosen );
    len = ntlab_utf8_to_utf16( path, wide, ARRAY_SIZE(wide) ) * sizeof(WCHAR);
    if (len > get_reply_max_size())
    {
        set_error( STATUS_BUFFER_TOO_SMALL );
        return;
    }
    if (!(hive = load_profile( user, name ))) return;
    release_hive( hive );  /* it has been made, and nobody wants it loaded */
    set_reply_data( wide, len );
}

/* MSDN "DeleteProfile": the caller must be an administrator.  What is loaded stays. */
DECL_HANDLER(ntlab_delete_profile)
{
    const struct sid *user = get_req_data();
    char name[NAME_MAX + 1], *file;
    struct key *entry;

    if (!ntlab_enabled) return;
    if (!sid_valid_size( user, get_req_data_size() )) set_error( STATUS_INVALID_SID );
    else if (!is_administrator( thread_get_impersonation_token( current ))) set_error( STATUS_ACCESS_DENIED );
    else if (!get_profile_name( user, name, sizeof(name) )) set_error( STATUS_OBJECT_NAME_NOT_FOUND );
    else if (find_hive( user )) set_error( STATUS_SHARING_VIOLATION );
    else if (ntlab_remove_profile_dir( name ))
    {
        if ((file = hive_file( user )) && fchdir( config_dir_fd ) != -1) unlink( file );
        fchdir( server_dir_fd );
        free( file );
        if ((entry = open_profile_entry( user, 0 )))
        {
            delete_key( entry, 1 );
            release_object( entry );
        }
    }
}

/* MSDN "LoadUserProfile": the caller of the function, not somebody whom it impersonates, must be an administrator.
 * seclogon does the same for a process that it makes, until that has ended. */
DECL_HANDLER(ntlab_load_profile)
{
    struct ntlab_hive *hive;
    char name[NAME_MAX + 1];
    struct token *token;

    if (!ntlab_enabled) return;
    if (!get_req_name( 0, name, sizeof(name) )) return;
    if (req->hold) token = ntlab_ticket_token( req->token );
    else token = get_token_obj( current->process, req->token, TOKEN_QUERY | TOKEN_IMPERSONATE | TOKEN_DUPLICATE );
    if (!token) return;
    if (req->hold) ntlab_load_profile( token, name );
    else if (!is_administrator( current->process->token )) set_error( STATUS_PRIVILEGE_NOT_HELD );
    else if ((hive = load_profile( ntlab_token_user( token ), name )))
    {
        if ((reply->key = alloc_handle_no_access_check( current->process, hive->key, KEY_ALL_ACCESS, 0 ))) hive->loads++;
        release_hive( hive );
    }
    release_object( token );
}

DECL_HANDLER(ntlab_unload_profile)
{
    struct ntlab_hive *hive;
    struct token *token;
    struct key *key;

    if (!ntlab_enabled) return;
    if (!(token = get_token_obj( current->process, req->token, TOKEN_IMPERSONATE | TOKEN_DUPLICATE ))) return;
    if (!is_administrator( current->process->token )) set_error( STATUS_PRIVILEGE_NOT_HELD );
    else if ((key = get_hkey_obj( req->key, 0 )))
    {
        if (!(hive = find_hive( ntlab_token_user( token ))) || hive->key != key || !hive->loads)
            set_error( STATUS_INVALID_PARAMETER );
        release_object( key );
        if (!get_error())
        {
            close_handle( current->process, req->key );
            hive->loads--;
            release_hive( hive );
        }
    }
    release_object( token );
}
