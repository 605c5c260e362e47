/* What a backend does to the environment of the command: told, by name. */
#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "win/out.h"
#include "cli/select.h"
#include "config/variables.h"

static int same(const char *a, const char *b)
{
    return sbx_environment_same(a, strlen(a), b, strlen(b));
}

/* Each name once, with the last that is done to it. */
static void add_names(const sbx_env_edits *edits, int removed, const char *what, sbx_text *text)
{
    const char *between = what;
    uint32_t i, j;

    for (i = 0; i < edits->count; i++) {
        for (j = i + 1; j < edits->count && !same(edits->edits[i].name, edits->edits[j].name); j++)
            ;
        if (j < edits->count || (edits->edits[i].op == SBX_ENV_UNSET) != removed)
            continue;
        if (edits->edits[i].op == SBX_ENV_DEFAULT && GetEnvironmentVariableA(edits->edits[i].name, NULL, 0))
            continue; /* it stays */
        if (between == what && text->length)
            sbx_text_add(text, "; ");
        sbx_text_add(text, between);
        sbx_text_add(text, edits->edits[i].name);
        between = ", ";
    }
}

static int is_replaced(const char *name, const sbx_env_edits *edits)
{
    uint32_t i;

    for (i = 0; i < edits->count; i++)
        if ((edits->edits[i].op == SBX_ENV_SET || edits->edits[i].op == SBX_ENV_UNSET) &&
            same(edits->edits[i].name, name))
            return 1;
    return 0;
}

static void tell_replaced(sbx_cli *cli, const sbx_choice *choice, const sbx_env_edits *edits)
{
    const sbx_policy *policy = &cli->plan.policy;
    char text[128], line[512];
    uint32_t i;

    snprintf(text, sizeof(text), "not what you set: backend \"%.64s\" replaces it", choice->backend->name);
    for (i = 0; i < policy->env_count; i++) {
        if (policy->env[i].op != SBX_ENV_SET || !is_replaced(policy->env[i].name, edits))
            continue;
        sbx_cli_note(cli, SBX_NOTE_GAP, policy->env[i].name, text);
        if (cli->verb != sbx_cli_verb("run") || cli->quiet || cli->verbosity)
            continue; /* said already, or not to be said */
        snprintf(line, sizeof(line), "%.256s: %s", policy->env[i].name, text);
        sbx_out_line(line);
    }
}

static int is_asked_for(const sbx_cli *cli)
{
    uint32_t i;

    for (i = 0; i < cli->plan.policy.env_count; i++)
        if (cli->plan.policy.env[i].op == SBX_ENV_SET)
            return 1;
    return cli->verb != sbx_cli_verb("run") || cli->verbosity || cli->report_file;
}

sbx_status sbx_choice_tell_environment(sbx_cli *cli, const sbx_choice *choice, sbx_error *err)
{
    sbx_env_edits edits = {0};
    sbx_text text = {0};
    sbx_status st;

    if (!is_asked_for(cli))
        return SBX_OK;
    edits.size = sizeof(edits);
    st = choice->backend->environment(choice->session, &edits, err);
    if (st != SBX_OK)
        return st;
    add_names(&edits, 0, "sets ", &text);
    add_names(&edits, 1, "removes ", &text);
    if (text.failed)
        st = sbx_fail_memory(err);
    else if (text.length)
        sbx_cli_note(cli, SBX_NOTE_GRANT, "environment", text.data);
    sbx_text_fini(&text);
    tell_replaced(cli, choice, &edits);
    return st;
}
