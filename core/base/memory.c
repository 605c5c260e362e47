#include "base/memory.h"

#include <stdio.h>
#include <string.h>

static sbx_allocator current;

void sbx_memory_use(const sbx_allocator *allocator)
{
    current = *allocator;
}

void *sbx_alloc(size_t bytes)
{
    return current.alloc ? current.alloc(bytes ? bytes : 1) : NULL;
}

void *sbx_alloc_zero(size_t count, size_t bytes)
{
    void *memory;

    if (bytes && count > SIZE_MAX / bytes)
        return NULL;
    memory = sbx_alloc(count * bytes);
    if (memory)
        memset(memory, 0, count * bytes);
    return memory;
}

void *sbx_realloc(void *old, size_t bytes)
{
    return current.realloc ? current.realloc(old, bytes ? bytes : 1) : NULL;
}

char *sbx_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = sbx_alloc(bytes);

    return copy ? memcpy(copy, text, bytes) : NULL;
}

void sbx_free(void *memory)
{
    if (memory)
        current.free(memory);
}

/* ---- arena ---- */

#define SBX_ARENA_ALIGN 16u
#define SBX_ARENA_BLOCK 4096u

struct sbx_arena_block {
    struct sbx_arena_block *next;
    size_t used, size; /* of the bytes behind the header */
};

#define SBX_ARENA_HEADER ((sizeof(struct sbx_arena_block) + SBX_ARENA_ALIGN - 1) / SBX_ARENA_ALIGN * SBX_ARENA_ALIGN)

void *sbx_arena_alloc(sbx_arena *arena, size_t bytes)
{
    struct sbx_arena_block *block = arena->blocks;
    size_t size;
    char *memory;

    if (bytes > SIZE_MAX / 2)
        return NULL;
    bytes = (bytes + SBX_ARENA_ALIGN - 1) / SBX_ARENA_ALIGN * SBX_ARENA_ALIGN;
    if (!block || block->size - block->used < bytes) {
        size = bytes > SBX_ARENA_BLOCK - SBX_ARENA_HEADER ? bytes : SBX_ARENA_BLOCK - SBX_ARENA_HEADER;
        block = sbx_alloc(SBX_ARENA_HEADER + size);
        if (!block)
            return NULL;
        block->next = arena->blocks;
        block->used = 0;
        block->size = size;
        arena->blocks = block;
    }
    memory = (char *)block + SBX_ARENA_HEADER + block->used;
    block->used += bytes;
    return memset(memory, 0, bytes);
}

char *sbx_arena_strndup(sbx_arena *arena, const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? sbx_arena_alloc(arena, length + 1) : NULL;

    if (copy && length)
        memcpy(copy, text, length);
    return copy;
}

char *sbx_arena_strdup(sbx_arena *arena, const char *text)
{
    return sbx_arena_strndup(arena, text, strlen(text));
}

char *sbx_arena_printf(sbx_arena *arena, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length >= 0)
        text = sbx_arena_alloc(arena, (size_t)length + 1);
    if (text) {
        va_start(args, format);
        vsnprintf(text, (size_t)length + 1, format, args);
        va_end(args);
    }
    return text;
}

void sbx_arena_fini(sbx_arena *arena)
{
    struct sbx_arena_block *block;

    while ((block = arena->blocks)) {
        arena->blocks = block->next;
        sbx_free(block);
    }
}
