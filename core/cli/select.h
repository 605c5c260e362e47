/* The backend of a run: the one that was asked for, or the configured fallback, said aloud. */
#ifndef SBX_CLI_SELECT_H
#define SBX_CLI_SELECT_H

#include "cli/cli.h"
#include "plugin/plugin.h"

typedef struct sbx_choice {
    sbx_plugin *plugin;
    const sbx_backend *backend;
    sbx_session *session;
} sbx_choice;

/* The loader, with log lines to stderr and notes to cli->report. */
sbx_status sbx_cli_plugins(sbx_cli *cli, sbx_error *err);

/* For the report and, with -v, stderr; kind: SBX_NOTE_*.  Any thread. */
void sbx_cli_note(sbx_cli *cli, uint32_t kind, const char *object, const char *text);

/* Load, probe and open for cli->plan; flags: SBX_OPEN_*.  Only a backend that is not available here gives way to
 * the fallback: one that is broken or refuses does not.  `choice` begins as { NULL } and is empty on failure. */
sbx_status sbx_choice_open(sbx_cli *cli, uint32_t flags, sbx_choice *choice, sbx_error *err);

/* What the backend claims, and whether it would run here: SBX_E_UNAVAILABLE where it is not set up or cannot work.
 * `claims` begins as { 0 } and stays so where there is none of that name. */
sbx_status sbx_choice_probe(const char *name, sbx_guarantees *claims, sbx_error *err);

/* Will a backend run for cli->plan that restricts the command's token?  Asks their probes, opens nothing. */
sbx_status sbx_choice_confines(sbx_cli *cli, int *confines, sbx_error *err);

/* Notes on what the backend does to the environment, by name, and a line on stderr for each variable of --env or the
 * configuration that it replaces.  A run without any of these, -v or a report does not ask the backend. */
sbx_status sbx_choice_tell_environment(sbx_cli *cli, const sbx_choice *choice, sbx_error *err);

void sbx_choice_close(sbx_choice *choice);

#endif
