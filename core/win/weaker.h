/*
 * Does a program reach the network that makes itself another token?
 *
 * Whatever a program runs as, it can make weaker tokens of its own and start programs with them: its own SID for deny only,
 * restricted to SIDs that everybody has, both, in an AppContainer, in one that is not
 * in "all packages"; and a thread can be anonymous.  A filter that knows
 * somebody by his SID may not know him then.  Each is tried by a process of this program: GetModuleFileName --connect.
 *
 * Source: MSDN "CreateRestrictedToken", "CreateProcessAsUserW" (a restricted version of the caller's own token),
 * "ImpersonateAnonymousToken", "AppContainer Isolation",
 * "UpdateProcThreadAttribute"; NtCreateLowBoxToken: phnt.  Any thread.
 */
#ifndef SBX_WIN_WEAKER_H
#define SBX_WIN_WEAKER_H

#include "win/reach.h"

#define SBX_WEAKER_ANONYMOUS "an anonymous thread"

/* Called for each; verdicts 0: it could not be tried (there is no such token here, or its process does not run). */
typedef void (*sbx_weaker_told)(void *context, const char *name, uint32_t verdicts);

/* `self` among them: the token as it is.  how->token and ->anonymous do not count. */
void sbx_weaker_try(const sbx_reach *how, sbx_weaker_told told, void *context);

/*
 * --connect PORT LISTEN MS is such a process: *exit_code has the verdicts.  --weaker PORT LISTEN MS tries all, and writes a line
 * for each to its standard output: the verdicts in eight hexadecimal digits, a blank, the name.  0: these are not its arguments.
 */
int sbx_weaker_main(uint32_t count, const char *const *arguments, int *exit_code);

#endif
