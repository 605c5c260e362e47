#include <string.h>

#include "cli/cli.h"

sbx_status sbx_verb_config(sbx_cli *cli, sbx_error *err)
{
    const char *word = cli->word_count ? cli->words[0] : "show";
    sbx_status st;

    if (cli->word_count > 1)
        return sbx_fail(err, SBX_E_USAGE, "one word at a time", cli->words[1]);
    if (!strcmp(word, "reference"))
        return sbx_config_reference(&cli->out);
    if (strcmp(word, "show") != 0) {
        sbx_fail(err, SBX_E_USAGE, "config has no such part", word);
        return sbx_hint(err, "show or reference");
    }
    st = sbx_cli_configure(cli, err);
    return st == SBX_OK ? sbx_config_show(cli->config, cli->json, &cli->out) : st;
}
