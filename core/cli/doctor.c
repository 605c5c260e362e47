/* What is claimed against what is measured, and what of the machine stands in the way. */
#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "cli/doctor.h"
#include "cli/examine.h"
#include "cli/select.h"

#define AS_CLAIMED 0
#define GAPS 1
#define BROKEN 125

typedef struct doctor {
    sbx_cli *cli;
    sbx_doctor_scratch scratch;
    cJSON *root, *findings, *backends, *control;
} doctor;

static const char *member_text(const cJSON *object, const char *key, const char *inner)
{
    return sbx_examine_string(cJSON_GetObjectItemCaseSensitive(object, key), inner);
}

/* Where the user's profile is stands in paths, and his name in that. */
static const char *without_profile(const doctor *d, const char *text)
{
    const char *profile = d->scratch.profile;
    const size_t length = profile ? strlen(profile) : 0;
    sbx_text shown = {0};
    const char *result;

    for (; *text; text++) {
        if (length && !_strnicmp(text, profile, length)) {
            sbx_text_add(&shown, "%USERPROFILE%");
            text += length - 1;
        } else {
            sbx_text_add_char(&shown, *text);
        }
    }
    result = shown.data ? sbx_arena_strdup(&d->cli->arena, shown.data) : "";
    sbx_text_fini(&shown);
    return result ? result : "";
}

static void find(const doctor *d, const char *level, const char *what, const char *evidence, const char *remedy)
{
    sbx_doctor_find(d->findings, level, without_profile(d, what), without_profile(d, evidence),
                    without_profile(d, remedy));
}

/* ---- the machine ---- */

static void judge_fact(doctor *d, const cJSON *fact)
{
    const char *service = sbx_examine_string(fact, "service"), *volume = sbx_examine_string(fact, "volume");
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(fact, "value");
    char what[128];

    if (!strcmp(service, "BFE") && strcmp(sbx_examine_string(fact, "state"), "running") != 0)
        find(d, "note", "the base filtering engine (BFE) does not run: nobody is kept from the network",
             "its state is not running", "start it: sc start BFE");
    if (!strcmp(service, "seclogon") && !strcmp(sbx_examine_string(fact, "start"), "disabled"))
        find(d, "note", "the secondary logon service is disabled: commands cannot run as an account",
             "its start type is disabled", "sc config seclogon start= demand");
    if (!strcmp(sbx_examine_string(fact, "policy"), "EnableLUA") && cJSON_IsNumber(value) && value->valueint == 0)
        find(d, "note", "UAC is off: what runs as you is an administrator", "EnableLUA is 0", "turn UAC on");
    if (!strcmp(sbx_examine_string(fact, "policy"), "AllowLocalPolicyMerge") && cJSON_IsNumber(value) &&
        !value->valueint)
        find(d, "note", "a policy leaves out the firewall rules of this machine, sbx's among them",
             "AllowLocalPolicyMerge is 0", "ask whoever manages the machine");
    if ((!strcmp(sbx_examine_string(fact, "policy"), "AppLocker") && cJSON_IsNumber(value) && value->valueint == 1) ||
        (!strcmp(sbx_examine_string(fact, "policy"), "Safer") && cJSON_IsNumber(value) && value->valueint == 0))
        find(d, "note", "a policy says which programs may start: commands in accounts are other users to it",
             sbx_examine_string(fact, "policy"), "where one is refused, ask whoever manages the machine");
    if (volume[0] && !strcmp(sbx_examine_string(fact, "kind"), "fixed") &&
        cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(fact, "keeps_rights"))) {
        snprintf(what, sizeof(what), "volume %s keeps no access rights: every command writes there", volume);
        find(d, "note", what, "its file system has no access control",
             "keep nothing there that commands may not change");
    }
}

static sbx_status look_at_machine(doctor *d, sbx_error *err)
{
    const char *const items[] = {d->scratch.probe, "facts"};
    sbx_text output = {0};
    uint32_t end;
    cJSON *facts;
    const cJSON *fact;
    sbx_status st = sbx_doctor_start(&d->scratch, items, 2, NULL, &output, &end, err);

    if (st != SBX_OK) {
        sbx_text_fini(&output);
        return sbx_hint(err, "sbx-probe.exe belongs beside sbx.exe: install sbx again");
    }
    facts = sbx_doctor_lines(output.data);
    cJSON_ArrayForEach(fact, facts)
    {
        judge_fact(d, fact);
    }
    cJSON_AddItemToObject(d->root, "facts", facts);
    sbx_text_fini(&output);
    return SBX_OK;
}

