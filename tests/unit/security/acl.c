/* ACLs and ledger records as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/grants/acl.h"
#include "common/grants/ledger_record.h"
#include "common/grants/sha256.h"

static const uint8_t ours[12] = {1, 1, 0, 0, 0, 0, 0, 9, 7, 0, 0, 0};
static const uint8_t theirs[12] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};

/* One explicit deny, one explicit allow, an inherited deny and allow, and four bytes of slack. */
static size_t sample(uint8_t *acl)
{
    static const uint8_t empty[8] = {2, 0, 8, 0, 0, 0, 0, 0};
    const sbx_ace aces[] = {{SBX_ACE_ALLOW, SBX_ACE_INHERITED, 4},
                            {SBX_ACE_DENY, SBX_ACE_INHERITED, 3},
                            {SBX_ACE_ALLOW, 0, 2},
                            {SBX_ACE_DENY, 0, 1}};
    size_t size = sbx_acl_add(empty, theirs, aces, 4, acl);

    memset(acl + size, 0xAB, 4);
    acl[2] = (uint8_t)(size + 4);
    return size + 4;
}

static void test_add_and_remove(void **context)
{
    uint8_t before[256], added[512];
    sbx_ace aces[] = {{SBX_ACE_ALLOW, SBX_ACE_INHERITED, 16},
                      {SBX_ACE_DENY, SBX_ACE_INHERITED, 8},
                      {SBX_ACE_ALLOW, SBX_ACE_FILES, 32},
                      {SBX_ACE_DENY, 0, 64}};
    sbx_ace found[8];
    size_t size = sample(before), longer;

    (void)context;
    assert_true(sbx_acl_valid(before, size));
    longer = sbx_acl_add(before, ours, aces, 4, added);
    assert_int_equal(longer, size + 4 * sbx_ace_length(ours));
    assert_true(sbx_acl_valid(added, longer));
    assert_int_equal(sbx_acl_find(added, ours, found, 8), 4);
    /* canonical: explicit deny, explicit allow, inherited deny before inherited allow */
    assert_int_equal(found[0].mask, 64);
    assert_int_equal(found[1].mask, 32);
    assert_int_equal(found[2].mask, 8);
    assert_int_equal(found[3].mask, 16);
    assert_int_equal(sbx_acl_remove(added, ours, SBX_ACL_INHERITED | SBX_ACL_DENY), 1);
    assert_int_equal(sbx_acl_remove(added, ours, SBX_ACL_EVERY), 3);
    assert_memory_equal(added, before, size);
}

static void test_full(void **context)
{
    static uint8_t acl[0x10000], out[0x10000];
    const sbx_ace one = {SBX_ACE_ALLOW, 0, 1};

    (void)context;
    acl[0] = 2;
    acl[2] = 0xF0;
    acl[3] = 0xFF;
    assert_int_equal(sbx_acl_add(acl, ours, &one, 1, out), 0);
}

static void test_hostile(void **context)
{
    uint8_t acl[256], broken[256];
    size_t size = sample(acl), i;

    (void)context;
    for (i = 0; i < size; i++)
        assert_false(sbx_acl_valid(acl, i));
    memcpy(broken, acl, size);
    broken[10] = 3; /* an ACE shorter than its header */
    broken[11] = 0;
    assert_false(sbx_acl_valid(broken, size));
    memcpy(broken, acl, size);
    broken[10] = 0xFF;
    broken[11] = 0xFF;
    assert_false(sbx_acl_valid(broken, size));
    memcpy(broken, acl, size);
    broken[4] = 200; /* more ACEs than there are */
    assert_false(sbx_acl_valid(broken, size));
}

