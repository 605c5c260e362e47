/* One key of a file set: where it comes to stand, what stays as it was, what is refused. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/change.h"
#include "config/config.h"
#include "config/schema.h"
#include "unit/support/fault.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int setup(void **state)
{
    (void)state;
    sbx_fault_use(0);
    return 0;
}

/* value: several are divided by '|'. */
static sbx_status change(const char *text, const char *key, const char *value, sbx_text *out, sbx_diag *diag)
{
    const char *values[8];
    char copy[256], *at = copy;
    uint32_t count = 0;

    strcpy(copy, value);
    do {
        values[count++] = at;
        at = strchr(at, '|');
        if (at)
            *at++ = 0;
    } while (at);
    return sbx_config_change("f", text, strlen(text), key, values, count, out, diag);
}

static const struct {
    const char *before, *key, *value, *after;
} rows[] = {
    /* a new file, and one with a title */
    {"", "backend", "unelevated", "backend = \"unelevated\"\n"},
    {"", "limits.time", "90m", "[limits]\ntime = \"1h30m\"\n"},
    {"# mine\n\n[ui]\n", "backend", "none", "# mine\nbackend = \"none\"\n\n[ui]\n"},
    {"# of ui\n[ui]\n", "backend", "none", "backend = \"none\"\n# of ui\n[ui]\n"},
    {"#:schema x\n\n# a\n", "backend", "none", "#:schema x\nbackend = \"none\"\n\n# a\n"},
    {"\xEF\xBB\xBF[ui]\n", "backend", "none",
     "\xEF\xBB\xBF"
     "backend = \"none\"\n\n[ui]\n"},
    /* what is there is replaced, and nothing around it */
    {"backend = 'none' # why\n", "backend", "elevated", "backend = \"elevated\" # why\n"},
    {"  backend='none'", "backend", "elevated", "  backend=\"elevated\""},
    {"require = [\n  'write', # a\n  'read',\n]\nnetwork = 'off'\n", "require", "delete,ui",
     "require = [\"delete\", \"ui\"]\nnetwork = 'off'\n"},
    {"limits = { time = '1m', cpu = 5 }\n", "limits.time", "2m", "limits = { time = \"2m\", cpu = 5 }\n"},
    {"limits.time = '1m'\n", "limits.time", "none", "limits.time = \"none\"\n"},
    {"[environment]\nset = { A = 'b' }\n", "environment.set", "C D=e", "[environment]\nset = { \"C D\" = \"e\" }\n"},
    /* what is not comes where it belongs */
    {"backend = 'none'\r\n# c\r\n[ui]\r\n", "network", "on", "backend = 'none'\r\nnetwork = \"on\"\r\n# c\r\n[ui]\r\n"},
    {"[limits]\ntime = '1m'\n\n[ui]\nclipboard = false\n", "limits.cpu", "50",
     "[limits]\ntime = '1m'\ncpu = \"50%\"\n\n[ui]\nclipboard = false\n"},
    {"[limits]\ntime = '1m'", "limits.processes", "7", "[limits]\ntime = '1m'\nprocesses = 7\n"},
    {"[limits] # c\n[ui]\n", "limits.memory", "1GiB", "[limits] # c\nmemory = \"1GiB\"\n\n[ui]\n"},
    {"[limits]", "limits.memory", "1GiB", "[limits]\nmemory = \"1GiB\"\n"},
    {"limits = {}\n", "limits.memory", "1GiB", "limits = { memory = \"1GiB\" }\n"},
    {"limits = { cpu = 5 }\n", "limits.memory", "1GiB", "limits = { cpu = 5, memory = \"1GiB\" }\n"},
    {"limits.cpu = 5\n[ui]\n", "limits.memory", "1GiB", "limits.cpu = 5\nlimits.memory = \"1GiB\"\n\n[ui]\n"},
    {"backend = 'none'", "ui.clipboard", "off", "backend = 'none'\n\n[ui]\nclipboard = false\n"},
    {"[environment.set]\nA = 'b'\n", "environment.pass", "*",
     "[environment.set]\nA = 'b'\n\n[environment]\npass = [\"*\"]\n"},
    {"[profiles.a.limits]\ntime = '1m'\n", "limits.time", "2m",
     "[profiles.a.limits]\ntime = '1m'\n\n[limits]\ntime = \"2m\"\n"},
    /* behind the line that the reference has for it, unless that is a part of a text */
    {"# backend = \"elevated\"\n\n# network = \"off\"\n", "backend", "none",
     "# backend = \"elevated\"\nbackend = \"none\"\n\n# network = \"off\"\n"},
    {"# time = 1\n[limits]\n# time = 2\n# cpu = 3\n", "limits.time", "1m",
     "# time = 1\n[limits]\n# time = 2\ntime = \"1m\"\n# cpu = 3\n"},
    {"environment.set.A = '''\na\n# network = x\nb'''\n", "network", "on",
     "environment.set.A = '''\na\n# network = x\nb'''\nnetwork = \"on\"\n"},
    /* values as they are written there */
    {"", "loopback", "80|3000-3999,all", "loopback = [80, \"3000-3999\", \"all\"]\n"},
    {"", "require", "", "require = []\n"},
    {"", "keep_children", "on", "keep_children = true\n"},
    {"", "filesystem.writable", "C:\\a b|d'e", "[filesystem]\nwritable = ['C:\\a b', \"d'e\"]\n"},
    {"", "cwd", "${WORKSPACE}\\a'b", "cwd = \"${WORKSPACE}\\\\a'b\"\n"},
};

