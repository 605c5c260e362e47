/* Repositories in every layout that git knows: what decides which programs git runs stays as it is. */
#include "layouts.h"

/* A second root, with the names that the configuration protects in each. */
static void second_root(const char *name)
{
    static const char *const names[] = {".git", ".codex", ".agents", "sbx.toml"};
    static char root[600], paths[4][700];
    size_t i;

    snprintf(root, sizeof(root), "%s", tree_path(name));
    writable[1] = root;
    policy.writable_count = 2;
    for (i = 0; i < ARRAYSIZE(names); i++) {
        snprintf(paths[i], sizeof(paths[i]), "%s\\%s", root, names[i]);
        protected_paths[4 + i] = paths[i];
    }
    policy.protected_count = 8;
}

/* ---- .git files */

static void pointed(const char *text, const char *where)
{
    static const act acts[] = {{"config", DENIED}, {"hooks\\pre-commit", DENIED}, {"hooks\\new", DENIED}};
    static const act control[] = {{"ws\\a.txt", OPEN}, {"ws\\spare\\config", OPEN}};
    static const uint32_t modes[] = {SBX_GIT_PROTECT, SBX_GIT_COMMIT};
    sbx_grants *grants;
    size_t i;

    for (i = 0; i < ARRAYSIZE(modes); i++) {
        tree_file("ws\\.git", text);
        policy.git = modes[i];
        grants = open_grants();
        all_acts(grants, where, acts, ARRAYSIZE(acts));
        all_acts(grants, "", control, ARRAYSIZE(control));
        sbx_grants_close(grants);
        clean_all();
    }
}

static void test_gitfile_as_git_reads_it(void **context)
{
    static const char *const before[] = {"", "//?/", "//./", "\\\\.\\", "\\\\?\\"};
    static const char *const mounts[] = {"/", "/mnt/", "/cygdrive/"};
    char text[900], *at;
    size_t i;

    JUDGED
    no_repository();
    repository("ws\\real");
    repository("ws\\ real");
    repository("ws\\spare");
    pointed("gitdir: real\n", "ws\\real");
    pointed("gitdir:  real\n", "ws\\ real");
    pointed("gitdir:  real\n", "ws\\real"); /* for who skips blanks */
    pointed("gitdir: ./spare/../real. \n", "ws\\real");
    for (i = 0; i < ARRAYSIZE(before); i++) {
        snprintf(text, sizeof(text), "gitdir: %s%s\r\n\n", before[i], tree_path("ws\\real"));
        pointed(text, "ws\\real");
    }
    snprintf(text, sizeof(text), "gitdir: %s\n", tree_path("ws\\real") + 2);
    pointed(text, "ws\\real");
    for (i = 0; i < ARRAYSIZE(mounts); i++) { /* of git for other systems */
        snprintf(text, sizeof(text), "gitdir: %sc%s\n", mounts[i], tree_path("ws\\real") + 2);
        for (at = text; (at = strchr(at, '\\')); *at = '/')
            ;
        pointed(text, "ws\\real");
    }
}

static void test_gitfile_to_nobody_knows_where(void **context)
{
    static const char *const says[] = {"gitdir: //server/share/r\n", "gitdir: \\\\?\\UNC\\server\\share\\r",
                                       "gitdir: C:real\n",           "gitdir: //./pipe/r\n",
                                       "gitdir: //?/GLOBALROOT/r\n", "gitdir: real:stream\n",
                                       "gitdir: \\\\wsl$\\d\\r"};
    sbx_error err;
    size_t i;

    JUDGED
    no_repository();
    repository("ws\\real");
    for (i = 0; i < ARRAYSIZE(says); i++) {
        tree_file("ws\\.git", says[i]);
        assert_int_equal(open_error(&err), SBX_E_REFUSED);
        assert_non_null(strstr(err.object, "ws\\.git"));
        assert_non_null(strstr(err.hint, "it says"));
    }
    policy.git = SBX_GIT_WRITE;
    assert_int_equal(open_error(&err), SBX_OK);
    policy.git = SBX_GIT_PROTECT;
    clean_all();
}

