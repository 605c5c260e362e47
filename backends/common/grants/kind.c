#include "common/grants/kind.h"

#include "common/grants/audience.h"

uint32_t sbx_kind_aces(uint32_t kind, int is_directory, sbx_ace aces[3])
{
    if (kind == SBX_RECORD_GRANT) {
        aces[0] = (sbx_ace){SBX_ACE_ALLOW, SBX_KIND_BELOW | SBX_ACE_ONLY_BELOW, SBX_KIND_ALLOW};
        aces[1] = (sbx_ace){SBX_ACE_DENY, 0, SBX_KIND_MOVE};
        aces[2] = (sbx_ace){SBX_ACE_ALLOW, 0, SBX_KIND_ALLOW_HERE};
        return 3;
    }
    if (kind == SBX_RECORD_GROW) { /* no directory in it may be moved or deleted */
        aces[0] = (sbx_ace){SBX_ACE_ALLOW, SBX_ACE_FILES | SBX_ACE_ONLY_BELOW, SBX_KIND_ALLOW};
        aces[1] = (sbx_ace){SBX_ACE_DENY, 0, SBX_KIND_MOVE};
        aces[2] = (sbx_ace){SBX_ACE_ALLOW, SBX_ACE_DIRS, SBX_KIND_ALLOW_HERE};
        return 3;
    }
    if (kind == SBX_RECORD_READ) {
        aces[0] = (sbx_ace){SBX_ACE_ALLOW, SBX_KIND_BELOW | SBX_ACE_ONLY_BELOW, SBX_KIND_READ};
        aces[1] = (sbx_ace){SBX_ACE_ALLOW, 0, SBX_KIND_READ};
        return 2;
    }
    if (kind == SBX_RECORD_ABOVE) {
        aces[0] = (sbx_ace){SBX_ACE_ALLOW, 0, SBX_KIND_LOOK};
        return 1;
    }
    if (kind == SBX_RECORD_HOLD || kind == SBX_RECORD_ENCLOSE) {
        aces[0] = (sbx_ace){SBX_ACE_DENY, 0, SBX_KIND_MOVE};
        return 1;
    }
    if (is_directory && kind != SBX_RECORD_SHUT) {
        aces[0] = (sbx_ace){SBX_ACE_DENY, SBX_KIND_BELOW | SBX_ACE_ONLY_BELOW, SBX_KIND_CHANGE};
        aces[1] = (sbx_ace){SBX_ACE_DENY, 0, SBX_KIND_CHANGE};
        return 2;
    }
    aces[0] = (sbx_ace){SBX_ACE_DENY, 0, SBX_KIND_CHANGE};
    return 1;
}

int sbx_kind_is_tree(uint32_t kind)
{
    return kind == SBX_RECORD_GRANT || kind == SBX_RECORD_READ;
}

int sbx_kind_is_made_in(uint32_t kind)
{
    return kind == SBX_RECORD_GRANT || kind == SBX_RECORD_GROW;
}

int sbx_kind_is_root(uint32_t kind)
{
    return sbx_kind_is_made_in(kind) || kind == SBX_RECORD_ENCLOSE;
}

int sbx_kind_shuts(uint32_t kind)
{
    return kind != SBX_RECORD_READ && kind != SBX_RECORD_ABOVE;
}

sbx_ace sbx_kind_shut(uint32_t kind)
{
    const sbx_ace deny = {SBX_ACE_DENY, kind == SBX_RECORD_DENY ? SBX_ACE_DIRS : 0, FILE_DELETE_CHILD};

    return deny;
}

int sbx_kind_is_users(const void *acl, const sbx_user_sid *user, const sbx_sid *sid)
{
    const sbx_ace here = sbx_kind_shut(SBX_RECORD_HOLD), below = sbx_kind_shut(SBX_RECORD_DENY);

    return (sbx_acl_has(acl, user->u.bytes, &here) || sbx_acl_has(acl, user->u.bytes, &below)) &&
           !sbx_acl_marked(acl, sid->bytes) && !sbx_acl_marked_by_others(acl, sid->bytes);
}

int sbx_kind_is_shut(const void *acl, const sbx_user_sid *user, int below)
{
    return sbx_acl_shuts(acl, user->u.bytes, FILE_DELETE_CHILD, 0) &&
           (!below || sbx_acl_shuts(acl, user->u.bytes, FILE_DELETE_CHILD, 1));
}

int sbx_kind_is_shut_in(const void *acl, const sbx_root *root, const sbx_user_sid *user)
{
    return sbx_kind_is_shut(acl, user, 1) && (!root->audience || sbx_kind_is_shut(acl, &root->audience->writers, 1));
}

int sbx_kind_leaves(const void *acl, const sbx_root *root, const sbx_user_sid *user, uint32_t mask, int below)
{
    return sbx_acl_leaves(acl, root->sid.bytes, root->audience ? user->u.bytes : NULL, mask, below);
}

int sbx_kind_is_denied(const void *acl, const void *sid)
{
    sbx_ace found[16];
    uint32_t count = sbx_acl_find(acl, sid, found, 16), i;

    if (count > 16) /* whoever made that many wants something else */
        return 1;
    for (i = 0; i < count; i++)
        if (found[i].type == SBX_ACE_DENY && (found[i].flags & SBX_KIND_BELOW) == SBX_KIND_BELOW &&
            (found[i].mask & SBX_KIND_CHANGE) == SBX_KIND_CHANGE)
            return 1;
    return 0;
}
