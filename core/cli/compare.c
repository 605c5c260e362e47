/* Backends side by side. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/child.h"
#include "cli/compare.h"
#include "cli/doctor.h"
#include "cli/examine.h"
#include "cli/select.h"
#include "compare/shown.h"
#include "win/error.h"
#include "win/out.h"
#include "win/wide.h"

#define AS_CLAIMED 0
#define GAPS 1
#define BROKEN 125

#define RUNS 3u
#define PROBES_MS 300000u
#define STOPPED_MS 60000u /* how long a doctor may tidy up */
#define CONSOLE_COLUMNS 79u

void sbx_compare_say(const sbx_compare *compare, const char *format, ...)
{
    const int is_console = sbx_out_is_console(SBX_OUT_STDERR);
    char text[256], line[320];
    va_list values;

    if (compare->cli->quiet)
        return;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    if (!is_console) {
        sbx_out_line(text);
        return;
    }
    snprintf(line, sizeof(line), "\r%-*.*s", (int)CONSOLE_COLUMNS, (int)CONSOLE_COLUMNS, text);
    sbx_out_write(SBX_OUT_STDERR, line, strlen(line));
}

static void end_progress(const sbx_compare *c)
{
    char line[CONSOLE_COLUMNS + 3];

    if (c->cli->quiet || !sbx_out_is_console(SBX_OUT_STDERR))
        return;
    snprintf(line, sizeof(line), "\r%*s\r", (int)CONSOLE_COLUMNS, "");
    sbx_out_write(SBX_OUT_STDERR, line, strlen(line));
}

static void find(const sbx_compare *c, const char *level, const char *name, const char *what, const char *evidence,
                 const char *remedy)
{
    sbx_text text = {0};

    sbx_text_printf(&text, "%s: %s", name, what);
    sbx_doctor_find(c->findings, level, text.data ? text.data : name, evidence, remedy);
    sbx_text_fini(&text);
}

/* ---- the backends ---- */

static int is_named(const sbx_compare *c, const char *name)
{
    const char *at = c->cli->compare_backends;
    const size_t length = strlen(name);

    for (; at && *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == length && !strncmp(at, name, length))
            return 1;
    return 0;
}

/* More than the process tree, which `none` holds as well. */
static int confines(const cJSON *examined)
{
    const cJSON *area, *claims = cJSON_GetObjectItemCaseSensitive(examined, "claims");
    const cJSON *enforced = cJSON_GetObjectItemCaseSensitive(claims, "enforced");

    cJSON_ArrayForEach(area, enforced)
    {
        if (cJSON_IsString(area) && strcmp(area->valuestring, "processes") != 0)
            return 1;
    }
    return strcmp(sbx_examine_string(examined, "state"), "available") != 0;
}

static cJSON *ask_doctor(sbx_compare *c, const char *name, sbx_error *err)
{
    const char *const items[] = {c->place.program, "doctor", "--backend", name, "--json"};
    const sbx_child_how how = {.limit_ms = PROBES_MS,
                               .cwd = c->place.path,
                               .stop = c->place.console.event,
                               .stopped_ms = STOPPED_MS,
                               .breakaway = 1};
    sbx_text line = {0}, output = {0};
    const char *begin;
    cJSON *told = NULL;
    uint32_t end, code;
    sbx_status st = sbx_quote_line(&line, items, 5, err);

    sbx_compare_say(c, "%s: probes", name);
    if (st == SBX_OK && line.failed)
        st = sbx_fail_memory(err);
    if (st == SBX_OK)
        st = sbx_child_watch(items[0], line.data, &how, &output, &end, &code, err);
    begin = st == SBX_OK && output.data ? strchr(output.data, '{') : NULL;
    if (begin)
        told = cJSON_Parse(begin);
    if (st == SBX_OK && !told && !sbx_compare_stopped()) {
        output.length = output.data ? strcspn(output.data, "\r\n") : 0;
        find(c, "broken", name, "the probes gave no answer",
             output.data ? (output.data[output.length] = 0, output.data) : "", "try `sbx doctor`");
    }
    sbx_text_fini(&line);
    sbx_text_fini(&output);
    return told;
}

