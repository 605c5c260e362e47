/*
 * The proof of a launch: what refuses it, and in which words; when all tokens are tried again.  Filters are those of a
 * session of the test, so whoever runs it is who is asked.  Takes an administrator.
 */
#include "fixture.h"

#include <fwpmu.h>
#include <rpcdce.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include "base/memory.h"
#include "common/host.h"
#include "elevated/checks.h"
#include "elevated/fwpm_ids.h"
#include "elevated/proof.h"
#include "win/file.h"
#include "win/user.h"
#include "win/weaker.h"

#define FOLDER "C:\\sbx-proof"
#define RUN "0123456789abcdef0123456789abcdef"

static HANDLE session; /* of the platform: its filters go with it */
static uint32_t gaps, warnings;
static char gap[512];

static int is_machine(const char *state)
{
    const char *all = getenv("LAB_STATE");

    return all && strstr(all, state) != NULL;
}

static void open_session(void)
{
    FWPM_SESSION0 dynamic = {.flags = FWPM_SESSION_FLAG_DYNAMIC};

    assert_int_equal(FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &dynamic, &session), 0);
}

static void close_session(void)
{
    assert_int_equal(FwpmEngineClose0(session), 0);
}

static void add(const GUID *layer, const GUID *sublayer, FWP_ACTION_TYPE action, uint32_t flags)
{
    WCHAR name_w[] = L"sbx test";
    FWPM_FILTER0 filter = {.displayData = {name_w, NULL},
                           .layerKey = *layer,
                           .flags = flags,
                           .weight = {.type = FWP_EMPTY},
                           .action = {.type = action}};
    UINT64 id;

    if (sublayer)
        filter.subLayerKey = *sublayer;
    assert_int_equal(FwpmFilterAdd0(session, &filter, NULL, &id), 0);
}

static void block_all(void)
{
    static const GUID *const layers[] = {&layer_connect_v4, &layer_connect_v6, &layer_listen_v4, &layer_listen_v6};
    uint32_t i;

    for (i = 0; i < SBX_COUNT(layers); i++)
        add(layers[i], NULL, FWP_ACTION_BLOCK, 0);
}

/* When a process was started: an administrator may open it. */
static unsigned long long started(DWORD process_id)
{
    FILETIME created = {0}, unused;
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process_id);

    assert_true(GetProcessTimes(process, &created, &unused, &unused, &unused));
    CloseHandle(process);
    return (unsigned long long)created.dwHighDateTime << 32 | created.dwLowDateTime;
}

static DWORD platform(void)
{
    SERVICE_STATUS_PROCESS status = {0};
    const SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    const SC_HANDLE service = OpenServiceW(manager, L"BFE", SERVICE_QUERY_STATUS);
    DWORD needed;

    assert_true(QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status), &needed));
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return status.dwProcessId;
}

/* ---- before anything is done ---- */

static sbx_machine machine;
static sbx_machine_user user;

static sbx_status look(uint16_t first, uint16_t last, sbx_error *err)
{
    const sbx_port_range wanted[2] = {{3000, 3001}, {first, last}};
    sbx_policy policy = {.size = sizeof(policy), .loopback = wanted, .loopback_count = first ? 2 : 1};
    sbx_proof proof = {0};

    gaps = 0;
    memset(err, 0, sizeof(*err));
    return sbx_proof_look(&proof, &policy, &machine, &user, 0, err);
}

/* As a launch does. */
static void open_proof(sbx_proof *proof)
{
    const sbx_policy policy = {.size = sizeof(policy)};
    sbx_error err = {0};

    machine.network = SBX_MACHINE_NETWORK;
    check(sbx_proof_look(proof, &policy, &machine, &user, 1, &err), &err, "look");
    check(sbx_proof_open(proof, RUN, &user, own_sid, &err), &err, "open");
}

static void test_look(void **state)
{
    sbx_error err = {0};

    (void)state;
    machine.network = SBX_MACHINE_NETWORK;
    sbx_loopback_add(&user.loopback, 3000, 3009);
    check(look(0, 0, &err), &err, "look");
    assert_int_equal(gaps, 2); /* what is no part of it, and what is open */
    assert_non_null(strstr(gap, "3000-3009"));
    check(look(3009, 3009, &err), &err, "look");
    assert_int_equal(look(3009, 3010, &err), SBX_E_REFUSED); /* its end is outside */
    assert_string_equal(err.object, "loopback port 3009");
    assert_string_equal(err.op, "setup has not opened it");
    assert_non_null(strstr(err.hint, "sbx setup --loopback 3000-3010"));
    assert_int_equal(look(1, 65535, &err), SBX_E_REFUSED);
    assert_non_null(strstr(err.hint, "sbx setup --loopback all"));
    machine.network = 0;
    assert_int_equal(look(0, 0, &err), SBX_E_REFUSED);
    assert_string_equal(err.op, "its filters of the network are not there");
    assert_non_null(strstr(err.hint, "sbx setup"));
    assert_int_equal(gaps, 0);
}

