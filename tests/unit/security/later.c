/* What a command leaves that programs of the user run later. */
#include "fixture.h"

#include "base/text.h"
#include "common/grants/later.h"
#include "common/grants/root.h"

/* What a run that does this tells: the number of warnings, their text in tree_warning. */
static uint32_t told_by(void (*act)(void), int with_git)
{
    sbx_root root = {0};
    sbx_text before = {0};
    uint32_t warnings = tree_warnings;
    sbx_error err = {.size = sizeof(err)};

    expect_ok(sbx_root_open(tree_path("ws"), &root, &err), &err);
    sbx_later_look(&root, NULL, with_git, &before);
    tree_warning[0] = 0;
    act();
    sbx_later_tell(&root, NULL, with_git, &before);
    sbx_text_fini(&before);
    sbx_root_close(&root);
    return tree_warnings - warnings;
}

static void nothing(void)
{
}

static void harmless(void)
{
    tree_file("ws\\main.c", "int main;");
    tree_file("ws\\src\\sbx.exe", "deeper than where it is typed");
    tree_link("ws\\inside", "ws\\src");
}

static void each_kind(void)
{
    tree_file("ws\\SBX.bat", "@rem");
    tree_file("ws\\.envrc", "x");
    tree_dir("ws\\.husky");
    tree_dir("ws\\.vscode");
    tree_file("ws\\.vscode\\tasks.json", "{}");
    tree_file("ws\\a.lnk", "L");
    tree_file("ws\\desktop.ini", "[.ShellClassInfo]");
}

static void change_one(void)
{
    tree_file("ws\\.envrc", "x and more");
}

static void names(void)
{
    tree_dir("ws\\.agents");
    tree_file("ws\\sbx.toml", "");
}

static void change_names(void)
{
    tree_file("ws\\sbx.toml", "and more"); /* closed to the command by now: the user's work */
}

static void link_out(void)
{
    assert_int_equal(tree_link("ws\\away", "out"), 0);
}

static void git(void)
{
    tree_file("ws\\.git\\hooks\\post-checkout", "#!");
    tree_file("ws\\.git\\hooks\\x.sample", "#!");
    tree_file("ws\\.git\\config",
              "[core]\n\tbare = false\n\tfsmonitor = calc\n[include] path=../evil\n[x]\n\teditor2 = no\n");
}

static void test_told(void **context)
{
    JUDGED
    assert_int_equal(told_by(nothing, 0), 0);
    assert_int_equal(told_by(harmless, 0), 0);
    assert_int_equal(told_by(each_kind, 0), 1);
    assert_non_null(strstr(tree_warning, "left 6 things that your programs may run"));
    assert_non_null(strstr(tree_warning, ", ..."));
    assert_int_equal(told_by(nothing, 0), 0); /* it was there before */
    assert_int_equal(told_by(change_one, 0), 1);
    assert_non_null(strstr(tree_warning, "left 1 thing that your programs may run or follow later: .envrc"));
    assert_int_equal(told_by(names, 0), 1);
    assert_non_null(strstr(tree_warning, "left 2 things that your programs may run or follow later: "));
    assert_non_null(strstr(tree_warning, ".agents"));
    assert_non_null(strstr(tree_warning, "sbx.toml"));
    assert_int_equal(told_by(change_names, 0), 0);
    assert_int_equal(told_by(link_out, 0), 1);
    assert_non_null(strstr(tree_warning, "the link away to "));
}

static void test_git(void **context)
{
    JUDGED
    assert_int_equal(told_by(git, 0), 0); /* closed to the command, so it is the user's */
    tree_file("ws\\.git\\config", "[core]");
    tree_remove("ws\\.git\\hooks\\post-checkout");
    assert_int_equal(told_by(git, 1), 1);
    assert_non_null(strstr(tree_warning, "left 3 things"));
    assert_non_null(strstr(tree_warning, ".git\\hooks\\post-checkout"));
    assert_non_null(strstr(tree_warning, ".git\\config: fsmonitor = calc"));
    assert_non_null(strstr(tree_warning, ".git\\config: path=../evil"));
}

/* Behind more entries than are looked at what goes by its name is found, and of the rest is told that it may be there. */
static void many(void)
{
    char name[64];
    int i;

    for (i = 0; i < 4100; i++) {
        snprintf(name, sizeof(name), "ws\\a%04d", i);
        tree_file(name, "");
    }
}

static void hidden(void)
{
    tree_file("ws\\sbx.bat", "@rem");
    tree_file("ws\\sbx.toml", "");
    tree_file("ws\\.envrc", "x");
    tree_dir("ws\\.vscode");
    tree_file("ws\\.vscode\\tasks.json", "{}");
}

static void test_many_entries(void **context)
{
    uint32_t gaps = tree_gap_notes;

    JUDGED
    assert_int_equal(told_by(many, 0), 1);
    assert_non_null(strstr(tree_warning, "left 1 thing"));
    assert_non_null(strstr(tree_warning, "more entries than are looked at"));
    assert_int_equal(tree_gap_notes, gaps);
    assert_int_equal(told_by(hidden, 0), 1);
    assert_non_null(strstr(tree_warning, "left 4 things"));
    assert_non_null(strstr(tree_warning, "sbx.bat"));
    assert_int_equal(tree_gap_notes, gaps + 1); /* it was so before, too */
}

/* Links in what a commit writes: at the top of it, deeper, and among the objects. */
static void test_links_of_a_commit(void **context)
{
    static const char *const links[] = {"ws\\.git\\logs\\refs", "ws\\.git\\refs\\heads\\x", "ws\\.git\\objects\\ab"};
    sbx_grants *grants;
    uint32_t told;
    size_t i;

    JUDGED
    tree_dir("ws\\.git\\logs");
    tree_dir("ws\\.git\\refs");
    tree_dir("ws\\.git\\refs\\heads");
    policy.git = SBX_GIT_COMMIT;
    for (i = 0; i < ARRAYSIZE(links); i++) {
        grants = open_grants();
        tree_enter(grants);
        /* the directories themselves stay what they are */
        assert_int_equal(act_rename("ws\\.git\\logs", "ws\\.git\\l2"), DENIED);
        assert_int_equal(act_rename("ws\\.git\\refs", "ws\\.git\\r2"), DENIED);
        assert_int_equal(act_rename("ws\\.git\\objects", "ws\\.git\\o2"), DENIED);
        assert_int_equal(tree_link(links[i], "out"), 0);
        tree_leave();
        told = tree_warnings;
        sbx_grants_close(grants);
        assert_int_equal(tree_warnings, told + 1);
        assert_non_null(strstr(tree_warning, strchr(links[i], '\\') + 1));
    }
    told = tree_warnings;
    sbx_grants_close(open_grants()); /* it was there */
    assert_int_equal(tree_warnings, told);
    clean_all();
}

/* By a run, when it ends. */
static void test_run(void **context)
{
    sbx_grants *grants;
    uint32_t told;

    JUDGED
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_create("ws\\sbx.cmd"), 0);
    tree_leave();
    told = tree_warnings;
    sbx_grants_close(grants);
    assert_int_equal(tree_warnings, told + 1);
    assert_non_null(strstr(tree_warning, "sbx.cmd"));
    told = tree_warnings;
    sbx_grants_close(open_grants());
    assert_int_equal(tree_warnings, told);
    clean_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_git, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_entries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_links_of_a_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
