/* The steps of one backend for one user, looked at or changed, with their journal. */
#include "setup/setup.h"

#include "setup/folder.h"

int sbx_setup_writes(const sbx_setup *s)
{
    return !s->dry_run && (s->what == SBX_ACTION_APPLY || s->what == SBX_ACTION_REMOVE || s->what == SBX_ACTION_REPAIR);
}

/* What was cut short before the first step began, or after the last one was undone. */
static int is_rest(const sbx_setup *s, const sbx_steps *steps)
{
    const uint32_t state = sbx_setup_folder_look(s->folder);

    return sbx_journal_is_there(steps->journal) || state == SBX_FOLDER_EMPTY ||
           (state == SBX_FOLDER_NONE && sbx_setup_folder_look(s->programs.place) != SBX_FOLDER_NONE);
}

/* Looks alone: nothing is written. */
static sbx_status look(sbx_setup *s, const sbx_steps *steps, sbx_error *err)
{
    static const uint32_t shown[] = {SBX_STEPS_LOOK, SBX_STEPS_UNDO, SBX_STEPS_APPLY,
                                     SBX_STEPS_LOOK, SBX_STEPS_UNDO, SBX_STEPS_REPAIR};
    const int remove = s->what == SBX_ACTION_CHECK_REMOVE;
    sbx_text line = {0};
    uint32_t count = 0;
    int rest = 0;
    sbx_status st;

    if (s->what != SBX_ACTION_CHECK && !remove)
        return sbx_steps_show(steps, shown[s->what], &s->tell, err);
    if ((st = sbx_steps_check(steps, remove, &count, err)) != SBX_OK)
        return st;
    if (s->list) {
        s->to_do |= count != 0;
        return sbx_steps_show(steps, remove ? SBX_STEPS_UNDO : SBX_STEPS_APPLY, &s->tell, err);
    }
    if (!count) {
        rest = remove && is_rest(s, steps);
        sbx_text_printf(&line, "backend \"%s\" %s", s->tell.backend,
                        rest     ? "has the rest of a setup that was cut short"
                        : remove ? "has nothing to remove"
                                 : "is set up");
        sbx_tell_line(&s->tell, &line);
    }
    s->to_do |= count || rest;
    return SBX_OK;
}

static sbx_status change(sbx_setup *s, sbx_steps *steps, sbx_error *err)
{
    uint32_t there = 0;
    sbx_status st, gone;

    if (s->what != SBX_ACTION_REMOVE) {
        st = sbx_steps_apply(steps, s->what == SBX_ACTION_REPAIR, &s->tell, err);
        if (st == SBX_OK || sbx_steps_check(steps, 1, &there, NULL) != SBX_OK || there)
            return st;
    } else if ((st = sbx_steps_undo(steps, &s->tell, err)) != SBX_OK) {
        return st;
    }
    /* nothing is there: nor is there anything to know of it */
    gone = sbx_journal_remove(steps->journal, st == SBX_OK ? err : NULL);
    steps->journal = NULL;
    return st == SBX_OK ? gone : st;
}

sbx_status sbx_setup_change(sbx_setup *s, sbx_steps *steps, sbx_error *err)
{
    const int writes = sbx_setup_writes(s);
    sbx_text path = {0}, line = {0};
    sbx_status st = writes ? sbx_setup_folder_make(s->folder, SBX_FOLDER_STATE, err) : SBX_OK;

    if (st != SBX_OK)
        return st;
    /* one for each user: what is undone for one is not lost for another */
    sbx_text_printf(&path, "%s\\setup-%s-%s.journal", s->folder, s->tell.backend, s->user_text);
    if (path.failed)
        st = sbx_fail_memory(err);
    if (st == SBX_OK && (st = sbx_journal_open(path.data, writes, &steps->journal, err)) == SBX_OK &&
        sbx_journal_damaged(steps->journal)) {
        sbx_text_printf(&line, "%s: %u lines of %s are damaged and were passed over", s->tell.backend,
                        (unsigned)sbx_journal_damaged(steps->journal), path.data);
        sbx_tell_line(&s->tell, &line);
    }
    if (st == SBX_OK)
        st = writes ? change(s, steps, err) : look(s, steps, err);
    sbx_journal_close(steps->journal);
    if (writes && (s->what == SBX_ACTION_REMOVE || st != SBX_OK))
        sbx_setup_folder_remove(s->folder);
    sbx_text_fini(&path);
    return st;
}
