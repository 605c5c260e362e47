/* The times of a comparison as bars, inline SVG. */
#ifndef SBX_COMPARE_PLOT_H
#define SBX_COMPARE_PLOT_H

#include <cJSON.h>

#include "base/text.h"

/* what: "launch" or "command".  A bar a column with its median, a line from the lowest to the highest, and all of it in words for who does
 * not see it.  Adds nothing where nothing was measured. */
void sbx_plot_print(const cJSON *root, const char *what, const char *title, sbx_text *out);

#endif
