/*
 * The folder of a run in an account: its TEMP, and until it has one of its own its home.
 *
 * In %LOCALAPPDATA%\sbx, made with its final access list: the writers' group passes the first check of the command's token, the
 * run's SID the second; the user may do everything.  What the command makes there belongs to the account, so OWNER RIGHTS
 * takes from an owner the right to change the list: of the next run in that account, too.
 *
 * Source: MSDN "Owner Rights SID", "How DACLs Control Access to an Object".
 */
#ifndef SBX_ELEVATED_FOLDER_H
#define SBX_ELEVATED_FOLDER_H

#include "base/error.h"

typedef struct sbx_elevated_folder {
    char *path; /* NULL: none */
} sbx_elevated_folder;

/* `folder` begins as { 0 }.  group_sid: "S-1-..."; run_sid: PSID. */
sbx_status sbx_elevated_folder_open(sbx_elevated_folder *folder, const char *run_id, const char *group_sid,
                                    const void *run_sid, sbx_error *err);
/* It and all in it is deleted; what cannot be is told. */
void sbx_elevated_folder_close(sbx_elevated_folder *folder);

#endif
