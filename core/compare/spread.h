/* Several measurements of one thing, and how they are written. */
#ifndef SBX_COMPARE_SPREAD_H
#define SBX_COMPARE_SPREAD_H

#include "base/text.h"

#define SBX_SPREAD_RUNS 99u /* at most */

typedef struct sbx_spread {
    uint64_t values[SBX_SPREAD_RUNS];
    uint32_t count;
} sbx_spread;

void sbx_spread_add(sbx_spread *spread, uint64_t value); /* kept in order; too many are dropped */

/* Of none 0.  Of an even number the mean of the two in the middle. */
uint64_t sbx_spread_median(const sbx_spread *spread);
uint64_t sbx_spread_low(const sbx_spread *spread);
uint64_t sbx_spread_high(const sbx_spread *spread);

/* "850 us", "12.3 ms", "4.56 s"; "4.2 KiB", "12.3 MiB". */
void sbx_spread_print_us(double us, sbx_text *out);
void sbx_spread_print_bytes(double bytes, sbx_text *out);

#endif
