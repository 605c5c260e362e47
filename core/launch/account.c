#include "launch/account.h"

#include <windows.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "base/talk.h"
#include "base/utf.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/logon.h"
#include "win/user.h"
#include "win/wide.h"

#define PEER "sbx-runner"
/* What it is at, for whoever reads that it went wrong. */
#define PEER_BEGINS "sbx-runner, asked who it is"
#define PEER_STARTS "sbx-runner, asked to start the command"

/* One whose pipes are closed ends by itself; after a command it has yet to delete what that made for its account alone. */
#define CLOSE_MS 1000u
#define DELETE_MS 30000u
#define NOTES_MAX 32u

#define PIPE_BYTES 0x10000u

static void end_runner(void *context)
{
    sbx_account *account = context;

    TerminateJobObject(account->job.handle, 125);
    TerminateProcess(account->process.handle,
                     125); /* should it not be in there, whoever waits for it would wait for ever */
}

static int is_interrupted(void)
{
    return sbx_console_asked() != SBX_CONSOLE_QUIET;
}

/* A pipe with one end to give away. */
static sbx_status open_pipe(HANDLE *own, HANDLE *given, int own_reads, sbx_error *err)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};

    if (!CreatePipe(own_reads ? own : given, own_reads ? given : own, &inherit, PIPE_BYTES)) {
        *own = *given = NULL;
        return sbx_fail_last(err, SBX_E_SYSTEM, "CreatePipe", PEER);
    }
    if (!SetHandleInformation(*own, HANDLE_FLAG_INHERIT, 0))
        return sbx_fail_last(err, SBX_E_SYSTEM, "SetHandleInformation", PEER);
    return SBX_OK;
}

static sbx_status runner_path(const sbx_identity *identity, uint16_t **path_w, sbx_error *err)
{
    sbx_text path = {0};
    char *dir = NULL;
    sbx_status st = SBX_OK;

    if (identity->runner)
        return sbx_wide(identity->runner, identity->runner, path_w, err);
    if ((st = sbx_dirs_get(SBX_DIR_PROGRAM, &dir, err)) != SBX_OK)
        return st;
    sbx_text_printf(&path, "%s\\sbx-runner.exe", dir);
    st = path.failed ? sbx_fail_memory(err) : sbx_wide(path.data, path.data, path_w, err);
    sbx_text_fini(&path);
    sbx_free(dir);
    return st;
}

static sbx_status spawn_runner(sbx_account *account, const sbx_identity *identity, const uint16_t *runner_w,
                               sbx_error *err)
{
    uint16_t *account_w = NULL, *domain_w = NULL, *desktop_w = NULL;
    HANDLE input = NULL, output = NULL;
    sbx_logon_start start = {0};
    sbx_status st;

    if ((st = sbx_wide(identity->account, "account", &account_w, err)) != SBX_OK ||
        (st = sbx_wide(identity->domain ? identity->domain : ".", "domain", &domain_w, err)) != SBX_OK ||
        (identity->desktop && (st = sbx_wide(identity->desktop, "desktop", &desktop_w, err)) != SBX_OK) ||
        (st = open_pipe(&account->channel.output, &input, 0, err)) != SBX_OK ||
        (st = open_pipe(&account->channel.input, &output, 1, err)) != SBX_OK)
        goto out;
    start.account_w = account_w;
    start.domain_w = domain_w;
    start.secret_w = identity->secret;
    start.program_w = runner_w;
    start.desktop_w = desktop_w;
    start.input = input;
    start.output = output;
    st = sbx_logon_spawn(&account->process, &start, err);
    SecureZeroMemory(identity->secret, wcslen(identity->secret) * sizeof(*identity->secret));
out:
    sbx_handle_close(&input); /* the runner's are the only ones, so its end is the pipe's */
    sbx_handle_close(&output);
    sbx_free(account_w);
    sbx_free(domain_w);
    sbx_free(desktop_w);
    return st;
}

/* What came in place of the message that was expected. */
static sbx_status unexpected(const sbx_account *account, uint32_t type, sbx_frame_body *body, sbx_error *err)
{
    sbx_error there;
    sbx_status st;

    if (type != SBX_TALK_FAILED)
        return sbx_fail(err, SBX_E_REFUSED, "it said what it was not asked for", account->channel.peer);
    if ((st = sbx_talk_failed_get(body, &there, err)) != SBX_OK)
        return st;
    if (err)
        *err = there;
    return there.status;
}

