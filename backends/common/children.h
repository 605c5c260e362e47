/*
 * The processes that outlive a run, in a file that the command cannot write: what is kept for them is kept while one lives.
 *
 * A process is known by its number and the time of its creation, for numbers are used again.  One that nobody here may open
 * is looked up in the system's own list, which tells the time of each.
 * Source: MSDN "OpenProcess", "GetProcessTimes", "NtQuerySystemInformation"; [MS-TSTS] 2.2.2.15.1 (the layout).
 */
#ifndef SBX_COMMON_CHILDREN_H
#define SBX_COMMON_CHILDREN_H

#include "base/error.h"

#define SBX_CHILDREN_UNKNOWN 0u /* there is no record */
#define SBX_CHILDREN_ALIVE 1u   /* one of them is, or nobody can tell */
#define SBX_CHILDREN_GONE 2u    /* all have ended */

/* At the end of the run, by what the host tells.  GONE: nothing is left, and nothing is written. */
uint32_t sbx_children_record(const char *file);

/* process_id may be NULL: of the first that lives, 0 where that is not known. */
uint32_t sbx_children_ask(const char *file, uint32_t *process_id);

void sbx_children_forget(const char *file);

#endif
