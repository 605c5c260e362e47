#include <stdlib.h>
#include <string.h>

#include "base/area.h"
#include "cli/doctor.h"
#include "cli/examine.h"

cJSON *sbx_doctor_lines(const char *output)
{
    cJSON *lines = cJSON_CreateArray(), *line;
    const char *at, *end;

    for (at = output; lines && at && *at; at = *end ? end + 1 : end) {
        end = at + strcspn(at, "\n");
        line = *at == '{' ? cJSON_ParseWithLength(at, (size_t)(end - at)) : NULL;
        if (line)
            cJSON_AddItemToArray(lines, line);
    }
    return lines;
}

const cJSON *sbx_doctor_last(const cJSON *lines, const char *key)
{
    const cJSON *line, *found = NULL;

    cJSON_ArrayForEach(line, lines)
    {
        if (cJSON_HasObjectItem(line, key))
            found = line;
    }
    return found;
}

void sbx_doctor_find(cJSON *findings, const char *level, const char *what, const char *evidence, const char *remedy)
{
    cJSON *finding = cJSON_CreateObject();

    cJSON_AddStringToObject(finding, "level", level);
    cJSON_AddStringToObject(finding, "what", what);
    cJSON_AddStringToObject(finding, "evidence", evidence);
    cJSON_AddStringToObject(finding, "remedy", remedy);
    cJSON_AddItemToArray(findings, finding);
}

static int has(const cJSON *guarantees, const char *set, const char *area)
{
    const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(guarantees, set);

    cJSON_ArrayForEach(item, list)
    {
        if (cJSON_IsString(item) && !strcmp(item->valuestring, area))
            return 1;
    }
    return 0;
}

static const cJSON *row_of(const cJSON *lines, const char *name)
{
    const cJSON *line;

    cJSON_ArrayForEach(line, lines)
    {
        if (!strcmp(sbx_examine_string(line, "row"), name))
            return line;
    }
    return NULL;
}

/* Whether one of the ports from `first` to `last` is told to be open to every command (SBX_NOTE_PORTS). */
static int tells_port(const cJSON *backend, unsigned long first, unsigned long last)
{
    const cJSON *note, *notes = cJSON_GetObjectItemCaseSensitive(backend, "notes");
    const char *at;
    char *end;
    unsigned long from, to;

    cJSON_ArrayForEach(note, notes)
    {
        at = !strcmp(sbx_examine_string(note, "object"), SBX_NOTE_PORTS) ? sbx_examine_string(note, "text") : "";
        for (; *at >= '0' && *at <= '9'; at = *end == ',' ? end + 1 : "") {
            from = to = strtoul(at, &end, 10);
            if (*end == '-')
                to = strtoul(end + 1, &end, 10);
            if (from <= last && to >= first)
                return 1;
        }
    }
    return 0;
}

/* Where TCP and UDP go to, or whichever port the system gives to who listens; what has no port is not open by one. */
static int is_by_port(const cJSON *backend, const cJSON *inside, const char *row)
{
    const unsigned long port =
        (unsigned long)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(sbx_doctor_last(inside, "port"), "port"));

    if (!strncmp(row, "listen", 6))
        return tells_port(backend, 1, 65535);
    return (!strncmp(row, "tcp", 3) || !strncmp(row, "udp", 3)) && port && port <= 65535 &&
           tells_port(backend, port, port);
}

static const char *verdict_of(const cJSON *backend, const cJSON *control, const cJSON *inside, const cJSON *lines)
{
    const char *area = sbx_examine_string(control, "area"), *expects = sbx_examine_string(control, "expects");
    const int open = !strcmp(sbx_examine_string(inside, "answer"), "open");
    const cJSON *guarantees = cJSON_GetObjectItemCaseSensitive(backend, "guarantees");

    if (strcmp(sbx_examine_string(control, "answer"), "open") != 0)
        return "untried";
    if (!strcmp(expects, "works"))
        return open ? "works" : "lost";
    if (!has(guarantees, "enforced", area) || strcmp(expects, "held") != 0)
        return open ? "open" : "closed";
    if (open && !strcmp(area, "network") && is_by_port(backend, lines, sbx_examine_string(control, "row")))
        return "open";
    return open ? "GAP" : "held";
}

