/* The layers of the configuration: which files there are, and in which order they count. */
#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "cli/cli.h"
#include "config/toml.h"
#include "plugin/plugin_file.h"
#include "win/trust.h"
#include "win/dirs.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/wide.h"

sbx_status sbx_cli_dir(sbx_cli *cli, uint32_t which, const char **path, sbx_error *err)
{
    sbx_status st = SBX_OK;

    if (!cli->dirs[which])
        st = sbx_dirs_get(which, &cli->dirs[which], err);
    *path = cli->dirs[which];
    return st;
}

sbx_status sbx_cli_config_path(sbx_cli *cli, uint32_t which, const char **path, sbx_error *err)
{
    static const uint32_t dirs[] = {SBX_DIR_PROGRAM_DATA, SBX_DIR_ROAMING_DATA, SBX_DIR_CURRENT};
    const char *dir;
    sbx_status st = sbx_cli_dir(cli, dirs[which], &dir, err);

    if (st != SBX_OK)
        return st;
    *path = which == SBX_CONFIG_OPTION ? sbx_path_join(&cli->arena, dir, cli->config_file)
                                       : sbx_arena_printf(&cli->arena, "%s\\sbx\\sbx.toml", dir);
    return *path ? SBX_OK : sbx_fail_memory(err);
}

const char *sbx_cli_config_state(const char *path, uint32_t which)
{
    void *file = NULL;
    char *text = NULL;
    size_t length;
    sbx_error err = {0};
    sbx_status st = SBX_OK;

    if (which == SBX_CONFIG_MACHINE)
        st = sbx_plugin_file_open(path, 0, SBX_TRUST_SELF, &file, &err);
    sbx_handle_close(&file);
    if (st == SBX_OK)
        st = sbx_file_read(path, SBX_TOML_MAX_BYTES, &text, &length, &err);
    sbx_free(text);
    return st == SBX_OK ? "read" : st == SBX_E_UNAVAILABLE || sbx_file_is_missing(&err) ? "missing" : "refused";
}

static sbx_status add_text(sbx_cli *cli, sbx_config *config, const char *path, int may_miss, sbx_error *err)
{
    char *text = NULL;
    size_t length = 0;
    sbx_status st = sbx_file_read(path, SBX_TOML_MAX_BYTES, &text, &length, err);

    if (st != SBX_OK)
        return may_miss && sbx_file_is_missing(err) ? SBX_OK : st;
    st = sbx_config_add(config, path, text, length, &cli->diag);
    sbx_free(text);
    return st;
}

/* %ProgramData% lets every user make folders, so that somebody else may have made this one. */
sbx_status sbx_cli_add_machine_file(sbx_cli *cli, sbx_config *config, sbx_error *err)
{
    const char *path;
    void *file = NULL;
    sbx_status st = sbx_cli_config_path(cli, SBX_CONFIG_MACHINE, &path, err);

    if (st == SBX_OK)
        st = sbx_plugin_file_open(path, 0, SBX_TRUST_SELF, &file, err);
    if (st == SBX_E_UNAVAILABLE)
        return SBX_OK;
    if (st == SBX_OK)
        st = add_text(cli, config, path, 0, err);
    sbx_handle_close(&file);
    return st;
}

static sbx_status add_files(sbx_cli *cli, sbx_error *err)
{
    const char *path;
    sbx_status st = sbx_cli_add_machine_file(cli, cli->config, err);

    if (st != SBX_OK || (st = sbx_cli_config_path(cli, SBX_CONFIG_USER, &path, err)) != SBX_OK ||
        (st = add_text(cli, cli->config, path, 1, err)) != SBX_OK || !cli->config_file)
        return st;
    if ((st = sbx_cli_config_path(cli, SBX_CONFIG_OPTION, &path, err)) != SBX_OK)
        return st;
    st = add_text(cli, cli->config, path, 0, err);
    if (st != SBX_E_SYSTEM || !sbx_file_is_missing(err))
        return st;
    sbx_fail(err, SBX_E_USAGE, "there is no such file", path);
    return sbx_hint(err, "--config names it");
}

sbx_status sbx_cli_configure(sbx_cli *cli, sbx_error *err)
{
    uint32_t i;
    sbx_status st;

    cli->config = sbx_config_new();
    if (!cli->config)
        return sbx_fail_memory(err);
    if ((st = add_files(cli, err)) != SBX_OK)
        return st;
    for (i = 0; i < cli->setting_count; i++) {
        st = sbx_config_set(cli->config, cli->settings[i].flag, cli->settings[i].key, cli->settings[i].value,
                            &cli->diag);
        if (st != SBX_OK)
            return st;
    }
    return sbx_config_finish(cli->config, cli->profile, &cli->diag);
}

