/* A column of the comparison: a launch and the command, measured several times. */
#include <stdio.h>
#include <string.h>

#include "cli/compare.h"
#include "cli/examine.h"
#include "compare/shown.h"
#include "win/error.h"

/* ---- JSON ---- */

static void add_times(cJSON *object, const char *name, const sbx_spread *spread)
{
    cJSON *item;

    if (!spread->count) {
        cJSON_AddNullToObject(object, name);
        return;
    }
    item = cJSON_AddObjectToObject(object, name);
    cJSON_AddNumberToObject(item, "median_us", (double)sbx_spread_median(spread));
    cJSON_AddNumberToObject(item, "low_us", (double)sbx_spread_low(spread));
    cJSON_AddNumberToObject(item, "high_us", (double)sbx_spread_high(spread));
    cJSON_AddNumberToObject(item, "runs", spread->count);
}

static void add_path(cJSON *list, const char *path)
{
    sbx_text shown = {0};

    sbx_shown_add(&shown, path, strlen(path));
    cJSON_AddItemToArray(list, cJSON_CreateString(shown.data ? shown.data : ""));
    sbx_text_fini(&shown);
}

static void on_file(void *context, uint32_t what, const char *path)
{
    static const char *const sets[] = {"", "created", "changed", "deleted"};

    add_path(cJSON_GetObjectItemCaseSensitive(context, sets[what]), path);
}

static void on_unlike(void *context, uint32_t what, const char *path)
{
    (void)what;
    add_path(context, path);
}

static void set(cJSON *object, const char *name, cJSON *value)
{
    if (value)
        cJSON_ReplaceItemInObjectCaseSensitive(object, name, value);
}

/* With every member, so that a run that failed has them, too. */
static cJSON *empty_command(void)
{
    static const char *const names[] = {"exit_code", "error", "output",   "first_difference",  "files",
                                        "unlike",    "times", "first_us", "peak_memory_bytes", "notes"};
    cJSON *command = cJSON_CreateObject();
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cJSON_AddNullToObject(command, names[i]);
    return command;
}

/* ---- runs ---- */

static const char *error_of(const cJSON *report)
{
    return sbx_examine_string(cJSON_GetObjectItemCaseSensitive(report, "error"), "message");
}

static const char *reference(const sbx_compare_run *run)
{
    return run->backend ? "within" : "without";
}

/* "unelevated: the command, run 2 of 3" */
static void say(const sbx_compare *c, const char *backend, const char *what, uint32_t run)
{
    sbx_compare_say(c, "%s: %s, run %u of %u", backend ? backend : "without sbx", what, (unsigned)run + 1,
                    (unsigned)c->runs);
}

/* Whether a run through a backend came as far as its command; else why not, for the JSON. */
static int has_run(const sbx_compare_run *run, cJSON *command)
{
    const char *error = error_of(run->report);

    if (!run->ended) {
        set(command, "error", cJSON_CreateString("it was interrupted"));
        return 0;
    }
    if (!run->backend || cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(run->report, "child_exit_code")))
        return 1;
    set(command, "error", cJSON_CreateString(error[0] ? error : "sbx ended without a report"));
    return 0;
}

/* The smallest program; the first run of it makes the grants, and does not count. */
static sbx_status launches(sbx_compare *c, const char *backend, const char *folder, uint32_t count, sbx_spread *spread,
                           cJSON *command, uint64_t *first_us, sbx_error *err)
{
    sbx_compare_run run = {.backend = backend, .folder = folder, .as = "launch"};
    uint32_t i;
    int ok = 1;
    sbx_status st = SBX_OK;

    for (i = 0; st == SBX_OK && ok && i <= count && !sbx_compare_stopped(); i++) {
        st = sbx_compare_start(&c->place, NULL, &run, err);
        ok = st == SBX_OK && has_run(&run, command);
        cJSON_Delete(run.report);
        run.report = NULL;
        if (ok && i)
            sbx_spread_add(spread, run.wall_us);
        else if (ok)
            *first_us = run.wall_us;
    }
    return st;
}

static sbx_status add_launch(sbx_compare *c, const char *backend, cJSON *column, sbx_error *err)
{
    sbx_spread spread = {0};
    cJSON *unused = empty_command();
    uint64_t first;
    sbx_status st = sbx_compare_make(c->place.empty, err);

    sbx_compare_say(c, "%s: launches", backend ? backend : "without sbx");
    if (st == SBX_OK)
        st = launches(c, backend, c->place.empty, c->runs, &spread, unused, &first, err);
    add_times(column, "launch", &spread);
    if (backend)
        sbx_compare_clean(&c->place, c->place.empty);
    sbx_compare_remove(c->place.empty);
    cJSON_Delete(unused);
    return st;
}

