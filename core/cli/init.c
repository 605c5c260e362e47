/* The first configuration of a user: the backend that can be had here, written down. */
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/select.h"
#include "cli/user_file.h"
#include "config/schema.h"
#include "win/out.h"

/* The values that come from the file. */
static sbx_status tell_what_is_there(sbx_cli *cli, const char *path, sbx_error *err)
{
    const size_t length = strlen(path);
    const char *origin, *value;
    uint32_t count, i, told = 0;
    const sbx_key *keys = sbx_schema_keys(&count);
    sbx_status st = sbx_cli_configure(cli, err);

    if (st != SBX_OK)
        return st;
    sbx_text_printf(&cli->out, "%s is there already and stays as it is; it sets\n", path);
    for (i = 0; i < count; i++) {
        value = sbx_config_string(cli->config, keys[i].name, &origin);
        if (strncmp(origin, path, length) != 0 || origin[length] != ':')
            continue;
        sbx_text_printf(&cli->out, "  %s%s%s (line %s)\n", keys[i].name, value ? " = " : "", value ? value : "",
                        origin + length + 1);
        told++;
    }
    if (!told)
        sbx_text_add(&cli->out, "  nothing that differs from what is built in\n");
    sbx_text_add(&cli->out, "Change it with: sbx config set KEY VALUE\n");
    return SBX_OK;
}

static void tell(sbx_cli *cli, const char *path, const char *chosen, uint32_t more)
{
    sbx_text line = {0};

    sbx_text_printf(&cli->out, "%s is made: backend = \"%s\"\n", path, chosen);
    if (more) {
        sbx_text_add(&line,
                     "`sbx setup`, once, with administrator rights, is worth it: the backend elevated enforces ");
        sbx_areas_print_names(more, &line);
        sbx_text_add(&line, " as well.  Then: sbx config set backend elevated");
        sbx_text_add(&cli->out, "  ");
        sbx_out_wrap(&cli->out, 2, line.failed ? "" : line.data);
        cli->out.failed |= line.failed;
        sbx_text_fini(&line);
    }
    sbx_text_add(&cli->out, "  In the folder of a project: sbx plan, and then sbx -- COMMAND\n");
}

sbx_status sbx_verb_init(sbx_cli *cli, sbx_error *err)
{
    sbx_guarantees best = {0}, claims = {0};
    const char *path, *chosen = "elevated";
    char *text = NULL;
    size_t length = 0;
    sbx_text first = {0};
    int there = 0;
    sbx_status st = sbx_cli_config_path(cli, SBX_CONFIG_USER, &path, err);

    if (st == SBX_OK)
        st = sbx_user_file_read(cli, &text, &length, &there, err);
    sbx_free(text);
    if (st != SBX_OK)
        return st;
    if (there)
        return tell_what_is_there(cli, path, err);
    if ((st = sbx_cli_plugins(cli, err)) != SBX_OK)
        return st;
    st = sbx_choice_probe(chosen, &best, err);
    claims = best;
    if (st == SBX_E_UNAVAILABLE) {
        chosen = "unelevated";
        st = sbx_choice_probe(chosen, &claims, err);
    }
    if (st == SBX_OK && sbx_config_starter(chosen, &first) != SBX_OK)
        st = sbx_fail_memory(err);
    if (st == SBX_OK)
        st = sbx_user_file_write(cli, first.data, first.length, err);
    if (st == SBX_OK)
        tell(cli, path, chosen, best.enforced & ~claims.enforced);
    sbx_text_fini(&first);
    return st;
}
