/* Command lines: split, quote, batch files. */
#include "unit/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/quote.h"
#include "base/utf.h"

/* Split a line and give the arguments as "[a][b]", each with where it begins: "[0 a][4 b]". */
static void check_split(const char *line, const char *expected)
{
    uint16_t *line_w = sbx_utf8_to_utf16(line, strlen(line), NULL);
    sbx_arguments arguments = {0};
    sbx_arena arena = {NULL};
    sbx_text got = {0};
    uint32_t i;

    assert_int_equal(sbx_quote_split(&arena, line_w, &arguments, NULL), SBX_OK);
    for (i = 0; i < arguments.count; i++)
        sbx_text_printf(&got, "[%u %s]", (unsigned)arguments.begin[i], arguments.items[i]);
    sbx_text_add(&got, "");
    assert_string_equal(got.data, expected);
    assert_null(arguments.items[arguments.count]);
    sbx_text_fini(&got);
    sbx_arena_fini(&arena);
    sbx_free(line_w);
}

static void split(void **state)
{
    (void)state;
    sbx_fault_use(0);
    check_split("", "");
    check_split("sbx", "[0 sbx]");
    check_split("sbx  a\tb  ", "[0 sbx][5 a][7 b]");
    check_split(" a", "[0 ][1 a]");
    check_split("\"C:\\Program Files\\\"x.exe a", "[0 C:\\Program Files\\x.exe][25 a]");
    check_split("\"a b", "[0 a b]");
    check_split("x \"\" \"a b\"c \"", "[0 x][2 ][5 a bc][12 ]");
    check_split("x a\\b a\\\\b \"a\\\\\" a\\\"b", "[0 x][2 a\\b][6 a\\\\b][11 a\\][17 a\"b]");
    check_split("x \"a\\\\\\\"b\" c\\\\\\\\\"d e\"", "[0 x][2 a\\\"b][11 c\\\\d e]");
    check_split("x \"a\"\"b\" c", "[0 x][2 a\"b c]");
    check_split("x \"\"\"a b\"\"\" c", "[0 x][2 \"a][7 b\"][12 c]");
    check_split("sbx -- \xC3\xA4 \xF0\x9F\x98\x80 z", "[0 sbx][4 --][7 \xC3\xA4][9 \xF0\x9F\x98\x80][12 z]");
    assert_int_equal(sbx_fault_live(), 0);
}

static void split_without_memory(void **state)
{
    static const uint16_t line_w[] = {'s', 'b', 'x', ' ', '"', 'a', '"', ' ', 'b', 0};

    (void)state;
    SBX_FAULT_EACH(n)
    {
        sbx_arguments arguments = {0};
        sbx_arena arena = {NULL};
        sbx_error err = {0};
        sbx_status st = sbx_quote_split(&arena, line_w, &arguments, &err);

        if (st) {
            assert_true(sbx_fault_hit());
            assert_int_equal(err.status, SBX_E_MEMORY);
            assert_int_equal(arguments.count, 0);
        } else {
            assert_int_equal(arguments.count, 3);
        }
        sbx_arena_fini(&arena);
        assert_int_equal(sbx_fault_live(), 0);
    }
}

static void quoted(void **state)
{
    static const char *const rows[][2] = {
        {"a", "a"},
        {"", "\"\""},
        {"a b", "\"a b\""},
        {"a\tb", "\"a\tb\""},
        {"C:\\a\\", "C:\\a\\"},
        {"C:\\a b\\", "\"C:\\a b\\\\\""},
        {"a\"b", "\"a\\\"b\""},
        {"a\\\"b", "\"a\\\\\\\"b\""},
        {"\\\\s\\h", "\\\\s\\h"},
        {"%PATH%^&|!", "%PATH%^&|!"},
    };
    sbx_error err = {0};
    size_t i;

    (void)state;
    sbx_fault_use(0);
    for (i = 0; i < SBX_COUNT(rows); i++) {
        sbx_text line = {0};

        sbx_quote_argument(&line, rows[i][0]);
        assert_string_equal(line.data, rows[i][1]);
        sbx_text_fini(&line);
    }
    {
        static const char *const good[] = {"C:\\Program Files\\a.exe", "b", ""};
        static const char *const bad[] = {"a\"b"};
        static const char *const slash[] = {"C:\\a b\\", "c"};
        static const char *const empty[] = {"", "c"};
        sbx_text line = {0};

        assert_int_equal(sbx_quote_line(&line, good, 3, &err), SBX_OK);
        assert_string_equal(line.data, "\"C:\\Program Files\\a.exe\" b \"\"");
        line.length = 0;
        assert_int_equal(sbx_quote_line(&line, slash, 2, &err), SBX_OK);
        assert_string_equal(line.data, "\"C:\\a b\\\" c");
        line.length = 0;
        assert_int_equal(sbx_quote_line(&line, empty, 2, &err), SBX_OK);
        assert_string_equal(line.data, "\"\" c");
        line.length = 0;
        assert_int_equal(sbx_quote_line(&line, bad, 1, &err), SBX_E_REFUSED);
        assert_int_equal(line.length, 0);
        assert_int_equal(sbx_quote_line(&line, NULL, 0, &err), SBX_OK);
        sbx_text_fini(&line);
    }
    assert_int_equal(sbx_fault_live(), 0);
}

