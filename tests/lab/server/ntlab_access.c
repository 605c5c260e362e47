/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the access check (MS-DTYP 2.5.3.2, WSI ch. 7)
 *
 * Included at the end of Wine's server/token.c, behind ntlab_token.c.
 */

/* with the token's own SIDs, with its restricting SIDs, with those of an AppContainer */
enum pass { NORMAL_PASS, RESTRICTED_PASS, PACKAGE_PASS };

/* does an ACE for this SID apply to the token in this pass?  Restricting SIDs match allow and deny ACEs alike. */
static int ace_matches( struct token *token, const struct sid *sid, const struct sid *owner, int deny, enum pass pass )
{
    if (equal_sid( sid, &owner_rights_sid )) sid = owner;
    if (pass == RESTRICTED_PASS) return find_sid( &token->ntlab.restricted, sid ) != NULL;
    if (pass == PACKAGE_PASS) return package_matches( token, sid );
    return ntlab_token_has_sid( token, sid, deny );
}

/* rights that the DACL allows: each right is decided by the first ACE about it */
static unsigned int evaluate_dacl( struct token *token, const struct acl *dacl, const struct sid *owner,
                                   const generic_map_t *mapping, enum pass pass )
{
    unsigned int i, mask, allowed = 0, denied = 0;
    const struct ace *ace;

    for (i = 0, ace = ace_first( dacl ); i < dacl->count; i++, ace = ace_next( ace ))
    {
        const struct sid *sid = (const struct sid *)(ace + 1);

        if (ace->flags & INHERIT_ONLY_ACE) continue;
        mask = map_access( ace->mask, mapping );
        if (ace->type == ACCESS_ALLOWED_ACE_TYPE)
        {
            if (ace_matches( token, sid, owner, 0, pass )) allowed |= mask & ~denied;
        }
        else if (ace->type == ACCESS_DENIED_ACE_TYPE)
        {
            if (ace_matches( token, sid, owner, 1, pass )) denied |= mask & ~allowed;
        }
    }
    return allowed;
}

static int has_owner_rights_ace( const struct acl *dacl )
{
    unsigned int i;
    const struct ace *ace;

    for (i = 0, ace = ace_first( dacl ); i < dacl->count; i++, ace = ace_next( ace ))
        if (!(ace->flags & INHERIT_ONLY_ACE) && equal_sid( (const struct sid *)(ace + 1), &owner_rights_sid ))
            return 1;
    return 0;
}

/* rights that mandatory integrity control leaves one of this level: MS-DTYP 2.5.3.3, an object
 * without a label counts as medium with the no-write-up policy */
static unsigned int integrity_mask( unsigned int own_level, const struct security_descriptor *sd,
                                    const generic_map_t *mapping )
{
    unsigned int i, level = SECURITY_MANDATORY_MEDIUM_RID, policy = SYSTEM_MANDATORY_LABEL_NO_WRITE_UP;
    unsigned int mask = 0;
    const struct ace *ace;
    const struct acl *sacl;
    int present;

    if ((sacl = sd_get_sacl( sd, &present )) && present)
    {
        for (i = 0, ace = ace_first( sacl ); i < sacl->count; i++, ace = ace_next( ace ))
        {
            if (ace->type != SYSTEM_MANDATORY_LABEL_ACE_TYPE || (ace->flags & INHERIT_ONLY_ACE)) continue;
            level  = ((const struct sid *)(ace + 1))->sub_auth[0];
            policy = ace->mask;
            break;
        }
    }
    if (own_level >= level) return ~0u;
    if (!(policy & SYSTEM_MANDATORY_LABEL_NO_READ_UP)) mask |= mapping->read;
    if (!(policy & SYSTEM_MANDATORY_LABEL_NO_EXECUTE_UP)) mask |= mapping->exec;
    if (!(policy & SYSTEM_MANDATORY_LABEL_NO_WRITE_UP)) mask |= mapping->write;
    return mask;
}

/* the rights for which a write-restricted token needs its restricting SIDs.  By MS-DTYP and WSI every
 * right outside GENERIC_READ and GENERIC_EXECUTE; as publicly analysed and seen, those of GENERIC_WRITE
 * and the standard ones, so that FILE_DELETE_CHILD or THREAD_IMPERSONATE are asked once only. */
static unsigned int write_mask( const generic_map_t *mapping )
{
    const unsigned int read_only = mapping->read | mapping->exec;

    if (ntlab_second( NTLAB_DELETE_CHILD )) return ~read_only;
    return (mapping->write & ~read_only) | DELETE | WRITE_DAC | WRITE_OWNER | ACCESS_SYSTEM_SECURITY;
}

