/* What is wrong with a text that stands in a file or behind an option. */
#ifndef SBX_CONFIG_PROBLEM_H
#define SBX_CONFIG_PROBLEM_H

#include <stddef.h>

#include "base/error.h"

/* What is wrong, in words for a message, and with which part of the text. */
typedef struct sbx_problem {
    size_t at, length; /* in bytes; length 0: all of it */
    char message[320];
    char hint[224]; /* or empty */
} sbx_problem;

/* Fill a problem; returns 0, so that a check ends with it. */
int sbx_problem_set(sbx_problem *problem, size_t at, size_t length, const char *format, ...) SBX_PRINTF(4, 5);
int sbx_problem_hint(sbx_problem *problem, const char *format, ...) SBX_PRINTF(2, 3);

#endif
