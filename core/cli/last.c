#include "cli/last.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/area.h"
#include "base/path.h"
#include "cli/examine.h"
#include "cli/json.h"
#include "cli/told.h"
#include "win/dirs.h"
#include "win/file.h"
#include "win/out.h"

#define FILE_BYTES (1u << 20)
#define ARGUMENTS 64u /* no more are kept */
#define DENIED 0xC0000022u
#define DLL_FAILED 0xC0000142u
#define A_DAY 864000000000u /* of a FILETIME */

static const char *path_of(sbx_cli *cli)
{
    const char *dir;

    return sbx_cli_dir(cli, SBX_DIR_LOCAL_DATA, &dir, NULL) == SBX_OK
               ? sbx_arena_printf(&cli->arena, "%s\\sbx\\last", dir)
               : NULL;
}

static cJSON *load(sbx_cli *cli)
{
    const char *file = path_of(cli);
    char *data = NULL;
    size_t length;
    cJSON *root = NULL;

    if (file && sbx_file_read(file, FILE_BYTES, &data, &length, NULL) == SBX_OK)
        root = cJSON_Parse(data);
    sbx_free(data);
    return root;
}

static uint64_t now(void)
{
    FILETIME time;

    GetSystemTimeAsFileTime(&time);
    return (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

/* ---- keeping ---- */

static void add_arguments(sbx_cli *cli, cJSON *root)
{
    cJSON *list = cJSON_AddArrayToObject(root, "arguments");
    sbx_arguments arguments = {0};
    const char *shown;
    int is_next = 0;
    uint32_t i;

    if (!cli->command_w || sbx_quote_split(&cli->arena, cli->command_w, &arguments, NULL) != SBX_OK)
        return;
    for (i = 1; i < arguments.count && i <= ARGUMENTS; i++) {
        shown = sbx_secret_argument(&cli->arena, arguments.items[i], &is_next);
        cJSON_AddItemToArray(list, cJSON_CreateString(shown ? shown : ""));
    }
}

static void write_file(sbx_cli *cli, sbx_status st, const sbx_error *err, uint32_t code)
{
    const char *file = path_of(cli);
    sbx_text text = {0};
    SYSTEMTIME time;
    cJSON *root = NULL;
    char when[32];

    GetSystemTime(&time);
    snprintf(when, sizeof(when), "%04u-%02u-%02uT%02u:%02u:%02uZ", time.wYear, time.wMonth, time.wDay, time.wHour,
             time.wMinute, time.wSecond);
    if (sbx_report_print(&cli->report, st, err, (int)code, &text) == SBX_OK && text.data)
        root = cJSON_Parse(text.data);
    sbx_text_fini(&text);
    if (!root)
        return;
    cJSON_AddStringToObject(root, "when", when);
    add_arguments(cli, root);
    if (sbx_json_finish(root, &text, NULL) == SBX_OK && file)
        sbx_file_write(file, text.data, text.length, NULL); /* who misses it asks again when it fails again */
    sbx_text_fini(&text);
}

/* Whether the sandbox may have been why: by the code, or by what the backend told meanwhile. */
static int may_be_ours(const sbx_cli *cli, uint32_t code, uint32_t first)
{
    uint32_t i;

    for (i = first; i < cli->report.note_count; i++)
        if (cli->report.notes[i].kind == SBX_NOTE_WARN || cli->report.notes[i].kind == SBX_NOTE_GAP)
            return 1;
    return code == DENIED || code == DLL_FAILED;
}

void sbx_last_keep(sbx_cli *cli, sbx_status st, const sbx_error *err, uint32_t first)
{
    const uint32_t code = st == SBX_OK ? (uint32_t)cli->exit_code : (uint32_t)sbx_exit_code(st);

    if (!code || !cli->report.launched || !(cli->report.guarantees.enforced & SBX_AREA_FILE_WRITE))
        return;
    write_file(cli, st, err, code);
    if (!cli->quiet && sbx_out_is_console(SBX_OUT_STDERR) && may_be_ours(cli, code, first) &&
        sbx_told_is_due(cli, "explain", now() / A_DAY))
        sbx_out_line("the sandbox may be why this failed: `sbx explain --last` tells what the run was refused");
}

/* ---- telling ---- */

const char *sbx_last_file(sbx_cli *cli, const char *root)
{
    cJSON *last = load(cli);
    const char *workspace = sbx_examine_string(cJSON_GetObjectItemCaseSensitive(last, "policy"), "workspace");
    const char *file = last && (!root || sbx_path_is_below(workspace, root)) ? path_of(cli) : NULL;

    cJSON_Delete(last);
    return file;
}

static const char *meaning(uint32_t code)
{
    return code == DENIED       ? ": access was denied to it, or to a DLL that it needs"
           : code == DLL_FAILED ? ": a DLL could not begin, often for want of a desktop or a window station"
                                : "";
}

static int has(const cJSON *set, const char *area)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, set)
    {
        if (!strcmp(cJSON_GetStringValue(item) ? cJSON_GetStringValue(item) : "", area))
            return 1;
    }
    return 0;
}

