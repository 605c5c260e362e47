/*
 * A backend looked at from outside.  A DLL that crashes or hangs must not end or hold up those who ask, so it is
 * loaded by another sbx.exe (`sbx __examine NAME`), which prints one JSON object.
 */
#include "cli/examine.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/quote.h"
#include "cli/child.h"
#include "cli/cli.h"
#include "cli/select.h"

#define EXAMINE_MS 5000u

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

/* The program's own file: the one beside which the backends lie. */
static char *own_program(void)
{
    sbx_text text = {0};

    sbx_text_printf(&text, "%s\\sbx.exe", sbx_plugin_program_dir());
    return sbx_text_take(&text);
}

/* ---- the listing side ---- */

static cJSON *refused(const char *name, const char *operation, const char *hint)
{
    cJSON *object = cJSON_CreateObject();
    char *path = sbx_plugin_file(name);
    sbx_error err;

    sbx_fail(&err, SBX_E_BACKEND, operation, path);
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
    return refused(name, operation, "remove it from the folder of the backends, or install it again");
}

sbx_status sbx_examine(const char *name, cJSON **object, sbx_error *err)
{
    char *program = own_program();
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
            *object = refused(name, "it did not answer within 5 seconds",
                              "remove it from the folder of the backends, or install it again");
        else if (!*object)
            *object = crashed(name, &output);
    }
    sbx_text_fini(&output);
    sbx_text_fini(&line);
    return st;
}

const char *sbx_examine_string(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text ? text : "";
}
