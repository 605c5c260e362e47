/* Whether a command may, what decides it, and what would change that. */
#include "cli/explain.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "cli/cli.h"
#include "cli/examine.h"
#include "cli/last.h"
#include "cli/select.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"

typedef struct deed {
    const char *name;
    uint32_t of_file, of_folder;
    int is_itself; /* of a link the link */
} deed;

/* As programs ask for it. */
static const deed deeds[] = {
    {"read", FILE_GENERIC_READ, FILE_LIST_DIRECTORY | SYNCHRONIZE, 0},
    {"write", FILE_GENERIC_WRITE, FILE_ADD_FILE | SYNCHRONIZE, 0},
    {"delete", DELETE | SYNCHRONIZE, DELETE | SYNCHRONIZE, 1},
    {"run", FILE_GENERIC_READ | FILE_GENERIC_EXECUTE, FILE_TRAVERSE | SYNCHRONIZE, 0},
};

typedef struct explanation {
    sbx_cli *cli;
    const deed *op;
    const char *path; /* absolute, as it was spelled */
    sbx_choice choice;
    sbx_explain_token token;
    sbx_explain_object object;
    cJSON *root, *passes, *change, *notes;
    int answer;
    const char *rule, *rule_path, *origin;
} explanation;

static int is_op(const explanation *e, const char *name)
{
    return !strcmp(e->op->name, name);
}

static int writes(const explanation *e)
{
    return is_op(e, "write") || is_op(e, "delete");
}

static void say(cJSON *list, char *text)
{
    if (text)
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
}

#define CHANGE(e, ...) say((e)->change, sbx_arena_printf(&(e)->cli->arena, __VA_ARGS__))
#define NOTE(e, ...) say((e)->notes, sbx_arena_printf(&(e)->cli->arena, __VA_ARGS__))

/* ---- the token ---- */

static sbx_status own_token(void **copy, const char **how, sbx_error *err)
{
    HANDLE own = NULL;
    sbx_status st = SBX_OK;

    *how = "your own: this backend confines nothing";
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &own))
        return sbx_fail_last(err, SBX_E_SYSTEM, "OpenProcessToken", "own process");
    if (!DuplicateTokenEx(own, TOKEN_QUERY | TOKEN_IMPERSONATE, NULL, SecurityImpersonation, TokenImpersonation, copy))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "DuplicateTokenEx", "own token");
    sbx_handle_close(&own);
    return st;
}

static sbx_status get_token(explanation *e, sbx_error *err)
{
    const sbx_backend *backend = e->choice.backend;
    const sbx_ext_token *ext = backend->extension(SBX_EXT_TOKEN);
    const char *how = "";
    void *copy = NULL;
    sbx_status st;

    if (ext && ext->size < sizeof(*ext)) {
        st = sbx_fail(err, SBX_E_BACKEND, "the table of its token is too short", backend->name);
    } else if (ext) {
        st = ext->like(e->choice.session, &copy, &how, err);
    } else if (!(backend->claims.enforced & SBX_AREA_FILE_WRITE)) {
        st = own_token(&copy, &how, err);
    } else {
        sbx_fail(err, SBX_E_UNSUPPORTED, "it makes no token to ask with", backend->name);
        return sbx_hint(err, "`sbx doctor --backend %s` tries what its commands may do", backend->name);
    }
    cJSON_AddStringToObject(e->root, "token", how);
    return st == SBX_OK ? sbx_explain_token_open(&e->token, copy, err) : st;
}

/* ---- the policy ---- */

/* Where a folder of the policy really is. */
static const char *final_of(explanation *e, const char *path)
{
    sbx_explain_object object = {0};
    cJSON *unused = cJSON_CreateObject();
    const char *final = path;

    if (sbx_explain_look(&e->cli->arena, path, 0, &object, unused, NULL) == SBX_OK && !object.below)
        final = object.path;
    sbx_explain_forget(&object);
    cJSON_Delete(unused);
    return final;
}

/* The object's whole path, what is missing of it included. */
static const char *whole(const explanation *e)
{
    return e->object.below ? sbx_path_join(&e->cli->arena, e->object.path, e->object.below) : e->object.path;
}

