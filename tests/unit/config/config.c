/* Files and flags against the schema: what is right, what is wrong and where, what is merged. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "config/config.h"
#include "config/schema.h"
#include "config/value.h"
#include "unit/support/fault.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int setup(void **state)
{
    (void)state;
    sbx_fault_use(0);
    return 0;
}

static sbx_status add(sbx_config *config, const char *file, const char *text, sbx_diag *diag)
{
    return sbx_config_add(config, file, text, strlen(text), diag);
}

/* ---- wrong files ---- */

static const struct {
    const char *text;
    uint32_t line, column;
    const char *message; /* a part of it */
    const char *hint;    /* a part of it; NULL: there is none */
} wrong[] = {
    /* unknown */
    {"bakend = \"none\"", 1, 1, "unknown key \"bakend\"", "\"backend\""},
    {"[filesystem]\nwriteable = [\"src\"]", 2, 1, "unknown key \"filesystem.writeable\"", "\"writable\""},
    {"writable = []", 1, 1, "unknown key \"writable\"", "\"filesystem.writable\""},
    {"[limit]\ntime = \"1m\"", 1, 2, "unknown key \"limit\"", "\"limits\""},
    {"\"limits.time\" = \"1m\"", 1, 1, "unknown key \"limits.time\"", ""},
    {"\"back\\u0000end\" = 1", 1, 1, "unknown key", ""},
    {"[profiles.a]\ninherit = \"b\"", 2, 1, "unknown key \"inherit\"", "\"inherits\""},
    {"xyzzy = 1", 1, 1, "unknown key \"xyzzy\"", "sbx config reference"},
    /* duplicate */
    {"backend = \"none\"\nbackend = \"none\"", 2, 1, "backend", ""},
    {"[limits]\ntime = \"1m\"\n[limits]\n", 3, 2, "limits", ""},
    {"[environment]\nset = { Path = \"a\", PATH = \"b\" }", 2, 21, "set twice", ""},
    /* wrong type, each key */
    {"backend = 1", 1, 11, "expected for \"backend\", not an integer", ""},
    {"fallback = []", 1, 12, "expected for \"fallback\"", ""},
    {"require = \"write\"", 1, 11, "a list of strings expected", "brackets"},
    {"network = true", 1, 11, "expected for \"network\"", "\"on\""},
    {"loopback = 80", 1, 12, "a list of ports expected", "brackets"},
    {"loopback = \"all\"", 1, 12, "a list of ports expected", "brackets"},
    {"loopback = [true]", 1, 13, "a list of ports expected", ""},
    {"cwd = 1", 1, 7, "expected", ""},
    {"keep_children = \"true\"", 1, 17, "expected, not a string", "without quotes"},
    {"filesystem = 1", 1, 14, "\"filesystem\" is a table", ""},
    {"filesystem.workspace = []", 1, 24, "expected", ""},
    {"filesystem.writable = \"a\"", 1, 23, "a list of paths expected", "brackets"},
    {"filesystem.protected = {}", 1, 24, "a list of paths expected", ""},
    {"filesystem.deny_read = [1]", 1, 25, "expected", ""},
    {"filesystem.git = false", 1, 18, "expected", ""},
    {"filesystem.temp = 1.5", 1, 19, "expected", ""},
    {"environment.pass = \"A\"", 1, 20, "a list of variable names expected", ""},
    {"environment.set = []", 1, 19, "a table of strings expected", ""},
    {"environment.set.A = 1", 1, 21, "expected", ""},
    {"environment.unset = 1", 1, 21, "expected", ""},
    {"environment.block_secrets = 1", 1, 29, "expected", ""},
    {"limits.time = 600", 1, 15, "a duration", "\"600s\""},
    {"limits.memory = 4096", 1, 17, "a size", "\"4096MiB\""},
    {"limits.memory = 0", 1, 17, "a size", "for no limit write \"none\""},
    {"limits.time = 0", 1, 15, "a duration", "for no limit write \"none\""},
    {"limits.memory = 4294967296", 1, 17, "a size", "\"4294967296B\""},
    {"limits.memory = \"0\"", 1, 17, "0B is out of range", "for no limit write \"none\""},
    {"limits.memory = \"4294967296\"", 1, 17, "needs a unit", "\"4294967296B\""},
    {"limits.time = \"00\"", 1, 15, "0s is out of range", "for no limit write \"none\""},
    {"console.grace = 0", 1, 17, "a duration", "\"0s\""},
    {"console.grace = \"0\"", 1, 17, "needs a unit", "\"0s\""},
    {"limits.cpu = true", 1, 14, "percentage", ""},
    {"limits.processes = \"5\"", 1, 20, "expected, not a string", "none"},
    {"console.grace = 5", 1, 17, "a duration", "\"5s\""},
    {"ui.clipboard = \"on\"", 1, 16, "expected", ""},
    {"ui.desktop = 1979-05-27", 1, 14, "expected", ""},
    {"ui.clipboard = 0", 1, 16, "expected", ""},
    {"tools.presets = \"git\"", 1, 17, "a list of strings expected", ""},
    {"profiles = 1", 1, 12, "profiles are tables", ""},
    {"profiles.a = 1", 1, 14, "a profile is a table", ""},
    {"[profiles.a]\ninherits = 1", 2, 12, "expected", ""},
    /* out of range, words, form */
    {"backend = \"a b\"", 1, 13, "letters, digits", ""},
    {"require = [\"write\", \"netwrok\"]", 1, 21, "not one of", "\"network\""},
    {"network = \"onn\"", 1, 11, "not one of \"off\", \"on\"", "\"on\""},
    {"loopback = [80, 65536]", 1, 17, "65536 is out of range: it goes from 1 to 65535", ""},
    {"loopback = [0]", 1, 13, "out of range", ""},
    {"loopback = [-1]", 1, 13, "-1 is out of range", ""},
    {"limits.cpu = 101", 1, 14, "101% is out of range: it goes from 1% to 100%", "none"},
    {"limits.cpu = \"0%\"", 1, 14, "out of range", "none"},
    {"limits.processes = 0", 1, 20, "out of range", "none"},
    {"limits.time = \"366d\"", 1, 15, "out of range", ""},
    {"limits.time = \"10x\"", 1, 18, "\"x\" is not a unit of time", "ms, s, m, h, d"},
    {"limits.memory = \"1KiB\"", 1, 17, "out of range: it goes from 1MiB to 1024TiB", ""},
    {"limits.memory = \"1.5GiB\"", 1, 19, "not a unit of size", "no fractions"},
    {"filesystem.writable = [\"\"]", 1, 24, "the path is empty", ""},
    {"filesystem.writable = [\"a\\u0000b\"]", 1, 24, "NUL", ""},
    {"filesystem.writable = ['${WORKSPAC}\\a']", 1, 25, "unknown variable \"${WORKSPAC}\"", "\"${WORKSPACE}\""},
    {"filesystem.writable = ['a\\${HOME}']", 1, 27, "unknown variable", "\"${env:HOME}\""},
    {"cwd = \"${CWD\"", 1, 8, "without \"}\"", "$${"},
    {"environment.pass = [\"A*B\"]", 1, 23, "'*' stands only at the end", ""},
    {"environment.unset = [\"A=B\"]", 1, 24, "no '='", ""},
    {"environment.set = { \"A=B\" = \"\" }", 1, 21, "no '='", ""},
    {"environment.set = { \"\" = \"\" }", 1, 21, "empty", ""},
    {"profiles.\"a b\" = {}", 1, 10, "letters, digits", ""},
    {"cwd = \"C:\\temp\"", 1, 7, "control character U+0009", "single quotes"},
    {"filesystem.writable = ['C:\tx']", 1, 27, "control character U+0009", "single quotes"},
    {"loopback = [\"http\"]", 1, 13, "\"http\" is no port", "8080, \"3000-3999\" or \"all\""},
    {"loopback = [\"\"]", 1, 13, "is no port", "all"},
    {"loopback = [\"80-\"]", 1, 13, "\"80-\" is no port", "3000-3999"},
    {"loopback = [\"80 - 90\"]", 1, 13, "is no port", "3000-3999"},
    {"loopback = [\"80-90-99\"]", 1, 13, "is no port", "3000-3999"},
    {"loopback = [\"0-10\"]", 1, 14, "0 is out of range: ports go from 1 to 65535", ""},
    {"loopback = [\"80-65536\"]", 1, 17, "65536 is out of range", ""},
    {"loopback = [\"3999-3000\"]", 1, 13, "ends before it begins", "\"3000-3999\""},
    {"[limits]\nbackend = \"none\"", 2, 1, "unknown key \"limits.backend\"", "before the first [table]"},
    /* what a shell would have replaced */
    {"filesystem.writable = ['~']", 1, 25, "\"~\" is not replaced", "write ${USERPROFILE}"},
    {"filesystem.writable = ['~/cache']", 1, 25, "\"~\" is not replaced", "write ${USERPROFILE}/cache"},
    {"filesystem.protected = ['~\\x']", 1, 26, "\"~\" is not replaced", "write ${USERPROFILE}\\x"},
    {"filesystem.workspace = '~'", 1, 25, "\"~\" is not replaced", "${USERPROFILE}"},
    {"filesystem.deny_read = ['%TEMP%']", 1, 26, "\"%TEMP%\" is not replaced", "write ${env:TEMP}"},
    {"filesystem.writable = ['C:\\x\\a%UserName%b']", 1, 31, "\"%UserName%\" is not replaced", "${env:UserName}"},
    {"filesystem.writable = ['%ProgramFiles(x86)%\\x']", 1, 25, "is not replaced", "${env:ProgramFiles(x86)}"},
    {"filesystem.writable = ['$HOME/x']", 1, 25, "\"$HOME\" is not replaced", "write ${USERPROFILE}"},
    {"filesystem.writable = ['C:\\Users\\$USER']", 1, 34, "\"$USER\" is not replaced", "${env:USER}"},
    {"filesystem.writable = ['$env:TEMP\\x']", 1, 25, "\"$env:TEMP\" is not replaced", "write ${env:TEMP}"},
    {"filesystem.writable = ['C:\\a\"b']", 1, 29, "holds a quote", ""},
    {"limits.processes = \"few\"", 1, 20, "a whole number", "\"none\""},
    {"keep_children = \"yes\"", 1, 17, "true or false", "true or false, without quotes"},
    {"environment.set = { A = 1 }", 1, 25, "a table of strings", "in quotes"},
    {"limits.cpu = \"-1\"", 1, 14, "below zero", ""},
};