/* The backend as a doctor saw it, and what he found of it. */
static cJSON *measure(sbx_compare *c, const char *name, sbx_error *err)
{
    cJSON *told = ask_doctor(c, name, err), *backend = NULL, *finding;
    cJSON *list = cJSON_GetObjectItemCaseSensitive(told, "findings");
    int i;

    backend = cJSON_DetachItemFromArray(cJSON_GetObjectItemCaseSensitive(told, "backends"), 0);
    for (i = cJSON_GetArraySize(list); i > 0; i--) {
        finding = cJSON_DetachItemFromArray(list, 0);
        if (strcmp(sbx_examine_string(finding, "level"), "note") != 0)
            cJSON_AddItemToArray(c->findings, finding);
        else
            cJSON_Delete(finding);
    }
    cJSON_Delete(told);
    if (!backend) {
        backend = cJSON_CreateObject();
        cJSON_AddStringToObject(backend, "name", name);
        cJSON_AddStringToObject(backend, "verdict", "broken");
    }
    return backend;
}

static sbx_status add_absent(sbx_compare *c, const char *name, const cJSON *examined)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(examined, "error");
    const char *state = sbx_examine_string(examined, "state");
    const int broken = is_named(c, name) || !strcmp(state, "refused");
    cJSON *backend = cJSON_CreateObject();

    cJSON_AddStringToObject(backend, "name", name);
    cJSON_AddStringToObject(backend, "state", state);
    cJSON_AddStringToObject(backend, "verdict", broken ? "broken" : "not there");
    cJSON_AddNullToObject(backend, "launch");
    cJSON_AddNullToObject(backend, "command");
    cJSON_AddItemToArray(c->backends, backend);
    find(c, broken ? "broken" : "note", name, state, sbx_examine_string(error, "message"),
         sbx_examine_string(error, "hint"));
    return SBX_OK;
}

static sbx_status add_backend(sbx_compare *c, const char *name, sbx_error *err)
{
    cJSON *examined = NULL, *backend;
    sbx_status st = sbx_examine(name, &examined, err);

    if (st == SBX_OK && (is_named(c, name) || (!c->cli->compare_backends && confines(examined)))) {
        if (strcmp(sbx_examine_string(examined, "state"), "available") != 0) {
            st = add_absent(c, name, examined);
        } else {
            backend = measure(c, name, err);
            cJSON_AddItemToArray(c->backends, backend);
            st = sbx_compare_column(c, name, backend, err);
        }
    }
    cJSON_Delete(examined);
    return st;
}

static sbx_status check_names(const sbx_compare *c, char *const *names, uint32_t count, sbx_error *err)
{
    const char *at = c->cli->compare_backends, *name;
    size_t length;
    uint32_t i;

    for (; at && *at; at += length, at += *at == ',') {
        length = strcspn(at, ",");
        for (i = 0; i < count; i++)
            if (strlen(names[i]) == length && !strncmp(names[i], at, length))
                break;
        if (i < count)
            continue;
        name = sbx_arena_strndup(&c->cli->arena, at, length);
        sbx_fail(err, SBX_E_USAGE, "there is no such backend", name ? name : at);
        return sbx_hint(err, "`sbx backends` lists them; --backends takes names with commas between");
    }
    return SBX_OK;
}

/* ---- all of it ---- */

static uint64_t bytes_of(const sbx_tree *tree, uint32_t kind, uint32_t *count)
{
    uint64_t bytes = 0;
    uint32_t i;

    for (*count = 0, i = 0; i < tree->count; i++)
        if (tree->entries[i].kind == kind) {
            ++*count;
            bytes += tree->entries[i].bytes;
        }
    return bytes;
}

