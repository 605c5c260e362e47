#include "common/token/token.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "base/memory.h"
#include "common/token/token_info.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

sbx_status sbx_run_sid(const char *run_id, uint8_t sid[SBX_RUN_SID_BYTES], sbx_error *err)
{
    static const uint8_t head[12] = {1, 5, 0, 0, 0, 0, 0, 9, 'R', 'X', 'B', 'S'};
    size_t i;
    int high, low;

    memcpy(sid, head, sizeof(head));
    if (!run_id || strlen(run_id) != 32)
        return sbx_fail(err, SBX_E_REFUSED, "run id", run_id);
    for (i = 0; i < 16; i++) {
        high = hex(run_id[i * 2]);
        low = hex(run_id[i * 2 + 1]);
        if (high < 0 || low < 0)
            return sbx_fail(err, SBX_E_REFUSED, "run id", run_id);
        sid[12 + i] = (uint8_t)(high << 4 | low);
    }
    return SBX_OK;
}

sbx_status sbx_token_own(sbx_error *err)
{
    static volatile LONG is_fine; /* a process keeps its token */
    const HANDLE own = GetCurrentProcessToken();
    const sbx_token_self *self;
    TOKEN_GROUPS *restricted = NULL;
    DWORD container = 0, size = 0;
    sbx_status st = SBX_OK;

    if (is_fine)
        return SBX_OK;
    st = sbx_token_info(own, TokenRestrictedSids, (void **)&restricted, err);
    if (st == SBX_E_SYSTEM) { /* what the system cannot even tell, it does not check */
        st = SBX_E_UNENFORCED;
        if (err)
            err->status = st;
        sbx_hint(err, "the system does not enforce restricted tokens; nothing would be confined here");
    }
    if (st != SBX_OK)
        goto out;
    if (!GetTokenInformation(own, TokenIsAppContainer, &container, sizeof(container), &size))
        container = 0; /* a system without them */
    if (restricted->GroupCount || container) {
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "restrict", "own token");
        sbx_hint(err, "sbx runs inside a sandbox already and cannot make another one there; start it outside");
        goto out;
    }
    st = sbx_token_ask_self(&self, err);
    is_fine = st == SBX_OK;
out:
    sbx_free(restricted);
    return st;
}

int sbx_token_has_logon(void)
{
    const sbx_token_self *self;

    return sbx_token_ask_self(&self, NULL) == SBX_OK && self->has_logon;
}

/* The new owner of objects is the user, not Administrators, which the token has for deny only. */
static sbx_status set_owner(HANDLE token, const sbx_token_self *self, sbx_error *err)
{
    TOKEN_OWNER owner = {(PSID)(uintptr_t)self->user.u.bytes};

    if (!SetTokenInformation(token, TokenOwner, &owner, sizeof(owner)))
        return sbx_fail_last(err, SBX_E_SYSTEM, "SetTokenInformation", "owner");
    return SBX_OK;
}

