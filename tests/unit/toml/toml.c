/* The TOML reader: values, spans, messages, limits, memory. */
#include "unit/support/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/toml.h"

static sbx_status parse(sbx_arena *arena, const char *text, const sbx_toml **root, sbx_diag *diag)
{
    return sbx_toml_parse(arena, "a.toml", text, strlen(text), root, diag);
}

static void check_span(const sbx_span *span, uint32_t line, uint32_t column, const char *text, const char *expected)
{
    assert_int_equal(span->line, line);
    assert_int_equal(span->column, column);
    assert_int_equal(span->length, strlen(expected));
    assert_memory_equal(text + span->offset, expected, span->length);
}

static void values_and_spans(void **state)
{
    static const char text[] = "\xEF\xBB\xBF# first\r\n"
                               "name = \"\xC3\xA4\\u00e4\\n\"\n"
                               "'\xC3\xA4'.b = [1, -0.0 ,true]\n"
                               "[limits]\n"
                               "  at = 1979-05-27 07:32:00z\n"
                               "[[x.y]]\n";
    sbx_arena arena = {NULL};
    const sbx_toml *root = NULL, *value;

    (void)state;
    sbx_fault_use(0);
    assert_int_equal(parse(&arena, text, &root, NULL), SBX_OK);
    assert_int_equal(root->count, 4);

    value = sbx_toml_get(root, "name");
    assert_int_equal(value->type, SBX_TOML_STRING);
    assert_string_equal(value->string, "\xC3\xA4\xC3\xA4\n");
    check_span(&value->key_span, 2, 1, text, "name");
    check_span(&value->span, 2, 8, text, "\"\xC3\xA4\\u00e4\\n\"");

    value = sbx_toml_get(sbx_toml_get(root, "\xC3\xA4"), "b");
    check_span(&value->key_span, 3, 5, text, "b");
    check_span(&value->span, 3, 9, text, "[1, -0.0 ,true]");
    assert_int_equal(value->count, 3);
    assert_int_equal(value->first->integer, 1);
    assert_true(value->first->next->type == SBX_TOML_FLOAT && signbit(value->first->next->number));
    check_span(&value->first->next->next->span, 3, 19, text, "true");

    value = sbx_toml_get(root, "limits");
    check_span(&value->span, 4, 1, text, "[limits]");
    check_span(&value->key_span, 4, 2, text, "limits");
    value = sbx_toml_get(value, "at");
    assert_int_equal(value->type, SBX_TOML_DATETIME);
    assert_string_equal(value->string, "1979-05-27T07:32:00Z");
    check_span(&value->span, 5, 8, text, "1979-05-27 07:32:00z");

    value = sbx_toml_get(sbx_toml_get(root, "x"), "y");
    assert_int_equal(value->type, SBX_TOML_ARRAY);
    check_span(&value->first->span, 6, 1, text, "[[x.y]]");
    assert_null(sbx_toml_get(root, "nothing"));
    sbx_arena_fini(&arena);
}

static void strings(void **state)
{
    static const struct {
        const char *text, *value;
    } rows[] = {
        {"a = ''", ""},
        {"a = '\\n'", "\\n"},
        {"a = \"\\b\\t\\n\\f\\r\\\"\\\\\"", "\b\t\n\f\r\"\\"},
        {"a = \"\\U0001F600\"", "\xF0\x9F\x98\x80"},
        {"a = \"\"\"\r\nx\r\ny\"\"\"", "x\ny"},
        {"a = \"\"\"x \\ \t\r\n \n  y\"\"\"", "x y"},
        {"a = \"\"\"\"two\"\"\"\"\"", "\"two\"\""},
        {"a = ''''''", ""},
        {"a = '''''x'''''", "''x''"},
    };
    const sbx_toml *root = NULL;
    sbx_arena arena = {NULL};
    size_t i;

    (void)state;
    sbx_fault_use(0);
    for (i = 0; i < SBX_COUNT(rows); i++) {
        assert_int_equal(parse(&arena, rows[i].text, &root, NULL), SBX_OK);
        assert_string_equal(root->first->string, rows[i].value);
        assert_int_equal(root->first->string_length, strlen(rows[i].value));
    }
    assert_int_equal(parse(&arena, "a = 2000-02-29", &root, NULL), SBX_OK);
    assert_int_equal(root->first->type, SBX_TOML_DATE_LOCAL);
    assert_int_equal(parse(&arena, "\"a\\u0000b\" = \"x\\u0000\"", &root, NULL), SBX_OK);
    assert_int_equal(root->first->key_length, 3);
    assert_int_equal(root->first->string_length, 2);
    sbx_arena_fini(&arena);
}

