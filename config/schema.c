#include "config/schema.h"

#include <string.h>

#define SBX_DAYS_MS(days) ((int64_t)(days)*24 * 60 * 60 * 1000)

static const char *const network_words[] = {"off", "on", NULL};
static const char *const area_words[] = {"write", "delete", "read", "network", "processes", "ui", NULL};
static const char *const git_words[] = {"protect", "commit", "write", NULL};
static const char *const read_words[] = {"tools", "profile", "listed", NULL};
static const char *const token_words[] = {"write-restricted", "account", NULL};
static const char *const private_words[] = {"private", "user", NULL};
static const char *const tool_words[] = {"git", "node", "cargo", "python", "go", "dotnet", NULL};

static const sbx_key keys[] = {
    {.name = "backend",
     .type = SBX_KEY_NAME,
     .default_value = "\"elevated\"",
     .flags = {{.name = "--backend", .short_name = "-b", .argument = "NAME"}},
     .help = "What confines the command: elevated, unelevated, none, or another DLL of the backends folder",
     .comment = "`sbx backends` lists those that are there and what each one guarantees."},
    {.name = "fallback",
     .type = SBX_KEY_NAME,
     .default_value = "\"unelevated\"",
     .flags = {{.name = "--fallback", .argument = "NAME"}},
     .help = "The backend to take when the chosen one is not set up, or cannot work here",
     .comment =
         "The launch goes on after one line on stderr that names what is lost, unless the other backend cannot keep "
         "what a file or an option asks for (require, deny_read, network = \"off\"). One that is broken, or whose "
         "setup "
         "has not come to its end, does not give way. \"refuse\": none does. \"none\" is not allowed here."},
    {.name = "require",
     .type = SBX_KEY_ENUM,
     .traits = SBX_KEY_LIST | SBX_KEY_COMMAS,
     .default_value = "[]",
     .words = area_words,
     .flags = {{.name = "--require", .argument = "AREA,..."}},
     .help = "What must be enforced by the system: write, delete, read, network, processes, ui",
     .comment = "The launch is refused when the backend that would run cannot enforce one of them, fallback or not."},
    {.name = "network",
     .type = SBX_KEY_ENUM,
     .default_value = "\"off\"",
     .words = network_words,
     .flags = {{.name = "--network", .argument = "off|on"}},
     .help = "Whether the command may use the network: off, on"},
    {.name = "loopback",
     .type = SBX_KEY_PORTS,
     .traits = SBX_KEY_LIST | SBX_KEY_COMMAS,
     .default_value = "[]",
     .min = 1,
     .max = 65535,
     .flags = {{.name = "--loopback", .argument = "PORTS,..."}},
     .help = "Ports of this machine that can be reached although the network is off: 8080, 3000-3999, all",
     .comment = "Example: loopback = [8080, \"3000-3999\"]. A backend that cannot tell ports apart opens all of them "
                "and says so."},
    {.name = "cwd",
     .type = SBX_KEY_PATH,
     .traits = SBX_KEY_EXPAND,
     .default_value = "\"${WORKSPACE}\"",
     .flags = {{.name = "--cwd", .short_name = "-C", .argument = "DIR"}},
     .help = "Where the command starts"},
    {.name = "keep_children",
     .type = SBX_KEY_BOOLEAN,
     .default_value = "false",
     .flags = {{.name = "--keep-children", .value = "true"}},
     .help = "Leave background processes running when the command has ended",
     .comment = "Without it they end with the command."},

    {.name = "filesystem.workspace",
     .type = SBX_KEY_PATH,
     .traits = SBX_KEY_EXPAND,
     .default_value = "\"${CWD}\"",
     .flags = {{.name = "--workspace", .short_name = "-W", .argument = "DIR"}},
     .help = "The folder that ${WORKSPACE} and relative paths stand for"},
    {.name = "filesystem.writable",
     .type = SBX_KEY_PATH,
     .traits = SBX_KEY_LIST | SBX_KEY_EXPAND,
     .default_value = "[\"${WORKSPACE}\"]",
     .flags = {{.name = "--writable",
                .short_name = "-w",
                .argument = "DIR",
                .help = "A folder in which the command may write"},
               {.name = "--read-only", .value = "", .help = "No writable folder at all, not even the workspace"}},
     .help = "The folders in which the command may write; an empty list: none",
     .comment = "Volume roots, a whole user profile, the Windows folder and sbx's own folders are refused."},
    {.name = "filesystem.protected",
     .type = SBX_KEY_PATH,
     .traits = SBX_KEY_LIST | SBX_KEY_EXPAND,
     .default_value = "[\".codex\", \".agents\", \"sbx.toml\"]",
     .flags = {{.name = "--protect", .argument = "PATH"}},
     .help = "Read-only although inside a writable folder",
     .comment =
         "A relative path counts from each writable folder that lies in no other one. `.git` is the key `git`. "
         "Configuration files that were "
         "read for this launch are always protected. What is named and missing is taken by a hidden placeholder; "
         "what is built in only where no tool takes that for more than it is."},
    {.name = "filesystem.deny_read",
     .type = SBX_KEY_PATH,
     .traits = SBX_KEY_LIST | SBX_KEY_EXPAND,
     .default_value = "[]",
     .flags = {{.name = "--deny-read", .argument = "PATH"}},
     .help = "Files and folders that the command cannot read",
     .comment =
         "Closed by access rights, which stay until `sbx clean PATH`. A backend that cannot enforce this refuses the "
         "launch; `none`, which confines nothing, ignores it."},
    {.name = "filesystem.read",
     .type = SBX_KEY_ENUM,
     .default_value = "\"tools\"",
     .words = read_words,
     .help = "What of yours a command in an account reads beside its folders: tools, profile, listed",
     .comment =
         "\"tools\": the homes of tools in your profile, and the folders of PATH. \"profile\": also the folders of "
         "your "
         "profile but AppData, and but those that hold credentials. \"listed\": only `readable`. `sbx setup --tools` "
         "opens them, by the configuration of the user and the machine, and tells each; a launch opens none. Other "
         "backends "
         "leave reading as it is: a fallback that does is refused where this is written."},
    {.name = "filesystem.readable",
     .type = SBX_KEY_PATH,
     .traits = SBX_KEY_LIST | SBX_KEY_EXPAND,
     .default_value = "[]",
     .help = "More folders that a command in an account reads",
     .comment = "Opened by `sbx setup --tools`, too. None that holds, or lies in, a place where credentials are kept."},
    {.name = "filesystem.git",
     .type = SBX_KEY_ENUM,
     .default_value = "\"protect\"",
     .words = git_words,
     .flags = {{.name = "--git", .argument = "protect|commit|write"}},
     .help = "What the command may do in .git: protect, commit, write",
     .comment =
         "\"protect\": read only. \"commit\": objects, refs and the index; hooks, config, and what other submodules "
         "and worktrees keep in it stay read-only. Of the repository of a linked worktree or submodule out of all "
         "writable folders what a commit needs is opened; `sbx plan` names it. \"write\": like any other folder, which "
         "lets a command plant hooks that run later without a sandbox. "
         "Repositories further down, and a writable folder that is a git directory itself, are treated alike."},
    {.name = "filesystem.temp",
     .type = SBX_KEY_ENUM,
     .default_value = "\"private\"",
     .words = private_words,
     .flags = {{.name = "--temp",
                .argument = "private|user",
                .help = "TEMP of the command: a private one, removed afterwards, or the user's as it is, which it can "
                        "write to only where a writable folder holds it"}},
     .help = "TEMP of the command: a private one, removed afterwards, or the user's as it is",
     .comment = "The user's own can only be written to where a writable folder holds it."},

    {.name = "environment.pass",
     .type = SBX_KEY_PATTERN,
     .traits = SBX_KEY_LIST | SBX_KEY_COMMAS,
     .default_value = "[\"*\"]",
     .flags = {{.name = "--pass", .argument = "NAME,..."}},
     .help = "Environment variables that the command gets; NAME, PREFIX*, or * for all",
     .comment =
         "Those that Windows itself needs (SystemRoot, PATH, TEMP and the like) are always there. A name written "
         "in full is passed even when it looks like a secret; one that is covered by a * is not."},
    {.name = "environment.set",
     .type = SBX_KEY_STRING,
     .traits = SBX_KEY_TABLE | SBX_KEY_EXPAND,
     .default_value = "{}",
     .flags = {{.name = "--env", .short_name = "-e", .argument = "NAME=VALUE"}},
     .help = "Environment variables with a value of their own",
     .comment = "Example: set = { CI = \"1\", NODE_OPTIONS = \"--max-old-space-size=2048\" }"},
    {.name = "environment.unset",
     .type = SBX_KEY_PATTERN,
     .traits = SBX_KEY_LIST | SBX_KEY_COMMAS,
     .default_value = "[]",
     .flags = {{.name = "--unset", .argument = "NAME,..."}},
     .help = "Environment variables that the command does not get; NAME or PREFIX*"},
    {.name = "environment.block_secrets",
     .type = SBX_KEY_BOOLEAN,
     .default_value = "true",
     .flags = {{.name = "--block-secrets", .argument = "true|false"}},
     .help = "Withhold variables whose names look like secrets",
     .comment = "*_TOKEN, *_SECRET, *_KEY, *PASSWORD* and the like; `sbx plan` lists what is withheld, by name."},

    {.name = "limits.time",
     .type = SBX_KEY_DURATION,
     .traits = SBX_KEY_NONE,
     .default_value = "\"none\"",
     .min = 1,
     .max = SBX_DAYS_MS(365),
     .flags = {{.name = "--time", .short_name = "-t", .argument = "DURATION"}},
     .help = "Wall-clock time after which the command is ended, such as 10m or 1h30m",
     .comment = "Exit code 124. Units: ms, s, m, h, d."},
    {.name = "limits.memory",
     .type = SBX_KEY_SIZE,
     .traits = SBX_KEY_NONE,
     .default_value = "\"none\"",
     .min = 1 << 20,
     .max = (int64_t)1 << 50,
     .flags = {{.name = "--memory", .short_name = "-m", .argument = "SIZE"}},
     .help = "Memory that the command and its children may commit together, such as 4GiB",
     .comment = "Units: B, KiB, MiB, GiB, TiB (1024) and kB, MB, GB, TB (1000)."},
    {.name = "limits.cpu",
     .type = SBX_KEY_PERCENT,
     .traits = SBX_KEY_NONE,
     .default_value = "\"none\"",
     .min = 1,
     .max = 100,
     .flags = {{.name = "--cpu", .argument = "PERCENT"}},
     .help = "Share of the whole machine's processors, such as 50%"},
    {.name = "limits.processes",
     .type = SBX_KEY_COUNT,
     .traits = SBX_KEY_NONE,
     .default_value = "\"none\"",
     .min = 1,
     .max = 65535,
     .flags = {{.name = "--processes", .argument = "COUNT"}},
     .help = "Processes that may be alive at one time"},

    {.name = "console.grace",
     .type = SBX_KEY_DURATION,
     .default_value = "\"5s\"",
     .min = 0,
     .max = 10 * 60 * 1000,
     .flags = {{.name = "--grace", .argument = "DURATION"}},
     .help = "Time for the command to end by itself when the console closes, or after Ctrl-C",
     .comment =
         "After a first Ctrl-C it counts only where standard input is no console, such as a script: at a console a "
         "second Ctrl-C ends the command. 0s: no end after Ctrl-C. A closed console leaves 3s at most."},

    {.name = "ui.desktop",
     .type = SBX_KEY_ENUM,
     .default_value = "\"private\"",
     .words = private_words,
     .flags = {{.name = "--desktop", .argument = "private|user"}},
     .help = "The desktop that windows appear on: a private, invisible one, or the user's"},
    {.name = "ui.clipboard",
     .type = SBX_KEY_BOOLEAN,
     .default_value = "true",
     .flags = {{.name = "--no-clipboard", .value = "false", .help = "Keep the command from the clipboard"}},
     .help = "Let the command use the clipboard",
     .comment = "false: by limits of the user interface on its job, which keep windows, atoms and system settings from "
                "it, too. Windows nests no jobs with such limits: node and bun can start no program then, and sbx "
                "itself must not run in the job of another program."},

    {.name = "tools.presets",
     .type = SBX_KEY_ENUM,
     .traits = SBX_KEY_LIST | SBX_KEY_COMMAS,
     .default_value = "[]",
     .words = tool_words,
     .flags = {{.name = "--tools", .argument = "NAME,..."}},
     .help = "Settings that a toolchain needs: git, node, cargo, python, go, dotnet",
     .comment = "Each is a small table of environment variables, which `sbx plan` names, and of cache folders, which "
                "`sbx status` lists."},

    {.name = "elevated.wait",
     .type = SBX_KEY_DURATION,
     .default_value = "\"10m\"",
     .min = 0,
     .max = SBX_DAYS_MS(1),
     .flags = {{.name = "--wait", .argument = "DURATION"}},
     .help = "How long to wait for an account when all are at work, such as 30s; 0s: not at all",
     .comment = "A run has its account alone; `sbx setup --slots N` makes more of them."},

    {.name = "elevated.token",
     .type = SBX_KEY_ENUM,
     .default_value = "\"write-restricted\"",
     .words = token_words,
     .flags = {{.name = "--elevated-token", .argument = "write-restricted|account"}},
     .help = "What a command of the backend elevated runs with: write-restricted, account",
     .comment =
         "\"account\" is for programs that fail with a restricted token, above all where Windows does TLS "
         "(SEC_E_NO_CREDENTIALS, 0x8009030E). It is weaker: the command can write where every user of the machine "
         "may, and, where it has writable folders, in all folders that were ever opened to commands of yours."},
};

