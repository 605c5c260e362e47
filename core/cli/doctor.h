/*
 * `sbx doctor`: what backends claim, against what sbx-probe.exe measures through them.
 *
 * Everything is collected in one JSON object, which --json prints and from which the text for people is made:
 *
 *   {"doctor": 1, "version", "complete", "findings": [{"level", "what", "evidence", "remedy"}], "facts": [LINE of sbx-probe facts],
 *    "backends": [{"name", "state", "verdict", "error", "guarantees": {"enforced", "advisory", "none"}, "notes": [],
 *                  "rows": [{"row", "area", "expects", "tried", "without", "within", "code", "verdict"}]}]}
 *
 * level: "gap", "broken", "note".  verdict of a row: "held"; "GAP", open though the area is enforced; "closed" and "open" where nothing
 * is claimed; "works" and "lost" of what every sandbox should let be; "untried".  Of a backend: "as claimed", "gaps", "broken",
 * "not there".  Numbers are numbers.  Neither names of users nor paths of theirs stand in it.
 */
#ifndef SBX_CLI_DOCTOR_H
#define SBX_CLI_DOCTOR_H

#include "cli/child.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "win/console.h"

/* ---- doctor_judge.c: no system call in it ---- */

/* The lines of a probe, "{...}" each, as an array; others are passed over.  NULL: out of memory. */
cJSON *sbx_doctor_lines(const char *output);

/* The last line, of a probe that came to its end or told why not; NULL: it did neither. */
const cJSON *sbx_doctor_last(const cJSON *lines, const char *key);

/* Compare: `control` and `inside` are lines.  Adds "rows" and "verdict" to `backend`, whose "guarantees" and "notes" are there, and what was
 * found to `findings`. */
void sbx_doctor_judge(cJSON *backend, const cJSON *control, const cJSON *inside, cJSON *findings);

void sbx_doctor_find(cJSON *findings, const char *level, const char *what, const char *evidence, const char *remedy);

/* ---- doctor_run.c ---- */

/* A folder for all runs, gone afterwards, and Ctrl-C, which stops them. */
typedef struct sbx_doctor_scratch {
    sbx_arena *arena;
    const char *path; /* %LOCALAPPDATA%\\sbx-doctor */
    const char *profile, *probe, *program;
    void *lock; /* HANDLE: one doctor at a time */
    sbx_console console;
    int stopped;
    char sid[192];
} sbx_doctor_scratch;

/* What an earlier one left that was killed goes first.  `scratch` begins as { 0 }. */
sbx_status sbx_doctor_open(sbx_cli *cli, sbx_doctor_scratch *scratch, sbx_error *err);
/* 0: something could not be removed. */
int sbx_doctor_close(sbx_doctor_scratch *scratch);

/* Run one of our programs with these arguments, the program's path the first; *lines: those of its output that are JSON. */
sbx_status sbx_doctor_start(sbx_doctor_scratch *scratch, const char *const *items, uint32_t count, const char *cwd,
                            sbx_text *output, uint32_t *end, sbx_error *err);

typedef struct sbx_doctor_trial {
    cJSON *lines;  /* of the probe */
    cJSON *report; /* of the run; NULL: there is none */
    uint32_t end;  /* SBX_CHILD_* */
} sbx_doctor_trial;

/* Try the table through a backend, NULL: without a sandbox.  deny_read: name a file that is not to be read. */
sbx_status sbx_doctor_try(sbx_doctor_scratch *scratch, const char *backend, int deny_read, sbx_doctor_trial *trial,
                          sbx_error *err);

/* ---- doctor_path.c ---- */

typedef void sbx_doctor_tell(void *context, const char *what, const char *evidence, const char *remedy);

void sbx_doctor_path(sbx_doctor_scratch *scratch, sbx_doctor_tell *tell, void *context);

/* ---- doctor_print.c ---- */

void sbx_doctor_print(const cJSON *root, int verbose, sbx_text *out);

#endif
