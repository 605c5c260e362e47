/* What a doctor tells, for people: made from the JSON. */
#include <string.h>

#include "base/area.h"
#include "cli/doctor.h"
#include "cli/examine.h"
#include "win/out.h"

#define INDENT 13u

static int in(const cJSON *guarantees, const char *set, const char *area)
{
    const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(guarantees, set);

    cJSON_ArrayForEach(item, list)
    {
        if (!strcmp(cJSON_GetStringValue(item), area))
            return 1;
    }
    return 0;
}

static void add_tried(sbx_text *list, const char *lead, const cJSON *row)
{
    sbx_text_printf(list, "%s%s", list->length ? ", " : lead, sbx_examine_string(row, "tried"));
}

/* "enforced  12 of 14 closed; GAP: write to a file; not claimed, and open: ..." */
static void print_area(const cJSON *backend, const sbx_area *area, sbx_text *out)
{
    const cJSON *row, *rows = cJSON_GetObjectItemCaseSensitive(backend, "rows");
    const cJSON *guarantees = cJSON_GetObjectItemCaseSensitive(backend, "guarantees");
    const int is_enforced = in(guarantees, "enforced", area->name);
    const char *verdict;
    unsigned tried = 0, closed = 0;
    sbx_text gaps = {0}, open = {0}, words = {0};

    cJSON_ArrayForEach(row, rows)
    {
        verdict = sbx_examine_string(row, "verdict");
        if (strcmp(sbx_examine_string(row, "area"), area->name) != 0 || !strcmp(verdict, "untried"))
            continue;
        tried++;
        if (strcmp(sbx_examine_string(row, "within"), "open") != 0)
            closed++;
        else if (!strcmp(verdict, "GAP"))
            add_tried(&gaps, "; GAP: ", row);
        else
            add_tried(&open, is_enforced ? "; not claimed, and open: " : "; open: ", row);
    }
    sbx_text_printf(&words, "%-9s %u of %u closed%s%s",
                    is_enforced                              ? "enforced"
                    : in(guarantees, "advisory", area->name) ? "advisory"
                                                             : "none",
                    closed, tried, gaps.data ? gaps.data : "", open.data ? open.data : "");
    sbx_text_printf(out, "  %-11s", area->name);
    sbx_out_wrap(out, INDENT, words.data ? words.data : "");
    sbx_text_fini(&gaps);
    sbx_text_fini(&open);
    sbx_text_fini(&words);
}

static void print_rows(const cJSON *backend, sbx_text *out)
{
    const cJSON *row, *rows = cJSON_GetObjectItemCaseSensitive(backend, "rows");

    cJSON_ArrayForEach(row, rows)
    {
        sbx_text_printf(out, "    %-20s %-8s %s\n", sbx_examine_string(row, "row"), sbx_examine_string(row, "verdict"),
                        sbx_examine_string(row, "tried"));
    }
}

static void print_backend(const cJSON *backend, int verbose, sbx_text *out)
{
    const cJSON *row, *rows = cJSON_GetObjectItemCaseSensitive(backend, "rows");
    size_t i;

    sbx_text_printf(out, "%s: %s\n", sbx_examine_string(backend, "name"), sbx_examine_string(backend, "verdict"));
    if (!rows)
        return;
    for (i = 0; i < SBX_AREA_COUNT; i++)
        print_area(backend, &sbx_areas[i], out);
    cJSON_ArrayForEach(row, rows)
    {
        if (!strcmp(sbx_examine_string(row, "verdict"), "lost"))
            sbx_text_printf(out, "  does not work: %s\n", sbx_examine_string(row, "tried"));
    }
    if (verbose)
        print_rows(backend, out);
}

void sbx_doctor_print(const cJSON *root, int verbose, sbx_text *out)
{
    const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(root, "backends");

    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "complete")))
        sbx_text_add(out, "partial: stopped before all was tried\n");
    cJSON_ArrayForEach(item, list)
    {
        print_backend(item, verbose, out);
    }
    list = cJSON_GetObjectItemCaseSensitive(root, "findings");
    cJSON_ArrayForEach(item, list)
    {
        sbx_text_printf(out, "%-8s", sbx_examine_string(item, "level"));
        sbx_out_wrap(out, 8, sbx_examine_string(item, "what"));
        sbx_text_printf(out, "%8s", "");
        sbx_out_wrap(out, 8, sbx_examine_string(item, "evidence"));
        if (sbx_examine_string(item, "remedy")[0]) {
            sbx_text_printf(out, "%8s-> ", "");
            sbx_out_wrap(out, 11, sbx_examine_string(item, "remedy"));
        }
    }
}
