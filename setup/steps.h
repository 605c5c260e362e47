/* The steps of one backend: looked at, applied, undone, with the journal before each. */
#ifndef SBX_SETUP_STEPS_H
#define SBX_SETUP_STEPS_H

#include "base/text.h"
#include "sbx/backend.h"
#include "setup/journal.h"

typedef struct sbx_steps {
    const char *backend; /* name, for what is printed */
    const sbx_setup_step *items;
    uint32_t count;
    sbx_journal *journal; /* NULL: only for looking */
} sbx_steps;

/* *missing: steps that are absent or wrong; *present: those of which anything is there or was begun. */
sbx_status sbx_steps_check(const sbx_steps *steps, uint32_t *missing, uint32_t *present, sbx_error *err);

/* A line each. */
sbx_status sbx_steps_show(const sbx_steps *steps, sbx_text *out, sbx_error *err);

/* Those that are missing or, again != 0, all: what looks right may be wrong inside.  On failure what this call applied is undone again, in reverse; `out` says what was done. */
sbx_status sbx_steps_apply(const sbx_steps *steps, int again, sbx_text *out, sbx_error *err);

/* All in reverse; goes on after a failure and gives the first. */
sbx_status sbx_steps_undo(const sbx_steps *steps, sbx_text *out, sbx_error *err);

#endif
