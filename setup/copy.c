#include "setup/setup.h"

#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "base/quote.h"
#include "setup/folder.h"
#include "setup/turn.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/job.h"
#include "win/out.h"
#include "win/process.h"
#include "win/wide.h"

static void add_word(sbx_text *line, const char *word)
{
    sbx_text_add_char(line, ' ');
    sbx_quote_argument(line, word);
}

/* What this program was asked for, for the one in the copy. */
static sbx_status line_for(const sbx_setup *s, const char *program, sbx_text *line, sbx_error *err)
{
    static const char *const actions[] = {
        [SBX_ACTION_APPLY] = "--apply", [SBX_ACTION_REMOVE] = "--remove", [SBX_ACTION_REPAIR] = "--repair"};

    sbx_quote_line(line, &program, 1, err);
    add_word(line, actions[s->what]);
    add_word(line, "--held");
    if (s->pipe)
        add_word(line, "--frames");
    if (s->json)
        add_word(line, "--json");
    add_word(line, "--user");
    add_word(line, s->user_text);
    if (s->slots) {
        add_word(line, "--slots");
        add_word(line, s->slots);
    }
    if (s->loopback) {
        add_word(line, "--loopback");
        add_word(line, s->loopback);
    }
    if (s->backend)
        add_word(line, s->backend);
    return line->failed ? sbx_fail_memory(err) : SBX_OK;
}

/* It ends with this process, and so does the turn. */
static sbx_status run_copy(const sbx_setup *s, const char *folder, uint32_t *exit_code, sbx_error *err)
{
    uint16_t *program_w = NULL, *line_w = NULL, *environment_w = GetEnvironmentStringsW();
    sbx_process process = {0};
    sbx_process_start start = {0};
    sbx_stdio stdio = {0};
    sbx_text program = {0}, line = {0};
    sbx_job job = {0};
    DWORD code = 0;
    sbx_status st;

    sbx_text_printf(&program, "%s\\sbx-setup.exe", folder);
    if (program.failed || !environment_w) {
        st = sbx_fail_memory(err);
        goto out;
    }
    if ((st = line_for(s, program.data, &line, err)) != SBX_OK ||
        (st = sbx_wide(program.data, program.data, &program_w, err)) != SBX_OK ||
        (st = sbx_wide(line.data, "command line", &line_w, err)) != SBX_OK ||
        (st = sbx_job_open(&job, NULL, 0, err)) != SBX_OK || (st = sbx_stdio_open(&stdio, err)) != SBX_OK)
        goto out;
    start.program_w = program_w;
    start.command_w = line_w;
    start.environment_w = environment_w;
    start.job = job.handle;
    start.stdio = &stdio;
    if ((st = sbx_process_spawn(&process, &start, err)) != SBX_OK)
        goto out;
    if ((st = sbx_process_resume(&process, err)) != SBX_OK) {
        sbx_process_discard(&process);
        goto out;
    }
    WaitForSingleObject(process.handle, INFINITE);
    GetExitCodeProcess(process.handle, &code);
    *exit_code = code;
out:
    sbx_process_close(&process);
    sbx_stdio_close(&stdio);
    sbx_job_close(&job);
    if (environment_w)
        FreeEnvironmentStringsW(environment_w);
    sbx_free(program_w);
    sbx_free(line_w);
    sbx_text_fini(&program);
    sbx_text_fini(&line);
    return st;
}

/* The one that made what is there undoes it, if it is whole; otherwise, and for all else, the one of this program. */
static sbx_status choose(sbx_setup *s, char **folder, sbx_error *err)
{
    int whole = 0, made = 0;
    sbx_text line = {0};
    sbx_status st = sbx_programs_look(&s->programs, &whole, err);

    if (st == SBX_OK && !whole && s->what == SBX_ACTION_REMOVE && (*folder = sbx_programs_other(&s->programs)) != NULL)
        return SBX_OK;
    if (st == SBX_OK)
        st = sbx_programs_copy(&s->programs, &made, err);
    if (st == SBX_OK && made) {
        sbx_text_printf(&line, "setup: copied to %s", s->programs.folder);
        sbx_tell_line(&s->tell, &line);
    }
    if (st == SBX_OK && !(*folder = sbx_strdup(s->programs.folder)))
        st = sbx_fail_memory(err);
    return st;
}

static void tidy(sbx_setup *s, int worked)
{
    sbx_text line = {0};
    uint32_t left = 0;

    if (sbx_setup_folder_look(s->folder) == SBX_FOLDER_NONE) /* nothing is set up */
        sbx_programs_tidy(&s->programs, NULL, &left);
    else if (worked && s->what != SBX_ACTION_REMOVE)
        sbx_programs_tidy(&s->programs, s->programs.folder, &left);
    if (left) {
        sbx_text_printf(&line, "setup: %u copies below %s are in use and stay until the next setup", (unsigned)left,
                        s->programs.place);
        sbx_tell_line(&s->tell, &line);
    }
}

sbx_status sbx_setup_by_copy(sbx_setup *s, uint32_t *exit_code, sbx_error *err)
{
    char *folder = NULL;
    void *turn = NULL;
    sbx_status st = sbx_programs_make_place(&s->programs, err);

    if (st != SBX_OK)
        return st;
    if ((st = sbx_turn_take(s->programs.place, &turn, err)) != SBX_OK)
        return st;
    if ((st = choose(s, &folder, err)) == SBX_OK)
        st = run_copy(s, folder, exit_code, err);
    sbx_handle_close(&turn); /* the folder cannot go while it is in there */
    tidy(s, st == SBX_OK && *exit_code == 0);
    s->tell.quiet = st == SBX_OK; /* the copy has told */
    sbx_free(folder);
    return st;
}
