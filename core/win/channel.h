/*
 * Frames (base/frame.h) over a pair of pipes.
 *
 * The pipes have no names: nobody else can open them, and whoever holds the other ends is known.  A peer that is late, or that
 * is waited for no longer, is ended by the caller's function, which also ends the wait: a read of a pipe has no timeout of its own.
 *
 * Source: MSDN "CreatePipe", "ReadFile" (ERROR_BROKEN_PIPE), "Pipe Security".  One thread at a time.
 */
#ifndef SBX_WIN_CHANNEL_H
#define SBX_WIN_CHANNEL_H

#include "base/frame.h"

typedef struct sbx_channel {
    void *input, *output; /* HANDLE of a pipe each */
    const char *peer;     /* names it in errors; lives as long */
    sbx_arena arena;      /* of what was received last */
    void (*late)(void *context);
    void *context;
    void *event; /* HANDLE, auto reset: set when `stops` is to be asked whether to wait on; NULL: it is not */
    int (*stops)(void);
} sbx_channel;

/* Send a frame and take the text, whatever happens.  SBX_E_SYSTEM. */
sbx_status sbx_channel_send(sbx_channel *channel, sbx_text *frame, sbx_error *err);

/* Send `frame` (NULL or empty: nothing) and wait for the next one.  most(type): the longest body of a type, 0: not known.  *body
 * lives until the next call.  timeout_ms 0: no limit, nor `event`; after it `late` is called, which must end the peer, and the
 * status is SBX_E_UNAVAILABLE, as where `stops` says so.  The end of the pipe: SBX_E_UNAVAILABLE.  Another protocol and what is malformed: SBX_E_REFUSED. */
sbx_status sbx_channel_ask(sbx_channel *channel, sbx_text *frame, uint32_t (*most)(uint32_t type), uint32_t timeout_ms,
                           uint32_t *type, sbx_frame_body *body, sbx_error *err);

/* Closes both pipes. */
void sbx_channel_close(sbx_channel *channel);

#endif
