/* A shell as the command, with a mark in its prompt that says where one is. */
#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "win/dirs.h"
#include "win/resolve.h"
#include "win/wide.h"

#define MARK "(sbx) "

/* What the user's profile, or PROMPT, makes of it stays, behind the mark; cmd gives PROMPT a value where there is none.
 * Source: PowerShell "about_Prompts"; "cmd", "prompt" of the command reference. */
#define POWERSHELL " -NoLogo -NoExit -Command \"$sbx = $function:prompt; function prompt { '" MARK "' + (& $sbx) }\""
#define CMD " /k set \"PROMPT=" MARK "%PROMPT%\""

static const struct {
    const char *name, *line;
} shells[] = {{"pwsh", "pwsh" POWERSHELL}, {"powershell", "powershell" POWERSHELL}, {"cmd", "cmd" CMD}};
#define SHELL_COUNT (sizeof(shells) / sizeof(shells[0]))

/* The first that is there; cmd is a part of Windows. */
static sbx_status find(sbx_cli *cli, size_t *found, sbx_error *err)
{
    const char *dir;
    WCHAR *environment = GetEnvironmentStringsW();
    sbx_program program;
    sbx_error ignored;
    size_t i;
    sbx_status st = environment ? sbx_cli_dir(cli, SBX_DIR_CURRENT, &dir, err) : sbx_fail_memory(err);

    for (i = 0; st == SBX_OK && i + 1 < SHELL_COUNT; i++)
        if (sbx_resolve(&cli->arena, shells[i].name, dir, (const uint16_t *)environment, &program, &ignored) == SBX_OK)
            break;
    *found = i;
    if (environment)
        FreeEnvironmentStringsW(environment);
    return st;
}

sbx_status sbx_verb_shell(sbx_cli *cli, sbx_error *err)
{
    uint16_t *line_w = NULL;
    size_t i = 0;
    sbx_status st = SBX_OK;

    if (cli->word_count > 1)
        return sbx_fail(err, SBX_E_USAGE, "one shell at a time", cli->words[1]);
    if (!cli->word_count)
        st = find(cli, &i, err);
    while (cli->word_count && i < SHELL_COUNT && strcmp(shells[i].name, cli->words[0]) != 0)
        i++;
    if (i == SHELL_COUNT) {
        sbx_fail(err, SBX_E_USAGE, "it is no shell that sbx knows", cli->words[0]);
        return sbx_hint(err, "pwsh, powershell or cmd; another one: sbx -- %s", cli->words[0]);
    }
    if (st == SBX_OK)
        st = sbx_wide(shells[i].line, shells[i].name, &line_w, err);
    if (st == SBX_OK) {
        cli->command_w = line_w;
        cli->command = shells[i].name;
        st = sbx_verb_run(cli, err);
    }
    cli->command_w = NULL;
    sbx_free(line_w);
    return st;
}
