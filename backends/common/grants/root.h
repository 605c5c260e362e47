/*
 * A writable root: opened once, judged by what was opened, and used by handle from then on.
 *
 * Refused, each with its reason: what does not exist, is no directory or is a link; other machines; volumes without
 * persistent ACLs or read-only ones; a volume's root; the profile, Windows, the program folders and sbx's own, what they are
 * in, and (but for the profile) what is in them; a directory whose DACL the user may not change or that has none.
 * Source: MSDN "GetFinalPathNameByHandleW", "GetVolumeInformationByHandleW", "Naming Files, Paths, and Namespaces",
 * "OpenFileById".
 */
#ifndef SBX_GRANTS_ROOT_H
#define SBX_GRANTS_ROOT_H

#include "base/error.h"
#include "common/nt.h"
#include "common/grants/sid.h"

typedef struct sbx_audience sbx_audience; /* audience.h */

typedef struct sbx_root {
    void *handle;  /* listing, READ_CONTROL, WRITE_DAC */
    char *path;    /* final path, "C:\a"; sbx_free */
    char *spelled; /* as it was asked for; sbx_free */
    sbx_sid sid;
    uint32_t kind; /* what it gets: SBX_RECORD_GRANT, or of a part of a repository (outside.h) _GROW or _ENCLOSE */
    const sbx_audience *audience; /* whom it admits beside its SID; NULL: nobody */
    int is_held;                  /* nobody moves or deletes it as long as it is open */
    int may_mend;                 /* sbx_root_below gives what an older sbx left closed to everybody back to the user */
} sbx_root;

/* Nothing is changed. SBX_E_REFUSED with the reason as `op`.  `root` begins as { 0 } and is so on failure. */
sbx_status sbx_root_open(const char *path, sbx_root *root, sbx_error *err);

/* The same for undoing: wherever it is.  handle NULL with SBX_OK: there is no directory of this name. */
sbx_status sbx_root_reopen(const char *path, sbx_root *root, sbx_error *err);

/* The same, and held (sbx_root_hold); an error where a program has it open to delete or to move it. */
sbx_status sbx_root_reopen_held(const char *path, sbx_root *root, sbx_error *err);

/* The same of a directory or a file, with no more rights than it takes to look at it and to change its access rights. */
sbx_status sbx_root_reopen_any(const char *path, sbx_root *root, sbx_error *err);

/* The same with rights to read alone, so that `handle` serves for looking; what is no directory is an error. */
sbx_status sbx_root_look(const char *path, sbx_root *root, sbx_error *err);

/* The same by its SID, wherever it was moved on its volume.  handle NULL with SBX_OK: it is gone.  SBX_E_UNAVAILABLE: the
 * volume cannot be reached.  path: for messages. */
sbx_status sbx_root_find(const sbx_sid *sid, const char *path, sbx_root *root, sbx_error *err);

/* The judgement that even a root needs whose grant is complete, and which so was judged before: sbx's own folders, which
 * may be elsewhere now, and the links on its way. */
sbx_status sbx_root_judge_again(const sbx_root *root, sbx_error *err);

/* Keep it where it is as long as it is open: in the directory that it is in, the command may have the user's right to delete. */
sbx_status sbx_root_hold(sbx_root *root, sbx_error *err);

void sbx_root_close(sbx_root *root);

#define SBX_ROOT_ACCESS                                                                                                \
    (READ_CONTROL | WRITE_DAC | FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES | SYNCHRONIZE)

/*
 * Open what is at `relative` ("a\b") below the root, one component after the other, links opened as such and never
 * followed.  *handle NULL with SBX_OK: there is no such object.  A link on the way is SBX_E_REFUSED, named with a hint.
 */
sbx_status sbx_root_below(const sbx_root *root, const char *relative, ACCESS_MASK access, void **handle,
                          sbx_nt_info *info, sbx_error *err);

#endif
