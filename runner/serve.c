#include "runner/serve.h"

#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "base/talk.h"
#include "plugin/plugin.h"
#include "runner/harden.h"
#include "runner/pty.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/process.h"
#include "win/user.h"
#include "win/wide.h"

#define NOTES_MAX 0x4000u /* bytes: what the pipe takes, with or without a reader */

static sbx_status own_sid(char text[192], sbx_error *err)
{
    sbx_user_sid user;
    sbx_status st = sbx_user_get(&user, err);

    if (st == SBX_OK)
        sbx_user_sid_text(user.u.bytes, text, 192);
    return st;
}

static sbx_status greet(sbx_channel *channel, sbx_error *err)
{
    TOKEN_STATISTICS statistics;
    sbx_talk_hello hello = {.version = SBX_VERSION, .process_id = GetCurrentProcessId()};
    char sid[192];
    HANDLE token = NULL;
    DWORD length = 0, session = 0;
    sbx_text frame = {0};
    sbx_status st = own_sid(sid, err);

    if (st != SBX_OK)
        return st;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return sbx_fail_last(err, SBX_E_SYSTEM, "OpenProcessToken", "own token");
    if (!GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics), &length) ||
        !ProcessIdToSessionId(GetCurrentProcessId(), &session))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetTokenInformation", "own token");
    sbx_handle_close(&token);
    if (st != SBX_OK)
        return st;
    hello.account_sid = sid;
    hello.session_id = session;
    hello.logon_id =
        (uint64_t)(uint32_t)statistics.AuthenticationId.HighPart << 32 | statistics.AuthenticationId.LowPart;
    sbx_talk_hello_put(&frame, &hello);
    return sbx_channel_send(channel, &frame, err);
}

/* sbx speaks when it has something to say, and says only what is due. */
static sbx_status hear(sbx_channel *channel, uint32_t due, sbx_frame_body *body, sbx_error *err)
{
    uint32_t type = 0;
    sbx_status st = sbx_channel_ask(channel, NULL, sbx_talk_most, 0, &type, body, err);

    if (st == SBX_OK && type != due)
        st = sbx_fail(err, SBX_E_REFUSED, "it said what it was not asked for", channel->peer);
    return st;
}

/* What is to be given back when the command and all that it started are gone. */
typedef struct work {
    sbx_plugin *plugin;
    const sbx_backend *backend; /* NULL: it made nothing */
    sbx_spawn spawn;
    sbx_process process;
} work;

/* Entered, as a process does: what it is, whoever can list the folder above is told. */
static sbx_status check_cwd(const uint16_t *cwd_w, sbx_error *err)
{
    HANDLE directory;
    sbx_status st = sbx_process_check_cwd(cwd_w, err);

    if (st != SBX_OK)
        return st;
    directory =
        sbx_handle_from(CreateFileW(cwd_w, FILE_TRAVERSE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                    OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL));
    if (!directory)
        st = sbx_fail_last_w(err, SBX_E_SYSTEM, "start directory", cwd_w);
    sbx_handle_close(&directory);
    return st;
}

/* The program suspended in its job, its token as the backend wants it; w->process is all that is left of it here. */
static sbx_status start(const sbx_talk_request *request, const sbx_backend *backend, const sbx_pty *pty, work *w,
                        sbx_error *err)
{
    const sbx_ticket ticket = {sizeof(ticket), request->ticket_length, request->ticket};
    sbx_stdio stdio;
    sbx_process_start how = {.program_w = request->program_w,
                             .command_w = request->command_w,
                             .environment_w = request->environment_w,
                             .cwd_w = request->cwd_w,
                             .job = (void *)(uintptr_t)request->job,
                             .console = pty->console,
                             .stdio = &stdio};
    uint16_t *desktop_w = NULL;
    size_t i;
    sbx_status st;

    for (i = 0; i < 3; i++)
        stdio.handles[i] = (void *)(uintptr_t)request->handles[i];
    st = backend->token(&ticket, &w->spawn, err);
    if (st != SBX_OK)
        goto out;
    w->backend = backend;
    if (!w->spawn.token)
        st = sbx_fail(err, SBX_E_BACKEND, "token", "the command would have the account's own");
    else if (w->spawn.desktop)
        st = sbx_wide(w->spawn.desktop, "desktop", &desktop_w, err);
    how.token = w->spawn.token;
    how.desktop_w = desktop_w;
    if (st == SBX_OK && (st = check_cwd(request->cwd_w, err)) != SBX_OK && err->code == ERROR_ACCESS_DENIED)
        sbx_hint(err,
                 "the account that commands run as cannot read it: start in a workspace, or where every user can read");
    if (st == SBX_OK)
        st = sbx_harden_as(w->spawn.token, err);
    if (st == SBX_OK && (st = sbx_process_spawn(&w->process, &how, err)) != SBX_OK && err->code == ERROR_ACCESS_DENIED)
        sbx_hint(err, "the account that commands run as cannot read it; tools in your profile are opened to it with: "
                      "sbx setup --tools");
    if (st == SBX_OK)
        st = sbx_harden_as(NULL, err);
    if (st == SBX_OK)
        st = backend->verify(&w->spawn, w->process.handle, err);
    if (st == SBX_OK)
        st = sbx_harden_end(w->spawn.token, request->launcher_id, err);
    if (st != SBX_OK)
        sbx_process_discard(&w->process);
    sbx_handle_close(&w->spawn.token);
    sbx_free(desktop_w);
out:
    /* the command has its own; a reader must see the end of them with the command's, and the job's is sbx's */
    sbx_stdio_close(&stdio);
    sbx_handle_close(&how.job);
    return st;
}

