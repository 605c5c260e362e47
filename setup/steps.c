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

sbx_status sbx_steps_check(const sbx_steps *steps, uint32_t *missing, uint32_t *present, sbx_error *err)
{
    uint32_t i, state, last;
    sbx_status st;

    *missing = *present = 0;
    for (i = 0; i < steps->count; i++) {
        if ((st = state_of(steps, i, &state, err)) != SBX_OK)
            return st;
        last = journaled(steps, i);
        *missing += state != STATE_PRESENT || last == SBX_JOURNAL_APPLY;
        *present += state != STATE_ABSENT || last == SBX_JOURNAL_APPLY || last == SBX_JOURNAL_UNDO;
    }
    return SBX_OK;
}

sbx_status sbx_steps_show(const sbx_steps *steps, sbx_text *out, sbx_error *err)
{
    static const char *const names[] = {"absent", "present", "wrong"};
    uint32_t i, state, last;
    sbx_status st;

    for (i = 0; i < steps->count; i++) {
        if ((st = state_of(steps, i, &state, err)) != SBX_OK)
            return st;
        last = journaled(steps, i);
        sbx_text_printf(out, "%s: %-8s %-24s %s%s\n", steps->backend, names[state], steps->items[i].name,
                        steps->items[i].summary,
                        last == SBX_JOURNAL_APPLY  ? " (begun, not finished)"
                        : last == SBX_JOURNAL_UNDO ? " (removal begun, not finished)"
                                                   : "");
    }
    return SBX_OK;
}

static sbx_status undo_one(const sbx_steps *steps, uint32_t i, sbx_text *out, sbx_error *err)
{
    const sbx_setup_step *step = &steps->items[i];
    sbx_status st;

    if ((st = sbx_journal_add(steps->journal, SBX_JOURNAL_UNDO, step->name, err)) != SBX_OK ||
        (st = step->undo(step, err)) != SBX_OK ||
        (st = sbx_journal_add(steps->journal, SBX_JOURNAL_UNDONE, step->name, err)) != SBX_OK)
        return st;
    sbx_text_printf(out, "%s: undone   %s\n", steps->backend, step->name);
    return SBX_OK;
}

static sbx_status apply_one(const sbx_steps *steps, uint32_t i, sbx_text *out, sbx_error *err)
{
    const sbx_setup_step *step = &steps->items[i];
    uint32_t state = STATE_ABSENT;
    sbx_status st;

    if ((st = sbx_journal_add(steps->journal, SBX_JOURNAL_APPLY, step->name, err)) != SBX_OK ||
        (st = step->apply(step, err)) != SBX_OK || (st = state_of(steps, i, &state, err)) != SBX_OK)
        return st;
    if (state != STATE_PRESENT)
        return sbx_fail(err, SBX_E_UNENFORCED, "applied, but it is not there", step->name);
    if ((st = sbx_journal_add(steps->journal, SBX_JOURNAL_DONE, step->name, err)) != SBX_OK)
        return st;
    sbx_text_printf(out, "%s: applied  %s\n", steps->backend, step->name);
    return SBX_OK;
}

sbx_status sbx_steps_apply(const sbx_steps *steps, int again, sbx_text *out, sbx_error *err)
{
    unsigned char *applied = sbx_alloc_zero(steps->count, 1); /* by this call, and absent before it */
    sbx_error other = {0};
    uint32_t i = 0, state = STATE_ABSENT;
    sbx_status st = SBX_OK;

    if (!applied)
        return sbx_fail_memory(err);
    for (; i < steps->count; i++) {
        if ((st = state_of(steps, i, &state, err)) != SBX_OK)
            break;
        if (!again && state == STATE_PRESENT && journaled(steps, i) != SBX_JOURNAL_APPLY)
            continue;
        applied[i] = state == STATE_ABSENT;
        if ((st = apply_one(steps, i, out, err)) != SBX_OK)
            break;
    }
    while (st != SBX_OK && i < steps->count) {
        if (applied[i] && undo_one(steps, i, out, &other) != SBX_OK)
            sbx_text_printf(out, "%s: NOT UNDONE %s; run `sbx setup --remove`\n", steps->backend, steps->items[i].name);
        if (!i--)
            break;
    }
    sbx_free(applied);
    return st;
}

sbx_status sbx_steps_undo(const sbx_steps *steps, sbx_text *out, sbx_error *err)
{
    sbx_error one = {0};
    sbx_status st = SBX_OK, one_st;
    uint32_t i, state = STATE_ABSENT, last;

    for (i = steps->count; i-- > 0;) {
        last = journaled(steps, i);
        one_st = state_of(steps, i, &state, &one);
        if (one_st == SBX_OK && (state != STATE_ABSENT || last == SBX_JOURNAL_APPLY || last == SBX_JOURNAL_UNDO))
            one_st = undo_one(steps, i, out, &one);
        if (one_st != SBX_OK && st == SBX_OK) {
            st = one_st;
            *err = one;
        }
    }
    return st;
}