static void numbers(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } rows[] = {
        {"a = 0", 0},
        {"a = -0", 0},
        {"a = +1_000", 1000},
        {"a = 9223372036854775807", INT64_MAX},
        {"a = -9223372036854775808", INT64_MIN},
        {"a = 0x7fff_ffff_FFFF_ffff", INT64_MAX},
        {"a = 0o755", 493},
        {"a = 0b1101", 13},
    };
    const sbx_toml *root = NULL;
    sbx_arena arena = {NULL};
    size_t i;

    (void)state;
    sbx_fault_use(0);
    for (i = 0; i < SBX_COUNT(rows); i++) {
        assert_int_equal(parse(&arena, rows[i].text, &root, NULL), SBX_OK);
        assert_int_equal(root->first->type, SBX_TOML_INTEGER);
        assert_true(root->first->integer == rows[i].value);
    }
    sbx_arena_fini(&arena);
}

static void messages(void **state)
{
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *message;
    } rows[] = {
        {"\xC3\xA4 = 1", 1, 1, "a bare key cannot contain '\xC3\xA4'; quote it"},
        {"a = 1\nb = 2\na = 3", 3, 1, "the key \"a\" is there already, in line 1, column 1"},
        {"[a]\n[b]\n[ a ]", 3, 3, "\"a\" is there already, in line 1, column 2"},
        {"a.b = 1\n[a]", 2, 2, "\"a\" is there already, in line 1, column 1"},
        {"a = 1\n[a.b]", 2, 2, "\"a\" is an integer since line 1, not a table"},
        {"a = {b = 1}\n[a.c]", 2, 2, "\"a\" is an inline table (line 1), which nothing can be added to"},
        {"[a.b]\n[a]\nb.c = 1", 3, 1, "the table \"b\" of line 1 cannot be added to by a dotted key"},
        {"a = [1]\n[[a]]", 2, 3, "\"a\" is there already, in line 1, column 1, and is not [[a]]"},
        {"a 1", 1, 3, "'=' must follow the key \"a\", not '1'"},
        {"a", 1, 2, "'=' must follow the key \"a\", not the end of the file"},
        {"= 1", 1, 1, "a key is expected, not '='"},
        {"a =\n", 1, 4, "a value is expected, not the end of the line"},
        {"a = yes", 1, 5, "not a value; a text needs quotes"},
        {"a = 10m", 1, 5, "not a number; a text needs quotes"},
        {"a = 012", 1, 5, "a number cannot begin with 0"},
        {"a = 1__0", 1, 5, "an underscore must stand between digits"},
        {"a = 1.", 1, 5, "digits must follow the decimal point"},
        {"a = 9223372036854775808", 1, 5, "the number does not fit in 64 bits"},
        {"a = 0xFFFFFFFFFFFFFFFF", 1, 5, "the number does not fit in 64 bits"},
        {"a = 1e999", 1, 5, "the number does not fit in a 64-bit float"},
        {"a = -0x1", 1, 5, "a hexadecimal, octal or binary number has no sign"},
        {"a = 2023-02-29", 1, 13, "this month has no such day"},
        {"a = 1900-02-29", 1, 13, "this month has no such day"},
        {"a = 2023-13-01", 1, 10, "a month is 01 to 12"},
        {"a = 12:61:00", 1, 8, "a minute is 00 to 59"},
        {"a = 2023-01-01T00:00", 1, 20, "a time is written HH:MM:SS"},
        {"a = \"x", 1, 5, "this string is not closed on its line"},
        {"a = \"\"\"x", 1, 5, "this string is not closed"},
        {"a = \"C:\\Users\"", 1, 8, "\\U needs 8 hexadecimal digits"},
        {"a = \"C:\\windows\"", 1, 8, "a string has no escape with 'w'"},
        {"a = \"\\ud800\"", 1, 6, "U+D800 is not a Unicode character"},
        {"a = \"\x01\"", 1, 6, "a string cannot contain U+0001 as it stands; escape it"},
        {"a = '''x\ry'''", 1, 9, "a string cannot contain a carriage return without a line feed"},
        {"a = 1 # x\x7F", 1, 10, "a comment cannot contain U+007F"},
        {"a = 1 b = 2", 1, 7, "the line must end behind the value, not go on with 'b'"},
        {"a = 1\r", 1, 6, "the line must end behind the value, not go on with a carriage return without a line feed"},
        {"a = [1, 2", 1, 5, "this array is not closed"},
        {"a = [1 2]", 1, 8, "',' or ']' must follow an element of an array, not '2'"},
        {"a = {b = 1,}", 1, 12, "an inline table has no ',' behind its last value"},
        {"a = {b = 1\n}", 1, 5, "an inline table must end on its line"},
        {"a = {b = 1", 1, 11, "',' or '}' must follow a value here, not the end of the file"},
        {"[a", 1, 3, "']' must follow the table's name, not the end of the file"},
        {"[[a]", 1, 4, "']]' must follow the table's name, not ']'"},
        {"\"\"\"a\"\"\" = 1", 1, 1, "a key cannot be a multi-line string"},
        {"a = 1\nb = \"\xFF\"", 2, 6, "the byte 0xFF is not UTF-8"},
        {"\xFF\xFE"
         "a",
         1, 1, "the text is UTF-16; save it as UTF-8"},
    };
    sbx_arena arena = {NULL};
    size_t i;

    (void)state;
    sbx_fault_use(0);
    for (i = 0; i < SBX_COUNT(rows); i++) {
        const sbx_toml *root = NULL;
        sbx_diag diag = {0};

        assert_int_equal(parse(&arena, rows[i].text, &root, &diag), SBX_E_CONFIG);
        assert_null(root);
        assert_string_equal(diag.message, rows[i].message);
        assert_string_equal(diag.file, "a.toml");
        if (strstr(rows[i].text, "\"C:\\")) /* a path in the wrong quotes */
            assert_non_null(strstr(diag.hint, "single quotes"));
        if (diag.span.line != rows[i].line || diag.span.column != rows[i].column)
            fail_msg("%s: at %u:%u", rows[i].message, (unsigned)diag.span.line, (unsigned)diag.span.column);
        assert_int_equal(diag.status, SBX_E_CONFIG);
        assert_int_equal(parse(&arena, rows[i].text, &root, NULL), SBX_E_CONFIG);
    }
    sbx_arena_fini(&arena);
}

