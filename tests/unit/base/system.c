/* The portable rules against what the system itself does with the same text. */
#include "unit/support/unit.h"

#include <string.h>
#include <windows.h>
#include <winternl.h>
#include <shellapi.h>

#include "base/path.h"
#include "base/quote.h"
#include "base/utf.h"

WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR c);

static uint32_t random_state = 2463534242u;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % limit;
}

/* Random lines of the characters that matter. */
static void split_as_the_shell_does(void **state)
{
    static const WCHAR letters[] = L"ab\\\\\\\"\"\" \t\x00E4\xD800'^%";
    uint32_t i, j, length, arguments_seen = 0;

    (void)state;
    sbx_fault_use(0);
    for (i = 0; i < 50000; i++) {
        sbx_arguments ours = {0};
        sbx_arena arena = {NULL};
        WCHAR line_w[64] = L"x ", **theirs;
        int count = 0;

        length = 2 + random_below(40);
        for (j = 2; j < length; j++)
            line_w[j] = letters[random_below(SBX_COUNT(letters) - 1)];
        line_w[length] = 0;
        theirs = CommandLineToArgvW(line_w, &count);
        assert_non_null(theirs);
        assert_int_equal(sbx_quote_split(&arena, (const uint16_t *)line_w, &ours, NULL), SBX_OK);
        assert_int_equal(ours.count, count);
        for (j = 0; j < ours.count; j++) {
            char *text = sbx_utf16_to_utf8((const uint16_t *)theirs[j], wcslen(theirs[j]), NULL);

            assert_string_equal(ours.items[j], text);
            sbx_free(text);
        }
        arguments_seen += ours.count;
        LocalFree(theirs);
        sbx_arena_fini(&arena);
    }
    assert_in_range(arguments_seen, 100000, 10000000);
    assert_int_equal(sbx_fault_live(), 0);
}

/* Random arguments, quoted by us, split by the system. */
static void quoted_for_the_shell(void **state)
{
    static const char *const pieces[] = {
        "a", "\\", "\\", "\"", " ", "\t", "\xC3\xA4", "\xED\xA0\x80", "\xF0\x9F\x98\x80", "\n"};
    uint32_t i, j, k, count;

    (void)state;
    sbx_fault_use(0);
    for (i = 0; i < 20000; i++) {
        char arguments[5][64] = {"C:\\a b\\x.exe"};
        const char *items[5];
        sbx_text line = {0};
        WCHAR **theirs;
        uint16_t *line_w;
        int got = 0;

        count = 1 + random_below(5);
        for (j = 0; j < count; j++) {
            for (k = j ? random_below(12) : 0; k; k--) {
                const char *piece = pieces[random_below(SBX_COUNT(pieces))];

                memcpy(arguments[j] + strlen(arguments[j]), piece, strlen(piece) + 1);
            }
            items[j] = arguments[j];
        }
        assert_int_equal(sbx_quote_line(&line, items, count, NULL), SBX_OK);
        line_w = sbx_utf8_to_utf16(line.data, line.length, NULL);
        theirs = CommandLineToArgvW((const WCHAR *)line_w, &got);
        assert_non_null(theirs);
        assert_int_equal(got, count);
        for (j = 0; j < count; j++) {
            char *text = sbx_utf16_to_utf8((const uint16_t *)theirs[j], wcslen(theirs[j]), NULL);

            assert_string_equal(text, items[j]);
            sbx_free(text);
        }
        LocalFree(theirs);
        sbx_free(line_w);
        sbx_text_fini(&line);
    }
    assert_int_equal(sbx_fault_live(), 0);
}

/* Random absolute paths, but for a separator at the end. */
static void normalised_as_the_system_does(void **state)
{
    static const char letters[] = "ab\\\\/.. :";
    uint32_t i, j, length, compared = 0;

    (void)state;
    sbx_fault_use(0);
    for (i = 0; i < 100000; i++) {
        sbx_arena arena = {NULL};
        char path[64] = "c:\\", *ours;
        uint16_t *path_w, *ours_w;
        WCHAR theirs[300];
        DWORD got;

        length = 3 + random_below(20);
        for (j = 3; j < length; j++)
            path[j] = letters[random_below(sizeof(letters) - 2)];
        path[length] = 0;
        /* "a..\b" is not described; dots and spaces at the end of "\.. " neither */
        for (j = 3; j + 1 < length; j++)
            if (path[j] == '.' && path[j - 1] != '\\' && path[j - 1] != '/' && path[j + 1] == '.')
                break;
        if (j + 1 < length || path[length - 1] == ' ' || path[length - 1] == '.')
            continue;
        path_w = sbx_utf8_to_utf16(path, length, NULL);
        got = GetFullPathNameW((const WCHAR *)path_w, 300, theirs, NULL);
        assert_in_range(got, 3, 299);
        while (got > 3 && theirs[got - 1] == '\\')
            theirs[--got] = 0;
        theirs[0] = (WCHAR)sbx_utf_upper(theirs[0]);
        ours = sbx_path_normalise(&arena, path);
        if (strlen(ours) > 3 && ours[strlen(ours) - 1] == '\\')
            ours[strlen(ours) - 1] = 0;
        ours_w = sbx_utf8_to_utf16(ours, strlen(ours), NULL);
        if (wcscmp((const WCHAR *)ours_w, theirs) != 0)
            fail_msg("%s: ours %s, the system's %ls", path, ours, theirs);
        compared++;
        sbx_free(path_w);
        sbx_free(ours_w);
        sbx_arena_fini(&arena);
    }
    assert_in_range(compared, 10000, 100000);
    assert_int_equal(sbx_fault_live(), 0);
}

/* Windows follows Unicode late, and each version with a table of its own: what it has no capital for is not judged. */
static void capitals_as_the_system_has_them(void **state)
{
    uint32_t c, theirs, different = 0, judged = 0, unknown = 0;

    (void)state;
    for (c = 0; c < 0x10000; c++) {
        theirs = RtlUpcaseUnicodeChar((WCHAR)c);
        judged += theirs != c;
        if (sbx_utf_upper(c) == theirs)
            continue;
        if (theirs == c && c >= 0x180) {
            unknown++;
            continue;
        }
        different++;
        print_error("U+%04X: ours U+%04X, the system's U+%04X\n", (unsigned)c, (unsigned)sbx_utf_upper(c),
                    (unsigned)theirs);
    }
    assert_int_equal(different, 0);
    assert_in_range(judged, 800, 2000);
    if (unknown)
        print_message("not judged here: %u characters that the system has no capital for\n", (unsigned)unknown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_as_the_shell_does),
        cmocka_unit_test(quoted_for_the_shell),
        cmocka_unit_test(normalised_as_the_system_does),
        cmocka_unit_test(capitals_as_the_system_has_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
