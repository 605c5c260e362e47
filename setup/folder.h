/*
 * %ProgramData%\sbx: made so that only administrators change it and what is in it, used only if that is so.
 *
 * Everybody may make folders in %ProgramData%, so one may be there before.  It is never taken over: whoever made it may
 * hold handles to it, and to files in it, that keep their rights.
 */
#ifndef SBX_SETUP_FOLDER_H
#define SBX_SETUP_FOLDER_H

#include "base/error.h"

/* Its name; *path is freed with sbx_free. */
sbx_status sbx_setup_folder(char **path, sbx_error *err);

/* SBX_E_REFUSED where others can change it, with who and what to do. */
sbx_status sbx_setup_folder_make(const char *path, sbx_error *err);

/* Unless there is something in it. */
void sbx_setup_folder_remove(const char *path);

#endif