static void wrong_files_say_where(void **state)
{
    sbx_config *config = sbx_config_new();
    sbx_diag diag;
    size_t i;

    (void)state;
    assert_non_null(config);
    for (i = 0; i < COUNT(wrong); i++) {
        sbx_status st = add(config, "f.toml", wrong[i].text, &diag);
        sbx_text text = {0};

        if (st == SBX_E_CONFIG)
            sbx_diag_print(&diag, &text);
        if (st != SBX_E_CONFIG || diag.span.line != wrong[i].line || diag.span.column != wrong[i].column ||
            !strstr(diag.message, wrong[i].message) ||
            (wrong[i].hint ? !strstr(diag.hint, wrong[i].hint) : diag.hint[0] != 0))
            fail_msg("%s\nwanted %u:%u %s (%s)\ngot status %d\n%s", wrong[i].text, (unsigned)wrong[i].line,
                     (unsigned)wrong[i].column, wrong[i].message, wrong[i].hint ? wrong[i].hint : "no hint", (int)st,
                     text.data ? text.data : "");
        sbx_text_fini(&text);
    }
    /* none of them has changed anything */
    assert_int_equal(sbx_config_finish(config, NULL, &diag), SBX_OK);
    assert_string_equal(sbx_config_string(config, "backend", NULL), "elevated");
    sbx_config_free(config);
}

