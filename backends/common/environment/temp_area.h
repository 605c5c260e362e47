/* The areas of the state folder in which temp.h makes its folders, and what one in them is known by. */
#ifndef SBX_ENVIRONMENT_TEMP_AREA_H
#define SBX_ENVIRONMENT_TEMP_AREA_H

#include "base/error.h"
#include "common/environment/remove.h"

#define SBX_TEMP_AREA_TEMP 0
#define SBX_TEMP_AREA_CACHE 1
#define SBX_TEMP_AREA_HOME 2
#define SBX_TEMP_AREAS 3

#define SBX_TEMP_KEPT "-kept"    /* ends the name of a kept TEMP, so that a later clean knows */
#define SBX_TEMP_DATA "data"     /* the part of a cache that the command may write to */
#define SBX_TEMP_INNER "home"    /* the same of a home */
#define SBX_TEMP_ROOT "root.txt" /* which root a cache or a home belongs to, beside that */

/* The state folder is the user's own choice, links in it and all; the areas in it are ours and no links.  *handle NULL with
 * SBX_OK: it is not there, and `create` was not asked for. */
sbx_status sbx_temp_area_open(int area, int create, HANDLE *handle, sbx_error *err);

/* "STATE\AREA\name" and below it `inner` (may be NULL); sbx_free, NULL out of memory. */
char *sbx_temp_area_path(int area, const char *name, const char *inner);

int sbx_temp_area_is_kept(const char *name);

/* The root that a cache or a home is for; sbx_free, NULL: that is not known. */
char *sbx_temp_area_root(int area, const char *name);

/* Remove one with all that is in it, what the command closed to its owner, too.  Returns an NTSTATUS, see remove.h. */
NTSTATUS sbx_temp_area_remove(HANDLE area, const WCHAR *name_w, size_t length, sbx_remove_count *count);

#endif
