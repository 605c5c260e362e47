/* The heap, arenas, growing text. */
#include "unit/support/unit.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static void heap(void **state)
{
    char *memory;

    (void)state;
    sbx_fault_use(0);
    memory = sbx_alloc(0);
    assert_non_null(memory);
    memory = sbx_realloc(memory, 100);
    assert_non_null(memory);
    sbx_free(memory);
    sbx_free(NULL);
    assert_null(sbx_alloc_zero(SIZE_MAX / 2 + 1, 2));
    memory = sbx_alloc_zero(10, 10);
    assert_int_equal(memory[99], 0);
    sbx_free(memory);
    memory = sbx_strdup("");
    assert_string_equal(memory, "");
    sbx_free(memory);
    assert_int_equal(sbx_fault_live(), 0);

    memory = sbx_alloc(8);
    sbx_fault_use(1);
    assert_null(sbx_realloc(memory, 800)); /* and the old one stays */
    memory[7] = 1;
    sbx_free(memory);
    assert_int_equal(sbx_fault_live(), 0);
}

static void arena_keeps_blocks_apart(void **state)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 4000, 4064, 4080, 4096, 100000, 3};
    unsigned char *blocks[SBX_COUNT(sizes)];
    sbx_arena arena = {NULL};
    size_t i, j;

    (void)state;
    sbx_fault_use(0);
    for (i = 0; i < SBX_COUNT(sizes); i++) {
        blocks[i] = sbx_arena_alloc(&arena, sizes[i]);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        for (j = 0; j < sizes[i]; j++)
            assert_int_equal(blocks[i][j], 0);
        memset(blocks[i], (int)i + 1, sizes[i]);
    }
    for (i = 0; i < SBX_COUNT(sizes); i++)
        for (j = 0; j < sizes[i]; j++)
            assert_int_equal(blocks[i][j], i + 1);
    assert_null(sbx_arena_alloc(&arena, SIZE_MAX));
    assert_null(sbx_arena_strndup(&arena, "", SIZE_MAX));
    sbx_arena_fini(&arena);
    assert_null(arena.blocks);
    assert_int_equal(sbx_fault_live(), 0);
}

static void arena_texts(void **state)
{
    (void)state;
    SBX_FAULT_EACH(n)
    {
        sbx_arena arena = {NULL};
        char *a = sbx_arena_strdup(&arena, "abc"), *b = sbx_arena_strndup(&arena, "a\0c", 3);
        char *c = sbx_arena_printf(&arena, "%5000d|%s", 7, "x");

        if (!a || !b || !c)
            assert_true(sbx_fault_hit());
        if (a)
            assert_string_equal(a, "abc");
        if (b)
            assert_memory_equal(b, "a\0c", 4);
        if (c)
            assert_string_equal(c + 4999, "7|x");
        sbx_arena_fini(&arena);
        assert_int_equal(sbx_fault_live(), 0);
    }
}

static void growing_text(void **state)
{
    (void)state;
    SBX_FAULT_EACH(n)
    {
        sbx_text text = {0};
        char *data;
        int i;

        for (i = 0; i < 100; i++) {
            sbx_text_add(&text, "12345");
            sbx_text_add_char(&text, '6');
            sbx_text_printf(&text, "%04d", i);
        }
        sbx_text_add_n(&text, "a\0b", 3);
        if (text.failed) {
            assert_true(sbx_fault_hit());
            assert_null(sbx_text_take(&text));
        } else {
            assert_int_equal(text.length, 1003);
            data = sbx_text_take(&text);
            assert_memory_equal(data + 990, "1234560099a\0b", 14);
            sbx_free(data);
        }
        assert_null(text.data);
        assert_int_equal(text.length, 0);
        assert_int_equal(sbx_fault_live(), 0);
    }
}

static void text_that_is_full_stops(void **state)
{
    sbx_text text = {0};
    char *data;

    (void)state;
    sbx_fault_use(0);
    data = sbx_text_take(&text);
    assert_string_equal(data, "");
    sbx_free(data);
    sbx_text_add(&text, "x");
    sbx_text_add_n(&text, "x", SIZE_MAX - 1);
    assert_true(text.failed);
    sbx_text_add(&text, "y");
    assert_string_equal(text.data, "x");
    sbx_text_fini(&text);
    assert_int_equal(sbx_fault_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap),         cmocka_unit_test(arena_keeps_blocks_apart), cmocka_unit_test(arena_texts),
        cmocka_unit_test(growing_text), cmocka_unit_test(text_that_is_full_stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