static void the_rest_stays(void **state)
{
    sbx_text out = {0}, again = {0};
    sbx_diag diag = {0};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        if (change(rows[i].before, rows[i].key, rows[i].value, &out, &diag) != SBX_OK)
            fail_msg("%s: %s\n%s", rows[i].key, rows[i].before, diag.message);
        assert_string_equal(out.data, rows[i].after);
        assert_int_equal(change(out.data, rows[i].key, rows[i].value, &again, &diag), SBX_OK);
        assert_string_equal(again.data, out.data);
        sbx_text_fini(&out);
        sbx_text_fini(&again);
    }
}

static const struct {
    const char *before, *key, *value;
    sbx_status status;
    const char *message, *hint; /* a part of it */
} wrong[] = {
    {"", "limits.tim", "1m", SBX_E_USAGE, "there is no key \"limits.tim\"", "limits.time"},
    {"", "time", "1m", SBX_E_USAGE, "there is no key \"time\"", "limits.time"},
    {"", "xyzzy", "1m", SBX_E_USAGE, "there is no key", "config reference"},
    {"", "limits.time", "10", SBX_E_USAGE, "needs a unit", "10s"},
    {"", "network", "onn", SBX_E_USAGE, "not one of \"off\", \"on\"", "\"on\""},
    {"", "network", "on|off", SBX_E_USAGE, "one value", "a string"},
    {"", "backend", "", SBX_E_USAGE, "", ""},
    {"", "loopback", "80,", SBX_E_USAGE, "", ""},
    {"", "environment.set", "A", SBX_E_USAGE, "NAME=VALUE expected", ""},
    {"", "environment.set", "A=1|a=2", SBX_E_CONFIG, "set twice", ""},
    {"\n[environment.set]\nA = 'b'\n", "environment.set", "A=c", SBX_E_CONFIG, "over several lines", "delete them"},
    {"environment.set.A = 'b'\n", "environment.set", "A=c", SBX_E_CONFIG, "over several lines", "delete them"},
    /* a file that is wrong is not made better by another key */
    {"backend = 1\n", "network", "on", SBX_E_CONFIG, "not an integer", ""},
    {"cwd = 'a\xFF'\n", "network", "on", SBX_E_CONFIG, "UTF-8", ""},
    {"\xFF\xFE"
     "a",
     "network", "on", SBX_E_CONFIG, "UTF-16", ""},
};

