/* The journal of setup: what a crash, a damaged disk and a second program leave of it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "plugin/start.h"
#include "setup/journal.h"
#include "win/dirs.h"
#include "win/file.h"
#include "win/wide.h"

static char path[1100];

static int begin(void **state)
{
    char *dir = NULL;

    (void)state;
    if (sbx_dirs_get(SBX_DIR_PROGRAM, &dir, NULL) != SBX_OK)
        return 1;
    snprintf(path, sizeof(path), "%s\\test.journal", dir);
    sbx_free(dir);
    return sbx_file_write(path, "", 0, NULL) != SBX_OK;
}

static sbx_journal *open_it(int writing)
{
    sbx_journal *journal = NULL;
    sbx_error err = {0};

    assert_int_equal(sbx_journal_open(path, writing, &journal, &err), SBX_OK);
    return journal;
}

/* apply one, done one, apply two; the file's text in *text. */
static void write_three(char **text, size_t *length)
{
    sbx_journal *journal = open_it(1);

    assert_int_equal(sbx_journal_add(journal, SBX_JOURNAL_APPLY, "one", NULL), SBX_OK);
    assert_int_equal(sbx_journal_add(journal, SBX_JOURNAL_DONE, "one", NULL), SBX_OK);
    assert_int_equal(sbx_journal_add(journal, SBX_JOURNAL_APPLY, "two", NULL), SBX_OK);
    sbx_journal_close(journal);
    assert_int_equal(sbx_file_read(path, 65536, text, length, NULL), SBX_OK);
}

static void test_round_trip(void **state)
{
    char *text = NULL;
    size_t length = 0;
    sbx_journal *journal;

    (void)state;
    write_three(&text, &length);
    journal = open_it(0);
    assert_int_equal(sbx_journal_last(journal, "one"), SBX_JOURNAL_DONE);
    assert_int_equal(sbx_journal_last(journal, "two"), SBX_JOURNAL_APPLY);
    assert_int_equal(sbx_journal_last(journal, "tw"), SBX_JOURNAL_NONE);
    assert_int_equal(sbx_journal_damaged(journal), 0);
    sbx_journal_close(journal);
    sbx_free(text);
}

/* Cut anywhere: never more is believed than was whole, and what follows is readable. */
static void test_torn(void **state)
{
    char *text = NULL, *again = NULL;
    size_t length = 0, cut, again_length = 0;
    uint32_t one, two;
    sbx_journal *journal;

    (void)state;
    write_three(&text, &length);
    for (cut = 0; cut < length; cut++) {
        assert_int_equal(sbx_file_write(path, text, cut, NULL), SBX_OK);
        journal = open_it(1);
        one = sbx_journal_last(journal, "one");
        two = sbx_journal_last(journal, "two");
        assert_int_equal(two, SBX_JOURNAL_NONE);
        assert_true(one == SBX_JOURNAL_NONE || one == SBX_JOURNAL_APPLY || one == SBX_JOURNAL_DONE);
        assert_int_equal(sbx_journal_add(journal, SBX_JOURNAL_UNDO, "two", NULL), SBX_OK);
        sbx_journal_close(journal);
        journal = open_it(0);
        assert_int_equal(sbx_journal_last(journal, "one"), one);
        assert_int_equal(sbx_journal_last(journal, "two"), SBX_JOURNAL_UNDO);
        assert_int_equal(sbx_journal_damaged(journal), 0);
        sbx_journal_close(journal);
    }
    assert_int_equal(sbx_file_read(path, 65536, &again, &again_length, NULL), SBX_OK);
    assert_memory_equal(again, "sbx-setup 1\n", 12);
    sbx_free(again);
    sbx_free(text);
}

/* A flipped bit takes its own line and no other. */
static void test_damaged(void **state)
{
    char *text = NULL, *line;
    size_t length = 0;
    sbx_journal *journal;

    (void)state;
    write_three(&text, &length);
    line = strstr(text, "done one");
    assert_non_null(line);
    line[0] = 'D';
    assert_int_equal(sbx_file_write(path, text, length, NULL), SBX_OK);
    journal = open_it(1);
    assert_int_equal(sbx_journal_last(journal, "one"), SBX_JOURNAL_APPLY);
    assert_int_equal(sbx_journal_last(journal, "two"), SBX_JOURNAL_APPLY);
    assert_int_equal(sbx_journal_damaged(journal), 1);
    sbx_journal_close(journal);
    /* nothing but NULs, as after a power cut: it begins anew */
    memset(text, 0, length);
    assert_int_equal(sbx_file_write(path, text, length, NULL), SBX_OK);
    journal = open_it(1);
    assert_int_equal(sbx_journal_last(journal, "one"), SBX_JOURNAL_NONE);
    assert_int_equal(sbx_journal_add(journal, SBX_JOURNAL_DONE, "one", NULL), SBX_OK);
    sbx_journal_close(journal);
    journal = open_it(0);
    assert_int_equal(sbx_journal_last(journal, "one"), SBX_JOURNAL_DONE);
    sbx_journal_close(journal);
    sbx_free(text);
}

