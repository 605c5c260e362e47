/* Shields: what is outside of every root stays where it is, the user loses nothing, and all of it can be undone. */
#include "fixture.h"

#include <stdlib.h>
#include <sddl.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/grants/ledger.h"
#include "common/grants/shield.h"
#include "common/grants/shield_record.h"

static sbx_shield_count counted;

static int setup_docs(void **context)
{
    setup(context);
    tree_dir("docs");
    tree_dir("docs\\work");
    tree_dir("docs\\work\\deep");
    tree_dir("docs\\empty");
    tree_dir("docs\\odd");
    tree_file("docs\\thesis.txt", "t");
    tree_file("docs\\work\\a.txt", "a");
    tree_file("docs\\work\\b.txt", "b");
    tree_file("docs\\work\\deep\\c.txt", "c");
    tree_file("docs\\odd\\o.txt", "o");
    return 0;
}

static sbx_status run(uint32_t flags, const char *name, sbx_error *err)
{
    memset(err, 0, sizeof(*err));
    err->size = sizeof(*err);
    return sbx_shield_run(flags, tree_path(name), &counted, err);
}

static void shielded(const char *name)
{
    sbx_error err;

    expect_ok(run(0, name, &err), &err);
}

static void bared(const char *name)
{
    sbx_error err;

    expect_ok(run(SBX_SHIELD_REMOVE, name, &err), &err);
}

/* The command's token, with no root. */
static uint32_t by_command(uint32_t (*act)(const char *), const char *name)
{
    uint32_t result;

    tree_enter(NULL);
    result = act(name);
    tree_leave();
    return result;
}

/* Into its root. */
static uint32_t taken_by_command(const sbx_grants *grants, const char *from, const char *to)
{
    uint32_t result;

    tree_enter(grants);
    result = act_rename(from, to);
    tree_leave();
    return result;
}

/* Only where a command can delete outside, a shield can be seen to keep it from that. */
static int is_closed_anyway(void)
{
    tree_file("out\\control.txt", "c");
    if (by_command(act_delete, "out\\control.txt") == 0)
        return 0;
    print_message("not judged here: a command cannot delete outside in this reading\n");
    return 1;
}

static char user_text[256];

static const char *user(void)
{
    sbx_user_sid sid;

    assert_int_equal(sbx_user_get(&sid, NULL), SBX_OK);
    sbx_user_sid_text(sid.u.bytes, user_text, sizeof(user_text));
    return user_text;
}

static void same_as(const char *before, const char *name)
{
    char *after = tree_snapshot(name);

    assert_string_equal(before, after);
    sbx_free(after);
}

static void test_closes(void **context)
{
    sbx_grants *grants;

    JUDGED
    if (is_closed_anyway())
        skip();
    policy.protected_count = 0;
    grants = open_grants();
    tree_file("docs\\control.txt", "c");
    tree_dir("docs\\work\\gone");
    assert_int_equal(by_command(act_delete, "docs\\control.txt"), 0);
    assert_int_equal(by_command(act_rmdir, "docs\\work\\gone"), 0);
    assert_int_equal(taken_by_command(grants, "docs\\work\\a.txt", "ws\\taken.txt"), 0);
    assert_int_equal(act_rename("ws\\taken.txt", "docs\\work\\a.txt"), 0);
    shielded("docs");
    assert_int_equal(counted.changed, 5);
    assert_int_equal(counted.shielded + counted.left_out + counted.apart + counted.closed, 0);
    assert_int_equal(by_command(act_delete, "docs\\thesis.txt"), DENIED);
    assert_int_equal(by_command(act_delete, "docs\\work\\deep\\c.txt"), DENIED);
    assert_int_equal(by_command(act_rmdir, "docs\\empty"), DENIED);
    assert_int_equal(taken_by_command(grants, "docs\\work\\a.txt", "ws\\taken.txt"), DENIED);
    assert_int_equal(taken_by_command(grants, "docs\\work", "ws\\taken"), DENIED);
    assert_int_equal(taken_by_command(grants, "docs\\work\\a.txt", "docs\\work\\b.txt"), DENIED);
    /* what is made afterwards, by whatever program */
    tree_dir("docs\\work\\new");
    tree_dir("docs\\work\\new\\newer");
    tree_file("docs\\work\\new\\newer\\n.txt", "n");
    assert_int_equal(by_command(act_delete, "docs\\work\\new\\newer\\n.txt"), DENIED);
    assert_int_equal(by_command(act_rmdir, "docs\\work\\new"), DENIED);
    assert_true(tree_exists("docs\\work\\deep\\c.txt") && tree_exists("docs\\thesis.txt"));
    bared("docs");
    assert_int_equal(counted.changed, 7);
    assert_int_equal(by_command(act_delete, "docs\\work\\new\\newer\\n.txt"), 0);
    assert_int_equal(by_command(act_delete, "docs\\thesis.txt"), 0);
    sbx_grants_close(grants);
    clean_all();
}

