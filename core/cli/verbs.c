#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "plugin/plugin.h"
#include "win/out.h"
#include "config/schema.h"

static const sbx_verb verbs[] = {
    {"run", "run a command confined (the verb may be left out)", "[run] [OPTIONS] [--] COMMAND [ARGUMENTS]",
     "Exit code: the command's own; 124 the time limit ended it, 125 sbx or its configuration failed,\n"
     "126 the command cannot run, 127 it was not found.\n"
     "\n"
     "Examples:\n"
     "  sbx -- cargo build\n"
     "  sbx --backend none -- cmd /c \"exit 37\"\n"
     "  sbx --time 10m --memory 4GiB --report run.json -- npm test\n"
     "  sbx --require network,write -- node agent.js\n",
     SBX_TAKES_CONFIG | SBX_TAKES_COMMAND | SBX_TAKES_REPORT, sbx_verb_run},
    {"shell", "run a shell confined", "shell [OPTIONS] [pwsh|powershell|cmd]",
     "Without a name: the first of these that is there.  (sbx) stands before its prompt.  What it starts is in the\n"
     "same sandbox, until you leave it with `exit`; its exit code is passed on.\n"
     "\n"
     "Examples:\n"
     "  sbx shell\n"
     "  sbx shell cmd --network on\n",
     SBX_TAKES_CONFIG | SBX_TAKES_WORDS | SBX_TAKES_REPORT, sbx_verb_shell},
    {"plan", "print what `run` would do, touching nothing", "plan [OPTIONS] [--] [COMMAND]",
     "Fails as `run` would before the command starts, with the same exit code: 127 if it is not found.\n"
     "Without a command it is the plan for any.\n"
     "\n"
     "Examples:\n"
     "  sbx plan --backend unelevated\n"
     "  sbx plan --json --profile ci -- npm test\n",
     SBX_TAKES_CONFIG | SBX_TAKES_COMMAND | SBX_TAKES_JSON, sbx_verb_plan},
    {"backends", "list the backends: what they claim, whether they work here", "backends [--json]",
     "Each DLL is examined in a process of its own with a time limit: the list comes whatever they do.\n",
     SBX_TAKES_JSON, sbx_verb_backends},
    {"init", "make your configuration file, with the backend that can be had here", "init",
     "The file has the few keys that matter, as comments.  One that is there stays as it is; what it sets is told.\n",
     0, sbx_verb_init},
    {"config", "show the merged configuration, change it, or find its files",
     "config show|set KEY VALUE...|path|reference|schema [OPTIONS]",
     "  show        every value and where it comes from\n"
     "  set         write one key into your file; all else in it stays.  Of a list name all elements,\n"
     "              \"\" for none; of a table each as NAME=VALUE\n"
     "  path        the files, in the order in which they are read\n"
     "  reference   a configuration file with every key, its default, and what it means\n"
     "  schema      the JSON Schema of such a file, for editors\n"
     "\n"
     "Read in this order, later wins: %ProgramData%\\sbx\\sbx.toml, %APPDATA%\\sbx\\sbx.toml,\n"
     "--config FILE, --profile NAME, options.  A file in the workspace is never read on its own.\n"
     "\n"
     "Examples:\n"
     "  sbx config show --profile ci\n"
     "  sbx config set limits.time 30m\n"
     "  sbx config set require write delete\n",
     SBX_TAKES_CONFIG | SBX_TAKES_WORDS | SBX_TAKES_JSON, sbx_verb_config},
    {"status", "list what sbx has changed on this machine", "status [--json]",
     "Of each thing its kind, its state, where it is now, and why it is there.\n"
     "\n"
     "States:\n"
     "  active   in use by a run that lives; the process is its sbx.exe, not the command's\n"
     "  kept     left on purpose, for later runs or what runs on in the background, until\n"
     "           `sbx clean ROOT` or --all undoes it\n"
     "  stale    of no use: a run that was killed left it, or its folder was moved or is gone;\n"
     "           `sbx clean` undoes it\n"
     "\n"
     "Kinds:\n"
     "  grant      a writable root: access rights for sandboxed commands, on it and all in it\n"
     "  read       a folder that commands in accounts may read\n"
     "  look       one above others, which they may look at, and not at what is in it\n"
     "  protected  what the command cannot change in a writable root\n"
     "  pinned     a folder that it cannot move, since something protected is in it\n"
     "  guard      a placeholder that keeps a missing name from it; removed when the run ends\n"
     "  closed     what commands cannot change in a writable root though nothing protects it, see\n"
     "             `sbx help grant`; one of them is named\n"
     "  temp       the private TEMP of a run\n"
     "  cache      caches of tools for a writable root, see --tools\n"
     "  home       what commands in accounts have for a home, for one set of writable roots and rules\n"
     "  last       the record of the last run that failed, see `sbx help explain`\n"
     "  shield     a folder in which commands cannot delete, see `sbx help shield`\n"
     "\n"
     "Examples:\n"
     "  sbx status\n"
     "  sbx status --json\n",
     SBX_TAKES_JSON, sbx_verb_status},
    {"clean", "undo what `sbx status` lists", "clean [ROOT|--all|--stale|--homes [ROOT]]",
     "  ROOT      what belongs to this writable root, also where it was moved from or is not listed\n"
     "  --all     everything but what a run that lives needs, which is told as kept\n"
     "  --stale   only what is stale, see `sbx help status` (also without any of these)\n"
     "  --homes   the homes of commands in accounts, or that of ROOT, with all that is in them;\n"
     "            nothing else deletes one\n"
     "\n"
     "Exit code: 0 it is undone, or there was nothing to undo; 125 something could not be undone,\n"
     "or ROOT is in use.  FAILED stands before what could not.\n"
     "\n"
     "Examples:\n"
     "  sbx clean C:\\src\\project\n"
     "  sbx clean --all\n",
     SBX_TAKES_WORDS | SBX_TAKES_CLEAN | SBX_TAKES_JSON, sbx_verb_clean},
    {"grant", "open to commands what was moved into a writable folder", "grant [ROOT]",
     "The first run in a folder opens all that is in it to commands, and what is made there later is open as\n"
     "well.  Not so what you move there from elsewhere, as a move keeps the access rights of the old place,\n"
     "nor what a program gave other rights since, nor what a run with other folders or rules left there.\n"
     "This looks at all of it again and opens what is closed, also while commands run in it.\n"
     "\n"
     "  ROOT   a writable folder that a run had before, or a folder in one; without it, the current folder\n"
     "\n"
     "What stays closed is counted: files with names (hard links) elsewhere, objects that inherit nothing\n"
     "or that you may not change.  Links are opened themselves, not what they lead to.  Protected names\n"
     "stay closed.  Ended halfway, the same command goes on, and so does the next run.\n"
     "\n"
     "Examples:\n"
     "  sbx grant\n"
     "  sbx grant --json C:\\src\\project\n",
     SBX_TAKES_WORDS | SBX_TAKES_JSON, sbx_verb_grant},
    {"shield", "keep commands from deleting in folders of yours", "shield [--dry-run|--remove] [DIR...]",
     "Where a command can delete, rename and move away what lies outside of its writable folders\n"
     "(`sbx plan` tells), a shield closes that: the folders at and below DIR, and those that are made\n"
     "there later, get an entry that denies you \"delete subfolders and files\".  You go on to delete by\n"
     "the right on each file itself; folders that hold something to which you have none are left out.\n"
     "A program of yours that asks for full control of such a folder is refused.  DIR itself can still be\n"
     "moved as a whole, unless the folder that it is in is shielded, too.\n"
     "\n"
     "Without DIR: prints folders to consider; nothing is changed.\n"
     "AppData, writable folders of sbx, cloud folders and roaming profiles only where DIR names them.\n"
     "Links are not followed.  Ended halfway, the same command goes on.\n"
     "  --dry-run  tell what would be changed\n"
     "  --remove   undo it below DIR, or without DIR wherever `sbx status` lists a shield\n"
     "\n"
     "Examples:\n"
     "  sbx shield\n"
     "  sbx shield --dry-run \"%USERPROFILE%\\Documents\"\n"
     "  sbx shield --remove\n",
     SBX_TAKES_WORDS | SBX_TAKES_SHIELD, sbx_verb_shield},
    {"setup", "install what backends need, with administrator rights",
     "setup [--status|--check|--repair|--remove] [OPTIONS] [BACKEND]",
     "Without options: apply the steps that are missing; asks for administrator rights only then.\n"
     "  --status     list the steps and whether they are there\n"
     "  --check      the same by exit code: 0 all is there, 3 something is missing\n"
     "  --repair     apply all of them again: what looks right may be wrong inside, a password above all\n"
     "  --remove     undo them\n"
     "  --dry-run    tell what would be done, also with --repair and --remove\n"
     "  --slots N    accounts of each kind for you, 1 to 16 [8]: so many commands run at one time\n"
     "  --user NAME  for somebody else\n"
     "  --tools      only what takes no administrator: the folders of your profile in which tools lie,\n"
     "               and those of PATH, that your commands may read; also with --status, --dry-run\n"
     "               and --remove\n"
     "  --loopback PORTS  of this machine, open to your commands without a network:\n"
     "               8080,3000-3999, all, none, or dev (3000-9999 and what the system\n"
     "               gives out); without it they stay as they are [none]\n"
     "  --json       one object, for programs\n"
     "\n"
     "What is done is copied to a folder of its own first, below Program Files.  Cut short at any point,\n"
     "the same command goes on.\n"
     "\n"
     "Examples:\n"
     "  sbx setup\n"
     "  sbx setup --tools --dry-run\n"
     "  sbx setup --status elevated\n",
     SBX_TAKES_WORDS | SBX_TAKES_SETUP | SBX_TAKES_JSON, sbx_verb_setup},
    {"doctor", "measure what backends enforce here, and say what is wrong", "doctor [--backend NAME] [--json]",
     "sbx-probe.exe tries what a sandbox should refuse, first without one, then through each backend that is\n"
     "there, and what it finds is held against what that very run guarantees.  It asks for rights and does no\n"
     "harm: what it changes was made for it, and is gone afterwards.\n"
     "\n"
     "  --backend NAME  this one alone\n"
     "  --json          one object, for programs, without names of users\n"
     "  -v              every row: held; GAP, open though it is enforced; closed and open, where nothing is\n"
     "                  claimed; works and lost; untried, as it is not open without a sandbox either\n"
     "\n"
     "Exit code: 0 as claimed, 1 something is open that is claimed to be enforced, 125 a backend is broken, or\n"
     "not all was tried.\n"
     "\n"
     "Examples:\n"
     "  sbx doctor\n"
     "  sbx doctor --backend unelevated --json > doctor.json\n",
     SBX_TAKES_BACKEND | SBX_TAKES_JSON, sbx_verb_doctor},
    {"explain", "say whether a command may, and what decides that",
     "explain PATH [--op read|write|delete|run] [OPTIONS] | explain --last",
     "The system is asked with a token like that of a command that is started with these options: by\n"
     "its access check, and by opening PATH for just these rights.  Nothing is read, changed or deleted,\n"
     "and no command runs.  Told are the object that PATH leads to, the entry of its access rights that\n"
     "decides (for each of the two lists of a restricted token), the line of the configuration, and what\n"
     "would change the answer.\n"
     "\n"
     "  --op OP   read, write, delete, run [read]\n"
     "  --last    the last run of yours that failed in a sandbox: what was refused to it, its gaps, and\n"
     "            what stayed closed; without its environment and arguments that look like secrets\n"
     "\n"
     "What does not exist yet: whether it could be made.  To write in a folder is to make a file there.\n"
     "Exit code: 0, whatever the answer; 125 where there is none, as for what is on another machine.\n"
     "\n"
     "Examples:\n"
     "  sbx explain .git\\config --op delete\n"
     "  sbx explain \"%USERPROFILE%\\.npmrc\" --backend elevated\n"
     "  sbx explain --last\n",
     SBX_TAKES_CONFIG | SBX_TAKES_WORDS | SBX_TAKES_EXPLAIN | SBX_TAKES_JSON, sbx_verb_explain},
    {"compare", "measure backends side by side, and a command through each",
     "compare [--backends NAMES] [--runs N] [--json FILE] [--html FILE] [--in-place] [-- COMMAND]",
     "The probes of `sbx doctor`, a launch of the smallest program, and COMMAND: first without sbx, then through each\n"
     "backend.  Of COMMAND: exit code, output, what it did to files, time, memory, and what the run told.\n"
     "\n"
     "Each run of COMMAND has a copy of the current folder, in TEMP, without links, removed afterwards.  Without sbx "
     "it\n"
     "runs unconfined: compare what you trust.  It gets no input.\n"
     "\n"
     "  --backends NAMES  these, with commas between [all that confine more than the process tree]\n"
     "  --runs N          how often each is measured, 1 to 99 [3]\n"
     "  --in-place        run COMMAND in the current folder, one run after the other, in place of copies; its grants\n"
     "                    stay, as those of any run\n"
     "  --json FILE       all that was measured, for programs, with COMMAND and names of files\n"
     "  --html FILE       the same for people, in one file\n"
     "\n"
     "Exit code: 0 as claimed, 1 something is open that is claimed to be enforced, 125 a backend is broken, COMMAND\n"
     "did not run, or not all was measured.\n"
     "\n"
     "Examples:\n"
     "  sbx compare\n"
     "  sbx compare --backends none,unelevated --html report.html -- node build.js\n",
     SBX_TAKES_COMPARE | SBX_TAKES_COMMAND, sbx_verb_compare},
    {"completion", "print a completion script", "completion powershell",
     "Example (in the file that $PROFILE names):\n"
     "  sbx completion powershell | Out-String | Invoke-Expression\n",
     SBX_TAKES_WORDS, sbx_verb_completion},
    {"help", "explain a verb", "help [VERB]", "Example:\n  sbx help run\n", SBX_TAKES_WORDS, sbx_verb_help},
    {"version", "print the version", "version [--json]", "", SBX_TAKES_JSON, sbx_verb_version},
    {"__examine", "", "", "", SBX_TAKES_WORDS | SBX_TAKES_INTERNAL, sbx_verb_examine},
};
#define VERB_COUNT ((uint32_t)(sizeof(verbs) / sizeof(verbs[0])))

