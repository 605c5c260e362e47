/*
 * Windows paths as text: no look at the disk, the same on every system.
 *
 * For messages, rules and comparisons.  What protects something binds to the opened object,
 * never to a spelling: 8.3 names, links and mounts are not seen here.
 * '/' and '\' both divide, except behind \\?\ where only '\' does.  Text is WTF-8 with a NUL.
 *
 * Source: "File path formats on Windows systems", "Naming Files, Paths, and Namespaces"
 * (learn.microsoft.com).  Any thread; results live in the caller's arena.
 */
#ifndef SBX_BASE_PATH_H
#define SBX_BASE_PATH_H

#include "base/memory.h"

#define SBX_PATH_EMPTY 0u
#define SBX_PATH_RELATIVE 1u       /* a\b */
#define SBX_PATH_ROOTED 2u         /* \a: on the current drive */
#define SBX_PATH_DRIVE_RELATIVE 3u /* C:a: in the current directory of that drive */
#define SBX_PATH_DRIVE 4u          /* C:\a */
#define SBX_PATH_UNC 5u            /* \\server\share\a */
#define SBX_PATH_VERBATIM 6u       /* \\?\C:\a */
#define SBX_PATH_VERBATIM_UNC 7u   /* \\?\UNC\server\share\a */
#define SBX_PATH_VOLUME 8u         /* \\?\Volume{GUID}\a */
#define SBX_PATH_GLOBALROOT 9u     /* \\?\GLOBALROOT\a, \\.\GLOBALROOT\a */
#define SBX_PATH_DEVICE 10u        /* \\.\a, \\?\a, \??\a otherwise */

uint32_t sbx_path_kind(const char *path);

/* Whether it names the same thing in every current directory: DRIVE and all kinds behind it. */
int sbx_path_is_absolute(const char *path);

/* Bytes of the part that ".." cannot leave, its separator included: "C:\", "\\server\share\",
 * "\\?\Volume{GUID}\", the prefix of "\\.\a", "C:" of a drive-relative path, "\", 0 of a relative one. */
size_t sbx_path_root_length(const char *path);

/*
 * One spelling: backslashes, the drive in upper case, no "." and "..", no repeated separator, none
 * at the end but the root's (always there) and one behind a name that ends with a dot or space, no
 * dots and spaces that Win32 drops, "\\?\C:\a" and "\\?\UNC\a\b" without their prefix where that
 * names the same file.  ".." stops at the root of an absolute path and stays at the start of a
 * relative one; a relative path of nothing is ".".  Behind another \\?\ nothing changes.  NULL: out
 * of memory.
 */
char *sbx_path_normalise(sbx_arena *arena, const char *path);

/* `path` as seen from the absolute directory `base`, normalised.  "\a" is on the drive or share
 * of base, "D:a" in base when that is on D:, else in D:\.  NULL: out of memory. */
char *sbx_path_join(sbx_arena *arena, const char *base, const char *path);

/* Whether two normalised paths are the same but for case (letters as NTFS folds them). */
int sbx_path_equal(const char *a, const char *b);

/* The part of a normalised path that lies below `root`, component by component: "" for the root itself, NULL for what is
 * not below it. */
const char *sbx_path_below(const char *path, const char *root);
int sbx_path_is_below(const char *path, const char *root);

/* Bytes before the last component, without a separator unless it is the root's; the whole
 * length for a root.  "C:\a\b" -> 4, "C:\a" -> 3, "a" -> 0. */
size_t sbx_path_parent_length(const char *path);

const char *sbx_path_name(const char *path);      /* the last component, "" for a root */
const char *sbx_path_extension(const char *path); /* its last dot and what follows, or "" */

/* Whether a file of that name is a device in every directory: CON, nul.txt, COM1, CONIN$ ... */
int sbx_path_is_reserved(const char *name, size_t length);

/* The ':' with which a stream begins in the last component ("a.txt:s", "a.txt::$DATA"), or NULL. */
const char *sbx_path_stream(const char *path);

/* Why Win32 or NTFS would not take the path as the name of a file as it stands, as a phrase for
 * "PATH: ..." ("has the reserved name \"NUL\""), or NULL.  `where` (may be NULL) gets the byte. */
const char *sbx_path_problem(const char *path, size_t *where);

#endif