/* ACEs with a condition or an object type are ours as well, and the order decides who gets in. */
static void test_other_kinds(void **context)
{
    static const uint8_t everyone[12] = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
    const sbx_ace deny = {SBX_ACE_DENY, 0, 2}, inherited = {SBX_ACE_DENY, SBX_ACE_INHERITED, 2},
                  allow = {SBX_ACE_ALLOW, 0, 3};
    uint8_t acl[256] = {4, 0, 8, 0, 0, 0, 0, 0}, more[256], out[256];
    size_t length = sbx_ace_length(ours), type;

    (void)context;
    for (type = 5; type <= 11; type++) {
        const size_t object = type == 5 || type == 11 ? 4 : 0; /* flags, no GUID */

        if (type != 5 && type != 9 && type != 11)
            continue;
        memset(acl, 0, sizeof(acl));
        acl[0] = 4;
        acl[2] = (uint8_t)(8 + length + object);
        acl[4] = 1;
        acl[8] = (uint8_t)type;
        acl[10] = (uint8_t)(length + object);
        acl[12] = 2;
        memcpy(acl + 16 + object, ours, length - 8);
        assert_true(sbx_acl_valid(acl, sizeof(acl)));
        assert_int_equal(sbx_acl_find(acl, ours, NULL, 0), 1);
        assert_true(sbx_acl_leaves(acl, ours, NULL, 2, 0));
        assert_false(sbx_acl_leaves(acl, ours, NULL, 4, 0));
        assert_int_equal(sbx_acl_remove(acl, ours, SBX_ACL_EVERY), 1);
        assert_int_equal(acl[2], 8);
    }
    memset(acl, 0, sizeof(acl));
    acl[0] = 2;
    acl[2] = 8;
    assert_true(sbx_acl_add(acl, everyone, &allow, 1, more));
    assert_true(sbx_acl_leaves(more, ours, NULL, 2, 0));
    assert_true(sbx_acl_add(more, ours, &inherited, 1, out));
    assert_true(sbx_acl_leaves(out, ours, NULL, 2, 0)); /* too late */
    assert_true(sbx_acl_add(more, ours, &deny, 1, out));
    assert_false(sbx_acl_leaves(out, ours, NULL, 2, 0));
    assert_true(sbx_acl_leaves(out, ours, NULL, 1, 0));
    /* of a compound ACE both SIDs must be the caller's */
    memset(more, 0, sizeof(more));
    more[0] = 3;
    more[2] = 8 + 12 + 12 + 12;
    more[4] = 1;
    more[8] = 4;
    more[10] = 12 + 12 + 12;
    more[12] = 2;
    more[16] = 1;
    memcpy(more + 20, everyone, 12);
    memcpy(more + 32, everyone, 12);
    assert_true(sbx_acl_valid(more, sizeof(more)));
    assert_true(sbx_acl_leaves(more, ours, NULL, 2, 0));
}

/* What a file system may make of an ACL, and what it may not. */
static void test_same(void **context)
{
    const sbx_ace allow = {SBX_ACE_ALLOW, 0, 2}, all = {SBX_ACE_ALLOW, 0, 0x1F01FF},
                  generic = {SBX_ACE_ALLOW, 0, 0x10000000}, deny = {SBX_ACE_DENY, 0, 2},
                  twice[] = {{SBX_ACE_ALLOW, 0, 2}, {SBX_ACE_ALLOW, 0, 2}};
    uint8_t base[256], a[512], b[512], c[512];
    size_t size = sample(base);

    (void)context;
    memcpy(a, base, size);
    a[2] = (uint8_t)(size - 4); /* the slack */
    assert_true(sbx_acl_same(a, base));
    sbx_acl_add(base, ours, &allow, 1, a);
    sbx_acl_add(base, ours, twice, 2, b);
    assert_true(sbx_acl_same(a, b) && sbx_acl_same(b, a));
    assert_false(sbx_acl_same(a, base) || sbx_acl_same(base, a));
    sbx_acl_add(base, ours, &all, 1, b);
    sbx_acl_add(base, ours, &generic, 1, c);
    assert_true(sbx_acl_same(b, c));
    assert_false(sbx_acl_same(a, b));
    sbx_acl_add(base, ours, &deny, 1, b);
    assert_false(sbx_acl_same(a, b));
    sbx_acl_add(b, ours, &deny, 1, c); /* a deny that is there twice is no duplicate that goes */
    assert_false(sbx_acl_same(b, c));
}

