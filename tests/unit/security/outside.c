/* A commit from a linked worktree or a submodule whose repository lies in no writable folder. */
#include "layouts.h"

#include <stdlib.h>

#include "base/memory.h"
#include "common/grants/audience.h"
#include "common/grants/ledger.h"
#include "hook.h"

/* A worktree alone, and objects, refs and a second worktree that were there. */
static void worktree_alone(void)
{
    worktree("ws\\.git");
    tree_dir("main\\.git\\objects\\ab");
    tree_dir("main\\.git\\objects\\pack");
    tree_file("main\\.git\\objects\\ab\\old", "old");
    tree_file("main\\.git\\objects\\pack\\p.pack", "p");
    tree_dir("main\\.git\\refs\\heads");
    tree_file("main\\.git\\refs\\heads\\main", "0");
    tree_file("main\\.git\\packed-refs", "#");
    tree_file("main\\.git\\logs\\HEAD", "l");
    tree_file("main\\.git\\worktrees\\wt\\index", "i");
    policy.git = SBX_GIT_COMMIT;
}

static const act in_worktree[] = {{"worktrees\\wt\\index", OPEN},
                                  {"worktrees\\wt\\index.lock", OPEN},
                                  {"worktrees\\wt\\HEAD", OPEN},
                                  {"worktrees\\wt\\ORIG_HEAD", OPEN},
                                  {"refs\\heads\\main", OPEN},
                                  {"refs\\heads\\main.lock", OPEN},
                                  {"logs\\wt", OPEN},
                                  {"objects\\tmp_obj_1", OPEN},
                                  {"objects\\ab\\new", OPEN},
                                  {"objects\\pack\\tmp_pack", OPEN},
                                  {"worktrees\\wt\\gitdir", DENIED},
                                  {"worktrees\\wt\\commondir", DENIED},
                                  {"worktrees\\wt\\config.worktree", DENIED},
                                  {"worktrees\\wt\\hooks\\new", DENIED},
                                  {"worktrees\\wt\\info\\new", DENIED},
                                  {"worktrees\\other\\HEAD", DENIED},
                                  {"worktrees\\other\\new", DENIED},
                                  {"worktrees\\new", DENIED},
                                  {"objects\\ab\\old", DENIED},
                                  {"objects\\pack\\p.pack", DENIED},
                                  {"objects\\info\\alternates", DENIED},
                                  {"config", DENIED},
                                  {"config.worktree", DENIED},
                                  {"commondir", DENIED},
                                  {"hooks\\pre-commit", DENIED},
                                  {"hooks\\new", DENIED},
                                  {"info\\attributes", DENIED},
                                  {"HEAD", DENIED},
                                  {"index", DENIED},
                                  {"packed-refs", DENIED},
                                  {"packed-refs.lock", DENIED},
                                  {"logs\\HEAD", DENIED},
                                  {"new", DENIED}};

/* Nothing that is there is deleted, moved away or replaced. */
static void stays(const sbx_grants *grants)
{
    static const char *const objects[] = {"objects\\ab\\old", "objects\\pack\\p.pack"};
    static const char *const dirs[] = {"objects\\ab", "objects\\pack", "objects\\info",    "objects",  "refs", "logs",
                                       "hooks",       "worktrees\\wt", "worktrees\\other", "worktrees"};
    static const char *const files[] = {"config", "HEAD", "hooks\\pre-commit", "index"};
    char from[300], to[300];
    size_t i;

    tree_enter(grants);
    assert_int_equal(act_create("ws\\made"), 0);
    for (i = 0; i < ARRAYSIZE(objects); i++) {
        snprintf(to, sizeof(to), "main\\.git\\%s", objects[i]);
        assert_int_equal(act_delete(to), DENIED);
        assert_int_equal(act_rename(to, "main\\.git\\objects\\moved"), DENIED);
        assert_false(MoveFileExA(tree_path("ws\\made"), tree_path(to), MOVEFILE_REPLACE_EXISTING));
        assert_int_equal(GetLastError(), DENIED);
    }
    for (i = 0; i < ARRAYSIZE(dirs); i++) {
        snprintf(from, sizeof(from), "main\\.git\\%s", dirs[i]);
        snprintf(to, sizeof(to), "main\\.git\\%s2", dirs[i]);
        if (act_rename(from, to) == 0)
            fail_msg("%s was moved", dirs[i]);
        assert_int_not_equal(act_rmdir(from), 0);
    }
    for (i = 0; i < ARRAYSIZE(files); i++) {
        snprintf(from, sizeof(from), "main\\.git\\%s", files[i]);
        snprintf(to, sizeof(to), "main\\.git\\%s2", files[i]);
        assert_int_equal(act_rename(from, to), DENIED);
        assert_int_equal(act_delete(from), DENIED);
    }
    assert_int_equal(act_delete("ws\\made"), 0);
    tree_leave();
}

