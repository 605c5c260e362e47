#include "common/environment/network.h"

#include <windows.h>
#include <string.h>

#include "base/text.h"
#include "common/host.h"
#include "win/env.h"

/* Windows takes http_proxy and HTTP_PROXY for one variable, programs of MSYS2 and Cygwin do not, and curl reads only the
 * lower case: so that is how the name is left. */
static const char *const proxies[][2] = {
    {"HTTP_PROXY", "http_proxy"},
    {"HTTPS_PROXY", "https_proxy"},
    {"FTP_PROXY", "ftp_proxy"},
    {"ALL_PROXY", "all_proxy"},
};

static const char *const offline[][2] = {
    {"npm_config_offline", "true"},
    {"npm_config_proxy", SBX_NETWORK_DEAD},
    {"npm_config_https_proxy", SBX_NETWORK_DEAD},
    {"npm_config_audit", "false"},
    {"npm_config_fund", "false"},
    {"npm_config_update_notifier", "false"},
    {"YARN_ENABLE_NETWORK", "false"},
    {"CARGO_NET_OFFLINE", "true"},
    {"CARGO_HTTP_PROXY", SBX_NETWORK_DEAD},
    {"RUSTUP_DIST_SERVER", SBX_NETWORK_DEAD},
    {"PIP_NO_INDEX", "1"},
    {"PIP_DISABLE_PIP_VERSION_CHECK", "1"},
    {"UV_OFFLINE", "1"},
    {"GOPROXY", "off"},
    {"GOTOOLCHAIN", "local"},
    {"GIT_ALLOW_PROTOCOL", "file"},
    {"GIT_TERMINAL_PROMPT", "0"},
    {"GCM_INTERACTIVE", "never"},
};

/* The shell of git reads the command: single quotes, slashes, and a quote in the path written as '\''. */
static void git_ssh(sbx_edits *edits, const char *stubs)
{
    sbx_text command = {0};

    sbx_text_add_char(&command, '\'');
    for (; *stubs; stubs++) {
        if (*stubs == '\'')
            sbx_text_add(&command, "'\\''");
        else
            sbx_text_add_char(&command, *stubs == '\\' ? '/' : *stubs);
    }
    sbx_text_add(&command, "/ssh.exe'");
    if (command.failed)
        edits->failed = 1;
    else
        sbx_edits_set(edits, "GIT_SSH_COMMAND", command.data);
    sbx_text_fini(&command);
}

/* Without a PATH nothing is looked for in one, and one that is nearly full has to stay as it is. */
static int path_takes(const sbx_policy *policy, const char *stubs)
{
    static const char own[] = "own";
    const DWORD units = GetEnvironmentVariableW(L"PATH", NULL, 0); /* with its NUL */
    const char *path = sbx_edits_before(policy, "PATH", units ? own : NULL);
    const size_t length = path == own ? units - 1 : path ? strlen(path) : 0;

    if (!length)
        sbx_host_note(SBX_NOTE_GAP, "PATH", "there is none that the stub programs for ssh and scp could stand in");
    else if (length + strlen(stubs) + 1 >= SBX_ENV_MAX_UNITS)
        sbx_host_note(SBX_NOTE_GAP, "PATH", "has no room for the stub programs: ssh and scp are not discouraged");
    else
        return 1;
    return 0;
}

void sbx_network_edits(sbx_edits *edits, const sbx_policy *policy, const char *stubs)
{
    size_t i;

    if (policy->network == SBX_NETWORK_ON)
        return;
    for (i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++) {
        sbx_edits_add(edits, SBX_ENV_UNSET, proxies[i][0], NULL);
        sbx_edits_set(edits, proxies[i][1], SBX_NETWORK_DEAD);
    }
    /* what the user had there would open the outside; a command's own servers are on no network */
    sbx_edits_add(edits, SBX_ENV_UNSET, "NO_PROXY", NULL);
    sbx_edits_set(edits, "no_proxy", "localhost,127.0.0.1,::1,[::1]");
    for (i = 0; i < sizeof(offline) / sizeof(offline[0]); i++)
        sbx_edits_set(edits, offline[i][0], offline[i][1]);
    sbx_edits_git(edits, "http.proxy", SBX_NETWORK_DEAD);
    sbx_edits_git(edits, "credential.helper", "");
    if (!stubs)
        return;
    git_ssh(edits, stubs);
    if (!path_takes(policy, stubs))
        return;
    sbx_edits_add(edits, SBX_ENV_PREPEND, "PATH", stubs);
    sbx_edits_add(edits, SBX_ENV_DEFAULT, "PATHEXT", ".COM;.EXE;.BAT;.CMD");
}