/* Who deletes in a directory is decided by the order, on itself and on what is made in it. */
static void test_shuts(void **context)
{
    static const uint8_t empty[8] = {2, 0, 8, 0, 0, 0, 0, 0};
    const sbx_ace full = {SBX_ACE_ALLOW, 3, 0x1F01FF}, modify = {SBX_ACE_ALLOW, 3, 0x1301BF},
                  creator = {SBX_ACE_ALLOW, 3 | SBX_ACE_ONLY_BELOW, 0x10000000}, deny = {SBX_ACE_DENY, 0, 0x40},
                  below = {SBX_ACE_DENY, SBX_ACE_DIRS, 0x40},
                  late = {SBX_ACE_DENY, SBX_ACE_DIRS | SBX_ACE_INHERITED, 0x40},
                  inherited = {SBX_ACE_ALLOW, 3 | SBX_ACE_INHERITED, 0x1F01FF};
    uint8_t acl[256], out[256];

    (void)context;
    assert_true(sbx_acl_shuts(empty, ours, 0x40, 0) && sbx_acl_shuts(empty, ours, 0x40, 1));
    sbx_acl_add(empty, theirs, &modify, 1, acl);
    assert_true(sbx_acl_shuts(acl, ours, 0x40, 0));
    sbx_acl_add(empty, theirs, &full, 1, acl);
    assert_false(sbx_acl_shuts(acl, ours, 0x40, 0) || sbx_acl_shuts(acl, ours, 0x40, 1));
    sbx_acl_add(acl, ours, &deny, 1, out);
    assert_true(sbx_acl_shuts(out, ours, 0x40, 0));
    assert_false(sbx_acl_shuts(out, ours, 0x40, 1) || sbx_acl_shuts(out, theirs, 0x40, 0));
    sbx_acl_add(acl, ours, &below, 1, out);
    assert_true(sbx_acl_shuts(out, ours, 0x40, 0) && sbx_acl_shuts(out, ours, 0x40, 1));
    assert_int_equal(sbx_acl_remove_one(out, ours, &deny), 0);
    assert_int_equal(sbx_acl_remove_one(out, ours, &below), 1);
    assert_memory_equal(out, acl, 8 + sbx_ace_length(theirs));
    sbx_acl_add(acl, ours, &late, 1, out);
    assert_false(sbx_acl_shuts(out, ours, 0x40, 0)); /* behind the explicit allow */
    sbx_acl_add(empty, theirs, &inherited, 1, acl);
    sbx_acl_add(acl, ours, &late, 1, out);
    assert_true(sbx_acl_shuts(out, ours, 0x40, 0) && sbx_acl_shuts(out, ours, 0x40, 1));
    sbx_acl_add(empty, theirs, &creator, 1, acl);
    assert_true(sbx_acl_shuts(acl, ours, 0x40, 0));
    assert_false(sbx_acl_shuts(acl, ours, 0x40, 1));
}

static void test_crc(void **context)
{
    (void)context;
    assert_int_equal(sbx_crc32c(0, "123456789", 9), 0xE3069283u);
}

