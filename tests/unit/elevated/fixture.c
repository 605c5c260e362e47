#include "fixture.h"

#include <lm.h>
#include <ntsecapi.h>

#include "base/memory.h"
#include "elevated/secret.h"
#include "elevated/state.h"
#include "elevated/steps.h"
#include "win/error.h"

char own_sid[SBX_MACHINE_SID];
const sbx_setup_step *steps;
uint32_t count;
const char *programs = "C:\\Program Files\\sbx";
int with_network;

void check(sbx_status st, const sbx_error *err, const char *what)
{
    char text[1024];

    if (st == SBX_OK)
        return;
    sbx_error_describe(err, text, sizeof(text));
    fail_msg("%s: %s (%s)", what, text, err->hint);
}

static void take_options(sbx_setup_options *given)
{
    sbx_error err = {0};

    given->size = sizeof(*given);
    given->part = SBX_SETUP_MACHINE;
    given->programs = programs;
    check(sbx_elevated_steps(given, &steps, &count, &err), &err, "steps");
}

void options(uint32_t slots)
{
    sbx_setup_options given = {.slots = slots, .user_sid = own_sid};

    take_options(&given);
}

void options_for(const char *sid, uint32_t slots, uint32_t first, uint32_t last)
{
    const sbx_port_range range = {(uint16_t)first, (uint16_t)last};
    sbx_setup_options given = {
        .flags = SBX_SETUP_LOOPBACK, .slots = slots, .loopback = &range, .loopback_count = first != 0, .user_sid = sid};

    take_options(&given);
}

uint32_t state_of(uint32_t i)
{
    sbx_error err = {0};
    uint32_t state = 9;

    check(steps[i].present(&steps[i], &state, &err), &err, steps[i].name);
    return state;
}

int is_elsewhere(uint32_t i)
{
    return !with_network && (!strcmp(steps[i].name, "filters") || !strcmp(steps[i].name, "rules"));
}

void apply(uint32_t i)
{
    sbx_error err = {0};

    if (is_elsewhere(i) || state_of(i) == 1)
        return;
    check(steps[i].apply(&steps[i], &err), &err, steps[i].name);
    if (state_of(i) != 1)
        fail_msg("%s: applied, but it is not there", steps[i].name);
}

uint32_t step_of(const char *name)
{
    uint32_t i;

    for (i = 0; i < count && strcmp(steps[i].name, name); i++)
        ;
    assert_true(i < count);
    return i;
}

void apply_all(void)
{
    uint32_t i;

    for (i = 0; i < count; i++)
        apply(i);
    for (i = 0; i < count; i++)
        assert_true(is_elsewhere(i) || state_of(i) == 1);
}

void undo_all(void)
{
    sbx_error err = {0};
    uint32_t i;

    for (i = count; i-- > 0;)
        check(steps[i].undo(&steps[i], &err), &err, steps[i].name);
}

uint32_t state_named(const char *name)
{
    return state_of(step_of(name));
}

void apply_named(const char *name)
{
    const sbx_setup_step *step = &steps[step_of(name)];
    sbx_error err = {0};

    check(step->apply(step, &err), &err, name);
    assert_int_equal(state_named(name), 1);
}

void undo_named(const char *name)
{
    const sbx_setup_step *step = &steps[step_of(name)];
    sbx_error err = {0};

    check(step->undo(step, &err), &err, name);
}

void load(sbx_machine *machine)
{
    sbx_error err = {0};

    memset(machine, 0, sizeof(*machine));
    check(sbx_state_load(machine, &err), &err, "load");
}

/* ---- an oracle of its own: what the machine has ---- */

static uint32_t hash(uint32_t sum, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;

    while (length--)
        sum = (sum ^ *at++) * 16777619u;
    return sum;
}

/* Whose any of these rights is. */
static uint32_t hash_rights(uint32_t sum)
{
    static const WCHAR *const names_w[] = {SE_DENY_NETWORK_LOGON_NAME, SE_DENY_BATCH_LOGON_NAME,
                                           SE_DENY_SERVICE_LOGON_NAME, SE_DENY_REMOTE_INTERACTIVE_LOGON_NAME};
    LSA_OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes)};
    LSA_ENUMERATION_INFORMATION *found;
    LSA_HANDLE policy = NULL;
    ULONG count_w, i, k;

    assert_true(LsaOpenPolicy(NULL, &attributes, POLICY_LOOKUP_NAMES | POLICY_VIEW_LOCAL_INFORMATION, &policy) >= 0);
    for (i = 0; i < SBX_COUNT(names_w); i++) {
        LSA_UNICODE_STRING name = {(USHORT)(wcslen(names_w[i]) * 2), (USHORT)(wcslen(names_w[i]) * 2 + 2),
                                   (WCHAR *)(uintptr_t)names_w[i]};

        if (LsaEnumerateAccountsWithUserRight(policy, &name, (void **)&found, &count_w) < 0)
            continue;
        for (k = 0; k < count_w; k++)
            sum = hash(sum, found[k].Sid, GetLengthSid(found[k].Sid));
        LsaFreeMemory(found);
    }
    LsaClose(policy);
    return sum;
}

