/*
 * What runs later: things in a workspace that a program of the user starts, or follows, without being asked.
 *
 * Nothing of it is closed to the command, whose work may be just that; what it leaves is told when it ends.  Looked
 * at: the root itself, with the protected names that were missing, `.vscode`, and of a repository that is open to the command, or
 * its own, the hooks and the settings that name programs;
 * of one that is open to commits links in its refs and logs, and among its objects.  Of a folder with more than 4,096 entries
 * those that go by their name are found all the same, of others (shortcuts, links) that they may be there is told.
 */
#ifndef SBX_GRANTS_LATER_H
#define SBX_GRANTS_LATER_H

#include "base/text.h"
#include "common/grants/rules.h"

/* What there is of it now, a line each; `found` begins as { 0 }.  with_git: the command may write to `.git`.  rules: of the
 * root. */
void sbx_later_look(const sbx_root *root, const sbx_rule *rules, int with_git, sbx_text *found);

/* Warn of what is there now and was not, or not so, before. */
void sbx_later_tell(const sbx_root *root, const sbx_rule *rules, int with_git, const sbx_text *before);

#endif
