#include "liar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/talk.h"
#include "fixture.h"
#include "other.h"
#include "win/channel.h"
#include "win/clock.h"
#include "win/user.h"

static void say(sbx_channel *channel, sbx_text *frame)
{
    sbx_error err;

    sbx_channel_send(channel, frame, &err);
}

static void hello(sbx_channel *channel, const char *sid, uint32_t process_id, int protocol)
{
    sbx_talk_hello hello = {.version = "0", .account_sid = sid, .process_id = process_id};
    sbx_user_sid user;
    char own[192];
    DWORD session = 0;
    sbx_text frame = {0};

    sbx_user_get(&user, NULL);
    sbx_user_sid_text(user.u.bytes, own, sizeof(own));
    ProcessIdToSessionId(GetCurrentProcessId(), &session);
    hello.session_id = session;
    if (!sid)
        hello.account_sid = own;
    sbx_talk_hello_put(&frame, &hello);
    if (protocol)
        frame.data[4] = (char)protocol;
    say(channel, &frame);
}

/* Says that it is there, and no more. */
static int stay(void)
{
    CreateEventW(NULL, TRUE, FALSE, HELD);
    Sleep(INFINITE);
    return 0;
}

int liar_main(const wchar_t *mode)
{
    sbx_channel channel = {
        .input = GetStdHandle(STD_INPUT_HANDLE), .output = GetStdHandle(STD_OUTPUT_HANDLE), .peer = "sbx"};
    sbx_talk_started started = {0x70000, 0x70004, GetCurrentProcessId()}; /* no handles */
    sbx_frame_body body;
    sbx_text frame = {0};
    sbx_error err;
    uint32_t type;

    if (!wcscmp(mode, L"gone"))
        return 0;
    if (!wcscmp(mode, L"silent"))
        return stay();
    if (!wcscmp(mode, L"field")) {
        sbx_frame_begin(&frame, SBX_TALK_HELLO);
        sbx_frame_add_u32(&frame, 5); /* bytes that do not follow */
        sbx_frame_end(&frame);
    }
    if (!wcscmp(mode, L"noise"))
        sbx_text_add(&frame, "these are twelve bytes and some more");
    if (!wcscmp(mode, L"huge")) {
        hello(&channel, NULL, GetCurrentProcessId(), 0);
        sbx_frame_begin(&frame, SBX_TALK_STARTED);
        sbx_frame_add_u32(&frame, 0);
        sbx_frame_end(&frame);
        memset(frame.data + 8, 0x7F, 4);
    }
    if (frame.length) {
        say(&channel, &frame);
        Sleep(INFINITE);
    }
    if (!wcscmp(mode, L"old"))
        hello(&channel, NULL, GetCurrentProcessId(), 9);
    else if (!wcscmp(mode, L"other"))
        hello(&channel, "S-1-5-18", GetCurrentProcessId(), 0);
    else if (!wcscmp(mode, L"stranger"))
        hello(&channel, NULL, 4, 0);
    else
        hello(&channel, NULL, GetCurrentProcessId(), 0);
    if (!wcscmp(mode, L"deaf"))
        return stay();
    if (sbx_channel_ask(&channel, NULL, sbx_talk_most, 0, &type, &body, &err) != SBX_OK || !wcscmp(mode, L"quits"))
        return 0;
    if (!wcscmp(mode, L"mute"))
        return stay();
    if (!wcscmp(mode, L"twice"))
        hello(&channel, NULL, GetCurrentProcessId(), 0);
    if (!wcscmp(mode, L"itself")) { /* the unrestricted runner in place of a command */
        DuplicateHandle(GetCurrentProcess(), GetCurrentProcess(), GetCurrentProcess(), (HANDLE *)&started.process, 0,
                        FALSE, DUPLICATE_SAME_ACCESS);
        DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), (HANDLE *)&started.thread, 0,
                        FALSE, DUPLICATE_SAME_ACCESS);
    }
    if (!wcscmp(mode, L"itself") || !wcscmp(mode, L"nothing")) {
        sbx_talk_started_put(&frame, &started);
        say(&channel, &frame);
    }
    Sleep(INFINITE);
    return 0;
}

const WCHAR *lie(const char *mode)
{
    static char copy[MAX_PATH * 3];
    static WCHAR copy_w[MAX_PATH * 2];

    snprintf(copy, sizeof(copy), "%s-%s.exe", fake_runner, mode);
    MultiByteToWideChar(CP_UTF8, 0, copy, -1, copy_w, MAX_PATH * 2);
    CopyFileW(self_w, copy_w, FALSE);
    runner = copy;
    return copy_w;
}

void remove_lie(const WCHAR *copy_w)
{
    const uint64_t end_us = sbx_clock_us() + 10000000;

    while (!DeleteFileW(copy_w) && GetLastError() != ERROR_FILE_NOT_FOUND)
        if (sbx_clock_us() > end_us)
            fail_msg("%ls still runs", copy_w);
}
