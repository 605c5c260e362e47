/* Measurements, and how they are written. */
#include "unit/support/unit.h"

#include <string.h>

#include "compare/spread.h"

static void medians(void **state)
{
    sbx_spread s = {0};
    int i;

    (void)state;
    assert_int_equal(sbx_spread_median(&s), 0);
    sbx_spread_add(&s, 30);
    assert_int_equal(sbx_spread_median(&s), 30);
    sbx_spread_add(&s, 10);
    assert_int_equal(sbx_spread_median(&s), 20);
    sbx_spread_add(&s, 1000);
    assert_int_equal(sbx_spread_median(&s), 30);
    assert_int_equal(sbx_spread_low(&s), 10);
    assert_int_equal(sbx_spread_high(&s), 1000);
    sbx_spread_add(&s, UINT64_MAX);
    sbx_spread_add(&s, UINT64_MAX - 1);
    sbx_spread_add(&s, UINT64_MAX - 3);
    assert_true(sbx_spread_median(&s) == 1000 + (UINT64_MAX - 3 - 1000) / 2);
    for (i = 0; i < 200; i++)
        sbx_spread_add(&s, 0);
    assert_int_equal(s.count, SBX_SPREAD_RUNS);
    assert_int_equal(sbx_spread_low(&s), 0);
}

static void check(void (*print)(double, sbx_text *), double value, const char *wanted)
{
    sbx_text text = {0};

    print(value, &text);
    assert_string_equal(text.data, wanted);
    sbx_text_fini(&text);
}

static void written(void **state)
{
    (void)state;
    check(sbx_spread_print_us, 0, "0 us");
    check(sbx_spread_print_us, 999, "999 us");
    check(sbx_spread_print_us, 1000, "1.00 ms");
    check(sbx_spread_print_us, 9996, "10.0 ms");
    check(sbx_spread_print_us, 45678, "45.7 ms");
    check(sbx_spread_print_us, 999999, "1000 ms");
    check(sbx_spread_print_us, 61234567, "61.2 s");
    check(sbx_spread_print_bytes, 1023, "1023 bytes");
    check(sbx_spread_print_bytes, 1024, "1.00 KiB");
    check(sbx_spread_print_bytes, 5.5 * 1048576, "5.50 MiB");
    check(sbx_spread_print_bytes, 1e18, "909495 TiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians),
        cmocka_unit_test(written),
    };

    sbx_fault_use(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
