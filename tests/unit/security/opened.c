/* Links, files with several names, and what comes into a root after its first grant: what is opened to commands, what is not. */
#include "hook.h"

#include "fixture.h"

#include <stdlib.h>
#include <winioctl.h>
#include <sddl.h>

#include "base/memory.h"
#include "common/grants/ledger.h"
#include "common/grants/left.h"
#include "win/user.h"

static void hard_link(const char *name, const char *to)
{
    assert_true(CreateHardLinkA(tree_path(name), tree_path(to), NULL));
}

static sbx_grant_count grant_again(const char *name)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_grant_count count = {.size = sizeof(count)};

    expect_ok(sbx_grants_again(tree_path(name), &count, &err), &err);
    return count;
}

/* npm's workspaces are junctions to folders of the same tree; others lead out of it. */
static void make_links(void)
{
    tree_dir("ws\\packages");
    tree_dir("ws\\packages\\a");
    tree_file("ws\\packages\\a\\index.js", "1");
    tree_dir("ws\\node_modules");
    assert_int_equal(tree_link("ws\\node_modules\\a", "ws\\packages\\a"), 0);
    assert_int_equal(tree_link("ws\\node_modules\\b", "ws\\packages\\a"), 0);
    assert_int_equal(tree_link("ws\\node_modules\\far", "out"), 0);
}

/* The link itself: what may be deleted through its folder says nothing of it. */
static uint32_t act_write_link(const char *name)
{
    HANDLE link = CreateFileA(tree_path(name), FILE_WRITE_ATTRIBUTES | DELETE, 7, NULL, OPEN_EXISTING,
                              FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);

    if (link == INVALID_HANDLE_VALUE)
        return GetLastError();
    CloseHandle(link);
    return 0;
}

static void test_links(void **context)
{
    char *before, *outside;
    sbx_grants *grants;

    JUDGED
    make_links();
    before = tree_snapshot("ws");
    outside = tree_snapshot("out");
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\node_modules\\a\\index.js"), 0);
    assert_int_equal(act_write("ws\\node_modules\\far\\o.txt"), DENIED); /* what it leads to is not opened */
    assert_int_equal(act_create("ws\\node_modules\\far\\n.txt"), DENIED);
    assert_int_equal(act_write_link("ws\\node_modules\\a"), 0);
    assert_int_equal(act_write_link("ws\\node_modules\\far"), 0);
    assert_int_equal(act_rename("ws\\node_modules\\b", "ws\\node_modules\\c"), 0);
    assert_int_equal(act_rename("ws\\node_modules\\c", "ws\\node_modules\\b"), 0);
    tree_leave();
    tree_same("out", outside);
    sbx_grants_close(grants);
    clean_all();
    tree_same("ws", before);

    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_rmdir("ws\\node_modules\\a"), 0);
    assert_int_equal(act_rmdir("ws\\node_modules\\far"), 0);
    tree_leave();
    assert_true(tree_exists("ws\\packages\\a\\index.js") && tree_exists("out\\o.txt"));
    sbx_grants_close(grants);
    clean_all();
}

