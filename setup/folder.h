/* %ProgramData%\sbx: made so that only administrators change it, used only if that is so. */
#ifndef SBX_SETUP_FOLDER_H
#define SBX_SETUP_FOLDER_H

#include "base/error.h"

/* *path is freed with sbx_free.  make = 0: only its name. */
sbx_status sbx_setup_folder(int make, char **path, sbx_error *err);

#endif
