#include "unit/support/fault.h"

#include <stdlib.h>

#include "base/memory.h"

static uint64_t fail_at, count;
static int64_t live;

static int fails(void)
{
    return ++count == fail_at;
}

static void *alloc(uint64_t bytes)
{
    void *memory = fails() || bytes > SIZE_MAX ? NULL : malloc((size_t)bytes);

    live += memory != NULL;
    return memory;
}

static void *resize(void *old, uint64_t bytes)
{
    void *memory = fails() || bytes > SIZE_MAX ? NULL : realloc(old, (size_t)bytes);

    live += !old && memory;
    return memory;
}

static void release(void *memory)
{
    live -= memory != NULL;
    free(memory);
}

void sbx_fault_use(uint64_t n)
{
    static const sbx_allocator allocator = {alloc, resize, release};

    sbx_memory_use(&allocator);
    fail_at = n;
    count = 0;
}

int sbx_fault_hit(void)
{
    return fail_at && count >= fail_at;
}

uint64_t sbx_fault_count(void)
{
    return count;
}

int64_t sbx_fault_live(void)
{
    return live;
}

int sbx_fault_next(uint64_t *n)
{
    if (*n && !sbx_fault_hit()) {
        sbx_fault_use(0);
        return 0;
    }
    sbx_fault_use(++*n);
    return 1;
}
