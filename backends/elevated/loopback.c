#include "elevated/loopback.h"

#include <string.h>

int sbx_loopback_add(sbx_loopback *set, uint16_t first, uint16_t last)
{
    uint32_t at = 0, end, low = first, high = last;

    if (!first || first > last)
        return 0;
    while (at < set->count && set->ranges[at].last + 1u < low)
        at++;
    for (end = at; end < set->count && set->ranges[end].first <= high + 1u; end++) {
        low = set->ranges[end].first < low ? set->ranges[end].first : low;
        high = set->ranges[end].last > high ? set->ranges[end].last : high;
    }
    if (end == at && set->count == SBX_LOOPBACK_MAX)
        return 0;
    memmove(&set->ranges[at + 1], &set->ranges[end], (set->count - end) * sizeof(set->ranges[0]));
    set->count -= end - at;
    set->count++;
    set->ranges[at].first = (uint16_t)low;
    set->ranges[at].last = (uint16_t)high;
    return 1;
}

int sbx_loopback_has(const sbx_loopback *set, uint16_t first, uint16_t last)
{
    uint32_t i;

    for (i = 0; i < set->count; i++)
        if (set->ranges[i].first <= first && last <= set->ranges[i].last)
            return 1;
    return 0;
}

int sbx_loopback_same(const sbx_loopback *one, const sbx_loopback *other)
{
    return one->count == other->count && !memcmp(one->ranges, other->ranges, one->count * sizeof(one->ranges[0]));
}

uint16_t sbx_loopback_outside(const sbx_loopback *set, uint16_t from)
{
    uint32_t tried, port = from ? from : 1;

    for (tried = 0; tried < UINT16_MAX; tried++, port = port == UINT16_MAX ? 1 : port + 1)
        if (!sbx_loopback_has(set, (uint16_t)port, (uint16_t)port))
            return (uint16_t)port;
    return 0;
}

void sbx_loopback_text(const sbx_loopback *set, sbx_text *out)
{
    uint32_t i;

    if (!set->count)
        sbx_text_add(out, "none");
    else if (sbx_loopback_has(set, 1, UINT16_MAX))
        sbx_text_add(out, "all");
    else
        for (i = 0; i < set->count; i++) {
            sbx_text_printf(out, "%s%u", i ? "," : "", (unsigned)set->ranges[i].first);
            if (set->ranges[i].last != set->ranges[i].first)
                sbx_text_printf(out, "-%u", (unsigned)set->ranges[i].last);
        }
}