/* What is not there yet would be the command's to make. */
static void test_gitfile_to_nothing(void **context)
{
    sbx_grants *grants;

    JUDGED
    no_repository();
    assert_int_equal(tree_link("round", "ws"), 0);
    tree_file("ws\\.git", "gitdir: ../round/later\n");
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_create("ws\\later\\config"), DENIED);
    assert_int_equal(act_mkdir("ws\\other"), 0);
    tree_leave();
    sbx_grants_close(grants);
    assert_false(tree_exists("ws\\later"));
    clean_all();
}

/* ---- Links in a repository */

static void test_links_in_git(void **context)
{
    static const act acts[] = {{"ws\\githooks\\pre-commit", DENIED},       {"ws\\githooks\\new", DENIED},
                               {"ws\\.git\\hooks\\pre-commit", DENIED},    {"ws\\.git\\hooks\\new", DENIED},
                               {"other\\m\\sub\\config", DENIED},          {"ws\\a.txt", OPEN},
                               {"ws\\.git\\modules\\sub\\config", DENIED}, {"other\\x.txt", OPEN}};
    static const uint32_t modes[] = {SBX_GIT_PROTECT, SBX_GIT_COMMIT};
    sbx_grants *grants;
    size_t i;

    JUDGED
    tree_remove("ws\\.git\\hooks");
    tree_dir("ws\\githooks");
    tree_file("ws\\githooks\\pre-commit", "#!");
    assert_int_equal(tree_link("ws\\.git\\hooks", "ws\\githooks"), 0);
    tree_dir("other\\m");
    repository("other\\m\\sub");
    assert_int_equal(tree_link("ws\\.git\\modules", "other\\m"), 0);
    second_root("other");
    for (i = 0; i < ARRAYSIZE(modes); i++) {
        policy.git = modes[i];
        grants = open_grants();
        all_acts(grants, "", acts, ARRAYSIZE(acts));
        tree_enter(grants);
        assert_int_equal(act_rmdir("ws\\.git\\hooks"), DENIED);
        assert_int_equal(act_rename("ws\\githooks", "ws\\g2"), DENIED);
        tree_leave();
        sbx_grants_close(grants);
    }
    clean_all();
}

