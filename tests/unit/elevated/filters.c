/*
 * The filters of the network on a machine that has the platform: who is off it, who is not, with each part of them and
 * without.  Takes an administrator; the oracle is the engine's own list, and programs of the accounts.
 */
#include <windows.h>
#include <fwpmu.h>
#include <lm.h>
#include <rpcdce.h>
#include <stdio.h>

#include "unit/support/unit.h"

#include "base/memory.h"
#include "common/host.h"
#include "elevated/checks.h"
#include "elevated/filters_part.h"
#include "elevated/fwpm_ids.h"
#include "elevated/principal.h"
#include "elevated/secret.h"
#include "elevated/state.h"
#include "elevated/steps.h"
#include "setup/folder.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/logon.h"
#include "win/reach.h"
#include "win/user.h"
#include "win/wide.h"

#define FOLDER "C:\\Program Files\\sbx-filters"
#define RUNNER_W L"C:\\Program Files\\sbx-filters\\sbx-runner.exe"
#define SECOND "sbx-second"
#define PASSWORD L"Tr0ub4dor&3-and-more"

static char own_sid[SBX_MACHINE_SID], second_sid[SBX_MACHINE_SID];
static const sbx_setup_step *steps;
static uint32_t count;
static HANDLE engine;

static void check(sbx_status st, const sbx_error *err, const char *what)
{
    char text[1024];

    if (st == SBX_OK)
        return;
    sbx_error_describe(err, text, sizeof(text));
    fail_msg("%s: %s (%s)", what, text, err->hint);
}

static void options(const char *sid, uint32_t first, uint32_t last)
{
    const sbx_port_range range = {(uint16_t)first, (uint16_t)last};
    sbx_setup_options given = {.size = sizeof(given),
                               .part = SBX_SETUP_MACHINE,
                               .flags = SBX_SETUP_LOOPBACK,
                               .slots = 1,
                               .loopback = &range,
                               .loopback_count = first != 0,
                               .user_sid = sid,
                               .programs = FOLDER};
    sbx_error err = {0};

    check(sbx_elevated_steps(&given, &steps, &count, &err), &err, "steps");
}

static const sbx_setup_step *step(const char *name)
{
    uint32_t i;

    for (i = 0; i < count; i++)
        if (!strcmp(steps[i].name, name))
            return &steps[i];
    fail_msg("no step %s", name);
    return NULL;
}

static uint32_t state_of(const char *name)
{
    sbx_error err = {0};
    uint32_t state = 9;

    check(step(name)->present(step(name), &state, &err), &err, name);
    return state;
}

static void apply_all(void)
{
    sbx_error err = {0};
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (state_of(steps[i].name) == 1)
            continue;
        check(steps[i].apply(&steps[i], &err), &err, steps[i].name);
        assert_int_equal(state_of(steps[i].name), 1);
    }
}

static void undo_all(void)
{
    sbx_error err = {0};
    uint32_t i;

    for (i = count; i-- > 0;)
        check(steps[i].undo(&steps[i], &err), &err, steps[i].name);
}

static void load(sbx_machine *machine)
{
    sbx_error err = {0};

    memset(machine, 0, sizeof(*machine));
    check(sbx_state_load(machine, &err), &err, "load");
}

/* ---- oracles ---- */

static uint32_t filters_there(const GUID *layer, FWP_ACTION_TYPE action, GUID *keys)
{
    FWPM_FILTER0 **found = NULL;
    HANDLE walk = NULL;
    UINT32 got = 0, i;
    uint32_t n = 0;

    assert_int_equal(FwpmFilterCreateEnumHandle0(engine, NULL, &walk), 0);
    assert_int_equal(FwpmFilterEnum0(engine, walk, 4096, &found, &got), 0);
    for (i = 0; i < got; i++)
        if ((!layer || !memcmp(layer, &found[i]->layerKey, sizeof(*layer))) &&
            (!action || found[i]->action.type == action)) {
            if (keys)
                keys[n] = found[i]->filterKey;
            n++;
        }
    FwpmFreeMemory0((void **)&found);
    FwpmFilterDestroyEnumHandle0(engine, walk);
    return n;
}