/* An elevated sbx must not hand its integrity on: LUA_TOKEN leaves it as it is. */
static sbx_status set_integrity(HANDLE token, const sbx_token_self *self, sbx_error *err)
{
    _Alignas(4) uint8_t sid[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof(sid);
    TOKEN_MANDATORY_LABEL label;

    if (self->integrity <= SECURITY_MANDATORY_MEDIUM_RID)
        return SBX_OK;
    if (!CreateWellKnownSid(WinMediumLabelSid, NULL, sid, &size))
        return sbx_fail_last(err, SBX_E_SYSTEM, "CreateWellKnownSid", "medium integrity");
    label.Label.Sid = sid;
    label.Label.Attributes = SE_GROUP_INTEGRITY;
    if (!SetTokenInformation(token, TokenIntegrityLevel, &label, sizeof(label) + GetLengthSid(sid)))
        return sbx_fail_last(err, SBX_E_SYSTEM, "SetTokenInformation", "integrity level");
    return SBX_OK;
}

/* The command must be able to use its own token and what it creates; see the header for who else. */
static sbx_status set_dacls(HANDLE token, const sbx_token_self *self, const sbx_token_spec *spec, sbx_error *err)
{
    TOKEN_DEFAULT_DACL dacl = {NULL};
    SECURITY_DESCRIPTOR descriptor;
    sbx_status st = sbx_token_default_dacl(self, spec->run_sid, spec->launcher, (void **)&dacl.DefaultDacl, err);

    if (st != SBX_OK)
        return st;
    if (!SetTokenInformation(token, TokenDefaultDacl, &dacl, sizeof(dacl))) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "SetTokenInformation", "default DACL");
        goto out;
    }
    if (!InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&descriptor, TRUE, dacl.DefaultDacl, FALSE) ||
        !SetKernelObjectSecurity(token, DACL_SECURITY_INFORMATION, &descriptor))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "SetKernelObjectSecurity", "the command's token");
out:
    sbx_free(dacl.DefaultDacl);
    return st;
}

/* Restricted, and not yet settled.  *made: NULL on failure. */
static sbx_status restrict_once(const sbx_token_spec *spec, HANDLE base, const sbx_token_self *self, HANDLE *made,
                                sbx_error *err)
{
    SID_AND_ATTRIBUTES *sids = NULL, denied[SBX_TOKEN_DENIED];
    uint32_t count = 0;
    sbx_status st = sbx_token_restricting(spec, self, &sids, &count, err);

    if (st == SBX_OK &&
        !CreateRestrictedToken(base, DISABLE_MAX_PRIVILEGE | LUA_TOKEN | (count ? WRITE_RESTRICTED : 0u),
                               sbx_token_denied(spec, self, denied), denied, 0, NULL, count, sids, made)) {
        *made = NULL;
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateRestrictedToken", spec->launcher ? "account" : "own token");
    }
    sbx_free(sids);
    return st;
}

sbx_status sbx_token_restrict(const sbx_token_spec *spec, void **token, sbx_error *err)
{
    const sbx_token_self *self;
    HANDLE own = NULL, made = NULL;
    sbx_status st;

    if (!OpenProcessToken(GetCurrentProcess(),
                          TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY | TOKEN_ADJUST_DEFAULT |
                              TOKEN_IMPERSONATE | READ_CONTROL | WRITE_DAC,
                          &own))
        return sbx_fail_last(err, SBX_E_SYSTEM, "OpenProcessToken", "own process");
    if ((st = sbx_token_ask_self(&self, err)) != SBX_OK ||
        (st = restrict_once(spec, own, self, &made, err)) != SBX_OK || (st = set_owner(made, self, err)) != SBX_OK ||
        (st = set_dacls(made, self, spec, err)) != SBX_OK || (st = set_integrity(made, self, err)) != SBX_OK)
        goto out;
    *token = made;
    made = NULL;
out:
    sbx_handle_close(&made);
    sbx_handle_close(&own);
    return st;
}

sbx_status sbx_token_like(const sbx_token_spec *spec, void *base, void **copy, sbx_error *err)
{
    sbx_token_self self;
    HANDLE made = NULL;
    sbx_status st;

    if (!base)
        st = sbx_token_restrict(spec, &made, err);
    else if ((st = sbx_token_ask(base, &self, err)) == SBX_OK &&
             (st = restrict_once(spec, base, &self, &made, err)) == SBX_OK)
        st = set_integrity(made, &self, err);
    if (st == SBX_OK)
        st = sbx_token_copy(made, copy, err);
    sbx_handle_close(&made);
    return st;
}

