#include "compare/table.h"

#include <string.h>

#include "base/utf.h"

#define NARROWEST 14u /* of a column */
#define WIDEST 34u
#define LABEL_WIDEST 20u
#define WIDTH_LEAST 40u
#define GAP 2u /* between columns */
#define BESIDE_MOST 24u

/* What of the text goes on a line of so many columns: bytes; *next: where the rest begins. */
static size_t line_of(const char *text, size_t columns, size_t *next)
{
    const size_t length = strlen(text);
    size_t at = 0, fits = 0, broken = 0;

    while (at < length) {
        sbx_utf8_next(text, length, &at);
        if (fits && sbx_utf8_columns(text, at) > columns)
            break;
        fits = at;
        if (at == length || text[at] == ' ')
            broken = at;
    }
    if (broken && fits < length)
        fits = broken;
    *next = fits + strspn(text + fits, " ");
    return fits;
}

static void put(const char *text, size_t bytes, size_t columns, sbx_text *out)
{
    const size_t used = sbx_utf8_columns(text, bytes);

    sbx_text_add_n(out, text, bytes);
    if (used < columns)
        sbx_text_printf(out, "%*s", (int)(columns - used), "");
}

/* A line of a console ends where there is nothing more. */
static void end_line(sbx_text *out)
{
    while (out->length && out->data[out->length - 1] == ' ')
        out->data[--out->length] = 0;
    sbx_text_add_char(out, '\n');
}

typedef struct shape {
    unsigned label, column; /* columns of the console */
    uint32_t first, count;  /* of the matrix */
} shape;

static const char *text_of(const sbx_matrix *matrix, const sbx_matrix_row *row, uint32_t column)
{
    const char *text = row ? row->cells[column].text : matrix->columns[column];

    return text[0] ? text : "-";
}

/* row NULL: the heading. */
static void print_row(const sbx_matrix *matrix, const sbx_matrix_row *row, const shape *s, sbx_text *out)
{
    size_t done[BESIDE_MOST + 1] = {0}, bytes, next;
    const char *text;
    uint32_t i;
    int more = 1;

    while (more) {
        more = 0;
        for (i = 0; i <= s->count; i++) {
            text = i ? text_of(matrix, row, s->first + i - 1) : row ? row->label : "";
            text += done[i];
            bytes = line_of(text, i ? s->column : s->label, &next);
            put(text, bytes, (i ? s->column : s->label) + GAP, out);
            done[i] += next;
            more |= text[next] != 0;
        }
        end_line(out);
    }
}

static unsigned widest(const sbx_matrix *matrix, uint32_t column)
{
    size_t most = sbx_utf8_columns(matrix->columns[column], strlen(matrix->columns[column])), columns;
    uint32_t i;

    for (i = 0; i < matrix->row_count; i++) {
        columns = sbx_utf8_columns(matrix->rows[i].cells[column].text, strlen(matrix->rows[i].cells[column].text));
        most = columns > most ? columns : most;
    }
    return most > WIDEST ? WIDEST : (unsigned)most;
}

static void print_block(const sbx_matrix *matrix, const shape *s, sbx_text *out)
{
    const char *group = "";
    uint32_t i;

    print_row(matrix, NULL, s, out);
    for (i = 0; i < matrix->row_count; i++) {
        if (strcmp(matrix->rows[i].group, group) != 0) {
            group = matrix->rows[i].group;
            sbx_text_printf(out, "%s\n", group);
        }
        print_row(matrix, &matrix->rows[i], s, out);
    }
}

void sbx_table_print(const sbx_matrix *matrix, unsigned width, sbx_text *out)
{
    shape s = {LABEL_WIDEST, NARROWEST, 0, 0};
    unsigned room, most = NARROWEST, columns;
    uint32_t i, beside;

    if (width < WIDTH_LEAST)
        width = WIDTH_LEAST;
    for (i = 0; i < matrix->column_count; i++) {
        columns = widest(matrix, i);
        most = columns > most ? columns : most;
    }
    room = width - s.label;
    beside = room / (NARROWEST + GAP);
    if (beside > BESIDE_MOST)
        beside = BESIDE_MOST;
    for (s.first = 0; s.first < matrix->column_count; s.first += s.count) {
        s.count = matrix->column_count - s.first < beside ? matrix->column_count - s.first : beside;
        s.column = room / s.count - GAP;
        if (s.column > most)
            s.column = most;
        if (s.first)
            sbx_text_add_char(out, '\n');
        print_block(matrix, &s, out);
    }
}
