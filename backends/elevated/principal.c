#include "elevated/principal.h"

#include <windows.h>
#include <lm.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "base/utf.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

/* What each account has; PASSWD_CANT_CHANGE: with its own token it could lock sbx out. */
#define ACCOUNT_FLAGS (UF_SCRIPT | UF_NORMAL_ACCOUNT | UF_DONT_EXPIRE_PASSWD | UF_PASSWD_CANT_CHANGE)

static sbx_status net(sbx_error *err, NET_API_STATUS code, const char *op, const char *name)
{
    if (code == NERR_Success)
        return SBX_OK;
    return sbx_fail_code(err, code == ERROR_ACCESS_DENIED ? SBX_E_REFUSED : SBX_E_SYSTEM, SBX_CODE_WIN32, code, op,
                         name);
}

sbx_status sbx_principal_find(const char *name, uint32_t *kind, sbx_user_sid *sid, sbx_error *err)
{
    WCHAR domain_w[256], computer_w[MAX_COMPUTERNAME_LENGTH + 1];
    DWORD sid_size = sizeof(sid->u.bytes), domain_size = 256, computer_size = MAX_COMPUTERNAME_LENGTH + 1;
    SID_NAME_USE use = SidTypeUnknown;
    uint16_t *name_w = NULL;
    DWORD code;
    sbx_status st = sbx_wide(name, "name", &name_w, err);

    if (st != SBX_OK)
        return st;
    *kind = SBX_PRINCIPAL_NONE;
    if (LookupAccountNameW(NULL, name_w, sid->u.bytes, &sid_size, domain_w, &domain_size, &use)) {
        if (!GetComputerNameW(computer_w, &computer_size))
            st = sbx_fail_last(err, SBX_E_SYSTEM, "GetComputerNameW", name);
        else if (CompareStringOrdinal(domain_w, -1, computer_w, -1, TRUE) != CSTR_EQUAL)
            *kind = SBX_PRINCIPAL_OTHER;
        else
            *kind = use == SidTypeUser                           ? SBX_PRINCIPAL_USER
                    : use == SidTypeAlias || use == SidTypeGroup ? SBX_PRINCIPAL_GROUP
                                                                 : SBX_PRINCIPAL_OTHER;
    } else if ((code = GetLastError()) != ERROR_NONE_MAPPED) {
        st = sbx_fail_code(err, SBX_E_SYSTEM, SBX_CODE_WIN32, code, "LookupAccountNameW", name);
    }
    sbx_free(name_w);
    return st;
}

sbx_status sbx_account_make(const char *name, const char *comment, const uint16_t *password_w, sbx_error *err)
{
    USER_INFO_1 info = {.usri1_priv = USER_PRIV_USER, .usri1_flags = ACCOUNT_FLAGS | UF_ACCOUNTDISABLE};
    uint16_t *name_w = NULL, *comment_w = NULL;
    NET_API_STATUS code;
    sbx_status st;

    if ((st = sbx_wide(name, "name", &name_w, err)) == SBX_OK &&
        (st = sbx_wide(comment, "comment", &comment_w, err)) == SBX_OK) {
        info.usri1_name = name_w;
        info.usri1_password = (WCHAR *)(uintptr_t)password_w;
        info.usri1_comment = comment_w;
        code = NetUserAdd(NULL, 1, (BYTE *)&info, NULL);
        st = net(err, code, "NetUserAdd", name);
        if (code == NERR_PasswordTooShort) {
            err->status = st = SBX_E_REFUSED;
            sbx_hint(err,
                     "the machine's rules for passwords take none of %u letters, digits and signs; see: net accounts",
                     (unsigned)wcslen(password_w));
        }
    }
    sbx_free(name_w);
    sbx_free(comment_w);
    return st;
}

sbx_status sbx_account_delete(const char *name, sbx_error *err)
{
    uint16_t *name_w = NULL;
    NET_API_STATUS code;
    sbx_status st = sbx_wide(name, "name", &name_w, err);

    if (st != SBX_OK)
        return st;
    code = NetUserDel(NULL, name_w);
    sbx_free(name_w);
    return code == NERR_UserNotFound ? SBX_OK : net(err, code, "NetUserDel", name);
}