static void nul_is_refused(void **state)
{
    const sbx_toml *root = NULL;
    sbx_arena arena = {NULL};
    sbx_diag diag = {0};

    (void)state;
    sbx_fault_use(0);
    assert_int_equal(sbx_toml_parse(&arena, "a", "a = 1\n\0", 7, &root, &diag), SBX_E_CONFIG);
    assert_int_equal(diag.span.line, 2);
    assert_string_equal(diag.message, "a key is expected, not U+0000");
    sbx_arena_fini(&arena);
}

/* `depth` times `open`, then `middle`, then as many `close`. */
static char *nested(const char *open, const char *middle, const char *close, unsigned depth)
{
    sbx_text text = {0};
    unsigned i;

    sbx_text_add(&text, "a = ");
    for (i = 0; i < depth; i++)
        sbx_text_add(&text, open);
    sbx_text_add(&text, middle);
    for (i = 0; i < depth; i++)
        sbx_text_add(&text, close);
    return sbx_text_take(&text);
}

static void limits(void **state)
{
    sbx_arena arena = {NULL};
    const sbx_toml *root = NULL;
    sbx_diag diag = {0};
    sbx_text dotted = {0};
    char *text;
    unsigned i;

    (void)state;
    sbx_fault_use(0);
    text = nested("[", "1", "]", SBX_TOML_MAX_DEPTH - 1);
    assert_int_equal(parse(&arena, text, &root, &diag), SBX_OK);
    sbx_free(text);
    text = nested("[", "1", "]", SBX_TOML_MAX_DEPTH);
    assert_int_equal(parse(&arena, text, &root, &diag), SBX_E_CONFIG);
    assert_string_equal(diag.message, "nested deeper than 128");
    sbx_free(text);
    text = nested("{a=", "1", "}", 100000);
    assert_int_equal(parse(&arena, text, &root, &diag), SBX_E_CONFIG);
    assert_string_equal(diag.message, "nested deeper than 128");
    sbx_free(text);

    for (i = 0; i < SBX_TOML_MAX_DEPTH; i++)
        sbx_text_add(&dotted, "a.");
    sbx_text_add(&dotted, "a = 1");
    assert_int_equal(parse(&arena, dotted.data, &root, &diag), SBX_E_CONFIG);
    assert_string_equal(diag.message, "nested deeper than 128");
    sbx_text_fini(&dotted);

    text = sbx_alloc_zero(1, SBX_TOML_MAX_BYTES + 1);
    memset(text, '\n', SBX_TOML_MAX_BYTES + 1);
    assert_int_equal(sbx_toml_parse(&arena, "a", text, SBX_TOML_MAX_BYTES + 1, &root, &diag), SBX_E_CONFIG);
    assert_string_equal(diag.message, "longer than 16 MiB");
    assert_int_equal(sbx_toml_parse(&arena, "a", text, SBX_TOML_MAX_BYTES, &root, &diag), SBX_OK);
    sbx_free(text);
    sbx_arena_fini(&arena);
    assert_int_equal(sbx_fault_live(), 0);
}

