/*
 * Where a path leads, for the rules: into a root of this run, elsewhere, or to nobody knows what.
 *
 * A place is an absolute path below the final path of a root, and may be the root itself.  Text decides where it names
 * a root; for every other spelling what is there is opened.  Another machine is never asked because a file or a link says so.
 * Source: MSDN "File path formats on Windows systems", "GetFinalPathNameByHandleW", "GetDriveTypeW".
 */
#ifndef SBX_GRANTS_PLACE_H
#define SBX_GRANTS_PLACE_H

#include "base/memory.h"
#include "common/grants/root.h"

typedef struct sbx_places {
    const sbx_root *roots;
    uint32_t count;
    sbx_arena *arena;
    sbx_error *err;
} sbx_places;

typedef struct sbx_object {
    int found, is_directory, is_link; /* a link is no directory */
    const char *leads;                /* of a link: what it names, absolute; NULL: not known */
} sbx_object;

/* The place that a path names as text, or NULL. */
const char *sbx_place_named(const sbx_places *p, const char *path);

/* The innermost root that a place is in, *rest: below it; or NULL. */
const sbx_root *sbx_place_root(const sbx_places *p, const char *place, const char **rest);

#define SBX_PLACE_IN 0u      /* *place: in a root, whether it is there or not */
#define SBX_PLACE_OUT 1u     /* *place: the final path of what is there, in no root */
#define SBX_PLACE_NOTHING 2u /* there is none, and no command can make it */
#define SBX_PLACE_UNKNOWN 3u

/* What `text`, written in something that lies in the directory `base`, leads to. */
uint32_t sbx_place_find(const sbx_places *p, const char *base, const char *text, const char **place);

/* Open what is at a place, no link followed.  *handle NULL with SBX_OK: there is nothing. */
sbx_status sbx_place_open(const sbx_places *p, const char *place, ACCESS_MASK access, void **handle, sbx_nt_info *info);

sbx_status sbx_place_look(const sbx_places *p, const char *place, sbx_object *what);

/* Called for each entry of a directory; anything but SBX_OK ends it. */
typedef sbx_status (*sbx_place_visit)(void *context, const char *place, uint32_t attributes);

/* The entries of the directory at a place; nothing where there is none. */
sbx_status sbx_place_list(const sbx_places *p, const char *place, sbx_place_visit visit, void *context);

#endif
