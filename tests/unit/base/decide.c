/* Which ACE decides. */
#include "unit/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/decide.h"

#define READ 1u
#define WRITE 2u
#define DELETES 0x00010000u
#define CONTROL 0x00060000u

static const uint8_t user[12] = {1, 1, 0, 0, 0, 0, 0, 5, 1, 0, 0, 0};
static const uint8_t group[16] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 2, 0, 0, 0};
static const uint8_t admins[12] = {1, 1, 0, 0, 0, 0, 0, 5, 3, 0, 0, 0};
static const uint8_t root[12] = {1, 1, 0, 0, 0, 0, 0, 9, 7, 0, 0, 0};
static const uint8_t owners[12] = {1, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0};

static const sbx_decide_sid normal[] = {{user, 0}, {group, 0}, {admins, 1}};
static const sbx_decide_sid restricting[] = {{root, 0}};
static const sbx_decide_pass first = {normal, 3, NULL}, second = {restricting, 1, NULL};

typedef struct list {
    uint8_t bytes[512];
    size_t size;
} list;

static void begin(list *acl)
{
    const uint8_t head[8] = {2, 0, 8, 0, 0, 0, 0, 0};

    memcpy(acl->bytes, head, sizeof(head));
    acl->size = sizeof(head);
}

static void add(list *acl, uint8_t type, uint8_t flags, uint32_t mask, const uint8_t *sid)
{
    const size_t length = 8 + 8 + 4 * (size_t)sid[1];
    uint8_t *at = acl->bytes + acl->size;

    at[0] = type;
    at[1] = flags;
    at[2] = (uint8_t)length;
    at[3] = 0;
    memcpy(at + 4, &mask, 4);
    memcpy(at + 8, sid, length - 8);
    acl->size += length;
    acl->bytes[2] = (uint8_t)acl->size;
    acl->bytes[3] = (uint8_t)(acl->size >> 8);
    acl->bytes[4]++;
}

static sbx_decision ask(const sbx_decide_pass *pass, const list *acl, uint32_t mask)
{
    sbx_decision decision;

    assert_true(sbx_decide(pass, acl->bytes, acl->size, mask, &decision));
    return decision;
}

static void expect(sbx_decision got, int allowed, uint32_t by, uint32_t ace, uint32_t missing)
{
    assert_int_equal(got.allowed, allowed);
    assert_int_equal(got.by, by);
    if (by == SBX_DECIDED_ACE)
        assert_int_equal(got.ace, ace);
    assert_int_equal(got.missing, missing);
}

static void the_first_that_denies(void **state)
{
    list acl;

    (void)state;
    begin(&acl);
    expect(ask(&first, &acl, READ), 0, SBX_DECIDED_NOBODY, 0, READ);
    add(&acl, 1, 0, WRITE, root);
    add(&acl, 0, 0, READ | WRITE, group);
    add(&acl, 0, 0, READ | WRITE, root);
    expect(ask(&first, &acl, READ | WRITE), 1, SBX_DECIDED_ACE, 1, 0);
    expect(ask(&second, &acl, READ | WRITE), 0, SBX_DECIDED_ACE, 0, WRITE);
    expect(ask(&second, &acl, READ), 1, SBX_DECIDED_ACE, 2, 0);
    expect(ask(&second, &acl, READ | DELETES), 0, SBX_DECIDED_NOBODY, 0, DELETES);
    add(&acl, 1, 0, READ, user); /* what was allowed before it is not taken away */
    expect(ask(&first, &acl, READ), 1, SBX_DECIDED_ACE, 1, 0);
}

static void who_is_meant(void **state)
{
    list acl;

    (void)state;
    begin(&acl);
    add(&acl, 0, 8, READ, user);   /* for what is below */
    add(&acl, 0, 0, READ, admins); /* that the token has for deny only */
    add(&acl, 9, 0, READ, user);   /* with a condition, which is not weighed */
    expect(ask(&first, &acl, READ), 0, SBX_DECIDED_NOBODY, 0, READ);
    add(&acl, 1, 0, READ, admins);
    expect(ask(&first, &acl, READ), 0, SBX_DECIDED_ACE, 3, READ);
    begin(&acl);
    add(&acl, 0, 0, 0x10000000u, user); /* all rights, by their generic name */
    expect(ask(&first, &acl, READ | DELETES | CONTROL), 1, SBX_DECIDED_ACE, 0, 0);
    assert_true(sbx_decide(&first, NULL, 0, READ, &(sbx_decision){0}));
}

static void the_owner(void **state)
{
    const sbx_decide_pass own = {normal, 3, user}, not_asked = {restricting, 1, user};
    sbx_decision decision;
    list acl;

    (void)state;
    begin(&acl);
    expect(ask(&own, &acl, CONTROL), 1, SBX_DECIDED_OWNER, 0, 0);
    expect(ask(&own, &acl, CONTROL | READ), 0, SBX_DECIDED_NOBODY, 0, READ);
    expect(ask(&not_asked, &acl, CONTROL), 0, SBX_DECIDED_NOBODY, 0, CONTROL);
    add(&acl, 0, 0, 0x00020000u, owners);
    expect(ask(&own, &acl, CONTROL), 0, SBX_DECIDED_NOBODY, 0, 0x00040000u);
    assert_true(sbx_decide(&first, NULL, 0, READ, &decision));
    expect(decision, 1, SBX_DECIDED_NO_ACL, 0, 0);
}

/* Bytes that are no ACL are refused, and never read beyond. */
static void hostile(void **state)
{
    sbx_decision decision;
    sbx_decide_ace ace;
    list acl;
    size_t i, length;
    uint8_t *cut;
    unsigned turn;

    (void)state;
    begin(&acl);
    add(&acl, 1, 0, WRITE, root);
    add(&acl, 0, 0, READ | WRITE, group);
    assert_true(sbx_decide_ace_at(acl.bytes, acl.size, 1, &ace));
    assert_int_equal(ace.mask, READ | WRITE);
    assert_memory_equal(ace.sid, group, sizeof(group));
    assert_false(sbx_decide_ace_at(acl.bytes, acl.size, 2, &ace));
    for (length = 0; length < acl.size; length++) {
        cut = malloc(length ? length : 1); /* so that a sanitizer sees its end */
        assert_non_null(cut);
        memcpy(cut, acl.bytes, length);
        assert_false(sbx_decide(&first, cut, length, READ, &decision));
        free(cut);
    }
    for (i = 0; i < acl.size; i++)
        for (turn = 1; turn < 256; turn++) {
            list bad = acl;

            bad.bytes[i] ^= (uint8_t)turn;
            cut = malloc(bad.size);
            assert_non_null(cut);
            memcpy(cut, bad.bytes, bad.size);
            sbx_decide(&first, cut, bad.size, READ | DELETES, &decision);
            free(cut);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_denies),
        cmocka_unit_test(who_is_meant),
        cmocka_unit_test(the_owner),
        cmocka_unit_test(hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
