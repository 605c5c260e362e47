/*
 * The sandbox-write SID of a root: S-1-9-TAG-v0-..-v3-f0-..-f3, v the GUID of the volume, f the 128-bit file ID.
 *
 * Derived from the directory, not stored: nothing to corrupt, and the same directory has the same SID by whatever name it
 * is reached and after it was renamed.  Two directories never share one: nothing is hashed.  S-1-9 is the authority for
 * resource managers (winnt.h), so no account can have it.
 * Source: MSDN "FILE_ID_INFO", "GetFinalPathNameByHandleW", "Naming a Volume".
 */
#ifndef SBX_GRANTS_SID_H
#define SBX_GRANTS_SID_H

#include "base/error.h"
#include "common/grants/acl.h"

#define SBX_SID_TAG 0x53425831u            /* "SBX1" */
#define SBX_SID_TAG_GIT 0x53425847u        /* "SBXG": the same directory as part of a repository (outside.h) */
#define SBX_SID_TAG_REPOSITORY 0x53425852u /* "SBXR": as the repository around such parts */
#define SBX_SID_TAG_READ 0x53425844u       /* "SBXD": as a folder that accounts may read (reader.h) */
#define SBX_SID_TAG_ABOVE 0x53425841u      /* "SBXA": as a folder above one, that accounts may look at (ancestors.h) */
#define SBX_SID_TAG_HIDE 0x53425848u       /* "SBXH": as a file or folder that they may not read (hidden.h) */
#define SBX_SID_BYTES 44u                  /* of a sandbox SID: 9 sub-authorities */

typedef struct sbx_sid {
    uint8_t bytes[SBX_SID_BYTES]; /* a PSID */
} sbx_sid;

/* The SID of the directory that `handle` has open (any access). */
sbx_status sbx_sid_of(void *handle, const char *path, sbx_sid *sid, sbx_error *err);

/* The file ID in it. */
void sbx_sid_file(const sbx_sid *sid, uint8_t id[16]);

/* The name of its volume, "\\?\Volume{GUID}\". */
#define SBX_SID_VOLUME 50u
void sbx_sid_volume(const sbx_sid *sid, char name[SBX_SID_VOLUME]);

int sbx_sid_same_volume(const sbx_sid *a, const sbx_sid *b);

/* The SID of the same directory with another tag, or with that of `like`; whether it has one of git's. */
void sbx_sid_set_tag(sbx_sid *sid, uint32_t tag);
uint32_t sbx_sid_tag(const sbx_sid *sid);
void sbx_sid_set_tag_of(sbx_sid *sid, const sbx_sid *like);
int sbx_sid_is_git(const sbx_sid *sid);
int sbx_sid_is_read(const sbx_sid *sid); /* or one above, or hidden: nothing is written there */
int sbx_sid_is_above(const sbx_sid *sid);
int sbx_sid_is_hidden(const sbx_sid *sid);

/* A number for places that have no room for a SID; two roots may share one, though hardly ever. */
uint64_t sbx_sid_number(const sbx_sid *sid);

/* Whether a SID is that of a root, or of a run (S-1-9-"RXBS"-, token.h), or of a set (S-1-9-"SXBS"-, set.h). */
int sbx_sid_is_sandbox(const void *sid, size_t size);
int sbx_sid_is_run(const void *sid, size_t size);
int sbx_sid_is_set(const void *sid, size_t size);

#define SBX_SID_TEXT 128u
void sbx_sid_text(const sbx_sid *sid, char text[SBX_SID_TEXT]);

#endif
