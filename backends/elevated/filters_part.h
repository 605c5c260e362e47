/* What the files of the filters share. */
#ifndef SBX_ELEVATED_FILTERS_PART_H
#define SBX_ELEVATED_FILTERS_PART_H

#include "elevated/filters.h"

#include "base/memory.h"

struct sbx_filters {
    uint32_t flags; /* SBX_FILTERS_* */
    GUID provider, sublayer;
    FWPM_FILTER0 *items;
    uint32_t count;
    int failed; /* out of memory */
    sbx_arena arena;
};

#endif