/* One hook is a link, as who keeps scripts in the tree has it. */
static void test_link_in_hooks(void **context)
{
    sbx_grants *grants;

    JUDGED
    if (!tree_may_symlink()) {
        print_message("not judged here: this user may not make symbolic links\n");
        skip();
    }
    tree_file("ws\\src\\hook", "#!");
    assert_int_equal(tree_file_link("ws\\.git\\hooks\\post-merge", "ws\\src\\hook"), 0);
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\src\\hook"), DENIED);
    assert_int_equal(act_write("ws\\src\\b.txt"), 0);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

static void test_link_out_of_the_roots(void **context)
{
    sbx_grants *grants;
    uint32_t told;

    JUDGED
    policy.protected_count = 1; /* no guards, which are told */
    sbx_grants_close(open_grants());
    tree_grant_notes = 0;
    sbx_grants_close(open_grants());
    told = tree_grant_notes;
    assert_int_equal(tree_link("ws\\.git\\lfs", "out"), 0);
    grants = open_grants();
    assert_int_equal(tree_grant_notes, told + 1);
    tree_enter(grants);
    assert_int_equal(act_write("out\\o.txt"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

/* The name of a submodule is the command's to choose. */
static void test_moved_in_as_a_sample(void **context)
{
    sbx_grants *grants;

    JUDGED
    tree_dir("ws\\.git\\modules");
    sbx_grants_close(open_grants());
    repository("ws\\src\\lib");
    assert_int_equal(act_rename("ws\\src\\lib", "ws\\.git\\modules\\lib.sample"), 0);
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\.git\\modules\\lib.sample\\config"), DENIED);
    assert_int_equal(act_write("ws\\src\\b.txt"), 0);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

/* ---- A git directory is a root */

static const act in_protect[] = {{"config", DENIED},       {"hooks\\pre-commit", DENIED}, {"hooks\\new", DENIED},
                                 {"objects\\new", DENIED}, {"refs\\new", DENIED},         {"HEAD", DENIED},
                                 {"commondir", DENIED},    {"config.worktree", DENIED},   {"index", DENIED}};
static const act in_commit[] = {{"config", DENIED},     {"hooks\\pre-commit", DENIED}, {"hooks\\new", DENIED},
                                {"objects\\new", OPEN}, {"refs\\new", OPEN},           {"HEAD", OPEN},
                                {"commondir", DENIED},  {"config.worktree", DENIED},   {"index", OPEN},
                                {"index.lock", OPEN},   {"modules\\new", DENIED}};

static void as_root(const char *git, int has_guards)
{
    static const char *const guards[] = {".git", ".codex", ".agents"};
    sbx_grants *grants = open_grants();
    size_t i;

    if (policy.git == SBX_GIT_COMMIT)
        all_acts(grants, git, in_commit, ARRAYSIZE(in_commit));
    else
        all_acts(grants, git, in_protect, ARRAYSIZE(in_protect));
    for (i = 0; i < ARRAYSIZE(guards); i++)
        assert_int_equal(tree_exists(in(git, guards[i])), has_guards);
    tree_enter(grants);
    assert_int_equal(act_create(in(git, ".git\\HEAD")), has_guards ? DENIED : ERROR_PATH_NOT_FOUND);
    assert_int_equal(act_write("ws\\a.txt"), 0);
    assert_int_equal(act_rename(in(git, "hooks"), in(git, "h2")), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    for (i = 0; i < ARRAYSIZE(guards); i++)
        assert_false(tree_exists(in(git, guards[i])));
}

static void test_git_directory_is_a_root(void **context)
{
    static const uint32_t modes[] = {SBX_GIT_PROTECT, SBX_GIT_COMMIT};
    size_t i;

    JUDGED
    tree_dir("main");
    repository("main\\.git");
    second_root("main\\.git");
    for (i = 0; i < ARRAYSIZE(modes); i++) {
        policy.git = modes[i];
        as_root("main\\.git", 0);
    }
    clean_all();
    repository("bare");
    second_root("bare");
    for (i = 0; i < ARRAYSIZE(modes); i++) {
        policy.git = modes[i];
        as_root("bare", 1); /* git would find a .git in it first */
    }
    clean_all();
}

/* What looks like a git directory is no less protected: a command can make it look so. */
static void test_workspace_that_looks_like_one(void **context)
{
    sbx_grants *grants;

    JUDGED
    no_repository();
    tree_dir("ws\\objects");
    tree_dir("ws\\refs");
    tree_file("ws\\HEAD", "ref: refs/heads/main\n");
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_create("ws\\.agents\\a"), DENIED);
    assert_int_equal(act_write("ws\\sbx.toml"), DENIED);
    assert_int_equal(act_mkdir("ws\\.git\\hooks"), DENIED);
    assert_int_equal(act_write("ws\\HEAD"), DENIED); /* the user's git would take it for one */
    assert_int_equal(act_write("ws\\a.txt"), 0);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

/* What is named by a .git file has those rules, whatever is in it. */
static void test_root_that_a_gitfile_names(void **context)
{
    static const act acts[] = {{"hooks\\new", DENIED}, {"config", DENIED}, {"commondir", DENIED}};
    sbx_grants *grants;

    JUDGED
    no_repository();
    tree_dir("odd");
    tree_dir("odd\\hooks");
    tree_file("odd\\config", "c");
    tree_file("ws\\.git", "gitdir: ../odd\n");
    second_root("odd");
    grants = open_grants();
    all_acts(grants, "odd", acts, ARRAYSIZE(acts));
    sbx_grants_close(grants);
    clean_all();
}

/* ---- Linked worktrees and submodules */

static void test_worktree(void **context)
{
    static const act acts[] = {{"worktrees\\wt\\index.lock", OPEN},
                               {"worktrees\\wt\\HEAD", OPEN},
                               {"worktrees\\wt\\gitdir", DENIED},
                               {"worktrees\\wt\\commondir", DENIED},
                               {"worktrees\\wt\\config", DENIED},
                               {"worktrees\\wt\\hooks\\new", DENIED},
                               {"worktrees\\wt\\modules\\n", DENIED},
                               {"worktrees\\other\\HEAD", DENIED},
                               {"worktrees\\other\\new", DENIED},
                               {"worktrees\\new", DENIED},
                               {"config", DENIED},
                               {"hooks\\new", DENIED},
                               {"objects\\new", OPEN},
                               {"refs\\new", OPEN}};
    static const act closed[] = {{"worktrees\\wt\\index.lock", DENIED}, {"objects\\new", DENIED}, {"config", DENIED}};
    static const char *const roots[] = {"main", "main\\.git"};
    sbx_grants *grants;
    size_t i;

    JUDGED
    worktree("ws\\.git");
    for (i = 0; i < ARRAYSIZE(roots); i++) {
        second_root(roots[i]);
        policy.git = SBX_GIT_COMMIT;
        grants = open_grants();
        all_acts(grants, "main\\.git", acts, ARRAYSIZE(acts));
        sbx_grants_close(grants);
        grants = open_grants(); /* warm */
        all_acts(grants, "main\\.git", acts, ARRAYSIZE(acts));
        tree_enter(grants);
        assert_int_equal(act_write("ws\\.git"), DENIED);
        assert_int_equal(act_mkdir("main\\.git\\worktrees\\new"), DENIED);
        assert_int_equal(act_rename("main\\.git\\worktrees\\wt", "main\\.git\\worktrees\\w2"), DENIED);
        tree_leave();
        sbx_grants_close(grants);
        policy.git = SBX_GIT_PROTECT;
        grants = open_grants();
        all_acts(grants, "main\\.git", closed, ARRAYSIZE(closed));
        sbx_grants_close(grants);
        clean_all();
    }
}

/* It names another's folder: that one stays closed. */
static void test_worktree_of_another(void **context)
{
    static const act acts[] = {
        {"worktrees\\wt\\index.lock", DENIED}, {"worktrees\\wt\\HEAD", DENIED}, {"objects\\new", OPEN}};
    sbx_grants *grants;

    JUDGED
    worktree("out\\.git");
    tree_file("out\\.git", "gitdir: ../main/.git/worktrees/wt\n");
    second_root("main");
    policy.git = SBX_GIT_COMMIT;
    grants = open_grants();
    all_acts(grants, "main\\.git", acts, ARRAYSIZE(acts));
    sbx_grants_close(grants);
    clean_all();
}

static void submodule(void)
{
    tree_dir("ws\\.git\\modules");
    repository("ws\\.git\\modules\\sub");
    tree_file("ws\\.git\\modules\\sub\\config", "[core]\n\tbare = false\n\tworktree = ../../../sub\n");
    repository("ws\\.git\\modules\\far");
    tree_file("ws\\.git\\modules\\far\\config", "[core]\n\tworktree = ../../../far\n");
    tree_dir("ws\\sub");
    tree_file("ws\\sub\\.git", "gitdir: ../.git/modules/sub\n");
}

static void test_submodule(void **context)
{
    static const act acts[] = {{"sub\\.git", DENIED},
                               {"sub\\f", OPEN},
                               {".git\\modules\\sub\\config", DENIED},
                               {".git\\modules\\sub\\hooks\\new", DENIED},
                               {".git\\modules\\sub\\index.lock", OPEN},
                               {".git\\modules\\sub\\objects\\new", OPEN},
                               {".git\\modules\\far\\objects\\new", DENIED},
                               {".git\\modules\\far\\config", DENIED},
                               {".git\\modules\\new", DENIED}};
    static const act closed[] = {{"sub\\.git", DENIED}, {".git\\modules\\sub\\index.lock", DENIED}, {"sub\\f", OPEN}};
    sbx_grants *grants;

    JUDGED
    submodule();
    policy.git = SBX_GIT_COMMIT;
    grants = open_grants();
    all_acts(grants, "ws", acts, ARRAYSIZE(acts));
    tree_enter(grants);
    assert_int_equal(act_mkdir("ws\\.git\\modules\\new"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    policy.git = SBX_GIT_PROTECT;
    grants = open_grants();
    all_acts(grants, "ws", closed, ARRAYSIZE(closed));
    sbx_grants_close(grants);
    clean_all();
}

/* ---- Below the root */

static void nested(void)
{
    tree_dir("ws\\vendor");
    tree_dir("ws\\vendor\\lib");
    repository("ws\\vendor\\lib\\.git");
    tree_dir("ws\\vendor\\empty");
    tree_dir("ws\\vendor\\empty\\.git"); /* none */
}

static void test_nested(void **context)
{
    static const uint32_t modes[] = {SBX_GIT_PROTECT, SBX_GIT_COMMIT, SBX_GIT_PROTECT};
    static const act control[] = {{"ws\\vendor\\lib\\f", OPEN}, {"ws\\vendor\\empty\\.git\\f", OPEN}};
    sbx_grants *grants;
    char *before;
    size_t i;

    JUDGED
    nested();
    before = tree_snapshot("ws");
    for (i = 0; i < ARRAYSIZE(modes); i++) { /* the first finds it, the others know it */
        policy.git = modes[i];
        grants = open_grants();
        if (policy.git == SBX_GIT_COMMIT)
            all_acts(grants, "ws\\vendor\\lib\\.git", in_commit, ARRAYSIZE(in_commit));
        else
            all_acts(grants, "ws\\vendor\\lib\\.git", in_protect, ARRAYSIZE(in_protect));
        all_acts(grants, "", control, ARRAYSIZE(control));
        tree_enter(grants);
        assert_int_equal(act_rename("ws\\vendor", "ws\\v2"), DENIED);
        tree_leave();
        sbx_grants_close(grants);
    }
    policy.git = SBX_GIT_WRITE;
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\vendor\\lib\\.git\\config"), 0);
    tree_leave();
    sbx_grants_close(grants);
    policy.git = SBX_GIT_PROTECT; /* what it is known by stays */
    grants = open_grants();
    all_acts(grants, "ws\\vendor\\lib\\.git", in_protect, ARRAYSIZE(in_protect));
    sbx_grants_close(grants);
    clean_all();
    tree_same("ws", before);
}

/* It is gone: nothing takes its place, and nothing fails. */
static void test_nested_gone(void **context)
{
    sbx_grants *grants;

    JUDGED
    nested();
    sbx_grants_close(open_grants());
    tree_remove("ws\\vendor\\lib");
    grants = open_grants();
    assert_false(tree_exists("ws\\vendor\\lib")); /* while it runs */
    sbx_grants_close(grants);
    assert_false(tree_exists("ws\\vendor\\lib"));
    clean_all();
}

static void test_too_many_nested(void **context)
{
    enum { MANY = 258 };
    char name[64];
    uint32_t closed = 0;
    sbx_grants *grants;
    int i;

    JUDGED
    for (i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "ws\\src\\%d", i);
        tree_dir(name);
        tree_file(in(name, ".git"), "gitdir: nowhere\n");
    }
    tree_gap_notes = 0;
    grants = open_grants();
    assert_true(tree_gap_notes >= 1);
    tree_enter(grants);
    for (i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "ws\\src\\%d\\.git", i);
        closed += act_write(name) == DENIED;
    }
    tree_leave();
    assert_int_equal(closed, 256);
    sbx_grants_close(grants);
    clean_all();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_gitfile_as_git_reads_it),
        TEST(test_gitfile_to_nobody_knows_where),
        TEST(test_gitfile_to_nothing),
        TEST(test_links_in_git),
        TEST(test_link_in_hooks),
        TEST(test_link_out_of_the_roots),
        TEST(test_moved_in_as_a_sample),
        TEST(test_git_directory_is_a_root),
        TEST(test_workspace_that_looks_like_one),
        TEST(test_root_that_a_gitfile_names),
        TEST(test_worktree),
        TEST(test_worktree_of_another),
        TEST(test_submodule),
        TEST(test_nested),
        TEST(test_nested_gone),
        TEST(test_too_many_nested),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
