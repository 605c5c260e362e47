/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the lab's own access check and inheritance as a native program
 *
 * Compiled with the server's token.c, which holds the lab's ntlab_token.c and ntlab_access.c, and
 * linked with the server's other objects: what is judged is the code that runs
 * in the lab, not a copy.  Reads cases from standard input and writes one result
 * a case; cases.py describes both formats.  WINE_TOKEN_C names the token.c.
 */

#include WINE_TOKEN_C

/* what server/main.c defines */
int debug_level = 0;
int foreground = 0;
timeout_t master_socket_timeout = 0;
const char *server_argv0 = "harness";

static void need( void *data, size_t size )
{
    if (fread( data, 1, size, stdin ) == size) return;
    fprintf( stderr, "harness: a case is cut short\n" );
    exit( 2 );
}

static unsigned int need_int(void)
{
    unsigned int value;

    need( &value, sizeof(value) );
    return value;
}

/* a block with its length in front; empty ones are NULL */
static void *need_block( unsigned int *len )
{
    unsigned int size = need_int();
    void *data = NULL;

    if (size > 0x10000) exit( 2 );
    if (size)
    {
        if (!(data = malloc( size ))) exit( 2 );
        need( data, size );
    }
    if (len) *len = size;
    return data;
}

/* control, owner, group, DACL: the server's form of a descriptor */
static struct security_descriptor *need_sd(void)
{
    struct security_descriptor *sd;
    unsigned int control = need_int(), owner_len, group_len, dacl_len;
    char *owner = need_block( &owner_len ), *group = need_block( &group_len ), *dacl = need_block( &dacl_len );

    if (!(sd = calloc( 1, sizeof(*sd) + owner_len + group_len + dacl_len ))) exit( 2 );
    sd->control   = control;
    sd->owner_len = owner_len;
    sd->group_len = group_len;
    sd->dacl_len  = dacl_len;
    memcpy( sd + 1, owner, owner_len );
    memcpy( (char *)(sd + 1) + owner_len, group, group_len );
    if (dacl_len) memcpy( (char *)(sd + 1) + owner_len + group_len, dacl, dacl_len );
    free( owner );
    free( group );
    free( dacl );
    return sd;
}

static struct token *need_token(void)
{
    struct luid_attr privs[2];
    struct sid_attrs groups[64];
    unsigned int i, flags = need_int(), priv_bits = need_int(), count, restrict_count, priv_count = 0;
    struct sid *user = need_block( NULL ), *sid;
    struct token *token;

    if (priv_bits & 1) privs[priv_count++] = (struct luid_attr){ SeSecurityPrivilege, SE_PRIVILEGE_ENABLED };
    if (priv_bits & 2) privs[priv_count++] = (struct luid_attr){ SeTakeOwnershipPrivilege, SE_PRIVILEGE_ENABLED };
    if ((count = need_int()) > 64) exit( 2 );
    for (i = 0; i < count; i++)
    {
        groups[i].attrs = need_int();
        groups[i].sid   = need_block( NULL );
    }
    token = create_token( 1, 0, user, groups, count, privs, priv_count, NULL, NULL, -1, 0 );
    if (!token) exit( 2 );
    for (i = 0; i < count; i++) free( (void *)groups[i].sid );
    free( user );
    token->owner         = token->user;
    token->primary_group = token->user;
    token->ntlab.flags   = flags;
    restrict_count = need_int();
    for (i = 0; i < restrict_count; i++)
    {
        sid = need_block( NULL );
        if (!add_sid( &token->ntlab.restricted, sid, 0 )) exit( 2 );
        free( sid );
    }
    return token;
}

static void check_access(void)
{
    struct token *token = need_token();
    struct security_descriptor *sd = need_sd();
    unsigned int result[2] = { 0 }, desired;
    generic_map_t mapping;

    need( &mapping, sizeof(mapping) );
    desired = need_int();
    result[0] = ntlab_check_sd( token, sd, &mapping, desired, &result[1] );
    fwrite( result, sizeof(result), 1, stdout );
    free( sd );
    release_object( token );
}

static void check_inheritance(void)
{
    struct token *token = need_token();
    struct security_descriptor *parent = need_sd(), *creator = need_int() ? need_sd() : NULL, *sd;
    unsigned int is_dir = need_int(), len;
    const struct acl *dacl;
    int present;

    sd = ntlab_sd_for_new( parent, creator, token, is_dir, &file_type.mapping );
    dacl = sd_get_dacl( sd, &present );
    len = dacl ? dacl->size : 0;
    fwrite( &len, sizeof(len), 1, stdout );
    if (len) fwrite( dacl, len, 1, stdout );
    free( sd );
    free( parent );
    free( creator );
    release_object( token );
}

int main(void)
{
    unsigned int op;

    ntlab_enabled = 1;
    ntlab_init_settings();
    while (fread( &op, sizeof(op), 1, stdin ) == 1)
    {
        if (op == 1) check_access();
        else if (op == 2) check_inheritance();
        else return 2;
    }
    return 0;
}
