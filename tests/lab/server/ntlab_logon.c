/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: logon, as the Local Security Authority does it
 *
 * Included at the end of Wine's server/token.c, behind ntlab_token.c.  MSDN "LogonUserW",
 * "LsaLogonUser", "How User Account Control works"; WSI ch. 10.
 */

static const WCHAR builtin_domain[] = {'B','U','I','L','T','I','N'};

/* text of a request, in which a null may hide */
static int same_text( const struct unicode_str *text, const WCHAR *other, data_size_t len )
{
    return text->len == len && !memicmp_strW( text->str, other, len );
}

/* "", ".", or this machine */
static int is_local_domain( const struct unicode_str *domain )
{
    WCHAR computer[64];
    data_size_t len = ntlab_computer_name( computer, ARRAY_SIZE(computer) ) * sizeof(WCHAR);

    return !domain->len || (domain->len == sizeof(WCHAR) && domain->str[0] == '.') || same_text( domain, computer, len ) ||
           same_text( domain, builtin_domain, sizeof(builtin_domain) );
}

/* [DOMAIN\]name */
static struct account *find_local_user( const struct ntlab_logon *logon )
{
    struct unicode_str domain = logon->domain, name = logon->name;
    data_size_t i;

    for (i = 0; i < name.len / sizeof(WCHAR); i++)
    {
        if (name.str[i] != '\\') continue;
        domain.str = name.str;
        domain.len = i * sizeof(WCHAR);
        name.str += i + 1;
        name.len -= (i + 1) * sizeof(WCHAR);
        break;
    }
    return is_local_domain( &domain ) ? ntlab_find_user( name.str, name.len ) : NULL;
}

/***********************************************************************
 *  groups
 */

#define MAX_LOGON_GROUPS 1024  /* WSI ch. 10: LSA refuses to make a larger token */

struct logon_groups
{
    unsigned int      count;
    struct sid_attrs  groups[MAX_LOGON_GROUPS];
    const struct sid *sids[MAX_LOGON_GROUPS + 1];  /* the user, then the groups */
    struct sam_sid    storage[MAX_LOGON_GROUPS + 1];
};

static void add_logon_group( struct logon_groups *list, const struct sid *sid, unsigned int attrs )
{
    struct sid *copy;

    if (list->count == MAX_LOGON_GROUPS) return;
    copy = (struct sid *)list->storage[list->count + 1].bytes;
    copy_sid( copy, sid );
    list->groups[list->count].sid   = list->sids[list->count + 1] = copy;
    list->groups[list->count].attrs = attrs | SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED;
    list->count++;
}

static void add_nt_group( struct logon_groups *list, unsigned int first, unsigned int second )
{
    struct sid sid = { SID_REVISION, second ? 2 : 1, SECURITY_NT_AUTHORITY, { first, second } };

    add_logon_group( list, &sid, 0 );
}

static int is_member( const struct alias *alias, const struct logon_groups *list )
{
    unsigned int i, member;

    for (i = 0; i <= list->count; i++)
        for (member = 0; member < alias->info.member_count; member++)
            if (equal_sid( sid_of( &alias->members[member] ), list->sids[i] )) return 1;
    return 0;
}

/* first the aliases of the machine, then those of BUILTIN, which may have the former as members */
static void add_aliases( struct logon_groups *list )
{
    struct sam_sid sid;
    unsigned int i;
    int builtin;

    for (builtin = 0; builtin < 2; builtin++)
        for (i = 0; i < sam.alias_count; i++)
        {
            const struct alias *alias = &sam.aliases[i];

            if ((alias->info.rid < SAM_WINE_USER_RID) != builtin || !is_member( alias, list )) continue;
            ntlab_sam_alias_sid( alias->info.rid, (struct sid *)sid.bytes );
            add_logon_group( list, sid_of( &sid ), alias->info.rid == DOMAIN_ALIAS_RID_ADMINS ? SE_GROUP_OWNER : 0 );
        }
}

static int has_logon_group( const struct logon_groups *list, const struct sid *sid )
{
    unsigned int i;

    for (i = 1; i <= list->count; i++) if (equal_sid( list->sids[i], sid )) return 1;
    return 0;
}