/* As git makes an object: a temporary file that gets its name. */
static void add_object(const sbx_grants *grants, const char *name)
{
    tree_enter(grants);
    assert_int_equal(act_create("main\\.git\\objects\\tmp_obj"), 0);
    assert_int_equal(act_rename("main\\.git\\objects\\tmp_obj", name), 0);
    tree_leave();
}

static void test_worktree_alone(void **context)
{
    sbx_grants *grants;
    char *before;

    JUDGED
    worktree_alone();
    before = tree_snapshot("main");
    grants = open_grants();
    all_acts(grants, "main\\.git", in_worktree, ARRAYSIZE(in_worktree));
    stays(grants);
    sbx_grants_close(grants);
    grants = open_grants(); /* warm */
    all_acts(grants, "main\\.git", in_worktree, ARRAYSIZE(in_worktree));
    stays(grants);
    sbx_grants_close(grants);
    clean_all();
    tree_same("main", before);
}

/* What a run or the user added is closed to the next run. */
static void test_objects_are_closed_later(void **context)
{
    static const char *const made[] = {"main\\.git\\objects\\ab\\mine", "main\\.git\\objects\\ab\\users",
                                       "main\\.git\\objects\\cd\\inner"};
    sbx_grants *grants, *other;
    size_t i;

    JUDGED
    worktree_alone();
    grants = open_grants();
    add_object(grants, made[0]);
    tree_enter(grants);
    assert_int_equal(act_mkdir("main\\.git\\objects\\cd"), 0);
    assert_int_equal(act_write(made[0]), 0);
    tree_leave();
    add_object(grants, made[2]);
    tree_file(made[1], "u");
    /* one that works meanwhile has its files */
    policy.run_id = "fedcba9876543210fedcba9876543210";
    other = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write(made[0]), 0);
    tree_leave();
    sbx_grants_close(other);
    sbx_grants_close(grants);
    grants = open_grants();
    tree_enter(grants);
    for (i = 0; i < ARRAYSIZE(made); i++) {
        assert_int_equal(act_write(made[i]), DENIED);
        assert_int_equal(act_delete(made[i]), DENIED);
    }
    assert_int_equal(act_rename("main\\.git\\objects\\cd", "main\\.git\\objects\\ef"), DENIED);
    assert_int_equal(act_rmdir("main\\.git\\objects\\cd"), DENIED);
    tree_leave();
    add_object(grants, "main\\.git\\objects\\cd\\more");
    sbx_grants_close(grants);
    clean_all();
}

