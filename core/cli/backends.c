/*
 * The list of backends.  A DLL that crashes or hangs must not hide the others, so each is loaded
 * by another sbx.exe (`sbx __examine NAME`), which prints one JSON object.
 */
#include <stdio.h>
#include <string.h>

#include "base/quote.h"
#include "cli/child.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/select.h"
#include "win/error.h"

#define EXAMINE_MS 5000u

/* The program's own file: the one beside which the backends lie. */
static char *own_program(void)
{
    sbx_text text = {0};

    sbx_text_printf(&text, "%s\\sbx.exe", sbx_plugin_program_dir());
    return sbx_text_take(&text);
}

/* ---- the examined side ---- */

sbx_status sbx_verb_examine(sbx_cli *cli, sbx_error *err)
{
    sbx_plugin *plugin = NULL;
    const sbx_backend *backend;
    cJSON *object;
    char *path;
    sbx_status st;

    if (cli->word_count != 1)
        return sbx_fail(err, SBX_E_USAGE, "one name", "__examine");
    cli->quiet = 1; /* log lines would stand in the JSON's way */
    if ((st = sbx_cli_plugins(cli, err)) != SBX_OK)
        return st;
    object = cJSON_CreateObject();
    path = sbx_plugin_file(cli->words[0]);
    cJSON_AddStringToObject(object, "name", cli->words[0]);
    cJSON_AddStringToObject(object, "path", path ? path : "");
    sbx_free(path);
    st = sbx_plugin_load(cli->words[0], &plugin, err);
    if (st != SBX_OK) {
        cJSON_AddStringToObject(object, "state", "refused");
        sbx_json_add_error(object, "error", err);
        return sbx_json_finish(object, &cli->out, err);
    }
    backend = sbx_plugin_backend(plugin);
    cJSON_AddStringToObject(object, "version", backend->version);
    cJSON_AddStringToObject(object, "summary", backend->summary);
    cJSON_AddBoolToObject(object, "account", (backend->flags & SBX_BACKEND_ACCOUNT) != 0);
    sbx_json_add_guarantees(object, "claims", &backend->claims);
    st = backend->probe(err);
    cJSON_AddStringToObject(object, "state",
                            st == SBX_OK          ? "available"
                            : st == SBX_E_BACKEND ? "refused"
                                                  : "unavailable");
    if (st == SBX_OK)
        cJSON_AddNullToObject(object, "error");
    else
        sbx_json_add_error(object, "error", err);
    sbx_plugin_free(plugin);
    return sbx_json_finish(object, &cli->out, err);
}

/* ---- the listing side ---- */

static cJSON *refused(const char *name, const char *operation, uint32_t code, const char *hint)
{
    cJSON *object = cJSON_CreateObject();
    char *path = sbx_plugin_file(name);
    sbx_error err;

    sbx_fail_code(&err, SBX_E_BACKEND, SBX_CODE_NONE, code, operation, path);
    sbx_hint(&err, "%s", hint);
    cJSON_AddStringToObject(object, "name", name);
    cJSON_AddStringToObject(object, "path", path ? path : "");
    cJSON_AddStringToObject(object, "state", "refused");
    sbx_json_add_error(object, "error", &err);
    sbx_free(path);
    return object;
}

/* What the handler of exceptions wrote, without its beginning and its newline. */
static cJSON *crashed(const char *name, sbx_text *output)
{
    static const char mark[] = ": crashed in ";
    char *at = output->data ? strstr(output->data, mark) : NULL, *end;
    char operation[64] = "it ended without an answer";

    if (at) {
        at += 2;
        end = strchr(at, '\n');
        if (end && end > at && end[-1] == '\r')
            end--;
        if (end)
            *end = 0;
        snprintf(operation, sizeof(operation), "%s", at);
    }
    return refused(name, operation, 0, "remove it from the folder of the backends, or install it again");
}

static sbx_status examine(const char *program, const char *name, cJSON **object, sbx_error *err)
{
    sbx_text line = {0}, output = {0};
    const char *const items[] = {program, "__examine", name};
    uint32_t exit_code = 0;
    int timed_out = 0;
    sbx_status st = sbx_quote_line(&line, items, 3, err);

    if (st == SBX_OK && line.failed)
        st = sbx_fail_memory(err);
    if (st == SBX_OK)
        st = sbx_child_run(program, line.data, EXAMINE_MS, &output, &timed_out, &exit_code, err);
    if (st == SBX_OK) {
        *object = output.data && !timed_out && !exit_code ? cJSON_Parse(output.data) : NULL;
        if (timed_out)
            *object = refused(name, "it did not answer within 5 seconds", 0,
                              "remove it from the folder of the backends, or install it again");
        else if (!*object)
            *object = crashed(name, &output);
    }
    sbx_text_fini(&output);
    sbx_text_fini(&line);
    return st;
}

static const char *string_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text ? text : "";
}

static void print_areas(const cJSON *claims, const char *key, sbx_text *out)
{
    const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(claims, key);
    const char *between = "";

    cJSON_ArrayForEach(item, list)
    {
        sbx_text_printf(out, "%s%s", between, cJSON_GetStringValue(item));
        between = ", ";
    }
    if (!between[0])
        sbx_text_add(out, "nothing");
}

static void print_one(const cJSON *object, sbx_text *out)
{
    const cJSON *claims = cJSON_GetObjectItemCaseSensitive(object, "claims");
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(object, "error");

    sbx_text_printf(out, "%-16s %-12s", string_of(object, "name"), string_of(object, "state"));
    if (claims)
        sbx_text_printf(out, " %s  %s", string_of(object, "version"), string_of(object, "summary"));
    sbx_text_printf(out, "\n  file      %s\n", string_of(object, "path"));
    if (claims) {
        sbx_text_add(out, "  enforced  ");
        print_areas(claims, "enforced", out);
        sbx_text_add(out, "\n  advisory  ");
        print_areas(claims, "advisory", out);
        sbx_text_add(out, "\n");
    }
    if (cJSON_IsObject(error)) {
        sbx_text_printf(out, "  why       %s\n", string_of(error, "message"));
        if (string_of(error, "hint")[0])
            sbx_text_printf(out, "  hint      %s\n", string_of(error, "hint"));
    }
}

sbx_status sbx_verb_backends(sbx_cli *cli, sbx_error *err)
{
    cJSON *root = NULL, *list = NULL, *object;
    char **names = NULL, *program = NULL;
    uint32_t count = 0, i;
    sbx_status st = sbx_cli_plugins(cli, err);

    if (st != SBX_OK || (st = sbx_plugin_list(&names, &count, err)) != SBX_OK)
        return st;
    root = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(root, "backends");
    program = own_program();
    if (!list || !program)
        st = sbx_fail_memory(err);
    for (i = 0; i < count; i++) {
        object = NULL;
        if (st == SBX_OK)
            st = examine(program, names[i], &object, err);
        if (object)
            cJSON_AddItemToArray(list, object);
        if (object && !cli->json)
            print_one(object, &cli->out);
        sbx_free(names[i]);
    }
    if (st == SBX_OK && cli->json) {
        st = sbx_json_finish(root, &cli->out, err);
        root = NULL;
    }
    if (st == SBX_OK && !count && !cli->json)
        sbx_text_printf(&cli->out, "there are no backends in %s\\backends\n", sbx_plugin_program_dir());
    cJSON_Delete(root);
    sbx_free(names);
    sbx_free(program);
    return st;
}
