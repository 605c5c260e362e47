/*
 * The last run of this user that failed in a sandbox: for `sbx explain --last`.
 *
 * A file in the state folder, %LOCALAPPDATA%\sbx\last: the report of that run (report.h), when it was, and its arguments, of which those
 * that look like secrets are withheld; nothing of its environment but the names of variables that were.  `status` lists it, and it goes with
 * `clean --all` or the workspace of the run.  last.schema.json describes it.
 */
#ifndef SBX_CLI_LAST_H
#define SBX_CLI_LAST_H

#include "cli/cli.h"

/* The run is over, and its report filled.  first: the notes from there on came while it ran.  Kept where it failed in a sandbox; and a line
 * that points here, at a console, at most once a day and workspace, where the sandbox may have been the cause. */
void sbx_last_keep(sbx_cli *cli, sbx_status st, const sbx_error *err, uint32_t first);

/* `sbx explain --last`. */
sbx_status sbx_last_show(sbx_cli *cli, sbx_error *err);

/* Its file, where there is one of a run in `root` (NULL: anywhere); in the arena of `cli`. */
const char *sbx_last_file(sbx_cli *cli, const char *root);

#endif
