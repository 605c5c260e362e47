/* One call of sbx-setup.exe: what was asked for, and what it led to. */
#ifndef SBX_SETUP_SETUP_H
#define SBX_SETUP_SETUP_H

#include "setup/programs.h"
#include "setup/steps.h"
#include "setup/tell.h"

typedef enum sbx_action {
    SBX_ACTION_CHECK,
    SBX_ACTION_CHECK_REMOVE,
    SBX_ACTION_APPLY,
    SBX_ACTION_STATUS,
    SBX_ACTION_REMOVE,
    SBX_ACTION_REPAIR
} sbx_action;

typedef struct sbx_setup {
    sbx_action what;
    const char *user, *backend,
        *slots;                /* as they were given; NULL: who runs this; all; as it is, or the backend's choice */
    const char *loopback;      /* likewise */
    const char *pipe, *caller; /* NULL: started without ShellExecuteEx */
    int dry_run, json, list;
    int everyone;     /* all who have a journal, and their backends */
    int frames, held; /* started by another sbx-setup.exe: stderr is a pipe of messages; that one has the turn */

    int to_do;           /* --check: steps are missing, --check-remove: there are some */
    char user_text[192]; /* "S-1-...": for whom */
    char *folder;        /* %ProgramData%\sbx */
    sbx_programs programs;
    sbx_tell tell;
} sbx_setup;

/* change.c: does it change anything? */
int sbx_setup_writes(const sbx_setup *setup);
/* The steps of one backend, tell.backend: looked at, or applied or undone, as it was asked for. */
sbx_status sbx_setup_change(sbx_setup *setup, sbx_steps *steps, sbx_error *err);

/* whom.c: fills user_text.  SBX_E_REFUSED where there is no such user; undoing takes the SID of one who is gone. */
sbx_status sbx_setup_whom(sbx_setup *setup, sbx_error *err);

/* everyone.c: for what changes something.  The first that fails is told; the others are done all the same. */
sbx_status sbx_setup_everyone(sbx_setup *setup, uint32_t *exit_code, sbx_error *err);

/* backends.c: look at the steps, apply or undo them. */
sbx_status sbx_setup_backends(sbx_setup *setup, sbx_error *err);

/* copy.c: for what changes something, started from elsewhere: copies the programs, has the copy do it, and puts away the copies
 * that nobody needs any more. */
sbx_status sbx_setup_by_copy(sbx_setup *setup, uint32_t *exit_code, sbx_error *err);

#endif
