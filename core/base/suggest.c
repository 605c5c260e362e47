#include "base/suggest.h"

#include <stdint.h>
#include <string.h>

#define WORD_MAX 64u

static int same_letter(char a, char b)
{
    if (a >= 'A' && a <= 'Z')
        a = (char)(a - 'A' + 'a');
    if (b >= 'A' && b <= 'Z')
        b = (char)(b - 'A' + 'a');
    return a == b;
}

/* Insertions, deletions, substitutions, and swaps of neighbours; case is free. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *now = rows[2], *swap, i, j, cost;

    for (j = 0; j <= b_length; j++)
        last[j] = before[j] = j;
    for (i = 1; i <= a_length; i++) {
        now[0] = i;
        for (j = 1; j <= b_length; j++) {
            cost = last[j - 1] + !same_letter(a[i - 1], b[j - 1]);
            if (last[j] + 1 < cost)
                cost = last[j] + 1;
            if (now[j - 1] + 1 < cost)
                cost = now[j - 1] + 1;
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]) &&
                before[j - 2] + 1 < cost)
                cost = before[j - 2] + 1;
            now[j] = cost;
        }
        swap = before;
        before = last;
        last = now;
        now = swap;
    }
    return last[b_length];
}

size_t sbx_suggest_distance(const char *word, const char *candidate)
{
    size_t length = strlen(word), other = strlen(candidate), limit, d;

    if (!length || length > WORD_MAX || !other || other > WORD_MAX)
        return SIZE_MAX;
    /* a third of the longer word may be wrong, but never all of a short one */
    limit = (length > other ? length : other) / 3;
    if (!limit && length > 1 && other > 1)
        limit = 1;
    if (limit > 4)
        limit = 4;
    if ((length > other ? length - other : other - length) > limit)
        return SIZE_MAX;
    d = distance(word, length, candidate, other);
    return d <= limit ? d : SIZE_MAX;
}

const char *sbx_suggest(const char *word, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX, d, i;

    for (i = 0; i < count; i++) {
        d = sbx_suggest_distance(word, candidates[i]);
        if (d < best_distance) {
            best_distance = d;
            best = candidates[i];
        }
    }
    return best;
}
