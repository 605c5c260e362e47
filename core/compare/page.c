#include "compare/page.h"

#include <string.h>

#include "compare/markup.h"
#include "compare/matrix.h"
#include "compare/plot.h"
#include "compare/spread.h"

#define PATHS_SHOWN 200 /* of a list; all of them are in the JSON */

static const char *tone_class(uint32_t tone)
{
    static const char *const names[] = {NULL, "good", "bad", "quiet"};

    return names[tone <= SBX_TONE_QUIET ? tone : 0];
}

static void open_table(const char *label, sbx_text *out)
{
    sbx_text_add(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
    sbx_markup_text(out, label);
    sbx_text_add(out, "\">\n<table>\n<thead><tr>");
}

static void heading(const char *text, sbx_text *out)
{
    sbx_text_add(out, "<th scope=\"col\">");
    sbx_markup_text(out, text);
    sbx_text_add(out, "</th>");
}

static void row_heading(const char *text, sbx_text *out)
{
    sbx_text_add(out, "<tr><th scope=\"row\">");
    sbx_markup_text(out, text);
    sbx_text_add(out, "</th>");
}

static void close_table(sbx_text *out)
{
    sbx_text_add(out, "</tbody>\n</table>\n</div>\n");
}

static void print_matrix(const sbx_matrix *m, sbx_text *out)
{
    const char *group = NULL;
    uint32_t i, c;

    open_table("Summary", out);
    heading("Measure", out);
    for (c = 0; c < m->column_count; c++)
        heading(m->columns[c], out);
    sbx_text_add(out, "</tr></thead>\n");
    for (i = 0; i < m->row_count; i++) {
        if (!group || strcmp(group, m->rows[i].group) != 0) {
            sbx_text_printf(out, "%s<tbody>\n<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"%u\">",
                            group ? "</tbody>\n" : "", m->column_count + 1);
            group = m->rows[i].group;
            sbx_markup_text(out, group);
            sbx_text_add(out, "</th></tr>\n");
        }
        row_heading(m->rows[i].label, out);
        for (c = 0; c < m->column_count; c++)
            sbx_markup_element(out, "td", tone_class(m->rows[i].cells[c].tone), m->rows[i].cells[c].text);
        sbx_text_add(out, "</tr>\n");
    }
    if (!group)
        sbx_text_add(out, "<tbody>\n");
    close_table(out);
}

/* ---- every probe ---- */

static const cJSON *row_of(const cJSON *backend, const char *name)
{
    const cJSON *row, *rows = cJSON_GetObjectItemCaseSensitive(backend, "rows");

    cJSON_ArrayForEach(row, rows)
    {
        if (!strcmp(sbx_matrix_string(row, "row"), name))
            return row;
    }
    return NULL;
}

static const cJSON *all_rows(const cJSON *backends)
{
    const cJSON *backend, *rows, *most = NULL;

    cJSON_ArrayForEach(backend, backends)
    {
        rows = cJSON_GetObjectItemCaseSensitive(backend, "rows");
        if (cJSON_GetArraySize(rows) > cJSON_GetArraySize(most))
            most = rows;
    }
    return most;
}

static const char *verdict_class(const char *verdict)
{
    return !strcmp(verdict, "held") || !strcmp(verdict, "works") ? "good"
           : !strcmp(verdict, "GAP") || !strcmp(verdict, "lost") ? "bad"
                                                                 : "quiet";
}

static void print_probes(const cJSON *root, sbx_text *out)
{
    const cJSON *backend, *backends = cJSON_GetObjectItemCaseSensitive(root, "backends"), *row,
                          *rows = all_rows(backends);
    const char *verdict;

    if (!rows)
        return;
    sbx_text_add(
        out,
        "<h2>Every probe</h2>\n<p><strong>held</strong>: refused, as the backend claims. <strong>GAP</strong>: open, "
        "though "
        "the backend claims to enforce the area. <strong>closed</strong> and <strong>open</strong>: nothing is "
        "claimed. "
        "<strong>works</strong> and <strong>lost</strong>: what every sandbox should let be. <strong>untried</strong>: "
        "not open without a sandbox either.</p>\n");
    open_table("Every probe", out);
    heading("What is tried", out);
    heading("Area", out);
    cJSON_ArrayForEach(backend, backends)
    {
        heading(sbx_matrix_string(backend, "name"), out);
    }
    sbx_text_add(out, "</tr></thead>\n<tbody>\n");
    cJSON_ArrayForEach(row, rows)
    {
        row_heading(sbx_matrix_string(row, "tried"), out);
        sbx_markup_element(out, "td", "quiet", sbx_matrix_string(row, "area"));
        cJSON_ArrayForEach(backend, backends)
        {
            verdict = sbx_matrix_string(row_of(backend, sbx_matrix_string(row, "row")), "verdict");
            sbx_markup_element(out, "td", verdict_class(verdict), verdict);
        }
        sbx_text_add(out, "</tr>\n");
    }
    close_table(out);
}

/* ---- what the command did otherwise ---- */

static void print_paths(const cJSON *list, const char *title, sbx_text *out)
{
    const cJSON *path;
    const int count = cJSON_GetArraySize(list);
    int left = PATHS_SHOWN;

    if (!count)
        return;
    sbx_text_printf(out, "<p>%s (%d):</p>\n<ul>\n", title, count);
    cJSON_ArrayForEach(path, list)
    {
        if (!left--)
            break;
        sbx_text_add(out, "<li>");
        sbx_markup_element(out, "code", NULL, cJSON_GetStringValue(path) ? cJSON_GetStringValue(path) : "");
        sbx_text_add(out, "</li>\n");
    }
    if (count > PATHS_SHOWN)
        sbx_text_printf(out, "<li>and %d more, which the JSON has</li>\n", count - PATHS_SHOWN);
    sbx_text_add(out, "</ul>\n");
}

static void print_first(const cJSON *difference, sbx_text *out)
{
    double line = 0;

    if (!cJSON_IsObject(difference))
        return;
    sbx_matrix_number(difference, "line", &line);
    sbx_text_add(out, "<p>The output differs first in line ");
    sbx_text_printf(out, "%.0f of ", line);
    sbx_markup_text(out, sbx_matrix_string(difference, "stream"));
    sbx_text_add(out, ". Without sbx:</p>\n");
    sbx_markup_element(out, "pre", NULL, sbx_matrix_string(difference, "without"));
    sbx_text_add(out, "\n<p>Through it:</p>\n");
    sbx_markup_element(out, "pre", NULL, sbx_matrix_string(difference, "within"));
    sbx_text_add_char(out, '\n');
}

/* What the run itself says that it leaves open. */
static void print_gaps(const cJSON *notes, sbx_text *out)
{
    const cJSON *note;
    unsigned gaps = 0;

    cJSON_ArrayForEach(note, notes)
    {
        if (strcmp(sbx_matrix_string(note, "kind"), "gap") != 0)
            continue;
        sbx_text_add(out, gaps++ ? "<li>" : "<details>\n<summary>Gaps that the run names</summary>\n<ul>\n<li>");
        sbx_markup_element(out, "code", NULL, sbx_matrix_string(note, "object"));
        sbx_text_add(out, ": ");
        sbx_markup_text(out, sbx_matrix_string(note, "text"));
        sbx_text_add(out, "</li>\n");
    }
    if (gaps)
        sbx_text_add(out, "</ul>\n</details>\n");
}

static void print_command(const cJSON *command, const char *name, sbx_text *out)
{
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(command, "files");

    if (!cJSON_IsObject(command))
        return;
    sbx_markup_element(out, "h3", NULL, name);
    sbx_text_add_char(out, '\n');
    if (sbx_matrix_string(command, "error")[0]) {
        sbx_text_add(out, "<p class=\"bad\">");
        sbx_markup_text(out, sbx_matrix_string(command, "error"));
        sbx_text_add(out, "</p>\n");
    }
    print_first(cJSON_GetObjectItemCaseSensitive(command, "first_difference"), out);
    print_paths(cJSON_GetObjectItemCaseSensitive(command, "unlike"), "Not as without sbx", out);
    print_paths(cJSON_GetObjectItemCaseSensitive(files, "created"), "Created", out);
    print_paths(cJSON_GetObjectItemCaseSensitive(files, "changed"), "Changed", out);
    print_paths(cJSON_GetObjectItemCaseSensitive(files, "deleted"), "Deleted", out);
    print_gaps(cJSON_GetObjectItemCaseSensitive(command, "notes"), out);
}

static void print_commands(const cJSON *root, sbx_text *out)
{
    const cJSON *backend, *backends = cJSON_GetObjectItemCaseSensitive(root, "backends");

    if (!sbx_matrix_string(root, "command")[0])
        return;
    sbx_text_add(out, "<h2>What the command did</h2>\n");
    print_command(cJSON_GetObjectItemCaseSensitive(sbx_matrix_column(root, 0), "command"), "without sbx", out);
    cJSON_ArrayForEach(backend, backends)
    {
        print_command(cJSON_GetObjectItemCaseSensitive(backend, "command"), sbx_matrix_string(backend, "name"), out);
    }
}

/* ---- the rest ---- */

static void fact(const char *name, const char *text, sbx_text *out)
{
    sbx_markup_element(out, "dt", NULL, name);
    sbx_markup_element(out, "dd", NULL, text);
    sbx_text_add_char(out, '\n');
}

static void take_fact(const char *name, sbx_text *text, sbx_text *out)
{
    fact(name, text->data ? text->data : "", out);
    out->failed |= text->failed;
    sbx_text_fini(text);
}

static void print_facts(const cJSON *root, sbx_text *out)
{
    const cJSON *workspace = cJSON_GetObjectItemCaseSensitive(root, "workspace");
    sbx_text text = {0};
    double number;

    sbx_text_add(out, "<dl>\n");
    fact("Measured", sbx_matrix_string(root, "date"), out);
    fact("sbx", sbx_matrix_string(root, "version"), out);
    if (sbx_matrix_number(root, "runs", &number)) {
        sbx_text_printf(&text, "%.0f of each", number);
        take_fact("Runs", &text, out);
    }
    if (sbx_matrix_string(root, "command")[0]) {
        fact("Command", sbx_matrix_string(root, "command"), out);
        sbx_text_add(&text, sbx_matrix_string(root, "place"));
        if (sbx_matrix_number(workspace, "files", &number)) {
            sbx_text_printf(&text, ", %.0f files, ", number);
            if (sbx_matrix_number(workspace, "bytes", &number))
                sbx_spread_print_bytes(number, &text);
        }
        take_fact("Workspace", &text, out);
    }
    sbx_text_add(out, "</dl>\n");
}

static void print_findings(const cJSON *findings, sbx_text *out)
{
    const cJSON *finding;

    if (!cJSON_GetArraySize(findings))
        return;
    sbx_text_add(out, "<h2>Findings</h2>\n<ul>\n");
    cJSON_ArrayForEach(finding, findings)
    {
        sbx_text_add(out, "<li><strong>");
        sbx_markup_text(out, sbx_matrix_string(finding, "level"));
        sbx_text_add(out, "</strong>: ");
        sbx_markup_text(out, sbx_matrix_string(finding, "what"));
        sbx_text_add(out, "<br><span class=\"dim\">");
        sbx_markup_text(out, sbx_matrix_string(finding, "evidence"));
        sbx_text_add(out, "</span></li>\n");
    }
    sbx_text_add(out, "</ul>\n");
}

void sbx_page_print(const cJSON *root, sbx_text *out)
{
    sbx_matrix m = {0};

    sbx_matrix_make(&m, root);
    sbx_text_add(
        out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta name=\"color-scheme\" content=\"light dark\">\n<title>sbx: backends compared</title>\n<style>\n");
    sbx_text_add(out, sbx_page_style);
    sbx_text_add(out, "</style>\n</head>\n<body>\n<main>\n<h1>Backends compared</h1>\n");
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "complete")))
        sbx_text_add(out, "<p class=\"bad\">Partial: it was stopped before all was measured.</p>\n");
    print_facts(root, out);
    print_findings(cJSON_GetObjectItemCaseSensitive(root, "findings"), out);
    sbx_text_add(out, "<h2>Summary</h2>\n");
    print_matrix(&m, out);
    sbx_text_add(out, "<h2>What it costs</h2>\n");
    sbx_plot_print(root, "launch", "The smallest program, started and ended", out);
    sbx_plot_print(root, "command", "The command", out);
    sbx_text_add(out, "<p class=\"dim\">Bars are medians; the line goes from the lowest to the highest.</p>\n");
    print_commands(root, out);
    print_probes(root, out);
    sbx_text_add(out, "</main>\n</body>\n</html>\n");
    out->failed |= m.failed;
    sbx_matrix_fini(&m);
}
