/* The table, at widths. */
#include "unit/compare/sample.h"

#include <stdio.h>
#include <string.h>

#include "base/utf.h"
#include "compare/table.h"

/* Everything that a table says, without its blanks. */
static void squeeze(const char *text, sbx_text *out)
{
    for (; *text; text++)
        if (*text != ' ' && *text != '\n')
            sbx_text_add_char(out, *text);
}

static void print(unsigned width, sbx_text *out)
{
    cJSON *root = sample();
    sbx_matrix m = {0};

    sbx_matrix_make(&m, root);
    assert_false(m.failed);
    sbx_table_print(&m, width, out);
    sbx_matrix_fini(&m);
    cJSON_Delete(root);
}

static void widths(void **state)
{
    static const unsigned all[] = {40, 41, 57, 79, 80, 99, 100, 119, 120, 200, 1000};
    size_t i, length;
    const char *at;

    (void)state;
    for (i = 0; i < SBX_COUNT(all); i++) {
        sbx_text out = {0};

        print(all[i], &out);
        for (at = out.data; *at; at += length + 1) {
            length = strcspn(at, "\n");
            assert_true(sbx_utf8_columns(at, length) <= all[i]);
            assert_true(!length || at[length - 1] != ' ');
        }
        sbx_text_fini(&out);
    }
}

/* Each cell is there, whatever the width: of every backend its name, and what is told of it. */
static void nothing_is_lost(void **state)
{
    static const unsigned all[] = {10, 40, 80, 100, 300}; /* 10 counts as 40 */
    size_t i, j;

    (void)state;
    for (i = 0; i < SBX_COUNT(all); i++) {
        static const char *const cells[] = {"withoutsbx", "broken-lie", "elevated", "unelevated", "not-there"};
        sbx_text out = {0}, text = {0};

        print(all[i], &out);
        squeeze(out.data, &text);
        for (j = 0; j < SBX_COUNT(cells); j++)
            assert_non_null(strstr(text.data, cells[j]));
        sbx_text_fini(&out);
        sbx_text_fini(&text);
    }
}

static void says(void **state)
{
    static const char *const lines[] = {
        "measured              -                         gaps                      as claimed ",
        "enforced: 0 of 2 held, 2  ", /* of the one that lies */
        "what has to work      -                         1 of 2, not: node-pipe    2 of 2",
        "smallest program      15.7 ms ",
        "+55.5 ms, 4.54 times",
        "exit code             0                         did not run               0                         1 ",
        "output                -                         -                         equal                     differs",
        "files                 2 created, 1 changed, 1   -  ",
        "files left            -                         -                         equal                     4 differ ",
        "memory, peak          90.0 MiB ",
    };
    sbx_text out = {0};
    size_t i;

    (void)state;
    print(152, &out);
    for (i = 0; i < SBX_COUNT(lines); i++)
        if (!strstr(out.data, lines[i])) {
            print_error("%s\nis not in\n%s", lines[i], out.data);
            fail();
        }
    sbx_text_fini(&out);
}

/* Long words and wide letters are cut between characters. */
static void long_cells(void **state)
{
    cJSON *root =
        cJSON_Parse("{\"without\": {}, \"backends\": [{\"name\": \"a-name-that-is-longer-than-any-column-of-a-table\","
                    " \"verdict\": "
                    "\"\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2"
                    "\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2 end\"}]}");
    sbx_matrix m = {0};
    sbx_text out = {0};
    size_t length;
    const char *at;

    (void)state;
    assert_non_null(root);
    sbx_matrix_make(&m, root);
    sbx_table_print(&m, 40, &out);
    for (at = out.data; *at; at += length + 1) {
        length = strcspn(at, "\n");
        assert_true(sbx_utf8_columns(at, length) <= 40);
        assert_int_equal(sbx_utf8_check(at, length), length);
    }
    assert_non_null(strstr(out.data, "end"));
    sbx_text_fini(&out);
    sbx_matrix_fini(&m);
    cJSON_Delete(root);
}

static void memory_ends(void **state)
{
    cJSON *root = sample();
    const int64_t live = sbx_fault_live();
    sbx_text out = {0};

    (void)state;
    SBX_FAULT_EACH(n)
    {
        sbx_matrix m = {0};

        sbx_matrix_make(&m, root);
        assert_true(m.failed == sbx_fault_hit());
        if (!m.failed)
            sbx_table_print(&m, 80, &out);
        sbx_text_fini(&out);
        sbx_matrix_fini(&m);
        assert_int_equal(sbx_fault_live(), live);
    }
    cJSON_Delete(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths),     cmocka_unit_test(nothing_is_lost), cmocka_unit_test(says),
        cmocka_unit_test(long_cells), cmocka_unit_test(memory_ends),
    };

    sbx_fault_use(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
