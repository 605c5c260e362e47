#include "win/trust.h"

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

static sbx_user_sid caller; /* its revision is 0 while there is none */

sbx_status sbx_trust_caller(const void *sid, sbx_error *err)
{
    if (!CopySid(sizeof(caller.u.bytes), caller.u.bytes, (PSID)(uintptr_t)sid))
        return sbx_fail_last(err, SBX_E_SYSTEM, "CopySid", NULL);
    return SBX_OK;
}

typedef struct judge {
    const char *path;
    uint32_t mode;
    sbx_user_sid user;
    PSID owner;
} judge;

static int is_strict(const judge *j)
{
    return j->mode == SBX_TRUST_ADMIN || j->mode == SBX_TRUST_PLACE;
}

static sbx_status refuse(const judge *j, PSID who, const char *what, sbx_error *err)
{
    char name[160];

    sbx_user_name(who, name, sizeof(name));
    sbx_fail(err, SBX_E_REFUSED, "others can change it", j->path);
    return sbx_hint(err, "%s %s; let only administrators%s do that", name, what, is_strict(j) ? "" : " and yourself");
}

static int is_trusted(judge *j, PSID sid)
{
    if (is_always_trusted(sid))
        return 1;
    if (j->mode == SBX_TRUST_SELF && caller.u.bytes[0] && EqualSid(sid, caller.u.bytes))
        return 1;
    return !is_strict(j) && EqualSid(sid, j->mode == SBX_TRUST_OWNER ? j->owner : (PSID)j->user.u.bytes);
}

static sbx_status check_entries(judge *j, PACL dacl, sbx_error *err)
{
    ACCESS_ALLOWED_ACE *ace;
    void *entry = NULL;
    WORD i;

    for (i = 0; i < dacl->AceCount && GetAce(dacl, i, &entry); i++) {
        ace = entry;
        if ((ace->Header.AceFlags & INHERIT_ONLY_ACE) && !is_strict(j))
            continue;
        if (ace->Header.AceType == ACCESS_DENIED_ACE_TYPE || ace->Header.AceType == ACCESS_DENIED_CALLBACK_ACE_TYPE ||
            ace->Header.AceType == ACCESS_DENIED_OBJECT_ACE_TYPE)
            continue;
        if (ace->Header.AceType != ACCESS_ALLOWED_ACE_TYPE && ace->Header.AceType != ACCESS_ALLOWED_CALLBACK_ACE_TYPE) {
            sbx_fail(err, SBX_E_REFUSED, "others can change it", j->path);
            return sbx_hint(err, "its access control list has an entry of an unknown kind (%u)", ace->Header.AceType);
        }
        if ((ace->Mask & CHANGE_RIGHTS) && !is_trusted(j, &ace->SidStart))
            return refuse(j, &ace->SidStart, "can write there", err);
    }
    return SBX_OK;
}

sbx_status sbx_trust_check(void *file, const char *path, uint32_t mode, sbx_error *err)
{
    const SECURITY_INFORMATION wanted = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    judge j = {0};
    union {
        SECURITY_DESCRIPTOR descriptor;
        BYTE bytes[1024]; /* of most files */
    } room;
    SECURITY_DESCRIPTOR *sd = &room.descriptor;
    DWORD need = 0, revision = 0;
    BOOL got;
    BOOL present = FALSE, defaulted = FALSE;
    SECURITY_DESCRIPTOR_CONTROL control = 0;
    PACL dacl = NULL;
    sbx_status st = sbx_user_get(&j.user, err);

    if (st != SBX_OK)
        return st;
    j.path = path;
    j.mode = mode;
    got = GetKernelObjectSecurity(file, wanted, sd, sizeof(room), &need);
    if (!got && need > sizeof(room)) {
        sd = sbx_alloc(need);
        if (!sd)
            return sbx_fail_memory(err);
        got = GetKernelObjectSecurity(file, wanted, sd, need, &need);
    }
    if (!got || !GetSecurityDescriptorOwner(sd, &j.owner, &defaulted) ||
        !GetSecurityDescriptorDacl(sd, &present, &dacl, &defaulted) ||
        !GetSecurityDescriptorControl(sd, &control, &revision)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetKernelObjectSecurity", path);
    } else if (!present || !dacl || !j.owner) {
        st = sbx_fail(err, SBX_E_REFUSED, "others can change it", path);
        sbx_hint(err, "it has no access control list: everyone may write; is it on a FAT volume?");
    } else if (!is_trusted(&j, j.owner)) {
        st = refuse(&j, j.owner, "owns it", err);
    } else {
        st = check_entries(&j, dacl, err);
        if (st == SBX_OK && mode == SBX_TRUST_ADMIN && !(control & SE_DACL_PROTECTED)) {
            st = sbx_fail(err, SBX_E_REFUSED, "others can change it", path);
            sbx_hint(err, "it takes access rights from the folder above; give it its own");
        }
    }
    if (sd != &room.descriptor)
        sbx_free(sd);
    return st;
}