/* The innermost of a list that the object is, or is in; no rule that was found before it is nearer. */
static void find_rule(explanation *e, const char *rule, const char *const *paths, const char *const *origins,
                      uint32_t count)
{
    const char *object = whole(e), *final, *best = NULL;
    uint32_t i;

    for (i = 0; object && i < count; i++) {
        final = final_of(e, paths[i]);
        if (!sbx_path_is_below(object, final) && !sbx_path_is_below(e->path, paths[i]))
            continue;
        if (best && strlen(paths[i]) < strlen(best))
            continue;
        best = e->rule_path = paths[i];
        e->rule = rule;
        e->origin = origins[i];
    }
}

static void find_policy(explanation *e)
{
    const sbx_plan *plan = &e->cli->plan;
    const sbx_policy *policy = &plan->policy;
    cJSON *json = cJSON_AddObjectToObject(e->root, "policy");

    e->rule = "outside";
    e->rule_path = e->origin = "";
    find_rule(e, "writable", policy->writable, plan->writable_origins, policy->writable_count);
    find_rule(e, "writable", plan->inner, plan->inner_origins, plan->inner_count);
    if (writes(e) && strcmp(e->rule, "outside") != 0)
        find_rule(e, "protected", policy->protected_paths, plan->protected_origins, policy->protected_count);
    if (!writes(e))
        find_rule(e, "deny_read", policy->deny_read, plan->deny_read_origins, policy->deny_read_count);
    cJSON_AddStringToObject(json, "rule", e->rule);
    cJSON_AddStringToObject(json, "path", e->rule_path);
    cJSON_AddStringToObject(json, "origin", e->origin);
}

/* ---- the answer ---- */

static const char *answer_name(int answer)
{
    return answer == SBX_EXPLAIN_ALLOWED ? "allowed" : answer == SBX_EXPLAIN_REFUSED ? "refused" : "unknown";
}

static void tell_attempt(explanation *e, int checked, uint32_t code)
{
    char text[400];

    if (code == ERROR_SHARING_VIOLATION || code == ERROR_LOCK_VIOLATION) {
        NOTE(e, "another program has it open and shares it with nobody: nobody can open it so now, and its access "
                "rights answer");
    } else if (code && code != ERROR_ACCESS_DENIED) {
        sbx_system_message(SBX_CODE_WIN32, code, e->object.path, text, sizeof(text));
        NOTE(e, "to open it as a command would failed otherwise (%s, win32 %u): its access rights answer", text,
             (unsigned)code);
    } else if (checked != SBX_EXPLAIN_UNKNOWN && checked != e->answer) {
        if (is_op(e, "write") && (e->object.attributes & FILE_ATTRIBUTE_READONLY) && !e->object.is_directory)
            NOTE(e, "it has the attribute read-only, which keeps everybody from writing to it: attrib -r");
        else
            NOTE(e, "the system decides otherwise than these entries: by a condition, a label, a filter, or links that "
                    "it does not follow for a command");
    }
}

static void ask(explanation *e)
{
    const sbx_explain_object *object = &e->object;
    uint32_t mask = object->is_directory ? e->op->of_folder : e->op->of_file, code = 0;
    const char *of = object->below ? "nearest" : "object";
    int checked;

    if (object->below) /* may it be made? */
        mask = (strchr(object->below, '\\') ? FILE_ADD_SUBDIRECTORY : FILE_ADD_FILE) | SYNCHRONIZE;
    checked = sbx_explain_check(&e->token, object->sd, mask, of, e->passes);
    if (e->op->is_itself && !object->below && checked != SBX_EXPLAIN_ALLOWED && object->folder_sd) {
        const int by_folder = sbx_explain_check(&e->token, object->folder_sd, FILE_DELETE_CHILD, "folder", e->passes);

        checked = by_folder == SBX_EXPLAIN_ALLOWED ? by_folder : checked;
    }
    e->answer = sbx_explain_try(&e->token, object->path, e->op->is_itself && !object->below, mask, &code);
    cJSON_AddStringToObject(e->root, "tried", answer_name(e->answer));
    cJSON_AddNumberToObject(e->root, "code", code);
    cJSON_AddStringToObject(e->root, "checked", answer_name(checked));
    tell_attempt(e, checked, code);
    if (e->answer == SBX_EXPLAIN_UNKNOWN)
        e->answer = checked;
    cJSON_AddStringToObject(e->root, "answer", answer_name(e->answer));
}

