#include "full.h"

#include "base/memory.h"
#include "common/grants/ledger.h"
#include "common/grants/shield.h"
#include "fixture.h"
#include "win/error.h"

static int small;

int full_setup(void **context)
{
    char folder[512];

    small = GetEnvironmentVariableA("SBX_SMALL_DISK", folder, sizeof(folder) - 8) != 0;
    if (small) {
        strcat(folder, "\\tree");
        CreateDirectoryA(folder, NULL);
        SetEnvironmentVariableA("SBX_TREE", folder);
    }
    return setup(context);
}

#define ON_SMALL_DISK                                                                                                  \
    JUDGED                                                                                                             \
    if (!small) {                                                                                                      \
        print_message("not judged here: no small disk\n");                                                             \
        skip();                                                                                                        \
        return;                                                                                                        \
    }

/* Every last byte of it, but for `room` files of a page. */
static void fill_data(unsigned room)
{
    static const char page[4096] = {1};
    HANDLE file = CreateFileA(tree_path("filler"), GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    DWORD written;
    LONG size = 0;

    assert_true(file != INVALID_HANDLE_VALUE);
    while (WriteFile(file, page, sizeof(page), &written, NULL) && written == sizeof(page))
        size += (LONG)sizeof(page);
    assert_true(size > 65536);
    if (room) {
        SetFilePointer(file, size - (LONG)(room * sizeof(page)), NULL, FILE_BEGIN);
        assert_true(SetEndOfFile(file));
    }
    CloseHandle(file);
}

/* What the file system keeps about files, names and descriptors, but for what `room` files take. */
static void fill_names(unsigned room)
{
    char name[32];
    unsigned i;

    tree_dir("names");
    for (i = 0;; i++) {
        HANDLE file;

        snprintf(name, sizeof(name), "names\\%u", i);
        file = CreateFileA(tree_path(name), GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
        if (file == INVALID_HANDLE_VALUE)
            break;
        CloseHandle(file);
        assert_true(i < 10000);
    }
    assert_true(i > room);
    while (room--) {
        snprintf(name, sizeof(name), "names\\%u", --i);
        act_delete(name);
    }
}

static void make_room(void)
{
    act_delete("filler");
    tree_remove("names");
}

/* With room again the next run works, and everything can be undone. */
static void recovers(const char *before)
{
    char *after;

    make_room();
    clean_all();
    after = tree_snapshot("ws");
    assert_string_equal(before, after);
    sbx_free(after);
    expect_works();
    after = tree_snapshot("ws");
    assert_string_equal(before, after);
    sbx_free(after);
}

/* No room for the descriptors, in the middle of the tree. */
void test_full_tree(void **context)
{
    char *before, *between, name[32];
    sbx_error err;
    int i;

    ON_SMALL_DISK
    for (i = 0; i < 150; i++) {
        snprintf(name, sizeof(name), "ws\\file%d", i);
        tree_file(name, "f");
    }
    sbx_grants_close(open_grants()); /* the state folder is there */
    clean_all();
    before = tree_snapshot("ws");
    fill_names(2);
    assert_int_equal(open_error(&err), SBX_E_SYSTEM);
    assert_string_equal(err.op, "NtSetSecurityObject");
    assert_true(err.code && strstr(err.object, "\\tree\\ws\\")); /* which code: the lab has one for all */
    between = tree_snapshot("ws");
    assert_string_not_equal(before, between);
    recovers(before);
    sbx_free(before);
    sbx_free(between);
}

/* What cannot be recorded is not done. */
void test_full_ledger(void **context)
{
    char *before, *after;
    sbx_error err;

    ON_SMALL_DISK
    sbx_grants_close(open_grants());
    clean_all();
    act_delete("state\\ledger"); /* or its last page would have room */
    before = tree_snapshot("ws");
    fill_data(1); /* for the file of the run */
    assert_int_equal(open_error(&err), SBX_E_SYSTEM);
    assert_string_equal(err.op, "WriteFile");
    assert_non_null(strstr(err.object, "state\\ledger"));
    assert_int_equal(err.code, ERROR_DISK_FULL);
    after = tree_snapshot("ws");
    assert_string_equal(before, after);
    recovers(before);
    sbx_free(before);
    sbx_free(after);
}

/* Zeros behind the records, to the next page at least: to change it is to write it anew.  Returns its size. */
static DWORD damage_ledger(void)
{
    static const char zeros[4096] = {0};
    HANDLE file = CreateFileA(tree_path("state\\ledger"), FILE_APPEND_DATA | FILE_READ_ATTRIBUTES, 0, NULL,
                              OPEN_EXISTING, 0, NULL);
    DWORD written, size;

    assert_true(file != INVALID_HANDLE_VALUE);
    size = GetFileSize(file, NULL);
    assert_true(WriteFile(file, zeros, sizeof(zeros) - size % sizeof(zeros), &written, NULL));
    size = GetFileSize(file, NULL);
    assert_int_equal(size % sizeof(zeros), 0);
    CloseHandle(file);
    return size;
}

/* A ledger that would have to be written anew stays what it is, and nothing beside it is left. */
void test_full_rewrite(void **context)
{
    WIN32_FIND_DATAA found;
    char *before;
    sbx_error err;
    HANDLE search;
    DWORD size;

    ON_SMALL_DISK
    before = tree_snapshot("ws");
    policy.protected_count = 2;
    sbx_grants_close(open_grants());
    size = damage_ledger();
    policy.protected_count = 4;
    fill_data(1);
    assert_int_equal(open_error(&err), SBX_E_SYSTEM);
    assert_non_null(strstr(err.object, "state\\ledger"));
    assert_int_equal(err.code, ERROR_DISK_FULL);
    search = FindFirstFileA(tree_path("state\\ledger*"), &found);
    assert_string_equal(found.cFileName, "ledger");
    assert_int_equal(found.nFileSizeLow, size);
    assert_false(FindNextFileA(search, &found));
    FindClose(search);
    recovers(before);
    sbx_free(before);
}

static int32_t SBX_CALL count_guards(void *context, const sbx_state_item *item, const sbx_error *error)
{
    (void)error;
    *(int *)context += !strcmp(item->kind, "guard");
    return 0;
}

/* The file of the run: open here, it gives its page back only when this is closed. */
static HANDLE keep_run_file(void)
{
    WIN32_FIND_DATAA found;
    HANDLE search = FindFirstFileA(tree_path("state\\runs\\*.*"), &found), file;
    char name[300];

    assert_true(search != INVALID_HANDLE_VALUE);
    while (found.cFileName[0] == '.')
        assert_true(FindNextFileA(search, &found));
    FindClose(search);
    snprintf(name, sizeof(name), "state\\runs\\%s", found.cFileName);
    file = CreateFileA(tree_path(name), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                       OPEN_EXISTING, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    return file;
}

/* A run that ends then still takes its guards along, though it cannot record that. */
void test_full_end(void **context)
{
    int guards = 0;
    char *before;
    sbx_grants *grants;
    HANDLE run_file;

    ON_SMALL_DISK
    before = tree_snapshot("ws");
    grants = open_grants();
    run_file = keep_run_file();
    damage_ledger();
    fill_data(0);
    sbx_grants_close(grants);
    CloseHandle(run_file);
    assert_false(tree_exists("ws\\.agents") || tree_exists("ws\\sbx.toml"));
    assert_int_equal(sbx_grants_list(count_guards, &guards, NULL), SBX_OK);
    assert_int_equal(guards, 2);
    recovers(before);
    sbx_free(before);
}

/* `sbx grant`: what cannot be recorded is not opened; what stopped in the middle is gone on with. */
void test_full_again(void **context)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_grant_count count = {.size = sizeof(count)};
    sbx_ledger ledger = {0};
    sbx_grants *grants;
    char *before, name[32];
    int i;

    ON_SMALL_DISK
    tree_dir("m");
    for (i = 0; i < 150; i++) {
        snprintf(name, sizeof(name), "m\\file%d", i);
        tree_file(name, "f");
    }
    sbx_grants_close(open_grants());
    assert_int_equal(act_rename("m", "ws\\m"), 0);
    before = tree_snapshot("ws");
    damage_ledger();
    fill_data(0);
    assert_int_equal(sbx_grants_again(tree_path("ws"), &count, &err), SBX_E_SYSTEM);
    assert_non_null(strstr(err.object, "state\\ledger"));
    assert_int_equal(err.code, ERROR_DISK_FULL);
    tree_same("ws", before);
    make_room();
    fill_names(2);
    assert_int_equal(sbx_grants_again(tree_path("ws"), &count, &err), SBX_E_SYSTEM);
    assert_string_equal(err.op, "NtSetSecurityObject");
    assert_int_equal(sbx_ledger_load(&ledger, NULL), SBX_OK);
    assert_true(ledger.roots && !ledger.damaged && !ledger.roots->done);
    sbx_ledger_fini(&ledger);
    make_room();
    expect_ok(sbx_grants_again(tree_path("ws"), &count, &err), &err);
    assert_true(count.opened > 0);
    grants = open_grants();
    for (i = 0; i < 150; i++) {
        snprintf(name, sizeof(name), "ws\\m\\file%d", i);
        assert_int_equal(tree_aces(name, grants), 1);
    }
    sbx_grants_close(grants);
    clean_all();
}

/* What cannot be recorded is not shielded; what stopped in the middle is gone on with, and undone. */
void test_full_shield(void **context)
{
    static sbx_shield_count count;
    sbx_error err = {.size = sizeof(err)};
    char *before, name[32];
    int i;

    ON_SMALL_DISK
    for (i = 0; i < 150; i++) {
        snprintf(name, sizeof(name), "other\\dir%d", i);
        tree_dir(name);
    }
    sbx_grants_close(open_grants()); /* the state folder is there */
    clean_all();
    before = tree_snapshot("other");
    fill_data(0);
    assert_int_equal(sbx_shield_run(0, tree_path("other"), &count, &err), SBX_E_SYSTEM);
    assert_non_null(strstr(err.object, "state\\shields"));
    assert_int_equal(err.code, ERROR_DISK_FULL);
    tree_same("other", before);
    make_room();
    before = tree_snapshot("other");
    expect_ok(sbx_shield_run(0, tree_path("other"), &count, &err), &err);
    expect_ok(sbx_shield_run(SBX_SHIELD_REMOVE, tree_path("other"), &count, &err), &err);
    fill_names(2);
    assert_int_equal(sbx_shield_run(0, tree_path("other"), &count, &err), SBX_E_SYSTEM);
    assert_string_equal(err.op, "NtSetSecurityObject");
    assert_true(count.changed < 151);
    make_room();
    expect_ok(sbx_shield_run(0, tree_path("other"), &count, &err), &err);
    assert_int_equal(count.changed + count.shielded, 151);
    expect_ok(sbx_shield_run(SBX_SHIELD_REMOVE, tree_path("other"), &count, &err), &err);
    tree_same("other", before);
}