sbx_status sbx_token_settle(const sbx_token_spec *spec, void *process, void *token, sbx_error *err)
{
    const sbx_token_self *self;
    SECURITY_DESCRIPTOR descriptor;
    void *acl = NULL;
    sbx_status st;

    if ((st = sbx_token_ask_self(&self, err)) != SBX_OK ||
        (st = sbx_token_default_dacl(self, spec->run_sid, spec->launcher, &acl, err)) != SBX_OK)
        return st;
    if (!InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&descriptor, TRUE, acl, FALSE) ||
        !SetKernelObjectSecurity(process, DACL_SECURITY_INFORMATION, &descriptor) ||
        !SetKernelObjectSecurity(token, DACL_SECURITY_INFORMATION, &descriptor))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "SetKernelObjectSecurity", "the suspended command");
    sbx_free(acl);
    return st;
}

sbx_status sbx_token_copy(void *token, void **copy, sbx_error *err)
{
    if (DuplicateTokenEx(token, TOKEN_QUERY | TOKEN_IMPERSONATE, NULL, SecurityImpersonation, TokenImpersonation, copy))
        return SBX_OK;
    *copy = NULL;
    return sbx_fail_last(err, SBX_E_SYSTEM, "DuplicateTokenEx", "the command's token");
}

static sbx_status begin_as(void *copy, sbx_error *err)
{
    return SetThreadToken(NULL, copy) ? SBX_OK
                                      : sbx_fail_last(err, SBX_E_SYSTEM, "SetThreadToken", "the command's token");
}

/* Going on with the command's token would confine sbx itself; the process ends instead. */
static void end_as(void)
{
    if (!SetThreadToken(NULL, NULL))
        TerminateProcess(GetCurrentProcess(), 125);
}

static sbx_status not_enforced(const char *op, const char *object, sbx_error *err)
{
    sbx_fail(err, SBX_E_UNENFORCED, op, object);
    return sbx_hint(err, "the system does not enforce restricted tokens; nothing would be confined here");
}

/* What opening a directory gives; 0: it can be opened. */
static DWORD try_dir(const WCHAR *path_w, DWORD access)
{
    HANDLE dir =
        sbx_handle_from(CreateFileW(path_w, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                    OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL));
    const DWORD code = dir ? 0 : GetLastError();

    sbx_handle_close(&dir);
    return code;
}

sbx_status sbx_token_try(void *copy, const char *closed, const char *opened, const char *root, sbx_error *err)
{
    WCHAR *closed_w = NULL, *opened_w = NULL, *root_w = NULL;
    DWORD closed_code = ERROR_ACCESS_DENIED, opened_code = 0, root_code = 0;
    sbx_status st = SBX_OK;

    if ((closed && (st = sbx_wide_path(closed, &closed_w, err)) != SBX_OK) ||
        (opened && (st = sbx_wide_path(opened, &opened_w, err)) != SBX_OK) ||
        (root && (st = sbx_wide_path(root, &root_w, err)) != SBX_OK) || (st = begin_as(copy, err)) != SBX_OK)
        goto out;
    if (closed)
        closed_code = try_dir(closed_w, FILE_ADD_FILE);
    if (opened)
        opened_code = try_dir(opened_w, FILE_ADD_FILE | FILE_LIST_DIRECTORY);
    if (root)
        root_code = try_dir(root_w, FILE_ADD_FILE);
    end_as();
    if (!closed_code) {
        sbx_fail(err, SBX_E_UNENFORCED, "create files as the command would", closed);
        st = sbx_hint(err, "it must be denied and is not: the system does not enforce restricted tokens, or everyone "
                           "may write to this folder");
    } else if (closed_code != ERROR_ACCESS_DENIED) {
        st = sbx_fail_code(err, SBX_E_UNENFORCED, SBX_CODE_WIN32, closed_code, "create files as the command would",
                           closed);
    } else if (opened_code) {
        st = sbx_fail_code(err, SBX_E_UNENFORCED, SBX_CODE_WIN32, opened_code, "create files as the command would",
                           opened);
    } else if (root_code) {
        st = sbx_fail_code(err, SBX_E_REFUSED, SBX_CODE_WIN32, root_code, "create files as the command would", root);
        sbx_hint(err, "the command is no administrator; give your account access: icacls FOLDER /grant "
                      "%%USERNAME%%:(OI)(CI)M /T");
    }
out:
    sbx_free(closed_w);
    sbx_free(opened_w);
    sbx_free(root_w);
    return st;
}