static sbx_status greet(sbx_account *account, sbx_error *err)
{
    sbx_frame_body body;
    sbx_talk_hello hello;
    uint32_t type = 0;
    DWORD session = 0;
    sbx_status st = sbx_channel_ask(&account->channel, NULL, sbx_talk_most, account->wait_ms, &type, &body, err);

    if (st != SBX_OK)
        return st;
    if (type != SBX_TALK_HELLO)
        return unexpected(account, type, &body, err);
    if ((st = sbx_talk_hello_get(&body, &hello, err)) != SBX_OK)
        return st;
    sbx_utf8_copy(account->version, sizeof(account->version), hello.version);
    if (!ProcessIdToSessionId(GetCurrentProcessId(), &session) || hello.session_id != session ||
        hello.process_id != account->process.id || strcmp(hello.account_sid, account->sid))
        return sbx_fail(err, SBX_E_UNENFORCED, "it is not the one that was started", account->channel.peer);
    return SBX_OK;
}

sbx_status sbx_account_open(sbx_account *account, const sbx_identity *identity, sbx_error *err)
{
    uint16_t *runner_w = NULL;
    sbx_status st = runner_path(identity, &runner_w, err);

    if (!account->wait_ms)
        account->wait_ms = SBX_ACCOUNT_WAIT_MS;
    account->channel.peer = PEER_BEGINS;
    account->channel.late = end_runner;
    account->channel.context = account;
    account->channel.event = account->console ? account->console->event : NULL;
    account->channel.stops = is_interrupted;
    if (st != SBX_OK)
        return st;
    if (!identity->account || !identity->secret || !identity->account_sid) {
        st = sbx_fail(err, SBX_E_BACKEND, "identity", "it names no account");
        goto out;
    }
    sbx_utf8_copy(account->sid, sizeof(account->sid), identity->account_sid);
    if ((st = sbx_job_open(&account->job, NULL, 0, err)) != SBX_OK ||
        (st = spawn_runner(account, identity, runner_w, err)) != SBX_OK)
        goto out;
    /* nothing of it has run yet, and from here on nothing else of that account gets at it */
    if ((st = sbx_logon_check(&account->process, account->sid, runner_w, err)) != SBX_OK ||
        (st = sbx_logon_close_to_account(&account->process, err)) != SBX_OK ||
        (st = sbx_process_enter(&account->process, account->job.handle, err)) != SBX_OK ||
        (st = sbx_process_resume(&account->process, err)) != SBX_OK) {
        sbx_process_discard(&account->process);
        goto out;
    }
    st = greet(account, err);
out:
    sbx_free(runner_w);
    return st;
}

static sbx_status give(sbx_account *account, HANDLE own, DWORD rights, BOOL inherit, uint64_t *value, sbx_error *err)
{
    HANDLE there = NULL;

    if (!DuplicateHandle(GetCurrentProcess(), own, account->process.handle, &there, rights, inherit,
                         rights ? 0 : DUPLICATE_SAME_ACCESS))
        return sbx_fail_last(err, SBX_E_SYSTEM, "DuplicateHandle", PEER);
    *value = (uint64_t)(uintptr_t)there;
    return SBX_OK;
}

static sbx_status take(sbx_account *account, uint64_t value, void **own, sbx_error *err)
{
    if (DuplicateHandle(account->process.handle, (HANDLE)(uintptr_t)value, GetCurrentProcess(), own, 0, FALSE,
                        DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE))
        return SBX_OK;
    *own = NULL;
    return sbx_fail_last(err, SBX_E_SYSTEM, "DuplicateHandle", "the command");
}

/* Is it a process of the account, and the thread its own? */
static sbx_status check_command(const sbx_account *account, const sbx_process *process, sbx_error *err)
{
    sbx_user_sid user;
    char text[sizeof(account->sid)];

    if (GetProcessId(process->handle) != process->id || GetProcessIdOfThread(process->thread) != process->id)
        return sbx_fail(err, SBX_E_UNENFORCED, "it started something else than it said", PEER_STARTS);
    if (sbx_user_of(process->handle, "the suspended command", &user, err) != SBX_OK) {
        if (err)
            err->status = SBX_E_UNENFORCED;
        return SBX_E_UNENFORCED;
    }
    sbx_user_sid_text(user.u.bytes, text, sizeof(text));
    if (strcmp(text, account->sid))
        return sbx_fail(err, SBX_E_UNENFORCED, "it started a command that is of another account", PEER_STARTS);
    return SBX_OK;
}