static void delete_filters(FWP_ACTION_TYPE action)
{
    GUID keys[64];
    const uint32_t n = filters_there(NULL, action, keys);
    uint32_t i;

    assert_true(n > 0 && n <= 64);
    for (i = 0; i < n; i++)
        assert_int_equal(FwpmFilterDeleteByKey0(engine, &keys[i]), 0);
}

static sbx_reach_listener listener;
static uint16_t quiet;

/* What a program of that user reaches. */
static uint32_t reached(const char *account, const uint16_t *password_w)
{
    STARTUPINFOW si = {.cb = sizeof(si)};
    PROCESS_INFORMATION pi = {0};
    WCHAR command_w[128];
    uint16_t *account_w = NULL;
    DWORD code = 0;

    assert_int_equal(sbx_wide(account, account, &account_w, NULL), SBX_OK);
    swprintf(command_w, 128, L"runner --connect %u %u 1000", (unsigned)listener.port, (unsigned)quiet);
    if (!CreateProcessWithLogonW(account_w, L".", password_w, 0, RUNNER_W, command_w, CREATE_NO_WINDOW, NULL, L"C:\\",
                                 &si, &pi))
        fail_msg("%s: CreateProcessWithLogonW: %lu", account, (unsigned long)GetLastError());
    WaitForSingleObject(pi.hProcess, 60000);
    GetExitCodeProcess(pi.hProcess, &code);
    CloseHandle(pi.hThread);
    CloseHandle(pi.hProcess);
    sbx_free(account_w);
    assert_int_equal(code >> 24, 0x5B);
    return code & 0xFFFFFF;
}

static uint32_t reached_by(const char *sid, int online)
{
    uint16_t password_w[SBX_PASSWORD_UNITS];
    sbx_machine machine;
    sbx_machine_user *user;
    sbx_secret secret;
    sbx_error err = {0};
    char name[24], *path = NULL;

    load(&machine);
    user = sbx_machine_find(&machine, sid);
    assert_non_null(user);
    sbx_machine_account_name(name, user->number, online, 0);
    check(sbx_state_secret_path(user->number, &path, &err), &err, "path");
    check(sbx_secret_read(path, sid, &secret, &err), &err, "secret");
    check(sbx_secret_password(&secret, name, user->generation, password_w, &err), &err, "password");
    sbx_free(path);
    sbx_machine_fini(&machine);
    return reached(name, password_w);
}

#define HERE(verdicts) ((verdicts)&0xF0F0Fu)
#define OPEN_HERE 0xF0F0Fu    /* TCP, UDP, listening: IPv4 and IPv6 */
#define REFUSED_HERE 0x50505u /* each of them by a filter */

/* ---- tests ---- */

static void test_there_and_back(void **state)
{
    const uint32_t before = filters_there(NULL, 0, NULL);

    (void)state;
    options(own_sid, 0, 0);
    apply_all();
    assert_int_equal(filters_there(NULL, 0, NULL), before + 18);
    assert_int_equal(HERE(reached_by(own_sid, 0)), REFUSED_HERE);
    assert_int_equal(HERE(reached_by(own_sid, 1)), OPEN_HERE);
    assert_int_equal(HERE(reached(SECOND, PASSWORD)), OPEN_HERE);
    undo_all();
    assert_int_equal(filters_there(NULL, 0, NULL), before);
    assert_int_equal(state_of("filters"), 0);
}

