/* The user's part of setup: what no administrator is needed for, as he has to be asked what of his may be read. */
#include <string.h>

#include "cli/cli.h"
#include "cli/select.h"
#include "win/error.h"
#include "win/user.h"

#define PRESENT 1u

static void say(sbx_cli *cli, const sbx_backend *backend, const char *state, const sbx_setup_step *step)
{
    sbx_text_printf(&cli->out, "%s: %-8s %s  ", backend->name, state, step->name);
    sbx_text_add_shown(&cli->out, step->summary, 0);
    sbx_text_add_char(&cli->out, '\n');
}

/* 1: the backend's own words for what came of one step are in *state. */
static sbx_status one(sbx_cli *cli, const sbx_setup_step *step, const char **state, sbx_error *err)
{
    uint32_t found = 0;
    sbx_status st = step->present(step, &found, err);
    const int is_there = found == PRESENT;

    *state = is_there ? "present" : "absent";
    if (st != SBX_OK || cli->status || is_there != cli->remove)
        return st;
    *state = cli->remove ? "to undo" : "to do";
    if (cli->dry_run)
        return SBX_OK;
    st = cli->remove ? step->undo(step, err) : step->apply(step, err);
    if (st == SBX_OK && (st = step->present(step, &found, err)) == SBX_OK && (found == PRESENT) == cli->remove)
        st = sbx_fail(err, SBX_E_UNENFORCED, cli->remove ? "undone, but it is there" : "applied, but it is not there",
                      step->summary);
    *state = cli->remove ? "undone" : "done";
    return st;
}

/* The error is that of the first that failed; the others are done all the same. */
static sbx_status each(sbx_cli *cli, const sbx_backend *backend, sbx_error *err)
{
    sbx_setup_options options = {.size = sizeof(options), .part = SBX_SETUP_USER};
    const sbx_setup_step *steps = NULL;
    char user_text[192];
    sbx_user_sid user;
    uint32_t count = 0, i;
    sbx_status st = sbx_user_get(&user, err), failed = SBX_OK;

    if (st != SBX_OK)
        return st;
    sbx_user_sid_text(user.u.bytes, user_text, sizeof(user_text));
    options.user_sid = user_text;
    options.read = cli->plan.policy.read;
    options.readable = cli->plan.policy.readable;
    options.readable_count = cli->plan.policy.readable_count;
    options.flags = cli->dry_run || cli->status ? SBX_SETUP_DRY_RUN : 0;
    if ((st = backend->setup_steps(&options, &steps, &count, err)) != SBX_OK)
        return st;
    for (i = 0; i < count; i++) {
        sbx_error why = {.size = sizeof(why)};
        const char *state = "failed";

        st = one(cli, &steps[i], &state, &why);
        say(cli, backend, st == SBX_OK ? state : "failed", &steps[i]);
        if (st != SBX_OK && failed == SBX_OK) {
            failed = st;
            *err = why;
        }
    }
    if (!count && cli->tools)
        sbx_text_printf(&cli->out, "%s: nothing of yours needs to be opened to commands\n", backend->name);
    return failed;
}

sbx_status sbx_setup_user(sbx_cli *cli, sbx_error *err)
{
    /* wherever setup is started, no folder of work is asked for */
    static const sbx_flag_value none = {"--read-only", "filesystem.writable", ""};
    sbx_plugin *plugin = NULL;
    sbx_status st;

    cli->settings = &none;
    cli->setting_count = 1;
    st = sbx_cli_plan(cli, err);

    if (st == SBX_OK)
        st = sbx_plugin_load(cli->word_count ? cli->words[0] : "elevated", &plugin, err);
    if (st == SBX_OK)
        st = each(cli, sbx_plugin_backend(plugin), err);
    sbx_plugin_free(plugin);
    return st;
}
