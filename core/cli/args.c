/*
 * The command line of sbx: sbx [VERB] [OPTIONS] [--] [WORDS or COMMAND]
 *
 * The first word that is no option is the verb if there is one of that name, else the command
 * begins there; "--" always begins the command.  What belongs to the command is never read, and
 * goes to it as the units that were typed.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "config/schema.h"

typedef struct parser {
    sbx_cli *cli;
    sbx_arguments arguments;
    uint32_t at;
    sbx_flag_value *settings;
    const char **words;
} parser;

static sbx_status usage(const parser *p, sbx_error *err, const char *op, const char *object)
{
    const sbx_verb *verb = p->cli->verb;

    sbx_fail(err, SBX_E_USAGE, op, object);
    return sbx_hint(err, "see `sbx help %s`%s", verb->name,
                    verb->takes & SBX_TAKES_COMMAND ? "; the command's own options go behind \"--\"" : "");
}

/* Options without an argument, everywhere or for one kind of verb. */
static int *plain_option(sbx_cli *cli, const char *name, uint32_t *takes)
{
    *takes = 0;
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "-?") || !strcmp(name, "/?"))
        return &cli->help;
    if (!strcmp(name, "--version") || !strcmp(name, "-V"))
        return &cli->version;
    if (!strcmp(name, "--quiet") || !strcmp(name, "-q"))
        return &cli->quiet;
    if (!strcmp(name, "--verbose") || !strcmp(name, "-v"))
        return &cli->verbosity;
    *takes = SBX_TAKES_COMPARE;
    if (!strcmp(name, "--in-place"))
        return &cli->in_place;
    *takes = SBX_TAKES_JSON;
    if (!strcmp(name, "--json") && !(cli->verb && (cli->verb->takes & SBX_TAKES_COMPARE)))
        return &cli->json;
    *takes = SBX_TAKES_CLEAN;
    if (!strcmp(name, "--all"))
        return &cli->all;
    if (!strcmp(name, "--stale"))
        return &cli->stale;
    if (!strcmp(name, "--homes"))
        return &cli->homes;
    *takes = SBX_TAKES_SETUP;
    if (!strcmp(name, "--status"))
        return &cli->status;
    if (!strcmp(name, "--check"))
        return &cli->check;
    if (!strcmp(name, "--repair"))
        return &cli->repair;
    if (!strcmp(name, "--tools") && cli->verb && (cli->verb->takes & SBX_TAKES_SETUP)) /* of other verbs a setting */
        return &cli->tools;
    *takes = SBX_TAKES_EXPLAIN;
    if (!strcmp(name, "--last"))
        return &cli->last;
    *takes = SBX_TAKES_SETUP | SBX_TAKES_SHIELD;
    if (!strcmp(name, "--dry-run"))
        return &cli->dry_run;
    if (!strcmp(name, "--remove"))
        return &cli->remove;
    return NULL;
}

static const char **valued_option(sbx_cli *cli, const char *name, uint32_t *takes)
{
    *takes = SBX_TAKES_CONFIG;
    if (!strcmp(name, "--config"))
        return &cli->config_file;
    if (!strcmp(name, "--profile") || !strcmp(name, "-p"))
        return &cli->profile;
    *takes = SBX_TAKES_REPORT;
    if (!strcmp(name, "--report"))
        return &cli->report_file;
    *takes = SBX_TAKES_SETUP;
    if (!strcmp(name, "--slots"))
        return &cli->slots;
    if (!strcmp(name, "--user"))
        return &cli->user;
    /* of other verbs it is a setting, which may stand there more than once */
    if (!strcmp(name, "--loopback") && cli->verb && (cli->verb->takes & SBX_TAKES_SETUP))
        return &cli->setup_loopback;
    *takes = SBX_TAKES_EXPLAIN;
    if (!strcmp(name, "--op"))
        return &cli->op;
    *takes = SBX_TAKES_COMPARE;
    if (!strcmp(name, "--backends"))
        return &cli->compare_backends;
    if (!strcmp(name, "--runs"))
        return &cli->runs;
    if (!strcmp(name, "--html"))
        return &cli->html_file;
    if (!strcmp(name, "--json") && cli->verb &&
        (cli->verb->takes & SBX_TAKES_COMPARE)) /* of other verbs without FILE */
        return &cli->json_file;
    *takes = SBX_TAKES_BACKEND;
    if (!strcmp(name, "--backend") && cli->verb && (cli->verb->takes & SBX_TAKES_BACKEND))
        return &cli->backend;
    return NULL;
}