/* Users with their flags, groups with their members, rights, hidden users, files of sbx. */
uint32_t snapshot(void)
{
    USER_INFO_1 *users = NULL;
    LOCALGROUP_INFO_0 *groups = NULL;
    LOCALGROUP_MEMBERS_INFO_3 *members = NULL;
    DWORD got = 0, got_members = 0, all = 0, i, k, size;
    WIN32_FIND_DATAW found;
    HANDLE find;
    HKEY key;
    WCHAR name[256];
    uint32_t sum = 2166136261u;

    assert_int_equal(NetUserEnum(NULL, 1, 0, (BYTE **)&users, MAX_PREFERRED_LENGTH, &got, &all, NULL), 0);
    for (i = 0; i < got; i++) {
        sum = hash(sum, users[i].usri1_name, wcslen(users[i].usri1_name) * 2);
        sum = hash(sum, &users[i].usri1_flags, sizeof(users[i].usri1_flags));
    }
    NetApiBufferFree(users);
    assert_int_equal(NetLocalGroupEnum(NULL, 0, (BYTE **)&groups, MAX_PREFERRED_LENGTH, &got, &all, NULL), 0);
    for (i = 0; i < got; i++) {
        sum = hash(sum, groups[i].lgrpi0_name, wcslen(groups[i].lgrpi0_name) * 2);
        if (NetLocalGroupGetMembers(NULL, groups[i].lgrpi0_name, 3, (BYTE **)&members, MAX_PREFERRED_LENGTH,
                                    &got_members, &all, NULL))
            continue;
        for (k = 0; k < got_members; k++)
            sum = hash(sum, members[k].lgrmi3_domainandname, wcslen(members[k].lgrmi3_domainandname) * 2);
        NetApiBufferFree(members);
    }
    NetApiBufferFree(groups);
    if (!RegOpenKeyExW(HKEY_LOCAL_MACHINE,
                       L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon\\SpecialAccounts\\UserList", 0,
                       KEY_READ, &key)) {
        for (i = 0, size = 256; !RegEnumValueW(key, i, name, &size, NULL, NULL, NULL, NULL); i++, size = 256)
            sum = hash(sum, name, size * 2);
        RegCloseKey(key);
    }
    find = FindFirstFileW(L"C:\\ProgramData\\sbx\\elevated*", &found);
    if (find != INVALID_HANDLE_VALUE) {
        do
            sum = hash(sum, found.cFileName, wcslen(found.cFileName) * 2);
        while (FindNextFileW(find, &found));
        FindClose(find);
    }
    return hash_rights(sum);
}

const uint16_t *derived(const char *account)
{
    static uint16_t password_w[SBX_PASSWORD_UNITS];
    sbx_machine machine = {0};
    sbx_secret secret;
    char *path = NULL;
    sbx_error err = {0};

    check(sbx_state_load(&machine, &err), &err, "load");
    assert_non_null(sbx_machine_find(&machine, own_sid));
    check(sbx_state_secret_path(1, &path, &err), &err, "path");
    check(sbx_secret_read(path, own_sid, &secret, &err), &err, "secret");
    check(sbx_secret_password(&secret, account, sbx_machine_find(&machine, own_sid)->generation, password_w, &err),
          &err, "password");
    sbx_machine_fini(&machine);
    sbx_free(path);
    return password_w;
}

BOOL logs_on(const WCHAR *name, const uint16_t *password_w, DWORD type)
{
    HANDLE token = NULL;
    const BOOL ok = LogonUserW((LPWSTR)(uintptr_t)name, (LPWSTR)(uintptr_t)L".", (LPWSTR)(uintptr_t)password_w, type,
                               LOGON32_PROVIDER_DEFAULT, &token);

    if (ok)
        CloseHandle(token);
    return ok;
}
