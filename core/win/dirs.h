/*
 * Where things are on this machine, and who this run is.
 *
 * Asked of the system, never of the environment, which a caller may have bent.  shell32 and userenv
 * are loaded only where the registry does not answer plainly: they cost more than the launch.
 * Results are absolute UTF-8 paths with backslashes and without one at the end (but "C:\"), freed
 * with sbx_free.  Any thread.
 *
 * Source: MSDN "GetUserProfileDirectoryW", "KNOWNFOLDERID", "GetModuleFileNameW", "ProcessPrng".
 */
#ifndef SBX_WIN_DIRS_H
#define SBX_WIN_DIRS_H

#include "base/error.h"

#define SBX_DIR_CURRENT 1u      /* of this process */
#define SBX_DIR_PROFILE 2u      /* the user's profile */
#define SBX_DIR_LOCAL_DATA 3u   /* %LOCALAPPDATA% */
#define SBX_DIR_ROAMING_DATA 4u /* %APPDATA% */
#define SBX_DIR_PROGRAM_DATA 5u /* %ProgramData% */
#define SBX_DIR_WINDOWS 6u      /* %SystemRoot% */
#define SBX_DIR_SYSTEM 7u       /* %SystemRoot%\System32 */
#define SBX_DIR_PROGRAM 8u      /* of the running exe */
#define SBX_DIR_DESKTOP 9u      /* the user's */
#define SBX_DIR_DOCUMENTS 10u   /* the user's */
#define SBX_DIR_PROGRAMS 11u    /* %ProgramFiles% */

sbx_status sbx_dirs_get(uint32_t which, char **path, sbx_error *err);

/* 32 hexadecimal digits from the system's generator, and a NUL. */
sbx_status sbx_run_id(char id[33], sbx_error *err);

/* The caller's environment, "NAME=value" each, WTF-8, without the "=C:" entries.  One sbx_free for all. */
sbx_status sbx_dirs_environment(const char *const **items, uint32_t *count, sbx_error *err);

#endif
