#include "cli/report.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/json.h"

const char *sbx_report_note_kind(uint32_t kind)
{
    static const char *const names[] = {"note", "gap", "grant", "withheld", "measure", "gap"};

    return names[kind <= SBX_NOTE_WARN ? kind : 0];
}

void sbx_report_note_add(sbx_report *report, uint32_t kind, const char *object, const char *text)
{
    sbx_report_note *note, *notes;
    uint32_t size;

    if (report->note_count == report->note_size) {
        size = report->note_size ? report->note_size * 2 : 16;
        notes = sbx_realloc(report->notes, size * sizeof(*notes));
        if (!notes) {
            report->lost_notes++;
            return;
        }
        report->notes = notes;
        report->note_size = size;
    }
    note = &report->notes[report->note_count];
    note->kind = kind;
    note->object = sbx_strdup(object);
    note->text = sbx_strdup(text);
    if (!note->object || !note->text) {
        sbx_free(note->object);
        sbx_free(note->text);
        report->lost_notes++;
        return;
    }
    report->note_count++;
}

static const char *end_name(uint32_t end)
{
    switch (end) {
    case SBX_END_EXITED:
        return "exited";
    case SBX_END_TIME:
        return "time";
    case SBX_END_MEMORY:
        return "memory";
    case SBX_END_PROCESSES:
        return "processes";
    case SBX_END_INTERRUPTED:
        return "interrupted";
    default:
        return "failed";
    }
}

static void add_backend(const sbx_report *report, cJSON *root)
{
    cJSON *item = cJSON_AddObjectToObject(root, "backend");

    sbx_json_add_text(item, "requested", report->plan ? report->plan->backend : NULL);
    sbx_json_add_text(item, "used", report->backend_used);
    sbx_json_add_text(item, "version", report->backend_version);
    sbx_json_add_text(item, "fallback_reason", report->fallback.data);
    sbx_json_add_guarantees(root, "guarantees", &report->guarantees);
    cJSON_AddItemToObject(root, "require", sbx_json_areas(report->plan ? report->plan->policy.require : 0));
}

static void add_policy(const sbx_plan *plan, cJSON *root)
{
    cJSON *item = cJSON_AddObjectToObject(root, "policy"), *list;
    uint32_t i;

    sbx_json_add_text(item, "profile", plan->profile);
    sbx_json_add_text(item, "workspace", plan->policy.workspace);
    list = cJSON_AddArrayToObject(item, "writable");
    for (i = 0; i < plan->policy.writable_count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(plan->policy.writable[i]));
    cJSON_AddStringToObject(item, "network", plan->policy.network == SBX_NETWORK_ON ? "on" : "off");
    sbx_json_add_text(item, "run_id", plan->policy.run_id);
}

static void add_result(const sbx_report *report, cJSON *root)
{
    const sbx_launch_result *r = &report->result;
    cJSON *item = cJSON_AddObjectToObject(root, "timings_us");

    sbx_json_add_u64(item, "open", report->open_us);
    sbx_json_add_u64(item, "prepare", r->prepare_us);
    sbx_json_add_u64(item, "spawn", r->spawn_us);
    sbx_json_add_u64(item, "run", r->run_us);
    sbx_json_add_u64(item, "total", report->total_us);
    item = cJSON_AddObjectToObject(root, "usage");
    if (r->peak_memory)
        sbx_json_add_u64(item, "peak_memory_bytes", r->peak_memory);
    else
        cJSON_AddNullToObject(item, "peak_memory_bytes"); /* the system did not count it */
    sbx_json_add_u64(item, "cpu_us", r->cpu_us);
    cJSON_AddNumberToObject(item, "processes_started", r->processes);
}

