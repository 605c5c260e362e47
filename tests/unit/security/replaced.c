/* What the user's own programs put in the place of a protected object while a command runs. */
#include "fixture.h"

#include "common/grants/ledger.h"

/* As git and editors save: beside it, and moved over it. */
static void save(const char *name, const char *beside, const char *text)
{
    char from[600];

    tree_file(beside, text);
    snprintf(from, sizeof(from), "%s", tree_path(beside));
    assert_true(MoveFileExA(from, tree_path(name), MOVEFILE_REPLACE_EXISTING));
}

static uint32_t as_command(const sbx_grants *grants, const char *name)
{
    uint32_t code;

    tree_enter(grants);
    code = act_write(name);
    tree_leave();
    return code;
}

static void test_replaced(void **context)
{
    sbx_grants *grants, *other;
    uint32_t told;

    JUDGED
    policy.git = SBX_GIT_COMMIT;
    tree_file("ws\\sbx.toml", "a = 1");
    grants = open_grants();
    policy.run_id = "1123456789abcdef0123456789abcdef";
    other = open_grants();
    assert_int_equal(as_command(other, "ws\\.git\\config"), DENIED);
    assert_int_equal(as_command(other, "ws\\sbx.toml"), DENIED);
    save("ws\\.git\\config", "ws\\.git\\config.lock", "[core]");
    save("ws\\sbx.toml", "ws\\sbx.toml.new", "a = 2");
    assert_int_equal(as_command(other, "ws\\.git\\config"), 0); /* the window that there is */
    assert_int_equal(as_command(other, "ws\\sbx.toml"), 0);
    told = tree_warnings;
    sbx_grants_close(grants);
    assert_int_equal(tree_warnings, told + 2);
    assert_non_null(strstr(tree_warning, "protected again"));
    assert_int_equal(as_command(other, "ws\\.git\\config"), DENIED);
    assert_int_equal(as_command(other, "ws\\sbx.toml"), DENIED);
    told = tree_warnings;
    sbx_grants_close(other);
    assert_int_equal(tree_warnings, told);
    clean_all();
}

/* The user takes the name that a guard holds. */
static void test_guard_taken(void **context)
{
    sbx_grants *grants;
    uint32_t told;

    JUDGED
    grants = open_grants();
    assert_true(RemoveDirectoryA(tree_path("ws\\.agents")));
    tree_dir("ws\\.agents");
    tree_file("ws\\.agents\\rules", "r");
    assert_int_equal(as_command(grants, "ws\\.agents\\rules"), 0);
    told = tree_warnings;
    sbx_grants_close(grants);
    assert_int_equal(tree_warnings, told + 1);
    assert_non_null(strstr(tree_warning, "came into being"));
    grants = open_grants();
    assert_int_equal(as_command(grants, "ws\\.agents\\rules"), DENIED);
    sbx_grants_close(grants);
    clean_all();
}

static void test_nothing_told(void **context)
{
    sbx_grants *grants;
    uint32_t told;

    JUDGED
    grants = open_grants();
    told = tree_warnings;
    assert_int_equal(as_command(grants, "ws\\a.txt"), 0);
    tree_file("ws\\.git\\config.lock", "[core]"); /* in a protected directory it inherits the protection */
    sbx_grants_close(grants);
    assert_int_equal(tree_warnings, told);
    clean_all();
}

/* `sbx grant` walks while the run ends: that nothing was looked at is said, and the next run does what was left. */
static void test_end_while_granted(void **context)
{
    const void *const *sids;
    sbx_grants *grants;
    sbx_lock *lock = NULL;
    sbx_sid sid;
    uint32_t told;

    JUDGED
    grants = open_grants();
    assert_int_equal(sbx_grants_sids(grants, &sids), 1);
    memcpy(&sid, sids[0], sizeof(sid));
    assert_int_equal(sbx_lock_take(&sid, 0, &lock, NULL), SBX_OK);
    told = tree_warnings;
    sbx_grants_close(grants);
    assert_int_equal(tree_warnings, told + 2); /* after a second, that it waits */
    assert_non_null(strstr(tree_warning, "another sbx changes access rights there"));
    assert_true(tree_exists("ws\\.agents"));
    sbx_lock_give(lock);
    expect_works();
    assert_false(tree_exists("ws\\.agents"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end_while_granted, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
