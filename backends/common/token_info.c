#include "common/token_info.h"

#include <string.h>

#include "base/memory.h"
#include "win/error.h"

#define ENOUGH 2048u /* bytes: for most of what there is to ask, one call */

/* Well-known SIDs as bytes: no call that can fail. */
static const uint8_t everyone[12] = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
static const uint8_t owner_rights[12] = {1, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0};
static const uint8_t local_system[12] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};

/* Win32 takes SIDs without const and does not write to them. */
static PSID as_sid(const void *sid)
{
    return (PSID)(uintptr_t)sid;
}

sbx_status sbx_token_info(void *token, TOKEN_INFORMATION_CLASS what, void **info, sbx_error *err)
{
    DWORD size = ENOUGH, need = 0;
    void *data;

    for (;;) {
        data = sbx_alloc_zero(1, size + sizeof(TOKEN_GROUPS));
        if (!data)
            return sbx_fail_memory(err);
        if (GetTokenInformation(token, what, data, size, &need)) {
            *info = data;
            return SBX_OK;
        }
        if (need <= size || (GetLastError() != ERROR_INSUFFICIENT_BUFFER && GetLastError() != ERROR_BAD_LENGTH)) {
            sbx_fail_last(err, SBX_E_SYSTEM, "GetTokenInformation", "token");
            sbx_free(data);
            return SBX_E_SYSTEM;
        }
        sbx_free(data);
        size = need;
    }
}

sbx_status sbx_token_logon_sid(void *token, void **sid, sbx_error *err)
{
    TOKEN_GROUPS *groups = NULL;
    void *copy = NULL;
    DWORD i, length;
    sbx_status st = sbx_token_info(token, TokenGroups, (void **)&groups, err);

    if (st != SBX_OK)
        return st;
    for (i = 0; i < groups->GroupCount; i++) {
        if ((groups->Groups[i].Attributes & SE_GROUP_LOGON_ID) != SE_GROUP_LOGON_ID)
            continue;
        length = GetLengthSid(groups->Groups[i].Sid);
        copy = sbx_alloc(length);
        if (!copy) {
            st = sbx_fail_memory(err);
            goto out;
        }
        memcpy(copy, groups->Groups[i].Sid, length);
        break;
    }
    if (copy) {
        *sid = copy;
    } else {
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "find the logon SID", "own token");
        sbx_hint(err, "a command without one reaches neither its desktop nor its console");
    }
out:
    sbx_free(groups);
    return st;
}

sbx_status sbx_token_integrity(void *token, DWORD *level, sbx_error *err)
{
    TOKEN_MANDATORY_LABEL *label = NULL;
    sbx_status st = sbx_token_info(token, TokenIntegrityLevel, (void **)&label, err);

    if (st != SBX_OK)
        return st;
    *level = *GetSidSubAuthority(label->Label.Sid, (DWORD)(*GetSidSubAuthorityCount(label->Label.Sid) - 1));
    sbx_free(label);
    return SBX_OK;
}

sbx_status sbx_token_restricting(const sbx_token_spec *spec, void *logon, SID_AND_ATTRIBUTES **sids, uint32_t *count,
                                 sbx_error *err)
{
    SID_AND_ATTRIBUTES *list;
    uint32_t i, n = 0;

    if (spec->root_count > SBX_TOKEN_ROOTS) {
        sbx_fail(err, SBX_E_REFUSED, "restrict", "writable roots");
        return sbx_hint(err, "a token has room for %u writable roots; take a folder that holds several of them",
                        SBX_TOKEN_ROOTS);
    }
    list = sbx_alloc_zero(spec->root_count + 3, sizeof(*list));
    if (!list)
        return sbx_fail_memory(err);
    for (i = 0; i < spec->root_count; i++)
        list[n++].Sid = as_sid(spec->roots[i]);
    list[n++].Sid = as_sid(spec->run_sid);
    list[n++].Sid = logon;
    list[n++].Sid = as_sid(everyone);
    *sids = list;
    *count = n;
    return SBX_OK;
}

sbx_status sbx_token_default_dacl(void *user, const void *run_sid, void **acl, sbx_error *err)
{
    TOKEN_USER *info = NULL;
    ACL *list;
    const DWORD size = sizeof(ACL) + 4 * (sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE);
    sbx_status st = sbx_token_info(user, TokenUser, (void **)&info, err);

    if (st != SBX_OK)
        return st;
    list = sbx_alloc_zero(1, size);
    if (!list) {
        st = sbx_fail_memory(err);
    } else if (!InitializeAcl(list, size, ACL_REVISION) ||
               !AddAccessAllowedAce(list, ACL_REVISION, GENERIC_ALL, info->User.Sid) ||
               !AddAccessAllowedAce(list, ACL_REVISION, GENERIC_ALL, as_sid(local_system)) ||
               !AddAccessAllowedAce(list, ACL_REVISION, GENERIC_ALL, as_sid(run_sid)) ||
               !AddAccessAllowedAce(list, ACL_REVISION, READ_CONTROL, as_sid(owner_rights))) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "AddAccessAllowedAce", "default DACL");
        sbx_free(list);
    } else {
        /* no slack: the kernel keeps the size that it was given */
        void *ace = NULL;

        if (GetAce(list, 3, &ace))
            list->AclSize = (WORD)((const char *)ace + ((const ACE_HEADER *)ace)->AceSize - (const char *)list);
        *acl = list;
    }
    sbx_free(info);
    return st;
}
