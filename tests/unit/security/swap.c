/*
 * What is exchanged, removed or made while a grant works on it.
 *
 * All of it with junctions, which need no privilege, and again with symbolic links where those can be made.  What happens
 * happens at a step (hook.h): in "lone", with one directory a level, no other thread has anything to do meanwhile, and
 * all names of a directory were listed before the first of them is opened.
 */
#include "fixture.h"

#include "base/memory.h"
#include "hook.h"
#include "win/error.h"

#define NAMES 8
#define SANDBOX_SID "010900000000000931584253" /* how one begins in a snapshot: nine words, S-1-9, the tag */

static void lone_root(void)
{
    static char lone[600];

    snprintf(lone, sizeof(lone), "%s", tree_path("lone"));
    writable[0] = lone;
    policy.protected_count = 0;
}

/* "lone\many\d0".. and, of the same shape, "out". */
static void make_many(int directories)
{
    static const char *const places[] = {"lone", "lone\\many", "out\\many", "out\\s"};
    char name[64];
    size_t k;
    int i;

    for (k = 0; k < 4; k++)
        tree_dir(places[k]);
    tree_file("out\\f.txt", "f");
    tree_file("out\\s\\g.txt", "g");
    for (k = 0; k < 2; k++)
        for (i = 0; i < directories; i++) {
            const char *place = k ? "out" : "lone\\many";

            snprintf(name, sizeof(name), "%s\\d%d", place, i);
            tree_dir(name);
            snprintf(name, sizeof(name), "%s\\d%d\\f.txt", place, i);
            tree_file(name, "f");
            snprintf(name, sizeof(name), "%s\\d%d\\s", place, i);
            tree_dir(name);
            snprintf(name, sizeof(name), "%s\\d%d\\s\\g.txt", place, i);
            tree_file(name, "g");
        }
    lone_root();
}

/* The directory goes elsewhere in the root, and its name leads outside. */
static void swap_dir(const char *name, const char *aside, const char *target)
{
    assert_int_equal(act_rename(name, aside), 0);
    assert_int_equal(tree_link(name, target), 0);
}

static void swap_children(void)
{
    char name[64], aside[64];
    int i;

    tree_dir("lone\\aside");
    for (i = 0; i < NAMES; i++) {
        snprintf(name, sizeof(name), "lone\\many\\d%d", i);
        snprintf(aside, sizeof(aside), "lone\\aside\\d%d", i);
        swap_dir(name, aside, "out");
    }
}

static void swap_parent(void)
{
    tree_dir("lone\\aside");
    swap_dir("lone\\many", "lone\\aside\\many", "out");
}

static void swap_files_for(int symbolic)
{
    char name[64];
    int i, swapped = 0;

    for (i = 0; i < NAMES; i++) {
        snprintf(name, sizeof(name), "lone\\many\\f%d", i);
        act_delete(name);
        if (symbolic)
            swapped += tree_file_link(name, "out\\o.txt") == 0;
        else
            swapped += CreateHardLinkA(tree_path(name), tree_path("out\\o.txt"), NULL) != 0;
    }
    assert_true(swapped >= NAMES - 1); /* one of them is open */
}

static void swap_files(void)
{
    swap_files_for(0);
}

static void link_files(void)
{
    swap_files_for(1);
}

static void outside_untouched(const char *step, int nth, void (*act)(void))
{
    char *before = tree_snapshot("out"), *after;
    sbx_grants *grants;

    hook_at(step, nth, act);
    grants = open_grants();
    hook_done();
    after = tree_snapshot("out");
    assert_string_equal(before, after);
    tree_enter(grants);
    assert_int_equal(act_write("out\\o.txt"), DENIED);
    tree_leave();
    sbx_free(after);
    sbx_grants_close(grants);
    clean_all();
    tree_same("out", before);
}

static void test_between_listing_and_opening(void **context)
{
    JUDGED
    make_many(NAMES);
    outside_untouched("allow", 2, swap_children);
    assert_true(tree_is_link("lone\\many\\d0") && tree_is_link("lone\\many\\d7"));
}

/* The only one there is: it is open when its name changes. */
static void test_between_opening_and_setting(void **context)
{
    JUDGED
    make_many(1);
    outside_untouched("allow", 2, swap_parent);
    assert_true(tree_is_link("lone\\many"));
}

static void swap_only(void)
{
    tree_dir("lone\\aside");
    swap_dir("lone\\many\\d0", "lone\\aside\\d0", "out");
}

