/* What commands read beside their workspaces: which folders that is, opened as steps of the user's part of setup, told of at a launch
 * where they are closed, and closed again. */
#include "../security/fixture.h"

#include <stdlib.h>

#include "common/grants/audience.h"
#include "common/grants/kind.h"
#include "common/grants/reader.h"
#include "elevated/credentials.h"
#include "elevated/reads.h"

#define WRITERS "S-1-5-21-11-22-33-1062"
#define READERS "S-1-5-21-11-22-33-1063"

static sbx_audience made;
static sbx_reads_wanted wanted;
static char left[8192];

static void leave(const char *folder, const char *why)
{
    const size_t length = strlen(left);

    snprintf(left + length, sizeof(left) - length, "%s: %s\n", folder, why);
}

static void begin(void)
{
    expect_ok(sbx_audience_of(WRITERS, READERS, &made, NULL), NULL);
    audience = &made;
    policy.protected_count = policy.protected_asked = 0;
    left[0] = 0;
    memset(&wanted, 0, sizeof(wanted));
}

static const char *profile(void)
{
    return getenv("USERPROFILE");
}

static int is_found(const char *path, const char *folder)
{
    sbx_reads reads = {.left_out = leave, .wanted = wanted};
    uint32_t i;
    int found = 0;

    expect_ok(sbx_reads_find(&reads, path, &made, NULL), NULL);
    for (i = 0; i < reads.count; i++)
        found += !strcmp(reads.paths[i], folder);
    sbx_reads_fini(&reads);
    return found;
}

static void is_left(const char *path, const char *why)
{
    sbx_reads reads = {.left_out = leave, .wanted = wanted};
    uint32_t i;

    left[0] = 0;
    expect_ok(sbx_reads_find(&reads, path, &made, NULL), NULL);
    for (i = 0; i < reads.count; i++)
        if (!strcmp(reads.paths[i], path))
            fail_msg("%s is not left out", path);
    sbx_reads_fini(&reads);
    if (!strstr(left, why))
        fail_msg("%s: \"%s\", not \"%s\"", path, left, why);
}

static void test_found(void **context)
{
    char path[4096], tools[1024], folder[1024];
    int is_new;

    JUDGED
    begin();
    tree_dir("tools");
    tree_dir("tools\\bin");
    snprintf(tools, sizeof(tools), "%s", tree_path("tools\\bin"));
    assert_int_equal(is_found(tools, tools), 1);
    snprintf(path, sizeof(path), "C:\\Windows;;\"%s\\\";%s\\.;C:\\nowhere", tools, tools);
    assert_int_equal(is_found(path, tools), 1); /* once */
    assert_int_equal(is_found(path, "C:\\Windows"), 0);
    assert_non_null(strstr(left, "C:\\nowhere: there is no such folder"));

    is_left(profile(), "credentials are kept");
    snprintf(folder, sizeof(folder), "%s\\Downloads", profile());
    is_new = CreateDirectoryA(folder, NULL);
    is_left(folder, "your own files");
    if (is_new)
        RemoveDirectoryA(folder);
    snprintf(folder, sizeof(folder), "%s\\.ssh", profile());
    is_new = CreateDirectoryA(folder, NULL);
    is_left(folder, "credentials are kept");
    if (is_new)
        RemoveDirectoryA(folder);
    snprintf(folder, sizeof(folder), "%s\\AppData\\Roaming", profile());
    is_left(folder, "credentials are kept");
    assert_int_equal(is_found("C:\\", "C:\\"), 0); /* a whole drive */
    is_left("\\\\server\\share\\bin", "on no disk of this machine");
    is_left("\\\\?\\UNC\\localhost\\C$\\bin", "on no disk of this machine");
    is_left("bin", "on no disk of this machine");
    is_left("N:\\bin", "on no disk of this machine");
    tree_file("tools\\file", "f");
    is_left(tree_path("tools\\file"), "no such folder");
    assert_int_equal(tree_link("tools\\good", "tools\\bin"), 0); /* where it leads counts */
    assert_int_equal(is_found(tree_path("tools\\good"), tools), 1);
}

