#include <string.h>

#include "cli/cli.h"

sbx_status sbx_verb_config(sbx_cli *cli, sbx_error *err)
{
    const char *word = cli->word_count ? cli->words[0] : "show";
    sbx_status st;

    if (strcmp(word, "reference") != 0 && strcmp(word, "show") != 0 && strcmp(word, "schema") != 0) {
        sbx_fail(err, SBX_E_USAGE, "config has no such part", word);
        return sbx_hint(err, "show, reference or schema");
    }
    if (cli->word_count > 1) {
        sbx_fail(err, SBX_E_USAGE,
                 !strcmp(word, "show")     ? "config show takes no word"
                 : !strcmp(word, "schema") ? "config schema takes no word"
                                           : "config reference takes no word",
                 cli->words[1]);
        return sbx_hint(err, "see `sbx help config`");
    }
    if (!strcmp(word, "schema"))
        return sbx_config_describe(&cli->out);
    if (word[0] == 'r')
        return sbx_config_reference(&cli->out);
    st = sbx_cli_configure(cli, err);
    return st == SBX_OK ? sbx_config_show(cli->config, cli->json, &cli->out) : st;
}
