/* What is told of grants: each item is true, where it is now, and said again when it is undone or left. */
#include "fixture.h"

#include <stdlib.h>

#include "base/memory.h"
#include "common/host.h"
#include "common/grants/ledger.h"

#define ITEMS 16

typedef struct told {
    uint32_t count;
    struct {
        char kind[32], object[600], root[600], text[600];
        uint32_t state, process;
        int failed;
    } items[ITEMS];
} told;

static int32_t SBX_CALL tell(void *context, const sbx_state_item *item, const sbx_error *error)
{
    told *all = context;

    assert_true(all->count < ITEMS);
    snprintf(all->items[all->count].kind, sizeof(all->items[0].kind), "%s", item->kind);
    snprintf(all->items[all->count].object, sizeof(all->items[0].object), "%s", item->object);
    snprintf(all->items[all->count].root, sizeof(all->items[0].root), "%s", item->root);
    snprintf(all->items[all->count].text, sizeof(all->items[0].text), "%s", item->text);
    all->items[all->count].state = item->state;
    all->items[all->count].process = item->process_id;
    all->items[all->count++].failed = error != NULL;
    return 0;
}

static void list(told *all)
{
    memset(all, 0, sizeof(*all));
    assert_int_equal(sbx_grants_list(tell, all, NULL), SBX_OK);
}

static sbx_status clean(uint32_t what, const char *root, told *all, sbx_error *err)
{
    memset(all, 0, sizeof(*all));
    memset(err, 0, sizeof(*err));
    err->size = sizeof(*err);
    return sbx_grants_clean(what, root, tell, all, err);
}

static uint32_t count_of(const told *all, const char *kind, uint32_t state)
{
    uint32_t i, count = 0;

    for (i = 0; i < all->count; i++)
        count += !strcmp(all->items[i].kind, kind) && all->items[i].state == state;
    return count;
}

/* A folder that carries nothing of sbx: nothing is claimed, whether it is alone, in a root or not to be changed. */
static void test_nothing_there(void **context)
{
    sbx_error err;
    told all;
    char *before;

    JUDGED
    expect_ok(clean(SBX_CLEAN_ROOT, tree_path("other"), &all, &err), &err);
    assert_int_equal(all.count, 0);
    expect_ok(clean(SBX_CLEAN_ROOT, "C:\\windows", &all, &err), &err);
    assert_int_equal(all.count, 0);
    sbx_grants_close(open_grants());
    before = tree_snapshot("ws");
    expect_ok(clean(SBX_CLEAN_ROOT, tree_path("ws\\src"), &all, &err), &err);
    assert_int_equal(all.count, 0);
    tree_same("ws", before);
    /* nor is anything of what is no directory */
    assert_int_equal(clean(SBX_CLEAN_ROOT, tree_path("nowhere"), &all, &err), SBX_E_REFUSED);
    assert_null(strstr(err.hint, "writable"));
    assert_non_null(strstr(err.hint, "sbx status"));
    assert_int_equal(clean(SBX_CLEAN_ROOT, tree_path("ws\\a.txt"), &all, &err), SBX_E_REFUSED);
    assert_int_equal(all.count, 0);
    /* but of the root itself, and not twice */
    expect_ok(clean(SBX_CLEAN_ROOT, tree_path("ws"), &all, &err), &err);
    assert_int_equal(all.count, 1);
    assert_string_equal(all.items[0].object, tree_path("ws"));
    expect_ok(clean(SBX_CLEAN_ROOT, tree_path("ws"), &all, &err), &err);
    assert_int_equal(all.count, 0);
}

