/* Whom a root admits beside its SID: what each object gets, what one walk makes of a root that was granted without, and that all
 * of it goes again, also when the groups are gone or the ledger is. */
#include "fixture.h"

#include <stdlib.h>
#include <sddl.h>

#include "base/memory.h"
#include "base/text.h"
#include "common/grants/acl.h"
#include "common/grants/audience.h"
#include "common/grants/kind.h"
#include "common/grants/ledger.h"
#include "hook.h"

#define NOBODY "S-1-5-21-11-22-33-1042" /* no account and no group has it */
#define NOBODY_READS "S-1-5-21-11-22-33-1043"
#define OWNER "S-1-3-4"

static sbx_audience made;
static sbx_user_sid user;

static const sbx_ace below = {SBX_ACE_ALLOW, SBX_KIND_BELOW | SBX_ACE_ONLY_BELOW, SBX_KIND_ALLOW},
                     here = {SBX_ACE_ALLOW, 0, SBX_KIND_ALLOW_HERE}, shut = {SBX_ACE_DENY, 0, FILE_DELETE_CHILD},
                     less = {SBX_ACE_ALLOW, SBX_KIND_BELOW, SBX_AUDIENCE_RIGHTS},
                     more = {SBX_ACE_ALLOW, SBX_KIND_BELOW, SBX_AUDIENCE_RIGHTS | SBX_KIND_ALLOW},
                     owners = {SBX_ACE_ALLOW, SBX_KIND_BELOW | SBX_ACE_ONLY_BELOW, READ_CONTROL},
                     closed = {SBX_ACE_DENY, 0, SBX_KIND_CHANGE},
                     closed_below = {SBX_ACE_DENY, SBX_KIND_BELOW | SBX_ACE_ONLY_BELOW, SBX_KIND_CHANGE},
                     held = {SBX_ACE_DENY, 0, SBX_KIND_MOVE};

static const void *sid_of(const char *text)
{
    static uint64_t room[4][9];
    static unsigned at;
    PSID sid = NULL;
    void *copy = room[at++ % 4];

    assert_true(ConvertStringSidToSidA(text, &sid));
    memcpy(copy, sid, GetLengthSid(sid));
    LocalFree(sid);
    return copy;
}

static void use_audience(const char *writers)
{
    char text[SBX_AUDIENCE_TEXT];

    snprintf(text, sizeof(text), "1 %s " NOBODY_READS, writers);
    expect_ok(sbx_audience_read(text, &made, NULL), NULL);
    expect_ok(sbx_user_get(&user, NULL), NULL);
    audience = &made;
}

static int has(const char *name, const void *sid, sbx_ace ace, int is_inherited)
{
    union {
        SECURITY_DESCRIPTOR_RELATIVE head;
        BYTE bytes[65536];
    } sd;
    DWORD needed;

    ace.flags |= (uint8_t)(is_inherited ? SBX_ACE_INHERITED : 0);
    assert_true(GetFileSecurityA(tree_path(name), DACL_SECURITY_INFORMATION, &sd, sizeof(sd), &needed));
    return sbx_acl_has(sd.bytes + sd.head.Dacl, sid, &ace);
}

static sbx_ace with(sbx_ace ace, uint8_t flags)
{
    ace.flags = flags;
    return ace;
}

static void check_root(const void *group)
{
    static const char *const dirs[] = {"ws\\src", "ws\\src\\deep", "ws\\pkg"};
    size_t i;

    assert_true(has("ws", group, below, 0) && has("ws", group, here, 0) && has("ws", group, shut, 0));
    assert_true(has("ws", user.u.bytes, less, 0) && has("ws", sid_of(OWNER), owners, 0));
    assert_int_equal(tree_aces_of("ws", group), 3);
    assert_int_equal(tree_aces_of("ws", sid_of(OWNER)), 1);
    assert_int_equal(tree_aces_of("ws\\src", group), 1);
    for (i = 0; i < ARRAYSIZE(dirs); i++) {
        assert_true(has(dirs[i], group, with(below, SBX_KIND_BELOW), 1));
        assert_true(has(dirs[i], user.u.bytes, less, 1) && has(dirs[i], sid_of(OWNER), owners, 1));
        assert_false(has(dirs[i], sid_of(OWNER), with(owners, SBX_KIND_BELOW), 1)); /* his own stay his */
    }
    assert_true(has("ws\\src\\b.txt", group, with(below, 0), 1));
    assert_false(has("ws\\src\\b.txt", sid_of(OWNER), with(owners, 0), 1));
    assert_true(has("ws\\.git", group, closed, 0) && has("ws\\.git", group, closed_below, 0));
    assert_true(has("ws\\.git\\hooks", group, with(closed, SBX_KIND_BELOW), 1));
    assert_true(has("ws\\.git\\config", group, with(closed, 0), 1));
    assert_true(has("ws\\.git", group, with(below, SBX_KIND_BELOW), 1)); /* to be read */
    assert_true(has("ws\\.git\\hooks", group, with(below, SBX_KIND_BELOW), 1));
    assert_true(has("ws\\.git\\config", group, with(below, 0), 1));
    assert_true(has("ws\\pkg", group, held, 0) && has("ws\\pkg\\inner", group, held, 0));
    assert_true(has("ws\\pkg\\inner\\.codex\\rules", group, with(closed, 0), 1));
}

