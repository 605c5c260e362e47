#include <windows.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/mimalloc.h"
#include "win/env.h"

static uint16_t *build(const wchar_t *source_w, const sbx_env_edit *edits, uint32_t count)
{
    const sbx_env_list list = {edits, count};
    uint16_t *block_w = NULL;
    sbx_error err = {0};

    assert_int_equal(sbx_env_build(source_w, &list, 1, &block_w, &err), SBX_OK);
    return block_w;
}

static void assert_block(uint16_t *block_w, const wchar_t *want_w, size_t units)
{
    assert_memory_equal(block_w, want_w, units * sizeof(*want_w));
    sbx_free(block_w);
}

#define BLOCK(text) (text), sizeof(text) / sizeof(wchar_t)

static void is_sorted_without_case(void **state)
{
    (void)state;
    /* '_' lies between the cases: the system compares in upper case */
    assert_block(build(L"b=2\0A_=4\0Aa=3\0=D:=D:\\x\0=C:=C:\\\0", NULL, 0),
                 BLOCK(L"=C:=C:\\\0=D:=D:\\x\0Aa=3\0A_=4\0b=2\0"));
    assert_block(build(L"\0", NULL, 0), BLOCK(L"\0"));
}

static void foreign_text_stays(void **state)
{
    static const wchar_t source_w[] = {L'A', L'=', 0xD800, L'x', 0, L'B', L'=', 0, L'C', 0, 0};

    (void)state;
    assert_block(build(source_w, NULL, 0), source_w, sizeof(source_w) / sizeof(source_w[0]));
}

static void edits_apply_in_order(void **state)
{
    static const sbx_env_edit edits[] = {
        {SBX_ENV_SET, "path", "P"},
        {SBX_ENV_PREPEND, "PATH", "Q"},
        {SBX_ENV_PREPEND, "NEW", "n"},
        {SBX_ENV_DEFAULT, "KEPT", "no"},
        {SBX_ENV_DEFAULT, "MADE", "\xc3\xbc"},
        {SBX_ENV_UNSET, "gone", NULL},
        {SBX_ENV_PREPEND, "EMPTY", "e"},
        {SBX_ENV_SET, "BLANK", ""},
        {SBX_ENV_UNSET, "never", NULL},
    };

    (void)state;
    assert_block(build(L"Path=old\0Kept=1\0Gone=2\0GONE=3\0Empty=\0", edits, 9),
                 BLOCK(L"BLANK=\0Empty=e\0Kept=1\0MADE=\xfc\0NEW=n\0Path=Q;P\0"));
}

static void bad_edits_are_refused(void **state)
{
    static char large[SBX_ENV_MAX_UNITS + 1];
    const sbx_env_edit edits[] = {
        {SBX_ENV_SET, "", "x"}, {SBX_ENV_SET, "A=B", "x"}, {SBX_ENV_SET, "A", "\xff"}, {SBX_ENV_SET, "A", large}};
    size_t i;

    (void)state;
    memset(large, 'x', SBX_ENV_MAX_UNITS);
    for (i = 0; i < 4; i++) {
        const sbx_env_list list = {&edits[i], 1};
        uint16_t *block_w = NULL;
        sbx_error err = {0};

        assert_int_equal(sbx_env_build(L"\0", &list, 1, &block_w, &err), SBX_E_REFUSED);
        assert_null(block_w);
    }
    large[SBX_ENV_MAX_UNITS - 1] = 0;
    sbx_free(build(L"\0", &edits[3], 1));
}

static void finds_without_case(void **state)
{
    (void)state;
    assert_int_equal(wcscmp(sbx_env_find(L"AB=1\0Path=x;y\0", L"PATH"), L"x;y"), 0);
    assert_null(sbx_env_find(L"AB=1\0Path=x;y\0", L"PAT"));
    assert_null(sbx_env_find(L"\0", L"A"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_sorted_without_case), cmocka_unit_test(foreign_text_stays),
        cmocka_unit_test(edits_apply_in_order),   cmocka_unit_test(bad_edits_are_refused),
        cmocka_unit_test(finds_without_case),
    };

    sbx_memory_use(&sbx_mimalloc);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