/* What a run needs is told and left, and that is no failure but where it was named. */
static void test_in_use(void **context)
{
    sbx_error err;
    sbx_grants *grants;
    told all;

    JUDGED
    grants = open_grants();
    expect_ok(clean(SBX_CLEAN_ALL, NULL, &all, &err), &err);
    assert_int_equal(all.count, 1);
    assert_int_equal(all.items[0].state, SBX_STATE_ACTIVE);
    assert_int_equal(all.items[0].process, GetCurrentProcessId());
    assert_false(all.items[0].failed);
    assert_string_equal(all.items[0].object, tree_path("ws"));
    expect_ok(clean(SBX_CLEAN_STALE, NULL, &all, &err), &err);
    assert_int_equal(all.count, 0);
    assert_int_equal(clean(SBX_CLEAN_ROOT, tree_path("ws"), &all, &err), SBX_E_REFUSED);
    assert_int_equal(all.count, 1);
    assert_true(all.items[0].failed);
    tree_enter(grants);
    assert_int_equal(act_write("ws\\a.txt"), 0);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

static DWORD run_victim(const char *what)
{
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION process;
    char self[600], line[700];
    DWORD code;

    GetModuleFileNameA(NULL, self, sizeof(self));
    snprintf(line, sizeof(line), "\"%s\" %s", self, what);
    assert_true(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &process));
    code = end_of_victim(process.hProcess);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return code;
}

/* What is removed of a run that was killed is told, one by one; what somebody uses by then stays, and is told as that. */
static void test_killed_run(void **context)
{
    sbx_error err;
    told all;
    uint32_t i;

    JUDGED
    assert_int_equal(run_victim("run"), 99);
    list(&all);
    assert_int_equal(count_of(&all, "guard", SBX_STATE_STALE), 2);
    assert_int_equal(count_of(&all, "grant", SBX_STATE_KEPT), 1);
    tree_file("ws\\.agents\\notes", "n");
    expect_ok(clean(SBX_CLEAN_STALE, NULL, &all, &err), &err);
    assert_int_equal(all.count, 2);
    for (i = 0; i < all.count; i++) {
        const int is_used = !strcmp(all.items[i].object, tree_path("ws\\.agents"));

        assert_string_equal(all.items[i].kind, "guard");
        assert_false(all.items[i].failed);
        assert_string_equal(all.items[i].root, tree_path("ws"));
        assert_true(is_used || !strcmp(all.items[i].object, tree_path("ws\\sbx.toml")));
        assert_true(is_used == (strstr(all.items[i].text, "stays") != NULL));
    }
    assert_true(tree_exists("ws\\.agents\\notes"));
    assert_false(tree_exists("ws\\sbx.toml"));
    list(&all);
    assert_int_equal(count_of(&all, "guard", SBX_STATE_STALE), 0);
    expect_ok(clean(SBX_CLEAN_STALE, NULL, &all, &err), &err);
    assert_int_equal(all.count, 0);
    clean_all();
}

