/* Grants against a system that enforces them: what the command may, what it may not, and that nothing is left. */
#include "fixture.h"

#include <stdlib.h>

#include "base/memory.h"
#include "common/grants/ledger.h"
#include "common/grants/root.h"

static void test_command(void **context)
{
    char *before, *between, *after;
    sbx_grants *grants;

    JUDGED
    before = tree_snapshot("ws");
    grants = open_grants();
    between = tree_snapshot("ws\\.git");
    assert_true(tree_exists("ws\\.agents"));

    tree_enter(grants);
    /* works */
    assert_int_equal(act_write("ws\\a.txt"), 0);
    assert_int_equal(act_write("ws\\src\\deep\\c.txt"), 0);
    assert_int_equal(act_create("ws\\new.txt"), 0);
    assert_int_equal(act_rename("ws\\new.txt", "ws\\src\\moved.txt"), 0);
    assert_int_equal(act_delete("ws\\src\\moved.txt"), 0);
    assert_int_equal(act_mkdir("ws\\src\\d"), 0);
    assert_int_equal(act_create("ws\\src\\d\\e"), 0);
    assert_int_equal(act_rename("ws\\src\\d", "ws\\src\\d2"), 0);
    assert_int_equal(act_delete("ws\\src\\d2\\e"), 0);
    assert_int_equal(act_rmdir("ws\\src\\d2"), 0);
    assert_int_equal(act_open("ws\\.git\\config", GENERIC_READ), 0);
    /* does not */
    assert_int_equal(act_write("out\\o.txt"), DENIED);
    assert_int_equal(act_create("out\\n.txt"), DENIED);
    assert_int_not_equal(act_rename("ws", "ws2"), 0); /* held, or denied before that is seen */
    assert_int_equal(act_open("ws", WRITE_DAC), DENIED);
    assert_int_equal(act_open("ws\\a.txt", WRITE_DAC), DENIED);
    assert_int_equal(act_open("ws\\a.txt", WRITE_OWNER), DENIED);
    assert_int_equal(act_write("ws\\.git\\config"), DENIED);
    assert_int_equal(act_create("ws\\.git\\hooks\\post-commit"), DENIED);
    assert_int_equal(act_delete("ws\\.git\\hooks\\pre-commit"), DENIED);
    assert_int_equal(act_rename("ws\\.git", "ws\\g2"), DENIED);
    assert_int_equal(act_rename("ws\\.git\\config", "ws\\config"), DENIED);
    assert_int_equal(act_open("ws\\.git", WRITE_DAC), DENIED);
    assert_int_equal(act_rename("ws\\pkg\\inner", "ws\\pkg\\i2"), DENIED);
    assert_int_equal(act_rename("ws\\pkg", "ws\\p2"), DENIED);
    assert_int_equal(act_write("ws\\pkg\\inner\\.codex\\rules"), DENIED);
    assert_int_equal(act_create("ws\\pkg\\inner\\fine.txt"), 0);
    assert_int_equal(act_rmdir("ws\\.agents"), DENIED);
    assert_int_equal(act_create("ws\\.agents\\x"), DENIED);
    assert_int_equal(act_write("ws\\sbx.toml"), DENIED);
    assert_int_equal(act_delete("ws\\sbx.toml"), DENIED);
    assert_int_equal(act_write("state\\ledger"), DENIED);
    tree_leave();
    assert_int_equal(act_delete("ws\\pkg\\inner\\fine.txt"), 0);

    after = tree_snapshot("ws\\.git");
    assert_string_equal(between, after);
    sbx_grants_close(grants);
    assert_false(tree_exists("ws\\.agents"));
    assert_false(tree_exists("ws\\sbx.toml"));
    sbx_free(after);
    clean_all();
    after = tree_snapshot("ws");
    assert_string_equal(before, after);
    sbx_free(before);
    sbx_free(between);
    sbx_free(after);
}

static void test_warm(void **context)
{
    char *first, *second;
    sbx_grants *grants;

    JUDGED
    grants = open_grants();
    sbx_grants_close(grants);
    first = tree_snapshot("ws");
    policy.protected_count = 2; /* those that exist: nothing is to be done */
    tree_grant_notes = 0;
    grants = open_grants();
    assert_int_equal(tree_grant_notes, 0);
    sbx_grants_close(grants);
    second = tree_snapshot("ws");
    assert_string_equal(first, second);
    policy.protected_count = 4;
    sbx_free(first);
    sbx_free(second);
    clean_all();
}

