/*
 * Memory: the one way to the heap for all code of the project.
 *
 * An exe installs mimalloc at its first statement (mimalloc.h), a backend DLL
 * the functions of its host, a test one that fails on demand.  Before that,
 * every allocation fails.
 *
 * Threads: sbx_memory_use before the second thread exists; the rest from any.
 */
#ifndef SBX_BASE_MEMORY_H
#define SBX_BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sbx_allocator {
    void *(*alloc)(uint64_t bytes);              /* aligned to 16, NULL when out of memory */
    void *(*realloc)(void *old, uint64_t bytes); /* as C realloc, bytes > 0 */
    void (*free)(void *memory);                  /* NULL is fine */
} sbx_allocator;

/* Copies the table. */
void sbx_memory_use(const sbx_allocator *allocator);

/* NULL when out of memory; sizes of 0 give a pointer that can be freed. */
void *sbx_alloc(size_t bytes);
void *sbx_alloc_zero(size_t count, size_t bytes); /* NULL also when the product overflows */
void *sbx_realloc(void *old, size_t bytes);       /* old stays valid on failure */
char *sbx_strdup(const char *text);
void sbx_free(void *memory);

/*
 * Arena: memory that is freed all at once.  For data that is built once and read
 * until it goes: a parsed document, a policy.
 */
typedef struct sbx_arena {
    struct sbx_arena_block *blocks; /* newest first */
} sbx_arena;

/* An arena begins as { NULL }. */
void *sbx_arena_alloc(sbx_arena *arena, size_t bytes); /* zeroed, aligned to 16; NULL when out of memory */
char *sbx_arena_strndup(sbx_arena *arena, const char *text, size_t length);
char *sbx_arena_strdup(sbx_arena *arena, const char *text);
char *sbx_arena_printf(sbx_arena *arena, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;
void sbx_arena_fini(sbx_arena *arena); /* frees everything; the arena is empty again */

#endif
