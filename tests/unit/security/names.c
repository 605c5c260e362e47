/* Which of the protected names that are missing are taken by a guard, and what is told of the others. */
#include "fixture.h"

static const char *const names[] = {".git", ".codex", ".agents", "sbx.toml"};

#define GIT 1
#define AGENTS 6
#define TOML 8

/* The names as the configuration has them, in both roots; nobody asked for one. */
static void built_in(void)
{
    static char paths[8][700], second[600];
    size_t i;

    tree_remove("ws\\.git");
    tree_dir("cache");
    snprintf(second, sizeof(second), "%s", tree_path("cache"));
    writable[1] = second;
    policy.writable_count = 2;
    for (i = 0; i < 8; i++) {
        snprintf(paths[i], sizeof(paths[i]), "%s\\%s", writable[i / 4], names[i % 4]);
        protected_paths[i] = paths[i];
    }
    policy.protected_count = 8;
    policy.protected_asked = 0;
}

static int taken(const char *folder)
{
    char name[64];
    int i, found = 0;

    for (i = 0; i < 4; i++) {
        snprintf(name, sizeof(name), "%s\\%s", folder, names[i]);
        if (tree_exists(name)) {
            assert_true(GetFileAttributesA(tree_path(name)) & FILE_ATTRIBUTE_HIDDEN);
            found |= 1 << i;
        }
    }
    return found;
}

/* A run in the workspace has guards for these, and no longer when it ends. */
static void expect_taken(int in_workspace, int in_second)
{
    sbx_grants *grants = open_grants();

    assert_int_equal(taken("ws"), in_workspace);
    assert_int_equal(taken("cache"), in_second);
    tree_enter(grants);
    assert_int_equal(act_mkdir("ws\\.git"), in_workspace & GIT ? ERROR_ALREADY_EXISTS : 0);
    assert_int_equal(act_create("ws\\.agents\\a"), in_workspace & AGENTS ? DENIED : ERROR_PATH_NOT_FOUND);
    tree_leave();
    sbx_grants_close(grants);
    tree_remove("ws\\.git");
    assert_int_equal(taken("ws") | taken("cache"), 0);
}

static void test_plain_folder(void **context)
{
    JUDGED
    built_in();
    expect_taken(GIT | AGENTS, 0);
    policy.git = SBX_GIT_COMMIT;
    expect_taken(GIT | AGENTS, 0);
    clean_all();
}

/* What some look for to know what to leave out counts in a repository alone. */
static void test_ignore_files(void **context)
{
    static const char *const files[] = {".gitignore", ".ignore", ".rgignore", ".fdignore", ".GitIgnore"};
    static const char *const others[] = {"ignore", ".ignored", ".gitattributes"};
    char name[64];
    size_t i;

    JUDGED
    built_in();
    for (i = 0; i < ARRAYSIZE(files); i++) {
        snprintf(name, sizeof(name), "ws\\%s", files[i]);
        tree_file(name, "*.log\n");
        expect_taken(AGENTS, 0);
        assert_true(DeleteFileA(tree_path(name)));
    }
    for (i = 0; i < ARRAYSIZE(others); i++) {
        snprintf(name, sizeof(name), "ws\\%s", others[i]);
        tree_file(name, "");
    }
    expect_taken(GIT | AGENTS, 0);
    clean_all();
}

static void test_in_a_repository(void **context)
{
    JUDGED
    built_in();
    tree_dir(".git");
    expect_taken(AGENTS, 0);
    tree_remove(".git");
    tree_file(".git", "gitdir: elsewhere\n");
    expect_taken(AGENTS, 0);
    clean_all();
}

/* As it was asked for, wherever that is. */
static void test_asked(void **context)
{
    JUDGED
    built_in();
    tree_dir(".git");
    tree_file("ws\\.gitignore", "*.log\n");
    policy.protected_asked = policy.protected_count;
    expect_taken(GIT | AGENTS | TOML, GIT | AGENTS | TOML);
    policy.protected_asked = 4;
    expect_taken(GIT | AGENTS | TOML, 0);
    policy.protected_asked = 0;
    policy.size = offsetof(sbx_policy, protected_asked); /* of a program that does not tell */
    expect_taken(GIT | AGENTS | TOML, GIT | AGENTS | TOML);
    policy.size = sizeof(policy);
    clean_all();
}

