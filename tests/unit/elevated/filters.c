/*
 * The filters of the network on a machine that has the platform: who is off it, who is not, with each part of them and
 * without.  Takes an administrator; the oracle is the engine's own list, and programs of the accounts.
 */
#include "world.h"

#include "elevated/filters_part.h"
#include "elevated/fwpm_ids.h"

static void test_there_and_back(void **state)
{
    const uint32_t before = filters_there(NULL, 0, NULL);

    (void)state;
    options_for(own_sid, 1, 0, 0);
    apply_all();
    assert_int_equal(filters_there(NULL, 0, NULL), before + 18);
    assert_int_equal(HERE(reached_by(own_sid, 0)), REFUSED_HERE);
    assert_int_equal(HERE(reached_by(own_sid, 1)), OPEN_HERE);
    assert_int_equal(HERE(reached(SECOND, PASSWORD)), OPEN_HERE);
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
    assert_int_equal(HERE(reached_by(own_sid, 0)), 0x50F0Fu);
    options_for(own_sid, 1, quiet, quiet);
    assert_int_equal(state_named("loopback"), 2);
    apply_named("loopback");
    assert_int_equal(state_named("filters"), 2);
    apply_named("filters");
    assert_int_equal(HERE(reached_by(own_sid, 0)), 0xF0505u);
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

/* A session that ends in the middle, and filters that must not be, change nothing. */
static void test_cut(void **state)
{
    sbx_engine cut = {0};
    sbx_filters *filters = NULL;
    sbx_machine machine;
    sbx_error err = {0};
    uint32_t now = 9;

    (void)state;
    options_for(own_sid, 1, 0, 0);
    apply_all();
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
    const sbx_setup_step *filters;
    UINT64 id = 0;
    sbx_error err = {0};

    (void)state;
    options_for(own_sid, 1, 0, 0);
    apply_all();
    filters = &steps[step_of("filters")];
    undo_named("filters");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_lost), cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_two_users),      cmocka_unit_test(test_cut),  cmocka_unit_test(test_checks),
        cmocka_unit_test(test_overruled),
    };

    return cmocka_run_group_tests(tests, world_begin, world_end);
}
