/*
 * The small files with which git names another directory: `.git`, commondir, gitdir, and core.worktree.
 *
 * git takes all behind "gitdir: " but line ends at the very end, so a second blank belongs to the name; other programs
 * take the first line without the blanks around it, and git for other systems names the drives in its own way.  All readings
 * count where they differ.
 * Source: git-scm.com "gitrepository-layout", "git-worktree", "git-config"; git's setup.c (read_gitfile_gently,
 * get_common_dir_noenv) and libgit2's repository.c (read_gitfile); "Configure advanced settings in WSL" (/mnt/c), Cygwin's
 * "Mapping path names" (/cygdrive/c), MSYS2's "Filesystem Paths" (/c).
 */
#ifndef SBX_GRANTS_GITFILE_H
#define SBX_GRANTS_GITFILE_H

#include "common/grants/place.h"

#define SBX_GITFILE_READINGS 4u

typedef struct sbx_gitfile {
    const char *says[SBX_GITFILE_READINGS];
    uint32_t count;
} sbx_gitfile;

/* What the file at a place says behind `prefix` ("gitdir:" or ""); count 0: it is not there, or says nothing.
 * SBX_E_REFUSED: it is too long to be looked at. */
sbx_status sbx_gitfile_read(const sbx_places *p, const char *place, const char *prefix, sbx_gitfile *file);

#define SBX_GITFILE_NAMES_NONE 0u
#define SBX_GITFILE_NAMES_IT 1u
#define SBX_GITFILE_NAMES_ANOTHER 2u

/* Which `.git` file (gitdir), or folder that one is in (core.worktree), the directory of a linked worktree or a submodule
 * names: this file, by its ID? */
sbx_status sbx_gitfile_names_back(const sbx_places *p, const char *git, const char *file, uint32_t *names);

#endif
