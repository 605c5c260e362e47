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

#define SBX_CHILD_EXITED 0u
#define SBX_CHILD_TIME 1u    /* it was ended after limit_ms */
#define SBX_CHILD_STOPPED 2u /* `stop` was set; it was given stopped_ms to end by itself */

typedef struct sbx_child_how {
    uint32_t limit_ms;
    const char *cwd;     /* NULL: ours */
    void *stop;          /* HANDLE: an event; NULL: none */
    uint32_t stopped_ms; /* 0: 10 seconds */
    int breakaway;       /* what it starts may leave its job: only for what is trusted */
} sbx_child_how;

/* The same with more to say.  *end: SBX_CHILD_*. */
sbx_status sbx_child_watch(const char *program, const char *line, const sbx_child_how *how, sbx_text *output,
                           uint32_t *end, uint32_t *exit_code, sbx_error *err);

#endif
