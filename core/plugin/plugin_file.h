/* What is known of a backend's file before any of its code runs. */
#ifndef SBX_PLUGIN_FILE_H
#define SBX_PLUGIN_FILE_H

#include "base/error.h"

/* Opens a folder or file that must be no link and that nobody else can change (trust.h; `trust` is
 * SBX_TRUST_*).  While *handle is open nobody renames or replaces it.  One that is not there is
 * SBX_E_UNAVAILABLE. */
sbx_status sbx_plugin_file_open(const char *path, int folder, uint32_t trust, void **handle, sbx_error *err);

/* A DLL in the format of this process?  SBX_E_BACKEND says which one it is for. */
sbx_status sbx_plugin_file_check(void *handle, const char *path, sbx_error *err);

#endif
