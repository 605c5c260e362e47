/* The allocator of the exes: mimalloc, linked once into each. */
#ifndef SBX_BASE_MIMALLOC_H
#define SBX_BASE_MIMALLOC_H

#include "base/memory.h"

extern const sbx_allocator sbx_mimalloc;

#endif
