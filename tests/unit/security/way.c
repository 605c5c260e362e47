/* Links on the way to a root: those that a command may have made lead no grant elsewhere. */
#include "fixture.h"

static const char *const bin_file = "outer\\bin\\tool.exe";

static void outer(void)
{
    tree_dir("outer");
    tree_dir("outer\\bin");
    tree_file(bin_file, "mine");
}

static void root_is(const char *name)
{
    writable[0] = tree_path(name);
    policy.writable_count = 1;
    policy.protected_count = 0;
}

/* The root is refused, with the link that is at fault, and nothing behind it is touched. */
static void refused(const char *name, const char *link)
{
    char *before = tree_snapshot("outer");
    sbx_error err;

    root_is(name);
    assert_int_equal(open_error(&err), SBX_E_REFUSED);
    assert_non_null(strstr(err.object, link));
    assert_true(err.hint[0]);
    tree_same("outer", before);
}

static void test_planted(void **context)
{
    sbx_grants *grants;

    JUDGED
    outer();
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write(bin_file), DENIED); /* the control */
    assert_int_equal(tree_link("ws\\tool", "outer"), 0);
    tree_leave();
    sbx_grants_close(grants);
    refused("ws\\tool\\bin", "ws\\tool");
    /* behind a link of the user's own */
    assert_int_equal(tree_link("via", "ws\\tool"), 0);
    refused("via\\bin", "ws\\tool");
    assert_int_equal(tree_link("there", "ws"), 0);
    refused("there\\tool\\bin", "tool");
    clean_all();
}

/* What the user links is what he means; he is told where it leads. */
static void test_own(void **context)
{
    sbx_grants *grants;
    uint32_t told;

    JUDGED
    outer();
    assert_int_equal(tree_link("mine", "outer"), 0);
    root_is("mine\\bin");
    told = tree_warnings;
    grants = open_grants();
    assert_int_equal(tree_warnings, told + 1);
    tree_enter(grants);
    assert_int_equal(act_write(bin_file), 0);
    tree_leave();
    sbx_grants_close(grants);
    told = tree_warnings;
    grants = open_grants(); /* a complete grant is judged by the same rule */
    assert_int_equal(tree_warnings, told + 1);
    sbx_grants_close(grants);
    clean_all();
}

/* The grant of the place itself makes no later way to it better. */
static void test_granted_before(void **context)
{
    sbx_grants *grants;

    JUDGED
    outer();
    root_is("outer\\bin");
    sbx_grants_close(open_grants());
    root_is("ws");
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(tree_link("ws\\tool", "outer"), 0);
    tree_leave();
    sbx_grants_close(grants);
    refused("ws\\tool\\bin", "ws\\tool");
    clean_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_planted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own, setup, teardown),
        cmocka_unit_test_setup_teardown(test_granted_before, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
