/* From configuration and facts to the policy: paths, protection, environment, the printed plan. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "config/policy.h"
#include "unit/support/fault.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const environment[] = {
    "=C:=C:\\w", "Path=C:\\bin",           "SystemRoot=C:\\Windows", "HOME=C:\\Users\\u",
    "EDITOR=vi", "GITHUB_TOKEN=geheim",    "Db_Password=geheim",     "AWS_REGION=x",
    "EMPTY=",    "npm_config_cache=D:\\c",
};

static const sbx_facts facts = {
    .cwd = "C:\\Users\\u\\project",
    .user_profile = "C:\\Users\\u",
    .local_app_data = "C:\\Users\\u\\AppData\\Local",
    .roaming_app_data = "C:\\Users\\u\\AppData\\Roaming",
    .program_data = "C:\\ProgramData",
    .windows_dir = "C:\\Windows",
    .program_dir = "C:\\Program Files\\sbx",
    .state_dir = "C:\\Users\\u\\AppData\\Local\\sbx",
    .run_id = "0123456789abcdef0123456789abcdef",
    .environment = environment,
    .environment_count = COUNT(environment),
};

static sbx_status make_with(const sbx_facts *known, const char *file, const char *text, sbx_plan *plan, sbx_diag *diag)
{
    sbx_config *config = sbx_config_new();
    sbx_status st = SBX_E_MEMORY;

    memset(plan, 0, sizeof(*plan));
    if (config && (st = sbx_config_add(config, file, text, strlen(text), diag)) == SBX_OK &&
        (st = sbx_config_finish(config, NULL, diag)) == SBX_OK)
        st = sbx_plan_make(config, known, plan, diag);
    sbx_config_free(config);
    return st;
}

static sbx_status make(const char *text, sbx_plan *plan, sbx_diag *diag)
{
    return make_with(&facts, "C:\\etc\\f.toml", text, plan, diag);
}

static int setup(void **state)
{
    (void)state;
    sbx_fault_use(0);
    return 0;
}

/* ---- golden plans ---- */

static const struct {
    const char *name, *text;
} plans[] = {
    {"default", ""},
    {"full",
     "backend = \"unelevated\"\nfallback = \"none-such\"\nrequire = [\"write\", \"processes\"]\nnetwork = \"on\"\n"
     "loopback = [80, \"3000-3999\", \"all\"]\ncwd = \"sub\"\nkeep_children = true\n"
     "[filesystem]\nworkspace = 'D:\\work'\nwritable = ['D:/cache/', \"${WORKSPACE}\", 'D:\\work\\inner']\n"
     "protected = [\"package.json\", 'D:\\work\\a\\..\\keys', 'E:\\else']\n"
     "deny_read = [\"${USERPROFILE}\\\\.ssh\"]\nread = \"listed\"\nreadable = [\"${USERPROFILE}\\\\sdk\"]\ngit = "
     "\"commit\"\ntemp = \"user\"\n"
     "[environment]\nset = { CI = \"1\", CACHE = \"${env:npm_config_cache}\\\\x $${y}\" }\nunset = [\"EDI*\"]\n"
     "[limits]\ntime = \"90m\"\nmemory = \"4GiB\"\ncpu = 50\nprocesses = 64\n"
     "[console]\ngrace = \"250ms\"\n[ui]\ndesktop = \"user\"\nclipboard = false\n"
     "[tools]\npresets = [\"git\", \"node\", \"git\"]\n[elevated]\ntoken = \"account\"\n"},
    {"read-only", "filesystem.writable = []\nenvironment.pass = [\"HO*\", \"GITHUB_TOKEN\"]\n"},
};

static void compare(const char *name, const char *kind, const char *got)
{
    char path[512], *wanted = sbx_alloc(1 << 16);
    FILE *stream;
    size_t length = 0;

    snprintf(path, sizeof(path), "%s/%s.%s", PLAN_DATA, name, kind);
    stream = fopen(path, "rb");
    if (stream) {
        length = fread(wanted, 1, (1 << 16) - 1, stream);
        fclose(stream);
    }
    wanted[length] = 0;
    if (strcmp(wanted, got) != 0)
        fail_msg("%s is not what was printed:\n%s", path, got);
    sbx_free(wanted);
}

