/* The areas of a guarantee, in the order in which they are told. */
#ifndef SBX_BASE_AREA_H
#define SBX_BASE_AREA_H

#include "sbx/backend.h"

#define SBX_AREA_COUNT 6u

typedef struct sbx_area {
    uint32_t bit;      /* SBX_AREA_* */
    const char *name;  /* as in `require` and reports: "write", "delete", ... */
    const char *words; /* for people: "file writes" */
} sbx_area;

extern const sbx_area sbx_areas[SBX_AREA_COUNT];

#endif
