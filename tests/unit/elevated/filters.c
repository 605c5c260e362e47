/*
 * The filters of the network on a machine that has the platform: who is off it, who is not, with each part of them and
 * without.  Takes an administrator; the oracle is the engine's own list, and programs of the accounts.
 */
#include <winsock2.h>

#include "world.h"

#include <rpcdce.h>
#include <stdlib.h>
#include <wchar.h>

#include "elevated/listeners.h"
#include "elevated/filters_part.h"
#include "elevated/fwpm_ids.h"
#include "elevated/state.h"

#define CRASHED 77u

static void test_there_and_back(void **state)
{
    const uint32_t before = filters_there(NULL, 0, NULL);
    WCHAR name_w[] = L"theirs"; /* below ours */
    FWPM_FILTER0 others = {.displayData = {name_w, NULL},
                           .layerKey = layer_connect_v4,
                           .weight = {.type = FWP_EMPTY},
                           .action = {.type = FWP_ACTION_BLOCK}};
    UINT64 id = 0;

    (void)state;
    options_for(own_sid, 1, 0, 0);
    apply_all();
    assert_int_equal(filters_there(NULL, 0, NULL), before + 18);
    assert_int_equal(HERE(reached_by(own_sid, 0)), REFUSED_HERE);
    assert_int_equal(HERE(reached_by(own_sid, 1)), OPEN_HERE);
    assert_int_equal(HERE(reached(SECOND, PASSWORD)), OPEN_HERE);
    assert_int_equal(FwpmFilterAdd0(engine, &others, NULL, &id), 0); /* whom ours let through, others may stop */
    assert_int_equal(HERE(reached(SECOND, PASSWORD)) & 0x303u, 0x101u);
    assert_int_equal(FwpmFilterDeleteById0(engine, id), 0);
    undo_all();
    assert_int_equal(filters_there(NULL, 0, NULL), before);
    assert_int_equal(state_named("filters"), 0);
}

/* Each is missed; and whom the halves cut off without each other. */
static void test_lost(void **state)
{
    GUID keys[64];
    uint32_t n, i;

    (void)state;
    options_for(own_sid, 1, 0, 0);
    apply_all();
    n = filters_there(NULL, 0, keys);
    for (i = 0; i < n; i++) { /* those before it stay away, which is quicker than making them anew */
        assert_int_equal(FwpmFilterDeleteByKey0(engine, &keys[i]), 0);
        assert_int_equal(state_named("filters"), 2);
    }
    assert_int_equal(HERE(reached_by(own_sid, 0)), OPEN_HERE); /* control */
    apply_named("filters");
    assert_int_equal(state_named("filters"), 1);

    delete_filters(FWP_ACTION_PERMIT); /* nobody is cut off but the accounts of sbx */
    assert_int_equal(HERE(reached_by(own_sid, 0)), REFUSED_HERE);
    assert_int_equal(HERE(reached_by(own_sid, 1)), REFUSED_HERE);
    assert_int_equal(HERE(reached(SECOND, PASSWORD)), OPEN_HERE);
    apply_named("filters");
    assert_int_equal(HERE(reached_by(own_sid, 1)), OPEN_HERE);
    delete_filters(FWP_ACTION_BLOCK); /* nobody at all */
    assert_int_equal(HERE(reached_by(own_sid, 0)), OPEN_HERE);
    assert_int_equal(state_named("filters"), 2);
    undo_all();
}

/* Ports of this machine: just those, for the accounts of who asked for them; what is outside of it is no port of it. */
static void test_loopback(void **state)
{

    (void)state;
    options_for(own_sid, 1, listener.port, listener.port);
    apply_all();
    assert_int_equal(filters_there(NULL, 0, NULL), 18 + 6);
    /* TCP and UDP to the port, no other one to listen at */
    assert_int_equal(HERE(reached_by(own_sid, 0)), 0x550F0Fu);
    options_for(own_sid, 1, quiet, quiet);
    assert_int_equal(state_named("loopback"), 2);
    apply_named("loopback");
    assert_int_equal(state_named("filters"), 2);
    apply_named("filters");
    assert_int_equal(HERE(reached_by(own_sid, 0)), 0xFF0505u);
    undo_all();
}

static void test_two_users(void **state)
{
    (void)state;
    options_for(own_sid, 1, 0, 0);
    apply_all();
    options_for(second_sid, 1, 0, 0);
    apply_all();
    assert_int_equal(HERE(reached_by(own_sid, 0)), REFUSED_HERE);
    assert_int_equal(HERE(reached_by(second_sid, 0)), REFUSED_HERE);
    options_for(own_sid, 1, 0, 0);
    assert_int_equal(state_named("filters"), 1);
    undo_all(); /* one of them goes */
    options_for(second_sid, 1, 0, 0);
    assert_int_equal(state_named("filters"), 1);
    assert_int_equal(HERE(reached_by(second_sid, 0)), REFUSED_HERE);
    assert_int_equal(HERE(reached_by(second_sid, 1)), OPEN_HERE);
    undo_all();
    assert_int_equal(filters_there(NULL, 0, NULL), 0);
}

