#include "base/talk.h"

#include <string.h>

#include "base/utf.h"

#define WORD_MAX 256u /* bytes of a name, a version, a SID */
#define TICKET_MAX (1u << 20)
#define COMMAND_MAX 32767u               /* units of a path or a command line, as CreateProcess has it */
#define ENVIRONMENT_MAX ((1u << 20) / 2) /* units of a block */

#define SIZE_MAX_CHARACTERS 32767u /* COORD */

#define NOTE_MAX 1024u /* bytes of an object, of a text, each with its NUL */

#define CONTROL_MAX 1u /* CTRL_C_EVENT 0, CTRL_BREAK_EVENT 1: what can be passed on */

uint32_t sbx_talk_most(uint32_t type)
{
    switch (type) {
    case SBX_TALK_HELLO:
    case SBX_TALK_STARTED:
    case SBX_TALK_SIGNAL:
    case SBX_TALK_FAILED:
    case SBX_TALK_RESIZE:
    case SBX_TALK_TOLD:
        return 4096;
    case SBX_TALK_REQUEST:
        return SBX_FRAME_MAX;
    default:
        return 0;
    }
}

void sbx_talk_hello_put(sbx_text *frame, const sbx_talk_hello *hello)
{
    sbx_frame_begin(frame, SBX_TALK_HELLO);
    sbx_frame_add_text(frame, hello->version);
    sbx_frame_add_text(frame, hello->account_sid);
    sbx_frame_add_u64(frame, hello->logon_id);
    sbx_frame_add_u32(frame, hello->process_id);
    sbx_frame_add_u32(frame, hello->session_id);
    sbx_frame_end(frame);
}

sbx_status sbx_talk_hello_get(sbx_frame_body *body, sbx_talk_hello *hello, sbx_error *err)
{
    hello->version = sbx_frame_text(body, "version", WORD_MAX);
    hello->account_sid = sbx_frame_text(body, "account", WORD_MAX);
    hello->logon_id = sbx_frame_u64(body, "logon session");
    hello->process_id = sbx_frame_u32(body, "process");
    hello->session_id = sbx_frame_u32(body, "session");
    return sbx_frame_finish(body, err);
}

static size_t units_of(const uint16_t *text_w)
{
    size_t count = 0;

    while (text_w[count])
        count++;
    return count;
}

static void add_size(sbx_text *frame, const sbx_talk_size *size)
{
    sbx_frame_add_u32(frame, size->width);
    sbx_frame_add_u32(frame, size->height);
}

void sbx_talk_request_put(sbx_text *frame, const sbx_talk_request *request)
{
    size_t i;

    sbx_frame_begin(frame, SBX_TALK_REQUEST);
    sbx_frame_add_text(frame, request->backend);
    sbx_frame_add_text(frame, request->account_sid);
    sbx_frame_add_bytes(frame, request->ticket, request->ticket_length);
    sbx_frame_add_units(frame, request->program_w, units_of(request->program_w));
    sbx_frame_add_units(frame, request->command_w, units_of(request->command_w));
    sbx_frame_add_units(frame, request->cwd_w, units_of(request->cwd_w));
    sbx_frame_add_units(frame, request->environment_w, request->environment_units);
    for (i = 0; i < 3; i++)
        sbx_frame_add_u64(frame, request->handles[i]);
    sbx_frame_add_u64(frame, request->job);
    sbx_frame_add_u64(frame, request->typed);
    sbx_frame_add_u64(frame, request->shown);
    add_size(frame, &request->size);
    sbx_frame_add_u32(frame, request->launcher_id);
    sbx_frame_end(frame);
}

/* Texts, each with its NUL and none empty, and an empty one at the end; the least one is two NULs. */
static int is_block(const uint16_t *block_w, uint32_t units)
{
    uint32_t i;

    if (units < 2 || block_w[units - 1] || block_w[units - 2])
        return 0;
    for (i = 0; i + 2 < units; i++)
        if (!block_w[i] && (!i || !block_w[i + 1]))
            return 0;
    return 1;
}

static const uint16_t *some_wide(sbx_frame_body *body, const char *field)
{
    const uint16_t *text_w = sbx_frame_wide(body, field, COMMAND_MAX);

    if (!*text_w)
        sbx_frame_reject(body, field);
    return text_w;
}

/* 0 is none; the largest values mean the process and thread that use them. */
static uint64_t any_handle(sbx_frame_body *body, const char *field)
{
    const uint64_t handle = sbx_frame_u64(body, field);

    if (handle > INT32_MAX)
        sbx_frame_reject(body, field);
    return handle;
}

static uint64_t some_handle(sbx_frame_body *body, const char *field)
{
    const uint64_t handle = any_handle(body, field);

    if (!handle)
        sbx_frame_reject(body, field);
    return handle;
}

static void get_size(sbx_frame_body *body, sbx_talk_size *size, int wanted)
{
    size->width = sbx_frame_u32(body, "width");
    size->height = sbx_frame_u32(body, "height");
    if (size->width > SIZE_MAX_CHARACTERS || size->height > SIZE_MAX_CHARACTERS || !size->width != !wanted ||
        !size->height != !wanted)
        sbx_frame_reject(body, "size");
}