/* Each is missed; and whom the halves cut off without each other. */
static void test_lost(void **state)
{
    sbx_error err = {0};
    GUID keys[64];
    uint32_t n, i;

    (void)state;
    options(own_sid, 0, 0);
    apply_all();
    n = filters_there(NULL, 0, keys);
    for (i = 0; i < n; i++) { /* those before it stay away, which is quicker than making them anew */
        assert_int_equal(FwpmFilterDeleteByKey0(engine, &keys[i]), 0);
        assert_int_equal(state_of("filters"), 2);
    }
    assert_int_equal(HERE(reached_by(own_sid, 0)), OPEN_HERE); /* control */
    check(step("filters")->apply(step("filters"), &err), &err, "again");
    assert_int_equal(state_of("filters"), 1);

    delete_filters(FWP_ACTION_PERMIT); /* nobody is cut off but the accounts of sbx */
    assert_int_equal(HERE(reached_by(own_sid, 0)), REFUSED_HERE);
    assert_int_equal(HERE(reached_by(own_sid, 1)), REFUSED_HERE);
    assert_int_equal(HERE(reached(SECOND, PASSWORD)), OPEN_HERE);
    check(step("filters")->apply(step("filters"), &err), &err, "and again");
    assert_int_equal(HERE(reached_by(own_sid, 1)), OPEN_HERE);
    delete_filters(FWP_ACTION_BLOCK); /* nobody at all */
    assert_int_equal(HERE(reached_by(own_sid, 0)), OPEN_HERE);
    assert_int_equal(state_of("filters"), 2);
    undo_all();
}

/* Ports of this machine: just those, for the accounts of who asked for them; what is outside of it is no port of it. */
static void test_loopback(void **state)
{
    sbx_error err = {0};

    (void)state;
    options(own_sid, listener.port, listener.port);
    apply_all();
    assert_int_equal(filters_there(NULL, 0, NULL), 18 + 6);
    /* TCP and UDP to the port, no other one to listen at */
    assert_int_equal(HERE(reached_by(own_sid, 0)), 0x50F0Fu);
    options(own_sid, quiet, quiet);
    assert_int_equal(state_of("loopback"), 2);
    check(step("loopback")->apply(step("loopback"), &err), &err, "loopback");
    assert_int_equal(state_of("filters"), 2);
    check(step("filters")->apply(step("filters"), &err), &err, "filters");
    assert_int_equal(HERE(reached_by(own_sid, 0)), 0xF0505u);
    undo_all();
}

static void test_two_users(void **state)
{
    (void)state;
    options(own_sid, 0, 0);
    apply_all();
    options(second_sid, 0, 0);
    apply_all();
    assert_int_equal(HERE(reached_by(own_sid, 0)), REFUSED_HERE);
    assert_int_equal(HERE(reached_by(second_sid, 0)), REFUSED_HERE);
    options(own_sid, 0, 0);
    assert_int_equal(state_of("filters"), 1);
    undo_all(); /* one of them goes */
    options(second_sid, 0, 0);
    assert_int_equal(state_of("filters"), 1);
    assert_int_equal(HERE(reached_by(second_sid, 0)), REFUSED_HERE);
    assert_int_equal(HERE(reached_by(second_sid, 1)), OPEN_HERE);
    undo_all();
    assert_int_equal(filters_there(NULL, 0, NULL), 0);
}

/* A session that ends in the middle, and filters that must not be, change nothing. */
static void test_cut(void **state)
{
    sbx_engine cut = {0};
    sbx_filters *filters = NULL;
    sbx_machine machine;
    sbx_error err = {0};
    uint32_t now = 9;

    (void)state;
    options(own_sid, 0, 0);
    apply_all();
    load(&machine);
    strcpy(machine.users[0].accounts[0][1], "S-1-5-21-1-2-3-4000");
    check(sbx_filters_new(&machine, NULL, 0, &filters, &err), &err, "new");
    check(sbx_engine_open(&cut, 0, &err), &err, "open");
    assert_int_equal(sbx_fwpm_table.TransactionBegin0(cut.handle, 0), 0);
    check(sbx_filters_write(&cut, filters, &err), &err, "write");
    sbx_engine_close(&cut);
    assert_int_equal(state_of("filters"), 1);

    filters->items[0].flags |= FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT; /* the first is a PERMIT */
    check(sbx_engine_open(&cut, 0, &err), &err, "open");
    assert_int_equal(sbx_filters_replace(&cut, filters, &err), SBX_E_BACKEND);
    assert_string_equal(err.op, "a filter that permits may not overrule others");
    check(sbx_filters_look(&cut, filters, &now, &err), &err, "look");
    assert_int_equal(now, 2);
    sbx_engine_close(&cut);
    assert_int_equal(state_of("filters"), 1);
    sbx_filters_free(filters);
    sbx_machine_fini(&machine);
    undo_all();
}

