/*
 * `sbx compare`: the probes of `sbx doctor`, a launch, and a command, through each backend and without any.
 *
 * Everything is collected in one JSON object (core/compare/compare.schema.json), of which the table and the page are made.
 * Each run of the command has a copy of the current folder, always at the same path, so that outputs that name it are alike;
 * without a copy the runs follow each other in the folder itself.
 */
#ifndef SBX_CLI_COMPARE_H
#define SBX_CLI_COMPARE_H

#include "cli/cli.h"
#include "cli/json.h"
#include "compare/spread.h"
#include "compare/tree.h"
#include "win/console.h"
#include "win/pending.h"

/* ---- compare_place.c ---- */

#define SBX_COMPARE_COPIED (1ull << 30) /* the most bytes that are copied, and read to compare them */

/* The folder of all runs, gone afterwards, and Ctrl-C, which stops them. */
typedef struct sbx_compare_place {
    sbx_arena *arena;
    const char *path;            /* %TEMP%\sbx-compare */
    const char *ws, *empty;      /* in it: the copy, and a folder for launches */
    const char *program, *probe; /* sbx.exe, sbx-probe.exe */
    const char *from;            /* the current folder */
    void *lock;                  /* HANDLE: one at a time */
    sbx_console console;
} sbx_compare_place;

/* What an earlier one left that was killed goes first.  `place` begins as { 0 }. */
sbx_status sbx_compare_open(sbx_cli *cli, sbx_compare_place *place, sbx_error *err);
/* 0: something could not be removed. */
int sbx_compare_close(sbx_compare_place *place);

/* Whether it was interrupted. */
int sbx_compare_stopped(void);

/* What is in a folder, sorted; `tree` begins as { 0 }.  by_content: files are read, else their times count.  What may not be read counts as it
 * was found, unless `all` is set: then it is an error.  SBX_E_UNAVAILABLE: interrupted. */
sbx_status sbx_compare_list(const char *folder, int by_content, int all, sbx_tree *tree, sbx_error *err);

/* Make `ws` from the current folder, of which `tree` is the list by time.  Links are left out.  SBX_E_UNAVAILABLE: interrupted. */
sbx_status sbx_compare_copy(const sbx_compare_place *place, const sbx_tree *tree, sbx_error *err);

/* Make a folder of the place. */
sbx_status sbx_compare_make(const char *path, sbx_error *err);

/* Remove it and all that is in it.  0: not all could be. */
int sbx_compare_remove(const char *folder);

/* ---- compare_run.c ---- */

typedef struct sbx_compare_run {
    const char *backend; /* NULL: without sbx */
    const char *folder;  /* where it runs */
    const char *as;      /* its output goes to the files AS.1 and AS.2 of the place */
    uint64_t wall_us, peak_memory;
    uint32_t exit_code;
    cJSON *report; /* of sbx; the caller deletes it */
    int ended;     /* 0: it was interrupted */
} sbx_compare_run;

/* Run the command (NULL: the smallest program), without sbx or through a backend.  An error: it did not run without sbx; through a backend
 * that is in the report. */
sbx_status sbx_compare_start(const sbx_compare_place *place, const uint16_t *command_w, sbx_compare_run *run,
                             sbx_error *err);

/* The two outputs of `as`, and of `other`: NULL where they are equal, else the first difference, for the JSON. */
cJSON *sbx_compare_outputs(const sbx_compare_place *place, const char *as, const char *other);

/* Undo what runs left in a folder of the place. */
void sbx_compare_clean(const sbx_compare_place *place, const char *folder);

/* ---- compare_command.c ---- */

typedef struct sbx_compare {
    sbx_cli *cli;
    sbx_compare_place place;
    cJSON *root, *backends, *findings;
    uint32_t runs;
    sbx_tree source;  /* the current folder, by time */
    sbx_tree before;  /* the same as files count here */
    sbx_tree without; /* after the first run without sbx */
    int by_content, have_without, varies;
} sbx_compare;

/* Progress, one line. */
void sbx_compare_say(const sbx_compare *compare, const char *format, ...) SBX_PRINTF(2, 3);

/* Measure a launch, and the command where there is one; adds "launch" and "command" to `column`.  backend NULL: without sbx.  An error is
 * one of sbx, or of the command without sbx: nothing can be compared then. */
sbx_status sbx_compare_column(sbx_compare *compare, const char *backend, cJSON *column, sbx_error *err);

/* ---- compare_tell.c ---- */

typedef struct sbx_compare_files {
    sbx_pending json, html; /* not open: not asked for */
} sbx_compare_files;

/* Before anything is measured: what cannot be written is told while nothing has happened.  The caller closes both. */
sbx_status sbx_compare_open_files(sbx_cli *cli, sbx_compare_files *to, sbx_error *err);

sbx_status sbx_compare_write(const sbx_compare *compare, const sbx_compare_files *to, sbx_error *err);
sbx_status sbx_compare_print(const sbx_compare *compare, int stopped, sbx_text *out, sbx_error *err);

#endif
