/* Text that others made, a name of a file or a line of a command's output, as whole UTF-8 that controls nothing. */
#ifndef SBX_COMPARE_SHOWN_H
#define SBX_COMPARE_SHOWN_H

#include "base/text.h"

/* As sbx_text_add_shown, line breaks and tabs stay; a NUL and half of a surrogate pair are shown as <U+D800>, too. */
void sbx_shown_add(sbx_text *out, const char *bytes, size_t length);

#endif
