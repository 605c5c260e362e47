/* Ranges of ports, and the text of the filters' users. */
#include "unit/support/unit.h"

#include <string.h>

#include "base/memory.h"
#include "elevated/filter_users.h"

static void add(sbx_loopback *set, uint16_t first, uint16_t last, const char *wanted)
{
    sbx_text text = {0};

    assert_true(sbx_loopback_add(set, first, last));
    sbx_loopback_text(set, &text);
    assert_string_equal(text.data, wanted);
    sbx_text_fini(&text);
}

static void ranges(void **state)
{
    sbx_loopback set = {0}, other = {0};

    (void)state;
    sbx_fault_use(0);
    assert_int_equal(sbx_loopback_outside(&set, 0), 1);
    add(&set, 8080, 8080, "8080");
    add(&set, 3000, 3009, "3000-3009,8080");
    add(&set, 3010, 3011, "3000-3011,8080"); /* touching */
    add(&set, 2999, 2999, "2999-3011,8080");
    add(&set, 3005, 3006, "2999-3011,8080"); /* inside */
    add(&set, 5000, 5001, "2999-3011,5000-5001,8080");
    add(&set, 65535, 65535, "2999-3011,5000-5001,8080,65535");
    add(&set, 1, 1, "1,2999-3011,5000-5001,8080,65535");
    assert_true(sbx_loopback_has(&set, 3000, 3011));
    assert_false(sbx_loopback_has(&set, 3000, 3012));
    assert_false(sbx_loopback_has(&set, 3011, 5000)); /* both ends are in it, what lies between is not */
    assert_int_equal(sbx_loopback_outside(&set, 3000), 3012);
    assert_int_equal(sbx_loopback_outside(&set, 65535), 2); /* round the end */
    add(&set, 3012, 8079, "1,2999-8080,65535");             /* joins three */
    assert_false(sbx_loopback_same(&set, &other));
    add(&other, 2999, 8080, "2999-8080");
    add(&other, 65535, 65535, "2999-8080,65535");
    add(&other, 1, 1, "1,2999-8080,65535");
    assert_true(sbx_loopback_same(&set, &other));
    add(&set, 1, 65535, "all");
    assert_int_equal(sbx_loopback_outside(&set, 3000), 0);
    assert_false(sbx_loopback_add(&set, 0, 5));
    assert_false(sbx_loopback_add(&set, 6, 5));
    assert_int_equal(sbx_fault_live(), 0);
}

static void full(void **state)
{
    sbx_loopback set = {0};
    uint16_t i;

    (void)state;
    for (i = 0; i < SBX_LOOPBACK_MAX; i++)
        assert_true(sbx_loopback_add(&set, (uint16_t)(2 * i + 1), (uint16_t)(2 * i + 1)));
    assert_false(sbx_loopback_add(&set, 60000, 60000)); /* no room */
    assert_int_equal(set.count, SBX_LOOPBACK_MAX);
    assert_true(sbx_loopback_add(&set, 2, 2)); /* joins two */
    assert_int_equal(set.count, SBX_LOOPBACK_MAX - 1);
    assert_true(sbx_loopback_add(&set, 60000, 60000));
}

#define EVERYBODY "(A;;CC;;;WD)(A;;CC;;;BU)(A;;CC;;;RC)(A;;CC;;;S-1-15-2-1)(A;;CC;;;S-1-15-2-2)"

/* Two users, the second one half made: all accounts without a network in both halves, none of those with one in either. */
static void users(void **state)
{
    static const char *const others[] = {"S-1-5-21-9-500", "S-1-5-21-9-1"};
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_text text = {0};

    (void)state;
    sbx_fault_use(0);
    user = sbx_machine_enrol(&machine, "S-1-5-21-9-1");
    strcpy(user->groups[SBX_GROUP_OFFLINE], "S-1-5-21-9-11");
    strcpy(user->groups[SBX_GROUP_READERS], "S-1-5-21-9-10");
    strcpy(user->accounts[0][0], "S-1-5-21-9-12");
    strcpy(user->accounts[1][0], "S-1-5-21-9-13");
    user = sbx_machine_enrol(&machine, "S-1-5-21-9-2");
    strcpy(user->groups[SBX_GROUP_OFFLINE], SBX_MACHINE_PENDING);
    strcpy(user->accounts[0][1], "S-1-5-21-9-22");

    sbx_filter_users_permit(&machine, &text);
    assert_string_equal(text.data,
                        "O:SYG:SYD:(D;;CC;;;S-1-5-21-9-11)(D;;CC;;;S-1-5-21-9-12)(D;;CC;;;S-1-5-21-9-22)" EVERYBODY);
    sbx_text_fini(&text);
    sbx_filter_users_block(&machine, others, SBX_COUNT(others), &text);
    assert_string_equal(text.data, "O:SYG:SYD:(D;;CC;;;SU)(D;;CC;;;SY)(D;;CC;;;LS)(D;;CC;;;NS)(D;;CC;;;BA)"
                                   "(D;;CC;;;S-1-5-21-9-1)(D;;CC;;;S-1-5-21-9-2)(D;;CC;;;S-1-5-21-9-500)" EVERYBODY
                                   "(A;;CC;;;AN)(A;;CC;;;S-1-5-21-9-11)(A;;CC;;;S-1-5-21-9-12)(A;;CC;;;S-1-5-21-9-22)");
    sbx_text_fini(&text);
    assert_true(sbx_filter_users_offline(user, &text));
    assert_string_equal(text.data, "O:SYG:SYD:(A;;CC;;;S-1-5-21-9-22)");
    sbx_text_fini(&text);
    sbx_filter_users_rule(&machine.users[0], &text);
    assert_string_equal(text.data, "O:LSD:(A;;CC;;;S-1-5-21-9-11)(A;;CC;;;S-1-5-21-9-12)");
    sbx_text_fini(&text);
    user->accounts[0][1][0] = 0;
    assert_false(sbx_filter_users_offline(user, &text)); /* one that admits nobody would match nobody: no filter */
    sbx_text_fini(&text);
    sbx_machine_fini(&machine);
    assert_int_equal(sbx_fault_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranges), cmocka_unit_test(full), cmocka_unit_test(users)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
