/*
 * The steps of setup on a machine that keeps accounts, rights and secrets: from nothing to ready and back, cut short after each
 * step, and with what is there already.  Takes an administrator.
 */
#include <windows.h>
#include <lm.h>
#include <ntsecapi.h>
#include <sddl.h>
#include <stdio.h>

#include "fixture.h"

#include "base/memory.h"
#include "elevated/principal.h"
#include "elevated/secret.h"
#include "elevated/state.h"
#include "elevated/steps.h"
#include "setup/folder.h"
#include "win/error.h"
#include "win/file.h"
#include "win/user.h"

/* ---- tests ---- */

static void test_there_and_back(void **state)
{
    const uint32_t before = snapshot();

    (void)state;
    options(2);
    apply_all();
    assert_int_not_equal(snapshot(), before);
    undo_all();
    assert_int_equal(snapshot(), before);
}

/* As many accounts as there may be: no step without a name, none twice. */
static void test_many(void **state)
{
    uint32_t i, k;

    (void)state;
    options(SBX_SLOTS_MAX);
    assert_int_equal(count, STEPS_BESIDE + 2 * SBX_SLOTS_MAX);
    for (i = 0; i < count; i++)
        for (k = 0; k < i; k++)
            assert_string_not_equal(steps[i].name, steps[k].name);
}

static void test_half_made(void **state)
{
    const uint32_t before = snapshot();
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_error err = {0};

    (void)state;
    options(1);
    apply(step_of("enrol"));
    /* begun, recorded and made, and then the end: it is known as ours */
    check(sbx_state_load(&machine, &err), &err, "load");
    user = sbx_machine_find(&machine, own_sid);
    strcpy(user->groups[SBX_GROUP_READERS], SBX_MACHINE_PENDING);
    check(sbx_state_save(&machine, &err), &err, "save");
    sbx_machine_fini(&machine);
    check(sbx_group_make("sbx1-readers", "half", &err), &err, "make");
    assert_int_equal(state_of(step_of("group-readers")), 2);
    apply_all();
    undo_all();
    assert_int_equal(snapshot(), before);
}

/* One of the name that setup did not make is refused, and left. */
static void test_foreign(void **state)
{
    const uint32_t before = snapshot();
    sbx_error err = {0};
    uint32_t found = 0, now, i;
    sbx_user_sid sid;

    (void)state;
    options(1);
    check(sbx_group_make("sbx1-writers", "somebody's", &err), &err, "make");
    apply(step_of("enrol"));
    apply(step_of("group-readers"));
    i = step_of("group-writers");
    assert_int_equal(steps[i].present(&steps[i], &now, &err), SBX_E_REFUSED);
    assert_int_equal(steps[i].apply(&steps[i], &err), SBX_E_REFUSED);
    assert_string_equal(err.op, "it was not made by this setup");
    assert_int_equal(steps[i].undo(&steps[i], &err), SBX_E_REFUSED);
    check(sbx_principal_find("sbx1-writers", &found, &sid, &err), &err, "find");
    assert_int_equal(found, SBX_PRINCIPAL_GROUP);
    check(sbx_group_delete("sbx1-writers", &err), &err, "delete");
    undo_all();
    assert_int_equal(snapshot(), before);
}

/* A member that setup did not put into a group. */
static void test_foreign_member(void **state)
{
    sbx_user_sid self;
    sbx_error err = {0};
    uint32_t now, i;

    (void)state;
    options(1);
    apply_all();
    check(sbx_user_get(&self, &err), &err, "user");
    check(sbx_group_add("sbx1-writers", self.u.bytes, &err), &err, "add");
    i = step_of("members");
    assert_int_equal(steps[i].present(&steps[i], &now, &err), SBX_E_REFUSED);
    assert_string_equal(err.object, "sbx1-writers");
    undo_all();
}

/* What the accounts can do with the password that comes from the secret, and that nothing else works. */
static void test_logon(void **state)
{
    static const DWORD denied[] = {LOGON32_LOGON_NETWORK, LOGON32_LOGON_BATCH, LOGON32_LOGON_SERVICE};
    uint16_t password_w[SBX_PASSWORD_UNITS];
    sbx_secret secret;
    char *path = NULL;
    sbx_error err = {0};
    size_t i;

    (void)state;
    options(1);
    apply_all();
    check(sbx_state_secret_path(1, &path, &err), &err, "path");
    check(sbx_secret_read(path, own_sid, &secret, &err), &err, "secret");
    check(sbx_secret_password(&secret, "sbx1-off01", 1, password_w, &err), &err, "password");
    assert_true(logs_on(L"sbx1-off01", password_w, LOGON32_LOGON_INTERACTIVE));
    assert_false(logs_on(L"sbx1-on01", password_w, LOGON32_LOGON_INTERACTIVE));
    for (i = 0; i < SBX_COUNT(denied); i++) {
        assert_false(logs_on(L"sbx1-off01", password_w, denied[i]));
        assert_int_equal(GetLastError(), ERROR_LOGON_TYPE_NOT_GRANTED);
    }
    password_w[0]++;
    assert_false(logs_on(L"sbx1-off01", password_w, LOGON32_LOGON_INTERACTIVE));
    assert_int_equal(sbx_secret_read(path, "S-1-5-18", &secret, &err), SBX_E_UNAVAILABLE); /* of another user */
    sbx_free(path);
    undo_all();
}