/* The other program: it ends in the middle of a transaction that takes the filters away. */
static int crash(void)
{
    GUID keys[64];
    uint32_t n, i;

    if (FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, NULL, &engine) || FwpmTransactionBegin0(engine, 0))
        return 1;
    n = filters_there(NULL, 0, keys);
    for (i = 0; i < n; i++)
        if (FwpmFilterDeleteByKey0(engine, &keys[i]))
            return 2;
    TerminateProcess(GetCurrentProcess(), filters_there(NULL, 0, NULL) ? 3 : CRASHED);
    return 4;
}

static void check_crash(void)
{
    WCHAR path_w[MAX_PATH + 1], command_w[MAX_PATH + 16];
    STARTUPINFOW si = {.cb = sizeof(si)};
    PROCESS_INFORMATION pi;
    DWORD code = 0;

    assert_in_range(GetModuleFileNameW(NULL, path_w, MAX_PATH + 1), 1, MAX_PATH);
    swprintf(command_w, MAX_PATH + 16, L"\"%ls\" crash", path_w);
    assert_true(CreateProcessW(path_w, command_w, NULL, NULL, FALSE, 0, NULL, NULL, &si, &pi));
    assert_int_equal(WaitForSingleObject(pi.hProcess, 60000), WAIT_OBJECT_0);
    assert_true(GetExitCodeProcess(pi.hProcess, &code));
    assert_int_equal(code, CRASHED);
    CloseHandle(pi.hThread);
    CloseHandle(pi.hProcess);
    assert_int_equal(state_named("filters"), 1);
    assert_int_equal(HERE(reached_by(own_sid, 0)), REFUSED_HERE);
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
    world_set_up(1);
    load(&machine);
    strcpy(machine.users[0].accounts[0][1], "S-1-5-21-1-2-3-4000");
    check(sbx_filters_new(&machine, NULL, 0, &filters, &err), &err, "new");
    check(sbx_engine_open(&cut, 0, &err), &err, "open");
    assert_int_equal(sbx_fwpm_table.TransactionBegin0(cut.handle, 0), 0);
    check(sbx_filters_write(&cut, filters, &err), &err, "write");
    sbx_engine_close(&cut);
    assert_int_equal(state_named("filters"), 1);

    filters->items[0].flags |= FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT; /* the first is a PERMIT */
    check(sbx_engine_open(&cut, 0, &err), &err, "open");
    assert_int_equal(sbx_filters_replace(&cut, filters, &err), SBX_E_BACKEND);
    assert_string_equal(err.op, "a filter that permits may not overrule others");
    check(sbx_filters_look(&cut, filters, &now, &err), &err, "look");
    assert_int_equal(now, 2);
    sbx_engine_close(&cut);
    assert_int_equal(state_named("filters"), 1);
    sbx_filters_free(filters);
    sbx_machine_fini(&machine);
    check_crash();
}

/* What is there is right, and not as the record has it, or has other keys than it had. */
static void test_not_ours(void **state)
{
    static const GUID other = {0x22222222, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};
    FWPM_FILTER0 *filter = NULL;
    sbx_machine machine;
    sbx_error err = {0};
    GUID keys[64];

    (void)state;
    world_set_up(1);
    load(&machine); /* the end came between the filters and the record */
    machine.network = 0;
    check(sbx_state_save(&machine, &err), &err, "save");
    sbx_machine_fini(&machine);
    assert_int_equal(state_named("filters"), 2);
    apply_named("filters");

    filters_there(NULL, 0, keys);
    assert_int_equal(FwpmFilterGetByKey0(engine, &keys[0], &filter), 0);
    assert_int_equal(FwpmFilterDeleteByKey0(engine, &keys[0]), 0);
    filter->filterKey = other;
    assert_int_equal(FwpmFilterAdd0(engine, filter, NULL, NULL), 0);
    FwpmFreeMemory0((void **)&filter);
    assert_int_equal(state_named("filters"), 2);
    assert_int_equal(filters_there(NULL, 0, NULL), 18);
    undo_all(); /* goes with ours */
    assert_int_equal(filters_there(NULL, 0, NULL), 0);
}

#define MANY 200u

