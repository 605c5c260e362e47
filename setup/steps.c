#include "setup/steps.h"

#include <string.h>

#include "base/memory.h"

#define STATE_ABSENT 0u
#define STATE_PRESENT 1u
#define STATE_WRONG 2u

static uint32_t journaled(const sbx_steps *steps, uint32_t i)
{
    return steps->journal ? sbx_journal_last(steps->journal, steps->items[i].name) : SBX_JOURNAL_NONE;
}

static sbx_status state_of(const sbx_steps *steps, uint32_t i, uint32_t *state, sbx_error *err)
{
    uint32_t given = STATE_ABSENT;
    sbx_status st = steps->items[i].present(&steps->items[i], &given, err);

    if (st != SBX_OK)
        return st;
    if (given > STATE_WRONG)
        return sbx_fail(err, SBX_E_BACKEND, "present gave a state that there is not", steps->items[i].name);
    *state = given;
    return SBX_OK;
}

static int is_condition(const sbx_steps *steps, uint32_t i)
{
    return (steps->items[i].flags & SBX_STEP_CONDITION) != 0;
}

/* To be applied, by what is there and what the journal says. */
static int is_missing(const sbx_steps *steps, uint32_t i, uint32_t state)
{
    return state != STATE_PRESENT || (!is_condition(steps, i) && journaled(steps, i) == SBX_JOURNAL_APPLY);
}

/* To be undone, likewise. */
static int is_there(const sbx_steps *steps, uint32_t i, uint32_t state)
{
    const uint32_t last = journaled(steps, i);

    return !is_condition(steps, i) && (state != STATE_ABSENT || last == SBX_JOURNAL_APPLY || last == SBX_JOURNAL_UNDO);
}

sbx_status sbx_steps_check(const sbx_steps *steps, int remove, uint32_t *count, sbx_error *err)
{
    uint32_t i, state;
    sbx_status st;

    *count = 0;
    for (i = 0; i < steps->count; i++) {
        if (remove && is_condition(steps, i))
            continue;
        if ((st = state_of(steps, i, &state, err)) != SBX_OK)
            return st;
        *count += (uint32_t)(remove ? is_there(steps, i, state) : is_missing(steps, i, state));
    }
    return SBX_OK;
}

sbx_status sbx_steps_show(const sbx_steps *steps, uint32_t what, sbx_tell *tell, sbx_error *err)
{
    static const char *const names[] = {"absent", "present", "wrong"};
    const char *name, *more;
    uint32_t k, i, state = STATE_ABSENT, last;
    sbx_error one = {0};
    sbx_status st = SBX_OK, one_st;

    for (k = 0; k < steps->count; k++) {
        i = what == SBX_STEPS_UNDO ? steps->count - 1 - k : k;
        one_st = state_of(steps, i, &state, &one);
        last = is_condition(steps, i) ? SBX_JOURNAL_NONE : journaled(steps, i);
        name = names[state];
        if (what == SBX_STEPS_APPLY && is_missing(steps, i, state))
            name = "to do";
        else if (what == SBX_STEPS_REPAIR && !is_condition(steps, i))
            name = "to do";
        else if (what == SBX_STEPS_UNDO && is_there(steps, i, state))
            name = "to undo";
        more = last == SBX_JOURNAL_APPLY  ? " (begun, not finished)"
               : last == SBX_JOURNAL_UNDO ? " (removal begun, not finished)"
                                          : "";
        sbx_tell_step(tell, one_st == SBX_OK ? name : "failed", &steps->items[i], more, one_st == SBX_OK ? NULL : &one);
        if (one_st != SBX_OK && st == SBX_OK) {
            st = one_st;
            *err = one;
        }
    }
    return st;
}

