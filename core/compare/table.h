/* A matrix on a console. */
#ifndef SBX_COMPARE_TABLE_H
#define SBX_COMPARE_TABLE_H

#include "base/text.h"
#include "compare/matrix.h"

/* No line is wider than `width` columns, 40 at least; where the columns do not fit beside each other, what is left stands below. */
void sbx_table_print(const sbx_matrix *matrix, unsigned width, sbx_text *out);

#endif
