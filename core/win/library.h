/*
 * Libraries of the system that a program loads when it needs them, not at its start.
 *
 * Source: MSDN "LoadLibraryExW" (LOAD_LIBRARY_SEARCH_SYSTEM32), "GetProcAddress".  Any thread.
 */
#ifndef SBX_WIN_LIBRARY_H
#define SBX_WIN_LIBRARY_H

#include <stdint.h>

#include "base/error.h"

/* table: room for so many function pointers, in the order of their names.  *library: for FreeLibrary, also where this fails
 * with SBX_E_UNAVAILABLE; NULL: there is none. */
sbx_status sbx_library_load(const char *file, const char *const *names, uint32_t count, void *table, void **library,
                            sbx_error *err);

#endif
