/* Trees of files for the tests of grants, and what is known of them from outside. */
#ifndef SBX_TESTS_TREE_H
#define SBX_TESTS_TREE_H

#include <stdint.h>

#include "common/grants/grant.h"

/* The host of the tests, and a fresh folder below the user's profile.  0: this system keeps no access rights. */
int tree_begin(void);
void tree_end(void);

/* "folder\name", valid until the test ends. */
const char *tree_path(const char *name);

void tree_dir(const char *name);
void tree_file(const char *name, const char *text);
void tree_remove(const char *name);

/* A new name, or an empty directory, as a junction to `target`, also below the folder; 0 or the Win32 error.  With
 * tree_symlinks a new name becomes a symbolic link, which takes developer mode or an administrator. */
uint32_t tree_link(const char *name, const char *target);
uint32_t tree_file_link(const char *name, const char *target); /* a symbolic link to a file */
extern int tree_symlinks;
int tree_may_symlink(void);
int tree_is_link(const char *name);

/* Number of ACEs that a file has for the first root of `grants`. */
uint32_t tree_aces(const char *name, const sbx_grants *grants);
uint32_t tree_aces_of(const char *name, const void *sid);

/* The descriptors of everything below, in order; sbx_free. */
char *tree_snapshot(const char *name);

/* Work as the sandboxed command would: a write-restricted token with these SIDs. */
void tree_enter(const sbx_grants *grants);
void tree_leave(void);

/* Acts, 0 or the Win32 error. */
uint32_t act_write(const char *name);
uint32_t act_create(const char *name);
uint32_t act_mkdir(const char *name);
uint32_t act_delete(const char *name);
uint32_t act_rmdir(const char *name);
uint32_t act_rename(const char *from, const char *to);
uint32_t act_open(const char *name, uint32_t access);
int tree_exists(const char *name);

/* Set a DACL given as SDDL, none for NULL. */
void tree_set(const char *name, const char *sddl);

/* Remove the state folder, as if sbx had never run. */
void tree_forget_state(void);

/* Add an ACE that lets everyone write in the directory. */
void tree_open_to_everyone(const char *path);

extern uint32_t tree_grant_notes, tree_gap_notes, tree_warnings;
extern char tree_warning[1024]; /* the text of the last one that was a note */

#endif
