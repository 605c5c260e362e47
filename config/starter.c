/* The file that a person begins with: what was chosen, and the few keys that matter with what they are. */
#include "config/config.h"

#include <string.h>

#include "config/schema.h"

static const char *const shown[] = {"network",     "filesystem.writable", "filesystem.deny_read", "environment.pass",
                                    "limits.time", "limits.memory",       "tools.presets"};

sbx_status sbx_config_starter(const char *backend, sbx_text *out)
{
    const char *table = "", *name;
    size_t table_length = 0, length, i;
    const sbx_key *key;
    sbx_text help = {0};

    sbx_text_add(out, "# The configuration of sbx for your account.  All that there is: sbx config reference\n"
                      "# A line is set here, or with: sbx config set KEY VALUE\n");
    sbx_text_printf(out, "\n# What confines commands: `sbx backends` tells what each guarantees.\nbackend = \"%s\"\n",
                    backend);
    for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        key = sbx_schema_find(shown[i]);
        length = sbx_schema_table_length(key, &name);
        if (length != table_length || memcmp(table, key->name, length) != 0)
            sbx_text_printf(out, "\n[%.*s]", (int)length, key->name);
        table = key->name;
        table_length = length;
        sbx_text_printf(&help, "%s.", key->help);
        sbx_text_add(out, "\n# ");
        sbx_text_wrap(out, "#", 2, help.failed ? "" : help.data);
        sbx_text_printf(out, "# %s = %s\n", name, key->default_value);
        out->failed |= help.failed;
        sbx_text_fini(&help);
    }
    return out->failed ? SBX_E_MEMORY : SBX_OK;
}
