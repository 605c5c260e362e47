#include "launch/launch.h"

#include <string.h>

#include "base/memory.h"
#include "base/quote.h"
#include "base/utf.h"
#include "launch/account.h"
#include "launch/supervise.h"
#include "launch/verify.h"
#include "win/clock.h"
#include "win/console.h"
#include "win/dirs.h"
#include "win/env.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/job.h"
#include "win/process.h"
#include "win/resolve.h"
#include "win/wide.h"

/* The command as it is to be started; strings in the arena or freed by command_fini. */
typedef struct command {
    sbx_arena arena;
    uint16_t *environment_w, *cwd_w, *program_w, *batch_w, *desktop_w;
} command;

static void command_fini(command *c)
{
    sbx_free(c->environment_w);
    sbx_free(c->cwd_w);
    sbx_free(c->program_w);
    sbx_free(c->batch_w);
    sbx_free(c->desktop_w);
    sbx_arena_fini(&c->arena);
}

/* A batch file becomes an argument of cmd.exe, in cmd's own quoting. */
static sbx_status through_cmd(command *c, const char *script, const sbx_arguments *arguments, sbx_error *err)
{
    char *dir = NULL;
    const char *cmd;
    sbx_env_list variables = {NULL, 0};
    uint16_t *environment_w = NULL;
    sbx_text line = {0};
    sbx_status st = sbx_dirs_get(SBX_DIR_SYSTEM, &dir, err);

    if (st != SBX_OK)
        return st;
    cmd = sbx_arena_printf(&c->arena, "%s\\cmd.exe", dir);
    sbx_free(dir);
    if (!cmd)
        return sbx_fail_memory(err);
    st = sbx_quote_batch(&line, cmd, script, arguments->items + 1, arguments->count - 1, &c->arena, &variables.edits,
                         &variables.count, err);
    if (st == SBX_OK && line.failed)
        st = sbx_fail_memory(err);
    if (st == SBX_OK && variables.count &&
        (st = sbx_env_build(c->environment_w, &variables, 1, &environment_w, err)) == SBX_OK) {
        sbx_free(c->environment_w);
        c->environment_w = environment_w;
    }
    if (st == SBX_OK)
        st = sbx_wide(line.data, "command line", &c->batch_w, err);
    if (st == SBX_OK)
        st = sbx_wide(cmd, cmd, &c->program_w, err);
    sbx_text_fini(&line);
    return st;
}

static sbx_status command_make(command *c, const sbx_launch_request *request, const sbx_env_edits *extra,
                               sbx_launch_result *result, sbx_error *err)
{
    const sbx_policy *policy = request->policy;
    const sbx_env_list lists[2] = {{policy->env, policy->env_count}, {extra->edits, extra->count}};
    sbx_arguments arguments = {0};
    sbx_program program = {0};
    sbx_status st = sbx_env_build(NULL, lists, 2, &c->environment_w, err);

    if (st == SBX_OK)
        st = sbx_wide(policy->cwd, policy->cwd, &c->cwd_w, err);
    if (st == SBX_OK)
        st = sbx_quote_split(&c->arena, request->command_w, &arguments, err);
    if (st == SBX_OK && !arguments.count)
        st = sbx_fail(err, SBX_E_USAGE, "start", "no command was given");
    if (st == SBX_OK)
        st = sbx_resolve(&c->arena, arguments.items[0], policy->cwd, c->environment_w, &program, err);
    if (st != SBX_OK)
        return st;
    sbx_utf8_copy(result->program, sizeof(result->program), program.path);
    return program.batch ? through_cmd(c, program.path, &arguments, err)
                         : sbx_wide(program.path, program.path, &c->program_w, err);
}

/* May the command run although the system does not tell whether these areas hold? */
static sbx_status check_unverified(const sbx_launch_request *request, uint32_t unverified, sbx_error *err)
{
    if (!unverified || (!(request->policy->require & unverified) && !(request->backend->claims.enforced & ~unverified)))
        return SBX_OK;
    sbx_fail(err, SBX_E_UNENFORCED, "read the job back", "process tree");
    return sbx_hint(err, "this system does not tell whether it ends the tree with sbx, so nothing was run");
}