/* What the user names; each folder of the profile, or nothing else. */
static void test_wanted(void **context)
{
    char sdk[1024], docs[1024], keys[1024];
    const char *readable[2] = {sdk, "C:\\nowhere"};
    int is_new;

    JUDGED
    begin();
    tree_dir("sdk");
    snprintf(sdk, sizeof(sdk), "%s", tree_path("sdk"));
    snprintf(docs, sizeof(docs), "%s\\Documents", profile());
    snprintf(keys, sizeof(keys), "%s\\.ssh", profile());
    CreateDirectoryA(docs, NULL);
    is_new = CreateDirectoryA(keys, NULL);
    assert_int_equal(is_found(NULL, sdk), 0);
    wanted = (sbx_reads_wanted){SBX_READ_LISTED, 2, readable};
    assert_int_equal(is_found(sdk, sdk), 1);
    assert_non_null(strstr(left, "C:\\nowhere: there is no such folder"));
    readable[0] = keys;
    left[0] = 0;
    assert_int_equal(is_found(NULL, keys), 0);
    assert_non_null(strstr(left, "credentials are kept"));
    wanted.count = 0;
    assert_int_equal(is_found(sdk, sdk), 0); /* PATH names it, and nobody wants that */

    wanted.read = SBX_READ_PROFILE;
    left[0] = 0;
    assert_int_equal(is_found(NULL, docs), 1);
    assert_int_equal(is_found(NULL, keys), 0);
    assert_non_null(strstr(left, "credentials are kept"));
    snprintf(docs, sizeof(docs), "%s\\AppData", profile());
    assert_int_equal(is_found(NULL, docs), 0);
    assert_int_equal(is_found(sdk, sdk), 1); /* tools as well */
    if (is_new)
        RemoveDirectoryA(keys);
}

/* What is opened and not wanted is told; so is what is wanted and closed. */
static void test_told(void **context)
{
    const sbx_setup_step *steps = NULL;
    char tools[1024], old[8192] = "";
    const char *readable[1] = {tools};
    uint32_t count = 0, i;

    JUDGED
    begin();
    tree_dir("tools");
    snprintf(tools, sizeof(tools), "%s", tree_path("tools"));
    GetEnvironmentVariableA("PATH", old, sizeof(old));
    SetEnvironmentVariableA("PATH", tools);
    wanted = (sbx_reads_wanted){SBX_READ_LISTED, 0, NULL};
    tree_warnings = 0;
    sbx_reads_tell(&wanted, &made, 0);
    assert_int_equal(tree_warnings, 0);
    wanted = (sbx_reads_wanted){SBX_READ_LISTED, 1, readable};
    sbx_reads_tell(&wanted, &made, 0);
    assert_int_equal(tree_warnings, 1);
    assert_non_null(strstr(tree_warning, "sbx setup --tools"));
    expect_ok(sbx_reads_steps(&wanted, &made, &steps, &count, NULL), NULL);
    assert_int_equal(count, 1);
    for (i = 0; i < count; i++)
        expect_ok(steps[i].apply(&steps[i], NULL), NULL);
    tree_warnings = 0;
    sbx_reads_tell(&wanted, &made, 0);
    assert_int_equal(tree_warnings, 1); /* it is a folder of PATH, too */
    wanted.count = 0;
    sbx_reads_tell(&wanted, &made, 0);
    assert_int_equal(tree_warnings, 2);
    assert_non_null(strstr(tree_warning, "opened before"));
    assert_non_null(strstr(tree_warning, tools));
    expect_ok(clean_all(), NULL);
    sbx_reads_forget();
    tree_warnings = 0;
    sbx_reads_tell(&wanted, &made, 0);
    assert_int_equal(tree_warnings, 0);
    SetEnvironmentVariableA("PATH", old);
}

