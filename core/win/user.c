#include "win/user.h"

#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf.h"
#include "win/error.h"

typedef BOOL(WINAPI *lookup_fn)(LPCWSTR, PSID, LPWSTR, LPDWORD, LPWSTR, LPDWORD, PSID_NAME_USE);

static sbx_status ask(HANDLE token, const char *object, sbx_user_sid *user, sbx_error *err)
{
    union {
        TOKEN_USER user;
        BYTE bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } info;
    DWORD length = 0;

    if (!GetTokenInformation(token, TokenUser, &info, sizeof(info), &length) ||
        !CopySid(sizeof(user->u.bytes), user->u.bytes, info.user.User.Sid))
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetTokenInformation", object);
    return SBX_OK;
}

sbx_status sbx_user_of(void *process, const char *object, sbx_user_sid *user, sbx_error *err)
{
    HANDLE token = NULL;
    sbx_status st;

    if (!OpenProcessToken(process, TOKEN_QUERY, &token))
        return sbx_fail_last(err, SBX_E_SYSTEM, "OpenProcessToken", object);
    st = ask(token, object, user, err);
    CloseHandle(token);
    return st;
}

/* Asked once: the user of a process does not change. */
sbx_status sbx_user_get(sbx_user_sid *user, sbx_error *err)
{
    static SRWLOCK lock = SRWLOCK_INIT;
    static sbx_user_sid known;
    static int is_known;
    sbx_status st = SBX_OK;

    AcquireSRWLockExclusive(&lock);
    if (!is_known && (st = ask(GetCurrentProcessToken(), "own token", &known, err)) == SBX_OK)
        is_known = 1;
    *user = known;
    ReleaseSRWLockExclusive(&lock);
    return st;
}

static sbx_status ask_logon(sbx_user_sid *logon, int *has, sbx_error *err)
{
    DWORD size = 2048, need = 0, i; /* mostly enough */
    TOKEN_GROUPS *groups = NULL;
    sbx_status st = SBX_OK;

    while ((groups = sbx_alloc(size)) &&
           !GetTokenInformation(GetCurrentProcessToken(), TokenGroups, groups, size, &need)) {
        sbx_free(groups);
        if (need <= size)
            return sbx_fail_last(err, SBX_E_SYSTEM, "GetTokenInformation", "own token");
        size = need;
    }
    if (!groups)
        return sbx_fail_memory(err);
    for (i = 0; i < groups->GroupCount; i++)
        if ((groups->Groups[i].Attributes & SE_GROUP_LOGON_ID) == SE_GROUP_LOGON_ID)
            break;
    *has = i < groups->GroupCount;
    if (*has && !CopySid(sizeof(logon->u.bytes), logon->u.bytes, groups->Groups[i].Sid))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CopySid", "the logon SID");
    sbx_free(groups);
    return st;
}

sbx_status sbx_user_logon(sbx_user_sid *logon, int *has, sbx_error *err)
{
    static SRWLOCK lock = SRWLOCK_INIT;
    static sbx_user_sid known;
    static int is_known, known_has;
    sbx_status st = SBX_OK;

    AcquireSRWLockExclusive(&lock);
    if (!is_known && (st = ask_logon(&known, &known_has, err)) == SBX_OK)
        is_known = 1;
    *logon = known;
    *has = known_has;
    ReleaseSRWLockExclusive(&lock);
    return st;
}

void sbx_user_sid_text(const void *sid, char *text, size_t size)
{
    PSID from = (PSID)(uintptr_t)sid;
    const BYTE *value = GetSidIdentifierAuthority(from)->Value;
    uint64_t authority = 0;
    size_t used, i;

    for (i = 0; i < 6; i++)
        authority = authority << 8 | value[i];
    /* an authority beyond 32 bits is written in hexadecimal */
    used = (size_t)snprintf(text, size, authority >> 32 ? "S-1-0x%012llX" : "S-1-%llu", (unsigned long long)authority);
    for (i = 0; used < size && i < *GetSidSubAuthorityCount(from); i++)
        used += (size_t)snprintf(text + used, size - used, "-%lu", *GetSidSubAuthority(from, (DWORD)i));
}

/* Behind a '-', in decimal or as 0x and hexadecimal. */
static const char *read_number(const char *at, uint64_t *value)
{
    char *end;

    *value = 0;
    if (*at++ != '-' || *at < '0' || *at > '9')
        return "";
    *value = strtoull(at, &end, at[1] == 'x' ? 16 : 10);
    return end;
}

int sbx_user_sid_read(const char *text, size_t length, sbx_user_sid *sid)
{
    SID *made = (SID *)(void *)sid->u.bytes;
    char one[192], again[192];
    const char *at = one + strlen("S-1");
    uint64_t value;
    int i;

    memset(sid, 0, sizeof(*sid));
    if (length < strlen("S-1") || length >= sizeof(one))
        return 0;
    memcpy(one, text, length);
    one[length] = 0;
    made->Revision = SID_REVISION;
    at = read_number(at, &value);
    for (i = 0; i < 6; i++)
        made->IdentifierAuthority.Value[i] = (BYTE)(value >> (8 * (5 - i)));
    while (*at && made->SubAuthorityCount < SID_MAX_SUB_AUTHORITIES) {
        at = read_number(at, &value);
        *GetSidSubAuthority(made, made->SubAuthorityCount++) = (DWORD)value;
    }
    sbx_user_sid_text(made, again, sizeof(again)); /* what is not read as it was meant is written differently */
    return !strcmp(one, again);
}

void sbx_user_name(const void *sid, char *text, size_t size)
{
    WCHAR name[256], domain[256];
    DWORD name_length = 256, domain_length = 256;
    SID_NAME_USE use;
    HMODULE module = LoadLibraryExW(L"advapi32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    union {
        FARPROC found;
        lookup_fn lookup;
    } symbol;
    char *a = NULL, *b = NULL;

    symbol.found = module ? GetProcAddress(module, "LookupAccountSidW") : NULL;
    sbx_user_sid_text(sid, text, size);
    if (symbol.found && symbol.lookup(NULL, (PSID)(uintptr_t)sid, name, &name_length, domain, &domain_length, &use)) {
        a = sbx_utf16_to_utf8((const uint16_t *)domain, wcslen(domain), NULL);
        b = sbx_utf16_to_utf8((const uint16_t *)name, wcslen(name), NULL);
        if (a && b)
            snprintf(text, size, "%s%s%s", a, a[0] ? "\\" : "", b);
    }
    sbx_free(a);
    sbx_free(b);
    if (module)
        FreeLibrary(module);
}