sbx_status sbx_token_try_hidden(void *copy, const char *paths, sbx_error *err)
{
    sbx_arena arena = {NULL};
    sbx_status st = SBX_OK;

    while (*paths && st == SBX_OK) {
        const size_t length = strcspn(paths, "\n");
        const char *path = sbx_arena_strndup(&arena, paths, length);
        WCHAR *path_w = NULL;
        DWORD read = 0, run = 0;

        st = path ? sbx_wide_path(path, &path_w, err) : sbx_fail_memory(err);
        if (st == SBX_OK && (st = begin_as(copy, err)) == SBX_OK) {
            read = try_dir(path_w, FILE_READ_DATA);
            run = try_dir(path_w, FILE_EXECUTE);
            end_as();
        }
        if (st == SBX_OK && read == ERROR_ACCESS_DENIED)
            read = run;
        if (st == SBX_OK && !read)
            st = sbx_fail(err, SBX_E_UNENFORCED, "deny_read: the command could read it", path);
        else if (st == SBX_OK && read != ERROR_ACCESS_DENIED)
            st = sbx_fail_code(err, SBX_E_UNENFORCED, SBX_CODE_WIN32, read, "read as the command would", path);
        sbx_free(path_w);
        paths += length + (paths[length] != 0);
    }
    sbx_arena_fini(&arena);
    return st;
}

sbx_status sbx_token_try_object(void *copy, sbx_error *err)
{
    SECURITY_DESCRIPTOR descriptor;
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), &descriptor, FALSE};
    sbx_user_sid user;
    _Alignas(4) uint8_t space[sizeof(ACL) + sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE];
    ACL *acl = (ACL *)(void *)space;
    HANDLE event = NULL, opened = NULL;
    DWORD write_code, read_code;
    LARGE_INTEGER tick;
    char name[64];
    WCHAR name_w[64];
    size_t i;
    sbx_status st = sbx_user_get(&user, err);

    if (st != SBX_OK)
        return st;
    QueryPerformanceCounter(&tick);
    snprintf(name, sizeof(name), "Local\\sbx-probe-%lu-%llu", GetCurrentProcessId(), (unsigned long long)tick.QuadPart);
    for (i = 0; i <= strlen(name); i++)
        name_w[i] = (WCHAR)(unsigned char)name[i];
    if (!InitializeAcl(acl, sizeof(space), ACL_REVISION) ||
        !AddAccessAllowedAce(acl, ACL_REVISION, EVENT_ALL_ACCESS, user.u.bytes) ||
        !InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&descriptor, TRUE, acl, FALSE)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "InitializeAcl", "probe");
        goto out;
    }
    event = CreateEventW(&attributes, TRUE, FALSE, name_w);
    if (!event) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateEventW", name);
        goto out;
    }
    if ((st = begin_as(copy, err)) != SBX_OK)
        goto out;
    opened = OpenEventW(EVENT_MODIFY_STATE, FALSE, name_w);
    write_code = opened ? 0 : GetLastError();
    sbx_handle_close(&opened);
    opened = OpenEventW(SYNCHRONIZE, FALSE, name_w);
    read_code = opened ? 0 : GetLastError();
    sbx_handle_close(&opened);
    end_as();
    if (write_code != ERROR_ACCESS_DENIED)
        st = not_enforced("open an object for writing", "probe", err);
    else if (read_code)
        st = sbx_fail_code(err, SBX_E_UNENFORCED, SBX_CODE_WIN32, read_code, "open an object for reading", "probe");
out:
    sbx_handle_close(&event);
    return st;
}