/* ---- right files and layers ---- */

static const char all_keys[] =
    "backend = \"none\"\nfallback = \"unelevated\"\nrequire = [\"write\", \"ui\"]\n"
    "network = \"on\"\nloopback = [80, \"3000-3999\", \"all\", \"81\"]\ncwd = \"sub\"\nkeep_children = true\n"
    "[filesystem]\nworkspace = 'C:\\w'\nwritable = [\"${WORKSPACE}\", 'D:\\x']\n"
    "protected = []\ndeny_read = [\"secret\"]\nread = \"listed\"\nreadable = [\"sdk\"]\ngit = \"commit\"\ntemp = "
    "\"user\"\n"
    "[environment]\npass = [\"A\", \"B*\"]\nset = { X = \"${env:A}\" }\nunset = [\"C\"]\n"
    "block_secrets = false\n"
    "[limits]\ntime = \"1h30m\"\nmemory = \"4GiB\"\ncpu = \"50%\"\nprocesses = 12\n"
    "[console]\ngrace = \"0s\"\n"
    "[ui]\ndesktop = \"user\"\nclipboard = true\n[tools]\npresets = [\"git\", \"node\"]\n"
    "[elevated]\nwait = \"1m30s\"\ntoken = \"account\"\n";

static void every_key_is_read(void **state)
{
    sbx_config *config = sbx_config_new();
    const char *const *list, *origin;
    const sbx_key *keys;
    uint32_t count, i;

    (void)state;
    assert_int_equal(add(config, "f.toml", all_keys, NULL), SBX_OK);
    assert_int_equal(sbx_config_finish(config, NULL, NULL), SBX_OK);
    keys = sbx_schema_keys(&count);
    for (i = 0; i < count; i++) {
        sbx_config_string(config, keys[i].name, &origin);
        if (strncmp(origin, "f.toml:", 7) != 0)
            fail_msg("%s comes from %s", keys[i].name, origin);
    }
    assert_string_equal(sbx_config_string(config, "fallback", &origin), "unelevated");
    assert_string_equal(origin, "f.toml:2");
    assert_int_equal(sbx_config_integer(config, "limits.time"), 5400000);
    assert_true(sbx_config_integer(config, "limits.memory") == (int64_t)4 << 30);
    assert_int_equal(sbx_config_integer(config, "limits.cpu"), 50);
    assert_int_equal(sbx_config_integer(config, "limits.processes"), 12);
    assert_int_equal(sbx_config_integer(config, "console.grace"), 0);
    assert_int_equal(sbx_config_integer(config, "elevated.wait"), 90000);
    assert_int_equal(sbx_config_integer(config, "ui.clipboard"), 1);
    list = sbx_config_list(config, "environment.set", &count);
    assert_int_equal(count, 1);
    assert_string_equal(list[0], "X=${env:A}");
    list = sbx_config_list(config, "loopback", &count);
    assert_int_equal(count, 4);
    assert_string_equal(list[1], "3000-3999");
    assert_null(sbx_config_string(config, "loopback", NULL));
    assert_null(sbx_config_string(config, "no.such", NULL));
    sbx_config_free(config);
}

