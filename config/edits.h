/*
 * The environment of the command as edits to the user's own.  For the files of config/ only.
 */
#ifndef SBX_CONFIG_EDITS_H
#define SBX_CONFIG_EDITS_H

#include "config/policy.h"
#include "config/variables.h"

/* Fill policy.env and withheld of a plan. */
sbx_status sbx_plan_environment(const sbx_config *config, const sbx_scope *scope, sbx_plan *plan, sbx_diag *diag);

#endif
