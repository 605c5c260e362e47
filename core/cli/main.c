/*
 * sbx.exe.  Everything that is printed at the end, and the exit code, come from here.
 */
#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "win/out.h"
#include "plugin/start.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/pending.h"

int wmain(void); /* the name that -municode gives to main */

static void print_error(const sbx_error *err)
{
    char message[2048];

    sbx_error_describe(err, message, sizeof(message));
    sbx_out_error(message, err->hint);
}

static void print_diag(const sbx_diag *diag)
{
    sbx_text text = {0};

    sbx_text_add(&text, "sbx: ");
    sbx_diag_print(diag, &text);
    if (!text.failed)
        sbx_out_text(SBX_OUT_STDERR, text.data);
    sbx_text_fini(&text);
}

/* The report says as an error what was found in a file, or in an option. */
static void error_from_diag(sbx_cli *cli, sbx_error *err)
{
    const sbx_diag *diag = &cli->diag;
    char where[sizeof(diag->file) + 32];

    snprintf(where, sizeof(where), "%s", diag->file);
    if (diag->span.line)
        snprintf(where, sizeof(where), "%s%s%u:%u", diag->file, diag->file[0] ? ":" : "", (unsigned)diag->span.line,
                 (unsigned)diag->span.column);
    sbx_fail(err, diag->status, "configuration", where);
    sbx_hint(err, "%s", diag->hint);
    cli->report.message = sbx_arena_printf(&cli->arena, "%s%s%s", where, where[0] ? ": " : "", diag->message);
}

static sbx_pending report_file; /* cli->pending; the handler of a crash needs it */

/* The report's folder is opened before the command could exchange it, and what cannot be written is told while
 * nothing has happened. */
static sbx_status open_report(sbx_cli *cli, sbx_error *err)
{
    const char *dir;
    sbx_status st = sbx_cli_dir(cli, SBX_DIR_CURRENT, &dir, err);

    if (st != SBX_OK)
        return st;
    cli->report_path = sbx_path_join(&cli->arena, dir, cli->report_file);
    if (!cli->report_path)
        return sbx_fail_memory(err);
    cli->pending = &report_file;
    st = sbx_pending_open(&report_file, cli->report_path, err);
    /* the usual workspace; what else is writable is known when there is a plan */
    if (st == SBX_OK)
        st = sbx_pending_check(&report_file, cli->report_path, dir, err);
    if (st != SBX_OK && !err->hint[0])
        sbx_hint(err, "the report cannot be written there; nothing was run");
    return st;
}

static sbx_status write_report(const sbx_cli *cli, sbx_status st, const sbx_error *err, int exit_code,
                               sbx_error *problem)
{
    sbx_text text = {0};
    sbx_status written = SBX_OK;

    if (sbx_report_print(&cli->report, st, err, exit_code, &text) != SBX_OK || text.length > UINT32_MAX)
        written = sbx_fail_memory(problem);
    else
        written = sbx_pending_write(&report_file, text.data, (uint32_t)text.length, problem);
    sbx_text_fini(&text);
    return written;
}

static void on_crash(const char *backend, const char *function, uint32_t exception)
{
    char text[1024];
    size_t length;

    if (report_file.folder && (length = sbx_report_crash(backend, function, exception, text, sizeof(text))))
        sbx_pending_write(&report_file, text, (uint32_t)length, NULL);
}

static sbx_status run_verb(sbx_cli *cli, sbx_error *err)
{
    uint32_t count;

    if (cli->version)
        return sbx_verb_version(cli, err);
    if (cli->help) {
        sbx_cli_help(cli->verb_named ? cli->verb : NULL, &cli->out);
        return SBX_OK;
    }
    if (!cli->verb_named && !cli->command_w && !cli->setting_count && !cli->command_marked && !cli->report_file &&
        !cli->config_file && !cli->profile && cli->verb == sbx_cli_verbs(&count)) {
        sbx_cli_help(NULL, &cli->out); /* `sbx` alone */
        return SBX_OK;
    }
    return cli->verb->run(cli, err);
}

int wmain(void)
{
    static sbx_cli cli; /* holds the fixed-size parts of report and diagnostic */
    sbx_error err = {0}, problem = {0};
    sbx_status st, report_st;
    int exit_code;
    uint32_t i;

    sbx_start("sbx");
    sbx_start_on_crash(on_crash);
    sbx_json_init();
    cli.line_w = (const uint16_t *)GetCommandLineW();
    st = sbx_cli_parse(&cli, &err);
    if (cli.report_file && !cli.help && !cli.version) {
        report_st = open_report(&cli, st == SBX_OK ? &err : &problem);
        if (st == SBX_OK) /* what was typed wrong is told first */
            st = report_st;
    }
    if (st == SBX_OK)
        st = run_verb(&cli, &err);
    if (st == SBX_OK && cli.out.failed)
        st = sbx_fail_memory(&err);
    if (cli.out.length && !cli.out.failed && cli.json)
        sbx_out_write(SBX_OUT_STDOUT, cli.out.data, cli.out.length);
    else if (cli.out.length && !cli.out.failed)
        sbx_out_text(SBX_OUT_STDOUT, cli.out.data);
    if (st != SBX_OK && cli.diag.status == st) {
        print_diag(&cli.diag);
        error_from_diag(&cli, &err);
    } else if (st != SBX_OK) {
        print_error(&err);
    }
    exit_code = st == SBX_OK ? cli.exit_code : sbx_exit_code(st);
    if (report_file.folder && write_report(&cli, st, &err, exit_code, &problem) != SBX_OK)
        print_error(&problem); /* the command's exit code is still the answer */
    sbx_pending_close(&report_file);
    sbx_report_fini(&cli.report);
    sbx_plan_fini(&cli.plan);
    sbx_config_free(cli.config);
    sbx_text_fini(&cli.out);
    for (i = 0; i < sizeof(cli.dirs) / sizeof(cli.dirs[0]); i++)
        sbx_free(cli.dirs[i]);
    sbx_arena_fini(&cli.arena);
    return exit_code;
}
