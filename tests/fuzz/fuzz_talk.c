/*
 * Any bytes as a message between sbx and its runner: the first chooses which.  What is accepted comes out as the same bytes
 * when it is written again.
 */
#include <string.h>

#include "base/talk.h"
#include "fuzz/fuzz.h"

static void check_body(uint32_t type, const uint8_t *bytes, size_t size)
{
    sbx_arena arena = {NULL};
    sbx_frame_body body = {.bytes = bytes, .length = size, .arena = &arena};
    sbx_talk_hello hello;
    sbx_talk_request request;
    sbx_talk_started started;
    sbx_error error;
    sbx_text again = {0};
    sbx_talk_size terminal;
    sbx_talk_note note;
    uint32_t control;

    switch (type) {
    case SBX_TALK_HELLO:
        if (sbx_talk_hello_get(&body, &hello, NULL) == SBX_OK)
            sbx_talk_hello_put(&again, &hello);
        break;
    case SBX_TALK_REQUEST:
        if (sbx_talk_request_get(&body, &request, NULL) == SBX_OK)
            sbx_talk_request_put(&again, &request);
        break;
    case SBX_TALK_STARTED:
        if (sbx_talk_started_get(&body, &started, NULL) == SBX_OK)
            sbx_talk_started_put(&again, &started);
        break;
    case SBX_TALK_SIGNAL:
        if (sbx_talk_signal_get(&body, &control, NULL) == SBX_OK)
            sbx_talk_signal_put(&again, control);
        break;
    case SBX_TALK_RESIZE:
        if (sbx_talk_resize_get(&body, &terminal, NULL) == SBX_OK)
            sbx_talk_resize_put(&again, &terminal);
        break;
    case SBX_TALK_TOLD:
        if (sbx_talk_told_get(&body, &note, NULL) == SBX_OK)
            sbx_talk_told_put(&again, &note);
        break;
    default: /* a status is put right, so it may come out otherwise */
        if (sbx_talk_failed_get(&body, &error, NULL) == SBX_OK)
            SBX_HOLDS(error.status > SBX_OK && strlen(error.hint) < sizeof(error.hint));
    }
    SBX_HOLDS(!again.failed);
    if (again.length) {
        SBX_HOLDS(again.length == size + SBX_FRAME_HEAD);
        SBX_HOLDS(!memcmp(again.data + SBX_FRAME_HEAD, bytes, size));
    }
    sbx_text_fini(&again);
    sbx_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sbx_frame_head head;

    sbx_fault_use(0);
    if (size >= SBX_FRAME_HEAD && sbx_frame_head_read(data, SBX_FRAME_MAX, NULL, &head, NULL) == SBX_OK)
        SBX_HOLDS(head.length <= SBX_FRAME_MAX);
    if (size)
        check_body(data[0] % SBX_TALK_TOLD + 1, data + 1, size - 1);
    SBX_HOLDS(sbx_fault_live() == 0);
    return 0;
}