static sbx_status undo_one(const sbx_steps *steps, uint32_t i, sbx_tell *tell, sbx_error *err)
{
    const sbx_setup_step *step = &steps->items[i];
    sbx_status st;

    if ((st = sbx_journal_add(steps->journal, SBX_JOURNAL_UNDO, step->name, err)) != SBX_OK ||
        (st = step->undo(step, err)) != SBX_OK ||
        (st = sbx_journal_add(steps->journal, SBX_JOURNAL_UNDONE, step->name, err)) != SBX_OK)
        return st;
    sbx_tell_step(tell, "undone", step, "", NULL);
    return SBX_OK;
}

static sbx_status apply_one(const sbx_steps *steps, uint32_t i, sbx_error *err)
{
    const sbx_setup_step *step = &steps->items[i];
    uint32_t state = STATE_ABSENT;
    sbx_status st;

    if ((st = sbx_journal_add(steps->journal, SBX_JOURNAL_APPLY, step->name, err)) != SBX_OK ||
        (st = step->apply(step, err)) != SBX_OK || (st = state_of(steps, i, &state, err)) != SBX_OK)
        return st;
    if (state != STATE_PRESENT)
        return sbx_fail(err, SBX_E_UNENFORCED, "applied, but it is not there", step->name);
    return sbx_journal_add(steps->journal, SBX_JOURNAL_DONE, step->name, err);
}

/* *state: as it was before. */
static sbx_status apply_or_pass(const sbx_steps *steps, uint32_t i, int again, uint32_t *state, sbx_tell *tell,
                                sbx_error *err)
{
    const sbx_setup_step *step = &steps->items[i];
    sbx_status st = state_of(steps, i, state, err);

    if (st != SBX_OK)
        return st;
    if (!is_missing(steps, i, *state) && (!again || is_condition(steps, i))) {
        sbx_tell_step(tell, "present", step, "", NULL);
        return SBX_OK;
    }
    if (is_condition(steps, i))
        return sbx_fail(err, SBX_E_UNAVAILABLE, "it is not there", step->name);
    if ((st = apply_one(steps, i, err)) == SBX_OK)
        sbx_tell_step(tell, "done", step, "", NULL);
    return st;
}

sbx_status sbx_steps_apply(const sbx_steps *steps, int again, sbx_tell *tell, sbx_error *err)
{
    unsigned char *applied = sbx_alloc_zero(steps->count, 1); /* by this call, and absent before it */
    sbx_error other = {0};
    uint32_t i = 0, state;
    sbx_status st = SBX_OK;

    if (!applied)
        return sbx_fail_memory(err);
    for (; i < steps->count && st == SBX_OK; i++) {
        state = STATE_PRESENT; /* where it cannot be known there is nothing to undo */
        st = apply_or_pass(steps, i, again, &state, tell, err);
        applied[i] = state == STATE_ABSENT && !is_condition(steps, i);
        if (st != SBX_OK)
            sbx_tell_step(tell, "failed", &steps->items[i], "", err);
    }
    while (st != SBX_OK && i-- > 0)
        if (applied[i] && undo_one(steps, i, tell, &other) != SBX_OK)
            sbx_tell_step(tell, "not undone", &steps->items[i], "; run `sbx setup --remove`", &other);
    sbx_free(applied);
    return st;
}

sbx_status sbx_steps_undo(const sbx_steps *steps, sbx_tell *tell, sbx_error *err)
{
    sbx_error one = {0};
    sbx_status st = SBX_OK, one_st;
    uint32_t i, state = STATE_ABSENT;

    for (i = steps->count; i-- > 0;) {
        if (is_condition(steps, i))
            continue;
        one_st = state_of(steps, i, &state, &one);
        if (one_st == SBX_OK && is_there(steps, i, state))
            one_st = undo_one(steps, i, tell, &one);
        if (one_st == SBX_OK)
            continue;
        sbx_tell_step(tell, "failed", &steps->items[i], "", &one);
        if (st == SBX_OK) {
            st = one_st;
            *err = one;
        }
    }
    return st;
}
