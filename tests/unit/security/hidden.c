/* What commands in accounts may not read: each object below a name that is denied has the deny, wherever it is moved, and loses it when it
 * is cleaned; what cannot be kept from them refuses the launch. */
#include "fixture.h"

#include <stdlib.h>

#include "base/memory.h"
#include "common/grants/audience.h"
#include "common/grants/hidden.h"
#include "common/grants/kind.h"

#define WRITERS "S-1-5-21-11-22-33-1072"
#define READERS "S-1-5-21-11-22-33-1073"

static const sbx_ace of_file = {SBX_ACE_DENY, 0, SBX_KIND_HIDDEN},
                     of_dir = {SBX_ACE_DENY, SBX_KIND_BELOW, SBX_KIND_HIDDEN},
                     passed = {SBX_ACE_DENY, SBX_ACE_INHERITED, SBX_KIND_HIDDEN};
static sbx_audience made;
static sbx_user_sid user;
static sbx_hidden hidden;
static const char *names[4];

typedef union dacl {
    SECURITY_DESCRIPTOR_RELATIVE head;
    BYTE bytes[65536];
} dacl;

static const BYTE *dacl_of(const char *path, dacl *sd)
{
    DWORD needed;

    assert_true(GetFileSecurityA(path, DACL_SECURITY_INFORMATION, &sd->head, sizeof(*sd), &needed));
    return sd->bytes + sd->head.Dacl;
}

static int has_at(const char *path, sbx_ace ace)
{
    dacl sd;

    return sbx_acl_has(dacl_of(path, &sd), made.readers.u.bytes, &ace);
}

static int has(const char *name, sbx_ace ace)
{
    return has_at(tree_path(name), ace);
}

static int is_readable(const char *name)
{
    dacl sd;

    return sbx_acl_reads(dacl_of(tree_path(name), &sd), made.readers.u.bytes, user.u.bytes, FILE_READ_DATA, 0);
}

static void begin(void)
{
    expect_ok(sbx_audience_of(WRITERS, READERS, &made, NULL), NULL);
    expect_ok(sbx_user_get(&user, NULL), NULL);
    audience = &made;
    policy.protected_count = policy.protected_asked = 0;
    policy.deny_read = names;
    policy.deny_read_count = 0;
    tree_dir("ws\\secret");
    tree_dir("ws\\secret\\deep");
    tree_file("ws\\secret\\deep\\key", "key");
    tree_file("ws\\.env", "env");
}

static void name(const char *path)
{
    static char room[4][1024];

    snprintf(room[policy.deny_read_count], sizeof(room[0]), "%s", path);
    names[policy.deny_read_count] = room[policy.deny_read_count];
    policy.deny_read_count++;
}

static void only(const char *path)
{
    policy.deny_read_count = 0;
    name(path);
}

static void hide(void)
{
    sbx_error err = {.size = sizeof(err)};

    memset(&hidden, 0, sizeof(hidden));
    expect_ok(sbx_hidden_open(&hidden, &policy, &made, 0, &err), &err);
}

static void end(void)
{
    sbx_hidden_close(&hidden);
    policy.deny_read_count = 0;
}

static void refused(const char *path, const char *why)
{
    sbx_error err = {.size = sizeof(err)};

    memset(&hidden, 0, sizeof(hidden));
    only(path);
    if (sbx_hidden_open(&hidden, &policy, &made, 0, &err) == SBX_OK || !strstr(err.op, why))
        fail_msg("%s: %s: \"%s\", not \"%s\"", path, err.object, err.op, why);
    end();
}

static int32_t SBX_CALL find(void *context, const sbx_state_item *item, const sbx_error *error)
{
    const char **wanted = context;

    (void)error;
    if (!strcmp(item->object, wanted[0]) && strstr(item->text, "closed to commands in accounts"))
        wanted[1] = item->state == SBX_STATE_ACTIVE ? "active" : "kept";
    return 0;
}

