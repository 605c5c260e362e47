#include <string.h>

#include "base/memory.h"
#include "common/token/token_info.h"
#include "win/error.h"

/* TOKEN_ACCESS_INFORMATION.Flags; in the headers of drivers only (ntifs.h). */
#define FLAG_WRITE_RESTRICTED 0x0008u
#define FLAG_IS_RESTRICTED 0x0010u

/* Win32 takes SIDs without const and does not write to them. */
static PSID as_sid(const void *sid)
{
    return (PSID)(uintptr_t)sid;
}

static sbx_status gap(const char *what, sbx_error *err)
{
    sbx_fail(err, SBX_E_UNENFORCED, what, "the command's token");
    return sbx_hint(err, "the system does not enforce restricted tokens as asked; the command was not started");
}

static int has_sid(const SID_AND_ATTRIBUTES *list, uint32_t count, PSID sid)
{
    uint32_t i;

    for (i = 0; i < count; i++)
        if (EqualSid(list[i].Sid, sid))
            return 1;
    return 0;
}

static sbx_status check_restricting(const sbx_token_spec *spec, void *token, const sbx_token_self *self, sbx_error *err)
{
    TOKEN_GROUPS *found = NULL;
    SID_AND_ATTRIBUTES *want = NULL;
    uint32_t count = 0, i;
    sbx_status st = sbx_token_info(token, TokenRestrictedSids, (void **)&found, err);

    if (st != SBX_OK)
        return st;
    st = sbx_token_restricting(spec, self, &want, &count, err);
    if (st != SBX_OK)
        goto out;
    if (!found->GroupCount && count) {
        st = gap("restricting SIDs: there are none", err);
        goto out;
    }
    for (i = 0; i < count; i++)
        if (!has_sid(found->Groups, found->GroupCount, want[i].Sid)) {
            st = gap("restricting SIDs: one is missing", err);
            goto out;
        }
    for (i = 0; i < found->GroupCount; i++)
        if (!has_sid(want, count, found->Groups[i].Sid)) {
            st = gap("restricting SIDs: there is one too many", err);
            goto out;
        }
out:
    sbx_free(want);
    sbx_free(found);
    return st;
}

static sbx_status check_privileges(void *token, sbx_error *err)
{
    static const LUID change_notify = {23, 0}; /* SE_CHANGE_NOTIFY_PRIVILEGE of wdm.h, the same on every system */
    TOKEN_PRIVILEGES *found = NULL;
    DWORD i;
    sbx_status st = sbx_token_info(token, TokenPrivileges, (void **)&found, err);

    if (st != SBX_OK)
        return st;
    for (i = 0; i < found->PrivilegeCount && st == SBX_OK; i++)
        if (memcmp(&found->Privileges[i].Luid, &change_notify, sizeof(change_notify)))
            st = gap("privileges: there is more than SeChangeNotify", err);
    sbx_free(found);
    return st;
}

static sbx_status check_groups(const sbx_token_spec *spec, void *token, const sbx_token_self *self, sbx_error *err)
{
    static const uint8_t administrators[16] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0};
    TOKEN_GROUPS *found = NULL;
    SID_AND_ATTRIBUTES denied[SBX_TOKEN_DENIED];
    const uint32_t denied_count = sbx_token_denied(spec, self, denied);
    int logged_on = !self->has_logon || spec->launcher, is_enabled;
    DWORD i, attributes;
    sbx_status st = sbx_token_info(token, TokenGroups, (void **)&found, err);

    if (st != SBX_OK)
        return st;
    for (i = 0; i < found->GroupCount && st == SBX_OK; i++) {
        attributes = found->Groups[i].Attributes;
        is_enabled = (attributes & SE_GROUP_ENABLED) || !(attributes & SE_GROUP_USE_FOR_DENY_ONLY);
        if (is_enabled && EqualSid(found->Groups[i].Sid, as_sid(administrators)))
            st = gap("groups: Administrators is enabled", err);
        if (self->has_logon && EqualSid(found->Groups[i].Sid, as_sid(self->logon.u.bytes)) &&
            (attributes & SE_GROUP_ENABLED))
            logged_on = 1;
        if (is_enabled && spec->launcher && (attributes & SE_GROUP_LOGON_ID) == SE_GROUP_LOGON_ID)
            st = gap("groups: the logon SID of the user is enabled", err);
        else if (is_enabled && has_sid(denied, denied_count, found->Groups[i].Sid))
            st = gap("groups: one that is to be for deny only is enabled", err);
    }
    if (st == SBX_OK && !logged_on)
        st = gap("groups: the logon SID is missing", err);
    sbx_free(found);
    return st;
}

