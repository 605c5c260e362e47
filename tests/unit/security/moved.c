/* What was moved from one place of a sandbox to another leaves nothing of it behind. */
#include "fixture.h"

#include "base/memory.h"

#define RUN "S-1-9-1396856914-1-2-3-4" /* of a run that is over */

static int has_traces(const char *name)
{
    char *all = tree_snapshot(name);
    /* authority and first word of the SIDs of roots and of runs */
    int found = strstr(all, "00000000000931584253") || strstr(all, "00000000000952584253");

    sbx_free(all);
    return found;
}

static void test_between_roots(void **context)
{
    static char other[600];
    sbx_grants *grants;

    JUDGED
    snprintf(other, sizeof(other), "%s", tree_path("other"));
    writable[1] = other;
    policy.writable_count = 2;
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_mkdir("ws\\q"), 0);
    assert_int_equal(act_create("ws\\q\\f"), 0);
    assert_int_equal(act_rename("ws\\q", "other\\q"), 0);
    tree_leave();
    sbx_grants_close(grants);
    assert_true(has_traces("other"));
    clean_all();
    assert_false(has_traces("other"));
    assert_false(has_traces("ws"));
}

static void test_from_temp(void **context)
{
    JUDGED
    tree_file("ws\\src\\t", "t");
    tree_set("ws\\src\\t", "D:P(A;;FA;;;SY)(A;;FA;;;WD)(A;;0x1301bf;;;" RUN ")");
    sbx_grants_close(open_grants());
    assert_true(has_traces("ws"));
    clean_all();
    assert_false(has_traces("ws"));
}

/* A root inside another one keeps what is its own. */
static void test_nested(void **context)
{
    static char inner[600];
    sbx_grants *grants;
    sbx_error err = {.size = sizeof(err)};

    JUDGED
    snprintf(inner, sizeof(inner), "%s", tree_path("ws\\src"));
    sbx_grants_close(open_grants());
    writable[0] = inner;
    policy.protected_count = 0;
    sbx_grants_close(open_grants());
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws"), NULL, NULL, &err), &err);
    assert_true(has_traces("ws\\src"));
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\src\\b.txt"), 0);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
    assert_false(has_traces("ws"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_between_roots, setup, teardown),
        cmocka_unit_test_setup_teardown(test_from_temp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nested, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