static struct logon_groups *build_groups( const struct account *user, unsigned int type, const struct sid *logon_sid )
{
    static const struct sid console_logon_sid = { SID_REVISION, 1, SECURITY_LOCAL_SID_AUTHORITY, { 1 } };
    struct logon_groups *list = mem_alloc( sizeof(*list) );

    if (!list) return NULL;
    list->count = 0;
    ntlab_sam_account_sid( user->info.rid, (struct sid *)list->storage[0].bytes );
    list->sids[0] = sid_of( &list->storage[0] );

    add_logon_group( list, &domain_users_sid, 0 );  /* "None", the primary group */
    add_logon_group( list, &world_sid, 0 );
    add_nt_group( list, 113, 0 );                   /* Local account */
    switch (type)
    {
    case LOGON32_LOGON_BATCH:
        add_nt_group( list, SECURITY_BATCH_RID, 0 );
        break;
    case LOGON32_LOGON_SERVICE:
        add_nt_group( list, SECURITY_SERVICE_RID, 0 );
        break;
    case LOGON32_LOGON_NETWORK:
    case LOGON32_LOGON_NETWORK_CLEARTEXT:
        add_nt_group( list, SECURITY_NETWORK_RID, 0 );
        break;
    default:
        add_nt_group( list, SECURITY_INTERACTIVE_RID, 0 );
        add_logon_group( list, &console_logon_sid, 0 );
        break;
    }
    add_nt_group( list, SECURITY_AUTHENTICATED_USER_RID, 0 );
    add_nt_group( list, 15, 0 );                    /* This Organization */
    add_logon_group( list, &local_sid, 0 );
    add_nt_group( list, 64, 10 );                   /* NTLM Authentication */
    add_aliases( list );
    if (has_logon_group( list, &builtin_admins_sid )) add_nt_group( list, 114, 0 );  /* Local account and administrator */
    add_logon_group( list, logon_sid, SE_GROUP_LOGON_ID );
    return list;
}

/***********************************************************************
 *  tokens
 */

static void logon_sid_of_session( const struct ntlab_session *session, struct sam_sid *ret )
{
    struct sid *sid = (struct sid *)ret->bytes;
    const struct sid start = { SID_REVISION, 3, SECURITY_NT_AUTHORITY, { SECURITY_LOGON_IDS_RID } };

    copy_sid( sid, &start );
    sid->sub_auth[1] = session->id.high_part;
    sid->sub_auth[2] = session->id.low_part;
}

/* the whole token of this user and session, which is taken over */
static struct token *make_token( const struct account *user, unsigned int type, struct ntlab_session *session,
                                 const struct logon_groups *list, int is_admin )
{
    struct luid_attr privs[64];
    const unsigned int priv_count = ntlab_privileges_of( list->sids, list->count + 1, privs );
    const int impersonation = type == LOGON32_LOGON_NETWORK;
    struct token *token;

    token = create_token( !impersonation, current->process->session_id, list->sids[0], list->groups, list->count, privs,
                          priv_count, NULL, NULL, SecurityImpersonation,
                          is_admin ? TokenElevationTypeFull : TokenElevationTypeDefault );
    if (!token)
    {
        ntlab_session_release( session );
        return NULL;
    }
    token->owner           = token->user;
    token->primary_group   = &LIST_ENTRY( list_head( &token->groups ), struct group, entry )->sid;
    token->ntlab.session   = session;
    token->ntlab.auth_id   = session->id;
    token->ntlab.integrity = ntlab_token_has_sid( token, &builtin_admins_sid, 0 ) ? SECURITY_MANDATORY_HIGH_RID
                                                                                  : SECURITY_MANDATORY_MEDIUM_RID;
    token->ntlab.origin    = thread_get_impersonation_token( current )->ntlab.auth_id;
    if (ntlab_token_has_sid( token, &builtin_admins_sid, 0 )) set_owner( token, &builtin_admins_sid );
    reset_default_dacl( token );
    return token;
}

/* an administrator's interactive logon makes two sessions: one with the limited token, which is
 * returned, linked to one with the full token */