/* same contract as Wine's token_access_check() */
unsigned int ntlab_access_check( struct token *token, const struct security_descriptor *sd,
                                 unsigned int desired, struct luid_attr *privs,
                                 unsigned int *priv_count, const generic_map_t *mapping,
                                 unsigned int *granted, unsigned int *status )
{
    const unsigned int owner_access = READ_CONTROL | WRITE_DAC;
    const unsigned int writes = write_mask( mapping );
    const int maximum = !!(desired & MAXIMUM_ALLOWED);
    const int restricted = !list_empty( &token->ntlab.restricted );
    const struct sid *owner = sd_get_owner( sd );
    const int lowbox = ntlab_token_is_lowbox( token );
    unsigned int wanted = desired & ~MAXIMUM_ALLOWED, previous = 0, remaining, allowed, second, mic;
    struct luid_attr used = { { 0, 0 }, SE_PRIVILEGE_USED_FOR_ACCESS };
    const struct acl *dacl;
    int present;

    *granted = 0;
    *status  = STATUS_ACCESS_DENIED;
    if (!priv_count || !*priv_count) privs = NULL;
    if (priv_count) *priv_count = 0;

    if (desired & (GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL)) return STATUS_GENERIC_NOT_MAPPED;
    if (!owner || !sd_get_group( sd )) return STATUS_INVALID_SECURITY_DESCR;

    /* privileges that grant a right whatever the DACL says */
    if (wanted & ACCESS_SYSTEM_SECURITY)
    {
        if (!ntlab_token_has_privilege( token, SeSecurityPrivilege ))
        {
            *status = STATUS_PRIVILEGE_NOT_HELD;
            return STATUS_SUCCESS;
        }
        used.luid = SeSecurityPrivilege;
        previous |= ACCESS_SYSTEM_SECURITY;
    }
    if ((wanted & WRITE_OWNER) && ntlab_token_has_privilege( token, SeTakeOwnershipPrivilege ))
    {
        used.luid = SeTakeOwnershipPrivilege;
        previous |= WRITE_OWNER;
    }

    dacl = sd_get_dacl( sd, &present );
    if (!present) dacl = NULL;
    /* an AppContainer, which is at low level, writes where an ACE names it, without a label for it (WSI ch. 7) */
    mic  = integrity_mask( lowbox && dacl ? max( token->ntlab.integrity, SECURITY_MANDATORY_MEDIUM_RID ) : token->ntlab.integrity,
                           sd, mapping );

    /* the owner may always read and write the DACL, unless an OWNER RIGHTS ACE
     * says otherwise; for a restricted token its SID must be a restricting one too.  What the user owns is
     * not the AppContainer's */
    if (dacl && !lowbox && !has_owner_rights_ace( dacl ) && ace_matches( token, owner, owner, 0, NORMAL_PASS ) &&
        (!restricted || ace_matches( token, owner, owner, 0, RESTRICTED_PASS )))
        previous |= (maximum ? owner_access : wanted & owner_access) & mic;

    remaining = wanted & ~previous;
    if (!dacl) allowed = mapping->all;
    else
    {
        allowed = evaluate_dacl( token, dacl, owner, mapping, NORMAL_PASS );
        if (lowbox) allowed &= evaluate_dacl( token, dacl, owner, mapping, PACKAGE_PASS );

        /* second pass with the restricting SIDs; write-restricted tokens skip it
         * when they ask for nothing that writes */
        if (restricted)
        {
            if (!(token->ntlab.flags & NTLAB_TOKEN_WRITE_RESTRICTED))
                allowed &= evaluate_dacl( token, dacl, owner, mapping, RESTRICTED_PASS );
            else if (maximum || (remaining & writes))
            {
                second = evaluate_dacl( token, dacl, owner, mapping, RESTRICTED_PASS );
                if (maximum || !ntlab_second( NTLAB_DELETE_CHILD )) second |= ~writes;
                allowed &= second;
            }
        }
    }
    allowed &= mic;

    if (remaining & ~allowed) return STATUS_SUCCESS;
    *granted = maximum ? previous | allowed : wanted;
    if (*granted) *status = STATUS_SUCCESS;
    if (privs && (used.luid.low_part || used.luid.high_part))
    {
        *privs = used;
        *priv_count = 1;
    }
    return STATUS_SUCCESS;
}

/* access check in one call; returns the NT status */
int ntlab_check_sd( struct token *token, const struct security_descriptor *sd,
                    const generic_map_t *mapping, unsigned int desired, unsigned int *granted )
{
    unsigned int ret, status;

    if ((ret = ntlab_access_check( token, sd, desired, NULL, NULL, mapping, granted, &status ))) return ret;
    return status;
}

/* Does a filter's descriptor grant FWP_ACTRL_MATCH_FILTER (MSDN "Filtering Condition Identifiers",
 * FWPM_CONDITION_ALE_USER_ID)?  No page tells what becomes of restricting SIDs, and integrity levels
 * have no say in it. */
int ntlab_match_filter( struct token *token, const struct security_descriptor *sd )
{
    static const generic_map_t mapping = { STANDARD_RIGHTS_READ, STANDARD_RIGHTS_WRITE, STANDARD_RIGHTS_EXECUTE, STANDARD_RIGHTS_ALL | 1 };
    const unsigned int match = 1;
    const struct acl *dacl;
    int present;

    if (!(dacl = sd_get_dacl( sd, &present )) || !present) return 1;
    if (!(evaluate_dacl( token, dacl, sd_get_owner( sd ), &mapping, NORMAL_PASS ) & match)) return 0;
    if (ntlab_token_is_lowbox( token ) && ntlab_second( NTLAB_WFP_TOKEN ) != 2 &&
        !(evaluate_dacl( token, dacl, sd_get_owner( sd ), &mapping, PACKAGE_PASS ) & match)) return 0;
    if (list_empty( &token->ntlab.restricted )) return 1;
    switch (ntlab_second( NTLAB_WFP_TOKEN ))
    {
    case 1:  if (token->ntlab.flags & NTLAB_TOKEN_WRITE_RESTRICTED) return 1; break;
    case 2:  return 1;
    }
    return !!(evaluate_dacl( token, dacl, sd_get_owner( sd ), &mapping, RESTRICTED_PASS ) & match);
}
