#include "compare/spread.h"

void sbx_spread_add(sbx_spread *spread, uint64_t value)
{
    uint32_t at;

    if (spread->count == SBX_SPREAD_RUNS)
        return;
    for (at = spread->count++; at && spread->values[at - 1] > value; at--)
        spread->values[at] = spread->values[at - 1];
    spread->values[at] = value;
}

uint64_t sbx_spread_median(const sbx_spread *spread)
{
    const uint32_t middle = spread->count / 2;

    if (!spread->count)
        return 0;
    if (spread->count % 2)
        return spread->values[middle];
    return spread->values[middle - 1] + (spread->values[middle] - spread->values[middle - 1]) / 2;
}

uint64_t sbx_spread_low(const sbx_spread *spread)
{
    return spread->count ? spread->values[0] : 0;
}

uint64_t sbx_spread_high(const sbx_spread *spread)
{
    return spread->count ? spread->values[spread->count - 1] : 0;
}

/* Three figures. */
static void print(double value, const char *unit, sbx_text *out)
{
    sbx_text_printf(out, "%.*f %s", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value, unit);
}

void sbx_spread_print_us(double us, sbx_text *out)
{
    if (us < 1000)
        sbx_text_printf(out, "%.0f us", us);
    else if (us < 1e6)
        print(us / 1e3, "ms", out);
    else
        print(us / 1e6, "s", out);
}

void sbx_spread_print_bytes(double bytes, sbx_text *out)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    if (bytes < 1024) {
        sbx_text_printf(out, "%.0f bytes", bytes);
        return;
    }
    for (bytes /= 1024; bytes >= 1024 && unit < 3; bytes /= 1024)
        unit++;
    print(bytes, units[unit], out);
}
