#include "cli/cli.h"
#include "cli/json.h"
#include "win/out.h"
#include "cli/select.h"
#include "launch/launch.h"

/* What the backend has said so far, for the plan.  0: none has come. */
static int backing_of(sbx_cli *cli, sbx_plan_backing *backing)
{
    const sbx_report *report = &cli->report;
    const char **gaps = sbx_arena_alloc(&cli->arena, (report->note_count + 1) * sizeof(*gaps));
    uint32_t i;

    backing->guarantees = report->guarantees;
    backing->gaps = gaps;
    for (i = 0; gaps && i < report->note_count; i++)
        if (report->notes[i].kind == SBX_NOTE_GAP || report->notes[i].kind == SBX_NOTE_WARN)
            gaps[backing->gap_count++] = report->notes[i].object;
    return report->backend_used[0] != 0;
}

static sbx_status print_text(sbx_cli *cli, sbx_error *err)
{
    const sbx_report *report = &cli->report;
    sbx_plan_backing backing = {0};
    const int known = backing_of(cli, &backing);
    sbx_text note = {0};
    uint32_t i;

    if (cli->command)
        sbx_text_printf(&cli->out, "command       %s\n", cli->command);
    if (report->result.program[0])
        sbx_text_printf(&cli->out, "program       %s\n", report->result.program);
    if (!backing.gaps || sbx_plan_print(&cli->plan, known ? &backing : NULL, 0, &cli->out) != SBX_OK)
        return sbx_fail_memory(err);
    if (!known)
        return SBX_OK;
    sbx_text_printf(&cli->out, "\nBackend that would run: %s %s\n  enforced: ", report->backend_used,
                    report->backend_version);
    sbx_areas_print_names(report->guarantees.enforced, &cli->out);
    sbx_text_add(&cli->out, "\n  advisory: ");
    sbx_areas_print_names(report->guarantees.advisory, &cli->out);
    sbx_text_add(&cli->out, "\n");
    for (i = 0; i < report->note_count; i++) {
        sbx_text_printf(&note, "%s%s%s", report->notes[i].object, report->notes[i].object[0] ? ": " : "",
                        report->notes[i].text);
        sbx_text_add(&cli->out, "  - ");
        sbx_out_wrap(&cli->out, 4, note.failed ? "" : note.data);
        cli->out.failed |= note.failed;
        sbx_text_fini(&note);
    }
    return SBX_OK;
}

/* The plan's object with what the backend said, if one came so far, behind it, and what a run would fail with. */
static sbx_status print_json(sbx_cli *cli, const sbx_error *why, sbx_error *err)
{
    const sbx_report *report = &cli->report;
    const char *names[SBX_PLAN_LINES];
    sbx_plan_backing backing = {0};
    const int known = backing_of(cli, &backing);
    sbx_text text = {0};
    cJSON *root, *list, *item;
    uint32_t i, count;
    sbx_status st = sbx_plan_print(&cli->plan, NULL, 1, &text);

    root = st == SBX_OK && !text.failed ? cJSON_Parse(text.data) : NULL;
    sbx_text_fini(&text);
    if (!root || !backing.gaps) {
        cJSON_Delete(root);
        return sbx_fail_memory(err);
    }
    sbx_json_add_text(root, "command", cli->command);
    sbx_json_add_text(root, "program", report->result.program);
    if (why)
        sbx_json_add_error(root, "error", why);
    else
        cJSON_AddNullToObject(root, "error");
    if (!known) {
        cJSON_AddNullToObject(root, "backend_used");
        return sbx_json_finish(root, &cli->out, err);
    }
    item = cJSON_AddObjectToObject(root, "backend_used");
    cJSON_AddStringToObject(item, "name", report->backend_used);
    cJSON_AddStringToObject(item, "version", report->backend_version);
    sbx_json_add_text(item, "fallback_reason", report->fallback.data);
    sbx_json_add_guarantees(item, "guarantees", &report->guarantees);
    list = cJSON_AddArrayToObject(item, "not_done");
    count = sbx_plan_not_done(&cli->plan, &backing, names);
    for (i = 0; i < count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(names[i]));
    list = cJSON_AddArrayToObject(item, "notes");
    for (i = 0; i < report->note_count; i++) {
        item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "kind", sbx_report_note_kind(report->notes[i].kind));
        cJSON_AddStringToObject(item, "object", report->notes[i].object);
        cJSON_AddStringToObject(item, "text", report->notes[i].text);
        cJSON_AddItemToArray(list, item);
    }
    return sbx_json_finish(root, &cli->out, err);
}

static sbx_status resolve(sbx_cli *cli, const sbx_choice *choice, sbx_error *err)
{
    sbx_launch_request request = {0};

    request.policy = &cli->plan.policy;
    request.backend = choice->backend;
    request.session = choice->session;
    request.command_w = cli->command_w;
    return sbx_launch_resolve(&request, &cli->report.result, err);
}

sbx_status sbx_verb_plan(sbx_cli *cli, sbx_error *err)
{
    sbx_choice choice = {0};
    sbx_error unprinted;
    sbx_status st = sbx_cli_plan(cli, err), printed;

    if (st != SBX_OK)
        return st;
    st = sbx_choice_open(cli, SBX_OPEN_DRY_RUN, &choice, err);
    if (st == SBX_OK)
        st = sbx_choice_tell_environment(cli, &choice, err);
    if (st == SBX_OK)
        st = resolve(cli, &choice, err);
    sbx_choice_close(&choice);
    /* what a run would fail with is an answer, too: the plan stands above it */
    printed = cli->json ? print_json(cli, st == SBX_OK ? NULL : err, &unprinted) : print_text(cli, &unprinted);
    if (printed == SBX_OK)
        return st;
    *err = unprinted;
    return printed;
}
