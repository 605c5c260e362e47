/* Diagnostics: what is shown of the line, where the caret stands, suggestions. */
#include "unit/support/unit.h"

#include <string.h>

#include "config/diag.h"

/* A span of the first `word` in `text`. */
static sbx_span span_of(const char *text, const char *word)
{
    const char *found = strstr(text, word), *c;
    sbx_span span = {1, 1, 0, 0};

    assert_non_null(found);
    for (c = text; c < found; c++) {
        if (*c == '\n') {
            span.line++;
            span.column = 1;
        } else if (((unsigned char)*c & 0xC0) != 0x80) {
            span.column++;
        }
    }
    span.offset = (uint32_t)(found - text);
    span.length = (uint32_t)strlen(word);
    return span;
}

static void printed(void **state)
{
    static const struct {
        const char *text, *word, *shown;
    } rows[] = {
        {"a = 1\nwriteable = []\n", "writeable", "f:2:1: wrong\n    2 | writeable = []\n      | ^~~~~~~~~\n"},
        {"a = x", "x", "f:1:5: wrong\n    1 | a = x\n      |     ^\n"},
        {"\ta\t= x\r\n", "x", "f:1:6: wrong\n    1 |  a = x\n      |      ^\n"},
        /* a wide character takes two columns, a combining one none */
        {"'\xE6\xBC\xA2' = x", "x", "f:1:7: wrong\n    1 | '\xE6\xBC\xA2' = x\n      |        ^\n"},
        {"'e\xCC\x81' = x", "x", "f:1:8: wrong\n    1 | 'e\xCC\x81' = x\n      |       ^\n"},
        {"a = '\xE6\xBC\xA2'", "'\xE6\xBC\xA2'", "f:1:5: wrong\n    1 | a = '\xE6\xBC\xA2'\n      |     ^~~~\n"},
        /* what the terminal would obey is not shown */
        {"a = \x1B[31mx", "x", "f:1:10: wrong\n    1 | a = \xEF\xBF\xBD[31mx\n      |          ^\n"},
        /* a span over several lines ends with the first */
        {"a = [\n1\n]", "[\n1\n]", "f:1:5: wrong\n    1 | a = [\n      |     ^\n"},
    };
    size_t i;

    (void)state;
    sbx_fault_use(0);
    for (i = 0; i < SBX_COUNT(rows); i++) {
        sbx_span span = span_of(rows[i].text, rows[i].word);
        sbx_text out = {0};
        sbx_diag diag;

        assert_int_equal(sbx_diag_set(&diag, SBX_E_CONFIG, "f", rows[i].text, strlen(rows[i].text), &span, "wrong"),
                         SBX_E_CONFIG);
        sbx_diag_print(&diag, &out);
        assert_string_equal(out.data, rows[i].shown);
        sbx_text_fini(&out);
    }
    assert_int_equal(sbx_fault_live(), 0);
}

static void without_a_position(void **state)
{
    sbx_text out = {0};
    sbx_diag diag;

    (void)state;
    sbx_fault_use(0);
    assert_int_equal(sbx_diag_set(&diag, SBX_E_USAGE, "--limit-time", NULL, 0, NULL, "not a time: \"%s\"", "a\nb"),
                     SBX_E_USAGE);
    assert_int_equal(sbx_diag_hint(&diag, "such as %s", "10m"), SBX_E_USAGE);
    sbx_text_add(&out, "before\n");
    sbx_diag_print(&diag, &out);
    assert_string_equal(out.data, "before\n--limit-time: not a time: \"a?b\"\n  hint: such as 10m\n");
    sbx_text_fini(&out);
    assert_int_equal(sbx_diag_set(NULL, SBX_E_MEMORY, NULL, NULL, 0, NULL, "x"), SBX_E_MEMORY);
    assert_int_equal(sbx_diag_hint(NULL, "x"), SBX_E_CONFIG);
}