static void test_follows_the_object(void **context)
{
    char *before, *after;
    sbx_grants *grants;

    JUDGED
    make_many(1);
    before = tree_snapshot("out");
    hook_at("allow", 2, swap_only);
    grants = open_grants();
    hook_done();
    after = tree_snapshot("out");
    assert_string_equal(before, after);
    tree_enter(grants);
    assert_int_equal(act_write("lone\\aside\\d0\\s\\g.txt"), 0);
    assert_int_equal(act_write("lone\\many\\d0\\s\\g.txt"), DENIED); /* through the link */
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
    sbx_free(before);
    sbx_free(after);
}

static void make_files(void)
{
    char name[64];
    int i;

    make_many(0);
    for (i = 0; i < NAMES; i++) {
        snprintf(name, sizeof(name), "lone\\many\\f%d", i);
        tree_file(name, "f");
    }
}

static void test_hard_links(void **context)
{
    JUDGED
    make_files();
    outside_untouched("allow", 2, swap_files);
}

static void test_file_links(void **context)
{
    JUDGED
    make_files();
    outside_untouched("allow", 2, link_files);
    assert_true(tree_is_link("lone\\many\\f7"));
}

/* ---- Protected ------------------------------------------------------------- */

static void swap_git(void)
{
    swap_dir("ws\\.git", "ws\\g2", "out");
}

static void swap_hooks(void)
{
    swap_dir("ws\\.git\\hooks", "ws\\h2", "out");
}

static void swap_way(void)
{
    swap_dir("ws\\pkg", "ws\\p2", "out");
}

/* Refused, nothing outside was touched, and the next run protects what is there now. */
static void protected_swap(const char *step, int nth, void (*act)(void), const char *link)
{
    char *before, *after;
    sbx_error err = {.size = sizeof(err)};
    sbx_grants *grants = NULL;

    tree_dir("out\\hooks");
    tree_file("out\\config", "c");
    tree_dir("out\\inner");
    tree_dir("out\\inner\\.codex");
    before = tree_snapshot("out");
    hook_at(step, nth, act);
    assert_int_equal(sbx_grants_open(&policy, 0, NULL, &grants, &err), SBX_E_REFUSED);
    hook_done();
    assert_string_equal(err.op, "it changed while it was protected");
    assert_non_null(strstr(err.object, link));
    after = tree_snapshot("out");
    assert_string_equal(before, after);
    assert_true(tree_is_link(link));
    sbx_free(before);
    sbx_free(after);
}