static void plans_are_printed(void **state)
{
    sbx_plan plan;
    size_t i;
    int json;

    (void)state;
    for (i = 0; i < COUNT(plans); i++) {
        sbx_diag diag = {0};

        if (make(plans[i].text, &plan, &diag) != SBX_OK)
            fail_msg("%s: %s", plans[i].name, diag.message);
        for (json = 0; json < 2; json++) {
            sbx_text out = {0};

            assert_int_equal(sbx_plan_print(&plan, NULL, json, &out), SBX_OK);
            compare(plans[i].name, json ? "json" : "txt", out.data);
            sbx_text_fini(&out);
        }
        sbx_plan_fini(&plan);
    }
}

/* The usual place of a configuration makes no line wider than a window; what is wider is one path or value. */
static void a_plan_has_no_wide_lines(void **state)
{
    static const char file[] = "C:\\Users\\somebody\\AppData\\Roaming\\sbx\\sbx.toml";
    static const char long_file[] = "C:\\Users\\somebody\\a folder of files for work\\configuration of sbx\\sbx.toml";
    const char *const files[] = {file, long_file};
    sbx_text out = {0};
    sbx_plan plan;
    const char *line;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(files); i++) {
        assert_int_equal(make_with(&facts, files[i], plans[1].text, &plan, NULL), SBX_OK);
        assert_int_equal(sbx_plan_print(&plan, NULL, 0, &out), SBX_OK);
        for (line = out.data; *line; line += strcspn(line, "\n") + 1)
            if (strcspn(line, "\n") > 100)
                fail_msg("%.*s", (int)strcspn(line, "\n"), line);
        assert_non_null(strstr(out.data, i ? "config read-only\n              (C:\\" : "sbx.toml:29)\n"));
        sbx_text_fini(&out);
        sbx_plan_fini(&plan);
    }
}

/* What a backend does not do is not told as if it held: by its guarantees, and by the gaps that it names. */
static void a_plan_tells_what_the_backend_does(void **state)
{
    static const char *const gaps[] = {"clipboard", "network", "loopback", "TEMP"};
    static const char everything[] = "loopback = [80]\n[filesystem]\ndeny_read = ['C:\\x']\n[ui]\nclipboard = false\n"
                                     "[tools]\npresets = [\"git\"]";
    static const char nothing[] =
        "network = \"on\"\nloopback = [80]\n[filesystem]\ngit = \"write\"\ntemp = \"user\"\nprotected = []\n"
        "[ui]\ndesktop = \"user\"\nclipboard = true";
    static const struct {
        const char *text;
        uint32_t enforced, advisory, gap_count;
        const char *not_done; /* as printed; NULL: nothing */
        const char *advised;  /* the lines that are; NULL: none */
    } rows[] = {
        {everything, SBX_AREA_ALL, 0, 0, NULL, NULL},
        {everything, SBX_AREA_FILE_WRITE | SBX_AREA_FILE_READ | SBX_AREA_UI, SBX_AREA_NETWORK, 4,
         "not done      loopback, clipboard\n", "\nnetwork       off, advisory\n"},
        {everything, SBX_AREA_PROCESS_TREE, 0, 0,
         "not done      writable, protected, git, unreadable, temp, network, loopback, tools, desktop,\n              "
         "clipboard\n",
         NULL},
        {everything, SBX_AREA_FILE_WRITE, SBX_AREA_UI, 0, "not done      unreadable, network, loopback\n",
         "\ndesktop       private, advisory\nclipboard     closed, advisory "},
        {nothing, SBX_AREA_PROCESS_TREE, 0, 1, "not done      writable\n", NULL},
        {nothing, SBX_AREA_FILE_WRITE, 0, 4, NULL, NULL},
        /* who asks for all ports has them where they cannot be told apart */
        {"loopback = [80, \"all\"]", SBX_AREA_FILE_WRITE | SBX_AREA_UI, SBX_AREA_NETWORK, 4, NULL,
         "off, advisory\nloopback      80 "},
    };
    static const char *const lines[] = {"writable", "protected", "git",   "unreadable", "temp",
                                        "network",  "loopback",  "tools", "desktop",    "clipboard"};
    char start[32];
    size_t i, j;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        sbx_plan_backing backing = {
            {sizeof(sbx_guarantees), rows[i].enforced, rows[i].advisory}, gaps, rows[i].gap_count};
        sbx_text out = {0};
        sbx_plan plan;
        const char *told;

        assert_int_equal(make(rows[i].text, &plan, NULL), SBX_OK);
        assert_int_equal(sbx_plan_print(&plan, &backing, 0, &out), SBX_OK);
        told = strstr(out.data, "\nnot done");
        if (rows[i].not_done ? !told || !strstr(out.data, rows[i].not_done) : told != NULL)
            fail_msg("row %d: %s", (int)i, out.data);
        if (rows[i].advised ? !strstr(out.data, rows[i].advised) : strstr(out.data, ", advisory") != NULL)
            fail_msg("row %d: %s", (int)i, out.data);
        for (j = 0; told && j < COUNT(lines); j++) {
            snprintf(start, sizeof(start), "\n%s ", lines[j]);
            if (strstr(rows[i].not_done, lines[j]) && strstr(out.data, start))
                fail_msg("row %d has a line for %s: %s", (int)i, lines[j], out.data);
        }
        sbx_text_fini(&out);
        sbx_plan_fini(&plan);
    }
}

