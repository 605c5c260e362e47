#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/last.h"
#include "win/out.h"
#include "cli/select.h"
#include "cli/told.h"
#include "config/value.h"
#include "launch/launch.h"
#include "launch/restart.h"
#include "win/clock.h"
#include "win/console.h"
#include "win/pending.h"

/* Verbs that are planned: a program of such a name is started with "--". */
static int is_reserved(const char *word)
{
    static const char *const words[] = {"serve"};
    size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strcmp(words[i], word))
            return 1;
    return 0;
}

static sbx_status check_command(const sbx_cli *cli, sbx_error *err)
{
    uint32_t i;

    for (i = 0; !cli->command_w && i < cli->setting_count; i++)
        if (strchr(cli->settings[i].value, '"'))
            return sbx_cli_fail_quote(cli->settings[i].flag, cli->settings[i].value, err);
    if (!cli->command_w) {
        sbx_fail(err, SBX_E_USAGE, "no command", NULL);
        return sbx_hint(err, "sbx [OPTIONS] -- COMMAND; see `sbx help run`");
    }
    if (!cli->verb_named && !cli->command_marked && is_reserved(cli->command)) {
        sbx_fail(err, SBX_E_USAGE, "unknown verb", cli->command);
        return sbx_hint(err, "`sbx help` lists the verbs; a program of that name: sbx -- %s", cli->command);
    }
    return SBX_OK;
}

/* A link in a writable root may be the work of an earlier command; sbx, which nothing confines, does not follow it. */
static sbx_status check_report(sbx_cli *cli, sbx_error *err)
{
    const sbx_policy *policy = &cli->plan.policy;
    sbx_status st = SBX_OK;
    uint32_t i;

    for (i = 0; cli->report_path && i < policy->writable_count && st == SBX_OK; i++)
        st = sbx_pending_check(cli->pending, cli->report_path, policy->writable[i], err);
    return st;
}

static void say_withheld(const sbx_cli *cli)
{
    sbx_text line = {0};
    uint32_t i;

    if (cli->quiet || cli->verbosity < 1 || !cli->plan.withheld_count)
        return;
    sbx_text_add(&line, "withheld: ");
    for (i = 0; i < cli->plan.withheld_count; i++)
        sbx_text_printf(&line, "%s%s", i ? ", " : "", cli->plan.withheld[i]);
    sbx_text_add(&line, ": they look like secrets; --pass NAME passes one");
    if (!line.failed)
        sbx_out_line(line.data);
    sbx_text_fini(&line);
}

/* "after 10m (--time)": a person looks for the line to change. */
static void say_limit(const sbx_cli *cli, const char *what, const char *key, uint32_t type)
{
    const char *origin = "";
    char number[SBX_VALUE_TEXT], line[800];

    sbx_config_string(cli->config, key, &origin);
    sbx_value_text(type, sbx_config_integer(cli->config, key), number);
    snprintf(line, sizeof(line), "%s %s (%s, %s)", what, number, key, origin);
    sbx_out_line(line);
}

/* Why the command is gone, when it was not by its own will; the exit code alone does not tell. */
static void say_end(const sbx_cli *cli)
{
    const uint32_t end = cli->report.result.end;

    if (cli->quiet)
        return;
    if (end == SBX_END_TIME)
        say_limit(cli, "the time limit ended the command after", "limits.time", SBX_KEY_DURATION);
    else if (end == SBX_END_MEMORY)
        say_limit(cli, "the command reached the memory limit of", "limits.memory", SBX_KEY_SIZE);
    else if (end == SBX_END_PROCESSES)
        say_limit(cli, "the command reached the limit of processes,", "limits.processes", SBX_KEY_COUNT);
    else if (end == SBX_END_INTERRUPTED)
        sbx_out_line("interrupted: the command did not end by itself and was ended, with all that it started");
}

