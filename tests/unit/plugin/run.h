/* Programs of the test's own folder, seen from outside. */
#ifndef SBX_TESTS_RUN_H
#define SBX_TESTS_RUN_H

#include <stdint.h>

#include "base/text.h"

/* Where the test's program lies, without a backslash at the end. */
void sbx_run_folder(const char *folder);

/* line: `PROGRAM.exe" ARGUMENTS`, the program in the folder.  Its two outputs come together in `output`, which always
 * has a NUL.  Gives the exit code. */
uint32_t sbx_run(const char *line, const char *input, size_t input_length, sbx_text *output);

/* The same in two parts, for several at once. */
typedef struct sbx_running {
    void *process, *output;
} sbx_running;
void sbx_run_begin(const char *line, const char *input, size_t input_length, sbx_running *running);
uint32_t sbx_run_end(sbx_running *running, sbx_text *output);

/* Exactly this exit code and this output; prints both when not. */
void sbx_assert_run(const char *line, uint32_t code, const char *expected);

/* This exit code, and an output that has `part` somewhere. */
void sbx_assert_run_has(const char *line, uint32_t code, const char *part);

#endif
