/* What became of a folder. */
#include "unit/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "compare/tree.h"

typedef struct told {
    char text[512];
} told;

static void on_difference(void *context, uint32_t what, const char *path)
{
    told *t = context;
    const size_t length = strlen(t->text);

    snprintf(t->text + length, sizeof(t->text) - length, "%c%s ", "?+~-"[what], path);
}

static void check(const sbx_tree *before, const sbx_tree *after, const char *wanted)
{
    told t = {""};

    sbx_tree_compare(before, after, on_difference, &t);
    assert_string_equal(t.text, wanted);
}

static void differences(void **state)
{
    sbx_tree before = {0}, after = {0}, none = {0};

    (void)state;
    assert_true(sbx_tree_add(&before, "same", SBX_TREE_FILE, 3, 7));
    assert_true(sbx_tree_add(&before, "gone", SBX_TREE_FILE, 3, 7));
    assert_true(sbx_tree_add(&before, "content", SBX_TREE_FILE, 3, 7));
    assert_true(sbx_tree_add(&before, "longer", SBX_TREE_FILE, 3, 7));
    assert_true(sbx_tree_add(&before, "was a file", SBX_TREE_FILE, 0, 0));
    assert_true(sbx_tree_add(&before, "z\\deep", SBX_TREE_FOLDER, 0, 0));
    assert_true(sbx_tree_add(&after, "a new one", SBX_TREE_LINK, 0, 0));
    assert_true(sbx_tree_add(&after, "content", SBX_TREE_FILE, 3, 8));
    assert_true(sbx_tree_add(&after, "longer", SBX_TREE_FILE, 4, 7));
    assert_true(sbx_tree_add(&after, "z\\deep", SBX_TREE_FOLDER, 0, 0));
    assert_true(sbx_tree_add(&after, "was a file", SBX_TREE_FOLDER, 0, 0));
    assert_true(sbx_tree_add(&after, "same", SBX_TREE_FILE, 3, 7));
    assert_true(
        sbx_tree_add(&after, "\xC3\xA4\xED\xA0\x80", SBX_TREE_FILE, 3, 7)); /* half of a pair, as NTFS has them */
    sbx_tree_sort(&before);
    sbx_tree_sort(&after);
    check(&before, &after, "+a new one ~content -gone ~longer ~was a file +\xC3\xA4\xED\xA0\x80 ");
    check(&after, &before, "-a new one ~content +gone ~longer ~was a file -\xC3\xA4\xED\xA0\x80 ");
    check(&before, &before, "");
    check(&none, &none, "");
    check(&none, &before, "+content +gone +longer +same +was a file +z\\deep ");
    sbx_tree_sort(&none);
    sbx_tree_fini(&before);
    sbx_tree_fini(&after);
    sbx_tree_fini(&none);
}

static void many(void **state)
{
    sbx_tree before = {0}, after = {0};
    char path[32];
    int i;

    (void)state;
    for (i = 0; i < 5000; i++) {
        snprintf(path, sizeof(path), "%d", (i * 7919) % 5000);
        assert_true(sbx_tree_add(&before, path, SBX_TREE_FILE, 1, 1));
        if (i != 4321)
            assert_true(sbx_tree_add(&after, path, SBX_TREE_FILE, 1, 1));
    }
    sbx_tree_sort(&before);
    sbx_tree_sort(&after);
    snprintf(path, sizeof(path), "-%d ", (4321 * 7919) % 5000);
    check(&before, &after, path);
    sbx_tree_fini(&before);
    sbx_tree_fini(&after);
}

static void hashes(void **state)
{
    (void)state;
    /* of the reference: www.isthe.com/chongo/src/fnv/test_fnv.c */
    assert_true(sbx_tree_hash(SBX_TREE_HASH, "", 0) == 0xCBF29CE484222325u);
    assert_true(sbx_tree_hash(SBX_TREE_HASH, "a", 1) == 0xAF63DC4C8601EC8Cu);
    assert_true(sbx_tree_hash(SBX_TREE_HASH, "foobar", 6) == 0x85944171F73967E8u);
    assert_true(sbx_tree_hash(sbx_tree_hash(SBX_TREE_HASH, "foo", 3), "bar", 3) == 0x85944171F73967E8u);
}

static void memory_ends(void **state)
{
    sbx_tree tree = {0};
    char path[32];
    int i;

    (void)state;
    SBX_FAULT_EACH(n)
    {
        for (i = 0; i < 200; i++) {
            snprintf(path, sizeof(path), "%d", i);
            if (!sbx_tree_add(&tree, path, SBX_TREE_FILE, 0, 0))
                assert_true(sbx_fault_hit());
        }
        assert_true(tree.count == 200 || sbx_fault_hit());
        sbx_tree_fini(&tree);
        assert_int_equal(sbx_fault_live(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences),
        cmocka_unit_test(many),
        cmocka_unit_test(hashes),
        cmocka_unit_test(memory_ends),
    };

    sbx_fault_use(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