static const sbx_flag *schema_option(const char *name, const sbx_key **key)
{
    uint32_t count, i, f;
    const sbx_key *keys = sbx_schema_keys(&count);

    for (i = 0; i < count; i++)
        for (f = 0; f < SBX_KEY_FLAGS && keys[i].flags[f].name; f++)
            if (!strcmp(keys[i].flags[f].name, name) ||
                (keys[i].flags[f].short_name && !strcmp(keys[i].flags[f].short_name, name))) {
                *key = &keys[i];
                return &keys[i].flags[f];
            }
    return NULL;
}

/* The only one that begins with what was typed, or the one that is spelled most like it. */
static const char *meant(const char *name, const char *const *names, size_t count)
{
    const char *found = NULL;
    size_t length = strlen(name), i, hits = 0;

    for (i = 0; length > 3 && i < count; i++)
        if (!strncmp(names[i], name, length)) {
            found = names[i];
            hits++;
        }
    return hits == 1 ? found : sbx_suggest(name, names, count);
}

static sbx_status unknown_option(const parser *p, const char *name, sbx_error *err)
{
    static const char *const own[] = {"--help",    "--version", "--quiet",    "--verbose", "--json",     "--all",
                                      "--stale",   "--homes",   "--status",   "--remove",  "--dry-run",  "--config",
                                      "--profile", "--report",  "--slots",    "--repair",  "--check",    "--user",
                                      "--op",      "--last",    "--backends", "--runs",    "--in-place", "--html"};
    const char *names[128], *near;
    size_t n = 0;
    uint32_t count, i, f;
    const sbx_key *keys = sbx_schema_keys(&count);

    for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        names[n++] = own[i];
    for (i = 0; i < count; i++)
        for (f = 0; f < SBX_KEY_FLAGS && keys[i].flags[f].name && n < 128; f++)
            names[n++] = keys[i].flags[f].name;
    near = meant(name, names, n);
    usage(p, err, "unknown option", name);
    return near ? sbx_hint(err, "did you mean \"%s\"?", near) : SBX_E_USAGE;
}

static sbx_status does_not_take(const parser *p, const char *name, sbx_error *err)
{
    char what[128];

    snprintf(what, sizeof(what), "%s does not take it", p->cli->verb->name);
    return usage(p, err, what, name);
}

/* "-" is a word, and "/?" what everything on Windows explains itself with. */
static int is_option(const char *text)
{
    return (text[0] == '-' && text[1]) || !strcmp(text, "/?");
}

sbx_status sbx_cli_fail_quote(const char *name, const char *value, sbx_error *err)
{
    const int length = (int)strcspn(value, "\"");

    sbx_fail(err, SBX_E_USAGE, "a quote is part of its argument", name);
    return sbx_hint(err, "a backslash before a closing quote makes it part of the text; write \"%.*s\" or \"%.*s\\\\\"",
                    length <= 100 ? length : 6, length <= 100 ? value : "C:\\dir", length <= 100 ? length : 6,
                    length <= 100 ? value : "C:\\dir");
}

/* A folder or file that somebody named: never with a quote in it, and never by an empty variable. */
static sbx_status check_path(const parser *p, const char *name, const sbx_flag *flag, const sbx_key *key, int equals,
                             const char *value, sbx_error *err)
{
    if (strchr(value, '"'))
        return sbx_cli_fail_quote(name, value, err);
    if (value[0] || equals)
        return SBX_OK;
    usage(p, err, "its argument is empty", name);
    return key->traits & SBX_KEY_LIST ? sbx_hint(err, "to drop what is configured write %s=", flag->name) : SBX_E_USAGE;
}

/* The text behind "=", or the next argument. */
static sbx_status argument_of(parser *p, const char *name, const char *equals, const char **value, sbx_error *err)
{
    if (equals)
        *value = equals + 1;
    else if (p->at < p->arguments.count && strcmp(p->arguments.items[p->at], "--") != 0)
        *value = p->arguments.items[p->at++];
    else
        return usage(p, err, "an argument is missing", name);
    return SBX_OK;
}