static sbx_status set_info(const char *name, DWORD level, void *info, sbx_error *err)
{
    uint16_t *name_w = NULL;
    sbx_status st = sbx_wide(name, "name", &name_w, err);

    if (st == SBX_OK)
        st = net(err, NetUserSetInfo(NULL, name_w, level, info, NULL), "NetUserSetInfo", name);
    sbx_free(name_w);
    return st;
}

sbx_status sbx_account_set_password(const char *name, const uint16_t *password_w, sbx_error *err)
{
    USER_INFO_1003 info = {(WCHAR *)(uintptr_t)password_w};

    return set_info(name, 1003, &info, err);
}

sbx_status sbx_account_logon(const char *name, const uint16_t *password_w, void **token, sbx_error *err)
{
    uint16_t *name_w = NULL;
    sbx_status st = sbx_wide(name, "name", &name_w, err);

    if (st == SBX_OK && !LogonUserW(name_w, (LPWSTR)(uintptr_t)L".", (LPWSTR)(uintptr_t)password_w,
                                    LOGON32_LOGON_INTERACTIVE, LOGON32_PROVIDER_DEFAULT, token)) {
        *token = NULL;
        st = sbx_fail_last(err, SBX_E_REFUSED, "LogonUserW", name);
        if (GetLastError() == ERROR_LOGON_TYPE_NOT_GRANTED)
            sbx_hint(err, "a policy of this machine does not let it log on locally; ask whoever manages it");
    }
    sbx_free(name_w);
    return st;
}

sbx_status sbx_account_try(const char *name, const uint16_t *password_w, sbx_error *err)
{
    void *token = NULL;
    sbx_status st = sbx_account_logon(name, password_w, &token, err);

    sbx_handle_close(&token);
    return st;
}

/* Of one that is gone: none at all, which is wrong. */
static sbx_status get_flags(const char *name, DWORD *flags, sbx_error *err)
{
    USER_INFO_1 *info = NULL;
    uint16_t *name_w = NULL;
    NET_API_STATUS code;
    sbx_status st = sbx_wide(name, "name", &name_w, err);

    if (st != SBX_OK)
        return st;
    code = NetUserGetInfo(NULL, name_w, 1, (BYTE **)&info);
    if (code == NERR_Success)
        *flags = info->usri1_flags;
    else if (code != NERR_UserNotFound)
        st = net(err, code, "NetUserGetInfo", name);
    NetApiBufferFree(info);
    sbx_free(name_w);
    return st;
}

sbx_status sbx_account_look(const char *name, uint32_t *flags, sbx_error *err)
{
    DWORD found = 0;
    sbx_status st = get_flags(name, &found, err);

    *flags = 0;
    if (found & UF_ACCOUNTDISABLE)
        *flags |= SBX_ACCOUNT_DISABLED;
    if (found & UF_LOCKOUT)
        *flags |= SBX_ACCOUNT_LOCKED;
    if ((found & UF_PASSWD_NOTREQD) ||
        (found & (UF_DONT_EXPIRE_PASSWD | UF_PASSWD_CANT_CHANGE)) != (UF_DONT_EXPIRE_PASSWD | UF_PASSWD_CANT_CHANGE))
        *flags |= SBX_ACCOUNT_WRONG;
    return st;
}

sbx_status sbx_account_enable(const char *name, int enabled, sbx_error *err)
{
    BYTE hours[UNITS_PER_WEEK / 8];
    USER_INFO_1008 info = {ACCOUNT_FLAGS | (enabled ? 0 : UF_ACCOUNTDISABLE)};
    USER_INFO_1014 machines = {(WCHAR *)(uintptr_t)L""};
    USER_INFO_1017 expires = {TIMEQ_FOREVER};
    USER_INFO_1020 any = {UNITS_PER_WEEK, hours};
    sbx_error why = {0};
    sbx_status st = set_info(name, 1008, &info, &why);

    memset(hours, 0xFF, sizeof(hours));
    if (enabled && st == SBX_OK && (st = set_info(name, 1014, &machines, &why)) == SBX_OK &&
        (st = set_info(name, 1017, &expires, &why)) == SBX_OK)
        st = set_info(name, 1020, &any, &why);
    if (st == SBX_OK || (!enabled && why.code == NERR_UserNotFound))
        return SBX_OK;
    if (err)
        *err = why;
    return st;
}