/* A guard that a program has open is told as not removed. */
static void test_guard_in_use(void **context)
{
    sbx_error err;
    told all;
    HANDLE file;

    JUDGED
    assert_int_equal(run_victim("run"), 99);
    file = CreateFileA(tree_path("ws\\sbx.toml"), GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                       FILE_FLAG_BACKUP_SEMANTICS, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    assert_int_equal(clean(SBX_CLEAN_STALE, NULL, &all, &err), SBX_E_SYSTEM);
    CloseHandle(file);
    assert_int_equal(all.count, 2);
    assert_int_equal(all.items[0].failed + all.items[1].failed, 1);
    assert_string_equal(all.items[all.items[0].failed ? 0 : 1].object, tree_path("ws\\sbx.toml"));
    expect_ok(clean(SBX_CLEAN_STALE, NULL, &all, &err), &err);
    assert_int_equal(all.count, 1);
    clean_all();
}

/* Moved, made again at the old place, gone: each is told as what it is, where it is, and what was in it with it. */
static void test_moved(void **context)
{
    sbx_error err;
    told all;
    char old[600], text[700];
    uint32_t i;

    JUDGED
    snprintf(old, sizeof(old), "%s", tree_path("ws"));
    sbx_grants_close(open_grants());
    list(&all);
    assert_int_equal(count_of(&all, "protected", SBX_STATE_KEPT), 2);
    assert_int_equal(count_of(&all, "pinned", SBX_STATE_KEPT), 2);
    assert_string_equal(all.items[0].text, "writable root, kept for later runs until it is cleaned");
    assert_int_equal(act_rename("ws", "ws2"), 0);
    tree_dir("ws");
    list(&all);
    snprintf(text, sizeof(text), "writable root, moved here from %s", old);
    assert_string_equal(all.items[0].text, text);
    assert_string_equal(all.items[0].object, tree_path("ws2"));
    for (i = 0; i < all.count; i++) {
        assert_int_equal(all.items[i].state, SBX_STATE_STALE);
        assert_string_equal(all.items[i].root, tree_path("ws2"));
        assert_int_equal(strncmp(all.items[i].object, tree_path("ws2"), strlen(tree_path("ws2"))), 0);
    }
    assert_int_equal(count_of(&all, "protected", SBX_STATE_STALE), 2);
    expect_ok(clean(SBX_CLEAN_STALE, NULL, &all, &err), &err);
    assert_int_equal(all.count, 1);
    assert_string_equal(all.items[0].object, tree_path("ws2"));
    assert_string_equal(all.items[0].text, text);

    tree_remove("ws");
    assert_int_equal(act_rename("ws2", "ws"), 0);
    sbx_grants_close(open_grants());
    tree_dir("new"); /* while the other lives: the lab gives its file ID away */
    tree_remove("ws");
    list(&all);
    assert_int_equal(all.count, 1); /* nothing is in what is gone */
    assert_string_equal(all.items[0].text, "writable root that is gone");
    assert_string_equal(all.items[0].object, old);
    assert_int_equal(all.items[0].state, SBX_STATE_STALE);
    assert_int_equal(act_rename("new", "ws"), 0);
    list(&all);
    assert_string_equal(all.items[0].text, "writable root that is gone; something else has its path now");
    tree_remove("ws");
    tree_file("ws", "a file is no root");
    list(&all);
    assert_string_equal(all.items[0].text, "writable root that is gone; something else has its path now");
    assert_int_equal(all.items[0].state, SBX_STATE_STALE);
    expect_ok(clean(SBX_CLEAN_STALE, NULL, &all, &err), &err);
    assert_int_equal(all.count, 1);
    list(&all);
    assert_int_equal(all.count, 0);
}

/* A root whose rights this user may not change any more is kept: it fails only who wants it undone. */
static void test_closed(void **context)
{
    sbx_error err;
    told all;

    JUDGED
    policy.protected_count = 0;
    policy.git = SBX_GIT_WRITE;
    sbx_grants_close(open_grants());
    tree_set("ws", "D:P(A;;0x1301bf;;;WD)(A;;RC;;;OW)");
    list(&all);
    assert_int_equal(all.count, 1);
    assert_int_equal(all.items[0].state, SBX_STATE_KEPT);
    assert_non_null(strstr(all.items[0].text, "cannot be opened"));
    expect_ok(clean(SBX_CLEAN_STALE, NULL, &all, &err), &err);
    assert_int_equal(all.count, 0);
    assert_int_equal(clean(SBX_CLEAN_ALL, NULL, &all, &err), SBX_E_SYSTEM);
    assert_int_equal(all.count, 1);
    assert_true(all.items[0].failed);
    assert_string_equal(all.items[0].object, tree_path("ws"));
}

/* The name of the link that is in the way, and what to do: it may come from an option. */
static void test_link_on_the_way(void **context)
{
    static char git[600];
    sbx_error err;

    JUDGED
    tree_dir("ws\\sub");
    assert_int_equal(tree_link("ws\\sub\\way", tree_path("other")), 0);
    snprintf(git, sizeof(git), "%s", tree_path("ws\\sub\\way\\.git"));
    protected_paths[policy.protected_count++] = git;
    assert_int_equal(open_error(&err), SBX_E_REFUSED);
    assert_string_equal(err.object, tree_path("ws\\sub\\way"));
    assert_non_null(strstr(err.hint, "points to"));
    policy.protected_count--;
    clean_all();
}

/* ---- A clean that was killed, without the ledger --------------------------------------- */

static volatile LONG steps_left;

static void die(const char *step)
{
    (void)step;
    if (!InterlockedDecrement(&steps_left))
        die_now();
}

static int victim(const char *what)
{
    sbx_error err = {.size = sizeof(err)};

    attach();
    if (!strcmp(what, "run")) {
        open_grants();
        die_now();
    }
    steps_left = atoi(what);
    sbx_step_hook = die;
    return sbx_grants_clean(SBX_CLEAN_ALL, NULL, NULL, NULL, &err);
}

/* The root says to the last that there is something to undo. */
static void test_killed_clean(void **context)
{
    char *before = tree_snapshot("ws"), what[16];
    sbx_error err;
    told all;
    DWORD code = 99;
    int step;

    JUDGED
    for (step = 1; code == 99; step++) {
        char *after;

        sbx_grants_close(open_grants());
        snprintf(what, sizeof(what), "%d", step);
        code = run_victim(what);
        assert_true(code == 99 || code == 0);
        tree_forget_state();
        expect_ok(clean(SBX_CLEAN_ROOT, tree_path("ws"), &all, &err), &err);
        after = tree_snapshot("ws");
        if (strcmp(before, after))
            print_error("killed at step %d\n", step);
        assert_string_equal(before, after);
        sbx_free(after);
    }
    assert_true(step > 10);
    sbx_free(before);
}

/* ---- Progress ----------------------------------------------------------------------- */

static HANDLE told_once;
static DWORD teller; /* the thread that tells, and deals with a few objects before there are others */
static char first_progress[700], last_progress[700];
static uint64_t last_done, last_total;

static void SBX_CALL see_progress(const char *what, uint64_t done, uint64_t total)
{
    if (!first_progress[0])
        snprintf(first_progress, sizeof(first_progress), "%s", what);
    snprintf(last_progress, sizeof(last_progress), "%s", what);
    last_done = done;
    last_total = total;
    SetEvent(told_once);
}

static void until_told(const char *step)
{
    if (GetCurrentThreadId() != teller && (!strcmp(step, "allow") || !strcmp(step, "undo")))
        WaitForSingleObject(told_once, 30000);
}

/* It says what is done, and that it has ended. */
static void test_progress(void **context)
{
    sbx_host *host;
    sbx_error err;
    told all;
    char text[700];
    int i;

    JUDGED
    for (i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "ws\\f%d", i);
        tree_file(text, "");
    }
    teller = GetCurrentThreadId();
    host = (sbx_host *)(uintptr_t)sbx_host_table;
    told_once = CreateEventA(NULL, TRUE, FALSE, NULL);
    host->progress = see_progress;
    sbx_step_hook = until_told;
    sbx_grants_close(open_grants());
    snprintf(text, sizeof(text), "granting %s", tree_path("ws"));
    assert_string_equal(first_progress, text);
    assert_true(last_total && last_done == last_total);
    first_progress[0] = 0;
    ResetEvent(told_once);
    expect_ok(clean(SBX_CLEAN_ALL, NULL, &all, &err), &err);
    snprintf(text, sizeof(text), "cleaning %s", tree_path("ws"));
    assert_string_equal(first_progress, text);
    assert_true(last_total && last_done == last_total);
    host->progress = NULL;
    CloseHandle(told_once);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_in_use, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_run, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard_in_use, setup, teardown),
        cmocka_unit_test_setup_teardown(test_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(test_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_link_on_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_clean, setup, teardown),
        cmocka_unit_test_setup_teardown(test_progress, setup, teardown),
    };

    if (argc == 2)
        return victim(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
