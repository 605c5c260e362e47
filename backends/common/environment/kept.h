/*
 * What a kept TEMP is kept for: the processes that were left when the run ended, in a file beside it that the command
 * cannot write.  A process is known by its number and the time of its creation, for numbers are used again.
 */
#ifndef SBX_ENVIRONMENT_KEPT_H
#define SBX_ENVIRONMENT_KEPT_H

#include "base/error.h"

#define SBX_KEPT_SUFFIX ".txt" /* of the file, behind the folder's path */

/* At the end of the run, by what the host tells: 0 when nothing is left, so that nothing needs `folder`. */
int sbx_kept_record(const char *folder);

#define SBX_KEPT_UNKNOWN 0u /* there is no record */
#define SBX_KEPT_ALIVE 1u   /* one of them is, or cannot be asked */
#define SBX_KEPT_GONE 2u    /* all have ended */
uint32_t sbx_kept_ask(const char *folder);

void sbx_kept_forget(const char *folder);

#endif