static int listen_at(uint16_t port, SOCKET *socket_made)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000001u)};

    *socket_made = socket(AF_INET, SOCK_STREAM, 0);
    return !bind(*socket_made, (struct sockaddr *)&to, sizeof(to)) && !listen(*socket_made, 1);
}

/* 200 ports, none touching another, with a listener at each. */
static void test_many_ports(void **state)
{
    static SOCKET sockets[MANY];
    sbx_engine trial = {0};
    sbx_filters *filters = NULL;
    sbx_machine machine;
    sbx_text text = {0};
    sbx_error err = {0};
    uint32_t i, now = 9, shown = 1;
    uint16_t port = 41000;
    const char *at;

    (void)state;
    world_set_up(0);
    load(&machine);
    for (i = 0; i < MANY; port += 2) {
        if (!listen_at(port, &sockets[i])) {
            closesocket(sockets[i]);
            continue;
        }
        assert_true(sbx_loopback_add(&machine.users[0].loopback, port, port));
        i++;
    }
    assert_int_equal(machine.users[0].loopback.count, MANY);
    sbx_listeners_text(&machine.users[0].loopback, &text);
    assert_int_not_equal(text.length, 0);
    for (at = text.data; (at = strstr(at, ", ")) != NULL; at++)
        shown++;
    assert_int_equal(shown, 17); /* 16, and that there are more */
    assert_string_equal(text.data + text.length - 5, ", ...");
    sbx_text_fini(&text);
    check(sbx_filters_new(&machine, NULL, SBX_FILTERS_TRIAL, &filters, &err), &err, "new");
    check(sbx_engine_open(&trial, 1, &err), &err, "open");
    check(sbx_filters_replace(&trial, filters, &err), &err, "replace");
    check(sbx_filters_look(&trial, filters, &now, &err), &err, "look");
    assert_int_equal(now, 1);
    assert_int_equal(filters_there(NULL, 0, NULL), 18 + 6);
    sbx_engine_close(&trial);
    sbx_filters_free(filters);
    for (i = 0; i < MANY; i++)
        closesocket(sockets[i]);
    sbx_machine_fini(&machine);
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
    const sbx_setup_step *filters;
    UINT64 id = 0;
    sbx_error err = {0};

    (void)state;
    world_set_up(0);
    filters = &steps[step_of("filters")];
    assert_int_equal(FwpmSubLayerAdd0(engine, &sublayer, NULL), 0);
    assert_int_equal(FwpmFilterAdd0(engine, &filter, NULL, &id), 0);
    assert_int_equal(filters->apply(filters, &err), SBX_E_UNENFORCED);
    assert_non_null(strstr(err.hint, "another program's filters"));
    assert_int_equal(filters_there(NULL, 0, NULL), 1);
    assert_int_equal(FwpmFilterDeleteById0(engine, id), 0);
    assert_int_equal(FwpmSubLayerDeleteByKey0(engine, &above), 0);
    apply_named("filters");
    undo_all();
}

/* LAB_STATE=ipv6=...: what there is of it is judged, and the rest is nobody's network. */
static void test_without_v6(void **state)
{
    const int family = !strstr(getenv("LAB_STATE"), "ipv6=none");

    (void)state;
    options_for(own_sid, 1, 0, 0);
    apply_all();                                        /* with the checks before and after it makes the filters */
    assert_int_equal(filters_there(NULL, 0, NULL), 18); /* those for IPv6 as well: it may come */
    assert_int_equal(HERE(reached_by(own_sid, 0)), family ? REFUSED_HERE : 0x990909u);
    assert_int_equal(HERE(reached_by(own_sid, 1)), family ? OPEN_HERE : 0xBB0B0Bu);
    assert_int_equal(reached_by(own_sid, 1) & 0xC0C0u, 0x8080u); /* outside, by IPv6 */
    delete_filters(FWP_ACTION_BLOCK);                            /* control */
    assert_int_equal(HERE(reached_by(own_sid, 0)), family ? OPEN_HERE : 0xBB0B0Bu);
    undo_all();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest without_v6[] = {cmocka_unit_test(test_without_v6)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_lost),      cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_two_users),      cmocka_unit_test(test_cut),       cmocka_unit_test(test_checks),
        cmocka_unit_test(test_tried),          cmocka_unit_test(test_parts),     cmocka_unit_test(test_not_ours),
        cmocka_unit_test(test_many_ports),     cmocka_unit_test(test_overruled),
    };

    (void)argv;
    if (argc > 1)
        return crash();
    if (getenv("LAB_STATE") && strstr(getenv("LAB_STATE"), "ipv6="))
        return cmocka_run_group_tests(without_v6, world_begin, world_end);
    return cmocka_run_group_tests(tests, world_begin, world_end);
}