sbx_status sbx_group_make(const char *name, const char *comment, sbx_error *err)
{
    LOCALGROUP_INFO_1 info = {NULL, NULL};
    uint16_t *name_w = NULL, *comment_w = NULL;
    sbx_status st;

    if ((st = sbx_wide(name, "name", &name_w, err)) == SBX_OK &&
        (st = sbx_wide(comment, "comment", &comment_w, err)) == SBX_OK) {
        info.lgrpi1_name = name_w;
        info.lgrpi1_comment = comment_w;
        st = net(err, NetLocalGroupAdd(NULL, 1, (BYTE *)&info, NULL), "NetLocalGroupAdd", name);
    }
    sbx_free(name_w);
    sbx_free(comment_w);
    return st;
}

sbx_status sbx_group_delete(const char *name, sbx_error *err)
{
    uint16_t *name_w = NULL;
    NET_API_STATUS code;
    sbx_status st = sbx_wide(name, "name", &name_w, err);

    if (st != SBX_OK)
        return st;
    code = NetLocalGroupDel(NULL, name_w);
    sbx_free(name_w);
    return code == NERR_GroupNotFound || code == ERROR_NO_SUCH_ALIAS ? SBX_OK
                                                                     : net(err, code, "NetLocalGroupDel", name);
}

sbx_status sbx_group_add(const char *name, const void *member, sbx_error *err)
{
    LOCALGROUP_MEMBERS_INFO_0 info = {(PSID)(uintptr_t)member};
    uint16_t *name_w = NULL;
    NET_API_STATUS code;
    sbx_status st = sbx_wide(name, "name", &name_w, err);

    if (st != SBX_OK)
        return st;
    code = NetLocalGroupAddMembers(NULL, name_w, 0, (BYTE *)&info, 1);
    sbx_free(name_w);
    return code == ERROR_MEMBER_IN_ALIAS ? SBX_OK : net(err, code, "NetLocalGroupAddMembers", name);
}

sbx_status sbx_group_count(const char *name, const sbx_user_sid *members, uint32_t count, uint32_t *own,
                           uint32_t *foreign, sbx_error *err)
{
    LOCALGROUP_MEMBERS_INFO_0 *found = NULL;
    DWORD got = 0, all = 0, i, k;
    uint16_t *name_w = NULL;
    NET_API_STATUS code;
    sbx_status st = sbx_wide(name, "name", &name_w, err);

    if (st != SBX_OK)
        return st;
    *own = *foreign = 0;
    code = NetLocalGroupGetMembers(NULL, name_w, 0, (BYTE **)&found, MAX_PREFERRED_LENGTH, &got, &all, NULL);
    if (code != NERR_GroupNotFound && code != ERROR_NO_SUCH_ALIAS) /* one that is gone has none */
        st = net(err, code, "NetLocalGroupGetMembers", name);
    for (i = 0; st == SBX_OK && i < got; i++) {
        for (k = 0; k < count && !EqualSid(found[i].lgrmi0_sid, (PSID)(uintptr_t)members[k].u.bytes); k++)
            ;
        *(k < count ? own : foreign) += 1;
    }
    NetApiBufferFree(found);
    sbx_free(name_w);
    return st;
}

sbx_status sbx_group_users(char name[256], sbx_error *err)
{
    _Alignas(4) BYTE sid[SECURITY_MAX_SID_SIZE];
    WCHAR name_w[128], domain_w[128];
    DWORD size = sizeof(sid), name_size = 128, domain_size = 128;
    SID_NAME_USE use;
    char *text = NULL;
    sbx_status st;

    if (!CreateWellKnownSid(WinBuiltinUsersSid, NULL, sid, &size) ||
        !LookupAccountSidW(NULL, sid, name_w, &name_size, domain_w, &domain_size, &use))
        return sbx_fail_last(err, SBX_E_SYSTEM, "LookupAccountSidW", "S-1-5-32-545");
    if ((st = sbx_narrow(name_w, &text, err)) == SBX_OK)
        sbx_utf8_copy(name, 256, text);
    sbx_free(text);
    return st;
}
