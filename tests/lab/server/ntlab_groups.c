/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: NtAdjustGroupsToken (MSDN "AdjustTokenGroups")
 *
 * Included at the end of Wine's server/token.c, behind ntlab_token.c.
 */

static unsigned int may_set_group( const struct group *group, int enable )
{
    if (enable && (group->attrs & SE_GROUP_USE_FOR_DENY_ONLY)) return STATUS_CANT_ENABLE_DENY_ONLY;
    if (!enable && (group->attrs & (SE_GROUP_MANDATORY | SE_GROUP_LOGON_ID)) && !(group->attrs & SE_GROUP_USE_FOR_DENY_ONLY))
        return STATUS_CANT_DISABLE_MANDATORY;
    return STATUS_SUCCESS;
}

struct new_state
{
    struct group *group;
    int           enable;
};

/* the groups that change; either all do or none does */
static unsigned int collect_changes( struct token *token, int reset, const unsigned int *attrs, const struct sid *sid,
                                     unsigned int count, struct new_state *changes, unsigned int *found )
{
    struct group *group;
    unsigned int i, status;

    *found = 0;
    if (reset)
    {
        LIST_FOR_EACH_ENTRY( group, &token->groups, struct group, entry )
        {
            const int enable = !!(group->attrs & SE_GROUP_ENABLED_BY_DEFAULT);

            if (enable == !!(group->attrs & SE_GROUP_ENABLED) || may_set_group( group, enable )) continue;
            changes->group = group;
            changes++->enable = enable;
            (*found)++;
        }
        return STATUS_SUCCESS;
    }
    for (i = 0; i < count; i++, sid = (const struct sid *)((const char *)sid + sid_len( sid )))
    {
        const int enable = !!(attrs[i] & SE_GROUP_ENABLED);

        if (!(group = find_sid( &token->groups, sid ))) continue;
        if ((status = may_set_group( group, enable ))) return status;
        if (enable == !!(group->attrs & SE_GROUP_ENABLED)) continue;
        changes->group = group;
        changes++->enable = enable;
        (*found)++;
    }
    return STATUS_SUCCESS;
}

DECL_HANDLER(ntlab_adjust_groups)
{
    const unsigned int *attrs = get_req_data();
    const data_size_t attrs_size = req->count * sizeof(*attrs), size = get_req_data_size();
    struct new_state *changes;
    struct token *token;
    unsigned int i, found, status, missing = 0;
    const struct sid *sid = (const struct sid *)(attrs + req->count);
    char *data;

    if (req->count > 1024 || attrs_size > size || get_sid_count( sid, size - attrs_size ) != req->count)
    {
        set_error( STATUS_INVALID_PARAMETER );
        return;
    }
    if (!(token = get_token_obj( current->process, req->handle, TOKEN_ADJUST_GROUPS | (req->previous ? TOKEN_QUERY : 0) ))) return;
    if (!(changes = mem_alloc( (list_count( &token->groups ) + req->count + 1) * sizeof(*changes) ))) goto done;
    if ((status = collect_changes( token, req->reset, attrs, sid, req->count, changes, &found )))
    {
        set_error( status );
        goto done;
    }
    reply->count = found;
    for (i = 0; i < found; i++) reply->sids_size += sid_len( &changes[i].group->sid );
    if (req->previous)
    {
        /* what TOKEN_GROUPS takes in the caller: a count, then a pointer and the attributes of each */
        if (max( 24, 8 + found * 16 ) + reply->sids_size > req->previous_size)
        {
            set_error( STATUS_BUFFER_TOO_SMALL );
            goto done;
        }
        if (!(data = set_reply_data_size( found * sizeof(unsigned int) + reply->sids_size ))) goto done;
        for (i = 0; i < found; i++) ((unsigned int *)data)[i] = changes[i].group->attrs;
        data += found * sizeof(unsigned int);
        for (i = 0; i < found; i++) data = (char *)copy_sid( (struct sid *)data, &changes[i].group->sid );
    }
    for (i = 0; i < found; i++)
    {
        if (changes[i].enable) changes[i].group->attrs |= SE_GROUP_ENABLED;
        else changes[i].group->attrs &= ~SE_GROUP_ENABLED;
    }
    if (found) allocate_luid( &token->modified_id );
    for (i = 0; !req->reset && i < req->count; i++, sid = (const struct sid *)((const char *)sid + sid_len( sid )))
        if (!find_sid( &token->groups, sid )) missing = 1;
    if (missing) set_error( STATUS_NOT_ALL_ASSIGNED );
done:
    free( changes );
    release_object( token );
}
