/*
 * A reader for TOML 1.0 (toml.io/en/v1.0.0) that keeps the position of every key and value.
 */
#ifndef SBX_CONFIG_TOML_H
#define SBX_CONFIG_TOML_H

#include "base/memory.h"
#include "config/diag.h"

#define SBX_TOML_STRING 1u
#define SBX_TOML_INTEGER 2u
#define SBX_TOML_FLOAT 3u
#define SBX_TOML_BOOLEAN 4u
#define SBX_TOML_DATETIME 5u /* offset date-time */
#define SBX_TOML_DATETIME_LOCAL 6u
#define SBX_TOML_DATE_LOCAL 7u
#define SBX_TOML_TIME_LOCAL 8u
#define SBX_TOML_ARRAY 9u
#define SBX_TOML_TABLE 10u

/* Nesting deeper than this, and texts longer than this, are errors. */
#define SBX_TOML_MAX_DEPTH 128u
#define SBX_TOML_MAX_BYTES (16u << 20)

typedef struct sbx_toml sbx_toml;
struct sbx_toml {
    uint32_t type;     /* SBX_TOML_* */
    sbx_span span;     /* of the value; of the header for [table] */
    const char *key;   /* in a table: its key, with a NUL; NULL in an array and at the top */
    size_t key_length; /* keys and strings may hold NULs */
    sbx_span key_span;
    sbx_toml *next;     /* next in the same array or table, in the order of the text */
    sbx_toml *first;    /* first element of an array or table */
    uint32_t count;     /* elements of an array or table */
    const char *string; /* STRING: unescaped, with a NUL; date and time types: normalised text */
    size_t string_length;
    int64_t integer; /* INTEGER; BOOLEAN 0 or 1 */
    double number;   /* FLOAT */
};

/* Parse a text; everything lives in the arena.  A UTF-8 byte order mark is skipped.
 * The result is a table.  Errors: SBX_E_CONFIG with position, SBX_E_MEMORY. */
sbx_status sbx_toml_parse(sbx_arena *arena, const char *file, const char *text, size_t length, const sbx_toml **root,
                          sbx_diag *diag);

/* The element of a table by key, or NULL. */
const sbx_toml *sbx_toml_get(const sbx_toml *table, const char *key);

/* "a string", "an integer", ... for messages. */
const char *sbx_toml_type_name(uint32_t type);

#endif
