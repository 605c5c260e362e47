/*
 * What setup says: a line a step as it happens, or one JSON object at the end.
 *
 *     {"steps": [{"backend", "name", "summary", "state", "error"}...], "error"}
 *
 * "error" is there where something failed.  States: present, absent, wrong; done, undone, failed, "not undone"; with --dry-run
 * "to do", "to undo".
 */
#ifndef SBX_SETUP_TELL_H
#define SBX_SETUP_TELL_H

#include "base/text.h"

typedef struct sbx_tell {
    struct cJSON *json;  /* NULL: lines */
    const char *backend; /* whose steps they are */
    int quiet;           /* nothing is said */
} sbx_tell;

/* json: one object, which sbx_tell_end prints. */
sbx_status sbx_tell_begin(sbx_tell *tell, int json, sbx_error *err);

/* more: behind the line, or ""; why: NULL, or what went wrong. */
void sbx_tell_step(sbx_tell *tell, const char *state, const sbx_setup_step *step, const char *more,
                   const sbx_error *why);

/* For people alone; one write.  Takes the text; a newline is added. */
void sbx_tell_line(sbx_tell *tell, sbx_text *line);

/* Prints the object, with the error of the whole (NULL: none). */
void sbx_tell_end(sbx_tell *tell, const sbx_error *err);

#endif