static void test_records(void **context)
{
    uint8_t bytes[1024], damaged[1024];
    sbx_ledger_record a = {.type = SBX_RECORD_GRANT, .count = 0x123456789ull, .path = "C:\\ws", .path_length = 5};
    sbx_ledger_record b = {.type = SBX_RECORD_DENY, .path = "", .path_length = 0}, read;
    size_t first = sbx_ledger_record_put(&a, bytes), size = first + sbx_ledger_record_put(&b, bytes + first), at = 0,
           skipped = 0, i;

    (void)context;
    assert_true(sbx_ledger_record_next(bytes, size, &at, &read, &skipped));
    assert_int_equal(read.type, SBX_RECORD_GRANT);
    assert_true(read.count == a.count);
    assert_int_equal(read.path_length, 5);
    assert_memory_equal(read.path, "C:\\ws", 5);
    assert_true(sbx_ledger_record_next(bytes, size, &at, &read, &skipped));
    assert_int_equal(read.type, SBX_RECORD_DENY);
    assert_false(sbx_ledger_record_next(bytes, size, &at, &read, &skipped));
    assert_int_equal(skipped, 0);

    for (i = 0; i < first; i++) { /* any damage loses that record and no other */
        memcpy(damaged, bytes, size);
        damaged[i] ^= 0x10;
        at = skipped = 0;
        assert_true(sbx_ledger_record_next(damaged, size, &at, &read, &skipped));
        assert_int_equal(read.type, SBX_RECORD_DENY);
        assert_int_equal(skipped, first);
    }
    for (i = first; i < size; i++) { /* a torn tail */
        at = 0;
        assert_true(sbx_ledger_record_next(bytes, i, &at, &read, NULL));
        assert_int_equal(read.type, SBX_RECORD_GRANT);
        assert_false(sbx_ledger_record_next(bytes, i, &at, &read, NULL));
    }
}

/* FIPS 180-4 and NIST's examples: the empty text, one block, two, and many. */
static void test_sha256(void **state)
{
    static const struct {
        const char *text;
        unsigned times;
        uint8_t begin[8], end[4];
    } known[] = {
        {"", 1, {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14}, {0x78, 0x52, 0xb8, 0x55}},
        {"abc", 1, {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea}, {0xf2, 0x00, 0x15, 0xad}},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         1,
         {0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8},
         {0x19, 0xdb, 0x06, 0xc1}},
        {"a", 1000000, {0xcd, 0xc7, 0x6e, 0x5c, 0x99, 0x14, 0xfb, 0x92}, {0xc7, 0x11, 0x2c, 0xd0}},
    };
    uint8_t digest[32];
    sbx_sha256 hash;
    size_t i;
    unsigned n;

    (void)state;
    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        sbx_sha256_begin(&hash);
        for (n = 0; n < known[i].times; n++)
            sbx_sha256_add(&hash, known[i].text, strlen(known[i].text));
        sbx_sha256_end(&hash, digest);
        assert_memory_equal(digest, known[i].begin, 8);
        if (i != 3)
            assert_memory_equal(digest + 28, known[i].end, 4);
    }
}

/* RFC 4231: a key that is shorter than the digest, one of 20 bytes. */
static void test_keyed(void **state)
{
    static const uint8_t jefe[32] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
                                     0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
                                     0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
    static const uint8_t hi_there[32] = {0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf,
                                         0xce, 0xaf, 0x0b, 0xf1, 0x2b, 0x88, 0x1d, 0xc2, 0x00, 0xc9, 0x83,
                                         0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c, 0x2e, 0x32, 0xcf, 0xf7};
    uint8_t key[20], digest[32];

    (void)state;
    sbx_sha256_keyed("Jefe", 4, "what do ya want for nothing?", 28, digest);
    assert_memory_equal(digest, jefe, 32);
    memset(key, 0x0b, sizeof(key));
    sbx_sha256_keyed(key, sizeof(key), "Hi There", 8, digest);
    assert_memory_equal(digest, hi_there, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_and_remove), cmocka_unit_test(test_full),
        cmocka_unit_test(test_hostile),        cmocka_unit_test(test_crc),
        cmocka_unit_test(test_records),        cmocka_unit_test(test_other_kinds),
        cmocka_unit_test(test_same),           cmocka_unit_test(test_shuts),
        cmocka_unit_test(test_sha256),         cmocka_unit_test(test_keyed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