/* Which list it is refused by: the first pass that does not allow it. */
static const char *refused_by(const explanation *e)
{
    const cJSON *pass;

    cJSON_ArrayForEach(pass, e->passes)
    {
        if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(pass, "allowed")))
            return sbx_examine_string(pass, "pass");
    }
    return "";
}

/* ---- what would change it ---- */

/* The folder that would have to be writable, or NULL: none that could be. */
static const char *folder_to_open(const explanation *e)
{
    const sbx_explain_object *object = &e->object;
    const char *folder = object->is_directory ? object->path : object->folder;
    const char *const closed[] = {e->cli->dirs[SBX_DIR_PROFILE], e->cli->dirs[SBX_DIR_WINDOWS]};

    if (!folder || strlen(folder) <= sbx_path_root_length(folder) ||
        (closed[0] && sbx_path_is_below(closed[0], folder)) || (closed[1] && sbx_path_is_below(folder, closed[1])))
        return NULL;
    return folder;
}

static void change_outside(explanation *e)
{
    const int is_account = (e->choice.backend->flags & SBX_BACKEND_ACCOUNT) != 0;
    const char *folder = folder_to_open(e);

    if (is_account && !writes(e))
        CHANGE(e, "a tool: sbx setup --tools; else a backend that reads as you do: --backend unelevated");
    if (folder && (is_account || writes(e)))
        CHANGE(e, "for one run: sbx --writable \"%s\" -- COMMAND", folder);
    if (folder && writes(e))
        CHANGE(e, "for all: add \"%s\" to writable, below [filesystem] in %%APPDATA%%\\sbx\\sbx.toml", folder);
    if (!folder && writes(e))
        NOTE(e, "no writable folder can hold it: the profile as a whole, Windows, and whole volumes are never opened");
}

static void change_protected(explanation *e)
{
    const char *name = sbx_path_name(e->rule_path);

    if (!sbx_path_equal(name, ".git") && !strcmp(e->origin, "built-in"))
        NOTE(e, "it is always protected: change it outside of the sandbox");
    else if (sbx_path_equal(name, ".git"))
        CHANGE(e, "for one run: sbx --git commit -- COMMAND opens objects and refs, --git write all of it (now: %s)",
               e->origin);
    else
        CHANGE(e, "take it out of what is protected: %s", e->origin);
}

static void change_in_root(explanation *e)
{
    uint8_t *sd = sbx_explain_descriptor(e->rule_path);
    const int is_open = sbx_explain_is_open(&e->token, sd, FILE_ADD_FILE);

    sbx_free(sd);
    if (!is_open)
        CHANGE(e, "the first run in %s opens it: sbx -- COMMAND", e->rule_path);
    else if (e->object.is_several)
        NOTE(e, "it has names (hard links) elsewhere, so it stays closed: put a copy in its place");
    else
        CHANGE(e, "sbx grant \"%s\"", e->rule_path);
}

static void change_refused(explanation *e)
{
    const char *by = refused_by(e);

    if (!strcmp(e->rule, "deny_read"))
        CHANGE(e, "take it out of deny_read: %s", e->origin);
    else if (!strcmp(e->rule, "protected"))
        change_protected(e);
    else if (!strcmp(by, "groups") && !(e->choice.backend->flags & SBX_BACKEND_ACCOUNT))
        CHANGE(e, "you may not either: as one who may, icacls \"%s\" /grant \"%%USERNAME%%:(%s)\"", e->object.path,
               writes(e) ? "M" : "RX");
    else if (!strcmp(e->rule, "writable"))
        change_in_root(e);
    else
        change_outside(e);
}

