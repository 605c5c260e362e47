#include <string.h>

#include "cli/cli.h"
#include "config/schema.h"

/* A PowerShell string: a quote is written twice. */
static void literal(sbx_text *out, const char *text)
{
    sbx_text_add_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            sbx_text_add_char(out, '\'');
        sbx_text_add_char(out, *text);
    }
    sbx_text_add_char(out, '\'');
}

static void row(sbx_text *out, const char *word, const char *help)
{
    sbx_text_add(out, "        ");
    literal(out, word);
    sbx_text_add(out, " = ");
    literal(out, help && help[0] ? help : word);
    sbx_text_add_char(out, '\n');
}

static void options(sbx_text *out)
{
    uint32_t count, i, f;
    const sbx_key *keys = sbx_schema_keys(&count);

    sbx_text_add(out, "    $options = [ordered]@{\n");
    for (i = 0; i < count; i++)
        for (f = 0; f < SBX_KEY_FLAGS && keys[i].flags[f].name; f++)
            row(out, keys[i].flags[f].name, keys[i].flags[f].help ? keys[i].flags[f].help : keys[i].help);
    row(out, "--config", "One more configuration file");
    row(out, "--profile", "A profile of the configuration");
    row(out, "--report", "Write what happened as JSON");
    row(out, "--json", "For programs");
    row(out, "--quiet", "No warnings");
    row(out, "--verbose", "Say more");
    row(out, "--help", "Help");
    row(out, "--version", "The version");
    sbx_text_add(out, "    }\n    $values = @{\n");
    for (i = 0; i < count; i++) {
        const char *const *word;

        if (!keys[i].words || !keys[i].flags[0].name || !keys[i].flags[0].argument)
            continue;
        sbx_text_add(out, "        ");
        literal(out, keys[i].flags[0].name);
        sbx_text_add(out, " = @(");
        for (word = keys[i].words; *word; word++) {
            sbx_text_add(out, word == keys[i].words ? "" : ", ");
            literal(out, *word);
        }
        sbx_text_add(out, ")\n");
    }
    sbx_text_add(out, "    }\n");
}

/* Source: MSDN "Register-ArgumentCompleter" (-Native). */
sbx_status sbx_verb_completion(sbx_cli *cli, sbx_error *err)
{
    sbx_text *out = &cli->out;
    uint32_t count, i;
    const sbx_verb *verbs = sbx_cli_verbs(&count);

    if (cli->word_count != 1 || strcmp(cli->words[0], "powershell") != 0) {
        sbx_fail(err, SBX_E_USAGE, "for which shell?", cli->word_count ? cli->words[0] : "completion");
        return sbx_hint(err, "sbx completion powershell");
    }
    sbx_text_add(out, "Register-ArgumentCompleter -Native -CommandName sbx, sbx.exe -ScriptBlock {\n"
                      "    param($word, $ast, $position)\n"
                      "    $verbs = [ordered]@{\n");
    for (i = 0; i < count; i++)
        if (!(verbs[i].takes & SBX_TAKES_INTERNAL))
            row(out, verbs[i].name, verbs[i].summary);
    sbx_text_add(out, "    }\n");
    options(out);
    sbx_text_add(out,
                 "    $typed = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $position } |\n"
                 "        Select-Object -Skip 1 | ForEach-Object { $_.ToString() })\n"
                 "    if ($typed -contains '--') { return }\n"
                 "    $last = if ($typed.Count) { $typed[-1] } else { '' }\n"
                 "    if ($values.ContainsKey($last)) {\n"
                 "        $values[$last] | Where-Object { $_ -like \"$word*\" } | ForEach-Object {\n"
                 "            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }\n"
                 "        return\n"
                 "    }\n"
                 "    $from = if ($word -like '-*') { $options } elseif ($typed.Count) { @{} } else { $verbs }\n"
                 "    $from.Keys | Where-Object { $_ -like \"$word*\" } | ForEach-Object {\n"
                 "        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterName', $from[$_]) }\n"
                 "}\n");
    return SBX_OK;
}