static void test_user_loses_nothing(void **context)
{
    JUDGED
    shielded("docs");
    assert_int_equal(act_write("docs\\thesis.txt"), 0);
    assert_int_equal(act_rename("docs\\work\\a.txt", "docs\\work\\x.txt"), 0);
    tree_file("docs\\work\\tmp", "new");
    assert_true(MoveFileExA(tree_path("docs\\work\\tmp"), tree_path("docs\\work\\x.txt"), MOVEFILE_REPLACE_EXISTING));
    assert_int_equal(act_rename("docs\\work\\x.txt", "out\\x.txt"), 0);
    tree_file("docs\\thesis.new", "t2");
    assert_true(ReplaceFileA(tree_path("docs\\thesis.txt"), tree_path("docs\\thesis.new"),
                             tree_path("docs\\thesis.bak"), 0, NULL, NULL));
    assert_int_equal(act_delete("docs\\thesis.bak"), 0);
    assert_int_equal(act_mkdir("docs\\work\\new"), 0);
    assert_int_equal(act_rename("docs\\work\\new", "docs\\work\\newer"), 0);
    assert_int_equal(act_rename("docs\\work", "docs\\play"), 0);
    tree_remove("docs\\play");
    assert_false(tree_exists("docs\\play"));
    tree_remove("docs");
    assert_false(tree_exists("docs"));
}

/* With the record, without it, twice, and of a folder below another one. */
static void test_undone(void **context)
{
    char *before;
    sbx_error err;

    JUDGED
    before = tree_snapshot("docs");
    shielded("docs");
    assert_string_not_equal(before, tree_snapshot("docs"));
    shielded("docs");
    assert_int_equal(counted.changed, 0);
    assert_int_equal(counted.shielded, 5);
    bared("docs");
    assert_true(counted.is_known);
    same_as(before, "docs");
    bared("docs");
    assert_int_equal(counted.changed, 0);
    assert_false(counted.is_known);
    shielded("docs\\work");
    shielded("docs");
    assert_int_equal(counted.changed, 3);
    tree_forget_state();
    bared("docs");
    assert_int_equal(counted.changed, 5);
    assert_false(counted.is_known);
    same_as(before, "docs");
    shielded("docs");
    shielded("docs\\work");
    bared("docs\\work");
    assert_int_equal(counted.changed, 2);
    bared("docs");
    assert_int_equal(counted.changed, 3);
    same_as(before, "docs");
    expect_ok(run(SBX_SHIELD_DRY_RUN, "docs", &err), &err);
    assert_int_equal(counted.changed, 5);
    same_as(before, "docs");
    sbx_free(before);
}

/* What the user himself set: recorded and kept, also by a folder that was moved meanwhile. */
static void test_own(void **context)
{
    char *before, sddl[600];

    JUDGED
    snprintf(sddl, sizeof(sddl), "D:(D;CI;0x40;;;%s)(A;OICI;FA;;;%s)(A;OICI;FA;;;SY)", user(), user());
    tree_set("docs\\work\\deep", sddl);
    before = tree_snapshot("docs");
    shielded("docs");
    assert_int_equal(counted.changed, 4);
    assert_int_equal(counted.shielded, 1);
    shielded("docs");
    bared("docs");
    assert_int_equal(counted.shielded, 1);
    same_as(before, "docs");
    shielded("docs");
    assert_int_equal(act_rename("docs", "papers"), 0);
    bared("papers");
    assert_true(counted.is_known);
    assert_int_equal(act_rename("papers", "docs"), 0);
    same_as(before, "docs");
    /* it cannot be told apart without the record, and that is said */
    shielded("docs");
    tree_forget_state();
    bared("docs");
    assert_int_equal(counted.changed, 5);
    assert_false(counted.is_known);
    sbx_free(before);
}