/* "enforced  file writes, the network" */
static void print_areas(const cJSON *guarantees, const char *set, const char *head, sbx_text *out)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(guarantees, set);
    const char *between = "";
    size_t i;

    sbx_text_add(out, head);
    for (i = 0; i < SBX_AREA_COUNT; i++) {
        if (!has(list, sbx_areas[i].name))
            continue;
        sbx_text_printf(out, "%s%s", between, sbx_areas[i].words);
        between = ", ";
    }
    sbx_text_add(out, between[0] ? "\n" : "nothing\n");
}

static void print(const cJSON *last, sbx_text *out)
{
    const uint32_t code = (uint32_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(last, "exit_code"));
    const cJSON *guarantees = cJSON_GetObjectItemCaseSensitive(last, "guarantees"), *item, *list;
    const cJSON *policy = cJSON_GetObjectItemCaseSensitive(last, "policy");
    sbx_text text = {0};

    sbx_text_printf(out, "command   %s", sbx_examine_string(last, "program"));
    list = cJSON_GetObjectItemCaseSensitive(last, "arguments");
    cJSON_ArrayForEach(item, list)
    {
        sbx_text_add_char(out, ' ');
        sbx_quote_argument(out, cJSON_GetStringValue(item) ? cJSON_GetStringValue(item) : "");
    }
    sbx_text_printf(out, "\nended     %s, exit code %u (0x%08X)%s\nin        %s\nbackend   %s, network %s\n",
                    sbx_examine_string(last, "when"), (unsigned)code, (unsigned)code, meaning(code),
                    sbx_examine_string(policy, "workspace"),
                    sbx_examine_string(cJSON_GetObjectItemCaseSensitive(last, "backend"), "used"),
                    sbx_examine_string(policy, "network"));
    if (sbx_examine_string(cJSON_GetObjectItemCaseSensitive(last, "error"), "message")[0])
        sbx_text_printf(out, "error     %s\n",
                        sbx_examine_string(cJSON_GetObjectItemCaseSensitive(last, "error"), "message"));
    print_areas(guarantees, "enforced", "refused   ", out);
    print_areas(guarantees, "advisory", "advised   ", out);
    list = cJSON_GetObjectItemCaseSensitive(last, "withheld");
    cJSON_ArrayForEach(item, list)
    {
        sbx_text_printf(out, "withheld  %s; --pass passes it\n",
                        cJSON_GetStringValue(item) ? cJSON_GetStringValue(item) : "");
    }
    list = cJSON_GetObjectItemCaseSensitive(last, "notes");
    cJSON_ArrayForEach(item, list)
    {
        if (strcmp(sbx_examine_string(item, "kind"), "gap") != 0)
            continue;
        sbx_text_printf(&text, "%s: %s", sbx_examine_string(item, "object"), sbx_examine_string(item, "text"));
        sbx_text_add(out, "gap       ");
        sbx_out_wrap(out, 10, text.data ? text.data : "");
        sbx_text_fini(&text);
    }
    sbx_text_add(out, "next      sbx explain PATH --op OP, for a file that it could not open; the same command with\n"
                      "          --backend none tells whether it fails without a sandbox as well\n");
}

sbx_status sbx_last_show(sbx_cli *cli, sbx_error *err)
{
    cJSON *last = load(cli);

    if (!last)
        return sbx_fail(err, SBX_E_UNAVAILABLE, "no run of yours that failed in a sandbox is kept", "explain --last");
    if (cli->json)
        return sbx_json_finish(last, &cli->out, err);
    print(last, &cli->out);
    cJSON_Delete(last);
    return SBX_OK;
}
