/*
 * What a person has been told: a warning of a backend is shown once for a workspace, and again when its text changes.
 *
 * Standard error belongs to who reads the command's; the report and the plan have every note always.  Kept in a small
 * file in the state folder, a line a warning: where it is lost, it is told again.
 */
#ifndef SBX_CLI_TOLD_H
#define SBX_CLI_TOLD_H

#include "cli/cli.h"

/* Show the warnings (SBX_NOTE_WARN) among the report's notes from `first` on that were not shown yet. */
void sbx_told_warnings(sbx_cli *cli, uint32_t first);

/* Those from `first` on, which tell of what has happened in this run: each time. */
void sbx_told_events(const sbx_cli *cli, uint32_t first);

/* Whether `what` was not told in this workspace with this value; now it is. */
int sbx_told_is_due(sbx_cli *cli, const char *what, uint64_t value);

/* Forget all. */
void sbx_told_clean(sbx_cli *cli);

#endif
