/*
 * The journal of setup: what was begun and what was finished (README.md has the format).
 *
 * One program at a time writes it: turn.h.  Whoever may read it can keep it open, and that is told as such (ERROR_SHARING_VIOLATION).
 */
#ifndef SBX_SETUP_JOURNAL_H
#define SBX_SETUP_JOURNAL_H

#include "base/error.h"
#include "base/text.h"

#define SBX_JOURNAL_NONE 0u  /* the step is not in it */
#define SBX_JOURNAL_APPLY 1u /* begun: may be half done */
#define SBX_JOURNAL_DONE 2u
#define SBX_JOURNAL_UNDO 3u /* undo begun */
#define SBX_JOURNAL_UNDONE 4u

typedef struct sbx_journal sbx_journal;

/* Opens or makes it; where nothing waits for its end it begins anew.  writing = 0: for reading only; then one that is not there is empty. */
sbx_status sbx_journal_open(const char *path, int writing, sbx_journal **journal, sbx_error *err);
void sbx_journal_close(sbx_journal *journal); /* NULL is fine */

/* On the disk when it returns. */
sbx_status sbx_journal_add(sbx_journal *journal, uint32_t what, const char *step, sbx_error *err);

/* Is there one?  Else it was opened for reading, and is empty. */
int sbx_journal_is_there(const sbx_journal *journal);

/* The last line for a step. */
uint32_t sbx_journal_last(const sbx_journal *journal, const char *step);

/* Lines in the middle that were not readable. */
uint32_t sbx_journal_damaged(const sbx_journal *journal);

/* Closes and removes it: all is undone. */
sbx_status sbx_journal_remove(sbx_journal *journal, sbx_error *err);

#endif
