/*
 * The home of commands in accounts: one for each set of writable roots and rules (set.h).
 *
 *   %LOCALAPPDATA%\sbx\homes\SET\home     USERPROFILE and HOME; \AppData\Roaming, \AppData\Local; \.gitconfig
 *                                         \cache    of the presets for tools
 *
 * Opened by the set's SID, so that it is there for the next run, and closed to writing for runs of other sets; they can read it, as any
 * of these accounts may. It is the command's, links in it and all: what sbx makes in it, it makes by handle, one component at a time
 * and through no link. `.gitconfig` is made anew at each launch: what of the user's is let through (gitconfig.h), and that git trusts the
 * roots and the repositories in them, which belong to the user and not to the account.
 *
 * A run without roots has none, and uses the folder of the run.
 * Source: git-config(1), safe.directory.
 */
#ifndef SBX_ELEVATED_HOME_H
#define SBX_ELEVATED_HOME_H

#include "common/environment/temp.h"
#include "common/grants/grant.h"

typedef struct sbx_home {
    sbx_temp folder;
    char *roaming, *local, *cache; /* paths; NULL: no home */
} sbx_home;

/* `home` begins as { 0 }; closed by the caller on failure, too.  group: PSID of the accounts. */
sbx_status sbx_home_open(sbx_home *home, const sbx_grants *grants, const void *group, sbx_error *err);
void sbx_home_close(sbx_home *home);

/* For a dry run: which it would be is told. */
void sbx_home_tell(const sbx_grants *grants);

#endif