static sbx_status one_option(parser *p, const char *text, sbx_error *err)
{
    sbx_cli *cli = p->cli;
    const char *equals = !strncmp(text, "--", 2) ? strchr(text, '=') : NULL;
    const char *name = equals ? sbx_arena_strndup(&cli->arena, text, (size_t)(equals - text)) : text;
    const sbx_key *key = NULL;
    const sbx_flag *flag;
    const char **value, *given = NULL;
    uint32_t takes;
    int *plain;
    sbx_status st;

    if (!name)
        return sbx_fail_memory(err);
    plain = plain_option(cli, name, &takes);
    if (plain) {
        if (equals)
            return usage(p, err, "it takes no argument", name);
        if (takes && !(cli->verb->takes & takes))
            return does_not_take(p, name, err);
        ++*plain;
        return SBX_OK;
    }
    value = valued_option(cli, name, &takes);
    if (value) {
        if (!(cli->verb->takes & takes))
            return does_not_take(p, name, err);
        if ((st = argument_of(p, name, equals, &given, err)) != SBX_OK)
            return st;
        if (*value)
            return usage(p, err, "given twice", name);
        if (!given[0])
            return usage(p, err, "its argument is empty", name);
        if (strchr(given, '"'))
            return sbx_cli_fail_quote(name, given, err);
        *value = given;
        return SBX_OK;
    }
    flag = schema_option(name, &key);
    if (!flag)
        return unknown_option(p, name, err);
    if (!(cli->verb->takes & SBX_TAKES_CONFIG))
        return does_not_take(p, name, err);
    if (!flag->argument && equals)
        return usage(p, err, "it takes no argument", name);
    if (flag->argument && (st = argument_of(p, name, equals, &given, err)) != SBX_OK)
        return st;
    if (flag->argument && key->type == SBX_KEY_PATH &&
        (st = check_path(p, name, flag, key, equals != NULL, given, err)) != SBX_OK)
        return st;
    p->settings[cli->setting_count].flag = flag->name;
    p->settings[cli->setting_count].key = key->name;
    p->settings[cli->setting_count++].value = flag->argument ? given : flag->value;
    return SBX_OK;
}

/* The verb, wherever it stands, has to be known before options are judged. */
static void find_verb(parser *p)
{
    const sbx_verb *verb;
    const sbx_key *key;
    const sbx_flag *flag;
    uint32_t i, takes;
    const char *text;

    for (i = 1; i < p->arguments.count; i++) {
        text = p->arguments.items[i];
        if (!strcmp(text, "--"))
            return;
        if (!is_option(text)) {
            verb = sbx_cli_verb(text);
            if (verb) {
                p->cli->verb = verb;
                p->cli->verb_named = 1;
            }
            return;
        }
        flag = schema_option(text, &key);
        if ((flag && flag->argument) || valued_option(p->cli, text, &takes))
            i++;
    }
}

static void begin_command(parser *p)
{
    p->cli->command_w = p->cli->line_w + p->arguments.begin[p->at];
    p->cli->command = p->arguments.items[p->at];
    p->at = p->arguments.count;
}

sbx_status sbx_cli_parse(sbx_cli *cli, sbx_error *err)
{
    parser p = {0};
    int verb_seen = 0;
    const char *text;
    sbx_status st = sbx_quote_split(&cli->arena, cli->line_w, &p.arguments, err);

    if (st != SBX_OK)
        return st;
    p.cli = cli;
    p.at = 1;
    p.settings = sbx_arena_alloc(&cli->arena, (p.arguments.count + 1) * sizeof(*p.settings));
    p.words = sbx_arena_alloc(&cli->arena, (p.arguments.count + 1) * sizeof(*p.words));
    if (!p.settings || !p.words)
        return sbx_fail_memory(err);
    cli->settings = p.settings;
    cli->words = p.words;
    cli->verb = sbx_cli_verb("run");
    find_verb(&p);
    while (p.at < p.arguments.count) {
        text = p.arguments.items[p.at];
        if (!strcmp(text, "--")) {
            p.at++;
            if (!(cli->verb->takes & SBX_TAKES_COMMAND))
                return does_not_take(&p, "-- COMMAND", err);
            cli->command_marked = 1;
            if (p.at < p.arguments.count)
                begin_command(&p);
        } else if (is_option(text)) {
            p.at++;
            if ((st = one_option(&p, text, err)) != SBX_OK)
                return st;
        } else if (cli->verb_named && !verb_seen) {
            verb_seen = 1;
            p.at++;
        } else if (cli->verb->takes & SBX_TAKES_COMMAND) {
            begin_command(&p);
        } else if (cli->verb->takes & SBX_TAKES_WORDS) {
            if (strchr(text, '"'))
                return sbx_cli_fail_quote(cli->verb->name, text, err);
            p.words[cli->word_count++] = text;
            p.at++;
        } else {
            return does_not_take(&p, text, err);
        }
    }
    return SBX_OK;
}
