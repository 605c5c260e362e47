/* What somebody did to what setup made: seen, and put right; and where setup cannot be. */
#include "fixture.h"

#include <lm.h>
#include <sddl.h>
#include <string.h>

#include "elevated/principal.h"
#include "elevated/state.h"
#include "elevated/steps_part.h"
#include "win/logon.h"

/* As `--repair` does it. */
static void apply_again(void)
{
    sbx_error err = {0};
    uint32_t i;

    for (i = 0; i < count; i++)
        if (!is_elsewhere(i) && !(steps[i].flags & SBX_STEP_CONDITION))
            check(steps[i].apply(&steps[i], &err), &err, steps[i].name);
    for (i = 0; i < count; i++)
        assert_true(is_elsewhere(i) || state_of(i) == 1);
}

static void open_secret(void)
{
    PSECURITY_DESCRIPTOR open = NULL;

    assert_int_equal(state_of(step_of("secret")), 1);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA("D:P(A;;FA;;;BA)(A;;FR;;;WD)", SDDL_REVISION_1,
                                                                     &open, NULL));
    assert_true(SetFileSecurityA("C:\\ProgramData\\sbx\\elevated-1.secret", DACL_SECURITY_INFORMATION, open));
    LocalFree(open);
    assert_int_equal(state_of(step_of("secret")), 2);
}

static void strip_rights(void)
{
    sbx_machine machine = {0};
    sbx_user_sid sid;
    sbx_error err = {0};

    check(sbx_state_load(&machine, &err), &err, "load");
    check(sbx_steps_sid(sbx_machine_find(&machine, own_sid)->groups[SBX_GROUP_READERS], &sid, &err), &err, "sid");
    check(sbx_rights_remove(sid.u.bytes, &err), &err, "rights");
    sbx_machine_fini(&machine);
    assert_int_equal(state_of(step_of("rights")), 0);
}

/* Whatever it was: one more setup, and the account logs on again, as it is meant to and no other way. */
void test_put_right(void **state)
{
    static const uint16_t other_w[] = L"Another-password-0815";
    USER_INFO_1008 plain = {UF_SCRIPT | UF_NORMAL_ACCOUNT};
    const uint32_t before = snapshot();
    sbx_error err = {0};
    int how;

    (void)state;
    options(1);
    apply_all();
    for (how = 0; how < 6; how++) {
        if (how == 0) { /* another password: nothing tells */
            check(sbx_account_set_password("sbx1-off01", other_w, &err), &err, "password");
            assert_false(logs_on(L"sbx1-off01", derived("sbx1-off01"), LOGON32_LOGON_INTERACTIVE));
        } else if (how == 1) { /* it expires, and is the account's to change */
            assert_int_equal(NetUserSetInfo(NULL, L"sbx1-off01", 1008, (BYTE *)&plain, NULL), 0);
            assert_int_equal(state_of(step_of("passwords")), 2);
        } else if (how == 2) {
            check(sbx_account_delete("sbx1-off01", &err), &err, "delete");
            assert_int_equal(state_of(step_of("account-off01")), 2);
            assert_int_equal(state_of(step_of("passwords")), 2);
        } else if (how == 3) {
            check(sbx_group_delete("sbx1-readers", &err), &err, "delete");
            assert_int_equal(state_of(step_of("group-readers")), 2);
        } else if (how == 4) {
            open_secret();
        } else {
            strip_rights();
        }
        apply_again();
        assert_true(logs_on(L"sbx1-off01", derived("sbx1-off01"), LOGON32_LOGON_INTERACTIVE));
        assert_false(logs_on(L"sbx1-off01", derived("sbx1-off01"), LOGON32_LOGON_NETWORK));
    }
    undo_all();
    assert_int_equal(snapshot(), before);
}

/* As a launch starts its runner: what it is told. */
static void assert_refused(DWORD code)
{
    const sbx_logon_start how = {.account_w = L"sbx1-off01",
                                 .secret_w = derived("sbx1-off01"),
                                 .domain_w = L".",
                                 .program_w = L"C:\\windows\\system32\\cmd.exe"};
    sbx_process process = {0};
    sbx_error err = {0};

    assert_int_equal(sbx_logon_spawn(&process, &how, &err), SBX_E_UNAVAILABLE);
    assert_int_equal(err.code, code);
    assert_string_equal(err.object, "sbx1-off01");
    assert_non_null(strstr(err.hint, "; put it right with: sbx setup --repair"));
}

static void set_info(DWORD level, void *info)
{
    assert_int_equal(NetUserSetInfo(NULL, L"sbx1-off01", level, info, NULL), 0);
}