static void later_layers_win(void **state)
{
    sbx_config *config = sbx_config_new();
    const char *const *list, *origin;
    uint32_t count;

    (void)state;
    assert_int_equal(add(config, "machine",
                         "network = \"on\"\nloopback = [1, 2]\nenvironment.set = {A=\"1\", B=\"1\"}\n"
                         "filesystem.protected = [\"a\"]",
                         NULL),
                     SBX_OK);
    assert_int_equal(add(config, "user", "\nloopback = [3]\n[environment]\nset = {b=\"2\", C=\"2\"}", NULL), SBX_OK);
    assert_int_equal(sbx_config_set(config, "--loopback", "loopback", "4,5", NULL), SBX_OK);
    assert_int_equal(sbx_config_set(config, "--protect", "filesystem.protected", "b,c", NULL), SBX_OK);
    assert_int_equal(sbx_config_set(config, "--read-only", "filesystem.writable", "", NULL), SBX_OK);
    assert_int_equal(sbx_config_set(config, "-e", "environment.set", "C=3=4", NULL), SBX_OK);
    assert_int_equal(sbx_config_set(config, "--keep-children", "keep_children", "on", NULL), SBX_OK);
    assert_int_equal(sbx_config_set(config, "-t", "limits.time", "1s", NULL), SBX_OK);
    assert_int_equal(sbx_config_set(config, "-t", "limits.time", "2s", NULL), SBX_OK);
    assert_int_equal(sbx_config_finish(config, NULL, NULL), SBX_OK);
    assert_string_equal(sbx_config_string(config, "network", &origin), "on");
    assert_string_equal(origin, "machine:1");
    list = sbx_config_list(config, "loopback", &count);
    assert_int_equal(count, 3);
    assert_string_equal(list[0], "3");
    assert_string_equal(list[2], "5");
    list = sbx_config_list(config, "filesystem.protected", &count);
    assert_int_equal(count, 2);
    assert_string_equal(list[0], "a");
    assert_string_equal(list[1], "b,c");
    sbx_config_list(config, "filesystem.writable", &count);
    assert_int_equal(count, 0);
    list = sbx_config_list(config, "environment.set", &count);
    assert_int_equal(count, 3);
    assert_string_equal(list[0], "A=1");
    assert_string_equal(list[1], "b=2");
    assert_string_equal(list[2], "C=3=4");
    assert_int_equal(sbx_config_integer(config, "limits.time"), 2000);
    assert_int_equal(sbx_config_integer(config, "keep_children"), 1);
    sbx_config_string(config, "backend", &origin);
    assert_string_equal(origin, "built-in");
    sbx_config_free(config);
}

static void wrong_flags_are_named(void **state)
{
    static const struct {
        const char *flag, *key, *value, *message;
    } flags[] = {
        {"--network", "network", "onn", "not one of"},
        {"--cpu", "limits.cpu", "0", "out of range"},
        {"--loopback", "loopback", "80,x", "is no port"},
        {"--writable", "filesystem.writable", "~", "is not replaced"},
        {"--env", "environment.set", "A", "NAME=VALUE"},
        {"--env", "environment.set", "=A", "empty"},
        {"--memory", "limits.memory", "12", "needs a unit"},
        {"--cwd", "cwd", "", "empty"},
        {"--keep-children", "keep_children", "yes", "true or false"},
        {"--time", "limits.time", "99999999999999999999s", "too large"},
    };
    sbx_config *config = sbx_config_new();
    sbx_diag diag;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(flags); i++) {
        assert_int_equal(sbx_config_set(config, flags[i].flag, flags[i].key, flags[i].value, &diag), SBX_E_USAGE);
        assert_string_equal(diag.file, flags[i].flag);
        assert_int_equal(diag.span.line, 0);
        assert_non_null(strstr(diag.message, flags[i].message));
    }
    assert_int_equal(sbx_config_set(config, "--fallback", "fallback", "none", &diag), SBX_OK);
    assert_int_equal(sbx_config_finish(config, NULL, &diag), SBX_E_USAGE);
    assert_string_equal(diag.file, "--fallback");
    assert_null(sbx_config_string(config, "backend", NULL));
    sbx_config_free(config);
}

