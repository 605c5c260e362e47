/*
 * Which file a command means, the way the child's own shell would find it, but for two things:
 *
 *   - A name without a separator is looked for in the directories of the child's PATH only, never in the
 *     current directory, and PATH entries that are not absolute are passed over: whoever can write in the
 *     workspace must not decide what `git` is.
 *   - What cannot be started by itself (scripts of an interpreter, shortcuts) is explained, not handed to
 *     whatever is registered for it.
 *
 * A name with a separator or drive is relative to the child's current directory.  PATHEXT is tried where
 * the name has no extension; otherwise the name as it stands comes first.  Aliases of packaged programs
 * (reparse points in WindowsApps) start only under the user's own full token, so they are replaced by what
 * they point at.
 *
 * Source: MSDN "CreateProcessW" (lpApplicationName), "start" and "path" of the command reference,
 * MS-FSCC 2.1.2.1 (IO_REPARSE_TAG_APPEXECLINK); CVE-2024-24576 for batch files.
 */
#ifndef SBX_WIN_RESOLVE_H
#define SBX_WIN_RESOLVE_H

#include "base/error.h"
#include "base/memory.h"

typedef struct sbx_program {
    const char *path; /* absolute, in the arena */
    int batch;        /* to be run through cmd.exe */
} sbx_program;

/* name: the first argument.  cwd: absolute.  environment_w: the child's block.
 * SBX_E_NOT_FOUND, SBX_E_NOT_RUNNABLE (both with a hint where one is certain), SBX_E_MEMORY. */
sbx_status sbx_resolve(sbx_arena *arena, const char *name, const char *cwd, const uint16_t *environment_w,
                       sbx_program *program, sbx_error *err);

#endif
