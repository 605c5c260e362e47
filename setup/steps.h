/* The steps of one backend: looked at, applied, undone, with the journal before each. */
#ifndef SBX_SETUP_STEPS_H
#define SBX_SETUP_STEPS_H

#include "setup/journal.h"
#include "setup/tell.h"

typedef struct sbx_steps {
    const sbx_setup_step *items;
    uint32_t count;
    sbx_journal *journal; /* NULL: only for looking */
} sbx_steps;

/* How many steps are absent, wrong or half done; remove: of how many anything is there or was begun. */
sbx_status sbx_steps_check(const sbx_steps *steps, int remove, uint32_t *count, sbx_error *err);

/* What is there, or what would be done to it; nothing is changed.  Goes on after a failure and gives the first. */
#define SBX_STEPS_LOOK 0u
#define SBX_STEPS_APPLY 1u
#define SBX_STEPS_REPAIR 2u
#define SBX_STEPS_UNDO 3u
sbx_status sbx_steps_show(const sbx_steps *steps, uint32_t what, sbx_tell *tell, sbx_error *err);

/* Those that are missing or, again != 0, all: what looks right may be wrong inside.  On failure what this call made is undone
 * again, in reverse. */
sbx_status sbx_steps_apply(const sbx_steps *steps, int again, sbx_tell *tell, sbx_error *err);

/* All in reverse; goes on after a failure and gives the first. */
sbx_status sbx_steps_undo(const sbx_steps *steps, sbx_tell *tell, sbx_error *err);

#endif
