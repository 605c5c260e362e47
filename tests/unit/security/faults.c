/* Roots that cannot be one, a ledger that is damaged, held or grown, two processes at once. */
#include "fixture.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "common/grants/ledger.h"
#include "common/grants/ledger_record.h"
#include "common/grants/root.h"
#include "full.h"
#include "hook.h"
#include "win/error.h"

/* ---- Roots ------------------------------------------------------------------ */

/* The second of two roots: the first one is not touched either, nor is there a state folder. */
static void expect_refused(const char *path, const char *why)
{
    char *before = tree_snapshot("");
    sbx_error err;

    writable[1] = path;
    policy.writable_count = 2;
    assert_int_equal(open_error(&err), SBX_E_REFUSED);
    assert_string_equal(err.op, why);
    assert_string_equal(err.object, path);
    tree_same("", before);
}

static void test_bad_roots(void **context)
{
    JUDGED
    expect_refused(tree_path("nothing"), "there is no such directory");
    expect_refused(tree_path("nothing\\below"), "there is no such directory");
    expect_refused(tree_path("out\\o.txt"), "a file cannot be a writable root");
    assert_int_equal(tree_link("link", "other"), 0);
    expect_refused(tree_path("link"), "a link cannot be a writable root");
    tree_dir("norights");
    tree_set("norights", "D:P(A;OICI;0x1301bf;;;WD)(A;;RC;;;OW)");
    expect_refused(tree_path("norights"), "its access rights may not be changed by this user");
    tree_dir("open");
    tree_set("open", NULL);
    expect_refused(tree_path("open"), "it has no access control list: everyone may do everything");
}

/* What a command could reach through the root is sbx's own, though its name is elsewhere. */
static void test_state_behind_a_link(void **context)
{
    char *before;
    sbx_error err;

    JUDGED
    tree_dir("ws\\own");
    assert_int_equal(tree_link("state", "ws\\own"), 0);
    before = tree_snapshot("ws");
    assert_int_equal(open_error(&err), SBX_E_REFUSED);
    assert_string_equal(err.op, "the state of sbx cannot be in a writable root");
    tree_same("ws", before);
    tree_remove("state");
    expect_works();
}

static void test_protected_in_a_file(void **context)
{
    sbx_error err;

    JUDGED
    tree_file("ws\\plain", "x");
    protected_paths[policy.protected_count++] = tree_path("ws\\plain\\name");
    assert_int_equal(open_error(&err), SBX_E_REFUSED);
    assert_string_equal(err.op, "protect names in it: it is a file");
}

/* Its inheritance stays off, and it is a root like any other. */
static void test_protected_root(void **context)
{
    char *before;

    JUDGED
    tree_set("ws", "D:PAI(A;OICI;FA;;;BU)(A;OICI;FA;;;SY)(A;OICI;FA;;;OW)");
    before = tree_snapshot("ws");
    expect_works();
    tree_same("ws", before);
}

/* ---- Processes ----------------------------------------------------------------- */

#define WAIT_MS 60000u

static HANDLE event_of(const char *name)
{
    char folder[512] = "\\", text[600];

    GetEnvironmentVariableA("SBX_TREE", folder, sizeof(folder));
    snprintf(text, sizeof(text), "%s-%s", strrchr(folder, '\\') + 1, name);
    return CreateEventA(NULL, TRUE, FALSE, text);
}

/* In the middle of its grant the first process lets the second begin, which must not get in then. */
static void pause_first(void)
{
    SetEvent(event_of("first"));
    if (WaitForSingleObject(event_of("begun"), WAIT_MS) || !WaitForSingleObject(event_of("stepped"), 300))
        TerminateProcess(GetCurrentProcess(), 97);
}

static void tell_second(void)
{
    SetEvent(event_of("stepped"));
}

static void second_walks(const char *step)
{
    tell_second();
    if (!strcmp(step, "allow")) /* the tree was complete */
        TerminateProcess(GetCurrentProcess(), 98);
}

