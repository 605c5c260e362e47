#include "cli/select.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/utf.h"
#include "cli/json.h"
#include "win/out.h"
#include "win/dirs.h"
#include "win/error.h"

static SRWLOCK lock = SRWLOCK_INIT; /* backends may call back from any thread */

static void on_log(void *context, uint32_t level, const char *text)
{
    const sbx_cli *cli = context;

    if ((level == SBX_LOG_WARN && cli->quiet) || (level >= SBX_LOG_INFO && !cli->verbosity))
        return;
    sbx_out_line(text);
}

void sbx_cli_note(sbx_cli *cli, uint32_t kind, const char *object, const char *text)
{
    char line[1024];

    AcquireSRWLockExclusive(&lock);
    sbx_report_note_add(&cli->report, kind, object, text);
    ReleaseSRWLockExclusive(&lock);
    if (cli->verbosity < 1 || cli->quiet)
        return;
    snprintf(line, sizeof(line), "%s: %s%s%s", sbx_report_note_kind(kind), object, object[0] ? ": " : "", text);
    sbx_out_line(line);
}

static void on_note(void *context, uint32_t kind, const char *object, const char *text)
{
    sbx_cli_note(context, kind, object, text);
}

#define PROGRESS_COLUMNS 79u

/* One line that is written over, from half a second on, ten times a second. */
static void on_progress(void *context, const char *what, uint64_t done, uint64_t total)
{
    static ULONGLONG begin, last;
    const sbx_cli *cli = context;
    ULONGLONG now = GetTickCount64();
    char line[128], count[48], cut[PROGRESS_COLUMNS];
    sbx_text shown = {0};
    int length;

    if (cli->quiet || !sbx_out_is_console(SBX_OUT_STDERR))
        return;
    AcquireSRWLockExclusive(&lock);
    if (!begin)
        begin = now;
    if (total && done >= total) {
        length = snprintf(line, sizeof(line), "\r%*s\r", (int)PROGRESS_COLUMNS, "");
        if (last)
            sbx_out_write(SBX_OUT_STDERR, line, (size_t)length);
        begin = last = 0;
    } else if (now - begin > 500 && now - last > 100) {
        if (total)
            snprintf(count, sizeof(count), "%llu/%llu", (unsigned long long)done, (unsigned long long)total);
        else
            snprintf(count, sizeof(count), "%llu objects", (unsigned long long)done);
        /* no wider than a console of 80 columns, where the next one would begin a new line */
        sbx_text_add_shown(&shown, what, 0);
        sbx_utf8_copy(cut, sizeof(cut) - strlen("sbx: : ") - strlen(count), shown.data);
        sbx_text_fini(&shown);
        length = snprintf(line, sizeof(line), "\rsbx: %s: %s", cut, count);
        sbx_out_write(SBX_OUT_STDERR, line, (size_t)length);
        last = now;
    }
    ReleaseSRWLockExclusive(&lock);
}

sbx_status sbx_cli_plugins(sbx_cli *cli, sbx_error *err)
{
    const sbx_plugin_sink sink = {cli, on_log, on_note, on_progress};
    const char *dir, *state_dir;
    sbx_status st = sbx_cli_dir(cli, SBX_DIR_LOCAL_DATA, &dir, err);

    if (st != SBX_OK)
        return st;
    state_dir = sbx_arena_printf(&cli->arena, "%s\\sbx", dir);
    return state_dir ? sbx_plugin_init(SBX_PROGRAM_SBX, state_dir, &sink, err) : sbx_fail_memory(err);
}

/* SBX_E_UNAVAILABLE: it cannot work here.  claims->size stays 0 where there is none of that name. */
static sbx_status load(const char *name, sbx_choice *choice, sbx_guarantees *claims, sbx_error *err)
{
    sbx_status st = sbx_plugin_load(name, &choice->plugin, err);

    if (st != SBX_OK)
        return st;
    choice->backend = sbx_plugin_backend(choice->plugin);
    *claims = choice->backend->claims;
    st = choice->backend->probe(err);
    if (st != SBX_OK)
        sbx_choice_close(choice);
    return st;
}

sbx_status sbx_choice_probe(const char *name, sbx_guarantees *claims, sbx_error *err)
{
    sbx_choice choice = {0};
    sbx_status st = load(name, &choice, claims, err);

    sbx_choice_close(&choice);
    return st;
}

/* Whether the backend would run here, and then whether it confines. */
static int would_run(const char *name, int *confines)
{
    sbx_guarantees claims;
    sbx_error err = {0};
    const int runs = name && sbx_choice_probe(name, &claims, &err) == SBX_OK;

    *confines = runs && (claims.enforced & SBX_AREA_FILE_WRITE);
    return runs;
}

sbx_status sbx_choice_confines(sbx_cli *cli, int *confines, sbx_error *err)
{
    sbx_status st = sbx_cli_plugins(cli, err);

    *confines = 0;
    if (st == SBX_OK && !would_run(cli->plan.backend, confines))
        would_run(cli->plan.fallback, confines);
    return st;
}

static sbx_status open_session(sbx_cli *cli, uint32_t flags, sbx_choice *choice, sbx_error *err)
{
    sbx_report *report = &cli->report;
    sbx_status st = choice->backend->open(&cli->plan.policy, flags, &choice->session, &report->guarantees, err);

    if (st == SBX_OK) {
        snprintf(report->backend_used, sizeof(report->backend_used), "%s", choice->backend->name);
        snprintf(report->backend_version, sizeof(report->backend_version), "%s", choice->backend->version);
    } else {
        sbx_cli_hint_origin(cli, err);
        sbx_choice_close(choice);
    }
    return st;
}