const sbx_verb *sbx_cli_verbs(uint32_t *count)
{
    *count = VERB_COUNT;
    return verbs;
}

const sbx_verb *sbx_cli_verb(const char *name)
{
    uint32_t i;

    for (i = 0; i < VERB_COUNT; i++)
        if (!strcmp(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

void sbx_cli_unknown_verb(const char *name, sbx_error *err)
{
    const char *names[VERB_COUNT], *near;
    size_t n = 0;
    uint32_t i;

    for (i = 0; i < VERB_COUNT; i++)
        if (!(verbs[i].takes & SBX_TAKES_INTERNAL))
            names[n++] = verbs[i].name;
    near = sbx_suggest(name, names, n);
    if (near)
        sbx_hint(err, "did you mean `sbx %s`?", near);
}

#define HELP_COLUMN 36

static void option_line(sbx_text *out, const char *short_name, const char *name, const char *argument, const char *help)
{
    char left[64];

    snprintf(left, sizeof(left), "%s%s%s%s%s", short_name ? short_name : "    ", short_name ? ", " : "", name,
             argument ? " " : "", argument ? argument : "");
    if (strlen(left) < HELP_COLUMN - 2)
        sbx_text_printf(out, "  %-*s", HELP_COLUMN - 2, left);
    else
        sbx_text_printf(out, "  %s\n%*s", left, HELP_COLUMN, "");
    sbx_out_wrap(out, HELP_COLUMN, help);
}

/* " [off]": what is taken without the option, where that is one word. */
static void add_default(const sbx_key *key, char help[256])
{
    const size_t used = strlen(help), quoted = key->default_value[0] == '"';

    if (!(key->traits & (SBX_KEY_LIST | SBX_KEY_TABLE | SBX_KEY_EXPAND)))
        snprintf(help + used, 256 - used, " [%.*s]", (int)(strlen(key->default_value) - 2 * quoted),
                 key->default_value + quoted);
}

/* In groups, as the tables of a configuration are. */
static void schema_options(sbx_text *out)
{
    const char *table = "", *rest;
    size_t table_length = 0, length;
    uint32_t count, i, f;
    const sbx_key *keys = sbx_schema_keys(&count);
    const sbx_flag *flag;
    char help[256];

    for (i = 0; i < count; i++) {
        length = sbx_schema_table_length(&keys[i], &rest);
        if (length != table_length || memcmp(table, keys[i].name, length) != 0)
            sbx_text_printf(out, "\n%.*s: %s\n", (int)length, keys[i].name,
                            sbx_schema_table_help(keys[i].name, length));
        table = keys[i].name;
        table_length = length;
        for (f = 0; f < SBX_KEY_FLAGS && keys[i].flags[f].name; f++) {
            flag = &keys[i].flags[f];
            snprintf(help, sizeof(help), "%s%s", flag->help ? flag->help : keys[i].help,
                     flag->argument && (keys[i].traits & (SBX_KEY_LIST | SBX_KEY_TABLE))
                         ? "; adds to what is configured"
                         : "");
            if (flag->argument)
                add_default(&keys[i], help);
            option_line(out, flag->short_name, flag->name, flag->argument, help);
        }
    }
}

static void help_of_program(sbx_text *out)
{
    uint32_t i;

    sbx_text_add(out, "sbx " SBX_VERSION ": runs a command so that it writes only where you allow it\n"
                      "\n"
                      "  sbx [OPTIONS] [--] COMMAND [ARGUMENTS]\n"
                      "  sbx VERB [OPTIONS]\n"
                      "\n"
                      "Verbs:\n");
    for (i = 0; i < VERB_COUNT; i++)
        if (!(verbs[i].takes & SBX_TAKES_INTERNAL))
            sbx_text_printf(out, "  %-12s%s\n", verbs[i].name, verbs[i].summary);
    sbx_text_add(out, "\n"
                      "`sbx help VERB` explains one, `sbx help run` lists the options of a run.\n"
                      "\n"
                      "Examples:\n"
                      "  sbx -- cargo build\n"
                      "  sbx --backend unelevated -- npm test\n"
                      "  sbx plan\n");
}

void sbx_cli_help(const sbx_verb *verb, sbx_text *out)
{
    if (!verb) {
        help_of_program(out);
        return;
    }
    sbx_text_printf(out, "sbx %s: %s\n\n  sbx %s\n\nOptions:\n", verb->name, verb->summary, verb->usage);
    if (verb->takes & SBX_TAKES_CONFIG) {
        schema_options(out);
        sbx_text_add(out, "\nconfiguration and output:\n");
        option_line(out, NULL, "--config", "FILE", "One more configuration file");
        option_line(out, "-p", "--profile", "NAME",
                    "npm, cargo, python, go, dotnet, agent, or one of the configuration");
    }
    if (verb->takes & SBX_TAKES_REPORT)
        option_line(out, NULL, "--report", "FILE", "Write what happened as JSON, also when it failed");
    if (verb->takes & SBX_TAKES_JSON)
        option_line(out, NULL, "--json", NULL, "Print JSON, for programs");
    option_line(out, "-q", "--quiet", NULL, "Only errors, and what a fallback loses");
    option_line(out, "-v", "--verbose", NULL, "Say more");
    option_line(out, "-h", "--help", NULL, "This text");
    if (verb->takes & SBX_TAKES_CONFIG)
        sbx_text_add(out,
                     "\nAn empty argument drops what is configured: `--pass= --pass NAME` passes that one alone.\n");
    if (verb->text[0])
        sbx_text_printf(out, "\n%s", verb->text);
}

sbx_status sbx_verb_help(sbx_cli *cli, sbx_error *err)
{
    const sbx_verb *verb = NULL;

    if (cli->word_count > 1)
        return sbx_fail(err, SBX_E_USAGE, "one verb at a time", cli->words[1]);
    if (cli->word_count) {
        verb = sbx_cli_verb(cli->words[0]);
        if (!verb || (verb->takes & SBX_TAKES_INTERNAL)) {
            sbx_fail(err, SBX_E_USAGE, "unknown verb", cli->words[0]);
            sbx_hint(err, "`sbx help` lists them");
            sbx_cli_unknown_verb(cli->words[0], err);
            return SBX_E_USAGE;
        }
    }
    sbx_cli_help(verb, &cli->out);
    return SBX_OK;
}

sbx_status sbx_verb_version(sbx_cli *cli, sbx_error *err)
{
    cJSON *root;

    if (cli->json) {
        root = cJSON_CreateObject();
        cJSON_AddStringToObject(root, "version", SBX_VERSION);
        cJSON_AddNumberToObject(root, "interface_major", SBX_ABI_MAJOR);
        cJSON_AddNumberToObject(root, "interface_minor", SBX_ABI_MINOR);
        cJSON_AddStringToObject(root, "program_dir", sbx_plugin_program_dir());
        return sbx_json_finish(root, &cli->out, err);
    }
    sbx_text_printf(&cli->out, "sbx %s (backend interface %u.%u)\n", SBX_VERSION, SBX_ABI_MAJOR, SBX_ABI_MINOR);
    return SBX_OK;
}
