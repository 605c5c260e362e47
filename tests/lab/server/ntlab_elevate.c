/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: User Account Control, what the Application Information service does
 *
 * Compiled as part of Wine's server/token.c.  LAB_STATE=uac=... is what somebody at the screen answers:
 *   yes    consents: the full token of a member of Administrators.  Others are asked for the password of an administrator,
 *          which nobody knows
 *   no     refuses
 *   other  types the password of the built-in Administrator, who gets a profile
 * (MSDN "How User Account Control works").  The caller gets a token that it can only start a process with.
 */

/* the account, with a session of its own on the caller's desktop */
static struct token *create_administrator_token( const struct token *caller )
{
    const struct account *user = ntlab_user_by_rid( SAM_ADMIN_RID );
    struct ntlab_session *session;
    struct logon_groups *list;
    struct token *token = NULL;
    struct sam_sid sid;

    if (!user || !ntlab_token_logon_sid( caller ))
    {
        set_error( STATUS_LOGON_FAILURE );
        return NULL;
    }
    ntlab_sam_account_sid( user->info.rid, (struct sid *)sid.bytes );
    if (!(session = ntlab_session_new( LOGON32_LOGON_INTERACTIVE, sid_of( &sid ), user->info.name ))) return NULL;
    if ((list = build_groups( user, LOGON32_LOGON_INTERACTIVE, ntlab_token_logon_sid( caller ))))
        token = make_token( user, LOGON32_LOGON_INTERACTIVE, session, list, 0 );
    else ntlab_session_release( session );
    free( list );
    if (token && !ntlab_load_profile( token, "Administrator" ))
    {
        release_object( token );
        token = NULL;
    }
    return token;
}

/* the other half of a split token */
static struct token *create_full_token( struct token *limited )
{
    struct ntlab_session *session = limited->ntlab.session;
    struct token *token;

    if (session && session->linked) return token_duplicate( session->linked, TRUE, 0, NULL, NULL, 0, NULL, 0 );
    if (!(token = token_create_admin( TRUE, -1, TokenElevationTypeFull, limited->session_id ))) return NULL;
    if (ntlab_token_same_session( token, limited ) &&
        (session = ntlab_session_new( LOGON32_LOGON_INTERACTIVE, token->user, ntlab_wine_user_name() )))
    {
        ntlab_session_release( token->ntlab.session );
        token->ntlab.session = session;
        token->ntlab.auth_id = session->id;
    }
    return token;
}

DECL_HANDLER(ntlab_elevate)
{
    struct token *own = current->process->token, *token;
    const int answer = ntlab_second( NTLAB_UAC );

    if (!ntlab_enabled) return;
    if (ntlab_token_has_sid( own, &builtin_admins_sid, 0 )) token = token_duplicate( own, TRUE, 0, NULL, NULL, 0, NULL, 0 );
    else if (answer == 2) token = create_administrator_token( own );
    else if (answer == 0 && own->elevation == TokenElevationTypeLimited) token = create_full_token( own );
    else
    {
        set_error( STATUS_CANCELLED );
        return;
    }
    if (!token) return;
    token->ntlab.flags |= NTLAB_TOKEN_SECLOGON;
    reply->token = alloc_handle_no_access_check( current->process, token, TOKEN_QUERY | TOKEN_ASSIGN_PRIMARY, 0 );
    reply->in_system32 = !ntlab_second( NTLAB_RUNAS_DIRECTORY );
    release_object( token );
}
