#include <string.h>

#include "base/memory.h"
#include "cli/select.h"
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
    static const char *const own[][2] = {{"--config", "One more configuration file"},
                                         {"--profile", "A profile of the configuration"},
                                         {"--report", "Write what happened as JSON"},
                                         {"--json", "For programs"},
                                         {"--backends", "compare: names, with commas between"},
                                         {"--runs", "compare: how often"},
                                         {"--html", "compare: write a page"},
                                         {"--in-place", "compare: without copies"},
                                         {"--all", "clean: everything that no running command holds"},
                                         {"--stale", "clean: what runs that ended badly left behind"},
                                         {"--homes", "clean: homes of commands"},
                                         {"--status", "setup: list the steps"},
                                         {"--remove", "setup, shield: undo it"},
                                         {"--dry-run", "shield: look and tell, change nothing"},
                                         {"--op", "explain: read, write, delete or run"},
                                         {"--last", "explain: the last run that failed"},
                                         {"--quiet", "No warnings"},
                                         {"--verbose", "Say more"},
                                         {"--help", "Help"},
                                         {"--version", "The version"}};
    uint32_t count, i, f;
    const sbx_key *keys = sbx_schema_keys(&count);

    sbx_text_add(out, "    $options = [ordered]@{\n");
    for (i = 0; i < count; i++)
        for (f = 0; f < SBX_KEY_FLAGS && keys[i].flags[f].name; f++)
            row(out, keys[i].flags[f].name, keys[i].flags[f].help ? keys[i].flags[f].help : keys[i].help);
    for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        row(out, own[i][0], own[i][1]);
    sbx_text_add(out, "    }\n");
}

/* The words that may follow an option of the key, NULL behind the last.  NULL: there are no such words. */
static const char *const *words_of(const sbx_key *key, const char *const *backends, const char *const *fallbacks)
{
    static const char *const truth[] = {"true", "false", NULL};

    if (key->type == SBX_KEY_BOOLEAN)
        return truth;
    if (key->type != SBX_KEY_NAME)
        return key->words;
    return strcmp(key->name, "fallback") ? backends : fallbacks;
}

static void word_row(sbx_text *out, const char *option, const char *const *words)
{
    const char *const *word;

    sbx_text_add(out, "        ");
    literal(out, option);
    sbx_text_add(out, " = @(");
    for (word = words; *word; word++) {
        sbx_text_add(out, word == words ? "" : ", ");
        literal(out, *word);
    }
    sbx_text_add(out, ")\n");
}

static void values(sbx_text *out, const char *const *backends, const char *const *fallbacks)
{
    uint32_t count, i;
    const sbx_key *keys = sbx_schema_keys(&count);
    const char *const *words;

    sbx_text_add(out, "    $values = @{\n");
    for (i = 0; i < count; i++) {
        words = keys[i].flags[0].argument ? words_of(&keys[i], backends, fallbacks) : NULL;
        if (!words)
            continue;
        word_row(out, keys[i].flags[0].name, words);
        if (keys[i].flags[0].short_name)
            word_row(out, keys[i].flags[0].short_name, words);
    }
    sbx_text_add(out, "    }\n");
}

/* With the backends that are there while the script is made. */
static sbx_status all_values(sbx_cli *cli, sbx_error *err)
{
    char **names = NULL;
    uint32_t count = 0, i, n = 0, m = 0;
    const char **backends, **fallbacks;
    sbx_status st = sbx_cli_plugins(cli, err);

    if (st == SBX_OK && sbx_plugin_list(&names, &count, NULL) != SBX_OK)
        count = 0;
    backends = sbx_arena_alloc(&cli->arena, ((size_t)count + 1) * sizeof(*backends));
    fallbacks = sbx_arena_alloc(&cli->arena, ((size_t)count + 2) * sizeof(*fallbacks));
    if (st == SBX_OK && (!backends || !fallbacks))
        st = sbx_fail_memory(err);
    if (st == SBX_OK) {
        fallbacks[m++] = "refuse";
        for (i = 0; i < count; i++) {
            backends[n++] = names[i];
            if (strcmp(names[i], "none") != 0) /* the configuration refuses it */
                fallbacks[m++] = names[i];
        }
        values(&cli->out, backends, fallbacks);
    }
    for (i = 0; i < count; i++)
        sbx_free(names[i]);
    sbx_free(names);
    return st;
}

/* Source: MSDN "Register-ArgumentCompleter" (-Native). */
sbx_status sbx_verb_completion(sbx_cli *cli, sbx_error *err)
{
    sbx_text *out = &cli->out;
    uint32_t count, i;
    const sbx_verb *verbs = sbx_cli_verbs(&count);
    sbx_status st;

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
    if ((st = all_values(cli, err)) != SBX_OK)
        return st;
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