/* What the backend has to tell reaches sbx when it listens: when the command has ended. */
static SRWLOCK lock = SRWLOCK_INIT;
static sbx_text notes;

static void on_note(void *context, uint32_t kind, const char *object, const char *text)
{
    const sbx_talk_note note = {kind, object, text};

    (void)context;
    AcquireSRWLockExclusive(&lock);
    if (notes.length < NOTES_MAX)
        sbx_talk_told_put(&notes, &note);
    ReleaseSRWLockExclusive(&lock);
}

static sbx_status begin(const sbx_talk_request *request, const sbx_pty *pty, work *w, sbx_error *err)
{
    static const sbx_plugin_sink sink = {.note = on_note};
    const sbx_backend *backend;
    char sid[192];
    sbx_status st = own_sid(sid, err);

    if (st != SBX_OK)
        return st;
    if (strcmp(sid, request->account_sid))
        return sbx_fail(err, SBX_E_REFUSED, "this is not the account that was meant", sid);
    if ((st = sbx_plugin_init(SBX_PROGRAM_RUNNER, "", &sink, err)) != SBX_OK ||
        (st = sbx_plugin_load(request->backend, &w->plugin, err)) != SBX_OK)
        return st;
    backend = sbx_plugin_backend(w->plugin);
    if (!(backend->flags & SBX_BACKEND_ACCOUNT))
        return sbx_fail(err, SBX_E_UNSUPPORTED, "its commands run as the user", backend->name);
    return start(request, backend, pty, w, err);
}

static void end(work *w)
{
    if (w->backend)
        w->backend->spawn_end(&w->spawn);
    sbx_plugin_free(w->plugin);
}

static sbx_status hand_over(sbx_channel *channel, sbx_process *process, sbx_error *err)
{
    const sbx_talk_started started = {(uint64_t)(uintptr_t)process->handle, (uint64_t)(uintptr_t)process->thread,
                                      process->id};
    sbx_text frame = {0};

    sbx_talk_started_put(&frame, &started);
    return sbx_channel_send(channel, &frame, err); /* sbx closes both here when it takes them */
}

/* What sbx says while the command runs.  SBX_E_UNAVAILABLE: the end of its pipe. */
static sbx_status follow(sbx_channel *channel, const sbx_pty *pty, sbx_error *err)
{
    sbx_frame_body body;
    sbx_talk_size size;
    uint32_t type = 0, control;
    sbx_status st = sbx_channel_ask(channel, NULL, sbx_talk_most, 0, &type, &body, err);

    if (st != SBX_OK)
        return st;
    switch (type) {
    case SBX_TALK_SIGNAL:
        if ((st = sbx_talk_signal_get(&body, &control, err)) == SBX_OK)
            GenerateConsoleCtrlEvent(control, 0); /* everything in this console: the command's tree */
        return st;
    case SBX_TALK_RESIZE:
        if ((st = sbx_talk_resize_get(&body, &size, err)) == SBX_OK)
            sbx_pty_resize(pty, &size);
        return st;
    default:
        return sbx_fail(err, SBX_E_REFUSED, "it said what it was not asked for", channel->peer);
    }
}

static BOOL WINAPI stay(DWORD control)
{
    return control == CTRL_C_EVENT || control == CTRL_BREAK_EVENT;
}

sbx_status sbx_serve(sbx_channel *channel, sbx_error *err)
{
    work w = {.spawn = {.size = sizeof(w.spawn)}};
    sbx_pty pty = {0};
    sbx_talk_request request;
    sbx_frame_body body;
    sbx_status st;

    /* this process began with a group of its own, in which Ctrl-C is off, and the command would inherit that */
    SetConsoleCtrlHandler(NULL, FALSE);

    if ((st = greet(channel, err)) != SBX_OK || (st = hear(channel, SBX_TALK_REQUEST, &body, err)) != SBX_OK ||
        (st = sbx_talk_request_get(&body, &request, err)) != SBX_OK ||
        (st = sbx_pty_open(&pty, &request, err)) != SBX_OK || (st = begin(&request, &pty, &w, err)) != SBX_OK ||
        (st = hand_over(channel, &w.process, err)) != SBX_OK)
        goto out; /* a pseudo console ends with this process; waiting for it would keep sbx waiting for the error */
    SetConsoleCtrlHandler(stay, TRUE);
    do
        st = follow(channel, &pty, err);
    while (st == SBX_OK);
    sbx_pty_close(&pty);
    if (st == SBX_E_UNAVAILABLE) /* sbx ended it all, and closed its pipe */
        st = SBX_OK;
out:
    end(&w);
    if (st == SBX_OK && notes.length)
        sbx_channel_send(channel, &notes, NULL);
    return st;
}
