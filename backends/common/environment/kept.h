/* What a kept TEMP is kept for: the processes that were left when the run ended (children.h), in a file beside it. */
#ifndef SBX_ENVIRONMENT_KEPT_H
#define SBX_ENVIRONMENT_KEPT_H

#include "common/children.h"

#define SBX_KEPT_SUFFIX ".txt" /* of the file, behind the folder's path */

/* The functions of children.h, by the folder.  Without a record it stays until it is cleaned by name. */
uint32_t sbx_kept_record(const char *folder);
uint32_t sbx_kept_ask(const char *folder);
void sbx_kept_forget(const char *folder);

#endif
