/*
 * Frames: how sbx.exe and sbx-runner.exe talk over two pipes.
 *
 * A head of 12 bytes, little-endian: magic u32, protocol u16, type u16, length of the body u32.  The body is fields one behind
 * the other: u32, u64, and runs of bytes or of UTF-16 units with their number before them in a u32.  Whoever reads trusts
 * nothing: a type that is not expected, a body longer than the type may be, a field that reaches over the end, a
 * NUL inside a text and bytes that are left over are SBX_E_REFUSED, and that is the end of the conversation.
 *
 * Portable, and fuzzed.  Any thread.
 */
#ifndef SBX_BASE_FRAME_H
#define SBX_BASE_FRAME_H

#include "base/memory.h"
#include "base/text.h"

#define SBX_FRAME_MAGIC 0x52584253u /* "SBXR" */
#define SBX_FRAME_PROTOCOL 2u       /* programs of other versions talk to each other if they have the same */
#define SBX_FRAME_HEAD 12u
#define SBX_FRAME_MAX (4u << 20) /* bytes of the largest body */

/* Begin a frame in `frame`, an empty text; add its fields; end it.  Errors are kept in the text (text.h); one whose body is
 * longer than SBX_FRAME_MAX fails, too. */
void sbx_frame_begin(sbx_text *frame, uint32_t type);
void sbx_frame_add_u32(sbx_text *frame, uint32_t value);
void sbx_frame_add_u64(sbx_text *frame, uint64_t value);
void sbx_frame_add_bytes(sbx_text *frame, const void *bytes, size_t count);
void sbx_frame_add_text(sbx_text *frame, const char *text); /* NULL: as "" */
void sbx_frame_add_units(sbx_text *frame, const uint16_t *units, size_t count);
void sbx_frame_end(sbx_text *frame);

typedef struct sbx_frame_head {
    uint32_t protocol, type, length;
} sbx_frame_head;

/* SBX_E_REFUSED: no frame, or longer than `most` bytes; peer: whose it is, for the error.  Another protocol is none: the caller
 * words that, with *head filled. */
sbx_status sbx_frame_head_read(const uint8_t bytes[SBX_FRAME_HEAD], uint32_t most, const char *peer,
                               sbx_frame_head *head, sbx_error *err);

/* A body as it is read.  Strings are copied to the arena, so nothing points into `bytes`. */
typedef struct sbx_frame_body {
    const uint8_t *bytes;
    size_t length, at;
    sbx_arena *arena;
    const char *peer;  /* whose it is, for errors */
    const char *wrong; /* the first field that was; everything after it is 0 */
    int no_memory;
} sbx_frame_body;

uint32_t sbx_frame_u32(sbx_frame_body *body, const char *field);
uint64_t sbx_frame_u64(sbx_frame_body *body, const char *field);
/* `most` bytes or units at most, never NULL; with a NUL behind them.  The terminated ones hold no other. */
const void *sbx_frame_bytes(sbx_frame_body *body, const char *field, uint32_t most, uint32_t *count);
const char *sbx_frame_text(sbx_frame_body *body, const char *field, uint32_t most); /* well-formed WTF-8 */
const uint16_t *sbx_frame_units(sbx_frame_body *body, const char *field, uint32_t most, uint32_t *count);
const uint16_t *sbx_frame_wide(sbx_frame_body *body, const char *field, uint32_t most);
/* A value that a reader does not accept. */
void sbx_frame_reject(sbx_frame_body *body, const char *field);
/* All was there, and nothing more. */
sbx_status sbx_frame_finish(const sbx_frame_body *body, sbx_error *err);

#endif
