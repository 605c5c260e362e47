/* What somebody may have meant.  Any thread, no memory. */
#ifndef SBX_BASE_SUGGEST_H
#define SBX_BASE_SUGGEST_H

#include <stddef.h>

/* Damerau-Levenshtein without case, SIZE_MAX for two words that are too far apart for a typing error. */
size_t sbx_suggest_distance(const char *word, const char *candidate);

/* The nearest candidate, the first of equals, or NULL. */
const char *sbx_suggest(const char *word, const char *const *candidates, size_t count);

#endif