static void on_path(void *context, const char *what, const char *evidence, const char *remedy)
{
    find(context, "note", what, evidence, remedy);
}

/* What runs left that were killed, of which the doctor's own is none. */
static void look_at_state(doctor *d)
{
    const char *const items[] = {d->scratch.program, "status", "--json"};
    const cJSON *list, *item;
    cJSON *state = NULL;
    sbx_text output = {0};
    uint32_t end, stale = 0;
    char what[96];
    sbx_error err;

    if (sbx_doctor_start(&d->scratch, items, 3, NULL, &output, &end, &err) == SBX_OK && output.data)
        state = cJSON_Parse(output.data);
    list = state ? cJSON_GetObjectItemCaseSensitive(state, "items") : NULL;
    cJSON_ArrayForEach(item, list)
    {
        stale += !strcmp(sbx_examine_string(item, "state"), "stale");
    }
    if (stale) {
        snprintf(what, sizeof(what), "%u records of use to nobody: of runs that were killed, or folders that are gone",
                 (unsigned)stale);
        find(d, "note", what, "`sbx status` lists them as stale", "sbx clean --stale");
    }
    cJSON_Delete(state);
    sbx_text_fini(&output);
}

/* ---- the backends ---- */

/* Why a trial has no whole table. */
static void find_broken(doctor *d, const char *name, const sbx_doctor_trial *trial)
{
    const cJSON *stuck = sbx_doctor_last(trial->lines, "stuck"), *crashed = sbx_doctor_last(trial->lines, "crashed");
    const cJSON *failed = sbx_doctor_last(trial->lines, "failed"), *row = sbx_doctor_last(trial->lines, "row");
    sbx_text what = {0}, evidence = {0};

    sbx_text_printf(&what, "%s: not all was tried", name);
    if (d->scratch.stopped)
        sbx_text_add(&evidence, "it was interrupted");
    else if (stuck)
        sbx_text_printf(&evidence, "the probe did not come back from %s", sbx_examine_string(stuck, "stuck"));
    else if (crashed)
        sbx_text_printf(&evidence, "the probe crashed in %s", sbx_examine_string(crashed, "crashed"));
    else if (failed)
        sbx_text_printf(&evidence, "the probe could not make its %s (win32 %d)", sbx_examine_string(failed, "failed"),
                        (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(failed, "code")));
    else if (member_text(trial->report, "error", "message")[0])
        sbx_text_add(&evidence, member_text(trial->report, "error", "message"));
    else if (trial->end == SBX_CHILD_TIME)
        sbx_text_add(&evidence, "it did not end within 60 seconds");
    else
        sbx_text_printf(&evidence, "the probe ended behind %s", row ? sbx_examine_string(row, "row") : "nothing");
    find(d, "broken", what.data ? what.data : name, evidence.data ? evidence.data : "",
         member_text(trial->report, "error", "hint")[0]
             ? member_text(trial->report, "error", "hint")
             : "try again; `sbx -v --backend NAME -- cmd /c exit` shows a run");
    sbx_text_fini(&what);
    sbx_text_fini(&evidence);
}

static int is_whole(const sbx_doctor_trial *trial)
{
    return sbx_doctor_last(trial->lines, "rows") && sbx_doctor_last(trial->lines, "ended");
}

static sbx_status try_backend(doctor *d, cJSON *backend, const cJSON *claims, sbx_error *err)
{
    const char *name = sbx_examine_string(backend, "name");
    const cJSON *item, *enforced = cJSON_GetObjectItemCaseSensitive(claims, "enforced");
    sbx_doctor_trial trial = {0};
    int deny_read = 0;
    sbx_status st;

    cJSON_ArrayForEach(item, enforced)
    {
        deny_read |= !strcmp(cJSON_GetStringValue(item), "read");
    }
    st = sbx_doctor_try(&d->scratch, name, deny_read, &trial, err);
    if (st == SBX_OK) {
        cJSON_AddItemToObject(backend, "guarantees",
                              cJSON_DetachItemFromObjectCaseSensitive(trial.report, "guarantees"));
        cJSON_AddItemToObject(backend, "notes", cJSON_DetachItemFromObjectCaseSensitive(trial.report, "notes"));
        sbx_doctor_judge(backend, d->control, trial.lines, d->findings);
        if (!is_whole(&trial) || !trial.report) {
            cJSON_ReplaceItemInObjectCaseSensitive(backend, "verdict", cJSON_CreateString("broken"));
            find_broken(d, name, &trial);
        }
        cJSON_DeleteItemFromObjectCaseSensitive(backend, "notes"); /* paths stand in them */
    }
    cJSON_Delete(trial.lines);
    cJSON_Delete(trial.report);
    return st;
}

