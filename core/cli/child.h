/* Start one of our own programs and wait for it, with its output or with ours. */
#ifndef SBX_CLI_CHILD_H
#define SBX_CLI_CHILD_H

#include "base/error.h"
#include "base/text.h"

/* program: path of the exe; line: the whole command line.  With `output`, stdout and stderr come there, and
 * after `limit_ms` it is ended, with all that it started (*timed_out is set).  Without, it has our own handles
 * and all the time it wants. */
sbx_status sbx_child_run(const char *program, const char *line, uint32_t limit_ms, sbx_text *output, int *timed_out,
                         uint32_t *exit_code, sbx_error *err);

#endif
