/*
 * Logon sessions of this machine, which each run makes one of.
 *
 * On some builds of Windows a token with restricting SIDs keeps its session for ever, so their number grows with the runs until the machine is
 * restarted.  Nothing can be done about it from here but to say so, once a day; what counts them, and its library, are not for each launch.
 *
 * Source: MSDN "LsaEnumerateLogonSessions"; public issues of launchers that make such tokens.
 */
#ifndef SBX_ELEVATED_SESSIONS_H
#define SBX_ELEVATED_SESSIONS_H

#include "base/error.h"

#define SBX_SESSIONS_MANY 500u

uint32_t sbx_sessions_count(void); /* 0: the system does not tell */
/* Counts them, unless that was done in the last 24 hours; a warning where there are more. */
void sbx_sessions_tell(uint32_t most);

#endif