static void every_allocation_fails(void **state)
{
    static const char text[] = "a.b.c = \"text\\n\"\nd = [1, 2.5, [], {e = '''x''', f.g = 12:00:00}]\n[[h.i]]\nj = 1\n"
                               "[[h.i]]\n[h.i.\"k\"]\nl = 1979-05-27\n";

    (void)state;
    SBX_FAULT_EACH(n)
    {
        sbx_arena arena = {NULL};
        const sbx_toml *root = NULL;
        sbx_diag diag = {0};
        sbx_status st = parse(&arena, text, &root, &diag);

        if (st) {
            assert_true(sbx_fault_hit());
            assert_int_equal(st, SBX_E_MEMORY);
            assert_int_equal(diag.status, SBX_E_MEMORY);
            assert_null(root);
        } else {
            assert_false(sbx_fault_hit());
            assert_int_equal(root->count, 3);
        }
        sbx_arena_fini(&arena);
        assert_int_equal(sbx_fault_live(), 0);
    }
}

static void many_keys_stay_fast(void **state)
{
    enum { KEYS = 200000 };
    sbx_arena arena = {NULL};
    const sbx_toml *root = NULL;
    sbx_text text = {0};
    unsigned i;

    (void)state;
    sbx_fault_use(0);
    for (i = 0; i < KEYS; i++)
        sbx_text_printf(&text, "k%u = %u\n", i, i);
    /* a search key by key would take minutes, which the timeout of the test ends */
    assert_int_equal(parse(&arena, text.data, &root, NULL), SBX_OK);
    assert_int_equal(root->count, KEYS);
    sbx_text_fini(&text);
    sbx_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_spans),
        cmocka_unit_test(strings),
        cmocka_unit_test(numbers),
        cmocka_unit_test(messages),
        cmocka_unit_test(nul_is_refused),
        cmocka_unit_test(limits),
        cmocka_unit_test(every_allocation_fails),
        cmocka_unit_test(many_keys_stay_fast),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