static sbx_status look_at_backend(doctor *d, const char *name, sbx_error *err)
{
    const int asked = d->cli->backend != NULL;
    cJSON *examined = NULL, *backend;
    const char *state;
    sbx_status st = sbx_examine(name, &examined, err);

    if (st != SBX_OK)
        return st;
    state = sbx_examine_string(examined, "state");
    backend = cJSON_CreateObject();
    cJSON_AddStringToObject(backend, "name", name);
    cJSON_AddStringToObject(backend, "state", state);
    cJSON_AddItemToArray(d->backends, backend);
    if (!strcmp(state, "available")) {
        st = try_backend(d, backend, cJSON_GetObjectItemCaseSensitive(examined, "claims"), err);
    } else {
        const int broken = asked || !strcmp(state, "refused");

        cJSON_AddStringToObject(backend, "verdict", broken ? "broken" : "not there");
        find(d, broken ? "broken" : "note", sbx_arena_printf(&d->cli->arena, "%s: %s", name, state),
             member_text(examined, "error", "message"), member_text(examined, "error", "hint"));
    }
    cJSON_Delete(examined);
    return st;
}

static sbx_status look_at_backends(doctor *d, sbx_error *err)
{
    char **names = NULL;
    uint32_t count = 0, i, tried = 0;
    sbx_status st = sbx_plugin_list(&names, &count, err);

    for (i = 0; st == SBX_OK && i < count; i++) {
        if (d->scratch.stopped || (d->cli->backend && strcmp(d->cli->backend, names[i]) != 0))
            continue;
        tried++;
        st = look_at_backend(d, names[i], err);
    }
    for (i = 0; i < count; i++)
        sbx_free(names[i]);
    sbx_free(names);
    if (st == SBX_OK && !tried && !d->scratch.stopped) {
        sbx_fail(err, SBX_E_USAGE, "there is no such backend", d->cli->backend ? d->cli->backend : "backends");
        return sbx_hint(err, "`sbx backends` lists them");
    }
    return st;
}

static sbx_status examine_all(doctor *d, sbx_error *err)
{
    sbx_doctor_trial trial = {0};
    sbx_status st = look_at_machine(d, err);

    if (st != SBX_OK)
        return st;
    sbx_doctor_path(&d->scratch, on_path, d);
    look_at_state(d);
    if (!d->scratch.stopped)
        st = sbx_doctor_try(&d->scratch, NULL, 0, &trial, err);
    d->control = trial.lines;
    if (st != SBX_OK || d->scratch.stopped)
        return st;
    if (is_whole(&trial))
        return look_at_backends(d, err);
    find_broken(d, "without a sandbox", &trial); /* what is open then is not known: nothing can be judged */
    return SBX_OK;
}

static int has_level(const doctor *d, const char *level)
{
    const cJSON *finding;

    cJSON_ArrayForEach(finding, d->findings)
    {
        if (!strcmp(sbx_examine_string(finding, "level"), level))
            return 1;
    }
    return 0;
}

sbx_status sbx_verb_doctor(sbx_cli *cli, sbx_error *err)
{
    doctor d = {.cli = cli};
    sbx_status st = sbx_cli_plugins(cli, err);

    d.root = cJSON_CreateObject();
    cJSON_AddNumberToObject(d.root, "doctor", 1);
    cJSON_AddStringToObject(d.root, "version", SBX_VERSION);
    d.findings = cJSON_AddArrayToObject(d.root, "findings");
    d.backends = cJSON_AddArrayToObject(d.root, "backends");
    if (st == SBX_OK && !d.backends)
        st = sbx_fail_memory(err);
    if (st == SBX_OK)
        st = sbx_doctor_open(cli, &d.scratch, err);
    if (st == SBX_OK)
        st = examine_all(&d, err);
    if (!sbx_doctor_close(&d.scratch))
        find(&d, "note", "not all that the probe made could be removed", d.scratch.path, "delete that folder");
    cJSON_AddBoolToObject(d.root, "complete", !d.scratch.stopped);
    cli->exit_code = d.scratch.stopped || has_level(&d, "broken") ? BROKEN : has_level(&d, "gap") ? GAPS : AS_CLAIMED;
    cJSON_AddNumberToObject(d.root, "exit_code", cli->exit_code);
    cJSON_Delete(d.control);
    if (st == SBX_OK && cli->json)
        return sbx_json_finish(d.root, &cli->out, err);
    if (st == SBX_OK)
        sbx_doctor_print(d.root, cli->verbosity, &cli->out);
    cJSON_Delete(d.root);
    return st;
}
