/* What setup's checks find: filters that somebody made wrong. */
#include "world.h"

#include <stdlib.h>

#include "elevated/checks.h"
#include "elevated/filters_part.h"
#include "elevated/fwpm_ids.h"

/* What the checks of setup find: filters that somebody made wrong, in a session that ends. */
static void found(const sbx_checks *checks, void (*spoil)(sbx_filters *),
                  sbx_status (*finder)(const sbx_checks *, sbx_error *), const char *op, const char *object)
{
    sbx_engine trial = {0};
    sbx_filters *filters = NULL;
    sbx_error err = {0};

    check(sbx_filters_new(checks->machine, NULL, SBX_FILTERS_TRIAL, &filters, &err), &err, "new");
    spoil(filters);
    check(sbx_engine_open(&trial, 1, &err), &err, "open");
    check(sbx_filters_replace(&trial, filters, &err), &err, "replace");
    if (finder(checks, &err) != SBX_E_UNENFORCED || strcmp(err.op, op) != 0 || !strstr(err.object, object))
        fail_msg("%s of %s, not %s of %s", err.op, err.object, op, object);
    sbx_engine_close(&trial);
    sbx_filters_free(filters);
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

/* The access list of each filter with that action. */
static void each_list(sbx_filters *f, FWP_ACTION_TYPE action, void (*change)(ACL *))
{
    uint32_t i;
    ACL *list, *before = NULL;
    BOOL there, defaulted;

    for (i = 0; i < f->count; i++) {
        if (f->items[i].action.type != action)
            continue;
        GetSecurityDescriptorDacl(f->items[i].filterCondition[0].conditionValue.sd->data, &there, &list, &defaulted);
        if (list != before) /* one for all of them */
            change(list);
        before = list;
    }
}

static void drop_first(ACL *list)
{
    DeleteAce(list, 0);
}

static void drop_second(ACL *list)
{
    DeleteAce(list, 1);
}

static void drop_denies(ACL *list)
{
    while (((ACE_HEADER *)(list + 1))->AceType == ACCESS_DENIED_ACE_TYPE)
        DeleteAce(list, 0);
}

/* Those for packages from that one on: 1 for all, 2 for the restricted ones, which counts for all as well. */
static void drop_packages(ACL *list, DWORD from)
{
    ACCESS_ALLOWED_ACE *entry;
    DWORD i;

    for (i = list->AceCount; i-- > 0;)
        if (GetAce(list, i, (void **)&entry) && GetSidIdentifierAuthority(&entry->SidStart)->Value[5] == 15 &&
            *GetSidSubAuthority(&entry->SidStart, 1) >= from)
            DeleteAce(list, i);
}

static void drop_all_packages(ACL *list)
{
    drop_packages(list, 1);
}

static void drop_less_privileged(ACL *list)
{
    drop_packages(list, 2);
}

static void only_last(ACL *list)
{
    while (list->AceCount > 1)
        DeleteAce(list, 0);
}

static void without_denies(sbx_filters *f)
{
    each_list(f, FWP_ACTION_PERMIT, drop_denies);
}

/* No account is in the BLOCK by Everyone: one that is not its own any more is let through. */
static void without_own_deny(sbx_filters *f)
{
    each_list(f, FWP_ACTION_BLOCK, only_last);
}

static void without_packages(sbx_filters *f)
{
    each_list(f, FWP_ACTION_PERMIT, drop_all_packages);
}

static void without_less_privileged(sbx_filters *f)
{
    each_list(f, FWP_ACTION_PERMIT, drop_less_privileged);
}

static int is_echo(const FWPM_FILTER0 *filter)
{
    return filter->numFilterConditions == 3 && filter->filterCondition[2].conditionValue.type == FWP_UINT16;
}

/* The PERMIT for connections that are accepted. */
static void without_accept(sbx_filters *f)
{
    uint32_t i, kept = 0;

    for (i = 0; i < f->count; i++)
        if (memcmp(&f->items[i].layerKey, &layer_accept_v4, sizeof(GUID)) != 0 ||
            f->items[i].action.type != FWP_ACTION_PERMIT)
            f->items[kept++] = f->items[i];
    f->count = kept;
}

static void upside_down(sbx_filters *f)
{
    static UINT64 low, high = 9;
    uint32_t i;

    for (i = 0; i < f->count; i++)
        f->items[i].weight.uint64 = f->items[i].action.type == FWP_ACTION_PERMIT ? &low : &high;
}

void test_checks(void **state)
{
    sbx_checks checks = {0};
    sbx_machine machine;
    sbx_error err = {0};

    (void)state;
    world_set_up(0);
    load(&machine);
    check(sbx_checks_begin(&checks, &machine, &machine.users[0], &err), &err, "begin");
    found(&checks, without_v6, sbx_checks_offline, "TCP to ::1", "an account without a network (self)");
    found(&checks, without_denies, sbx_checks_offline, "TCP to 127.0.0.1", "an account without a network (self)");
    found(&checks, without_own_deny, sbx_checks_offline, "TCP to 127.0.0.1",
          "an account without a network (its own SID for deny only)");
    found(&checks, upside_down, sbx_checks_foreign, "TCP to 127.0.0.1", "another user (self)");
    found(&checks, without_accept, sbx_checks_foreign, "accepting at 127.0.0.1", "another user (self)");
    if (getenv("LAB_OUTSIDE")) { /* where something outside can be tried */
        found(&checks, without_packages, sbx_checks_foreign, "TCP to 192.0.2.1", "another user (an AppContainer)");
        found(&checks, without_less_privileged, sbx_checks_foreign, "TCP to 192.0.2.1",
              "another user (a less privileged AppContainer)");
    }
    sbx_checks_end(&checks);
    sbx_machine_fini(&machine);
}

/* ---- what setup makes of that ---- */

static int spoiled; /* the filters that are tried take more than they should */

sbx_status __real_sbx_filters_replace(const sbx_engine *with, const sbx_filters *filters, sbx_error *err);
sbx_status __wrap_sbx_filters_replace(const sbx_engine *with, const sbx_filters *filters, sbx_error *err);

sbx_status __wrap_sbx_filters_replace(const sbx_engine *with, const sbx_filters *filters, sbx_error *err)
{
    WCHAR name_w[] = L"too much";
    FWPM_FILTER0 filter = {.displayData = {name_w, NULL},
                           .layerKey = layer_connect_v4,
                           .weight = {.type = FWP_EMPTY},
                           .action = {.type = FWP_ACTION_BLOCK}};
    const sbx_status st = __real_sbx_filters_replace(with, filters, err);

    if (st == SBX_OK && spoiled && filters->flags & SBX_FILTERS_TRIAL)
        assert_int_equal(FwpmFilterAdd0(with->handle, &filter, NULL, NULL), 0);
    return st;
}

/* Somebody else would lose the network: nothing is left in place. */
void test_tried(void **state)
{
    const sbx_setup_step *filters;
    sbx_error err = {0};

    (void)state;
    world_set_up(0);
    filters = &steps[step_of("filters")];
    spoiled = 1;
    assert_int_equal(filters->apply(filters, &err), SBX_E_UNENFORCED);
    spoiled = 0;
    assert_string_equal(err.op, "TCP to 127.0.0.1");
    assert_string_equal(err.object, "whoever runs setup");
    assert_non_null(strstr(err.hint, "they are not left in place"));
    assert_int_equal(filters_there(NULL, 0, NULL), 0);
}

/* ---- each part by itself, as programs of three users see it ---- */

/* Takes the layer's filters of that action away, with those of echo requests or these alone. */
static void drop(sbx_filters *f, const GUID *layer, FWP_ACTION_TYPE action, int echo)
{
    uint32_t i, kept = 0;

    for (i = 0; i < f->count; i++)
        if (memcmp(&f->items[i].layerKey, layer, sizeof(*layer)) != 0 || f->items[i].action.type != action ||
            is_echo(&f->items[i]) != echo)
            f->items[kept++] = f->items[i];
    f->count = kept;
}

static const struct {
    const GUID *layer;
    FWP_ACTION_TYPE action;
    int echo;
    uint32_t offline, online; /* what is open to them, of OPEN_HERE, and who else: everything is */
} parts[] = {
    {&layer_connect_v4, FWP_ACTION_BLOCK, 0, 0x00000303u, OPEN_HERE},
    {&layer_connect_v6, FWP_ACTION_BLOCK, 0, 0x00000c0cu, OPEN_HERE},
    {&layer_listen_v4, FWP_ACTION_BLOCK, 0, 0x00030000u, OPEN_HERE},
    {&layer_listen_v6, FWP_ACTION_BLOCK, 0, 0x000c0000u, OPEN_HERE},
    {&layer_accept_v4, FWP_ACTION_BLOCK, 0, 0, OPEN_HERE}, /* there is nothing to accept */
    {&layer_accept_v6, FWP_ACTION_BLOCK, 0, 0, OPEN_HERE},
    {&layer_connect_v4, FWP_ACTION_BLOCK, 1, 0x03000000u, OPEN_HERE},
    {&layer_connect_v4, FWP_ACTION_PERMIT, 0, 0, OPEN_HERE & ~0x00300303u},
    {&layer_connect_v6, FWP_ACTION_PERMIT, 0, 0, OPEN_HERE & ~0x00c00c0cu},
    {&layer_listen_v4, FWP_ACTION_PERMIT, 0, 0, OPEN_HERE & ~0x00330000u},
    {&layer_listen_v6, FWP_ACTION_PERMIT, 0, 0, OPEN_HERE & ~0x00cc0000u},
    {&layer_accept_v4, FWP_ACTION_PERMIT, 0, 0, OPEN_HERE & ~0x00300000u},
    {&layer_accept_v6, FWP_ACTION_PERMIT, 0, 0, OPEN_HERE & ~0x00c00000u},
};

/* The ways that are open, with those of echo requests. */
static uint32_t open_of(uint32_t verdicts)
{
    uint32_t way, open = 0;

    verdicts = HERE(verdicts) | ECHO(verdicts) << 24;
    for (way = 0; way < SBX_REACH_WAYS; way++)
        if ((verdicts >> 2 * way & 3u) == SBX_REACH_OPEN)
            open |= 3u << 2 * way;
    return open;
}

static void without(const sbx_machine *machine, sbx_filters **filters, sbx_engine *trial)
{
    sbx_error err = {0};

    check(sbx_filters_new(machine, NULL, SBX_FILTERS_TRIAL, filters, &err), &err, "new");
    check(sbx_engine_open(trial, 1, &err), &err, "open");
}

void test_parts(void **state)
{
    sbx_engine trial = {0};
    sbx_filters *filters = NULL;
    sbx_machine machine;
    sbx_error err = {0};
    uint32_t i, got, echoes;

    (void)state;
    if (getenv("LAB_READING") && !strcmp(getenv("LAB_READING"), "mild"))
        skip(); /* which part is of which layer is no matter of readings, and takes a while */
    world_set_up(0);
    load(&machine);
    echoes = ECHO(reached_by(own_sid, 0)) == SBX_REACH_OPEN ? 0x03000000u : 0; /* not for every user of Linux */
    for (i = 0; i < SBX_COUNT(parts); i++) {
        without(&machine, &filters, &trial);
        drop(filters, parts[i].layer, parts[i].action, parts[i].echo);
        check(sbx_filters_replace(&trial, filters, &err), &err, "replace");
        got = open_of(reached_by(own_sid, 0));
        if (got != (parts[i].echo ? echoes : parts[i].offline))
            fail_msg("part %u: %08x is open without a network", (unsigned)i, (unsigned)got);
        got = HERE(open_of(reached_by(own_sid, 1)));
        if (got != parts[i].online)
            fail_msg("part %u: %08x is open with a network", (unsigned)i, (unsigned)got);
        got = HERE(open_of(reached(SECOND, PASSWORD)));
        if (got != OPEN_HERE)
            fail_msg("part %u: %08x is open to another user", (unsigned)i, (unsigned)got);
        sbx_engine_close(&trial);
        sbx_filters_free(filters);
    }
    for (i = 0; i < 2; i++) { /* one deny of the two that name an account is enough */
        without(&machine, &filters, &trial);
        each_list(filters, FWP_ACTION_PERMIT, i ? drop_second : drop_first);
        check(sbx_filters_replace(&trial, filters, &err), &err, "replace");
        assert_int_equal(open_of(reached_by(own_sid, 0)), 0);
        sbx_engine_close(&trial);
        sbx_filters_free(filters);
    }
    sbx_machine_fini(&machine);
}