static void test_less_protection(void **context)
{
    char *before = tree_snapshot("ws");
    sbx_grants *grants;

    JUDGED
    sbx_grants_close(open_grants());
    policy.protected_count = 0;
    policy.git = SBX_GIT_WRITE;
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\.git\\config"), 0);
    assert_int_equal(act_rename("ws\\pkg\\inner", "ws\\pkg\\i2"), 0);
    assert_int_equal(act_rename("ws\\pkg\\i2", "ws\\pkg\\inner"), 0);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
    tree_same("ws", before);
}

static void test_commit(void **context)
{
    static char hooks[600];
    sbx_grants *grants;

    JUDGED
    snprintf(hooks, sizeof(hooks), "%s", tree_path("ws\\.git\\hooks"));
    protected_paths[0] = hooks;
    policy.git = SBX_GIT_COMMIT;
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_create("ws\\.git\\objects\\ab"), 0);
    assert_int_equal(act_create("ws\\.git\\HEAD"), 0);
    assert_int_equal(act_write("ws\\.git\\config"), DENIED);
    assert_int_equal(act_write("ws\\.git\\hooks\\pre-commit"), DENIED);
    assert_int_equal(act_create("ws\\.git\\config.worktree"), ERROR_FILE_EXISTS);
    assert_int_equal(act_write("ws\\.git\\config.worktree"), DENIED);
    assert_int_equal(act_rename("ws\\.git", "ws\\g2"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    assert_false(tree_exists("ws\\.git\\config.worktree"));
    assert_false(tree_exists("ws\\.git\\info"));
    clean_all();
}

static void test_gitfile(void **context)
{
    sbx_grants *grants;

    JUDGED
    assert_int_equal(act_rename("ws\\.git", "ws\\real"), 0);
    tree_file("ws\\.git", "gitdir: real\n");
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\.git"), DENIED);
    assert_int_equal(act_delete("ws\\.git"), DENIED);
    assert_int_equal(act_write("ws\\real\\config"), DENIED);
    assert_int_equal(act_rename("ws\\real", "ws\\r2"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

static void test_two_roots(void **context)
{
    static char other[600];
    sbx_grants *a, *b;

    JUDGED
    snprintf(other, sizeof(other), "%s", tree_path("other"));
    a = open_grants();
    writable[0] = other;
    policy.protected_count = 0;
    policy.run_id = "1123456789abcdef0123456789abcdef";
    b = open_grants();
    tree_enter(a);
    assert_int_equal(act_write("ws\\a.txt"), 0);
    assert_int_equal(act_write("other\\x.txt"), DENIED);
    assert_int_equal(act_create("ws\\from-a"), 0);
    tree_leave();
    tree_enter(b);
    assert_int_equal(act_write("other\\x.txt"), 0);
    assert_int_equal(act_write("ws\\a.txt"), DENIED);
    assert_int_equal(act_write("ws\\from-a"), DENIED);
    assert_int_equal(act_open("ws\\from-a", WRITE_DAC), DENIED);
    tree_leave();
    /* a living run keeps what it needs */
    assert_int_equal(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("other"), NULL, NULL, NULL), SBX_E_REFUSED);
    clean_all();
    tree_enter(b);
    assert_int_equal(act_write("other\\x.txt"), 0);
    tree_leave();
    sbx_grants_close(a);
    sbx_grants_close(b);
    clean_all();
}

static void expect_refused(const char *path)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_root root = {0};

    if (sbx_root_open(path, &root, &err) != SBX_E_REFUSED)
        print_error("%s: not refused: %s %s %lu\n", path, err.op, err.object, (unsigned long)err.code);
    assert_int_equal(err.status, SBX_E_REFUSED);
    assert_true(err.op[0]);
    assert_null(root.handle);
}

static void test_refused(void **context)
{
    char *before, *after;

    JUDGED
    expect_refused("C:\\");
    expect_refused(getenv("USERPROFILE"));
    expect_refused("C:\\users");
    expect_refused("C:\\windows");
    expect_refused("C:\\windows\\temp");
    expect_refused(tree_path("nothing"));
    expect_refused(tree_path("ws\\a.txt"));
    expect_refused(tree_path("")); /* the state is in it */
    expect_refused("\\\\localhost\\c$\\users");
    tree_dir("norights");
    tree_set("norights", "D:P(A;OICI;0x1301bf;;;WD)(A;;RC;;;OW)");
    expect_refused(tree_path("norights"));
    tree_dir("open");
    tree_set("open", NULL);
    {
        static char open_path[600];
        sbx_error err = {.size = sizeof(err)};
        sbx_grants *grants = NULL;

        snprintf(open_path, sizeof(open_path), "%s", tree_path("open"));
        policy.writable_count = 2;
        writable[1] = open_path;
        before = tree_snapshot("ws");
        assert_int_equal(sbx_grants_open(&policy, 0, NULL, &grants, &err), SBX_E_REFUSED);
        after = tree_snapshot("ws");
        assert_string_equal(before, after); /* nothing half done */
        sbx_free(before);
        sbx_free(after);
    }
}

/* Places that are open to everyone are told, those in a root are not. */
static void test_reach(void **context)
{
    char open_place[300];
    sbx_grants *grants;

    JUDGED
    snprintf(open_place, sizeof(open_place), "%s\\sbx-open-%lu", getenv("USERPROFILE"), GetCurrentProcessId());
    CreateDirectoryA(open_place, NULL);
    grants = open_grants();
    sbx_grants_close(grants);
    DeleteFileA(tree_path("state\\reach"));
    tree_gap_notes = 0;
    sbx_grants_close(open_grants());
    assert_int_equal(tree_gap_notes, 0);
    tree_open_to_everyone(open_place);
    sbx_grants_close(open_grants()); /* from the cache: not seen */
    assert_int_equal(tree_gap_notes, 0);
    DeleteFileA(tree_path("state\\reach"));
    sbx_grants_close(open_grants());
    assert_int_equal(tree_gap_notes, 1);
    sbx_grants_close(open_grants()); /* from the cache: seen */
    assert_int_equal(tree_gap_notes, 2);
    RemoveDirectoryA(open_place);
    clean_all();
}

/* What belongs to others, or to more than one place, is left as it is. */
static void test_left_alone(void **context)
{
    char *before;
    sbx_grants *grants;

    JUDGED
    assert_true(CreateHardLinkA(tree_path("ws\\linked.txt"), tree_path("out\\o.txt"), NULL));
    tree_dir("ws\\closed");
    tree_file("ws\\closed\\in.txt", "i");
    tree_set("ws\\closed", "D:PAI(A;OICI;FA;;;WD)");
    tree_file("ws\\mine.txt", "m");
    tree_set("ws\\mine.txt", "D:PAI(A;;FA;;;OW)(A;;FA;;;BU)");
    before = tree_snapshot("");
    tree_warnings = 0;
    grants = open_grants();
    assert_int_equal(tree_warnings, 1);
    assert_non_null(strstr(tree_warning, "cannot change 3 of"));
    tree_enter(grants);
    assert_int_equal(act_write("ws\\linked.txt"), DENIED);
    assert_int_equal(act_write("out\\o.txt"), DENIED);
    assert_int_equal(act_write("ws\\mine.txt"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
    tree_forget_state();
    tree_same("", before);
}

/* Everyone may do everything in the tree, and still the protected stay what they are. */
static void test_everyone_inside(void **context)
{
    sbx_grants *grants;

    JUDGED
    tree_set("ws", "D:PAI(A;OICI;FA;;;WD)");
    tree_dir("ws\\.svn"); /* inherits it */
    tree_file("ws\\.svn\\entries", "e");
    protected_paths[0] = tree_path("ws\\.svn");
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\.svn\\entries"), DENIED);
    assert_int_equal(act_delete("ws\\.svn\\entries"), DENIED);
    assert_int_equal(act_open("ws\\.svn\\entries", WRITE_DAC), DENIED);
    assert_int_equal(act_open("ws\\.svn", DELETE), DENIED);
    assert_int_equal(act_rename("ws\\.svn", "ws\\s2"), DENIED);
    assert_int_equal(act_open("ws", WRITE_DAC), DENIED);
    assert_int_equal(act_write("ws\\a.txt"), 0);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

static int is_hidden(const char *name)
{
    return (GetFileAttributesA(tree_path(name)) & FILE_ATTRIBUTE_HIDDEN) != 0;
}

/* The user puts something under a guarded name while the command runs: it stays, and it stays protected. */
static void test_guard_used(void **context)
{
    sbx_grants *first, *second;

    JUDGED
    first = open_grants();
    policy.run_id = "2123456789abcdef0123456789abcdef";
    second = open_grants();
    sbx_grants_close(first); /* the other run still needs the guards */
    assert_true(tree_exists("ws\\.agents"));
    tree_file("ws\\.agents\\notes", "n");
    tree_file("ws\\sbx.toml\\x", "x = 1");
    assert_true(is_hidden("ws\\sbx.toml"));
    sbx_grants_close(second);
    assert_true(tree_exists("ws\\.agents\\notes"));
    assert_true(tree_exists("ws\\sbx.toml\\x"));
    assert_false(is_hidden("ws\\sbx.toml"));
    first = open_grants();
    tree_enter(first);
    assert_int_equal(act_write("ws\\.agents\\notes"), DENIED);
    assert_int_equal(act_write("ws\\sbx.toml\\x"), DENIED);
    tree_leave();
    sbx_grants_close(first);
    clean_all();
}

/* A dry run tells the same and changes nothing. */
static void test_dry(void **context)
{
    char *before = tree_snapshot("");
    sbx_error err = {.size = sizeof(err)};
    sbx_grants *grants = NULL;

    JUDGED
    tree_grant_notes = 0;
    expect_ok(sbx_grants_open(&policy, SBX_OPEN_DRY_RUN, NULL, &grants, &err), &err);
    assert_int_equal(tree_grant_notes, 7);
    sbx_grants_close(grants);
    tree_same("", before);
}

static int32_t SBX_CALL count_items(void *context, const sbx_state_item *item, const sbx_error *error)
{
    uint32_t *counts = context;

    (void)error;
    if (!strcmp(item->kind, "grant"))
        counts[item->state]++;
    if (!strcmp(item->kind, "guard"))
        counts[3 + item->state]++;
    return 0;
}

static void test_status(void **context)
{
    uint32_t counts[8] = {0};
    sbx_grants *grants;

    JUDGED
    grants = open_grants();
    assert_int_equal(sbx_grants_list(count_items, counts, NULL), SBX_OK);
    assert_int_equal(counts[SBX_STATE_ACTIVE], 1);
    assert_int_equal(counts[3 + SBX_STATE_ACTIVE], 2);
    sbx_grants_close(grants);
    memset(counts, 0, sizeof(counts));
    assert_int_equal(sbx_grants_list(count_items, counts, NULL), SBX_OK);
    assert_int_equal(counts[SBX_STATE_KEPT], 1);
    assert_int_equal(counts[3 + SBX_STATE_ACTIVE] + counts[3 + SBX_STATE_STALE], 0);
    assert_int_equal(sbx_grants_clean(SBX_CLEAN_STALE, NULL, NULL, NULL, NULL), SBX_OK);
    assert_int_equal(sbx_grants_list(count_items, counts, NULL), SBX_OK);
    assert_int_equal(counts[SBX_STATE_KEPT], 2); /* stale only */
    assert_int_equal(act_rename("ws", "ws2"), 0);
    memset(counts, 0, sizeof(counts));
    assert_int_equal(sbx_grants_list(count_items, counts, NULL), SBX_OK);
    assert_int_equal(counts[SBX_STATE_STALE], 1);
    assert_int_equal(act_rename("ws2", "ws"), 0);
    clean_all();
    memset(counts, 0, sizeof(counts));
    assert_int_equal(sbx_grants_list(count_items, counts, NULL), SBX_OK);
    assert_int_equal(counts[SBX_STATE_KEPT] + counts[SBX_STATE_STALE], 0);
}

static void write_ledger(const char *bytes, size_t size, int append)
{
    FILE *file = fopen(tree_path("state\\ledger"), append ? "ab" : "wb");

    assert_non_null(file);
    fwrite(bytes, 1, size, file);
    fclose(file);
}

static void test_ledger_damaged(void **context)
{
    static const char zeros[300] = {0};
    char *before = tree_snapshot("ws");
    sbx_error err = {.size = sizeof(err)};
    sbx_ledger ledger = {0};

    JUDGED
    sbx_grants_close(open_grants());
    write_ledger(zeros, 77, 1); /* a torn tail */
    expect_ok(sbx_ledger_load(&ledger, &err), &err);
    assert_int_equal(ledger.damaged, 77);
    assert_non_null(ledger.roots);
    sbx_ledger_fini(&ledger);
    sbx_grants_close(open_grants()); /* heals it */
    expect_ok(sbx_ledger_load(&ledger, &err), &err);
    assert_int_equal(ledger.damaged, 0);
    assert_non_null(ledger.roots);
    sbx_ledger_fini(&ledger);

    write_ledger(zeros, sizeof(zeros), 0); /* nothing is left of it */
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws"), NULL, NULL, &err), &err);
    tree_same("ws", before);
}

/* Nobody waits for good, and a ledger that cannot be written stops the launch before anything is changed. */
static void test_ledger_blocked(void **context)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_lock *first = NULL, *second = NULL;
    sbx_grants *grants = NULL;
    char *before, *after;

    JUDGED
    expect_ok(sbx_lock_take(NULL, 0, &first, &err), &err);
    tree_warnings = 0;
    assert_int_equal(sbx_lock_take(NULL, 30, &second, &err), SBX_E_REFUSED);
    assert_non_null(strstr(err.object, "lock"));
    assert_int_equal(tree_warnings, 0);
    assert_int_equal(sbx_lock_take(NULL, 1100, &second, &err), SBX_E_REFUSED);
    assert_int_equal(tree_warnings, 1); /* whoever waits for long knows for what */
    sbx_lock_give(first);
    expect_ok(sbx_lock_take(NULL, 0, &second, &err), &err);
    sbx_lock_give(second);

    tree_file("state\\ledger", "");
    before = tree_snapshot("ws");
    assert_true(SetFileAttributesA(tree_path("state\\ledger"), FILE_ATTRIBUTE_READONLY));
    assert_int_equal(sbx_grants_open(&policy, 0, NULL, &grants, &err), SBX_E_SYSTEM);
    assert_non_null(strstr(err.object, "ledger"));
    after = tree_snapshot("ws");
    assert_string_equal(before, after);
    assert_true(SetFileAttributesA(tree_path("state\\ledger"), FILE_ATTRIBUTE_NORMAL));
    sbx_grants_close(open_grants());
    clean_all();
    sbx_free(before);
    sbx_free(after);
}

/* ---- Killed at every step ---------------------------------------------------------- */

static volatile LONG steps_left;

static void die(const char *step)
{
    (void)step;
    if (!InterlockedDecrement(&steps_left))
        die_now();
}

static int victim(const char *what, int step)
{
    void *context = NULL;
    sbx_grants *grants = NULL;
    sbx_error err = {.size = sizeof(err)};
    sbx_status st;

    setup(&context);
    steps_left = step;
    sbx_step_hook = die;
    if (!strcmp(what, "clean")) {
        st = sbx_grants_clean(SBX_CLEAN_ALL, NULL, NULL, NULL, &err);
    } else {
        st = sbx_grants_open(&policy, 0, NULL, &grants, &err);
        sbx_grants_close(grants);
    }
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

static void killed(const char *what)
{
    char *before = tree_snapshot("ws");
    DWORD code = 99;
    int step;

    for (step = 1; code == 99; step++) {
        char *after;

        if (!strcmp(what, "clean"))
            sbx_grants_close(open_grants());
        code = run_victim(what, step);
        assert_true(code == 99 || code == 0);
        clean_all();
        after = tree_snapshot("ws");
        assert_string_equal(before, after);
        sbx_free(after);
    }
    print_message("killed at %d steps of %s\n", step - 2, what);
    assert_true(step > 10);
    sbx_free(before);
}

static void test_killed_open(void **context)
{
    JUDGED
    killed("open");
}

static void test_killed_clean(void **context)
{
    JUDGED
    killed("clean");
}

/* A launch killed in the middle is finished by the next one. */
static void test_resumed(void **context)
{

    JUDGED
    assert_int_equal(run_victim("open", 6), 99);
    expect_works();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_command, setup, teardown),
        cmocka_unit_test_setup_teardown(test_warm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_less_protection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gitfile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_roots, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reach, setup, teardown),
        cmocka_unit_test_setup_teardown(test_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_everyone_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard_used, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_status, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ledger_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ledger_blocked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resumed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_open, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_clean, setup, teardown),
    };

    if (argc == 3)
        return victim(argv[1], atoi(argv[2]));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
