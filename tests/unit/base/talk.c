/* Frames and messages between sbx and its runner. */
#include "unit/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/talk.h"

static const uint16_t program_w[] = {'C', ':', '\\', 'a', 0xD83D, 0}; /* names may hold half a pair */
static const uint16_t block_w[] = {'A', '=', '1', 0, 'B', '=', 0, 0};
static const uint16_t empty_block_w[] = {0, 0};

static const sbx_talk_request sample = {.backend = "elevated",
                                        .account_sid = "S-1-5-21-1-2-3-1001",
                                        .ticket = "\0ticket",
                                        .ticket_length = 7,
                                        .program_w = program_w,
                                        .command_w = program_w,
                                        .cwd_w = program_w,
                                        .environment_w = block_w,
                                        .environment_units = 8,
                                        .handles = {4, 8, 12},
                                        .job = 16,
                                        .launcher_id = 4711};

/* The body of a frame, whose head is as it must be. */
static sbx_frame_body open_body(const sbx_text *frame, uint32_t type, sbx_arena *arena)
{
    sbx_frame_body body = {0};
    sbx_frame_head head = {0};

    assert_false(frame->failed);
    assert_int_equal(sbx_frame_head_read((const uint8_t *)frame->data, sbx_talk_most(type), NULL, &head, NULL), SBX_OK);
    assert_int_equal(head.protocol, SBX_FRAME_PROTOCOL);
    assert_int_equal(head.type, type);
    assert_int_equal(head.length, frame->length - SBX_FRAME_HEAD);
    body.bytes = (const uint8_t *)frame->data + SBX_FRAME_HEAD;
    body.length = head.length;
    body.arena = arena;
    body.peer = "a peer";
    return body;
}

static void request(void **state)
{
    sbx_text frame = {0};
    sbx_arena arena = {NULL};
    sbx_talk_request got;
    sbx_frame_body body;

    (void)state;
    sbx_fault_use(0);
    sbx_talk_request_put(&frame, &sample);
    body = open_body(&frame, SBX_TALK_REQUEST, &arena);
    assert_int_equal(sbx_talk_request_get(&body, &got, NULL), SBX_OK);
    sbx_text_fini(&frame); /* nothing points into it */
    assert_string_equal(got.backend, sample.backend);
    assert_string_equal(got.account_sid, sample.account_sid);
    assert_int_equal(got.ticket_length, 7);
    assert_memory_equal(got.ticket, sample.ticket, 7);
    assert_memory_equal(got.program_w, program_w, sizeof(program_w));
    assert_memory_equal(got.command_w, program_w, sizeof(program_w));
    assert_memory_equal(got.cwd_w, program_w, sizeof(program_w));
    assert_int_equal(got.environment_units, 8);
    assert_memory_equal(got.environment_w, block_w, sizeof(block_w));
    assert_memory_equal(got.handles, sample.handles, sizeof(sample.handles));
    assert_int_equal(got.job, 16);
    assert_int_equal(got.launcher_id, 4711);
    sbx_arena_fini(&arena);
    assert_int_equal(sbx_fault_live(), 0);
}

/* What is a console of the user is none of the command's: it gets a terminal in its place. */
static void terminal(void **state)
{
    sbx_talk_request with = sample;
    sbx_text frame = {0};
    sbx_arena arena = {NULL};
    sbx_talk_request got;
    sbx_frame_body body;

    (void)state;
    sbx_fault_use(0);
    with.handles[0] = with.handles[2] = 0;
    with.typed = 20;
    with.shown = 24;
    with.size = (sbx_talk_size){80, 25};
    sbx_talk_request_put(&frame, &with);
    body = open_body(&frame, SBX_TALK_REQUEST, &arena);
    assert_int_equal(sbx_talk_request_get(&body, &got, NULL), SBX_OK);
    sbx_text_fini(&frame);
    assert_memory_equal(got.handles, with.handles, sizeof(with.handles));
    assert_int_equal(got.typed, 20);
    assert_int_equal(got.shown, 24);
    assert_int_equal(got.size.width, 80);
    assert_int_equal(got.size.height, 25);
    sbx_arena_fini(&arena);
    assert_int_equal(sbx_fault_live(), 0);
}

