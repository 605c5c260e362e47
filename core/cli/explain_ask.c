/* What the system and the ACEs say to a token like the command's. */
#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/decide.h"
#include "cli/explain.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/user.h"
#include "win/wide.h"

#define RIGHTS 0x001F01FFu /* FILE_ALL_ACCESS */

static const GENERIC_MAPPING of_files = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS};

/* ---- the token ---- */

static void *info(HANDLE token, TOKEN_INFORMATION_CLASS what)
{
    DWORD size = 0;
    void *data;

    GetTokenInformation(token, what, NULL, 0, &size);
    data = sbx_alloc_zero(1, size + sizeof(TOKEN_GROUPS));
    if (data && !GetTokenInformation(token, what, data, size, &size)) {
        sbx_free(data);
        data = NULL;
    }
    return data;
}

static int has(const TOKEN_GROUPS *list, const void *sid)
{
    DWORD i;

    for (i = 0; i < list->GroupCount; i++)
        if (EqualSid(list->Groups[i].Sid, (PSID)(uintptr_t)sid))
            return 1;
    return 0;
}

/* 1, 0, or -1: it cannot be told. */
static int check(HANDLE copy, const void *sd, DWORD mask)
{
    PRIVILEGE_SET privileges;
    DWORD size = sizeof(privileges), granted;
    BOOL allowed;
    GENERIC_MAPPING mapping = of_files;

    if (!AccessCheck((PSECURITY_DESCRIPTOR)(uintptr_t)sd, copy, mask, &mapping, &privileges, &size, &granted, &allowed))
        return -1;
    return allowed != 0;
}

/* Documents leave open which rights of a write-restricted token are asked twice: asked here, with a descriptor that admits a SID of
 * the first list alone. */
static uint32_t rights_asked_twice(const sbx_explain_token *token)
{
    static const _Alignas(4) uint8_t local_system[12] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
    _Alignas(4) uint8_t space[sizeof(ACL) + sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE];
    const TOKEN_GROUPS *groups = token->groups, *restricted = token->restricted;
    ACL *acl = (ACL *)(void *)space;
    SECURITY_DESCRIPTOR sd;
    PSID system = (PSID)(uintptr_t)local_system;
    uint32_t twice = 0, bit;
    DWORD i;

    for (i = 0; i < groups->GroupCount; i++)
        if ((groups->Groups[i].Attributes & (SE_GROUP_ENABLED | SE_GROUP_USE_FOR_DENY_ONLY)) == SE_GROUP_ENABLED &&
            !has(restricted, groups->Groups[i].Sid))
            break;
    if (!restricted->GroupCount || i == groups->GroupCount)
        return restricted->GroupCount ? RIGHTS : 0;
    if (!InitializeAcl(acl, sizeof(space), ACL_REVISION) ||
        !AddAccessAllowedAce(acl, ACL_REVISION, RIGHTS, groups->Groups[i].Sid) ||
        !InitializeSecurityDescriptor(&sd, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorOwner(&sd, system, FALSE) || !SetSecurityDescriptorGroup(&sd, system, FALSE) ||
        !SetSecurityDescriptorDacl(&sd, TRUE, acl, FALSE))
        return RIGHTS;
    for (bit = 1; bit <= SYNCHRONIZE; bit <<= 1)
        if ((bit & RIGHTS) && check(token->copy, &sd, bit) != 1)
            twice |= bit;
    return twice;
}

sbx_status sbx_explain_token_open(sbx_explain_token *token, void *copy, sbx_error *err)
{
    TOKEN_USER *user = info(copy, TokenUser);
    TOKEN_GROUPS *groups = info(copy, TokenGroups), *all = NULL;

    token->copy = copy;
    token->restricted = info(copy, TokenRestrictedSids);
    if (groups)
        all = sbx_alloc_zero(1, sizeof(*all) + groups->GroupCount * sizeof(all->Groups[0]));
    if (!user || !all || !token->restricted) {
        sbx_free(user);
        sbx_free(groups);
        sbx_free(all);
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetTokenInformation", "a token like the command's");
    }
    all->GroupCount = groups->GroupCount + 1;
    all->Groups[0] = user->User;
    all->Groups[0].Attributes |= user->User.Attributes & SE_GROUP_USE_FOR_DENY_ONLY ? 0u : SE_GROUP_ENABLED;
    memcpy(&all->Groups[1], groups->Groups, groups->GroupCount * sizeof(all->Groups[0]));
    token->groups = all;
    token->user = user;
    token->rest = groups;
    token->twice = rights_asked_twice(token);
    return SBX_OK;
}

void sbx_explain_token_close(sbx_explain_token *token)
{
    sbx_handle_close(&token->copy);
    sbx_free(token->groups);
    sbx_free(token->user);
    sbx_free(token->rest);
    sbx_free(token->restricted);
}

/* ---- the passes ---- */

/* What sbx's own SIDs are; they have no names.  The tags are those of backends/common. */
static const char *own_name(const uint8_t *sid)
{
    static const struct {
        const char *tag;
        uint8_t count; /* of its sub-authorities */
        const char *name;
    } names[] = {{"1XBS", 9, "commands with that writable folder"},
                 {"GXBS", 9, "commands that may commit there"},
                 {"RXBS", 9, "commands in that repository"},
                 {"RXBS", 5, "one run"},
                 {"SXBS", 9, "commands with just those folders and rules"},
                 {"DXBS", 9, "accounts that read there"},
                 {"AXBS", 9, "accounts that look on the way"}};
    static const uint8_t authority[6] = {0, 0, 0, 0, 0, 9};
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!memcmp(sid + 2, authority, sizeof(authority)) && sid[1] == names[i].count &&
            !memcmp(sid + 8, names[i].tag, 4))
            return names[i].name;
    return NULL;
}