/* Runs in two worktrees of a repository at once: each has its own part, both add objects. */
static void test_two_worktrees(void **context)
{
    sbx_grants *first, *second;
    static char root[600];

    JUDGED
    worktree_alone();
    tree_dir("ws2");
    tree_file("ws2\\.git", "gitdir: ../main/.git/worktrees/other\n");
    linked("other", "ws2\\.git");
    first = open_grants();
    snprintf(root, sizeof(root), "%s", tree_path("ws2"));
    writable[0] = root;
    policy.protected_count = 0;
    policy.run_id = "fedcba9876543210fedcba9876543210";
    second = open_grants();
    add_object(first, "main\\.git\\objects\\ab\\one");
    add_object(second, "main\\.git\\objects\\ab\\two");
    tree_enter(first);
    assert_int_equal(act_write("main\\.git\\worktrees\\wt\\HEAD"), 0);
    assert_int_equal(act_write("main\\.git\\worktrees\\other\\HEAD"), DENIED);
    assert_int_equal(act_write("ws2\\.git"), DENIED);
    tree_leave();
    tree_enter(second);
    assert_int_equal(act_write("main\\.git\\worktrees\\other\\HEAD"), 0);
    assert_int_equal(act_write("main\\.git\\worktrees\\wt\\HEAD"), DENIED);
    assert_int_equal(act_write("main\\.git\\worktrees\\other\\commondir"), DENIED);
    assert_int_equal(act_write("ws2\\.git"), DENIED); /* though the policy does not name it */
    tree_leave();
    sbx_grants_close(second);
    sbx_grants_close(first);
    /* both in one run */
    writable[1] = tree_path("ws");
    policy.writable_count = 2;
    first = open_grants();
    tree_enter(first);
    assert_int_equal(act_write("main\\.git\\worktrees\\other\\HEAD"), 0);
    assert_int_equal(act_write("main\\.git\\worktrees\\wt\\HEAD"), 0);
    assert_int_equal(act_write("main\\.git\\worktrees\\wt\\commondir"), DENIED);
    assert_int_equal(act_write("main\\.git\\worktrees\\other\\commondir"), DENIED);
    tree_leave();
    sbx_grants_close(first);
    clean_all();
}

static void submodule_alone(void)
{
    tree_dir("super");
    repository("super\\.git");
    tree_dir("super\\.git\\modules");
    repository("super\\.git\\modules\\sub");
    tree_file("super\\.git\\modules\\sub\\config", "[core]\n\tworktree = ../../../../ws\n");
    tree_dir("super\\.git\\modules\\sub\\objects\\ab");
    tree_file("super\\.git\\modules\\sub\\objects\\ab\\old", "old");
    no_repository();
    tree_file("ws\\.git", "gitdir: ../super/.git/modules/sub\n");
    policy.git = SBX_GIT_COMMIT;
}

static void test_submodule_alone(void **context)
{
    static const act acts[] = {{"modules\\sub\\index", OPEN},
                               {"modules\\sub\\index.lock", OPEN},
                               {"modules\\sub\\HEAD", OPEN},
                               {"modules\\sub\\refs\\new", OPEN},
                               {"modules\\sub\\logs\\new", OPEN},
                               {"modules\\sub\\packed-refs.lock", OPEN},
                               {"modules\\sub\\objects\\new", OPEN},
                               {"modules\\sub\\objects\\ab\\new", OPEN},
                               {"modules\\sub\\objects\\ab\\old", DENIED},
                               {"modules\\sub\\objects\\info\\alternates", DENIED},
                               {"modules\\sub\\config", DENIED},
                               {"modules\\sub\\config.worktree", DENIED},
                               {"modules\\sub\\commondir", DENIED},
                               {"modules\\sub\\hooks\\pre-commit", DENIED},
                               {"modules\\sub\\hooks\\new", DENIED},
                               {"modules\\sub\\info\\new", DENIED},
                               {"modules\\sub\\modules\\new", DENIED},
                               {"modules\\sub\\worktrees\\new", DENIED},
                               {"config", DENIED},
                               {"HEAD", DENIED},
                               {"objects\\new", DENIED},
                               {"refs\\new", DENIED}};
    sbx_grants *grants;
    char *before;
    int i;

    JUDGED
    submodule_alone();
    before = tree_snapshot("super");
    for (i = 0; i < 2; i++) {
        grants = open_grants();
        all_acts(grants, "super\\.git", acts, ARRAYSIZE(acts));
        tree_enter(grants);
        assert_int_equal(act_delete("super\\.git\\modules\\sub\\objects\\ab\\old"), DENIED);
        assert_int_equal(act_rename("super\\.git\\modules\\sub\\objects\\ab", "super\\.git\\modules\\sub\\objects\\cd"),
                         DENIED);
        assert_int_not_equal(act_rename("super\\.git\\modules\\sub\\objects", "super\\.git\\modules\\sub\\o2"), 0);
        assert_int_not_equal(act_rename("super\\.git\\modules\\sub", "super\\.git\\modules\\sub2"), 0);
        tree_leave();
        sbx_grants_close(grants);
    }
    clean_all();
    tree_same("super", before);
}

