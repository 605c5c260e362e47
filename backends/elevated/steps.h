/*
 * The steps of setup for one user: groups, accounts, what they may, the secret.
 *
 * Each looks at the system itself, and holds it against the record (machine.h); whatever has a name of ours and another SID is refused and
 * left alone.  Before a principal is made the record says so ("pending"), so that one that a crash left is known as ours.
 * Accounts are disabled until their passwords are set; the last step says that all is there, and is the first to be undone.
 */
#ifndef SBX_ELEVATED_STEPS_H
#define SBX_ELEVATED_STEPS_H

#include "base/error.h"

sbx_status sbx_elevated_steps(const sbx_setup_options *options, const sbx_setup_step **steps, uint32_t *count,
                              sbx_error *err);

#endif
