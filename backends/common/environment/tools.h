/*
 * Presets for toolchains: where their caches go, and the settings that they need in a sandbox.
 *
 * A cache of the user is not writable for the command, and must not be: what it plants there would be run without
 * a sandbox later.  So each tool gets a cache of its own, kept for the workspace, or in TEMP when the policy has
 * no writable root.  Caches that tools can use read-only stay the user's while the network is off, because nothing can
 * be fetched into an empty one then: CARGO_HOME, GOMODCACHE, NUGET_PACKAGES.
 */
#ifndef SBX_ENVIRONMENT_TOOLS_H
#define SBX_ENVIRONMENT_TOOLS_H

#include "common/environment/edits.h"

/* Whether a preset of the policy needs a folder for caches. */
int sbx_tools_need_cache(const sbx_policy *policy);

/* cache: absolute path of the folder, or NULL; without one, variables that name a cache are left out.
 * A name that is no preset adds nothing: the configuration knows the names. */
void sbx_tools_edits(sbx_edits *edits, const sbx_policy *policy, const char *cache);

#endif
