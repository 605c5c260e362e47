/* The page: nothing of what others named becomes a tag. */
#include "unit/compare/sample.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf.h"
#include "compare/markup.h"
#include "compare/page.h"
#include "compare/shown.h"

static void escaped(void **state)
{
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"<b>\"a\" & 'b'</b>", "&lt;b&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/b&gt;"},
        {"&amp;", "&amp;amp;"},
        {"a\nb\tc", "a\nb\tc"},
        {"\x1B[31m\r", "&lt;U+001B&gt;[31m&lt;U+000D&gt;"},
        {"\xE2\x80\xAEtxt", "&lt;U+202E&gt;txt"},
        {"\xED\xA0\x80", "&lt;U+D800&gt;"},
        {"\xFF<", "?&lt;"},
        {"\xC3\xA4\xF0\x9F\x98\x80", "\xC3\xA4\xF0\x9F\x98\x80"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < SBX_COUNT(rows); i++) {
        sbx_text out = {0};

        sbx_markup_text(&out, rows[i].text);
        assert_string_equal(out.data ? out.data : "", rows[i].wanted);
        sbx_text_fini(&out);
    }
}

static void shown(void **state)
{
    sbx_text out = {0};

    (void)state;
    sbx_shown_add(&out, "a\0b\xC3", 4);
    assert_string_equal(out.data, "a<U+0000>b?");
    sbx_text_fini(&out);
}

static unsigned times(const char *text, const char *what)
{
    unsigned count = 0;

    for (text = strstr(text, what); text; text = strstr(text + 1, what))
        count++;
    return count;
}

static char *page(void)
{
    cJSON *root = sample();
    sbx_text out = {0};

    sbx_page_print(root, &out);
    cJSON_Delete(root);
    return sbx_text_take(&out);
}

/* Each tag is one that the program writes, and closed as often as it is opened. */
static void tags(void **state)
{
    static const char *const pairs[] = {
        "html", "head", "title",  "style",      "body",  "main",  "h1",     "h2",   "h3",      "p",      "dl",
        "dt",   "dd",   "div",    "table",      "thead", "tbody", "tr",     "th",   "td",      "ul",     "li",
        "code", "pre",  "figure", "figcaption", "svg",   "text",  "strong", "span", "details", "summary"};
    static const char *const single[] = {"!DOCTYPE", "meta", "br", "rect", "path"};
    char *text = page(), open[32], close[32];
    const char *at;
    size_t i, length;

    (void)state;
    assert_non_null(text);
    for (at = strchr(text, '<'); at; at = strchr(at + 1, '<')) {
        length = strcspn(at + 1 + (at[1] == '/'), " >/");
        for (i = 0; i < SBX_COUNT(pairs) + SBX_COUNT(single); i++) {
            const char *name = i < SBX_COUNT(pairs) ? pairs[i] : single[i - SBX_COUNT(pairs)];

            if (strlen(name) == length && !strncmp(at + 1 + (at[1] == '/'), name, length))
                break;
        }
        if (i == SBX_COUNT(pairs) + SBX_COUNT(single)) {
            print_error("a tag of somebody else: %.60s\n", at);
            fail();
        }
    }
    for (i = 0; i < SBX_COUNT(pairs); i++) {
        snprintf(open, sizeof(open), "<%s", pairs[i]);
        snprintf(close, sizeof(close), "</%s>", pairs[i]);
        length = strlen(open);
        open[length] = '>';
        open[length + 1] = 0;
        {
            unsigned opened = times(text, open);

            open[length] = ' ';
            opened += times(text, open);
            assert_int_equal(opened, times(text, close));
        }
    }
    assert_int_equal(sbx_utf8_check(text, strlen(text)), strlen(text));
    sbx_free(text);
}

/* No script, nothing from elsewhere. */
static void by_itself(void **state)
{
    static const char *const none[] = {"http:",   "https:",  "//",  "src=", "href=",     "url(",
                                       "@import", "<script", " on", "<img", "javascript"};
    char *text = page(), *visible;
    size_t i;

    (void)state;
    assert_non_null(strstr(text, "Content-Security-Policy\" content=\"default-src 'none'"));
    visible = text;
    for (i = 0; i < SBX_COUNT(none); i++) {
        const char *at;

        for (at = strstr(visible, none[i]); at; at = strstr(at + 1, none[i])) {
            const char *tag = at;

            /* within a tag, not in a text: the last bracket before it opens one */
            while (tag > visible && *tag != '<' && *tag != '>')
                tag--;
            if (*tag == '<') {
                print_error("%.80s\n", tag);
                fail();
            }
        }
    }
    assert_non_null(strstr(text, "&lt;img src=x onerror=alert(1)&gt;.txt"));
    assert_non_null(strstr(text, "&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_non_null(strstr(text, "&lt;U+202E&gt;gpj.exe"));
    assert_non_null(strstr(text, "role=\"img\""));
    sbx_free(text);
}

static void told(void **state)
{
    char *text = page();

    (void)state;
    assert_null(strstr(text, "Partial"));
    assert_non_null(strstr(text, "aria-label=\"The command: without sbx 812 ms; elevated 903 ms; unelevated 845 ms\""));
    assert_non_null(strstr(text, "<p>Created (2):</p>"));
    assert_non_null(strstr(text, "<td class=\"bad\">GAP</td>"));
    sbx_free(text);
}

static void of_nothing(void **state)
{
    cJSON *root = cJSON_Parse("{}");
    sbx_text out = {0};

    (void)state;
    sbx_page_print(root, &out);
    assert_non_null(strstr(out.data, "Partial"));
    assert_null(strstr(out.data, "<svg"));
    sbx_text_fini(&out);
    cJSON_Delete(root);
}

static void memory_ends(void **state)
{
    cJSON *root = sample();
    const int64_t live = sbx_fault_live();
    uint64_t n;

    (void)state;
    for (n = 1; n; n = sbx_fault_hit() ? n + 1 + n / 16 : 0) { /* some of thousands */
        sbx_text out = {0};

        sbx_fault_use(n);
        sbx_page_print(root, &out);
        assert_true(out.failed == sbx_fault_hit());
        sbx_text_fini(&out);
        assert_int_equal(sbx_fault_live(), live);
    }
    sbx_fault_use(0);
    cJSON_Delete(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escaped),     cmocka_unit_test(shown), cmocka_unit_test(tags),
        cmocka_unit_test(by_itself),   cmocka_unit_test(told),  cmocka_unit_test(of_nothing),
        cmocka_unit_test(memory_ends),
    };

    sbx_fault_use(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
