#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/user_file.h"
#include "config/change.h"

static sbx_status no_words(const sbx_cli *cli, const char *what, sbx_error *err)
{
    if (cli->word_count <= 1)
        return SBX_OK;
    sbx_fail(err, SBX_E_USAGE, what, cli->words[1]);
    return sbx_hint(err, "see `sbx help config`");
}

static sbx_status show(sbx_cli *cli, sbx_error *err)
{
    sbx_status st = no_words(cli, "config show takes no word", err);

    if (st == SBX_OK)
        st = sbx_cli_configure(cli, err);
    return st == SBX_OK ? sbx_config_show(cli->config, cli->json, &cli->out) : st;
}

static sbx_status reference(sbx_cli *cli, sbx_error *err)
{
    sbx_status st = no_words(cli, "config reference takes no word", err);

    return st == SBX_OK ? sbx_config_reference(&cli->out) : st;
}

static sbx_status schema(sbx_cli *cli, sbx_error *err)
{
    sbx_status st = no_words(cli, "config schema takes no word", err);

    return st == SBX_OK ? sbx_config_describe(&cli->out) : st;
}

/* Where the files are, in the order in which they are read. */
static sbx_status path(sbx_cli *cli, sbx_error *err)
{
    static const char *const names[] = {"machine", "user", "option"};
    const char *file, *state;
    cJSON *root = NULL, *list = NULL, *item;
    uint32_t i;
    sbx_status st = no_words(cli, "config path takes no word", err);

    if (st == SBX_OK && cli->json) {
        root = cJSON_CreateObject();
        list = cJSON_AddArrayToObject(root, "files");
    }
    for (i = SBX_CONFIG_MACHINE; st == SBX_OK && i <= SBX_CONFIG_OPTION; i++) {
        if (i == SBX_CONFIG_OPTION && !cli->config_file)
            break;
        if ((st = sbx_cli_config_path(cli, i, &file, err)) != SBX_OK)
            break;
        state = sbx_cli_config_state(file, i);
        if (!cli->json) {
            sbx_text_printf(&cli->out, "%-9s %-8s %s\n", names[i], state, file);
            continue;
        }
        cJSON_AddItemToArray(list, item = cJSON_CreateObject());
        cJSON_AddStringToObject(item, "name", names[i]);
        cJSON_AddStringToObject(item, "state", state);
        cJSON_AddStringToObject(item, "path", file);
    }
    if (st == SBX_OK && cli->json)
        return sbx_json_finish(root, &cli->out, err);
    cJSON_Delete(root);
    return st;
}

static sbx_status set(sbx_cli *cli, sbx_error *err)
{
    const char *file, *option = cli->config_file ? "--config" : cli->profile ? "--profile" : NULL;
    char *text = NULL;
    size_t length = 0;
    sbx_text changed = {0};
    int there;
    sbx_status st;

    if (cli->setting_count)
        option = cli->settings[0].flag;
    if (option) {
        sbx_fail(err, SBX_E_USAGE, "config set does not take it", option);
        return sbx_hint(err, "sbx config set KEY VALUE, such as: sbx config set network on");
    }
    if (cli->word_count < 2) {
        sbx_fail(err, SBX_E_USAGE, "a key and a value are missing", "config set");
        return sbx_hint(err, "sbx config set KEY VALUE; `sbx config show` lists the keys");
    }
    if ((st = sbx_cli_config_path(cli, SBX_CONFIG_USER, &file, err)) != SBX_OK ||
        (st = sbx_user_file_read(cli, &text, &length, &there, err)) != SBX_OK)
        return st;
    st =
        sbx_config_change(file, text, length, cli->words[1], cli->words + 2, cli->word_count - 2, &changed, &cli->diag);
    if (st == SBX_OK)
        st = sbx_user_file_write(cli, changed.data, changed.length, err);
    if (st == SBX_OK && !cli->quiet)
        sbx_text_printf(&cli->out, "%s is set in %s\n", cli->words[1], file);
    sbx_text_fini(&changed);
    sbx_free(text);
    return st;
}

sbx_status sbx_verb_config(sbx_cli *cli, sbx_error *err)
{
    static const struct {
        const char *name;
        sbx_status (*run)(sbx_cli *cli, sbx_error *err);
    } parts[] = {{"show", show}, {"set", set}, {"path", path}, {"reference", reference}, {"schema", schema}};
    const char *word = cli->word_count ? cli->words[0] : "show";
    size_t i;

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (!strcmp(parts[i].name, word))
            return parts[i].run(cli, err);
    sbx_fail(err, SBX_E_USAGE, "config has no such part", word);
    return sbx_hint(err, "show, set, path, reference or schema");
}
