#include "common/token/token_info.h"

#include <string.h>

#include "base/memory.h"
#include "win/error.h"

#define ENOUGH 2048u /* bytes: for most of what there is to ask, one call */

/* Well-known SIDs as bytes: no call that can fail.  The kernel refuses a SID or an ACL that is not aligned. */
static const _Alignas(4) uint8_t everyone[12] = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
static const _Alignas(4) uint8_t owner_rights[12] = {1, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0};
static const _Alignas(4) uint8_t local_system[12] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
/* LOCAL, CONSOLE LOGON, BATCH, INTERACTIVE, Authenticated Users: what admits these admits whoever is logged on. */
static const _Alignas(4) uint8_t logged_on[5][12] = {{1, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0},
                                                     {1, 1, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0},
                                                     {1, 1, 0, 0, 0, 0, 0, 5, 3, 0, 0, 0},
                                                     {1, 1, 0, 0, 0, 0, 0, 5, 4, 0, 0, 0},
                                                     {1, 1, 0, 0, 0, 0, 0, 5, 11, 0, 0, 0}};

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

static sbx_status ask_self(sbx_token_self *self, sbx_error *err)
{
    sbx_status st = sbx_user_get(&self->user, err);

    if (st == SBX_OK)
        st = sbx_user_logon(&self->logon, &self->has_logon, err);
    return st == SBX_OK ? sbx_token_integrity(GetCurrentProcessToken(), &self->integrity, err) : st;
}

sbx_status sbx_token_ask_self(const sbx_token_self **self, sbx_error *err)
{
    static SRWLOCK lock = SRWLOCK_INIT;
    static sbx_token_self known;
    static int is_known;
    sbx_status st = SBX_OK;

    AcquireSRWLockExclusive(&lock);
    if (!is_known && (st = ask_self(&known, err)) == SBX_OK)
        is_known = 1;
    ReleaseSRWLockExclusive(&lock);
    *self = &known;
    return st;
}

static void copy_sid(sbx_user_sid *to, const void *sid)
{
    memcpy(to->u.bytes, sid, GetLengthSid(as_sid(sid)));
}

sbx_status sbx_token_ask(void *token, sbx_token_self *self, sbx_error *err)
{
    TOKEN_USER *user = NULL;
    TOKEN_GROUPS *groups = NULL;
    DWORD i;
    sbx_status st;

    memset(self, 0, sizeof(*self));
    st = sbx_token_info(token, TokenUser, (void **)&user, err);
    if (st == SBX_OK)
        st = sbx_token_info(token, TokenGroups, (void **)&groups, err);
    if (user && groups) {
        copy_sid(&self->user, user->User.Sid);
        for (i = 0; i < groups->GroupCount && !self->has_logon; i++) {
            self->has_logon = (groups->Groups[i].Attributes & SE_GROUP_LOGON_ID) == SE_GROUP_LOGON_ID;
            if (self->has_logon)
                copy_sid(&self->logon, groups->Groups[i].Sid);
        }
        st = sbx_token_integrity(token, &self->integrity, err);
    }
    sbx_free(groups);
    sbx_free(user);
    return st;
}

uint32_t sbx_token_denied(const sbx_token_spec *spec, const sbx_token_self *self, SID_AND_ATTRIBUTES *sids)
{
    uint32_t i, n = 0;

    memset(sids, 0, SBX_TOKEN_DENIED * sizeof(*sids));
    if (spec->launcher && self->has_logon)
        sids[n++].Sid = as_sid(self->logon.u.bytes);
    for (i = 0; spec->is_whole && i < sizeof(logged_on) / sizeof(logged_on[0]); i++)
        sids[n++].Sid = as_sid(logged_on[i]);
    if (spec->is_whole && spec->deny_only)
        sids[n++].Sid = as_sid(spec->deny_only);
    return n;
}

sbx_status sbx_token_restricting(const sbx_token_spec *spec, const sbx_token_self *self, SID_AND_ATTRIBUTES **sids,
                                 uint32_t *count, sbx_error *err)
{
    SID_AND_ATTRIBUTES *list;
    uint32_t i, n = 0;

    if (spec->root_count > SBX_TOKEN_ROOTS) {
        sbx_fail(err, SBX_E_REFUSED, "restrict", "writable roots");
        return sbx_hint(err, "a token has room for %u writable roots; take a folder that holds several of them",
                        SBX_TOKEN_ROOTS);
    }
    list = sbx_alloc_zero(spec->root_count + 4, sizeof(*list));
    if (!list)
        return sbx_fail_memory(err);
    *sids = list;
    *count = 0;
    if (spec->is_whole)
        return SBX_OK;
    for (i = 0; i < spec->root_count; i++)
        list[n++].Sid = as_sid(spec->roots[i]);
    if (spec->set_sid)
        list[n++].Sid = as_sid(spec->set_sid);
    list[n++].Sid = as_sid(spec->run_sid);
    if (spec->launcher)
        list[n++].Sid = as_sid(self->user.u.bytes);
    else if (self->has_logon)
        list[n++].Sid = as_sid(self->logon.u.bytes);
    list[n++].Sid = as_sid(everyone);
    *count = n;
    return SBX_OK;
}

sbx_status sbx_token_default_dacl(const sbx_token_self *self, const void *run_sid, const void *launcher, void **acl,
                                  sbx_error *err)
{
    const DWORD size = sizeof(ACL) + 5 * (sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE);
    ACL *list = sbx_alloc_zero(1, size);
    void *ace = NULL;

    if (!list)
        return sbx_fail_memory(err);
    if (!InitializeAcl(list, size, ACL_REVISION) ||
        !AddAccessAllowedAce(list, ACL_REVISION, GENERIC_ALL, as_sid(self->user.u.bytes)) ||
        !AddAccessAllowedAce(list, ACL_REVISION, GENERIC_ALL, as_sid(local_system)) ||
        !AddAccessAllowedAce(list, ACL_REVISION, GENERIC_ALL, as_sid(run_sid)) ||
        (launcher && !AddAccessAllowedAce(list, ACL_REVISION, GENERIC_ALL, as_sid(launcher))) ||
        !AddAccessAllowedAce(list, ACL_REVISION, READ_CONTROL, as_sid(owner_rights)) ||
        !GetAce(list, launcher ? 4 : 3, &ace)) {
        sbx_fail_last(err, SBX_E_SYSTEM, "AddAccessAllowedAce", "default DACL");
        sbx_free(list);
        return SBX_E_SYSTEM;
    }
    /* no slack: the kernel keeps the size that it was given */
    list->AclSize = (WORD)((const char *)ace + ((const ACE_HEADER *)ace)->AceSize - (const char *)list);
    *acl = list;
    return SBX_OK;
}