sbx_status sbx_talk_request_get(sbx_frame_body *body, sbx_talk_request *request, sbx_error *err)
{
    static const char *const streams[3] = {"standard input", "standard output", "standard error"};
    size_t i;

    request->backend = sbx_frame_text(body, "backend", WORD_MAX);
    request->account_sid = sbx_frame_text(body, "account", WORD_MAX);
    request->ticket = sbx_frame_bytes(body, "ticket", TICKET_MAX, &request->ticket_length);
    request->program_w = some_wide(body, "program");
    request->command_w = some_wide(body, "command line");
    request->cwd_w = some_wide(body, "start directory");
    request->environment_w = sbx_frame_units(body, "environment", ENVIRONMENT_MAX, &request->environment_units);
    if (!is_block(request->environment_w, request->environment_units))
        sbx_frame_reject(body, "environment");
    for (i = 0; i < 3; i++)
        request->handles[i] = any_handle(body, streams[i]);
    request->job = some_handle(body, "job");
    request->typed = any_handle(body, "terminal's input");
    request->shown = any_handle(body, "terminal's output");
    if (!request->typed != !request->shown)
        sbx_frame_reject(body, "terminal");
    get_size(body, &request->size, request->typed != 0);
    for (i = 0; i < 3; i++)
        if (!request->handles[i] && !request->typed)
            sbx_frame_reject(body, streams[i]);
    request->launcher_id = sbx_frame_u32(body, "process");
    return sbx_frame_finish(body, err);
}

void sbx_talk_started_put(sbx_text *frame, const sbx_talk_started *started)
{
    sbx_frame_begin(frame, SBX_TALK_STARTED);
    sbx_frame_add_u64(frame, started->process);
    sbx_frame_add_u64(frame, started->thread);
    sbx_frame_add_u32(frame, started->process_id);
    sbx_frame_end(frame);
}

sbx_status sbx_talk_started_get(sbx_frame_body *body, sbx_talk_started *started, sbx_error *err)
{
    started->process = some_handle(body, "process");
    started->thread = some_handle(body, "thread");
    started->process_id = sbx_frame_u32(body, "process id");
    return sbx_frame_finish(body, err);
}

void sbx_talk_signal_put(sbx_text *frame, uint32_t control)
{
    sbx_frame_begin(frame, SBX_TALK_SIGNAL);
    sbx_frame_add_u32(frame, control);
    sbx_frame_end(frame);
}

sbx_status sbx_talk_signal_get(sbx_frame_body *body, uint32_t *control, sbx_error *err)
{
    *control = sbx_frame_u32(body, "signal");
    if (*control > CONTROL_MAX)
        sbx_frame_reject(body, "signal");
    return sbx_frame_finish(body, err);
}

void sbx_talk_failed_put(sbx_text *frame, const sbx_error *error)
{
    sbx_frame_begin(frame, SBX_TALK_FAILED);
    sbx_frame_add_u32(frame, (uint32_t)error->status);
    sbx_frame_add_u32(frame, error->code_kind);
    sbx_frame_add_u32(frame, error->code);
    sbx_frame_add_text(frame, error->op);
    sbx_frame_add_text(frame, error->object);
    sbx_frame_add_text(frame, error->hint);
    sbx_frame_end(frame);
}

sbx_status sbx_talk_failed_get(sbx_frame_body *body, sbx_error *error, sbx_error *err)
{
    sbx_status st;

    memset(error, 0, sizeof(*error));
    error->size = sizeof(*error);
    error->status = (int32_t)sbx_frame_u32(body, "status");
    error->code_kind = sbx_frame_u32(body, "kind of code");
    error->code = sbx_frame_u32(body, "code");
    sbx_utf8_copy(error->op, sizeof(error->op), sbx_frame_text(body, "operation", sizeof(error->op)));
    sbx_utf8_copy(error->object, sizeof(error->object), sbx_frame_text(body, "object", sizeof(error->object)));
    sbx_utf8_copy(error->hint, sizeof(error->hint), sbx_frame_text(body, "hint", sizeof(error->hint)));
    if (error->code_kind > SBX_CODE_HRESULT)
        sbx_frame_reject(body, "kind of code");
    st = sbx_frame_finish(body, err);
    if (error->status <= SBX_OK || error->status > SBX_E_UNSUPPORTED)
        error->status = SBX_E_BACKEND;
    return st;
}

void sbx_talk_resize_put(sbx_text *frame, const sbx_talk_size *size)
{
    sbx_frame_begin(frame, SBX_TALK_RESIZE);
    add_size(frame, size);
    sbx_frame_end(frame);
}

sbx_status sbx_talk_resize_get(sbx_frame_body *body, sbx_talk_size *size, sbx_error *err)
{
    get_size(body, size, 1);
    return sbx_frame_finish(body, err);
}

void sbx_talk_told_put(sbx_text *frame, const sbx_talk_note *note)
{
    char cut[NOTE_MAX];

    sbx_frame_begin(frame, SBX_TALK_TOLD);
    sbx_frame_add_u32(frame, note->kind);
    sbx_utf8_copy(cut, sizeof(cut), note->object);
    sbx_frame_add_text(frame, cut);
    sbx_utf8_copy(cut, sizeof(cut), note->text);
    sbx_frame_add_text(frame, cut);
    sbx_frame_end(frame);
}

sbx_status sbx_talk_told_get(sbx_frame_body *body, sbx_talk_note *note, sbx_error *err)
{
    note->kind = sbx_frame_u32(body, "kind of note");
    note->object = sbx_frame_text(body, "object", NOTE_MAX - 1);
    note->text = sbx_frame_text(body, "text", NOTE_MAX - 1);
    if (!note->kind || note->kind > SBX_NOTE_WARN)
        sbx_frame_reject(body, "kind of note");
    return sbx_frame_finish(body, err);
}
