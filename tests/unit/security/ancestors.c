/* The folders that a root is in: accounts may look at each, up to the user's profile with it, and at nothing in it; undone with the
 * last root. */
#include "fixture.h"

#include <stdlib.h>

#include "common/grants/audience.h"
#include "common/grants/kind.h"
#include "common/grants/ledger.h"

#define WRITERS "S-1-5-21-11-22-33-1052"
#define READERS "S-1-5-21-11-22-33-1053"

static const sbx_ace look = {SBX_ACE_ALLOW, 0, SBX_KIND_LOOK};
static sbx_audience made;

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

static int looks(const char *path)
{
    dacl sd;

    return sbx_acl_has(dacl_of(path, &sd), made.readers.u.bytes, &look);
}

static uint32_t count_of(const char *path)
{
    dacl sd;

    return sbx_acl_find(dacl_of(path, &sd), made.readers.u.bytes, NULL, 0);
}

static const char *profile(void)
{
    return getenv("USERPROFILE");
}

static void begin(void)
{
    expect_ok(sbx_audience_of(WRITERS, READERS, &made, NULL), NULL);
    audience = &made;
    policy.protected_count = policy.protected_asked = 0;
}

static int is_same(const char *path, const dacl *before)
{
    dacl now;

    return sbx_acl_same(before->bytes + before->head.Dacl, dacl_of(path, &now));
}

#define same_dacl(path, before) assert_true(is_same(path, before))

static int32_t SBX_CALL find(void *context, const sbx_state_item *item, const sbx_error *error)
{
    const char **wanted = context;

    assert_null(error);
    if (!strcmp(item->object, wanted[0]) && strstr(item->text, "may look at it"))
        wanted[1] = item->state == SBX_STATE_ACTIVE ? "active" : "kept";
    return 0;
}

static void test_looked_at(void **context)
{
    dacl folder, home, beside, passed;
    const char *listed[2] = {profile(), NULL};
    sbx_grants *grants = NULL;

    JUDGED
    begin();
    dacl_of(tree_path(""), &folder);
    dacl_of(profile(), &home);
    dacl_of(tree_path("other\\x.txt"), &beside);
    assert_int_equal(count_of(profile()), 0); /* control */
    tree_grant_notes = 0;
    expect_ok(sbx_grants_open(&policy, SBX_OPEN_DRY_RUN, audience, &grants, NULL), NULL);
    sbx_grants_close(grants);
    assert_int_equal(tree_grant_notes, 3); /* the root, and two above; told, and not done */
    same_dacl(profile(), &home);

    grants = open_grants();
    assert_true(looks(tree_path("")) && looks(profile()));
    assert_int_equal(count_of(tree_path("")), 1);
    assert_int_equal(count_of(profile()), 1);
    same_dacl(tree_path("other\\x.txt"), &beside);
    tree_dir("new"); /* nothing is passed on */
    assert_int_equal(count_of(tree_path("new")), 0);
    assert_int_equal(count_of("C:\\users"), 0);
    expect_ok(sbx_grants_list(find, listed, NULL), NULL);
    assert_string_equal(listed[1], "active");
    assert_int_equal(sbx_grants_clean(SBX_CLEAN_ROOT, profile(), NULL, NULL, NULL), SBX_E_REFUSED); /* in use */
    expect_ok(sbx_grants_clean(SBX_CLEAN_ALL, NULL, NULL, NULL, NULL), NULL);
    assert_true(looks(profile()));
    sbx_grants_close(grants);
    dacl_of(profile(), &passed);
    tree_grant_notes = 0;
    sbx_grants_close(open_grants()); /* as it was left */
    assert_int_equal(tree_grant_notes, 0);
    same_dacl(profile(), &passed);
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws"), NULL, NULL, NULL), NULL);
    same_dacl(profile(), &home);
    same_dacl(tree_path(""), &folder);
}

/* What two roots need stays until the second is cleaned; a root that is deleted by its owner needs nothing any more. */
static void test_last_goes(void **context)
{
    dacl home;

    JUDGED
    begin();
    dacl_of(profile(), &home);
    writable[1] = tree_path("other");
    policy.writable_count = 2;
    sbx_grants_close(open_grants());
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws"), NULL, NULL, NULL), NULL);
    assert_true(looks(profile()) && looks(tree_path("")));
    expect_ok(sbx_grants_clean(SBX_CLEAN_STALE, NULL, NULL, NULL, NULL), NULL);
    assert_true(looks(profile()));
    tree_remove("other");
    expect_ok(sbx_grants_clean(SBX_CLEAN_STALE, NULL, NULL, NULL, NULL), NULL);
    same_dacl(profile(), &home);
}

static int32_t SBX_CALL find_gone(void *context, const sbx_state_item *item, const sbx_error *error)
{
    assert_null(error);
    *(uint32_t *)context += strstr(item->text, "is gone") != NULL;
    return 0;
}