/* Random arguments of the characters that matter come back as they were. */
static void round_trip(void **state)
{
    static const char *const pieces[] = {"a", "\\", "\"", " ", "\t", "\xC3\xA4", "\xED\xA0\x80", "%", "^", "\n"};
    uint32_t random = 12345, count, i, j, k, length;
    char arguments[6][64];
    const char *items[6];

    (void)state;
    sbx_fault_use(0);
    for (i = 0; i < 20000; i++) {
        sbx_arguments got = {0};
        sbx_arena arena = {NULL};
        sbx_text line = {0};
        uint16_t *line_w;

        random = random * 1103515245u + 12345u;
        count = 1 + (random >> 16) % 6;
        items[0] = "x";
        for (j = 1; j < count; j++) {
            arguments[j][0] = 0;
            random = random * 1103515245u + 12345u;
            length = (random >> 16) % 10;
            for (k = 0; k < length; k++) {
                size_t used = strlen(arguments[j]);

                random = random * 1103515245u + 12345u;
                snprintf(arguments[j] + used, sizeof(arguments[j]) - used, "%s",
                         pieces[(random >> 16) % SBX_COUNT(pieces)]);
            }
            items[j] = arguments[j];
        }
        assert_int_equal(sbx_quote_line(&line, items, count, NULL), SBX_OK);
        line_w = sbx_utf8_to_utf16(line.data, line.length, NULL);
        assert_non_null(line_w);
        assert_int_equal(sbx_quote_split(&arena, line_w, &got, NULL), SBX_OK);
        assert_int_equal(got.count, count);
        for (j = 0; j < count; j++)
            assert_string_equal(got.items[j], items[j]);
        sbx_free(line_w);
        sbx_text_fini(&line);
        sbx_arena_fini(&arena);
    }
    assert_int_equal(sbx_fault_live(), 0);
}

static void batch_names(void **state)
{
    static const char *const yes[] = {"C:\\a.bat", "a.CMD",        "a.Bat . .", "a.cmd ",
                                      "a.b.bat",   "a.bat::$DATA", ".cmd",      "a.bat:s"};
    static const char *const no[] = {"a.exe", "a.bat.exe", "a", "bat", "", "C:\\a.bat\\x", "a.batx", "abat"};
    size_t i;

    (void)state;
    for (i = 0; i < SBX_COUNT(yes); i++)
        assert_true(sbx_quote_is_batch(yes[i]));
    for (i = 0; i < SBX_COUNT(no); i++)
        assert_false(sbx_quote_is_batch(no[i]));
}