/* ---- Told and undone */

static const char *const parts[] = {
    "ws", "main\\.git\\worktrees\\wt", "main\\.git\\refs", "main\\.git\\logs", "main\\.git\\objects", "main\\.git"};

static int32_t SBX_CALL see(void *context, const sbx_state_item *item, const sbx_error *error)
{
    uint32_t *seen = context, i;

    assert_null(error);
    for (i = 0; i < ARRAYSIZE(parts); i++)
        if (!strcmp(item->kind, "grant") && !strcmp(item->object, tree_path(parts[i])))
            *seen |= 1u << i;
    return 0;
}

static void use_audience(void)
{
    static sbx_audience nobody; /* no account and no group has such SIDs */

    expect_ok(sbx_audience_of("S-1-5-21-11-22-33-1042", "S-1-5-21-11-22-33-1043", &nobody, NULL), NULL);
    audience = &nobody;
}

/* With accounts a part is undone as without: of what was there, and of what was made meanwhile. */
static void test_clean_with_audience(void **context)
{
    sbx_error err = {.size = sizeof(err)};
    char *before;

    JUDGED
    worktree_alone();
    tree_dir("main\\.git\\objects\\cd");
    tree_file("main\\.git\\objects\\cd\\new", "n");
    before = tree_snapshot("main");
    tree_remove("main\\.git\\objects\\cd");
    use_audience();
    sbx_grants_close(open_grants());
    assert_int_equal(tree_aces_of("main\\.git\\objects\\ab", audience->writers.u.bytes), 3);
    assert_int_equal(tree_aces_of("main\\.git\\objects\\ab\\old", audience->writers.u.bytes), 0);
    tree_dir("main\\.git\\objects\\cd");
    tree_file("main\\.git\\objects\\cd\\new", "n");
    sbx_grants_close(open_grants());
    clean_all();
    tree_same("main", before);
    /* what an account makes is not for it to keep */
    tree_set("main\\.git\\objects\\ab", "D:(A;OICIIO;GA;;;CO)(A;OICI;FA;;;IU)");
    assert_int_equal(open_error(&err), SBX_E_REFUSED);
    assert_non_null(strstr(err.op, "(CREATOR OWNER)"));
    assert_non_null(strstr(err.object, "\\objects\\ab"));
    clean_all();
}

/* Accounts read the repository of a worktree in every mode, but not where a command may have led them there. */
static void test_read_by_accounts(void **context)
{
    const void *readers;
    char *before;

    JUDGED
    worktree_alone();
    use_audience();
    readers = audience->readers.u.bytes;
    policy.git = SBX_GIT_PROTECT;
    before = tree_snapshot("main");
    sbx_grants_close(open_grants());
    assert_int_equal(tree_aces_of("main\\.git", readers), 2);
    assert_int_equal(tree_aces_of("main\\.git\\objects\\ab\\old", readers), 1);
    assert_int_equal(tree_aces_of("main\\.git\\objects\\ab\\old", audience->writers.u.bytes), 0);
    clean_all();
    tree_same("main", before);
    /* it names the file back, which was not there when the folder was opened */
    assert_int_equal(act_delete("ws\\.git"), 0);
    policy.protected_count = 0;
    sbx_grants_close(open_grants());
    tree_file("ws\\.git", "gitdir: ../main/.git/worktrees/wt\n");
    sbx_grants_close(open_grants());
    assert_int_equal(tree_aces_of("main\\.git", readers), 0);
    clean_all();
}