/* ---- refused paths ---- */

static const struct {
    const char *text, *message;
    uint32_t column;
} refused[] = {
    {"filesystem.writable = ['C:\\']", "root of a volume", 24},
    {"filesystem.writable = ['C:']", "depends on the current directory of a drive", 24},
    {"filesystem.writable = ['\\']", "root of a volume", 24},
    {"filesystem.writable = ['\\\\?\\C:\\']", "root of a volume", 24},
    {"filesystem.writable = [\"${USERPROFILE}\"]", "user profile", 24},
    {"filesystem.writable = ['c:/users/U/.']", "user profile", 24},
    {"filesystem.writable = ['C:\\Users']", "user profile", 24},
    {"filesystem.writable = ['..']", "user profile", 24},
    {"filesystem.writable = ['C:\\windows']", "Windows folder", 24},
    {"filesystem.writable = ['C:\\WINDOWS\\Temp']", "Windows folder", 24},
    {"filesystem.writable = ['C:\\Program Files\\sbx\\backends']", "sbx itself", 24},
    {"filesystem.writable = ['C:\\ProgramData']", "folder of sbx", 24},
    {"filesystem.writable = ['C:\\ProgramData\\sbx\\x']", "sbx itself", 24},
    {"filesystem.writable = [\"${LOCALAPPDATA}\"]", "folder of sbx", 24},
    {"filesystem.writable = [\"${APPDATA}\\\\sbx\"]", "sbx itself", 24},
    {"filesystem.writable = ['\\\\server\\share\\a']", "network", 24},
    {"filesystem.writable = ['\\\\?\\UNC\\server\\share\\a']", "network", 24},
    {"filesystem.writable = ['\\\\.\\C:\\a']", "device", 24},
    {"filesystem.writable = ['\\\\?\\GLOBALROOT\\Device\\HarddiskVolume1\\a']", "device", 24},
    {"filesystem.writable = ['\\\\?\\Volume{01234567-89ab-cdef-0123-456789abcdef}\\a']", "device", 24},
    {"filesystem.writable = ['nul']", "", 24},
    {"filesystem.writable = ['a:b:c']", "", 24},
    {"filesystem.writable = ['a*']", "", 24},
    {"filesystem.writable = [\"${env:NOPE}\"]", "no variable \"NOPE\"", 25},
    {"filesystem.writable = ['a\\${env:EMPTY_}']", "no variable \"EMPTY_\"", 27},
    {"filesystem.writable = [\"${env:EMPTY}\"]", "empty", 24},
    {"filesystem.workspace = \"${WORKSPACE}\"", "not known here", 25},
    {"filesystem.protected = ['..\\x']", "leads out of the writable folder", 25},
    {"filesystem.protected = ['.']", "is to be protected", 25},
    {"filesystem.protected = [\"${WORKSPACE}\"]", "is to be protected", 25},
    {"filesystem.deny_read = ['\\\\.\\pipe\\x']", "device", 25},
    {"cwd = 'D:'", "current directory of a drive", 7},
    {"environment = { set = { A = \"1\" }, unset = [\"A\"] }", "both set and unset", 29},
};

