/*
 * What a run was, for programs: `--report FILE`.
 *
 * Filled as far as things came, written whether or not the command ran.  JSON, UTF-8; 64-bit numbers are
 * strings.  Names of withheld variables, never values; the program's path, never its arguments.
 */
#ifndef SBX_CLI_REPORT_H
#define SBX_CLI_REPORT_H

#include "base/error.h"
#include "base/text.h"
#include "config/policy.h"
#include "launch/launch.h"

typedef struct sbx_report_note {
    uint32_t kind; /* SBX_NOTE_* */
    char *object, *text;
} sbx_report_note;

typedef struct sbx_report {
    const sbx_plan *plan;  /* NULL: it was not made */
    const char *command;   /* the first word */
    char backend_used[64]; /* "": none came so far */
    char backend_version[32];
    sbx_text fallback; /* why the requested backend was not used */
    sbx_guarantees guarantees;
    sbx_launch_result result;
    int launched; /* sbx_launch_run was called */
    sbx_report_note *notes;
    uint32_t note_count, note_size;
    uint32_t lost_notes; /* there was no memory for them */
    uint64_t open_us;    /* until the backend was ready: its load, and the grants of a first run */
    uint64_t total_us;
    const char *message; /* what was printed of an error, where the error does not say it all; NULL: it does */
} sbx_report;

/* "gap", "grant", ...: a warning is a gap. */
const char *sbx_report_note_kind(uint32_t kind);

/* A backend's note.  Calls must not overlap. */
void sbx_report_note_add(sbx_report *report, uint32_t kind, const char *object, const char *text);

/* `st`, `err`: how it went; exit_code: what sbx is about to exit with. */
sbx_status sbx_report_print(const sbx_report *report, sbx_status st, const sbx_error *err, int exit_code,
                            sbx_text *out);

/* The report of a launch that ended in a crash of sbx itself or of a backend (NULL: of sbx), as far as it can be told
 * then: without memory.  Gives the length, 0 when it does not fit. */
size_t sbx_report_crash(const char *backend, const char *function, uint32_t exception, char *text, size_t size);

void sbx_report_fini(sbx_report *report);

#endif