static struct token *split_token( struct token *full, const struct ntlab_session *session )
{
    struct ntlab_session *limited = ntlab_session_new( session->info.type, full->user, session->info.name );
    struct token *token;

    if (!limited) return NULL;
    if (!(token = token_duplicate( full, TRUE, 0, NULL, NULL, 0, NULL, 0 )))
    {
        ntlab_session_release( limited );
        return NULL;
    }
    ntlab_session_release( token->ntlab.session );
    token->ntlab.session = limited;
    token->ntlab.auth_id = limited->id;
    ntlab_token_make_limited( token );
    limited->linked = (struct token *)grab_object( full );
    full->ntlab.session->limited = limited->id;
    return token;
}

/* MSDN "LogonUserW": LOGON32_LOGON_NEW_CREDENTIALS clones the caller's token for other credentials on the network,
 * which nobody checks here */
static struct token *clone_token(void)
{
    struct token *own = thread_get_impersonation_token( current ), *token;
    const struct ntlab_session *old = own->ntlab.session;
    struct ntlab_session *session;

    if (!own->primary && own->impersonation_level < SecurityImpersonation)
    {
        set_error( STATUS_BAD_IMPERSONATION_LEVEL );
        return NULL;
    }
    if (!(session = ntlab_session_new( LOGON32_LOGON_NEW_CREDENTIALS, own->user, old ? old->info.name : NULL ))) return NULL;
    if (!(token = token_duplicate( own, TRUE, 0, NULL, NULL, 0, NULL, 0 )))
    {
        ntlab_session_release( session );
        return NULL;
    }
    ntlab_session_release( token->ntlab.session );
    token->ntlab.session = session;
    token->ntlab.auth_id = session->id;
    token->ntlab.origin  = own->ntlab.auth_id;
    allocate_luid( &token->modified_id );
    ntlab_keep_first_token( token );
    return token;
}

struct token *ntlab_logon_user( const struct ntlab_logon *logon, unsigned int *substatus )
{
    struct token *token = NULL, *limited;
    struct ntlab_session *session;
    struct logon_groups *list;
    struct sam_sid logon_sid;
    struct account *user;
    unsigned int status;
    int is_admin;

    *substatus = STATUS_SUCCESS;
    if (logon->type == LOGON32_LOGON_NEW_CREDENTIALS) return clone_token();

    user = find_local_user( logon );
    if ((status = ntlab_authenticate( user, logon->password.str, logon->password.len, substatus )))
    {
        set_error( status );
        return NULL;
    }
    ntlab_sam_account_sid( user->info.rid, (struct sid *)logon_sid.bytes );
    if (!(session = ntlab_session_new( logon->type, sid_of( &logon_sid ), user->info.name ))) return NULL;
    logon_sid_of_session( session, &logon_sid );
    if (!(list = build_groups( user, logon->type, logon->logon_sid ? logon->logon_sid : sid_of( &logon_sid ))))
    {
        ntlab_session_release( session );
        return NULL;
    }
    /* the built-in Administrator is not asked (FilterAdministratorToken is off) */
    is_admin = has_logon_group( list, &builtin_admins_sid ) && user->info.rid != SAM_ADMIN_RID;
    if (list->count == MAX_LOGON_GROUPS || !ntlab_may_log_on( logon->type, list->sids, list->count + 1 ))
    {
        set_error( list->count == MAX_LOGON_GROUPS ? STATUS_TOO_MANY_CONTEXT_IDS : STATUS_LOGON_TYPE_NOT_GRANTED );
        ntlab_session_release( session );
    }
    else token = make_token( user, logon->type, session, list, is_admin );
    free( list );

    if (token && is_admin && (logon->type == LOGON32_LOGON_INTERACTIVE || logon->type == LOGON32_LOGON_UNLOCK))
    {
        limited = split_token( token, session );
        ntlab_keep_first_token( token );
        release_object( token );
        token = limited;
    }
    if (token) ntlab_keep_first_token( token );
    return token;
}