static void test_left_out(void **context)
{
    char sddl[600], *before;

    JUDGED
    snprintf(sddl, sizeof(sddl), "D:P(A;;0x1200a9;;;%s)(A;;FA;;;SY)", user());
    tree_set("docs\\odd\\o.txt", sddl);
    before = tree_snapshot("docs\\odd");
    shielded("docs");
    assert_int_equal(counted.left_out, 1);
    assert_string_equal(counted.first_left_out, tree_path("docs\\odd"));
    assert_int_equal(counted.changed, 4);
    same_as(before, "docs\\odd");
    assert_int_equal(act_delete("docs\\odd\\o.txt"), 0); /* which is what it is left out for */
    tree_file("docs\\odd\\o.txt", "o");
    shielded("docs");
    assert_int_equal(counted.left_out, 0);
    assert_int_equal(counted.changed, 1);
    sbx_free(before);
}

static void test_apart(void **context)
{
    sbx_grants *grants;
    sbx_error err;
    char *before, *cloud;
    char cloud_path[600];

    JUDGED
    tree_dir("docs\\cloud");
    tree_dir("docs\\cloud\\in");
    snprintf(cloud_path, sizeof(cloud_path), "%s", tree_path("docs\\cloud"));
    SetEnvironmentVariableA("OneDrive", cloud_path);
    cloud = tree_snapshot("docs\\cloud");
    writable[0] = tree_path("docs\\work");
    policy.workspace = policy.cwd = writable[0];
    policy.protected_count = 0;
    grants = open_grants();
    before = tree_snapshot("docs\\work");
    shielded("docs");
    assert_int_equal(counted.apart, 2);
    assert_int_equal(counted.changed, 3);
    same_as(before, "docs\\work");
    same_as(cloud, "docs\\cloud");
    bared("docs");
    same_as(before, "docs\\work");
    /* named, it is taken */
    shielded("docs\\cloud\\in");
    assert_int_equal(counted.changed, 1);
    shielded("docs\\cloud");
    assert_int_equal(counted.changed + counted.shielded, 2);
    bared("docs\\cloud");
    same_as(cloud, "docs\\cloud");
    shielded("docs\\work");
    assert_int_equal(counted.changed, 2);
    bared("docs\\work");
    same_as(before, "docs\\work");
    sbx_grants_close(grants);
    clean_all();
    SetEnvironmentVariableA("OneDrive", NULL);
    /* the user's own application data */
    memset(&err, 0, sizeof(err));
    expect_ok(sbx_shield_run(SBX_SHIELD_DRY_RUN, getenv("USERPROFILE"), &counted, &err), &err);
    assert_true(counted.apart >= 1);
    assert_non_null(strstr(counted.first_apart, "AppData"));
    sbx_free(before);
    sbx_free(cloud);
}

static void test_links(void **context)
{
    char *before;
    sbx_error err;

    JUDGED
    before = tree_snapshot("out");
    assert_int_equal(tree_link("docs\\link", "out"), 0);
    shielded("docs");
    assert_int_equal(counted.links, 1);
    assert_int_equal(counted.changed, 5);
    same_as(before, "out");
    assert_int_equal(run(0, "docs\\link", &err), SBX_E_REFUSED);
    assert_int_equal(run(0, "docs\\thesis.txt", &err), SBX_E_REFUSED);
    assert_int_equal(run(0, "nowhere", &err), SBX_E_REFUSED);
    same_as(before, "out");
    sbx_free(before);
}

static void test_closed(void **context)
{
    char *before;
    sbx_error err;

    JUDGED
    tree_set("docs\\odd", "D:P(A;OICI;0x1301bf;;;WD)(A;;RC;;;OW)");
    tree_set("docs\\empty", NULL);
    before = tree_snapshot("docs\\odd");
    shielded("docs");
    assert_int_equal(counted.closed, 2);
    assert_int_equal(counted.changed, 3);
    same_as(before, "docs\\odd");
    assert_int_equal(run(0, "docs\\odd", &err), SBX_E_REFUSED);
    sbx_free(before);
}

typedef struct told {
    uint32_t count, state;
    uint64_t objects;
    char kind[32], object[600], text[600];
    int failed;
} told;

static int32_t SBX_CALL tell(void *context, const sbx_state_item *item, const sbx_error *error)
{
    told *t = context;

    t->count++;
    t->state = item->state;
    t->objects = item->count;
    t->failed = error != NULL;
    snprintf(t->kind, sizeof(t->kind), "%s", item->kind);
    snprintf(t->object, sizeof(t->object), "%s", item->object);
    snprintf(t->text, sizeof(t->text), "%s", item->text);
    return 0;
}