/* Of one that was deleted, a home, nothing is kept on record, whatever other root there is. */
static void test_deleted(void **context)
{
    uint32_t gone = 0;

    JUDGED
    begin();
    tree_dir("above");
    tree_dir("above\\in");
    writable[1] = tree_path("above\\in");
    policy.writable_count = 2;
    sbx_grants_close(open_grants());
    assert_true(looks(tree_path("above")));
    tree_remove("above");
    expect_ok(sbx_grants_list(find_gone, &gone, NULL), NULL);
    assert_int_equal(gone, 2); /* the root, and the one above */
    expect_ok(sbx_grants_clean(SBX_CLEAN_HOMES, NULL, NULL, NULL, NULL), NULL);
    gone = 0;
    expect_ok(sbx_grants_list(find_gone, &gone, NULL), NULL);
    assert_int_equal(gone, 1);
    assert_true(looks(profile()));
}

/* The ACE is found without the ledger; what the user set beside it stays. */
static void test_without_ledger(void **context)
{
    dacl home;

    JUDGED
    begin();
    dacl_of(profile(), &home);
    sbx_grants_close(open_grants());
    tree_forget_state();
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, profile(), NULL, NULL, NULL), NULL);
    same_dacl(profile(), &home);
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path(""), NULL, NULL, NULL), NULL);
    assert_int_equal(count_of(tree_path("")), 0);
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws"), NULL, NULL, NULL), NULL);
}

/* A folder with a deny of the user's own keeps it; one that every user may look at gets nothing; one that is not his is told. */
static void test_of_others(void **context)
{
    char text[192], sddl[320];
    sbx_user_sid user;
    dacl before;

    JUDGED
    begin();
    tree_dir("open");
    tree_dir("open\\shut");
    tree_dir("open\\shut\\ws");
    writable[0] = tree_path("open\\shut\\ws");
    policy.workspace = policy.cwd = writable[0];
    tree_set("open", "D:PAI(A;OICI;FA;;;OW)(A;OICI;0x1200a9;;;BU)(A;OICI;FA;;;AU)");
    tree_set("open\\shut\\ws", "D:PAI(A;OICI;FA;;;AU)");
    expect_ok(sbx_user_get(&user, NULL), NULL);
    sbx_user_sid_text(user.u.bytes, text, sizeof(text));
    snprintf(sddl, sizeof(sddl), "D:PAI(D;;0x40;;;%s)(A;OICI;FA;;;OW)(A;;0x1000a0;;;SY)", text);
    tree_set("open\\shut", sddl);
    dacl_of(tree_path("open\\shut"), &before);
    sbx_grants_close(open_grants());
    assert_int_equal(count_of(tree_path("open")), 0);
    assert_true(looks(tree_path("open\\shut")));
    expect_ok(sbx_grants_clean(SBX_CLEAN_ALL, NULL, NULL, NULL, NULL), NULL);
    same_dacl(tree_path("open\\shut"), &before);
    tree_set("open\\shut", "D:PAI(A;;0x1200a9;;;IU)(A;OICI;0x1200a9;;;OW)(A;OICI;0x1200a9;;;BA)");
    dacl_of(tree_path("open\\shut"), &before);
    tree_gap_notes = 0;
    sbx_grants_close(open_grants());
    assert_int_equal(tree_gap_notes, 1);
    same_dacl(tree_path("open\\shut"), &before);
    expect_ok(clean_all(), NULL);
}

/* A workspace below a repository: the whole of that is read; one that is a repository itself needs none further up. */
static void test_repository(void **context)
{
    const sbx_ace read = {SBX_ACE_ALLOW, SBX_KIND_BELOW | SBX_ACE_ONLY_BELOW, SBX_KIND_READ};
    char root[1024], work[1024];
    sbx_grants *grants;
    dacl before, sd;

    JUDGED
    begin();
    snprintf(root, sizeof(root), "%s", tree_path("ws\\src"));
    snprintf(work, sizeof(work), "%s", tree_path("ws\\src\\deep"));
    writable[0] = root;
    policy.workspace = policy.cwd = work;
    dacl_of(tree_path("ws\\.git\\config"), &before);
    grants = open_grants();
    assert_true(sbx_acl_has(dacl_of(tree_path("ws"), &sd), made.readers.u.bytes, &read));
    assert_int_equal(count_of(tree_path("ws\\.git\\config")), 1);
    assert_int_equal(count_of(tree_path("other\\x.txt")), 0);
    assert_int_equal(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws"), NULL, NULL, NULL), SBX_E_REFUSED); /* in use */
    sbx_grants_close(grants);
    tree_grant_notes = 0;
    sbx_grants_close(open_grants());
    assert_int_equal(tree_grant_notes, 0);
    tree_dir("ws\\src\\.git");
    expect_ok(clean_all(), NULL);
    same_dacl(tree_path("ws\\.git\\config"), &before);
    sbx_grants_close(open_grants());
    assert_int_equal(count_of(tree_path("ws\\.git\\config")), 0);
    assert_true(looks(tree_path("ws")));
    expect_ok(clean_all(), NULL);
    snprintf(root, sizeof(root), "%s", tree_path("other")); /* the workspace is not writable, and read all the same */
    sbx_grants_close(open_grants());
    assert_true(sbx_acl_has(dacl_of(tree_path("ws\\src\\deep"), &sd), made.readers.u.bytes, &read));
    expect_ok(clean_all(), NULL);
    same_dacl(tree_path("ws\\.git\\config"), &before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_looked_at, setup, teardown),
        cmocka_unit_test_setup_teardown(test_last_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deleted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_ledger, setup, teardown),
        cmocka_unit_test_setup_teardown(test_of_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repository, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