/* Who starts the command: this process with the token of `spawn`, or the runner of `account`, which makes it of the ticket. */
typedef struct starter {
    const sbx_identity *identity;
    const sbx_ticket *ticket;
    sbx_spawn spawn;
    sbx_account account;
    int have_spawn;
} starter;

static int is_other(const starter *who)
{
    return who->identity->kind == SBX_IDENTITY_LOGON;
}

static sbx_status starter_open(starter *who, const sbx_launch_request *request, const sbx_console *console,
                               sbx_error *err)
{
    sbx_status st;

    if (is_other(who)) {
        who->account.wait_ms = request->account_wait_ms;
        who->account.console = console;
        who->account.note = request->note;
        who->account.note_context = request->note_context;
        return sbx_account_open(&who->account, who->identity, err);
    }
    who->spawn.size = sizeof(who->spawn);
    st = request->backend->token(who->ticket, &who->spawn, err);
    who->have_spawn = st == SBX_OK;
    return st;
}

static void starter_close(starter *who, const sbx_launch_request *request)
{
    if (is_other(who))
        sbx_account_close(&who->account);
    if (!who->have_spawn)
        return;
    sbx_handle_close(&who->spawn.token);
    request->backend->spawn_end(&who->spawn);
}

/* Started and verified, or ended and gone. */
static sbx_status start_verified(const sbx_launch_request *request, command *c, starter *who, const sbx_job *job,
                                 const sbx_console *console, sbx_process *process, uint32_t *unverified, sbx_error *err)
{
    sbx_process_start start = {0};
    sbx_stdio stdio = {0};
    void *canary = NULL;
    sbx_status st = sbx_stdio_open(&stdio, err);

    if (st == SBX_OK && is_other(who))
        st = sbx_terminal_open(&who->account.terminal, console, &stdio, err);
    if (st == SBX_OK)
        st = sbx_verify_canary(&canary, err);
    if (st == SBX_OK && who->spawn.desktop)
        st = sbx_wide(who->spawn.desktop, "desktop", &c->desktop_w, err);
    if (st != SBX_OK)
        goto out;
    start.program_w = c->program_w;
    start.command_w = c->batch_w ? c->batch_w : request->command_w;
    start.environment_w = c->environment_w;
    start.cwd_w = c->cwd_w;
    start.desktop_w = c->desktop_w;
    start.token = who->spawn.token;
    start.job = job->handle;
    start.stdio = &stdio;
    st = is_other(who) ? sbx_account_spawn(&who->account, request->backend->name, who->ticket, &start, process, err)
                       : sbx_process_spawn(process, &start, err);
    if (st == SBX_OK)
        st = sbx_verify_child(process, job, &stdio, canary, c->program_w, unverified, err);
    if (st == SBX_OK)
        st = check_unverified(request, *unverified, err);
    if (st == SBX_OK && !is_other(who)) /* the runner has asked already */
        st = request->backend->verify(&who->spawn, process->handle, err);
    if (st == SBX_OK && who->account.terminal)
        st = sbx_terminal_begin(who->account.terminal, err);
    if (st != SBX_OK)
        sbx_process_discard(process);
out:
    sbx_handle_close(&canary);
    sbx_stdio_close(&stdio); /* a reader of our output must see its end when the tree is gone */
    return st;
}