static void batch(void **state)
{
    static const char *const good[] = {"a", "build", "--x:y/z@1.0_#$*+?", "b c",  "x&y|z^<>()", "C:\\d\\",  "C:\\d",
                                       "",  "a!b",   "-o=1,2;3",          "100%", "~",          "\xC3\xA4", "a\tb"};
    static const struct {
        const char *argument, *object;
    } rows[] = {
        {"a\"&calc", "argument 2 holds '\"'"},
        {"a\nb", "argument 2 holds U+000A"},
        {"a\rb", "argument 2 holds U+000D"},
        {"a\x1A", "argument 2 holds U+001A"},
    };
    const char *items[2] = {"ok", NULL};
    char long_argument[9000];
    sbx_error err = {0};
    sbx_text line = {0};
    sbx_arena arena = {NULL};
    const sbx_env_edit *edits = NULL;
    uint32_t edit_count = 0;
    size_t i;

    (void)state;
    sbx_fault_use(0);
    assert_int_equal(sbx_quote_batch(&line, "C:\\Windows\\System32\\cmd.exe", "C:\\my tools\\npm.cmd", good,
                                     SBX_COUNT(good), &arena, &edits, &edit_count, &err),
                     SBX_OK);
    assert_string_equal(
        line.data, "\"C:\\Windows\\System32\\cmd.exe\" /d /e:on /v:off /s /c \"\"C:\\my tools\\npm.cmd\" "
                   "a build --x:y/z@1.0_#$*+? \"b c\" \"x&y|z^<>()\" \"C:\\d\\\\\" C:\\d \"\" \"a!b\" \"-o=1,2;3\" "
                   "\"%SBX_ARG_1%\" \"~\" \"\xC3\xA4\" \"a\tb\"\"");
    assert_int_equal(edit_count, 1);
    assert_int_equal(edits[0].op, SBX_ENV_SET);
    assert_string_equal(edits[0].name, "SBX_ARG_1");
    assert_string_equal(edits[0].value, "100%");
    line.length = 0;
    for (i = 0; i < SBX_COUNT(rows); i++) {
        items[1] = rows[i].argument;
        assert_int_equal(sbx_quote_batch(&line, "cmd", "C:\\a.cmd", items, 2, &arena, &edits, &edit_count, &err),
                         SBX_E_REFUSED);
        assert_string_equal(err.object, rows[i].object);
        assert_true(err.hint[0]);
        assert_int_equal(line.length, 0);
    }
    assert_int_equal(sbx_quote_batch(&line, "cmd", "C:\\100%\\a.cmd", items, 1, &arena, &edits, &edit_count, &err),
                     SBX_OK);
    assert_string_equal(line.data, "\"cmd\" /d /e:on /v:off /s /c \"\"%SBX_ARG_1%\" ok\"");
    assert_int_equal(edit_count, 1);
    assert_string_equal(edits[0].value, "C:\\100%\\a.cmd");
    line.length = 0;
    assert_int_equal(sbx_quote_batch(&line, "cmd", "C:\\a\x1B.cmd", items, 1, &arena, &edits, &edit_count, &err),
                     SBX_E_REFUSED);
    assert_string_equal(err.object, "its path holds U+001B");
    memset(long_argument, 'x', sizeof(long_argument) - 1);
    long_argument[sizeof(long_argument) - 1] = 0;
    items[1] = long_argument;
    assert_int_equal(sbx_quote_batch(&line, "cmd", "C:\\a.cmd", items, 2, &arena, &edits, &edit_count, &err),
                     SBX_E_REFUSED);
    assert_non_null(strstr(err.object, "8191"));
    line.length = 0;
    long_argument[0] = '%'; /* what it expands to counts */
    assert_int_equal(sbx_quote_batch(&line, "cmd", "C:\\a.cmd", items, 2, &arena, &edits, &edit_count, &err),
                     SBX_E_REFUSED);
    sbx_text_fini(&line);
    sbx_arena_fini(&arena);
    assert_int_equal(sbx_fault_live(), 0);
}

static void batch_without_memory(void **state)
{
    static const char *const items[] = {"a b", "50%"};

    (void)state;
    SBX_FAULT_EACH(n)
    {
        sbx_text line = {0};
        sbx_arena arena = {NULL};
        const sbx_env_edit *edits = NULL;
        uint32_t count = 0;

        assert_int_equal(sbx_quote_batch(&line, "cmd", "a.cmd", items, 2, &arena, &edits, &count, NULL), SBX_OK);
        assert_int_equal(line.failed != 0, sbx_fault_hit() != 0);
        sbx_text_fini(&line);
        sbx_arena_fini(&arena);
        assert_int_equal(sbx_fault_live(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split),
        cmocka_unit_test(split_without_memory),
        cmocka_unit_test(quoted),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(batch_names),
        cmocka_unit_test(batch),
        cmocka_unit_test(batch_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
