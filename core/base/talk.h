/*
 * What sbx.exe and sbx-runner.exe say to each other, in this order:
 *
 *     runner  HELLO     who it is
 *     sbx     REQUEST   what to start, with the ticket for the token
 *     runner  STARTED   the command exists, is suspended, and its token was checked     or FAILED, and it ends
 *     sbx     SIGNAL    any number of them, and of
 *     sbx     RESIZE    where the command has a terminal
 *     runner  TOLD      when sbx has closed its pipe: any number of notes for the report
 *
 * sbx takes process and thread over and resumes the command itself, so nothing has to be asked for after STARTED; the end of
 * the pipe is the end of the runner.  A runner answers FAILED in place of HELLO, too.
 *
 * Reading copies to the arena.  SBX_E_REFUSED names what is malformed.  Portable, and fuzzed.  Any thread.
 */
#ifndef SBX_BASE_TALK_H
#define SBX_BASE_TALK_H

#include "base/frame.h"

#define SBX_TALK_HELLO 1u
#define SBX_TALK_REQUEST 2u
#define SBX_TALK_STARTED 3u
#define SBX_TALK_SIGNAL 4u
#define SBX_TALK_FAILED 5u
#define SBX_TALK_RESIZE 6u
#define SBX_TALK_TOLD 7u

typedef struct sbx_talk_hello {
    const char *version, *account_sid; /* of the program; of the user it runs as */
    uint64_t logon_id;                 /* TOKEN_STATISTICS.AuthenticationId */
    uint32_t process_id, session_id;
} sbx_talk_hello;

typedef struct sbx_talk_size {
    uint32_t width, height; /* characters; 1 to 32767 */
} sbx_talk_size;

/* Handles are values in the process of the runner. */
typedef struct sbx_talk_request {
    const char *backend, *account_sid; /* who makes the token; who the runner must be */
    const void *ticket;
    const uint16_t *program_w, *command_w, *cwd_w; /* absolute; the whole line; absolute */
    const uint16_t *environment_w;                 /* block (win/env.h) */
    uint32_t ticket_length, environment_units;     /* the empty text at its end among them */
    uint32_t launcher_id;                          /* the process of sbx */
    uint64_t handles[3], job;                      /* standard input, output, error; the job that the command enters */
    /* A terminal for the command: what is typed, what is shown, and its size; 0: none.  With one, and only then, a standard
     * handle may be 0, and is the terminal. */
    uint64_t typed, shown;
    sbx_talk_size size;
} sbx_talk_request;

typedef struct sbx_talk_started {
    uint64_t process, thread; /* handles with all access, for sbx to take over */
    uint32_t process_id;
} sbx_talk_started;

typedef struct sbx_talk_note {
    uint32_t kind; /* SBX_NOTE_* */
    const char *object, *text;
} sbx_talk_note;

/* The longest body that a type may have; 0: there is no such type. */
uint32_t sbx_talk_most(uint32_t type);

void sbx_talk_hello_put(sbx_text *frame, const sbx_talk_hello *hello);
void sbx_talk_request_put(sbx_text *frame, const sbx_talk_request *request);
void sbx_talk_started_put(sbx_text *frame, const sbx_talk_started *started);
void sbx_talk_signal_put(sbx_text *frame, uint32_t control); /* CTRL_C_EVENT and its like */
void sbx_talk_failed_put(sbx_text *frame, const sbx_error *error);
void sbx_talk_resize_put(sbx_text *frame, const sbx_talk_size *size);
void sbx_talk_told_put(sbx_text *frame, const sbx_talk_note *note); /* cut where it is too long */

sbx_status sbx_talk_hello_get(sbx_frame_body *body, sbx_talk_hello *hello, sbx_error *err);
sbx_status sbx_talk_request_get(sbx_frame_body *body, sbx_talk_request *request, sbx_error *err);
sbx_status sbx_talk_started_get(sbx_frame_body *body, sbx_talk_started *started, sbx_error *err);
sbx_status sbx_talk_signal_get(sbx_frame_body *body, uint32_t *control, sbx_error *err);
sbx_status sbx_talk_resize_get(sbx_frame_body *body, sbx_talk_size *size, sbx_error *err);
sbx_status sbx_talk_told_get(sbx_frame_body *body, sbx_talk_note *note, sbx_error *err);
/* *error: what failed there, with a status that is a failure whatever was sent. */
sbx_status sbx_talk_failed_get(sbx_frame_body *body, sbx_error *error, sbx_error *err);

#endif
