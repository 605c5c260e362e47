/* The rights half of principal.h. */
#include "elevated/principal.h"

#include <windows.h>
#include <ntsecapi.h>
#include <wchar.h>

#include "win/error.h"

static const WCHAR *const denied_w[] = {SE_DENY_NETWORK_LOGON_NAME, SE_DENY_BATCH_LOGON_NAME,
                                        SE_DENY_SERVICE_LOGON_NAME, SE_DENY_REMOTE_INTERACTIVE_LOGON_NAME};

#define DENIED (sizeof(denied_w) / sizeof(denied_w[0]))

/* NTSTATUS of LSA calls; ntsecapi.h has few of them. */
#define ACCESS_DENIED ((NTSTATUS)0xC0000022)
#define NO_MORE_ENTRIES ((NTSTATUS)0x8000001A)
#define NAME_NOT_FOUND ((NTSTATUS)0xC0000034)

static LSA_UNICODE_STRING text_of(const WCHAR *text_w)
{
    const USHORT bytes = (USHORT)(wcslen(text_w) * sizeof(*text_w));
    const LSA_UNICODE_STRING text = {bytes, (USHORT)(bytes + sizeof(*text_w)), (WCHAR *)(uintptr_t)text_w};

    return text;
}

/* SBX_E_REFUSED: not for this user. */
static sbx_status failed(NTSTATUS status, const char *op, sbx_error *err)
{
    if (status >= 0)
        return SBX_OK;
    return sbx_fail_nt(err, status == ACCESS_DENIED ? SBX_E_REFUSED : SBX_E_SYSTEM, status, op, NULL);
}

static sbx_status open_policy(ACCESS_MASK access, LSA_HANDLE *policy, sbx_error *err)
{
    LSA_OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes)};
    const NTSTATUS status = LsaOpenPolicy(NULL, &attributes, access, policy);

    return failed(status, "LsaOpenPolicy", err);
}

static PSID as_sid(const void *sid)
{
    return (PSID)(uintptr_t)sid;
}

sbx_status sbx_rights_deny(const void *group, sbx_error *err)
{
    LSA_UNICODE_STRING names[DENIED];
    LSA_HANDLE policy = NULL;
    NTSTATUS status;
    size_t i;
    sbx_status st = open_policy(POLICY_CREATE_ACCOUNT | POLICY_LOOKUP_NAMES, &policy, err);

    if (st != SBX_OK)
        return st;
    for (i = 0; i < DENIED; i++)
        names[i] = text_of(denied_w[i]);
    status = LsaAddAccountRights(policy, as_sid(group), names, DENIED);
    if (status < 0)
        st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "LsaAddAccountRights", NULL);
    LsaClose(policy);
    return st;
}

sbx_status sbx_rights_look(const void *group, int *denied, sbx_error *err)
{
    LSA_UNICODE_STRING *names = NULL;
    ULONG count = 0, i;
    LSA_HANDLE policy = NULL;
    NTSTATUS status;
    size_t k, found = 0;
    sbx_status st = open_policy(POLICY_LOOKUP_NAMES, &policy, err);

    *denied = 0;
    if (st != SBX_OK)
        return st;
    status = LsaEnumerateAccountRights(policy, as_sid(group), &names, &count);
    if (status < 0 && status != NAME_NOT_FOUND)
        st = failed(status, "LsaEnumerateAccountRights", err);
    for (k = 0; status >= 0 && k < DENIED; k++)
        for (i = 0; i < count; i++)
            found += names[i].Length == wcslen(denied_w[k]) * sizeof(WCHAR) &&
                     !wcsncmp(names[i].Buffer, denied_w[k], names[i].Length / sizeof(WCHAR));
    *denied = found == DENIED;
    if (status >= 0)
        LsaFreeMemory(names);
    LsaClose(policy);
    return st;
}

/* Users, Everyone, Authenticated Users, INTERACTIVE: what each account is in when it logs on. */
static int is_in_all(PSID sid)
{
    static const WELL_KNOWN_SID_TYPE all[] = {WinBuiltinUsersSid, WinWorldSid, WinAuthenticatedUserSid,
                                              WinInteractiveSid};
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]) && !IsWellKnownSid(sid, all[i]); i++)
        ;
    return i < sizeof(all) / sizeof(all[0]);
}

sbx_status sbx_rights_may_log_on(int *allowed, sbx_error *err)
{
    LSA_UNICODE_STRING name = text_of(SE_INTERACTIVE_LOGON_NAME);
    LSA_ENUMERATION_INFORMATION *found = NULL;
    LSA_HANDLE policy = NULL;
    ULONG count = 0, i;
    NTSTATUS status;
    sbx_status st = open_policy(POLICY_LOOKUP_NAMES | POLICY_VIEW_LOCAL_INFORMATION, &policy, err);

    *allowed = 0;
    if (st != SBX_OK)
        return st;
    status = LsaEnumerateAccountsWithUserRight(policy, &name, (void **)&found, &count);
    *allowed = status < 0 || !count; /* nobody at all: that is not what policies do, so the system does not tell */
    for (i = 0; status >= 0 && i < count; i++)
        *allowed |= is_in_all(found[i].Sid);
    if (status >= 0)
        LsaFreeMemory(found);
    else if (status != NO_MORE_ENTRIES)
        st = failed(status, "LsaEnumerateAccountsWithUserRight", err);
    LsaClose(policy);
    return st;
}

sbx_status sbx_rights_remove(const void *group, sbx_error *err)
{
    LSA_HANDLE policy = NULL;
    NTSTATUS status;
    sbx_status st = open_policy(POLICY_CREATE_ACCOUNT | POLICY_LOOKUP_NAMES, &policy, err);

    if (st != SBX_OK)
        return st;
    status = LsaRemoveAccountRights(policy, as_sid(group), TRUE, NULL, 0);
    if (status < 0 && status != NAME_NOT_FOUND)
        st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "LsaRemoveAccountRights", NULL);
    LsaClose(policy);
    return st;
}
