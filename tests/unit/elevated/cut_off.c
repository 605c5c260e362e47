/* What setup's checks find: filters that somebody made wrong. */
#include "world.h"

#include "elevated/checks.h"
#include "elevated/filters_part.h"
#include "elevated/fwpm_ids.h"

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

void test_checks(void **state)
{
    sbx_machine machine;

    (void)state;
    options_for(own_sid, 1, 0, 0);
    apply_all();
    undo_named("filters");
    load(&machine);
    found(&machine, without_v6, sbx_checks_offline, "TCP to ::1", "an account without a network (self)");
    found(&machine, without_denies, sbx_checks_offline, "TCP to 127.0.0.1", "an account without a network (self)");
    found(&machine, without_own_deny, sbx_checks_offline, "TCP to 127.0.0.1",
          "an account without a network (its own SID for deny only)");
    found(&machine, upside_down, sbx_checks_foreign, "TCP to 127.0.0.1", "another user (self)");
    sbx_machine_fini(&machine);
    undo_all();
}