/* A path in a repository that somebody named is closed to a commit, too. */
static void test_asked_in_a_repository(void **context)
{
    static char refs[600];
    sbx_grants *grants;

    JUDGED
    tree_dir("ws\\.git\\refs");
    tree_file("ws\\.git\\HEAD", "ref: refs/heads/main\n");
    policy.git = SBX_GIT_COMMIT;
    snprintf(refs, sizeof(refs), "%s", tree_path("ws\\.git\\refs"));
    protected_paths[1] = refs;
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_create("ws\\.git\\refs\\r"), DENIED);
    assert_int_equal(act_create("ws\\.git\\objects\\o"), 0);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

/* In a bare repository git finds a `.git` first. */
static void test_bare(void **context)
{
    JUDGED
    built_in();
    tree_dir("cache\\objects");
    tree_dir("cache\\refs");
    tree_file("cache\\HEAD", "ref: refs/heads/main\n");
    expect_taken(GIT | AGENTS, GIT | AGENTS);
    clean_all();
}

/* What the command made in the place of a guard that is not there: told once, with what runs, and closed from then on. */
static void test_made(void **context)
{
    sbx_grants *grants;
    uint32_t told;

    JUDGED
    built_in();
    tree_file("ws\\.gitignore", "*.log\n");
    told = tree_gap_notes;
    grants = open_grants();
    assert_true(tree_gap_notes > told);
    tree_enter(grants);
    assert_int_equal(act_mkdir("ws\\.git"), 0);
    assert_int_equal(act_mkdir("ws\\.git\\hooks"), 0);
    assert_int_equal(act_create("ws\\.git\\hooks\\post-checkout"), 0);
    assert_int_equal(act_create("ws\\.git\\config"), 0);
    assert_int_equal(act_create("ws\\sbx.toml"), 0);
    assert_int_equal(act_mkdir("cache\\.codex"), 0);
    tree_leave();
    tree_file("ws\\.git\\config", "[core]\n\tfsmonitor = calc\n");
    told = tree_warnings;
    tree_warning[0] = 0;
    sbx_grants_close(grants);
    assert_int_equal(tree_warnings, told + 2); /* one a root */
    assert_non_null(strstr(tree_warning, "left 1 thing that your programs may run or follow later: .codex"));

    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_create("ws\\.git\\hooks\\new"), DENIED);
    assert_int_equal(act_write("ws\\.git\\config"), DENIED);
    assert_int_equal(act_write("ws\\sbx.toml"), DENIED);
    assert_int_equal(act_create("cache\\.codex\\c"), DENIED);
    tree_leave();
    told = tree_warnings;
    sbx_grants_close(grants);
    assert_int_equal(tree_warnings, told);
    clean_all();
}

static void test_made_is_named(void **context)
{
    sbx_grants *grants;

    JUDGED
    built_in();
    policy.writable_count = 1;
    policy.protected_count = 4;
    tree_file("ws\\.gitignore", "*.log\n");
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_mkdir("ws\\.git"), 0);
    assert_int_equal(act_mkdir("ws\\.git\\hooks"), 0);
    assert_int_equal(act_create("ws\\.git\\hooks\\post-checkout"), 0);
    tree_leave();
    tree_file("ws\\.git\\config", "[core]\n\tfsmonitor = calc\n");
    sbx_grants_close(grants);
    assert_non_null(strstr(tree_warning, "left 3 things that your programs may run or follow later: .git, "
                                         ".git\\hooks\\post-checkout, .git\\config: fsmonitor = calc"));
    clean_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plain_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ignore_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_in_a_repository, setup, teardown),
        cmocka_unit_test_setup_teardown(test_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_asked_in_a_repository, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bare, setup, teardown),
        cmocka_unit_test_setup_teardown(test_made, setup, teardown),
        cmocka_unit_test_setup_teardown(test_made_is_named, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