static void others(void **state)
{
    const sbx_talk_hello hello = {"1.2.3", "S-1-5-21-7", 0x123456789ABCDEFu, 77, 1};
    const sbx_talk_started started = {0x1C, 0x20, 99};
    sbx_error error = {.size = sizeof(error),
                       .status = SBX_E_UNENFORCED,
                       .code = 5,
                       .code_kind = SBX_CODE_WIN32,
                       .op = "verify",
                       .object = "\xC3\xA4",
                       .hint = "h"};
    sbx_talk_hello hello_got;
    sbx_talk_started started_got;
    sbx_error error_got;
    sbx_arena arena = {NULL};
    sbx_text frame = {0};
    sbx_frame_body body;
    sbx_talk_size size = {120, 32767};
    sbx_talk_note note = {SBX_NOTE_WARN, "C:\\w", "closed"}, note_got;
    uint32_t control = 9;

    (void)state;
    sbx_fault_use(0);
    sbx_talk_hello_put(&frame, &hello);
    body = open_body(&frame, SBX_TALK_HELLO, &arena);
    assert_int_equal(sbx_talk_hello_get(&body, &hello_got, NULL), SBX_OK);
    assert_string_equal(hello_got.version, "1.2.3");
    assert_string_equal(hello_got.account_sid, "S-1-5-21-7");
    assert_int_equal(hello_got.logon_id, 0x123456789ABCDEFu);
    assert_int_equal(hello_got.process_id, 77);
    assert_int_equal(hello_got.session_id, 1);
    sbx_text_fini(&frame);

    sbx_talk_started_put(&frame, &started);
    body = open_body(&frame, SBX_TALK_STARTED, &arena);
    assert_int_equal(sbx_talk_started_get(&body, &started_got, NULL), SBX_OK);
    assert_int_equal(started_got.process, 0x1C);
    assert_int_equal(started_got.thread, 0x20);
    assert_int_equal(started_got.process_id, 99);
    sbx_text_fini(&frame);

    sbx_talk_signal_put(&frame, 1);
    body = open_body(&frame, SBX_TALK_SIGNAL, &arena);
    assert_int_equal(sbx_talk_signal_get(&body, &control, NULL), SBX_OK);
    assert_int_equal(control, 1);
    sbx_text_fini(&frame);
    sbx_talk_signal_put(&frame, 2); /* closing the console is nobody's to pass on */
    body = open_body(&frame, SBX_TALK_SIGNAL, &arena);
    assert_int_equal(sbx_talk_signal_get(&body, &control, NULL), SBX_E_REFUSED);
    sbx_text_fini(&frame);

    sbx_talk_told_put(&frame, &note);
    body = open_body(&frame, SBX_TALK_TOLD, &arena);
    assert_int_equal(sbx_talk_told_get(&body, &note_got, NULL), SBX_OK);
    assert_int_equal(note_got.kind, SBX_NOTE_WARN);
    assert_string_equal(note_got.object, "C:\\w");
    assert_string_equal(note_got.text, "closed");
    sbx_text_fini(&frame);
    note.kind++;
    sbx_talk_told_put(&frame, &note);
    body = open_body(&frame, SBX_TALK_TOLD, &arena);
    assert_int_equal(sbx_talk_told_get(&body, &note_got, NULL), SBX_E_REFUSED);
    sbx_text_fini(&frame);

    sbx_talk_resize_put(&frame, &size);
    body = open_body(&frame, SBX_TALK_RESIZE, &arena);
    memset(&size, 0, sizeof(size));
    assert_int_equal(sbx_talk_resize_get(&body, &size, NULL), SBX_OK);
    assert_int_equal(size.width, 120);
    assert_int_equal(size.height, 32767);
    sbx_text_fini(&frame);
    size.height = 0;
    sbx_talk_resize_put(&frame, &size);
    body = open_body(&frame, SBX_TALK_RESIZE, &arena);
    assert_int_equal(sbx_talk_resize_get(&body, &size, NULL), SBX_E_REFUSED);
    sbx_text_fini(&frame);

    sbx_talk_failed_put(&frame, &error);
    body = open_body(&frame, SBX_TALK_FAILED, &arena);
    assert_int_equal(sbx_talk_failed_get(&body, &error_got, NULL), SBX_OK);
    assert_int_equal(error_got.status, SBX_E_UNENFORCED);
    assert_int_equal(error_got.code, 5);
    assert_int_equal(error_got.code_kind, SBX_CODE_WIN32);
    assert_string_equal(error_got.op, "verify");
    assert_string_equal(error_got.object, "\xC3\xA4");
    assert_string_equal(error_got.hint, "h");
    sbx_text_fini(&frame);
    error.status = SBX_OK; /* who says that it failed has failed */
    sbx_talk_failed_put(&frame, &error);
    body = open_body(&frame, SBX_TALK_FAILED, &arena);
    assert_int_equal(sbx_talk_failed_get(&body, &error_got, NULL), SBX_OK);
    assert_int_equal(error_got.status, SBX_E_BACKEND);
    sbx_text_fini(&frame);
    sbx_arena_fini(&arena);
    assert_int_equal(sbx_fault_live(), 0);
}

