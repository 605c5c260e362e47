/* A writable root that was granted before is looked at again. */
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/extension.h"
#include "cli/json.h"
#include "win/dirs.h"

static sbx_status print_json(sbx_cli *cli, const sbx_grant_count *count, sbx_error *err)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "root", count->root);
    sbx_json_add_u64(json, "objects", count->objects);
    sbx_json_add_u64(json, "opened", count->opened);
    sbx_json_add_u64(json, "closed", count->closed);
    cJSON_AddStringToObject(json, "first_closed", count->first);
    cJSON_AddStringToObject(json, "why_closed", count->why);
    return sbx_json_finish(json, &cli->out, err);
}

static void print(sbx_cli *cli, const sbx_grant_count *count)
{
    sbx_text *out = &cli->out;

    sbx_text_printf(out, "%s\n  %llu of %llu objects opened to commands\n", count->root,
                    (unsigned long long)count->opened, (unsigned long long)count->objects);
    if (count->closed)
        sbx_text_printf(out, "  %llu stay%s closed%s%s: %s\n", (unsigned long long)count->closed,
                        count->closed == 1 ? "s" : "", count->first[0] ? ", as " : "", count->first, count->why);
}

sbx_status sbx_verb_grant(sbx_cli *cli, sbx_error *err)
{
    sbx_grant_count count = {.size = sizeof(count)};
    const void *ext = NULL;
    const char *path = NULL;
    sbx_plugin *plugin = NULL;
    sbx_status st;

    if (cli->word_count > 1) {
        sbx_fail(err, SBX_E_USAGE, "more than one ROOT", "grant");
        return sbx_hint(err, "see `sbx help grant`");
    }
    st = cli->word_count ? sbx_cli_folder(cli, 0, "ROOT", &path, err) : sbx_cli_dir(cli, SBX_DIR_CURRENT, &path, err);
    if (st == SBX_OK)
        st = sbx_extension_find(cli, SBX_EXT_GRANT, sizeof(sbx_ext_grant), &plugin, &ext, err);
    if (st == SBX_OK)
        st = ((const sbx_ext_grant *)ext)->again(path, &count, err);
    if (st == SBX_OK && cli->json)
        st = print_json(cli, &count, err);
    else if (st == SBX_OK || count.opened)
        print(cli, &count);
    sbx_plugin_free(plugin);
    return st;
}