/* Two wishes that exclude each other are told with both places, whoever would run the command. */
static void contradictions_name_both(void **state)
{
    static const struct {
        const char *file;
        const char *flags[3][3]; /* flag, key, value */
        sbx_status status;
        const char *where, *message;
    } rows[] = {
        {"",
         {{"--require", "require", "network"}, {"--network", "network", "on"}},
         SBX_E_USAGE,
         "--require",
         "--network"},
        {"",
         {{"--network", "network", "on"}, {"--require", "require", "write,network"}},
         SBX_E_USAGE,
         "--require",
         "on"},
        {"require = [\"network\"]", {{"--network", "network", "on"}}, SBX_E_CONFIG, "f.toml", "--network"},
        {"network = \"on\"", {{"--require", "require", "network"}}, SBX_E_USAGE, "--require", "f.toml:1"},
        {"require = [\"write\", \"network\"]\nnetwork = \"on\"", {{NULL}}, SBX_E_CONFIG, "f.toml", "f.toml:2"},
        {"",
         {{"--network", "network", "on"}, {"--network", "network", "off"}, {"--require", "require", "network"}},
         SBX_OK,
         NULL,
         NULL},
        {"network = \"on\"\nrequire = [\"write\"]", {{"--loopback", "loopback", "80"}}, SBX_OK, NULL, NULL},
        /* what cannot be read is the backend's to guarantee, also while there is nothing of it */
        {"require = [\"read\"]", {{NULL}}, SBX_OK, NULL, NULL},
        {"",
         {{"--read-only", "filesystem.writable", ""}, {"--writable", "filesystem.writable", "a"}},
         SBX_E_USAGE,
         "--read-only",
         "--writable"},
        {"",
         {{"--writable", "filesystem.writable", "a"}, {"--read-only", "filesystem.writable", ""}},
         SBX_E_USAGE,
         "--read-only",
         "--writable"},
        {"filesystem.writable = ['C:\\x']",
         {{"--read-only", "filesystem.writable", ""}, {"--read-only", "filesystem.writable", ""}},
         SBX_OK,
         NULL,
         NULL},
        {"",
         {{"--writable", "filesystem.writable", ""}, {"--writable", "filesystem.writable", "a"}},
         SBX_OK,
         NULL,
         NULL},
    };
    sbx_config *config;
    sbx_diag diag;
    sbx_status st;
    size_t i, j;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        config = sbx_config_new();
        memset(&diag, 0, sizeof(diag));
        assert_non_null(config);
        st = add(config, "f.toml", rows[i].file, &diag);
        for (j = 0; j < 3 && rows[i].flags[j][0] && st == SBX_OK; j++)
            st = sbx_config_set(config, rows[i].flags[j][0], rows[i].flags[j][1], rows[i].flags[j][2], &diag);
        if (st == SBX_OK)
            st = sbx_config_finish(config, NULL, &diag);
        if (st != rows[i].status ||
            (rows[i].where && (strcmp(diag.file, rows[i].where) != 0 || !strstr(diag.message, rows[i].message))))
            fail_msg("row %d: %d %s: %s", (int)i, (int)st, diag.file, diag.message);
        assert_true(st == SBX_OK || diag.hint[0]);
        assert_true(st != SBX_E_CONFIG || diag.span.line == 1);
        sbx_config_free(config);
    }
}

/* ---- profiles ---- */

static sbx_status with_profile(const char *text, const char *profile, sbx_config **config, sbx_diag *diag)
{
    *config = sbx_config_new();
    assert_non_null(*config);
    assert_int_equal(add(*config, "f", text, diag), SBX_OK);
    return sbx_config_finish(*config, profile, diag);
}

static void profiles_inherit(void **state)
{
    static const char text[] = "network = \"off\"\n[profiles.base]\nnetwork = \"on\"\nlimits.time = \"1m\"\n"
                               "limits.cpu = 10\n[profiles.a]\ninherits = \"base\"\nlimits.time = \"2m\"\n"
                               "[profiles.b]\ninherits = [\"base\", \"a\"]\nlimits.cpu = 20\n";
    const char *origin;
    sbx_config *config;
    sbx_diag diag;

    (void)state;
    assert_int_equal(with_profile(text, NULL, &config, &diag), SBX_OK);
    assert_string_equal(sbx_config_string(config, "network", NULL), "off");
    sbx_config_free(config);
    assert_int_equal(with_profile(text, "b", &config, &diag), SBX_OK);
    assert_string_equal(sbx_config_string(config, "network", &origin), "on");
    assert_string_equal(origin, "f:3");
    assert_int_equal(sbx_config_integer(config, "limits.time"), 120000);
    assert_int_equal(sbx_config_integer(config, "limits.cpu"), 20);
    sbx_config_free(config);
}

static void profile_mistakes_have_positions(void **state)
{
    static const struct {
        const char *text, *profile;
        uint32_t line, column;
        const char *message, *hint;
    } rows[] = {
        {"[profiles.a]\ninherits = \"b\"\n[profiles.b]\ninherits = [\"a\"]", NULL, 4, 13, "inherits from itself", ""},
        {"[profiles.a]\ninherits = \"a\"", NULL, 2, 12, "inherits from itself", ""},
        {"[profiles.base]\n[profiles.b]\ninherits = \"bse\"", NULL, 3, 12, "no profile \"bse\"", "\"base\""},
        {"[profiles.base]\n", "bas", 0, 0, "no profile \"bas\"", "\"base\""},
        {"", "ci", 0, 0, "no profile \"ci\"", "sbx config show"},
    };
    sbx_config *config;
    sbx_diag diag;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_int_not_equal(with_profile(rows[i].text, rows[i].profile, &config, &diag), SBX_OK);
        assert_int_equal(diag.span.line, rows[i].line);
        assert_int_equal(diag.span.column, rows[i].column);
        assert_non_null(strstr(diag.message, rows[i].message));
        assert_non_null(strstr(diag.hint, rows[i].hint));
        sbx_config_free(config);
    }
}