/* Made by somebody while there is a grant: as what was there, when all is undone. */
static void make_later(void)
{
    tree_dir("ws\\src\\later");
    tree_file("ws\\src\\later\\f", "f");
    tree_file("ws\\later.txt", "f");
    assert_true(has("ws\\later.txt", sid_of(OWNER), with(owners, 0), 1));
    assert_true(has("ws\\later.txt", user.u.bytes, with(less, 0), 1));
    assert_true(has("ws\\src\\later\\f", made.writers.u.bytes, with(below, 0), 1));
}

static char *prepare(void)
{
    char *before;

    tree_dir("ws\\src\\later");
    tree_file("ws\\src\\later\\f", "f");
    tree_file("ws\\later.txt", "f");
    before = tree_snapshot("ws");
    tree_remove("ws\\src\\later");
    assert_int_equal(act_delete("ws\\later.txt"), 0);
    return before;
}

static void test_given_and_undone(void **context)
{
    sbx_grants *grants;
    char *before;

    JUDGED
    use_audience(NOBODY);
    before = prepare();
    grants = open_grants();
    check_root(made.writers.u.bytes);
    assert_true(has("ws\\.agents", made.writers.u.bytes, closed, 0)); /* a guard */
    make_later();
    sbx_grants_close(grants);
    tree_grant_notes = 0;
    policy.protected_count = 2;
    sbx_grants_close(open_grants()); /* finds it as it left it */
    assert_int_equal(tree_grant_notes, 0);
    policy.protected_count = 1; /* the other one and its pins are free */
    sbx_grants_close(open_grants());
    assert_false(has("ws\\pkg", made.writers.u.bytes, held, 0) ||
                 has("ws\\pkg\\inner\\.codex\\rules", made.writers.u.bytes, with(closed, 0), 1));
    assert_true(has("ws\\pkg\\inner\\.codex\\rules", made.writers.u.bytes, with(below, 0), 1));
    clean_all();
    tree_same("ws", before);
}

static sbx_grants *working;
static uint32_t worked[3];

/* As a command that was there before the upgrade began. */
static void work(void)
{
    tree_enter(working);
    worked[0] = act_create("ws\\meanwhile");
    worked[1] = act_write("ws\\.git\\config");
    worked[2] = act_rename("ws\\.git", "ws\\taken");
    tree_leave();
}

/* What was granted without is made up for in one walk, and serves both; commands in it go on, and get no more. */
static void test_upgrade(void **context)
{
    static const char *const steps[] = {"allow", "deny"};
    sbx_grants *grants;
    char *before;
    size_t i;

    JUDGED
    before = prepare();
    for (i = 0; i < ARRAYSIZE(steps); i++) {
        policy.run_id = "0123456789abcdef0123456789abcdef";
        working = open_grants();
        use_audience(NOBODY);
        policy.run_id = "0123456789abcdef0123456789abcdee";
        hook_at(steps[i], 2, work);
        grants = open_grants();
        hook_done();
        assert_int_equal(worked[0], 0);
        assert_int_equal(worked[1], DENIED);
        assert_int_equal(worked[2], DENIED);
        assert_int_equal(act_delete("ws\\meanwhile"), 0);
        check_root(made.writers.u.bytes);
        sbx_grants_close(working);
        sbx_grants_close(grants);
        audience = NULL;
        policy.protected_count = 2;
        tree_grant_notes = 0;
        sbx_grants_close(open_grants()); /* a command as the user needs no more */
        assert_int_equal(tree_grant_notes, 0);
        policy.protected_count = 4;
        grants = open_grants(); /* and keeps up what the others need */
        assert_true(has("ws\\.agents", made.writers.u.bytes, closed, 0));
        make_later();
        sbx_grants_close(grants);
        clean_all();
        if (i + 1 < ARRAYSIZE(steps)) {
            tree_remove("ws\\src\\later");
            assert_int_equal(act_delete("ws\\later.txt"), 0);
        }
    }
    tree_same("ws", before);
}