static told list(void)
{
    told all = {0};

    assert_int_equal(sbx_shield_list(tell, &all, NULL), SBX_OK);
    return all;
}

static told clean(uint32_t what, const char *name)
{
    told all = {0};
    sbx_error err = {.size = sizeof(err)};

    expect_ok(sbx_shield_clean(what, name, tell, &all, &err), &err);
    assert_false(all.failed);
    return all;
}

/* ---- Ended halfway, two at once --------------------------------------------------------- */

static volatile LONG steps_left;

static void die(const char *step)
{
    (void)step;
    if (!InterlockedDecrement(&steps_left))
        TerminateProcess(GetCurrentProcess(), 99);
}

static int victim(const char *what, int step)
{
    sbx_error err;

    attach();
    steps_left = step;
    sbx_step_hook = die;
    return run(!strcmp(what, "remove") ? SBX_SHIELD_REMOVE : 0, "docs", &err);
}

static DWORD run_victim(const char *what, int step)
{
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION process;
    char self[600], line[700];
    DWORD code = 0;

    GetModuleFileNameA(NULL, self, sizeof(self));
    snprintf(line, sizeof(line), "\"%s\" %s %d", self, what, step);
    assert_true(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &process));
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return code;
}

/* Gone on with, or undone; what is the user's own is kept, wherever it was killed. */
static void test_killed(void **context)
{
    char *before, sddl[600];
    DWORD code = 99;
    int step;

    JUDGED
    snprintf(sddl, sizeof(sddl), "D:(D;CI;0x40;;;%s)(A;OICI;FA;;;%s)(A;OICI;FA;;;SY)", user(), user());
    tree_set("docs\\work\\deep", sddl);
    before = tree_snapshot("docs");
    for (step = 1; code == 99; step++) {
        code = run_victim("shield", step);
        assert_true(code == 99 || code == 0);
        if (step % 2) {
            shielded("docs");
            assert_int_equal(counted.changed + counted.shielded, 5);
        }
        clean(SBX_CLEAN_ALL, NULL);
        same_as(before, "docs");
    }
    assert_true(step > 8);
    for (code = 99, step = 1; code == 99; step++) {
        shielded("docs");
        code = run_victim("remove", step);
        assert_true(code == 99 || code == 0);
        clean(SBX_CLEAN_ALL, NULL);
        same_as(before, "docs");
    }
    assert_true(step > 6);
    sbx_free(before);
}

static DWORD removed_status;

static DWORD WINAPI remove_main(void *argument)
{
    static sbx_shield_count count;
    sbx_error err = {.size = sizeof(err)};

    removed_status = (DWORD)sbx_shield_run(SBX_SHIELD_REMOVE, argument, &count, &err);
    return 0;
}

static HANDLE remover;
static char docs[600];

/* On the folder itself, before any other is reached: somebody removes shields, and the walk has time to see it. */
static void begin_to_remove(const char *step)
{
    const ULONGLONG begin = GetTickCount64();

    if (strcmp(step, "shield") != 0 || remover)
        return;
    remover = CreateThread(NULL, 0, remove_main, docs, 0, NULL);
    while (GetTickCount64() - begin < (sbx_shield_is_removing() ? 300u : 30000u))
        SwitchToThread();
}

static void test_removed_meanwhile(void **context)
{
    char *before;
    sbx_error err;

    JUDGED
    before = tree_snapshot("docs");
    snprintf(docs, sizeof(docs), "%s", tree_path("docs"));
    removed_status = 77;
    remover = NULL;
    sbx_step_hook = begin_to_remove;
    assert_int_equal(run(0, "docs", &err), SBX_E_REFUSED);
    sbx_step_hook = NULL;
    assert_int_equal(counted.changed, 1);
    assert_int_equal(WaitForSingleObject(remover, 60000), WAIT_OBJECT_0);
    CloseHandle(remover);
    assert_int_equal(removed_status, SBX_OK);
    same_as(before, "docs");
    sbx_free(before);
}

static DWORD WINAPI shield_main(void *argument)
{
    static sbx_shield_count count;
    sbx_error err = {.size = sizeof(err)};

    return (DWORD)sbx_shield_run(0, argument, &count, &err);
}

static HANDLE second;
static int second_got_in;