/* Protect "ws\\p00".. instead, which are missing. */
static void guard_paths(uint32_t count)
{
    static char paths[64][600];
    uint32_t i;

    for (i = 0; i < count; i++) {
        snprintf(paths[i], sizeof(paths[i]), "%s%02u", tree_path("ws\\p"), (unsigned)i);
        protected_paths[i] = paths[i];
    }
    policy.protected_count = count;
}

static int worker(const char *what)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_grants *grants = NULL;
    sbx_status st;

    if (!attach())
        return 96;
    if (!strcmp(what, "first")) {
        hook_at("allow", 2, pause_first);
    } else if (!strcmp(what, "second")) {
        policy.run_id = "3123456789abcdef0123456789abcdef";
        sbx_step_hook = second_walks;
        SetEvent(event_of("begun"));
    } else {
        guard_paths((uint32_t)atoi(what));
    }
    st = sbx_grants_open(&policy, 0, NULL, &grants, &err);
    if (st == SBX_OK && atoi(what)) /* a launcher that was killed */
        TerminateProcess(GetCurrentProcess(), 99);
    sbx_grants_close(grants);
    return st;
}

static HANDLE start(const char *what)
{
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;
    char self[600], line[700];

    GetModuleFileNameA(NULL, self, sizeof(self));
    snprintf(line, sizeof(line), "\"%s\" %s", self, what);
    assert_true(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process));
    CloseHandle(process.hThread);
    return process.hProcess;
}

static DWORD end_of(HANDLE process)
{
    DWORD code = 0;

    assert_int_equal(WaitForSingleObject(process, WAIT_MS), WAIT_OBJECT_0);
    GetExitCodeProcess(process, &code);
    CloseHandle(process);
    return code;
}

static void test_two_processes(void **context)
{
    HANDLE waits[2], second;
    char *single, *both;
    sbx_grants *grants;

    JUDGED
    sbx_grants_close(open_grants());
    single = tree_snapshot("ws");
    clean_all();
    waits[0] = event_of("first");
    waits[1] = start("first");
    event_of("begun");
    assert_int_equal(WaitForMultipleObjects(2, waits, FALSE, WAIT_MS), WAIT_OBJECT_0);
    second = start("second");
    assert_int_equal(end_of(waits[1]), 0);
    assert_int_equal(end_of(second), 0);
    both = tree_snapshot("ws");
    assert_string_equal(single, both);
    tree_grant_notes = 0;
    policy.protected_count = 2;
    grants = open_grants();
    assert_int_equal(tree_grant_notes, 0);
    assert_int_equal(tree_aces("ws", grants), 3);
    assert_int_equal(tree_aces("ws\\a.txt", grants), 1);
    sbx_grants_close(grants);
    clean_all();
    sbx_free(single);
    sbx_free(both);
}

/* ---- Many guards ------------------------------------------------------------------ */

#define GUARDS 40u

static void no_guards_left(void)
{
    char name[64];
    uint32_t i;

    for (i = 0; i < GUARDS; i++) {
        snprintf(name, sizeof(name), "ws\\p%02u", (unsigned)i);
        assert_false(tree_exists(name));
    }
}

static void test_many_guards(void **context)
{
    char *before;
    sbx_grants *grants;

    JUDGED
    before = tree_snapshot("ws");
    guard_paths(GUARDS);
    grants = open_grants();
    assert_true(tree_exists("ws\\p00") && tree_exists("ws\\p39"));
    sbx_grants_close(grants);
    no_guards_left();
    assert_int_equal(end_of(start("40")), 99);
    assert_true(tree_exists("ws\\p00") && tree_exists("ws\\p39"));
    clean_all();
    no_guards_left();
    tree_same("ws", before);
}