/* LAB_STATE=bfe=stopped */
static void test_no_platform(void **state)
{
    sbx_error err = {0};

    (void)state;
    machine.network = SBX_MACHINE_NETWORK;
    assert_int_equal(look(0, 0, &err), SBX_E_REFUSED); /* not unavailable: nothing weaker takes its place */
    assert_string_equal(err.op, "the service BFE (Base Filtering Engine) does not run");
    assert_non_null(strstr(err.hint, "--network on"));
}

/* ---- in the runner ---- */

static sbx_status prove(const char *text, sbx_error *err)
{
    HANDLE token = NULL;
    sbx_status st;

    memset(err, 0, sizeof(*err));
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_IMPERSONATE, &token));
    st = sbx_proof_check(text, RUN, token, err);
    CloseHandle(token);
    return st;
}

static void expect_open(const char *text, const char *way, const char *who)
{
    sbx_error err;

    assert_int_equal(prove(text, &err), SBX_E_UNENFORCED);
    assert_string_equal(err.op, way);
    assert_string_equal(err.object, who);
    assert_non_null(strstr(err.hint, "nothing was run; put the filters right: sbx setup --repair"));
}

/* LAB_STATE=bfe=stopped: other services keep its process, so nobody knows until the network is tried. */
static void test_stopped_since(void **state)
{
    static const char path[] = FOLDER "\\elevated-proof";
    char stamp[96];
    sbx_proof proof = {0};
    sbx_error err = {0};
    const DWORD self = GetCurrentProcessId();

    (void)state;
    snprintf(stamp, sizeof(stamp), "sbx-proof 2 0 0 0 %lu %016llx 0.0\n", (unsigned long)self, started(self));
    assert_int_equal(sbx_file_write(path, stamp, strlen(stamp), NULL), SBX_OK);
    open_proof(&proof);
    assert_int_equal(proof.platform, self);
    assert_non_null(proof.event); /* it is none that was proven with */
    assert_int_equal(prove(proof.text, &err), SBX_E_REFUSED);
    assert_string_equal(err.op, "the service BFE (Base Filtering Engine) does not run");
    assert_int_equal(look(0, 0, &err), SBX_E_REFUSED); /* a plan tries nothing, and asks */
    sbx_proof_close(&proof);
    assert_true(DeleteFileA(path));
}

static void test_judged(void **state)
{
    static const char *const bad[] = {"", "1 2", "x 1 0", "70000 1 0", "1 70000 0", "-1 1 0"};
    static const GUID above = {0x11111111, 2, 3, {4, 5, 6, 7, 8, 9, 10, 12}};
    WCHAR name_w[] = L"theirs";
    FWPM_SUBLAYER0 theirs = {.subLayerKey = above, .displayData = {name_w, NULL}, .weight = 0xffff};
    sbx_proof proof = {0};
    sbx_error err = {0};
    uint32_t i;

    (void)state;
    user.loopback.count = 0;
    open_proof(&proof);
    expect_open(proof.text, "TCP to 127.0.0.1", "network off (the account)");

    open_session();
    add(&layer_connect_v4, NULL, FWP_ACTION_BLOCK, 0);
    add(&layer_listen_v4, NULL, FWP_ACTION_BLOCK, 0);
    expect_open(proof.text, "TCP to ::1", "network off (the account)");
    block_all();
    check(prove(proof.text, &err), &err, "all is blocked");
    warnings = 0;
    sbx_proof_end(proof.text);
    assert_int_equal(warnings, 0);
    if (proof.event)
        assert_int_equal(WaitForSingleObject(proof.event, 0), WAIT_OBJECT_0);
    /* for good, in a sublayer of the same weight or above */
    assert_int_equal(FwpmSubLayerAdd0(session, &theirs, NULL), 0);
    add(&layer_connect_v6, &above, FWP_ACTION_PERMIT, FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT);
    expect_open(proof.text, "TCP to ::1", "network off (the account)");
    close_session();
    sbx_proof_end(proof.text);
    assert_int_equal(warnings, 1);
    assert_non_null(strstr(gap, "it was off when the command began, and was open when it ended (TCP to 127.0.0.1)"));

    /* without a port of this machine, and without a network outside */
    if (!getenv("LAB_OUTSIDE")) {
        assert_int_equal(prove("0 0 0", &err), SBX_E_UNENFORCED);
        assert_string_equal(err.op, "nothing that could be tried tells whether it is off");
    }
    open_session();
    block_all();
    check(prove("0 0 0", &err), &err, "outside is refused");
    close_session();
    for (i = 0; i < SBX_COUNT(bad); i++) {
        assert_int_equal(prove(bad[i], &err), SBX_E_REFUSED);
        sbx_proof_end(bad[i]);
        assert_string_equal(err.op, "it has no ports to try");
    }
    assert_int_equal(warnings, 1);
    sbx_proof_close(&proof);
}