static void what_is_wrong_is_told(void **state)
{
    sbx_text out = {0};
    sbx_diag diag;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(wrong); i++) {
        memset(&diag, 0, sizeof(diag));
        if (change(wrong[i].before, wrong[i].key, wrong[i].value, &out, &diag) != wrong[i].status || !diag.message[0] ||
            !strstr(diag.message, wrong[i].message) || !strstr(diag.hint, wrong[i].hint))
            fail_msg("%s = %s: %d, %s, %s", wrong[i].key, wrong[i].value, (int)diag.status, diag.message, diag.hint);
        sbx_text_fini(&out);
    }
    assert_int_equal(sbx_config_change("f", "", 0, "network", NULL, 0, &out, &diag), SBX_E_USAGE);
    assert_string_equal(diag.message, "a value is missing");
}

/* Values to set, by type. */
static const char *some_value(const sbx_key *key)
{
    switch (key->traits & SBX_KEY_TABLE ? 0 : key->type) {
    case 0:
        return "A=b";
    case SBX_KEY_ENUM:
        return key->words[0];
    case SBX_KEY_BOOLEAN:
        return "true";
    case SBX_KEY_SIZE:
        return "1GiB";
    case SBX_KEY_PERCENT:
        return "7%";
    case SBX_KEY_DURATION:
        return "7s";
    case SBX_KEY_COUNT:
    case SBX_KEY_PORTS:
        return "7";
    default:
        return "a";
    }
}

/* Each key whose line, as a comment, is in the text comes behind it.  Gives how many those are. */
static uint32_t takes_each_key(const sbx_text *text)
{
    uint32_t count, i, found = 0;
    const sbx_key *keys = sbx_schema_keys(&count);
    const char *name, *place, *value;
    sbx_text out = {0};
    sbx_diag diag = {0};
    char line[64];

    for (i = 0; i < count; i++) {
        sbx_schema_table_length(&keys[i], &name);
        snprintf(line, sizeof(line), "\n# %s = ", name);
        if (!strstr(text->data, line))
            continue;
        found++;
        value = some_value(&keys[i]);
        if (sbx_config_change("f", text->data, text->length, keys[i].name, &value, 1, &out, &diag) != SBX_OK)
            fail_msg("%s: %s", keys[i].name, diag.message);
        snprintf(line, sizeof(line), "\n%s = ", name);
        place = strstr(out.data, line);
        assert_non_null(place);
        snprintf(line, sizeof(line), "\n# %s = ", name);
        while (*--place != '\n')
            ;
        assert_memory_equal(place, line, strlen(line));
        sbx_text_fini(&out);
    }
    return found;
}

static void the_reference_takes_each_key(void **state)
{
    sbx_text text = {0};
    uint32_t count;

    (void)state;
    sbx_schema_keys(&count);
    assert_int_equal(sbx_config_reference(&text), SBX_OK);
    assert_int_equal(takes_each_key(&text), count);
    sbx_text_fini(&text);
}

/* What a person begins with is right, sets the one thing, and has room for the others. */
static void the_first_file(void **state)
{
    sbx_config *config = sbx_config_new();
    sbx_text text = {0};
    const char *origin;

    (void)state;
    assert_int_equal(sbx_config_starter("unelevated", &text), SBX_OK);
    assert_true(takes_each_key(&text) > 5);
    assert_int_equal(sbx_config_add(config, "f", text.data, text.length, NULL), SBX_OK);
    assert_int_equal(sbx_config_finish(config, NULL, NULL), SBX_OK);
    assert_string_equal(sbx_config_string(config, "backend", &origin), "unelevated");
    assert_string_equal(origin, "f:5");
    sbx_config_string(config, "limits.time", &origin);
    assert_string_equal(origin, "built-in");
    sbx_config_free(config);
    sbx_text_fini(&text);
}

static void each_allocation_may_fail(void **state)
{
    int64_t before = sbx_fault_live();

    (void)state;
    SBX_FAULT_EACH(n)
    {
        sbx_text out = {0};
        sbx_status st = change("[ui]\n[limits]\ncpu = 5\n", "environment.pass", "A,B|C", &out, NULL);

        assert_int_equal(st, sbx_fault_hit() ? SBX_E_MEMORY : SBX_OK);
        sbx_text_fini(&out);
        assert_int_equal(sbx_fault_live(), before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rest_stays),
        cmocka_unit_test(what_is_wrong_is_told),
        cmocka_unit_test(the_reference_takes_each_key),
        cmocka_unit_test(the_first_file),
        cmocka_unit_test(each_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