static void refused_paths_have_positions(void **state)
{
    sbx_plan plan;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(refused); i++) {
        sbx_diag diag = {0};
        sbx_status st = make(refused[i].text, &plan, &diag);

        if (st != SBX_E_CONFIG || diag.span.line != 1 || diag.span.column != refused[i].column ||
            !strstr(diag.message, refused[i].message) || plan.arena.blocks)
            fail_msg("%s: status %d, %u:%u %s", refused[i].text, (int)st, (unsigned)diag.span.line,
                     (unsigned)diag.span.column, diag.message);
        sbx_plan_fini(&plan);
    }
}

static void flags_are_named(void **state)
{
    sbx_config *config = sbx_config_new();
    sbx_plan plan = {0};
    sbx_diag diag;

    (void)state;
    assert_int_equal(sbx_config_set(config, "--writable", "filesystem.writable", "C:\\", NULL), SBX_OK);
    assert_int_equal(sbx_config_finish(config, NULL, NULL), SBX_OK);
    assert_int_equal(sbx_plan_make(config, &facts, &plan, &diag), SBX_E_USAGE);
    assert_string_equal(diag.file, "--writable");
    sbx_config_free(config);
}

/* Nobody can look at what is built in: the person is told about the folder that sbx was started in. */
static void a_default_has_no_position(void **state)
{
    static const char *const folders[] = {"C:\\", "C:\\Users\\u"};
    sbx_facts here = facts;
    sbx_config *config = sbx_config_new();
    sbx_plan plan = {0};
    sbx_diag diag;
    size_t i;

    (void)state;
    assert_int_equal(sbx_config_finish(config, NULL, NULL), SBX_OK);
    for (i = 0; i < COUNT(folders); i++) {
        here.cwd = folders[i];
        assert_int_equal(sbx_plan_make(config, &here, &plan, &diag), SBX_E_CONFIG);
        assert_string_equal(diag.file, "");
        assert_int_equal(diag.span.line, 0);
        assert_string_equal(diag.line, "");
        assert_memory_equal(diag.message, folders[i], strlen(folders[i]));
        assert_non_null(strstr(diag.hint, "--workspace"));
    }
    sbx_config_free(config);
}

/* ---- protection ---- */

static int is_protected(const sbx_plan *plan, const char *path)
{
    uint32_t i;

    for (i = 0; i < plan->policy.protected_count; i++)
        if (!strcmp(plan->policy.protected_paths[i], path))
            return 1;
    return 0;
}

static void git_has_three_modes(void **state)
{
    sbx_plan plan;

    (void)state;
    assert_int_equal(make("", &plan, NULL), SBX_OK);
    assert_int_equal(plan.policy.git, SBX_GIT_PROTECT);
    assert_true(is_protected(&plan, "C:\\Users\\u\\project\\.git"));
    assert_true(is_protected(&plan, "C:\\Users\\u\\project\\sbx.toml"));
    sbx_plan_fini(&plan);
    assert_int_equal(make("filesystem.git = \"commit\"", &plan, NULL), SBX_OK);
    assert_int_equal(plan.policy.git, SBX_GIT_COMMIT);
    assert_false(is_protected(&plan, "C:\\Users\\u\\project\\.git"));
    assert_true(is_protected(&plan, "C:\\Users\\u\\project\\.git\\hooks"));
    sbx_plan_fini(&plan);
    assert_int_equal(make("filesystem.git = \"write\"", &plan, NULL), SBX_OK);
    assert_int_equal(plan.policy.git, SBX_GIT_WRITE);
    assert_int_equal(plan.policy.protected_count, 3);
    sbx_plan_fini(&plan);
    /* a git directory has none of what a folder of work has */
    assert_int_equal(make("filesystem.writable = ['D:\\main\\.git']", &plan, NULL), SBX_OK);
    assert_true(is_protected(&plan, "D:\\main\\.git\\hooks"));
    assert_true(is_protected(&plan, "D:\\main\\.git\\config"));
    assert_false(is_protected(&plan, "D:\\main\\.git\\.git"));
    assert_false(is_protected(&plan, "D:\\main\\.git\\.codex"));
    sbx_plan_fini(&plan);
}