/* What the checks of setup find: filters that somebody made wrong, in a session that ends. */
static void found(const sbx_machine *machine, void (*spoil)(sbx_filters *),
                  sbx_status (*finder)(const sbx_checks *, sbx_error *), const char *op, const char *object)
{
    sbx_checks checks = {0};
    sbx_engine trial = {0};
    sbx_filters *filters = NULL;
    sbx_error err = {0};

    check(sbx_checks_begin(&checks, machine, &machine->users[0], &err), &err, "begin");
    check(sbx_filters_new(machine, NULL, SBX_FILTERS_TRIAL, &filters, &err), &err, "new");
    spoil(filters);
    check(sbx_engine_open(&trial, 1, &err), &err, "open");
    check(sbx_filters_replace(&trial, filters, &err), &err, "replace");
    assert_int_equal(finder(&checks, &err), SBX_E_UNENFORCED);
    assert_string_equal(err.op, op);
    assert_non_null(strstr(err.object, object));
    sbx_engine_close(&trial);
    sbx_filters_free(filters);
    sbx_checks_end(&checks);
    assert_int_equal(filters_there(NULL, 0, NULL), 0);
}

static void without_v6(sbx_filters *f)
{
    uint32_t i, kept = 0;

    for (i = 0; i < f->count; i++)
        if (memcmp(&f->items[i].layerKey, &layer_connect_v6, sizeof(GUID)))
            f->items[kept++] = f->items[i];
    f->count = kept;
}

static void without_denies(sbx_filters *f)
{
    uint32_t i;
    ACL *list;
    BOOL there, defaulted;

    for (i = 0; i < f->count; i++)
        if (f->items[i].action.type == FWP_ACTION_PERMIT) {
            GetSecurityDescriptorDacl(f->items[i].filterCondition[0].conditionValue.sd->data, &there, &list,
                                      &defaulted);
            while (((ACE_HEADER *)(list + 1))->AceType == ACCESS_DENIED_ACE_TYPE)
                DeleteAce(list, 0);
        }
}

static void without_own_deny(sbx_filters *f) /* only the group's is left, which a token can be without... */
{
    uint32_t i;
    ACL *list;
    BOOL there, defaulted;

    for (i = 0; i < f->count; i++)
        if (f->items[i].action.type == FWP_ACTION_BLOCK) {
            /* ... and no account is in the BLOCK: one that is restricted or not its own any more is in it by Everyone */
            GetSecurityDescriptorDacl(f->items[i].filterCondition[0].conditionValue.sd->data, &there, &list,
                                      &defaulted);
            while (list->AceCount > 1)
                DeleteAce(list, 0);
        }
}

static void upside_down(sbx_filters *f)
{
    static UINT64 low, high = 9;
    uint32_t i;

    for (i = 0; i < f->count; i++)
        f->items[i].weight.uint64 = f->items[i].action.type == FWP_ACTION_PERMIT ? &low : &high;
}

static void test_checks(void **state)
{
    sbx_machine machine;
    sbx_error err = {0};

    (void)state;
    options(own_sid, 0, 0);
    apply_all();
    check(step("filters")->undo(step("filters"), &err), &err, "undo");
    load(&machine);
    found(&machine, without_v6, sbx_checks_offline, "TCP to ::1", "an account without a network (self)");
    found(&machine, without_denies, sbx_checks_offline, "TCP to 127.0.0.1", "an account without a network (self)");
    found(&machine, without_own_deny, sbx_checks_offline, "TCP to 127.0.0.1",
          "an account without a network (its own SID for deny only)");
    found(&machine, upside_down, sbx_checks_foreign, "TCP to 127.0.0.1", "another user (self)");
    sbx_machine_fini(&machine);
    undo_all();
}