static volatile LONG steps;

static void count_step(const char *step)
{
    if (!strcmp(step, "allow") || !strcmp(step, "deny") || !strcmp(step, "set"))
        InterlockedIncrement(&steps);
}

static LONG steps_of_run(void)
{
    steps = 0;
    sbx_step_hook = count_step;
    sbx_grants_close(open_grants());
    sbx_step_hook = NULL;
    return steps;
}

/* A root that the one has and the other needs is walked once more, not twice; and then it serves both as it is. */
static void test_walked_once(void **context)
{
    LONG first, upgrade, whole;

    JUDGED
    policy.protected_count = 2;
    first = steps_of_run();
    assert_int_equal(steps_of_run(), 0);
    use_audience(NOBODY);
    upgrade = steps_of_run();
    assert_int_equal(steps_of_run(), 0);
    audience = NULL;
    assert_int_equal(steps_of_run(), 0);
    clean_all();
    use_audience(NOBODY);
    whole = steps_of_run();
    audience = NULL;
    assert_int_equal(steps_of_run(), 0);
    assert_int_equal(upgrade, whole);
    assert_in_range(whole, first, first + 4); /* and the folders above */
    clean_all();
}

/* Another setup made other groups; and a ledger that was lost. */
static void test_other_groups(void **context)
{
    char *before;

    JUDGED
    before = tree_snapshot("ws");
    policy.protected_count = 2;
    use_audience(NOBODY);
    sbx_grants_close(open_grants());
    use_audience(NOBODY_READS);
    sbx_grants_close(open_grants());
    check_root(made.writers.u.bytes);
    clean_all();
    sbx_grants_close(open_grants());
    tree_forget_state();
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws"), NULL, NULL, NULL), NULL);
    sbx_grants_close(open_grants());
    tree_forget_state();
    sbx_grants_close(open_grants()); /* takes nothing of it for the user's own */
    clean_all();
    tree_same("ws", before);
}

/* ME: the user. */
static void set_text(const char *name, const char *text)
{
    char sid[200];
    sbx_text sddl = {0};
    const char *me;

    sbx_user_sid_text(user.u.bytes, sid, sizeof(sid));
    for (; (me = strstr(text, "ME")) != NULL; text = me + 2)
        sbx_text_printf(&sddl, "%.*s%s", (int)(me - text), text, sid);
    sbx_text_add(&sddl, text);
    tree_set(name, sddl.data);
    sbx_text_fini(&sddl);
}

/* Who had an equal ACE before keeps it, here and below; a file of his with OWNER RIGHTS is his. */
static void test_own_stay(void **context)
{
    char *before;

    JUDGED
    use_audience(NOBODY);
    tree_dir("own");
    set_text("own",
             "D:PARAI(A;OICI;FA;;;ME)(A;OICI;0x1f0000;;;ME)(A;OICI;0xf0000;;;ME)(A;OICIIO;RC;;;OW)(A;OICI;FA;;;SY)");
    tree_dir("own\\new");
    tree_file("own\\new\\f", "f");
    assert_true(has("own\\new\\f", sid_of(OWNER), with(owners, 0), 1));
    writable[0] = tree_path("own");
    policy.protected_count = 0;
    before = tree_snapshot("own");
    sbx_grants_close(open_grants());
    sbx_grants_close(open_grants());
    clean_all();
    tree_same("own", before);
}

/* Where the root gives the user less than a command has, he gets as much on what that makes. */
static void test_user_has_less(void **context)
{
    char *before;

    JUDGED
    use_audience(NOBODY);
    policy.protected_count = 0;
    tree_dir("poor");
    tree_file("poor\\f", "f");
    set_text("poor", "D:PARAI(A;OICI;FA;;;SY)(A;OICI;0x1201bf;;;IU)(A;;FA;;;ME)");
    writable[0] = tree_path("poor");
    before = tree_snapshot("poor");
    sbx_grants_close(open_grants());
    assert_true(has("poor", user.u.bytes, more, 0));
    tree_file("poor\\later", "f");
    assert_int_equal(act_open("poor\\later", WRITE_DAC | DELETE | FILE_WRITE_DATA), 0);
    assert_int_equal(act_delete("poor\\later"), 0);
    clean_all();
    tree_same("poor", before);
}