static void test_hidden(void **context)
{
    const char *listed[2] = {NULL, NULL};
    char path[1024], other[1024];
    char *before;

    JUDGED
    begin();
    tree_file("ws\\secret\\open", "o");
    tree_set("ws\\secret\\open", "D:P(A;;FA;;;WD)(A;;FA;;;OW)"); /* an allow of its own, before all that is inherited */
    snprintf(path, sizeof(path), "%s", tree_path("ws\\secret\\deep\\key"));
    snprintf(other, sizeof(other), "%s", tree_path("other\\linked"));
    assert_true(CreateHardLinkA(other, path, NULL));
    before = tree_snapshot("ws");
    name(tree_path("ws\\.env"));
    name(tree_path("ws\\SECRET"));
    tree_grant_notes = 0;
    expect_ok(sbx_hidden_open(&hidden, &policy, &made, 1, NULL), NULL);
    assert_int_equal(tree_grant_notes, 2); /* told, and not done */
    sbx_hidden_close(&hidden);
    assert_false(has("ws\\.env", of_file));
    assert_true(is_readable("ws\\secret\\open")); /* control */

    hide();
    assert_false(hidden.is_partial);
    assert_true(has("ws\\.env", of_file) && has("ws\\secret", of_dir) && has("ws\\secret\\deep", of_dir));
    assert_true(has("ws\\secret\\deep\\key", of_file) && has_at(other, of_file));
    assert_false(is_readable("ws\\secret\\open"));
    assert_false(has("other\\x.txt", of_file));
    snprintf(path, sizeof(path), "%s\n", tree_path("ws\\secret"));
    assert_non_null(strstr(hidden.paths.data, path)); /* where it is, not as it was called */
    tree_file("ws\\secret\\deep\\new", "n");
    assert_true(has("ws\\secret\\deep\\new", passed));
    listed[0] = tree_path("ws\\secret");
    expect_ok(sbx_grants_list(find, listed, NULL), NULL);
    assert_string_equal(listed[1], "active");
    assert_int_equal(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws\\secret"), NULL, NULL, NULL), SBX_E_REFUSED);

    /* a walk that opens the workspace leaves it closed */
    sbx_grants_close(open_grants());
    assert_true(has("ws\\secret\\deep\\key", of_file) && !is_readable("ws\\secret\\open") && !is_readable("ws\\.env"));
    assert_true(is_readable("ws\\src\\b.txt")); /* control */
    sbx_hidden_close(&hidden);

    /* the next launch looks again: what was moved in, and what replaced a file */
    tree_file("other\\moved", "m");
    snprintf(path, sizeof(path), "%s", tree_path("other\\moved"));
    assert_true(MoveFileA(path, tree_path("ws\\secret\\moved")));
    assert_true(DeleteFileA(tree_path("ws\\.env")));
    tree_file("ws\\.env", "again");
    assert_true(is_readable("ws\\.env"));
    hide();
    assert_true(has("ws\\secret\\moved", of_file) && has("ws\\.env", of_file));
    end();

    assert_true(DeleteFileA(tree_path("ws\\secret\\moved")));
    assert_true(DeleteFileA(tree_path("ws\\secret\\deep\\new")));
    expect_ok(clean_all(), NULL);
    assert_false(has("ws\\.env", of_file) || has("ws\\secret\\deep\\key", of_file));
    assert_true(DeleteFileA(tree_path("ws\\.env"))); /* another file than before */
    tree_file("ws\\.env", "env");
    tree_same("ws", before);
}

/* Each by its name, a file too; with the ledger or without; what two names deny stays with the second. */
static void test_undone(void **context)
{
    char *before, *both;
    int is_known;

    JUDGED
    begin();
    before = tree_snapshot("ws");
    for (is_known = 0; is_known < 2; is_known++) {
        policy.deny_read_count = 0;
        name(tree_path("ws\\secret"));
        name(tree_path("ws\\.env"));
        hide();
        end();
        tree_file("ws\\secret\\new", "n");
        if (!is_known)
            tree_forget_state();
        expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws\\.env"), NULL, NULL, NULL), NULL);
        expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws\\secret"), NULL, NULL, NULL), NULL);
        assert_false(has("ws\\secret\\new", passed));
        assert_true(DeleteFileA(tree_path("ws\\secret\\new")));
        both = tree_snapshot("ws");
        assert_string_equal(before, both);
        sbx_free(both);
    }
    name(tree_path("ws\\secret"));
    name(tree_path("ws\\secret\\deep"));
    hide();
    end();
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws\\secret\\deep"), NULL, NULL, NULL), NULL);
    assert_true(has("ws\\secret\\deep\\key", of_file) && has("ws\\secret\\deep", of_dir));
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws\\secret"), NULL, NULL, NULL), NULL);
    tree_same("ws", before);
}

/* A protected directory that is denied as well loses neither when the other one goes. */
static void test_protected(void **context)
{
    const sbx_ace writers = {SBX_ACE_DENY, 0, SBX_KIND_CHANGE};
    char *before;
    dacl sd;

    JUDGED
    begin();
    before = tree_snapshot("ws");
    policy.protected_count = policy.protected_asked = 1;
    protected_paths[0] = tree_path("ws\\.git");
    name(tree_path("ws\\.git\\config"));
    name(tree_path("ws\\.git"));
    hide();
    sbx_grants_close(open_grants());
    end();
    assert_true(has("ws\\.git\\config", of_file) && has("ws\\.git", of_dir));
    assert_true(sbx_acl_has(dacl_of(tree_path("ws\\.git"), &sd), made.writers.u.bytes, &writers));
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws"), NULL, NULL, NULL), NULL);
    assert_true(has("ws\\.git\\config", of_file));
    assert_false(sbx_acl_find(dacl_of(tree_path("ws\\.git"), &sd), made.writers.u.bytes, NULL, 0));
    expect_ok(clean_all(), NULL);
    tree_same("ws", before);
}

static void test_missing(void **context)
{
    JUDGED
    begin();
    tree_dir("open");
    tree_set("open", "D:P(A;OICI;FA;;;OW)(A;OICI;0x1200a9;;;BU)");
    tree_dir("shut");
    tree_set("shut", "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)");
    tree_gap_notes = 0;
    only(tree_path("shut\\none\\at\\all"));
    hide();
    assert_false(hidden.is_partial);
    end();
    assert_int_equal(tree_gap_notes, 0);
    only(tree_path("open\\none\\at\\all"));
    hide();
    assert_true(hidden.is_partial);
    end();
    assert_int_equal(tree_gap_notes, 1);
}

static void test_refused(void **context)
{
    char path[1024];
    int is_new;

    JUDGED
    begin();
    refused(tree_path("ws"), "the command needs");
    refused(tree_path(""), "the command needs");
    refused(getenv("USERPROFILE"), "the command needs");
    refused("C:\\Windows", "the command needs");
    refused("C:\\Windows\\System32\\ntdll.dll", "others than you may read it");
    refused("C:\\", "whole volume");
    refused("\\\\server\\share\\x", "another machine");
    tree_file("ws\\none", "n");
    tree_set("ws\\none", NULL);
    refused(tree_path("ws\\none"), "no access control list");
    tree_file("ws\\secret\\none", "n");
    tree_set("ws\\secret\\none", NULL);
    refused(tree_path("ws\\secret"), "no access control list");
    assert_true(DeleteFileA(tree_path("ws\\secret\\none")));

    /* not the user's to close: fine where nobody else reads it */
    tree_set("ws\\secret\\deep\\key", "D:P(A;;0x1200a9;;;IU)(A;;0x1200a9;;;OW)");
    refused(tree_path("ws\\secret"), "others than you may read it");
    snprintf(path, sizeof(path), "%s\\.ssh", getenv("USERPROFILE"));
    is_new = CreateDirectoryA(path, NULL);
    only(path);
    hide();
    end();
    assert_false(has_at(path, of_dir)); /* and nothing is set on it */
    if (is_new)
        RemoveDirectoryA(path);
    expect_ok(clean_all(), NULL); /* there is nothing of ours on what cannot be changed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hidden, setup, teardown),
        cmocka_unit_test_setup_teardown(test_undone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_protected, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