static void test_two_programs(void **state)
{
    sbx_journal *first = open_it(1), *second = NULL;
    sbx_error err = {0};

    (void)state;
    assert_int_equal(sbx_journal_open(path, 1, &second, &err), SBX_E_SYSTEM);
    assert_int_equal(err.code, ERROR_SHARING_VIOLATION);
    assert_string_equal(err.object, path);
    assert_non_null(strstr(err.hint, "another program keeps it open"));
    assert_int_equal(sbx_journal_remove(first, &err), SBX_OK);
    second = open_it(0); /* not there: empty */
    assert_int_equal(sbx_journal_last(second, "one"), SBX_JOURNAL_NONE);
    sbx_journal_close(second);
}

/* As a program of any user may keep it who reads it; and read-only. */
static void test_kept(void **state)
{
    sbx_journal *journal = open_it(1), *other = NULL;
    uint16_t *path_w = NULL;
    sbx_error err = {0};
    HANDLE file;

    (void)state;
    sbx_journal_close(journal);
    assert_int_equal(sbx_wide_path(path, &path_w, NULL), SBX_OK);
    file = CreateFileW(path_w, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    assert_ptr_not_equal(file, INVALID_HANDLE_VALUE);
    assert_int_equal(sbx_journal_open(path, 1, &other, &err), SBX_E_SYSTEM);
    assert_int_equal(err.code, ERROR_SHARING_VIOLATION);
    assert_string_equal(err.object, path);
    assert_non_null(strstr(err.hint, "another program keeps it open"));
    sbx_journal_close(open_it(0)); /* for reading it is not kept */
    CloseHandle(file);
    assert_true(SetFileAttributesW(path_w, FILE_ATTRIBUTE_READONLY));
    journal = open_it(1);
    assert_int_equal(sbx_journal_add(journal, SBX_JOURNAL_APPLY, "one", &err), SBX_OK);
    sbx_journal_close(journal);
    sbx_free(path_w);
}

/* With each repair it begins anew, unless something waits for its end. */
static void test_no_growth(void **state)
{
    sbx_journal *journal;
    char *text = NULL;
    size_t length = 0;
    int i;

    (void)state;
    for (i = 0; i < 3; i++) {
        journal = open_it(1);
        assert_int_equal(sbx_journal_add(journal, SBX_JOURNAL_APPLY, "one", NULL), SBX_OK);
        assert_int_equal(sbx_journal_add(journal, SBX_JOURNAL_DONE, "one", NULL), SBX_OK);
        sbx_journal_close(journal);
        sbx_free(text);
        assert_int_equal(sbx_file_read(path, 65536, &text, &length, NULL), SBX_OK);
        assert_int_equal(length, strlen("sbx-setup 1\napply one 01234567\ndone one 01234567\n"));
    }
    sbx_free(text);
    journal = open_it(1);
    assert_int_equal(sbx_journal_add(journal, SBX_JOURNAL_DONE, "one", NULL), SBX_OK);
    assert_int_equal(sbx_journal_add(journal, SBX_JOURNAL_APPLY, "two", NULL), SBX_OK);
    sbx_journal_close(journal);
    journal = open_it(1);
    assert_int_equal(sbx_journal_last(journal, "one"), SBX_JOURNAL_DONE);
    assert_int_equal(sbx_journal_last(journal, "two"), SBX_JOURNAL_APPLY);
    sbx_journal_close(journal);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_round_trip, begin), cmocka_unit_test_setup(test_torn, begin),
        cmocka_unit_test_setup(test_damaged, begin),    cmocka_unit_test_setup(test_two_programs, begin),
        cmocka_unit_test_setup(test_kept, begin),       cmocka_unit_test_setup(test_no_growth, begin),
    };

    sbx_start("journal");
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
