/* A comparison as one HTML file: no script, nothing from elsewhere, light and dark, for the keyboard, for screen readers, for paper. */
#ifndef SBX_COMPARE_PAGE_H
#define SBX_COMPARE_PAGE_H

#include <cJSON.h>

#include "base/text.h"

/* root: as in compare.schema.json.  Out of memory: out->failed. */
void sbx_page_print(const cJSON *root, sbx_text *out);

/* How it looks. */
extern const char sbx_page_style[];

#endif
