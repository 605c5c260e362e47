/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: tokens of AppContainers
 *
 * Compiled as part of Wine's server/token.c.  MSDN "NtCreateLowBoxToken", "Implement an AppContainer", "AppContainer
 * Isolation": what does not name the package, one of its capabilities, or all packages, is closed, whatever the user may.
 */

#define PACKAGE_BASE    2   /* S-1-15-2-... */
#define CAPABILITY_BASE 3   /* S-1-15-3-... */

static int is_package_authority( const struct sid *sid, unsigned int base )
{
    static const unsigned char authority[6] = SECURITY_APP_PACKAGE_AUTHORITY;

    return !memcmp( sid->id_auth, authority, sizeof(authority) ) && sid->sub_count > 1 && sid->sub_auth[0] == base;
}

/* a package has seven numbers behind the base, one within another package eleven (MSDN "DeriveAppContainerSidFromAppContainerName") */
static int is_package( const struct sid *sid )
{
    return is_package_authority( sid, PACKAGE_BASE ) && (sid->sub_count == 8 || sid->sub_count == 12);
}

/* does an ACE for this SID apply to what a token has as an AppContainer? */
static int package_matches( const struct token *token, const struct sid *sid )
{
    const unsigned int all = token->ntlab.flags & NTLAB_TOKEN_LPAC ? 2 : 1;

    if (equal_sid( token->ntlab.package, sid ) || find_sid( &token->ntlab.capabilities, sid )) return 1;
    if (!is_package_authority( sid, PACKAGE_BASE ) || sid->sub_count != 2) return 0;
    return sid->sub_auth[1] == 2 || sid->sub_auth[1] == all;  /* ALL RESTRICTED APPLICATION PACKAGES are all of them */
}

int ntlab_token_is_lowbox( const struct token *token )
{
    return token->ntlab.package != NULL;
}

int ntlab_token_has_capability( const struct token *token, unsigned int rid )
{
    const struct sid sid = { SID_REVISION, 2, SECURITY_APP_PACKAGE_AUTHORITY, { CAPABILITY_BASE, rid } };

    return find_sid( &token->ntlab.capabilities, &sid ) != NULL;
}

static int copy_capabilities( struct token *dst, const struct sid *sid, unsigned int count )
{
    for (; count; count--, sid = (const struct sid *)((const char *)sid + sid_len( sid )))
    {
        if (!is_package_authority( sid, CAPABILITY_BASE ))
        {
            set_error( STATUS_INVALID_PARAMETER );
            return 0;
        }
        if (!find_sid( &dst->ntlab.capabilities, sid ) &&
            !add_sid( &dst->ntlab.capabilities, sid, SE_GROUP_ENABLED )) return 0;
    }
    return 1;
}

/* the package may do everything with what the token makes */
static int admit_package( struct token *token )
{
    struct acl *dacl;

    if (!token->default_dacl) return 1;
    if (!(dacl = ntlab_acl_add( token->default_dacl, token->ntlab.package, GENERIC_ALL ))) return 0;
    free( token->default_dacl );
    token->default_dacl = dacl;
    return 1;
}

static int make_lowbox( struct token *token, const struct sid *package, const struct sid *capabilities, unsigned int count )
{
    const struct luid keep[] = { SeChangeNotifyPrivilege, SeShutdownPrivilege, SeUndockPrivilege,
                                 SeIncreaseWorkingSetPrivilege, SeTimeZonePrivilege };

    if (!(token->ntlab.package = memdup( package, sid_len( package )))) return 0;
    token->ntlab.integrity = SECURITY_MANDATORY_LOW_RID;
    keep_privileges( token, keep, ARRAY_SIZE( keep ));
    allocate_luid( &token->modified_id );
    return copy_capabilities( token, capabilities, count ) && admit_package( token );
}

/* complete a copy of a token */
static int copy_lowbox( struct token *dst, const struct token *src )
{
    const struct group *group;

    if (!src->ntlab.package) return 1;
    if (!(dst->ntlab.package = memdup( src->ntlab.package, sid_len( src->ntlab.package )))) return 0;
    LIST_FOR_EACH_ENTRY( group, &src->ntlab.capabilities, const struct group, entry )
        if (!add_sid( &dst->ntlab.capabilities, &group->sid, group->attrs )) return 0;
    return 1;
}

DECL_HANDLER(ntlab_create_lowbox)
{
    const struct sid *package = get_req_data(), *capabilities;
    struct token *caller = thread_get_impersonation_token( current ), *src, *token;
    unsigned int count;

    if (!sid_valid_size( package, get_req_data_size() ) || !is_package( package ))
    {
        set_error( STATUS_INVALID_PARAMETER );
        return;
    }
    capabilities = (const struct sid *)((const char *)package + sid_len( package ));
    count = get_sid_count( capabilities, get_req_data_size() - sid_len( package ));
    if (caller->ntlab.integrity < SECURITY_MANDATORY_MEDIUM_RID)  /* the page: medium or higher */
    {
        set_error( STATUS_ACCESS_DENIED );
        return;
    }
    if (!(src = get_token_obj( current->process, req->handle, TOKEN_QUERY ))) return;
    if (src->ntlab.package) set_error( STATUS_ACCESS_DENIED );
    else if (!src->primary && src->impersonation_level < SecurityImpersonation) set_error( STATUS_BAD_IMPERSONATION_LEVEL );
    else if ((token = token_duplicate( src, TRUE, SecurityAnonymous, NULL, NULL, 0, NULL, 0 )))
    {
        if (make_lowbox( token, package, capabilities, count ))
            reply->new_handle = alloc_handle_no_access_check( current->process, token, req->access, 0 );
        release_object( token );
    }
    release_object( src );
}

/* closed to what is open to all packages: CreateProcess with PROC_THREAD_ATTRIBUTE_ALL_APPLICATION_PACKAGES_POLICY */
DECL_HANDLER(ntlab_set_lpac)
{
    struct token *token = get_token_obj( current->process, req->handle, TOKEN_ADJUST_DEFAULT );

    if (!token) return;
    token->ntlab.flags |= NTLAB_TOKEN_LPAC;
    release_object( token );
}

DECL_HANDLER(ntlab_get_lowbox)
{
    struct token *token = get_token_obj( current->process, req->handle, TOKEN_QUERY );
    const struct group *group;
    struct sid *sid;

    if (!token) return;
    if (token->ntlab.package)
    {
        reply->package_size = reply->size = sid_len( token->ntlab.package );
        LIST_FOR_EACH_ENTRY( group, &token->ntlab.capabilities, const struct group, entry )
        {
            reply->count++;
            reply->size += sid_len( &group->sid );
        }
        if (reply->size <= get_reply_max_size() && (sid = set_reply_data_size( reply->size )))
        {
            sid = copy_sid( sid, token->ntlab.package );
            LIST_FOR_EACH_ENTRY( group, &token->ntlab.capabilities, const struct group, entry )
                sid = copy_sid( sid, &group->sid );
        }
    }
    release_object( token );
}
