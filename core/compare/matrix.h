/*
 * A comparison as rows and columns of text: made from its JSON (compare.schema.json), shown by table.h on a console and by page.h in a
 * browser.  The first column is the command without sbx, the others are backends.
 */
#ifndef SBX_COMPARE_MATRIX_H
#define SBX_COMPARE_MATRIX_H

#include <cJSON.h>

#include "base/memory.h"

#define SBX_TONE_PLAIN 0u
#define SBX_TONE_GOOD 1u
#define SBX_TONE_BAD 2u
#define SBX_TONE_QUIET 3u

typedef struct sbx_cell {
    const char *text; /* "": there is nothing to say */
    uint32_t tone;    /* SBX_TONE_*, which adds nothing that the text does not say */
} sbx_cell;

typedef struct sbx_matrix_row {
    const char *group; /* the rows of a group follow each other */
    const char *label;
    sbx_cell *cells; /* one a column */
} sbx_matrix_row;

#define SBX_MATRIX_ROWS 24u

/* A matrix begins as { 0 }. */
typedef struct sbx_matrix {
    sbx_arena arena;
    const char **columns;
    uint32_t column_count;
    sbx_matrix_row rows[SBX_MATRIX_ROWS];
    uint32_t row_count;
    int failed; /* out of memory: not to be shown */
} sbx_matrix;

void sbx_matrix_make(sbx_matrix *matrix, const cJSON *root);
void sbx_matrix_fini(sbx_matrix *matrix);

/* Members, where there is none: "", and 0 with *number unchanged. */
const char *sbx_matrix_string(const cJSON *object, const char *key);
int sbx_matrix_number(const cJSON *object, const char *key, double *number);

/* Without sbx (column 0), or a backend. */
const cJSON *sbx_matrix_column(const cJSON *root, uint32_t column);

#endif