/* The caret must stand under the word, whatever is cut from a long line. */
static void long_lines(void **state)
{
    static const char *const fillers[] = {"x", "\xC3\xA4", "\xE6\xBC\xA2", "\xF0\x9F\x98\x80"};
    static const size_t counts[] = {0, 1, 10, 30, 60, 100, 127, 500, 3000};
    size_t f, before, behind;

    (void)state;
    sbx_fault_use(0);
    for (f = 0; f < SBX_COUNT(fillers); f++)
        for (before = 0; before < SBX_COUNT(counts); before++)
            for (behind = 0; behind < SBX_COUNT(counts); behind++) {
                sbx_text text = {0};
                sbx_span span;
                sbx_diag diag;
                size_t i, columns = 0, at = 0;

                sbx_text_add(&text, "line 1\n");
                for (i = 0; i < counts[before]; i++)
                    sbx_text_add(&text, fillers[f]);
                sbx_text_add(&text, "WORD");
                for (i = 0; i < counts[behind]; i++)
                    sbx_text_add(&text, fillers[f]);
                sbx_text_add(&text, "\nline 3\n");
                span = span_of(text.data, "WORD");
                sbx_diag_set(&diag, SBX_E_CONFIG, "f", text.data, text.length, &span, "wrong");
                assert_non_null(strstr(diag.line, "WORD"));
                /* one column a character, but two for the last two fillers */
                while (columns < diag.caret) {
                    columns += (unsigned char)diag.line[at] >= 0xE0 ? 2 : 1;
                    for (at++; ((unsigned char)diag.line[at] & 0xC0) == 0x80;)
                        at++;
                }
                assert_int_equal(columns, diag.caret);
                assert_memory_equal(diag.line + at, "WORD", 4);
                assert_int_equal(diag.caret_length, 4);
                assert_int_equal(strlen(diag.line) > 250, 0);
                sbx_text_fini(&text);
            }
}

static void long_messages_are_cut_at_a_character(void **state)
{
    char long_text[2001];
    sbx_diag diag;
    size_t i;

    (void)state;
    for (i = 0; i < 2000; i += 2)
        memcpy(long_text + i, "\xC3\xA4", 2);
    long_text[2000] = 0;
    sbx_diag_set(&diag, SBX_E_CONFIG, long_text, NULL, 0, NULL, "%s", long_text);
    assert_int_equal(strlen(diag.message), 510);
    assert_int_equal(strlen(diag.file), 510);
    sbx_diag_hint(&diag, "%s", long_text);
    assert_int_equal(strlen(diag.hint), 254);
}

static void suggestions(void **state)
{
    static const char *const keys[] = {"writable", "protected", "deny_read", "git", "temp", "network"};
    static const struct {
        const char *word, *expected;
    } rows[] = {
        {"writeable", "writable"},
        {"wirtable", "writable"},
        {"Network", "network"},
        {"netwrok", "network"},
        {"deny-read", "deny_read"},
        {"gti", "git"},
        {"got", "git"},
        {"temporary", NULL},
        {"x", NULL},
        {"", NULL},
        {"zzz", NULL},
        {"on", NULL},
    };
    char long_word[200];
    size_t i;

    (void)state;
    for (i = 0; i < SBX_COUNT(rows); i++) {
        const char *got = sbx_suggest(rows[i].word, keys, SBX_COUNT(keys));

        if (rows[i].expected)
            assert_string_equal(got ? got : "(none)", rows[i].expected);
        else
            assert_null(got);
    }
    memset(long_word, 'n', sizeof(long_word) - 1);
    long_word[sizeof(long_word) - 1] = 0;
    assert_null(sbx_suggest(long_word, keys, SBX_COUNT(keys)));
}

static void printed_without_memory(void **state)
{
    static const char text[] = "a = x";
    sbx_span span = span_of(text, "x");

    (void)state;
    SBX_FAULT_EACH(n)
    {
        sbx_text out = {0};
        sbx_diag diag;

        sbx_diag_set(&diag, SBX_E_CONFIG, "f", text, strlen(text), &span, "%0200d", 1);
        sbx_diag_print(&diag, &out);
        assert_int_equal(out.failed != 0, sbx_fault_hit() != 0);
        if (!out.failed)
            assert_int_equal(out.length, strlen(out.data));
        sbx_text_fini(&out);
        assert_int_equal(sbx_fault_live(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printed),     cmocka_unit_test(without_a_position),
        cmocka_unit_test(long_lines),  cmocka_unit_test(long_messages_are_cut_at_a_character),
        cmocka_unit_test(suggestions), cmocka_unit_test(printed_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