/* What the backend guarantees and the launch could not read back is a gap of this run. */
static void tell_unverified(sbx_cli *cli)
{
    sbx_report *report = &cli->report;
    sbx_text areas = {0};

    if (!(report->guarantees.enforced & report->result.unverified))
        return;
    sbx_areas_print(report->guarantees.enforced & report->result.unverified, &areas);
    report->guarantees.enforced &= ~report->result.unverified;
    sbx_cli_note(cli, SBX_NOTE_GAP, areas.data ? areas.data : "",
                 "not verified: this system does not tell whether the job holds it");
    sbx_text_fini(&areas);
}

/* Setup and sbx may be of different installations: that they speak the same protocol is enough. */
static void tell_runner(sbx_cli *cli)
{
    const char *version = cli->report.result.runner_version;
    char text[96];

    if (!version[0] || !strcmp(version, SBX_VERSION))
        return;
    snprintf(text, sizeof(text), "of version %s, as setup installed it; this sbx is " SBX_VERSION, version);
    sbx_cli_note(cli, SBX_NOTE_MEASURE, "sbx-runner", text);
}

static void on_note(void *context, uint32_t kind, const char *object, const char *text)
{
    sbx_cli_note(context, kind, object, text);
}

static sbx_status launch(sbx_cli *cli, sbx_choice *choice, sbx_error *err)
{
    sbx_launch_request request = {0};
    sbx_status st;

    request.policy = &cli->plan.policy;
    request.backend = choice->backend;
    request.session = choice->session;
    request.command_w = cli->command_w;
    request.console_grace_ms = cli->plan.console_grace_ms;
    request.note = on_note;
    request.note_context = cli;
    cli->report.launched = 1;
    st = sbx_launch_run(&request, &cli->report.result, err);
    cli->exit_code = (int)cli->report.result.exit_code;
    tell_unverified(cli);
    tell_runner(cli);
    if (st == SBX_OK)
        say_end(cli);
    if (st == SBX_E_NOT_FOUND && !cli->verb_named && !cli->command_marked)
        sbx_cli_unknown_verb(cli->command, err);
    return st;
}

/* A restricted command can inherit a console, but not make one.  *done: another sbx has done all there is to do. */
static sbx_status get_console(sbx_cli *cli, int *done, sbx_error *err)
{
    uint32_t code = 0;
    int confines = 0;
    sbx_status st = SBX_OK;

    if (sbx_console_exists() || (st = sbx_choice_confines(cli, &confines, err)) != SBX_OK || !confines)
        return st;
    st = sbx_restart_with_console(&code, err);
    if (st != SBX_OK)
        return st;
    *done = 1;
    cli->exit_code = (int)code;
    if (cli->pending)
        sbx_pending_close(cli->pending); /* the report is written */
    return SBX_OK;
}

sbx_status sbx_verb_run(sbx_cli *cli, sbx_error *err)
{
    const uint64_t begin = sbx_clock_us();
    sbx_choice choice = {0};
    sbx_status st = check_command(cli, err);
    uint32_t i;
    int done = 0;

    cli->report.command = cli->command;
    if (st == SBX_OK)
        st = sbx_cli_plan(cli, err);
    if (st == SBX_OK)
        st = check_report(cli, err);
    if (st == SBX_OK)
        st = get_console(cli, &done, err);
    if (done)
        return st;
    for (i = 0; st == SBX_OK && !cli->quiet && i < cli->plan.warning_count; i++)
        sbx_out_line(cli->plan.warnings[i]);
    if (st == SBX_OK)
        say_withheld(cli);
    if (st == SBX_OK) {
        const uint64_t open_us = sbx_clock_us();

        st = sbx_choice_open(cli, 0, &choice, err);
        cli->report.open_us = sbx_clock_us() - open_us;
    }
    if (st == SBX_OK)
        st = sbx_choice_tell_environment(cli, &choice, err);
    if (st == SBX_OK)
        sbx_told_warnings(cli, 0);
    i = cli->report.note_count;
    if (st == SBX_OK)
        st = launch(cli, &choice, err);
    sbx_choice_close(&choice);
    sbx_told_events(cli, i);
    cli->report.total_us = sbx_clock_us() - begin;
    sbx_last_keep(cli, st, err, i);
    return st;
}
