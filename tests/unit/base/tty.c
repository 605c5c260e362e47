/* What is shown and what is typed at a terminal. */
#include "unit/support/unit.h"

#include <string.h>

#include "base/memory.h"
#include "base/tty.h"
#include "base/utf.h"

/* As one piece, and byte by byte: the same units. */
static void check_shown(const char *bytes, size_t count, const uint16_t *wanted, size_t units)
{
    sbx_tty_text text = {.count = count};
    uint16_t got[SBX_TTY_BYTES], all[64];
    size_t i, n, total = 0;

    memcpy(text.bytes, bytes, count);
    n = sbx_tty_show(&text, got);
    assert_int_equal(n, units);
    assert_memory_equal(got, wanted, units * sizeof(*wanted));
    text.count = 0;
    for (i = 0; i < count; i++) {
        text.bytes[text.count++] = bytes[i];
        n = sbx_tty_show(&text, got);
        memcpy(all + total, got, n * sizeof(*got));
        total += n;
    }
    assert_int_equal(total, units);
    assert_memory_equal(all, wanted, units * sizeof(*wanted));
}

static void shown(void **state)
{
    static const uint16_t plain[] = {'a', 0xE4, 0x20AC, 0xD83D, 0xDE00, 0x1B, '[', 'm'}, bad[] = {0xFFFD, 'b'},
                          cut[] = {'a', 0xFFFD, 'b'};

    (void)state;
    check_shown("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\x1B[m", 13, plain, 8);
    check_shown("\xFF"
                "b",
                2, bad, 2);
    check_shown("a\xC3"
                "b",
                3, cut, 3);
    check_shown("a\xE2\x82", 3, plain, 1); /* what may follow is waited for */
    check_shown("\xF0\x9F\x98", 3, plain, 0);
}

/* All of a text typed: what went to the other side, and what was said of each unit that said something. */
static void check_typed(const uint16_t *units, size_t count, const char *wanted, const char *meaning)
{
    sbx_tty_keys keys = {0};
    char sent[256], said[64];
    size_t i, bytes, at = 0, words = 0;

    for (i = 0; i < count; i++) {
        const uint32_t what = sbx_tty_key(&keys, units[i], sent + at, &bytes);

        at += bytes;
        if (what != SBX_TTY_NOTHING)
            said[words++] = what == SBX_TTY_INTERRUPT ? 'C' : 't';
    }
    sent[at] = said[words] = 0;
    assert_string_equal(sent, wanted);
    assert_string_equal(said, meaning);
}

static void check_keys(const char *text, const char *meaning)
{
    size_t count;
    uint16_t *units = sbx_utf8_to_utf16(text, strlen(text), &count);

    assert_non_null(units);
    check_typed(units, count, text, meaning);
    sbx_free(units);
}

static void typed(void **state)
{
    static const uint16_t alone[] = {0xD83D, 'x', 0xDE00, 0xD83D, 0xD83D, 0xDE00};

    (void)state;
    sbx_fault_use(0);
    check_keys("a\xC3\xA4\xF0\x9F\x98\x80\r", "tttt");
    check_typed(alone, 6, "\xEF\xBF\xBDx\xEF\xBF\xBD\xEF\xBF\xBD\xF0\x9F\x98\x80", "ttt");
    check_keys("\3", "C");
    check_keys("a\3\3"
               "b",
               "tCCt");
    check_keys("\x1B[A\x1BOP\x1B[15~\x1B[1;5C", ""); /* arrows and function keys */
    check_keys("\x1B[12;40Ra", "t");                 /* where the cursor is */
    check_keys("\x1B[?61;6;7c\x1B[I\x1B[O", "");     /* who the terminal is; focus */
    check_keys("\x1B"
               "a\x1B\3b",
               "Ct");              /* Alt and a letter; Ctrl-C is one after ESC, too */
    check_keys("\x1B[2\3x", "Ct"); /* and in the middle of a sequence */
}

static void events(void **state)
{
    (void)state;
    sbx_fault_use(0);
    check_keys("\x1B[17;29;0;1;8;1_", "");   /* Ctrl goes down */
    check_keys("\x1B[67;46;3;1;8;1_", "C");  /* C with it */
    check_keys("\x1B[67;46;3;0;8;1_", "");   /* goes up */
    check_keys("\x1B[65;30;97;1;0;1_", "t"); /* a */
    check_keys("\x1B[65;30;97;0;0;1_", "");
    check_keys("\x1B[67;46;3;1_", "C"); /* what is not said is as usual */
    check_keys("\x1B[67;46;3_", "");
    check_keys("\x1B[;;3;1_", "C");
    check_keys("\x1B[99999999999999999999;1;3;1;0;0;0;0;0;3_", "C"); /* longer than it may be */
    check_keys("\x1B[67;46;65539;1_", "t");                          /* not 3 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shown),
        cmocka_unit_test(typed),
        cmocka_unit_test(events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
