#include "cli/extension.h"

#include <string.h>

#include "base/memory.h"
#include "cli/examine.h"
#include "cli/select.h"

static sbx_status ask(const char *name, const char *id, uint32_t size, sbx_plugin **plugin, const void **ext,
                      sbx_error *err)
{
    cJSON *object = NULL;
    const uint32_t *table; /* begins with its size */
    sbx_status st = sbx_examine(name, &object, err);

    if (st == SBX_OK && strcmp(sbx_examine_string(object, "state"), "refused") != 0)
        st = sbx_plugin_load(name, plugin, err);
    cJSON_Delete(object);
    if (!*plugin)
        return st;
    table = sbx_plugin_backend(*plugin)->extension(id);
    if (table && *table < size)
        st = sbx_fail(err, SBX_E_BACKEND, "the table of an extension is too short", sbx_plugin_path(*plugin));
    if (table && st == SBX_OK) {
        *ext = table;
        return SBX_OK;
    }
    sbx_plugin_free(*plugin);
    *plugin = NULL;
    return st;
}

sbx_status sbx_extension_find(sbx_cli *cli, const char *id, uint32_t size, sbx_plugin **plugin, const void **ext,
                              sbx_error *err)
{
    char **names = NULL;
    uint32_t count = 0, i;
    sbx_status st = sbx_cli_plugins(cli, err);

    if (st == SBX_OK)
        st = sbx_plugin_list(&names, &count, err);
    for (i = 0; i < count; i++) {
        if (st == SBX_OK && !*ext)
            st = ask(names[i], id, size, plugin, ext, err);
        sbx_free(names[i]);
    }
    sbx_free(names);
    return st == SBX_OK && !*ext ? sbx_fail(err, SBX_E_UNAVAILABLE, "no backend here does this", cli->verb->name) : st;
}