/* It logs on no more, for whatever reason: a launch tells which, and setup puts it right. */
void test_refused(void **state)
{
    static const uint16_t other_w[] = L"Another-password-0815";
    const uint32_t before = snapshot();
    BYTE never[21] = {0};
    USER_INFO_1008 disabled = {UF_SCRIPT | UF_NORMAL_ACCOUNT | UF_ACCOUNTDISABLE};
    USER_INFO_1014 machines = {(LPWSTR)(uintptr_t)L"ELSEWHERE"};
    USER_INFO_1017 expired = {1};
    USER_INFO_1020 hours = {UNITS_PER_WEEK, never};
    USER_MODALS_INFO_3 none = {1800, 1800, 0}, two = {1800, 1800, 2};
    USER_INFO_3 *whole = NULL;
    sbx_error err = {0};
    int how, i;

    (void)state;
    options(1);
    apply_all();
    for (how = 0; how < 8; how++) {
        switch (how) {
        case 0:
            check(sbx_account_set_password("sbx1-off01", other_w, &err), &err, "password");
            assert_refused(ERROR_LOGON_FAILURE);
            break;
        case 1:
            check(sbx_account_delete("sbx1-off01", &err), &err, "delete");
            assert_refused(ERROR_LOGON_FAILURE);
            break;
        case 2:
            set_info(1008, &disabled);
            assert_refused(ERROR_ACCOUNT_DISABLED);
            break;
        case 3:
            set_info(1014, &machines);
            assert_refused(ERROR_INVALID_WORKSTATION);
            break;
        case 4:
            set_info(1017, &expired);
            assert_refused(ERROR_ACCOUNT_EXPIRED);
            break;
        case 5:
            set_info(1020, &hours);
            assert_refused(ERROR_INVALID_LOGON_HOURS);
            break;
        case 6:
            assert_int_equal(NetUserModalsSet(NULL, 3, (BYTE *)&two, NULL), 0);
            for (i = 0; i < 2; i++)
                assert_false(logs_on(L"sbx1-off01", other_w, LOGON32_LOGON_INTERACTIVE));
            assert_refused(ERROR_ACCOUNT_LOCKED_OUT);
            assert_int_equal(NetUserModalsSet(NULL, 3, (BYTE *)&none, NULL), 0);
            assert_refused(ERROR_ACCOUNT_LOCKED_OUT);
            break;
        default:
            assert_int_equal(NetUserGetInfo(NULL, L"sbx1-off01", 3, (BYTE **)&whole), 0);
            whole->usri3_password = NULL;
            whole->usri3_flags &= ~(DWORD)UF_DONT_EXPIRE_PASSWD;
            whole->usri3_password_expired = 1;
            set_info(3, whole);
            NetApiBufferFree(whole);
            assert_refused(ERROR_PASSWORD_MUST_CHANGE);
        }
        apply_again();
        assert_true(logs_on(L"sbx1-off01", derived("sbx1-off01"), LOGON32_LOGON_INTERACTIVE));
    }
    undo_all();
    assert_int_equal(snapshot(), before);
}

/* Fewer accounts than before: those beyond go, with all that is theirs; cut short, too. */
void test_fewer(void **state)
{
    const uint32_t before = snapshot();
    uint32_t one, found;
    sbx_user_sid sid;
    sbx_error err = {0};

    (void)state;
    options(1);
    apply_all();
    one = snapshot();
    options(3);
    apply_all();
    assert_int_not_equal(snapshot(), one);
    options(1);
    assert_int_equal(count, STEPS_BESIDE + 2 * 3); /* those beyond are steps as well */
    apply(step_of("enrol"));
    options(0); /* cut short there: they are still known */
    assert_int_equal(count, STEPS_BESIDE + 2 * 3);
    apply_all();
    assert_int_equal(snapshot(), one);
    check(sbx_principal_find("sbx1-on03", &found, &sid, &err), &err, "find");
    assert_int_equal(found, SBX_PRINCIPAL_NONE);
    options(0);
    assert_int_equal(count, STEPS_BESIDE + 2 * 1);
    undo_all();
    assert_int_equal(snapshot(), before);
}

/* An account of ours is nobody to set it up for. */
void test_own_account(void **state)
{
    const uint32_t before = snapshot();
    char kept[SBX_MACHINE_SID];
    sbx_user_sid sid;
    sbx_error err = {0};
    uint32_t found, now;

    (void)state;
    options(1);
    apply_all();
    check(sbx_principal_find("sbx1-off01", &found, &sid, &err), &err, "find");
    strcpy(kept, own_sid);
    sbx_user_sid_text(sid.u.bytes, own_sid, sizeof(own_sid));
    options(1);
    found = step_of("machine");
    assert_int_equal(steps[found].present(&steps[found], &now, &err), SBX_E_REFUSED);
    assert_string_equal(err.op, "it is an account that runs commands");
    strcpy(own_sid, kept);
    options(1);
    undo_all();
    assert_int_equal(snapshot(), before);
}

/* Where it cannot be, that is said before anything is made. */
void test_unfit(void **state)
{
    static const WCHAR key_w[] = L"SYSTEM\\CurrentControlSet\\Services\\seclogon";
    DWORD start = 0, size = sizeof(start), disabled = SERVICE_DISABLED;
    const int was = !RegGetValueW(HKEY_LOCAL_MACHINE, key_w, L"Start", RRF_RT_REG_DWORD, NULL, &start, &size);
    sbx_error err = {0};
    uint32_t now = 0, i;

    (void)state;
    options(1);
    i = step_of("machine");
    assert_int_equal(state_of(i), 1);
    assert_int_equal(RegSetKeyValueW(HKEY_LOCAL_MACHINE, key_w, L"Start", REG_DWORD, &disabled, sizeof(disabled)), 0);
    assert_int_equal(steps[i].present(&steps[i], &now, &err), SBX_E_UNAVAILABLE);
    assert_string_equal(err.op, "the service \"Secondary Logon\" (seclogon) is disabled");
    if (was)
        RegSetKeyValueW(HKEY_LOCAL_MACHINE, key_w, L"Start", REG_DWORD, &start, sizeof(start));
    else
        RegDeleteKeyW(HKEY_LOCAL_MACHINE, key_w);
    assert_int_equal(state_of(i), 1);
}
