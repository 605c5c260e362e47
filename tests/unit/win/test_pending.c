/* In a directory of its own. */
#include <windows.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/mimalloc.h"
#include "win/file.h"
#include "win/pending.h"

static char root[MAX_PATH];

static const char *at(const char *below)
{
    static char paths[4][MAX_PATH * 2];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s\\%s", root, below);
    return path;
}

/* What any test here makes; 1: nothing of ours is left. */
static int clear(void)
{
    static const char *const files[] = {"out\\r.json", "moved\\r.json", "out\\t.json"};
    static const char *const dirs[] = {"out\\d.json", "out", "moved"};
    char taken[MAX_PATH * 2];
    size_t i;

    snprintf(taken, sizeof(taken), "%s.%lx.tmp", at("out\\t.json"), GetCurrentProcessId());
    RemoveDirectoryA(taken);
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        SetFileAttributesA(at(files[i]), FILE_ATTRIBUTE_NORMAL);
        DeleteFileA(at(files[i]));
    }
    for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
        RemoveDirectoryA(at(dirs[i]));
    return RemoveDirectoryA(root) || GetLastError() == ERROR_FILE_NOT_FOUND;
}

static int setup(void **state)
{
    char temp[MAX_PATH];

    (void)state;
    GetTempPathA(MAX_PATH - 40, temp);
    snprintf(root, sizeof(root), "%ssbx-pending-%lu", temp, GetCurrentProcessId());
    /* a process that failed may have had the same number */
    return !clear() || !CreateDirectoryA(root, NULL) || !CreateDirectoryA(at("out"), NULL);
}

static int teardown(void **state)
{
    (void)state;
    return !clear();
}

static void holds(const char *below, const char *text)
{
    char *data = NULL;
    size_t length = 0;

    assert_int_equal(sbx_file_read(at(below), 1000, &data, &length, NULL), SBX_OK);
    assert_string_equal(data, text);
    sbx_free(data);
}

static int is_there(const char *below)
{
    return GetFileAttributesA(at(below)) != INVALID_FILE_ATTRIBUTES;
}

static void it_is_written_whole_and_again(void **state)
{
    sbx_pending pending = {0};
    sbx_error err = {0};

    (void)state;
    assert_int_equal(sbx_pending_open(&pending, at("out\\r.json"), &err), SBX_OK);
    assert_false(is_there("out\\r.json"));
    assert_int_equal(sbx_pending_write(&pending, "first", 5, &err), SBX_OK);
    holds("out\\r.json", "first");
    assert_int_equal(sbx_pending_write(&pending, "2nd", 3, &err), SBX_OK);
    holds("out\\r.json", "2nd");
    sbx_pending_close(&pending);
    assert_null(pending.folder);
}

/* What a command does to the way leads nothing elsewhere. */
static void a_folder_that_is_exchanged_is_not_followed(void **state)
{
    sbx_pending pending = {0};
    sbx_error err = {0};
    int moved;

    (void)state;
    assert_int_equal(sbx_pending_open(&pending, at("out\\r.json"), &err), SBX_OK);
    DeleteFileA(at("out\\r.json"));
    moved = MoveFileA(at("out"), at("moved")); /* Windows refuses, for it is open */
    if (moved)
        assert_true(CreateDirectoryA(at("out"), NULL));
    assert_int_equal(sbx_pending_write(&pending, "mine", 4, &err), SBX_OK);
    sbx_pending_close(&pending);
    assert_int_equal(is_there("out\\r.json"), !moved);
    holds(moved ? "moved\\r.json" : "out\\r.json", "mine");
}