/* Nobody else looks at a writable folder inside another one: the backend gets the outer one alone. */
static sbx_status check_part(const sbx_cli *cli, const char *path, sbx_error *err)
{
    uint16_t *path_w = NULL;
    DWORD attributes, code;
    sbx_status st = sbx_wide_path(path, &path_w, err);

    if (st != SBX_OK)
        return st;
    attributes = GetFileAttributesW(path_w);
    code = attributes == INVALID_FILE_ATTRIBUTES ? GetLastError() : 0;
    sbx_free(path_w);
    if (code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND) {
        st = sbx_fail(err, SBX_E_REFUSED, "there is no such directory", path);
        sbx_hint(err, "make it first, or do not name it as writable");
    } else if (!code && (attributes & FILE_ATTRIBUTE_REPARSE_POINT)) {
        st = sbx_fail(err, SBX_E_REFUSED, "a link cannot be a writable root", path);
        sbx_hint(err, "name the directory that it points to");
    } else if (!code && !(attributes & FILE_ATTRIBUTE_DIRECTORY)) {
        st = sbx_fail(err, SBX_E_REFUSED, "a file cannot be a writable root", path);
    }
    if (st != SBX_OK)
        sbx_cli_hint_origin(cli, err);
    return st;
}

sbx_status sbx_cli_plan(sbx_cli *cli, sbx_error *err)
{
    sbx_facts facts = {0};
    const char *const *environment = NULL;
    const char *dir;
    sbx_status st;
    uint32_t i;
    const struct {
        uint32_t which;
        const char **to;
    } wanted[] = {
        {SBX_DIR_CURRENT, &facts.cwd},
        {SBX_DIR_PROFILE, &facts.user_profile},
        {SBX_DIR_LOCAL_DATA, &facts.local_app_data},
        {SBX_DIR_ROAMING_DATA, &facts.roaming_app_data},
        {SBX_DIR_PROGRAM_DATA, &facts.program_data},
        {SBX_DIR_WINDOWS, &facts.windows_dir},
        {SBX_DIR_PROGRAM, &facts.program_dir},
    };

    if ((st = sbx_cli_configure(cli, err)) != SBX_OK)
        return st;
    for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if ((st = sbx_cli_dir(cli, wanted[i].which, &dir, err)) != SBX_OK)
            return st;
        *wanted[i].to = dir;
    }
    facts.state_dir = sbx_arena_printf(&cli->arena, "%s\\sbx", facts.local_app_data);
    if (!facts.state_dir)
        return sbx_fail_memory(err);
    if ((st = sbx_run_id(cli->run_id, err)) != SBX_OK ||
        (st = sbx_dirs_environment(&environment, &facts.environment_count, err)) != SBX_OK)
        return st;
    facts.run_id = cli->run_id;
    facts.environment = environment;
    st = sbx_plan_make(cli->config, &facts, &cli->plan, &cli->diag);
    sbx_free((void *)(uintptr_t)environment);
    if (st != SBX_OK)
        return st;
    cli->report.plan = &cli->plan;
    for (i = 0; i < cli->plan.inner_count && st == SBX_OK; i++)
        st = check_part(cli, cli->plan.inner[i], err);
    return st;
}

sbx_status sbx_cli_folder(sbx_cli *cli, uint32_t word, const char *as, const char **path, sbx_error *err)
{
    const char *dir;
    char op[64];
    sbx_status st = sbx_cli_dir(cli, SBX_DIR_CURRENT, &dir, err);

    if (st != SBX_OK)
        return st;
    if (!cli->words[word][0]) {
        snprintf(op, sizeof(op), "the name of %s is empty", as);
        sbx_fail(err, SBX_E_USAGE, op, cli->verb->name);
        return sbx_hint(err, "`sbx %s .` is the current folder; see `sbx help %s`", cli->verb->name, cli->verb->name);
    }
    *path = sbx_path_join(&cli->arena, dir, cli->words[word]);
    return *path ? SBX_OK : sbx_fail_memory(err);
}

void sbx_cli_hint_origin(const sbx_cli *cli, sbx_error *err)
{
    const sbx_plan *plan = &cli->plan;
    const char *origin = NULL;
    char hint[sizeof(err->hint)];
    uint32_t i;

    memcpy(hint, err->hint, sizeof(hint));
    for (i = 0; i < plan->policy.writable_count; i++)
        if (sbx_path_equal(plan->policy.writable[i], err->object))
            origin = plan->writable_origins[i];
    for (i = 0; i < plan->inner_count; i++)
        if (sbx_path_equal(plan->inner[i], err->object))
            origin = plan->inner_origins[i];
    if (origin && strcmp(origin, "built-in") != 0)
        sbx_hint(err, "%s names it%s%s", origin, hint[0] ? "; " : "", hint);
}