static void add_ace(cJSON *pass, const void *acl, size_t size, uint32_t index)
{
    cJSON *json = cJSON_AddObjectToObject(pass, "ace");
    sbx_decide_ace ace;
    const char *own;
    char text[600];

    if (!sbx_decide_ace_at(acl, size, index, &ace) || !ace.sid)
        return;
    cJSON_AddNumberToObject(json, "index", index);
    cJSON_AddStringToObject(json, "type", ace.type ? "deny" : "allow");
    cJSON_AddBoolToObject(json, "inherited", (ace.flags & INHERITED_ACE) != 0);
    snprintf(text, sizeof(text), "0x%08X", (unsigned)ace.mask);
    cJSON_AddStringToObject(json, "rights", text);
    sbx_user_sid_text(ace.sid, text, sizeof(text));
    cJSON_AddStringToObject(json, "sid", text);
    own = own_name(ace.sid);
    if (!own)
        sbx_user_name(ace.sid, text, sizeof(text));
    cJSON_AddStringToObject(json, "name", own ? own : text);
}

static int one_pass(const TOKEN_GROUPS *list, const uint8_t *sd, uint32_t mask, const char *name, const char *of,
                    cJSON *passes)
{
    static const char *const by[] = {"", "ace", "nobody", "owner", "no list"};
    sbx_decide_sid *sids = sbx_alloc_zero(list->GroupCount + 1, sizeof(*sids));
    sbx_decide_pass pass = {.sids = sids};
    sbx_decision decision = {0};
    BOOL present = FALSE, unused;
    PSID owner = NULL;
    ACL *acl = NULL;
    cJSON *json;
    char text[24];
    DWORD i;

    for (i = 0; sids && i < list->GroupCount; i++) {
        const DWORD attributes = list->Groups[i].Attributes;

        if (!(attributes & (SE_GROUP_ENABLED | SE_GROUP_USE_FOR_DENY_ONLY)))
            continue;
        sids[pass.count].sid = list->Groups[i].Sid;
        sids[pass.count++].deny_only = (attributes & SE_GROUP_USE_FOR_DENY_ONLY) != 0;
    }
    if (sids && GetSecurityDescriptorOwner((PSECURITY_DESCRIPTOR)(uintptr_t)sd, &owner, &unused) &&
        GetSecurityDescriptorDacl((PSECURITY_DESCRIPTOR)(uintptr_t)sd, &present, &acl, &unused)) {
        pass.owner = owner;
        acl = present ? acl : NULL;
        if (sbx_decide(&pass, acl, acl ? acl->AclSize : 0, mask, &decision) && passes) {
            json = cJSON_CreateObject();
            cJSON_AddStringToObject(json, "of", of);
            cJSON_AddStringToObject(json, "pass", name);
            snprintf(text, sizeof(text), "0x%08X", (unsigned)mask);
            cJSON_AddStringToObject(json, "rights", text);
            cJSON_AddBoolToObject(json, "allowed", decision.allowed);
            cJSON_AddStringToObject(json, "by", by[decision.by]);
            snprintf(text, sizeof(text), "0x%08X", (unsigned)decision.missing);
            cJSON_AddStringToObject(json, "missing", text);
            if (decision.by == SBX_DECIDED_ACE)
                add_ace(json, acl, acl->AclSize, decision.ace);
            cJSON_AddItemToArray(passes, json);
        }
    }
    sbx_free(sids);
    return decision.allowed;
}

int sbx_explain_check(const sbx_explain_token *token, const uint8_t *sd, uint32_t mask, const char *of, cJSON *passes)
{
    int allowed;

    if (!sd)
        return SBX_EXPLAIN_UNKNOWN;
    one_pass(token->groups, sd, mask, "groups", of, passes);
    if (mask & token->twice)
        one_pass(token->restricted, sd, mask & token->twice, "restricting", of, passes);
    allowed = check(token->copy, sd, mask);
    return allowed < 0 ? SBX_EXPLAIN_UNKNOWN : allowed ? SBX_EXPLAIN_ALLOWED : SBX_EXPLAIN_REFUSED;
}

int sbx_explain_is_open(const sbx_explain_token *token, const uint8_t *sd, uint32_t mask)
{
    return sd && one_pass(token->restricted, sd, mask, "", "", NULL);
}

/* ---- the attempt ---- */

int sbx_explain_try(const sbx_explain_token *token, const char *path, int is_itself, uint32_t mask, uint32_t *code)
{
    const DWORD flags = FILE_FLAG_BACKUP_SEMANTICS | (is_itself ? FILE_FLAG_OPEN_REPARSE_POINT : 0u);
    uint16_t *path_w = NULL;
    HANDLE handle = NULL;

    *code = ERROR_NOT_ENOUGH_MEMORY;
    if (sbx_wide_path(path, &path_w, NULL) != SBX_OK)
        return SBX_EXPLAIN_UNKNOWN;
    if (!SetThreadToken(NULL, token->copy)) {
        *code = GetLastError();
    } else {
        handle =
            sbx_handle_from(CreateFileW((LPCWSTR)path_w, mask, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                        NULL, OPEN_EXISTING, flags, NULL));
        *code = handle ? 0 : GetLastError();
        sbx_handle_close(&handle);
        if (!SetThreadToken(NULL, NULL)) /* going on as the command would confine sbx itself */
            TerminateProcess(GetCurrentProcess(), 125);
    }
    sbx_free(path_w);
    return !*code ? SBX_EXPLAIN_ALLOWED : *code == ERROR_ACCESS_DENIED ? SBX_EXPLAIN_REFUSED : SBX_EXPLAIN_UNKNOWN;
}