/* A filter that knows the user by his SID alone: each token that gives it up has to be tried, and by a process. */
static void block_self(FWP_BYTE_BLOB *users)
{
    static const GUID *const layers[] = {&layer_connect_v4, &layer_connect_v6, &layer_listen_v4, &layer_listen_v6};
    WCHAR name_w[] = L"sbx test";
    FWPM_FILTER_CONDITION0 when = {when_user, FWP_MATCH_EQUAL, {.type = FWP_SECURITY_DESCRIPTOR_TYPE, .sd = users}};
    FWPM_FILTER0 filter = {.displayData = {name_w, NULL},
                           .weight = {.type = FWP_EMPTY},
                           .action = {.type = FWP_ACTION_BLOCK},
                           .numFilterConditions = 1,
                           .filterCondition = &when};
    uint32_t i;

    for (i = 0; i < SBX_COUNT(layers); i++) {
        filter.layerKey = *layers[i];
        assert_int_equal(FwpmFilterAdd0(session, &filter, NULL, NULL), 0);
    }
}

static void test_each_token(void **state)
{
    const char *reading = getenv("LAB_READING");
    const int by_thread = reading && (!strcmp(reading, "mild") || strstr(reading, "ale-token=thread"));
    SID_AND_ATTRIBUTES disable = {0};
    sbx_user_sid self;
    sbx_proof proof = {0};
    FWP_BYTE_BLOB users = {0};
    ULONG length = 0;
    void *made = NULL;
    WCHAR sddl_w[128];
    HANDLE own = NULL, given_up = NULL;
    sbx_error err = {0};

    (void)state;
    assert_int_equal(sbx_user_get(&self, NULL), SBX_OK);
    swprintf(sddl_w, 128, L"O:SYG:SYD:(A;;CC;;;%hs)", own_sid);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl_w, SDDL_REVISION_1, &made, &length));
    users.data = made;
    users.size = length;
    disable.Sid = self.u.bytes;
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_IMPERSONATE, &own));
    assert_true(CreateRestrictedToken(own, 0, 1, &disable, 0, NULL, 0, NULL, &given_up));
    DeleteFileA(FOLDER "\\elevated-proof");
    open_proof(&proof);
    assert_non_null(proof.event);
    open_session();
    block_self(&users);
    assert_int_equal(sbx_proof_check(proof.text, RUN, by_thread ? given_up : own, &err), SBX_E_UNENFORCED);
    assert_string_equal(err.op, "TCP to 127.0.0.1");
    assert_string_equal(err.object,
                        by_thread ? "network off (the command's token)" : "network off (its own SID for deny only)");
    assert_int_equal(WaitForSingleObject(proof.event, 0), WAIT_TIMEOUT); /* so it is tried again */
    proof.text[strlen(proof.text) - 1] = '0';
    memset(&err, 0, sizeof(err)); /* control: without these it is off, as far as it can be seen */
    check(sbx_proof_check(proof.text, RUN, own, &err), &err, "the account alone");
    close_session();
    CloseHandle(given_up);
    CloseHandle(own);
    LocalFree(made);
    sbx_proof_close(&proof);
}

static void listened(void *context, const char *name, uint32_t verdicts)
{
    if (strstr(name, "AppContainer") || !strcmp(name, SBX_WEAKER_ANONYMOUS))
        return;
    ++*(int *)context;
    if ((verdicts >> 16 & 0xFu) != 0xFu)
        fail_msg("%s: %08x", name, (unsigned)verdicts);
}

/* Each weaker token is asked whether it can listen, at the one port that they have for it. */
static void test_all_listen(void **state)
{
    sbx_reach_listener listener = {0};
    sbx_reach how = {.limit_ms = 500};
    int rows = 0;

    (void)state;
    sbx_checks_ports(&user.loopback, &listener, &how.listen);
    assert_int_not_equal(how.listen, 0);
    sbx_weaker_try(&how, listened, &rows);
    assert_int_equal(rows, 4);
    sbx_reach_listen_end(&listener);
}

