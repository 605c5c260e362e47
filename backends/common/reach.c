#include "common/reach.h"

void sbx_reach_report(const sbx_root *roots, uint32_t count, uint32_t flags)
{
    (void)roots;
    (void)count;
    (void)flags;
}
