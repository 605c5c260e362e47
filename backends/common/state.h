/*
 * The folder for the state of this user, %LOCALAPPDATA%\sbx, as the host names it.
 */
#ifndef SBX_COMMON_STATE_H
#define SBX_COMMON_STATE_H

#include "base/error.h"

/* "state_dir\name", sbx_free; NULL: out of memory or no host. */
char *sbx_state_path(const char *name);

/* Make the folder, and `runs` in it. */
sbx_status sbx_state_make(sbx_error *err);

/* UTF-16 of a path in it. */
sbx_status sbx_state_wide(const char *path, uint16_t **path_w, sbx_error *err);

#endif