/* How large the workspace is, said before anything is copied. */
static sbx_status look_at_workspace(sbx_compare *c, sbx_error *err)
{
    cJSON *workspace;
    sbx_text size = {0};
    uint64_t bytes;
    uint32_t files, links;
    sbx_status st = sbx_compare_list(c->place.from, 0, !c->cli->in_place, &c->source, err);

    if (st != SBX_OK)
        return st;
    bytes_of(&c->source, SBX_TREE_LINK, &links);
    bytes = bytes_of(&c->source, SBX_TREE_FILE, &files);
    c->by_content = bytes <= SBX_COMPARE_COPIED;
    sbx_spread_print_bytes((double)bytes, &size);
    if (!c->cli->in_place && !c->by_content) {
        sbx_fail(err, SBX_E_REFUSED, "it is too large to be copied for each run", c->place.from);
        sbx_hint(err, "%u files, %s; --in-place runs the command in the folder itself", (unsigned)files,
                 size.data ? size.data : "");
        sbx_text_fini(&size);
        return SBX_E_REFUSED;
    }
    sbx_compare_say(c, "%u files, %s, %s%s", (unsigned)files, size.data ? size.data : "",
                    c->cli->in_place ? "in place" : "each run has a copy", links ? "; links are left out" : "");
    sbx_text_fini(&size);
    workspace = cJSON_CreateObject();
    cJSON_AddNumberToObject(workspace, "files", files);
    cJSON_AddNumberToObject(workspace, "bytes", (double)bytes);
    cJSON_AddNumberToObject(workspace, "links", c->cli->in_place ? 0 : links);
    cJSON_AddStringToObject(workspace, "by", c->by_content ? "content" : "size and time");
    cJSON_ReplaceItemInObjectCaseSensitive(c->root, "workspace", workspace);
    return SBX_OK;
}

/* As files count in what comes: of the copy that the command would have, without links. */
static sbx_status take_before(sbx_compare *c, sbx_error *err)
{
    sbx_status st;

    if (c->cli->in_place)
        return sbx_compare_list(c->place.from, c->by_content, 0, &c->before, err);
    st = sbx_compare_copy(&c->place, &c->source, err);
    if (st == SBX_OK)
        st = sbx_compare_list(c->place.ws, c->by_content, 1, &c->before, err);
    sbx_compare_remove(c->place.ws);
    return st;
}

static sbx_status compare_all(sbx_compare *c, sbx_error *err)
{
    char **names = NULL;
    uint32_t count = 0, i;
    sbx_status st = sbx_plugin_list(&names, &count, err);

    if (st == SBX_OK)
        st = check_names(c, names, count, err);
    if (st == SBX_OK && c->cli->command_w && (st = look_at_workspace(c, err)) == SBX_OK)
        st = take_before(c, err);
    if (st == SBX_OK)
        st = sbx_compare_column(c, NULL, cJSON_GetObjectItemCaseSensitive(c->root, "without"), err);
    for (i = 0; st == SBX_OK && i < count && !sbx_compare_stopped(); i++)
        st = add_backend(c, names[i], err);
    for (i = 0; i < count; i++)
        sbx_free(names[i]);
    sbx_free(names);
    return st;
}

/* ---- what is written ---- */

static void add_date(cJSON *root)
{
    SYSTEMTIME now;
    char date[32];

    GetSystemTime(&now);
    snprintf(date, sizeof(date), "%04u-%02u-%02uT%02u:%02u:%02uZ", now.wYear, now.wMonth, now.wDay, now.wHour,
             now.wMinute, now.wSecond);
    cJSON_AddStringToObject(root, "date", date);
}

static void add_command_line(const sbx_compare *c)
{
    sbx_text shown = {0};
    char *line = NULL;

    if (c->cli->command_w && sbx_narrow(c->cli->command_w, &line, NULL) == SBX_OK) {
        sbx_shown_add(&shown, line, strlen(line));
        cJSON_AddStringToObject(c->root, "command", shown.data ? shown.data : "");
        cJSON_AddStringToObject(c->root, "place", c->cli->in_place ? "in place" : "a copy for each run");
    } else {
        cJSON_AddNullToObject(c->root, "command");
        cJSON_AddNullToObject(c->root, "place");
    }
    sbx_free(line);
    sbx_text_fini(&shown);
}

