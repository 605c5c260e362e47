/* What no backend makes writable: more than a token has room for, and what sbx itself runs or keeps. */
#ifndef SBX_COMMON_ROOTS_H
#define SBX_COMMON_ROOTS_H

#include "base/error.h"

/* By the names in the policy, before anything is opened; grants/root.h judges what was opened. */
sbx_status sbx_roots_check(const sbx_policy *policy, sbx_error *err);

#endif