/* Each part by its path, with what the ledger knows and without. */
static void test_clean_by_path(void **context)
{
    sbx_error err = {.size = sizeof(err)};
    int with_ledger;
    uint32_t i, seen;
    char *before;

    JUDGED
    worktree_alone();
    for (with_ledger = 1; with_ledger >= -1; with_ledger--) {
        before = tree_snapshot("main");
        seen = 0;
        sbx_grants_close(open_grants());
        if (with_ledger <
            0) { /* granted for commands as the user, and now for accounts as well; and as later runs find it */
            use_audience();
            sbx_grants_close(open_grants());
            tree_file("main\\.git\\objects\\ab\\new", "n");
            sbx_grants_close(open_grants());
        }
        assert_int_equal(sbx_grants_list(see, &seen, NULL), SBX_OK);
        assert_int_equal(seen, (1u << ARRAYSIZE(parts)) - 1);
        if (with_ledger <= 0)
            tree_forget_state();
        for (i = 0; i < ARRAYSIZE(parts); i++)
            expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path(parts[i]), NULL, NULL, &err), &err);
        if (with_ledger < 0) {
            expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("main"), NULL, NULL, &err), &err);
            assert_int_equal(act_delete("main\\.git\\objects\\ab\\new"), 0);
        }
        seen = 0;
        assert_int_equal(sbx_grants_list(see, &seen, NULL), SBX_OK);
        assert_int_equal(seen, 0);
        tree_same("main", before);
    }
}

/* A worktree takes along what was opened for it, but for what another one has, too. */
static void test_clean_with_parts(void **context)
{
    sbx_error err = {.size = sizeof(err)};
    static char first[600], second[600];
    uint32_t seen = 0;
    char *before;

    JUDGED
    worktree_alone();
    tree_dir("ws2");
    tree_file("ws2\\.git", "gitdir: ../main/.git/worktrees/other\n");
    linked("other", "ws2\\.git");
    before = tree_snapshot("main");
    snprintf(first, sizeof(first), "%s", tree_path("ws"));
    snprintf(second, sizeof(second), "%s", tree_path("ws2"));
    sbx_grants_close(open_grants());
    writable[0] = second;
    policy.protected_count = 0;
    sbx_grants_close(open_grants());
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, first, NULL, NULL, &err), &err);
    assert_int_equal(sbx_grants_list(see, &seen, NULL), SBX_OK);
    assert_int_equal(seen, 0x3c); /* refs, logs, objects and the repository, which the second needs */
    {
        sbx_grants *grants = open_grants();

        tree_enter(grants);
        assert_int_equal(act_write("main\\.git\\worktrees\\other\\HEAD"), 0);
        assert_int_equal(act_create("main\\.git\\objects\\ab\\new"), 0);
        assert_int_equal(act_write("main\\.git\\config"), DENIED);
        tree_leave();
        sbx_grants_close(grants);
        act_delete("main\\.git\\objects\\ab\\new");
    }
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, second, NULL, NULL, &err), &err);
    seen = 0;
    assert_int_equal(sbx_grants_list(see, &seen, NULL), SBX_OK);
    assert_int_equal(seen, 0);
    tree_same("main", before);
}

/* Without a ledger the repository takes along what other roots have in it, and the denies for the user. */
static void test_clean_repository(void **context)
{
    sbx_error err = {.size = sizeof(err)};
    char *before;

    JUDGED
    worktree_alone();
    before = tree_snapshot("main");
    sbx_grants_close(open_grants());
    tree_forget_state();
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("main\\.git"), NULL, NULL, &err), &err);
    tree_same("main", before);
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws"), NULL, NULL, &err), &err);
}

/* The same directory as a writable folder of its own has another SID. */
static void test_also_a_root(void **context)
{
    static const act acts[] = {{"objects\\ab\\old", OPEN}, {"packed-refs.lock", OPEN}, {"config", DENIED}};
    static char root[600];
    sbx_grants *grants;
    char *before;

    JUDGED
    worktree_alone();
    before = tree_snapshot("main");
    sbx_grants_close(open_grants());
    snprintf(root, sizeof(root), "%s", tree_path("main\\.git"));
    writable[1] = root;
    policy.writable_count = 2;
    grants = open_grants();
    all_acts(grants, "main\\.git", acts, ARRAYSIZE(acts));
    sbx_grants_close(grants);
    policy.writable_count = 1;
    grants = open_grants();
    all_acts(grants, "main\\.git", in_worktree, ARRAYSIZE(in_worktree));
    sbx_grants_close(grants);
    clean_all();
    tree_same("main", before);
}