/* A junction is an empty directory again. */
static void unlink_directory(const char *name)
{
    struct {
        DWORD tag;
        WORD length, reserved;
    } data = {IO_REPARSE_TAG_MOUNT_POINT, 0, 0};
    HANDLE dir = CreateFileA(tree_path(name), GENERIC_WRITE, 7, NULL, OPEN_EXISTING,
                             FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    DWORD got;

    assert_true(DeviceIoControl(dir, FSCTL_DELETE_REPARSE_POINT, &data, sizeof(data), NULL, 0, &got, NULL));
    CloseHandle(dir);
}

/* What is protected stays so though a link in it could be granted; and a link that becomes a directory passes nothing on. */
static void test_link_protected(void **context)
{
    sbx_grants *grants;

    JUDGED
    assert_int_equal(tree_link("ws\\.git\\link", "out"), 0);
    assert_int_equal(tree_link("ws\\link", "out"), 0);
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_rmdir("ws\\.git\\link"), DENIED);
    assert_int_equal(act_rename("ws\\.git\\link", "ws\\l2"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    grants = open_grants(); /* and again, when the tree is looked at again */
    assert_int_equal(grant_again("ws").opened, 0);
    tree_enter(grants);
    assert_int_equal(act_rmdir("ws\\.git\\link"), DENIED);
    tree_leave();
    unlink_directory("ws\\link");
    tree_file("ws\\link\\f.txt", "f");
    assert_int_equal(tree_aces("ws\\link", grants), 1);
    assert_int_equal(tree_aces("ws\\link\\f.txt", grants), 0);
    sbx_grants_close(grants);
    clean_all();
}

/* As cargo and uv build: outside once, then in the sandbox. */
static void test_names_inside(void **context)
{
    char *before;
    sbx_grants *grants;

    JUDGED
    tree_dir("ws\\target");
    tree_dir("ws\\target\\debug");
    tree_dir("ws\\target\\debug\\deps");
    tree_file("ws\\target\\debug\\deps\\app-1.exe", "MZ");
    hard_link("ws\\target\\debug\\app.exe", "ws\\target\\debug\\deps\\app-1.exe");
    hard_link("ws\\app.exe", "ws\\target\\debug\\deps\\app-1.exe");
    tree_file("ws\\target\\debug\\new.exe", "MZ");
    before = tree_snapshot("ws");
    tree_warnings = 0;
    grants = open_grants();
    assert_int_equal(tree_warnings, 0);
    tree_enter(grants);
    assert_int_equal(act_write("ws\\target\\debug\\app.exe"), 0);
    assert_int_equal(act_open("ws\\target\\debug\\app.exe", WRITE_DAC), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
    tree_same("ws", before);

    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_delete("ws\\target\\debug\\app.exe"), 0);
    assert_true(CreateHardLinkA(tree_path("ws\\target\\debug\\app.exe"),
                                tree_path("ws\\target\\debug\\deps\\app-1.exe"), NULL));
    assert_true(MoveFileExA(tree_path("ws\\target\\debug\\new.exe"), tree_path("ws\\target\\debug\\app.exe"),
                            MOVEFILE_REPLACE_EXISTING));
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

/* In the folder that the root is in, elsewhere, in another root of the same run, in what is protected. */
static void test_names_elsewhere(void **context)
{
    char *before, *outside;
    sbx_grants *grants;

    JUDGED
    tree_file("beside.txt", "b");
    hard_link("ws\\beside.txt", "beside.txt");
    hard_link("ws\\out.txt", "out\\o.txt");
    hard_link("ws\\other.txt", "other\\x.txt");
    tree_file("ws\\in.txt", "i");
    hard_link("ws\\in2.txt", "ws\\in.txt");
    hard_link("ws\\.git\\hooks\\post-commit", "ws\\src\\b.txt");
    writable[1] = tree_path("other");
    policy.writable_count = 2;
    before = tree_snapshot("");
    outside = tree_snapshot("out");
    tree_warnings = 0;
    grants = open_grants();
    assert_int_equal(tree_warnings, 2); /* one a root */
    tree_enter(grants);
    assert_int_equal(act_write("ws\\in.txt"), 0);
    assert_int_equal(act_write("ws\\beside.txt"), DENIED);
    assert_int_equal(act_delete("ws\\beside.txt"), DENIED);
    assert_int_equal(act_write("ws\\out.txt"), DENIED);
    assert_int_equal(act_write("ws\\other.txt"), DENIED);
    assert_int_equal(act_write("ws\\.git\\hooks\\post-commit"), DENIED);
    assert_int_equal(act_write("ws\\src\\b.txt"), DENIED);
    tree_leave();
    tree_same("out", outside);
    sbx_grants_close(grants);

    /* looked at again, with the denies in place */
    assert_int_equal(grant_again("ws").closed, 4); /* b.txt as well, which is protected by its other name */
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\src\\b.txt"), DENIED);
    assert_int_equal(act_write("ws\\other.txt"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    policy.writable_count = 1;
    clean_all();
    tree_forget_state();
    tree_same("", before);
}

/* A file that the walk does not open, since a name of it is protected: not by the second name either. */
static void test_name_protected_later(void **context)
{
    sbx_grants *grants;

    JUDGED
    hard_link("ws\\.git\\hooks\\late", "out\\o.txt");
    sbx_grants_close(open_grants());
    hard_link("ws\\late", "out\\o.txt");
    assert_int_equal(act_delete("out\\o.txt"), 0); /* all names are in the root now */
    assert_int_equal(grant_again("ws").closed, 1);
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\late"), DENIED);
    assert_int_equal(act_write("ws\\.git\\hooks\\late"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

static void link_outside(void)
{
    hard_link("out\\appeared", "lone\\two.txt");
}

static void move_outside(void)
{
    assert_int_equal(act_rename("lone\\two.txt", "out\\moved"), 0);
}

static void while_judged(void (*act)(void), const char *outside)
{
    char *before;
    sbx_grants *grants;

    tree_dir("lone");
    tree_file("lone\\one.txt", "1");
    hard_link("lone\\two.txt", "lone\\one.txt");
    writable[0] = tree_path("lone");
    policy.protected_count = 0;
    policy.git = SBX_GIT_WRITE;
    before = tree_snapshot("lone\\one.txt");
    tree_warnings = 0;
    hook_at("allow", 1, act);
    grants = open_grants();
    hook_done();
    tree_same("lone\\one.txt", before);
    assert_int_equal(tree_warnings, 1);
    assert_non_null(strstr(tree_warning, "hard links"));
    tree_enter(grants);
    assert_int_equal(act_write(outside), DENIED);
    assert_int_equal(act_write("lone\\one.txt"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

static void test_name_appears(void **context)
{
    JUDGED
    while_judged(link_outside, "out\\appeared");
}

static void test_name_moves(void **context)
{
    JUDGED
    while_judged(move_outside, "out\\moved");
}

static int32_t SBX_CALL on_item(void *context, const sbx_state_item *item, const sbx_error *error)
{
    uint64_t *closed = context;

    (void)error;
    if (!strcmp(item->kind, "closed"))
        *closed += item->count;
    return 0;
}

static uint64_t listed(void)
{
    uint64_t closed = 0;

    assert_int_equal(sbx_grants_list(on_item, &closed, NULL), SBX_OK);
    return closed;
}

/* Every run tells what stays closed, from the ledger, and so does the list, until it changes. */
static void test_told(void **context)
{
    sbx_grant_count count;

    JUDGED
    hard_link("ws\\out.txt", "out\\o.txt");
    tree_dir("ws\\closed");
    tree_set("ws\\closed", "D:PAI(A;OICI;FA;;;WD)");
    tree_warnings = 0;
    sbx_grants_close(open_grants());
    assert_int_equal(tree_warnings, 1);
    assert_non_null(
        strstr(tree_warning, "cannot change 2 of the objects in it, as out.txt: 1 file has names (hard links)"));
    assert_non_null(strstr(tree_warning, "; 1 object has an access control list that inherits nothing"));
    sbx_grants_close(open_grants()); /* warm */
    assert_int_equal(tree_warnings, 2);
    assert_int_equal(listed(), 2);
    assert_int_equal(act_delete("out\\o.txt"), 0);
    count = grant_again("ws");
    assert_int_equal(count.opened, 1);
    assert_int_equal(count.closed, 1);
    assert_string_equal(count.first, "closed");
    assert_int_equal(act_rmdir("ws\\closed"), 0);
    assert_int_equal(grant_again("ws").closed, 0);
    assert_int_equal(listed(), 0);
    tree_warnings = 0;
    sbx_grants_close(open_grants());
    assert_int_equal(tree_warnings, 0);
    clean_all();
}

/* ---- Looked at again ------------------------------------------------------------------ */

static sbx_grants *running; /* a command with these, while a hook is called */
static uint32_t made, aces;

static void make_one(void)
{
    tree_enter(running);
    made = act_create("ws\\made.txt");
    tree_leave();
}

static void look_at_repository(void)
{
    aces = tree_aces("ws\\lib\\.git\\config", running);
}

/* What comes from elsewhere keeps the rights of its old place. */
static void bring(const char *name)
{
    char from[64], inner[96];

    tree_dir("dl");
    snprintf(from, sizeof(from), "dl\\%s", name);
    tree_dir(from);
    snprintf(inner, sizeof(inner), "%s\\f.txt", from);
    tree_file(inner, "f");
    snprintf(inner, sizeof(inner), "ws\\%s", name);
    assert_int_equal(act_rename(from, inner), 0);
}

static void test_moved_in(void **context)
{
    char *before;
    sbx_grants *grants;
    sbx_grant_count count;

    JUDGED
    sbx_grants_close(open_grants());
    bring("d");
    before = tree_snapshot("ws\\d");
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\d\\f.txt"), DENIED);
    tree_leave();
    running = grants;
    hook_at("allow", 1, make_one);
    count = grant_again("ws\\src\\deep"); /* a folder in it will do */
    hook_done();
    assert_int_equal(made, 0); /* the command goes on meanwhile */
    assert_string_equal(count.root, tree_path("ws"));
    assert_int_equal(count.opened, 2);
    assert_true(count.objects > 10);
    tree_enter(grants); /* for the command that runs, too */
    assert_int_equal(act_write("ws\\d\\f.txt"), 0);
    assert_int_equal(act_create("ws\\d\\new.txt"), 0);
    assert_int_equal(act_delete("ws\\d\\new.txt"), 0);
    assert_int_equal(act_write("ws\\.git\\config"), DENIED);
    tree_leave();
    assert_int_equal(grant_again("ws").opened, 0);
    sbx_grants_close(grants);
    clean_all();
    tree_same("ws\\d", before);
}

static void test_unknown_root(void **context)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_grant_count count = {.size = sizeof(count)};
    char *before;

    JUDGED
    sbx_grants_close(open_grants());
    before = tree_snapshot("out");
    assert_int_equal(sbx_grants_again(tree_path("out"), &count, &err), SBX_E_REFUSED);
    assert_non_null(strstr(err.op, "in no writable root"));
    assert_int_equal(sbx_grants_again(tree_path("nowhere"), &count, &err), SBX_E_REFUSED);
    assert_int_equal(sbx_grants_again("relative", &count, &err), SBX_E_REFUSED);
    tree_same("out", before);
    assert_int_equal(tree_link("link", "ws"), 0);
    assert_int_equal(sbx_grants_again(tree_path("link"), &count, &err), SBX_E_REFUSED); /* a link is no root */
    clean_all();
    assert_int_equal(sbx_grants_again(tree_path("ws"), &count, &err), SBX_E_REFUSED);
}

/* A repository that the user moves in while a command runs is not opened to it. */
static void test_repository_moved_in(void **context)
{
    sbx_grants *grants;

    JUDGED
    grants = open_grants();
    bring("lib");
    tree_dir("dl\\.git");
    tree_dir("dl\\.git\\hooks");
    tree_file("dl\\.git\\config", "[core]");
    assert_int_equal(act_rename("dl\\.git", "ws\\lib\\.git"), 0);
    running = grants;
    hook_at("allow", 1, look_at_repository);
    assert_true(grant_again("ws").opened > 0);
    hook_done();
    assert_true(aces > 0); /* first of all */
    tree_enter(grants);
    assert_int_equal(act_write("ws\\lib\\f.txt"), 0);
    assert_int_equal(act_write("ws\\lib\\.git\\config"), DENIED);
    assert_int_equal(act_create("ws\\lib\\.git\\hooks\\pre-commit"), DENIED);
    assert_int_equal(act_rename("ws\\lib\\.git", "ws\\lib\\g"), DENIED);
    assert_int_equal(act_rename("ws\\lib", "ws\\l2"), DENIED);
    tree_leave();
    sbx_grants_close(grants);

    policy.git = SBX_GIT_WRITE; /* what that does not want goes */
    policy.protected_count = 0;
    grants = open_grants();
    grant_again("ws");
    sbx_grants_close(grants);
    clean_all();
}

/* What the user moves into a protected directory gets nothing. */
static void test_moved_into_protected(void **context)
{
    sbx_grants *grants = NULL;
    char *before;

    JUDGED
    sbx_grants_close(open_grants());
    tree_dir("dl");
    tree_file("dl\\post-commit", "#!");
    assert_int_equal(act_rename("dl\\post-commit", "ws\\.git\\hooks\\post-commit"), 0);
    before = tree_snapshot("ws\\.git\\hooks\\post-commit");
    assert_int_equal(grant_again("ws").opened, 0);
    tree_same("ws\\.git\\hooks\\post-commit", before);
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\.git\\hooks\\post-commit"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

/* As `icacls /reset /t`: every object has what the one above passes on, and nothing else. */
static void reset(const char *name)
{
    WIN32_FIND_DATAA data;
    char pattern[600], inner[600];
    HANDLE search;

    tree_set(name, "D:AI(A;OICIID;FA;;;OW)(A;OICIID;FA;;;BU)");
    snprintf(pattern, sizeof(pattern), "%s\\*", name);
    search = FindFirstFileA(tree_path(pattern), &data);
    if (search == INVALID_HANDLE_VALUE)
        return;
    do {
        snprintf(inner, sizeof(inner), "%s\\%s", name, data.cFileName);
        if (data.cFileName[0] == '.' && (!data.cFileName[1] || data.cFileName[1] == '.'))
            continue;
        if (data.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)
            reset(inner);
        else
            tree_set(inner, "D:AI(A;ID;FA;;;OW)(A;ID;FA;;;BU)");
    } while (FindNextFileA(search, &data));
    FindClose(search);
}

static void reset_is_mended(const char *what)
{
    sbx_grants *grants = open_grants();

    reset(what);
    tree_enter(grants);
    assert_int_equal(act_write("ws\\src\\deep\\c.txt"), DENIED);
    tree_leave();
    assert_true(grant_again("ws").opened > 0);
    tree_enter(grants);
    assert_int_equal(act_write("ws\\src\\deep\\c.txt"), 0);
    assert_int_equal(act_create("ws\\src\\deep\\d.txt"), 0);
    assert_int_equal(act_delete("ws\\src\\deep\\d.txt"), 0);
    assert_int_equal(act_write("ws\\.git\\config"), DENIED);
    assert_int_equal(act_rename("ws\\.git", "ws\\g"), DENIED);
    assert_int_equal(act_rename("ws\\pkg", "ws\\p"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    expect_works();
}

static void test_reset_part(void **context)
{
    JUDGED
    reset_is_mended("ws\\src");
}

static void test_reset_whole(void **context)
{
    JUDGED
    reset_is_mended("ws");
}

/* Before a run: the root's own mark is gone with the rest, and the run itself does it. */
static void test_reset_before(void **context)
{
    JUDGED
    sbx_grants_close(open_grants());
    reset("ws");
    expect_works();
}

static void swap_in_link(void)
{
    assert_int_equal(act_rename("ws\\d", "ws\\aside"), 0);
    assert_int_equal(tree_link("ws\\d", "out"), 0);
}

/* A command that swaps links in while the tree is looked at again. */
static void test_swapped(void **context)
{
    char *before;
    int nth;

    JUDGED
    for (nth = 1; nth <= 4; nth++) {
        sbx_grants *grants = open_grants();

        bring("d");
        tree_dir("dl\\d2");
        tree_file("dl\\d2\\o.txt", "g");
        assert_int_equal(act_rename("dl\\d2", "ws\\d\\d2"), 0);
        before = tree_snapshot("out");
        hook_at("allow", nth, swap_in_link);
        grant_again("ws");
        hook_done();
        tree_same("out", before);
        tree_enter(grants);
        assert_int_equal(act_write("ws\\d\\o.txt"), DENIED);
        assert_int_equal(act_create("ws\\d\\n.txt"), DENIED);
        tree_leave();
        assert_int_equal(act_rmdir("ws\\d"), 0);
        tree_remove("ws\\aside");
        sbx_grants_close(grants);
        clean_all();
    }
}

static DWORD WINAPI another(void *error)
{
    sbx_grant_count count = {.size = sizeof(count)};

    sbx_grants_again(tree_path("ws"), &count, error);
    return (DWORD)count.opened;
}

/* One waits for the other. */
static void test_two_at_once(void **context)
{
    sbx_error errors[2] = {{.size = sizeof(sbx_error)}, {.size = sizeof(sbx_error)}};
    HANDLE threads[2];
    DWORD opened[2];
    int i;

    JUDGED
    sbx_grants_close(open_grants());
    bring("d");
    for (i = 0; i < 2; i++)
        threads[i] = CreateThread(NULL, 0, another, &errors[i], 0, NULL);
    assert_int_equal(WaitForMultipleObjects(2, threads, TRUE, 60000), WAIT_OBJECT_0);
    for (i = 0; i < 2; i++) {
        assert_int_equal(errors[i].status, SBX_OK);
        assert_true(GetExitCodeThread(threads[i], &opened[i]));
        CloseHandle(threads[i]);
    }
    assert_int_equal(opened[0] + opened[1], 2);
    expect_works();
}

/* Whoever has a file open for himself does not keep it from being opened to commands. */
static void test_locked_file(void **context)
{
    sbx_grants *grants;
    HANDLE file;

    JUDGED
    sbx_grants_close(open_grants());
    bring("d");
    file = CreateFileA(tree_path("ws\\d\\f.txt"), GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    assert_int_equal(grant_again("ws").opened, 2);
    CloseHandle(file);
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\d\\f.txt"), 0);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
}

/* ---- Of runs with the same roots and rules -------------------------------------------- */

static void take_set(sbx_sid *sid)
{
    sbx_grants *grants = open_grants();

    memcpy(sid->bytes, sbx_grants_set(grants), sizeof(sid->bytes));
    sbx_grants_close(grants);
}

static void test_set(void **context)
{
    static const char *none[] = {"C:\\none"};
    const char *first;
    sbx_sid a, b;

    JUDGED
    take_set(&a);
    policy.run_id = "2123456789abcdef0123456789abcdef";
    take_set(&b);
    assert_memory_equal(&a, &b, sizeof(a));
    first = protected_paths[0]; /* in any order */
    protected_paths[0] = protected_paths[3];
    protected_paths[3] = first;
    take_set(&b);
    assert_memory_equal(&a, &b, sizeof(a));
    tree_warnings = 0;
    policy.protected_count = 3; /* one fewer */
    take_set(&b);
    assert_memory_not_equal(&a, &b, sizeof(a));
    assert_int_equal(tree_warnings, 1);
    assert_non_null(strstr(tree_warning, "with other writable folders or rules"));
    policy.protected_count = 4;
    policy.git = SBX_GIT_COMMIT;
    take_set(&b);
    assert_memory_not_equal(&a, &b, sizeof(a));
    policy.git = SBX_GIT_PROTECT;
    policy.deny_read = none;
    policy.deny_read_count = 1;
    take_set(&b);
    assert_memory_not_equal(&a, &b, sizeof(a));
    policy.deny_read_count = 0;
    writable[1] = tree_path("other"); /* one root more */
    policy.writable_count = 2;
    take_set(&b);
    assert_memory_not_equal(&a, &b, sizeof(a));
    first = writable[0];
    writable[0] = writable[1];
    writable[1] = first;
    take_set(&a);
    assert_memory_equal(&a, &b, sizeof(a));
    writable[0] = first;
    policy.writable_count = 0;
    {
        sbx_grants *grants = open_grants();

        assert_null(sbx_grants_set(grants));
        sbx_grants_close(grants);
    }
    policy.writable_count = 1;
    clean_all();
}

/* What has an ACE of a set is open to runs of that alone, is opened to all by another look, and clean takes both away. */
static void test_set_cleaned(void **context)
{
    sbx_user_sid user;
    sbx_sid set;
    char sddl[512], *sid = NULL, *own = NULL, *after;

    JUDGED
    take_set(&set);
    assert_int_equal(sbx_user_get(&user, NULL), SBX_OK);
    assert_true(ConvertSidToStringSidA(set.bytes, &sid) && ConvertSidToStringSidA(user.u.bytes, &own));
    snprintf(sddl, sizeof(sddl), "D:AI(A;ID;FA;;;%s)(A;ID;0x1301bf;;;%s)", own, sid);
    tree_file("ws\\t", "a");
    tree_set("ws\\t", sddl);
    assert_int_equal(grant_again("ws").opened, 1);
    clean_all();
    after = tree_snapshot("ws\\t");
    snprintf(sddl, sizeof(sddl), "D:AI(A;ID;FA;;;%s)", own);
    tree_set("ws\\t", sddl);
    tree_same("ws\\t", after);
    LocalFree(sid);
    LocalFree(own);
}

/* ---- Ended halfway ---------------------------------------------------------------- */

static volatile LONG steps_left;

static void die(const char *step)
{
    (void)step;
    if (!InterlockedDecrement(&steps_left))
        die_now();
}

static int victim(int step)
{
    sbx_grant_count count = {.size = sizeof(count)};
    sbx_error err = {.size = sizeof(err)};

    attach();
    steps_left = step;
    sbx_step_hook = die;
    return sbx_grants_again(tree_path("ws"), &count, &err);
}

/* Ctrl-C ends the process wherever it is: the ledger can be read, and the next run or `sbx grant` finishes what was begun. */
static void test_killed(void **context)
{
    DWORD code = 99;
    char *before;
    int step;

    JUDGED
    for (step = 1; code == 99; step++) {
        STARTUPINFOA start = {.cb = sizeof(start)};
        PROCESS_INFORMATION process;
        char self[600], line[700], name[32];
        sbx_ledger ledger = {0};
        sbx_grants *grants;

        sbx_grants_close(open_grants());
        snprintf(name, sizeof(name), "d%d", step);
        bring(name);
        before = tree_snapshot("ws");
        GetModuleFileNameA(NULL, self, sizeof(self));
        snprintf(line, sizeof(line), "\"%s\" %d", self, step);
        assert_true(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &process));
        code = end_of_victim(process.hProcess);
        CloseHandle(process.hThread);
        CloseHandle(process.hProcess);
        assert_true(code == 99 || code == 0);
        assert_int_equal(sbx_ledger_load(&ledger, NULL), SBX_OK);
        assert_true(ledger.roots && !ledger.damaged);
        sbx_ledger_fini(&ledger);
        if (step % 2)
            grant_again("ws");
        grants = open_grants();
        snprintf(name, sizeof(name), "ws\\d%d\\f.txt", step);
        if (step > 2 || step % 2) { /* before that nothing was begun */
            tree_enter(grants);
            assert_int_equal(act_write(name), 0);
            assert_int_equal(act_write("ws\\.git\\config"), DENIED);
            tree_leave();
        }
        sbx_grants_close(grants);
        clean_all();
        sbx_free(before);
    }
    print_message("killed at %d steps\n", step - 2);
    assert_true(step > 6);
}

/* ---- What the version before left -------------------------------------------------- */

/* A ledger without counts: links and files with several names have nothing in its grants. */
static void make_old(void)
{
    sbx_ledger ledger = {0};
    sbx_ledger_root *root;
    char text[65536];
    uint8_t *at = (uint8_t *)text;
    HANDLE file;
    DWORD written;

    assert_int_equal(sbx_ledger_load(&ledger, NULL), SBX_OK);
    for (root = ledger.roots; root; root = root->next) {
        sbx_ledger_record record = {.type = SBX_RECORD_DONE, .count = root->count, .path = root->path};
        sbx_ledger_path *path;

        memcpy(record.sid, root->sid.bytes, sizeof(record.sid));
        record.path_length = (uint32_t)strlen(root->path);
        at += sbx_ledger_record_put(&record, at);
        for (path = root->paths; path; path = path->next) {
            if (path->kind >= SBX_RECORD_SHARED)
                continue;
            record.type = path->kind;
            record.count = path->id;
            record.path = path->path;
            record.path_length = (uint32_t)strlen(path->path);
            at += sbx_ledger_record_put(&record, at);
        }
    }
    sbx_ledger_fini(&ledger);
    file = CreateFileA(tree_path("state\\ledger"), GENERIC_WRITE, 7, NULL, CREATE_ALWAYS, 0, NULL);
    assert_true(WriteFile(file, text, (DWORD)(at - (uint8_t *)text), &written, NULL));
    CloseHandle(file);
}

static void test_version_before(void **context)
{
    char *before;
    sbx_grants *grants;

    JUDGED
    make_links();
    before = tree_snapshot("ws");
    sbx_grants_close(open_grants());
    make_old();
    assert_int_equal(act_rmdir("ws\\node_modules\\a"), 0);
    assert_int_equal(tree_link("dl", "ws\\packages\\a"), 0);
    assert_int_equal(act_rename("dl", "ws\\node_modules\\a"), 0); /* without an ACE of the root */
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write_link("ws\\node_modules\\a"), 0);
    tree_leave();
    sbx_grants_close(grants);
    tree_grant_notes = 0;
    policy.protected_count = 2;
    sbx_grants_close(open_grants());
    assert_int_equal(tree_grant_notes, 0); /* once */
    clean_all();
    sbx_free(before);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_link_protected, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_name_protected_later, setup, teardown),
        cmocka_unit_test_setup_teardown(test_name_appears, setup, teardown),
        cmocka_unit_test_setup_teardown(test_name_moves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_moved_in, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_root, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repository_moved_in, setup, teardown),
        cmocka_unit_test_setup_teardown(test_moved_into_protected, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reset_part, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reset_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reset_before, setup, teardown),
        cmocka_unit_test_setup_teardown(test_swapped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_locked_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_set, setup, teardown),
        cmocka_unit_test_setup_teardown(test_set_cleaned, setup, teardown),
        cmocka_unit_test_setup_teardown(test_version_before, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
    };

    if (argc == 2)
        return victim(atoi(argv[1]));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
