#include "base/frame.h"

#include <stdio.h>
#include <string.h>

#include "base/utf.h"

#define LENGTH_AT 8u

static void put_u32(uint8_t *at, uint32_t value)
{
    size_t i;

    for (i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> i * 8);
}

static uint32_t take_u32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

void sbx_frame_add_u32(sbx_text *frame, uint32_t value)
{
    uint8_t bytes[4];

    put_u32(bytes, value);
    sbx_text_add_n(frame, (const char *)bytes, sizeof(bytes));
}

void sbx_frame_add_u64(sbx_text *frame, uint64_t value)
{
    sbx_frame_add_u32(frame, (uint32_t)value);
    sbx_frame_add_u32(frame, (uint32_t)(value >> 32));
}

void sbx_frame_begin(sbx_text *frame, uint32_t type)
{
    sbx_frame_add_u32(frame, SBX_FRAME_MAGIC);
    sbx_frame_add_u32(frame, SBX_FRAME_PROTOCOL | type << 16);
    sbx_frame_add_u32(frame, 0);
}

void sbx_frame_add_bytes(sbx_text *frame, const void *bytes, size_t count)
{
    if (count > SBX_FRAME_MAX)
        frame->failed = 1;
    sbx_frame_add_u32(frame, (uint32_t)count);
    if (count)
        sbx_text_add_n(frame, bytes, count);
}

void sbx_frame_add_text(sbx_text *frame, const char *text)
{
    sbx_frame_add_bytes(frame, text, text ? strlen(text) : 0);
}

void sbx_frame_add_units(sbx_text *frame, const uint16_t *units, size_t count)
{
    size_t i;

    if (count > SBX_FRAME_MAX / 2)
        frame->failed = 1;
    sbx_frame_add_u32(frame, (uint32_t)count);
    for (i = 0; i < count && !frame->failed; i++) {
        const char pair[2] = {(char)(units[i] & 0xFF), (char)(units[i] >> 8)};

        sbx_text_add_n(frame, pair, sizeof(pair));
    }
}

void sbx_frame_end(sbx_text *frame)
{
    if (frame->failed)
        return;
    if (frame->length - SBX_FRAME_HEAD > SBX_FRAME_MAX)
        frame->failed = 1;
    else
        put_u32((uint8_t *)frame->data + LENGTH_AT, (uint32_t)(frame->length - SBX_FRAME_HEAD));
}

sbx_status sbx_frame_head_read(const uint8_t bytes[SBX_FRAME_HEAD], uint32_t most, const char *peer,
                               sbx_frame_head *head, sbx_error *err)
{
    const uint32_t kind = take_u32(bytes + 4);

    head->protocol = kind & 0xFFFF;
    head->type = kind >> 16;
    head->length = take_u32(bytes + LENGTH_AT);
    if (take_u32(bytes) != SBX_FRAME_MAGIC)
        return sbx_fail(err, SBX_E_REFUSED, "what it says is no message of sbx", peer);
    if (head->length > most)
        return sbx_fail(err, SBX_E_REFUSED, "its message is too long", peer);
    return SBX_OK;
}

/* `count` bytes of the body, or NULL. */
static const uint8_t *take(sbx_frame_body *body, const char *field, size_t count)
{
    const uint8_t *at = body->bytes + body->at;

    if (body->wrong)
        return NULL;
    if (count > body->length - body->at) {
        body->wrong = field;
        return NULL;
    }
    body->at += count;
    return at;
}

uint32_t sbx_frame_u32(sbx_frame_body *body, const char *field)
{
    const uint8_t *at = take(body, field, 4);

    return at ? take_u32(at) : 0;
}

uint64_t sbx_frame_u64(sbx_frame_body *body, const char *field)
{
    const uint64_t low = sbx_frame_u32(body, field);

    return low | (uint64_t)sbx_frame_u32(body, field) << 32;
}

/* The items of a run with room for a NUL behind them; *count is 0 where anything is wrong. */
static void *run(sbx_frame_body *body, const char *field, uint32_t most, uint32_t size, uint32_t *count)
{
    static uint16_t nothing[1]; /* never written: there is no item in it */
    uint32_t given = sbx_frame_u32(body, field);
    const uint8_t *at;
    void *copy;

    *count = 0;
    if (given > most)
        sbx_frame_reject(body, field);
    at = take(body, field, (size_t)given * size);
    if (!at)
        return nothing;
    copy = sbx_arena_alloc(body->arena, ((size_t)given + 1) * size);
    if (!copy) {
        body->no_memory = 1;
        sbx_frame_reject(body, field);
        return nothing;
    }
    memcpy(copy, at, (size_t)given * size);
    *count = given;
    return copy;
}

const void *sbx_frame_bytes(sbx_frame_body *body, const char *field, uint32_t most, uint32_t *count)
{
    return run(body, field, most, 1, count);
}

const char *sbx_frame_text(sbx_frame_body *body, const char *field, uint32_t most)
{
    uint32_t count;
    const char *text = run(body, field, most, 1, &count);
    size_t at = 0, before;

    while (at < count) {
        before = at;
        if (!text[at] || (sbx_utf8_next(text, count, &at) == 0xFFFD && at == before + 1)) {
            sbx_frame_reject(body, field);
            return "";
        }
    }
    return text;
}

const uint16_t *sbx_frame_units(sbx_frame_body *body, const char *field, uint32_t most, uint32_t *count)
{
    uint16_t *units = run(body, field, most, 2, count);
    const uint8_t *bytes = (const uint8_t *)units;
    uint32_t i;

    for (i = 0; i < *count; i++) /* whatever the order of bytes here is */
        units[i] = (uint16_t)(bytes[(size_t)i * 2] | bytes[(size_t)i * 2 + 1] << 8);
    return units;
}

const uint16_t *sbx_frame_wide(sbx_frame_body *body, const char *field, uint32_t most)
{
    uint32_t count, i;
    const uint16_t *units = sbx_frame_units(body, field, most, &count);

    for (i = 0; i < count; i++)
        if (!units[i])
            sbx_frame_reject(body, field);
    return units;
}

void sbx_frame_reject(sbx_frame_body *body, const char *field)
{
    if (!body->wrong)
        body->wrong = field;
}

sbx_status sbx_frame_finish(const sbx_frame_body *body, sbx_error *err)
{
    char object[256];

    if (body->no_memory)
        return sbx_fail_memory(err);
    if (body->wrong) {
        snprintf(object, sizeof(object), "%s: %s", body->peer ? body->peer : "message", body->wrong);
        return sbx_fail(err, SBX_E_REFUSED, "a field is malformed", object);
    }
    if (body->at != body->length)
        return sbx_fail(err, SBX_E_REFUSED, "its message is longer than it says", body->peer);
    return SBX_OK;
}
