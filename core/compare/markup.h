/*
 * HTML, written so that no text becomes a tag: tags and names of attributes are the program's own, all else is escaped.
 *
 * Source: html.spec.whatwg.org "Writing HTML documents: Text, Attributes", "Preprocessing the input stream" (NUL, surrogates and
 * control characters are errors).
 */
#ifndef SBX_COMPARE_MARKUP_H
#define SBX_COMPARE_MARKUP_H

#include "base/text.h"

/* Text of anybody, as content or within quotes: never a tag, the end of a value, or a control character (shown.h). */
void sbx_markup_text(sbx_text *out, const char *text);

/* <NAME class="CLASS">TEXT</NAME>; class_name NULL: none. */
void sbx_markup_element(sbx_text *out, const char *name, const char *class_name, const char *text);

#endif