/* ---- numbers ---- */

static void sizes_and_durations_have_borders(void **state)
{
    static const struct {
        int duration;
        const char *text;
        int64_t value; /* -1: wrong */
    } rows[] = {
        {0, "0B", 0},
        {0, "1k", 1024},
        {0, "1kB", 1000},
        {0, "512M", 512 << 20},
        {0, "4GiB", (int64_t)4 << 30},
        {0, "8388607TiB", (int64_t)8388607 << 40},
        {0, "8388608TiB", -1},
        {0, "9223372036854775807B", INT64_MAX},
        {0, "9223372036854775808B", -1},
        {0, "-1B", -1},
        {0, "", -1},
        {0, "4 GiB", -1},
        {0, "4GiB ", -1},
        {0, "4GiB2", -1},
        {0, "4PiB", -1},
        {1, "0ms", 0},
        {1, "1500ms", 1500},
        {1, "1h30m", 5400000},
        {1, "1d2h3m4s5ms", 93784005},
        {1, "9223372036854775807ms", INT64_MAX},
        {1, "9223372036854775s808ms", -1},
        {1, "9223372036854775s807ms", INT64_MAX},
        {1, "106751991168d", -1},
        {1, "1m1h", -1},
        {1, "1m1m", -1},
        {1, "1h30", -1},
        {1, "h", -1},
        {1, "1.5h", -1},
        {1, "", -1},
    };
    sbx_problem problem;
    int64_t number;
    size_t i;
    int right;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        number = -1;
        right = (rows[i].duration ? sbx_value_duration : sbx_value_size)(rows[i].text, strlen(rows[i].text), &number,
                                                                         &problem);
        if ((right ? number : -1) != rows[i].value)
            fail_msg("%s", rows[i].text);
    }
}

static void numbers_are_printed_back(void **state)
{
    static const struct {
        uint32_t type;
        int64_t number;
        const char *text;
    } rows[] = {
        {SBX_KEY_SIZE, 0, "0B"},
        {SBX_KEY_SIZE, 1025, "1025B"},
        {SBX_KEY_SIZE, (int64_t)3 << 40, "3TiB"},
        {SBX_KEY_DURATION, 0, "0s"},
        {SBX_KEY_DURATION, 5400000, "1h30m"},
        {SBX_KEY_DURATION, 93784005, "1d2h3m4s5ms"},
        {SBX_KEY_PERCENT, 50, "50%"},
        {SBX_KEY_COUNT, INT64_MIN, "-9223372036854775808"},
        {SBX_KEY_DURATION, INT64_MAX, "106751991167d7h12m55s807ms"},
        {SBX_KEY_PORTS, SBX_PORTS(80, 80), "80"},
        {SBX_KEY_PORTS, SBX_PORTS(80, 81), "80-81"},
        {SBX_KEY_PORTS, SBX_PORTS(1, 65534), "1-65534"},
        {SBX_KEY_PORTS, SBX_PORTS(1, 65535), "all"},
        {SBX_KEY_PORTS, SBX_PORTS(65535, 65535), "65535"},
    };
    char text[SBX_VALUE_TEXT];
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        sbx_value_text(rows[i].type, rows[i].number, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void ports_are_ranges(void **state)
{
    static const struct {
        const char *text;
        int64_t ports; /* -1: wrong */
    } rows[] = {
        {"1", SBX_PORTS(1, 1)},
        {"65535", SBX_PORTS(65535, 65535)},
        {"3000-3999", SBX_PORTS(3000, 3999)},
        {"80-80", SBX_PORTS(80, 80)},
        {"1-65535", SBX_PORTS(1, 65535)},
        {"all", SBX_PORTS(1, 65535)},
        {"All", -1},
        {"", -1},
        {"-", -1},
        {"-80", -1},
        {"80-", -1},
        {" 80", -1},
        {"0", -1},
        {"65536", -1},
        {"80-79", -1},
        {"9223372036854775808", -1},
    };
    sbx_problem problem;
    int64_t ports;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        ports = -1;
        if ((sbx_value_ports(rows[i].text, strlen(rows[i].text), &ports, &problem) ? ports : -1) != rows[i].ports)
            fail_msg("%s", rows[i].text);
    }
}

/* Names of folders that only look like what a shell replaces. */
static void names_of_folders_stay(void **state)
{
    static const char *const names[] = {"~x",     "a~",           "a\\~",        "PROGRA~1", "100%",        "50%\\60%",
                                        "%",      "$Recycle.Bin", "$postId\\x",  "C$",       "a\\$OEM$\\x", "$",
                                        "a$HOME", "%a b%",        "${env:TEMP}", "$${HOME}"};
    const sbx_key *key = sbx_schema_find("filesystem.writable");
    sbx_problem problem;
    int64_t number;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(names); i++)
        if (!sbx_value_check(key, names[i], strlen(names[i]), 1, &number, &problem))
            fail_msg("%s: %s", names[i], problem.message);
}

