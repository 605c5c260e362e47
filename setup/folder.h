/*
 * %ProgramData%\sbx: made so that only administrators change it and what is in it, used only if that is so.
 *
 * Everybody may make folders in %ProgramData%, so one may be there before.  It is never taken over: whoever made it may
 * hold handles to it, and to files in it, that keep their rights.
 */
#ifndef SBX_SETUP_FOLDER_H
#define SBX_SETUP_FOLDER_H

#include <windows.h>

#include "base/error.h"

/* Its name; *path is freed with sbx_free. */
sbx_status sbx_setup_folder(char **path, sbx_error *err);

/* What lies in one that is made. */
#define SBX_FOLDER_STATE 0u
#define SBX_FOLDER_PROGRAMS 1u /* AppContainers start them, too, as in the rest of %ProgramFiles% */

/* For ALL APPLICATION PACKAGES and ALL RESTRICTED APPLICATION PACKAGES, whom Users does not stand for: an AppContainer needs an entry
 * of its own (MSDN "Well-known SIDs", "AppContainer Isolation"); what a file gets, and what a folder passes on. */
#define SBX_FOLDER_PACKAGES(flags) L"(A;" flags L";0x1200a9;;;AC)(A;" flags L";0x1200a9;;;S-1-15-2-2)"

/* SBX_E_REFUSED where others can change it, with who and what to do. */
sbx_status sbx_setup_folder_make(const char *path, uint32_t what, sbx_error *err);

/* Unless there is something in it. */
void sbx_setup_folder_remove(const char *path);

/* Each entry; a status other than SBX_OK ends it. */
typedef sbx_status (*sbx_setup_folder_visit)(const char *path, const WIN32_FIND_DATAW *entry, void *context);
sbx_status sbx_setup_folder_each(const char *folder, sbx_setup_folder_visit visit, void *context);

#define SBX_FOLDER_NONE 0u
#define SBX_FOLDER_EMPTY 1u
#define SBX_FOLDER_FULL 2u
uint32_t sbx_setup_folder_look(const char *path);

#endif