static void check_refused(const sbx_talk_request *wrong, const char *field)
{
    sbx_arena arena = {NULL};
    sbx_talk_request got;
    sbx_text frame = {0};
    sbx_error err = {0};
    sbx_frame_body body;
    char wanted[64];

    snprintf(wanted, sizeof(wanted), "a peer: %s", field);
    sbx_talk_request_put(&frame, wrong);
    body = open_body(&frame, SBX_TALK_REQUEST, &arena);
    assert_int_equal(sbx_talk_request_get(&body, &got, &err), SBX_E_REFUSED);
    assert_string_equal(err.op, "a field is malformed");
    assert_string_equal(err.object, wanted);
    sbx_text_fini(&frame);
    sbx_arena_fini(&arena);
}

static void malformed(void **state)
{
    static const uint16_t open_w[] = {'A', '=', 0}, twice_w[] = {'A', 0, 0, 'B', 0, 0}, first_w[] = {0, 'A', 0, 0},
                          nothing_w[] = {0};
    static char long_name[300];
    sbx_talk_request wrong;

    (void)state;
    sbx_fault_use(0);
    memset(long_name, 'x', sizeof(long_name) - 1);
#define CHECK(field, name, value)                                                                                      \
    wrong = sample;                                                                                                    \
    wrong.field = value;                                                                                               \
    check_refused(&wrong, name)
    CHECK(backend, "backend", long_name);
    CHECK(backend, "backend", "a\xFF");
    CHECK(program_w, "program", nothing_w);
    CHECK(command_w, "command line", nothing_w);
    CHECK(cwd_w, "start directory", nothing_w);
    CHECK(environment_units, "environment", 7); /* not ended */
    CHECK(environment_units, "environment", 0);
    CHECK(handles[1], "standard output", 0);
    CHECK(handles[2], "standard error", UINT64_MAX); /* the process itself */
    CHECK(job, "job", 0);
    CHECK(typed, "terminal", 20); /* one half of a terminal */
    CHECK(shown, "terminal", 20);
    CHECK(size.width, "size", 80); /* of none */
    CHECK(size.height, "size", 25);
    wrong.typed = 20;
    wrong.shown = 24;
    check_refused(&wrong, "size");
    wrong.size.width = 32768;
    check_refused(&wrong, "size");
    CHECK(typed, "terminal's input", UINT64_MAX);
#undef CHECK
    wrong = sample;
    wrong.environment_w = open_w;
    wrong.environment_units = 3;
    check_refused(&wrong, "environment");
    wrong.environment_w = twice_w;
    wrong.environment_units = 6;
    check_refused(&wrong, "environment");
    wrong.environment_w = first_w;
    wrong.environment_units = 4;
    check_refused(&wrong, "environment");
    assert_int_equal(sbx_fault_live(), 0);
}