/* What holds a writable folder stays closed; what is one is open already. */
static void test_of_roots(void **context)
{
    sbx_grants *grants;
    char folder[1024];

    JUDGED
    begin();
    assert_int_equal(is_found(tree_path("ws\\src"), tree_path("ws\\src")), 1);
    grants = open_grants();
    assert_int_equal(is_found(tree_path("ws\\src"), tree_path("ws\\src")), 0);
    snprintf(folder, sizeof(folder), "%s", tree_path(""));
    is_left(folder, "a folder that commands write in lies in it");
    sbx_grants_close(grants);
    expect_ok(clean_all(), NULL);
}

static int is_open(const char *path)
{
    return sbx_reader_is_open(path, made.readers.u.bytes);
}

static void test_steps(void **context)
{
    const sbx_setup_step *steps = NULL;
    char tools[1024], old[8192] = "";
    uint32_t count = 0, i, state = 9;
    char *before;

    JUDGED
    begin();
    tree_dir("tools");
    tree_dir("tools\\lib");
    tree_file("tools\\lib\\a.js", "a");
    snprintf(tools, sizeof(tools), "%s", tree_path("tools"));
    before = tree_snapshot("tools");
    GetEnvironmentVariableA("PATH", old, sizeof(old));
    SetEnvironmentVariableA("PATH", tools);
    tree_warnings = 0;
    sbx_reads_tell(&wanted, &made, 0);
    assert_int_equal(tree_warnings, 1);
    assert_non_null(strstr(tree_warning, "sbx setup --tools"));
    assert_non_null(strstr(tree_warning, tools));
    expect_ok(sbx_reads_steps(&wanted, &made, &steps, &count, NULL), NULL);
    for (i = 0; i < count && strcmp(steps[i].summary, tools); i++)
        ;
    assert_true(i < count);
    expect_ok(steps[i].present(&steps[i], &state, NULL), NULL);
    assert_true(state == 0 && !is_open(tools)); /* control */
    expect_ok(steps[i].apply(&steps[i], NULL), NULL);
    expect_ok(steps[i].present(&steps[i], &state, NULL), NULL);
    assert_true(state == 1 && is_open(tools) && is_open(tree_path("tools\\lib")) && !is_open(profile()));
    tree_warnings = 0;
    sbx_reads_tell(&wanted, &made, 0);
    SetEnvironmentVariableA("PATH", "C:\\Windows"); /* another one is judged anew */
    sbx_reads_tell(&wanted, &made, 0);
    assert_int_equal(tree_warnings, 0);
    expect_ok(steps[i].undo(&steps[i], NULL), NULL);
    assert_false(is_open(tools));
    tree_same("tools", before);
    SetEnvironmentVariableA("PATH", old);
}

/* All of them by name: below the profile, and each is its own place. */
static void test_credentials(void **context)
{
    sbx_credentials c = {0};
    const char *place;
    char folder[1024];
    size_t i;

    (void)context;
    tree_begin();
    expect_ok(sbx_credentials_find(&c, NULL), NULL);
    for (i = 0; (place = sbx_credentials_place(&c, i)) != NULL; i++) {
        snprintf(folder, sizeof(folder), "%s\\inner", place);
        assert_string_equal(sbx_credentials_at(&c, place), place);
        assert_string_equal(sbx_credentials_at(&c, folder), place);
        assert_non_null(sbx_credentials_at(&c, c.profile));
    }
    assert_true(i > 40);
    snprintf(folder, sizeof(folder), "%s\\.SSH", c.profile);
    assert_non_null(sbx_credentials_at(&c, folder));
    snprintf(folder, sizeof(folder), "%s\\.cargo\\bin", c.profile);
    assert_null(sbx_credentials_at(&c, folder));
    sbx_credentials_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wanted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_of_roots, setup, teardown),
        cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_credentials, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