/* The first is at its first folder. */
static void begin_second(const char *step)
{
    if (strcmp(step, "shield") != 0 || second)
        return;
    second = CreateThread(NULL, 0, shield_main, docs, 0, NULL);
    second_got_in = WaitForSingleObject(second, 300) == WAIT_OBJECT_0;
}

/* One after the other; nothing of the first is taken for the user's own by the second. */
static void test_two_at_once(void **context)
{
    char *before;
    sbx_error err = {.size = sizeof(err)};
    DWORD code;

    JUDGED
    before = tree_snapshot("docs");
    snprintf(docs, sizeof(docs), "%s", tree_path("docs"));
    second = NULL;
    sbx_step_hook = begin_second;
    expect_ok(run(0, "docs", &err), &err);
    assert_int_equal(WaitForSingleObject(second, 60000), WAIT_OBJECT_0);
    sbx_step_hook = NULL;
    GetExitCodeThread(second, &code);
    CloseHandle(second);
    assert_int_equal(code, SBX_OK);
    assert_false(second_got_in);
    bared("docs");
    assert_int_equal(counted.changed, 5);
    same_as(before, "docs");
    sbx_free(before);
}

static void test_listed(void **context)
{
    char *before;
    told all;

    JUDGED
    before = tree_snapshot("docs");
    assert_int_equal(list().count, 0);
    assert_int_equal(run_victim("shield", 6), 99);
    all = list();
    assert_int_equal(all.count, 1);
    assert_non_null(strstr(all.text, "not all of it"));
    shielded("docs");
    all = list();
    assert_int_equal(all.count, 1);
    assert_string_equal(all.kind, "shield");
    assert_string_equal(all.object, tree_path("docs"));
    assert_int_equal(all.state, SBX_STATE_KEPT);
    assert_int_equal(all.objects, 5);
    assert_int_equal(clean(SBX_CLEAN_STALE, NULL).count, 0);
    assert_int_equal(clean(SBX_CLEAN_ROOT, tree_path("ws")).count, 0);
    assert_int_equal(clean(SBX_CLEAN_ROOT, tree_path("docs")).count, 1);
    same_as(before, "docs");
    assert_int_equal(list().count, 0);
    shielded("docs");
    shielded("out");
    assert_int_equal(clean(SBX_CLEAN_ALL, NULL).count, 2);
    same_as(before, "docs");
    shielded("docs");
    tree_remove("docs");
    assert_int_equal(list().state, SBX_STATE_STALE);
    assert_int_equal(clean(SBX_CLEAN_STALE, NULL).count, 1);
    assert_int_equal(list().count, 0);
    sbx_free(before);
}

/* A root that is made in a shielded folder works, and what it leaves is as before.  While it is there the shield is not
 * forgotten, as its directories still have theirs. */
static void test_root_inside(void **context)
{
    sbx_grants *grants;
    char *before, *bare;

    JUDGED
    bare = tree_snapshot("docs");
    shielded("docs");
    before = tree_snapshot("docs");
    writable[0] = tree_path("docs\\work");
    policy.workspace = policy.cwd = writable[0];
    policy.protected_count = 0;
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("docs\\work\\a.txt"), 0);
    assert_int_equal(act_delete("docs\\work\\deep\\c.txt"), 0);
    assert_int_equal(act_delete("docs\\thesis.txt"), DENIED);
    tree_leave();
    tree_file("docs\\work\\deep\\c.txt", "c");
    assert_int_equal(clean(SBX_CLEAN_ALL, NULL).state, SBX_STATE_ACTIVE);
    sbx_grants_close(grants);
    shielded("docs");
    clean_all();
    same_as(before, "docs");
    grants = open_grants();
    sbx_grants_close(grants);
    bared("docs");
    assert_int_equal(counted.apart, 1);
    assert_string_equal(counted.first_apart, tree_path("docs\\work"));
    assert_int_equal(list().count, 1);
    clean_all();
    bared("docs");
    assert_int_equal(list().count, 0);
    same_as(bare, "docs");
    sbx_free(bare);
    sbx_free(before);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_docs, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_closes),      CASE(test_user_loses_nothing),
        CASE(test_undone),      CASE(test_own),
        CASE(test_left_out),    CASE(test_apart),
        CASE(test_links),       CASE(test_closed),
        CASE(test_killed),      CASE(test_removed_meanwhile),
        CASE(test_two_at_once), CASE(test_listed),
        CASE(test_root_inside),
    };

    if (argc == 3)
        return victim(argv[1], atoi(argv[2]));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
