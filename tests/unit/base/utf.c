/* UTF-8 and UTF-16, columns, capitals. */
#include "unit/support/unit.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/utf.h"

static void well_formed(void **state)
{
    static const struct {
        const char *text;
        size_t good; /* offset of the first bad byte */
    } rows[] = {
        {"", 0},
        {"a\xC3\xA4\xE6\xBC\xA2\xF0\x9F\x98\x80", 10},
        {"\xF4\x8F\xBF\xBF", 4},
        {"a\x80", 1},     /* continuation alone */
        {"a\xC0\xAF", 1}, /* overlong '/' */
        {"\xC1\xBF", 0},
        {"\xE0\x9F\xBF", 0}, /* overlong */
        {"\xF0\x8F\xBF\xBF", 0},
        {"\xF4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xF5\x80\x80\x80", 0},
        {"ab\xED\xA0\x80", 2}, /* surrogate */
        {"ab\xED\xBF\xBF", 2},
        {"ab\xE6\xBC", 2}, /* cut off */
        {"ab\xF0\x9F\x98", 2},
        {"\xC3(", 0},
        {"\xFF", 0},
    };
    size_t i;

    (void)state;
    for (i = 0; i < SBX_COUNT(rows); i++)
        assert_int_equal(sbx_utf8_check(rows[i].text, strlen(rows[i].text)), rows[i].good);
}

static void every_code_point_round_trips(void **state)
{
    uint32_t c, back;
    size_t bytes, at, units;

    (void)state;
    sbx_fault_use(0);
    for (c = 0; c <= 0x10FFFF; c += c < 0x11000 ? 1 : 61) {
        char text[4], *again;
        uint16_t *wide;

        bytes = sbx_utf8_put(text, c);
        assert_int_equal(bytes, c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
        at = 0;
        back = sbx_utf8_next(text, bytes, &at);
        assert_int_equal(back, c);
        assert_int_equal(at, bytes);
        wide = sbx_utf8_to_utf16(text, bytes, &units);
        assert_non_null(wide);
        assert_int_equal(units, c < 0x10000 ? 1 : 2);
        assert_int_equal(wide[units], 0);
        again = sbx_utf16_to_utf8(wide, units, &at);
        assert_int_equal(at, bytes);
        assert_memory_equal(again, text, bytes);
        sbx_free(again);
        sbx_free(wide);
    }
    assert_int_equal(sbx_fault_live(), 0);
}

static void lone_surrogates(void **state)
{
    static const uint16_t text[] = {0xDC00, 'a', 0xD800, 0xD800, 0xDC00, 0xD83D};
    uint16_t *wide;
    size_t length, units;
    char *bytes;

    (void)state;
    sbx_fault_use(0);
    bytes = sbx_utf16_to_utf8(text, SBX_COUNT(text), &length);
    assert_string_equal(bytes, "\xED\xB0\x80"
                               "a\xED\xA0\x80\xF0\x90\x80\x80\xED\xA0\xBD");
    wide = sbx_utf8_to_utf16(bytes, length, &units);
    assert_int_equal(units, SBX_COUNT(text));
    assert_memory_equal(wide, text, sizeof(text));
    sbx_free(wide);
    sbx_free(bytes);
    /* a pair in its three-byte forms would not round trip */
    assert_null(sbx_utf8_to_utf16("\xED\xA0\xBD\xED\xB8\x80", 6, NULL));
    assert_null(sbx_utf8_to_utf16("a\xFF", 2, NULL));
    assert_int_equal(sbx_fault_live(), 0);
}

static void bad_bytes_are_taken_one_by_one(void **state)
{
    size_t at = 0;

    (void)state;
    assert_int_equal(sbx_utf8_next("\xF0\x9F\x98", 3, &at), 0xFFFD);
    assert_int_equal(at, 1);
    assert_int_equal(sbx_utf8_next("\xF0\x9F\x98", 3, &at), 0xFFFD);
    assert_int_equal(at, 2);
}

static void cut(void **state)
{
    static const char text[] = "a\xC3\xA4\xE6\xBC\xA2\xF0\x9F\x98\x80z";
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11, 11};
    size_t i;

    (void)state;
    for (i = 0; i < SBX_COUNT(expected); i++)
        assert_int_equal(sbx_utf8_cut(text, i), expected[i]);
    assert_int_equal(sbx_utf8_cut("\x80\x80\x80\x80\x80\x80", 5), 5);
}

