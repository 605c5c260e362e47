#include "common/environment/tools.h"

#include <string.h>

#define TEXT 0u    /* value as it is */
#define CACHE 1u   /* a folder of that name in the cache */
#define GIT 2u     /* a setting of git */
#define ONLINE 16u /* only while the network is on */
#define LOCKED 32u /* only while .git is protected */

static const struct {
    const char *preset;
    uint32_t kind;
    const char *name, *value;
} rows[] = {
    /* a sandboxed `git status` must not need .git\index.lock, and what outlives the command ends with it */
    {"git", TEXT | LOCKED, "GIT_OPTIONAL_LOCKS", "0"},
    {"git", GIT, "core.fsmonitor", "false"},
    {"git", GIT, "maintenance.auto", "false"},
    {"git", GIT, "gc.auto", "0"},

    {"node", CACHE, "npm_config_cache", "npm"},
    {"node", CACHE, "PNPM_HOME", "pnpm"}, /* its store lies in it; npm warns of settings that are not its own */
    {"node", CACHE, "YARN_CACHE_FOLDER", "yarn"},
    {"node", CACHE, "YARN_GLOBAL_FOLDER", "yarn-berry"},
    {"node", CACHE, "BUN_INSTALL_CACHE_DIR", "bun"},
    {"node", CACHE, "NODE_COMPILE_CACHE", "node"},
    {"node", TEXT, "npm_config_update_notifier", "false"},
    /* install scripts get npm's own streams: named pipes, which it takes else, may be closed to a sandbox */
    {"node", TEXT, "npm_config_foreground_scripts", "true"},

    /* CARGO_HOME\bin is found through PATH, rustup through its own home: both stay */
    {"cargo", CACHE | ONLINE, "CARGO_HOME", "cargo"},

    {"python", CACHE, "PIP_CACHE_DIR", "pip"},
    {"python", CACHE, "UV_CACHE_DIR", "uv"},
    {"python", CACHE, "POETRY_CACHE_DIR", "poetry"},
    {"python", CACHE, "PYTHONPYCACHEPREFIX", "pycache"},

    {"go", CACHE, "GOCACHE", "go-build"},
    {"go", CACHE | ONLINE, "GOMODCACHE", "go-mod"},

    {"dotnet", CACHE, "DOTNET_CLI_HOME", "dotnet"},
    {"dotnet", CACHE, "NUGET_HTTP_CACHE_PATH", "nuget-http"},
    {"dotnet", CACHE, "NUGET_SCRATCH", "nuget-scratch"},
    {"dotnet", CACHE | ONLINE, "NUGET_PACKAGES", "nuget"},
    {"dotnet", TEXT, "DOTNET_CLI_TELEMETRY_OPTOUT", "1"},
    {"dotnet", TEXT, "DOTNET_NOLOGO", "1"},
    /* servers that wait for the next build would only be ended with the command */
    {"dotnet", TEXT, "MSBUILDDISABLENODEREUSE", "1"},
    {"dotnet", TEXT, "DOTNET_CLI_USE_MSBUILD_SERVER", "0"},
    {"dotnet", TEXT, "UseSharedCompilation", "false"},
};

static int applies(const sbx_policy *policy, size_t row)
{
    uint32_t i;

    if ((rows[row].kind & ONLINE) && policy->network != SBX_NETWORK_ON)
        return 0;
    if ((rows[row].kind & LOCKED) && policy->git != SBX_GIT_PROTECT)
        return 0;
    for (i = 0; i < policy->tool_count; i++)
        if (!strcmp(policy->tools[i], rows[row].preset))
            return 1;
    return 0;
}

int sbx_tools_need_cache(const sbx_policy *policy)
{
    size_t row;

    for (row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
        if ((rows[row].kind & CACHE) && applies(policy, row))
            return 1;
    return 0;
}

void sbx_tools_edits(sbx_edits *edits, const sbx_policy *policy, const char *cache)
{
    size_t row;
    char *path;

    for (row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        if (!applies(policy, row))
            continue;
        if (rows[row].kind & GIT) {
            sbx_edits_git(edits, rows[row].name, rows[row].value);
        } else if (!(rows[row].kind & CACHE)) {
            sbx_edits_set(edits, rows[row].name, rows[row].value);
        } else if (cache) {
            path = sbx_arena_printf(&edits->arena, "%s\\%s", cache, rows[row].value);
            if (path)
                sbx_edits_set(edits, rows[row].name, path);
            else
                edits->failed = 1;
        }
    }
}