/* ---- What is not followed */

static void refused(const char *because)
{
    sbx_error err;
    char line[700];

    snprintf(line, sizeof(line), "--writable \"%s\"", tree_path("main\\.git"));
    assert_int_equal(open_error(&err), SBX_E_REFUSED);
    assert_non_null(strstr(err.object, "ws\\.git"));
    assert_non_null(strstr(err.hint, line));
    assert_non_null(strstr(err.hint, because));
}

static void test_names_another(void **context)
{
    char *before;

    JUDGED
    worktree_alone();
    tree_file("out\\.git", "gitdir: ../main/.git/worktrees/wt\n");
    linked("wt", "out\\.git");
    before = tree_snapshot("main");
    refused("it does not name this folder");
    tree_remove("main\\.git\\worktrees\\wt\\gitdir");
    refused("it does not name this folder");
    tree_same("main", before);
}

/* What it has in common with others is another repository than the one that it lies in. */
static void test_common_elsewhere(void **context)
{
    JUDGED
    worktree_alone();
    repository("elsewhere");
    tree_file("main\\.git\\worktrees\\wt\\commondir", "../../../../elsewhere\n");
    refused("in an unusual place");
    tree_file("main\\.git\\worktrees\\wt\\commondir", "../..\n");
    sbx_grants_close(open_grants());
    clean_all();
}

/* A run wrote the file, or could have: what it says later is not followed. */
static void test_written_by_a_command(void **context)
{
    sbx_grants *grants;

    JUDGED
    worktree_alone();
    assert_int_equal(act_delete("ws\\.git"), 0);
    policy.git = SBX_GIT_WRITE;
    policy.protected_count = 0;
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_create("ws\\.git"), 0);
    tree_leave();
    sbx_grants_close(grants);
    policy.protected_count = 4;
    tree_file("ws\\.git", "gitdir: ../main/.git/worktrees/wt\n");
    policy.git = SBX_GIT_COMMIT;
    refused("may have written the .git file");
    policy.git = SBX_GIT_PROTECT; /* which does not make it the user's */
    sbx_grants_close(open_grants());
    policy.git = SBX_GIT_COMMIT;
    refused("may have written the .git file");
    clean_all();
}

/* In a folder that was writable as a part of another one. */
static void test_below_an_earlier_root(void **context)
{
    JUDGED
    worktree_alone();
    tree_open_to_everyone(tree_path("ws"));
    refused("may have written the .git file");
}

/* What it said when the user had written it alone may be followed later, too, and nothing else. */
static void test_says_the_same(void **context)
{
    JUDGED
    worktree_alone();
    policy.git = SBX_GIT_PROTECT;
    sbx_grants_close(open_grants());
    policy.git = SBX_GIT_WRITE;
    sbx_grants_close(open_grants());
    policy.git = SBX_GIT_COMMIT;
    sbx_grants_close(open_grants());
    linked("other", "ws\\.git");
    tree_file("ws\\.git", "gitdir: ../main/.git/worktrees/other\n");
    refused("may have written the .git file");
    clean_all();
}

static void test_links(void **context)
{
    sbx_error err;

    JUDGED
    worktree_alone();
    tree_remove("main\\.git\\refs");
    assert_int_equal(tree_link("main\\.git\\refs", "out"), 0);
    assert_int_equal(open_error(&err), SBX_E_REFUSED);
    assert_non_null(strstr(err.object, "refs"));
    clean_all();
    assert_int_equal(act_rmdir("main\\.git\\refs"), 0);
    tree_dir("main\\.git\\refs");
    /* one in the objects is not entered */
    assert_int_equal(tree_link("main\\.git\\objects\\cd", "out"), 0);
    {
        sbx_grants *grants = open_grants();

        tree_enter(grants);
        assert_int_equal(act_write("out\\o.txt"), DENIED);
        assert_int_equal(act_create("out\\new"), DENIED);
        tree_leave();
        sbx_grants_close(grants);
    }
    clean_all();
}