/* A program that watches files has a guard open: its name is free all the same. */
static void test_guard_watched(void **context)
{
    struct {
        DWORD flags;
    } posix = {3}; /* FILE_DISPOSITION_FLAG_DELETE, _POSIX_SEMANTICS */
    const DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    sbx_grants *grants;
    char *before;
    HANDLE used;
    BOOL can;

    JUDGED
    before = tree_snapshot("ws");
    used = CreateFileA(tree_path("gone"), DELETE, share, NULL, CREATE_NEW, 0, NULL);
    assert_true(used != INVALID_HANDLE_VALUE);
    can = SetFileInformationByHandle(used, (FILE_INFO_BY_HANDLE_CLASS)21, &posix, sizeof(posix));
    CloseHandle(used);
    if (!can) {
        DeleteFileA(tree_path("gone"));
        print_message("not judged here: names that go at once are a matter of Windows\n");
        sbx_free(before);
        skip();
    }
    grants = open_grants();
    used = CreateFileA(tree_path("ws\\.agents"), FILE_LIST_DIRECTORY, share, NULL, OPEN_EXISTING,
                       FILE_FLAG_BACKUP_SEMANTICS, NULL);
    assert_true(used != INVALID_HANDLE_VALUE);
    sbx_grants_close(grants);
    assert_false(tree_exists("ws\\.agents"));
    expect_works(); /* with a guard of that name again */
    CloseHandle(used);
    tree_same("ws", before);
}

/* Another program keeps one of them open, as the terminal does whose working directory it is: the others go, and that
 * one with the next run that can.  It stops no run meanwhile. */