/* LAB_STATE=ipv6=...: a launch is not refused for what is not there, and what is there counts. */
static void test_without_v6(void **state)
{
    sbx_proof proof = {0};
    sbx_error err = {0};

    (void)state;
    user.loopback.count = 0;
    open_proof(&proof);
    expect_open(proof.text, "TCP to 127.0.0.1", "network off (the account)");
    open_session();
    add(&layer_connect_v4, NULL, FWP_ACTION_BLOCK, 0);
    add(&layer_listen_v4, NULL, FWP_ACTION_BLOCK, 0);
    if (is_machine("ipv6=none"))
        check(prove(proof.text, &err), &err, "IPv4 is blocked");
    else
        expect_open(proof.text, "TCP to ::1", "network off (the account)");
    block_all();
    check(prove(proof.text, &err), &err, "all is blocked");
    close_session();
    sbx_proof_close(&proof);
    DeleteFileA(FOLDER "\\elevated-proof");
}

/* ---- when all tokens are tried ---- */

static int asks(int finish)
{
    sbx_proof proof = {0};
    int asked;

    open_proof(&proof);
    asked = proof.event != NULL;
    assert_int_equal(strlen(proof.text) && proof.text[strlen(proof.text) - 1] == '1', asked);
    if (finish && asked)
        SetEvent(proof.event);
    sbx_proof_close(&proof);
    return asked;
}

static void test_again(void **state)
{
    static const char path[] = FOLDER "\\elevated-proof";
    unsigned long long start = 0;
    char *data = NULL, *at;
    size_t length = 0;

    (void)state;
    DeleteFileA(path);
    assert_true(asks(0)); /* the first time; a runner that did not come to its end says nothing */
    assert_true(asks(1));
    assert_false(asks(0));
    assert_false(asks(1)); /* and nothing is forgotten */
    assert_int_equal(sbx_file_read(path, 4096, &data, &length, NULL), SBX_OK);
    assert_int_equal(sscanf(data, "sbx-proof 2 %*u %*u %*u %*u %llx", &start), 1);
    if (start != started(platform()))
        fail_msg("it was started at %llx, not at %llx", started(platform()), start);
    at = strrchr(data, ' ') - 1; /* the last digit of that */
    *at = *at == '0' ? '1' : '0';
    assert_int_equal(sbx_file_write(path, data, length, NULL), SBX_OK);
    assert_true(asks(1));
    assert_false(asks(0));
    user.generation++; /* setup was repeated */
    assert_true(asks(1));
    assert_false(asks(0));
    assert_int_equal(sbx_file_write(path, data, length / 2, NULL), SBX_OK); /* torn */
    assert_true(asks(1));
    assert_false(asks(0));
    sbx_free(data);
    DeleteFileA(path);
}

/* ---- the world ---- */

static void SBX_CALL on_note(uint32_t kind, const char *object, const char *text)
{
    (void)object;
    gaps += kind == SBX_NOTE_GAP;
    warnings += kind == SBX_NOTE_WARN;
    snprintf(gap, sizeof(gap), "%s", text);
}

static int begin(void **state)
{
    static sbx_host host = {.size = sizeof(host), .program_dir = FOLDER, .state_dir = FOLDER, .note = on_note};
    sbx_user_sid self;

    (void)state;
    sbx_fault_use(0);
    sbx_host_table = &host;
    if (sbx_user_get(&self, NULL) != SBX_OK)
        return 1;
    sbx_user_sid_text(self.u.bytes, own_sid, sizeof(own_sid));
    user.number = 1;
    return !CreateDirectoryA(FOLDER, NULL) && GetLastError() != ERROR_ALREADY_EXISTS;
}

static int end(void **state)
{
    (void)state;
    return !RemoveDirectoryA(FOLDER);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_look), cmocka_unit_test(test_judged),
                                       cmocka_unit_test(test_again), cmocka_unit_test(test_all_listen),
                                       cmocka_unit_test(test_each_token)};
    const struct CMUnitTest stopped[] = {cmocka_unit_test(test_no_platform), cmocka_unit_test(test_stopped_since)};
    const struct CMUnitTest without_v6[] = {cmocka_unit_test(test_without_v6)};
    int exit_code;

    if (sbx_weaker_main((uint32_t)argc, (const char *const *)argv, &exit_code)) /* a process with a weaker token */
        return exit_code;
    if (is_machine("ipv6="))
        return cmocka_run_group_tests(without_v6, begin, end);
    return is_machine("bfe=stopped") ? cmocka_run_group_tests(stopped, begin, end)
                                     : cmocka_run_group_tests(tests, begin, end);
}
