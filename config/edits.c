#include "config/edits.h"

#include <string.h>

#include "config/setting.h"

/* What programs need to start at all, or are nothing to hide; passed whatever `pass` says. */
static const char *const system_names[] = {
    "ALLUSERSPROFILE",
    "APPDATA",
    "COMMONPROGRAMFILES*",
    "COMPUTERNAME",
    "COMSPEC",
    "DRIVERDATA",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "NUMBER_OF_PROCESSORS",
    "OS",
    "PATH",
    "PATHEXT",
    "PROCESSOR_*",
    "PROGRAMDATA",
    "PROGRAMFILES*",
    "PUBLIC",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "USERDOMAIN",
    "USERNAME",
    "USERPROFILE",
    "WINDIR",
};

/* A star at either end stands for anything.  By what a variable holds, not by whose it is: regions, addresses and the
 * paths of certificates of a cloud's tools are no secrets. */
static const char *const secret_names[] = {
    "*_TOKEN",      "*_TOKENS",
    "TOKEN",        "*_SECRET",
    "*_SECRETS",    "SECRET",
    "*SECRET_*",    "*_KEY",
    "*_KEYS",       "*APIKEY*",
    "*API_KEY*",    "*PASSWORD*",
    "*PASSWD*",     "*PASSPHRASE*",
    "*_PASS",       "*_PWD",
    "*CREDENTIAL*", "*_PAT",
    "*ACCESS_KEY*", "*PRIVATE_KEY*",
    "*_AUTH",       "*AUTH_TOKEN*",
    "*AUTHTOKEN*",  "*_COOKIE",
    "*_DSN",        "*CONNECTION_STRING*",
    "*CONNSTR*",    "NPM_CONFIG__AUTH*",
    "DATABASE_URL", "GIT_ASKPASS",
    "SSH_ASKPASS",  "SSH_AUTH_SOCK",
    "KUBECONFIG",   "NETRC",
    "COOKIE",       "*_JWT",
    "*AUTH_CONF*",
};

/* A pattern may have a star at its ends. */
static int matches(const char *pattern, const char *name, size_t length)
{
    size_t size = strlen(pattern), i;
    int before = size && pattern[0] == '*', after = size > 1 && pattern[size - 1] == '*';

    if (size == 1 && before)
        return 1;
    pattern += before;
    size -= (size_t)(before + after);
    if (size > length)
        return 0;
    if (!before && !after)
        return sbx_environment_same(pattern, size, name, length);
    if (!before)
        return sbx_environment_same(pattern, size, name, size);
    if (!after)
        return sbx_environment_same(pattern, size, name + length - size, size);
    for (i = 0; i + size <= length; i++)
        if (sbx_environment_same(pattern, size, name + i, size))
            return 1;
    return 0;
}

int sbx_secret_name(const char *name, size_t length)
{
    size_t i;

    for (i = 0; i < sizeof(secret_names) / sizeof(secret_names[0]); i++)
        if (matches(secret_names[i], name, length))
            return 1;
    return 0;
}

static int system_name(const char *name, size_t length)
{
    size_t i;

    for (i = 0; i < sizeof(system_names) / sizeof(system_names[0]); i++)
        if (matches(system_names[i], name, length))
            return 1;
    return 0;
}

/* The last of the elements that covers a name; a user's pattern has a star only at its end. */
static const sbx_item *covers(const sbx_setting *setting, const char *name, size_t length, int exact)
{
    const sbx_item *found = NULL;
    uint32_t i;

    for (i = 0; i < setting->count; i++) {
        const char *text = setting->items[i].text;

        if (exact ? sbx_environment_same(text, strlen(text), name, length) : matches(text, name, length))
            found = &setting->items[i];
    }
    return found;
}

static const sbx_item *set_item(const sbx_setting *set, const char *name, size_t length)
{
    uint32_t i;

    for (i = 0; i < set->count; i++)
        if (sbx_environment_same(set->items[i].name, strlen(set->items[i].name), name, length))
            return &set->items[i];
    return NULL;
}

static sbx_status both(const sbx_item *item, sbx_diag *diag)
{
    sbx_problem problem;

    sbx_problem_set(&problem, 0, 0, "the variable \"%.100s\" is both set and unset", item->name);
    return sbx_item_fail(item, &problem, diag);
}

sbx_status sbx_plan_environment(const sbx_config *config, const sbx_scope *scope, sbx_plan *plan, sbx_diag *diag)
{
    const sbx_setting *pass = sbx_config_setting(config, "environment.pass");
    const sbx_setting *set = sbx_config_setting(config, "environment.set");
    const sbx_setting *unset = sbx_config_setting(config, "environment.unset");
    int block = sbx_config_integer(config, "environment.block_secrets") != 0;
    uint32_t most = scope->environment_count + set->count, i;
    sbx_env_edit *edits = sbx_arena_alloc(&plan->arena, ((size_t)most + 1) * sizeof(*edits)), *edit = edits;
    const char **withheld = sbx_arena_alloc(&plan->arena, ((size_t)most + 1) * sizeof(*withheld));
    const sbx_item *item, *removed;
    sbx_problem problem;
    sbx_status st;

    if (!edits || !withheld)
        return sbx_diag_memory(diag);
    for (i = 0; i < scope->environment_count; i++) {
        const char *name = scope->environment[i];
        const char *divider = name[0] ? strchr(name + 1, '=') : NULL;
        size_t length = divider ? (size_t)(divider - name) : strlen(name);
        int secret;

        /* "=C:=..." keeps the current directory of a drive */
        if (!length || name[0] == '=')
            continue;
        item = set_item(set, name, length);
        removed = covers(unset, name, length, 0);
        if (item && removed && item->order == removed->order)
            return both(item, diag);
        if (item && !(removed && removed->order > item->order))
            continue;
        secret = block && sbx_secret_name(name, length) && !system_name(name, length);
        if (!removed &&
            (covers(pass, name, length, 1) || system_name(name, length) || (!secret && covers(pass, name, length, 0))))
            continue;
        edit->op = SBX_ENV_UNSET;
        edit->name = sbx_arena_strndup(&plan->arena, name, length);
        if (!edit->name)
            return sbx_diag_memory(diag);
        if (secret && !removed)
            withheld[plan->withheld_count++] = edit->name;
        edit++;
    }
    for (i = 0; i < set->count; i++) {
        item = &set->items[i];
        removed = covers(unset, item->name, strlen(item->name), 0);
        if (removed && item->order == removed->order)
            return both(item, diag);
        if (removed && removed->order > item->order)
            continue;
        edit->op = SBX_ENV_SET;
        edit->name = sbx_arena_strdup(&plan->arena, item->name);
        st = sbx_variables_expand(&plan->arena, scope, item->text, &edit->value, &problem);
        if (st == SBX_E_CONFIG)
            return sbx_item_fail(item, &problem, diag);
        if (st != SBX_OK || !edit->name)
            return sbx_diag_memory(diag);
        edit++;
    }
    plan->policy.env = edits;
    plan->policy.env_count = (uint32_t)(edit - edits);
    plan->withheld = withheld;
    return SBX_OK;
}