static void test_git_exchanged(void **context)
{
    char *before;
    sbx_grants *grants;

    JUDGED
    protected_swap("ledger", 3, swap_git, "ws\\.git");
    before = tree_snapshot("out");
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_rename("ws\\.git", "ws\\g3"), DENIED);
    assert_int_equal(act_rmdir("ws\\.git"), DENIED);
    assert_int_equal(act_write("ws\\.git\\config"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
    tree_same("out", before);
}

/* A protected name that is a link, and links that come into being during the run: their own ACEs are taken away too. */
static void test_links_cleaned(void **context)
{
    char *before, *after;
    sbx_grants *grants;

    JUDGED
    assert_int_equal(act_rename("ws\\.git", "ws\\real"), 0);
    assert_int_equal(tree_link("ws\\.git", "out"), 0);
    before = tree_snapshot("");
    grants = open_grants();
    assert_int_equal(tree_link("ws\\src\\new", "out"), 0);
    sbx_grants_close(grants);
    clean_all();
    after = tree_snapshot("ws\\src\\new");
    assert_non_null(strstr(after, "\\new "));
    assert_null(strstr(after, SANDBOX_SID));
    sbx_free(after);
    assert_int_equal(act_rmdir("ws\\src\\new"), 0);
    tree_forget_state();
    tree_same("", before);
}

/* A link that inherited its allow, in a directory that is protected only later. */
static void test_link_in_protected(void **context)
{
    static char src[600];
    char *before;
    sbx_grants *grants;

    JUDGED
    snprintf(src, sizeof(src), "%s", tree_path("ws\\src"));
    sbx_grants_close(open_grants());
    assert_int_equal(tree_link("ws\\src\\link", "other"), 0);
    before = tree_snapshot("out");
    protected_paths[1] = src;
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(tree_link("ws\\src\\link", "out"), DENIED);
    assert_int_equal(act_rename("ws\\src\\link", "ws\\l2"), DENIED);
    assert_int_equal(act_rmdir("ws\\src\\link"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    protected_paths[1] = protected_paths[0]; /* no longer protected */
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_rmdir("ws\\src\\link"), 0);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
    tree_same("out", before);
}

static void test_way_exchanged(void **context)
{
    JUDGED
    protected_swap("ledger", 4, swap_way, "ws\\pkg");
    clean_all();
}

static void test_below_git_exchanged(void **context)
{
    char *before, *after;
    sbx_grants *grants;

    JUDGED
    before = tree_snapshot("out");
    hook_at("deny", 1, swap_hooks);
    grants = open_grants();
    hook_done();
    after = tree_snapshot("out");
    assert_string_equal(before, after);
    tree_enter(grants);
    assert_int_equal(act_rename("ws\\.git\\hooks", "ws\\h3"), DENIED);
    assert_int_equal(act_rmdir("ws\\.git\\hooks"), DENIED);
    assert_int_equal(act_create("ws\\.git\\hooks\\post-commit"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
    sbx_free(before);
    sbx_free(after);
}

/* A link that is now on the way to what is no longer protected, or to a guard, stops neither a run nor clean. */
static void test_link_on_the_way(void **context)
{
    static char codex[600];
    char *before, *after;
    sbx_grants *grants;
    HANDLE ledger;

    JUDGED
    tree_dir("out\\inner");
    tree_dir("out\\inner\\.codex");
    tree_dir("out\\.codex");
    before = tree_snapshot("out");
    snprintf(codex, sizeof(codex), "%s", tree_path("ws\\new\\.codex"));
    protected_paths[2] = codex;
    grants = open_grants();
    ledger = CreateFileA(tree_path("state\\ledger"), GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    sbx_grants_close(grants);
    CloseHandle(ledger);
    assert_true(tree_exists("ws\\new\\.codex")); /* what a run leaves that could not read the ledger */
    tree_remove("ws\\new");
    assert_int_equal(tree_link("ws\\new", "out"), 0);
    swap_dir("ws\\pkg", "ws\\p2", "out");
    policy.protected_count = 1;
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\src\\b.txt"), 0);
    assert_int_equal(act_write("ws\\.git\\config"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
    assert_true(tree_is_link("ws\\new") && tree_exists("out\\.codex"));
    after = tree_snapshot("out");
    assert_string_equal(before, after);
    sbx_free(after);
    after = tree_snapshot("ws");
    assert_null(strstr(after, SANDBOX_SID));
    sbx_free(before);
    sbx_free(after);
}

static void swap_link(void)
{
    assert_int_equal(act_rmdir("ws\\.git\\zlink"), 0);
    assert_int_equal(act_rename("ws\\src", "ws\\.git\\zlink"), 0);
}

/* The other way round: what was listed as a link, behind all others, is a directory that was granted already. */
static void test_link_becomes_directory(void **context)
{
    sbx_grants *grants;

    JUDGED
    assert_int_equal(tree_link("ws\\.git\\zlink", "out"), 0);
    hook_at("deny", 1, swap_link);
    grants = open_grants();
    hook_done();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\.git\\zlink\\b.txt"), DENIED);
    assert_int_equal(act_write("ws\\.git\\zlink\\deep\\c.txt"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

/* ---- Guards ------------------------------------------------------------------ */

static void guard_link(void)
{
    assert_int_equal(tree_link("ws\\.agents", "out"), 0);
}

static void guard_dir(void)
{
    tree_dir("ws\\.agents");
}

static void guard_file(void)
{
    tree_file("ws\\.agents", "");
}

/* Somebody else takes the name of a guard just before: no run, and what he made stays, empty or not. */
static void guard_taken(void (*act)(void))
{
    sbx_error err = {.size = sizeof(err)};
    char *before = tree_snapshot("out"), *after;
    sbx_grants *grants = NULL;

    hook_at("guard", 1, act);
    assert_int_equal(sbx_grants_open(&policy, 0, NULL, &grants, &err), SBX_E_REFUSED);
    hook_done();
    assert_string_equal(err.op, "it changed while it was protected");
    assert_string_equal(err.object, ".agents");
    assert_true(tree_exists("ws\\.agents"));
    assert_false(tree_exists("ws\\sbx.toml"));
    after = tree_snapshot("out");
    assert_string_equal(before, after);
    sbx_free(after);

    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_rename("ws\\.agents", "ws\\a2"), DENIED);
    assert_int_equal(act_delete("ws\\.agents"), DENIED);
    assert_int_equal(act_rmdir("ws\\.agents"), DENIED);
    assert_int_equal(act_create("ws\\.agents\\x"), act == guard_file ? ERROR_PATH_NOT_FOUND : DENIED);
    tree_leave();
    sbx_grants_close(grants);
    assert_true(tree_exists("ws\\.agents"));
    clean_all();
    assert_true(tree_exists("ws\\.agents"));
    tree_same("out", before);
}

static void test_guard_appears_as_link(void **context)
{
    JUDGED
    guard_taken(guard_link);
    assert_true(tree_is_link("ws\\.agents"));
}

static void test_guard_appears_as_directory(void **context)
{
    JUDGED
    guard_taken(guard_dir);
}

static void test_guard_appears_as_file(void **context)
{
    JUDGED
    guard_taken(guard_file);
}

static void make_way(void)
{
    tree_dir("ws\\new");
}

/* The directory on the way to a missing name appears after it was found missing: it must not be free to be moved. */
static void test_way_appears(void **context)
{
    static char codex[600];
    sbx_error err = {.size = sizeof(err)};
    sbx_grants *grants = NULL;

    JUDGED
    snprintf(codex, sizeof(codex), "%s", tree_path("ws\\new\\.codex"));
    protected_paths[1] = protected_paths[0];
    protected_paths[0] = codex;
    policy.protected_count = 2;
    hook_at("ledger", 3, make_way); /* of .git, the last rule */
    assert_int_equal(sbx_grants_open(&policy, 0, NULL, &grants, &err), SBX_E_REFUSED);
    hook_done();
    assert_string_equal(err.op, "it changed while it was protected");
    assert_string_equal(err.object, "new");
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_rename("ws\\new", "ws\\n2"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    assert_true(tree_exists("ws\\new"));
    assert_false(tree_exists("ws\\new\\.codex"));
    clean_all();
}

/* ---- Removed, moved, made ------------------------------------------------------ */

static void remove_tree(void)
{
    tree_remove("ws");
}

static int32_t SBX_CALL count_one(void *context, const sbx_state_item *item, const sbx_error *error)
{
    (void)item;
    (void)error;
    ++*(int *)context;
    return 0;
}

/* Whether the grant fails then depends on the system; that it ends, and that nothing is left to undo, does not.  The root
 * itself stays: it is held. */
static void removed_at(const char *step, int nth)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_grants *grants = NULL;
    int items = 0;

    policy.protected_count = 0;
    hook_at(step, nth, remove_tree);
    if (sbx_grants_open(&policy, 0, NULL, &grants, &err) != SBX_OK)
        assert_true(err.op[0] && err.object[0]);
    hook_done();
    sbx_grants_close(grants);
    assert_false(tree_exists("ws\\a.txt") || tree_exists("ws\\src\\deep\\c.txt"));
    clean_all();
    assert_int_equal(sbx_grants_list(count_one, &items, NULL), SBX_OK);
    assert_int_equal(items, 0);
}

static void test_tree_removed(void **context)
{
    JUDGED
    removed_at("allow", 3);
}

static void test_root_removed(void **context)
{
    JUDGED
    removed_at("set", 2); /* the last: nothing in it is open */
    assert_int_equal(act_rmdir("ws"), 0);
}

static void rename_tree(void)
{
    assert_int_equal(act_rename("ws", "ws2"), ERROR_SHARING_VIOLATION);
}

/* The root stays where it is from the first step to the end of the run, for whoever tries.  Afterwards it is the directory,
 * whatever it is called by now. */
static void test_tree_renamed(void **context)
{
    char *before;
    sbx_error err = {.size = sizeof(err)};
    sbx_grants *grants = NULL;

    JUDGED
    before = tree_snapshot("ws");
    policy.protected_count = 0;
    hook_at("set", 2, rename_tree);
    grants = open_grants();
    hook_done();
    rename_tree();
    sbx_grants_close(grants);
    assert_int_equal(act_rename("ws", "ws2"), 0);
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws2"), NULL, NULL, &err), &err);
    assert_int_equal(act_rename("ws2", "ws"), 0);
    tree_same("ws", before);
}

static void other_directory(void)
{
    tree_dir("ws");
}

static void other_file(void)
{
    tree_file("ws", "w");
}

static void other_link(void)
{
    assert_int_equal(tree_link("ws", "out"), 0);
}

/* Moved since its last run, with or without another object at its name: it is found by what its SID says. */
static void moved_is_cleaned(uint32_t what, void (*act)(void))
{
    char *before = tree_snapshot("ws");
    sbx_error err = {.size = sizeof(err)};
    int items = 0;

    sbx_grants_close(open_grants());
    tree_dir("elsewhere");
    assert_int_equal(act_rename("ws", "elsewhere\\w"), 0);
    if (act)
        act();
    expect_ok(sbx_grants_clean(what, tree_path("ws"), NULL, NULL, &err), &err);
    assert_int_equal(sbx_grants_list(count_one, &items, NULL), SBX_OK);
    assert_int_equal(items, 0);
    act_rmdir("ws");
    act_delete("ws");
    assert_int_equal(act_rename("elsewhere\\w", "ws"), 0);
    tree_same("ws", before);
}

static void test_moved_is_cleaned(void **context)
{
    static const uint32_t whats[] = {SBX_CLEAN_ALL, SBX_CLEAN_ROOT, SBX_CLEAN_STALE};
    size_t i;

    JUDGED
    for (i = 0; i < 3; i++) {
        moved_is_cleaned(whats[i], NULL);
        moved_is_cleaned(whats[i], other_directory);
        moved_is_cleaned(whats[i], other_file);
        moved_is_cleaned(whats[i], other_link);
    }
}

static void remove_files(void)
{
    char name[64];
    int i;

    for (i = 0; i < NAMES; i++) {
        snprintf(name, sizeof(name), "lone\\many\\d%d", i);
        tree_remove(name);
    }
    tree_dir("lone\\many\\last");
    tree_file("lone\\many\\last\\x.txt", "x");
}

/* Nobody is told of what somebody deleted. */
static void test_deleted_meanwhile(void **context)
{
    sbx_grants *grants;

    JUDGED
    make_many(NAMES);
    tree_gap_notes = 0;
    hook_at("allow", 2, remove_files);
    grants = open_grants();
    hook_done();
    assert_int_equal(tree_gap_notes, 0);
    tree_enter(grants);
    assert_int_equal(act_write("lone\\many\\last\\x.txt"), 0);
    tree_leave();
    assert_int_equal(tree_aces("lone\\many\\last\\x.txt", grants), 1);
    sbx_grants_close(grants);
    clean_all();
}

static void make_more(void)
{
    tree_dir("lone\\more"); /* where the ACE is already */
    tree_file("lone\\more\\x.txt", "x");
    tree_dir("lone\\many\\more"); /* where it is not yet */
    tree_dir("lone\\many\\more\\deep");
    tree_file("lone\\many\\more\\deep\\x.txt", "x");
}

static void test_made_meanwhile(void **context)
{
    static const char *const made[] = {"lone\\more\\x.txt", "lone\\many\\more\\deep\\x.txt"};
    sbx_grants *grants;
    char *after;
    size_t i;

    JUDGED
    make_many(1);
    hook_at("allow", 1, make_more);
    grants = open_grants();
    hook_done();
    tree_enter(grants);
    for (i = 0; i < 2; i++)
        assert_int_equal(act_write(made[i]), 0);
    assert_int_equal(act_create("lone\\more\\y.txt"), 0);
    tree_leave();
    for (i = 0; i < 2; i++)
        assert_int_equal(tree_aces(made[i], grants), 1);
    assert_int_equal(tree_aces("lone", grants), 3);
    sbx_grants_close(grants);
    clean_all();
    after = tree_snapshot("lone");
    assert_null(strstr(after, SANDBOX_SID));
    sbx_free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_between_listing_and_opening, setup, teardown),
        cmocka_unit_test_setup_teardown(test_between_opening_and_setting, setup, teardown),
        cmocka_unit_test_setup_teardown(test_follows_the_object, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hard_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_git_exchanged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_links_cleaned, setup, teardown),
        cmocka_unit_test_setup_teardown(test_link_in_protected, setup, teardown),
        cmocka_unit_test_setup_teardown(test_way_exchanged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_below_git_exchanged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_link_becomes_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_link_on_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard_appears_as_link, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard_appears_as_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard_appears_as_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_way_appears, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tree_removed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_root_removed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tree_renamed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_moved_is_cleaned, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deleted_meanwhile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_made_meanwhile, setup, teardown),
    };

    const struct CMUnitTest file_links[] = {
        cmocka_unit_test_setup_teardown(test_file_links, setup, teardown),
    };
    int failed = cmocka_run_group_tests_name("junctions", tests, NULL, NULL);

    if (!tree_may_symlink()) {
        print_message("symbolic links are not judged here: this user may not make any\n");
        return failed;
    }
    tree_symlinks = 1;
    failed += cmocka_run_group_tests_name("symbolic links", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("symbolic links to files", file_links, NULL, NULL);
}
