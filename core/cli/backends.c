/* The list of backends. */
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/examine.h"
#include "cli/select.h"

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

    sbx_text_printf(out, "%-16s %-12s", sbx_examine_string(object, "name"), sbx_examine_string(object, "state"));
    if (claims)
        sbx_text_printf(out, " %s  %s", sbx_examine_string(object, "version"), sbx_examine_string(object, "summary"));
    sbx_text_printf(out, "\n  file      %s\n", sbx_examine_string(object, "path"));
    if (claims) {
        sbx_text_add(out, "  enforced  ");
        print_areas(claims, "enforced", out);
        sbx_text_add(out, "\n  advisory  ");
        print_areas(claims, "advisory", out);
        sbx_text_add(out, "\n  open      ");
        print_areas(claims, "none", out);
        sbx_text_add(out, "\n");
    }
    if (cJSON_IsObject(error)) {
        sbx_text_printf(out, "  why       %s\n", sbx_examine_string(error, "message"));
        if (sbx_examine_string(error, "hint")[0])
            sbx_text_printf(out, "  hint      %s\n", sbx_examine_string(error, "hint"));
    }
}

sbx_status sbx_verb_backends(sbx_cli *cli, sbx_error *err)
{
    cJSON *root = NULL, *list = NULL, *object;
    char **names = NULL;
    uint32_t count = 0, i;
    sbx_status st = sbx_cli_plugins(cli, err);

    if (st != SBX_OK || (st = sbx_plugin_list(&names, &count, err)) != SBX_OK)
        return st;
    root = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(root, "backends");
    if (!list)
        st = sbx_fail_memory(err);
    for (i = 0; i < count; i++) {
        object = NULL;
        if (st == SBX_OK)
            st = sbx_examine(names[i], &object, err);
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
    return st;
}