/* A name that is written down is asked for, be it built in as well; the key `git` names none. */
static void what_somebody_wrote_comes_first(void **state)
{
    sbx_config *config = sbx_config_new();
    sbx_plan plan;

    (void)state;
    assert_int_equal(make("filesystem.git = \"protect\"", &plan, NULL), SBX_OK);
    assert_int_equal(plan.policy.protected_asked, 0);
    assert_int_equal(plan.policy.protected_count, 4);
    sbx_plan_fini(&plan);
    assert_int_equal(make("filesystem.protected = ['sbx.toml', 'a', '.git']", &plan, NULL), SBX_OK);
    assert_int_equal(plan.policy.protected_asked, 3);
    assert_int_equal(plan.policy.protected_count, 3);
    assert_string_equal(plan.policy.protected_paths[0], "C:\\Users\\u\\project\\sbx.toml");
    sbx_plan_fini(&plan);
    assert_int_equal(sbx_config_set(config, "--protect", "filesystem.protected", "a", NULL), SBX_OK);
    assert_int_equal(sbx_config_finish(config, NULL, NULL), SBX_OK);
    assert_int_equal(sbx_plan_make(config, &facts, &plan, NULL), SBX_OK);
    assert_int_equal(plan.policy.protected_asked, 1);
    assert_int_equal(plan.policy.protected_count, 5);
    assert_string_equal(plan.policy.protected_paths[0], "C:\\Users\\u\\project\\a");
    sbx_plan_fini(&plan);
    sbx_config_free(config);
}

/* Whatever the order: the names are guarded once, in the folder that holds the other. */
static void a_root_in_a_root_is_a_part_of_it(void **state)
{
    static const char *const texts[] = {"[filesystem]\nwritable = [\"${WORKSPACE}\", 'dist\\x', 'dist', 'DIST']\n",
                                        "[filesystem]\nwritable = ['dist', \"${WORKSPACE}\", 'dist\\x']\n"};
    sbx_plan plan;
    size_t i;
    uint32_t k;

    (void)state;
    for (i = 0; i < COUNT(texts); i++) {
        assert_int_equal(make(texts[i], &plan, NULL), SBX_OK);
        assert_int_equal(plan.policy.writable_count, 1);
        assert_string_equal(plan.policy.writable[0], "C:\\Users\\u\\project");
        assert_int_equal(plan.inner_count, 2);
        assert_int_equal(plan.policy.protected_count, 4);
        for (k = 0; k < plan.policy.protected_count; k++)
            assert_null(strstr(plan.policy.protected_paths[k], "dist"));
        sbx_plan_fini(&plan);
    }
    assert_int_equal(make("filesystem.writable = [\"${WORKSPACE}\", '.codex']", &plan, NULL), SBX_E_CONFIG);
    assert_int_equal(make("[filesystem]\nwritable = [\"${WORKSPACE}\", 'd']\nprotected = ['d\\keys']", &plan, NULL),
                     SBX_OK);
    assert_true(is_protected(&plan, "C:\\Users\\u\\project\\d\\keys"));
    sbx_plan_fini(&plan);
}

static void own_files_are_protected(void **state)
{
    sbx_facts own = facts;
    sbx_plan plan;

    (void)state;
    own.program_dir = "C:\\Users\\u\\project\\build\\bin";
    assert_int_equal(make_with(&own, "conf\\ci.toml", "filesystem.protected = []", &plan, NULL), SBX_OK);
    assert_true(is_protected(&plan, "C:\\Users\\u\\project\\build\\bin"));
    assert_true(is_protected(&plan, "C:\\Users\\u\\project\\conf\\ci.toml"));
    sbx_plan_fini(&plan);
}