static sbx_status give_terminal(sbx_account *account, sbx_talk_request *request, sbx_error *err)
{
    const sbx_terminal_ends *ends = sbx_terminal_ends_get(account->terminal);
    sbx_status st = give(account, ends->typed, 0, FALSE, &request->typed, err);

    if (st == SBX_OK)
        st = give(account, ends->shown, 0, FALSE, &request->shown, err);
    request->size.width = ends->width;
    request->size.height = ends->height;
    sbx_terminal_given(account->terminal);
    return st;
}

static uint32_t block_units(const uint16_t *block_w)
{
    uint32_t units = 0;

    while (block_w[units] || block_w[units + 1])
        units++;
    return units + 2;
}

sbx_status sbx_account_spawn(sbx_account *account, const char *backend, const sbx_ticket *ticket,
                             const sbx_process_start *start, sbx_process *process, sbx_error *err)
{
    sbx_talk_request request = {.backend = backend,
                                .account_sid = account->sid,
                                .ticket = ticket->bytes,
                                .ticket_length = ticket->length,
                                .program_w = start->program_w,
                                .command_w = start->command_w,
                                .cwd_w = start->cwd_w,
                                .environment_w = start->environment_w,
                                .environment_units = block_units(start->environment_w),
                                .launcher_id = GetCurrentProcessId()};
    sbx_talk_started started;
    sbx_frame_body body;
    sbx_text frame = {0};
    uint32_t type = 0;
    int i;
    sbx_status st = SBX_OK;

    for (i = 0; i < 3 && st == SBX_OK; i++)
        if (start->stdio->handles[i])
            st = give(account, start->stdio->handles[i], 0, TRUE, &request.handles[i], err);
    if (st == SBX_OK && account->terminal)
        st = give_terminal(account, &request, err);
    if (st == SBX_OK)
        st = give(account, start->job, JOB_OBJECT_ASSIGN_PROCESS | JOB_OBJECT_QUERY, FALSE, &request.job, err);
    if (st != SBX_OK)
        return st;
    account->channel.peer = PEER_STARTS;
    sbx_talk_request_put(&frame, &request);
    st = sbx_channel_ask(&account->channel, &frame, sbx_talk_most, account->wait_ms, &type, &body, err);
    if (st != SBX_OK)
        return st;
    if (type != SBX_TALK_STARTED)
        return unexpected(account, type, &body, err);
    if ((st = sbx_talk_started_get(&body, &started, err)) != SBX_OK)
        return st;
    process->id = started.process_id;
    if ((st = take(account, started.process, &process->handle, err)) != SBX_OK ||
        (st = take(account, started.thread, &process->thread, err)) != SBX_OK ||
        (st = check_command(account, process, err)) != SBX_OK)
        sbx_process_discard(process);
    account->has_served = st == SBX_OK;
    account->channel.event = NULL; /* from here on Ctrl-C is the command's, and the runner ends in peace */
    return st;
}

void sbx_account_pass_on(sbx_account *account)
{
    const int asked = sbx_console_take() && sbx_console_asked() == SBX_CONSOLE_ONCE;
    sbx_talk_size size;
    sbx_text frame = {0};

    if (asked && account->terminal)
        sbx_terminal_interrupt(account->terminal);
    else if (asked)
        sbx_talk_signal_put(&frame, sbx_console_last());
    if (account->terminal && sbx_terminal_resized(account->terminal, &size.width, &size.height))
        sbx_talk_resize_put(&frame, &size);
    if (frame.length || frame.failed)
        sbx_channel_send(&account->channel, &frame, NULL); /* a runner that does not listen has ended, which is seen */
}

/* Until the runner ends, or says what it is not asked for. */
static void hear_notes(sbx_account *account)
{
    sbx_talk_note note;
    sbx_frame_body body;
    uint32_t type = 0, i;

    for (i = 0; i < NOTES_MAX; i++) {
        if (sbx_channel_ask(&account->channel, NULL, sbx_talk_most, DELETE_MS, &type, &body, NULL) != SBX_OK ||
            type != SBX_TALK_TOLD || sbx_talk_told_get(&body, &note, NULL) != SBX_OK)
            return;
        if (account->note)
            account->note(account->note_context, note.kind, note.object, note.text);
    }
}

void sbx_account_close(sbx_account *account)
{
    sbx_handle_close(&account->channel.output); /* the runner closes the pseudo console */
    sbx_terminal_close(&account->terminal, end_runner, account);
    if (account->process.handle && account->has_served)
        hear_notes(account);
    sbx_channel_close(&account->channel);
    if (account->process.handle)
        WaitForSingleObject(account->process.handle, account->has_served ? DELETE_MS : CLOSE_MS);
    sbx_process_close(&account->process);
    sbx_job_close(&account->job);
}
