#include "win/channel.h"

#include <windows.h>
#include <string.h>

#include "win/clock.h"
#include "win/error.h"
#include "win/handle.h"

/* One question and its answer, on a thread of their own where they may be late. */
typedef struct exchange {
    sbx_channel *channel;
    sbx_text *frame;
    uint32_t (*most)(uint32_t type);
    uint32_t *type;
    sbx_frame_body *body;
    sbx_error error;
    sbx_status status;
} exchange;

static sbx_status write_all(sbx_channel *channel, const char *at, size_t length, sbx_error *err)
{
    DWORD done;

    while (length) {
        if (!WriteFile(channel->output, at, length < 0x10000 ? (DWORD)length : 0x10000, &done, NULL))
            return sbx_fail_last(err, SBX_E_SYSTEM, "WriteFile", channel->peer);
        at += done;
        length -= done;
    }
    return SBX_OK;
}

static sbx_status read_all(sbx_channel *channel, uint8_t *at, size_t length, sbx_error *err)
{
    DWORD done;

    while (length) {
        done = 0;
        if (!ReadFile(channel->input, at, (DWORD)length, &done, NULL) && GetLastError() != ERROR_BROKEN_PIPE)
            return sbx_fail_last(err, SBX_E_SYSTEM, "ReadFile", channel->peer);
        if (!done)
            return sbx_fail(err, SBX_E_UNAVAILABLE, "it ended", channel->peer);
        at += done;
        length -= done;
    }
    return SBX_OK;
}

static sbx_status receive(exchange *e)
{
    sbx_channel *channel = e->channel;
    uint8_t bytes[SBX_FRAME_HEAD], *body;
    sbx_frame_head head;
    sbx_status st = read_all(channel, bytes, sizeof(bytes), &e->error);

    if (st != SBX_OK || (st = sbx_frame_head_read(bytes, SBX_FRAME_MAX, channel->peer, &head, &e->error)) != SBX_OK)
        return st;
    if (head.protocol != SBX_FRAME_PROTOCOL) {
        sbx_fail(&e->error, SBX_E_REFUSED, "it is of a version that this one cannot talk to", channel->peer);
        return sbx_hint(&e->error, "put it right with: sbx setup --repair");
    }
    if (head.length > e->most(head.type))
        return sbx_fail(&e->error, SBX_E_REFUSED, "its message is too long", channel->peer);
    sbx_arena_fini(&channel->arena);
    body = sbx_arena_alloc(&channel->arena, head.length ? head.length : 1);
    if (!body)
        return sbx_fail_memory(&e->error);
    if ((st = read_all(channel, body, head.length, &e->error)) != SBX_OK)
        return st;
    *e->type = head.type;
    memset(e->body, 0, sizeof(*e->body));
    e->body->bytes = body;
    e->body->length = head.length;
    e->body->arena = &channel->arena;
    e->body->peer = channel->peer;
    return SBX_OK;
}

static DWORD WINAPI run(void *context)
{
    exchange *e = context;

    e->status =
        e->frame && e->frame->length ? write_all(e->channel, e->frame->data, e->frame->length, &e->error) : SBX_OK;
    if (e->status == SBX_OK)
        e->status = receive(e);
    return 0;
}

static sbx_status take_frame(sbx_text *frame, sbx_error *err)
{
    return frame && frame->failed ? sbx_fail_memory(err) : SBX_OK;
}

sbx_status sbx_channel_send(sbx_channel *channel, sbx_text *frame, sbx_error *err)
{
    sbx_status st = take_frame(frame, err);

    if (st == SBX_OK)
        st = write_all(channel, frame->data, frame->length, err);
    sbx_text_fini(frame);
    return st;
}

/* Until it has ended; what ends it before. */
static const char *wait_for(sbx_channel *channel, HANDLE thread, uint32_t timeout_ms)
{
    const HANDLE handles[2] = {thread, channel->event};
    const uint64_t end_us = sbx_clock_us() + (uint64_t)timeout_ms * 1000;
    const char *why = NULL;
    int has_woken = 0;
    uint64_t now_us;

    while (!why && WaitForSingleObject(thread, 0) == WAIT_TIMEOUT) {
        now_us = sbx_clock_us();
        if (channel->event && channel->stops())
            why = "the wait for it was interrupted";
        else if (now_us >= end_us)
            why = "it did not answer in time";
        else if (WaitForMultipleObjects(channel->event ? 2 : 1, handles, FALSE,
                                        (DWORD)((end_us - now_us + 999) / 1000)) == WAIT_OBJECT_0 + 1)
            has_woken = 1;
    }
    if (has_woken) /* for whoever looks at it next */
        SetEvent(channel->event);
    return why;
}

sbx_status sbx_channel_ask(sbx_channel *channel, sbx_text *frame, uint32_t (*most)(uint32_t type), uint32_t timeout_ms,
                           uint32_t *type, sbx_frame_body *body, sbx_error *err)
{
    exchange e = {.channel = channel, .frame = frame, .most = most, .type = type, .body = body, .status = SBX_E_SYSTEM};
    const char *why;
    HANDLE thread;
    sbx_status st = take_frame(frame, err);

    if (st != SBX_OK)
        goto out;
    if (!timeout_ms) {
        run(&e);
    } else {
        thread = CreateThread(NULL, 0, run, &e, 0, NULL);
        if (!thread) {
            st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateThread", channel->peer);
            goto out;
        }
        if ((why = wait_for(channel, thread, timeout_ms)) != NULL) {
            channel->late(channel->context);
            WaitForSingleObject(thread, INFINITE); /* its pipe has ended now */
            e.status = sbx_fail(&e.error, SBX_E_UNAVAILABLE, why, channel->peer);
        }
        sbx_handle_close(&thread);
    }
    st = e.status;
    if (st != SBX_OK && err)
        *err = e.error;
out:
    if (frame)
        sbx_text_fini(frame);
    return st;
}

void sbx_channel_close(sbx_channel *channel)
{
    sbx_handle_close(&channel->input);
    sbx_handle_close(&channel->output);
    sbx_arena_fini(&channel->arena);
}