static void change_allowed(explanation *e)
{
    if (!strcmp(e->rule, "writable") && writes(e))
        CHANGE(e, "to close it to commands: sbx --protect \"%s\" -- COMMAND", whole(e));
    else if (is_op(e, "delete") && e->object.folder && (e->cli->report.guarantees.enforced & SBX_AREA_FILE_WRITE))
        CHANGE(e, "sbx shield \"%s\"", e->object.folder);
    if (!e->object.keeps_rights)
        NOTE(e, "its volume keeps no access rights: every command may do everything there");
}

/* ---- the verb ---- */

static sbx_status find_op(explanation *e, sbx_error *err)
{
    const char *name = e->cli->op ? e->cli->op : "read";
    size_t i;

    for (i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
        if (!strcmp(deeds[i].name, name))
            e->op = &deeds[i];
    if (e->op)
        return SBX_OK;
    sbx_fail(err, SBX_E_USAGE, "no such operation", name);
    return sbx_hint(err, "--op is one of read, write, delete, run");
}

static sbx_status explain(explanation *e, sbx_error *err)
{
    sbx_cli *cli = e->cli;
    const char *unused;
    cJSON *object;
    sbx_status st;

    if ((st = sbx_cli_folder(cli, 0, "PATH", &e->path, err)) != SBX_OK || (st = sbx_cli_plan(cli, err)) != SBX_OK)
        return st;
    object = cJSON_AddObjectToObject(e->root, "object");
    st = sbx_explain_look(&cli->arena, e->path, e->op->is_itself, &e->object, object, err);
    if (st == SBX_OK)
        st = sbx_choice_open(cli, SBX_OPEN_DRY_RUN, &e->choice, err);
    if (st != SBX_OK)
        return st;
    cJSON_AddStringToObject(e->root, "backend", cli->report.backend_used);
    if ((st = get_token(e, err)) != SBX_OK || (st = sbx_cli_dir(cli, SBX_DIR_PROFILE, &unused, err)) != SBX_OK)
        return st;
    e->passes = cJSON_AddArrayToObject(e->root, "passes");
    e->change = cJSON_AddArrayToObject(e->root, "change");
    e->notes = cJSON_AddArrayToObject(e->root, "notes");
    ask(e);
    find_policy(e);
    if (e->answer == SBX_EXPLAIN_REFUSED)
        change_refused(e);
    else if (e->answer == SBX_EXPLAIN_ALLOWED)
        change_allowed(e);
    if (!strcmp(e->rule, "protected") && e->object.below)
        NOTE(e, "the name is protected: while a command runs a placeholder takes it where one is due; what a command "
                "makes there else is told, and protected from then on");
    return SBX_OK;
}

sbx_status sbx_verb_explain(sbx_cli *cli, sbx_error *err)
{
    explanation e = {.cli = cli};
    sbx_status st;

    if (cli->last && (cli->word_count || cli->op || cli->setting_count)) {
        sbx_fail(err, SBX_E_USAGE, "it takes neither PATH nor options of a run", "--last");
        return sbx_hint(err, "see `sbx help explain`");
    }
    if (cli->last)
        return sbx_last_show(cli, err);
    if (cli->word_count != 1) {
        sbx_fail(err, SBX_E_USAGE, cli->word_count ? "one PATH at a time" : "no PATH", "explain");
        return sbx_hint(err, "see `sbx help explain`");
    }
    if ((st = find_op(&e, err)) != SBX_OK)
        return st;
    e.root = cJSON_CreateObject();
    cJSON_AddNumberToObject(e.root, "explain", 1);
    cJSON_AddStringToObject(e.root, "version", SBX_VERSION);
    cJSON_AddStringToObject(e.root, "asked", cli->words[0]);
    cJSON_AddStringToObject(e.root, "op", e.op->name);
    st = explain(&e, err);
    sbx_explain_token_close(&e.token);
    sbx_explain_forget(&e.object);
    sbx_choice_close(&e.choice);
    if (st == SBX_OK && cli->json)
        return sbx_json_finish(e.root, &cli->out, err);
    if (st == SBX_OK)
        sbx_explain_print(e.root, &cli->out);
    cJSON_Delete(e.root);
    return st;
}
