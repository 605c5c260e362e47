/* What a command, or the content of its workspace, may prepare for the launches that come. */
#include "fixture.h"

#include "base/memory.h"
#include "common/grants/root.h"

#define DENY_CHANGE "0xd0156"
#define DENY_MOVE "0xd0040"

static void sid_of(const char *name, char text[SBX_SID_TEXT])
{
    sbx_root root = {0};

    assert_int_equal(sbx_root_open(tree_path(name), &root, NULL), SBX_OK);
    sbx_sid_text(&root.sid, text);
    sbx_root_close(&root);
}

static void denied_now(const char *name)
{
    sbx_grants *grants = open_grants();

    tree_enter(grants);
    assert_int_equal(act_write("ws\\a.txt"), 0);
    assert_int_equal(act_write(name), DENIED);
    tree_leave();
    sbx_grants_close(grants);
}

/* Nobody knows whether a run lives: then one does. */
static void test_runs_hidden(void **context)
{
    sbx_error err;
    sbx_grants *first, *second;
    HANDLE hide;

    JUDGED
    first = open_grants();
    policy.run_id = "2123456789abcdef0123456789abcdef";
    second = open_grants();
    hide = CreateFileA(tree_path("state\\runs"), FILE_LIST_DIRECTORY, 0, NULL, OPEN_EXISTING,
                       FILE_FLAG_BACKUP_SEMANTICS, NULL);
    assert_true(hide != INVALID_HANDLE_VALUE);
    sbx_grants_close(second);
    assert_true(tree_exists("ws\\.agents"));
    policy.run_id = "3123456789abcdef0123456789abcdef";
    assert_int_not_equal(open_error(&err), SBX_OK);
    assert_int_equal(err.code, ERROR_SHARING_VIOLATION);
    assert_true(tree_exists("ws\\.agents"));
    CloseHandle(hide);
    sbx_grants_close(first);
    sbx_grants_close(open_grants());
    assert_false(tree_exists("ws\\.agents"));
    clean_all();
}

