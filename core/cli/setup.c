/* `sbx setup`: starts sbx-setup.exe, with administrator rights only where a step needs to be done. */
#include <stdlib.h>
#include <string.h>

#include "base/quote.h"
#include "cli/child.h"
#include "cli/cli.h"
#include "cli/elevate.h"
#include "cli/select.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/out.h"
#include "win/user.h"

#define STEPS_MISSING 3u /* sbx-setup.exe --check */

static void add_word(sbx_text *line, const char *word)
{
    if (line->length)
        sbx_text_add_char(line, ' ');
    sbx_quote_argument(line, word);
}

/* program NULL: its arguments alone.  pipe: what it says goes there (elevate.h).  Whom it is for, and who calls, is said: with
 * administrator rights it may run as somebody else. */
static sbx_status line_for(sbx_cli *cli, const char *program, const char *action, const char *pipe, sbx_text *line,
                           sbx_error *err)
{
    char user_text[192];
    sbx_user_sid user;
    uint32_t i;
    sbx_status st = sbx_user_get(&user, err);

    if (st != SBX_OK)
        return st;
    sbx_user_sid_text(user.u.bytes, user_text, sizeof(user_text));
    {
        /* each as it was typed; sbx-setup judges it */
        const struct {
            const char *name, *value; /* NULL: not given */
        } given[] = {
            {"--user", cli->user ? cli->user : user_text}, {"--slots", cli->slots},
            {"--loopback", cli->setup_loopback},           {"--pipe", pipe},
            {"--caller", pipe ? user_text : NULL},
        };

        if (program)
            sbx_quote_line(line, &program, 1, err);
        add_word(line, action);
        if (cli->check)
            add_word(line, "--list");
        if (cli->dry_run)
            add_word(line, "--dry-run");
        if (cli->json)
            add_word(line, "--json");
        for (i = 0; i < sizeof(given) / sizeof(given[0]); i++)
            if (given[i].value) {
                add_word(line, given[i].name);
                add_word(line, given[i].value);
            }
    }
    if (cli->word_count)
        add_word(line, cli->words[0]);
    return line->failed ? sbx_fail_memory(err) : SBX_OK;
}

static sbx_status run_here(sbx_cli *cli, const char *program, const char *action, uint32_t *exit_code, sbx_error *err)
{
    sbx_text line = {0};
    sbx_status st = line_for(cli, program, action, NULL, &line, err);

    if (st == SBX_OK)
        st = sbx_child_run(program, line.data, 0, NULL, NULL, exit_code, err);
    sbx_text_fini(&line);
    return st;
}

static sbx_status run_elevated(sbx_cli *cli, const char *program, const char *action, uint32_t *exit_code,
                               sbx_error *err)
{
    sbx_text line = {0};
    char id[33];
    sbx_status st = sbx_run_id(id, err);

    if (st == SBX_OK && (st = line_for(cli, NULL, action, id, &line, err)) == SBX_OK)
        st = sbx_elevate_run(program, line.data, id, exit_code, err);
    sbx_text_fini(&line);
    return st;
}

static const char *action_of(const sbx_cli *cli)
{
    return cli->remove ? "--remove" : cli->repair ? "--repair" : "--apply";
}

/* What the user's commands were granted, before their accounts go: by himself, for with administrator rights nobody goes by what
 * his records say. */
static void clean_first(sbx_cli *cli)
{
    const uint32_t json = cli->json;
    sbx_error why = {0};
    char text[1024];
    sbx_status st;

    cli->json = 0;
    st = sbx_clean_all(cli, &why);
    cli->json = json;
    if (!json && cli->out.length && !cli->out.failed)
        sbx_out_text(SBX_OUT_STDOUT, cli->out.data);
    sbx_text_fini(&cli->out);
    if (st == SBX_OK)
        return;
    sbx_error_describe(&why, text, sizeof(text));
    sbx_out_error(text, "some of what commands were granted stays: sbx clean --all");
}

static sbx_status change(sbx_cli *cli, const char *program, sbx_error *err)
{
    const int others = cli->user || sbx_elevate_is();
    uint32_t code = STEPS_MISSING;
    sbx_status st = SBX_OK;

    /* with the rights at hand nothing of a backend runs before the programs are copied (setup/README.md) */
    if (sbx_elevate_is()) {
        st = run_here(cli, program, action_of(cli), &code, err);
    } else {
        if (!cli->repair)
            st = run_here(cli, program, cli->remove ? "--check-remove" : "--check", &code, err);
        if (st == SBX_OK && code == STEPS_MISSING) {
            if (cli->remove && !others)
                clean_first(cli);
            st = run_elevated(cli, program, action_of(cli), &code, err);
            if (st == SBX_E_REFUSED && cli->remove && !others)
                sbx_hint(err, "setup is as it was; what commands were granted is undone");
        }
    }
    if (st == SBX_OK && !code && cli->remove && others && !cli->json)
        sbx_out_text(SBX_OUT_STDOUT,
                     "what commands were granted in a user's folders stays until that user runs: sbx clean --all\n");
    cli->exit_code = (int)code;
    if (st == SBX_OK && !code && !cli->remove && !cli->user && !cli->json)
        st = sbx_setup_user(cli, err);
    return st;
}

sbx_status sbx_verb_setup(sbx_cli *cli, sbx_error *err)
{
    const unsigned long slots = cli->slots ? strtoul(cli->slots, NULL, 10) : 0;
    char *program;
    uint32_t code = 0;
    sbx_status st;

    if (cli->slots &&
        (strspn(cli->slots, "0123456789") != strlen(cli->slots) || strlen(cli->slots) > 2 || slots < 1 || slots > 16)) {
        sbx_fail(err, SBX_E_USAGE, "it is no number from 1 to 16", "--slots");
        return sbx_hint(err, "see `sbx help setup`");
    }
    if (cli->tools && (cli->check || cli->repair || cli->json || cli->slots || cli->user || cli->setup_loopback)) {
        sbx_fail(err, SBX_E_USAGE, "with --status, --dry-run or --remove, and nothing else", "--tools");
        return sbx_hint(err, "see `sbx help setup`");
    }
    if (cli->word_count > 1 || cli->status + cli->check + cli->remove + cli->repair > 1) {
        sbx_fail(err, SBX_E_USAGE, "one backend, one of --status, --check, --repair and --remove", "setup");
        return sbx_hint(err, "see `sbx help setup`");
    }
    if ((st = sbx_cli_plugins(cli, err)) != SBX_OK)
        return st;
    if (cli->tools)
        return sbx_setup_user(cli, err);
    program = sbx_arena_printf(&cli->arena, "%s\\sbx-setup.exe", sbx_plugin_program_dir());
    if (!program)
        return sbx_fail_memory(err);
    if (!cli->status && !cli->check && !cli->dry_run)
        return change(cli, program, err);
    st = run_here(cli, program, cli->status ? "--status" : cli->check ? "--check" : action_of(cli), &code, err);
    cli->exit_code = (int)code;
    return st;
}
