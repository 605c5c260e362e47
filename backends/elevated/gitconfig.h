/*
 * git's settings of the user, as far as commands may have them.
 *
 * A list of what is let through, for any other key may name a program of the user's, a file that is closed, or a credential:
 * user.*, core.autocrlf, .eol, .longpaths, .editor, init.*, alias.* without '!', diff.*, merge.*, pull.*, push.* but for
 * what starts programs.  Sections with a second name are left out.  Portable; the text is untrusted.
 * Source: git-config(1), "Syntax".
 */
#ifndef SBX_ELEVATED_GITCONFIG_H
#define SBX_ELEVATED_GITCONFIG_H

#include "base/text.h"

/* What is let through goes to `out`; left: the names of the others, ", " between them. */
void sbx_gitconfig_filter(const char *text, size_t length, sbx_text *out, sbx_text *left);

/* A setting "directory" of the section "safe" for a path. */
void sbx_gitconfig_safe(sbx_text *out, const char *path);

#endif