static sbx_status add_files(sbx_compare *c, const sbx_compare_run *run, cJSON *command, sbx_error *err)
{
    sbx_tree after = {0};
    cJSON *files, *unlike;
    sbx_status st = sbx_compare_list(run->folder, c->by_content, 0, &after, err);

    if (st == SBX_OK) {
        files = cJSON_CreateObject();
        cJSON_AddArrayToObject(files, "created");
        cJSON_AddArrayToObject(files, "changed");
        cJSON_AddArrayToObject(files, "deleted");
        sbx_tree_compare(&c->before, &after, on_file, files);
        set(command, "files", files);
    }
    if (st == SBX_OK && run->backend && c->have_without && !c->cli->in_place) {
        unlike = cJSON_CreateArray();
        sbx_tree_compare(&c->without, &after, on_unlike, unlike);
        set(command, "unlike", unlike);
    }
    if (st == SBX_OK && c->cli->in_place) { /* the next one begins with what this one left */
        sbx_tree_fini(&c->before);
        c->before = after;
        memset(&after, 0, sizeof(after));
    } else if (st == SBX_OK && !run->backend) {
        c->without = after;
        c->have_without = 1;
        memset(&after, 0, sizeof(after));
    }
    sbx_tree_fini(&after);
    return st;
}

/* Against the first run without sbx. */
static void add_output(sbx_compare *c, const sbx_compare_run *run, cJSON *command)
{
    cJSON *difference = strcmp(run->as, "without") ? sbx_compare_outputs(&c->place, run->as, "without") : NULL;

    if (run->backend) {
        set(command, "output", cJSON_CreateString(!difference ? "equal" : c->varies ? "varies" : "differs"));
        set(command, "first_difference", difference);
        return;
    }
    c->varies |= difference != NULL;
    cJSON_Delete(difference);
}

/* What is said of the first run. */
static sbx_status add_first(sbx_compare *c, const sbx_compare_run *run, cJSON *command, sbx_error *err)
{
    const double within = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(run->report, "child_exit_code"));

    set(command, "exit_code", cJSON_CreateNumber(run->backend ? within : run->exit_code));
    if (run->backend) {
        add_output(c, run, command);
        set(command, "notes", cJSON_DetachItemFromObjectCaseSensitive(run->report, "notes"));
    }
    return add_files(c, run, command, err);
}

static double peak_of(const sbx_compare_run *run)
{
    const char *peak = sbx_examine_string(cJSON_GetObjectItemCaseSensitive(run->report, "usage"), "peak_memory_bytes");
    unsigned long long bytes = 0;

    if (!run->backend)
        return (double)run->peak_memory;
    return sscanf(peak, "%llu", &bytes) == 1 ? (double)bytes : 0;
}

/* One run, with its copy.  *ok 0: it did not run. */
static sbx_status one_run(sbx_compare *c, const char *backend, uint32_t number, sbx_spread *spread, double *peak,
                          cJSON *command, int *ok, sbx_error *err)
{
    sbx_compare_run run = {.backend = backend, .folder = c->cli->in_place ? c->place.from : c->place.ws};
    sbx_spread none = {0};
    uint64_t first_us = 0;
    sbx_status st = SBX_OK;

    run.as = number && !backend ? "again" : reference(&run);
    if (!c->cli->in_place) {
        say(c, backend, "copying", number);
        st = sbx_compare_copy(&c->place, &c->source, err);
    }
    say(c, backend, "the command", number);
    if (st == SBX_OK && backend) {
        st = launches(c, backend, run.folder, 0, &none, command, &first_us, err);
        *ok = st == SBX_OK && first_us;
        if (*ok && !number)
            set(command, "first_us", cJSON_CreateNumber((double)first_us));
    }
    if (st == SBX_OK && *ok && !sbx_compare_stopped()) {
        st = sbx_compare_start(&c->place, c->cli->command_w, &run, err);
        *ok = st == SBX_OK && has_run(&run, command);
        if (*ok) {
            sbx_spread_add(spread, run.wall_us);
            *peak = peak_of(&run) > *peak ? peak_of(&run) : *peak;
            if (!number)
                st = add_first(c, &run, command, err);
            else if (!backend)
                add_output(c, &run, command);
        }
        cJSON_Delete(run.report);
    }
    if (!c->cli->in_place) {
        if (backend)
            sbx_compare_clean(&c->place, c->place.ws);
        sbx_compare_remove(c->place.ws);
    }
    return st;
}

static sbx_status add_command(sbx_compare *c, const char *backend, cJSON *column, sbx_error *err)
{
    sbx_spread spread = {0};
    cJSON *command = empty_command(), *times = cJSON_CreateObject();
    double peak = 0;
    int ok = 1;
    uint32_t i;
    sbx_status st = SBX_OK;

    for (i = 0; st == SBX_OK && ok && i < c->runs && !sbx_compare_stopped(); i++)
        st = one_run(c, backend, i, &spread, &peak, command, &ok, err);
    add_times(times, "times", &spread);
    set(command, "times", cJSON_DetachItemFromObjectCaseSensitive(times, "times"));
    if (peak > 0)
        set(command, "peak_memory_bytes", cJSON_CreateNumber(peak));
    cJSON_Delete(times);
    cJSON_AddItemToObject(column, "command", command);
    return st;
}

sbx_status sbx_compare_column(sbx_compare *compare, const char *backend, cJSON *column, sbx_error *err)
{
    sbx_status st = add_launch(compare, backend, column, err);

    if (st == SBX_OK && compare->cli->command_w)
        st = add_command(compare, backend, column, err);
    else
        cJSON_AddNullToObject(column, "command");
    return st;
}