static const struct {
    const char *table, *help;
} tables[] = {
    {"filesystem", "what the command may write and read"},
    {"environment", "what it finds in its environment"},
    {"limits", "what it may use up; \"none\" is no limit"},
    {"console", "how it meets the console"},
    {"ui", "how it meets the user interface"},
    {"tools", "what toolchains need"},
    {"elevated", "how commands run as accounts of their own"},
};

const sbx_key *sbx_schema_keys(uint32_t *count)
{
    *count = sizeof(keys) / sizeof(keys[0]);
    return keys;
}

const sbx_key *sbx_schema_find(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (!strcmp(keys[i].name, name))
            return &keys[i];
    return NULL;
}

const char *sbx_schema_type_name(const sbx_key *key)
{
    static const char *const one[] = {"a value",
                                      "a string",
                                      "a name as a string",
                                      "one of the words below",
                                      "true or false",
                                      "a whole number",
                                      "a percentage such as 50 or \"50%\"",
                                      "a size such as \"4GiB\"",
                                      "a duration such as \"10m\"",
                                      "a path as a string",
                                      "the name of a variable as a string",
                                      "the name of a variable as a string",
                                      "a port or ports such as 8080, \"3000-3999\" or \"all\""};
    static const char *const many[] = {"a list",
                                       "a list of strings",
                                       "a list of names",
                                       "a list of strings",
                                       "a list of true and false",
                                       "a list of whole numbers",
                                       "a list of percentages",
                                       "a list of sizes",
                                       "a list of durations",
                                       "a list of paths",
                                       "a list of variable names",
                                       "a list of variable names",
                                       "a list of ports"};
    uint32_t type = key->type < sizeof(one) / sizeof(one[0]) ? key->type : 0;

    if (key->traits & SBX_KEY_TABLE)
        return "a table of strings";
    if (key->traits & SBX_KEY_LIST)
        return many[type];
    return key->type == SBX_KEY_ENUM ? "a string" : one[type];
}

size_t sbx_schema_table_length(const sbx_key *key, const char **name)
{
    const char *dot = strchr(key->name, '.');

    if (name)
        *name = dot ? dot + 1 : key->name;
    return dot ? (size_t)(dot - key->name) : 0;
}

const char *sbx_schema_table_help(const char *table, size_t length)
{
    size_t i;

    for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (strlen(tables[i].table) == length && !memcmp(tables[i].table, table, length))
            return tables[i].help;
    return NULL;
}
