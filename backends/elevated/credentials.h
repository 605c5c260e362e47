/*
 * Where programs keep credentials of the user: what no grant for commands may hold, or lie in.
 *
 * Accounts read nothing of the profile that was not opened to them, so nothing has to be denied there: it has to stay closed.  A path
 * is judged where it is (final path, long names); what a hard link in an open folder leads to has several names, and is left
 * closed by every walk (links.h).
 */
#ifndef SBX_ELEVATED_CREDENTIALS_H
#define SBX_ELEVATED_CREDENTIALS_H

#include "base/error.h"
#include "base/memory.h"

typedef struct sbx_credentials {
    sbx_arena arena;
    const char *profile, *roaming, *local; /* where these are */
} sbx_credentials;

/* `credentials` begins as { 0 }. */
sbx_status sbx_credentials_find(sbx_credentials *credentials, sbx_error *err);
void sbx_credentials_fini(sbx_credentials *credentials);

/* A place that the folder holds or lies in, in the arena; NULL: none. */
const char *sbx_credentials_at(sbx_credentials *credentials, const char *folder);

/* Each of them, NULL behind the last. */
const char *sbx_credentials_place(sbx_credentials *credentials, size_t i);

#endif