static void head(void **state)
{
    sbx_text frame = {0};
    sbx_frame_head read;
    sbx_error err = {0};

    (void)state;
    sbx_fault_use(0);
    sbx_talk_signal_put(&frame, 0);
    assert_int_equal(sbx_frame_head_read((const uint8_t *)frame.data, 3, "a peer", &read, &err), SBX_E_REFUSED);
    assert_string_equal(err.op, "its message is too long");
    frame.data[4] = 9; /* another protocol: read, and for the caller to judge */
    assert_int_equal(sbx_frame_head_read((const uint8_t *)frame.data, 4, "a peer", &read, &err), SBX_OK);
    assert_int_equal(read.protocol, 9);
    frame.data[0] ^= 1;
    assert_int_equal(sbx_frame_head_read((const uint8_t *)frame.data, 4, "a peer", &read, &err), SBX_E_REFUSED);
    assert_string_equal(err.op, "what it says is no message of sbx");
    assert_int_equal(sbx_talk_most(0), 0);
    assert_int_equal(sbx_talk_most(SBX_TALK_TOLD + 1), 0);
    sbx_text_fini(&frame);
}

/* Every shorter body is refused, and so is a longer one. */
static void cut_short(void **state)
{
    sbx_text frame = {0};
    sbx_arena arena = {NULL};
    sbx_talk_request got;
    sbx_frame_body body;
    size_t length;

    (void)state;
    sbx_fault_use(0);
    sbx_talk_request_put(&frame, &sample);
    for (length = 0; length < frame.length - SBX_FRAME_HEAD; length++) {
        body = open_body(&frame, SBX_TALK_REQUEST, &arena);
        body.length = length;
        assert_int_equal(sbx_talk_request_get(&body, &got, NULL), SBX_E_REFUSED);
    }
    sbx_text_add_char(&frame, 0);
    sbx_frame_end(&frame);
    body = open_body(&frame, SBX_TALK_REQUEST, &arena);
    assert_int_equal(sbx_talk_request_get(&body, &got, NULL), SBX_E_REFUSED);
    sbx_text_fini(&frame);
    sbx_arena_fini(&arena);
    assert_int_equal(sbx_fault_live(), 0);
}

static void no_memory(void **state)
{
    sbx_talk_request small = sample;

    (void)state;
    small.environment_w = empty_block_w;
    small.environment_units = 2;
    SBX_FAULT_EACH(n)
    {
        sbx_text frame = {0};
        sbx_arena arena = {NULL};
        sbx_talk_request got;
        sbx_frame_body body = {0};
        sbx_status st = SBX_E_MEMORY;

        sbx_talk_request_put(&frame, &small);
        if (!frame.failed) {
            body = open_body(&frame, SBX_TALK_REQUEST, &arena);
            st = sbx_talk_request_get(&body, &got, NULL);
        }
        if (st != SBX_OK) {
            assert_int_equal(st, SBX_E_MEMORY);
            assert_true(sbx_fault_hit());
        }
        sbx_text_fini(&frame);
        sbx_arena_fini(&arena);
        assert_int_equal(sbx_fault_live(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request), cmocka_unit_test(terminal),  cmocka_unit_test(others),   cmocka_unit_test(malformed),
        cmocka_unit_test(head),    cmocka_unit_test(cut_short), cmocka_unit_test(no_memory)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
