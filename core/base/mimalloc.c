#include "base/mimalloc.h"

#include <mimalloc.h>

static void *alloc(uint64_t bytes)
{
    return bytes <= SIZE_MAX ? mi_malloc((size_t)bytes) : NULL;
}

static void *resize(void *old, uint64_t bytes)
{
    return bytes <= SIZE_MAX ? mi_realloc(old, (size_t)bytes) : NULL;
}

const sbx_allocator sbx_mimalloc = {alloc, resize, mi_free};