/* A command can read the file of its run, and so lock it against being read. */
static void test_run_locked(void **context)
{
    OVERLAPPED place = {0};
    WIN32_FIND_DATAA data;
    sbx_grants *first, *second;
    HANDLE search, locked, look;
    char path[1024], byte;
    DWORD got;
    BOOL readable;

    JUDGED
    first = open_grants();
    search = FindFirstFileA(tree_path("state\\runs\\0*"), &data);
    assert_true(search != INVALID_HANDLE_VALUE);
    FindClose(search);
    snprintf(path, sizeof(path), "%s\\%s", tree_path("state\\runs"), data.cFileName);
    locked = CreateFileA(path, GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    look = CreateFileA(path, GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(LockFileEx(locked, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 4096, 0, &place));
    readable = ReadFile(look, &byte, 1, &got, NULL);
    CloseHandle(look);
    policy.run_id = "2123456789abcdef0123456789abcdef";
    second = open_grants();
    sbx_grants_close(second);
    CloseHandle(locked);
    if (!readable)
        assert_true(tree_exists("ws\\.agents"));
    sbx_grants_close(first);
    clean_all();
    if (readable) {
        print_message("not judged here: a locked range can be read\n");
        skip();
    }
}

/* Explicit rights for everyone come before an inherited deny, and a closed DACL inherits none. */
static void test_open_in_protected(void **context)
{
    static const char *const names[] = {"ws\\.git\\e", "ws\\.git\\c", "ws\\.git\\d\\new"};
    sbx_grants *grants;
    char *before;
    size_t i;

    JUDGED
    tree_file(names[0], "e");
    tree_file(names[1], "c");
    tree_dir("ws\\.git\\d");
    tree_set(names[0], "D:(A;;FA;;;WD)");
    tree_set(names[1], "D:P(A;;FA;;;WD)");
    tree_set("ws\\.git\\d", "D:P(A;OICI;FA;;;WD)");
    tree_dir("ws\\.git\\b");
    tree_set("ws\\.git\\b", "D:(A;OICIIO;FA;;;WD)(A;;FA;;;BU)");
    before = tree_snapshot("ws");
    grants = open_grants();
    tree_enter(grants);
    for (i = 0; i < 3; i++)
        assert_int_equal(i < 2 ? act_write(names[i]) : act_create(names[i]), DENIED);
    tree_leave();
    tree_file("ws\\.git\\b\\n", "n");
    tree_file(names[2], "n"); /* what the user makes there is protected, too */
    tree_enter(grants);
    assert_int_equal(act_write(names[2]), DENIED);
    assert_int_equal(act_write("ws\\.git\\b\\n"), DENIED);
    tree_leave();
    assert_int_equal(act_delete(names[2]), 0);
    assert_int_equal(act_delete("ws\\.git\\b\\n"), 0);
    sbx_grants_close(grants);
    clean_all();
    tree_same("ws", before);
}

/* A launch finds what it left, whatever the user had set, and says nothing twice. */
static void test_users_own(void **context)
{
    static const char *const own[][2] = {{"ws\\.git", "D:P(A;OICI;FA;;;WD)"},
                                         {"ws\\.git\\config", "D:(A;;FA;;;WD)(D;;FX;;;WD)"},
                                         {"ws\\.git\\hooks", "D:P(A;OICI;FA;;;BU)(A;OI;FA;;;WD)"},
                                         {"ws\\.git\\hooks\\pre-commit", "D:P(A;;FA;;;BU)"},
                                         {"ws\\pkg\\inner\\.codex", "D:(A;CI;FA;;;WD)"},
                                         {"ws\\pkg\\inner\\.codex\\rules", "D:(A;;FA;;;WD)"},
                                         {"ws\\pkg\\inner", "D:(A;OICI;FA;;;WD)"}};
    static const uint32_t modes[] = {SBX_GIT_PROTECT, SBX_GIT_COMMIT, SBX_GIT_PROTECT, SBX_GIT_WRITE};
    char *before;
    size_t i;

    JUDGED
    for (i = 0; i < ARRAYSIZE(own); i++)
        tree_set(own[i][0], own[i][1]);
    before = tree_snapshot("ws");
    for (i = 0; i < ARRAYSIZE(modes); i++) {
        policy.git = modes[i];
        denied_now("ws\\pkg\\inner\\.codex\\rules");
        denied_now(modes[i] == SBX_GIT_WRITE ? "ws\\pkg\\inner\\.codex\\rules" : "ws\\.git\\config");
        policy.protected_count = 2; /* no guards, which are told */
        tree_grant_notes = 0;
        sbx_grants_close(open_grants());
        assert_int_equal(tree_grant_notes, modes[i] == SBX_GIT_COMMIT ? 6 : 0);
        policy.protected_count = 4;
    }
    clean_all();
    tree_same("ws", before);
}

/* A file that is moved in has the rights of where it comes from. */
static void test_moved_in(void **context)
{
    sbx_grants *plan = NULL;

    JUDGED
    sbx_grants_close(open_grants());
    tree_file("ws\\post-commit", "#!");
    tree_dir("ws\\dir");
    tree_file("ws\\dir\\f", "f");
    assert_int_equal(act_rename("ws\\post-commit", "ws\\.git\\hooks\\post-commit"), 0);
    tree_grant_notes = 0;
    assert_int_equal(sbx_grants_open(&policy, SBX_OPEN_DRY_RUN, NULL, &plan, NULL), SBX_OK);
    assert_int_equal(tree_grant_notes, 2 + 1); /* two guards, and what has come */
    sbx_grants_close(plan);
    denied_now("ws\\.git\\hooks\\post-commit");
    assert_int_equal(act_rename("ws\\dir", "ws\\pkg\\inner\\.codex\\dir"), 0);
    denied_now("ws\\pkg\\inner\\.codex\\dir\\f");
    /* as `git submodule absorbgitdirs` does */
    tree_dir("ws\\lfs");
    tree_file("ws\\lfs\\HEAD", "ref: refs/heads/main");
    tree_file("ws\\lfs\\config", "");
    tree_dir("ws\\.git\\modules");
    assert_int_equal(act_rename("ws\\lfs", "ws\\.git\\modules\\lfs"), 0);
    denied_now("ws\\.git\\modules\\lfs\\config");
    clean_all();
}

/* In a directory whose rights nobody here may change, its owner's being closed to him, too. */
static void test_moved_in_closed(void **context)
{
    char *before;

    JUDGED
    sbx_grants_close(open_grants());
    tree_dir("ws\\c");
    tree_file("ws\\c\\f", "f");
    tree_set("ws\\c\\f", "D:(A;;FA;;;WD)");
    tree_set("ws\\c", "D:P(A;OICI;0x1200a9;;;WD)(A;;SD;;;BU)(A;;0x1200a9;;;OW)");
    before = tree_snapshot("ws\\c\\f");
    assert_int_equal(act_rename("ws\\c", "ws\\.git\\hooks\\c"), 0);
    denied_now("ws\\.git\\hooks\\c\\f");
    clean_all();
    assert_int_equal(act_rename("ws\\.git\\hooks\\c", "ws\\c"), 0);
    tree_same("ws\\c\\f", before);
}

/* Rights that look denied, or that another root's SID brings along. */
static void test_moved_in_disguised(void **context)
{
    static const char *const names[] = {"ws\\.git\\hooks\\l", "ws\\.git\\hooks\\b", "ws\\.git\\hooks\\d"};
    char sid[SBX_SID_TEXT], sddl[1024], *other;
    sbx_grants *grants;
    size_t i;

    JUDGED
    writable[1] = other = sbx_strdup(tree_path("other"));
    policy.writable_count = 2;
    sbx_grants_close(open_grants());
    tree_file("ws\\l", "l");
    tree_set("ws\\l", "D:(D;;FA;;;S-1-5-5-0-4711)(A;;FA;;;WD)");
    sid_of("other", sid);
    tree_file("ws\\b", "b");
    snprintf(sddl, sizeof(sddl), "D:(A;;FA;;;BU)(A;;FA;;;%s)", sid);
    tree_set("ws\\b", sddl);
    sid_of("ws", sid);
    tree_dir("ws\\d");
    snprintf(sddl, sizeof(sddl), "D:P(D;OICINP;FA;;;%s)(A;OICI;FA;;;WD)", sid);
    tree_set("ws\\d", sddl);
    for (i = 0; i < 3; i++) {
        const char from[] = {'w', 's', '\\', "lbd"[i], 0};

        assert_int_equal(act_rename(from, names[i]), 0);
        grants = open_grants();
        tree_dir("ws\\.git\\hooks\\d\\e");
        tree_file("ws\\.git\\hooks\\d\\e\\n", "n");
        tree_enter(grants);
        assert_int_equal(act_write("other\\x.txt"), 0);
        assert_int_equal(act_write(i < 2 ? names[i] : "ws\\.git\\hooks\\d\\e\\n"), DENIED);
        tree_leave();
        sbx_grants_close(grants);
    }
    clean_all();
    sbx_free(other);
}

/* The ACEs that say "done", made by a command with its own hands. */
static void test_forged_marks(void **context)
{
    char sid[SBX_SID_TEXT], sddl[1024], *was;

    JUDGED
    sbx_grants_close(open_grants());
    sid_of("ws", sid);
    tree_dir("ws\\tree");
    tree_file("ws\\tree\\f", "f");
    snprintf(sddl, sizeof(sddl), "D:(D;;" DENY_CHANGE ";;;%s)(D;OICIIO;" DENY_CHANGE ";;;%s)(A;OICI;FA;;;WD)", sid,
             sid);
    tree_set("ws\\tree", sddl);
    tree_file("ws\\file", "f");
    snprintf(sddl, sizeof(sddl), "D:P(A;;FA;;;WD)(D;;" DENY_CHANGE ";;;%s)", sid);
    tree_set("ws\\file", sddl);
    was = sbx_strdup(tree_path("ws\\tree"));
    protected_paths[policy.protected_count++] = was;
    protected_paths[policy.protected_count++] = tree_path("ws\\file");
    denied_now("ws\\file");
    denied_now("ws\\tree\\f");
    sbx_free(was);
    clean_all();
}

/* The same in the place of one that sbx has protected, and only for what is made in it later. */
static void test_forged_for_later(void **context)
{
    char sid[SBX_SID_TEXT], sddl[1024];
    sbx_grants *grants;

    JUDGED
    sbx_grants_close(open_grants());
    sid_of("ws", sid);
    assert_int_equal(act_rename("ws\\.git", "ws\\old"), 0);
    tree_dir("ws\\.git");
    snprintf(sddl, sizeof(sddl),
             "D:P(A;OICI;FA;;;BU)(A;OICIIO;FA;;;WD)(D;;" DENY_CHANGE ";;;%s)(D;OICIIO;" DENY_CHANGE ";;;%s)", sid, sid);
    tree_set("ws\\.git", sddl);
    grants = open_grants();
    tree_file("ws\\.git\\config", "new");
    tree_enter(grants);
    assert_int_equal(act_write("ws\\.git\\config"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

/* A folder that a command has made with the mark of a root on it, and later is one. */
static void test_forged_root(void **context)
{
    char sid[SBX_SID_TEXT], sddl[1024], *root;
    sbx_grants *grants;

    JUDGED
    tree_dir("ws\\new");
    sid_of("ws\\new", sid);
    snprintf(sddl, sizeof(sddl), "D:P(A;OICI;FA;;;WD)(D;;" DENY_MOVE ";;;%s)(A;;0x1201bf;;;%s)(A;OICIIO;0x1301bf;;;%s)",
             sid, sid, sid);
    tree_set("ws\\new", sddl);
    tree_dir("ws\\new\\.git");
    tree_file("ws\\new\\.git\\config", "old");
    root = sbx_strdup(tree_path("ws\\new"));
    writable[0] = root;
    protected_paths[0] = tree_path("ws\\new\\.git");
    policy.protected_count = 1;
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_create("ws\\new\\a"), 0);
    assert_int_equal(act_write("ws\\new\\.git\\config"), DENIED);
    assert_int_equal(act_rename("ws\\new\\.git", "ws\\new\\g2"), DENIED);
    assert_int_equal(act_open("ws\\new", WRITE_DAC), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
    sbx_free(root);
}

/* A .git file may call its directory by another name of the root. */
static void test_gitfile_by_other_names(void **context)
{
    char text[4600];
    sbx_error err;

    JUDGED
    assert_int_equal(act_rename("ws\\.git", "ws\\real"), 0);
    assert_int_equal(tree_link("link", "ws"), 0);
    snprintf(text, sizeof(text), "gitdir: %s/real\n", tree_path("link"));
    tree_file("ws\\.git", text);
    denied_now("ws\\real\\config");
    clean_all();
    memset(text, 0, sizeof(text));
    strcpy(text, "gitdir: ");
    while (strlen(text) < 4200)
        strcat(text, "./");
    strcat(text, "real");
    tree_file("ws\\.git", text);
    assert_int_equal(open_error(&err), SBX_E_REFUSED);
    clean_all();
}

/* Each says that the other has what is common. */
static void test_commondir_in_a_circle(void **context)
{
    JUDGED
    assert_int_equal(act_rename("ws\\.git", "ws\\a"), 0);
    tree_dir("ws\\b");
    tree_file("ws\\a\\commondir", "../b\n");
    tree_file("ws\\b\\commondir", "../a\n");
    tree_file("ws\\b\\config", "old");
    tree_file("ws\\.git", "gitdir: a\n");
    denied_now("ws\\a\\config");
    denied_now("ws\\b\\config");
    policy.git = SBX_GIT_COMMIT;
    denied_now("ws\\a\\config");
    denied_now("ws\\b\\config");
    clean_all();
}

/* What a .git that is a link leads to, where the command could write. */
static void test_git_is_a_link(void **context)
{
    JUDGED
    assert_int_equal(act_rename("ws\\.git", "ws\\real"), 0);
    assert_int_equal(tree_link("ws\\.git", "ws\\real"), 0);
    denied_now("ws\\real\\config");
    clean_all();
}

/* The same of any other protected name. */
static void test_protected_link(void **context)
{
    JUDGED
    tree_dir("ws\\sub");
    tree_file("ws\\sub\\f", "f");
    assert_int_equal(tree_link("ws\\.agents", "ws\\sub"), 0);
    denied_now("ws\\.agents\\f");
    denied_now("ws\\sub\\f");
    clean_all();
}

/* Through commondir, modules and worktrees git would take another configuration. */
static void test_commit_elsewhere(void **context)
{
    sbx_grants *grants;

    JUDGED
    policy.git = SBX_GIT_COMMIT;
    tree_dir("ws\\.git\\modules");
    tree_dir("ws\\.git\\modules\\m");
    tree_file("ws\\.git\\modules\\m\\config", "old");
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_create("ws\\.git\\HEAD"), 0);
    assert_int_equal(act_write("ws\\.git\\commondir"), DENIED);
    assert_int_equal(act_delete("ws\\.git\\commondir"), DENIED);
    assert_int_equal(act_write("ws\\.git\\modules\\m\\config"), DENIED);
    assert_int_equal(act_create("ws\\.git\\worktrees\\w"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    assert_false(tree_exists("ws\\.git\\commondir"));
    assert_false(tree_exists("ws\\.git\\worktrees"));
    clean_all();
}

/* A directory that two roots are in, which an earlier command has opened to everyone: told once, also where others are
 * looked for, too. */
static void test_parent_open(void **context)
{
    static const char *const opened[] = {"up", ""};
    uint32_t before;
    char *roots[2];
    size_t i;

    JUDGED
    tree_dir("up");
    tree_dir("up\\in");
    tree_dir("up\\in2");
    writable[0] = roots[0] = sbx_strdup(tree_path("up\\in"));
    writable[1] = roots[1] = sbx_strdup(tree_path("up\\in2"));
    policy.writable_count = 2;
    policy.protected_count = 0;
    tree_gap_notes = 0;
    sbx_grants_close(open_grants());
    before = tree_gap_notes;
    for (i = 0; i < 2; i++) {
        tree_open_to_everyone(tree_path(opened[i]));
        DeleteFileA(tree_path("state\\reach"));
        tree_gap_notes = 0;
        sbx_grants_close(open_grants());
        assert_int_equal(tree_gap_notes, ++before);
    }
    clean_all();
    sbx_free(roots[0]);
    sbx_free(roots[1]);
}

static int32_t SBX_CALL add_counts(void *context, const sbx_state_item *item, const sbx_error *error)
{
    (void)error;
    *(uint64_t *)context += item->count;
    return 0;
}

/* What was counted when it was granted is known after it was moved. */
static void test_root_moved(void **context)
{
    uint64_t before = 0, after = 0;
    char *moved;

    JUDGED
    policy.protected_count = 0;
    sbx_grants_close(open_grants());
    assert_int_equal(sbx_grants_list(add_counts, &before, NULL), SBX_OK);
    assert_true(before > 0);
    assert_int_equal(act_rename("ws", "moved"), 0);
    writable[0] = moved = sbx_strdup(tree_path("moved"));
    sbx_grants_close(open_grants());
    assert_int_equal(sbx_grants_list(add_counts, &after, NULL), SBX_OK);
    assert_int_equal(after, before);
    clean_all();
    sbx_free(moved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_runs_hidden, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run_locked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_open_in_protected, setup, teardown),
        cmocka_unit_test_setup_teardown(test_users_own, setup, teardown),
        cmocka_unit_test_setup_teardown(test_moved_in, setup, teardown),
        cmocka_unit_test_setup_teardown(test_moved_in_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_moved_in_disguised, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forged_marks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forged_for_later, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forged_root, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gitfile_by_other_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_commondir_in_a_circle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_git_is_a_link, setup, teardown),
        cmocka_unit_test_setup_teardown(test_protected_link, setup, teardown),
        cmocka_unit_test_setup_teardown(test_commit_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parent_open, setup, teardown),
        cmocka_unit_test_setup_teardown(test_root_moved, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
