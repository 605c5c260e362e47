/*
 * What commands read beside their workspaces: the homes of tools in the user's profile, and the folders of PATH.
 *
 * With SBX_READ_PROFILE also the folders in his profile, each by itself, but for application data; with SBX_READ_LISTED nothing but what he
 * names.
 *
 * An account reads what every user of the machine may.  Tools that are installed for one user lie in his profile, so he opens them by
 * `sbx setup` or `sbx setup --tools`, which lists each; a launch opens none, and says where something is missing.  A folder is read where it
 * is: a link is followed, and what it leads to is judged.
 *
 * Never: what holds the profile, its application data or a writable folder; what holds or lies in a place of credentials; a whole
 * drive, Downloads, Desktop, Documents; a folder that is missing, on another machine or a drive that is no disk, or whose access rights
 * are not the user's to change.
 */
#ifndef SBX_ELEVATED_READS_H
#define SBX_ELEVATED_READS_H

#include "base/error.h"
#include "base/memory.h"
#include "common/grants/audience.h"

/* What is looked for: SBX_READ_*, and folders that the user names. */
typedef struct sbx_reads_wanted {
    uint32_t read, count;
    const char *const *readable;
} sbx_reads_wanted;

typedef struct sbx_reads {
    sbx_arena arena;
    sbx_reads_wanted wanted;
    const char **paths; /* where they are */
    uint32_t count;
    void (*left_out)(const char *folder, const char *why); /* of those that somebody named; may be NULL */
} sbx_reads;

/* `reads` begins as { 0 } but for left_out and what is wanted.  path: the variable, or NULL.  What every user may read, or what is a writable folder or
 * in one, is none of them. */
sbx_status sbx_reads_find(sbx_reads *reads, const char *path, const sbx_audience *audience, sbx_error *err);
void sbx_reads_fini(sbx_reads *reads);

/* At a launch: warns of what is not open to the accounts, or is although nobody wants it.  Judged once for each value of PATH and of
 * what is wanted. */
void sbx_reads_tell(const sbx_reads_wanted *wanted, const sbx_audience *audience, int dry);
/* Judge it again: something was opened or closed. */
void sbx_reads_forget(void);

/* The steps of the user's part of setup, as sbx_backend.setup_steps. */
sbx_status sbx_reads_steps(const sbx_reads_wanted *wanted, const sbx_audience *audience, const sbx_setup_step **steps,
                           uint32_t *count, sbx_error *err);

#endif