static void add_notes(const sbx_report *report, cJSON *root)
{
    cJSON *list = cJSON_AddArrayToObject(root, "notes"), *item;
    uint32_t i;

    for (i = 0; i < report->note_count; i++) {
        item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "kind", sbx_report_note_kind(report->notes[i].kind));
        cJSON_AddStringToObject(item, "object", report->notes[i].object);
        cJSON_AddStringToObject(item, "text", report->notes[i].text);
        cJSON_AddItemToArray(list, item);
    }
    cJSON_AddNumberToObject(root, "lost_notes", report->lost_notes);
    list = cJSON_AddArrayToObject(root, "withheld");
    for (i = 0; report->plan && i < report->plan->withheld_count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(report->plan->withheld[i]));
    list = cJSON_AddArrayToObject(root, "warnings");
    for (i = 0; report->plan && i < report->plan->warning_count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(report->plan->warnings[i]));
}

sbx_status sbx_report_print(const sbx_report *report, sbx_status st, const sbx_error *err, int exit_code, sbx_text *out)
{
    const sbx_launch_result *r = &report->result;
    cJSON *root = cJSON_CreateObject();
    int ran = report->launched && r->end && r->end != SBX_END_FAILED;

    cJSON_AddNumberToObject(root, "report", 1);
    cJSON_AddStringToObject(root, "version", SBX_VERSION);
    sbx_json_add_text(root, "program", r->program[0] ? r->program : report->command);
    add_backend(report, root);
    if (report->plan && report->plan->backend)
        add_policy(report->plan, root);
    cJSON_AddStringToObject(root, "end", report->launched ? end_name(r->end) : "failed");
    cJSON_AddNumberToObject(root, "exit_code", (double)(uint32_t)exit_code);
    if (ran)
        cJSON_AddNumberToObject(root, "child_exit_code", r->child_exit);
    else
        cJSON_AddNullToObject(root, "child_exit_code");
    sbx_json_add_process(root, "process_id", r->process_id);
    if (ran && (r->end == SBX_END_TIME || r->end == SBX_END_MEMORY || r->end == SBX_END_PROCESSES))
        cJSON_AddStringToObject(root, "limit", end_name(r->end));
    else
        cJSON_AddNullToObject(root, "limit");
    if (st != SBX_OK)
        sbx_json_add_error(root, "error", err);
    else
        cJSON_AddNullToObject(root, "error");
    if (st != SBX_OK && report->message)
        cJSON_ReplaceItemInObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(root, "error"), "message",
                                               cJSON_CreateString(report->message));
    add_result(report, root);
    add_notes(report, root);
    return sbx_json_finish(root, out, NULL);
}

/* No name in it needs an escape: the backend's is of letters and digits, the functions' are ours. */
size_t sbx_report_crash(const char *backend, const char *function, uint32_t exception, char *text, size_t size)
{
    char what[160], code[64] = "";
    int length;

    snprintf(what, sizeof(what), "%s in %s", exception ? "crashed" : "does not answer", backend ? function : "sbx");
    if (exception)
        snprintf(code, sizeof(code), " (ntstatus 0x%08lX)", (unsigned long)exception);
    length = snprintf(text, size,
                      "{\n\"report\": 1,\n\"version\": \"" SBX_VERSION "\",\n\"program\": null,\n"
                      "\"end\": \"failed\",\n\"exit_code\": 125,\n\"child_exit_code\": null,\n"
                      "\"error\": {\"status\": %d, \"operation\": \"%s\", \"object\": \"%s\", "
                      "\"code\": %lu, \"code_kind\": \"%s\", \"message\": \"%s: %s%s\", \"hint\": null}\n}\n",
                      backend ? SBX_E_BACKEND : SBX_E_SYSTEM, what, backend ? backend : "sbx", (unsigned long)exception,
                      exception ? "ntstatus" : "none", backend ? backend : "sbx", what, code);
    return length > 0 && (size_t)length < size ? (size_t)length : 0;
}

void sbx_report_fini(sbx_report *report)
{
    uint32_t i;

    for (i = 0; i < report->note_count; i++) {
        sbx_free(report->notes[i].object);
        sbx_free(report->notes[i].text);
    }
    sbx_free(report->notes);
    sbx_text_fini(&report->fallback);
    memset(report, 0, sizeof(*report));
}
