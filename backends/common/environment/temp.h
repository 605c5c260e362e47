/*
 * Folders of the sandbox below the state folder: a private TEMP for each run, kept caches for each set of roots and rules.
 *
 * Each is created with its final descriptor, so there is no moment at which it is open to others, and never
 * through a link.  The user and SYSTEM have full access; one restricting SID may change everything in it, but not
 * its descriptor, and cannot move or delete the folder itself.  Removed by remove.h.
 *
 * While a run lives it holds the folder open without FILE_SHARE_DELETE: that is how others see that it lives.
 */
#ifndef SBX_ENVIRONMENT_TEMP_H
#define SBX_ENVIRONMENT_TEMP_H

#include "base/error.h"

typedef struct sbx_temp {
    char *path;        /* the folder that the command may write to */
    char *name;        /* in its area */
    void *area, *hold; /* HANDLE */
    int keep;          /* sbx_temp_close leaves the folder */
} sbx_temp;

/* %LOCALAPPDATA%\sbx\temp\NAME for a PSID; NAME is the first 12 digits of the run's id, or all where those are taken.
 * keep: for background processes it outlives the run, where there are any (kept.h).  `temp` begins as { 0 }. */
sbx_status sbx_temp_open(sbx_temp *temp, const char *run_id, int keep, const void *sid, sbx_error *err);

/* The cache of a set of roots, made at its first use and listed with the first of them.  sid: the set's, an sbx_sid. */
sbx_status sbx_temp_open_cache(sbx_temp *temp, const char *root, const void *sid, sbx_error *err);

/* A home, likewise; for commands in accounts, whose group (PSID) is to pass the first check. */
sbx_status sbx_temp_open_home(sbx_temp *temp, const char *root, const void *sid, const void *group, sbx_error *err);

/* By which name a cache or a home of that SID goes in its area. */
#define SBX_TEMP_NAME 17u
void sbx_temp_name(const void *sid, char name[SBX_TEMP_NAME]);

/* What would be made, for a dry run: the caller frees it; NULL out of memory. */
char *sbx_temp_path(const char *run_id);

/* Give up the hold, and remove the folder unless it is kept.  What cannot be removed is logged, and is stale. */
void sbx_temp_close(sbx_temp *temp);

/* Whether the user's own TEMP, as the command gets it, lies in a writable root of the policy. */
int sbx_temp_user_is_in(const sbx_policy *policy);

/* For the state extension, see sbx_ext_state in sbx/backend.h. */
sbx_status sbx_temp_list(sbx_state_visitor visit, void *context, sbx_error *err);
sbx_status sbx_temp_clean(uint32_t what, const char *root, sbx_state_visitor visit, void *context, sbx_error *err);

#endif