static void columns(void **state)
{
    (void)state;
    assert_int_equal(sbx_utf8_columns("abc", 3), 3);
    assert_int_equal(sbx_utf8_columns("e\xCC\x81", 3), 1);            /* combining acute */
    assert_int_equal(sbx_utf8_columns("\xE6\xBC\xA2", 3), 2);         /* U+6F22 */
    assert_int_equal(sbx_utf8_columns("\xF0\x9F\x98\x80", 4), 2);     /* U+1F600 */
    assert_int_equal(sbx_utf8_columns("\xC3\xA4\xE2\x80\x8B", 5), 1); /* zero width space */
    assert_int_equal(sbx_utf8_columns("\xFF", 1), 1);
}

static void capitals(void **state)
{
    (void)state;
    assert_int_equal(sbx_utf_upper('a'), 'A');
    assert_int_equal(sbx_utf_upper('z'), 'Z');
    assert_int_equal(sbx_utf_upper('{'), '{');
    assert_int_equal(sbx_utf_upper('A'), 'A');
    assert_int_equal(sbx_utf_upper(0xE4), 0xC4);
    assert_int_equal(sbx_utf_upper(0xFF), 0x178);
    assert_int_equal(sbx_utf_upper(0x101), 0x100);
    assert_int_equal(sbx_utf_upper(0x102), 0x102);
    assert_int_equal(sbx_utf_upper(0x44F), 0x42F);
    assert_int_equal(sbx_utf_upper(0xDF), 0xDF);
    assert_int_equal(sbx_utf_upper(0x131), 0x131);
    assert_int_equal(sbx_utf_upper(0x10428), 0x10428);
}

/* What names of files may hold does nothing to a terminal. */
static void shown(void **state)
{
    static const struct {
        const char *text;
        int lines;
        const char *shown;
    } rows[] = {
        {"C:\\\xC3\xA4\xF0\x9F\x98\x80.txt", 0, "C:\\\xC3\xA4\xF0\x9F\x98\x80.txt"},
        {"a\x1b[31mb\x7F", 0, "a<U+001B>[31mb<U+007F>"},
        {"a\xC2\x9B"
         "31m",
         0, "a<U+009B>31m"},
        {"\xC2\xA0", 0, "\xC2\xA0"},
        {"cod\xE2\x80\xAEtxt.exe", 0, "cod<U+202E>txt.exe"},
        {"\xD8\x9C\xE2\x80\x8F\xE2\x81\xA9\xE2\x80\xA8", 0, "<U+061C><U+200F><U+2069><U+2028>"},
        {"a\tb\r\nc", 1, "a\tb<U+000D>\nc"},
        {"a\nb", 0, "a<U+000A>b"},
        {"a\xFF\xC3", 0, "a??"},
        {"\xED\xA0\x80", 0, "\xED\xA0\x80"}, /* a lone surrogate is a name's */
        {"\xEF\xBF\xBD", 0, "\xEF\xBF\xBD"},
    };
    sbx_text text = {0};
    size_t i;

    (void)state;
    for (i = 0; i < SBX_COUNT(rows); i++) {
        sbx_text_add_shown(&text, rows[i].text, rows[i].lines);
        assert_string_equal(text.data, rows[i].shown);
        sbx_text_fini(&text);
    }
}

static void no_memory(void **state)
{
    static const uint16_t text[] = {'a'};

    (void)state;
    sbx_fault_use(1);
    assert_null(sbx_utf8_to_utf16("a", 1, NULL));
    sbx_fault_use(1);
    assert_null(sbx_utf16_to_utf8(text, 1, NULL));
    assert_int_equal(sbx_fault_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed),
        cmocka_unit_test(every_code_point_round_trips),
        cmocka_unit_test(lone_surrogates),
        cmocka_unit_test(bad_bytes_are_taken_one_by_one),
        cmocka_unit_test(cut),
        cmocka_unit_test(columns),
        cmocka_unit_test(capitals),
        cmocka_unit_test(shown),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