DECL_HANDLER(ntlab_logon)
{
    const WCHAR *text = get_req_data();
    const data_size_t size = get_req_data_size();
    struct ntlab_logon logon = { .type = req->type };
    struct token *token;

    if (!ntlab_enabled || ((req->name_len | req->domain_len | size) & 1) || req->name_len > size ||
        req->domain_len > size - req->name_len)
    {
        set_error( STATUS_INVALID_PARAMETER );
        return;
    }
    logon.name.str     = text;
    logon.name.len     = req->name_len;
    logon.domain.str   = logon.name.str + req->name_len / sizeof(WCHAR);
    logon.domain.len   = req->domain_len;
    logon.password.str = logon.domain.str + req->domain_len / sizeof(WCHAR);
    logon.password.len = size - req->name_len - req->domain_len;
    switch (logon.type)
    {
    case LOGON32_LOGON_INTERACTIVE:
    case LOGON32_LOGON_NETWORK:
    case LOGON32_LOGON_BATCH:
    case LOGON32_LOGON_SERVICE:
    case LOGON32_LOGON_UNLOCK:
    case LOGON32_LOGON_NETWORK_CLEARTEXT:
    case LOGON32_LOGON_NEW_CREDENTIALS:
        break;
    default:
        set_error( STATUS_INVALID_PARAMETER );
        return;
    }
    if ((token = ntlab_logon_user( &logon, &reply->substatus )))
    {
        reply->handle = alloc_handle_no_access_check( current->process, token, TOKEN_ALL_ACCESS, 0 );
        release_object( token );
    }
}

/* TokenLinkedToken of those that were split here; 0 for the user that runs Wine */
static int ntlab_linked_token( struct token *token, obj_handle_t *handle )
{
    struct ntlab_session *session = token->ntlab.session, *limited;
    struct token *linked;

    if (!ntlab_enabled || !session || (!session->linked && !session->limited.low_part)) return 0;
    /* an identity alone for a caller without SeTcbPrivilege, which nobody has here */
    if (!(linked = token_duplicate( session->linked ? session->linked : token, FALSE, SecurityIdentification,
                                    NULL, NULL, 0, NULL, 0 ))) return 1;
    if (!session->linked)
    {
        ntlab_token_make_limited( linked );
        if ((limited = ntlab_session_find( session->limited )))
        {
            ntlab_session_release( linked->ntlab.session );
            linked->ntlab.session = ntlab_session_grab( limited );
            linked->ntlab.auth_id = limited->id;
        }
    }
    *handle = alloc_handle_no_access_check( current->process, linked, TOKEN_ALL_ACCESS, 0 );
    release_object( linked );
    return 1;
}

/* a line of the dump */
void ntlab_print_token( FILE *file, const struct token *token )
{
    const struct privilege *privilege;
    const struct group *group;

    fprintf( file, "id=%u session=%u-%u origin=%u-%u kind=%s level=%d elevation=%d integrity=%#x flags=%#x user=", token->token_id.low_part,
             token->ntlab.auth_id.high_part, token->ntlab.auth_id.low_part, token->ntlab.origin.high_part, token->ntlab.origin.low_part,
             token->primary ? "primary" : "impersonation", token->impersonation_level, token->elevation, token->ntlab.integrity,
             token->ntlab.flags );
    ntlab_print_sid( file, token->user );
    if (token->ntlab.user_attrs & SE_GROUP_USE_FOR_DENY_ONLY) fprintf( file, " user-denies" );
    LIST_FOR_EACH_ENTRY( group, &token->groups, const struct group, entry )
    {
        fprintf( file, group->attrs & SE_GROUP_USE_FOR_DENY_ONLY ? " denies=" : group->attrs & SE_GROUP_ENABLED ? " group=" : " disabled=" );
        ntlab_print_sid( file, &group->sid );
    }
    LIST_FOR_EACH_ENTRY( group, &token->ntlab.restricted, const struct group, entry )
    {
        fprintf( file, " restricting=" );
        ntlab_print_sid( file, &group->sid );
    }
    LIST_FOR_EACH_ENTRY( privilege, &token->privileges, const struct privilege, entry )
        fprintf( file, " privilege=%u%s", privilege->luid.low_part, privilege->enabled ? "+" : "" );
    fputc( '\n', file );
}
