#include "config/problem.h"

#include <stdarg.h>
#include <stdio.h>

int sbx_problem_set(sbx_problem *problem, size_t at, size_t length, const char *format, ...)
{
    va_list args;

    problem->at = at;
    problem->length = length;
    problem->hint[0] = 0;
    va_start(args, format);
    vsnprintf(problem->message, sizeof(problem->message), format, args);
    va_end(args);
    return 0;
}

int sbx_problem_hint(sbx_problem *problem, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(problem->hint, sizeof(problem->hint), format, args);
    va_end(args);
    return 0;
}