/* ---- environment ---- */

/* 'u' removed, 'w' withheld, 's' set, '-' untouched */
static char fate(const sbx_plan *plan, const char *name)
{
    uint32_t i;

    for (i = 0; i < plan->withheld_count; i++)
        if (!strcmp(plan->withheld[i], name))
            return 'w';
    for (i = 0; i < plan->policy.env_count; i++)
        if (!strcmp(plan->policy.env[i].name, name))
            return plan->policy.env[i].op == SBX_ENV_SET ? 's' : 'u';
    return '-';
}

static void environment_is_edited(void **state)
{
    static const struct {
        const char *text, *fates; /* of GITHUB_TOKEN, Db_Password, EDITOR, HOME, Path */
    } rows[] = {
        {"", "ww---"},
        {"block_secrets = false", "-----"},
        {"pass = []", "wwuu-"},
        {"pass = [\"*\", \"github_token\"]", "-w---"},
        {"pass = [\"GITHUB_*\", \"home\"]", "wwu--"},
        {"unset = [\"PATH\", \"E*\", \"GITHUB_TOKEN\"]", "uwu-u"},
        {"set = { GITHUB_TOKEN = \"x\", HOME = \"\" }", "sw-s-"},
    };
    static const char *const names[] = {"GITHUB_TOKEN", "Db_Password", "EDITOR", "HOME", "Path"};
    sbx_plan plan;
    size_t i, j;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        char text[256];

        snprintf(text, sizeof(text), "[environment]\n%s\n", rows[i].text);
        assert_int_equal(make(text, &plan, NULL), SBX_OK);
        for (j = 0; j < COUNT(names); j++)
            if (fate(&plan, names[j]) != rows[i].fates[j])
                fail_msg("%s: %s is '%c'", rows[i].text, names[j], fate(&plan, names[j]));
        sbx_plan_fini(&plan);
    }
}

static void the_later_of_set_and_unset_wins(void **state)
{
    sbx_config *config = sbx_config_new();
    sbx_plan plan = {0};
    const char text[] = "environment = { set = { HOME = \"1\" }, unset = [\"EDITOR\"] }";

    (void)state;
    assert_int_equal(sbx_config_add(config, "f", text, strlen(text), NULL), SBX_OK);
    assert_int_equal(sbx_config_set(config, "--unset", "environment.unset", "HOME", NULL), SBX_OK);
    assert_int_equal(sbx_config_set(config, "--env", "environment.set", "EDITOR=e", NULL), SBX_OK);
    assert_int_equal(sbx_config_finish(config, NULL, NULL), SBX_OK);
    assert_int_equal(sbx_plan_make(config, &facts, &plan, NULL), SBX_OK);
    assert_int_equal(fate(&plan, "HOME"), 'u');
    assert_int_equal(fate(&plan, "EDITOR"), 's');
    sbx_plan_fini(&plan);
    sbx_config_free(config);
}

static void secrets_are_known_by_name(void **state)
{
    static const char *const secrets[] = {"GITHUB_TOKEN",
                                          "aws_secret_access_key",
                                          "AWS_ACCESS_KEY_ID",
                                          "MY_API_KEY",
                                          "AWS_SESSION_TOKEN",
                                          "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                          "AZURE_CLIENT_SECRET",
                                          "AZURE_CLIENT_CERTIFICATE_PASSWORD",
                                          "AZURE_STORAGE_CONNECTION_STRING",
                                          "ARM_CLIENT_SECRET",
                                          "GOOGLE_APPLICATION_CREDENTIALS",
                                          "VAULT_TOKEN",
                                          "VAULT_SECRET_ID",
                                          "DB_PASSWORD_FILE",
                                          "npm_config__authToken",
                                          "OPENAI_API_KEY",
                                          "DOCKER_AUTH_CONFIG",
                                          "CI_JOB_JWT",
                                          "COOKIE",
                                          "TOKEN"};
    static const char *const others[] = {
        "PATH", "HOME",          "KEYBOARD",   "TOKENIZER",        "MONKEY",       "PASS",      "COMPASS",
        "A",    "AWS_CA_BUNDLE", "AWS_REGION", "AZURE_CONFIG_DIR", "VAULT_CACERT", "VAULT_ADDR"};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(secrets); i++)
        if (!sbx_secret_name(secrets[i], strlen(secrets[i])))
            fail_msg("%s", secrets[i]);
    for (i = 0; i < COUNT(others); i++)
        if (sbx_secret_name(others[i], strlen(others[i])))
            fail_msg("%s", others[i]);
}