static void expect_refused(const char *what)
{
    sbx_error err;

    assert_int_equal(open_error(&err), SBX_E_REFUSED);
    assert_non_null(strstr(err.op, "(CREATOR OWNER)"));
    assert_non_null(strstr(err.hint, "icacls FOLDER /"));
    assert_string_equal(strrchr(err.object, '\\'), what);
}

/* What an account makes may not be for it to keep. */
static void test_creator_owner(void **context)
{
    char *before;

    JUDGED
    use_audience(NOBODY);
    set_text("ws\\src\\deep", "D:ARAI(A;OICIIO;GA;;;CO)(A;OICI;FA;;;ME)");
    expect_refused("\\deep");
    clean_all();
    set_text("ws", "D:ARAI(A;OICIIO;GA;;;CO)(A;OICI;FA;;;ME)");
    before = tree_snapshot("ws");
    expect_refused("\\ws");
    tree_same("ws", before);
    audience = NULL;
    sbx_grants_close(open_grants()); /* the user keeps what is his anyway */
    clean_all();
}

/* What a command only reads: its accounts are let in for that alone, and what every user may read gets nothing. */
static void test_reader(void **context)
{
    const sbx_ace read = {SBX_ACE_ALLOW, SBX_KIND_BELOW | SBX_ACE_ONLY_BELOW, SBX_KIND_READ};
    char *before, *wide;
    sbx_grants *grants;
    const void *readers = made.readers.u.bytes;

    JUDGED
    use_audience(NOBODY);
    policy.writable_count = policy.protected_count = 0;
    before = tree_snapshot("ws");
    grants = open_grants();
    assert_true(has("ws", readers, read, 0) && has("ws", readers, with(read, 0), 0));
    assert_true(has("ws\\.git\\hooks", readers, with(read, SBX_KIND_BELOW), 1));
    assert_true(has("ws\\.git\\config", readers, with(read, 0), 1));
    assert_false(has("ws", made.writers.u.bytes, below, 0) || has("ws", sid_of(OWNER), owners, 0) ||
                 has("ws", user.u.bytes, shut, 0));
    assert_int_equal(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws"), NULL, NULL, NULL), SBX_E_REFUSED); /* in use */
    tree_file("ws\\later", "f");
    sbx_grants_close(grants);
    assert_int_equal(act_delete("ws\\later"), 0);
    tree_grant_notes = 0;
    sbx_grants_close(open_grants());
    assert_int_equal(tree_grant_notes, 0);
    policy.writable_count = 1; /* a root as well, and that goes by itself */
    policy.protected_count = 2;
    sbx_grants_close(open_grants());
    check_root(made.writers.u.bytes);
    tree_forget_state();
    policy.writable_count = policy.protected_count = 0;
    sbx_grants_close(open_grants()); /* accounts read it already */
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws"), NULL, NULL, NULL), NULL);
    tree_same("ws", before);
    set_text("ws", "D:PARAI(A;OICI;FA;;;ME)(A;OICI;0x1200a9;;;BU)");
    wide = tree_snapshot("ws");
    sbx_grants_close(open_grants());
    tree_same("ws", wide);
}

/* The ledger is anybody's bytes. */
static void test_bad_text(void **context)
{
    static const char *const bad[] = {"",          "1",          "1 ",          "2 S-1-5-4 S-1-5-4",
                                      "1 S-1-5-4", "1 S-1-5-4 ", "1 S-1-5-4 x", "1 x S-1-5-4"};
    sbx_audience read;
    char text[SBX_AUDIENCE_TEXT];
    size_t i;

    (void)context;
    for (i = 0; i < ARRAYSIZE(bad); i++)
        if (sbx_audience_read(bad[i], &read, NULL) != SBX_E_REFUSED)
            fail_msg("\"%s\" was read", bad[i]);
    expect_ok(sbx_audience_read("1 " NOBODY " S-1-5-4", &read, NULL), NULL);
    sbx_audience_text(&read, text);
    assert_string_equal(text, "1 " NOBODY " S-1-5-4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_given_and_undone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_upgrade, setup, teardown),
        cmocka_unit_test_setup_teardown(test_walked_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_groups, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_user_has_less, setup, teardown),
        cmocka_unit_test_setup_teardown(test_creator_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reader, setup, teardown),
        cmocka_unit_test(test_bad_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