/* ---- texts ---- */

static void is_the_file(const char *path, sbx_text *made)
{
    char *file = sbx_alloc(1 << 16);
    FILE *stream = fopen(path, "rb");
    size_t length;

    assert_non_null(stream);
    length = fread(file, 1, (1 << 16) - 1, stream);
    fclose(stream);
    file[length] = 0;
    assert_string_equal(made->data, file);
    sbx_text_fini(made);
    sbx_free(file);
}

static void the_reference_is_the_file(void **state)
{
    sbx_text made = {0};
    const char *line;

    (void)state;
    assert_int_equal(sbx_config_reference(&made), SBX_OK);
    for (line = made.data; *line; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > 100)
            fail_msg("%.*s", (int)strcspn(line, "\n"), line);
    is_the_file(REFERENCE, &made);
}

static void the_schema_is_the_file(void **state)
{
    sbx_text made = {0};

    (void)state;
    assert_int_equal(sbx_config_describe(&made), SBX_OK);
    is_the_file(SCHEMA, &made);
}

/* What `config show` prints is a configuration that shows the same values. */
static void what_is_shown_reads_back(void **state)
{
    sbx_config *config = sbx_config_new(), *again = sbx_config_new();
    const sbx_key *keys;
    sbx_text shown = {0}, json = {0};
    const char *const *a, *const *b;
    uint32_t count, i, j, n, m;
    sbx_diag diag = {0};

    (void)state;
    assert_int_equal(add(config, "f.toml", all_keys, NULL), SBX_OK);
    assert_int_equal(sbx_config_set(config, "-e", "environment.set", "a b='\"\\\t", NULL), SBX_OK);
    assert_int_equal(sbx_config_set(config, "--tools", "tools.presets", "go,cargo", NULL), SBX_OK);
    assert_int_equal(sbx_config_finish(config, NULL, NULL), SBX_OK);
    assert_int_equal(sbx_config_show(config, 0, &shown), SBX_OK);
    assert_int_equal(sbx_config_show(config, 1, &json), SBX_OK);
    assert_non_null(strstr(json.data, "\"origin\": \"f.toml:21\""));
    assert_non_null(strstr(shown.data, "# --tools"));
    if (sbx_config_add(again, "g", shown.data, shown.length, &diag) != SBX_OK)
        fail_msg("%s\n%s: %s", shown.data, diag.file, diag.message);
    assert_int_equal(sbx_config_finish(again, NULL, NULL), SBX_OK);
    keys = sbx_schema_keys(&count);
    for (i = 0; i < count; i++) {
        a = sbx_config_list(config, keys[i].name, &n);
        b = sbx_config_list(again, keys[i].name, &m);
        assert_int_equal(n, m);
        for (j = 0; j < n; j++)
            if (keys[i].type != SBX_KEY_PERCENT)
                assert_string_equal(a[j], b[j]);
    }
    sbx_text_fini(&shown);
    sbx_text_fini(&json);
    sbx_config_free(config);
    sbx_config_free(again);
}

static void every_flag_is_unique_and_helped(void **state)
{
    const char *names[128];
    const sbx_key *keys;
    uint32_t count, i, f, j, used = 0;

    (void)state;
    keys = sbx_schema_keys(&count);
    for (i = 0; i < count; i++) {
        assert_true(keys[i].help && keys[i].help[0] && keys[i].default_value);
        assert_true(sbx_schema_find(keys[i].name) == &keys[i]);
        for (f = 0; f < SBX_KEY_FLAGS && keys[i].flags[f].name; f++) {
            assert_true(keys[i].flags[f].argument || keys[i].flags[f].value);
            names[used++] = keys[i].flags[f].name;
            if (keys[i].flags[f].short_name)
                names[used++] = keys[i].flags[f].short_name;
        }
    }
    assert_true(used > 20);
    for (i = 0; i < used; i++)
        for (j = i + 1; j < used; j++)
            assert_string_not_equal(names[i], names[j]);
}