/* Truncated, zeroed, away, replaced: told, and the next setup makes it anew, with passwords that fit. */
static void test_secret_damaged(void **state)
{
    uint16_t password_w[SBX_PASSWORD_UNITS];
    sbx_secret secret;
    char *path = NULL, nothing[64] = {0};
    sbx_error err = {0};
    int how;

    (void)state;
    options(1);
    apply_all();
    check(sbx_state_secret_path(1, &path, &err), &err, "path");
    for (how = 0; how < 3; how++) {
        if (how == 2)
            remove(path);
        else
            check(sbx_file_write(path, nothing, how ? sizeof(nothing) : 3, &err), &err, "write");
        assert_int_equal(sbx_secret_read(path, own_sid, &secret, &err), SBX_E_UNAVAILABLE);
        apply_all();
        check(sbx_secret_read(path, own_sid, &secret, &err), &err, "secret");
        check(sbx_secret_password(&secret, "sbx1-on01", 1, password_w, &err), &err, "password");
        assert_true(logs_on(L"sbx1-on01", password_w, LOGON32_LOGON_INTERACTIVE));
    }
    sbx_free(path);
    undo_all();
}

/* Disabled, or with other flags: seen, and put right. */
static void test_disabled(void **state)
{
    sbx_error err = {0};
    uint32_t i, flags;

    (void)state;
    options(1);
    apply_all();
    i = step_of("passwords");
    check(sbx_account_enable("sbx1-on01", 0, &err), &err, "disable");
    assert_int_equal(state_of(i), 2);
    apply(i);
    check(sbx_account_look("sbx1-on01", &flags, &err), &err, "look");
    assert_int_equal(flags, 0);
    undo_all();
}

/* ---- a second user ---- */

#define SECOND L"sbx-test-second"

static char *bytes_of(const char *name, size_t *length)
{
    char path[MAX_PATH], *bytes = NULL;
    sbx_error err = {0};

    snprintf(path, sizeof(path), "C:\\ProgramData\\sbx\\%s", name);
    check(sbx_file_read(path, 1u << 20, &bytes, length, &err), &err, path);
    return bytes;
}

static void assert_still(const char *name, const char *bytes, size_t length)
{
    size_t now_length = 0;
    char *now = bytes_of(name, &now_length);

    assert_int_equal(now_length, length);
    assert_memory_equal(now, bytes, length);
    sbx_free(now);
}

static HANDLE token_of(const char *sid, uint32_t number)
{
    uint16_t password_w[SBX_PASSWORD_UNITS];
    HANDLE token = NULL, copy = NULL;
    WCHAR name_w[32];
    sbx_secret secret;
    char *path = NULL, name[24];
    sbx_error err = {0};

    sbx_machine_account_name(name, number, 0, 0);
    check(sbx_state_secret_path(number, &path, &err), &err, "path");
    check(sbx_secret_read(path, sid, &secret, &err), &err, "secret");
    check(sbx_secret_password(&secret, name, 1, password_w, &err), &err, "password");
    swprintf(name_w, 32, L"%hs", name);
    assert_true(LogonUserW(name_w, (LPWSTR)(uintptr_t)L".", password_w, LOGON32_LOGON_INTERACTIVE,
                           LOGON32_PROVIDER_DEFAULT, &token));
    assert_true(DuplicateTokenEx(token, TOKEN_QUERY | TOKEN_IMPERSONATE, NULL, SecurityImpersonation,
                                 TokenImpersonation, &copy));
    CloseHandle(token);
    sbx_free(path);
    return copy;
}