static sbx_status begin(sbx_compare *c, sbx_error *err)
{
    c->root = cJSON_CreateObject();
    cJSON_AddNumberToObject(c->root, "compare", 1);
    cJSON_AddStringToObject(c->root, "version", SBX_VERSION);
    add_date(c->root);
    cJSON_AddNumberToObject(c->root, "runs", c->runs);
    add_command_line(c);
    cJSON_AddNullToObject(c->root, "workspace");
    cJSON_AddObjectToObject(c->root, "without");
    c->backends = cJSON_AddArrayToObject(c->root, "backends");
    c->findings = cJSON_AddArrayToObject(c->root, "findings");
    return c->findings ? SBX_OK : sbx_fail_memory(err);
}

static int has_level(const sbx_compare *c, const char *level)
{
    const cJSON *finding;

    cJSON_ArrayForEach(finding, c->findings)
    {
        if (!strcmp(sbx_examine_string(finding, "level"), level))
            return 1;
    }
    return 0;
}

/* A run through a backend that did not get there is a finding of its own. */
static void find_failed(const sbx_compare *c, const cJSON *backend)
{
    const char *error = sbx_examine_string(cJSON_GetObjectItemCaseSensitive(backend, "command"), "error");

    if (error[0])
        find(c, "broken", sbx_examine_string(backend, "name"), "the command did not run", error, "");
}

/* What was not come to. */
static void fill(cJSON *column)
{
    static const char *const names[] = {"launch", "command"};
    size_t i;

    for (i = 0; i < 2; i++)
        if (!cJSON_HasObjectItem(column, names[i]))
            cJSON_AddNullToObject(column, names[i]);
}

static void conclude(sbx_compare *c, int stopped)
{
    cJSON *backend;

    fill(cJSON_GetObjectItemCaseSensitive(c->root, "without"));
    cJSON_ArrayForEach(backend, c->backends)
    {
        fill(backend);
        if (!stopped)
            find_failed(c, backend);
    }
    c->cli->exit_code = stopped || has_level(c, "broken") ? BROKEN : has_level(c, "gap") ? GAPS : AS_CLAIMED;
    cJSON_AddBoolToObject(c->root, "complete", !stopped);
    cJSON_AddNumberToObject(c->root, "exit_code", c->cli->exit_code);
}

static sbx_status runs_of(const sbx_cli *cli, uint32_t *runs, sbx_error *err)
{
    char *end = NULL;
    unsigned long value = RUNS;

    if (cli->runs) {
        value = strtoul(cli->runs, &end, 10);
        if (cli->runs[0] < '0' || cli->runs[0] > '9' || *end || !value || value > SBX_SPREAD_RUNS) {
            sbx_fail(err, SBX_E_USAGE, "it is no number of runs", cli->runs);
            return sbx_hint(err, "--runs takes 1 to %u", SBX_SPREAD_RUNS);
        }
    }
    *runs = (uint32_t)value;
    return SBX_OK;
}

static void compare_fini(sbx_compare *c)
{
    cJSON_Delete(c->root);
    sbx_tree_fini(&c->source);
    sbx_tree_fini(&c->before);
    sbx_tree_fini(&c->without);
}

sbx_status sbx_verb_compare(sbx_cli *cli, sbx_error *err)
{
    sbx_compare_files to = {0};
    sbx_compare c = {.cli = cli};
    int stopped = 0;
    sbx_status st = runs_of(cli, &c.runs, err);

    if (st == SBX_OK)
        st = sbx_compare_open_files(cli, &to, err);
    if (st == SBX_OK && (st = sbx_cli_plugins(cli, err)) == SBX_OK && (st = begin(&c, err)) == SBX_OK &&
        (st = sbx_compare_open(cli, &c.place, err)) == SBX_OK) {
        st = compare_all(&c, err);
        end_progress(&c);
        stopped = sbx_compare_stopped();
    }
    if (!sbx_compare_close(&c.place))
        find(&c, "note", "compare", "not all of its copies could be removed", c.place.path, "delete that folder");
    if (stopped && st == SBX_E_UNAVAILABLE)
        st = SBX_OK; /* what was measured so far is told */
    if (st == SBX_OK) {
        conclude(&c, stopped);
        st = sbx_compare_print(&c, stopped, &cli->out, err);
    }
    if (st == SBX_OK)
        st = sbx_compare_write(&c, &to, err);
    sbx_pending_close(&to.json);
    sbx_pending_close(&to.html);
    compare_fini(&c);
    return st;
}