static void add_row(cJSON *rows, const cJSON *control, const cJSON *inside, const char *verdict)
{
    static const char *const copied[] = {"row", "area", "expects", "tried"};
    cJSON *row = cJSON_CreateObject();
    size_t i;

    for (i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
        cJSON_AddStringToObject(row, copied[i], sbx_examine_string(control, copied[i]));
    cJSON_AddStringToObject(row, "without", sbx_examine_string(control, "answer"));
    cJSON_AddStringToObject(row, "within", sbx_examine_string(inside, "answer"));
    cJSON_AddNumberToObject(row, "code", cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(inside, "code")));
    cJSON_AddStringToObject(row, "verdict", verdict);
    cJSON_AddItemToArray(rows, row);
}

static void find_gap(cJSON *findings, const char *name, const char *row, const char *area, const char *how)
{
    sbx_text what = {0}, evidence = {0};

    sbx_text_printf(&what, "%s enforces %s, and it was not held: %s", name, area, row);
    sbx_text_printf(&evidence, "%s; refused is what the run guaranteed", how);
    sbx_doctor_find(findings, "gap", what.data ? what.data : "", evidence.data ? evidence.data : "",
                    "do not rely on this backend here; report it with the output of `sbx doctor --json`");
    sbx_text_fini(&what);
    sbx_text_fini(&evidence);
}

/* What the process that held the objects saw, in areas. */
static uint32_t seen_in(const cJSON *lines)
{
    const cJSON *last = sbx_doctor_last(lines, "ended");
    uint32_t seen = 0;

    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(last, "changed")))
        seen |= SBX_AREA_FILE_WRITE;
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(last, "missing")))
        seen |= SBX_AREA_FILE_DELETE;
    if (cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(last, "connections")) > 0 ||
        cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(last, "datagrams")) > 0)
        seen |= SBX_AREA_NETWORK;
    return seen;
}

void sbx_doctor_judge(cJSON *backend, const cJSON *control, const cJSON *inside, cJSON *findings)
{
    const char *name = sbx_examine_string(backend, "name"), *verdict;
    const cJSON *line, *within, *guarantees = cJSON_GetObjectItemCaseSensitive(backend, "guarantees");
    cJSON *rows = cJSON_AddArrayToObject(backend, "rows");
    const uint32_t seen = seen_in(inside);
    int gaps = 0, missing = !sbx_doctor_last(inside, "ended");
    size_t i;

    cJSON_ArrayForEach(line, control)
    {
        if (!sbx_examine_string(line, "row")[0])
            continue;
        within = row_of(inside, sbx_examine_string(line, "row"));
        if (!within) {
            missing++;
            continue;
        }
        verdict = verdict_of(backend, line, within, inside);
        add_row(rows, line, within, verdict);
        if (!strcmp(verdict, "GAP")) {
            gaps++;
            find_gap(findings, name, sbx_examine_string(line, "row"), sbx_examine_string(line, "area"),
                     sbx_examine_string(line, "tried"));
        }
    }
    for (i = 0; i < SBX_AREA_COUNT; i++) {
        if (!(seen & sbx_areas[i].bit) || !has(guarantees, "enforced", sbx_areas[i].name) ||
            (sbx_areas[i].bit == SBX_AREA_NETWORK && is_by_port(backend, inside, "tcp")))
            continue;
        gaps++;
        find_gap(findings, name, "seen from outside", sbx_areas[i].name, "what was made for it was changed or reached");
    }
    cJSON_AddStringToObject(backend, "verdict", missing ? "broken" : gaps ? "gaps" : "as claimed");
}