static sbx_status check_user(void *token, const sbx_token_self *self, sbx_error *err)
{
    PSID own = as_sid(self->user.u.bytes);
    TOKEN_USER *user = NULL;
    TOKEN_OWNER *owner = NULL;
    DWORD level = 0;
    sbx_status st;

    if ((st = sbx_token_info(token, TokenUser, (void **)&user, err)) != SBX_OK ||
        (st = sbx_token_info(token, TokenOwner, (void **)&owner, err)) != SBX_OK ||
        (st = sbx_token_integrity(token, &level, err)) != SBX_OK)
        goto out;
    if (!EqualSid(user->User.Sid, own))
        st = gap("user: it is another one", err);
    else if (!EqualSid(owner->Owner, own))
        st = gap("owner of new objects: it is not the user", err);
    else if (level > SECURITY_MANDATORY_MEDIUM_RID || level > self->integrity)
        st = gap("integrity: it is too high", err);
out:
    sbx_free(owner);
    sbx_free(user);
    return st;
}

static sbx_status check_default_dacl(const sbx_token_spec *spec, void *token, const sbx_token_self *self,
                                     sbx_error *err)
{
    TOKEN_DEFAULT_DACL *found = NULL;
    ACL *want = NULL;
    void *a = NULL, *b = NULL;
    DWORD i;
    sbx_status st = sbx_token_info(token, TokenDefaultDacl, (void **)&found, err);

    if (st != SBX_OK)
        return st;
    st = sbx_token_default_dacl(self, spec->run_sid, spec->launcher, (void **)&want, err);
    if (st != SBX_OK)
        goto out;
    if (!found->DefaultDacl || found->DefaultDacl->AceCount != want->AceCount)
        st = gap("default DACL: it is another one", err);
    for (i = 0; st == SBX_OK && i < want->AceCount; i++)
        if (!GetAce(found->DefaultDacl, i, &a) || !GetAce(want, i, &b) ||
            ((const ACE_HEADER *)a)->AceSize != ((const ACE_HEADER *)b)->AceSize ||
            memcmp(a, b, ((const ACE_HEADER *)b)->AceSize))
            st = gap("default DACL: it is another one", err);
out:
    sbx_free(want);
    sbx_free(found);
    return st;
}

/* The kernel's own word, where it gives it: the class is younger than some systems that call themselves Windows. */
static sbx_status check_flags(const sbx_token_spec *spec, void *token, sbx_error *err)
{
    TOKEN_ACCESS_INFORMATION *info = NULL;
    DWORD size = 0, flags;

    if (!GetTokenInformation(token, TokenAccessInformation, NULL, 0, &size) &&
        GetLastError() != ERROR_INSUFFICIENT_BUFFER)
        return SBX_OK;
    if (size < sizeof(*info) || sbx_token_info(token, TokenAccessInformation, (void **)&info, NULL) != SBX_OK)
        return SBX_OK;
    flags = info->Flags;
    sbx_free(info);
    if (spec->is_whole)
        return flags & (FLAG_IS_RESTRICTED | FLAG_WRITE_RESTRICTED) ? gap("flags: it is restricted", err) : SBX_OK;
    if (!(flags & FLAG_IS_RESTRICTED) && !(flags & FLAG_WRITE_RESTRICTED))
        return gap("flags: it is not restricted", err);
    return flags & FLAG_WRITE_RESTRICTED ? SBX_OK : gap("flags: it is not write-restricted", err);
}