static void test_guard_in_use(void **context)
{
    static char codex[600];
    char *before;
    sbx_grants *grants;
    HANDLE used;

    JUDGED
    before = tree_snapshot("ws");
    snprintf(codex, sizeof(codex), "%s", tree_path("ws\\x\\y\\.codex"));
    protected_paths[3] = codex; /* made last, removed first */
    grants = open_grants();
    used = CreateFileA(codex, FILE_LIST_DIRECTORY, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                       FILE_FLAG_BACKUP_SEMANTICS, NULL);
    assert_true(used != INVALID_HANDLE_VALUE);
    sbx_grants_close(grants);
    assert_false(tree_exists("ws\\.agents"));
    assert_true(tree_exists("ws\\x\\y\\.codex"));
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_create("ws\\x\\y\\.codex\\n"), DENIED);
    assert_int_equal(act_rename("ws\\x", "ws\\z"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    assert_int_equal(sbx_grants_clean(SBX_CLEAN_ALL, NULL, NULL, NULL, NULL), SBX_E_SYSTEM);
    assert_true(tree_exists("ws\\x\\y\\.codex"));
    CloseHandle(used);
    sbx_grants_close(open_grants());
    assert_false(tree_exists("ws\\x"));
    clean_all();
    tree_same("ws", before);
}

/* ---- Ledger ------------------------------------------------------------------------ */

static char *read_ledger(size_t *size)
{
    char *bytes = malloc(1 << 20);
    FILE *file = fopen(tree_path("state\\ledger"), "rb");

    assert_true(bytes && file);
    *size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

static void write_ledger(const char *bytes, size_t size)
{
    FILE *file = fopen(tree_path("state\\ledger"), "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* With this ledger a run works, and heals it; then everything can be undone. */
static void works_with(const char *bytes, size_t size, size_t damaged, const char *before)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_ledger ledger = {0};
    char *after;

    write_ledger(bytes, size);
    expect_ok(sbx_ledger_load(&ledger, &err), &err);
    assert_int_equal(ledger.damaged, damaged);
    assert_true(ledger.roots && ledger.roots->path[0]);
    sbx_ledger_fini(&ledger);
    clean_all();
    after = tree_snapshot("ws");
    assert_string_equal(before, after);
    sbx_free(after);
    sbx_grants_close(open_grants());
    expect_ok(sbx_ledger_load(&ledger, &err), &err);
    assert_int_equal(ledger.damaged, 0);
    sbx_ledger_fini(&ledger);
}

/* The last record cut at every byte, and each record in turn a hole. */
static void test_ledger_torn(void **context)
{
    char *before, *bytes, *copy;
    size_t size, at = 0, records = 0, begin[32];
    sbx_ledger_record record;

    JUDGED
    before = tree_snapshot("ws");
    policy.protected_count = 2;
    sbx_grants_close(open_grants());
    bytes = read_ledger(&size);
    for (begin[0] = 0; sbx_ledger_record_next((const uint8_t *)bytes, size, &at, &record, NULL); begin[++records] = at)
        assert_true(records < 30);
    assert_true(records >= 5 && at == size);
    for (at = begin[records - 1]; at < size; at++)
        works_with(bytes, at, at - begin[records - 1], before);
    copy = malloc(size);
    assert_non_null(copy);
    for (at = 0; at < records; at++) {
        memcpy(copy, bytes, size);
        memset(copy + begin[at], 0, begin[at + 1] - begin[at]);
        works_with(copy, size, begin[at + 1] - begin[at], before);
        memcpy(copy, bytes, size);
        copy[(begin[at] + begin[at + 1]) / 2] ^= 1;
        works_with(copy, size, begin[at + 1] - begin[at], before);
    }
    clean_all();
    free(copy);
    free(bytes);
    sbx_free(before);
}

/* Another program has it open and lets nobody else. */
static void test_ledger_held(void **context)
{
    char *before, *after;
    sbx_error err = {.size = sizeof(err)};
    sbx_grants *grants;
    HANDLE file;

    JUDGED
    grants = open_grants();
    before = tree_snapshot("ws");
    file = CreateFileA(tree_path("state\\ledger"), GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    policy.run_id = "4123456789abcdef0123456789abcdef";
    assert_int_equal(open_error(&err), SBX_E_SYSTEM);
    assert_non_null(strstr(err.object, "state\\ledger"));
    assert_int_equal(err.code, ERROR_SHARING_VIOLATION);
    assert_int_equal(sbx_grants_clean(SBX_CLEAN_ALL, NULL, NULL, NULL, &err), SBX_E_SYSTEM);
    assert_non_null(strstr(err.object, "state\\ledger"));
    after = tree_snapshot("ws");
    assert_string_equal(before, after);
    sbx_grants_close(grants); /* cannot know its guards: they stay until it can */
    assert_true(tree_exists("ws\\.agents"));
    CloseHandle(file);
    clean_all();
    assert_false(tree_exists("ws\\.agents"));
    sbx_free(before);
    sbx_free(after);
}

/* Of a directory that is not there, on the volume of the tests. */
static sbx_sid sid_of(uint8_t number)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_root root = {0};
    sbx_sid sid;

    expect_ok(sbx_root_reopen(writable[0], &root, &err), &err);
    sid = root.sid;
    sbx_root_close(&root);
    sid.bytes[SBX_SID_BYTES - 1] = number; /* of a file ID of 128 bits */
    return sid;
}

static void add(sbx_ledger *ledger, const sbx_sid *sid, uint32_t type, const char *path)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_ledger_entry entry = {type, 0, path};

    expect_ok(sbx_ledger_add(ledger, sid, &entry, 1, SBX_LEDGER_LAZY, &err), &err);
}

/* Records of roots that are gone, until the ledger is written anew when it is next changed. */
static void grow_ledger(void)
{
    static char path[4000];
    sbx_ledger ledger = {0};
    const sbx_sid sid = sid_of(77);
    int i;

    memset(path, 'p', sizeof(path) - 1);
    assert_int_equal(sbx_ledger_load(&ledger, NULL), SBX_OK);
    for (i = 0; i < 20; i++) {
        ledger.size = 0; /* not yet */
        add(&ledger, &sid, SBX_RECORD_DENY, path);
        add(&ledger, &sid, SBX_RECORD_FREE, path);
    }
    ledger.size = 0;
    add(&ledger, &sid, SBX_RECORD_GONE, path);
    sbx_ledger_fini(&ledger);
}

/* Guards within guards: written anew, the ledger still says which came first. */
static void test_ledger_compacted(void **context)
{
    static char codex[600];
    sbx_sid one, two, three;
    sbx_ledger first = {0}, second = {0}, all = {0};
    size_t grown, size;
    char *before;
    sbx_grants *grants;

    JUDGED
    before = tree_snapshot("ws");
    snprintf(codex, sizeof(codex), "%s", tree_path("ws\\x\\y\\.codex"));
    protected_paths[2] = codex;
    one = sid_of(1), two = sid_of(2), three = sid_of(3);
    grants = open_grants();
    assert_true(tree_exists("ws\\x\\y\\.codex"));
    assert_int_equal(sbx_ledger_load(&first, NULL), SBX_OK);
    grow_ledger();
    free(read_ledger(&grown));
    assert_true(grown > 65536);
    assert_int_equal(sbx_ledger_load(&second, NULL), SBX_OK);
    add(&first, &one, SBX_RECORD_GRANT, "C:\\one");   /* does not know that it has grown */
    add(&second, &two, SBX_RECORD_GRANT, "C:\\two");  /* writes it anew */
    add(&first, &three, SBX_RECORD_GRANT, "C:\\one"); /* nor that it is another file now */
    free(read_ledger(&size));
    assert_true(size < grown / 8);
    assert_int_equal(sbx_ledger_load(&all, NULL), SBX_OK);
    assert_true(sbx_ledger_find(&all, &one) && sbx_ledger_find(&all, &two) && sbx_ledger_find(&all, &three));
    assert_int_equal(all.damaged, 0);
    sbx_ledger_fini(&first);
    sbx_ledger_fini(&second);
    sbx_ledger_fini(&all);
    sbx_grants_close(grants);
    assert_false(tree_exists("ws\\x"));
    clean_all();
    tree_same("ws", before);
}

/* A root on a volume that is not there keeps its records: its access rights are out of reach, not gone. */
static void test_volume_away(void **context)
{
    sbx_sid away;
    sbx_ledger ledger = {0};
    sbx_error err = {.size = sizeof(err)};
    sbx_grant_count count = {.size = sizeof(count)};

    JUDGED
    away = sid_of(1);
    sbx_grants_close(open_grants());
    away.bytes[12] ^= 0x55; /* of the volume's GUID */
    assert_int_equal(sbx_ledger_load(&ledger, NULL), SBX_OK);
    add(&ledger, &away, SBX_RECORD_DONE, "C:\\away");
    sbx_ledger_fini(&ledger);
    assert_int_equal(sbx_grants_again("C:\\away", &count, &err), SBX_E_REFUSED);
    assert_string_equal(err.op, "there is no such directory");
    assert_non_null(strstr(err.hint, "sbx knows a writable root there"));
    assert_int_equal(sbx_grants_clean(SBX_CLEAN_STALE, NULL, NULL, NULL, &err), SBX_OK);
    assert_int_equal(sbx_grants_clean(SBX_CLEAN_ALL, NULL, NULL, NULL, &err), SBX_E_SYSTEM);
    assert_string_equal(err.object, "C:\\away");
    assert_non_null(strstr(err.op, "the volume that it is on is not there"));
    assert_int_equal(sbx_grants_clean(SBX_CLEAN_ROOT, "C:\\away", NULL, NULL, &err), SBX_E_UNAVAILABLE);
    assert_int_equal(sbx_ledger_load(&ledger, NULL), SBX_OK);
    assert_non_null(sbx_ledger_find(&ledger, &away));
    assert_null(ledger.roots->next); /* what could be cleaned is */
    add(&ledger, &away, SBX_RECORD_GONE, "");
    sbx_ledger_fini(&ledger);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bad_roots, setup, teardown),
        cmocka_unit_test_setup_teardown(test_state_behind_a_link, setup, teardown),
        cmocka_unit_test_setup_teardown(test_protected_in_a_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_protected_root, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_processes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_guards, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard_watched, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard_in_use, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ledger_torn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ledger_held, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ledger_compacted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_volume_away, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_tree, full_setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_ledger, full_setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_rewrite, full_setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_end, full_setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_again, full_setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_shield, full_setup, teardown),
    };

    if (argc == 2)
        return worker(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