/* Each that is built in is right, is what was asked for, and gives way to one of a file. */
static void profiles_are_built_in(void **state)
{
    static const char *const rows[][2] = {{"npm", "node"}, {"cargo", "cargo"},   {"python", "python"},
                                          {"go", "go"},    {"dotnet", "dotnet"}, {"agent", "git"}};
    const char *const *list, *origin;
    sbx_text shown = {0};
    uint32_t count;
    sbx_config *config;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        config = sbx_config_new();
        assert_int_equal(add(config, "f", "network = 'off'\n", NULL), SBX_OK);
        assert_int_equal(sbx_config_finish(config, rows[i][0], NULL), SBX_OK);
        list = sbx_config_list(config, "tools.presets", &count);
        assert_true(count > 0);
        assert_string_equal(list[0], rows[i][1]);
        assert_string_equal(sbx_config_string(config, "network", &origin), i == 5 ? "on" : "off");
        assert_string_equal(origin, i == 5 ? "built-in profile" : "f:1");
        sbx_config_free(config);
    }
    config = sbx_config_new();
    assert_int_equal(add(config, "f", "[profiles.agent]\nlimits.time = '1m'\n[profiles.b]\ninherits = 'npm'\n", NULL),
                     SBX_OK);
    assert_int_equal(sbx_config_finish(config, "agent", NULL), SBX_OK);
    assert_string_equal(sbx_config_string(config, "network", &origin), "off");
    assert_int_equal(sbx_config_integer(config, "limits.time"), 60000);
    assert_int_equal(sbx_config_show(config, 0, &shown), SBX_OK);
    assert_non_null(strstr(shown.data, "#   npm "));
    assert_null(strstr(strstr(shown.data, "#   agent ") + 1, "#   agent "));
    sbx_text_fini(&shown);
    sbx_config_free(config);
    config = sbx_config_new();
    assert_int_equal(add(config, "f", "[profiles.b]\ninherits = 'npm'\n", NULL), SBX_OK);
    assert_int_equal(sbx_config_finish(config, "b", NULL), SBX_OK);
    sbx_config_list(config, "tools.presets", &count);
    assert_int_equal(count, 1);
    sbx_config_free(config);
}

/* ---- hostile input ---- */

static void hostile_files_are_errors_with_positions(void **state)
{
    enum { LARGE = 10 << 20 };
    sbx_config *config = sbx_config_new();
    char *text = sbx_alloc(LARGE);
    sbx_diag diag;
    size_t i;

    (void)state;
    memset(text, '[', LARGE);
    memcpy(text, "a=", 2);
    assert_int_equal(sbx_config_add(config, "f", text, LARGE, &diag), SBX_E_CONFIG);
    assert_int_equal(diag.span.line, 1);
    memset(text, 0, LARGE);
    assert_int_equal(sbx_config_add(config, "f", text, LARGE, &diag), SBX_E_CONFIG);
    assert_int_equal(diag.span.line, 1);
    assert_int_equal(diag.span.column, 1);
    memset(text, '\n', LARGE);
    memcpy(text + LARGE - 4, "x=\xFF\n", 4);
    assert_int_equal(sbx_config_add(config, "f", text, LARGE, &diag), SBX_E_CONFIG);
    assert_int_equal(diag.span.line, LARGE - 3);
    for (i = 0; i < LARGE; i++)
        text[i] = "loopback=[1,1,1,"[i < 16 ? i : 14 + i % 2];
    text[LARGE - 1] = ']';
    assert_int_equal(sbx_config_add(config, "f", text, LARGE, &diag), SBX_E_CONFIG);
    assert_non_null(strstr(diag.message, "more than"));
    assert_int_equal(diag.span.column, 10);
    sbx_free(text);
    sbx_config_free(config);
}

static void each_allocation_may_fail(void **state)
{
    int64_t before = sbx_fault_live();

    (void)state;
    SBX_FAULT_EACH(n)
    {
        sbx_config *config = sbx_config_new();
        sbx_text shown = {0};
        sbx_status st = SBX_E_MEMORY;

        if (config && (st = add(config, "f", all_keys, NULL)) == SBX_OK &&
            (st = add(config, "g", "[profiles.p]\ninherits='q'\n[profiles.q]\ntools.presets=['go']", NULL)) == SBX_OK &&
            (st = sbx_config_set(config, "-e", "environment.set", "A=b", NULL)) == SBX_OK &&
            (st = sbx_config_set(config, "--tools", "tools.presets", "go,git", NULL)) == SBX_OK &&
            (st = sbx_config_finish(config, "p", NULL)) == SBX_OK)
            st = sbx_config_show(config, n & 1, &shown);
        assert_int_equal(st, sbx_fault_hit() ? SBX_E_MEMORY : SBX_OK);
        sbx_text_fini(&shown);
        sbx_config_free(config);
        assert_int_equal(sbx_fault_live(), before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_files_say_where),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(later_layers_win),
        cmocka_unit_test(wrong_flags_are_named),
        cmocka_unit_test(contradictions_name_both),
        cmocka_unit_test(profiles_inherit),
        cmocka_unit_test(profile_mistakes_have_positions),
        cmocka_unit_test(profiles_are_built_in),
        cmocka_unit_test(sizes_and_durations_have_borders),
        cmocka_unit_test(numbers_are_printed_back),
        cmocka_unit_test(ports_are_ranges),
        cmocka_unit_test(names_of_folders_stay),
        cmocka_unit_test(the_reference_is_the_file),
        cmocka_unit_test(the_schema_is_the_file),
        cmocka_unit_test(what_is_shown_reads_back),
        cmocka_unit_test(every_flag_is_unique_and_helped),
        cmocka_unit_test(hostile_files_are_errors_with_positions),
        cmocka_unit_test(each_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