/* git makes it when it is missing; here a command could not. */
static void test_without_logs(void **context)
{
    static const act acts[] = {{"logs\\new", OPEN}, {"new", DENIED}};
    sbx_grants *grants;

    JUDGED
    worktree_alone();
    tree_remove("main\\.git\\logs");
    expect_ok(sbx_grants_open(&policy, SBX_OPEN_DRY_RUN, NULL, &grants, NULL), NULL);
    sbx_grants_close(grants);
    assert_false(tree_exists("main\\.git\\logs"));
    grants = open_grants();
    all_acts(grants, "main\\.git", acts, ARRAYSIZE(acts));
    sbx_grants_close(grants);
    clean_all();
}

/* Nothing is opened by the other modes. */
static void test_other_modes(void **context)
{
    static const uint32_t modes[] = {SBX_GIT_PROTECT, SBX_GIT_WRITE};
    static const act acts[] = {{"worktrees\\wt\\HEAD", DENIED}, {"objects\\new", DENIED}, {"refs\\new", DENIED}};
    char *before;
    sbx_grants *grants;
    size_t i;

    JUDGED
    worktree_alone();
    sbx_grants_close(open_grants()); /* and what one of them left is closed to them */
    for (i = 0; i < ARRAYSIZE(modes); i++) {
        policy.git = modes[i];
        before = tree_snapshot("main");
        grants = open_grants();
        all_acts(grants, "main\\.git", acts, ARRAYSIZE(acts));
        sbx_grants_close(grants);
        tree_same("main", before);
    }
    clean_all();
}

/* ---- Killed */

static volatile LONG steps_left;

static void die(const char *step)
{
    (void)step;
    if (!InterlockedDecrement(&steps_left))
        die_now();
}

static int victim(const char *what, int step)
{
    sbx_grants *grants = NULL;
    sbx_error err = {.size = sizeof(err)};
    sbx_status st;

    if (!attach())
        return 96;
    policy.git = SBX_GIT_COMMIT;
    steps_left = step;
    sbx_step_hook = die;
    if (!strcmp(what, "clean"))
        return sbx_grants_clean(SBX_CLEAN_ALL, NULL, NULL, NULL, &err);
    st = sbx_grants_open(&policy, 0, NULL, &grants, &err);
    sbx_grants_close(grants);
    return st;
}

static DWORD run_victim(const char *what, int step)
{
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION process;
    char self[600], line[700];
    DWORD code;

    GetModuleFileNameA(NULL, self, sizeof(self));
    snprintf(line, sizeof(line), "\"%s\" %s %d", self, what, step);
    assert_true(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &process));
    code = end_of_victim(process.hProcess);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return code;
}

/* At each step a launch or a clean is killed: all is undone after it. */
static void killed(const char *what)
{
    char *before = tree_snapshot("main"), *after;
    DWORD code = 99;
    int step;

    for (step = 1; code == 99; step += 3) {
        if (!strcmp(what, "clean"))
            sbx_grants_close(open_grants());
        code = run_victim(what, step);
        assert_true(code == 99 || code == 0);
        clean_all();
        after = tree_snapshot("main");
        assert_string_equal(before, after);
        sbx_free(after);
    }
    print_message("killed up to step %d of %s\n", step, what);
    assert_true(step > 30);
    sbx_free(before);
}

static void test_killed_open(void **context)
{
    JUDGED
    worktree_alone();
    killed("open");
}

static void test_killed_clean(void **context)
{
    JUDGED
    worktree_alone();
    killed("clean");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_worktree_alone),       TEST(test_objects_are_closed_later),
        TEST(test_two_worktrees),        TEST(test_submodule_alone),
        TEST(test_clean_by_path),        TEST(test_also_a_root),
        TEST(test_clean_with_audience),  TEST(test_read_by_accounts),
        TEST(test_clean_with_parts),     TEST(test_clean_repository),
        TEST(test_names_another),        TEST(test_common_elsewhere),
        TEST(test_written_by_a_command), TEST(test_below_an_earlier_root),
        TEST(test_says_the_same),        TEST(test_links),
        TEST(test_without_logs),         TEST(test_other_modes),
        TEST(test_killed_open),          TEST(test_killed_clean),
    };

    if (argc == 3)
        return victim(argv[1], atoi(argv[2]));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
