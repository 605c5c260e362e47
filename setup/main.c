/*
 * sbx-setup.exe: see README.md.  Started by `sbx setup`.
 */
#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/quote.h"
#include "win/out.h"
#include "plugin/plugin.h"
#include "plugin/start.h"
#include "setup/folder.h"
#include "setup/setup.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/trust.h"
#include "win/user.h"

#define SOMETHING_TO_DO 3
#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

int wmain(void);

static void on_log(void *context, uint32_t level, const char *text)
{
    (void)context;
    if (level <= SBX_LOG_WARN)
        sbx_out_line(text);
}

/* ACTION [OPTIONS] [BACKEND] */
static int parse(sbx_setup *s, const sbx_arguments *arguments)
{
    static const char *const actions[] = {"--check", "--check-remove", "--apply", "--status", "--remove", "--repair"};
    const struct {
        const char *name, **value;
    } valued[] = {
        {"--user", &s->user}, {"--slots", &s->slots},   {"--loopback", &s->loopback},
        {"--pipe", &s->pipe}, {"--caller", &s->caller},
    };
    const struct {
        const char *name;
        int *on;
    } plain[] = {
        {"--dry-run", &s->dry_run}, {"--json", &s->json}, {"--list", &s->list},
        {"--frames", &s->frames},   {"--held", &s->held}, {"--all", &s->everyone},
    };
    const uint32_t count = arguments->count;
    const char *const *items = arguments->items;
    uint32_t i = 0, at = 2, k;

    while (i < COUNT(actions) && (count < 2 || strcmp(actions[i], items[1])))
        i++;
    if (i == COUNT(actions))
        return 0;
    s->what = (sbx_action)i;
    for (; at < count && items[at][0] == '-'; at++) {
        for (i = 0; i < COUNT(plain) && strcmp(plain[i].name, items[at]); i++)
            ;
        for (k = 0; k < COUNT(valued) && strcmp(valued[k].name, items[at]); k++)
            ;
        if (i < COUNT(plain))
            *plain[i].on = 1;
        else if (k < COUNT(valued) && at + 1 < count && !*valued[k].value)
            *valued[k].value = items[++at];
        else
            return 0;
    }
    if (at < count)
        s->backend = items[at++];
    if (s->everyone && (!sbx_setup_writes(s) || s->held || s->json || s->user || s->backend || s->slots || s->loopback))
        return 0;
    return at == count;
}

/* Whoever called takes what is said from a pipe (core/cli/elevate.h). */
static sbx_status open_pipe(const char *id, sbx_error *err)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    WCHAR name_w[64];
    HANDLE pipe;

    if (strlen(id) != 32 || strspn(id, "0123456789abcdef") != 32)
        return sbx_fail(err, SBX_E_USAGE, "not the name of a pipe", "--pipe");
    _snwprintf(name_w, COUNT(name_w), L"\\\\.\\pipe\\sbx-setup-%hs", id);
    pipe = sbx_handle_from(CreateFileW(name_w, FILE_WRITE_DATA, 0, &inherit, OPEN_EXISTING,
                                       SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, NULL));
    if (!pipe)
        return sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", "pipe");
    SetStdHandle(STD_ERROR_HANDLE, pipe); /* and stays open to the end */
    SetStdHandle(STD_OUTPUT_HANDLE, pipe);
    sbx_out_frames();
    return SBX_OK;
}

/* The one who asked may change the folder that this program lies in, as whoever it runs as now. */
static sbx_status trust_caller(const char *text, sbx_error *err)
{
    sbx_user_sid sid;

    if (!sbx_user_sid_read(text, strlen(text), &sid))
        return sbx_fail(err, SBX_E_USAGE, "it is no SID", "--caller");
    return sbx_trust_caller(sid.u.bytes, err);
}

static sbx_status run(sbx_setup *s, sbx_arena *arena, uint32_t *exit_code, sbx_error *err)
{
    const sbx_plugin_sink sink = {NULL, on_log, NULL, NULL};
    sbx_arguments arguments;
    char *data = NULL;
    const char *state_dir = NULL;
    sbx_status st = sbx_quote_split(arena, (const uint16_t *)GetCommandLineW(), &arguments, err);

    if (st != SBX_OK)
        return st;
    if (!parse(s, &arguments)) {
        sbx_fail(err, SBX_E_USAGE, "nothing asked for", NULL);
        return sbx_hint(err, "this program is started by `sbx setup`");
    }
    if (s->frames)
        sbx_out_frames();
    if (sbx_dirs_get(SBX_DIR_LOCAL_DATA, &data, NULL) == SBX_OK) /* SYSTEM may have none */
        state_dir = sbx_arena_printf(arena, "%s\\sbx", data);
    sbx_free(data);
    if ((s->pipe && (st = open_pipe(s->pipe, err)) != SBX_OK) ||
        (s->caller && (st = trust_caller(s->caller, err)) != SBX_OK) ||
        (st = sbx_tell_begin(&s->tell, s->json, err)) != SBX_OK ||
        (st = sbx_plugin_init(SBX_PROGRAM_SETUP, state_dir, &sink, err)) != SBX_OK ||
        (st = sbx_setup_folder(&s->folder, err)) != SBX_OK)
        return st;
    if (s->everyone)
        return sbx_setup_everyone(s, exit_code, err);
    if ((st = sbx_setup_whom(s, err)) != SBX_OK || (st = sbx_programs_open(&s->programs, err)) != SBX_OK)
        return st;
    if (!sbx_setup_writes(s) || (s->held && s->programs.here))
        return sbx_setup_backends(s, err);
    if (s->held || s->programs.here) {
        sbx_fail(err, SBX_E_USAGE, "it acts for another sbx-setup.exe, and only from a copy", s->programs.own);
        return sbx_hint(err, "this program is started by `sbx setup`");
    }
    return sbx_setup_by_copy(s, exit_code, err);
}

int wmain(void)
{
    static sbx_setup s;
    sbx_arena arena = {NULL};
    sbx_error err = {0};
    uint32_t exit_code = 0;
    char message[2048];
    sbx_status st;

    sbx_start("sbx-setup");
    sbx_out_program("sbx-setup");
    st = run(&s, &arena, &exit_code, &err);
    /* where something is to do, the next call tells; what the copy has told is told */
    s.tell.quiet |= s.to_do && !s.list && st == SBX_OK;
    sbx_tell_end(&s.tell, st == SBX_OK ? NULL : &err);
    if (st != SBX_OK) {
        sbx_error_describe(&err, message, sizeof(message));
        sbx_out_error(message, err.hint);
    }
    sbx_programs_close(&s.programs);
    sbx_free(s.folder);
    sbx_arena_fini(&arena);
    return st != SBX_OK ? sbx_exit_code(st) : s.to_do ? SOMETHING_TO_DO : (int)exit_code;
}