/* What was opened has to be what the path leads to in the root, or nothing is written. */
static void it_is_the_folder_of_its_path(void **state)
{
    sbx_pending pending = {0};
    sbx_error err = {0};

    (void)state;
    assert_true(CreateDirectoryA(at("moved"), NULL));
    assert_int_equal(sbx_pending_open(&pending, at("out\\r.json"), &err), SBX_OK);
    assert_int_equal(sbx_pending_check(&pending, at("out\\r.json"), root, &err), SBX_OK);
    assert_int_equal(sbx_pending_check(&pending, at("OUT\\r.json"), root, &err), SBX_OK);
    assert_int_equal(sbx_pending_check(&pending, at("out\\r.json"), at("out"), &err), SBX_OK);
    assert_non_null(pending.folder);
    assert_int_equal(sbx_pending_check(&pending, at("moved\\r.json"), root, &err), SBX_E_REFUSED);
    assert_null(pending.folder);
}

/* What a command leaves under either name does not pass for the report. */
static void a_forged_one_is_replaced(void **state)
{
    sbx_pending pending = {0};
    sbx_error err = {0};
    char temp[64];
    HANDLE forged;

    (void)state;
    assert_int_equal(sbx_pending_open(&pending, at("out\\r.json"), &err), SBX_OK);
    forged = CreateFileA(at("out\\r.json"), GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    assert_true(forged != INVALID_HANDLE_VALUE);
    CloseHandle(forged);
    assert_true(SetFileAttributesA(at("out\\r.json"), FILE_ATTRIBUTE_READONLY));
    snprintf(temp, sizeof(temp), "out\\r.json.%lx.tmp", GetCurrentProcessId());
    assert_true(CreateDirectoryA(at(temp), NULL));
    assert_int_equal(sbx_pending_write(&pending, "true", 4, &err), SBX_OK);
    sbx_pending_close(&pending);
    holds("out\\r.json", "true");
    assert_true(RemoveDirectoryA(at(temp)));
}

static void what_is_in_the_way_stays(void **state)
{
    sbx_pending pending = {0};
    sbx_error err = {0};

    (void)state;
    assert_int_equal(sbx_pending_open(&pending, at("out\\d.json"), &err), SBX_OK);
    assert_true(CreateDirectoryA(at("out\\d.json"), NULL));
    assert_int_not_equal(sbx_pending_write(&pending, "x", 1, &err), SBX_OK);
    sbx_pending_close(&pending);
    assert_true(RemoveDirectoryA(at("out\\d.json")));
}

static void refuses(const char *path, sbx_status want)
{
    sbx_pending pending = {0};
    sbx_error err = {0};

    assert_int_equal(sbx_pending_open(&pending, path, &err), want);
    assert_null(pending.folder);
    assert_true(err.op[0] && (err.hint[0] || err.code));
}

static void names_that_are_none_are_refused(void **state)
{
    (void)state;
    refuses(at("none\\r.json"), SBX_E_SYSTEM);
    refuses(at("out\\nul"), SBX_E_REFUSED);
    refuses(at("out\\r.json:s"), SBX_E_REFUSED);
    refuses("C:\\", SBX_E_REFUSED);
    refuses(at("out"), SBX_E_REFUSED);
}

/* What could not be written later is told before; where it can, nothing shows that it was tried. */
static void it_is_tried_beforehand(void **state)
{
    HANDLE file;
    sbx_pending pending = {0};
    sbx_error err = {0};

    (void)state;
    assert_int_equal(sbx_pending_open(&pending, at("out\\t.json"), &err), SBX_OK);
    sbx_pending_close(&pending);
    file = CreateFileA(at("out\\t.json"), GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_READONLY, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    CloseHandle(file);
    refuses(at("out\\t.json"), SBX_E_REFUSED);
    assert_true(SetFileAttributesA(at("out\\t.json"), FILE_ATTRIBUTE_NORMAL));
    assert_true(DeleteFileA(at("out\\t.json")));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_written_whole_and_again), cmocka_unit_test(a_folder_that_is_exchanged_is_not_followed),
        cmocka_unit_test(what_is_in_the_way_stays),      cmocka_unit_test(names_that_are_none_are_refused),
        cmocka_unit_test(it_is_tried_beforehand),        cmocka_unit_test(a_forged_one_is_replaced),
        cmocka_unit_test(it_is_the_folder_of_its_path),
    };

    sbx_memory_use(&sbx_mimalloc);
    return cmocka_run_group_tests_name("pending", tests, setup, teardown);
}
