/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: whom a thread may impersonate
 *
 * Included at the end of Wine's server/token.c, behind ntlab_token.c.  The rules are those of WSI ch. 4,
 * "Impersonating Tokens", and of MSDN "ImpersonateLoggedOnUser" and "Impersonation Levels".
 */

/* a restricted caller takes restricted tokens alone; one that is restricted in all it does takes none
 * that is so in writing only */
static int is_as_restricted( const struct token *own, const struct token *token )
{
    if (list_empty( &own->ntlab.restricted )) return 1;
    if (list_empty( &token->ntlab.restricted )) return 0;
    return (own->ntlab.flags & NTLAB_TOKEN_WRITE_RESTRICTED) || !(token->ntlab.flags & NTLAB_TOKEN_WRITE_RESTRICTED);
}

static int may_impersonate( struct token *own, const struct token *token )
{
    const int logged_on_here = is_equal_luid( token->ntlab.origin, own->ntlab.auth_id );

    if (token->impersonation_level < SecurityImpersonation) return 1;
    if (ntlab_token_has_privilege( own, SeImpersonatePrivilege )) return 1;
    if (token->ntlab.integrity > own->ntlab.integrity) return 0;
    if (logged_on_here && !ntlab_second( NTLAB_IMPERSONATE )) return 1;
    if (!logged_on_here && !equal_sid( own->user, token->user )) return 0;
    if (token->elevation == TokenElevationTypeFull && own->elevation != TokenElevationTypeFull) return 0;
    return is_as_restricted( own, token );
}

/* what a thread gets that asks for a token: one that it may not have comes at identification level.
 * Takes over the reference. */
static struct token *ntlab_impersonated( struct thread *thread, struct token *token )
{
    struct token *identity;

    if (!ntlab_enabled || !token || may_impersonate( thread->process->token, token )) return token;
    identity = token_duplicate( token, FALSE, SecurityIdentification, NULL, NULL, 0, NULL, 0 );
    release_object( token );
    return identity;
}

/* the token is complete, and what the logon of its session has made */
void ntlab_keep_first_token( struct token *token )
{
    struct ntlab_session *session = token->ntlab.session;
    struct token *first;

    if (!session || session->first) return;
    if (!(first = token_duplicate( token, FALSE, SecurityImpersonation, NULL, NULL, 0, NULL, 0 ))) return;
    ntlab_session_release( first->ntlab.session );
    first->ntlab.session = NULL;
    session->first = first;
}

/* With whose token a thread opens a pipe.  The redirector passes on its logon session alone, of which LSASS hands out the
 * first token (tiraniddo.dev "Sharing a Logon Session a Little Too Much"). */
struct token *ntlab_pipe_client( unsigned int options )
{
    struct token *token = thread_get_impersonation_token( current );
    const struct ntlab_session *session = token->ntlab.session;

    if (!(options & NTLAB_OPEN_REDIRECTED) || ntlab_second( NTLAB_LOOPBACK ) || !session || !session->first) return token;
    return session->first;
}

/* the client of a named pipe, as it was when it connected */
struct token *ntlab_client_token( struct token *token )
{
    int level = SecurityImpersonation;

    if (!ntlab_enabled) return NULL;
    if (!token->primary && token->impersonation_level < level) level = token->impersonation_level;
    return token_duplicate( token, FALSE, level, NULL, NULL, 0, NULL, 0 );
}

void ntlab_impersonate_client( struct token *client )
{
    struct token *token;

    if (!client) set_error( STATUS_CANNOT_IMPERSONATE );
    else if ((token = ntlab_impersonated( current, (struct token *)grab_object( client ))))
    {
        if (current->token) release_object( current->token );
        current->token = token;
    }
}

/* below SecurityImpersonation a token cannot be used to open objects */
int ntlab_token_can_impersonate( struct token *token )
{
    return token->primary || token->impersonation_level >= SecurityImpersonation;
}

/* the same, with the error */
int ntlab_require_level( struct token *token )
{
    if (!ntlab_enabled || ntlab_token_can_impersonate( token )) return 1;
    set_error( STATUS_BAD_IMPERSONATION_LEVEL );
    return 0;
}

/* MSDN "DuplicateTokenEx": an identity does not become a primary token */
static int ntlab_may_duplicate( const struct token *src, int primary )
{
    return !ntlab_enabled || !primary || src->primary || src->impersonation_level >= SecurityImpersonation;
}

/* MSDN "ImpersonateAnonymousToken": neither Everyone nor any other group is in that token.  A process with
 * a restricted token may not have it. */
DECL_HANDLER(ntlab_impersonate_anonymous)
{
    static const struct sid anonymous_sid = { SID_REVISION, 1, SECURITY_NT_AUTHORITY, { SECURITY_ANONYMOUS_LOGON_RID } };
    static const struct luid anonymous_logon = { 0x3e6, 0 };
    struct thread *thread = get_thread_from_handle( req->handle, THREAD_IMPERSONATE );
    struct token *token;

    if (!thread) return;
    if (!list_empty( &thread->process->token->ntlab.restricted )) set_error( STATUS_ACCESS_DENIED );
    else if ((token = create_token( FALSE, thread->process->session_id, &anonymous_sid, NULL, 0, NULL, 0, NULL, NULL,
                                    SecurityImpersonation, TokenElevationTypeDefault )))
    {
        token->owner = token->primary_group = token->user;
        token->ntlab.integrity = SECURITY_MANDATORY_UNTRUSTED_RID;
        token->ntlab.auth_id   = anonymous_logon;
        reset_default_dacl( token );
        if (thread->token) release_object( thread->token );
        thread->token = token;
    }
    release_object( thread );
}