static void secrets_among_arguments(void **state)
{
    static const char *const pairs[][2] = {
        {"build", "build"},
        {"--api-key=abc", "--api-key=(withheld)"},
        {"NPM_TOKEN=abc", "NPM_TOKEN=(withheld)"},
        {"--github-token", "--github-token"},
        {"abc", "(withheld)"},
        {"abc", "abc"},
        {"/p:DbPassword=abc", "/p:DbPassword=(withheld)"},
        {"https://me:abc@host/x@y", "https://(withheld)@host/x@y"},
        {"https://host/x@y", "https://host/x@y"},
        {"set NPM_TOKEN=abc&& npm i", "set NPM_TOKEN=(withheld)"},
        {"Authorization: Bearer abc", "Authorization: Bearer (withheld)"},
        {"https://host/?a=b&access_token=c", "https://host/?a=b&access_token=(withheld)"},
        {"--key", "--key"},
        {"a=b", "a=b"},
        {"=", "="},
        {"", ""},
    };
    sbx_arena arena = {NULL};
    int is_next = 0;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        assert_string_equal(sbx_secret_argument(&arena, pairs[i][0], &is_next), pairs[i][1]);
    sbx_arena_fini(&arena);
}

static void values_of_secrets_are_not_printed(void **state)
{
    sbx_plan plan;
    int json;

    (void)state;
    assert_int_equal(make("environment.set = { MY_TOKEN = \"hush\", CI = \"loud\" }", &plan, NULL), SBX_OK);
    for (json = 0; json < 2; json++) {
        sbx_text out = {0};

        assert_int_equal(sbx_plan_print(&plan, NULL, json, &out), SBX_OK);
        assert_non_null(strstr(out.data, "loud"));
        assert_non_null(strstr(out.data, "MY_TOKEN"));
        assert_null(strstr(out.data, "hush"));
        assert_null(strstr(out.data, "geheim"));
        sbx_text_fini(&out);
    }
    sbx_plan_fini(&plan);
}

static void each_allocation_may_fail(void **state)
{
    int64_t before = sbx_fault_live();

    (void)state;
    SBX_FAULT_EACH(n)
    {
        sbx_text out = {0};
        sbx_plan plan;
        sbx_status st = make(plans[1].text, &plan, NULL);

        if (st == SBX_OK)
            st = sbx_plan_print(&plan, NULL, n & 1, &out);
        assert_int_equal(st, sbx_fault_hit() ? SBX_E_MEMORY : SBX_OK);
        sbx_text_fini(&out);
        sbx_plan_fini(&plan);
        assert_int_equal(sbx_fault_live(), before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_printed),
        cmocka_unit_test(a_plan_has_no_wide_lines),
        cmocka_unit_test(a_plan_tells_what_the_backend_does),
        cmocka_unit_test(refused_paths_have_positions),
        cmocka_unit_test(flags_are_named),
        cmocka_unit_test(a_default_has_no_position),
        cmocka_unit_test(git_has_three_modes),
        cmocka_unit_test(a_root_in_a_root_is_a_part_of_it),
        cmocka_unit_test(what_somebody_wrote_comes_first),
        cmocka_unit_test(own_files_are_protected),
        cmocka_unit_test(environment_is_edited),
        cmocka_unit_test(the_later_of_set_and_unset_wins),
        cmocka_unit_test(secrets_are_known_by_name),
        cmocka_unit_test(secrets_among_arguments),
        cmocka_unit_test(values_of_secrets_are_not_printed),
        cmocka_unit_test(each_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