/* Ask the system's access check: *granted for `access` on a file with a DACL that admits the user and `extra`. */
static sbx_status ask(HANDLE copy, PSID user, PSID extra, DWORD access, int *granted, sbx_error *err)
{
    GENERIC_MAPPING mapping = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS};
    _Alignas(4) uint8_t space[sizeof(ACL) + 2 * (sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE)];
    ACL *acl = (ACL *)(void *)space;
    SECURITY_DESCRIPTOR descriptor;
    PRIVILEGE_SET used;
    DWORD length = sizeof(used), got = 0;
    BOOL allowed = FALSE;

    if (!InitializeAcl(acl, sizeof(space), ACL_REVISION) ||
        !AddAccessAllowedAce(acl, ACL_REVISION, FILE_ALL_ACCESS, user) ||
        (extra && !AddAccessAllowedAce(acl, ACL_REVISION, FILE_ALL_ACCESS, extra)) ||
        !InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorOwner(&descriptor, user, FALSE) ||
        !SetSecurityDescriptorGroup(&descriptor, user, FALSE) ||
        !SetSecurityDescriptorDacl(&descriptor, TRUE, acl, FALSE) ||
        !AccessCheck(&descriptor, copy, access, &mapping, &used, &length, &got, &allowed))
        return sbx_fail_last(err, SBX_E_SYSTEM, "AccessCheck", "the command's token");
    *granted = allowed && (got & access) == access;
    return SBX_OK;
}

static sbx_status check_behaviour(const sbx_token_spec *spec, HANDLE copy, const sbx_token_self *self, sbx_error *err)
{
    static const uint8_t authenticated[12] = {1, 1, 0, 0, 0, 0, 0, 5, 11};
    /* what only the first of the two checks admits: the user, or what is open to every account */
    PSID user = as_sid(spec->launcher ? authenticated : self->user.u.bytes), run = as_sid(spec->run_sid);
    int user_write = 1, user_owner = 1, user_read = 0, run_write = 0;
    sbx_status st;

    if ((st = ask(copy, user, NULL, FILE_WRITE_DATA, &user_write, err)) != SBX_OK ||
        (st = ask(copy, user, NULL, WRITE_DAC, &user_owner, err)) != SBX_OK ||
        (st = ask(copy, user, NULL, FILE_READ_DATA, &user_read, err)) != SBX_OK ||
        (st = ask(copy, user, run, FILE_WRITE_DATA, &run_write, err)) != SBX_OK)
        return st;
    if (user_write)
        st = gap("access check: what only the user may write can be written", err);
    else if (user_owner)
        st = gap("access check: what the user owns can be opened up", err);
    else if (!user_read)
        st = gap("access check: what the user may read cannot be read", err);
    else if (!run_write)
        st = gap("access check: what is granted cannot be written", err);
    return st;
}

/* One that is asked once: what admits the account works, what admits everybody who is logged on does not. */
static sbx_status check_whole(const sbx_token_spec *spec, void *copy, const sbx_token_self *self, sbx_error *err)
{
    SID_AND_ATTRIBUTES denied[SBX_TOKEN_DENIED];
    const uint32_t count = sbx_token_denied(spec, self, denied);
    uint32_t i;
    int may = 0;
    sbx_status st = ask(copy, as_sid(self->user.u.bytes), NULL, FILE_WRITE_DATA, &may, err);

    if (st == SBX_OK && !may)
        st = gap("access check: what is granted cannot be written", err);
    for (i = 0; i < count && st == SBX_OK; i++) {
        st = ask(copy, denied[i].Sid, NULL, FILE_READ_DATA, &may, err);
        if (st == SBX_OK && may)
            st = gap("access check: a group that is for deny only lets it in", err);
    }
    return st;
}

sbx_status sbx_token_measure_delete(void *copy, const void *sid, int *may, sbx_error *err)
{
    const sbx_token_self *self;
    sbx_status st = sbx_token_ask_self(&self, err);

    *may = 1;
    return st == SBX_OK ? ask(copy, as_sid(sid ? sid : self->user.u.bytes), NULL, FILE_DELETE_CHILD, may, err) : st;
}

sbx_status sbx_token_verify(const sbx_token_spec *spec, void *token, void *copy, sbx_error *err)
{
    const sbx_token_self *self;
    sbx_status st;

    if ((st = sbx_token_ask_self(&self, err)) != SBX_OK || (st = check_restricting(spec, token, self, err)) != SBX_OK ||
        (st = check_flags(spec, token, err)) != SBX_OK || (st = check_privileges(token, err)) != SBX_OK ||
        (st = check_groups(spec, token, self, err)) != SBX_OK || (st = check_user(token, self, err)) != SBX_OK ||
        (st = check_default_dacl(spec, token, self, err)) != SBX_OK)
        return st;
    return spec->is_whole ? check_whole(spec, copy, self, err) : check_behaviour(spec, copy, self, err);
}
