/* What a comparison tells: the table, the JSON, the page. */
#include "base/path.h"
#include "cli/compare.h"
#include "cli/examine.h"
#include "compare/matrix.h"
#include "compare/page.h"
#include "compare/table.h"
#include "win/dirs.h"
#include "win/out.h"

/* What cannot be written is told while nothing has happened. */
static sbx_status open_file(sbx_cli *cli, const char *name, sbx_pending *pending, sbx_error *err)
{
    const char *dir, *path;
    sbx_status st = name ? sbx_cli_dir(cli, SBX_DIR_CURRENT, &dir, err) : SBX_OK;

    if (!name || st != SBX_OK)
        return st;
    path = sbx_path_join(&cli->arena, dir, name);
    if (!path)
        return sbx_fail_memory(err);
    st = sbx_pending_open(pending, path, err);
    if (st == SBX_OK)
        st = sbx_pending_check(pending, path, dir, err);
    if (st != SBX_OK && !err->hint[0])
        sbx_hint(err, "it cannot be written there; nothing was run");
    return st;
}

sbx_status sbx_compare_open_files(sbx_cli *cli, sbx_compare_files *to, sbx_error *err)
{
    const sbx_status st = open_file(cli, cli->json_file, &to->json, err);

    return st == SBX_OK ? open_file(cli, cli->html_file, &to->html, err) : st;
}

static sbx_status write_file(const sbx_pending *pending, const sbx_text *text, sbx_error *err)
{
    if (text->failed || text->length > UINT32_MAX)
        return sbx_fail_memory(err);
    return sbx_pending_write(pending, text->data, (uint32_t)text->length, err);
}

sbx_status sbx_compare_write(const sbx_compare *c, const sbx_compare_files *to, sbx_error *err)
{
    sbx_text html = {0}, text = {0};
    char *json = NULL;
    sbx_status st = SBX_OK;

    if (to->json.folder) {
        json = cJSON_Print(c->root);
        sbx_text_add(&text, json ? json : "");
        sbx_text_add_char(&text, '\n');
        st = json ? write_file(&to->json, &text, err) : sbx_fail_memory(err);
        cJSON_free(json);
    }
    if (st == SBX_OK && to->html.folder) {
        sbx_page_print(c->root, &html);
        st = write_file(&to->html, &html, err);
    }
    sbx_text_fini(&html);
    sbx_text_fini(&text);
    return st;
}

static void print_findings(const sbx_compare *c, sbx_text *out)
{
    const cJSON *finding;

    cJSON_ArrayForEach(finding, c->findings)
    {
        sbx_text_printf(out, "%-8s", sbx_examine_string(finding, "level"));
        sbx_out_wrap(out, 8, sbx_examine_string(finding, "what"));
        sbx_text_printf(out, "%8s", "");
        sbx_out_wrap(out, 8, sbx_examine_string(finding, "evidence"));
    }
}

sbx_status sbx_compare_print(const sbx_compare *c, int stopped, sbx_text *out, sbx_error *err)
{
    const unsigned console = sbx_out_columns(SBX_OUT_STDOUT);
    sbx_matrix matrix = {0};
    int failed;

    if (stopped)
        sbx_text_add(out, "partial: stopped before all was measured\n");
    sbx_matrix_make(&matrix, c->root);
    failed = matrix.failed;
    if (!failed) /* a console begins a new line by itself where one is as long as it is wide */
        sbx_table_print(&matrix, console ? console - 1 : SBX_TEXT_COLUMNS, out);
    sbx_matrix_fini(&matrix);
    print_findings(c, out);
    return failed ? sbx_fail_memory(err) : SBX_OK;
}