static int is_built_in(const sbx_cli *cli, const char *key, const char **origin)
{
    *origin = "";
    sbx_config_string(cli->config, key, origin);
    return !strcmp(*origin, "built-in");
}

/* What somebody wrote, and the fallback does not claim to keep: it must not run in the place of one that does.  `require`
 * is the backend's to judge. */
static sbx_status check_written(const sbx_cli *cli, const sbx_guarantees *claims, const sbx_error *why, sbx_error *err)
{
    static const struct {
        const char *key, *shown;
        uint32_t area;
    } keys[] = {{"network", "network = \"off\"", SBX_AREA_NETWORK},
                {"filesystem.deny_read", "deny_read", SBX_AREA_FILE_READ},
                {"filesystem.read", "read", SBX_AREA_FILE_READ}};
    const sbx_policy *policy = &cli->plan.policy;
    const uint32_t asked = (policy->network == SBX_NETWORK_OFF ? SBX_AREA_NETWORK : 0u) | SBX_AREA_FILE_READ;
    const char *origin;
    char object[400], reason[200];
    size_t i;

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!(asked & keys[i].area & ~claims->enforced) || is_built_in(cli, keys[i].key, &origin))
            continue;
        snprintf(object, sizeof(object), "%s (%s)", keys[i].shown, origin);
        sbx_error_describe(why, reason, sizeof(reason));
        sbx_fail(err, SBX_E_REFUSED, "the fallback does not enforce it", object);
        return sbx_hint(err, "backend \"%s\" was chosen and cannot run: %s", cli->plan.backend,
                        why->hint[0] ? why->hint : reason);
    }
    return SBX_OK;
}

/* "elevated" is not available (why): "unelevated" runs, which does not enforce network; sbx setup.
 * Where the other one does not run either, used is NULL and its own error follows. */
static void say_fallback(sbx_cli *cli, const char *used, const sbx_guarantees *claims, const sbx_error *why)
{
    /* a backend that could not be loaded has made no claims: then all that the other does not enforce */
    uint32_t lost = (claims->enforced ? claims->enforced : SBX_AREA_ALL) & ~cli->report.guarantees.enforced;
    static const char said[] = ": not available here"; /* by the line itself */
    sbx_text line = {0};
    char reason[1024], own[64];
    size_t length;

    snprintf(own, sizeof(own), "backend \"%s\": ", cli->plan.backend);
    sbx_error_describe(why, reason, sizeof(reason));
    sbx_text_add(&cli->report.fallback, reason);
    if (!strncmp(reason, own, strlen(own))) /* the line begins with that */
        memmove(reason, reason + strlen(own), strlen(reason + strlen(own)) + 1);
    length = strlen(reason);
    if (length >= sizeof(said) && !strcmp(reason + length - (sizeof(said) - 1), said))
        reason[length - (sizeof(said) - 1)] = 0;
    sbx_text_printf(&line, "backend \"%s\" is not available (%s): \"%s\" ", cli->plan.backend, reason,
                    cli->plan.fallback);
    if (!used) {
        sbx_text_add(&line, "is tried");
    } else if (lost) {
        sbx_text_add(&line, "runs, which does not enforce ");
        sbx_areas_print_names(lost, &line);
    } else {
        sbx_text_add(&line, "runs, which enforces the same");
    }
    if (used && claims->size)
        sbx_text_printf(&line, "; to get it: %s", why->hint[0] ? why->hint : "sbx setup");
    if (!line.failed)
        sbx_out_line(line.data); /* also with --quiet: nothing weakens silently */
    sbx_text_fini(&line);
}

sbx_status sbx_choice_open(sbx_cli *cli, uint32_t flags, sbx_choice *choice, sbx_error *err)
{
    const sbx_plan *plan = &cli->plan;
    sbx_guarantees claims = {0}, other = {0};
    sbx_error first;
    char names[sizeof(first.hint)];
    const char *origin;
    sbx_status st = sbx_cli_plugins(cli, err);

    if (st != SBX_OK)
        return st;
    cli->report.guarantees.size = sizeof(cli->report.guarantees);
    st = load(plan->backend, choice, &claims, err);
    if (st == SBX_OK)
        return open_session(cli, flags, choice, err);
    if (st != SBX_E_UNAVAILABLE)
        return st;
    /* a name that nobody has is a mistake: only a fallback that somebody named stands in for that */
    if (!plan->fallback || (!claims.size && is_built_in(cli, "fallback", &origin))) {
        if (!err->hint[0])
            return sbx_hint(err, "`sbx backends` lists what works here");
        if (!claims.size) { /* there is none of that name; the hint lists the others */
            snprintf(names, sizeof(names), "%s", err->hint);
            sbx_hint(err, "choose one with --backend; %s", names);
        }
        return st;
    }
    first = *err;
    st = load(plan->fallback, choice, &other, err);
    if (st == SBX_E_UNAVAILABLE) {
        sbx_error_describe(err, names, sizeof(names));
        *err = first; /* the one that was asked for says more */
        return sbx_hint(err, "the fallback \"%s\" is not available either (%s); `sbx backends` lists what works here",
                        plan->fallback, names);
    }
    if (st == SBX_OK && (st = check_written(cli, &other, &first, err)) != SBX_OK)
        sbx_choice_close(choice);
    else if (st == SBX_OK && (st = open_session(cli, flags, choice, err)) == SBX_OK)
        say_fallback(cli, cli->report.backend_used, &claims, &first);
    else
        say_fallback(cli, NULL, &claims, &first);
    return st;
}

void sbx_choice_close(sbx_choice *choice)
{
    if (choice->session)
        choice->backend->close(choice->session);
    sbx_plugin_free(choice->plugin);
    memset(choice, 0, sizeof(*choice));
}
