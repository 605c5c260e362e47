/*
 * The folder of a run in an account: its TEMP, and in it what it has for a home.
 *
 *   %LOCALAPPDATA%\sbx\elevated-ACCOUNT     the account may list it
 *                                  \RUN     TEMP, and whatever the command makes there
 *                                     \home \AppData\Roaming, \AppData\Local; where no home is kept (home.h)
 *
 * Made with its final access list: one SID passes the first check of the command's token, another the second; the user may do
 * everything.  What the command makes there belongs to the account, so OWNER RIGHTS takes from an owner the right to
 * change the list: of the next run in that account, too.
 *
 * A command can also make what only its account can open (Python's temporary folders are such).  So the account deletes, in
 * sbx-runner.exe when the command and all that it started are gone; what is left then, sbx.exe.  What a killed run left goes with
 * the next one in that account.
 *
 * Source: MSDN "Owner Rights SID", "How DACLs Control Access to an Object".
 */
#ifndef SBX_ELEVATED_FOLDER_H
#define SBX_ELEVATED_FOLDER_H

#include "base/error.h"

typedef struct sbx_elevated_folder {
    char *area, *path;            /* NULL: none; path: TEMP */
    char *home, *roaming, *local; /* NULL: it is not */
} sbx_elevated_folder;

typedef struct sbx_elevated_folder_who {
    const char *account;     /* its name, for that of the folder */
    const char *account_sid; /* "S-1-..." each: */
    const char *first_sid;   /* passes the first check */
    const void *second_sid;  /* PSID: the second */
    const char *run_id;
    int is_home; /* it is the home as well */
} sbx_elevated_folder_who;

/* `folder` begins as { 0 }; closed by the caller on failure, too. */
sbx_status sbx_elevated_folder_open(sbx_elevated_folder *folder, const sbx_elevated_folder_who *who, sbx_error *err);
/* It and all in it is deleted; what cannot be is told.  1: the account had done its part before. */
int sbx_elevated_folder_close(sbx_elevated_folder *folder);

/* As the account: delete all that lies beside TEMP, and TEMP itself where too is set.  What cannot be is left to sbx.exe. */
void sbx_elevated_folder_clear(const char *temp, int too);

#endif