/* May it read or write what one user's groups alone may? */
static int reaches(HANDLE token, const sbx_machine_user *user)
{
    GENERIC_MAPPING mapping = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS};
    PRIVILEGE_SET used;
    DWORD length = sizeof(used), got = 0;
    BOOL allowed = FALSE;
    void *descriptor = NULL;
    WCHAR sddl[512];

    swprintf(sddl, 512, L"O:SYG:SYD:P(A;;FA;;;%hs)(A;;FA;;;%hs)(A;;FA;;;%hs)", user->groups[SBX_GROUP_READERS],
             user->groups[SBX_GROUP_WRITERS], user->groups[SBX_GROUP_OFFLINE]);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, &descriptor, NULL));
    assert_true(AccessCheck(descriptor, token, MAXIMUM_ALLOWED, &mapping, &used, &length, &got, &allowed));
    LocalFree(descriptor);
    return allowed && (got & (FILE_READ_DATA | FILE_WRITE_DATA));
}

static void as_user(const char *sid)
{
    strcpy(own_sid, sid);
    options(1);
}

/* Has numbers, accounts and a secret of his own; to set one up or take him away changes nothing of the other. */
static void test_second_user(void **state)
{
    USER_INFO_1 info = {.usri1_name = (WCHAR *)(uintptr_t)SECOND,
                        .usri1_password = (WCHAR *)(uintptr_t)L"Vo3-ka!9qTz_71xLwM",
                        .usri1_priv = USER_PRIV_USER,
                        .usri1_flags = UF_SCRIPT};
    const uint32_t before = snapshot();
    uint32_t with_one, found, i;
    char first[SBX_MACHINE_SID], second[SBX_MACHINE_SID], *record, *secret, *second_secret;
    size_t record_length, secret_length, second_length;
    sbx_machine machine = {0};
    sbx_user_sid sid;
    sbx_error err = {0};
    HANDLE one, two;

    (void)state;
    strcpy(first, own_sid);
    options(1);
    apply_all();
    assert_int_equal(NetUserAdd(NULL, 1, (BYTE *)&info, NULL), 0);
    with_one = snapshot();
    check(sbx_principal_find("sbx-test-second", &found, &sid, &err), &err, "find");
    sbx_user_sid_text(sid.u.bytes, second, sizeof(second));
    record = bytes_of("elevated.txt", &record_length);
    secret = bytes_of("elevated-1.secret", &secret_length);

    as_user(second);
    apply_all();
    check(sbx_principal_find("sbx2-off01", &found, &sid, &err), &err, "find");
    assert_int_equal(found, SBX_PRINCIPAL_USER);
    assert_still("elevated-1.secret", secret, secret_length);
    second_secret = bytes_of("elevated-2.secret", &second_length);
    check(sbx_state_load(&machine, &err), &err, "load");
    one = token_of(first, 1);
    two = token_of(second, 2);
    assert_true(reaches(one, &machine.users[0]) && reaches(two, &machine.users[1]));
    assert_false(reaches(two, &machine.users[0]));
    assert_false(reaches(one, &machine.users[1]));
    CloseHandle(one);
    CloseHandle(two);
    sbx_machine_fini(&machine);
    undo_all();
    assert_still("elevated.txt", record, record_length);
    assert_still("elevated-1.secret", secret, secret_length);
    assert_int_equal(snapshot(), with_one);

    /* and the other way round */
    apply_all();
    sbx_free(second_secret);
    second_secret = bytes_of("elevated-2.secret", &second_length);
    as_user(first);
    undo_all();
    assert_still("elevated-2.secret", second_secret, second_length);
    as_user(second);
    for (i = 0; i < count; i++)
        assert_true(is_elsewhere(i) || state_of(i) == 1);
    undo_all();
    as_user(first);
    NetUserDel(NULL, SECOND);
    assert_int_equal(snapshot(), before);
    sbx_free(second_secret);
    sbx_free(secret);
    sbx_free(record);
}

static int begin(void **state)
{
    sbx_user_sid self;

    (void)state;
    sbx_fault_use(0);
    if (sbx_setup_folder_make("C:\\ProgramData\\sbx", SBX_FOLDER_STATE, NULL) != SBX_OK)
        return 1;
    if (sbx_user_get(&self, NULL) != SBX_OK)
        return 1;
    sbx_user_sid_text(self.u.bytes, own_sid, sizeof(own_sid));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_many),
        cmocka_unit_test(test_half_made),      cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_foreign_member), cmocka_unit_test(test_logon),
        cmocka_unit_test(test_secret_damaged), cmocka_unit_test(test_disabled),
        cmocka_unit_test(test_second_user),    cmocka_unit_test(test_put_right),
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_fewer),
        cmocka_unit_test(test_own_account),    cmocka_unit_test(test_unfit),
        cmocka_unit_test(test_record_once),    cmocka_unit_test(test_record_lost),
        cmocka_unit_test(test_secret_kept),    cmocka_unit_test(test_owner),
        cmocka_unit_test(test_cut_anywhere),
    };

    return cmocka_run_group_tests(tests, begin, NULL);
}