static sbx_status launch(const sbx_launch_request *request, starter *who, const sbx_env_edits *extra,
                         sbx_launch_result *result, sbx_error *err)
{
    const uint64_t begin_us = sbx_clock_us();
    const sbx_policy *policy = request->policy;
    command c = {0};
    sbx_job job = {0};
    sbx_process process = {0};
    sbx_console console = {0};
    sbx_watch watch = {0};
    uint64_t prepared_us;
    int has_run = 0;
    sbx_status st = command_make(&c, request, extra, result, err);

    if (st != SBX_OK)
        goto out;
    if ((st = sbx_console_begin(&console, err)) != SBX_OK ||
        (st = starter_open(who, request, &console, err)) != SBX_OK ||
        (st = sbx_job_open(&job, &policy->limits, who->spawn.ui_limits, err)) != SBX_OK)
        goto out;
    prepared_us = sbx_clock_us();
    result->prepare_us += prepared_us - begin_us;
    if ((st = start_verified(request, &c, who, &job, &console, &process, &result->unverified, err)) != SBX_OK)
        goto out;
    result->process_id = process.id;
    watch.process = &process;
    watch.job = &job;
    watch.console = &console;
    watch.account = is_other(who) ? &who->account : NULL;
    watch.time_ms = policy->limits.time_ms;
    watch.grace_ms = request->console_grace_ms;
    watch.keep_children = (policy->flags & SBX_POLICY_KEEP_CHILDREN) != 0;
    if (sbx_console_asked() != SBX_CONSOLE_QUIET) {
        sbx_process_discard(&process);
        goto out;
    }
    if ((st = sbx_process_resume(&process, err)) != SBX_OK) {
        sbx_process_discard(&process);
        goto out;
    }
    result->spawn_us = sbx_clock_us() - prepared_us;
    has_run = 1;
    st = sbx_supervise(&watch, result, err);
out:
    /* a Ctrl-C that came before the command could see it is ours, also where a runner was waited for */
    if (!has_run && console.event && sbx_console_asked() != SBX_CONSOLE_QUIET) {
        result->end = SBX_END_INTERRUPTED;
        result->exit_code = SBX_INTERRUPTED_CODE;
        st = SBX_OK;
    }
    sbx_process_close(&process);
    sbx_job_close(&job); /* the end of the tree, on every way out but a kept one */
    starter_close(who, request);
    sbx_console_end(&console); /* all is shown, and nobody reads it any more */
    command_fini(&c);
    return st;
}

sbx_status sbx_launch_resolve(const sbx_launch_request *request, sbx_launch_result *result, sbx_error *err)
{
    sbx_env_edits extra = {0};
    command c = {0};
    sbx_status st;

    memset(result, 0, sizeof(*result));
    extra.size = sizeof(extra);
    st = request->backend->environment(request->session, &extra, err);
    if (st == SBX_OK && request->command_w)
        st = command_make(&c, request, &extra, result, err);
    else if (st == SBX_OK)
        st = sbx_wide(request->policy->cwd, request->policy->cwd, &c.cwd_w, err);
    if (st == SBX_OK)
        st = sbx_process_check_cwd(c.cwd_w, err);
    command_fini(&c);
    return st;
}

sbx_status sbx_launch_run(const sbx_launch_request *request, sbx_launch_result *result, sbx_error *err)
{
    const uint64_t begin_us = sbx_clock_us();
    sbx_identity identity = {0};
    sbx_ticket ticket = {0};
    sbx_env_edits extra = {0};
    starter who = {.identity = &identity, .ticket = &ticket};
    sbx_status st;

    memset(result, 0, sizeof(*result));
    result->end = SBX_END_FAILED;
    identity.size = sizeof(identity);
    ticket.size = sizeof(ticket);
    extra.size = sizeof(extra);
    st = request->backend->identity(request->session, &identity, err);
    if (st == SBX_OK)
        st = request->backend->ticket(request->session, &ticket, err);
    if (st == SBX_OK)
        st = request->backend->environment(request->session, &extra, err);
    result->prepare_us = sbx_clock_us() - begin_us;
    if (st == SBX_OK)
        st = launch(request, &who, &extra, result, err);
    memcpy(result->runner_version, who.account.version, sizeof(result->runner_version));
    if (st != SBX_OK)
        result->exit_code = (uint32_t)sbx_exit_code(st);
    return st;
}