/* A filter of somebody else's that overrules ours: setup finds it, and leaves nothing. */
static void test_overruled(void **state)
{
    static const GUID above = {0x11111111, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};
    WCHAR name_w[] = L"theirs";
    FWPM_SUBLAYER0 sublayer = {.subLayerKey = above, .displayData = {name_w, NULL}, .weight = 0xffff};
    FWPM_FILTER0 filter = {.displayData = {name_w, NULL},
                           .layerKey = layer_connect_v4,
                           .subLayerKey = above,
                           .flags = FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT,
                           .weight = {.type = FWP_EMPTY},
                           .action = {.type = FWP_ACTION_PERMIT}};
    UINT64 id = 0;
    sbx_error err = {0};

    (void)state;
    options(own_sid, 0, 0);
    apply_all();
    check(step("filters")->undo(step("filters"), &err), &err, "undo");
    assert_int_equal(FwpmSubLayerAdd0(engine, &sublayer, NULL), 0);
    assert_int_equal(FwpmFilterAdd0(engine, &filter, NULL, &id), 0);
    assert_int_equal(step("filters")->apply(step("filters"), &err), SBX_E_UNENFORCED);
    assert_non_null(strstr(err.hint, "another program's filters"));
    assert_int_equal(filters_there(NULL, 0, NULL), 1);
    assert_int_equal(FwpmFilterDeleteById0(engine, id), 0);
    assert_int_equal(FwpmSubLayerDeleteByKey0(engine, &above), 0);
    check(step("filters")->apply(step("filters"), &err), &err, "apply");
    undo_all();
}

/* ---- the world ---- */

static void SBX_CALL no_log(uint32_t level, const char *text)
{
    (void)level;
    (void)text;
}

static int begin(void **state)
{
    static sbx_host host = {.size = sizeof(host), .program_dir = FOLDER, .state_dir = FOLDER, .log = no_log};
    USER_INFO_1 info = {(LPWSTR)(uintptr_t)L"sbx-second",
                        (LPWSTR)(uintptr_t)PASSWORD,
                        0,
                        USER_PRIV_USER,
                        NULL,
                        NULL,
                        UF_SCRIPT | UF_DONT_EXPIRE_PASSWD,
                        NULL};
    WCHAR path_w[MAX_PATH], *end;
    sbx_loopback none = {0};
    sbx_user_sid sid;
    uint32_t kind;

    (void)state;
    sbx_fault_use(0);
    sbx_host_table = &host;
    GetModuleFileNameW(NULL, path_w, MAX_PATH);
    for (end = path_w + wcslen(path_w); *end != L'\\'; end--)
        ;
    wcscpy(end, L"\\..\\bin\\sbx-runner.exe");
    CreateDirectoryW(L"C:\\Program Files\\sbx-filters", NULL);
    NetUserDel(NULL, L"sbx-second");
    if (!CopyFileW(path_w, RUNNER_W, FALSE) || sbx_setup_folder_make("C:\\ProgramData\\sbx", NULL) != SBX_OK ||
        sbx_user_get(&sid, NULL) != SBX_OK || NetUserAdd(NULL, 1, (BYTE *)&info, NULL))
        return 1;
    sbx_user_sid_text(sid.u.bytes, own_sid, sizeof(own_sid));
    if (sbx_principal_find(SECOND, &kind, &sid, NULL) != SBX_OK)
        return 1;
    sbx_user_sid_text(sid.u.bytes, second_sid, sizeof(second_sid));
    sbx_checks_ports(&none, &listener, &quiet);
    return !listener.port || !quiet || FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, NULL, &engine);
}

static int end(void **state)
{
    (void)state;
    FwpmEngineClose0(engine);
    sbx_reach_listen_end(&listener);
    NetUserDel(NULL, L"sbx-second");
    DeleteFileW(RUNNER_W);
    DeleteFileW(L"C:\\Program Files\\sbx-filters\\lock");
    RemoveDirectoryW(L"C:\\Program Files\\sbx-filters");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_lost), cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_two_users),      cmocka_unit_test(test_cut),  cmocka_unit_test(test_checks),
        cmocka_unit_test(test_overruled),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
