#include "launch/trust.h"

#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "win/error.h"
#include "win/user.h"

/* Rights that let their holder change what the file is.  Attributes count: a right to write them
 * is enough to make a link of an empty folder (MSDN "FSCTL_SET_REPARSE_POINT"). */
#define CHANGE_RIGHTS                                                                                                  \
    (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_ATTRIBUTES | FILE_DELETE_CHILD | DELETE | WRITE_DAC |             \
     WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL)

static const struct {
    BYTE authority, count;
    DWORD sub[6];
} trusted[] = {
    {5, 2, {32, 544}},                                                         /* Administrators */
    {5, 1, {18}},                                                              /* SYSTEM */
    {5, 6, {80, 956008885, 3418522649u, 1831038044, 1853292631, 2271478464u}}, /* NT SERVICE\TrustedInstaller */
    {3, 1, {0}}, /* CREATOR OWNER: only stands for others on inheritance */
    {3, 1, {4}}, /* OWNER RIGHTS: the owner is judged by itself */
};

static int is_always_trusted(PSID sid)
{
    static const BYTE zero[5] = {0};
    const SID_IDENTIFIER_AUTHORITY *authority = GetSidIdentifierAuthority(sid);
    size_t i;
    BYTE k;

    if (memcmp(authority->Value, zero, sizeof(zero)) != 0)
        return 0;
    for (i = 0; i < sizeof(trusted) / sizeof(trusted[0]); i++) {
        if (authority->Value[5] != trusted[i].authority || *GetSidSubAuthorityCount(sid) != trusted[i].count)
            continue;
        for (k = 0; k < trusted[i].count && *GetSidSubAuthority(sid, k) == trusted[i].sub[k]; k++)
            ;
        if (k == trusted[i].count)
            return 1;
    }
    return 0;
}

static sbx_status refuse(const char *path, PSID who, const char *what, sbx_error *err)
{
    char name[160];

    sbx_user_name(who, name, sizeof(name));
    sbx_fail(err, SBX_E_REFUSED, "others can change it", path);
    return sbx_hint(err, "%s %s; let only administrators and yourself do that", name, what);
}

static int is_trusted(PSID sid, sbx_user_sid *user, PSID owner, uint32_t mode)
{
    return is_always_trusted(sid) || EqualSid(sid, mode == SBX_TRUST_OWNER ? owner : (PSID)user->u.bytes);
}

sbx_status sbx_trust_check(void *file, const char *path, uint32_t mode, sbx_error *err)
{
    const SECURITY_INFORMATION wanted = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    sbx_user_sid user = {0};
    union {
        SECURITY_DESCRIPTOR descriptor;
        BYTE bytes[1024]; /* of most files */
    } room;
    SECURITY_DESCRIPTOR *sd = &room.descriptor;
    DWORD need = 0;
    BOOL got;
    BOOL present = FALSE, defaulted = FALSE;
    PACL dacl = NULL;
    PSID owner = NULL, sid;
    ACCESS_ALLOWED_ACE *ace;
    void *entry = NULL;
    WORD i;
    sbx_status st = sbx_user_get(&user, err);

    if (st != SBX_OK)
        return st;
    got = GetKernelObjectSecurity(file, wanted, sd, sizeof(room), &need);
    if (!got && need > sizeof(room)) {
        sd = sbx_alloc(need);
        if (!sd)
            return sbx_fail_memory(err);
        got = GetKernelObjectSecurity(file, wanted, sd, need, &need);
    }
    if (!got || !GetSecurityDescriptorOwner(sd, &owner, &defaulted) ||
        !GetSecurityDescriptorDacl(sd, &present, &dacl, &defaulted)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetKernelObjectSecurity", path);
        goto out;
    }
    if (!present || !dacl || !owner) {
        st = sbx_fail(err, SBX_E_REFUSED, "others can change it", path);
        sbx_hint(err, "it has no access control list: everyone may write; is it on a FAT volume?");
        goto out;
    }
    if (!is_trusted(owner, &user, owner, mode)) {
        st = refuse(path, owner, "owns it", err);
        goto out;
    }
    for (i = 0; i < dacl->AceCount && GetAce(dacl, i, &entry); i++) {
        ace = entry;
        if (ace->Header.AceFlags & INHERIT_ONLY_ACE)
            continue;
        if (ace->Header.AceType == ACCESS_DENIED_ACE_TYPE || ace->Header.AceType == ACCESS_DENIED_CALLBACK_ACE_TYPE ||
            ace->Header.AceType == ACCESS_DENIED_OBJECT_ACE_TYPE)
            continue;
        if (ace->Header.AceType != ACCESS_ALLOWED_ACE_TYPE && ace->Header.AceType != ACCESS_ALLOWED_CALLBACK_ACE_TYPE) {
            st = sbx_fail(err, SBX_E_REFUSED, "others can change it", path);
            sbx_hint(err, "its access control list has an entry of an unknown kind (%u)", ace->Header.AceType);
            goto out;
        }
        sid = &ace->SidStart;
        if ((ace->Mask & CHANGE_RIGHTS) && !is_trusted(sid, &user, owner, mode)) {
            st = refuse(path, sid, "can write there", err);
            goto out;
        }
    }
out:
    if (sd != &room.descriptor)
        sbx_free(sd);
    return st;
}
